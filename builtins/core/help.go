package core

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
)

// helpFunc prints what a built-in is.
func helpFunc() *spec.Func {
	return &spec.Func{
		Name: "help", Returns: "str", LoadTime: true,
		Doc: "Prints what a function, module or value of rig is, and returns the text.",
		Params: []spec.Param{
			{Name: "value", Type: "any", Doc: "What to explain: conn.query, task, a function of your own."},
		},
		Example: `
expect.contains(help(task.spawn), "Starts fn")
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			text := explain(c.Arg("value"))
			c.Thread.Print(c.Thread, text)
			return starlark.String(text), nil
		},
	}
}

func explain(v starlark.Value) string {
	switch v := v.(type) {
	case *spec.Builtin:
		return explainFunc(v.Name(), v.Decl())
	case interface{ Decl() *spec.Module }:
		return explainModule(v.Decl())
	case *starlark.Function:
		return strings.TrimRight(v.Name()+"("+strings.Join(parameters(v), ", ")+")\n"+v.Doc(), "\n")
	case starlark.HasAttrs:
		return fmt.Sprintf("%s: %s", v.Type(), strings.Join(v.AttrNames(), " "))
	}
	return v.Type() + ": " + v.String()
}

// parameters are those of a function of a script, as its definition has them.
func parameters(f *starlark.Function) []string {
	var out []string
	named := f.NumParams()
	if f.HasKwargs() {
		named--
	}
	if f.HasVarargs() {
		named--
	}
	for i := range named {
		if i == named-f.NumKwonlyParams() {
			star := "*"
			if f.HasVarargs() {
				name, _ := f.Param(named)
				star += name
			}
			out = append(out, star)
		}
		name, _ := f.Param(i)
		if d := f.ParamDefault(i); d != nil {
			name += " = " + d.String()
		}
		out = append(out, name)
	}
	if f.HasVarargs() && f.NumKwonlyParams() == 0 {
		name, _ := f.Param(named)
		out = append(out, "*"+name)
	}
	if f.HasKwargs() {
		name, _ := f.Param(f.NumParams() - 1)
		out = append(out, "**"+name)
	}
	return out
}

func explainFunc(name string, f *spec.Func) string {
	var b strings.Builder
	returns := f.Returns
	if returns == "" {
		returns = "None"
	}
	fmt.Fprintf(&b, "%s -> %s\n%s", f.Signature(name), returns, f.Doc)
	for _, p := range f.Params {
		fmt.Fprintf(&b, "\n  %s (%s): %s", p.Name, p.Type, p.Doc)
	}
	if e := strings.TrimSpace(f.Example); e != "" {
		b.WriteString("\n\n" + e)
	}
	return b.String()
}

func explainModule(m *spec.Module) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", m.Name, m.Doc)
	for _, f := range m.Funcs {
		fmt.Fprintf(&b, "\n  %s\n      %s", f.Signature(m.Name+"."+f.Name), f.Summary())
	}
	return b.String()
}
