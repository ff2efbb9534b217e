// Package catalog describes what a script may call, as plain data.
//
// [Catalog] is made from the declarations of the built-ins (builtins/spec) with [Language] added, which lists what Starlark itself
// brings. Whoever looks at scripts without running them asks it: [Catalog.Find] by qualified name, [Catalog.Member] by a value's type.
// Its JSON is what `rig doc --format json` prints.
package catalog

import (
	"slices"
	"strings"
)

// Catalog lists modules, the first of them those without a name of their own.
type Catalog struct {
	Modules []*Module `json:"modules"`
	Types   []*Type   `json:"types"`

	modules map[string]*Module
	types   map[string]*Type
	globals map[string]*Func
}

// Module is a script module. Name "" means that its members are predeclared themselves.
type Module struct {
	Name     string   `json:"name"`
	Doc      string   `json:"doc"`
	Language bool     `json:"language,omitempty"` // Starlark's own, not rig's
	Funcs    []*Func  `json:"functions,omitempty"`
	Values   []*Value `json:"values,omitempty"`
}

// Type is a type of values: its attributes and methods.
type Type struct {
	Name     string   `json:"name"`
	Var      string   `json:"var"` // how docs name an instance: "conn"
	Doc      string   `json:"doc"`
	Elem     string   `json:"elem,omitempty"` // what iteration gives
	Language bool     `json:"language,omitempty"`
	Open     bool     `json:"open,omitempty"` // it may have attributes that are not listed, as a row has its columns
	Example  string   `json:"example,omitempty"`
	Attrs    []*Value `json:"attributes,omitempty"`
	Methods  []*Func  `json:"methods,omitempty"`
}

// Func is a function or a method.
type Func struct {
	Name     string  `json:"name"`
	Owner    string  `json:"owner,omitempty"` // "task", "conn"; empty for a predeclared function
	Doc      string  `json:"doc"`
	Params   []Param `json:"params,omitempty"`
	Returns  string  `json:"returns"`
	Elem     string  `json:"elem,omitempty"` // what the list that it returns holds
	LoadTime bool    `json:"load_time,omitempty"`
	Example  string  `json:"example,omitempty"`
}

// Param is one parameter; it is required when it has no Default and none of the flags.
type Param struct {
	Name     string `json:"name"`
	Type     string `json:"type,omitempty"`
	Doc      string `json:"doc,omitempty"`
	Default  string `json:"default,omitempty"`
	Optional bool   `json:"optional,omitempty"`
	KwOnly   bool   `json:"keyword_only,omitempty"`
	Variadic bool   `json:"variadic,omitempty"`
	Keywords bool   `json:"keywords,omitempty"`
	Form     string `json:"form,omitempty"`  // of a str, or of a list's elements: what it must be, as spec.Param has it
	Gives    string `json:"gives,omitempty"` // the type of what a callable gets before the arguments behind it
}

// Value is a constant of a module or an attribute of a type.
type Value struct {
	Name string `json:"name"`
	Type string `json:"type,omitempty"`
	Doc  string `json:"doc"`
}

// Required reports whether a call must give the parameter.
func (p *Param) Required() bool {
	return p.Default == "" && !p.Optional && !p.Variadic && !p.Keywords
}

// Text writes the parameter as in a signature.
func (p *Param) Text() string {
	switch {
	case p.Variadic:
		return "*" + p.Name
	case p.Keywords:
		return "**" + p.Name
	case p.Default != "":
		return p.Name + " = " + p.Default
	case p.Optional:
		return p.Name + " = None"
	}
	return p.Name
}

// Qualified is the name with its owner.
func (f *Func) Qualified() string {
	if f.Owner == "" {
		return f.Name
	}
	return f.Owner + "." + f.Name
}

