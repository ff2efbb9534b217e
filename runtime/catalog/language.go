package catalog

import (
	_ "embed"
	"fmt"
	"strings"
)

// languageText declares what Starlark brings, a line each: the interpreter carries no docs of its own.
//
//go:embed language.txt
var languageText string

// Language gives the modules and types of Starlark itself.
func Language() (modules []*Module, types []*Type) {
	modules, types, err := parse(languageText)
	if err != nil {
		panic(err) // the embedded text is wrong
	}
	return modules, types
}

// parse reads "[module NAME] doc" and "[type NAME VAR ELEM] doc" heads with lines "name(params) -> type: doc" and "name type: doc".
func parse(text string) (modules []*Module, types []*Type, err error) {
	addFunc, addValue := func(*Func) {}, func(*Value) {}
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			head, doc, _ := strings.Cut(strings.TrimPrefix(line, "["), "]")
			words := strings.Fields(head)
			if words[0] == "module" {
				m := &Module{Name: strings.Join(words[1:], ""), Doc: strings.TrimSpace(doc), Language: true}
				modules = append(modules, m)
				addFunc = func(f *Func) { f.Owner = m.Name; m.Funcs = append(m.Funcs, f) }
				addValue = func(v *Value) { m.Values = append(m.Values, v) }
				continue
			}
			t := &Type{Name: words[1], Var: words[2], Doc: strings.TrimSpace(doc), Language: true}
			if len(words) > 3 {
				t.Elem = words[3]
			}
			types = append(types, t)
			addFunc = func(f *Func) { f.Owner = t.Var; t.Methods = append(t.Methods, f) }
			addValue = func(v *Value) { t.Attrs = append(t.Attrs, v) }
		default:
			head, doc, ok := strings.Cut(line, ": ")
			if !ok {
				return nil, nil, fmt.Errorf("language.txt:%d: no doc", n+1)
			}
			if name, rest, ok := strings.Cut(head, "("); ok {
				params, returns, _ := strings.Cut(rest, ") -> ")
				addFunc(&Func{Name: name, Doc: doc, Params: parseParams(params), Returns: returns, LoadTime: true})
				continue
			}
			name, typ, _ := strings.Cut(head, " ")
			addValue(&Value{Name: name, Type: typ, Doc: doc})
		}
	}
	return modules, types, nil
}

func parseParams(text string) []Param {
	var out []Param
	keyword := false
	for part := range strings.SplitSeq(text, ", ") {
		switch {
		case part == "":
		case part == "*":
			keyword = true
		case strings.HasPrefix(part, "**"):
			out = append(out, Param{Name: part[2:], Type: "any", Keywords: true})
		case strings.HasPrefix(part, "*"):
			out = append(out, Param{Name: part[1:], Type: "any", Variadic: true})
		default:
			name, def, _ := strings.Cut(part, "=")
			out = append(out, Param{Name: name, Type: "any", Default: def, KwOnly: keyword})
		}
	}
	return out
}
