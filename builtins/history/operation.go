package history

import (
	"errors"
	"fmt"
	"sync"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/history"
	"rig/runtime/history/record"
	"rig/runtime/script"
	"rig/runtime/session"
)

// Operation is one of a history.
type Operation struct {
	h     *History
	f     string
	k     *record.Op
	work  session.Work
	asked history.Value

	mu    sync.Mutex
	ended bool          // guarded by mu, as what follows
	how   event.Outcome // how it ended
	value history.Value // what it did and saw
	err   *value.Error  // nil without one
}

var _ starlark.HasAttrs = (*Operation)(nil)

// start begins an operation on a session. What is wrong with it is the script's mistake.
func (h *History) start(c *spec.Call, s *session.Session, f string, v history.Value) (*Operation, error) {
	work, err := s.Work()
	if err != nil {
		f := fault.Wrap(c.Name(), "", "", err)
		f.Op = c.Name()
		return nil, f
	}
	o := &Operation{h: h, f: f, work: work, asked: v}
	k, err := h.client(s).Invoke(f, v, script.CallerPos(c.Thread).String())
	if err != nil {
		kind := fault.BadArgument
		if errors.Is(err, record.ErrFull) {
			kind = fault.LimitExceeded
		}
		return nil, fault.New(kind, c.Name(), err.Error())
	}
	o.k = k
	return o, nil
}

// end decides how the operation ended, given that its caller met failure or not, and writes it down.
func (o *Operation) end(c *spec.Call, v history.Value, failure error) error {
	how, err := o.work.Outcome(failure != nil)
	if err != nil {
		f := fault.Wrap(c.Name(), "", "", err)
		f.Op = c.Name()
		return f
	}
	return o.record(c, how, v, failure)
}

func (o *Operation) record(c *spec.Call, how event.Outcome, v history.Value, failure error) error {
	why := ""
	if failure != nil {
		why = script.Describe(failure).Message
	}
	if err := o.k.End(how, v, why); err != nil {
		return fault.New(fault.BadArgument, c.Name(), err.Error())
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ended, o.how, o.value = true, how, o.asked
	if how == event.OK {
		o.value = v
	}
	if failure != nil {
		o.err = value.NewError(failure)
	}
	return nil
}

// state is how the operation stands.
func (o *Operation) state() (ended bool, how event.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ended, o.how
}

func (o *Operation) outcome() string {
	if ended, how := o.state(); ended {
		return how.String()
	}
	return "running"
}

func (o *Operation) String() string {
	return fmt.Sprintf("<%s of process %d: %s>", o.f, o.k.Process(), o.outcome())
}

// Type is "history_op".
func (o *Operation) Type() string { return "history_op" }
func (o *Operation) Freeze()      {}

// Truth is whether it happened.
func (o *Operation) Truth() starlark.Bool {
	ended, how := o.state()
	return starlark.Bool(ended && how == event.OK)
}

func (o *Operation) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: history_op") }

// Attr finds a member.
func (o *Operation) Attr(name string) (starlark.Value, error) { return operationType.Attr(o, name) }

// AttrNames lists the members.
func (o *Operation) AttrNames() []string { return operationType.AttrNames() }

var operationType = (&spec.Type{
	Live: true,
	Name: "history_op", Var: "op",
	Doc: "One operation of a history. It is true when it is ok.",
	Example: `
h = history.new("rw-register")
op = h.txn(t.db, [("w", "x", 1), ("r", "x")])
expect.true(op)
expect.eq(op.outcome, "ok")
expect.eq(op.value, (("w", "x", 1), ("r", "x", 1)))
`,
	Attrs: []spec.Attr{
		{Name: "outcome", Type: "str", Doc: "\"ok\", \"failed\", \"unknown\", or \"running\" before its end.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*Operation).outcome()), nil
		}},
		{Name: "process", Type: "int", Doc: "The number of the process that did it. A session has a new one after an operation of unknown outcome.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt64(v.(*Operation).k.Process()), nil
		}},
		{Name: "value", Type: "any", Doc: "What it did and saw if it is ok, else what it was asked to do.", Get: func(v starlark.Value) (starlark.Value, error) {
			o := v.(*Operation)
			o.mu.Lock()
			defer o.mu.Unlock()
			if !o.ended {
				return fromValue(&o.asked), nil
			}
			return fromValue(&o.value), nil
		}},
		{Name: "error", Type: "error|None", Doc: "What went wrong.", Get: func(v starlark.Value) (starlark.Value, error) {
			o := v.(*Operation)
			o.mu.Lock()
			defer o.mu.Unlock()
			if o.err == nil {
				return starlark.None, nil
			}
			return o.err, nil
		}},
	},
}).Seal()

var connParam = spec.Param{Name: "conn", Type: "session", Doc: "The session that does it; it is the client."}

