package schedule

import (
	"fmt"
	"slices"
	"strings"
)

// Outcome is what several orders gave alike: the same rows, errors, waits and tables.
type Outcome struct {
	Label   string // A, B, ..., the most frequent first
	Count   int
	Example *Run // the first
	Runs    []*Run
	Anomaly string // what a comparison with serial orders called it; "" for none
}

// Group puts runs with the same outcome together.
func (p *Plan) Group(runs []*Run) []*Outcome {
	byKey := map[string]*Outcome{}
	var out []*Outcome
	for _, r := range runs {
		k := p.key(r)
		o := byKey[k]
		if o == nil {
			o = &Outcome{Example: r}
			byKey[k] = o
			out = append(out, o)
		}
		o.Count++
		o.Runs = append(o.Runs, r)
	}
	slices.SortStableFunc(out, func(a, b *Outcome) int { return b.Count - a.Count })
	for i, o := range out {
		o.Label = label(i)
	}
	return out
}

// label is A to Z, then AA.
func label(i int) string {
	s := string(rune('A' + i%26))
	if i >= 26 {
		return label(i/26-1) + s
	}
	return s
}

// items tell a run by what it gave: a name and a value each, in the order of the plan.
func (p *Plan) items(r *Run) []item {
	byStep := make([]*StepRun, p.Len())
	for _, s := range r.Steps {
		byStep[s.Step] = s
	}
	var out []item
	for n, s := range byStep {
		name := p.Step(n).Name
		if s == nil {
			out = append(out, item{name, "not sent", false})
			continue
		}
		out = append(out, item{name, resultText(s.Result), s.Result.Err != nil})
		wait := ""
		if s.Waited {
			wait = "waits for " + waitedFor(s.Blockers)
		}
		out = append(out, item{name, wait, wait != ""})
	}
	for _, t := range r.Final {
		out = append(out, item{t.Name, "left " + rowsText(t.Rows), false})
	}
	return out
}

// item is a part of an outcome. telling: it is worth a word also when all outcomes have it.
type item struct {
	name, value string
	telling     bool
}

func resultText(r Result) string {
	switch {
	case r.Err != nil:
		return errorText(r.Err)
	case r.HasRows:
		return "read " + rowsText(r.Rows)
	}
	return fmt.Sprintf("changed %d", r.Affected)
}

func (p *Plan) key(r *Run) string {
	var b strings.Builder
	for _, i := range p.items(r) {
		b.WriteString(i.value)
		b.WriteByte(0)
	}
	return b.String()
}

// Kind is "ok", or the kinds of errors that steps of a run ended with, sorted.
func (r *Run) Kind() string {
	var kinds []string
	for _, s := range r.Steps {
		if e := s.Result.Err; e != nil && !slices.Contains(kinds, e.Kind) {
			kinds = append(kinds, e.Kind)
		}
	}
	if kinds == nil {
		return "ok"
	}
	slices.Sort(kinds)
	return strings.Join(kinds, "+")
}

// Text is the order in which the steps were sent.
func (p *Plan) Text(r *Run) string { return p.text(r.Order) }

// Describe tells what is special about each outcome: where outcomes differ, and errors and waits where there is one alone.
func (p *Plan) Describe(outcomes []*Outcome) []string {
	all := make([][]item, len(outcomes))
	for i, o := range outcomes {
		all[i] = p.items(o.Example)
	}
	out := make([]string, len(outcomes))
	for i := range outcomes {
		var parts []string
		for k, it := range all[i] {
			varies := slices.ContainsFunc(all, func(other []item) bool { return k >= len(other) || other[k] != it })
			if it.value != "" && (varies || it.telling && len(outcomes) == 1) {
				parts = append(parts, it.name+" "+it.value)
			}
		}
		out[i] = strings.Join(parts, "; ")
		if out[i] == "" {
			out[i] = "all steps succeed, none waits"
		}
	}
	return out
}

// Table prints outcomes with their counts, an example order and what is special about each.
func (p *Plan) Table(outcomes []*Outcome) string {
	lines := [][]string{{"outcome", "orders", "example", "what"}}
	for i, d := range p.Describe(outcomes) {
		o := outcomes[i]
		if o.Anomaly != "" {
			d = "NOT SERIALIZABLE (" + o.Anomaly + "): " + d
		}
		lines = append(lines, []string{o.Label, fmt.Sprint(o.Count), p.text(o.Example.Order), d})
	}
	return aligned(lines)
}

// aligned pads all columns but the last.
func aligned(lines [][]string) string {
	width := make([]int, len(lines[0]))
	for _, l := range lines {
		for i, c := range l {
			width[i] = max(width[i], len(c))
		}
	}
	var b strings.Builder
	for _, l := range lines {
		for i, c := range l {
			if i == len(l)-1 {
				b.WriteString(c)
				break
			}
			fmt.Fprintf(&b, "%-*s  ", width[i], c)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