// Labels are the parts of the signature between its parentheses, with the bare * where keyword parameters begin. at gives for
// each parameter the index of its label.
func (f *Func) Labels() (labels []string, at []int) {
	star := false
	for i := range f.Params {
		p := &f.Params[i]
		if p.KwOnly && !star {
			labels, star = append(labels, "*"), true
		}
		star = star || p.Variadic
		at = append(at, len(labels))
		labels = append(labels, p.Text())
	}
	return labels, at
}

// Signature writes the call as the manual does.
func (f *Func) Signature() string {
	labels, _ := f.Labels()
	return f.Qualified() + "(" + strings.Join(labels, ", ") + ")"
}

// Summary is the first sentence of a doc.
func Summary(doc string) string {
	if i := strings.Index(doc, ". "); i >= 0 {
		return doc[:i+1]
	}
	if i := strings.Index(doc, ".\n"); i >= 0 {
		return doc[:i+1]
	}
	return strings.TrimSpace(doc)
}

// Index makes a catalog ready for questions; call it once, after the last change.
func (c *Catalog) Index() *Catalog {
	c.modules, c.types, c.globals = map[string]*Module{}, map[string]*Type{}, map[string]*Func{}
	for _, m := range c.Modules {
		if m.Name != "" {
			c.modules[m.Name] = m
			continue
		}
		for _, f := range m.Funcs {
			c.globals[f.Name] = f
		}
	}
	for _, t := range c.Types {
		c.types[t.Name] = t
	}
	return c
}

// Module finds a module, nil when there is none.
func (c *Catalog) Module(name string) *Module { return c.modules[name] }

// Type finds a type, nil when there is none.
func (c *Catalog) Type(name string) *Type { return c.types[name] }

// Global finds a predeclared function, nil when there is none.
func (c *Catalog) Global(name string) *Func { return c.globals[name] }

// Predeclared lists the names that every script sees.
func (c *Catalog) Predeclared() []string {
	names := []string{"None", "True", "False"}
	for _, m := range c.Modules {
		if m.Name != "" {
			names = append(names, m.Name)
			continue
		}
		for _, f := range m.Funcs {
			names = append(names, f.Name)
		}
		for _, v := range m.Values {
			names = append(names, v.Name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Member is what a name after a dot stands for: exactly one of the two is set.
type Member struct {
	Func  *Func
	Value *Value
}

// Member finds an attribute or a method of a type.
func (t *Type) Member(name string) (Member, bool) { return find(t.Methods, t.Attrs, name) }

// Member finds a function or a constant of a module.
func (m *Module) Member(name string) (Member, bool) { return find(m.Funcs, m.Values, name) }

func find(funcs []*Func, values []*Value, name string) (Member, bool) {
	for _, f := range funcs {
		if f.Name == name {
			return Member{Func: f}, true
		}
	}
	for _, v := range values {
		if v.Name == name {
			return Member{Value: v}, true
		}
	}
	return Member{}, false
}

// Names lists the members of a type.
func (t *Type) Names() []string { return names(t.Methods, t.Attrs) }

// Names lists the members of a module.
func (m *Module) Names() []string { return names(m.Funcs, m.Values) }

func names(funcs []*Func, values []*Value) []string {
	var out []string
	for _, f := range funcs {
		out = append(out, f.Name)
	}
	for _, v := range values {
		out = append(out, v.Name)
	}
	return out
}

// Find gives a function by its qualified name, nil when there is none.
func (c *Catalog) Find(qualified string) *Func {
	owner, name := "", qualified
	if i := strings.LastIndex(qualified, "."); i >= 0 {
		owner, name = qualified[:i], qualified[i+1:]
	}
	if owner == "" {
		return c.globals[name]
	}
	if m := c.modules[owner]; m != nil {
		if found, ok := m.Member(name); ok {
			return found.Func
		}
	}
	for _, t := range c.Types {
		if t.Var == owner || t.Name == owner {
			if found, ok := t.Member(name); ok {
				return found.Func
			}
		}
	}
	return nil
}
