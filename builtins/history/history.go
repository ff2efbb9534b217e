// Package history declares the module history: what the clients of a database saw, with what it proves.
//
// [Module] is the list. A history is recorded by the script's own operations or by a generator; how an operation ended is
// decided here from its session, never by the script.
package history

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/elle"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/history"
	"rig/runtime/history/record"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
	"rig/runtime/verdict"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "history", Doc: "What the clients of a database saw, and what that proves: which anomalies there were, which isolation levels they rule out.",
		Funcs: append([]*spec.Func{newFunc}, generators()...),
		Types: []*spec.Type{historyType, operationType, verdictType},
	}
}

// History is a history that is being recorded.
type History struct {
	t    *scenario.Test
	id   event.ID
	as   event.History
	pos  event.Pos
	rec  *record.Recorder
	name string // of its table

	mu      sync.Mutex
	clients map[event.ID]*record.Client // guarded by mu, by session
	tables  map[string]bool             // guarded by mu: databases that have its table
}

var _ starlark.HasAttrs = (*History)(nil)

// begin makes a history of the test and puts its begin on the stream.
func begin(c *spec.Call, as event.History, limit int) (*History, error) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	h := &History{t: t, id: t.Bus().NextID(), as: as, pos: script.CallerPos(c.Thread), clients: map[event.ID]*record.Client{}, tables: map[string]bool{}}
	if h.as.Name == "" {
		h.as.Name = fmt.Sprintf("%s#%d", as.Model, h.id)
	}
	h.name = fmt.Sprintf("history_%s_%d", t.RunID(), h.id) // in a database of the user's there may be others
	h.rec = record.New(record.Options{Limit: limit, Now: func() int64 { return int64(t.Bus().Since()) }, Emit: h.emit})
	t.Bus().Emit(event.Event{ID: h.id, Parent: t.EventID(), Test: t.ID(), Pos: h.pos, Data: &h.as})
	return h, nil
}

// emit puts an event of the history on the run's stream. There are many, so that what the history has said is not repeated.
func (h *History) emit(e *history.Event, json []byte) {
	d := &event.Operation{Process: e.Process, Type: e.Type.String(), F: e.F, Value: json, Error: e.Error}
	h.t.Bus().Emit(event.Event{At: time.Duration(e.Time), Parent: h.id, Data: d})
}

// client gives the client that a session is.
func (h *History) client(s *session.Session) *record.Client {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := h.clients[s.ID()]
	if c == nil {
		c = h.rec.Client()
		h.clients[s.ID()] = c
	}
	return c
}

// String is the name with how many operations there were.
func (h *History) String() string {
	return fmt.Sprintf("<history %s: %s, %d operations>", h.as.Name, h.as.Model, h.rec.Counts().All())
}
func (h *History) Type() string          { return "history" }
func (h *History) Freeze()               {} // any task may record: the recorder has a lock
func (h *History) Truth() starlark.Bool  { return true }
func (h *History) Hash() (uint32, error) { return uint32(h.id), nil }

// Attr finds a member.
func (h *History) Attr(name string) (starlark.Value, error) { return historyType.Attr(h, name) }

// AttrNames lists the members.
func (h *History) AttrNames() []string { return historyType.AttrNames() }

