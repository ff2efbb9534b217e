package source

import (
	"go.starlark.net/syntax"

	"rig/runtime/script"
)

// InferText says what a piece of text would be worth where it stands at a place of the file. It serves text that the tree
// does not have, because what is around it is half typed.
func (f *File) InferText(text string, at int) Type {
	e, err := script.Dialect().ParseExpr(f.Name, text, 0)
	if err != nil {
		return Type{}
	}
	visible := map[string]*Var{}
	for _, v := range f.Visible(at) {
		if visible[v.Name] == nil {
			visible[v.Name] = v
		}
	}
	syntax.Walk(e, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Ident:
			if v := visible[n.Name]; v != nil {
				f.of[n] = v
			}
		case *syntax.LambdaExpr, *syntax.Comprehension:
			return false
		}
		return true
	})
	return f.Infer(e)
}

// Visible lists the variables that a statement at a place may use, the nearest scope first.
func (f *File) Visible(at int) []*Var {
	var inner, global []*Var
	for i := len(f.Vars) - 1; i >= 0; i-- {
		v := f.Vars[i]
		switch {
		case v.Kind == Comprehended:
			if f.within(v.Defs[0].Stmt, at) {
				inner = append(inner, v)
			}
		case v.Owner == nil:
			global = append(global, v)
		case f.within(v.Owner, at):
			inner = append(inner, v)
		}
	}
	return append(inner, global...)
}

// within reports whether a place is in a node, or on the lines behind a function that are indented as its body is.
func (f *File) within(n syntax.Node, at int) bool {
	start, end := n.Span()
	from, to := f.Offset(start), f.Offset(end)
	if at < from {
		return false
	}
	if at <= to {
		return true
	}
	if _, ok := n.(*syntax.DefStmt); !ok {
		return false
	}
	for i := to; i < at && i < len(f.Text)-1; i++ {
		if c := f.Text[i+1]; f.Text[i] == '\n' && c != ' ' && c != '\t' && c != '\n' && c != '\r' && i+1 < at {
			return false
		}
	}
	return true
}
