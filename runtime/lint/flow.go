package lint

import (
	"fmt"

	"go.starlark.net/syntax"

	"rig/runtime/source"
)

// unreachable looks for statements behind one that never goes on.
func (c *checker) unreachable() {
	c.bodies(func(body []syntax.Stmt) {
		for i, s := range body[:max(0, len(body)-1)] {
			if c.ends(s) && !namesResult(s, body[i+1]) {
				c.add("unreachable", body[i+1], false, "this is never reached: the statement before it does not go on", "remove it, or what stands before it")
				return
			}
		}
	})
}

// namesResult reports a return behind fail(): a handler that only fails still has to name a state, or the machine has a dead end.
func namesResult(s, next syntax.Stmt) bool {
	_, raised := s.(*syntax.ExprStmt)
	r, ok := next.(*syntax.ReturnStmt)
	return raised && ok && r.Result != nil
}

// bodies calls fn for each list of statements.
func (c *checker) bodies(fn func([]syntax.Stmt)) {
	fn(c.Tree.Stmts)
	c.each(func(n syntax.Node) {
		switch n := n.(type) {
		case *syntax.DefStmt:
			fn(n.Body)
		case *syntax.IfStmt:
			fn(n.True)
			fn(n.False)
		case *syntax.ForStmt:
			fn(n.Body)
		case *syntax.WhileStmt:
			fn(n.Body)
		}
	})
}

// ends reports whether nothing behind a statement in its list runs.
func (c *checker) ends(s syntax.Stmt) bool {
	switch s := s.(type) {
	case *syntax.ReturnStmt:
		return true
	case *syntax.BranchStmt:
		return s.Token == syntax.BREAK || s.Token == syntax.CONTINUE
	case *syntax.ExprStmt:
		return c.raises(s.X)
	case *syntax.IfStmt:
		return len(s.False) > 0 && c.anyEnds(s.True) && c.anyEnds(s.False)
	case *syntax.WhileStmt:
		id, ok := s.Cond.(*syntax.Ident)
		return ok && id.Name == "True" && !breaks(s.Body)
	}
	return false
}

func (c *checker) anyEnds(body []syntax.Stmt) bool {
	for _, s := range body {
		if c.ends(s) {
			return true
		}
	}
	return false
}

// raises reports a call that always raises.
func (c *checker) raises(e syntax.Expr) bool {
	call, ok := e.(*syntax.CallExpr)
	if !ok {
		return false
	}
	fn := c.Infer(call.Fn)
	return fn.Func != nil && !fn.Guess && (fn.Func.Qualified() == "fail" || fn.Func.Qualified() == "t.skip")
}

// breaks reports a break that leaves the loop whose body it is.
func breaks(body []syntax.Stmt) bool {
	for _, s := range body {
		switch s := s.(type) {
		case *syntax.BranchStmt:
			if s.Token == syntax.BREAK {
				return true
			}
		case *syntax.IfStmt:
			if breaks(s.True) || breaks(s.False) {
				return true
			}
		}
	}
	return false
}

// starters run the functions that they get in tasks of their own.
var starters = map[string]bool{"task.spawn": true, "task.map": true, "task.parallel": true, "group.spawn": true}

// called gives the qualified name of the built-in that a call calls, "" when it is none or only looks like one.
func (c *checker) called(call *syntax.CallExpr) string {
	if fn := c.Infer(call.Fn); fn.Func != nil {
		return fn.Func.Qualified()
	}
	return ""
}

// loopCapture looks at the functions that are made for other tasks.
func (c *checker) loopCapture() {
	c.each(func(n syntax.Node) {
		call, ok := n.(*syntax.CallExpr)
		if !ok || !starters[c.called(call)] {
			return
		}
		name := c.called(call)
		for _, a := range call.Args {
			syntax.Walk(a, func(x syntax.Node) bool {
				switch x := x.(type) {
				case *syntax.LambdaExpr:
					c.captures(x, x, name)
					return false
				case *syntax.CallExpr:
					return false // what it gives is another value
				case *syntax.Ident:
					if v := c.VarOf(x); v != nil && v.Kind == source.Function && v.Owner != nil {
						c.captures(v.Defs[0].Stmt, x, name)
					}
				}
				return true
			})
		}
	})
}

