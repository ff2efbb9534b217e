package history

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/history/record"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
	"rig/runtime/verdict"
	"rig/runtime/workload"
)

// The parameters that all generators have.
var (
	testParam     = spec.Param{Name: "t", Type: "test", Doc: "The test. Its seed decides what the operations are."}
	durationParam = spec.Param{Name: "duration", Type: "duration", Optional: true, KwOnly: true, Doc: "For how long operations begin; 2 seconds if there is no count either."}
	countParam    = spec.Param{Name: "count", Type: "int", Optional: true, KwOnly: true, Doc: "How many operations, at most 999000, of a set 400000; with a duration whichever ends first."}
	isolationDoc  = spec.Param{Name: "isolation", Type: "str", Form: "isolation", Optional: true, KwOnly: true, Doc: "The isolation level of the sessions; the server's default without it."}
	initParam     = spec.Param{Name: "init", Type: "list", Optional: true, KwOnly: true, Doc: "Statements that each session runs first."}
	targetParam   = spec.Param{Name: "target", Type: "str", Optional: true, KwOnly: true, Doc: "Another target: a kind of server or a name from rig.toml. It needs database."}
	databaseParam = spec.Param{Name: "database", Type: "str", Optional: true, KwOnly: true, Doc: "Another database than the test's own."}
)

func sessionsParam(n int) spec.Param {
	return spec.Param{Name: "sessions", Type: "int", Default: starlark.MakeInt(n), KwOnly: true, Doc: "How many sessions work at the same time, 1 to 1000."}
}

func intParam(name string, n int, doc string) spec.Param {
	return spec.Param{Name: name, Type: "int", Default: starlark.MakeInt(n), KwOnly: true, Doc: doc}
}

// generator declares a workload.
func generator(f spec.Func, sessions int, own ...spec.Param) *spec.Func {
	f.Returns = "verdict"
	f.Params = slices.Concat([]spec.Param{testParam, isolationDoc, durationParam, countParam, sessionsParam(sessions)}, own,
		[]spec.Param{initParam, targetParam, databaseParam, nameParam, timeoutParam})
	f.Impl = generate(f.Name)
	return &f
}

var generatorLevelParam = spec.Param{Name: "level", Type: "str", Form: "consistency", Optional: true, KwOnly: true, Doc: "The level that must hold. Without it, it follows from isolation: what READ UNCOMMITTED and READ COMMITTED are for Adya, snapshot-isolation for REPEATABLE READ, strict-serializable for SERIALIZABLE, and where no isolation is given."}

func generators() []*spec.Func {
	transactional := []spec.Param{
		intParam("keys", 10, "Keys that are in use at a time."), intParam("max_ops", 4, "The most reads and writes of a transaction."),
		intParam("max_writes", 100, "Writes to a key, after which another takes its place."), generatorLevelParam,
	}
	return []*spec.Func{
		generator(spec.Func{Name: "list_append", Doc: "Transactions that read lists and append to them, on many sessions at the same time, and what they prove of the isolation. A list tells the order of its writes, so this finds the most.", Example: `
v = history.list_append(t, isolation = "SERIALIZABLE", count = 40, sessions = 3, duration = "10s")
print(v)
`}, 10, transactional...),
		generator(spec.Func{Name: "register", Doc: "Transactions that read and write registers. A write leaves nothing of the one before, so less can be proved than with lists.", Example: `
v = history.register(t, isolation = "SERIALIZABLE", count = 40, sessions = 3, duration = "10s")
print(v)
`}, 10, slices.Concat(transactional, []spec.Param{{
			Name: "assume", Type: "list", Default: starlark.NewList([]starlark.Value{starlark.String("wfr")}), KwOnly: true,
			Doc: "What is known of each key: \"wfr\" (a transaction writes after what it read), \"sequential\", \"linearizable\".",
		}})...),
		generator(spec.Func{Name: "bank", Doc: "Transfers between accounts, each in a transaction that reads two balances and writes two, while the total is read. It must never change.", Example: `
v = history.bank(t, isolation = "SERIALIZABLE", count = 40, sessions = 3, duration = "10s")
print(v)
`}, 10, intParam("accounts", 8, "How many accounts, at least 2."), intParam("balance", 100, "What each has at the start.")),
		generator(spec.Func{Name: "set", Doc: "Elements that are added, each once, and read at the end: none that was acknowledged may be missing. It is for faults: stop or kill the server meanwhile.", Example: `
expect.true(history.set(t, count = 40, sessions = 2, duration = "10s"))
`}, 10, spec.Param{Name: "reads", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "Read now and then, too: what was seen once must stay."}),
		generator(spec.Func{Name: "counter", Doc: "Numbers that are added to a counter, which is read: no addition may be lost.", Example: `
v = history.counter(t, count = 40, sessions = 2, duration = "10s")
print(v)
`}, 10, spec.Param{Name: "read_first", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "Add by a transaction that reads and then writes, not by one UPDATE: this loses additions where the isolation allows lost updates."}),
		generator(spec.Func{Name: "long_fork", Doc: "Writes of single keys, while others read groups of them in transactions: no two reads may each see a write that the other does not.", Example: `
v = history.long_fork(t, isolation = "SERIALIZABLE", count = 40, sessions = 3, duration = "10s")
print(v)
`}, 10, intParam("group", 2, "Keys of a group, 2 to 10.")),
		generator(spec.Func{Name: "cas_register", Doc: "Registers that are read, written and compared-and-set by single statements; whether there is an order that explains what was seen.", Example: `
v = history.cas_register(t, count = 40, sessions = 3, duration = "10s")
print(v)
`}, 5, intParam("keys", 5, "Registers that are in use at a time."), intParam("max_writes", 100, "Operations on a register, after which another takes its place: the search for an order grows fast.")),
	}
}

