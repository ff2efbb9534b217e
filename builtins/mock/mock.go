// Package mock declares the module mock: sessions on a server that answers from rules.
package mock

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/mock"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "mock", Doc: "Sessions without a database: a server inside rig speaks the real protocol, and answers from rules. " +
			"`rig exec --target mock:rules.star` runs whole files against the rules of a file that defines `rules = [...]`.",
		Funcs: []*spec.Func{ruleFunc, connectionFunc},
		Types: []*spec.Type{ruleType, connectionType},
		Constants: []spec.Constant{
			{Name: "any", Type: "mock_any", Doc: "Stands in a rule's args for every value.", Value: anything{}},
		},
	}
}

// anything is mock.any.
type anything struct{}

func (anything) String() string        { return "mock.any" }
func (anything) Type() string          { return "mock_any" }
func (anything) Freeze()               {}
func (anything) Truth() starlark.Bool  { return true }
func (anything) Hash() (uint32, error) { return starlark.String("mock.any").Hash() }

// rule is a rule of a script. It does not change.
type rule struct{ r mock.Rule }

func (r *rule) String() string        { return fmt.Sprintf("<rule %s %q>", r.r.How, r.r.Query) }
func (r *rule) Type() string          { return "mock_rule" }
func (r *rule) Freeze()               {}
func (r *rule) Truth() starlark.Bool  { return true }
func (r *rule) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: mock_rule") }

var ruleType = (&spec.Type{
	Name: "mock_rule", Doc: "What a mock answers to which statement; see mock.rule.",
	Example: `
print(mock.rule("SELECT 1", rows = [{"1": 1}]))
`,
}).Seal()

var ruleFunc = &spec.Func{
	Name: "rule", Returns: "mock_rule", LoadTime: true,
	Doc: "Says what a mock answers to which statement. A dict with the same keys is a rule too. Of several rules that fit, the first that is not used up answers. " +
		"Blanks, comments and the case of words make no difference to query and prefix; a ? in them takes any value, also where the statement has it in its text. " +
		"BEGIN, COMMIT, ROLLBACK, savepoints, SET, USE and SHOW WARNINGS are answered without a rule.",
	Params: []spec.Param{
		{Name: "query", Type: "str", Optional: true, Doc: "The whole statement."},
		{Name: "prefix", Type: "str", Optional: true, KwOnly: true, Doc: "Instead of query: its beginning."},
		{Name: "regexp", Type: "str", Optional: true, KwOnly: true, Doc: "Instead of query: a pattern found anywhere in the statement as conn.queries shows it."},
		{Name: "handshake", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "Instead of query: the rule answers new connections, with error, delay or drop."},
		{Name: "args", Type: "list", Optional: true, KwOnly: true, Doc: "What must stand in the place of each ?; mock.any is everything."},
		{Name: "rows", Type: "list|rows", Optional: true, KwOnly: true, Doc: "The rows: dicts, or tuples together with columns. The rows of a real query do as well."},
		{Name: "columns", Type: "list", Optional: true, KwOnly: true, Doc: "The names of the columns, also of a result without rows."},
		{Name: "affected", Type: "int", Optional: true, KwOnly: true, Doc: "Instead of rows: how many rows were changed."},
		{Name: "last_insert_id", Type: "int", Optional: true, KwOnly: true, Doc: "The AUTO_INCREMENT value."},
		{Name: "results", Type: "list", Optional: true, KwOnly: true, Doc: "Several results, as of CALL: dicts of rows, columns, affected, last_insert_id."},
		{Name: "error", Type: "int|str|dict", Optional: true, KwOnly: true, Doc: "Instead of rows: a server's error by its number (1213), its name (\"ER_LOCK_DEADLOCK\"), or a dict of code, message, sqlstate."},
		{Name: "delay", Type: "duration", Optional: true, KwOnly: true, Doc: "Before the answer. KILL QUERY ends it, as does the session's time-out."},
		{Name: "drop", Type: "str", Optional: true, KwOnly: true, Doc: "How the connection ends: \"before_reply\" (the statement arrived, its reply is lost), \"mid_packet\", \"mid_rows\" (after the first row), \"after_reply\", \"garbage\" (the reply is no MySQL protocol)."},
		{Name: "answers", Type: "list", Optional: true, KwOnly: true, Doc: "One answer after the other: dicts of rows, columns, affected, last_insert_id, results, error, delay, drop. The last one stays."},
		{Name: "times", Type: "int", Optional: true, KwOnly: true, Doc: "How often the rule answers; then it is used up. verify() wants exactly so many."},
	},
	Example: `
conn = mock.connection([
    mock.rule("SELECT name FROM users WHERE id = ?", args = [1], rows = [{"name": "Ada"}]),
    mock.rule(prefix = "INSERT INTO users", answers = [{"error": 1213}, {"affected": 1}]),
])
expect.eq(conn.query("SELECT name FROM users WHERE id = ?", 1).scalar(), "Ada")
expect.error(conn.exec, "INSERT INTO users VALUES (2)", kind = "deadlock")
expect.eq(conn.exec("INSERT INTO users VALUES (2)").rows_affected, 1)
`,
	Impl: makeRule,
}

func makeRule(c *spec.Call) (starlark.Value, error) {
	var b builder
	for _, key := range ruleKeys {
		if !c.Has(key) || key == "handshake" && !c.Bool(key) {
			continue
		}
		if err := b.set(key, c.Arg(key)); err != nil {
			return nil, c.Errorf(key, "%v", err)
		}
	}
	r, err := b.finish()
	if err != nil {
		return nil, &spec.ArgError{Call: c.Name(), Problem: err.Error()}
	}
	r.Where = script.CallerPos(c.Thread).String()
	if _, err := mock.New([]mock.Rule{r}); err != nil { // a mistake is told where it was made
		e := err.(*mock.RuleError)
		return nil, &spec.ArgError{Call: c.Name(), Problem: e.Problem, Hint: e.Hint}
	}
	return &rule{r}, nil
}

