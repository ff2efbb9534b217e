package script

import (
	"math/big"

	"go.starlark.net/syntax"
)

// Sized operators become calls of helpers whose names no script can write: the operators themselves. What a literal proves
// harmless stays.
const (
	helperMul     = "*"
	helperAdd     = "+"
	helperMod     = "%"
	helperShift   = "<<"
	helperExtend  = "+="
	helperIndexed = "[]="
	helperField   = ".="
	helperSplat   = "*args"
	helperMethod  = "."
)

func isHelper(name string) bool {
	return name != "" && (name[0] < 'A' || name[0] == '[') && name[0] != '_'
}

// sizedMethods are the methods of strings, lists and other core values that allocate more than they are given.
var sizedMethods = map[string]bool{"join": true, "replace": true, "format": true, "extend": true, "update": true, "union": true, "elems": true, "codepoints": true}

// rewrite changes the tree in place.
func rewrite(f *syntax.File) {
	r := &rewriter{sums: map[*syntax.AssignStmt]bool{}}
	r.rewriteStmts(f.Stmts)
}

// rewriter goes down one file.
type rewriter struct {
	sums map[*syntax.AssignStmt]bool // += of variables that are always numbers
}

func (r *rewriter) rewriteStmts(list []syntax.Stmt) {
	for i, s := range list {
		list[i] = r.rewriteStmt(s)
	}
}

func (r *rewriter) rewriteStmt(s syntax.Stmt) syntax.Stmt {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		return r.rewriteAssign(s)
	case *syntax.DefStmt:
		r.rewriteParams(s.Params)
		r.addSums(s)
		r.rewriteStmts(s.Body)
	case *syntax.ForStmt:
		s.Vars, s.X = r.rewriteExpr(s.Vars), r.rewriteExpr(s.X)
		r.rewriteStmts(s.Body)
	case *syntax.WhileStmt:
		s.Cond = r.rewriteExpr(s.Cond)
		r.rewriteStmts(s.Body)
	case *syntax.IfStmt:
		s.Cond = r.rewriteExpr(s.Cond)
		r.rewriteStmts(s.True)
		r.rewriteStmts(s.False)
	case *syntax.ExprStmt:
		s.X = r.rewriteExpr(s.X)
	case *syntax.ReturnStmt:
		if s.Result != nil {
			s.Result = r.rewriteExpr(s.Result)
		}
	}
	return s
}

func (r *rewriter) rewriteParams(params []syntax.Expr) {
	for _, p := range params {
		if b, ok := p.(*syntax.BinaryExpr); ok { // name = default
			b.Y = r.rewriteExpr(b.Y)
		}
	}
}

// augmented gives the helper of an augmented assignment, "" where the interpreter's own is harmless.
func augmented(op syntax.Token) (operator string, plain syntax.Token) {
	switch op {
	case syntax.PLUS_EQ:
		return helperExtend, syntax.PLUS
	case syntax.STAR_EQ:
		return helperMul, syntax.STAR
	case syntax.PERCENT_EQ:
		return helperMod, syntax.PERCENT
	case syntax.LTLT_EQ:
		return helperShift, syntax.LTLT
	}
	return "", 0
}

func (r *rewriter) rewriteAssign(s *syntax.AssignStmt) syntax.Stmt {
	s.RHS = r.rewriteExpr(s.RHS)
	helper, plain := augmented(s.Op)
	if r.sums[s] || helper == "" || harmless(plain, nil, s.RHS) {
		s.LHS = r.rewriteExpr(s.LHS)
		return s
	}
	at := s.OpPos
	switch lhs := unparen(s.LHS).(type) {
	case *syntax.Ident:
		use := &syntax.Ident{NamePos: lhs.NamePos, Name: lhs.Name}
		s.LHS, s.RHS, s.Op = lhs, call(at, helper, use, s.RHS), syntax.EQ
		return s
	case *syntax.IndexExpr:
		x := call(at, helperIndexed, r.rewriteExpr(lhs.X), r.rewriteExpr(lhs.Y), text(at, helper), s.RHS)
		return &syntax.ExprStmt{X: x}
	case *syntax.DotExpr:
		x := call(at, helperField, r.rewriteExpr(lhs.X), text(at, lhs.Name.Name), text(at, helper), s.RHS)
		return &syntax.ExprStmt{X: x}
	}
	return s // what cannot be assigned to is the resolver's to refuse
}

func unparen(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.ParenExpr)
		if !ok {
			return e
		}
		e = p.X
	}
}

func (r *rewriter) rewriteAll(list []syntax.Expr) {
	for i, e := range list {
		list[i] = r.rewriteExpr(e)
	}
}

