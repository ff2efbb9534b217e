// Package lab declares interleave, the script face of schedules.
//
// A call becomes a [experiment]: the plan read from the script's values, and one or more lanes, each a database with the
// plan's sessions, in which orders are run. What came of it is a [Result].
package lab

import (
	"go.starlark.net/starlark"

	"rig/builtins/spec"
)

// Options of a run.
type Options struct {
	Levels  []string // at which anomaly runs; none is every one of the target
	Collect bool     // anomaly tells its verdicts and expects none
}

// Module lists the functions.
func Module(o Options) *spec.Module {
	return &spec.Module{
		Doc:   "Schedules: the statements of several sessions in a given order.",
		Funcs: []*spec.Func{interleaveFunc, stepFunc, lanesFunc, anomalyFunc(o), shrinkFunc, differFunc},
		Types: []*spec.Type{resultType, outcomeType, stepRunType, stepType, deadlockType, lanesType, differencesType},
	}
}

var interleaveParams = []spec.Param{
	{Name: "t", Type: "test", Doc: "The test."},
	{Name: "sessions", Type: "dict|lanes", Doc: "Session name -> its steps in order: SQL, fn(conn) or step(...). Or a dict with steps, isolation, setup and teardown. Or lanes(text), whose order is run."},
	{Name: "order", Type: "str|list", Optional: true, Doc: "\"a1 b1 a2 ...\", or a list of such; without it every permutation is run."},
	{Name: "isolation", Type: "str", Form: "isolation", Optional: true, KwOnly: true, Doc: "The sessions' isolation level; the server's default without it."},
	{Name: "setup", Type: "str|list|callable", Optional: true, KwOnly: true, Doc: "SQL, a list of SQL or fn(conn), before each run."},
	{Name: "teardown", Type: "str|list|callable", Optional: true, KwOnly: true, Doc: "Likewise after each run."},
	{Name: "sample", Type: "int", Optional: true, KwOnly: true, Doc: "Run so many different orders, drawn by the test's seed."},
	{Name: "explore", Type: "int", Optional: true, KwOnly: true, Doc: "Run so many orders, those with the most conflicts first, and none that only swaps steps which commute: steps on different tables, or that only read."},
	{Name: "oracle", Type: "str", Optional: true, KwOnly: true, Doc: "\"serial\": compare each outcome with those of the transactions one after another; what matches none is not serializable, and r.anomalies names it by its usual shape."},
	{Name: "limit", Type: "int", Default: starlark.MakeInt(1000), KwOnly: true, Doc: "The most permutations that are run without sample."},
	{Name: "timeout", Type: "duration", Default: starlark.String("10s"), KwOnly: true, Doc: "How long a step may take, its waits included."},
	{Name: "name", Type: "str", Optional: true, KwOnly: true, Doc: "How reports call the schedule; the test's name without it."},
	{Name: "lock_wait", Type: "duration", Optional: true, KwOnly: true, Doc: "The server's bound for a wait (innodb_lock_wait_timeout, whole seconds): a wait may then end by itself."},
	{Name: "parallel", Type: "int", Optional: true, KwOnly: true, Doc: "In how many databases at once orders are run; by the number of orders without it. Schedules with functions, views, triggers or routines use one."},
	{Name: "target", Type: "str", Optional: true, KwOnly: true, Doc: "Another target, in a database of its own: a kind of server or a name from rig.toml."},
}

var interleaveFunc = &spec.Func{
	Name: "interleave", Returns: "schedule",
	Doc:    "Runs the steps of several sessions in an order, in several, or in every one. A step that waits for a lock is noticed because the server says so; the schedule goes on, and tells for whom it waited and what let it proceed. Tables get back their rows before each order. A step's error is part of what came of it, unless it is a mistake such as a syntax error.",
	Params: interleaveParams,
	Example: `
t.requires("row_locks")
t.db.exec("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
t.db.insert("account", ["id", "balance"], [(1, 100)])
r = interleave(t,
    sessions = {
        "a": ["BEGIN", "UPDATE account SET balance = 90 WHERE id = 1", "COMMIT"],
        "b": ["UPDATE account SET balance = 80 WHERE id = 1"],
    },
    order = "a1 a2 b1(*) a3",
)
expect.eq(r.step("b1").blockers, ["a"])
expect.eq(r.step("b1").released_by, "a3")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		x, err := newExperiment(c)
		if err != nil {
			return nil, err
		}
		r, err := x.run()
		if err != nil {
			return nil, err
		}
		return r, x.judge(r)
	},
}
