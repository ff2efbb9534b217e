package test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/pool"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

// pooled is a session as the pool sees it. Whoever holds the connection owns it.
type pooled struct {
	s  *session.Session
	at session.Call // the call that acquires or releases
}

func (p *pooled) call(op string) session.Call {
	return session.Call{Op: op, Holder: "rig", Pos: p.at.Pos}
}

func (p *pooled) Check(ask bool) error { return p.s.Check(p.call("pool.acquire"), ask) }
func (p *pooled) Recycle() error       { return p.s.Recycle(p.call("pool.release")) }
func (p *pooled) Close() error         { return p.s.Close() }

// doing describes what the connection runs, for the error that names the holders.
func (p *pooled) doing() string {
	if a, busy := p.s.Activity(); busy {
		return fmt.Sprintf("running %q on %s", a.SQL, p.s.Name())
	}
	if last := p.s.Last(); last != "" {
		return fmt.Sprintf("its last statement on %s was %q", p.s.Name(), last)
	}
	return "and ran nothing on " + p.s.Name()
}

type (
	sessions = pool.Pool[*pooled]
	loan     = pool.Lease[*pooled]
)

// connPool is a pool as scripts see it.
type connPool struct {
	p *sessions
	t *scenario.Test
}

var _ starlark.HasAttrs = (*connPool)(nil)

func (p *connPool) String() string {
	s := p.p.Stats()
	return fmt.Sprintf("<pool %s: %d of %d in use>", p.p.Name(), s.InUse, s.Size)
}

func (p *connPool) Type() string          { return "pool" }
func (p *connPool) Freeze()               {} // tasks share it
func (p *connPool) Truth() starlark.Bool  { return starlark.Bool(!p.p.Closed()) }
func (p *connPool) Hash() (uint32, error) { return 0, errors.New("unhashable type: pool") }

// Attr finds a member.
func (p *connPool) Attr(name string) (starlark.Value, error) { return poolType.Attr(p, name) }

// AttrNames lists the members.
func (p *connPool) AttrNames() []string { return poolType.AttrNames() }

// waits says for whom who acquires waits.
func (p *connPool) waits() string {
	text := "waits for a connection of pool " + p.p.Name()
	var names []string
	for _, h := range p.p.Held() {
		names = append(names, fmt.Sprintf("%s (%s)", h.Holder.Name, h.Holder.Pos))
	}
	if len(names) > 0 {
		text += ", held by " + strings.Join(names, ", ")
	}
	return text
}

// acquire lends a connection to the calling script.
func (p *connPool) acquire(c *spec.Call) (*value.Session, error) {
	pos := script.CallerPos(c.Thread)
	over := script.Wait(c.Thread, func() string { return p.waits() })
	l, err := p.p.Acquire(c.Script().Context(), pool.Holder{Name: c.Script().Name(), Pos: pos})
	over()
	if err != nil {
		return nil, named(c, err)
	}
	return value.NewLent(l.Conn.s, l.Conn.s.Lend(), l), nil
}

// named gives an error of the pool the call's name.
func named(c *spec.Call, err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Op == "" {
		f.Op = c.Name()
	}
	return err
}

// loanOf finds the loan of a session; one that this pool did not lend is an error.
func (p *connPool) loanOf(c *spec.Call, w *value.Session) (*loan, error) {
	l, ok := w.Loan().(*loan)
	problem := ""
	switch {
	case !ok:
		problem = fmt.Sprintf("session %s is not from a pool: close it with conn.close()", w.Session().Name())
	case !p.p.Of(l):
		problem = fmt.Sprintf("session %s is of another pool: %s, made at %s", w.Session().Name(), l.Pool().Name(), l.Pool().Pos())
	default:
		return l, nil
	}
	return nil, fault.New(fault.BadArgument, c.Name(), problem)
}

// release takes a connection back. With force also one that is still in use, which is closed.
func (p *connPool) release(c *spec.Call, w *value.Session, force bool) error {
	l, err := p.loanOf(c, w)
	if err != nil {
		return err
	}
	call := session.Call{Op: c.Name(), Pos: script.CallerPos(c.Thread), Holder: c.Script().Name()}
	err = w.Lease().End(call, false)
	if err != nil && force && fault.IsKind(err, fault.SessionBusy) {
		return errors.Join(err, w.Lease().End(call, true), p.p.Drop(l, call.Pos))
	}
	if err != nil {
		return err
	}
	l.Conn.at = call
	return named(c, p.p.Release(l, call.Pos))
}

