package value

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/resilience"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

func simple(name, doc string, run func(c *spec.Call, s *session.Session) error, params ...spec.Param) *spec.Func {
	return &spec.Func{Name: name, Doc: doc, Params: params, Impl: func(c *spec.Call) (starlark.Value, error) {
		// Some of these are no statements, which would look themselves.
		if err := leaseOf(c).Valid(c.Name()); err != nil {
			return nil, err
		}
		if err := run(c, conn(c.Recv)); err != nil {
			return nil, err
		}
		return starlark.None, nil
	}}
}

var isolationParam = spec.Param{Name: "isolation", Type: "str", Form: "isolation", Optional: true, KwOnly: true, Doc: "The isolation level of this transaction: \"READ COMMITTED\" and so on."}

var beginFunc = &spec.Func{
	Name: "begin",
	Doc:  "Opens a transaction. An open one is an error: the server would commit it silently.",
	Params: []spec.Param{
		isolationParam,
		{Name: "read_only", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "START TRANSACTION READ ONLY."},
		{Name: "snapshot", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "WITH CONSISTENT SNAPSHOT: the view is taken now, not at the first read."},
	},
	Example: `
t.db.begin()
t.db.commit()
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		o := session.TxOptions{Isolation: c.Str("isolation"), ReadOnly: c.Bool("read_only"), Snapshot: c.Bool("snapshot")}
		return starlark.None, conn(c.Recv).Begin(plainCall(c), o)
	},
}

var (
	commitFunc = simple("commit", "Commits. Without an open transaction it is an error that says what became of it.", func(c *spec.Call, s *session.Session) error {
		return s.Commit(plainCall(c))
	})
	rollbackFunc = simple("rollback", "Rolls back; without an open transaction it does nothing.", func(c *spec.Call, s *session.Session) error {
		return s.Rollback(plainCall(c))
	})
	savepointFunc = simple("savepoint", "Sets a savepoint in the open transaction.", func(c *spec.Call, s *session.Session) error {
		return s.Savepoint(plainCall(c), c.Str("name"))
	}, nameParam)
	rollbackToFunc = simple("rollback_to", "Undoes what came after the savepoint.", func(c *spec.Call, s *session.Session) error {
		return s.RollbackTo(plainCall(c), c.Str("name"))
	}, nameParam)
	releaseFunc = simple("release", "Forgets the savepoint.", func(c *spec.Call, s *session.Session) error {
		return s.Release(plainCall(c), c.Str("name"))
	}, nameParam)
	pingFunc = simple("ping", "Asks the server for a sign of life.", func(c *spec.Call, s *session.Session) error {
		return s.Ping(plainCall(c))
	})
	resetFunc = simple("reset", "Gives the session a fresh connection with the options it was opened with: no transaction, locks or variables are left, and its id changes.", func(c *spec.Call, s *session.Session) error {
		return s.Reset(plainCall(c))
	})
	cancelFunc = simple("cancel", "Kills the statement that another task is running on the session, and waits for its end.", func(c *spec.Call, s *session.Session) error {
		return s.Cancel("cancelled by " + callOf(c.Thread, "").Holder)
	})
	killFunc = simple("kill", "Ends the session on the server, as KILL does: its transaction is rolled back.", func(c *spec.Call, s *session.Session) error {
		return s.Kill("killed by " + callOf(c.Thread, "").Holder)
	})
	closeFunc = simple("close", "Ends the session; a statement that runs is killed first.", func(_ *spec.Call, s *session.Session) error {
		return s.Close()
	})
	useFunc = simple("use", "Changes the default database. On a server that is not throw-away, a database that rig did not make must be allowed with --allow-database.", func(c *spec.Call, s *session.Session) error {
		if t, err := scenario.FromThread(c.Thread); err == nil {
			if err := t.Allowed(c.Str("database")); err != nil {
				return err
			}
		}
		return s.Use(plainCall(c), c.Str("database"))
	}, spec.Param{Name: "database", Type: "str", Doc: "The database."})
)

// Policied is a script's retry policy.
type Policied interface{ Policy() resilience.Policy }

var transactionFunc = &spec.Func{
	Name: "transaction", Returns: "any",
	Doc: "Calls fn(conn, *args) inside a transaction and commits; when fn fails, rolls back and raises its error. With retry, the whole body runs again after errors of that category. DDL that commits implicitly is an error.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Gives: "session", Doc: "The body; its first argument is the session."},
		{Name: "args", Type: "any", Variadic: true, Doc: "Its further arguments."},
		isolationParam,
		{Name: "retry", Type: "any", Optional: true, KwOnly: true, Doc: "\"transient\", a list of categories or kinds, or a retry.policy."},
	},
	Example: `
def add(conn, n):
    conn.exec("INSERT INTO n VALUES (?)", n)
    return n
t.db.exec("CREATE TABLE n (i INT)")
expect.eq(t.db.transaction(add, 7, retry = "transient"), 7)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		policy, err := retryOf(c)
		if err != nil {
			return nil, err
		}
		var out starlark.Value
		body := func(int) error {
			v, err := transact(c)
			out = v
			return err
		}
		if policy == nil {
			err = body(1)
		} else {
			err = Retry(c.Thread, "transaction", *policy, body)
		}
		if err != nil {
			return nil, err
		}
		return out, nil
	},
}

