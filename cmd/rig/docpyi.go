package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"rig/runtime/catalog"
)

// writeStubs prints the declarations as Python stubs, for editors that read scenarios as Python and do not speak to rig lsp.
// Types that Python does not have become classes of their own; a name of its own language is left to it.
func writeStubs(w io.Writer, c *catalog.Catalog) {
	fmt.Fprintln(w, `"""What scenarios of rig see. Made from the declarations: rig doc --format pyi."""`)
	fmt.Fprint(w, "from typing import Any, Callable, Iterable, Iterator\n\n")
	for _, t := range c.Types {
		if pythonOwn[t.Name] {
			continue
		}
		stubType(w, t)
	}
	for _, m := range c.Modules {
		switch {
		case m.Name == "" && m.Language:
			continue // Python has them
		case m.Name == "":
			for _, f := range m.Funcs {
				stubFunc(w, "", f, false)
			}
			for _, v := range m.Values {
				fmt.Fprintf(w, "%s: %s\n", v.Name, stubTypes(v.Type))
			}
		default:
			stubModule(w, m)
		}
	}
}

// pythonOwn are the types that Python names alike.
var pythonOwn = map[string]bool{"str": true, "bytes": true, "list": true, "dict": true, "set": true}

func className(name string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(name, func(r rune) bool { return r == '_' || r == '.' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}

func stubType(w io.Writer, t *catalog.Type) {
	fmt.Fprintf(w, "class %s:\n    %s\n", className(t.Name), docString(t.Doc))
	for _, a := range t.Attrs {
		fmt.Fprintf(w, "    %s: %s\n    %s\n", a.Name, stubTypes(a.Type), docString(a.Doc))
	}
	for _, f := range t.Methods {
		stubFunc(w, "    ", f, true)
	}
	if t.Open {
		fmt.Fprintln(w, "    def __getattr__(self, name: str) -> Any: ...")
	}
	if t.Elem != "" {
		fmt.Fprintf(w, "    def __iter__(self) -> Iterator[%s]: ...\n    def __len__(self) -> int: ...\n    def __getitem__(self, key: Any) -> %s: ...\n", stubTypes(t.Elem), stubTypes(t.Elem))
	}
	fmt.Fprintln(w)
}

func stubModule(w io.Writer, m *catalog.Module) {
	fmt.Fprintf(w, "class _%s:\n    %s\n", className(m.Name), docString(m.Doc))
	for _, v := range m.Values {
		fmt.Fprintf(w, "    %s: %s\n    %s\n", v.Name, stubTypes(v.Type), docString(v.Doc))
	}
	for _, f := range m.Funcs {
		stubFunc(w, "    ", f, true)
	}
	fmt.Fprintf(w, "\n%s: _%s\n\n", m.Name, className(m.Name))
}

func stubFunc(w io.Writer, indent string, f *catalog.Func, method bool) {
	if pythonWords[f.Name] {
		fmt.Fprintf(w, "%s# %s: a word of Python, no stub can name it.\n", indent, f.Signature())
		return
	}
	var parts []string
	if method {
		parts = append(parts, "self")
	}
	star, optional := false, false
	for i := range f.Params {
		p := &f.Params[i]
		name := p.Name
		if pythonWords[name] {
			name += "_"
		}
		switch {
		case p.Variadic:
			parts, star = append(parts, "*"+name+": "+stubTypes(p.Type)), true
			continue
		case p.Keywords:
			parts = append(parts, "**"+name+": "+stubTypes(p.Type))
			continue
		case p.KwOnly && !star:
			parts, star = append(parts, "*"), true
		}
		text := name + ": " + stubTypes(p.Type)
		if !p.Required() || optional && !star {
			optional = true
			text += " = ..."
		}
		parts = append(parts, text)
	}
	returns := stubTypes(f.Returns)
	if f.Returns == "list" && f.Elem != "" {
		returns = "list[" + stubTypes(f.Elem) + "]"
	}
	fmt.Fprintf(w, "%sdef %s(%s) -> %s:\n%s    %s\n%s    ...\n", indent, f.Name, strings.Join(parts, ", "), returns, indent, docString(funcDoc(f)), indent)
}

func funcDoc(f *catalog.Func) string {
	var b strings.Builder
	b.WriteString(f.Doc)
	for _, p := range f.Params {
		if p.Doc != "" {
			fmt.Fprintf(&b, "\n%s: %s", p.Name, p.Doc)
		}
	}
	return b.String()
}

// pythonWords cannot be names in Python, though Starlark allows them.
var pythonWords = map[string]bool{"None": true, "True": true, "False": true, "with": true, "raise": true, "try": true, "is": true, "class": true, "del": true, "import": true, "from": true, "global": true, "yield": true}

func stubTypes(names string) string {
	var out []string
	for name := range strings.SplitSeq(names, "|") {
		text := ""
		switch name {
		case "", "any":
			return "Any"
		case "callable":
			text = "Callable[..., Any]"
		case "iterable":
			text = "Iterable[Any]"
		case "duration":
			text = "str | float | TimeDuration"
		case "struct", "handler", "mock_any", "range", "clock", "date", "policy":
			text = "Any"
		case "str", "bytes", "bool", "int", "float", "list", "dict", "None", "tuple", "set":
			text = name
		default:
			text = className(name)
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	if slices.Contains(out, "Any") {
		return "Any"
	}
	return strings.Join(out, " | ") // stubs may name a class before it stands in the file
}

func docString(doc string) string {
	doc = strings.Join(strings.Fields(strings.NewReplacer(`\`, `\\`, `"""`, `\"\"\"`).Replace(doc)), " ")
	if strings.HasSuffix(doc, `"`) {
		doc += " " // or the quotes would end one later
	}
	return `"""` + doc + `"""`
}
