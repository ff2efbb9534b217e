package lint

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/source"
)

// noExpectation looks for tests that judge nothing, by themselves or in what they call.
func (c *checker) noExpectation() {
	for _, s := range c.Tree.Stmts {
		d, ok := s.(*syntax.DefStmt)
		if !ok || !source.IsTest(d.Name.Name) {
			continue
		}
		r := reach{seen: map[syntax.Node]bool{}}
		if !r.expects(c.File, d) {
			c.add("no-expectation", d.Name, false, d.Name.Name+" expects nothing: it passes whatever the server answers", "expect.eq(got, want), expect.rows(...), expect.error(...), check(cond)")
		}
	}
}

// reach follows what a function refers to.
type reach struct{ seen map[syntax.Node]bool }

// expects reports whether something that n refers to judges.
func (r reach) expects(f *source.File, n syntax.Node) bool {
	if r.seen[n] {
		return false
	}
	r.seen[n] = true
	found := false
	syntax.Walk(n, func(x syntax.Node) bool {
		if id, ok := x.(*syntax.Ident); ok && !found {
			found = r.name(f, id)
		}
		if dot, ok := x.(*syntax.DotExpr); ok && dot.Name.Name == "verify" {
			found = true
		}
		if call, ok := x.(*syntax.CallExpr); ok && expectsByArgument(call) {
			found = true
		}
		return !found
	})
	return found
}

// expectsByArgument reports whether a call of a schedule judges by what it is given: step(..., waits = True), an order with markers,
// lanes with marks.
func expectsByArgument(call *syntax.CallExpr) bool {
	fn, ok := call.Fn.(*syntax.Ident)
	if !ok || !slices.Contains([]string{"step", "interleave", "lanes"}, fn.Name) {
		return false
	}
	for _, a := range call.Args {
		name, value := "", a
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			if id, ok := b.X.(*syntax.Ident); ok {
				name, value = id.Name, b.Y
			}
		}
		text := ""
		if l, ok := value.(*syntax.Literal); ok {
			text, _ = l.Value.(string)
		}
		switch fn.Name {
		case "step":
			if slices.Contains([]string{"waits", "error", "after"}, name) {
				return true
			}
		case "interleave":
			if name == "order" && strings.Contains(text, "(") {
				return true
			}
		case "lanes":
			if strings.Contains(text, "#!") || strings.Contains(text, "#=") {
				return true
			}
		}
	}
	return false
}

func (r reach) name(f *source.File, id *syntax.Ident) bool {
	v := f.VarOf(id)
	if v == nil {
		return id.Binding != nil && slices.Contains([]string{"expect", "check", "fail", "anomaly"}, id.Name)
	}
	for _, d := range v.Defs {
		switch {
		case v.Kind == source.Loaded:
			if other, def := loadedFunc(f, id, d); other == nil || r.expects(other, def) {
				return true // what cannot be seen is not judged
			}
		case v.Kind == source.Function:
			if r.expects(f, d.Stmt) {
				return true
			}
		case v.Owner == nil && d.Value != nil:
			if r.expects(f, d.Value) {
				return true
			}
		}
	}
	return false
}

func loadedFunc(f *source.File, id *syntax.Ident, d source.Def) (*source.File, syntax.Node) {
	s, ok := d.Stmt.(*syntax.LoadStmt)
	if !ok || f.Loaded == nil {
		return nil, nil
	}
	other := f.Loaded(s.ModuleName())
	if other == nil {
		return nil, nil
	}
	for i, to := range s.To {
		if to.Name != id.Name {
			continue
		}
		if v := other.Lookup(s.From[i].Name); v != nil && len(v.Defs) > 0 {
			return other, v.Defs[0].Stmt
		}
	}
	return nil, nil
}

// unreachedStates draws the machines that are written out and looks for states that nobody names. One computed return makes
// every state reachable.
func (c *checker) unreachedStates() {
	c.each(func(n syntax.Node) {
		if call, ok := n.(*syntax.CallExpr); ok && c.called(call) == "machine.new" {
			c.machine(call)
		}
	})
}

// drawing is a machine as its source has it.
type drawing struct {
	c        *checker
	states   []*syntax.DictEntry
	edges    map[string][]string
	computed bool
}

