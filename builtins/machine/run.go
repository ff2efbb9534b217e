package machine

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	engine "rig/runtime/machine"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

// Context is the ctx of a state's function.
type Context struct {
	test  *scenario.Test
	up    *script.Thread
	visit *engine.Visit
	local *starlark.Dict

	pos    event.Pos
	conn   starlark.Value
	config starlark.Value
	data   *starlark.Dict
}

var _ starlark.HasSetField = (*Context)(nil)

func (x *Context) String() string        { return "<ctx " + x.visit.State + ">" }
func (x *Context) Type() string          { return "ctx" }
func (x *Context) Freeze()               {}
func (x *Context) Truth() starlark.Bool  { return true }
func (x *Context) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: ctx") }

// local is what the engine keeps for each state: the handler's dict, with the way to the run's context.
type local struct {
	x    *Context
	dict *starlark.Dict
}

// at moves the run's context to a visit.
func at(v *engine.Visit) *Context {
	l := v.Local.(*local)
	l.x.visit, l.x.local = v, l.dict
	return l.x
}

// Attr finds a member.
func (x *Context) Attr(name string) (starlark.Value, error) {
	return contextType.Attr(x, name)
}

// AttrNames lists the members.
func (x *Context) AttrNames() []string { return contextType.AttrNames() }

// SetField sets ctx.conn and ctx.config, for handlers that replace the common states.
func (x *Context) SetField(name string, v starlark.Value) error {
	switch name {
	case "conn":
		if _, ok := v.(*value.Session); !ok {
			return fmt.Errorf("ctx.conn: want a session, got %s", v.Type())
		}
		x.conn = v
	case "config":
		x.config = v
	default:
		return fmt.Errorf("ctx.%s cannot be set; ctx.data[%q] = ... keeps a value for the whole run", name, name)
	}
	return nil
}

func (x *Context) session() (starlark.Value, error) {
	if x.conn != nil {
		return x.conn, nil
	}
	s, err := x.test.Connect(scenario.ConnectOptions{Pos: x.pos})
	if err != nil {
		return nil, err
	}
	x.conn = value.NewSession(s)
	return x.conn, nil
}

func ctxOf(v starlark.Value) *Context { return v.(*Context) }

func number(name, doc string, get func(*engine.Visit) int) spec.Attr {
	return spec.Attr{Name: name, Type: "int", Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.MakeInt(get(ctxOf(v).visit)), nil
	}}
}

var contextType = (&spec.Type{
	Name: "ctx",
	Doc:  "What a state's function gets: the session, the machine's data, and where the run is.",
	Example: `
def only(ctx):
    ctx.data["seen"] = ctx.state
    return machine.completed
expect.eq(machine.new("m", states = {"only": only}, start = "only").run(t).data["seen"], "only")
`,
	Attrs: []spec.Attr{
		{Name: "conn", Type: "session", Doc: "The machine's session. The state connecting opens it; otherwise the first use does. It can be set.", Get: func(v starlark.Value) (starlark.Value, error) {
			return ctxOf(v).session()
		}},
		{Name: "config", Type: "struct", Doc: "host, port, username, database and target, from the state parsing_config.", Get: func(v starlark.Value) (starlark.Value, error) {
			x := ctxOf(v)
			if x.config == nil {
				if err := x.parseConfig(); err != nil {
					return nil, err
				}
			}
			return x.config, nil
		}},
		{Name: "data", Type: "dict", Doc: "The machine's own, for the whole run; at first a copy of run(data = ...).", Get: func(v starlark.Value) (starlark.Value, error) { return ctxOf(v).data, nil }},
		{Name: "local", Type: "dict", Doc: "This state's own, kept between its visits.", Get: func(v starlark.Value) (starlark.Value, error) { return ctxOf(v).local, nil }},
		{Name: "state", Type: "str", Doc: "The state.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(ctxOf(v).visit.State), nil
		}},
		{Name: "previous", Type: "str|None", Doc: "The state before; None at the start.", Get: func(v starlark.Value) (starlark.Value, error) {
			if p := ctxOf(v).visit.Previous; p != "" {
				return starlark.String(p), nil
			}
			return starlark.None, nil
		}},
		number("visits", "How often the run has come to this state, this time included.", func(v *engine.Visit) int { return v.Visits }),
		number("attempt", "The same number, for states that are tried again.", func(v *engine.Visit) int { return v.Visits }),
		number("step", "How many states the run has visited.", func(v *engine.Visit) int { return v.Step }),
		{Name: "test", Type: "test", Doc: "The test's t.", Get: func(v starlark.Value) (starlark.Value, error) { return ctxOf(v).test.Value(), nil }},
	},
	Methods: []*spec.Func{{
		Name: "log", Doc: "Writes a line into the test's report.",
		Params: value.LogParams(),
		Impl: func(c *spec.Call) (starlark.Value, error) {
			x := ctxOf(c.Recv)
			x.test.EmitFrom(c.Thread, value.LogLine(c, "info", x.visit.State))
			return starlark.None, nil
		},
	}},
}).Seal()

