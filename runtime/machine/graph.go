package machine

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Graph is a machine as nodes and edges, in the order of the definition.
type Graph struct {
	Name   string
	Start  string
	States []string // the nodes' names
	Nodes  []Node
	Edges  []Edge
}

// Node is a state.
type Node struct {
	Name     string
	Common   bool
	Terminal bool
}

// Edge says that From may name To. A Dynamic edge has no To: the name is computed when the machine runs.
type Edge struct {
	From, To string
	Dynamic  bool
}

// Graph gives the machine's states and what they name. Failed, to which every error leads, is a node only where a state
// names it or it has a handler, and a common state that no known path enters and the definition does not replace is none.
func (m *Machine) Graph() Graph {
	g := Graph{Name: m.name, Start: m.start}
	named := false
	reached := m.reach(m.start)
	for _, name := range m.order {
		s := m.states[name]
		if s.common && !s.own && !reached[name] { // the definition starts after it
			continue
		}
		for _, to := range s.targets() {
			g.Edges = append(g.Edges, Edge{From: name, To: to})
			named = named || to == Failed
		}
		if s.Dynamic && !s.terminal {
			g.Edges = append(g.Edges, Edge{From: name, Dynamic: true})
		}
		if name != Failed || named || s.runs() {
			g.States = append(g.States, name)
			g.Nodes = append(g.Nodes, Node{Name: name, Common: s.common, Terminal: s.terminal})
		}
	}
	return g
}

// Mermaid draws the graph as a Mermaid state diagram. Common states have the class common.
func (g Graph) Mermaid() string {
	ids := map[string]string{}
	quote := strings.NewReplacer(`"`, "#quot;", "\n", " ")
	var b strings.Builder
	b.WriteString("stateDiagram-v2\n")
	b.WriteString("    classDef common fill:#eee,stroke:#999\n")
	for i, n := range g.Nodes {
		ids[n.Name] = fmt.Sprintf("s%d", i)
		fmt.Fprintf(&b, "    state \"%s\" as s%d\n", quote.Replace(n.Name), i)
		if n.Common {
			fmt.Fprintf(&b, "    class s%d common\n", i)
		}
	}
	fmt.Fprintf(&b, "    [*] --> %s\n", ids[g.Start])
	for _, e := range g.Edges {
		if e.Dynamic {
			fmt.Fprintf(&b, "    state \"computed\" as %sx\n    %s --> %sx\n", ids[e.From], ids[e.From], ids[e.From])
			continue
		}
		fmt.Fprintf(&b, "    %s --> %s\n", ids[e.From], ids[e.To])
	}
	for _, n := range g.Nodes {
		if n.Terminal {
			fmt.Fprintf(&b, "    %s --> [*]\n", ids[n.Name])
		}
	}
	return b.String()
}

// Text draws the graph as an outline: a line for each state with those that may follow it. ">" marks the start.
func (g Graph) Text() string {
	wide := 0
	for _, n := range g.Nodes {
		wide = max(wide, utf8.RuneCountInString(n.Name))
	}
	var b strings.Builder
	b.WriteString(g.Name + "\n")
	for _, n := range g.Nodes {
		mark, next := " ", []string{}
		if n.Name == g.Start {
			mark = ">"
		}
		for _, e := range g.Edges {
			switch {
			case e.From != n.Name:
			case e.Dynamic:
				next = append(next, "(computed)")
			default:
				next = append(next, e.To)
			}
		}
		arrow := "-> " + strings.Join(next, ", ")
		if len(next) == 0 {
			arrow = "(end)"
		}
		fmt.Fprintf(&b, "%s %s%s  %s\n", mark, n.Name, strings.Repeat(" ", wide-utf8.RuneCountInString(n.Name)), arrow)
	}
	return b.String()
}

// DOT draws the graph in the language of Graphviz: common states grey, terminal ones with a double line, a computed next
// state as a dashed edge to a point.
func (g Graph) DOT() string {
	var b strings.Builder
	fmt.Fprintf(&b, "digraph %s {\n    node [shape=box, style=rounded]\n    start [shape=point]\n", dotQuote(g.Name))
	for _, n := range g.Nodes {
		attrs := ""
		switch {
		case n.Terminal:
			attrs = ", peripheries=2"
		case n.Common:
			attrs = ", color=gray, fontcolor=gray"
		}
		fmt.Fprintf(&b, "    %s [label=%s%s]\n", dotQuote("s:"+n.Name), dotQuote(n.Name), attrs)
	}
	fmt.Fprintf(&b, "    start -> %s\n", dotQuote("s:"+g.Start))
	for i, e := range g.Edges {
		if e.Dynamic {
			fmt.Fprintf(&b, "    computed%d [shape=point]\n    %s -> computed%d [style=dashed]\n", i, dotQuote("s:"+e.From), i)
			continue
		}
		fmt.Fprintf(&b, "    %s -> %s\n", dotQuote("s:"+e.From), dotQuote("s:"+e.To))
	}
	b.WriteString("}\n")
	return b.String()
}

func dotQuote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", " ").Replace(s) + `"`
}
