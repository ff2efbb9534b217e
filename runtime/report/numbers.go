package report

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/metric"
)

// maxRows bounds a table of numbers; -v shows all.
const maxRows = 20

// measure folds what a script measures.
func (c *Console) measure(e *event.Event) {
	if c.numbers == nil {
		c.numbers = metric.NewSet(metric.Options{})
	}
	c.numbers.Take(e)
}

// summarise folds what nobody asked to measure.
func (c *Console) summarise(e *event.Event) {
	switch e.Data.(type) {
	case *event.Statement, *event.Span:
		c.numbers.Take(e)
	}
}

// showNumbers prints the tables of numbers: what scripts measured, and with Summary the timings of spans and statements.
func (c *Console) showNumbers() {
	if c.numbers == nil || c.numbers.Empty() || c.o.Quiet && !c.o.Summary {
		return
	}
	var values, timers, trends, spans, statements []row
	c.numbers.Each(func(s *metric.Series) {
		switch r := rowOf(s); s.Type {
		case event.MetricTimer:
			timers = append(timers, r)
		case event.MetricTrend:
			trends = append(trends, r)
		case metric.Span:
			spans = append(spans, r)
		case metric.Statement:
			statements = append(statements, r)
		default:
			values = append(values, r)
		}
	})
	longestFirst := func(a, b row) int { return int(math.Copysign(1, b.total-a.total)) }
	slices.SortStableFunc(statements, longestFirst)
	c.table("counter or gauge", []string{"value"}, values)
	distribution := []string{"count", "errors", "mean", "p50", "p90", "p99", "max"}
	c.table("timer", distribution, timers)
	c.table("trend", []string{"count", "mean", "p50", "p90", "p99", "max"}, trends)
	c.table("span", distribution, spans)
	c.table("statement, by time in all", distribution, statements)
}

// row is a line of a table.
type row struct {
	cells []string
	name  string
	total float64
}

func rowOf(s *metric.Series) row {
	r := row{name: seriesName(s)}
	d := s.Distribution
	if d == nil {
		r.cells = []string{strconv.FormatFloat(s.Value, 'f', -1, 64)}
		return r
	}
	r.total = d.Sum
	show := func(v float64) string { return span(time.Duration(v * float64(time.Second))) }
	r.cells = []string{strconv.FormatInt(s.Count, 10)}
	if s.Type == event.MetricTrend {
		show = figure
	} else {
		r.cells = append(r.cells, strconv.FormatInt(s.Errors(), 10))
	}
	for _, v := range []float64{d.Mean(), d.Quantile(0.5), d.Quantile(0.9), d.Quantile(0.99), d.Max} {
		r.cells = append(r.cells, show(v))
	}
	return r
}

// seriesName writes name{label="value"}.
func seriesName(s *metric.Series) string {
	if len(s.Labels) == 0 {
		return s.Name
	}
	var parts []string
	for _, l := range s.Labels {
		parts = append(parts, l.Key+"="+quote(l.Value))
	}
	return s.Name + "{" + strings.Join(parts, ",") + "}"
}

// figure writes whole numbers as they are, others with four digits.
func figure(v float64) string {
	if v == math.Trunc(v) || math.Abs(v) >= 1e4 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 4, 64)
}

// table prints rows under a head; the names stand last, so that long ones disturb nothing.
func (c *Console) table(what string, columns []string, rows []row) {
	if len(rows) == 0 {
		return
	}
	more := 0
	if len(rows) > maxRows && c.o.Verbose == 0 {
		more = len(rows) - maxRows
		rows = rows[:maxRows]
	}
	width := make([]int, len(columns))
	for i, name := range columns {
		width[i] = max(len(name), 7)
		for _, r := range rows {
			width[i] = max(width[i], len(r.cells[i]))
		}
	}
	cells := func(texts []string) string {
		var b strings.Builder
		for i, t := range texts {
			fmt.Fprintf(&b, "  %*s", width[i], t)
		}
		return b.String()
	}
	c.line(c.paint(strong, cells(columns)+"  "+what))
	for _, r := range rows {
		c.line(cells(r.cells), "  ", oneLine(clip(r.name, 200)))
	}
	if more > 0 {
		c.line("  and ", strconv.Itoa(more), " more (-v shows all)")
	}
}
