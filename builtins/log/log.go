// Package log declares the module log: lines for the report and the journal.
package log

import (
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "log", Doc: "Lines for the report and the journal, with named fields.",
		Funcs: []*spec.Func{level("debug", "details; shown with -v"), level("info", "what happens"), level("warn", "what may be wrong"), level("error", "what is wrong, without failing the test")},
	}
}

func level(name, doc string) *spec.Func {
	return &spec.Func{
		Name: name, Doc: "Writes a line: " + doc + ".",
		Params:  value.LogParams(),
		Example: "\nlog." + name + "(\"loaded\", rows = 10)\n",
		Impl: func(c *spec.Call) (starlark.Value, error) {
			t, err := scenario.FromThread(c.Thread)
			if err != nil {
				return nil, err
			}
			t.Emit(script.CallerPos(c.Thread), value.LogLine(c, name, ""))
			return starlark.None, nil
		},
	}
}
