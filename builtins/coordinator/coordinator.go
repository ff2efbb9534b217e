// Package coordinator declares coordinator(): machines that run at the same time, each on its own connection.
//
// [Module] is the list. What members do with each other (barriers, events, messages) are members of their ctx, which package
// builtins/machine declares; the engine is runtime/coord.
package coordinator

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/coord"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Doc:   "Machines that run at the same time, each on its own connection.",
		Funcs: []*spec.Func{newFunc},
		Types: []*spec.Type{coordinatorType, reportType, memberType},
	}
}

// maxMembers bounds a coordinator: each member is a connection.
const maxMembers = 10_000

// crew is a coordinator of a script.
type crew struct {
	name string

	mu      sync.Mutex
	members []member       // guarded by mu
	byID    map[string]int // guarded by mu
	frozen  bool           // guarded by mu: the file has loaded
}

// member is what add was told.
type member struct {
	id      string
	flow    value.Runner
	connect scenario.ConnectOptions
	data    starlark.Value
}

var _ starlark.HasAttrs = (*crew)(nil)

func (w *crew) String() string        { return "<coordinator " + w.name + ">" }
func (w *crew) Type() string          { return "coordinator" }
func (w *crew) Truth() starlark.Bool  { return true }
func (w *crew) Hash() (uint32, error) { return starlark.String(w.name).Hash() }

// Freeze reaches the machines and their data: a coordinator of a file is shared by all tests.
func (w *crew) Freeze() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.frozen = true
	for _, m := range w.members {
		m.flow.Freeze()
		if m.data != nil {
			m.data.Freeze()
		}
	}
}

// Attr finds a member.
func (w *crew) Attr(name string) (starlark.Value, error) { return coordinatorType.Attr(w, name) }

// AttrNames lists the members.
func (w *crew) AttrNames() []string { return coordinatorType.AttrNames() }

var newFunc = &spec.Func{
	Name: "coordinator", Returns: "coordinator", LoadTime: true,
	Doc:    "Makes a coordinator without members: crew.add adds machines, crew.run runs them at the same time.",
	Params: []spec.Param{{Name: "name", Type: "str", Doc: "How reports call it."}},
	Example: `
def store(ctx):
    ctx.conn.exec("INSERT INTO loaded VALUES (?)", ctx.data["n"])
    ctx.barrier("loaded", timeout = "10s")
    return machine.completed
flow = machine.new("loader", states = {"store": store})
t.db.exec("CREATE TABLE loaded (n INT)")
crew = coordinator("loaders")
for n in range(3):
    crew.add("loader%d" % n, flow, data = {"n": n})
report = crew.run(t, timeout = "30s")
expect.all_ok(report)
expect.eq(t.db.query("SELECT COUNT(*) FROM loaded").scalar(), 3)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		if c.Str("name") == "" {
			return nil, c.Errorf("name", "a coordinator needs a name")
		}
		return &crew{name: c.Str("name"), byID: map[string]int{}}, nil
	},
}

var coordinatorType = (&spec.Type{
	Name: "coordinator", Var: "crew",
	Doc: "Machines that run at the same time, each on its own connection. In a coordinator the ctx of a machine has id, shared, barrier, emit, wait_for, send and receive.",
	Example: `
def ask(ctx):
    ctx.send("answers", 42)
    return machine.completed
def answer(ctx):
    expect.eq(ctx.receive(from_ = "asks", timeout = "10s"), 42)
    return machine.completed
crew = coordinator("pair")
crew.add("asks", machine.new("asks", states = {"ask": ask}, start = "ask"))
crew.add("answers", machine.new("answers", states = {"answer": answer}, start = "answer"))
expect.true(crew.run(t).ok)
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "Its name.", Get: func(v starlark.Value) (starlark.Value, error) { return starlark.String(v.(*crew).name), nil }},
		{Name: "members", Type: "list", Doc: "The ids of its members in the order of their adding.", Get: func(v starlark.Value) (starlark.Value, error) {
			var ids []starlark.Value
			for _, m := range v.(*crew).list() {
				ids = append(ids, starlark.String(m.id))
			}
			return starlark.NewList(ids), nil
		}},
	},
	Methods: []*spec.Func{addFunc, runFunc},
}).Seal()

