package value

import (
	"fmt"
	"slices"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/fault"
	"rig/runtime/script"
	"rig/runtime/session"
)

// Session is a session as scripts see it.
type Session struct {
	s           *session.Session
	lease       *session.Lease    // of a session that a pool lends; nil otherwise
	loan        any               // what the pool knows it by; nil without a pool
	query, exec *spec.Builtin     // bound once: they are called once per statement
	more        starlark.HasAttrs // members of a special session; nil of others
}

var _ starlark.HasAttrs = (*Session)(nil)

// NewSession wraps a session.
func NewSession(s *session.Session) *Session {
	w := &Session{s: s}
	w.query, w.exec = sessionType.Bind(w, "query"), sessionType.Bind(w, "exec")
	return w
}

// NewLent wraps a session for one holder: after the lease has ended, its statements are errors. loan is the lender's.
func NewLent(s *session.Session, lease *session.Lease, loan any) *Session {
	w := NewSession(s)
	w.lease, w.loan = lease, loan
	return w
}

// Loan is what the lender knows the session by, nil for one that is not lent.
func (s *Session) Loan() any { return s.loan }

// Lease is the holder's right, nil for a session that is not lent.
func (s *Session) Lease() *session.Lease { return s.lease }

// NewSpecial wraps a session that has further members.
func NewSpecial(s *session.Session, more starlark.HasAttrs) *Session {
	w := NewSession(s)
	w.more = more
	return w
}

// Session is what is wrapped.
func (s *Session) Session() *session.Session { return s.s }

func (s *Session) String() string        { return fmt.Sprintf("<session %s #%d>", s.s.Name(), s.s.Thread()) }
func (s *Session) Freeze()               {} // a session is used by one task at a time, which it checks itself
func (s *Session) Truth() starlark.Bool  { return starlark.Bool(!s.s.Closed()) }
func (s *Session) Hash() (uint32, error) { return uint32(s.s.ID()), nil }

// Type is "session".
func (s *Session) Type() string { return "session" }

// Attr finds a member.
func (s *Session) Attr(name string) (starlark.Value, error) {
	switch name {
	case "query":
		return s.query, nil
	case "exec":
		return s.exec, nil
	}
	if s.more == nil {
		return sessionType.Attr(s, name)
	}
	if slices.Contains(s.more.AttrNames(), name) {
		return s.more.Attr(name)
	}
	if slices.Contains(sessionType.AttrNames(), name) {
		return sessionType.Attr(s, name)
	}
	return nil, spec.NoAttr(sessionType.Var, name, s.AttrNames())
}

// AttrNames lists the members.
func (s *Session) AttrNames() []string {
	if s.more == nil {
		return sessionType.AttrNames()
	}
	return slices.Concat(sessionType.AttrNames(), s.more.AttrNames())
}

func conn(v starlark.Value) *session.Session { return v.(*Session).s }

// callOf describes the calling script to the session.
func callOf(th *starlark.Thread, op string) session.Call {
	c := session.Call{Op: op, Pos: script.CallerPos(th)}
	if t := script.From(th); t != nil {
		c.Holder, c.Parent = t.Name(), t.Span()
	}
	return c
}

func callFor(c *spec.Call) session.Call {
	call := callOf(c.Thread, c.Name())
	if c.Has("timeout") {
		call.Timeout = c.Duration("timeout")
	}
	call.Lease = leaseOf(c)
	return call
}

func plainCall(c *spec.Call) session.Call {
	call := callOf(c.Thread, c.Name())
	call.Lease = leaseOf(c)
	return call
}

// leaseOf is the right by which a method of a session or of a statement is called.
func leaseOf(c *spec.Call) *session.Lease {
	switch v := c.Recv.(type) {
	case *Session:
		return v.lease
	case *Stmt:
		return v.lease
	}
	return nil
}

// DropTable removes a table of the session's database.
func DropTable(s *session.Session, name string) error {
	_, err := s.Exec(session.Call{Op: "t.table", Holder: "rig"}, "DROP TABLE IF EXISTS `"+name+"`", nil)
	return err
}