var historyType = (&spec.Type{
	Live: true,
	Name: "history", Var: "h",
	Doc: "Operations of clients as they happen. Each session is a client; several tasks may record into one history. How an operation ended follows from the protocol: ok if its COMMIT, or each of its changes outside a transaction, was answered; failed if nothing of it can last; unknown if the answer was lost or the server was stopped at it. After an unknown one its session counts as a new process, as what was sent may still happen. The history is part of the journal: rig check run.jsonl checks it again.",
	Example: `
h = history.new("list-append")
a, b = t.sessions(2)
h.txn(a, [("append", "x", 1), ("r", "x")])
h.txn(b, [("append", "x", 2), ("r", "x")])
expect.true(h.check(level = "serializable"))
expect.eq(h.counts["ok"], 2)
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "Its name in the journal.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*History).as.Name), nil
		}},
		{Name: "model", Type: "str", Doc: "What its operations do.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*History).as.Model), nil
		}},
		{Name: "counts", Type: "dict", Doc: "How many operations are \"ok\", \"failed\", \"unknown\" and \"running\".", Get: func(v starlark.Value) (starlark.Value, error) {
			c := v.(*History).rec.Counts()
			return countsOf(map[string]int{"ok": c.OK, "failed": c.Failed, "unknown": c.Unknown, "running": c.Running}), nil
		}},
	},
	Methods: []*spec.Func{txnFunc, opFunc, invokeFunc, okFunc, failFunc, unknownFunc, checkFunc, exportFunc},
}).Seal()

var (
	levelParam = spec.Param{Name: "level", Type: "str", Form: "consistency", Optional: true, KwOnly: true, Doc: "For list-append and rw-register the level that must hold, such as \"serializable\" or \"snapshot-isolation\"; strict-serializable without one."}
	nameParam  = spec.Param{Name: "name", Type: "str", Optional: true, KwOnly: true, Doc: "The history's name in the journal."}
	limitParam = spec.Param{Name: "limit", Type: "int", Default: starlark.MakeInt(record.DefaultLimit), KwOnly: true, Doc: "The most operations that it takes; the journal has each of them."}
)

// asList reads the optional names of assumptions.
func assumeParam() spec.Param {
	return spec.Param{Name: "assume", Type: "list", Optional: true, KwOnly: true, Doc: "For rw-register, what is known of each key: \"wfr\" (a transaction writes after what it read), \"sequential\", \"linearizable\". What the database does not keep gives false alarms."}
}

var newFunc = &spec.Func{
	Name: "new", Returns: "history",
	Doc: "Begins a history.",
	Params: []spec.Param{
		{Name: "model", Type: "str", Doc: "What its operations do: \"list-append\", \"rw-register\", \"bank\", \"set\", \"set-full\", \"counter\", \"long-fork\", \"register\", \"cas-register\", \"multi-register\" or \"mutex\". docs/histories.md has the operations of each."},
		levelParam, assumeParam(),
		{Name: "total", Type: "int", Optional: true, KwOnly: true, Doc: "For bank, what all balances add up to; the first read's total without it."},
		{Name: "overdrawn", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "For bank, balances may be negative."},
		nameParam, limitParam,
	},
	Example: `
h = history.new("bank", total = 200)
t.db.exec("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
t.db.exec("INSERT INTO account VALUES (1, 100), (2, 100)")
def read(conn):
    return {row.id: row.balance for row in conn.query("SELECT id, balance FROM account")}
h.op(t.db, "read", read)
expect.true(h.check())
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		as := event.History{Name: c.Str("name"), Model: c.Str("model"), Overdrawn: c.Bool("overdrawn")}
		if !slices.Contains(verdict.Models(), as.Model) {
			return nil, c.Errorf("model", "%s", unknownName("model", as.Model, verdict.Models()))
		}
		if c.Has("total") {
			total := c.Int("total")
			as.Total = &total
		}
		if err := assumptions(c, &as); err != nil {
			return nil, err
		}
		if n := c.Int("limit"); n < 1 || n > record.DefaultLimit {
			return nil, c.Errorf("limit", "want 1 to %d operations, got %d", record.DefaultLimit, n)
		}
		return begin(c, as, int(c.Int("limit")))
	},
}

// assumptions reads level and assume, which only some models have.
func assumptions(c *spec.Call, as *event.History) error {
	var err error
	if as.Level, err = level(c, as.Model); err != nil {
		return err
	}
	if as.Assume, err = c.Texts("assume"); err != nil {
		return err
	}
	known := []string{"wfr", "sequential", "linearizable"}
	for _, a := range as.Assume {
		if !slices.Contains(known, a) {
			return c.Errorf("assume", "%s", unknownName("assumption", a, known))
		}
	}
	if len(as.Assume) > 0 && as.Model != string(elle.RWRegister) {
		return c.Errorf("assume", "is for rw-register, not for %s", as.Model)
	}
	return nil
}

// level reads the argument of that name as the lattice calls it; "" without one.
func level(c *spec.Call, model string) (string, error) {
	if !c.Has("level") {
		return "", nil
	}
	if !verdict.Transactional(model) {
		return "", c.Errorf("level", "is for list-append and rw-register: what %s shows is no isolation level", model)
	}
	name, err := elle.Level(c.Str("level"))
	if err != nil {
		return "", c.Errorf("level", "%s", unknownName("level", c.Str("level"), elle.Levels()))
	}
	return name, nil
}

// unknownName is the problem of a name that is none of those known.
func unknownName(what, name string, known []string) string {
	if near := fault.Suggest(name, known); near != "" {
		return fmt.Sprintf("there is no %s %q, did you mean %q?", what, name, near)
	}
	return fmt.Sprintf("there is no %s %q: it is one of %s", what, name, strings.Join(known, ", "))
}

// sessionOf reads the argument conn.
func sessionOf(c *spec.Call) *value.Session { return c.Arg("conn").(*value.Session) }

// callOf describes the call to the session.
func callOf(c *spec.Call, s *value.Session) session.Call {
	return session.Call{Op: c.Name(), Pos: script.CallerPos(c.Thread), Holder: c.Script().Name(), Parent: c.Script().Span(), Lease: s.Lease()}
}
