package value

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

var streamFunc = &spec.Func{
	Name: "stream", Elem: "row", Returns: "stream",
	Doc:    "Runs a query whose rows are read one at a time, without holding the result: for row in conn.stream(sql). The session is busy until the last row or close().",
	Params: []spec.Param{sqlParam, argsParam, timeoutParam},
	Example: `
total = 0
for row in t.db.stream("SELECT 1 AS n UNION ALL SELECT 2 UNION ALL SELECT 3"):
    total += row.n
expect.eq(total, 6)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		s, call, sql := conn(c.Recv), callFor(c), c.Str("sql")
		args, err := ToArgs(c.Rest)
		if err != nil {
			return nil, badArgs(call, s, sql, err)
		}
		x, err := s.Stream(call, sql, args)
		if err != nil {
			return nil, err
		}
		return &Stream{x: x, th: c.Script()}, nil
	},
}

// Stream is a result that is read row by row.
type Stream struct {
	x  *session.Stream
	th *script.Thread
}

var (
	_ starlark.Iterable = (*Stream)(nil)
	_ starlark.HasAttrs = (*Stream)(nil)
)

func (s *Stream) String() string { return "<stream>" }

// Type is "stream".
func (s *Stream) Type() string          { return "stream" }
func (s *Stream) Freeze()               {}
func (s *Stream) Truth() starlark.Bool  { return true }
func (s *Stream) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: stream") }

// Attr finds a member.
func (s *Stream) Attr(name string) (starlark.Value, error) { return streamType.Attr(s, name) }

// AttrNames lists the members.
func (s *Stream) AttrNames() []string { return streamType.AttrNames() }

// Iterate reads on; leaving the loop early ends the statement.
func (s *Stream) Iterate() starlark.Iterator { return &streamIterator{s} }

type streamIterator struct{ s *Stream }

// Next ends the script's thread where reading fails: an iterator has no error of its own.
func (it *streamIterator) Next(p *starlark.Value) bool {
	r, err := it.s.x.Next()
	switch {
	case err == nil:
		*p = &Row{r, 0}
		return true
	case !errors.Is(err, io.EOF):
		it.s.th.Abort(err)
	}
	return false
}

func (it *streamIterator) Done() {
	if err := it.s.x.Close(); err != nil {
		it.s.th.Abort(err)
	}
}

var streamType = (&spec.Type{
	Live: true,
	Name: "stream",
	Doc:  "Rows that are read one at a time; see conn.stream.",
	Example: `
rows = t.db.stream("SELECT 1 AS n")
for row in rows:
    expect.eq(row.n, 1)
`,
	Methods: []*spec.Func{
		{Name: "close", Doc: "Ends the statement; the rest of its rows is not read.", Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.None, c.Recv.(*Stream).x.Close()
		}},
	},
}).Seal()

var prepareFunc = &spec.Func{
	Name: "prepare", Returns: "stmt",
	Doc:    "Prepares a statement on the server. Statements that run more than once are prepared without asking; this is for tests of prepared statements themselves.",
	Params: []spec.Param{sqlParam},
	Example: `
stmt = t.db.prepare("SELECT ? * 2")
expect.eq(stmt.query(21).scalar(), 42)
stmt.close()
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		p, err := conn(c.Recv).Prepare(plainCall(c), c.Str("sql"))
		if err != nil {
			return nil, err
		}
		return &Stmt{p, conn(c.Recv), leaseOf(c)}, nil
	},
}

// Stmt is a prepared statement.
type Stmt struct {
	p     *session.Stmt
	s     *session.Session
	lease *session.Lease
}

var _ starlark.HasAttrs = (*Stmt)(nil)

func (s *Stmt) String() string { return fmt.Sprintf("<stmt %q>", s.p.SQL()) }

// Type is "stmt".
func (s *Stmt) Type() string          { return "stmt" }
func (s *Stmt) Freeze()               {}
func (s *Stmt) Truth() starlark.Bool  { return true }
func (s *Stmt) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: stmt") }

// Attr finds a member.
func (s *Stmt) Attr(name string) (starlark.Value, error) { return stmtType.Attr(s, name) }

// AttrNames lists the members.
func (s *Stmt) AttrNames() []string { return stmtType.AttrNames() }

func stmtArgs(c *spec.Call) (*Stmt, session.Call, []driver.Value, error) {
	s, call := c.Recv.(*Stmt), callFor(c)
	args, err := ToArgs(c.Rest)
	if err != nil {
		err = badArgs(call, s.s, s.p.SQL(), err)
	}
	return s, call, args, err
}

