package script

import (
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Returns lists the names that a function's return statements give: str literals and module constants such as
// machine.completed (by their last part). computed is true where a return gives something else than a name or None.
func (h *Host) Returns(fn *starlark.Function) (names []string, computed bool) {
	text, ok := h.Source(fn.Position().Filename())
	if !ok {
		return nil, true
	}
	f, err := fileOptions().Parse(fn.Position().Filename(), text, 0)
	if err != nil {
		return nil, true
	}
	var r returns
	found := false
	syntax.Walk(f, func(n syntax.Node) bool {
		if found {
			return false
		}
		switch n := n.(type) {
		case *syntax.DefStmt:
			if at(n.Def, fn) || at(n.Name.NamePos, fn) {
				found = true
				r.stmts(n.Body)
			}
		case *syntax.LambdaExpr:
			if at(n.Lambda, fn) {
				found = true
				r.expr(n.Body)
			}
		}
		return !found
	})
	return r.names, r.computed || !found
}

func at(p syntax.Position, fn *starlark.Function) bool {
	q := fn.Position()
	return p.Line == q.Line && p.Col == q.Col
}

type returns struct {
	names    []string
	computed bool
}

func (r *returns) stmts(list []syntax.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *syntax.ReturnStmt:
			if s.Result != nil {
				r.expr(s.Result)
			}
		case *syntax.IfStmt:
			r.stmts(s.True)
			r.stmts(s.False)
		case *syntax.ForStmt:
			r.stmts(s.Body)
		case *syntax.WhileStmt:
			r.stmts(s.Body)
		}
	}
}

func (r *returns) expr(e syntax.Expr) {
	switch e := e.(type) {
	case *syntax.ParenExpr:
		r.expr(e.X)
	case *syntax.CondExpr:
		r.expr(e.True)
		r.expr(e.False)
	case *syntax.Literal:
		if s, ok := e.Value.(string); ok {
			r.add(s)
			return
		}
		r.computed = true
	case *syntax.DotExpr:
		if id, ok := e.X.(*syntax.Ident); ok && id.Name == "machine" {
			r.add(e.Name.Name)
			return
		}
		r.computed = true
	case *syntax.Ident:
		r.computed = r.computed || e.Name != "None"
	default:
		r.computed = true
	}
}

func (r *returns) add(name string) {
	if !slices.Contains(r.names, name) {
		r.names = append(r.names, name)
	}
}
