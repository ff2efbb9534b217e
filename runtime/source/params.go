package source

import (
	"go.starlark.net/syntax"
)

// site is a place that calls a function, or hands it to somebody who does. known is false where nobody can say with what.
type site struct {
	args  []Type
	known bool
}

// param says what a parameter is given: what rig gives, what all of the file's calls give, else what its name is for.
func (f *File) param(v *Var, d Def) Type {
	s, ok := d.Stmt.(*syntax.DefStmt)
	if !ok {
		return f.lambdaParam(v, d)
	}
	ids, star := Params(s.Params)
	at := -1
	for i, id := range ids {
		if id == d.At {
			at = i
		}
	}
	if at < 0 || star[at] {
		return Type{}
	}
	name := f.of[s.Name]
	if name != nil && name.Owner == nil && at == 0 && (IsTest(s.Name.Name) || IsCalled(s.Name.Name) && len(ids) == 1) {
		return Type{Name: "test"}
	}
	if t := f.agreed(s, at); t.Known() {
		return t
	}
	return guess(v.Name)
}

// lambdaParam says what a parameter of a lambda is given by the built-in that it is handed to.
func (f *File) lambdaParam(v *Var, d Def) Type {
	l, ok := d.Stmt.(*syntax.LambdaExpr)
	if !ok {
		return Type{}
	}
	if f.calls == nil {
		f.findCalls()
	}
	ids, star := Params(l.Params)
	for i, id := range ids {
		if args := f.lambdas[l].args; id == d.At && !star[i] && i < len(args) && args[i].Known() {
			return args[i]
		}
	}
	return guess(v.Name)
}

// agreed is the type that all calls of a function give to its parameter; unknown unless each is understood and they agree.
func (f *File) agreed(s *syntax.DefStmt, at int) Type {
	if f.calls == nil {
		f.findCalls()
	}
	var out Type
	for i, c := range f.calls[s] {
		if !c.known || at >= len(c.args) || !c.args[at].Known() || i > 0 && !same(out, c.args[at]) {
			return Type{}
		}
		guessed := out.Guess
		out = c.args[at]
		out.Guess = out.Guess || guessed
	}
	return out
}

// guess is what a parameter of that name is in every scenario that its author wants to be read.
func guess(name string) Type {
	switch name {
	case "t":
		return Type{Name: "test", Guess: true}
	case "conn", "session", "db":
		return Type{Name: "session", Guess: true}
	case "ctx":
		return Type{Name: "ctx", Guess: true}
	case "rows":
		return Type{Name: "rows", Guess: true}
	case "row":
		return Type{Name: "row", Guess: true}
	}
	return Type{}
}

// findCalls looks at every use of every function: is it called, or handed on to somebody who is known to call it?
func (f *File) findCalls() {
	f.calls, f.lambdas = map[*syntax.DefStmt][]site{}, map[*syntax.LambdaExpr]site{}
	handled := map[*syntax.Ident]bool{}
	syntax.Walk(f.Tree, func(n syntax.Node) bool {
		if call, ok := n.(*syntax.CallExpr); ok {
			f.callSites(call, handled)
		}
		return true
	})
	for _, v := range f.Vars {
		if v.Kind != Function {
			continue
		}
		for _, u := range v.Uses {
			if !handled[u] {
				f.addSite(v, site{})
			}
		}
	}
	f.types, f.near = map[*Var]Type{}, nil // what was said meanwhile was said without all calls
}

func (f *File) addSite(v *Var, s site) {
	for _, d := range v.Defs {
		if def, ok := d.Stmt.(*syntax.DefStmt); ok {
			f.calls[def] = append(f.calls[def], s)
		}
	}
}

func (f *File) functionVar(e syntax.Expr) (*Var, *syntax.Ident) {
	id, ok := e.(*syntax.Ident)
	if !ok {
		return nil, nil
	}
	v := f.of[id]
	if v == nil || v.Kind != Function {
		return nil, nil
	}
	return v, id
}

func (f *File) callSites(call *syntax.CallExpr, handled map[*syntax.Ident]bool) {
	if v, id := f.functionVar(call.Fn); v != nil {
		handled[id] = true
		f.addSite(v, f.given(nil, call.Args))
		return
	}
	fn := f.Infer(call.Fn)
	if fn.Func == nil {
		return
	}
	switch name := fn.Func.Qualified(); name {
	case "flow.new", "machine.new":
		f.handlers(call, handled)
	case "machine.handler":
		for _, a := range call.Args {
			if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
				a = b.Y
			}
			f.handed(a, []Type{{Name: "ctx"}}, nil, handled)
		}
	case "task.map":
		if len(call.Args) > 1 {
			f.handed(call.Args[0], []Type{f.element(f.Infer(call.Args[1]), nil)}, nil, handled)
		}
	default:
		f.handedOn(fn, call, handled)
	}
}

// handedOn looks at built-ins of the shape (fn, *args): they call fn with the arguments behind it, after what they give themselves.
func (f *File) handedOn(fn Type, call *syntax.CallExpr, handled map[*syntax.Ident]bool) {
	for i := range fn.Func.Params {
		p := &fn.Func.Params[i]
		if p.Name != "fn" || i >= len(call.Args) {
			continue
		}
		if i+1 >= len(fn.Func.Params) || !fn.Func.Params[i+1].Variadic {
			return
		}
		var first []Type
		if p.Gives != "" {
			first = []Type{{Name: p.Gives}}
		}
		f.handed(call.Args[i], first, call.Args[i+1:], handled)
	}
}

func (f *File) handed(e syntax.Expr, first []Type, rest []syntax.Expr, handled map[*syntax.Ident]bool) {
	if v, id := f.functionVar(e); v != nil {
		handled[id] = true
		f.addSite(v, f.given(first, rest))
		return
	}
	if l, ok := e.(*syntax.LambdaExpr); ok {
		f.lambdas[l] = f.given(first, rest)
		return
	}
	// conn.transaction handed to try_: its own fn comes next.
	if fn := f.Infer(e); fn.Func != nil && len(rest) > 0 && len(fn.Func.Params) > 1 && fn.Func.Params[0].Name == "fn" && fn.Func.Params[1].Variadic {
		var gives []Type
		if g := fn.Func.Params[0].Gives; g != "" {
			gives = []Type{{Name: g}}
		}
		if v, id := f.functionVar(rest[0]); v != nil {
			handled[id] = true
			f.addSite(v, f.given(gives, rest[1:]))
		}
	}
}

// given is a call with these arguments; one with * or keywords is not understood.
func (f *File) given(first []Type, args []syntax.Expr) site {
	s := site{args: append([]Type{}, first...), known: true}
	for _, a := range args {
		switch x := a.(type) {
		case *syntax.UnaryExpr:
			if x.Op == syntax.STAR || x.Op == syntax.STARSTAR {
				return site{}
			}
		case *syntax.BinaryExpr:
			if x.Op == syntax.EQ {
				continue
			}
		}
		s.args = append(s.args, f.Infer(a))
	}
	return s
}

// handlers looks at the states of machine.new.
func (f *File) handlers(call *syntax.CallExpr, handled map[*syntax.Ident]bool) {
	for _, a := range call.Args {
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			a = b.Y
		}
		d, ok := a.(*syntax.DictExpr)
		if !ok {
			continue
		}
		for _, x := range d.List {
			if entry, ok := x.(*syntax.DictEntry); ok {
				f.handed(entry.Value, []Type{{Name: "ctx"}}, nil, handled)
			}
		}
	}
}