var (
	sqlParam     = spec.Param{Name: "sql", Type: "str", Doc: "The statement; ? stands for an argument."}
	argsParam    = spec.Param{Name: "args", Type: "any", Variadic: true, Doc: "Values for the ?: None, bool, int, float, str, bytes, decimal, date, datetime, clock."}
	timeoutParam = spec.Param{Name: "timeout", Type: "duration", Optional: true, KwOnly: true, Doc: "The bound of this statement instead of --statement-timeout."}
	nameParam    = spec.Param{Name: "name", Type: "str", Doc: "The savepoint's name."}
)

// direct calls query or exec without the general argument check, which would cost as much as the rest.
func direct(name string, run func(s *session.Session, c session.Call, sql string, args []starlark.Value) (starlark.Value, error)) func(*starlark.Thread, starlark.Value, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return func(th *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) == 0 {
			return nil, &spec.ArgError{Call: name, Problem: "missing argument sql"}
		}
		sql, ok := args[0].(starlark.String)
		if !ok {
			return nil, &spec.ArgError{Call: name, Param: "sql", Problem: "want str, got " + args[0].Type()}
		}
		c := callOf(th, name)
		w := recv.(*Session)
		c.Lease = w.lease
		for _, kv := range kwargs {
			key := string(kv[0].(starlark.String))
			if key != "timeout" {
				return nil, unknownKeyword(name, key)
			}
			d, err := spec.AsDuration(kv[1])
			if err != nil {
				return nil, &spec.ArgError{Call: name, Param: key, Problem: err.Error()}
			}
			c.Timeout = d
		}
		return run(w.s, c, string(sql), args[1:])
	}
}

func unknownKeyword(name, key string) error {
	e := &spec.ArgError{Call: name, Problem: fmt.Sprintf("unknown keyword argument %q", key), Hint: "the values of ? are given by place: " + name + "(sql, value, ...)"}
	if fault.Suggest(key, []string{"timeout"}) != "" {
		e.Problem += ", did you mean \"timeout\"?"
	}
	return e
}

func badArgs(c session.Call, s *session.Session, sql string, err error) error {
	e := fault.New(fault.BadArgument, c.Op, err.Error())
	e.SQL, e.Session = sql, s.Name()
	return e
}

func query(s *session.Session, c session.Call, sql string, values []starlark.Value) (starlark.Value, error) {
	args, err := ToArgs(values)
	if err != nil {
		return nil, badArgs(c, s, sql, err)
	}
	q := &queried{}
	if err := s.QueryInto(&q.data, c, sql, args); err != nil {
		return nil, err
	}
	q.wrap(&q.data)
	return &q.Rows, nil
}

func exec(s *session.Session, c session.Call, sql string, values []starlark.Value) (starlark.Value, error) {
	args, err := ToArgs(values)
	if err != nil {
		return nil, badArgs(c, s, sql, err)
	}
	r, err := s.Exec(c, sql, args)
	if err != nil {
		return nil, err
	}
	return &Result{r}, nil
}

var sessionType = (&spec.Type{
	Live: true,
	Name: "session", Var: "conn",
	Doc: "One connection to the server, with a name. Its statements run one at a time; a task that uses it while another does gets the error session_busy.",
	Example: `
conn = t.connect("writer")
conn.exec("CREATE TABLE item (id INT PRIMARY KEY, price DECIMAL(10,2))")
conn.exec("INSERT INTO item VALUES (?, ?)", 1, decimal("9.50"))
expect.eq(conn.query("SELECT price FROM item").scalar(), decimal("9.50"))
`,
	Attrs: []spec.Attr{
		{Name: "id", Type: "int", Doc: "The session's id on the server.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeUint64(conn(v).Thread()), nil
		}},
		{Name: "name", Type: "str", Doc: "The session's name in reports.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(conn(v).Name()), nil
		}},
		{Name: "version", Type: "str", Doc: "The server's version as it says it.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(conn(v).Version()), nil
		}},
		{Name: "closed", Type: "bool", Doc: "Whether the session has ended.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(conn(v).Closed()), nil
		}},
		{Name: "in_transaction", Type: "bool", Doc: "Whether a transaction is open. MariaDB is asked; elsewhere it is what the session has seen.", Get: func(v starlark.Value) (starlark.Value, error) {
			in, _, err := conn(v).InTransaction(session.Call{Op: "conn.in_transaction", Holder: "script", Lease: v.(*Session).lease})
			return starlark.Bool(in), err
		}},
	},
	Methods: []*spec.Func{
		{Name: "query", Returns: "rows", Doc: "Runs a statement and returns its rows. More than 10,000 rows or 16 MiB are an error: use stream.", Params: []spec.Param{sqlParam, argsParam, timeoutParam}, Raw: direct("conn.query", query), Example: `
n = t.db.query("SELECT ? + 1 AS n", 41).one().n
expect.eq(n, 42)
`},
		{Name: "exec", Returns: "result", Doc: "Runs a statement that changes something; rows that it gives are dropped.", Params: []spec.Param{sqlParam, argsParam, timeoutParam}, Raw: direct("conn.exec", exec), Example: `
t.db.exec("CREATE TABLE n (i INT)")
expect.eq(t.db.exec("INSERT INTO n VALUES (?), (?)", 1, 2).rows_affected, 2)
`},
		streamFunc, prepareFunc, startFunc, queryAllFunc, insertFunc, loadDataFunc,
		beginFunc, commitFunc, rollbackFunc, savepointFunc, rollbackToFunc, releaseFunc, transactionFunc,
		pingFunc, resetFunc, useFunc, cancelFunc, killFunc, closeFunc,
	},
}).Seal()

