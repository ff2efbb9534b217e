// Package spec declares the script built-ins of rig, each exactly once.
//
// A module is a [Module] holding [Func] and [Type] values; from this one declaration come the callable itself, argument
// checking and its errors, help() and the reference pages. A module package exports one function that returns
// its Module; the list of modules is in package builtins.
package spec

import (
	"strings"

	"go.starlark.net/starlark"
)

// Param declares one parameter. Type is one of the names in [Types], or several joined by "|" ("str|None"). A parameter
// without Default and without Optional is required. Variadic takes the remaining positional arguments and Keywords the
// remaining keyword arguments; both come last.
type Param struct {
	Name     string
	Type     string
	Doc      string
	Default  starlark.Value // what the implementation sees when the argument is absent; nil with Optional means absent
	Optional bool
	KwOnly   bool
	Variadic bool
	Keywords bool
	Form     string // of a str, or of the elements of a list: what it must be, "isolation" (what SET TRANSACTION takes), "consistency" (a model of the checkers), "anomaly level" or "capability"; the built-in itself refuses others
	Gives    string // of a callable with a Variadic after it: the type of what it gets before those arguments
}

func (p *Param) required() bool {
	return p.Default == nil && !p.Optional && !p.Variadic && !p.Keywords
}

// Impl is the Go side of a built-in.
type Impl func(c *Call) (starlark.Value, error)

// Func declares a built-in function or a method.
type Func struct {
	Name     string // as scripts write it, without module or receiver
	Doc      string // the first sentence is the summary
	Params   []Param
	Returns  string // a type name, "None" when empty
	Elem     string // the type of what a returned list holds; empty when it varies
	Example  string // Starlark statements that run inside a test with `t` bound; empty only for methods shown in their type's example
	LoadTime bool   // may be called while a module loads; everything else is refused there
	Impl     Impl
	// Waits says of a built-in that waits, and whose thread runs nothing meanwhile, what for: "sleeps for 1m0s". It is called by who
	// asks what the run does, on another goroutine; "" is nothing.
	Waits func(c *Call) string
	// Fast, where it is set, is tried before the arguments are checked; ok false leaves the call to Impl.
	Fast func(th *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, ok bool, err error)
	// Raw replaces Impl and argument checking on the hot paths; it must make the same errors as Params would.
	Raw func(th *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)
}

// Summary is the first sentence of Doc.
func (f *Func) Summary() string { return summary(f.Doc) }

// Attr declares a data attribute of a type.
type Attr struct {
	Name string
	Type string
	Doc  string
	Get  func(recv starlark.Value) (starlark.Value, error)
}

// Type declares a type of script values: its attributes and methods.
type Type struct {
	Name    string // as scripts see it: "session"
	Var     string // how docs and errors name an instance: "conn"; Name when empty
	Doc     string
	Elem    string // the type of what iteration gives; empty when there is none
	Open    bool   // there may be attributes that are not declared, as a row has its columns
	Example string
	Attrs   []Attr
	Methods []*Func
	// Live says that values of the type exist only while a test runs, so that their methods need not ask whether a file loads.
	Live bool

	index map[string]member
	names []string
}

type member struct {
	attr   *Attr
	method *Func
}

// Seal builds the index of a type's members. Call it once, where the type is declared; it returns the type.
func (t *Type) Seal() *Type {
	if t.Var == "" {
		t.Var = t.Name
	}
	t.index = make(map[string]member, len(t.Attrs)+len(t.Methods))
	for i := range t.Attrs {
		t.index[t.Attrs[i].Name] = member{attr: &t.Attrs[i]}
		t.names = append(t.names, t.Attrs[i].Name)
	}
	for _, m := range t.Methods {
		t.index[m.Name] = member{method: m}
		t.names = append(t.names, m.Name)
	}
	return t
}

// Attr finds a member of recv: the value of an attribute or a bound method. One that does not exist is an error with the
// nearest that does.
func (t *Type) Attr(recv starlark.Value, name string) (starlark.Value, error) {
	m, ok := t.index[name]
	switch {
	case !ok:
		return nil, NoAttr(t.Var, name, t.names)
	case m.attr != nil:
		return m.attr.Get(recv)
	}
	return &Builtin{fn: m.method, owner: t.Var, recv: recv, live: t.Live}, nil
}

// AttrNames lists the members in the order of their declaration.
func (t *Type) AttrNames() []string { return t.names }

// Method gives the declaration of a method, nil when there is none.
func (t *Type) Method(name string) *Func { return t.index[name].method }

// Bind makes a method value for objects that keep theirs (the hot path: no allocation on each access).
func (t *Type) Bind(recv starlark.Value, name string) *Builtin {
	return &Builtin{fn: t.index[name].method, owner: t.Var, recv: recv, live: t.Live}
}

// BindTo is Bind into a place that the object has inside, for objects that live for one call.
func (t *Type) BindTo(b *Builtin, recv starlark.Value, name string) {
	*b = Builtin{fn: t.index[name].method, owner: t.Var, recv: recv, live: t.Live}
}

// Constant is a plain value of a module, such as machine.completed.
type Constant struct {
	Name  string
	Type  string
	Doc   string
	Value starlark.Value
}

// Module declares a script module. Name "" means that its functions are predeclared themselves (check, try_, param).
type Module struct {
	Name      string
	Doc       string
	Funcs     []*Func
	Types     []*Type // types whose values the module's functions return
	Constants []Constant
}

// Predeclared gives the names that the modules add to every script.
func Predeclared(modules []*Module) starlark.StringDict {
	all := starlark.StringDict{}
	for _, m := range modules {
		if m.Name == "" {
			for _, f := range m.Funcs {
				all[f.Name] = &Builtin{fn: f}
			}
			for _, c := range m.Constants {
				all[c.Name] = c.Value
			}
			continue
		}
		all[m.Name] = newModuleValue(m)
	}
	return all
}

func summary(doc string) string {
	if i := strings.Index(doc, ". "); i >= 0 {
		return doc[:i+1]
	}
	if i := strings.Index(doc, ".\n"); i >= 0 {
		return doc[:i+1]
	}
	return strings.TrimSpace(doc)
}
