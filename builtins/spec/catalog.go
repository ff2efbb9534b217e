package spec

import "rig/runtime/catalog"

// Catalog gives the declarations as plain data, with what Starlark itself brings, for tools that look at scripts without running them.
func Catalog(modules []*Module) *catalog.Catalog {
	c := &catalog.Catalog{}
	seen := map[string]bool{}
	for _, m := range modules {
		out := &catalog.Module{Name: m.Name, Doc: m.Doc}
		for _, f := range m.Funcs {
			out.Funcs = append(out.Funcs, f.describe(m.Name))
		}
		for _, k := range m.Constants {
			out.Values = append(out.Values, &catalog.Value{Name: k.Name, Type: k.Type, Doc: k.Doc})
		}
		c.Modules = append(c.Modules, out)
		for _, t := range m.Types {
			if !seen[t.Name] {
				seen[t.Name] = true
				c.Types = append(c.Types, t.describe())
			}
		}
	}
	own, types := catalog.Language()
	c.Modules = append(c.Modules, own...)
	c.Types = append(c.Types, types...)
	return c.Index()
}

func (t *Type) describe() *catalog.Type {
	out := &catalog.Type{Name: t.Name, Var: t.Var, Doc: t.Doc, Example: t.Example, Elem: t.Elem, Open: t.Open}
	for _, a := range t.Attrs {
		out.Attrs = append(out.Attrs, &catalog.Value{Name: a.Name, Type: a.Type, Doc: a.Doc})
	}
	for _, f := range t.Methods {
		out.Methods = append(out.Methods, f.describe(t.Var))
	}
	return out
}

func (f *Func) describe(owner string) *catalog.Func {
	out := &catalog.Func{Name: f.Name, Owner: owner, Doc: f.Doc, Returns: f.Returns, Elem: f.Elem, LoadTime: f.LoadTime, Example: f.Example}
	if out.Returns == "" {
		out.Returns = "None"
	}
	for i := range f.Params {
		p := &f.Params[i]
		d := catalog.Param{Name: p.Name, Type: p.Type, Doc: p.Doc, Optional: p.Optional, KwOnly: p.KwOnly, Variadic: p.Variadic, Keywords: p.Keywords, Form: p.Form, Gives: p.Gives}
		if p.Default != nil {
			d.Default = p.Default.String()
		}
		out.Params = append(out.Params, d)
	}
	return out
}
