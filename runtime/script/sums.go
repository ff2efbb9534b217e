package script

import "go.starlark.net/syntax"

// addSums finds the sums of a function: `total += x` where total is only ever a number, so that adding cannot make text or a
// list grow and needs no helper. A local variable is one when each of its assignments gives it a literal number, or adds to it
// or takes from it: what is added to a number is a number, or an error.
func (r *rewriter) addSums(def *syntax.DefStmt) {
	l := &locals{number: map[string]bool{}, other: map[string]bool{}, sums: map[string][]*syntax.AssignStmt{}}
	for _, p := range def.Params {
		l.bind(p)
	}
	l.stmts(def.Body)
	for name, sums := range l.sums {
		if l.other[name] || !l.number[name] {
			continue
		}
		for _, s := range sums {
			r.sums[s] = true
		}
	}
}

// locals are the assignments to names in a function's own body; nested functions have names of their own.
type locals struct {
	number map[string]bool                 // assigned a literal number
	other  map[string]bool                 // assigned anything else
	sums   map[string][]*syntax.AssignStmt // the += of a name
}

func (l *locals) stmts(list []syntax.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *syntax.AssignStmt:
			l.assign(s)
		case *syntax.DefStmt:
			l.other[s.Name.Name] = true
		case *syntax.ForStmt:
			l.bind(s.Vars)
			l.stmts(s.Body)
		case *syntax.WhileStmt:
			l.stmts(s.Body)
		case *syntax.IfStmt:
			l.stmts(s.True)
			l.stmts(s.False)
		case *syntax.LoadStmt:
			for _, id := range s.To {
				l.other[id.Name] = true
			}
		}
	}
}

func (l *locals) assign(s *syntax.AssignStmt) {
	id, ok := unparen(s.LHS).(*syntax.Ident)
	switch {
	case !ok:
		l.bind(s.LHS)
	case s.Op == syntax.EQ && isNumber(s.RHS):
		l.number[id.Name] = true
	case s.Op == syntax.PLUS_EQ:
		l.sums[id.Name] = append(l.sums[id.Name], s)
	case s.Op == syntax.MINUS_EQ: // of numbers a number; sets have it too, and these were assigned otherwise
	default:
		l.other[id.Name] = true
	}
}

// bind notes names that get a value unknown here.
func (l *locals) bind(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.Ident:
		l.other[e.Name] = true
	case *syntax.ParenExpr:
		l.bind(e.X)
	case *syntax.TupleExpr:
		for _, x := range e.List {
			l.bind(x)
		}
	case *syntax.ListExpr:
		for _, x := range e.List {
			l.bind(x)
		}
	case *syntax.BinaryExpr: // name = default
		l.bind(e.X)
	case *syntax.UnaryExpr: // *args
		if e.X != nil {
			l.bind(e.X)
		}
	}
}
