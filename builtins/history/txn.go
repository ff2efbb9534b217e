package history

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/elle"
	"rig/runtime/fault"
	"rig/runtime/history"
	"rig/runtime/session"
)

var txnFunc = &spec.Func{
	Name: "txn", Returns: "history_op",
	Doc: "Runs micro-operations as one transaction and records it: (\"r\", key), and (\"append\", key, value) of list-append or (\"w\", key, value) of rw-register. Without run they go to a table that rig makes in the session's database. Each value may be written only once to a key, as who reads it could not tell whose it is. Errors of the database end in the operation, not in the script.",
	Params: []spec.Param{
		connParam,
		{Name: "ops", Type: "list", Doc: "The micro-operations; keys and values are int or str. Frozen."},
		{Name: "run", Type: "callable", Optional: true, KwOnly: true, Doc: "run(conn, op) does one of them on tables of the script's own, within the transaction; of an \"r\" it returns what was read: a list, or for rw-register a value or None."},
		{Name: "isolation", Type: "str", Form: "isolation", Optional: true, KwOnly: true, Doc: "The level of this transaction; the session's without it."},
	},
	Example: `
h = history.new("rw-register")
t.db.exec("CREATE TABLE stock (article VARCHAR(10) PRIMARY KEY, n INT NOT NULL)")
def run(conn, op):
    if op[0] == "r":
        rows = conn.query("SELECT n FROM stock WHERE article = ?", op[1])
        return rows.scalar() if len(rows) else None
    conn.exec("REPLACE INTO stock VALUES (?, ?)", op[1], op[2])
h.txn(t.db, [("w", "apple", 7)], run = run)
op = h.txn(t.db, [("r", "apple"), ("r", "pear")], run = run)
expect.eq(op.value, (("r", "apple", 7), ("r", "pear", None)))
expect.true(h.check())
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		h, s := c.Recv.(*History), sessionOf(c)
		asked, err := h.micro(c)
		if err != nil {
			return nil, err
		}
		x := &transaction{c: c, h: h, s: s, call: callOf(c, s), ops: c.List("ops")}
		if x.run = c.Callable("run"); x.run == nil {
			if err := x.makeTable(); err != nil {
				return nil, err
			}
		}
		return h.perform(c, s, "txn", asked, func() (history.Value, error) { return x.do(asked) })
	},
}

// micro reads and checks the argument ops.
func (h *History) micro(c *spec.Call) (history.Value, error) {
	if h.as.Model != string(elle.ListAppend) && h.as.Model != string(elle.RWRegister) {
		return history.Value{}, c.Errorf("", "is for list-append and rw-register; record a %s with h.op", h.as.Model)
	}
	write := "append"
	if h.as.Model == string(elle.RWRegister) {
		write = "w"
	}
	v, err := argument(c, "ops")
	if err != nil {
		return v, err
	}
	if len(v.Items) == 0 {
		return v, c.Errorf("ops", "a transaction has at least one micro-operation")
	}
	for i := range v.Items {
		m := &v.Items[i]
		if !wellFormed(m, write) {
			return v, c.Errorf("ops", "micro-operation %d is %s: want (\"r\", key) or (\"%s\", key, value), with keys and values that are int or str", i, m.String(), write)
		}
		m.Items[0] = history.Value{Kind: history.Keyword, Text: ":" + m.Items[0].Text}
		if len(m.Items) == 2 {
			m.Items = append(m.Items, history.Value{})
		}
	}
	return v, nil
}

func wellFormed(m *history.Value, write string) bool {
	plain := func(v *history.Value) bool { return v.Kind == history.Int || v.Kind == history.Text && v.Text != "" }
	if m.Kind != history.List || len(m.Items) < 2 || m.Items[0].Kind != history.Text || !plain(&m.Items[1]) {
		return false
	}
	switch m.Items[0].Text {
	case "r":
		return len(m.Items) == 2 || len(m.Items) == 3 && m.Items[2].Kind == history.NilValue
	case write:
		return len(m.Items) == 3 && plain(&m.Items[2])
	}
	return false
}

// transaction is a call of h.txn.
type transaction struct {
	c    *spec.Call
	h    *History
	s    *value.Session
	call session.Call
	ops  []starlark.Value
	run  starlark.Callable // nil: on the history's own table
}

// do runs the micro-operations and gives them with what was read.
func (x *transaction) do(asked history.Value) (history.Value, error) {
	s := x.s.Session()
	done := history.Value{Kind: history.List, Items: make([]history.Value, len(asked.Items))}
	if err := s.Begin(x.call, session.TxOptions{Isolation: x.c.Str("isolation")}); err != nil {
		return done, err
	}
	for i := range asked.Items {
		m := asked.Items[i].Items
		seen, err := x.step(i, m)
		if err != nil {
			return done, err
		}
		if m[0].Text != ":r" {
			seen = m[2]
		}
		done.Items[i] = history.Value{Kind: history.List, Items: []history.Value{m[0], m[1], seen}}
	}
	return done, s.Commit(x.call)
}

// step does one micro-operation.
func (x *transaction) step(i int, m []history.Value) (history.Value, error) {
	switch {
	case x.run != nil:
		return x.call1(i, m[0].Text == ":r")
	case m[0].Text == ":r":
		return x.read(&m[1])
	}
	key, val := text(&m[1]), text(&m[2])
	sql, args := "REPLACE INTO "+x.h.name+" VALUES (?, ?)", []driver.Value{key, val}
	if m[0].Text == ":append" {
		sql, args = "INSERT INTO "+x.h.name+" VALUES (?, ?) ON DUPLICATE KEY UPDATE val = CONCAT(val, '\\n', ?)", append(args, val)
	}
	_, err := x.s.Session().Exec(x.call, sql, args)
	return history.Value{}, err
}

// call1 lets the script do micro-operation i.
func (x *transaction) call1(i int, reads bool) (history.Value, error) {
	v, err := starlark.Call(x.c.Thread, x.run, starlark.Tuple{x.s, x.ops[i]}, nil)
	if err != nil || !reads {
		return history.Value{}, err
	}
	seen, err := toValue(v, 0)
	if err == nil && x.h.as.Model == string(elle.ListAppend) && !seen.Sequence() && seen.Kind != history.NilValue {
		err = fmt.Errorf("want the list that was read, got %s", v.Type())
	}
	if err != nil {
		return seen, x.c.Errorf("run", "what it returned: %v", err)
	}
	return seen, nil
}

// read takes a key of the history's own table.
func (x *transaction) read(key *history.Value) (history.Value, error) {
	out := history.Value{}
	rows, err := x.s.Session().Query(x.call, "SELECT val FROM "+x.h.name+" WHERE id = ?", []driver.Value{text(key)})
	if err != nil {
		return out, err
	}
	appends := x.h.as.Model == string(elle.ListAppend)
	if appends {
		out.Kind = history.List
	}
	if rows.Len() == 0 {
		return out, nil
	}
	stored := fmt.Sprint(rows.Cell(0, 0))
	if b, ok := rows.Cell(0, 0).([]byte); ok {
		stored = string(b)
	}
	if !appends {
		return untext(stored), nil
	}
	for part := range strings.SplitSeq(stored, "\n") {
		out.Items = append(out.Items, untext(part))
	}
	return out, nil
}

// text is a key or value as the history's own table has it: 5 is i5, "5" is s5. Line ends stand between elements, so that
// those of texts are written otherwise.
func text(v *history.Value) string {
	if v.Kind == history.Int {
		return "i" + v.String()
	}
	return "s" + strings.NewReplacer(`\`, `\\`, "\n", `\n`).Replace(v.Text)
}

func untext(stored string) history.Value {
	var n int64
	if _, err := fmt.Sscanf(stored, "i%d", &n); err == nil {
		return history.Value{Kind: history.Int, Int: n}
	}
	return history.Value{Kind: history.Text, Text: strings.NewReplacer(`\\`, `\`, `\n`, "\n").Replace(strings.TrimPrefix(stored, "s"))}
}

// makeTable makes the history's table in the session's database, once. It goes with the test's database, or at the test's end.
func (x *transaction) makeTable() error {
	h, s := x.h, x.s.Session()
	h.mu.Lock()
	defer h.mu.Unlock()
	db := s.Database()
	if h.tables[db] {
		return nil
	}
	if in, _, err := s.InTransaction(x.call); err != nil {
		return err
	} else if in {
		return fault.New(fault.TransactionState, x.c.Name(), "a transaction is open: h.txn begins its own")
	}
	if _, err := s.Exec(x.call, "CREATE TABLE IF NOT EXISTS "+h.name+" (id VARBINARY(200) PRIMARY KEY, val LONGBLOB NOT NULL)", nil); err != nil {
		return err
	}
	h.tables[db] = true
	h.dropLater()
	return nil
}

// dropLater drops the history's table of the test's database when the test ends.
func (h *History) dropLater() {
	h.t.Cleanup("drop table "+h.name, func(context.Context) error {
		db, err := h.t.DB()
		if err != nil {
			return err
		}
		if db.Closed() { // the table goes with the test's database
			return nil
		}
		return value.DropTable(db, h.name)
	})
}
