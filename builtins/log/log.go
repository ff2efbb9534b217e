// Package log declares the module log: lines and spans for the report and the journal.
package log

import (
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "log", Doc: "Lines for the report and the journal, with named fields, and spans: work with a name and a duration.",
		Funcs: []*spec.Func{
			level("debug", "details; shown with -v or --log-level debug"), level("info", "what happens"), level("warn", "what may be wrong"), level("error", "what is wrong, without failing the test"), spanFunc,
		},
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
			t.EmitFrom(c.Thread, value.LogLine(c, name, ""))
			return starlark.None, nil
		},
	}
}

var spanFunc = &spec.Func{
	Name: "span", Returns: "any",
	Doc: "Calls fn(*args, **kwargs) as a piece of work with a name and returns its value; its error is raised as without the span. The journal gets " +
		"the span's duration and outcome. Statements, lines, tasks and spans inside have it as their parent, so that spans nest; exported to OpenTelemetry they are a trace.",
	Params: []spec.Param{
		{Name: "name", Type: "str", Doc: "How reports call the work: the same for the same kind of work."},
		{Name: "fn", Type: "callable", Doc: "What to call."},
		{Name: "args", Type: "any", Variadic: true, Doc: "Its arguments."},
		{Name: "kwargs", Type: "any", Keywords: true, Doc: "Its keyword arguments."},
	},
	Example: `
def fill(n):
    for i in range(n):
        log.span("row", t.db.query, "SELECT ?", i)
    return n
expect.eq(log.span("load", fill, 2), 2)
`,
	Impl: span,
}

func span(c *spec.Call) (starlark.Value, error) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	if c.Str("name") == "" {
		return nil, c.Errorf("name", "a span needs a name")
	}
	th, bus := c.Script(), t.Bus()
	pos, parent, id := script.CallerPos(c.Thread), th.Span(), bus.NextID()
	if parent == 0 {
		parent = t.EventID()
	}
	start := time.Now()
	leave := th.Within(id)
	defer leave() // also where fn panics: the thread may go on
	v, err := starlark.Call(c.Thread, c.Callable("fn"), c.Rest, c.Extra)
	ended := time.Now()
	d := &event.Span{Name: c.Str("name"), Duration: ended.Sub(start), Outcome: value.OutcomeOf(err)}
	if d.Outcome == event.Failed || d.Outcome == event.Unknown {
		d.Error = script.Describe(err)
	}
	bus.Emit(event.Event{At: bus.At(ended), ID: id, Parent: parent, Test: t.ID(), Pos: pos, Data: d})
	return v, err
}