// commonStates are the states that run in Go.
func commonStates() map[string]engine.Handler {
	step := func(f func(x *Context) error) engine.Handler {
		return engine.Handler{Execute: func(v *engine.Visit) (string, error) { return "", f(at(v)) }}
	}
	return map[string]engine.Handler{
		engine.ParsingConfig: step((*Context).parseConfig),
		engine.Connecting: step(func(x *Context) error {
			_, err := x.session()
			return err
		}),
		engine.TestingConnection: step(func(x *Context) error { return x.ask("SELECT 1", nil) }),
		engine.VerifyingDatabase: step((*Context).verifyDatabase),
		engine.GettingVersion:    step((*Context).getVersion),
	}
}

func (x *Context) parseConfig() error {
	db, err := x.test.Database()
	if err != nil {
		return err
	}
	target := x.test.TargetInfo()
	host, port := target.Address(), 0
	if h, p, err := net.SplitHostPort(host); err == nil {
		host = h
		port, _ = strconv.Atoi(p) // a port by name stays 0
	}
	x.config = starlarkstruct.FromStringDict(starlark.String("config"), starlark.StringDict{
		"host": starlark.String(host), "port": starlark.MakeInt(port), "username": starlark.String(target.User()),
		"database": starlark.String(db), "target": starlark.String(target.Type),
	})
	return nil
}

func (x *Context) ask(sql string, take func(*session.Rows)) error {
	v, err := x.session()
	if err != nil {
		return err
	}
	s := v.(*value.Session).Session()
	rows, err := s.Query(session.Call{Pos: x.pos, Op: x.visit.State, Holder: x.up.Name()}, sql, nil)
	if err == nil && take != nil {
		take(rows)
	}
	return err
}

func (x *Context) verifyDatabase() error {
	name := ""
	if err := x.ask("SELECT DATABASE()", func(r *session.Rows) { name = r.At(0, 0).Text }); err != nil {
		return err
	}
	if name == "" {
		return fault.New(fault.UnknownDatabase, x.visit.State, "the session has no database").WithHint("open it with database =")
	}
	return x.data.SetKey(starlark.String("database"), starlark.String(name))
}

func (x *Context) getVersion() error {
	version := ""
	if err := x.ask("SELECT VERSION()", func(r *session.Rows) { version = r.At(0, 0).Text }); err != nil {
		return err
	}
	return x.data.SetKey(starlark.String("version"), starlark.String(version))
}

