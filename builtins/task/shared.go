package task

import (
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/coord"
)

var sharedFunc = &spec.Func{
	Name: "shared", Returns: "shared",
	Doc:    "Makes a map that tasks change together. Values in it are frozen; keys are str.",
	Params: []spec.Param{{Name: "values", Type: "dict", Optional: true, Doc: "What is in it at first."}},
	Example: `
s = task.shared({"done": 0})
s.add("done", 2)
expect.eq(s.get("done"), 2)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		s := value.NewShared(coord.NewShared())
		if !c.Has("values") {
			return s, nil
		}
		for _, kv := range c.Arg("values").(starlark.IterableMapping).Items() {
			key, ok := starlark.AsString(kv[0])
			if !ok {
				return nil, c.Errorf("values", "keys are str, got %s", kv[0].Type())
			}
			if err := c.Script().Host().Share(kv[1]); err != nil {
				return nil, err
			}
			s.Shared().Set(key, kv[1])
		}
		return s, nil
	},
}