// with calls fn(conn, *args) and always releases.
func (p *connPool) with(c *spec.Call) (starlark.Value, error) {
	w, err := p.acquire(c)
	if err != nil {
		return nil, err
	}
	released := false
	defer func() {
		if !released { // a panic of fn's: the connection is not to be trusted
			_ = p.release(c, w, true)
		}
	}()
	v, err := starlark.Call(c.Thread, c.Callable("fn"), append(starlark.Tuple{w}, c.Rest...), c.Extra)
	released = true
	if back := p.giveBack(c, w); err == nil && back != nil {
		return nil, back
	}
	return v, err
}

// giveBack is release for with_connection, whose function may have released by itself.
func (p *connPool) giveBack(c *spec.Call, w *value.Session) error {
	if err := w.Lease().Valid(c.Name()); err != nil {
		return fmt.Errorf("%w (with_connection releases by itself)", err)
	}
	return p.release(c, w, true)
}

// end closes the pool when its test ends; what is still lent leaked.
func (p *connPool) end(context.Context) error {
	for _, h := range p.p.Close(event.Pos{}) {
		p.t.Leaked(h.Holder.Pos, "connection", fmt.Sprintf("session %s of %s was acquired by %s and not released; use pool.with_connection, or pool.release", h.Lease.Conn.s.Name(), p.p.Name(), h.Holder.Name))
		if err := p.p.Drop(h.Lease, event.Pos{}); err != nil && !fault.IsKind(err, fault.SessionClosed) { // released meanwhile
			return err
		}
	}
	return nil
}

var connParam = spec.Param{Name: "conn", Type: "session", Doc: "What acquire gave."}

