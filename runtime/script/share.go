package script

import (
	"fmt"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/event"
)

// Share makes a value safe to be used by several threads: it is frozen, after everything in it was checked. Closures that
// capture a variable which changes are refused, with the variable's name.
func (h *Host) Share(v starlark.Value) error {
	if bad := freezable(v); bad != nil {
		return bad
	}
	c := closures{host: h, done: map[any]bool{}}
	if err := c.walk(v); err != nil {
		return err
	}
	v.Freeze()
	return nil
}

// closures looks for captured variables that race.
type closures struct {
	host *Host
	done map[any]bool
}

func (c *closures) walk(v starlark.Value) error {
	switch v := v.(type) {
	case *starlark.Function:
		return c.function(v)
	case *starlark.List, *starlark.Dict, *starlark.Set:
		if c.done[v] {
			return nil
		}
		c.done[v] = true
	case *starlark.Builtin:
		if r := v.Receiver(); r != nil {
			return c.walk(r)
		}
		return nil
	}
	var bad error
	children(v, func(x starlark.Value) {
		if bad == nil {
			bad = c.walk(x)
		}
	})
	return bad
}

func (c *closures) function(fn *starlark.Function) error {
	if c.done[fn] {
		return nil
	}
	c.done[fn] = true
	if strings.HasPrefix(fn.Position().Filename(), inputPrefix) {
		if err := c.input(fn); err != nil {
			return err
		}
	}
	for i := range fn.NumFreeVars() {
		b, v := fn.FreeVar(i)
		if why := c.host.race(posOf(b.Pos)); why != "" {
			return &guardError{
				guard: "closure", msg: fmt.Sprintf("the function %s captures %s `%s`, which another thread may see change", fn.Name(), why, b.Name),
				hint: fmt.Sprintf("pass it as an argument: spawn(work, %s)", b.Name),
			}
		}
		if v == nil {
			return &guardError{
				guard: "closure", msg: fmt.Sprintf("the function %s captures `%s`, which has no value yet", fn.Name(), b.Name),
				hint: fmt.Sprintf("assign it before, or pass it as an argument: spawn(work, %s)", b.Name),
			}
		}
		if err := c.walk(v); err != nil {
			return err
		}
	}
	return nil
}

// input looks at the names of a function's input, which other than a file's are not frozen yet, nor are those of the functions
// among them.
func (c *closures) input(fn *starlark.Function) error {
	if name, why := c.host.loose(posOf(fn.Position())); why != "" {
		return &guardError{
			guard: "closure", msg: fmt.Sprintf("the function %s mentions the %s `%s`, which its input changes meanwhile", fn.Name(), why, name),
			hint: fmt.Sprintf("pass it as an argument: spawn(work, %s)", name),
		}
	}
	for _, v := range fn.Globals() {
		if err := freezable(v); err != nil {
			return err
		}
		if err := c.walk(v); err != nil {
			return err
		}
		v.Freeze()
	}
	return nil
}

func (h *Host) loose(p event.Pos) (name, why string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := h.looseNames[place{p.File, p.Line, p.Col}]
	return l.name, l.why
}

// looseName is a name that a function of an input mentions, and that the input changes after the function was made.
type looseName struct{ name, why string }

// noteGlobals finds the functions of a resolved input that mention names which the input changes later.
func (h *Host) noteGlobals(f *syntax.File) {
	r := racer{seen: map[*resolve.Binding]int{}, loops: map[*resolve.Binding]bool{}, last: map[*resolve.Binding]syntax.Position{}}
	r.stmts(f.Stmts, false)
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DefStmt:
			for _, s := range n.Body {
				h.noteMentions(&r, n.Def, s)
			}
		case *syntax.LambdaExpr:
			h.noteMentions(&r, n.Lambda, n.Body)
		}
		return true
	})
}

