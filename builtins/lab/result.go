package lab

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/schedule"
)

// Result is what interleave gives.
type Result struct {
	x        *experiment
	plan     *schedule.Plan
	runs     []*schedule.Run
	outcomes []*schedule.Outcome
	counts   schedule.Counts
	given    bool // the orders were asked for
}

var _ starlark.HasAttrs = (*Result)(nil)

// result puts the runs together in the order in which they were chosen. Drawn orders of which some steps could not be sent may
// have become one that was run already.
func (x *experiment) result(orders schedule.Orders) *Result {
	r := &Result{x: x, plan: x.plan, counts: orders.Counts(), given: x.c.Has("order") || x.lanesOrder != nil}
	seen := map[string]bool{}
	for _, place := range slices.Sorted(maps.Keys(x.results)) {
		run := x.results[place]
		if order := x.plan.Text(run); !r.given && seen[order] {
			r.counts.Pruned++
			continue
		} else if !r.given {
			seen[order] = true
		}
		r.runs = append(r.runs, run)
	}
	if !r.given { // lanes run at the same time, and which of them met an order first is chance
		slices.SortStableFunc(r.runs, func(a, b *schedule.Run) int { return slices.Compare(a.Order, b.Order) })
	}
	r.outcomes = x.plan.Group(r.runs)
	return r
}

// judge counts expectations of steps, and raises those that do not hold.
func (x *experiment) judge(r *Result) error {
	var lines []string
	bad := 0
	for _, run := range r.runs {
		if len(run.Problems) == 0 {
			continue
		}
		if bad++; bad <= 3 {
			lines = append(lines, "in "+x.plan.Text(run)+":")
			for _, p := range run.Problems {
				lines = append(lines, "  "+p)
			}
			lines = append(lines, strings.TrimRight(x.plan.Transcript(run), "\n"))
		}
	}
	if bad == 0 {
		if x.plan.Expects() {
			x.t.Expectation(nil)
		}
		return nil
	}
	message := fmt.Sprintf("schedule %s: %d of %d orders were not as expected", x.name, bad, len(r.runs))
	if len(r.runs) == 1 {
		message = fmt.Sprintf("schedule %s: %s", x.name, strings.Join(r.runs[0].Problems, "; "))
		lines = lines[1+len(r.runs[0].Problems):]
	}
	e := &event.Error{Kind: "expectation", Op: x.c.Name(), Message: message, Detail: strings.Join(lines, "\n"), Pos: x.pos}
	x.t.Expectation(e)
	return &scenario.ExpectationError{E: e}
}

// String is the transcript of one run, else the table of outcomes with a transcript of each.
func (r *Result) String() string {
	if len(r.runs) == 1 {
		return r.plan.Transcript(r.runs[0])
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s", r.summary(), r.plan.Table(r.outcomes))
	for _, o := range r.outcomes {
		fmt.Fprintf(&b, "\n%s: %s\n%s", o.Label, r.plan.Text(o.Example), r.plan.Transcript(o.Example))
	}
	return b.String()
}

func (r *Result) summary() string {
	if r.given {
		return fmt.Sprintf("%d orders run", len(r.runs))
	}
	s := fmt.Sprintf("%d of %s orders run, %d cannot happen", len(r.runs), schedule.Many(r.counts.Total), r.counts.Pruned)
	if r.counts.Swaps > 0 {
		s += fmt.Sprintf(", %d only swap steps that commute", r.counts.Swaps)
	}
	return s + fmt.Sprintf(", %s left", schedule.Many(r.counts.Left(len(r.runs))))
}

// Type is "schedule".
func (r *Result) Type() string          { return "schedule" }
func (r *Result) Freeze()               {}
func (r *Result) Truth() starlark.Bool  { return true }
func (r *Result) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: schedule") }

// Attr finds a member.
func (r *Result) Attr(name string) (starlark.Value, error) { return resultType.Attr(r, name) }

// AttrNames lists the members.
func (r *Result) AttrNames() []string { return resultType.AttrNames() }

func count(name, doc string, get func(*Result) starlark.Value) spec.Attr {
	return spec.Attr{Name: name, Type: "int", Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) { return get(v.(*Result)), nil }}
}

func list[T any](in []T, f func(T) starlark.Value) *starlark.List {
	out := make([]starlark.Value, len(in))
	for i, v := range in {
		out[i] = f(v)
	}
	return starlark.NewList(out)
}

func text(s string) starlark.Value { return starlark.String(s) }

