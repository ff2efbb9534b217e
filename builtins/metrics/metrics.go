// Package metrics declares the module metrics: numbers that a scenario measures beside its verdict.
package metrics

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/metric"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the functions; the registry is the run's.
func Module(r *metric.Registry) *spec.Module {
	return &spec.Module{
		Name: "metrics",
		Doc: "Numbers that a scenario measures: counters, gauges, timers and trends, by name and labels. A name has one type in the whole run; labels make a series of its own each. " +
			"A table ends the run, --metrics exports them, and the journal has every measurement. Statements are timed without asking: --summary shows them.",
		Funcs: []*spec.Func{
			declare(r, counterType, "A counter: what only grows, such as rows written.", `
metrics.counter("rows_written_total", table = "account").add(10)
`),
			declare(r, gaugeType, "A gauge: what goes up and down, such as the length of a queue; its last value counts.", `
metrics.gauge("queue_length").set(3)
`),
			declare(r, timerType, "A timer: how long calls take, with their mean and quantiles.", `
expect.eq(metrics.timer("answer_seconds").time(t.db.query, "SELECT 42").scalar(), 42)
`),
			declare(r, trendType, "A trend: numbers with their mean and quantiles, such as the rows of a result.", `
metrics.trend("result_rows").observe(len(t.db.query("SELECT 1")))
`),
		},
		Types: []*spec.Type{counterType, gaugeType, timerType, trendType},
	}
}

func declare(r *metric.Registry, typ *spec.Type, doc, example string) *spec.Func {
	return &spec.Func{
		Name: typ.Var, Returns: typ.Name, LoadTime: true,
		Doc: doc + " The same name and labels give the same series.",
		Params: []spec.Param{
			{Name: "name", Type: "str", Doc: "Letters, digits and underscores. Prometheus wants the unit at the end: load_seconds, rows_written_total."},
			{Name: "labels", Type: "any", Keywords: true, Doc: "What tells series of the name apart; str, int, float or bool."},
		},
		Example: example,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			labels, err := labelsOf(c)
			if err != nil {
				return nil, err
			}
			name := c.Str("name")
			if err := r.Declare(typ.Var, name, labels, script.CallerPos(c.Thread)); err != nil {
				return nil, &spec.ArgError{Call: c.Name(), Problem: err.Error()}
			}
			return &instrument{typ: typ, name: name, labels: labels}, nil
		},
	}
}

func labelsOf(c *spec.Call) ([]event.Field, error) {
	var out []event.Field
	for _, kv := range c.Extra {
		key, _ := starlark.AsString(kv[0])
		switch kv[1].(type) {
		case starlark.String, starlark.Int, starlark.Float, starlark.Bool:
		default:
			return nil, &spec.ArgError{Call: c.Name(), Problem: fmt.Sprintf("label %s: want str, int, float or bool, got %s", key, kv[1].Type())}
		}
		out = append(out, event.Field{Key: key, Value: value.Text(kv[1])})
	}
	slices.SortFunc(out, func(a, b event.Field) int { return strings.Compare(a.Key, b.Key) })
	return out, nil
}

// instrument is one series as scripts hold it. It has no state: what is measured goes onto the stream.
type instrument struct {
	typ    *spec.Type
	name   string
	labels []event.Field
}

func (i *instrument) String() string {
	var b strings.Builder
	for n, l := range i.labels {
		if n > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s=%q", l.Key, l.Value)
	}
	return fmt.Sprintf("<%s %s{%s}>", i.typ.Var, i.name, b.String())
}
func (i *instrument) Type() string          { return i.typ.Name }
func (i *instrument) Freeze()               {}
func (i *instrument) Truth() starlark.Bool  { return true }
func (i *instrument) Hash() (uint32, error) { return 0, errors.New("unhashable type: " + i.typ.Name) }

// Attr finds a member.
func (i *instrument) Attr(name string) (starlark.Value, error) { return i.typ.Attr(i, name) }

// AttrNames lists the members.
func (i *instrument) AttrNames() []string { return i.typ.AttrNames() }

// put measures.
func put(c *spec.Call, d event.Metric) error {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return err
	}
	i := c.Recv.(*instrument)
	d.Name, d.Type, d.Labels = i.name, i.typ.Var, i.labels
	t.EmitFrom(c.Thread, &d)
	return nil
}

// number reads a finite number that a distribution can tell apart.
func number(c *spec.Call, param string) (float64, error) {
	f, ok := starlark.AsFloat(c.Arg(param))
	if !ok {
		return 0, c.Errorf(param, "want a number, got %s", c.Arg(param).Type())
	}
	if math.IsNaN(f) || math.Abs(f) > metric.MaxValue {
		return 0, c.Errorf(param, "want a number from -1e9 to 1e9, got %s", c.Arg(param))
	}
	return f, nil
}

