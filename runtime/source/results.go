package source

import (
	"go.starlark.net/syntax"

	"rig/runtime/catalog"
)

// result says what a call gives.
func (f *File) result(e *syntax.CallExpr, depth int) Type {
	fn := f.infer(e.Fn, depth)
	switch {
	case fn.Func != nil:
		return f.returned(fn, e, depth)
	case fn.Def != nil && fn.In != nil:
		return fn.In.returns(fn.Def, depth)
	}
	return Type{}
}

func (f *File) returned(fn Type, e *syntax.CallExpr, depth int) Type {
	out := named(fn.Func.Returns)
	out.Guess, out.SQL = fn.Guess, fn.SQL
	if len(fn.Func.Params) > 0 && fn.Func.Params[0].Name == "sql" && len(e.Args) > 0 {
		out.SQL = f.text(e.Args[0], depth+1)
	}
	if fn.Func.Elem != "" {
		elem := named(fn.Func.Elem)
		elem.Guess, elem.SQL = fn.Guess, out.SQL
		out.Elem = &elem
	}
	f.passed(fn.Func, e, &out, depth)
	return out
}

// returns says what a function of the file gives, where all of its returns agree.
func (f *File) returns(d *syntax.DefStmt, depth int) Type {
	var out Type
	first := true
	if depth > maxInfer {
		return out
	}
	agree := true
	EachReturn(d.Body, func(r *syntax.ReturnStmt) {
		if r.Result == nil {
			agree = false
			return
		}
		t := f.infer(r.Result, depth+1)
		if first {
			out, first = t, false
		} else if !same(out, t) {
			agree = false
		}
	})
	if !agree {
		return Type{}
	}
	return out
}

// EachReturn calls fn for the return statements of a body, not for those of functions inside it.
func EachReturn(body []syntax.Stmt, fn func(*syntax.ReturnStmt)) {
	for _, s := range body {
		switch s := s.(type) {
		case *syntax.ReturnStmt:
			fn(s)
		case *syntax.IfStmt:
			EachReturn(s.True, fn)
			EachReturn(s.False, fn)
		case *syntax.ForStmt:
			EachReturn(s.Body, fn)
		case *syntax.WhileStmt:
			EachReturn(s.Body, fn)
		}
	}
}

// passed completes what a built-in gives by its arguments: elements that it keeps, pairs that it makes, functions that it calls.
func (f *File) passed(fn *catalog.Func, e *syntax.CallExpr, out *Type, depth int) {
	if at := called(fn); at >= 0 && at < len(e.Args) {
		switch body := e.Args[at].(type) {
		case *syntax.LambdaExpr:
			*out = f.infer(body.Body, depth+1)
		default:
			if t := f.infer(body, depth+1); t.Def != nil && t.In != nil {
				*out = t.In.returns(t.Def, depth+1)
			}
		}
		return
	}
	element := func(i int) Type { return f.element(f.infer(e.Args[i], depth+1), nil) }
	switch fn.Qualified() {
	case "list", "sorted", "reversed", "tuple":
		if len(e.Args) > 0 {
			elem := element(0)
			out.Elem = &elem
		}
	case "enumerate":
		if len(e.Args) > 0 {
			out.Elem = &Type{Name: "tuple", Items: []Type{{Name: "int"}, element(0)}}
		}
	case "zip":
		pair := Type{Name: "tuple"}
		for i := range e.Args {
			pair.Items = append(pair.Items, element(i))
		}
		out.Elem = &pair
	case "s.split", "s.rsplit", "s.splitlines":
		out.Elem = &Type{Name: "str"}
	case "d.values":
		if dot, ok := e.Fn.(*syntax.DotExpr); ok {
			out.Elem = f.infer(dot.X, depth+1).Elem
		}
	case "d.items":
		if dot, ok := e.Fn.(*syntax.DotExpr); ok {
			if elem := f.infer(dot.X, depth+1).Elem; elem != nil {
				out.Elem = &Type{Name: "tuple", Items: []Type{{}, *elem}}
			}
		}
	}
}

// called gives the place of the function that a built-in of the shape (fn, *args) calls and whose value it gives, -1 when it is of
// another shape.
func called(fn *catalog.Func) int {
	for i := range len(fn.Params) - 1 {
		if fn.Params[i].Name == "fn" && fn.Params[i+1].Variadic && fn.Returns == "any" {
			return i
		}
	}
	return -1
}

// nearest guesses what a variable that is bound several times holds at a place: what the binding before it says.
func (f *File) nearest(v *Var, at *syntax.Ident, depth int) Type {
	var best *Def
	place := f.Offset(at.NamePos)
	for i := range v.Defs {
		d := &v.Defs[i]
		if v.Kind == Param || d.Value == nil || f.Offset(d.At.NamePos) > place {
			continue
		}
		if start, end := d.Value.Span(); f.Offset(start) <= place && place <= f.Offset(end) {
			continue // x = x.next()
		}
		best = d
	}
	if best == nil {
		return Type{}
	}
	if t, ok := f.near[best]; ok {
		return t
	}
	if f.near == nil {
		f.near = map[*Def]Type{}
	}
	f.near[best] = Type{} // until it is known: it may depend on itself
	t := f.defined(v, *best, depth+1)
	t.Guess = true
	f.near[best] = t
	return t
}
