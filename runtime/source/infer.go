package source

import (
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/catalog"
)

// Type is what is known of a value. The zero Type is unknown. At most one of the pointers is set.
type Type struct {
	Name   string // a type of the catalog: "session", "str"; "" when unknown
	Module *catalog.Module
	Func   *catalog.Func   // a built-in function or a bound method
	Def    *syntax.DefStmt // a function of the file In
	In     *File
	Elem   *Type  // of what a list, a dict's values or an iterable holds
	Items  []Type // of a tuple's places
	// SQL is the statement that rows, or a statement to run, are of, where the source says it.
	SQL string
	// Guess says that a name alone stands behind it: good enough to help, not to complain.
	Guess bool
}

// Known reports whether anything is known.
func (t Type) Known() bool {
	return t.Name != "" || t.Module != nil || t.Func != nil || t.Def != nil
}

// String names the type as documentation does.
func (t Type) String() string {
	switch {
	case t.Module != nil:
		return "module"
	case t.Func != nil || t.Def != nil:
		return "function"
	case t.Name == "list" && t.Elem != nil && t.Elem.Name != "":
		return "list of " + t.Elem.Name
	}
	return t.Name
}

func named(name string) Type {
	if name == "any" || strings.Contains(name, "|") {
		return Type{}
	}
	return Type{Name: name}
}

// same reports whether two types say the same.
func same(a, b Type) bool {
	return a.Name == b.Name && a.Module == b.Module && a.Func == b.Func && a.Def == b.Def
}

// maxInfer bounds how deep an expression is followed.
const maxInfer = 24

// Infer says what an expression is worth.
func (f *File) Infer(e syntax.Expr) Type { return f.infer(e, 0) }

func (f *File) infer(e syntax.Expr, depth int) Type {
	if depth > maxInfer {
		return Type{}
	}
	switch e := e.(type) {
	case *syntax.Literal:
		return literal(e)
	case *syntax.ParenExpr:
		return f.infer(e.X, depth+1)
	case *syntax.Ident:
		return f.name(e, depth+1)
	case *syntax.DotExpr:
		return f.member(f.infer(e.X, depth+1), e.Name.Name)
	case *syntax.CallExpr:
		return f.result(e, depth+1)
	case *syntax.IndexExpr:
		return f.element(f.infer(e.X, depth+1), e.Y)
	case *syntax.SliceExpr:
		return f.infer(e.X, depth+1)
	case *syntax.ListExpr:
		return f.list("list", e.List, depth+1)
	case *syntax.TupleExpr:
		t := f.list("tuple", e.List, depth+1)
		for _, x := range e.List {
			t.Items = append(t.Items, f.infer(x, depth+1))
		}
		return t
	case *syntax.DictExpr:
		return f.dict(e, depth+1)
	case *syntax.Comprehension:
		return f.comprehended(e, depth+1)
	case *syntax.CondExpr:
		if a, b := f.infer(e.True, depth+1), f.infer(e.False, depth+1); same(a, b) {
			return a
		}
	case *syntax.BinaryExpr:
		return f.binary(e, depth+1)
	case *syntax.LambdaExpr:
		return Type{Name: "function"}
	case *syntax.UnaryExpr:
		if e.Op == syntax.NOT {
			return Type{Name: "bool"}
		}
	}
	return Type{}
}

func literal(e *syntax.Literal) Type {
	switch e.Token {
	case syntax.STRING:
		return Type{Name: "str"}
	case syntax.BYTES:
		return Type{Name: "bytes"}
	case syntax.INT:
		return Type{Name: "int"}
	}
	return Type{Name: "float"}
}

func (f *File) list(name string, items []syntax.Expr, depth int) Type {
	t := Type{Name: name}
	for i, x := range items {
		elem := f.infer(x, depth)
		if i > 0 && !same(*t.Elem, elem) {
			t.Elem = nil
			return t
		}
		t.Elem = &elem
	}
	return t
}

// dict has the type of its values, where all are of one.
func (f *File) dict(e *syntax.DictExpr, depth int) Type {
	values := make([]syntax.Expr, 0, len(e.List))
	for _, x := range e.List {
		if entry, ok := x.(*syntax.DictEntry); ok { // others are of a text that was mended
			values = append(values, entry.Value)
		}
	}
	return f.list("dict", values, depth)
}

func (f *File) comprehended(e *syntax.Comprehension, depth int) Type {
	if e.Curly {
		if _, ok := e.Body.(*syntax.DictEntry); ok {
			return Type{Name: "dict"}
		}
		return Type{Name: "set"}
	}
	elem := f.infer(e.Body, depth)
	return Type{Name: "list", Elem: &elem}
}

func (f *File) binary(e *syntax.BinaryExpr, depth int) Type {
	switch e.Op {
	case syntax.EQL, syntax.NEQ, syntax.LT, syntax.LE, syntax.GT, syntax.GE, syntax.IN, syntax.NOT_IN:
		return Type{Name: "bool"}
	case syntax.PERCENT, syntax.PLUS:
		a := f.infer(e.X, depth)
		if a.Name == "str" || e.Op == syntax.PLUS && a.Known() && same(a, f.infer(e.Y, depth)) {
			return a
		}
	}
	return Type{}
}

