package core

import (
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/script"
)

var breakpointFunc = &spec.Func{
	Name: "breakpoint", LoadTime: true,
	Doc: "Stops in the debugger that is attached: in the terminal, or in an editor. No flag is needed where rig exec runs in a terminal. Where nobody is there, and in CI, it is an error, so that a forgotten call does not hang a run.",
	Example: `
def suspicious(rows):
    if len(rows) > 100:
        breakpoint()
suspicious(t.db.query("SELECT 1"))
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		return starlark.None, script.Breakpoint(c.Thread)
	},
}
