package catalog

import (
	"slices"
	"strings"
	"testing"

	"go.starlark.net/lib/json"
	"go.starlark.net/lib/math"
	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
)

func language() *Catalog {
	m, t := Language()
	return (&Catalog{Modules: m, Types: t}).Index()
}

// TestLanguageIsTheInterpreters: what language.txt declares is what the interpreter has, nothing less and nothing more.
func TestLanguageIsTheInterpreters(t *testing.T) {
	c := language()
	same := func(what string, declared, real []string) {
		slices.Sort(declared)
		slices.Sort(real)
		if !slices.Equal(declared, real) {
			t.Errorf("%s: declared\n%v\nthe interpreter has\n%v", what, declared, real)
		}
	}
	var universe []string
	for name := range starlark.Universe {
		if !slices.Contains([]string{"None", "True", "False", "fail"}, name) { // fail is rig's own
			universe = append(universe, name)
		}
	}
	same("universe", c.Modules[0].Names(), append(universe, "struct"))
	for name, v := range map[string]starlark.HasAttrs{"json": json.Module, "math": math.Module, "time": starlarktime.Module} {
		same(name, c.Module(name).Names(), v.AttrNames())
	}
	for name, v := range map[string]starlark.HasAttrs{
		"str": starlark.String(""), "bytes": starlark.Bytes(""), "list": &starlark.List{}, "dict": &starlark.Dict{}, "set": &starlark.Set{},
		"time.time": starlarktime.Time{}, "time.duration": starlarktime.Duration(0),
	} {
		same(name, c.Type(name).Names(), v.AttrNames())
	}
}

// TestLanguageIsDocumented: each line says what it declares in a sentence.
func TestLanguageIsDocumented(t *testing.T) {
	c := language()
	check := func(name, doc string) {
		if !strings.HasSuffix(doc, ".") || len(doc) < 5 {
			t.Errorf("%s: the doc is no sentence: %q", name, doc)
		}
	}
	for _, m := range c.Modules {
		check(m.Name, m.Doc)
		for _, f := range m.Funcs {
			check(f.Qualified(), f.Doc)
		}
		for _, v := range m.Values {
			check(m.Name+"."+v.Name, v.Doc)
		}
	}
	for _, typ := range c.Types {
		check(typ.Name, typ.Doc)
		for _, f := range typ.Methods {
			check(f.Qualified(), f.Doc)
		}
	}
}

func TestFindAndSignature(t *testing.T) {
	c := language()
	for name, want := range map[string]string{
		"len": "len(x)", "json.indent": `json.indent(s, *, prefix = "", indent = "\t")`, "s.split": "s.split(sep = None, maxsplit = -1)", "str.split": "s.split(sep = None, maxsplit = -1)",
		"max": "max(*args, key = None)",
	} {
		f := c.Find(name)
		if f == nil || f.Signature() != want {
			t.Errorf("%s: %v, want %s", name, f, want)
		}
	}
	if f := c.Find("json.nothing"); f != nil {
		t.Errorf("found %v", f)
	}
	labels, at := c.Find("json.indent").Labels()
	if len(labels) != 4 || !slices.Equal(at, []int{0, 2, 3}) {
		t.Errorf("labels %q at %v", labels, at)
	}
}

func TestBrokenLanguageText(t *testing.T) {
	if _, _, err := parse("[module x] X.\nf(a) -> int\n"); err == nil || !strings.Contains(err.Error(), "language.txt:2") {
		t.Errorf("got %v", err)
	}
}