var nameAttr = spec.Attr{Name: "name", Type: "str", Doc: "Its name.", Get: func(v starlark.Value) (starlark.Value, error) {
	return starlark.String(v.(*instrument).name), nil
}}

func method(name, doc string, p spec.Param, set func(c *spec.Call, v float64) (event.Metric, error)) *spec.Func {
	return &spec.Func{
		Name: name, Doc: doc, Params: []spec.Param{p},
		Impl: func(c *spec.Call) (starlark.Value, error) {
			v, err := number(c, p.Name)
			if err != nil {
				return nil, err
			}
			d, err := set(c, v)
			if err != nil {
				return nil, err
			}
			return starlark.None, put(c, d)
		},
	}
}

var counterType = (&spec.Type{
	Name: event.MetricCounter + "_metric", Var: event.MetricCounter, Doc: "What only grows.",
	Example: `
booked = metrics.counter("booked_total", bank = "a")
booked.add()
booked.add(2.5)
`,
	Attrs: []spec.Attr{nameAttr},
	Methods: []*spec.Func{method("add", "Adds to it.", spec.Param{Name: "n", Type: "int|float", Default: starlark.MakeInt(1), Doc: "How much, not negative."}, func(c *spec.Call, v float64) (event.Metric, error) {
		if v < 0 {
			return event.Metric{}, c.Errorf("n", "a counter only grows, got %s; a gauge goes up and down", c.Arg("n"))
		}
		return event.Metric{Value: v}, nil
	})},
}).Seal()

var gaugeType = (&spec.Type{
	Name: event.MetricGauge + "_metric", Var: event.MetricGauge, Doc: "What goes up and down.",
	Example: `
depth = metrics.gauge("depth")
depth.set(10)
depth.add(-3)
`,
	Attrs: []spec.Attr{nameAttr},
	Methods: []*spec.Func{
		method("set", "Sets it.", spec.Param{Name: "value", Type: "int|float", Doc: "Its value from now on."}, func(_ *spec.Call, v float64) (event.Metric, error) {
			return event.Metric{Value: v}, nil
		}),
		method("add", "Changes it.", spec.Param{Name: "n", Type: "int|float", Default: starlark.MakeInt(1), Doc: "By how much; negative to lower it."}, func(_ *spec.Call, v float64) (event.Metric, error) {
			return event.Metric{Value: v, Delta: true}, nil
		}),
	},
}).Seal()

var trendType = (&spec.Type{
	Name: event.MetricTrend + "_metric", Var: event.MetricTrend, Doc: "The distribution of numbers.",
	Example: `
sizes = metrics.trend("batch_rows")
for n in [10, 20, 30]:
    sizes.observe(n)
`,
	Attrs: []spec.Attr{nameAttr},
	Methods: []*spec.Func{method("observe", "Takes a number.", spec.Param{Name: "value", Type: "int|float", Doc: "From -1e9 to 1e9."}, func(_ *spec.Call, v float64) (event.Metric, error) {
		return event.Metric{Value: v}, nil
	})},
}).Seal()

var timerType = (&spec.Type{
	Name: event.MetricTimer + "_metric", Var: event.MetricTimer, Doc: "The distribution of durations.",
	Example: `
took = metrics.timer("load_seconds", table = "account")
took.observe("150ms")
expect.eq(took.time(lambda a, b: a + b, 1, 2), 3)
`,
	Attrs: []spec.Attr{nameAttr},
	Methods: []*spec.Func{
		{
			Name: "observe", Doc: "Takes a duration that was measured elsewhere.",
			Params: []spec.Param{{Name: "duration", Type: "duration", Doc: "Like \"150ms\", or seconds."}},
			Impl: func(c *spec.Call) (starlark.Value, error) {
				return starlark.None, put(c, event.Metric{Value: c.Duration("duration").Seconds()})
			},
		},
		{
			Name: "time", Returns: "any", Doc: "Calls fn(*args, **kwargs), measures how long that takes, and returns its value. A call that fails is measured too, counts as an error, and its error is raised.",
			Params: []spec.Param{
				{Name: "fn", Type: "callable", Doc: "What to call."},
				{Name: "args", Type: "any", Variadic: true, Doc: "Its arguments."},
				{Name: "kwargs", Type: "any", Keywords: true, Doc: "Its keyword arguments."},
			},
			Impl: func(c *spec.Call) (starlark.Value, error) {
				start := time.Now()
				v, err := starlark.Call(c.Thread, c.Callable("fn"), c.Rest, c.Extra)
				d := event.Metric{Value: time.Since(start).Seconds(), Outcome: value.OutcomeOf(err)}
				if perr := put(c, d); err == nil {
					err = perr
				}
				return v, err
			},
		},
	},
}).Seal()
