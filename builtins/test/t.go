// Package test is the script's t: what a test knows of itself with what it may open.
//
// [Value] makes the t of a test; [Module] declares the functions that describe tests: param, test, cases.
package test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// T is the value that scripts call t.
type T struct {
	test   *scenario.Test
	params starlark.Value
	db     starlark.Value // the wrapper of the default session, made at first use
	pools  atomic.Int64   // made without a name
}

var _ starlark.HasAttrs = (*T)(nil)

// Value makes the t of a test. params gives t.params, the parameters of the test's file.
func Value(t *scenario.Test, params starlark.Value) *T { return &T{test: t, params: params} }

func (t *T) String() string        { return "<test " + t.test.ID() + ">" }
func (t *T) Type() string          { return "test" }
func (t *T) Freeze()               {}
func (t *T) Truth() starlark.Bool  { return true }
func (t *T) Hash() (uint32, error) { return starlark.String(t.test.ID()).Hash() }

// AttrNames lists what t offers.
func (t *T) AttrNames() []string { return tType.AttrNames() }

// Attr finds a member of t.
func (t *T) Attr(name string) (starlark.Value, error) {
	return tType.Attr(t, name)
}

func self(v starlark.Value) *T { return v.(*T) }

var tType = (&spec.Type{
	Name: "test", Var: "t",
	Doc: "The test that is running. It is the one argument of test functions and of setup, teardown, setup_all and teardown_all.",
	Example: `
t.db.exec("CREATE TABLE fruit (id INT PRIMARY KEY, name VARCHAR(20))")
t.db.exec("INSERT INTO fruit VALUES (?, ?)", 1, "apple")
expect.eq(t.db.query("SELECT name FROM fruit WHERE id = ?", 1).scalar(), "apple")
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "The name of the test function, or of the subtest.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(self(v).test.Name()), nil
		}},
		{Name: "seed", Type: "int", Doc: "The seed of the test's random numbers: the same for the same --seed and test.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt64(self(v).test.Seed()), nil
		}},
		{Name: "params", Type: "struct", Doc: "The parameters of the file by name.", Get: func(v starlark.Value) (starlark.Value, error) {
			return self(v).params, nil
		}},
		{Name: "target", Type: "target", Doc: "The server the test runs on: kind, version, name and has(capability).", Get: func(v starlark.Value) (starlark.Value, error) {
			return &target{self(v).test.TargetInfo()}, nil
		}},
		{Name: "shared", Type: "any", Doc: "What the file's setup_all returned, frozen; None without one.", Get: func(v starlark.Value) (starlark.Value, error) {
			return self(v).test.Shared(), nil
		}},
		{Name: "database", Type: "str", Doc: "The name of the test's own database, which is made at the first use and dropped after the test.", Get: func(v starlark.Value) (starlark.Value, error) {
			name, err := self(v).test.Database()
			return starlark.String(name), err
		}},
		{Name: "db", Type: "session", Doc: "The test's default session, in the test's own database. It is opened at the first use.", Get: func(v starlark.Value) (starlark.Value, error) {
			return self(v).session()
		}},
		{Name: "server", Type: "server", Doc: "The server of a test annotated with server = \"own\": kill, pause, resume, restart.", Get: func(v starlark.Value) (starlark.Value, error) {
			s, err := self(v).test.Server()
			if err != nil {
				return nil, err
			}
			return &ownServer{s}, nil
		}},
	},
	Methods: []*spec.Func{
		connectFunc, sessionsFunc, poolFunc, tableFunc, cleanupFunc, runFunc, skipFunc, requiresFunc, logFunc,
	},
}).Seal()

// Types lists the types declared here.
func Types() []*spec.Type { return []*spec.Type{tType, targetType, serverType, poolType} }

func (t *T) session() (starlark.Value, error) {
	s, err := t.test.DB()
	if err != nil {
		return nil, err
	}
	if w, ok := t.db.(*value.Session); ok {
		return w, nil
	}
	t.db = value.NewSession(s)
	return t.db, nil
}

var isolationParam = spec.Param{Name: "isolation", Type: "str", Form: "isolation", Optional: true, KwOnly: true, Doc: "The isolation level of the session's transactions: \"READ COMMITTED\" and so on."}

var connectFunc = &spec.Func{
	Name: "connect", Returns: "session",
	Doc: "Opens another session. It belongs to the test and is closed at its end. Without arguments it is on the test's target, in the test's own database.",
	Params: []spec.Param{
		{Name: "name", Type: "str", Optional: true, Doc: "How reports call the session; s1, s2, ... without one."},
		isolationParam,
		{Name: "database", Type: "str", Optional: true, KwOnly: true, Doc: "Another database. On a server that is not throw-away it must be allowed with --allow-database."},
		{Name: "autocommit", Type: "bool", Optional: true, KwOnly: true, Doc: "The session's autocommit; the server's default without it."},
		{Name: "target", Type: "str", Optional: true, KwOnly: true, Doc: "Another target: a kind of server or a name from rig.toml."},
		{Name: "host", Type: "str", Optional: true, KwOnly: true, Doc: "Another host."},
		{Name: "port", Type: "int", Optional: true, KwOnly: true, Doc: "Another port."},
		{Name: "user", Type: "str", Optional: true, KwOnly: true, Doc: "Another user."},
		{Name: "password", Type: "str", Optional: true, KwOnly: true, Doc: "The password of that user; it never appears in reports."},
	},
	Example: `
a = t.connect("writer", isolation = "READ COMMITTED")
expect.eq(a.name, "writer")
`,
	Waits: func(c *spec.Call) string {
		where := ""
		if c.Has("target") {
			where = " to " + c.Str("target")
		} else if c.Has("host") {
			where = " to " + c.Str("host")
		}
		return strings.TrimRight("connects session "+c.Str("name"), " ") + where
	},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		o := scenario.ConnectOptions{
			Name: c.Str("name"), Isolation: c.Str("isolation"), Database: c.Str("database"), Target: c.Str("target"),
			Host: c.Str("host"), Port: int(c.Int("port")), User: c.Str("user"), Password: c.Str("password"),
			Pos: script.CallerPos(c.Thread),
		}
		if c.Has("autocommit") {
			on := c.Bool("autocommit")
			o.Autocommit = &on
		}
		s, err := self(c.Recv).test.Connect(o)
		if err != nil {
			return nil, err
		}
		return value.NewSession(s), nil
	},
}

// maxSessions bounds t.sessions: more is a slip of the keyboard, and the server would refuse them one by one.
const maxSessions = 10_000

var sessionsFunc = &spec.Func{
	Name: "sessions", Returns: "list", Elem: "session",
	Doc: "Opens n sessions as connect does, named s1, s2, ....",
	Params: []spec.Param{
		{Name: "n", Type: "int", Doc: "How many, at least 1."},
		isolationParam,
		{Name: "autocommit", Type: "bool", Optional: true, KwOnly: true, Doc: "The sessions' autocommit."},
		{Name: "target", Type: "str", Optional: true, KwOnly: true, Doc: "Another target."},
	},
	Example: `
for s in t.sessions(3, isolation = "READ COMMITTED"):
    expect.eq(s.query("SELECT 1").scalar(), 1)
`,
	Waits: func(c *spec.Call) string { return fmt.Sprintf("connects %d sessions", c.Int("n")) },
	Impl: func(c *spec.Call) (starlark.Value, error) {
		n := c.Int("n")
		if n < 1 || n > maxSessions {
			return nil, c.Errorf("n", "want 1 to %d sessions, got %d", maxSessions, n)
		}
		o := scenario.ConnectOptions{Isolation: c.Str("isolation"), Target: c.Str("target"), Pos: script.CallerPos(c.Thread)}
		if c.Has("autocommit") {
			on := c.Bool("autocommit")
			o.Autocommit = &on
		}
		list := make([]starlark.Value, 0, n)
		for range n {
			s, err := self(c.Recv).test.Connect(o)
			if err != nil {
				return nil, err
			}
			list = append(list, value.NewSession(s))
		}
		return starlark.NewList(list), nil
	},
}

var tableFunc = &spec.Func{
	Name: "table", Returns: "str",
	Doc: "Gives a table name that no other table has. The table of that name in the test's database is dropped after the test.",
	Params: []spec.Param{
		{Name: "name", Type: "str", Doc: "The beginning of the name."},
	},
	Example: `
orders = t.table("orders")
t.db.exec("CREATE TABLE " + orders + " (id INT PRIMARY KEY)")
expect.eq(t.db.exec("INSERT INTO " + orders + " VALUES (1)").rows_affected, 1)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t := self(c.Recv).test
		prefix := c.Str("name")
		if prefix == "" || len(prefix) > 40 {
			return nil, c.Errorf("name", "want 1 to 40 characters, got %d", len(prefix))
		}
		name := fmt.Sprintf("%s_%d", prefix, t.Bus().NextID())
		t.Cleanup("drop table "+name, func(context.Context) error {
			db, err := t.DB()
			if err != nil {
				return err
			}
			if db.Closed() { // the table goes with the test's database
				return nil
			}
			return value.DropTable(db, name)
		})
		return starlark.String(name), nil
	},
}