// connection is what a mock's session has beside a session's members.
type connection struct{ srv *mock.Server }

func (m *connection) String() string        { return "<mock>" }
func (m *connection) Type() string          { return "mock_connection" }
func (m *connection) Freeze()               {}
func (m *connection) Truth() starlark.Bool  { return true }
func (m *connection) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: mock_connection") }

// Attr finds a member.
func (m *connection) Attr(name string) (starlark.Value, error) { return connectionType.Attr(m, name) }

// AttrNames lists the members.
func (m *connection) AttrNames() []string { return connectionType.AttrNames() }

var connectionType = (&spec.Type{
	Live: true,
	Name: "mock_connection", Var: "conn", Open: true, // it has what sessions have
	Doc: "What the session that mock.connection gives has beside every member of a session.",
	Example: `
conn = mock.connection([{"query": "DELETE FROM log", "affected": 3, "times": 1}])
conn.exec("DELETE FROM log")
expect.eq(conn.queries[0].sql, "DELETE FROM log")
conn.verify()
`,
	Attrs: []spec.Attr{{Name: "queries", Type: "list", Doc: "What was asked, in order, as structs of sql (values in place of ?, blanks reduced), args (what stood in place of the rule's ?) and rule (its number from 1, None for a BEGIN, COMMIT and so on that needs none). Of more than 10,000, or 64 MiB of SQL, the first.", Get: func(v starlark.Value) (starlark.Value, error) {
		return queries(v.(*connection).srv.Asked()), nil
	}}},
	Methods: []*spec.Func{{
		Name: "verify", Doc: "Fails the test unless every statement was answered by a rule, and each rule with times answered as often as it says.",
		Params: []spec.Param{{Name: "all", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "The rules without times must have answered at least once."}},
		Impl: func(c *spec.Call) (starlark.Value, error) {
			t, err := scenario.FromThread(c.Thread)
			if err != nil {
				return nil, err
			}
			bad := c.Recv.(*connection).srv.Verify(c.Bool("all"))
			if len(bad) == 0 {
				t.Expectation(nil)
				return starlark.None, nil
			}
			e := &event.Error{Kind: "expectation", Op: c.Name(), Message: strings.Join(bad, "\n"), Pos: script.CallerPos(c.Thread)}
			t.Expectation(e)
			return nil, &scenario.ExpectationError{E: e}
		},
	}},
}).Seal()

func queries(asked []mock.Asked) starlark.Value {
	out := make([]starlark.Value, len(asked))
	for i, a := range asked {
		args := make([]starlark.Value, len(a.Args))
		for j, v := range a.Args {
			args[j] = fromValue(v)
		}
		var rule starlark.Value = starlark.None
		if a.Rule > 0 {
			rule = starlark.MakeInt(a.Rule)
		}
		out[i] = starlarkstruct.FromStringDict(starlarkstruct.Default, starlark.StringDict{
			"sql": starlark.String(a.SQL), "args": starlark.NewList(args), "rule": rule,
		})
	}
	return starlark.NewList(out)
}

var connectionFunc = &spec.Func{
	Name: "connection", Returns: "mock_connection",
	Doc: "Opens a session on a server of its own that answers from rules, by the real protocol and through the real driver: it does all that a session does, and goes wherever one goes. After a drop, conn.reset() connects again.",
	Params: []spec.Param{
		{Name: "rules", Type: "list", Doc: "Rules: dicts, or what mock.rule gives. They may be made while the file loads."},
		{Name: "name", Type: "str", Default: starlark.String("mock"), KwOnly: true, Doc: "How reports call the session."},
	},
	Example: `
def total(conn):
    return conn.query("SELECT SUM(balance) FROM account").scalar()

conn = mock.connection([{"query": "SELECT SUM(balance) FROM account", "rows": [{"total": 42}]}])
expect.eq(total(conn), 42)
conn.verify()
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		rules, err := Compile(c.Arg("rules"))
		if err != nil {
			return nil, c.Errorf("rules", "%v", err)
		}
		srv, err := mock.New(rules)
		if err != nil {
			e := err.(*mock.RuleError)
			return nil, &spec.ArgError{Call: c.Name(), Param: "rules", Problem: e.Error(), Hint: e.Hint}
		}
		s, release, err := open(t, srv, c)
		if err != nil {
			return nil, err
		}
		t.Adopt(s, release)
		return value.NewSpecial(s, &connection{srv}), nil
	},
}

// open connects to a mock server. The first connection is the one that kills statements.
func open(t *scenario.Test, srv *mock.Server, c *spec.Call) (*session.Session, func(), error) {
	cfg := t.SessionConfig()
	cfg.Target, cfg.Network, cfg.Address, cfg.Flavor = "mock", "unix", "mock", "mock"
	cfg.User, cfg.Password, cfg.Database, cfg.TLS, cfg.Init = "rig", "", "", nil, nil
	cfg.Dial = srv.Dialer(1)
	hub := session.NewHub(cfg)
	release := func() {
		_ = hub.Close() // it gives no error
		srv.Close()
	}
	o := t.SessionOptions(c.Str("name"))
	o.Pos = script.CallerPos(c.Thread)
	s, err := hub.Open(t.Context(), o)
	if err != nil {
		release()
		return nil, nil, err
	}
	return s, release, nil
}
