package machine

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	engine "rig/runtime/machine"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// stateError keeps the script's position and the database's error of a state that failed, and says which state it was.
type stateError struct {
	*engine.StateError
	all error // with what failed after it
}

// Report gives the form for reports.
func (e *stateError) Report() *event.Error {
	d := script.Describe(e.Err)
	visit := ""
	if e.Visit > 1 {
		visit = fmt.Sprintf(" (visit %d)", e.Visit)
	}
	d.Message = fmt.Sprintf("machine %s, state %s%s, %s: %s", e.Machine, e.State, visit, e.Phase, d.Message)
	if _, later, more := strings.Cut(e.all.Error(), e.StateError.Error()+"\n"); more {
		d.Detail = strings.TrimPrefix(d.Detail+"\n"+later, "\n")
	}
	return d
}

func (e *stateError) Unwrap() error { return e.Err }

func located(err error) error {
	var s *engine.StateError
	var exp *scenario.ExpectationError
	var skip *scenario.SkipError
	if errors.As(err, &s) && !errors.As(err, &exp) && !errors.As(err, &skip) {
		return &stateError{s, err}
	}
	return err
}

// Result is how a run ended.
type Result struct {
	r      *engine.Result
	data   *starlark.Dict
	looked atomic.Bool // somebody asked how it ended
}

var _ starlark.HasAttrs = (*Result)(nil)

// String is a table of the path.
func (r *Result) String() string {
	lines := make([][]string, 0, len(r.r.Path))
	for _, p := range r.r.Path {
		e := ""
		if p.Err != nil {
			e = p.Err.Error()
		}
		lines = append(lines, []string{p.State, p.Next, p.Duration.Round(10 * time.Microsecond).String(), e})
	}
	return value.Grid([]string{"state", "next", "duration", "error"}, lines)
}

// Type is "machine_result".
func (r *Result) Type() string { return "machine_result" }
func (r *Result) Freeze()      { r.data.Freeze() }

// Truth tells whether the run completed.
func (r *Result) Truth() starlark.Bool {
	r.looked.Store(true)
	return r.r.Err == nil
}

// watch has the test fail for a failure that was asked for instead of raised and that nobody looked at.
func (r *Result) watch(c *spec.Call, t *scenario.Test, m *Machine) {
	value.Unseen{
		Call: c.Name(), Pos: script.CallerPos(c.Thread), Looked: r.looked.Load, Hint: "look at result.state or result.error, or leave on_failure away",
		Message: func() string {
			return fmt.Sprintf("machine %s failed and nobody looked: %s", m.name, script.Describe(located(r.r.Err)).Message)
		},
	}.Watch(t)
}

func (r *Result) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: machine_result") }

// Attr finds a member.
func (r *Result) Attr(name string) (starlark.Value, error) {
	if name != "data" {
		r.looked.Store(true)
	}
	return resultType.Attr(r, name)
}

// AttrNames lists the members.
func (r *Result) AttrNames() []string { return resultType.AttrNames() }

// failure is the step that failed first, nil without one.
func (r *Result) failure() *engine.StateError {
	var s *engine.StateError
	if errors.As(r.r.Err, &s) {
		return s
	}
	return nil
}

var resultType = (&spec.Type{
	Name: "machine_result", Var: "result",
	Doc: "How a run of a machine ended. Printing it shows the path as a table.",
	Example: `
def stop(ctx):
    return machine.completed
result = machine.new("m", states = {"stop": stop}, start = "stop").run(t)
expect.eq(result.state, "completed")
expect.eq(result.visits["stop"], 1)
`,
	Attrs: []spec.Attr{
		{Name: "state", Type: "str", Doc: "completed or failed.", Get: func(v starlark.Value) (starlark.Value, error) { return starlark.String(v.(*Result).r.State), nil }},
		{Name: "path", Type: "list", Doc: "The states in the order of the visits.", Get: func(v starlark.Value) (starlark.Value, error) {
			var out []starlark.Value
			for _, p := range v.(*Result).r.Path {
				out = append(out, starlark.String(p.State))
			}
			return starlark.NewList(out), nil
		}},
		{Name: "duration", Type: "time.duration", Doc: "Of the whole run.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlarktime.Duration(v.(*Result).r.Duration), nil
		}},
		{Name: "durations", Type: "dict", Doc: "The time spent in each state, by name.", Get: func(v starlark.Value) (starlark.Value, error) {
			d := starlark.NewDict(8)
			for _, p := range v.(*Result).r.Path {
				_ = d.SetKey(starlark.String(p.State), starlarktime.Duration(v.(*Result).r.Durations[p.State])) // a new dict takes str keys
			}
			return d, nil
		}},
		{Name: "visits", Type: "dict", Doc: "How often each state was visited.", Get: func(v starlark.Value) (starlark.Value, error) {
			d := starlark.NewDict(8)
			for _, p := range v.(*Result).r.Path {
				_ = d.SetKey(starlark.String(p.State), starlark.MakeInt(p.Visit))
			}
			return d, nil
		}},
		{Name: "failed_in", Type: "str|None", Doc: "The state whose step failed first; None when none did.", Get: func(v starlark.Value) (starlark.Value, error) {
			if s := v.(*Result).failure(); s != nil {
				return starlark.String(s.State), nil
			}
			return starlark.None, nil
		}},
		{Name: "failed_attempt", Type: "int", Doc: "The visit of that state in which it failed, from 1; 0 when none did.", Get: func(v starlark.Value) (starlark.Value, error) {
			if s := v.(*Result).failure(); s != nil {
				return starlark.MakeInt(s.Visit), nil
			}
			return starlark.MakeInt(0), nil
		}},
		{Name: "data", Type: "dict", Doc: "The run's ctx.data.", Get: func(v starlark.Value) (starlark.Value, error) { return v.(*Result).data, nil }},
		{Name: "error", Type: "error|None", Doc: "What went wrong.", Get: func(v starlark.Value) (starlark.Value, error) {
			if err := v.(*Result).r.Err; err != nil {
				return value.NewError(located(err)), nil
			}
			return starlark.None, nil
		}},
	},
}).Seal()
