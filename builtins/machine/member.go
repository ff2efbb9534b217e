package machine

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	engine "rig/runtime/machine"
	"rig/runtime/script"
	"rig/runtime/session"
)

var _ value.Runner = (*Machine)(nil)

// RunMember runs the machine as a member of a coordinator. When ctx ends, what its session is running is killed.
func (m *Machine) RunMember(ctx context.Context, in value.Member) (value.MemberResult, error) {
	x := newContext(in.Test, in.Thread, in.Pos, in.Connect)
	x.member = &in
	if in.Data != nil {
		if err := x.take(in.Data); err != nil {
			return value.MemberResult{State: engine.Failed}, fmt.Errorf("data: %w", err)
		}
	}
	x.stop = newInterrupter(ctx)
	// The coordinator's bound comes first, and tells who was late.
	r, err := x.run(ctx, m, engine.Options{Member: in.ID, Timeout: in.Timeout + engine.ExitGrace})
	x.stop.end(in.Test.Context())
	r.Freeze()
	if err != nil {
		return value.MemberResult{State: r.r.State, Result: r}, located(err)
	}
	return value.MemberResult{State: r.r.State, Result: r}, nil
}

// interrupter kills what a member's session is running when its context ends, and keeps it from running more. A handler
// that runs after that (exit, failed) may use the session again.
type interrupter struct {
	ctx  context.Context
	done chan struct{} // closed when the session was interrupted
	stop func() bool

	mu   sync.Mutex
	conn *session.Session // guarded by mu
	held bool             // guarded by mu: conn takes no statements
}

func newInterrupter(ctx context.Context) *interrupter {
	i := &interrupter{ctx: ctx, done: make(chan struct{})}
	i.stop = context.AfterFunc(ctx, func() {
		defer close(i.done)
		i.interrupt()
	})
	return i
}

func (i *interrupter) interrupt() {
	i.mu.Lock()
	conn := i.conn
	i.held = conn != nil
	i.mu.Unlock()
	if conn != nil {
		conn.Interrupt(context.Cause(i.ctx))
	}
}

// watch is told of the session, also of one that was opened while the context ended.
func (i *interrupter) watch(s *session.Session) {
	if i == nil {
		return
	}
	i.mu.Lock()
	i.conn = s
	i.mu.Unlock()
	if i.ctx.Err() != nil {
		<-i.done
		i.interrupt()
	}
}

// resume lets the session be used by a handler whose own context goes on.
func (i *interrupter) resume(own context.Context) {
	if i == nil || i.ctx.Err() == nil || own.Err() != nil {
		return
	}
	<-i.done // it ends with the statement that it kills
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.held {
		i.conn.Resume()
		i.held = false
	}
}

// end gives the session back to the test, unless that has ended too.
func (i *interrupter) end(test context.Context) {
	if !i.stop() {
		i.resume(test)
		<-i.done
	}
}

// inCrew gives the member, or says that there is none.
func inCrew(v starlark.Value, what string) (*Context, error) {
	x := ctxOf(v)
	if x.member == nil {
		e := fault.New(fault.BadArgument, "ctx."+what, "this machine runs alone: there is nobody to share with or to wait for")
		return nil, e.WithHint(`run it by a coordinator: crew = coordinator("name"), crew.add("id", flow), crew.run(t)`)
	}
	return x, nil
}

var memberAttrs = []spec.Attr{
	{Name: "id", Type: "str|None", Doc: "The member's id in its coordinator; None outside one.", Get: func(v starlark.Value) (starlark.Value, error) {
		if m := ctxOf(v).member; m != nil {
			return starlark.String(m.ID), nil
		}
		return starlark.None, nil
	}},
	{Name: "shared", Type: "shared", Doc: "A map that the members of a coordinator change together.", Get: func(v starlark.Value) (starlark.Value, error) {
		x, err := inCrew(v, "shared")
		if err != nil {
			return nil, err
		}
		return value.NewShared(x.member.Group.Shared()), nil
	}},
}

var (
	memberTimeout = spec.Param{Name: "timeout", Type: "duration", Optional: true, KwOnly: true, Doc: "How long to wait, 30s by default."}
	eventParam    = spec.Param{Name: "name", Type: "str", Doc: "The event's name."}
	fromParam     = spec.Param{Name: "from_", Type: "str", Optional: true, KwOnly: true, Doc: "The id of the member that it must come from; any other without it."}
)

// meeting is one call of a member's method.
type meeting struct {
	c      *spec.Call
	x      *Context
	action string
	what   string
}