var opFunc = &spec.Func{
	Name: "op", Returns: "history_op",
	Doc: "Records fn(conn, *args) as one operation. If it is ok, what fn returns is its value (None: what was asked). Errors of the database end in the operation, not in the script; a transaction that is left open is rolled back.",
	Params: []spec.Param{
		connParam,
		{Name: "f", Type: "str", Doc: "What the model calls it: \"transfer\", \"read\", \"add\" and so on."},
		{Name: "fn", Type: "callable", Doc: "Does it on the session."},
		{Name: "args", Type: "any", Variadic: true, Doc: "Further arguments of fn."},
		{Name: "value", Type: "any", Optional: true, KwOnly: true, Doc: "What is asked, as the model has it; frozen."},
	},
	Example: `
h = history.new("counter")
t.db.exec("CREATE TABLE hits (n INT NOT NULL)")
t.db.exec("INSERT INTO hits VALUES (0)")
def add(conn, d):
    conn.exec("UPDATE hits SET n = n + ?", d)
h.op(t.db, "add", add, 5, value = 5)
h.op(t.db, "read", lambda conn: conn.query("SELECT n FROM hits").scalar())
expect.true(h.check())
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		h, s := c.Recv.(*History), sessionOf(c)
		asked, err := argument(c, "value")
		if err != nil {
			return nil, err
		}
		return h.perform(c, s, c.Str("f"), asked, func() (history.Value, error) {
			v, err := starlark.Call(c.Thread, c.Callable("fn"), append(starlark.Tuple{s}, c.Rest...), nil)
			if err != nil || v == starlark.None {
				return asked, err
			}
			got, err := toValue(v, 0)
			if err != nil {
				err = c.Errorf("fn", "what it returned: %v", err)
			}
			return got, err
		})
	},
}

// perform records what body does on a session. An error that scripts may catch is the operation's; others are raised, after
// it was written down what became of the operation.
func (h *History) perform(c *spec.Call, s *value.Session, f string, asked history.Value, body func() (history.Value, error)) (*Operation, error) {
	o, err := h.start(c, s.Session(), f, asked)
	if err != nil {
		return nil, err
	}
	got, failure := body()
	if failure != nil && o.work.Open() {
		if undo := value.Undo(s.Session(), callOf(c, s)); undo != nil && !s.Session().Closed() {
			failure = errors.Join(failure, undo)
		}
	}
	if err := o.end(c, got, failure); err != nil {
		return nil, errors.Join(failure, err)
	}
	if failure != nil && !value.Catchable(c.Script(), failure) {
		return nil, failure
	}
	return o, nil
}

// argument reads a value for the history, and freezes it.
func argument(c *spec.Call, name string) (history.Value, error) {
	v := c.Arg(name)
	if v == nil {
		return history.Value{}, nil
	}
	if err := c.Script().Host().Share(v); err != nil {
		return history.Value{}, err
	}
	out, err := toValue(v, 0)
	if err != nil {
		err = c.Errorf(name, "%v", err)
	}
	return out, err
}

var invokeFunc = &spec.Func{
	Name: "invoke", Returns: "history_op",
	Doc: "Begins an operation on a session, for what op and txn do not fit. End it with ok, fail or unknown: what they say is weighed against what the session knows.",
	Params: []spec.Param{
		connParam,
		{Name: "f", Type: "str", Doc: "What the model calls it."},
		{Name: "value", Type: "any", Optional: true, Doc: "What is asked; frozen."},
	},
	Example: `
h = history.new("register")
t.db.exec("CREATE TABLE r (n INT NOT NULL)")
op = h.invoke(t.db, "write", 5)
t.db.exec("INSERT INTO r VALUES (5)")
h.ok(op)
op = h.invoke(t.db, "read")
h.ok(op, t.db.query("SELECT n FROM r").scalar())
expect.true(h.check())
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		asked, err := argument(c, "value")
		if err != nil {
			return nil, err
		}
		return c.Recv.(*History).start(c, sessionOf(c).Session(), c.Str("f"), asked)
	},
}

var operationParam = spec.Param{Name: "op", Type: "history_op", Doc: "What invoke returned."}

// open reads the argument op, which must not have ended.
func open(c *spec.Call) (*Operation, error) {
	o := c.Arg("op").(*Operation)
	if o.h != c.Recv.(*History) {
		return nil, c.Errorf("op", "is an operation of another history, %s", o.h.as.Name)
	}
	if ended, how := o.state(); ended {
		return nil, c.Errorf("op", "has ended before: it is %s", how)
	}
	return o, nil
}

var okFunc = &spec.Func{
	Name: "ok", Returns: "history_op",
	Doc: "Ends an operation that the script takes for done. If the answer to its COMMIT, or to a change outside a transaction, was lost, it is unknown all the same; if it was rolled back, it is failed, and that is an error here.",
	Params: []spec.Param{
		operationParam,
		{Name: "value", Type: "any", Optional: true, Doc: "What it did and saw; what was asked without it."},
	},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		o, err := open(c)
		if err != nil {
			return nil, err
		}
		v := o.asked
		if c.Arg("value") != nil {
			if v, err = argument(c, "value"); err != nil {
				return nil, err
			}
		}
		if err := o.end(c, v, nil); err != nil {
			return nil, err
		}
		if _, how := o.state(); how == event.Failed {
			e := fault.New(fault.TransactionState, c.Name(), fmt.Sprintf("the %s was rolled back, or its change refused: it is recorded as failed", o.f))
			return nil, e.WithHint("let h.op or h.txn decide what became of it")
		}
		return o, nil
	},
}

var whyParam = spec.Param{Name: "why", Type: "str", Optional: true, Doc: "The reason, for the history."}

var failFunc = &spec.Func{
	Name: "fail", Returns: "history_op",
	Doc:    "Ends an operation that the script takes for failed. It is recorded so only if nothing of it can last, else as unknown.",
	Params: []spec.Param{operationParam, whyParam},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		o, err := open(c)
		if err != nil {
			return nil, err
		}
		return o, o.end(c, o.asked, &reasonError{c.Str("why")})
	},
}

var unknownFunc = &spec.Func{
	Name: "unknown", Returns: "history_op",
	Doc:    "Ends an operation of which the script does not know what became. It is recorded so.",
	Params: []spec.Param{operationParam, whyParam},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		o, err := open(c)
		if err != nil {
			return nil, err
		}
		return o, o.record(c, event.Unknown, o.asked, &reasonError{c.Str("why")})
	},
}

// reasonError is what a script says of an operation.
type reasonError struct{ why string }

func (e *reasonError) Error() string {
	if e.why == "" {
		return "the script says so"
	}
	return e.why
}
