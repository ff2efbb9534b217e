package machine

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"

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

	pos     event.Pos
	connect scenario.ConnectOptions
	conn    starlark.Value
	config  starlark.Value
	data    *starlark.Dict
	member  *value.Member // nil outside a coordinator, like stop
	stop    *interrupter
	step    int // of the visit that was told to who follows the thread
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

// entered tells who follows the thread of a visit, once.
func (x *Context) entered(th *script.Thread, v *engine.Visit, scripted bool) {
	if x.step == v.Step {
		return
	}
	x.step = v.Step
	th.EnterState(script.StateEntry{Machine: v.Machine, State: v.State, Scripted: scripted})
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
		x.setConn(v)
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
	s, err := x.test.Connect(x.connect)
	if err != nil {
		return nil, err
	}
	v := value.NewSession(s)
	x.setConn(v)
	return v, nil
}

func (x *Context) setConn(v starlark.Value) {
	x.conn = v
	if w, ok := v.(*value.Session); ok {
		x.stop.watch(w.Session())
	}
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
	Attrs: append([]spec.Attr{
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
	}, memberAttrs...),
	Methods: append([]*spec.Func{{
		Name: "log", Doc: "Writes a line into the test's report.",
		Params: value.LogParams(),
		Impl: func(c *spec.Call) (starlark.Value, error) {
			x := ctxOf(c.Recv)
			x.test.EmitFrom(c.Thread, value.LogLine(c, "info", x.visit.State))
			return starlark.None, nil
		},
	}}, memberMethods...),
}).Seal()

// commonStates are the states that run in Go.
func commonStates() map[string]engine.Handler {
	step := func(f func(x *Context) error) engine.Handler {
		return engine.Handler{Execute: func(v *engine.Visit) (string, error) {
			x := at(v)
			x.entered(x.up, v, false)
			return "", f(x)
		}}
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
	target, db, err := x.test.Destination(x.connect)
	if err != nil {
		return err
	}
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
	pos := script.CallerPos(c.Thread)
	x := newContext(t, c.Script(), pos, scenario.ConnectOptions{Pos: pos})
	if c.Has("data") {
		if err := x.take(c.Arg("data")); err != nil {
			return nil, c.Errorf("data", "%v", err)
		}
	}
	if c.Has("conn") {
		x.setConn(c.Arg("conn"))
	}
	defer script.Wait(c.Thread, func() string { return "runs machine " + m.name })()
	r, err := x.run(c.Script().Context(), m, engine.Options{MaxTransitions: int(c.Int("max_transitions")), Timeout: c.Duration("timeout")})
	if err != nil && (mode == "raise" || !value.Catchable(c.Script(), err)) {
		return nil, located(err)
	}
	if err != nil {
		r.watch(c, t, m)
	}
	return r, nil
}

func newContext(t *scenario.Test, up *script.Thread, pos event.Pos, connect scenario.ConnectOptions) *Context {
	return &Context{test: t, up: up, pos: pos, connect: connect, data: starlark.NewDict(8), visit: &engine.Visit{}}
}

// take makes a copy of a dict the run's data.
func (x *Context) take(data starlark.Value) error {
	d, err := copyOf(data, 0)
	if err == nil {
		x.data = d.(*starlark.Dict)
	}
	return err
}

// run runs the machine to its end.
func (x *Context) run(ctx context.Context, m *Machine, o engine.Options) (*Result, error) {
	for _, w := range m.m.Warnings() {
		x.test.Emit(w.Pos, &event.Log{Level: "warn", Module: "machine", Message: m.name + ": " + w.Message})
	}
	o.Observe = observer(x.test, m, o.Member, x.pos)
	r, err := m.m.Run(ctx, o, func() any { return &local{x, starlark.NewDict(4)} })
	if err == nil && r.State != engine.Completed {
		err = &scenario.FailError{Msg: fmt.Sprintf("machine %s went to %s (path: %s)", m.name, r.State, pathOf(r))}
		r.Err = err
	}
	return &Result{r: r, data: x.data}, err
}

func pathOf(r *engine.Result) string {
	var names []string
	for _, p := range r.Path {
		names = append(names, p.State)
	}
	return strings.Join(names, " -> ")
}

func observer(t *scenario.Test, m *Machine, member string, pos event.Pos) func(engine.Transition) {
	return func(tr engine.Transition) {
		d := &event.Transition{Machine: m.name, Member: member, State: tr.State, Next: tr.Next, Visit: tr.Visit, Duration: tr.Duration}
		if tr.Err != nil {
			d.Error = script.Describe(tr.Err)
		}
		t.Emit(pos, d)
	}
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
