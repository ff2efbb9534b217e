package lint

import (
	"maps"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/source"
)

// opened maps a session, by its source text, to the call that began its transaction.
type opened map[string]syntax.Node

// openTransactions follows the paths of each function: what begins on a session must be committed or rolled back on every path
// that returns. A path that raises is no concern: the test fails there, and what it leaves is told.
func (c *checker) openTransactions() {
	for _, d := range c.Defs {
		t := tracer{c: c, def: d, ended: map[string]bool{}}
		t.look(d)
		out, goesOn := t.block(d.Body, opened{})
		if goesOn {
			t.report(out)
		}
	}
}

// tracer follows one function.
type tracer struct {
	c     *checker
	def   *syntax.DefStmt
	ended map[string]bool // sessions that the function ends somewhere
	given map[string]bool // sessions that it got or gave away: their transactions may be others' business
	loops map[string][]string
}

// look notes what the whole function does with its sessions.
func (t *tracer) look(d *syntax.DefStmt) {
	t.given = map[string]bool{}
	ids, _ := source.Params(d.Params)
	for _, id := range ids {
		t.given[id.Name] = true
	}
	t.loops = map[string][]string{}
	syntax.Walk(d, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.ForStmt:
			if id, ok := n.Vars.(*syntax.Ident); ok {
				t.loops[id.Name] = t.elements(n.X)
			}
		case *syntax.CallExpr:
			for _, key := range t.ends(n) {
				t.ended[key] = true
			}
		case *syntax.ReturnStmt:
			if n.Result != nil {
				t.escape(n.Result)
			}
		}
		return true
	})
}

// elements names what a loop goes over: each element of a list that is written out, else all of them under one name.
func (t *tracer) elements(e syntax.Expr) []string {
	var list []syntax.Expr
	switch x := e.(type) {
	case *syntax.ListExpr:
		list = x.List
	case *syntax.TupleExpr:
		list = x.List
	case *syntax.ParenExpr:
		return t.elements(x.X)
	default:
		return []string{"each of " + t.c.Slice(e)}
	}
	var out []string
	for _, x := range list {
		out = append(out, t.c.Slice(x))
	}
	return out
}

// escape notes the sessions that leave the function in a value.
func (t *tracer) escape(e syntax.Expr) {
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.CallExpr:
			return false
		case *syntax.Ident:
			t.given[n.Name] = true
		}
		return true
	})
}

// keys names the sessions that an expression stands for.
func (t *tracer) keys(e syntax.Expr) []string {
	if id, ok := e.(*syntax.Ident); ok {
		if keys := t.loops[id.Name]; keys != nil {
			return keys
		}
	}
	return []string{t.c.Slice(e)}
}

// method gives the session and the member of a call such as conn.begin(), also where it is handed on: try_(conn.commit).
func (t *tracer) method(e syntax.Expr) (keys []string, name string) {
	dot, ok := e.(*syntax.DotExpr)
	if !ok {
		return nil, ""
	}
	if typ := t.c.Infer(dot.X).Name; typ != "" && typ != "session" && typ != "mock_connection" {
		return nil, ""
	}
	return t.keys(dot.X), dot.Name.Name
}

var enders = map[string]bool{"commit": true, "rollback": true, "close": true, "reset": true, "kill": true}

// ends lists the sessions whose transactions a call ends, or may end: those that it gets as arguments, too.
func (t *tracer) ends(call *syntax.CallExpr) []string {
	var out []string
	if keys, name := t.method(call.Fn); enders[name] || statement(call, "COMMIT", "ROLLBACK") {
		out = append(out, keys...)
	}
	for _, a := range call.Args {
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			a = b.Y
		}
		if keys, name := t.method(a); enders[name] {
			out = append(out, keys...)
		}
		if !statementCall(call) {
			out = append(out, t.handed(a)...)
		}
	}
	return out
}

// handed lists what an argument gives away: the session itself, a list of them, a function that may use them.
func (t *tracer) handed(e syntax.Expr) []string {
	var out []string
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DotExpr, *syntax.CallExpr:
			if dot, ok := n.(*syntax.DotExpr); ok {
				out = append(out, t.c.Slice(dot)) // t.db
			}
			return false
		case *syntax.Ident:
			out = append(out, t.keys(n)...)
			out = append(out, "each of "+n.Name)
		}
		return true
	})
	return out
}

// statementCall reports a call of a session's own statement methods, whose arguments are values.
func statementCall(call *syntax.CallExpr) bool {
	dot, ok := call.Fn.(*syntax.DotExpr)
	return ok && (dot.Name.Name == "exec" || dot.Name.Name == "query" || dot.Name.Name == "start")
}

// statement reports a call whose first argument is SQL that begins with one of the words.
func statement(call *syntax.CallExpr, words ...string) bool {
	if !statementCall(call) || len(call.Args) == 0 {
		return false
	}
	lit, ok := call.Args[0].(*syntax.Literal)
	if !ok {
		return false
	}
	sql, _ := lit.Value.(string)
	fields := strings.Fields(strings.ToUpper(sql))
	for _, w := range words {
		if strings.HasPrefix(strings.Join(fields, " ")+" ", w+" ") && !strings.HasPrefix(strings.Join(fields, " "), "ROLLBACK TO") {
			return true
		}
	}
	return false
}

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
		a, goesA := t.block(s.True, maps.Clone(in))
		b, goesB := t.block(s.False, maps.Clone(in))
		return merge(a, goesA, b, goesB)
	case *syntax.ForStmt:
		in = t.exprs(s.X, in)
		return t.loop(s.Body, in, len(t.elements(s.X)) > 0)
	case *syntax.WhileStmt:
		return t.loop(s.Body, t.exprs(s.Cond, in), false)
	case *syntax.ReturnStmt:
		if s.Result != nil {
			in = t.exprs(s.Result, in)
		}
		t.report(in)
		return in, false
	case *syntax.BranchStmt:
		return in, s.Token == syntax.PASS
	}
	in = t.exprs(s, in)
	if a, ok := s.(*syntax.AssignStmt); ok {
		for _, key := range t.handed(a.RHS) {
			delete(in, key) // it may be ended under the other name
		}
	}
	return in, !t.c.ends(s)
}

// loop runs a body once. A loop over sessions ends what all of them have open: it is written for all of them. Any other
// loop may not run at all.
func (t *tracer) loop(body []syntax.Stmt, in opened, sessions bool) (opened, bool) {
	out, goesOn := t.block(body, maps.Clone(in))
	if !goesOn {
		return in, true // it left by break, continue or return; which were looked at
	}
	if sessions {
		return out, true
	}
	return merge(out, true, in, true)
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
	if name == "begin" || len(keys) > 0 && statement(call, "BEGIN", "START TRANSACTION") {
		for _, key := range keys {
			in[key] = call
		}
	}
}

func (t *tracer) report(in opened) {
	for key, at := range in {
		if t.given[rootOf(key)] && !t.ended[key] {
			continue // it begins for its caller
		}
		t.c.add("open-transaction", at, false, "the transaction on "+key+" is left open on a path through "+t.def.Name.Name, key+".commit() or .rollback() on every path, or conn.transaction(fn, ...)")
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
