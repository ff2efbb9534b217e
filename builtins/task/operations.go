package task

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/coord"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

// operationNames are what an operation may be.
var operationNames = [...]string{"start_transaction", "query", "commit", "rollback"}

// operation is one of task.operations, with how it ended.
type operation struct {
	lane      int
	what, sql string

	value    starlark.Value
	err      *value.Error
	skipped  bool
	duration time.Duration
	looked   func() // notes that somebody saw how it ended
}

var (
	_ starlark.HasAttrs = (*operation)(nil)
	_ value.Ending      = (*operation)(nil)
)

// Err gives the error, nil for an operation that succeeded.
func (o *operation) Err() *value.Error {
	o.looked()
	return o.err
}

func (o *operation) state() string {
	switch {
	case o.skipped:
		return "skipped"
	case o.err != nil:
		return "failed"
	}
	return "ok"
}

func (o *operation) String() string {
	text := o.what
	if o.sql != "" {
		text = o.sql
	}
	s := fmt.Sprintf("<%s: connection %d, %s", o.state(), o.lane, text)
	if o.err != nil {
		s += ": " + o.err.String()
	}
	return s + ">"
}

func (o *operation) Type() string          { return "operation" }
func (o *operation) Freeze()               { o.value.Freeze() }
func (o *operation) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: operation") }

// Truth is whether it succeeded.
func (o *operation) Truth() starlark.Bool {
	o.looked()
	return o.state() == "ok"
}

// Attr finds a member.
func (o *operation) Attr(name string) (starlark.Value, error) { return operationType.Attr(o, name) }

// AttrNames lists the members.
func (o *operation) AttrNames() []string { return operationType.AttrNames() }

// ended makes an attribute that tells how the operation ended.
func ended(name, typ, doc string, get func(*operation) starlark.Value) spec.Attr {
	return spec.Attr{Name: name, Type: typ, Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) {
		o := v.(*operation)
		o.looked()
		return get(o), nil
	}}
}

var operationType = (&spec.Type{
	Name: "operation",
	Doc:  "How an operation of task.operations ended. It is true when it succeeded.",
	Example: `
r = task.operations([t.db], [{"connection_id": 0, "operation": "query", "query": "SELECT 1"}])[0]
expect.eq((r.state, r.connection_id, r.value.scalar()), ("ok", 0, 1))
`,
	Attrs: []spec.Attr{
		{Name: "connection_id", Type: "int", Doc: "Its connection, as it was given.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt(v.(*operation).lane), nil
		}},
		{Name: "operation", Type: "str", Doc: "What it was.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*operation).what), nil
		}},
		{Name: "query", Type: "str", Doc: "Its SQL; \"\" where it is no query.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*operation).sql), nil
		}},
		ended("state", "str", "\"ok\", \"failed\", or \"skipped\" because an earlier one of its connection failed.", func(o *operation) starlark.Value {
			return starlark.String(o.state())
		}),
		ended("ok", "bool", "Whether it succeeded.", func(o *operation) starlark.Value { return starlark.Bool(o.state() == "ok") }),
		ended("value", "rows|result|None", "The rows of a query that gives some, the result of another statement; else None.", func(o *operation) starlark.Value {
			return o.value
		}),
		ended("error", "error|None", "What went wrong; None for one that succeeded or was skipped.", func(o *operation) starlark.Value {
			if o.err != nil {
				return o.err
			}
			return starlark.None
		}),
		{Name: "duration", Type: "time.duration", Doc: "How long it took, with the rollback after an error.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlarktime.Duration(v.(*operation).duration), nil
		}},
	},
}).Seal()

