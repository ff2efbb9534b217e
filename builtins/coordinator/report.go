package coordinator

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/coord"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// mistake reports whether an error is the script's or rig's own, not one of what is tested. A wait that ended because another
// member made a mistake is none of its own.
func mistake(err error) bool {
	var lost *coord.MemberFailedError
	var dead *coord.DeadlockError
	if errors.As(err, &lost) || errors.As(err, &dead) {
		return false
	}
	return true
}

// report is how a run ended.
type report struct {
	name    string
	members []*memberReport
	longest time.Duration
	looked  atomic.Bool // somebody asked how it ended
}

// memberReport is how a member ended.
type memberReport struct {
	r        *report
	id       string
	state    string
	duration time.Duration
	err      *value.Error
	result   starlark.Value
}

var (
	_ starlark.Mapping  = (*report)(nil)
	_ starlark.Iterable = (*report)(nil)
	_ starlark.HasAttrs = (*report)(nil)
	_ starlark.HasAttrs = (*memberReport)(nil)
	_ value.Ending      = (*memberReport)(nil)
)

func (r *report) add(e coord.MemberReport, how value.MemberResult) {
	m := &memberReport{r: r, id: e.Name, state: how.State, duration: e.Duration, result: how.Result}
	if m.state == "" {
		m.state = "failed" // it did not come to a state
	}
	if m.result == nil {
		m.result = starlark.None
	}
	if e.Err != nil {
		m.err = value.NewError(e.Err)
	}
	r.longest = max(r.longest, e.Duration)
	r.members = append(r.members, m)
}

// watch has the test fail for failures that the script passes over.
func (r *report) watch(c *spec.Call, t *scenario.Test) {
	failed := r.failed()
	if len(failed) == 0 {
		return
	}
	first := failed[0]
	if i := slices.IndexFunc(failed, func(m *memberReport) bool { return m.err.Report().Kind != string(fault.MemberFailed) }); i >= 0 {
		first = failed[i] // the cause, not who was released because of it
	}
	value.Unseen{
		Call: c.Name(), Pos: script.CallerPos(c.Thread), Looked: r.looked.Load,
		Hint: "expect.all_ok(report), or look at report.failed and report[\"id\"].error",
		Message: func() string {
			return fmt.Sprintf("%d of %d members of coordinator %q failed and nobody looked; the first: %s: %s", len(failed), len(r.members), r.name, first.id, first.err)
		},
	}.Watch(t)
}

func (r *report) failed() []*memberReport {
	var out []*memberReport
	for _, m := range r.members {
		if m.err != nil {
			out = append(out, m)
		}
	}
	return out
}

// maxCell bounds an error in the table.
const maxCell = 160

// brief is an error for the table: of a wait that a member's end made vain, the wait and that member, whose own line tells why.
func brief(e *value.Error) string {
	var dead *coord.DeadlockError
	var lost *coord.MemberFailedError
	text := e.String()
	switch {
	case errors.As(e.Unwrap(), &dead):
		text = dead.Error()
	case errors.As(e.Unwrap(), &lost) && !errors.Is(lost.Err, coord.ErrEnded):
		text = fmt.Sprintf("%s: member %q failed", lost.What, lost.Member)
	}
	text, _, _ = strings.Cut(text, "\n")
	if len(text) > maxCell {
		text = strings.ToValidUTF8(text[:maxCell-3], "") + "..."
	}
	return text
}

// String is a table of the members.
func (r *report) String() string {
	lines := make([][]string, 0, len(r.members))
	for _, m := range r.members {
		text := ""
		if m.err != nil {
			text = brief(m.err)
		}
		lines = append(lines, []string{m.id, m.state, m.duration.Round(10 * time.Microsecond).String(), text})
	}
	return value.Grid([]string{"id", "state", "duration", "error"}, lines)
}

// Type is "coordinator_report".
func (r *report) Type() string          { return "coordinator_report" }
func (r *report) Freeze()               {}
func (r *report) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: coordinator_report") }
func (r *report) Len() int              { return len(r.members) }

// Truth is whether no member failed.
func (r *report) Truth() starlark.Bool {
	r.looked.Store(true)
	return len(r.failed()) == 0
}

// Get finds a member by its id.
func (r *report) Get(k starlark.Value) (starlark.Value, bool, error) {
	id, ok := starlark.AsString(k)
	if !ok {
		return nil, false, fmt.Errorf("report[...]: want a member's id, got %s", k.Type())
	}
	ids := make([]string, len(r.members))
	for i, m := range r.members {
		if ids[i] = m.id; m.id == id {
			return m, true, nil
		}
	}
	e := fault.New(fault.BadArgument, "report", fmt.Sprintf("coordinator %q has no member %q", r.name, id))
	if near := fault.Suggest(id, ids); near != "" {
		return nil, false, e.WithHint(fmt.Sprintf("did you mean %q?", near))
	}
	return nil, false, e
}