func retryOf(c *spec.Call) (*resilience.Policy, error) {
	if !c.Has("retry") {
		return nil, nil
	}
	if p, ok := c.Arg("retry").(Policied); ok {
		policy := p.Policy()
		return &policy, nil
	}
	on, err := RetryOn(c, "retry")
	if err != nil {
		return nil, err
	}
	p := resilience.DefaultPolicy()
	p.On = on
	return &p, nil
}

// RetryOn reads an argument that names the categories and kinds to retry on: one name or a list of them.
func RetryOn(c *spec.Call, param string) ([]string, error) {
	var names []string
	if s, ok := starlark.AsString(c.Arg(param)); ok {
		names = []string{s}
	} else {
		list, err := c.Texts(param)
		if err != nil {
			return nil, err
		}
		names = list
	}
	if len(names) == 0 {
		return nil, c.Errorf(param, "want \"transient\", or a list of categories or kinds, got %s", c.Arg(param))
	}
	known := []string{string(fault.Transient), string(fault.Permanent), string(fault.UnknownCategory)}
	for _, k := range fault.Kinds() {
		known = append(known, string(k.Kind))
	}
next:
	for _, n := range names {
		for _, k := range known {
			if n == k {
				continue next
			}
		}
		if near := fault.Suggest(n, known); near != "" {
			return nil, c.Errorf(param, "%q is no category or kind of error, did you mean %q?", n, near)
		}
		return nil, c.Errorf(param, "%q is no category or kind of error", n)
	}
	return names, nil
}

// Retry runs attempt by a policy; every failed attempt is an event.
func Retry(th *starlark.Thread, name string, p resilience.Policy, attempt func(n int) error) error {
	t, err := scenario.FromThread(th)
	if err != nil {
		return err
	}
	up := script.From(th)
	// The jitter of tasks differs although they retry in the same line: those that met would meet again.
	source := func() *rand.Rand {
		h := fnv.New64a()
		h.Write([]byte(up.Name()))
		return rand.New(rand.NewPCG(uint64(t.Seed()), h.Sum64()^uint64(script.CallerPos(th).Line)))
	}
	over := func() {} // ends a pause
	defer func() { over() }()
	again := func(n int) error {
		over()
		return attempt(n)
	}
	return p.Do(up.Context(), name, source, again, func(a resilience.Attempt) {
		if a.Delay > 0 {
			over = script.Wait(th, func() string {
				return fmt.Sprintf("pauses for %s before attempt %d of %s, after %v", a.Delay.Round(time.Millisecond), a.N+1, name, a.Err)
			})
		}
		t.EmitIn(up.Span(), script.CallerPos(th), &event.Retry{Name: name, Attempt: a.N, Delay: a.Delay, Final: a.Final, Error: script.Describe(a.Err)})
	})
}

// transact runs the body once.
func transact(c *spec.Call) (starlark.Value, error) {
	s := conn(c.Recv)
	call := plainCall(c)
	if err := s.Begin(call, session.TxOptions{Isolation: c.Str("isolation")}); err != nil {
		return nil, err
	}
	args := append(starlark.Tuple{c.Recv}, c.Rest...)
	v, err := starlark.Call(c.Thread, c.Callable("fn"), args, nil)
	if err != nil {
		return nil, undo(s, call, err)
	}
	if err := s.Commit(call); err != nil {
		return nil, undo(s, call, err)
	}
	return v, nil
}

// undo rolls back after an error, which stays the error; only a rollback that fails for a reason of its own is told too.
func undo(s *session.Session, call session.Call, cause error) error {
	if err := Undo(s, call); err != nil {
		return errors.Join(cause, fmt.Errorf("and the rollback failed: %w", err))
	}
	return cause
}

// Undo rolls back after an error. A session that cannot do so any more has nothing left to undo.
func Undo(s *session.Session, call session.Call) error {
	if s.Closed() {
		return nil
	}
	if err := s.Rollback(call); err != nil && !fault.IsKind(err, fault.Cancelled, fault.SessionClosed, fault.SessionBusy) {
		return err
	}
	return nil
}
