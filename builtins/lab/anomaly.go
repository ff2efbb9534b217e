package lab

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/anomaly"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/schedule"
	"rig/runtime/script"
)

func anomalyFunc(o Options) *spec.Func {
	return &spec.Func{
		Name: "anomaly", Returns: "dict",
		Doc: "Runs a schedule at every isolation level that the target has, and tells for each what became of an anomaly: \"allowed\" (happened(r) is true), \"error\" (it did not happen, a step failed), \"waits\" (a step waited), or \"prevented\". A step whose session waits is sent once it can be; after a failed step its session rolls back and sends nothing more. On MariaDB, REPEATABLE READ runs with innodb_snapshot_isolation off and on. The verdicts are expected to be those of the table that comes with rig for the server; rig matrix prints them as a table.",
		Params: []spec.Param{
			{Name: "t", Type: "test", Doc: "The test."},
			{Name: "case", Type: "str", Doc: "The anomaly's name, \"P4\": its row in the table."},
			{Name: "sessions", Type: "dict", Doc: "As for interleave."},
			{Name: "order", Type: "str", Doc: "As for interleave, with every step once."},
			{Name: "happened", Type: "callable", Doc: "happened(r), with what interleave returns: whether the anomaly came about."},
			{Name: "title", Type: "str", Optional: true, KwOnly: true, Doc: "What it is, in a few words."},
			{Name: "forbidden_from", Type: "str", Form: "anomaly level", Optional: true, KwOnly: true, Doc: "The weakest isolation level whose definition forbids it; where that level allows it, the table says so."},
			{Name: "setup", Type: "str|list|callable", Optional: true, KwOnly: true, Doc: "As for interleave."},
			{Name: "teardown", Type: "str|list|callable", Optional: true, KwOnly: true, Doc: "As for interleave."},
			{Name: "timeout", Type: "duration", Default: starlark.String("10s"), KwOnly: true, Doc: "How long a step may take, its waits included."},
			{Name: "name", Type: "str", Optional: true, KwOnly: true, Doc: "How reports call the schedule; the test's name without it."},
		},
		Example: `
t.db.exec("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
t.db.insert("account", ["id", "balance"], [(1, 100)])
verdicts = anomaly(t, "dirty read",
    sessions = {
        "a": ["BEGIN", "UPDATE account SET balance = 0 WHERE id = 1", "ROLLBACK"],
        "b": ["SELECT balance FROM account WHERE id = 1"],
    },
    order = "a1 a2 b1 a3",
    happened = lambda r: r.step("b1").rows == [(0,)],
)
for level in verdicts:
    expect.eq(verdicts[level], "allowed" if level == "READ UNCOMMITTED" else "prevented")
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			g, err := newGauge(c, o)
			if err != nil {
				return nil, err
			}
			return g.run()
		},
	}
}

// gauge is one call of anomaly.
type gauge struct {
	c       *spec.Call
	o       Options
	t       *scenario.Test
	info    scenario.TargetInfo
	columns []anomaly.Column
	table   *anomaly.Table // what is known of the server; nil for nothing
	judged  bool           // a verdict was compared with the table
	wrong   []string       // verdicts that are not those of the table
}

func newGauge(c *spec.Call, o Options) (*gauge, error) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	if from := c.Str("forbidden_from"); from != "" {
		if err := anomaly.Level(from); err != nil {
			return nil, c.Errorf("forbidden_from", "%v", err)
		}
	}
	g := &gauge{c: c, o: o, t: t, info: t.TargetInfo()}
	has := func(capability string) bool {
		ok, _, err := g.info.Check(capability)
		return ok && err == nil
	}
	detects, err := g.detects()
	if err != nil {
		return nil, err
	}
	g.columns, err = anomaly.Choose(anomaly.Columns(has, detects), o.Levels)
	g.table = anomaly.Shipped(g.info.Type)
	return g, err
}

// detects asks whether the server can check snapshots.
func (g *gauge) detects() (bool, error) {
	if g.info.Type != "mariadb" {
		return false, nil
	}
	db, err := g.t.DB()
	if err != nil {
		return false, err
	}
	rows, err := db.Query(bare(g.c, g.t).own(), "SHOW VARIABLES LIKE 'innodb_snapshot_isolation'", nil)
	return err == nil && rows.Len() == 1, err
}

// run runs the schedule in each column.
func (g *gauge) run() (starlark.Value, error) {
	out := starlark.NewDict(len(g.columns))
	for _, column := range g.columns {
		v, err := g.measure(column)
		if err != nil {
			return nil, err
		}
		if err := out.SetKey(starlark.String(column.Name), starlark.String(v)); err != nil {
			return nil, err
		}
	}
	if len(g.wrong) == 0 {
		if g.judged {
			g.t.Expectation(nil)
		}
		return out, nil
	}
	e := &event.Error{
		Kind: "expectation", Op: g.c.Name(), Message: fmt.Sprintf("%s: %s", g.c.Str("case"), strings.Join(g.wrong, "; ")), Pos: script.CallerPos(g.c.Thread),
	}
	g.t.Expectation(e)
	return nil, &scenario.ExpectationError{E: e}
}

// measure runs the schedule in one column and tells the verdict.
func (g *gauge) measure(column anomaly.Column) (anomaly.Verdict, error) {
	x := bare(g.c, g.t)
	x.stops, x.isolation = true, column.Level
	if err := x.read(); err != nil {
		return "", err
	}
	for i := range x.actors {
		x.actors[i].setup = append(append([]string{}, column.Settings...), x.actors[i].setup...)
	}
	r, err := x.prefer(g.c.Str("order"))
	if err != nil {
		return "", fmt.Errorf("at %s: %w", column.Name, err)
	}
	happened, err := starlark.Call(g.c.Thread, g.c.Callable("happened"), starlark.Tuple{r}, nil)
	if err != nil {
		return "", err
	}
	v, detail := verdictOf(r, bool(happened.Truth()))
	x.emit("", &event.Anomaly{
		Case: g.c.Str("case"), Title: g.c.Str("title"), Server: g.info.Type, Version: g.info.Version, Column: column.Name,
		Verdict: string(v), Detail: detail, Forbidden: g.c.Str("forbidden_from"),
	})
	g.judge(column.Name, v, r)
	return v, nil
}

// prefer runs an order as far as waits let it.
func (x *experiment) prefer(order string) (r *Result, err error) {
	places, err := x.plan.ParseOrder(order)
	if err != nil {
		return nil, x.orderError("order", err)
	}
	if x.waits, err = x.t.Waits(""); err != nil {
		return nil, err
	}
	x.tellWeak()
	orders := x.plan.Preferring(places)
	if err = x.open(1, true); err == nil {
		err = x.work(orders)
	}
	if err == nil {
		r = x.result(orders)
	}
	if closed := x.close(); err == nil {
		err = closed
	}
	return r, err
}

// verdictOf tells what became of an anomaly, and what shows it.
func verdictOf(r *Result, happened bool) (anomaly.Verdict, string) {
	var failed, waited []string
	for _, s := range r.first().Steps {
		name := r.plan.Step(s.Step).Name
		if e := s.Result.Err; e != nil {
			failed = append(failed, fmt.Sprintf("%d in %s", e.Code, name))
		}
		if s.Waited {
			waited = append(waited, name+" waits"+waitedFor(s))
		}
	}
	switch {
	case happened:
		return anomaly.Allowed, ""
	case failed != nil:
		return anomaly.Error, strings.Join(failed, "; ")
	case waited != nil:
		return anomaly.Waits, strings.Join(waited, "; ")
	}
	return anomaly.Prevented, ""
}

func waitedFor(s *schedule.StepRun) string {
	if len(s.Blockers) == 0 {
		return ""
	}
	return " for " + strings.Join(s.Blockers, ", ")
}

// judge compares a verdict with what is known of the server. Of a server of which nothing is known, serializability is expected.
func (g *gauge) judge(column string, got anomaly.Verdict, r *Result) {
	if g.o.Collect {
		return
	}
	var want anomaly.Verdict
	if g.table != nil {
		want = g.table.Verdict(g.c.Str("case"), column)
	} else if column == "SERIALIZABLE" && g.c.Str("forbidden_from") != "" {
		want = anomaly.Held
	}
	if want == "" {
		return
	}
	if g.judged = true; got.Agrees(want) {
		return
	}
	g.wrong = append(g.wrong, fmt.Sprintf("at %s it is %s, the table of %s has %s\n%s", column, got, g.info.Type, want, r.plan.Transcript(r.first())))
}