func (r *rewriter) rewriteExpr(e syntax.Expr) syntax.Expr {
	switch e := e.(type) {
	case *syntax.BinaryExpr:
		return r.rewriteBinary(e)
	case *syntax.CallExpr:
		return r.rewriteCall(e)
	case *syntax.DotExpr:
		e.X = r.rewriteExpr(e.X)
		if sizedMethods[e.Name.Name] {
			return call(e.Dot, helperMethod, e)
		}
	case *syntax.Comprehension:
		e.Body = r.rewriteExpr(e.Body)
		for _, c := range e.Clauses {
			switch c := c.(type) {
			case *syntax.ForClause:
				c.X = r.rewriteExpr(c.X)
			case *syntax.IfClause:
				c.Cond = r.rewriteExpr(c.Cond)
			}
		}
	case *syntax.CondExpr:
		e.Cond, e.True, e.False = r.rewriteExpr(e.Cond), r.rewriteExpr(e.True), r.rewriteExpr(e.False)
	case *syntax.DictEntry:
		e.Key, e.Value = r.rewriteExpr(e.Key), r.rewriteExpr(e.Value)
	case *syntax.DictExpr:
		r.rewriteAll(e.List)
	case *syntax.IndexExpr:
		e.X, e.Y = r.rewriteExpr(e.X), r.rewriteExpr(e.Y)
	case *syntax.LambdaExpr:
		r.rewriteParams(e.Params)
		e.Body = r.rewriteExpr(e.Body)
	case *syntax.ListExpr:
		r.rewriteAll(e.List)
	case *syntax.ParenExpr:
		e.X = r.rewriteExpr(e.X)
	case *syntax.SliceExpr:
		r.rewriteSlice(e)
	case *syntax.TupleExpr:
		r.rewriteAll(e.List)
	case *syntax.UnaryExpr:
		if e.X != nil {
			e.X = r.rewriteExpr(e.X)
		}
	}
	return e
}

func (r *rewriter) rewriteSlice(e *syntax.SliceExpr) {
	e.X = r.rewriteExpr(e.X)
	for _, part := range []*syntax.Expr{&e.Lo, &e.Hi, &e.Step} {
		if *part != nil {
			*part = r.rewriteExpr(*part)
		}
	}
}

func (r *rewriter) rewriteCall(e *syntax.CallExpr) syntax.Expr {
	e.Fn = r.rewriteExpr(e.Fn)
	for i, a := range e.Args {
		switch a := a.(type) {
		case *syntax.UnaryExpr:
			if a.Op == syntax.STAR && a.X != nil {
				a.X = call(a.OpPos, helperSplat, r.rewriteExpr(a.X))
				continue
			}
			e.Args[i] = r.rewriteExpr(a)
		case *syntax.BinaryExpr:
			if a.Op == syntax.EQ { // name = value
				a.Y = r.rewriteExpr(a.Y)
				continue
			}
			e.Args[i] = r.rewriteExpr(a)
		default:
			e.Args[i] = r.rewriteExpr(a)
		}
	}
	return e
}

func (r *rewriter) rewriteBinary(e *syntax.BinaryExpr) syntax.Expr {
	// A long chain leans left: go down it in a loop.
	chain := []*syntax.BinaryExpr{e}
	for {
		x, ok := chain[len(chain)-1].X.(*syntax.BinaryExpr)
		if !ok {
			break
		}
		chain = append(chain, x)
	}
	left := r.rewriteExpr(chain[len(chain)-1].X)
	for i := len(chain) - 1; i >= 0; i-- {
		b := chain[i]
		b.X, b.Y = left, r.rewriteExpr(b.Y)
		left = guarded(b)
	}
	return left
}

func guarded(b *syntax.BinaryExpr) syntax.Expr {
	var helper string
	switch b.Op {
	case syntax.STAR:
		helper = helperMul
	case syntax.PLUS:
		helper = helperAdd
	case syntax.PERCENT:
		helper = helperMod
	case syntax.LTLT:
		helper = helperShift
	default:
		return b
	}
	if harmless(b.Op, b.X, b.Y) {
		return b
	}
	return call(b.OpPos, helper, b.X, b.Y)
}

// harmless: a sum or a remainder with a literal number is a number, and so is a product of two.
func harmless(op syntax.Token, x, y syntax.Expr) bool {
	switch op {
	case syntax.PLUS:
		return isNumber(x) || isNumber(y)
	case syntax.PERCENT:
		return isNumber(y)
	case syntax.STAR:
		return isNumber(x) && isNumber(y)
	}
	return false
}

func isNumber(e syntax.Expr) bool {
	lit, ok := e.(*syntax.Literal)
	if !ok {
		return false
	}
	if _, large := lit.Value.(*big.Int); large {
		return false
	}
	return lit.Token == syntax.INT || lit.Token == syntax.FLOAT
}

func call(at syntax.Position, helper string, args ...syntax.Expr) *syntax.CallExpr {
	return &syntax.CallExpr{Fn: &syntax.Ident{NamePos: at, Name: helper}, Lparen: at, Args: args, Rparen: at}
}

func text(at syntax.Position, s string) *syntax.Literal {
	return &syntax.Literal{Token: syntax.STRING, TokenPos: at, Raw: `""`, Value: s}
}
