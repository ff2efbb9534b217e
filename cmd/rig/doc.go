package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"rig/builtins"
	"rig/builtins/expect"
	"rig/builtins/spec"
	"rig/runtime/scenario"
)

// docCmd shows the reference of the script language, made from the declarations of the built-ins.
type docCmd struct {
	Name string `arg:"" optional:"" help:"A module, type or function: task, session, conn.query, expect.eq. errors prints the table of errors."`
	Of   string `arg:"" optional:"" help:"With errors: a number, a name, a SQLSTATE, a kind or a category."`
	Out  string `placeholder:"FILE" help:"Write the whole reference as Markdown to a file."`
}

func modules() []*spec.Module {
	return builtins.Modules(builtins.Options{Registry: scenario.NewRegistry(), Params: newParamSet(nil, nil), Goldens: expect.Goldens{}})
}

// Run prints it.
func (c *docCmd) Run(s streams) error {
	if c.Out != "" {
		var b strings.Builder
		writeReference(&b, modules())
		if err := os.WriteFile(c.Out, []byte(b.String()), 0o644); err != nil {
			return usage("%v", err)
		}
		return nil
	}
	if c.Name == "errors" {
		return docErrors(s.out, c.Of)
	}
	if c.Of != "" {
		return usage("doc takes one name; only doc errors takes what to show of them")
	}
	if c.Name == "" {
		writeReference(s.out, modules())
		return nil
	}
	var names []string
	found := false
	for _, m := range modules() {
		names = append(names, writeMatching(s.out, m, c.Name, &found)...)
	}
	if !found {
		// Without its owner: show every one of that name.
		for _, n := range names {
			if strings.HasSuffix(n, "."+c.Name) {
				for _, m := range modules() {
					writeMatching(s.out, m, n, &found)
				}
			}
		}
	}
	if !found {
		return usage("there is no %q%s", c.Name, didYouMean(c.Name, names))
	}
	return nil
}

// writeMatching prints what of a module has the name, and gives all names.
func writeMatching(w io.Writer, m *spec.Module, name string, found *bool) []string {
	names := []string{}
	show := func(qualified string, print func()) {
		if qualified == "" {
			return
		}
		names = append(names, qualified)
		if qualified == name {
			*found = true
			print()
		}
	}
	show(m.Name, func() { writeModule(w, m) })
	for _, f := range m.Funcs {
		show(qualify(m.Name, f.Name), func() { writeFunc(w, m.Name, f) })
	}
	for _, t := range m.Types {
		show(t.Name, func() { writeType(w, t) })
		for _, f := range t.Methods {
			show(qualify(t.Var, f.Name), func() { writeFunc(w, t.Var, f) })
		}
	}
	return names
}

func qualify(owner, name string) string {
	if owner == "" {
		return name
	}
	return owner + "." + name
}

func writeReference(w io.Writer, all []*spec.Module) {
	fmt.Fprintln(w, "# The script language of rig\n\nEvery function and type that a scenario sees. This page is made from their declarations (`rig doc`).")
	for _, m := range all {
		writeModule(w, m)
	}
}

func writeModule(w io.Writer, m *spec.Module) {
	title := "Without a module name"
	if m.Name != "" {
		title = "Module `" + m.Name + "`"
	}
	fmt.Fprintf(w, "\n## %s\n\n%s\n", title, m.Doc)
	for _, c := range m.Constants {
		fmt.Fprintf(w, "\n- `%s` (%s): %s", qualify(m.Name, c.Name), c.Type, c.Doc)
	}
	if len(m.Constants) > 0 {
		fmt.Fprintln(w)
	}
	for _, f := range m.Funcs {
		writeFunc(w, m.Name, f)
	}
	for _, t := range m.Types {
		writeType(w, t)
	}
}

func writeFunc(w io.Writer, owner string, f *spec.Func) {
	returns := f.Returns
	if returns == "" {
		returns = "None"
	}
	fmt.Fprintf(w, "\n### `%s`\n\nReturns %s. %s\n", f.Signature(qualify(owner, f.Name)), returns, f.Doc)
	if len(f.Params) > 0 {
		fmt.Fprintln(w)
	}
	for _, p := range f.Params {
		fmt.Fprintf(w, "- `%s` (%s): %s\n", p.Name, p.Type, p.Doc)
	}
	writeExample(w, f.Example)
}

func writeType(w io.Writer, t *spec.Type) {
	fmt.Fprintf(w, "\n### Type `%s`\n\n%s\n", t.Name, t.Doc)
	if len(t.Attrs) > 0 {
		fmt.Fprintln(w)
	}
	for _, a := range t.Attrs {
		fmt.Fprintf(w, "- `%s.%s` (%s): %s\n", t.Var, a.Name, a.Type, a.Doc)
	}
	writeExample(w, t.Example)
	for _, f := range t.Methods {
		writeFunc(w, t.Var, f)
	}
}

func writeExample(w io.Writer, example string) {
	if text := strings.TrimSpace(example); text != "" {
		fmt.Fprintf(w, "\n```python\n%s\n```\n", text)
	}
}