// levels are what isolation levels are held to: what their names promise where the standard leaves it open.
var levels = map[string]string{
	"READ UNCOMMITTED": "read-uncommitted", "READ COMMITTED": "read-committed", "REPEATABLE READ": "snapshot-isolation", "SERIALIZABLE": "strict-serializable",
}

// generate runs a workload and checks its history.
func generate(kind string) spec.Impl {
	return func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		o, err := workloadOptions(c, kind)
		if err != nil {
			return nil, err
		}
		as, err := described(c, o)
		if err != nil {
			return nil, err
		}
		h, err := begin(c, as, record.DefaultLimit)
		if err != nil {
			return nil, err
		}
		g := &generation{c: c, t: t, h: h, pos: script.CallerPos(c.Thread), begin: time.Now()}
		o.Table, o.Seed, o.Recorder, o.Tell, o.Open = h.name, uint64(t.Seed()), h.rec, g.tell, g.open
		if g.init, err = c.Texts("init"); err != nil {
			return nil, err
		}
		if !c.Has("target") && !c.Has("database") {
			h.dropLater()
		}
		if err := workload.Run(c.Script().Context(), o); err != nil {
			return nil, err
		}
		took := time.Since(g.begin)
		v, err := h.check(c, verdict.Options{Timeout: c.Duration("timeout")})
		if err != nil {
			return nil, err
		}
		v.took = took
		return v, nil
	}
}

// described says how the history is to be checked.
func described(c *spec.Call, o workload.Options) (event.History, error) {
	as := event.History{Name: c.Str("name"), Model: workload.Model(o)}
	if as.Name == "" {
		as.Name = fmt.Sprintf("%s#%s", o.Kind, positionName(c))
	}
	if o.Kind == "bank" {
		total := o.Balance * int64(o.Keys)
		as.Total = &total
	}
	if !c.Declares("level") {
		return as, nil
	}
	var err error
	if c.Declares("assume") {
		if err = assumptions(c, &as); err != nil {
			return as, err
		}
	} else if as.Level, err = level(c, as.Model); err != nil {
		return as, err
	}
	if as.Level == "" && c.Has("isolation") {
		name, err := session.Isolation(c.Str("isolation"))
		if err != nil {
			return as, c.Errorf("isolation", "%v", err)
		}
		as.Level = levels[name]
	}
	return as, nil
}

// positionName tells generators of one file apart: by the line that runs them.
func positionName(c *spec.Call) string { return fmt.Sprint(script.CallerPos(c.Thread).Line) }

// The most operations of a generator. The first leaves room for those that read what is there at the end; the second is for
// sets, whose last read is one value of a history, which has its bound.
const (
	mostOperations = record.DefaultLimit - 1000
	mostElements   = 400_000
)

// bound is an argument and what it may be.
type bound struct {
	name      string
	least, to int64
	into      *int
}

func workloadOptions(c *spec.Call, kind string) (workload.Options, error) {
	o := workload.Options{Kind: kind, Duration: c.Duration("duration"), MaxOps: 1}
	most := mostOperations
	if kind == "set" {
		most = mostElements
	}
	bounds := []bound{{"sessions", 1, 1000, &o.Sessions}, {"count", 1, int64(most), &o.Count}}
	var balance int
	for _, b := range []bound{
		{"keys", 1, 10_000, &o.Keys},
		{"max_ops", 1, 1000, &o.MaxOps},
		{"max_writes", 1, 10_000, &o.MaxWrites},
		{"accounts", 2, 10_000, &o.Keys},
		{"balance", 1, 1 << 40, &balance},
		{"group", 2, 10, &o.Keys},
	} {
		if c.Declares(b.name) {
			bounds = append(bounds, b)
		}
	}
	for _, b := range bounds {
		if !c.Has(b.name) {
			continue
		}
		n := c.Int(b.name)
		if n < b.least || n > b.to {
			return o, c.Errorf(b.name, "want %d to %d, got %d", b.least, b.to, n)
		}
		*b.into = int(n)
	}
	o.Balance = int64(balance)
	o.Reads = c.Declares("reads") && c.Bool("reads")
	o.ReadFirst = c.Declares("read_first") && c.Bool("read_first")
	if o.Duration == 0 && o.Count == 0 {
		o.Duration = 2 * time.Second
	}
	if o.Count == 0 {
		o.Count = most
	}
	return o, nil
}

// generation is a workload that runs.
type generation struct {
	c     *spec.Call
	t     *scenario.Test
	h     *History
	init  []string
	pos   event.Pos
	begin time.Time
}

// open opens a session of the workload. Its statements are no events of their own: the history has what they do.
func (g *generation) open(ctx context.Context) (workload.Conn, error) {
	s, err := g.t.Connect(scenario.ConnectOptions{
		Isolation: g.c.Str("isolation"), Target: g.c.Str("target"), Database: g.c.Str("database"), Quiet: true, Pos: g.pos,
	})
	if err != nil {
		return nil, err
	}
	call := session.Call{Op: g.c.Name(), Pos: g.pos, Holder: g.h.as.Name, Parent: g.h.id}
	for _, sql := range g.init {
		if _, err := s.Exec(call, sql, nil); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return &conn{s, call}, nil
}

// tell shows how far the workload is. It is called by one goroutine at a time.
func (g *generation) tell(c record.Counts, over bool) {
	g.t.Emit(g.pos, &event.Progress{
		Name: g.h.as.Name, Value: fmt.Sprintf("%d operations, %d failed, %d unknown", c.All(), c.Failed, c.Unknown),
		Elapsed: time.Since(g.begin), Over: over,
	})
}