var cleanupFunc = &spec.Func{
	Name: "cleanup",
	Doc:  "Calls fn(*args) when the test has ended, also when it failed. The last one registered runs first.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to call."},
		{Name: "args", Variadic: true, Type: "any", Doc: "Its arguments."},
	},
	Example: `
t.cleanup(print, "the test is over")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, fn, args, pos := self(c.Recv).test, c.Callable("fn"), c.Rest, script.CallerPos(c.Thread)
		t.Cleanup(fn.Name(), func(ctx context.Context) error {
			th := t.Host().Thread(ctx, t.ID()+" cleanup", t)
			_, err := th.Call(fn, args, nil)
			return placed(t, pos, err)
		})
		return starlark.None, nil
	},
}

// placed gives the error of a built-in that rig called itself the line that asked for it.
func placed(t *scenario.Test, pos event.Pos, err error) error {
	var e *script.Error
	if errors.As(err, &e) && e.Pos.IsZero() {
		e.Pos, e.Excerpt = pos, t.Host().Excerpt(pos)
	}
	return err
}

var runFunc = &spec.Func{
	Name: "run", Returns: "bool",
	Doc: "Runs fn(t, *args) as a subtest with a name of its own in reports. It returns whether the subtest passed; when one failed, the test fails at its end.",
	Params: []spec.Param{
		{Name: "name", Type: "str", Doc: "The subtest's name."},
		{Name: "fn", Type: "callable", Gives: "test", Doc: "The subtest; its first argument is a t of its own."},
		{Name: "args", Variadic: true, Type: "any", Doc: "Further arguments."},
	},
	Example: `
