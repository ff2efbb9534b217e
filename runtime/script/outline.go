package script

import (
	"errors"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Outline is what a source says without being run.
type Outline struct {
	Name     string
	Sites    []Site
	Funcs    []string // those that def makes, also inside others
	States   []string // the states of machines that are written out
	AnyState bool     // there are states that are computed

	loads  []string
	names  map[string][]string // by function, "" is the top level: what is bound in it
	around map[string][]string // by function: those that it is in
}

// OutlineOf reads a source.
func OutlineOf(name, text string) (*Outline, error) {
	f, err := fileOptions().Parse(name, text, 0)
	if err != nil {
		return nil, err
	}
	o := &Outline{Name: name, names: map[string][]string{}, around: map[string][]string{}}
	o.walk(f, nil)
	p := &prober{tell: true}
	p.file(f) // changes the tree
	o.Sites = p.sites
	return o, nil
}

// Outlines reads a file, and without running anything what it loads. whole is false where one of them could not be read.
func (h *Host) Outlines(name string) (out []*Outline, whole bool) {
	src, err := h.named(name)
	if err != nil {
		return nil, false
	}
	whole = true
	list := []source{src}
	l := &loader{host: h}
	for i := 0; i < len(list); i++ {
		text, err := h.read(list[i])
		var o *Outline
		if err == nil {
			o, err = OutlineOf(list[i].show, text)
		}
		if err != nil {
			whole = false
			continue
		}
		out = append(out, o)
		for _, name := range o.loads {
			next, err := l.resolve(list[i], name)
			if err != nil {
				whole = false
			} else if !slices.ContainsFunc(list, func(s source) bool { return s.key == next.key }) {
				list = append(list, next)
			}
		}
	}
	return out, whole
}

// Predeclared lists the names that every file sees.
func (h *Host) Predeclared() []string {
	var out []string
	for name := range h.predeclared {
		if !isHelper(name) {
			out = append(out, name)
		}
	}
	return append(out, starlark.Universe.Keys()...)
}

// Visible lists the names that a function of the file may use: what it, the functions around it and the file bind. What a lambda sees
// depends on which it is: for it, and for "*", that is every name that the file binds.
func (o *Outline) Visible(function string) []string {
	out := slices.Concat(o.names[""], o.names[function])
	for _, f := range o.around[function] {
		out = append(out, o.names[f]...)
	}
	if function != "lambda" && function != "*" {
		return out
	}
	for _, names := range o.names {
		out = append(out, names...)
	}
	return out
}

// walk notes what is below a node that stands inside functions, the outermost first.
func (o *Outline) walk(root syntax.Node, within []string) {
	syntax.Walk(root, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.DefStmt:
			if n != root {
				o.bind(within, n.Name)
				o.Funcs = append(o.Funcs, n.Name.Name)
				o.around[n.Name.Name] = append(o.around[n.Name.Name], within...)
				o.walk(n, append(slices.Clone(within), n.Name.Name))
				return false
			}
			o.bind(within, n.Params...)
		case *syntax.LambdaExpr:
			o.bind(within, n.Params...)
		case *syntax.AssignStmt:
			o.bind(within, n.LHS)
		case *syntax.ForStmt:
			o.bind(within, n.Vars)
		case *syntax.ForClause:
			o.bind(within, n.Vars)
		case *syntax.LoadStmt:
			o.loads = append(o.loads, n.ModuleName())
			for _, id := range n.To {
				o.bind(within, id)
			}
		case *syntax.CallExpr:
			o.states(n)
		}
		return true
	})
}

// bind notes the names that a target of an assignment or a parameter binds.
func (o *Outline) bind(within []string, targets ...syntax.Expr) {
	for _, x := range targets {
		switch x := x.(type) {
		case *syntax.Ident:
			o.names[function(within)] = append(o.names[function(within)], x.Name)
		case *syntax.ParenExpr:
			o.bind(within, x.X)
		case *syntax.UnaryExpr: // *args, **kwargs
			if x.X != nil {
				o.bind(within, x.X)
			}
		case *syntax.BinaryExpr: // a default
			o.bind(within, x.X)
		case *syntax.TupleExpr:
			o.bind(within, x.List...)
		case *syntax.ListExpr:
			o.bind(within, x.List...)
		}
	}
}

func function(within []string) string {
	if len(within) == 0 {
		return ""
	}
	return within[len(within)-1]
}

// states notes those that a call gives to a machine: machine.new(name, states), by place or by name.
func (o *Outline) states(call *syntax.CallExpr) {
	dot, ok := call.Fn.(*syntax.DotExpr)
	for i, a := range call.Args {
		kv, named := a.(*syntax.BinaryExpr)
		named = named && kv.Op == syntax.EQ
		switch {
		case named && isIdent(kv.X, "states"):
			o.stateNames(kv.Y)
		case !named && i == 1 && ok && dot.Name.Name == "new":
			o.stateNames(a)
		}
	}
}

func isIdent(x syntax.Expr, name string) bool {
	id, ok := x.(*syntax.Ident)
	return ok && id.Name == name
}

func (o *Outline) stateNames(x syntax.Expr) {
	dict, ok := x.(*syntax.DictExpr)
	if !ok {
		o.AnyState = true
		return
	}
	for _, e := range dict.List {
		if text, ok := e.(*syntax.DictEntry).Key.(*syntax.Literal); ok && text.Token == syntax.STRING {
			o.States = append(o.States, text.Value.(string))
		} else {
			o.AnyState = true
		}
	}
}

// CheckNames gives the first name in an expression that is not known, "" without one.
func CheckNames(src string, known func(name string) bool) (undefined string) {
	x, err := fileOptions().ParseExpr("<expression>", src, 0)
	if err != nil {
		return ""
	}
	_, err = resolve.ExprOptions(fileOptions(), x, known, starlark.Universe.Has)
	var list resolve.ErrorList
	if !errors.As(err, &list) {
		return ""
	}
	for _, e := range list {
		if name, ok := strings.CutPrefix(e.Msg, "undefined: "); ok {
			name, _, _ = strings.Cut(name, " ")
			return name
		}
	}
	return ""
}