// Iterate gives the members in the order of their adding.
func (r *report) Iterate() starlark.Iterator { return r.list().Iterate() }

func (r *report) list() *starlark.List {
	out := make([]starlark.Value, len(r.members))
	for i, m := range r.members {
		out[i] = m
	}
	return starlark.NewList(out)
}

// Attr finds an attribute.
func (r *report) Attr(name string) (starlark.Value, error) { return reportType.Attr(r, name) }

// AttrNames lists the attributes.
func (r *report) AttrNames() []string { return reportType.AttrNames() }

var reportType = (&spec.Type{
	Name: "coordinator_report", Var: "report", Elem: "member",
	Doc: "How a run of a coordinator ended. Printing it shows a table: id, state, duration, error. It is true when no member failed; report[\"id\"] is a member, and a loop goes over all.",
	Example: `
def work(ctx):
    return machine.completed if ctx.id == "good" else machine.failed
flow = machine.new("m", states = {"work": work}, start = "work")
crew = coordinator("two")
crew.add("good", flow)
crew.add("bad", flow)
report = crew.run(t, on_failure = "continue")
print(report)
expect.eq(report.failed, ["bad"])
expect.eq(report["good"].state, "completed")
`,
	Attrs: []spec.Attr{
		{Name: "ok", Type: "bool", Doc: "Whether no member failed.", Get: func(v starlark.Value) (starlark.Value, error) {
			return v.(*report).Truth(), nil
		}},
		{Name: "failed", Type: "list", Doc: "The ids of the members that failed.", Get: func(v starlark.Value) (starlark.Value, error) {
			r := v.(*report)
			r.looked.Store(true)
			var ids []starlark.Value
			for _, m := range r.failed() {
				ids = append(ids, starlark.String(m.id))
			}
			return starlark.NewList(ids), nil
		}},
		{Name: "members", Type: "list", Doc: "The members in the order of their adding.", Get: func(v starlark.Value) (starlark.Value, error) {
			return v.(*report).list(), nil
		}},
		{Name: "duration", Type: "time.duration", Doc: "Of the member that took longest.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlarktime.Duration(v.(*report).longest), nil
		}},
	},
}).Seal()

// Err gives the member's error, nil where it completed.
func (m *memberReport) Err() *value.Error {
	m.r.looked.Store(true)
	return m.err
}

// Name is the member's id.
func (m *memberReport) Name() string { return m.id }

func (m *memberReport) String() string {
	s := "<member " + m.id + ": " + m.state
	if m.err != nil {
		s += ": " + m.err.String()
	}
	return s + ">"
}

// Type is "member".
func (m *memberReport) Type() string          { return "member" }
func (m *memberReport) Freeze()               {}
func (m *memberReport) Truth() starlark.Bool  { return starlark.Bool(m.Err() == nil) }
func (m *memberReport) Hash() (uint32, error) { return starlark.String(m.id).Hash() }

// Attr finds an attribute.
func (m *memberReport) Attr(name string) (starlark.Value, error) { return memberType.Attr(m, name) }

// AttrNames lists the attributes.
func (m *memberReport) AttrNames() []string { return memberType.AttrNames() }

// told makes an attribute that tells how the member ended.
func told(name, typ, doc string, get func(*memberReport) starlark.Value) spec.Attr {
	return spec.Attr{Name: name, Type: typ, Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) {
		m := v.(*memberReport)
		m.r.looked.Store(true)
		return get(m), nil
	}}
}

var memberType = (&spec.Type{
	Name: "member",
	Doc:  "How a member of a coordinator ended. It is true when it completed.",
	Example: `
def work(ctx):
    ctx.data["seen"] = ctx.id
    return machine.completed
crew = coordinator("one")
crew.add("only", machine.new("m", states = {"work": work}, start = "work"))
m = crew.run(t)["only"]
expect.eq((m.state, m.error, m.result.data["seen"]), ("completed", None, "only"))
`,
	Attrs: []spec.Attr{
		{Name: "id", Type: "str", Doc: "Its id.", Get: func(v starlark.Value) (starlark.Value, error) { return starlark.String(v.(*memberReport).id), nil }},
		told("state", "str", "completed, failed, or the state in which it was stopped.", func(m *memberReport) starlark.Value { return starlark.String(m.state) }),
		told("ok", "bool", "Whether it completed.", func(m *memberReport) starlark.Value { return starlark.Bool(m.err == nil) }),
		told("error", "error|None", "What went wrong.", func(m *memberReport) starlark.Value {
			if m.err != nil {
				return m.err
			}
			return starlark.None
		}),
		told("result", "machine_result|None", "What its machine's run gave: path, durations, visits, data.", func(m *memberReport) starlark.Value { return m.result }),
		{Name: "duration", Type: "time.duration", Doc: "How long it ran.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlarktime.Duration(v.(*memberReport).duration), nil
		}},
	},
}).Seal()
