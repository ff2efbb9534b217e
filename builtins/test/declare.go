package test

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// ParamDecl is what a param(...) call declares.
type ParamDecl struct {
	Name    string
	Default starlark.Value
	Help    string
	Choices []starlark.Value
	Min     *float64
	Max     *float64
	Secret  bool
	Pos     event.Pos
	Module  string // path of the file that declares it
}

// Params gives declared parameters their values; one belongs to a run.
type Params interface {
	Declare(ParamDecl) (starlark.Value, error)
}

// Module declares param, test and cases.
func Module(reg *scenario.Registry, params Params) *spec.Module {
	return &spec.Module{
		Doc:   "Functions that describe tests.",
		Funcs: []*spec.Func{paramFunc(params), testFunc(reg), casesFunc},
		Types: Types(),
	}
}

func paramFunc(params Params) *spec.Func {
	return &spec.Func{
		Name: "param", Returns: "any", LoadTime: true,
		Doc: "Declares a parameter of the file and gives its value. Its type is that of the default. It becomes a command-line flag (test_rows: --test-rows), a variable RIG_PARAM_TEST_ROWS and a key of [params] in rig.toml.",
		Params: []spec.Param{
			{Name: "name", Type: "str", Doc: "The name: lower case letters, digits and underscores."},
			{Name: "default", Type: "int|float|str|bool", Doc: "The value when nobody gives one."},
			{Name: "help", Type: "str", Default: starlark.String(""), Doc: "One line for --help."},
			{Name: "choices", Type: "list", Optional: true, KwOnly: true, Doc: "The values that are allowed."},
			{Name: "min", Type: "float", Optional: true, KwOnly: true, Doc: "The least number allowed."},
			{Name: "max", Type: "float", Optional: true, KwOnly: true, Doc: "The greatest number allowed."},
			{Name: "secret", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "The value never appears in reports."},
		},
		Impl: func(c *spec.Call) (starlark.Value, error) {
			th := c.Script()
			if th == nil || !th.Loading() {
				return nil, fmt.Errorf("param belongs at the top of a file: it is read while the file loads")
			}
			d := ParamDecl{
				Name: c.Str("name"), Default: c.Arg("default"), Help: c.Str("help"), Secret: c.Bool("secret"),
				Pos: script.CallerPos(c.Thread), Module: th.Module(),
			}
			d.Choices = c.List("choices")
			d.Min, d.Max = bound(c, "min"), bound(c, "max")
			if d.Min != nil && d.Max != nil && *d.Min > *d.Max {
				return nil, c.Errorf("min", "%v is greater than max %v", *d.Min, *d.Max)
			}
			return params.Declare(d)
		},
		Example: `
# At the top of a file:  rows = param("rows", default = 1000, help = "rows to load", min = 1)
`,
	}
}

func bound(c *spec.Call, name string) *float64 {
	if !c.Has(name) {
		return nil
	}
	f := c.Float(name)
	if math.IsNaN(f) {
		return nil
	}
	return &f
}

func testFunc(reg *scenario.Registry) *spec.Func {
	return &spec.Func{
		Name: "test", Returns: "callable", LoadTime: true,
		Doc: "Annotates a test function and returns it. Call it at the top level, after the function.",
		Params: []spec.Param{
			{Name: "fn", Type: "callable", Doc: "A function whose name begins with test_."},
			{Name: "tags", Type: "list", Optional: true, KwOnly: true, Doc: "Words by which --tag selects."},
			{Name: "timeout", Type: "duration", Optional: true, KwOnly: true, Doc: "The bound of this test instead of --test-timeout."},
			{Name: "exclusive", Type: "bool", Default: starlark.False, KwOnly: true, Doc: "No other test runs at the same time."},
			{Name: "server", Type: "str", Optional: true, KwOnly: true, Doc: "\"own\": a throw-away server for this test alone."},
		},
		Example: `
# At the top level:  test(test_slow, tags = ["slow"], timeout = "10m", exclusive = True)
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			fn, ok := c.Arg("fn").(*starlark.Function)
			if !ok {
				return nil, c.Errorf("fn", "want a function defined with def, got %s", c.Arg("fn").Type())
			}
			a := scenario.Annotation{Timeout: c.Duration("timeout"), Exclusive: c.Bool("exclusive"), Pos: script.CallerPos(c.Thread)}
			tags, err := c.Texts("tags")
			if err != nil {
				return nil, err
			}
			a.Tags = tags
			switch c.Str("server") {
			case "":
			case "own":
				a.OwnServer = true
			default:
				return nil, c.Errorf("server", "want \"own\", got %q", c.Str("server"))
			}
			reg.Annotate(fn, a)
			return fn, nil
		},
	}
}

var casesFunc = &spec.Func{
	Name: "cases", Returns: "bool",
	Doc: "Runs fn once for each row as a subtest: a list or tuple becomes arguments, a dict keyword arguments, anything else one argument; the first argument is the subtest's t. A dict's key \"name\" names the subtest and is not passed on; a first str of a list or tuple, or a str alone, names it too and is passed as the argument that it is. Other subtests are named by their number, from 1. It returns whether all passed.",
	Params: []spec.Param{
		{Name: "rows", Type: "iterable", Doc: "The table."},
		{Name: "fn", Type: "callable", Doc: "What runs for each row."},
	},
	Example: `
def squares(t, n, square):
    expect.eq(n * n, square)
cases([(2, 4), (3, 9)], squares)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		all := true
		for i, row := range c.List("rows") {
			name, args, kwargs := caseOf(i+1, row)
			ok, err := t.Run(c.Script(), name, c.Callable("fn"), func(sub starlark.Value) (starlark.Tuple, []starlark.Tuple) {
				return append(starlark.Tuple{sub}, args...), kwargs
			})
			if err != nil {
				return nil, err
			}
			all = all && ok
		}
		return starlark.Bool(all), nil
	},
}

// caseOf spreads a row over a call's arguments.
func caseOf(i int, row starlark.Value) (name string, args starlark.Tuple, kwargs []starlark.Tuple) {
	name = fmt.Sprint(i)
	switch row := row.(type) {
	case starlark.IterableMapping:
		for _, kv := range row.Items() {
			if key, _ := starlark.AsString(kv[0]); key == "name" {
				if s, ok := starlark.AsString(kv[1]); ok {
					name = s
					continue
				}
			}
			kwargs = append(kwargs, kv)
		}
	case starlark.Sequence:
		it := row.Iterate()
		defer it.Done()
		var v starlark.Value
		for it.Next(&v) {
			args = append(args, v)
		}
		if len(args) > 0 {
			if s, ok := starlark.AsString(args[0]); ok && s != "" {
				name = s
			}
		}
	default:
		args = starlark.Tuple{row}
		if s, ok := starlark.AsString(row); ok && s != "" {
			name = s
		}
	}
	return name, args, kwargs
}