func (w *crew) list() []member {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]member(nil), w.members...)
}

var addFunc = &spec.Func{
	Name: "add", LoadTime: true,
	Doc: "Adds a member: a machine with the connection that it gets. Without target and host that is one on the test's target, in the test's own database.",
	Params: []spec.Param{
		{Name: "id", Type: "str", Doc: "The member's id; it is its session's name too."},
		{Name: "flow", Type: "machine", Doc: "The machine. Several members may have the same."},
		{Name: "target", Type: "str", Optional: true, KwOnly: true, Doc: "Another target: a kind of server or a name from rig.toml."},
		{Name: "host", Type: "str", Optional: true, KwOnly: true, Doc: "Another host."},
		{Name: "port", Type: "int", Optional: true, KwOnly: true, Doc: "Another port."},
		{Name: "username", Type: "str", Optional: true, KwOnly: true, Doc: "Another user."},
		{Name: "password", Type: "str", Optional: true, KwOnly: true, Doc: "The password of that user; it never appears in reports."},
		{Name: "database", Type: "str", Optional: true, KwOnly: true, Doc: "Another database. On a server that is not throw-away it must be allowed with --allow-database."},
		{Name: "isolation", Type: "str", Form: "isolation", Optional: true, KwOnly: true, Doc: "The isolation level of its session's transactions."},
		{Name: "data", Type: "dict", Optional: true, KwOnly: true, Doc: "What its ctx.data holds at first; each run copies it."},
	},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		flow, ok := c.Arg("flow").(value.Runner)
		if !ok {
			return nil, c.Errorf("flow", "want a machine, got %s", c.Arg("flow").Type())
		}
		m := member{id: c.Str("id"), flow: flow, connect: scenario.ConnectOptions{
			Name: c.Str("id"), Target: c.Str("target"), Host: c.Str("host"), Port: int(c.Int("port")), User: c.Str("username"), Password: c.Str("password"),
			Database: c.Str("database"), Isolation: c.Str("isolation"),
		}}
		switch {
		case m.id == "":
			return nil, c.Errorf("id", "a member needs an id")
		case c.Has("target") && (c.Has("host") || c.Has("port")):
			return nil, c.Errorf("target", "a member has a target or a host, not both")
		case c.Has("port") && (m.connect.Port < 1 || m.connect.Port > 65535):
			return nil, c.Errorf("port", "want 1 to 65535, got %d", m.connect.Port)
		}
		if c.Has("data") {
			m.data = c.Arg("data")
		}
		return starlark.None, c.Recv.(*crew).add(c, m)
	},
}

func (w *crew) add(c *spec.Call, m member) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, twice := w.byID[m.id]
	switch {
	case w.frozen:
		e := &spec.ArgError{Call: c.Name(), Problem: fmt.Sprintf("coordinator %q was made when its file loaded, and is shared by all tests now", w.name)}
		e.Hint = "add its members at the top level of the file, or make the coordinator in the test"
		return e
	case twice:
		return c.Errorf("id", "coordinator %q already has a member %q", w.name, m.id)
	case len(w.members) >= maxMembers:
		return c.Errorf("id", "at most %d members", maxMembers)
	}
	w.byID[m.id] = len(w.members)
	w.members = append(w.members, m)
	return nil
}