var machineType = (&spec.Type{
	Name: "machine", Var: "flow",
	Doc: "A state machine. It has no state of its own: run it as often as you like, also at the same time.",
	Example: `
def once(ctx):
    return machine.completed
flow = machine.new("m", states = {"once": once}, start = "once")
expect.eq(flow.run(t).path, ["once"])
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "Its name.", Get: func(v starlark.Value) (starlark.Value, error) { return starlark.String(v.(*Machine).name), nil }},
		{Name: "states", Type: "list", Doc: "The names of its states.", Get: func(v starlark.Value) (starlark.Value, error) {
			var out []starlark.Value
			for _, s := range v.(*Machine).m.Graph().States {
				out = append(out, starlark.String(s))
			}
			return starlark.NewList(out), nil
		}},
	},
	Methods: []*spec.Func{{
		Name: "run", Returns: "machine_result",
		Doc: "Goes from state to state until completed. When a state fails, its error is raised with the state and the visit; on_failure = \"return\" gives a result of state failed instead.",
		Params: []spec.Param{
			{Name: "t", Type: "test", Doc: "The test that it belongs to."},
			{Name: "data", Type: "dict", Optional: true, KwOnly: true, Doc: "What ctx.data holds at first; it is copied."},
			{Name: "conn", Type: "session", Optional: true, KwOnly: true, Doc: "The session to use instead of a new one."},
			{Name: "max_transitions", Type: "int", Default: starlark.MakeInt(1000), KwOnly: true, Doc: "States visited at most."},
			{Name: "timeout", Type: "duration", Default: starlark.String("60s"), KwOnly: true, Doc: "The run's bound."},
			{Name: "on_failure", Type: "str", Default: starlark.String("raise"), KwOnly: true, Doc: "\"raise\" or \"return\"."},
		},
		Impl: runImpl,
	}},
}).Seal()

func runImpl(c *spec.Call) (starlark.Value, error) {
	m := c.Recv.(*Machine)
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	mode := c.Str("on_failure")
	if mode != "raise" && mode != "return" {
		return nil, c.Errorf("on_failure", "want \"raise\" or \"return\", got %q", mode)
	}
	if n := c.Int("max_transitions"); n < 1 {
		return nil, c.Errorf("max_transitions", "want at least 1, got %d", n)
	}
	x := &Context{test: t, up: c.Script(), pos: script.CallerPos(c.Thread), data: starlark.NewDict(8), visit: &engine.Visit{}}
	if c.Has("data") {
		d, err := copyOf(c.Arg("data"), 0)
		if err != nil {
			return nil, c.Errorf("data", "%v", err)
		}
		x.data = d.(*starlark.Dict)
	}
	if c.Has("conn") {
		x.conn = c.Arg("conn")
	}
	for _, w := range m.m.Warnings() {
		t.Emit(w.Pos, &event.Log{Level: "warn", Module: "machine", Message: m.name + ": " + w.Message})
	}
	r, err := m.m.Run(c.Script().Context(), engine.Options{
		MaxTransitions: int(c.Int("max_transitions")), Timeout: c.Duration("timeout"), Observe: observer(t, m, x.pos),
	}, func() any { return &local{x, starlark.NewDict(4)} })
	if err == nil && r.State != engine.Completed {
		err = &scenario.FailError{Msg: fmt.Sprintf("machine %s went to %s (path: %s)", m.name, r.State, pathOf(r))}
		r.Err = err
	}
	if err != nil && (mode == "raise" || !value.Catchable(c.Script(), err)) {
		return nil, located(err)
	}
	return &Result{r: r, data: x.data}, nil
}

func pathOf(r *engine.Result) string {
	var names []string
	for _, p := range r.Path {
		names = append(names, p.State)
	}
	return strings.Join(names, " -> ")
}

func observer(t *scenario.Test, m *Machine, pos event.Pos) func(engine.Transition) {
	return func(tr engine.Transition) {
		d := &event.Transition{Machine: m.name, State: tr.State, Next: tr.Next, Visit: tr.Visit, Duration: tr.Duration}
		if tr.Err != nil {
			d.Error = script.Describe(tr.Err)
		}
		t.Emit(pos, d)
	}
}

// stateError keeps the script's position and the database's error of a state that failed, and says which state it was.
type stateError struct{ *engine.StateError }

// Report gives the form for reports.
func (e *stateError) Report() *event.Error {
	d := script.Describe(e.Err)
	visit := ""
	if e.Visit > 1 {
		visit = fmt.Sprintf(" (visit %d)", e.Visit)
	}
	d.Message = fmt.Sprintf("machine %s, state %s%s, %s: %s", e.Machine, e.State, visit, e.Phase, d.Message)
	return d
}

func (e *stateError) Unwrap() error { return e.Err }

func located(err error) error {
	var s *engine.StateError
	var exp *scenario.ExpectationError
	var skip *scenario.SkipError
	if errors.As(err, &s) && !errors.As(err, &exp) && !errors.As(err, &skip) {
		return &stateError{s}
	}
	return err
}

// maxCopy bounds the depth of run(data = ...).
const maxCopy = 50

// copyOf copies lists and dicts, so that a run can write to its own.
func copyOf(v starlark.Value, depth int) (starlark.Value, error) {
	if depth > maxCopy {
		return nil, fmt.Errorf("nests more than %d deep", maxCopy)
	}
	switch v := v.(type) {
	case *starlark.List:
		out := make([]starlark.Value, v.Len())
		for i := range out {
			x, err := copyOf(v.Index(i), depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = x
		}
		return starlark.NewList(out), nil
	case *starlark.Dict:
		out := starlark.NewDict(v.Len())
		for k, x := range v.Entries() {
			y, err := copyOf(x, depth+1)
			if err != nil {
				return nil, err
			}
			if err := out.SetKey(k, y); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return v, nil
}

// Result is how a run ended.
type Result struct {
	r    *engine.Result
	data *starlark.Dict
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
func (r *Result) Type() string          { return "machine_result" }
func (r *Result) Freeze()               { r.data.Freeze() }
func (r *Result) Truth() starlark.Bool  { return r.r.Err == nil }
func (r *Result) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: machine_result") }

// Attr finds a member.
func (r *Result) Attr(name string) (starlark.Value, error) {
	return resultType.Attr(r, name)
}

// AttrNames lists the members.
func (r *Result) AttrNames() []string { return resultType.AttrNames() }

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
		{Name: "data", Type: "dict", Doc: "The run's ctx.data.", Get: func(v starlark.Value) (starlark.Value, error) { return v.(*Result).data, nil }},
		{Name: "error", Type: "error|None", Doc: "What went wrong.", Get: func(v starlark.Value) (starlark.Value, error) {
			if err := v.(*Result).r.Err; err != nil {
				return value.NewError(located(err)), nil
			}
			return starlark.None, nil
		}},
	},
}).Seal()
