// Package log declares the module log: lines for the report and the journal.
package log

import (
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
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
		Params: []spec.Param{
			{Name: "message", Type: "any", Doc: "The line."},
			{Name: "fields", Type: "any", Keywords: true, Doc: "Named values."},
		},
		Example: "\nlog." + name + "(\"loaded\", rows = 10)\n",
		Impl: func(c *spec.Call) (starlark.Value, error) {
			t, err := scenario.FromThread(c.Thread)
			if err != nil {
				return nil, err
			}
			d := &event.Log{Level: name, Message: text(c.Arg("message"))}
			for _, kv := range c.Extra {
				d.Fields = append(d.Fields, event.Field{Key: text(kv[0]), Value: text(kv[1])})
			}
			t.Emit(script.CallerPos(c.Thread), d)
			return starlark.None, nil
		},
	}
}

func text(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	if err := script.Printable(v); err != nil {
		return "<" + v.Type() + ">"
	}
	return v.String()
}