func (c *checker) machine(call *syntax.CallExpr) {
	g := argumentsOf(call)
	m := drawing{c: c, edges: map[string][]string{}}
	var begin []string
	for _, a := range call.Args {
		name, value := "", a
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			name, value = b.X.(*syntax.Ident).Name, b.Y
		}
		if d, ok := value.(*syntax.DictExpr); ok {
			m.add(d)
			continue
		}
		if name == "start" || name == "after_common" {
			s := c.stateName(value)
			m.computed = m.computed || s == ""
			begin = append(begin, s)
		}
	}
	if len(m.states) == 0 || len(begin) == 0 || m.computed || g.open {
		return
	}
	reached := m.from(append(begin, c.commonStates()...))
	for _, s := range m.states {
		name := c.stateName(s.Key)
		if name != "" && !slices.Contains(reached, name) {
			c.add("unreached-state", s.Key, true, fmt.Sprintf("no state leads to %q", name), "return it from another state, or remove it")
		}
	}
}

// commonStates are those that run by themselves, and may be replaced.
func (c *checker) commonStates() []string {
	m := c.Catalog.Module("machine")
	if m == nil {
		return nil
	}
	var out []string
	for _, v := range m.Values {
		out = append(out, v.Name)
	}
	return out
}

// stateName reads "name" or machine.name, "" for what is computed.
func (c *checker) stateName(e syntax.Expr) string {
	switch x := e.(type) {
	case *syntax.ParenExpr:
		return c.stateName(x.X)
	case *syntax.Literal:
		return text(x)
	case *syntax.DotExpr:
		if id, ok := x.X.(*syntax.Ident); ok && id.Name == "machine" {
			return x.Name.Name
		}
	case *syntax.Ident:
		if s := c.settled(x); s != e {
			return c.stateName(s)
		}
	}
	return ""
}

func (m *drawing) add(d *syntax.DictExpr) {
	for _, x := range d.List {
		entry, ok := x.(*syntax.DictEntry)
		if !ok {
			m.computed = true
			continue
		}
		m.states = append(m.states, entry)
		m.handler(m.c.stateName(entry.Key), entry.Value)
	}
}

// handler notes where a handler leads.
func (m *drawing) handler(state string, e syntax.Expr) {
	if call, ok := e.(*syntax.CallExpr); ok && m.c.called(call) == "machine.handler" {
		m.parts(state, call)
		return
	}
	m.function(state, e)
}

func (m *drawing) parts(state string, call *syntax.CallExpr) {
	to := false
	for _, a := range call.Args {
		name, value := "execute", a
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			name, value = b.X.(*syntax.Ident).Name, b.Y
		}
		if list, ok := value.(*syntax.ListExpr); ok && name == "to" {
			to = true
			for _, x := range list.List {
				m.edges[state] = append(m.edges[state], m.c.stateName(x))
			}
		}
	}
	if to {
		return
	}
	for _, a := range call.Args {
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			if b.X.(*syntax.Ident).Name == "exit" {
				continue
			}
			a = b.Y
		}
		m.function(state, a)
	}
}

func (m *drawing) function(state string, e syntax.Expr) {
	t := m.c.Infer(e)
	if t.Def == nil {
		m.computed = true
		return
	}
	source.EachReturn(t.Def.Body, func(r *syntax.ReturnStmt) {
		if r.Result != nil {
			m.result(state, r.Result)
		}
	})
}

func (m *drawing) result(state string, e syntax.Expr) {
	if cond, ok := e.(*syntax.CondExpr); ok {
		m.result(state, cond.True)
		m.result(state, cond.False)
		return
	}
	if id, ok := e.(*syntax.Ident); ok && id.Name == "None" {
		return
	}
	name := m.c.stateName(e)
	m.computed = m.computed || name == ""
	m.edges[state] = append(m.edges[state], name)
}

// from lists the states that some state leads to.
func (m *drawing) from(begin []string) []string {
	reached := begin
	for i := 0; i < len(reached); i++ {
		for _, next := range m.edges[reached[i]] {
			if !slices.Contains(reached, next) {
				reached = append(reached, next)
			}
		}
	}
	return reached
}