var resultType = (&spec.Type{
	Live: true, Name: "schedule", Var: "r",
	Doc: "What came of a schedule. It prints as its transcript, or for several orders as the table of outcomes; expect.golden keeps either.",
	Example: `
t.db.exec("CREATE TABLE n (i INT PRIMARY KEY)")
r = interleave(t, {"a": ["INSERT INTO n VALUES (1)"], "b": ["INSERT INTO n VALUES (2)"]})
expect.eq((r.run, r.pruned, len(r.outcomes)), (2, 0, 1))
expect.eq(r.outcomes[0].final["n"], [(1,), (2,)])
`,
	Attrs: []spec.Attr{
		{Name: "outcomes", Type: "list", Doc: "What the orders gave, the most frequent first; see schedule_outcome.", Get: func(v starlark.Value) (starlark.Value, error) {
			r := v.(*Result)
			return list(r.outcomes, func(o *schedule.Outcome) starlark.Value { return &Outcome{r, o} }), nil
		}},
		{Name: "steps", Type: "list", Doc: "The steps of the first run as they were sent; see schedule_step.", Get: func(v starlark.Value) (starlark.Value, error) {
			r := v.(*Result)
			return list(r.first().Steps, func(s *schedule.StepRun) starlark.Value { return &StepRun{r, s} }), nil
		}},
		{Name: "deadlocks", Type: "list", Doc: "Those of the first run; see schedule_deadlock.", Get: func(v starlark.Value) (starlark.Value, error) {
			return v.(*Result).deadlocks(), nil
		}},
		{Name: "transcript", Type: "str", Doc: "The first run in lanes.", Get: func(v starlark.Value) (starlark.Value, error) {
			r := v.(*Result)
			return text(r.plan.Transcript(r.first())), nil
		}},
		{Name: "anomalies", Type: "list", Doc: "The names of what no serial order gives, sorted; empty without oracle =.", Get: func(v starlark.Value) (starlark.Value, error) {
			return list(v.(*Result).anomalies(), text), nil
		}},
		count("run", "How many orders were run.", func(r *Result) starlark.Value { return starlark.MakeInt(len(r.runs)) }),
		count("pruned", "How many orders cannot happen, or only swap steps that commute.", func(r *Result) starlark.Value {
			return starlark.MakeInt(r.counts.Pruned + r.counts.Swaps)
		}),
		count("total", "How many orders there are.", func(r *Result) starlark.Value { return starlark.MakeBigInt(r.counts.Total) }),
		count("left", "How many were neither run nor pruned.", func(r *Result) starlark.Value { return starlark.MakeBigInt(r.counts.Left(len(r.runs))) }),
	},
	Methods: []*spec.Func{
		{Name: "step", Returns: "schedule_step", Doc: "A step of the first run by its name.", Params: []spec.Param{
			{Name: "name", Type: "str", Doc: "\"a1\"."},
		}, Impl: func(c *spec.Call) (starlark.Value, error) {
			r := c.Recv.(*Result)
			for _, s := range r.first().Steps {
				if r.plan.Step(s.Step).Name == c.Str("name") {
					return &StepRun{r, s}, nil
				}
			}
			return nil, c.Errorf("name", "%v", r.plan.Unknown(c.Str("name")))
		}},
	},
}).Seal()

// first is the run that members about one run are of.
func (r *Result) first() *schedule.Run {
	if len(r.runs) == 0 {
		return &schedule.Run{}
	}
	return r.runs[0]
}

func (r *Result) anomalies() []string {
	var out []string
	for _, o := range r.outcomes {
		if o.Anomaly != "" && !slices.Contains(out, o.Anomaly) {
			out = append(out, o.Anomaly)
		}
	}
	slices.Sort(out)
	return out
}

// rowsOf gives the rows of a step as tuples; None where it gave none.
func rowsOf(s *schedule.StepRun) starlark.Value {
	switch v := s.Result.Value.(type) {
	case *value.Rows:
		out := make([]starlark.Value, v.Len())
		for i := range out {
			out[i] = v.Index(i).(*value.Row).Tuple()
		}
		return starlark.NewList(out)
	case starlark.Value:
		return v
	}
	return starlark.None
}

// Outcomes gives the outcomes to expect.outcomes.
func (r *Result) Outcomes() []value.OutcomeView {
	what := r.plan.Describe(r.outcomes)
	out := make([]value.OutcomeView, len(r.outcomes))
	for i, o := range r.outcomes {
		v := value.OutcomeView{
			Label: o.Label, Order: r.plan.Text(o.Example), Kind: o.Example.Kind(), Count: o.Count, Anomaly: o.Anomaly, What: what[i],
			Steps: map[string]value.StepView{}, Final: map[string]starlark.Value{},
		}
		for _, s := range o.Example.Steps {
			step := value.StepView{Rows: rowsOf(s), Waited: s.Waited}
			if s.Result.Err != nil {
				step.Error = value.NewError(&reported{s.Result.Err})
			}
			v.Steps[r.plan.Step(s.Step).Name] = step
		}
		for _, t := range o.Example.Final {
			v.Final[t.Name] = tuplesOf(t)
		}
		out[i] = v
	}
	return out
}