var operationsFunc = &spec.Func{
	Name: "operations", Returns: "list", Elem: "operation",
	Doc: "Runs operations on several sessions: in order within a connection, at the same time across them. It returns one result for each, in the order given. After an error the rest of that connection is skipped and its transaction is rolled back. An operation is a dict: {\"connection_id\": 0, \"operation\": \"start_transaction\" | \"query\" | \"commit\" | \"rollback\", \"query\": \"SELECT 1\"}, with query for that operation only.",
	Params: []spec.Param{
		{Name: "conns", Type: "list", Doc: "Sessions; connection_id counts them from 0."},
		{Name: "ops", Type: "list", Doc: "The operations."},
	},
	Example: `
conns = t.sessions(2)
results = task.operations(conns, [
    {"connection_id": 0, "operation": "query", "query": "SELECT 1"},
    {"connection_id": 1, "operation": "query", "query": "SELECT nonsense FROM nowhere"},
    {"connection_id": 1, "operation": "query", "query": "SELECT 2"},
])
expect.eq([r.state for r in results], ["ok", "failed", "skipped"])
expect.eq(results[1].error.kind, "unknown_table")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		conns, err := sessionsOf(c)
		if err != nil {
			return nil, err
		}
		ops, err := readOperations(c, len(conns))
		if err != nil {
			return nil, err
		}
		return runOperations(c, t, conns, ops), nil
	},
}

// sessionsOf reads conns; one session cannot be two connections.
func sessionsOf(c *spec.Call) ([]*session.Session, error) {
	list, err := elements(c, "conns")
	if err != nil {
		return nil, err
	}
	out := make([]*session.Session, len(list))
	first := map[*session.Session]int{}
	for i, v := range list {
		w, ok := v.(*value.Session)
		if !ok {
			return nil, c.Errorf("conns", "[%d]: want a session, got %s", i, v.Type())
		}
		out[i] = w.Session()
		if at, twice := first[out[i]]; twice {
			return nil, c.Errorf("conns", "[%d] and [%d] are the same session, %s", at, i, out[i].Name())
		}
		first[out[i]] = i
	}
	return out, nil
}

func readOperations(c *spec.Call, conns int) ([]*operation, error) {
	list, err := elements(c, "ops")
	if err != nil {
		return nil, err
	}
	out := make([]*operation, len(list))
	for i, v := range list {
		d, ok := v.(*starlark.Dict)
		if !ok {
			return nil, c.Errorf("ops", "[%d]: want a dict, got %s", i, v.Type())
		}
		o, err := readOperation(d, conns)
		if err != nil {
			return nil, c.Errorf("ops", "[%d]: %v", i, err)
		}
		out[i] = o
	}
	return out, nil
}

func readOperation(d *starlark.Dict, conns int) (*operation, error) {
	o := &operation{lane: -1, value: starlark.None}
	hasQuery := false
	for k, v := range d.Entries() {
		key, _ := starlark.AsString(k)
		var ok bool
		switch key {
		case "connection_id":
			n, isInt := v.(starlark.Int)
			id, fits := n.Int64()
			if !isInt || !fits || id < 0 || id >= int64(conns) {
				return nil, fmt.Errorf("connection_id: want 0 to %d, as there are %d connections, got %s", conns-1, conns, v)
			}
			o.lane = int(id)
		case "operation":
			if o.what, ok = starlark.AsString(v); !ok || !slices.Contains(operationNames[:], o.what) {
				return nil, unknownName("operation", v, operationNames[:])
			}
		case "query":
			if o.sql, hasQuery = starlark.AsString(v); !hasQuery || strings.TrimSpace(o.sql) == "" {
				return nil, fmt.Errorf("query: want SQL, got %s", v)
			}
		default:
			return nil, unknownName("key", k, []string{"connection_id", "operation", "query"})
		}
	}
	switch {
	case o.lane < 0:
		return nil, fmt.Errorf("connection_id is missing")
	case o.what == "":
		return nil, fmt.Errorf("operation is missing: want one of %s", strings.Join(operationNames[:], ", "))
	case o.what == "query" && !hasQuery:
		return nil, fmt.Errorf("query is missing: the operation \"query\" needs one")
	case o.what != "query" && hasQuery:
		return nil, fmt.Errorf("the operation %q takes no query", o.what)
	}
	return o, nil
}

func unknownName(what string, v starlark.Value, known []string) error {
	if s, ok := starlark.AsString(v); ok {
		if near := fault.Suggest(s, known); near != "" {
			return fmt.Errorf("unknown %s %s, did you mean %q?", what, v, near)
		}
	}
	return fmt.Errorf("unknown %s %s: want one of %s", what, v, strings.Join(known, ", "))
}

// runOperations runs them and notes how each ended.
func runOperations(c *spec.Call, t *scenario.Test, conns []*session.Session, ops []*operation) starlark.Value {
	pos := script.CallerPos(c.Thread)
	name := fmt.Sprintf("operations#%d", t.Bus().NextID())
	calls := make([]coord.Operation, len(ops))
	for i, o := range ops {
		call := session.Call{Op: c.Name(), Pos: pos, Holder: fmt.Sprintf("%s connection %d", name, o.lane)}
		calls[i] = coord.Operation{Lane: o.lane, Run: func(context.Context) (any, error) { return o.run(conns[o.lane], call) }}
	}
	results := coord.Operations(c.Script().Context(), coord.OperationsOptions{
		Lanes: len(conns),
		Undo: func(lane int) error {
			return value.Undo(conns[lane], session.Call{Op: c.Name(), Pos: pos, Holder: fmt.Sprintf("%s connection %d", name, lane)})
		},
		Ended: func(k *coord.Task) {
			_, took, err := k.Result()
			d := &event.Task{Name: name + " " + k.Name(), Duration: took}
			if err != nil {
				d.Outcome, d.Error = event.Failed, script.Describe(err)
			}
			t.Emit(pos, d)
		},
	}, calls)
	return ending(c, t, ops, results)
}

// ending puts the results into the operations. Where some failed, the script has to look at one of them.
func ending(c *spec.Call, t *scenario.Test, ops []*operation, results []coord.OperationResult) starlark.Value {
	var seen atomic.Bool
	list := make([]starlark.Value, len(ops))
	var first *operation
	failed := 0
	for i, r := range results {
		o := ops[i]
		o.duration, o.skipped, o.looked = r.Duration, r.Skipped, func() {}
		if v, ok := r.Value.(starlark.Value); ok {
			o.value = v
		}
		if r.Err != nil {
			o.err = value.NewError(r.Err)
		}
		if r.Err != nil || r.Skipped {
			o.looked = func() { seen.Store(true) }
		}
		if r.Err != nil {
			if failed++; first == nil {
				first = o
			}
		}
		list[i] = o
	}
	if first != nil {
		value.Unseen{
			Call: c.Name(), Pos: script.CallerPos(c.Thread), Looked: seen.Load,
			Hint: "expect.all_ok(results), or look at each: r.state, r.error",
			Message: func() string {
				return fmt.Sprintf("%d of %d operations failed and nobody looked; the first: connection %d, %s", failed, len(ops), first.lane, first.err)
			},
		}.Watch(t)
	}
	return starlark.NewList(list)
}

// run does it on its session.
func (o *operation) run(s *session.Session, call session.Call) (any, error) {
	switch o.what {
	case "start_transaction":
		return starlark.None, s.Begin(call, session.TxOptions{})
	case "commit":
		return starlark.None, s.Commit(call)
	case "rollback":
		return starlark.None, s.Rollback(call)
	}
	if givesRows(o.sql) {
		r, err := s.Query(call, o.sql, nil)
		if err != nil {
			return nil, err
		}
		return value.NewRows(r), nil
	}
	r, err := s.Exec(call, o.sql, nil)
	if err != nil {
		return nil, err
	}
	return value.NewResult(r), nil
}

// givesRows tells from the first word whether the rows of a statement are wanted rather than its counts.
func givesRows(sql string) bool {
	word, _, _ := strings.Cut(strings.TrimLeft(strings.TrimSpace(sql), "("), " ")
	return slices.Contains([]string{"SELECT", "SHOW", "WITH", "VALUES", "TABLE", "EXPLAIN", "DESCRIBE", "DESC", "ANALYZE", "CHECK"}, strings.ToUpper(strings.TrimSpace(word)))
}
