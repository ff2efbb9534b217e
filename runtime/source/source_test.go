package source

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.starlark.net/syntax"

	"rig/runtime/catalog"
)

// builtins are as many of rig's as the tests need, in the form that the declarations give.
func builtins() *catalog.Catalog {
	modules, types := catalog.Language()
	list := func(elem string) *catalog.Func {
		return &catalog.Func{Name: "sessions", Owner: "t", Returns: "list", Elem: elem, Params: []catalog.Param{{Name: "n"}}}
	}
	modules = append(modules,
		&catalog.Module{Funcs: []*catalog.Func{{Name: "try_", Returns: "outcome", Params: []catalog.Param{{Name: "fn"}, {Name: "args", Variadic: true}}}}},
		&catalog.Module{Name: "task", Funcs: []*catalog.Func{{Name: "map", Owner: "task", Returns: "list", Elem: "outcome", Params: []catalog.Param{{Name: "fn"}, {Name: "items"}}}}},
		&catalog.Module{Name: "machine", Funcs: []*catalog.Func{{Name: "new", Owner: "machine", Returns: "machine"}}},
	)
	types = append(types,
		&catalog.Type{Name: "test", Var: "t", Attrs: []*catalog.Value{{Name: "db", Type: "session"}}, Methods: []*catalog.Func{list("session")}},
		&catalog.Type{Name: "session", Var: "conn", Methods: []*catalog.Func{
			{Name: "query", Owner: "conn", Returns: "rows"},
			{Name: "transaction", Owner: "conn", Returns: "any", Params: []catalog.Param{{Name: "fn", Gives: "session"}, {Name: "args", Variadic: true}}},
		}},
		&catalog.Type{Name: "rows", Var: "rows", Elem: "row", Methods: []*catalog.Func{{Name: "one", Owner: "rows", Returns: "row"}}},
		&catalog.Type{Name: "row", Var: "row", Open: true}, &catalog.Type{Name: "error", Var: "error"},
		&catalog.Type{Name: "outcome", Var: "outcome", Attrs: []*catalog.Value{{Name: "error", Type: "error|None"}}}, &catalog.Type{Name: "ctx", Var: "ctx"},
	)
	return (&catalog.Catalog{Modules: modules, Types: types}).Index()
}

// TestInfer: the argument of each see(...) is of the type that the comment behind it names; ~ marks a guess.
func TestInfer(t *testing.T) {
	text := `
def make(t):
    return t.db

def helper(c, amount):
    see(c)  # session
    see(amount)  # int

def both(c):
    see(c)  #

def handler(ctx):
    see(ctx)  # ~ctx

def answers(conn, n):
    if n:
        return conn.query("x").one()
    return conn.query("y")[0]

def guessed(conn):
    see(conn)  # ~session

def stepping(context):
    see(context)  # ctx

machine.new("m", states = {"a": stepping})

def each(s):
    see(s)  # session

def test_x(t):
    see(t)  # test
    see(t.db.query("x"))  # rows
    row = t.db.query("x").one()
    see(row)  # row
    see(t.db.query("x")[0])  # row
    a, b = t.db, 1
    see(a)  # session
    see(b)  # int
    for s in t.sessions(2):
        see(s)  # session
    see([x for x in t.sessions(1)])  # list of session
    see(t.sessions(1)[0])  # session
    see(make(t))  # session
    t.db.transaction(helper, 1)
    try_(t.db.transaction, helper, 2)
    try_(both, t.db)
    both(1)
    see(task.map(each, t.sessions(2))[0])  # outcome
    x = 1
    x = "a"
    see(x)  # ~str
    see("%s" % x)  # str
    see("a".split(" "))  # list of str
    x = x.upper()
    see(x)  # ~str
    for y in [1, 2]:
        see(y)  # ~int
    for y in t.sessions(2):
        see(y)  # ~session
    for i, e in enumerate(t.sessions(2)):
        see(i)  # int
        see(e)  # session
    for l, r in zip(t.sessions(2), [1]):
        see(l)  # session
        see(r)  # int
    see({"a": t.db}["a"])  # session
    see({"a": t.db, "b": 1}["a"])  #
    for key in {"a": t.db}:
        see(key)  #
    for key2, held in {"a": t.db}.items():
        see(held)  # session
    see({"a": t.db}.values()[0])  # session
    see(t.db.transaction(answers, 1))  # row
    see(t.db.transaction(lambda c: c, 1))  # session
    task.map(lambda c, d = 1: see(c), t.sessions(2))  # session
    see(try_(t.db.exec, "x").error)  # ~error
    loop = [loop, loop]
    loop = [loop]
    see(loop)  # list of list
    see(a if b else t.db)  # session
    see(len)  # function
    see(task)  # module
    see(nothing)  #
    see(x == 1)  # bool
    again = again
    see(again)  #
    see((t.db, 1)[1])  # int
    see(sorted([t.db])[0])  # session
`
	f := Read("x.star", text, builtins())
	lines := strings.Split(text, "\n")
	n := 0
	syntax.Walk(f.Tree, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok {
			return true
		}
		if id, ok := call.Fn.(*syntax.Ident); !ok || id.Name != "see" {
			return true
		}
		n++
		_, want, _ := strings.Cut(lines[call.Lparen.Line-1], "#")
		got := f.Infer(call.Args[0])
		text := got.String()
		if got.Guess {
			text = "~" + text
		}
		if text != strings.TrimSpace(want) {
			t.Errorf("line %d: %s: got %q, want %q", call.Lparen.Line, f.Slice(call), text, strings.TrimSpace(want))
		}
		return true
	})
	if n != strings.Count(text, "see(") {
		t.Errorf("%d of %d were looked at", n, strings.Count(text, "see("))
	}
}

