package format

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.starlark.net/syntax"

	"rig/runtime/script"
)

func TestSource(t *testing.T) {
	for _, x := range []struct{ name, src, want string }{
		{"blanks", "def f( a,b ):\n  return a+b\n", "def f(a, b):\n    return a + b\n"},
		{"while", "def f(n):\n  while n>0 :\n      n-=1\n", "def f(n):\n    while n > 0:\n        n -= 1\n"},
		{"while in a nest", "def f(n):\n    for x in [1]:\n        while n > x and (n or x): # why\n            n -= 1\n            continue\n", "def f(n):\n    for x in [1]:\n        while n > x and (n or x):  # why\n            n -= 1\n            continue\n"},
		{"bytes", "x = [b\"\\x00\\xff\",b'it',rb\"\\n\",b\"\"\"a\nb\"\"\"]\n", "x = [b\"\\x00\\xff\", b'it', rb\"\\n\", b\"\"\"a\nb\"\"\"]\n"},
		{"the stem is in the text", "masked = b\"a\"\nmasked0x = 1\n", "masked = b\"a\"\nmasked0x = 1\n"},
		{"quotes", "x = 'it'\ny = 'say \"it\"'\n", "x = \"it\"\ny = 'say \"it\"'\n"},
		{"carriage returns", "x = 1\r\nif x:\r\n  y = 2\r\n", "x = 1\nif x:\n    y = 2\n"},
		{"dialect", "def f(*args, **kwargs):\n    x = lambda a, *b: a if a else b\n    x //= 2\n    x <<= 1\n    s = set([1]) | set([2])\n    return f(*args, **kwargs), 0o17, 0xff, 1e3, x[1:2:3], not x\n", ""},
		{"load stays where it is", "x = 1\n\nload(\"./b.star\", \"b\")\nload(\"./a.star\", \"a\", c = \"d\")\n", ""},
		{"tabs", "def f(a):\n\tif a:\n\t\tfor x in a:\n\t\t\tprint(x)\n\t\treturn 1\n\treturn 0\n", "def f(a):\n    if a:\n        for x in a:\n            print(x)\n        return 1\n    return 0\n"},
		{"tabs in a line", "x\t=\t1\t# a\tb\n", "x = 1  # a\tb\n"},
		{"tabs before comments", "def f():\n\t# one\n\tif f:\n\t\t# two\n\t\tpass\n\t# three\n\treturn 1\n", "def f():\n    # one\n    if f:\n        # two\n        pass\n\n    # three\n    return 1\n"},
		{"tabs within brackets", "x = [\n\t1,\n\t2,\n]\n", "x = [\n    1,\n    2,\n]\n"},
		{"literals keep tabs", "def f():\n\t\"\"\"Doc.\n\tmore\n\t\"\"\"\n\tx = \"a\tb#\t\"\n\ty = b\"\tc\"\n\tz = r\"\td\"\n\treturn x, y,\tz\n", "def f():\n    \"\"\"Doc.\n\tmore\n\t\"\"\"\n    x = \"a\tb#\t\"\n    y = b\"\tc\"\n    z = r\"\td\"\n    return x, y, z\n"},
		{"literals keep tabs in any quotes", "def f():\n\t'''Doc.\n\tmore'''\n\tx = 'a\tb'\n\ty = r'\td'\n\treturn f('\t', 'e')\n", "def f():\n    '''Doc.\n\tmore'''\n    x = 'a\tb'\n    y = r'\td'\n    return f('\t', \"e\")\n"},
		{"a load with a tab", "load('./a\tb.star', 'c')\nx = {'\td': c['\t':]}\n", "load(\"./a\\tb.star\", \"c\")\n\nx = {'\td': c['\t':]}\n"},
		{"tabs and spaces", "def f():\n        x = 1\n\tif x:\n\t  y = 2\n\t  return y\n  \treturn x\n", "def f():\n    x = 1\n    if x:\n        y = 2\n        return y\n    return x\n"},
		{"tabs and while", "def f(n):\n\twhile n > 0:\n\t\tn -= 1\n", "def f(n):\n    while n > 0:\n        n -= 1\n"},
		{"tabs and carriage returns", "def f():\r\n\treturn 1\r\n", "def f():\n    return 1\n"},
		{"empty", "", ""},
		{"a comment alone", "# nothing\n", ""},
	} {
		want := x.want
		if want == "" {
			want = x.src
		}
		got, err := Source("x.star", x.src)
		if err != nil || got != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", x.name, err, got, want)
		}
	}
}

func TestWhatDoesNotParse(t *testing.T) {
	for src, want := range map[string]string{
		"def f(:\n":        "x.star:1:8: syntax error",
		"x = 1\n\xff\n":    "not UTF-8",
		"x = f\"a{b}\"\n":  "syntax error",
		"if x:\ny = 1\n":   "syntax error",
		"x = (1,\n":        "syntax error",
		"try:\n    pass\n": "syntax error",
	} {
		out, err := Source("x.star", src)
		if err == nil || !strings.Contains(err.Error(), want) || out != "" {
			t.Errorf("%q: %q, %v, want %q", src, out, err, want)
		}
	}
}

