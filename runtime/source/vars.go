package source

import (
	"go.starlark.net/resolve"
	"go.starlark.net/syntax"
)

// Kind says how a variable comes to be.
type Kind string

// The kinds of variables.
const (
	Assigned     Kind = "variable"
	Param        Kind = "parameter"
	Looped       Kind = "loop variable"
	Comprehended Kind = "comprehension variable"
	Function     Kind = "function"
	Loaded       Kind = "loaded name"
)

// Var is a variable of a file with all that is known of it.
type Var struct {
	Name  string
	Kind  Kind
	Decl  *syntax.Ident // where it is first bound
	Owner syntax.Node   // the *DefStmt or *LambdaExpr that it is local to; nil at the top level
	Defs  []Def
	Uses  []*syntax.Ident // without the places that bind it
	Inner bool            // a function within its own captures it
}

// Def is one place that binds a variable.
type Def struct {
	At    *syntax.Ident
	Value syntax.Expr // what is assigned, or iterated over for a loop; nil for parameters
	Path  []int       // into Value, where it is taken apart
	Loop  bool        // Value is what is iterated over
	Aug   bool        // x += Value
	Stmt  syntax.Node // the statement, clause or function that binds
}

// VarOf gives the variable that an identifier stands for, nil for built-ins and undefined names.
func (f *File) VarOf(id *syntax.Ident) *Var { return f.of[id] }

// collect walks the tree for variables. The resolver has bound the identifiers: those of one variable share their first one.
func (f *File) collect() {
	c := collector{f: f}
	c.stmts(f.Tree.Stmts)
	for _, u := range c.uses {
		b, ok := u.id.Binding.(*resolve.Binding)
		if !ok || b.First == nil {
			continue
		}
		if v := f.vars[b.First]; v != nil {
			v.Uses = append(v.Uses, u.id)
			v.Inner = v.Inner || u.owner != v.Owner && v.Owner != nil
			f.of[u.id] = v
		}
	}
}

type use struct {
	id    *syntax.Ident
	owner syntax.Node
}

type collector struct {
	f     *File
	owner syntax.Node
	uses  []use
}

func (c *collector) bind(id *syntax.Ident, kind Kind, d Def) {
	b, ok := id.Binding.(*resolve.Binding)
	if !ok || b.First == nil {
		return
	}
	v := c.f.vars[b.First]
	if v == nil {
		v = &Var{Name: id.Name, Kind: kind, Decl: b.First, Owner: c.owner}
		c.f.vars[b.First] = v
		c.f.Vars = append(c.f.Vars, v)
	}
	d.At = id
	v.Defs = append(v.Defs, d)
	c.f.of[id] = v
}

// target binds what stands on the left of an assignment or between for and in.
func (c *collector) target(e syntax.Expr, kind Kind, d Def) {
	switch e := e.(type) {
	case *syntax.Ident:
		c.bind(e, kind, d)
	case *syntax.ParenExpr:
		c.target(e.X, kind, d)
	case *syntax.TupleExpr:
		c.targets(e.List, kind, d)
	case *syntax.ListExpr:
		c.targets(e.List, kind, d)
	default:
		c.expr(e)
	}
}

func (c *collector) targets(list []syntax.Expr, kind Kind, d Def) {
	for i, x := range list {
		part := d
		part.Path = append(append([]int{}, d.Path...), i)
		c.target(x, kind, part)
	}
}

func (c *collector) stmts(list []syntax.Stmt) {
	for _, s := range list {
		c.stmt(s)
	}
}

func (c *collector) stmt(s syntax.Stmt) {
	switch s := s.(type) {
	case *syntax.AssignStmt:
		c.expr(s.RHS)
		if id, ok := s.LHS.(*syntax.Ident); ok && s.Op != syntax.EQ {
			c.uses = append(c.uses, use{id, c.owner})
		}
		c.target(s.LHS, Assigned, Def{Value: s.RHS, Aug: s.Op != syntax.EQ, Stmt: s})
	case *syntax.DefStmt:
		c.bind(s.Name, Function, Def{Stmt: s})
		c.f.Defs = append(c.f.Defs, s)
		c.function(s, s.Params, func() { c.stmts(s.Body) })
	case *syntax.ExprStmt:
		c.expr(s.X)
	case *syntax.ReturnStmt:
		c.expr(s.Result)
	case *syntax.IfStmt:
		c.expr(s.Cond)
		c.stmts(s.True)
		c.stmts(s.False)
	case *syntax.ForStmt:
		c.expr(s.X)
		c.target(s.Vars, Looped, Def{Value: s.X, Loop: true, Stmt: s})
		c.stmts(s.Body)
	case *syntax.WhileStmt:
		c.expr(s.Cond)
		c.stmts(s.Body)
	case *syntax.LoadStmt:
		for _, to := range s.To {
			c.bind(to, Loaded, Def{Stmt: s})
		}
	}
}

// function walks a function: the defaults belong to the scope around it.
func (c *collector) function(n syntax.Node, params []syntax.Expr, body func()) {
	for _, p := range params {
		if b, ok := p.(*syntax.BinaryExpr); ok {
			c.expr(b.Y)
		}
	}
	outer := c.owner
	c.owner = n
	ids, _ := Params(params)
	for _, id := range ids {
		c.bind(id, Param, Def{Stmt: n})
	}
	body()
	c.owner = outer
}

// expr notes the uses in an expression.
func (c *collector) expr(e syntax.Expr) {
	if e == nil {
		return
	}
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Ident:
			c.uses = append(c.uses, use{n, c.owner})
		case *syntax.DotExpr:
			c.expr(n.X)
			return false
		case *syntax.CallExpr:
			c.call(n)
			return false
		case *syntax.LambdaExpr:
			c.function(n, n.Params, func() { c.expr(n.Body) })
			return false
		case *syntax.Comprehension:
			c.comprehension(n)
			return false
		}
		return true
	})
}

func (c *collector) call(n *syntax.CallExpr) {
	c.expr(n.Fn)
	for _, a := range n.Args {
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			a = b.Y
		}
		c.expr(a)
	}
}

func (c *collector) comprehension(n *syntax.Comprehension) {
	for _, clause := range n.Clauses {
		switch x := clause.(type) {
		case *syntax.ForClause:
			c.expr(x.X)
			c.target(x.Vars, Comprehended, Def{Value: x.X, Loop: true, Stmt: x})
		case *syntax.IfClause:
			c.expr(x.Cond)
		}
	}
	c.expr(n.Body)
}
