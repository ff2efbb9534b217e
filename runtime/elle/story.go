package elle

import (
	"fmt"
	"strings"
)

var kindNames = [...]string{"ww", "wr", "rw", "process", "realtime", "hub"}

// tell makes the story of a cycle.
func tell(t *txns, a analysis, f found) Anomaly {
	x := Anomaly{Name: f.name}
	if f.steps == nil {
		x.Story = []string{fmt.Sprintf("a cycle exists among %s that depend on each other; it was not looked for to the end", plural(int(f.size), "transaction"))}
		return x
	}
	seen := map[int32]bool{}
	for _, s := range f.steps {
		if !seen[s.from] {
			seen[s.from] = true
			x.Ops = append(x.Ops, t.describe(s.from))
		}
	}
	x.Story = append(x.Story, x.Ops...)
	for i, s := range f.steps {
		e := Edge{From: t.name(s.from), To: t.name(s.to), Kind: kindNames[s.kind], Why: t.why(a, s)}
		x.Cycle = append(x.Cycle, e)
		line := fmt.Sprintf("%s is before %s (%s): %s", e.From, e.To, e.Kind, e.Why)
		if i == len(f.steps)-1 {
			line = fmt.Sprintf("but %s is before %s (%s): %s, a contradiction", e.From, e.To, e.Kind, e.Why)
		}
		x.Story = append(x.Story, line)
	}
	return x
}

// shownMops is how many micro-operations of a transaction a story has.
const shownMops = 12

// describe is a transaction in one line.
func (t *txns) describe(n int32) string {
	var parts []string
	mops := t.mops(n)
	for i, m := range mops {
		if i == shownMops {
			parts = append(parts, fmt.Sprintf("%d more", len(mops)-i))
			break
		}
		parts = append(parts, t.h.MopText(m))
	}
	return fmt.Sprintf("%s (%s) %s", t.name(n), t.op(n).Where(), strings.Join(parts, ", "))
}

func (t *txns) why(a analysis, s step) string {
	switch s.kind {
	case process:
		return fmt.Sprintf("process %d did one after the other", t.op(s.from).Process)
	case realtime:
		return fmt.Sprintf("%s had ended when %s began", t.name(s.from), t.name(s.to))
	}
	return a.why(s.from, s.to, s.kind)
}

// DOT draws the cycles of a verdict for Graphviz.
func (v *Verdict) DOT() string {
	var b strings.Builder
	b.WriteString("digraph history {\n  rankdir=LR; node [shape=box, fontname=\"monospace\"];\n")
	for i, a := range v.Anomalies {
		if len(a.Cycle) == 0 {
			continue
		}
		fmt.Fprintf(&b, "  subgraph cluster_%d {\n    label=%s;\n", i, quote(a.Name))
		for j, e := range a.Cycle {
			fmt.Fprintf(&b, "    %s [label=%s];\n", quote(node(i, e.From)), quote(a.Ops[j%len(a.Ops)]))
		}
		for _, e := range a.Cycle {
			fmt.Fprintf(&b, "    %s -> %s [label=%s, color=%q];\n", quote(node(i, e.From)), quote(node(i, e.To)), quote(e.Kind), colors[e.Kind])
		}
		b.WriteString("  }\n")
	}
	b.WriteString("}\n")
	return b.String()
}

var colors = map[string]string{"ww": "#c0392b", "wr": "#27674a", "rw": "#2c5aa0", "process": "#777777", "realtime": "#b37400"}

func node(i int, name string) string { return fmt.Sprintf("%d.%s", i, name) }

// quote is a string of DOT, whose only escape that matters is the quotation mark's.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