func (h *Host) noteMentions(r *racer, at syntax.Position, body syntax.Node) {
	syntax.Walk(body, func(n syntax.Node) bool {
		id, ok := n.(*syntax.Ident)
		if !ok {
			return true
		}
		b, ok := id.Binding.(*resolve.Binding)
		if !ok || b.Scope != resolve.Global || r.seen[b] == 0 {
			return true
		}
		why := ""
		if r.loops[b] {
			why = "loop variable"
		} else if last := r.last[b]; last.Line > at.Line || last.Line == at.Line && last.Col > at.Col {
			why = "variable"
		}
		if why != "" {
			h.mu.Lock()
			h.looseNames[place{at.Filename(), at.Line, at.Col}] = looseName{id.Name, why}
			h.mu.Unlock()
		}
		return true
	})
}

func (h *Host) race(p event.Pos) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.racy[place{p.File, p.Line, p.Col}]
}

// noteRaces finds the variables of a resolved file that closures capture and that are assigned more than once, or in a loop.
func (h *Host) noteRaces(f *syntax.File) {
	r := racer{seen: map[*resolve.Binding]int{}, loops: map[*resolve.Binding]bool{}}
	r.stmts(f.Stmts, false)
	h.mu.Lock()
	defer h.mu.Unlock()
	for b, n := range r.seen {
		if b.Scope != resolve.Cell || b.First == nil {
			continue
		}
		p := b.First.NamePos
		at := place{p.Filename(), p.Line, p.Col}
		switch {
		case n > 1: // also total += x in a loop, which is no loop variable
			h.racy[at] = "variable"
		case r.loops[b]:
			h.racy[at] = "loop variable"
		}
	}
}

// racer counts the assignments of each binding.
type racer struct {
	seen  map[*resolve.Binding]int
	loops map[*resolve.Binding]bool
	last  map[*resolve.Binding]syntax.Position // where the last assignment ends; nil where nobody asks
	at    syntax.Position                      // where the statement that is looked at ends
}

func (r *racer) assign(e syntax.Expr, loop bool) {
	switch e := e.(type) {
	case *syntax.Ident:
		if b, ok := e.Binding.(*resolve.Binding); ok {
			r.seen[b]++
			r.loops[b] = r.loops[b] || loop
			if r.last != nil {
				r.last[b] = r.at
			}
		}
	case *syntax.ParenExpr:
		r.assign(e.X, loop)
	case *syntax.TupleExpr:
		for _, x := range e.List {
			r.assign(x, loop)
		}
	case *syntax.ListExpr:
		for _, x := range e.List {
			r.assign(x, loop)
		}
	}
}

func (r *racer) stmts(list []syntax.Stmt, loop bool) {
	for _, s := range list {
		r.stmt(s, loop)
	}
}

func (r *racer) stmt(s syntax.Stmt, loop bool) {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		r.expr(s.RHS)
		_, r.at = s.Span()
		r.assign(s.LHS, loop)
	case *syntax.DefStmt:
		r.at = s.Def
		r.assign(s.Name, loop)
		if fn, ok := s.Function.(*resolve.Function); ok {
			for _, p := range fn.Locals[:min(len(fn.Locals), len(fn.Params))] {
				r.seen[p]++ // a parameter is assigned by the call
			}
		}
		r.stmts(s.Body, false)
	case *syntax.ForStmt:
		r.expr(s.X)
		r.assign(s.Vars, true)
		r.stmts(s.Body, true)
	case *syntax.WhileStmt:
		r.expr(s.Cond)
		r.stmts(s.Body, true)
	case *syntax.IfStmt:
		r.expr(s.Cond)
		r.stmts(s.True, loop)
		r.stmts(s.False, loop)
	case *syntax.ExprStmt:
		r.expr(s.X)
	case *syntax.ReturnStmt:
		if s.Result != nil {
			r.expr(s.Result)
		}
	}
}

// expr looks into lambdas and comprehensions, whose variables are loop variables.
func (r *racer) expr(e syntax.Expr) {
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Comprehension:
			for _, c := range n.Clauses {
				if f, ok := c.(*syntax.ForClause); ok {
					r.assign(f.Vars, true)
				}
			}
		case *syntax.LambdaExpr:
			if fn, ok := n.Function.(*resolve.Function); ok {
				for _, p := range fn.Locals[:min(len(fn.Locals), len(fn.Params))] {
					r.seen[p]++
				}
			}
		}
		return true
	})
}
