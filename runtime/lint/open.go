package lint

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/syntax"
)

// begun is an open transaction: the call that began it, and the conditions under which that stands.
type begun struct {
	at    syntax.Node
	under []string
}

// opened maps a session, by its source text, to its transaction.
type opened map[string]begun

// openTransactions follows the paths of each function: what begins on a session must be committed or rolled back on every path
// that returns. A path that raises is no concern: the test fails there, and what it leaves is told.
func (c *checker) openTransactions() {
	for _, d := range c.Defs {
		t := c.sessionsOf(d)
		out, goesOn := t.block(d.Body, opened{})
		if goesOn {
			t.report(out)
		}
	}
}

// tracer follows the paths of one function.
type tracer struct {
	*uses
	under []string // the conditions that hold
	loops []*jumps // the loops around, the innermost last
}

// jumps are what is open where a loop is left or goes round.
type jumps struct{ breaks, goesRound []opened }

// block follows a list of statements; goesOn is false when no path comes to its end.
func (t *tracer) block(list []syntax.Stmt, in opened) (out opened, goesOn bool) {
	for _, s := range list {
		if in, goesOn = t.stmt(s, in); !goesOn {
			return in, false
		}
	}
	return in, true
}

func (t *tracer) stmt(s syntax.Stmt, in opened) (opened, bool) {
	switch s := s.(type) {
	case *syntax.DefStmt:
		return in, true
	case *syntax.IfStmt:
		in = t.exprs(s.Cond, in)
		cond := t.c.Slice(s.Cond)
		a, goesA := t.branch(s.True, in, cond, "not "+cond)
		b, goesB := t.branch(s.False, in, "not "+cond, cond)
		return merge(a, goesA, b, goesB)
	case *syntax.ForStmt:
		return t.loop(s.Body, t.exprs(s.X, in), true)
	case *syntax.WhileStmt:
		in = t.exprs(s.Cond, in)
		if id, ok := s.Cond.(*syntax.Ident); ok && id.Name == "True" {
			return t.endless(s.Body, in)
		}
		return t.loop(s.Body, in, false)
	case *syntax.ReturnStmt:
		if s.Result != nil {
			in = t.exprs(s.Result, in)
		}
		t.report(in)
		return in, false
	case *syntax.BranchStmt:
		t.jump(s.Token, in)
		return in, s.Token == syntax.PASS
	}
	return t.exprs(s, in), !t.c.ends(s)
}

// branch follows one side of a condition. What began under the other outcome of the same condition is not open here.
func (t *tracer) branch(list []syntax.Stmt, in opened, cond, other string) (opened, bool) {
	in = maps.Clone(in)
	maps.DeleteFunc(in, func(_ string, b begun) bool { return slices.Contains(b.under, other) })
	t.under = append(t.under, cond)
	defer func() { t.under = t.under[:len(t.under)-1] }()
	return t.block(list, in)
}

func (t *tracer) jump(token syntax.Token, in opened) {
	if len(t.loops) == 0 {
		return
	}
	switch l := t.loops[len(t.loops)-1]; token {
	case syntax.BREAK:
		l.breaks = append(l.breaks, maps.Clone(in))
	case syntax.CONTINUE:
		l.goesRound = append(l.goesRound, maps.Clone(in))
	}
}

// round runs a loop's body once. It gives what is open at the end of a round, and behind a break.
func (t *tracer) round(body []syntax.Stmt, in opened) (end opened, ends bool, left opened, breaks bool) {
	l := &jumps{}
	t.loops = append(t.loops, l)
	end, ends = t.block(body, maps.Clone(in))
	t.loops = t.loops[:len(t.loops)-1]
	for _, o := range l.goesRound {
		end, ends = merge(end, ends, o, true)
	}
	for _, o := range l.breaks {
		left, breaks = merge(left, breaks, o, true)
	}
	return end, ends, left, breaks
}

// loop runs a body once. A for loop over sessions ends what all of them have open: it is written for all of them, so that it is
// taken to run. Any other loop may not run at all.
func (t *tracer) loop(body []syntax.Stmt, in opened, runs bool) (opened, bool) {
	end, ends, left, breaks := t.round(body, in)
	out, goesOn := merge(end, ends, left, breaks)
	if runs && goesOn {
		return out, true
	}
	return merge(out, goesOn, in, true)
}

// endless is left by break only.
func (t *tracer) endless(body []syntax.Stmt, in opened) (opened, bool) {
	_, _, left, breaks := t.round(body, in)
	return left, breaks
}

func merge(a opened, goesA bool, b opened, goesB bool) (opened, bool) {
	switch {
	case !goesA:
		return b, goesB
	case !goesB:
		return a, true
	}
	maps.Copy(a, b)
	return a, true
}

// exprs follows the calls of an expression or a simple statement.
func (t *tracer) exprs(n syntax.Node, in opened) opened {
	syntax.Walk(n, func(x syntax.Node) bool {
		switch x := x.(type) {
		case *syntax.LambdaExpr:
			return false
		case *syntax.CallExpr:
			t.call(x, in)
		}
		return true
	})
	return in
}

func (t *tracer) call(call *syntax.CallExpr, in opened) {
	for _, key := range t.ends(call) {
		delete(in, key)
	}
	keys, name := t.method(call.Fn)
	if name == "begin" || len(keys) > 0 && takesSQL[name] && len(call.Args) > 0 && begins(text(call.Args[0]), "BEGIN", "START TRANSACTION") {
		for _, key := range keys {
			in[key] = begun{call, slices.Clone(t.under)}
		}
	}
}

func (t *tracer) report(in opened) {
	for key, b := range in {
		if t.given[rootOf(key)] && !t.ended[key] || t.aliased[key] {
			continue // it begins for its caller, or may be ended under another name
		}
		t.c.add("open-transaction", b.at, false, "the transaction on "+key+" is left open on a path through "+t.def.Name.Name, key+".commit() or .rollback() on every path, or conn.transaction(fn, ...)")
	}
}

// rootOf is the variable that a session's text begins with. The test's own t gives sessions that are the test's.
func rootOf(key string) string {
	root, _, _ := strings.Cut(strings.TrimPrefix(key, "each of "), ".")
	if root == "t" {
		return ""
	}
	return root
}