// TestDumpTellsTreesApart: what the safety net rests on.
func TestDumpTellsTreesApart(t *testing.T) {
	sources := []string{
		"x = 1", "x = 2", "x += 1", "y = 1", "x = 1.0", "x = \"1\"", "x = b\"1\"", "x = a.b", "x = a.c", "x = [1]", "x = (1,)", "x = (1)", "x = {1: 2}",
		"x = -1", "x = +1", "x = a + b", "x = a - b", "x = a + b + c", "x = a + (b + c)", "x = [a for b in c]", "x = {a: a for b in c}", "x = a[1:]", "x = a[:1]", "x = a[::1]",
		"x = f(a)", "x = f(a = a)", "x = f(*a)", "x = f(**a)", "if a:\n    b\n    c", "if a:\n    b\nelse:\n    c", "def f():\n    return", "def f():\n    return None", "def f():\n    pass",
		"def f(a):\n    pass", "def f(a = 1):\n    pass", "for a in b:\n    break", "for a in b:\n    continue", "while a:\n    pass", "x = lambda: a", "x = lambda a: a", "x = 100000000000000000000", "x = 100000000000000000001",
		"load(\"./a\", \"b\")", "load(\"./a\", \"c\")", "load(\"./a\", b = \"c\")", "x = a if b else c", "x = a and b", "x = a or b",
		"if a:\n    b\nc", "x = a < b",
	}
	seen := map[string]string{}
	for _, src := range sources {
		f, err := script.Parse("x.star", src+"\n")
		if err != nil {
			t.Fatalf("%s: %v", src, err)
		}
		d := dump(f)
		if other, dup := seen[d]; dup {
			t.Errorf("%q and %q have one dump: %s", src, other, d)
		}
		seen[d] = src
	}
}

func TestDiffersSeesComments(t *testing.T) {
	tree := func(src string) *syntax.File {
		f, err := script.Parse("x.star", src)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	if d := differs(tree("x = 1  # a\n"), tree("x = 1\n")); d != "the comments" {
		t.Errorf("got %q", d)
	}
	if d := differs(tree("x = 1  # a\n"), tree("# a\nx = 1\n")); d != "" {
		t.Errorf("got %q", d)
	}
	if d := differs(tree("x = 1\n"), tree("x = 2\n")); !strings.Contains(d, "the tree") {
		t.Errorf("got %q", d)
	}
}

// scripts are the sources of the tree, the hostile ones among them.
func scripts(t testing.TB) map[string]string {
	out := map[string]string{}
	for _, root := range []string{"../../scripts", "../../stdlib", "../../cmd/rig/starters", "../../testdata/hostile", "../../testdata/import", "../../runtime/lint/testdata", "../../cmd/rig/testdata"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".star" {
				b, err := os.ReadFile(path)
				out[path] = string(b)
				return err
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) < 60 {
		t.Fatalf("only %d scripts", len(out))
	}
	return out
}

// TestGalleryIsFormatted: the gallery, the library and the starters are as rig fmt has them.
func TestGalleryIsFormatted(t *testing.T) {
	broken := 0
	for path, src := range scripts(t) {
		if _, err := script.Parse(path, src); err != nil {
			broken++
			continue
		}
		out, err := Source(path, src)
		if err != nil {
			t.Error(err)
		} else if out != src && !strings.Contains(path, "testdata") {
			t.Errorf("run rig fmt:\n%s", Diff(path, src, out))
		}
		if again, err := Source(path, out); err != nil || again != out {
			t.Errorf("%s does not come to rest: %v\n%s", path, err, Diff(path, out, again))
		}
	}
	if broken > 12 {
		t.Errorf("%d scripts do not parse: the samples of broken ones are fewer", broken)
	}
}

// TestCrookedComesToRest: whatever the blanks, the quotes and the breaks of a script were, one formatting is enough, and it means
// what it meant.
func TestCrookedComesToRest(t *testing.T) {
	crooked := map[string]*strings.Replacer{
		"blanks":  strings.NewReplacer(" = ", "=", ", ", " ,", " + ", "  +", "(", "( "),
		"breaks":  strings.NewReplacer("\n\n", "\n\n\n\n"),
		"indents": strings.NewReplacer("    ", "  "),
		"returns": strings.NewReplacer("\n", "\r\n"),
		"tabs":    strings.NewReplacer("    ", "\t"),
	}
	tried := 0
	for path, src := range scripts(t) {
		for how, r := range crooked {
			text := r.Replace(src)
			if _, err := script.Parse(path, text); err != nil {
				continue // it stood in a literal that no longer ends
			}
			tried++
			out, err := Source(path, text)
			if err != nil {
				t.Errorf("%s, other %s: %v", path, how, err)
				continue
			}
			if again, err := Source(path, out); err != nil || again != out {
				t.Errorf("%s, other %s, does not come to rest: %v\n%s", path, how, err, Diff(path, out, again))
			}
		}
	}
	if tried < 200 {
		t.Errorf("only %d texts were tried", tried)
	}
}

// FuzzSource: nothing breaks it, and what it gives is at rest.
func FuzzSource(f *testing.F) {
	for _, src := range scripts(f) {
		f.Add(src)
	}
	f.Add("def f():\n\tif f:\n\t  \"\t\"\n \treturn\t# \t\n")
	f.Add("while a:\n  b\"\\x00\"\n")
	f.Fuzz(func(t *testing.T, src string) {
		out, err := Source("x.star", src)
		if err != nil {
			return
		}
		if again, err := Source("x.star", out); err != nil || again != out {
			t.Errorf("%q becomes %q, and then %q (%v)", src, out, again, err)
		}
	})
}