// name says what an identifier stands for.
func (f *File) name(id *syntax.Ident, depth int) Type {
	v := f.of[id]
	if v == nil {
		return f.Global(id.Name)
	}
	t := f.variable(v, depth)
	if !t.Known() && len(v.Defs) > 1 {
		t = f.nearest(v, id, depth)
	}
	return t
}

// Global says what a predeclared name stands for.
func (f *File) Global(name string) Type {
	if m := f.Catalog.Module(name); m != nil {
		return Type{Module: m}
	}
	if fn := f.Catalog.Global(name); fn != nil {
		return Type{Func: fn}
	}
	switch name {
	case "True", "False":
		return Type{Name: "bool"}
	case "None":
		return Type{Name: "None"}
	}
	return Type{}
}

// TypeOf says what a variable holds.
func (f *File) TypeOf(v *Var) Type { return f.variable(v, 0) }

func (f *File) variable(v *Var, depth int) Type {
	if t, ok := f.types[v]; ok {
		return t
	}
	if f.busy[v] || depth > maxInfer {
		return Type{}
	}
	f.busy[v] = true
	var t Type
	for i, d := range v.Defs {
		got := f.defined(v, d, depth)
		if i > 0 && !same(t, got) {
			t = Type{}
			break
		}
		got.Guess = got.Guess || i > 0 && t.Guess
		if i > 0 && t.SQL != got.SQL {
			got.SQL = ""
		}
		t = got
	}
	delete(f.busy, v)
	f.types[v] = t
	return t
}

func (f *File) defined(v *Var, d Def, depth int) Type {
	switch {
	case v.Kind == Param:
		return f.param(v, d)
	case v.Kind == Function:
		if s, ok := d.Stmt.(*syntax.DefStmt); ok {
			return Type{Def: s, In: f}
		}
	case v.Kind == Loaded:
		return f.loaded(d, depth)
	case d.Value != nil:
		t := f.infer(d.Value, depth+1)
		if d.Aug && t.Name != "str" && t.Name != "int" && t.Name != "list" {
			return Type{}
		}
		if d.Loop {
			t = f.element(t, nil)
		}
		for _, i := range d.Path {
			switch {
			case i < len(t.Items):
				t = t.Items[i]
			default:
				t = f.element(t, nil)
			}
		}
		return t
	}
	return Type{}
}

func (f *File) loaded(d Def, depth int) Type {
	s, ok := d.Stmt.(*syntax.LoadStmt)
	if !ok || f.Loaded == nil {
		return Type{}
	}
	other := f.Loaded(s.ModuleName())
	if other == nil || other == f {
		return Type{}
	}
	for i, to := range s.To {
		if to == d.At {
			if v := other.Lookup(s.From[i].Name); v != nil {
				return other.variable(v, depth+1)
			}
		}
	}
	return Type{}
}

// Lookup finds a variable of the top level by its name, nil when there is none.
func (f *File) Lookup(name string) *Var {
	for _, v := range f.Vars {
		if v.Name == name && v.Owner == nil && v.Kind != Comprehended {
			return v
		}
	}
	return nil
}

// member says what stands behind a dot.
func (f *File) member(t Type, name string) Type {
	var m catalog.Member
	var ok bool
	switch {
	case t.Module != nil:
		m, ok = t.Module.Member(name)
	case t.Name != "":
		if typ := f.Catalog.Type(t.Name); typ != nil {
			m, ok = typ.Member(name)
		}
		if !ok && t.Name == "mock_connection" {
			m, ok = f.Catalog.Type("session").Member(name)
		}
	}
	switch {
	case !ok:
		return Type{}
	case m.Func != nil:
		return Type{Func: m.Func, SQL: t.SQL, Guess: t.Guess}
	}
	if one, ok := strings.CutSuffix(m.Value.Type, "|None"); ok {
		out := named(one)
		out.Guess = true // it may be None
		return out
	}
	out := named(m.Value.Type)
	out.Guess = t.Guess
	return out
}

// element says what a list, a tuple or a value that iterates holds; index is nil for iteration.
func (f *File) element(t Type, index syntax.Expr) Type {
	if t.Name == "dict" && index == nil {
		return Type{} // its keys
	}
	if t.Elem != nil && len(t.Items) == 0 {
		return *t.Elem
	}
	if lit, ok := index.(*syntax.Literal); ok && t.Name == "tuple" {
		if n, ok := lit.Value.(int64); ok && n >= 0 && int(n) < len(t.Items) {
			return t.Items[n]
		}
	}
	if t.Elem != nil {
		return *t.Elem
	}
	if typ := f.Catalog.Type(t.Name); typ != nil && typ.Elem != "" {
		out := named(typ.Elem)
		out.Guess, out.SQL = t.Guess, t.SQL
		return out
	}
	return Type{}
}
