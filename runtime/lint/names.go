package lint

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/catalog"
	"rig/runtime/fault"
	"rig/runtime/source"
)

// read by rig itself at the top level of a file.
var fileSettings = []string{"requires", "tags"}

// unused looks for what nobody uses. Parameters stay: who calls decides about them. At the top level only files with tests
// are looked at, others are there to be loaded.
func (c *checker) unused() {
	if !c.Whole {
		return // a use may be in what does not parse
	}
	tests := slices.ContainsFunc(c.Vars, func(v *source.Var) bool {
		return v.Owner == nil && v.Kind == source.Function && source.IsTest(v.Name)
	})
	for _, v := range c.Vars {
		if len(v.Uses) > 0 || strings.HasPrefix(v.Name, "_") || v.Kind == source.Param {
			continue
		}
		top := v.Owner == nil && v.Kind != source.Comprehended
		switch {
		case top && v.Kind != source.Loaded && (!tests || source.IsCalled(v.Name) || slices.Contains(fileSettings, v.Name)):
		case c.unpacked(v):
		case c.isTask(v): // task-not-awaited says more
		default:
			c.add("unused", v.Decl, false, fmt.Sprintf("%s %s is not used", v.Kind, v.Name), unusedHint(v))
		}
	}
}

func unusedHint(v *source.Var) string {
	switch v.Kind {
	case source.Looped, source.Comprehended:
		return "call it _"
	case source.Loaded:
		return "take it out of the load"
	}
	return "remove it, or begin its name with _"
}

// unpacked reports a name that only fills its place in a tuple, some other of which is used.
func (c *checker) unpacked(v *source.Var) bool {
	for _, d := range v.Defs {
		if len(d.Path) == 0 {
			return false
		}
		if !slices.ContainsFunc(c.Vars, func(o *source.Var) bool {
			return o != v && len(o.Uses) > 0 && slices.ContainsFunc(o.Defs, func(x source.Def) bool { return x.Stmt == d.Stmt })
		}) {
			return false
		}
	}
	return true
}

// unknownAttributes asks the declarations. A type that may have more than is declared is not judged, nor is a guess.
func (c *checker) unknownAttributes() {
	c.each(func(n syntax.Node) {
		dot, ok := n.(*syntax.DotExpr)
		if !ok {
			return
		}
		t := c.Infer(dot.X)
		name := dot.Name.Name
		var owner string
		var names []string
		switch typ := c.Catalog.Type(t.Name); {
		case t.Guess:
			return
		case t.Module != nil:
			owner, names = "module "+t.Module.Name, t.Module.Names()
		case typ != nil && !typ.Open:
			owner, names = typ.Var, typ.Names()
			if typ.Language {
				owner = typ.Name
			}
		default:
			return
		}
		if slices.Contains(names, name) {
			return
		}
		hint := "it has " + strings.Join(names, ", ")
		if near := fault.Suggest(name, names); near != "" {
			hint = "did you mean ." + near + "?"
		}
		c.add("unknown-attribute", dot.Name, true, fmt.Sprintf("%s has no attribute %q", owner, name), hint)
	})
}

// badArguments compares calls with the declarations, and with the functions of the file.
func (c *checker) badArguments() {
	c.each(func(n syntax.Node) {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return
		}
		switch t := c.Infer(call.Fn); {
		case t.Guess:
		case t.Func != nil:
			c.checkCall(call, t.Func)
		case t.Def != nil && t.In != nil:
			c.checkCall(call, source.Declared(t.In, t.Def))
		}
	})
}

// given is what a call has in the way of arguments.
type given struct {
	positional []syntax.Expr
	keywords   map[string]syntax.Node
	open       bool // *args or **kwargs: it may have any
}

func argumentsOf(call *syntax.CallExpr) given {
	g := given{keywords: map[string]syntax.Node{}}
	for _, a := range call.Args {
		switch x := a.(type) {
		case *syntax.BinaryExpr:
			if id, ok := x.X.(*syntax.Ident); ok && x.Op == syntax.EQ {
				g.keywords[id.Name] = id
				continue
			}
		case *syntax.UnaryExpr:
			if x.Op == syntax.STAR || x.Op == syntax.STARSTAR {
				g.open = true
				continue
			}
		}
		g.positional = append(g.positional, a)
	}
	return g
}

func (c *checker) checkCall(call *syntax.CallExpr, f *catalog.Func) {
	g := argumentsOf(call)
	var names []string
	places, variadic, keywords := 0, false, false
	for i := range f.Params {
		p := &f.Params[i]
		variadic, keywords = variadic || p.Variadic, keywords || p.Keywords
		if p.Variadic || p.Keywords {
			continue
		}
		names = append(names, p.Name)
		here := !p.KwOnly && !variadic
		if here {
			places++
		}
		byPlace := here && places <= len(g.positional)
		at, byName := g.keywords[p.Name]
		switch {
		case byPlace && byName:
			c.add("bad-argument", at, true, fmt.Sprintf("%s: argument %s is given twice", f.Qualified(), p.Name), f.Signature())
		case !byPlace && !byName && p.Required() && !g.open:
			c.add("bad-argument", call, true, fmt.Sprintf("%s: argument %s is missing", f.Qualified(), p.Name), f.Signature())
		}
	}
	if len(g.positional) > places && !variadic {
		c.add("bad-argument", g.positional[places], true, fmt.Sprintf("%s takes at most %d positional arguments, got %d", f.Qualified(), places, len(g.positional)), f.Signature())
	}
	for name, at := range g.keywords {
		if slices.Contains(names, name) || keywords {
			continue
		}
		hint := f.Signature()
		if near := fault.Suggest(name, names); near != "" {
			hint = fmt.Sprintf("did you mean %q? %s", near, hint)
		}
		c.add("bad-argument", at, true, fmt.Sprintf("%s takes no argument %q", f.Qualified(), name), hint)
	}
}