// do calls f and puts what it did on the stream.
func (m meeting) do(f func(ctx context.Context, timeout time.Duration) (any, error)) (starlark.Value, error) {
	begin := time.Now()
	var timeout time.Duration
	if m.c.Declares("timeout") {
		timeout = m.c.Duration("timeout")
		defer script.Wait(m.c.Thread, m.waits)()
	}
	v, err := f(m.c.Script().Context(), timeout)
	d := &event.Member{Coordinator: m.x.member.Crew, Member: m.x.member.ID, Action: m.action, What: m.what, Duration: time.Since(begin)}
	if err != nil {
		d.Error = script.Describe(err)
	}
	m.x.test.Emit(script.CallerPos(m.c.Thread), d)
	if err != nil {
		return nil, err
	}
	if out, ok := v.(starlark.Value); ok {
		return out, nil
	}
	return starlark.None, nil
}

// waits says what the member waits for, and for whom.
func (m meeting) waits() string {
	what, missing := m.x.member.Group.Waiting(m.x.member.ID)
	if what == "" {
		return ""
	}
	text := "waits for " + what
	if len(missing) > 0 {
		text += "; not there: " + strings.Join(missing, ", ")
	}
	return text
}

// method declares one that needs a coordinator. What names the argument that events show, "" none.
func method(f spec.Func, what string, run func(c *spec.Call, m *value.Member) func(context.Context, time.Duration) (any, error)) *spec.Func {
	f.Impl = func(c *spec.Call) (starlark.Value, error) {
		x, err := inCrew(c.Recv, f.Name)
		if err != nil {
			return nil, err
		}
		for _, p := range []string{"name", "id"} {
			if c.Declares(p) && c.Str(p) == "" {
				return nil, c.Errorf(p, "it is empty")
			}
		}
		if c.Declares("value") {
			if err := c.Script().Host().Share(c.Arg("value")); err != nil {
				return nil, err
			}
		}
		return meeting{c, x, f.Name, c.Str(what)}.do(run(c, x.member))
	}
	return &f
}

var memberMethods = []*spec.Func{
	method(spec.Func{
		Name: "barrier", Doc: "Waits until every member that has not ended waits at the barrier of this name. A member that fails before it comes ends the wait with an error that names it; a time-out names those who are missing.",
		Params: []spec.Param{{Name: "name", Type: "str", Doc: "The barrier's name. It can be used again."}, memberTimeout},
	}, "name", func(c *spec.Call, m *value.Member) func(context.Context, time.Duration) (any, error) {
		return func(ctx context.Context, timeout time.Duration) (any, error) {
			return nil, m.Group.Barrier(ctx, m.ID, c.Str("name"), 0, timeout)
		}
	}),
	method(spec.Func{
		Name: "emit", Doc: "Tells all members of an event. It stays: who waits for it later sees it, with the newest value.",
		Params: []spec.Param{eventParam, {Name: "value", Type: "any", Default: starlark.None, Doc: "What they get; it is frozen."}},
	}, "name", func(c *spec.Call, m *value.Member) func(context.Context, time.Duration) (any, error) {
		return func(context.Context, time.Duration) (any, error) {
			return nil, m.Group.Emit(m.ID, c.Str("name"), c.Arg("value"))
		}
	}),
	method(spec.Func{
		Name: "wait_for", Returns: "any", Doc: "Waits until another member has emitted the event, and returns its value.",
		Params: []spec.Param{eventParam, fromParam, memberTimeout},
	}, "name", func(c *spec.Call, m *value.Member) func(context.Context, time.Duration) (any, error) {
		return func(ctx context.Context, timeout time.Duration) (any, error) {
			return m.Group.WaitFor(ctx, m.ID, c.Str("name"), c.Str("from_"), timeout)
		}
	}),
	method(spec.Func{
		Name: "send", Doc: "Puts a message into another member's mailbox, without waiting.",
		Params: []spec.Param{{Name: "id", Type: "str", Doc: "The member's id."}, {Name: "value", Type: "any", Doc: "The message; it is frozen."}},
	}, "id", func(c *spec.Call, m *value.Member) func(context.Context, time.Duration) (any, error) {
		return func(context.Context, time.Duration) (any, error) {
			return nil, m.Group.Send(m.ID, c.Str("id"), c.Arg("value"))
		}
	}),
	method(spec.Func{
		Name: "receive", Returns: "any", Doc: "Takes the oldest message from the member's mailbox, and waits for one where there is none.",
		Params: []spec.Param{fromParam, memberTimeout},
	}, "from_", func(c *spec.Call, m *value.Member) func(context.Context, time.Duration) (any, error) {
		return func(ctx context.Context, timeout time.Duration) (any, error) {
			return m.Group.Receive(ctx, m.ID, c.Str("from_"), timeout)
		}
	}),
}