func TestVars(t *testing.T) {
	f := Read("x.star", "x = 1\ndef f(a, b = x):\n    for i in a:\n        x = i\n    return lambda: x + b\nx = 2\n", builtins())
	var got []string
	for _, v := range f.Vars {
		where := "top"
		if v.Owner != nil {
			where = "inner"
		}
		got = append(got, strings.Join([]string{v.Name, string(v.Kind), where, strings.Repeat("d", len(v.Defs)), strings.Repeat("u", len(v.Uses))}, " "))
	}
	want := []string{"x variable top dd u", "f function top d ", "a parameter inner d u", "b parameter inner d u", "i loop variable inner d u", "x variable inner d u"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func TestChunks(t *testing.T) {
	text := "\"\"\"doc\nx = 1\n\"\"\"\n# c\nload(\"a\",\n  \"b\",\n)\nif x:\n  y\nelse:\n  z\ndef f():\n  '''a\nq = 1\n'''\n"
	var lines []int
	for _, c := range Chunks(text) {
		lines = append(lines, c.Line)
	}
	if !slices.Equal(lines, []int{1, 5, 8, 12}) {
		t.Errorf("got %v", lines)
	}
	if got := Chunks("x = \"\"\"never closed\ny = 1\ndef f():\n    pass\n"); len(got) != 2 || got[1].Line != 3 {
		t.Errorf("got %v", got)
	}
}

func TestHalfTyped(t *testing.T) {
	for _, x := range []struct{ broken, keeps string }{
		{"def f(t):\n    t.\n    y = 1\n\ndef g():\n    pass\n", "f g y"},
		{"def f(t):\n    t.db.query(\n    y = 1\n\ndef g():\n    pass\n", "f g y"},
		{"def f(t):\n    y = \n\ndef g():\n    pass\n", "f g y"},
		{"def f(t):\n    y = [1, \n    z = 1\n\ndef g():\n    pass\n", "f g z"},
		{"def f(t):\n    if t\n    z = 1\n\ndef g():\n    pass\n", "f g z"},
		{"def f(t):\n    y = \"abc\n    z = 1\n\ndef g():\n    pass\n", "f g y z"},
		{"def f(\n\ndef g():\n    pass\n", "g"},
		{"de\n\ndef g():\n    pass\n", "g"},
		{"def f(t):\n    for x in \n    z = 1\n\ndef g():\n    pass\n", "f g z"},
		{"def f(t):\n    \"\"\"half\n    z = 1\n\ndef g():\n    pass\n", "g"},
	} {
		f := Read("x.star", x.broken, builtins())
		if len(f.Errors) == 0 {
			t.Errorf("%q: no error", x.broken)
		}
		for name := range strings.FieldsSeq(x.keeps) {
			if !slices.ContainsFunc(f.Vars, func(v *Var) bool { return v.Name == name }) {
				t.Errorf("%q lost %s", x.broken, name)
			}
		}
	}
}

func gallery(t testing.TB) map[string]string {
	out := map[string]string{}
	err := filepath.WalkDir("../../scripts", func(path string, d fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".star" {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = string(b)
		return err
	})
	if err != nil || len(out) < 40 {
		t.Fatal(len(out), err)
	}
	return out
}

// TestTypingKeepsSymbols types every line of real files, letter by letter, in the middle of the rest: all functions of
// the file but the one at hand are to stay known, and that one as well where its head is whole.
func TestTypingKeepsSymbols(t *testing.T) { typingKeepsSymbols(t, 11) }

func TestSoakTypingKeepsSymbols(t *testing.T) {
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak runs it")
	}
	typingKeepsSymbols(t, 1)
}

func typingKeepsSymbols(t *testing.T, step int) {
	kept, all := 0, 0
	for _, path := range []string{"../../scripts/guide/coordination.star", "../../scripts/suites/txn/isolation.star", "../../scripts/guide/mock_unit_test.star"} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		k, n := typed(string(b), step)
		kept, all = kept+k, all+n
	}
	share := float64(kept) / float64(all)
	t.Logf("%d of %d typing positions keep every other symbol: %.2f%%", kept, all, 100*share)
	if share < 0.98 {
		t.Errorf("only %.2f%% of the positions keep the symbols", 100*share)
	}
}

func typed(text string, step int) (kept, all int) {
	c := builtins()
	want := Read("x.star", text, c)
	lines := strings.SplitAfter(text, "\n")
	for n, line := range lines {
		for cut := n % step; cut < len(strings.TrimRight(line, "\n")); cut += step {
			half := strings.Join(lines[:n], "") + line[:cut] + "\n" + strings.Join(lines[n+1:], "")
			got := map[string]bool{}
			for _, name := range Read("x.star", half, c).Globals() {
				got[name] = true
			}
			all++
			lost := false
			for _, v := range want.Vars {
				if v.Owner == nil && v.Kind != Comprehended && int(v.Decl.NamePos.Line) != n+1 && !got[v.Name] {
					lost = true
				}
			}
			if !lost {
				kept++
			}
		}
	}
	return kept, all
}

// FuzzRead: no text breaks it.
func FuzzRead(f *testing.F) {
	for _, text := range gallery(f) {
		f.Add(text)
		f.Add(text[:len(text)/2])
	}
	c := builtins()
	f.Fuzz(func(t *testing.T, text string) {
		file := Read("x.star", text, c)
		for _, v := range file.Vars {
			file.TypeOf(v)
		}
		syntax.Walk(file.Tree, func(n syntax.Node) bool {
			if e, ok := n.(syntax.Expr); ok {
				file.Infer(e)
			}
			return true
		})
	})
}

// TestForget: a file whose text is the same is not parsed again, and what it loads is looked at anew.
func TestForget(t *testing.T) {
	texts := map[string]string{"/p/a.star": "load(\"./b.star\", \"x\")\ny = x\n", "/p/b.star": "x = 1\n"}
	w := &Workspace{Root: "/p", Catalog: builtins(), Open: func(path string) (string, bool) { text, ok := texts[path]; return text, ok }}
	typeOfY := func() string {
		a := w.File("/p/a.star")
		return a.TypeOf(a.Lookup("y")).String()
	}
	if got := typeOfY(); got != "int" {
		t.Errorf("at first %q", got)
	}
	a, b := w.File("/p/a.star"), w.File("/p/b.star")
	texts["/p/b.star"] = "x = \"a\"\n"
	if w.File("/p/b.star") != b {
		t.Error("a file was read again without a change")
	}
	w.Forget()
	if got := typeOfY(); got != "str" {
		t.Errorf("behind the change %q", got)
	}
	if w.File("/p/a.star") != a || w.File("/p/b.star") == b {
		t.Error("the file that changed is to be read again, the other is not")
	}
	delete(texts, "/p/b.star")
	w.Forget()
	if got := typeOfY(); got != "" || w.File("/p/b.star") != nil {
		t.Errorf("behind its end %q", got)
	}
}