// captures reports the variables that a function takes from around it and that change there.
func (c *checker) captures(fn, at syntax.Node, name string) {
	for _, v := range c.Vars {
		if v.Owner == nil && v.Kind != source.Comprehended || v.Owner == fn || v.Kind == source.Function {
			continue
		}
		use := usedIn(fn, v)
		if use == nil || inside(fn, v.Decl) {
			continue
		}
		if v.Kind == source.Looped || v.Kind == source.Comprehended || len(v.Defs) > 1 || inLoop(c.Tree, v) {
			hint := fmt.Sprintf("pass it as an argument: %s(work, %s)", name, v.Name)
			if name == "task.map" || name == "task.parallel" {
				hint = "pass it as an item: task.map(work, items) calls work(item)"
			}
			c.add("loop-capture", at, true, fmt.Sprintf("the function captures %s, which changes while other tasks run (line %d)", v.Name, use.NamePos.Line), hint)
			return
		}
	}
}

func usedIn(fn syntax.Node, v *source.Var) *syntax.Ident {
	for _, u := range v.Uses {
		if inside(fn, u) {
			return u
		}
	}
	return nil
}

// inside reports whether a node lies within another one.
func inside(outer, inner syntax.Node) bool {
	start, end := outer.Span()
	at, _ := inner.Span()
	return !before(at, start) && before(at, end)
}

func before(a, b syntax.Position) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
}

// inLoop reports whether a variable is assigned within a loop of its own function.
func inLoop(f *syntax.File, v *source.Var) bool {
	found := false
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n.(type) {
		case *syntax.ForStmt, *syntax.WhileStmt:
			for _, d := range v.Defs {
				found = found || inside(n, d.At) && (v.Owner == nil || inside(v.Owner, n))
			}
		}
		return !found
	})
	return found
}

// atLoad looks at the calls that run while the file loads.
func (c *checker) atLoad() {
	syntax.Walk(c.Tree, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DefStmt, *syntax.LambdaExpr:
			return false
		case *syntax.CallExpr:
			if fn := c.Infer(n.Fn); fn.Func != nil && !fn.Guess && !fn.Func.LoadTime {
				c.add("at-load", n, true, fn.Func.Qualified()+" cannot be called while the file loads", "put it into a test or a function")
			}
		}
		return true
	})
}

// isTask reports a variable that holds a task or a group of them.
func (c *checker) isTask(v *source.Var) bool {
	t := c.TypeOf(v)
	return !t.Guess && (t.Name == "task" || t.Name == "task_group")
}

// inGroup reports a task that its group waits for.
func (c *checker) inGroup(v *source.Var) bool {
	if c.TypeOf(v).Name != "task" {
		return false
	}
	for _, d := range v.Defs {
		found := false
		syntax.Walk(d.Value, func(n syntax.Node) bool {
			call, ok := n.(*syntax.CallExpr)
			found = found || ok && c.called(call) == "task.spawn"
			return true
		})
		if found {
			return false
		}
	}
	return true
}

// waits are the members of tasks and groups that see how a task ended.
var waits = map[string]bool{"wait": true, "value": true, "ok": true, "error": true, "next": true}

// notAwaited looks for tasks whose end nobody sees.
func (c *checker) notAwaited() {
	c.each(func(n syntax.Node) {
		s, ok := n.(*syntax.ExprStmt)
		if !ok {
			return
		}
		if call, ok := s.X.(*syntax.CallExpr); ok && c.called(call) == "task.spawn" {
			c.add("task-not-awaited", s, false, "the task is started and nobody can wait for it: its errors are lost", "keep it: work = task.spawn(...), then work.wait(); or use task.group()")
		}
	})
	if !c.Whole {
		return
	}
	members := c.members()
	for _, v := range c.Vars {
		if !c.isTask(v) || v.Kind != source.Assigned || c.inGroup(v) {
			continue
		}
		seen := false
		for _, u := range v.Uses {
			m, isMember := members[u]
			seen = seen || !isMember || waits[m] // who else gets it may wait
		}
		if !seen {
			c.add("task-not-awaited", v.Decl, false, v.Name+" is never waited for: the errors of its work are lost", v.Name+".wait()")
		}
	}
}

// members gives, for each identifier before a dot, the name behind it.
func (c *checker) members() map[*syntax.Ident]string {
	out := map[*syntax.Ident]string{}
	c.each(func(n syntax.Node) {
		if dot, ok := n.(*syntax.DotExpr); ok {
			if id, ok := dot.X.(*syntax.Ident); ok {
				out[id] = dot.Name.Name
			}
		}
	})
	return out
}

// ignoredTry looks for outcomes that are thrown away.
func (c *checker) ignoredTry() {
	c.each(func(n syntax.Node) {
		s, ok := n.(*syntax.ExprStmt)
		if !ok {
			return
		}
		if call, ok := s.X.(*syntax.CallExpr); ok && c.called(call) == "try_" {
			c.add("ignored-try", s, false, "the outcome of try_ is thrown away, and an error with it", "r = try_(...), then look at r.error; without try_ an error ends the test")
		}
	})
}