var poolType = (&spec.Type{
	Live: true,
	Name: "pool",
	Doc:  "Sessions that many tasks use in turn; see t.pool. Tasks may share it.",
	Example: `
pool = t.pool(2)
conn = pool.acquire()
expect.eq(conn.query("SELECT 1").scalar(), 1)
pool.release(conn)
expect.eq((pool.stats().open, pool.stats().idle, pool.stats().in_use), (1, 1, 0))
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "The pool's name in reports; its sessions are called name#1, name#2, ....", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*connPool).p.Name()), nil
		}},
		{Name: "size", Type: "int", Doc: "How many connections it has at most.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt(v.(*connPool).p.Stats().Size), nil
		}},
		{Name: "closed", Type: "bool", Doc: "Whether it was closed.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(v.(*connPool).p.Closed()), nil
		}},
	},
	Methods: []*spec.Func{
		{
			Name: "acquire", Returns: "session",
			Doc: "Lends a session until release. When all are lent it waits, in turn, up to acquire_timeout; then it is an error that says who holds them. A connection that was idle for more than a second is asked for a sign of life before; one used since is only looked at. A dead one is replaced.",
			Impl: func(c *spec.Call) (starlark.Value, error) {
				w, err := c.Recv.(*connPool).acquire(c)
				if err != nil {
					return nil, err
				}
				return w, nil
			},
		},
		{
			Name: "release", Params: []spec.Param{connParam},
			Doc: "Takes a session back; using it afterwards is an error. An open transaction is rolled back. Where a statement may have changed more (SET, USE, GET_LOCK, LOCK TABLES, temporary tables, user variables, PREPARE and conn.prepare, CALL, XA, HANDLER, FLUSH) the session gets a fresh connection; otherwise it keeps its own, with LAST_INSERT_ID() and the last statement's warnings. What stored functions and triggers set is not seen.",
			Impl: func(c *spec.Call) (starlark.Value, error) {
				return starlark.None, c.Recv.(*connPool).release(c, c.Arg("conn").(*value.Session), false)
			},
		},
		{
			Name: "with_connection", Returns: "any",
			Doc: "Acquires a session, calls fn(conn, *args, **kwargs), releases it whatever happens, and returns what fn returned.",
			Params: []spec.Param{
				{Name: "fn", Type: "callable", Gives: "session", Doc: "What to call; its first argument is the session."},
				{Name: "args", Type: "any", Variadic: true, Doc: "Its further arguments."},
				{Name: "kwargs", Type: "any", Keywords: true, Doc: "Its keyword arguments."},
			},
			Example: `
pool = t.pool(4)
def double(conn, n):
    return conn.query("SELECT 2 * ?", n).scalar()
outcomes = task.map(lambda n: pool.with_connection(double, n), range(20))
expect.eq([o.value for o in outcomes], [2 * n for n in range(20)])
`,
			Impl: func(c *spec.Call) (starlark.Value, error) { return c.Recv.(*connPool).with(c) },
		},
		{
			Name: "stats", Returns: "struct",
			Doc:  "The pool's counts now: size, open, idle, in_use, waiting; and since it was made: acquired, waits, wait_time (of all waits together), timeouts, created, closed (connections, those replaced included; a fresh connection on release counts as neither).",
			Impl: func(c *spec.Call) (starlark.Value, error) { return statsOf(c.Recv.(*connPool).p.Stats()), nil },
		},
		{
			Name: "close",
			Doc:  "Ends the pool: who waits gets an error, and so does every later acquire. Idle connections are closed now, lent ones when they are released. The test's end does it too, and reports what is still lent.",
			Impl: func(c *spec.Call) (starlark.Value, error) {
				c.Recv.(*connPool).p.Close(script.CallerPos(c.Thread))
				return starlark.None, nil
			},
		},
	},
}).Seal()

func statsOf(s pool.Stats) starlark.Value {
	d := starlark.StringDict{"wait_time": starlarktime.Duration(s.WaitTime)}
	for name, n := range map[string]int{
		"size": s.Size, "open": s.Open, "idle": s.Idle, "in_use": s.InUse, "waiting": s.Waiting, "acquired": s.Acquired,
		"waits": s.Waits, "timeouts": s.Timeouts, "created": s.Created, "closed": s.Closed,
	} {
		d[name] = starlark.MakeInt(n)
	}
	return starlarkstruct.FromStringDict(starlarkstruct.Default, d)
}

var poolFunc = &spec.Func{
	Name: "pool", Returns: "pool",
	Doc: "Makes a pool of sessions for tasks that share few connections. Connections are opened when they are needed, as connect does, and the one released last is lent first. A connection still acquired when the test ends is reported as leaked, with the line that acquired it.",
	Params: []spec.Param{
		{Name: "size", Type: "int", Doc: "How many connections at most."},
		{Name: "max_lifetime", Type: "duration", Default: starlark.String("30m"), KwOnly: true, Doc: "A connection older than this is closed rather than lent again; \"0s\" is no limit."},
		{Name: "max_idle", Type: "duration", Default: starlark.String("5m"), KwOnly: true, Doc: "A connection idle for so long is closed; \"0s\" is no limit."},
		{Name: "acquire_timeout", Type: "duration", Default: starlark.String("10s"), KwOnly: true, Doc: "How long acquire waits when all are lent; \"0s\" is not at all."},
		{Name: "name", Type: "str", Optional: true, KwOnly: true, Doc: "How reports call it; pool1, pool2, ... without one."},
		isolationParam,
		{Name: "database", Type: "str", Optional: true, KwOnly: true, Doc: "Another database, as for connect."},
		{Name: "autocommit", Type: "bool", Optional: true, KwOnly: true, Doc: "The sessions' autocommit."},
		{Name: "target", Type: "str", Optional: true, KwOnly: true, Doc: "Another target."},
	},
	Example: `
pool = t.pool(2, acquire_timeout = "100ms")
a, b = pool.acquire(), pool.acquire()
expect.error(pool.acquire, kind = "timeout", match = "2 of 2 are in use")
pool.release(a)
pool.release(b)
expect.eq(pool.stats().timeouts, 1)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t := self(c.Recv).test
		o := scenario.ConnectOptions{Isolation: c.Str("isolation"), Database: c.Str("database"), Target: c.Str("target"), Pos: script.CallerPos(c.Thread)}
		if c.Has("autocommit") {
			on := c.Bool("autocommit")
			o.Autocommit = &on
		}
		name := c.Str("name")
		if name == "" {
			name = fmt.Sprintf("pool%d", self(c.Recv).pools.Add(1))
		}
		p, err := pool.New(pool.Options[*pooled]{
			Name: name, Size: int(c.Int("size")), MaxLifetime: c.Duration("max_lifetime"), MaxIdle: c.Duration("max_idle"),
			AcquireTimeout: c.Duration("acquire_timeout"), Pos: o.Pos, Doing: (*pooled).doing,
			Open: func(_ context.Context, n int) (*pooled, error) {
				one := o
				one.Name = fmt.Sprintf("%s#%d", name, n)
				s, err := t.Connect(one)
				if err != nil {
					return nil, err
				}
				return &pooled{s: s}, nil
			},
		})
		if err != nil {
			return nil, c.Errorf("size", "%v", err)
		}
		if _, err := session.Isolation(o.Isolation); o.Isolation != "" && err != nil {
			return nil, err
		}
		v := &connPool{p: p, t: t}
		t.Cleanup("pool "+name, v.end)
		return v, nil
	},
}