var stmtType = (&spec.Type{
	Live: true,
	Name: "stmt",
	Doc:  "A statement prepared on the server.",
	Example: `
stmt = t.db.prepare("SELECT ?")
expect.eq(stmt.query("x").scalar(), "x")
stmt.close()
`,
	Methods: []*spec.Func{
		{Name: "query", Returns: "rows", Doc: "Runs it and returns its rows.", Params: []spec.Param{argsParam, timeoutParam}, Impl: func(c *spec.Call) (starlark.Value, error) {
			s, call, args, err := stmtArgs(c)
			if err != nil {
				return nil, err
			}
			r, err := s.p.Query(call, args)
			if err != nil {
				return nil, err
			}
			return NewRows(r), nil
		}},
		{Name: "exec", Returns: "result", Doc: "Runs it.", Params: []spec.Param{argsParam, timeoutParam}, Impl: func(c *spec.Call) (starlark.Value, error) {
			s, call, args, err := stmtArgs(c)
			if err != nil {
				return nil, err
			}
			r, err := s.p.Exec(call, args)
			if err != nil {
				return nil, err
			}
			return &Result{r}, nil
		}},
		{Name: "close", Doc: "Forgets it on the server.", Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.None, c.Recv.(*Stmt).p.Close()
		}},
	},
}).Seal()

var startFunc = &spec.Func{
	Name: "start", Returns: "pending",
	Doc:    "Sends a statement without waiting for its end: the piece for interleavings made by hand.",
	Params: []spec.Param{sqlParam, argsParam, timeoutParam},
	Example: `
p = t.db.start("SELECT 1")
expect.eq(p.wait().scalar(), 1)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		s, call, sql := conn(c.Recv), callFor(c), c.Str("sql")
		args, err := ToArgs(c.Rest)
		if err != nil {
			return nil, badArgs(call, s, sql, err)
		}
		p, err := s.Start(call, sql, args)
		if err != nil {
			return nil, err
		}
		v := &Pending{p: p}
		v.watch(c)
		return v, nil
	},
}

// Pending is a statement that was sent.
type Pending struct {
	p      *session.Pending
	waited atomic.Bool // somebody asked how it ended
}

// watch has the test fail for an error that nobody waited for. One that the script's own cancel or kill made is none.
func (p *Pending) watch(c *spec.Call) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return // no test, nothing to fail
	}
	failure := func() error {
		if !p.p.Done() {
			return nil // the end of the test tells of it
		}
		_, _, err := p.p.Wait(0)
		return err
	}
	Unseen{
		Call: c.Name(), Pos: script.CallerPos(c.Thread), Hint: "wait() raises the error of the statement; expect.error(p.wait) expects one",
		Looked: func() bool {
			err := failure()
			return err == nil || p.waited.Load() || fault.IsKind(err, fault.Interrupted, fault.Cancelled, fault.ConnectionLost, fault.SessionClosed)
		},
		Message: func() string {
			return fmt.Sprintf("the statement failed and nobody waited for it: %v", failure())
		},
	}.Watch(t)
}

var _ starlark.HasAttrs = (*Pending)(nil)

func (p *Pending) String() string { return fmt.Sprintf("<pending %q>", p.p.SQL()) }

// Type is "pending".
func (p *Pending) Type() string          { return "pending" }
func (p *Pending) Freeze()               {}
func (p *Pending) Truth() starlark.Bool  { return true }
func (p *Pending) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: pending") }

// Attr finds a member.
func (p *Pending) Attr(name string) (starlark.Value, error) { return pendingType.Attr(p, name) }

// AttrNames lists the members.
func (p *Pending) AttrNames() []string { return pendingType.AttrNames() }

// blockedWithin is how long blocked() looks for a lock wait unless told.
const blockedWithin = time.Second

func pendingWaits(c *spec.Call) string {
	p := c.Recv.(*Pending).p
	return fmt.Sprintf("waits for the statement of session %s: %s", p.Session(), strings.Join(strings.Fields(p.SQL()), " "))
}

var pendingType = (&spec.Type{
	Live: true,
	Name: "pending",
	Doc:  "A statement that was sent with conn.start.",
	Example: `
p = t.db.start("SELECT 2")
expect.eq(p.wait(timeout = "5s").scalar(), 2)
expect.true(p.done)
`,
	Attrs: []spec.Attr{
		{Name: "done", Type: "bool", Doc: "Whether it has ended.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(v.(*Pending).p.Done()), nil
		}},
	},
	Methods: []*spec.Func{
		{Name: "wait", Returns: "rows|result", Doc: "Waits for the end and returns what query or exec would; its error is raised here. A statement that failed and that nobody waited for fails the test.", Params: []spec.Param{
			{Name: "timeout", Type: "duration", Optional: true, Doc: "How long to wait; the statement's own bound without it. When it passes, the statement goes on."},
		}, Waits: pendingWaits, Impl: func(c *spec.Call) (starlark.Value, error) {
			p := c.Recv.(*Pending)
			p.waited.Store(true)
			r, res, err := p.p.Wait(c.Duration("timeout"))
			if err != nil {
				return nil, err
			}
			if r != nil {
				return NewRows(r), nil
			}
			return &Result{res}, nil
		}},
		{Name: "blocked", Returns: "bool", Doc: "Waits until the server says that the statement waits for a lock (True), or has ended or the time is over (False). Row locks need the PROCESS privilege; without it a statement that still runs at the end of the time counts as blocked.", Params: []spec.Param{
			{Name: "within", Type: "duration", Optional: true, Doc: "How long to look, 1s by default."},
		}, Waits: pendingWaits, Impl: func(c *spec.Call) (starlark.Value, error) {
			within := blockedWithin
			if c.Has("within") {
				within = c.Duration("within")
			}
			b, err := c.Recv.(*Pending).p.Blocked(within)
			return starlark.Bool(b), err
		}},
	},
}).Seal()

var queryAllFunc = &spec.Func{
	Name: "query_all", Returns: "list", Elem: "rows|result",
	Doc: "Runs a statement that gives several results, such as CALL, and returns the list of them.",
	Params: []spec.Param{
		{Name: "sql", Type: "str", Doc: "The statement, or several when multi is true."},
		{Name: "multi", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "The text holds several statements; they run in order."},
	},
	Example: `
results = t.db.query_all("SELECT 1; SELECT 2", multi = True)
expect.eq([r.scalar() for r in results], [1, 2])
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		all, err := conn(c.Recv).QueryAll(plainCall(c), c.Str("sql"), c.Bool("multi"))
		if err != nil {
			return nil, err
		}
		out := make([]starlark.Value, len(all))
		for i, r := range all {
			out[i] = NewRows(r)
		}
		return starlark.NewList(out), nil
	},
}