// Types lists the types declared here.
func Types() []*spec.Type {
	return []*spec.Type{sessionType, rowsType, rowType, resultType, streamType, stmtType, pendingType, errorType, outcomeType, decimalType, temporalType, sharedType}
}

// Result is what a statement changed.
type Result struct{ r session.Result }

var _ starlark.HasAttrs = (*Result)(nil)

// NewResult wraps one for scripts.
func NewResult(r session.Result) *Result { return &Result{r} }

func (r *Result) String() string {
	return fmt.Sprintf("result(rows_affected = %d, last_insert_id = %d)", r.r.RowsAffected, r.r.LastInsertID)
}

// Type is "result".
func (r *Result) Type() string          { return "result" }
func (r *Result) Freeze()               {}
func (r *Result) Truth() starlark.Bool  { return true }
func (r *Result) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: result") }

// Attr finds an attribute.
func (r *Result) Attr(name string) (starlark.Value, error) {
	return resultType.Attr(r, name)
}

// AttrNames lists the attributes.
func (r *Result) AttrNames() []string { return resultType.AttrNames() }

var resultType = (&spec.Type{
	Live: true,
	Name: "result",
	Doc:  "What a statement changed.",
	Example: `
t.db.exec("CREATE TABLE n (id INT AUTO_INCREMENT PRIMARY KEY, i INT)")
r = t.db.exec("INSERT INTO n (i) VALUES (5)")
expect.eq(r.rows_affected, 1)
expect.eq(r.last_insert_id, 1)
`,
	Attrs: []spec.Attr{
		{Name: "rows_affected", Type: "int", Doc: "Rows changed. An UPDATE counts those whose values really changed. A statement that gives rows (INSERT ... RETURNING) has no count in the protocol: it is 0, and query gives the rows.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt64(v.(*Result).r.RowsAffected), nil
		}},
		{Name: "last_insert_id", Type: "int", Doc: "The AUTO_INCREMENT value of the first row inserted, 0 without one.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeUint64(v.(*Result).r.LastInsertID), nil
		}},
		{Name: "warnings", Type: "list", Doc: "The statement's warnings as dicts of level, code, message. They are asked for now: read them before the session's next statement.", Get: func(v starlark.Value) (starlark.Value, error) {
			list, err := v.(*Result).r.Warnings(session.Call{Op: "result.warnings", Holder: "script"})
			if err != nil {
				return nil, err
			}
			out := make([]starlark.Value, len(list))
			for i, w := range list {
				d := starlark.NewDict(3)
				_ = d.SetKey(starlark.String("level"), starlark.String(w.Level)) // a new dict takes str keys
				_ = d.SetKey(starlark.String("code"), starlark.MakeInt(w.Code))
				_ = d.SetKey(starlark.String("message"), starlark.String(w.Message))
				out[i] = d
			}
			return starlark.NewList(out), nil
		}},
	},
}).Seal()
