package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/schedule"
)

// differParams are those of interleave, without what differs.
func differParams() []spec.Param {
	out := []spec.Param{
		interleaveParams[0], interleaveParams[1], interleaveParams[2],
		{Name: "targets", Type: "list", Optional: true, KwOnly: true, Doc: "Kinds of servers or names from rig.toml; the test's own target without it."},
		{Name: "levels", Type: "list", Form: "isolation", Optional: true, KwOnly: true, Doc: "Isolation levels; that of isolation, or the server's default, without it."},
	}
	for _, p := range interleaveParams[3:] {
		if p.Name != "target" {
			out = append(out, p)
		}
	}
	return out
}

var differFunc = &spec.Func{
	Name: "differ", Returns: "schedule_differences",
	Doc:    "Runs the same schedules on several servers, at several isolation levels, or both, and gives a table of what differs. Tables that the test made in its database are made on the other servers as well; where their definitions are not understood there, setup makes them.",
	Params: differParams(),
	Example: `
t.requires("row_locks")
t.db.exec("CREATE TABLE n (i INT PRIMARY KEY, v INT)")
t.db.insert("n", ["i", "v"], [(1, 0)])
d = differ(t, {"a": ["BEGIN", "SELECT v FROM n", "SELECT v FROM n", "COMMIT"], "b": ["UPDATE n SET v = 1"]},
    order = "a1 a2 b1 a3 a4", levels = ["READ COMMITTED", "REPEATABLE READ"])
expect.eq(d.same, False)
expect.eq(d.differences[0]["READ COMMITTED"], "a3 read (1)")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		d := &differing{c: c}
		if err := d.read(); err != nil {
			return nil, err
		}
		for i := range d.columns {
			if err := d.run(&d.columns[i]); err != nil {
				return nil, err
			}
		}
		return d.value()
	},
}

// column is one server at one level.
type column struct {
	target, level, name string
	orders              []string // as they were chosen or run
	runs                map[string]*schedule.Run
	said                map[string]string // instead of a run: why there is none
}

// differing is one call of differ.
type differing struct {
	c       *spec.Call
	columns []column
	plan    *schedule.Plan
}

func (d *differing) read() error {
	targets, err := d.c.Texts("targets")
	if err != nil {
		return err
	}
	levels, err := d.c.Texts("levels")
	if err != nil {
		return err
	}
	if len(targets)*len(levels) < 2 && len(targets) < 2 && len(levels) < 2 {
		return d.c.Errorf("targets", "there is nothing to compare: give two targets, or two levels")
	}
	if levels != nil && d.c.Has("isolation") {
		return d.c.Errorf("isolation", "levels gives it")
	}
	if targets == nil {
		targets = []string{""}
	}
	if levels == nil {
		levels = []string{d.c.Str("isolation")}
	}
	for _, t := range targets {
		for _, l := range levels {
			name := strings.TrimSpace(t + " " + l)
			if len(levels) == 1 {
				name = t
			}
			if slices.ContainsFunc(d.columns, func(c column) bool { return c.name == name }) {
				return d.c.Errorf("targets", "%s is there twice", name)
			}
			d.columns = append(d.columns, column{target: t, level: l, name: name, runs: map[string]*schedule.Run{}, said: map[string]string{}})
		}
	}
	return nil
}

// run runs the schedules for one column. An order that cannot happen there is a difference, not an error.
func (d *differing) run(col *column) error {
	x, err := newExperimentOn(d.c, col.target, col.level)
	if err != nil {
		return err
	}
	d.plan = x.plan
	which, err := x.orders()
	if err != nil {
		return err
	}
	given, err := x.givenOrders()
	if err != nil {
		return err
	}
	if given == nil {
		r, err := x.runOrders(which)
		if err != nil {
			return fmt.Errorf("%s: %w", col.name, err)
		}
		for _, run := range r.runs {
			col.add(x.plan.Text(run), run)
		}
		return nil
	}
	for _, places := range given {
		if err := d.one(col, places); err != nil {
			return err
		}
	}
	return nil
}

// one runs one order that was given.
func (d *differing) one(col *column, places []schedule.Place) error {
	x, err := newExperimentOn(d.c, col.target, col.level)
	if err != nil {
		return err
	}
	var steps []int
	for _, p := range places {
		steps = append(steps, p.Step)
	}
	order := x.plan.Text(&schedule.Run{Order: steps})
	x.several = true // its tables are given back
	r, err := x.runOrders(choose(schedule.Given([][]schedule.Place{places}), 1))
	var impossible *schedule.ImpossibleError
	var stuck *schedule.StuckError
	switch {
	case errors.As(err, &impossible):
		col.orders = append(col.orders, order)
		col.said[order] = fmt.Sprintf("cannot happen: %s waits in %s", impossible.Session, impossible.Waiting)
		return nil
	case errors.As(err, &stuck):
		col.orders = append(col.orders, order)
		col.said[order] = fmt.Sprintf("%s does not return", stuck.Step)
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", col.name, err)
	}
	col.add(order, r.first())
	return nil
}

func (c *column) add(order string, r *schedule.Run) {
	c.orders = append(c.orders, order)
	c.runs[order] = r
}

// value compares the columns, order by order.
func (d *differing) value() (starlark.Value, error) {
	out := &Differences{}
	var all []string
	for _, c := range d.columns {
		out.columns = append(out.columns, c.name)
		for _, o := range c.orders {
			if !slices.Contains(all, o) {
				all = append(all, o)
			}
		}
	}
	for _, order := range all {
		out.orders++
		cells := d.cells(order)
		if cells == nil {
			continue
		}
		out.rows = append(out.rows, append([]string{order}, cells...))
	}
	return out, nil
}

// cells tells for each column what is special about the order there; nil when all are alike.
func (d *differing) cells(order string) []string {
	var outcomes []*schedule.Outcome
	for _, c := range d.columns {
		if r := c.runs[order]; r != nil {
			outcomes = append(outcomes, &schedule.Outcome{Example: r})
		}
	}
	words := d.plan.Describe(outcomes)
	if len(outcomes) < len(d.columns) && len(outcomes) == 1 {
		words = []string{"happens"}
	}
	same := len(outcomes) == len(d.columns)
	var out []string
	k := 0
	for _, c := range d.columns {
		cell := "cannot happen"
		if c.runs[order] != nil {
			cell = words[k]
			k++
		} else if s := c.said[order]; s != "" {
			cell = s
		}
		out = append(out, cell)
		same = same && cell == out[0]
	}
	if same || len(slices.Compact(slices.Clone(out))) == 1 {
		return nil
	}
	return out
}

// Differences is what differ gives.
type Differences struct {
	columns []string
	rows    [][]string // the order, then a cell for each column
	orders  int
}

var _ starlark.HasAttrs = (*Differences)(nil)

// String is a table of what differs.
func (d *Differences) String() string {
	head := fmt.Sprintf("%d of %d orders differ between %s", len(d.rows), d.orders, strings.Join(d.columns, ", "))
	if len(d.rows) == 0 {
		return head
	}
	return head + "\n" + value.Grid(append([]string{"order"}, d.columns...), d.rows)
}

// Type is "schedule_differences".
func (d *Differences) Type() string { return "schedule_differences" }

// Freeze does nothing: it does not change.
func (d *Differences) Freeze() {}

// Truth reports whether anything differs.
func (d *Differences) Truth() starlark.Bool { return len(d.rows) > 0 }

// Hash is none.
func (d *Differences) Hash() (uint32, error) { return part{}.Hash() }

// Attr finds a member.
func (d *Differences) Attr(name string) (starlark.Value, error) { return differencesType.Attr(d, name) }

// AttrNames lists the members.
func (d *Differences) AttrNames() []string { return differencesType.AttrNames() }

var differencesType = (&spec.Type{
	Live: true, Name: "schedule_differences", Var: "differences",
	Doc: "What differs between servers or levels; see differ. It prints as a table and is true when anything differs.",
	Example: `
d = differ(t, {"a": ["SELECT 1"]}, levels = ["READ COMMITTED", "REPEATABLE READ"])
expect.eq((d.same, d.orders, d.differences), (True, 1, []))
`,
	Attrs: []spec.Attr{
		{Name: "same", Type: "bool", Doc: "Whether all orders gave the same everywhere.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(len(v.(*Differences).rows) == 0), nil
		}},
		{Name: "orders", Type: "int", Doc: "How many orders were compared.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt(v.(*Differences).orders), nil
		}},
		{Name: "differences", Type: "list", Doc: "A dict for each order that differs: \"order\", and for each server or level what is special there.", Get: func(v starlark.Value) (starlark.Value, error) {
			d := v.(*Differences)
			return list(d.rows, func(row []string) starlark.Value {
				out := starlark.NewDict(len(row))
				_ = out.SetKey(starlark.String("order"), text(row[0])) // a str is hashable
				for i, name := range d.columns {
					_ = out.SetKey(starlark.String(name), text(row[i+1]))
				}
				return out
			}), nil
		}},
	},
}).Seal()