// rowSource gives rows from a list, or from a function fn(i) that returns None at the end.
func rowSource(c *spec.Call, v starlark.Value) (func(i int) ([]driver.Value, error), func(), error) {
	if fn, ok := v.(starlark.Callable); ok {
		return func(i int) ([]driver.Value, error) {
			row, err := starlark.Call(c.Thread, fn, starlark.Tuple{starlark.MakeInt(i)}, nil)
			if err != nil || row == starlark.None {
				return nil, err
			}
			return rowValues(c, i, row)
		}, func() {}, nil
	}
	it := starlark.Iterate(v)
	if it == nil {
		return nil, nil, c.Errorf("rows", "want a list of rows or a function fn(i), got %s", v.Type())
	}
	return func(i int) ([]driver.Value, error) {
		var row starlark.Value
		if !it.Next(&row) {
			return nil, nil
		}
		return rowValues(c, i, row)
	}, it.Done, nil
}

func rowValues(c *spec.Call, i int, row starlark.Value) ([]driver.Value, error) {
	it := starlark.Iterate(row)
	if it == nil {
		return nil, c.Errorf("rows", "row %d: want a tuple or list of values, got %s", i, row.Type())
	}
	defer it.Done()
	out := []driver.Value{}
	var v starlark.Value
	for it.Next(&v) {
		a, err := ToArg(v)
		if err != nil {
			return nil, c.Errorf("rows", "row %d: value %d: %v", i, len(out)+1, err)
		}
		out = append(out, a)
	}
	return out, nil
}