var runFunc = &spec.Func{
	Name: "run", Returns: "coordinator_report",
	Doc: "Runs all members at the same time and returns a report when all have ended. A test whose report says that a member failed fails, unless it looks at report.ok, report.failed or a member; printing it is not looking. A mistake or a failed expectation in a member is raised here.",
	Params: []spec.Param{
		{Name: "t", Type: "test", Doc: "The test that it belongs to."},
		{Name: "timeout", Type: "duration", Default: starlark.String("60s"), KwOnly: true, Doc: "The run's bound. Members that have not ended by then fail."},
		{Name: "on_failure", Type: "str", Default: starlark.String("stop"), KwOnly: true, Doc: "\"stop\": the first failure ends the others too; \"continue\": they go on, but for waits for the one that failed."},
	},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		mode := c.Str("on_failure")
		if mode != "stop" && mode != "continue" {
			return nil, c.Errorf("on_failure", "want \"stop\" or \"continue\", got %q", mode)
		}
		if c.Duration("timeout") == 0 {
			return nil, c.Errorf("timeout", "want more than 0")
		}
		w := c.Recv.(*crew)
		members := w.list()
		if len(members) == 0 {
			return nil, &spec.ArgError{Call: c.Name(), Problem: fmt.Sprintf("coordinator %q has no members", w.name), Hint: "crew.add(\"id\", flow) adds one"}
		}
		for _, m := range members { // one made in the test is not frozen yet, and its members are threads of their own
			if err := share(c, m); err != nil {
				return nil, err
			}
		}
		r := &running{c: c, t: t, w: w, pos: script.CallerPos(c.Thread), group: coord.NewGroup(), states: map[string]value.MemberResult{}}
		return r.run(members, mode == "stop")
	},
}

// share makes a member's machine and data safe to be used by a thread of its own.
func share(c *spec.Call, m member) error {
	if err := c.Script().Host().Share(m.flow); err != nil {
		return fmt.Errorf("member %q: %w", m.id, err)
	}
	if m.data == nil {
		return nil
	}
	if err := c.Script().Host().Share(m.data); err != nil {
		return fmt.Errorf("member %q: data: %w", m.id, err)
	}
	return nil
}

// running is one run of a coordinator.
type running struct {
	c     *spec.Call
	t     *scenario.Test
	w     *crew
	pos   event.Pos
	group *coord.Group

	mu     sync.Mutex
	states map[string]value.MemberResult // guarded by mu, by member
}

func (r *running) run(members []member, stop bool) (starlark.Value, error) {
	jobs := make([]coord.Member, len(members))
	for i, m := range members {
		jobs[i] = coord.Member{Name: m.id, Run: func(ctx context.Context) (any, error) { return nil, r.member(ctx, m) }}
	}
	engine := coord.Crew{Name: r.w.name, Stop: stop, Timeout: r.c.Duration("timeout"), Ended: r.ended}
	ctx := r.c.Script().Context()
	defer script.Wait(r.c.Thread, func() string {
		return fmt.Sprintf("runs coordinator %s; not ended: %s", r.w.name, strings.Join(r.group.Live(), ", "))
	})()
	ends := engine.Run(ctx, r.group, jobs)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	out := &report{name: r.w.name}
	for _, e := range ends {
		if e.Err != nil && !value.Catchable(r.c.Script(), e.Err) && mistake(e.Err) {
			return nil, e.Err
		}
		out.add(e, r.states[e.Name])
	}
	out.watch(r.c, r.t)
	return out, nil
}

// member runs one, in its own goroutine and script thread.
func (r *running) member(ctx context.Context, m member) error {
	connect := m.connect
	connect.Pos = r.pos
	result, err := m.flow.RunMember(ctx, value.Member{
		Crew: r.w.name, ID: m.id, Group: r.group, Test: r.t, Thread: r.c.Script().Child(r.w.name+"/"+m.id, ctx),
		Pos: r.pos, Connect: connect, Data: m.data, Timeout: r.c.Duration("timeout"),
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[m.id] = result
	return err
}

// ended puts a member's end on the stream.
func (r *running) ended(e coord.MemberReport) {
	r.mu.Lock()
	d := &event.Member{Coordinator: r.w.name, Member: e.Name, Action: "end", What: r.states[e.Name].State, Duration: e.Duration}
	r.mu.Unlock()
	if e.Err != nil {
		d.Error = script.Describe(e.Err)
	}
	r.t.Emit(r.pos, d)
}
