package lint

import (
	"go.starlark.net/syntax"

	"rig/runtime/catalog"
	"rig/runtime/source"
)

// invocation is a call of a built-in with its arguments: one that stands there, or one that a built-in makes which is handed the
// function and what comes behind it, as in try_(conn.exec, "...").
type invocation struct {
	call  *syntax.CallExpr
	fn    syntax.Expr // what is called
	typ   source.Type // of fn
	slots []slot
	open  bool // *args or **kwargs: there may be more
}

// slot is an argument with the parameter that it is for.
type slot struct {
	param *catalog.Param
	value syntax.Expr
}

// given lists what a parameter gets.
func (i *invocation) given(param string) []syntax.Expr {
	var out []syntax.Expr
	for _, s := range i.slots {
		if s.param.Name == param {
			out = append(out, s.value)
		}
	}
	return out
}

// invocations calls fn for every call of a built-in in the file.
func (c *checker) invocations(fn func(*invocation)) {
	c.each(func(n syntax.Node) {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return
		}
		next := &invocation{call: call, fn: call.Fn, typ: c.Infer(call.Fn)}
		args := call.Args
		for depth := 0; next != nil && next.typ.Func != nil && depth < 4; depth++ {
			over := next.bind(args)
			fn(next)
			next, args = c.handedOn(next, over)
		}
	})
}

// bind gives the arguments to the parameters; over are keyword arguments that the built-in hands on.
func (i *invocation) bind(args []syntax.Expr) (over []syntax.Expr) {
	params := i.typ.Func.Params
	place := 0
	for _, a := range args {
		switch x := a.(type) {
		case *syntax.BinaryExpr:
			id, ok := x.X.(*syntax.Ident)
			if !ok || x.Op != syntax.EQ {
				break
			}
			if p := keyword(params, id.Name); p != nil {
				i.slots = append(i.slots, slot{p, x.Y})
			} else {
				over = append(over, a)
			}
			continue
		case *syntax.UnaryExpr:
			if x.Op == syntax.STAR || x.Op == syntax.STARSTAR {
				i.open = true
				continue
			}
		}
		if i.open || place >= len(params) || params[place].Keywords || params[place].KwOnly {
			continue // what comes behind *args has no place; what is too much is bad-argument's
		}
		i.slots = append(i.slots, slot{&params[place], a})
		if !params[place].Variadic {
			place++
		}
	}
	return over
}

func keyword(params []catalog.Param, name string) *catalog.Param {
	for i := range params {
		if p := &params[i]; p.Name == name && !p.Variadic && !p.Keywords {
			return p
		}
	}
	return nil
}

// handedOn is the call that a built-in of the shape (fn, *args) makes, nil when it makes none that is known. One that gives fn
// something of its own is none: the arguments are in other places.
func (c *checker) handedOn(i *invocation, over []syntax.Expr) (*invocation, []syntax.Expr) {
	params := i.typ.Func.Params
	for n := range len(params) - 1 {
		if params[n].Type != "callable" || params[n].Gives != "" || !params[n+1].Variadic {
			continue
		}
		fns := i.given(params[n].Name)
		if len(fns) != 1 {
			return nil, nil
		}
		next := &invocation{call: i.call, fn: fns[0], typ: c.Infer(fns[0]), open: i.open}
		return next, append(i.given(params[n+1].Name), over...)
	}
	return nil, nil
}