var insertFunc = &spec.Func{
	Name: "insert", Returns: "result",
	Doc: "Inserts many rows by multi-row INSERTs that fit the server's max_allowed_packet.",
	Params: []spec.Param{
		{Name: "table", Type: "str", Doc: "The table, or database.table."},
		{Name: "columns", Type: "list|None", Doc: "The columns' names; None for all in the table's order."},
		{Name: "rows", Type: "iterable|callable", Doc: "A list of tuples, or a function fn(i) that returns row i (from 0) and None at the end."},
		{Name: "batch", Type: "int", Default: starlark.MakeInt(1000), KwOnly: true, Doc: "Rows in one statement at most."},
	},
	Example: `
t.db.exec("CREATE TABLE n (id INT, square INT)")
t.db.insert("n", ["id", "square"], [(i, i * i) for i in range(10)])
expect.eq(t.db.query("SELECT SUM(square) FROM n").scalar(), 285)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		columns, err := c.Texts("columns")
		if err != nil {
			return nil, err
		}
		if n := c.Int("batch"); n < 1 || n > 100_000 {
			return nil, c.Errorf("batch", "want 1 to 100000, got %d", n)
		}
		next, done, err := rowSource(c, c.Arg("rows"))
		if err != nil {
			return nil, err
		}
		defer done()
		r, err := conn(c.Recv).Insert(plainCall(c), session.InsertSpec{Table: c.Str("table"), Columns: columns, Next: next, Batch: int(c.Int("batch"))})
		if err != nil {
			return nil, err
		}
		return &Result{r}, nil
	},
}

var loadDataFunc = &spec.Func{
	Name: "load_data", Returns: "result",
	Doc: "Loads rows with LOAD DATA LOCAL, the fastest way in; no file is needed. A function's rows are sent while it makes them: however many there are, they take little memory; it cannot use this session meanwhile. Each row must have as many values as there are columns. A file is checked before anything is sent; when a function fails, rows before it may have been loaded, which a transaction can undo.",
	Params: []spec.Param{
		{Name: "table", Type: "str", Doc: "The table, or database.table."},
		{Name: "rows", Type: "iterable|callable|str", Doc: "A list of tuples, a function fn(i) that returns row i (from 0) and None at the end, or the path of a file, from the script's folder."},
		{Name: "columns", Type: "list", Optional: true, KwOnly: true, Doc: "The columns' names, in the order of the rows; without it those that the file's header names, else all in the table's order."},
		{Name: "format", Type: "str", Optional: true, KwOnly: true, Doc: "Of a file: \"tsv\", as the server writes it, with \\N for NULL; or \"csv\", where an unquoted NULL is NULL, \\N is a text of two characters and \"\" an empty text; a quote in the middle of a value stands for itself. By the file's name without it. Lines end with LF or CR LF, all alike."},
		{Name: "header", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "The first line of a file is no row but names the columns, unless columns= does."},
		{Name: "strict", Type: "bool", Default: starlark.True, KwOnly: true, Doc: "What the server only warns of is an error: LOAD DATA LOCAL turns a value that does not fit into another one and passes over a row whose key is there already. A file whose rows have the wrong number of values is then refused whole. With False the server does as it does, and result.warnings tells."},
	},
	Example: `
t.requires("load_data")
t.db.exec("CREATE TABLE n (id INT, name VARCHAR(20))")
t.db.load_data("n", [(1, "one"), (2, None)])
expect.eq(t.db.query("SELECT COUNT(*) FROM n").scalar(), 2)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		columns, err := c.Texts("columns")
		if err != nil {
			return nil, err
		}
		if path, ok := starlark.AsString(c.Arg("rows")); ok {
			return loadFile(c, path, columns)
		}
		next, done, err := rowSource(c, c.Arg("rows"))
		if err != nil {
			return nil, err
		}
		defer done()
		r, err := conn(c.Recv).LoadData(plainCall(c), session.LoadSpec{Table: c.Str("table"), Columns: columns, Next: next, Strict: c.Bool("strict")})
		if err != nil {
			return nil, err
		}
		return &Result{r}, nil
	},
}

// loadFile loads a file that lies beside the script, or below.
func loadFile(c *spec.Call, path string, columns []string) (starlark.Value, error) {
	format := c.Str("format")
	if format == "" {
		format = strings.TrimPrefix(filepath.Ext(path), ".")
	}
	if format != "tsv" && format != "csv" {
		return nil, c.Errorf("format", "want \"tsv\" or \"csv\", got %q", format)
	}
	root, err := os.OpenRoot(filepath.Dir(script.CallerPos(c.Thread).File))
	if err != nil {
		return nil, c.Errorf("rows", "%v", err)
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(path))
	if err != nil {
		return nil, c.Errorf("rows", "%s", FileError(path, err))
	}
	defer f.Close()
	r, err := conn(c.Recv).LoadData(plainCall(c), session.LoadSpec{Table: c.Str("table"), Columns: columns, Reader: f, Format: format, Header: c.Bool("header"), Strict: c.Bool("strict")})
	if err != nil {
		return nil, err
	}
	return &Result{r}, nil
}