def adds_up(t, a, b, sum):
    expect.eq(a + b, sum)
t.run("small", adds_up, 1, 2, 3)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		name := c.Str("name")
		if name == "" {
			return nil, c.Errorf("name", "a subtest needs a name")
		}
		ok, err := self(c.Recv).test.Run(c.Script(), name, c.Callable("fn"), func(sub starlark.Value) (starlark.Tuple, []starlark.Tuple) {
			return append(starlark.Tuple{sub}, c.Rest...), nil
		})
		return starlark.Bool(ok), err
	},
}

var skipFunc = &spec.Func{
	Name: "skip",
	Doc:  "Ends the test as skipped, with the reason.",
	Params: []spec.Param{
		{Name: "why", Type: "str", Doc: "The reason, shown in reports."},
	},
	Example: `
if t.target.kind == "tidb":
    t.skip("TiDB has no gap locks")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		return nil, &scenario.SkipError{Why: c.Str("why")}
	},
}

var requiresFunc = &spec.Func{
	Name: "requires",
	Doc:  "Skips the test, with the reason, where the target lacks one of the abilities.",
	Params: []spec.Param{
		{Name: "abilities", Variadic: true, Type: "str", Form: "capability", Doc: "Capabilities (\"row_locks\") or versions (\"mariadb>=10.6\")."},
	},
	Example: `
t.requires("transactions")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		for _, v := range c.Rest {
			q, ok := starlark.AsString(v)
			if !ok {
				return nil, c.Errorf("abilities", "want str, got %s", v.Type())
			}
			if err := self(c.Recv).test.Require(q); err != nil {
				return nil, err
			}
		}
		return starlark.None, nil
	},
}

var logFunc = &spec.Func{
	Name:   "log",
	Doc:    "Writes a line into the test's report.",
	Params: value.LogParams(),
	Example: `
t.log("loaded", rows = 10)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		self(c.Recv).test.EmitFrom(c.Thread, value.LogLine(c, "info", ""))
		return starlark.None, nil
	},
}
