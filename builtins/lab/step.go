package lab

import (
	"fmt"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/fault"
	"rig/runtime/schedule"
)

// Step is what step(...) gives: a statement or function with what is expected of it.
type Step struct {
	do      starlark.Value // a str or a callable
	name    string
	want    schedule.Want
	repeat  starlark.Value // nil without one
	timeout time.Duration
}

var _ starlark.HasAttrs = (*Step)(nil)

func (s *Step) String() string { return fmt.Sprintf("<step %s>", shown(s.do)) }

// Type is "step".
func (s *Step) Type() string { return "step" }

// Freeze reaches the functions.
func (s *Step) Freeze() {
	s.do.Freeze()
	if s.repeat != nil {
		s.repeat.Freeze()
	}
}

// Truth is true.
func (s *Step) Truth() starlark.Bool  { return true }
func (s *Step) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: step") }

// Attr finds a member.
func (s *Step) Attr(name string) (starlark.Value, error) { return stepType.Attr(s, name) }

// AttrNames lists the members.
func (s *Step) AttrNames() []string { return stepType.AttrNames() }

var stepType = (&spec.Type{
	Name: "step",
	Doc:  "A step of a schedule with what is expected of it; see step().",
	Example: `
s = step("SELECT 1", name = "look", waits = False)
expect.eq((s.name, s.sql), ("look", "SELECT 1"))
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "Its name, \"\" where it is numbered.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*Step).name), nil
		}},
		{Name: "sql", Type: "str", Doc: "The statement, or the name of the function.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(shown(v.(*Step).do)), nil
		}},
	},
}).Seal()

// shown is how a step is printed.
func shown(do starlark.Value) string {
	if s, ok := starlark.AsString(do); ok {
		return s
	}
	if f, ok := do.(starlark.Callable); ok {
		return f.Name() + "(conn)"
	}
	return do.String()
}

var stepFunc = &spec.Func{
	Name: "step", Returns: "step", LoadTime: true,
	Doc: "A step of a schedule, with what is expected of it.",
	Params: []spec.Param{
		{Name: "do", Type: "str|callable", Doc: "SQL, or fn(conn)."},
		{Name: "name", Type: "str", Optional: true, KwOnly: true, Doc: "Its name in orders and reports; the session's name and a number without one."},
		{Name: "waits", Type: "bool", Optional: true, KwOnly: true, Doc: "Whether it must wait for a lock."},
		{Name: "error", Type: "int|str|bool", Optional: true, KwOnly: true, Doc: "It must fail: with this code, this kind, or in any way (True)."},
		{Name: "after", Type: "str|list", Optional: true, KwOnly: true, Doc: "The step, or steps, before which it must not return."},
		{Name: "repeat_until", Type: "any", Optional: true, KwOnly: true, Doc: "It is run again until fn(rows) is true, or until the first value is this one."},
		{Name: "timeout", Type: "duration", Optional: true, KwOnly: true, Doc: "Its bound instead of the schedule's."},
	},
	Example: `
r = interleave(t, {"a": [step("SELECT 1", waits = False)]}, order = "a1")
expect.eq(r.step("a1").rows, [(1,)])
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		s := &Step{do: c.Arg("do"), name: c.Str("name"), timeout: c.Duration("timeout")}
		if c.Has("waits") {
			s.want.Waits = schedule.No
			if c.Bool("waits") {
				s.want.Waits = schedule.Yes
			}
		}
		var err error
		if s.want.Error, err = wantedError(c); err != nil {
			return nil, err
		}
		if one, ok := starlark.AsString(c.Arg("after")); ok {
			s.want.After = []string{one}
		} else if s.want.After, err = c.Texts("after"); err != nil {
			return nil, err
		}
		if c.Has("repeat_until") {
			s.repeat = c.Arg("repeat_until")
		}
		return s, nil
	},
}

// wantedError reads error =.
func wantedError(c *spec.Call) (string, error) {
	if !c.Has("error") {
		return "", nil
	}
	switch v := c.Arg("error").(type) {
	case starlark.Bool:
		if !v {
			return "", c.Errorf("error", "want True, a code or a kind: without it an error is part of the outcome")
		}
		return "any", nil
	case starlark.Int:
		return v.String(), nil
	}
	kind := c.Str("error")
	var known []string
	for _, k := range fault.Kinds() {
		if string(k.Kind) == kind {
			return kind, nil
		}
		known = append(known, string(k.Kind))
	}
	if near := fault.Suggest(kind, known); near != "" {
		return "", c.Errorf("error", "no error has the kind %q, did you mean %q?", kind, near)
	}
	return "", c.Errorf("error", "no error has the kind %q; rig help errors lists them", kind)
}

// repeatOf makes a step's condition.
func (x *experiment) repeatOf(s *Step) func(schedule.Result) (bool, error) {
	if s.repeat == nil {
		return nil
	}
	return func(r schedule.Result) (bool, error) {
		v := valueOf(r)
		if fn, ok := s.repeat.(starlark.Callable); ok {
			out, err := starlark.Call(x.c.Thread, fn, starlark.Tuple{v}, nil)
			return err == nil && bool(out.Truth()), err
		}
		rows, ok := v.(*value.Rows)
		if !ok || rows.Len() == 0 || len(rows.Result().Columns()) == 0 {
			return false, nil
		}
		return value.Equal(rows.Index(0).(*value.Row).Cell(0), s.repeat)
	}
}

func valueOf(r schedule.Result) starlark.Value {
	if v, ok := r.Value.(starlark.Value); ok {
		return v
	}
	return starlark.None
}
