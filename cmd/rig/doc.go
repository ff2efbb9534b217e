package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"rig/builtins"
	"rig/builtins/expect"
	"rig/builtins/spec"
	"rig/runtime/catalog"
	"rig/runtime/scenario"
)

// docCmd shows the reference of the script language, made from the declarations of the built-ins.
type docCmd struct {
	Name string `arg:"" optional:"" help:"A module, type or function: task, session, conn.query, expect.eq, len; a script, or script.star:function. errors prints the table of errors."`
	Of   string `arg:"" optional:"" help:"With errors: a number, a name, a SQLSTATE, a kind or a category."`

	Format string `short:"f" default:"md" enum:"md,json,pyi,html" help:"Of the whole reference: md, json, pyi (stubs for editors) or html."`
	Out    string `placeholder:"FILE" help:"Write the whole reference to a file."`
}

func modules() []*spec.Module {
	return builtins.Modules(builtins.Options{Registry: scenario.NewRegistry(), Params: newParamSet(nil, nil), Goldens: expect.Goldens{}})
}

// Run prints it.
func (c *docCmd) Run(s streams) error {
	if c.Name == "" || c.Out != "" {
		return c.whole(s)
	}
	if c.Format != "md" {
		return usage("--format %s is for the whole reference: leave %q out", c.Format, c.Name)
	}
	if file, name, ok := userFile(c.Name); ok {
		return docUserFile(s.out, file, name)
	}
	if c.Name == "errors" {
		return docErrors(s.out, c.Of)
	}
	if c.Of != "" {
		return usage("doc takes one name; only doc errors takes what to show of them")
	}
	var names []string
	found := false
	for _, m := range modules() {
		names = append(names, writeMatching(s.out, m, c.Name, &found)...)
	}
	mine := names
	names = append(names, writeWordMatching(s.out, c.Name, &found)...)
	names = append(names, writeLanguageMatching(s.out, c.Name, &found)...)
	if !found {
		// Without its owner: show every one of that name.
		for _, n := range mine {
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

// whole prints everything in one of the formats.
func (c *docCmd) whole(s streams) error {
	var b strings.Builder
	switch c.Format {
	case "json":
		e := json.NewEncoder(&b)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(spec.Catalog(modules())); err != nil {
			return err
		}
	case "pyi":
		writeStubs(&b, spec.Catalog(modules()))
	case "html":
		if err := writeHTML(&b, spec.Catalog(modules())); err != nil {
			return err
		}
	default:
		writeReference(&b, modules())
	}
	if c.Out == "" {
		_, err := io.WriteString(s.out, b.String())
		return err
	}
	if err := os.WriteFile(c.Out, []byte(b.String()), 0o644); err != nil {
		return usage("%v", err)
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
	writeWords(w)
	for _, m := range all {
		writeModule(w, m)
	}
	writeLanguage(w)
}

// writeLanguage prints what Starlark itself brings, a line for each.
func writeLanguage(w io.Writer) {
	ms, ts := catalog.Language()
	for _, m := range ms {
		title := "Starlark's own functions"
		if m.Name != "" {
			title = "Starlark's module `" + m.Name + "`"
		}
		fmt.Fprintf(w, "\n## %s\n\n%s\n\n", title, m.Doc)
		writeLines(w, m.Name, m.Funcs, m.Values)
	}
	for _, t := range ts {
		fmt.Fprintf(w, "\n## Starlark's type `%s`\n\n%s\n\n", t.Name, t.Doc)
		writeLines(w, t.Var, t.Methods, t.Attrs)
	}
}

func writeLines(w io.Writer, owner string, funcs []*catalog.Func, values []*catalog.Value) {
	for _, v := range values {
		fmt.Fprintf(w, "- `%s` (%s): %s\n", qualify(owner, v.Name), v.Type, v.Doc)
	}
	for _, f := range funcs {
		fmt.Fprintf(w, "- `%s` -> %s: %s\n", f.Signature(), f.Returns, f.Doc)
	}
}

// writeLanguageMatching prints what of Starlark itself has the name, qualified or not, and gives all names.
func writeLanguageMatching(w io.Writer, name string, found *bool) []string {
	var all []string
	show := func(funcs []*catalog.Func, owner string) {
		for _, f := range funcs {
			all = append(all, f.Qualified())
			if !*found && (f.Qualified() == name || owner+"."+f.Name == name) {
				*found = true
				fmt.Fprintf(w, "\n### `%s`\n\nReturns %s. %s\n", f.Signature(), f.Returns, f.Doc)
			}
		}
	}
	ms, ts := catalog.Language()
	for _, m := range ms {
		show(m.Funcs, m.Name)
		if m.Name != "" && m.Name == name && !*found {
			*found = true
			fmt.Fprintf(w, "\n## %s\n\n%s\n\n", m.Name, m.Doc)
			writeLines(w, m.Name, m.Funcs, m.Values)
		}
	}
	for _, t := range ts {
		show(t.Methods, t.Name)
		if t.Name == name && !*found {
			*found = true
			fmt.Fprintf(w, "\n## Type %s\n\n%s\n\n", t.Name, t.Doc)
			writeLines(w, t.Var, t.Methods, t.Attrs)
		}
	}
	return all
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
