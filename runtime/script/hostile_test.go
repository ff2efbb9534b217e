package script

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"go.starlark.net/lib/json"
	"go.starlark.net/starlark"
)

// hostileBound is what a script may run that nothing but time stops; it must have ended within twice that. The other guards act at
// once, but for how long that takes on a machine with other work there is patience.
const (
	hostileBound = 3 * time.Second
	patience     = 30 * time.Second
)

func hostileHost(t *testing.T, root string) *Host {
	t.Helper()
	return NewHost(Options{
		Root: root, MaxHeap: 96 << 20, LoadTimeout: hostileBound,
		Predeclared: starlark.StringDict{"json": BoundedModule(json.Module, "encode", "indent")},
	})
}

// runHostile loads a script and runs its test.
func runHostile(h *Host, path string, bound time.Duration) error {
	m, err := h.Load(context.Background(), path)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), bound, &guardError{guard: "timeout", msg: "the test did not end"})
	defer cancel()
	return h.Thread(ctx, "hostile", nil).CallBounded(m.Globals["test_hostile"].(starlark.Callable), starlark.Tuple{starlark.None})
}

// TestHostileCorpus runs every script of testdata/hostile. Its first line names the guard that must stop it.
func TestHostileCorpus(t *testing.T) {
	files, err := filepath.Glob("../../testdata/hostile/*.star")
	if err != nil || len(files) < 25 {
		t.Fatalf("%d scripts, want at least 25 (%v)", len(files), err)
	}
	root, err := filepath.Abs("../../testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".star"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			guard, ok := strings.CutPrefix(first, "# guard: ")
			if !ok {
				t.Fatalf("the first line names no guard: %q", first)
			}
			defer runtime.GC()
			bound := patience
			if strings.Contains(guard, "timeout") {
				bound = hostileBound
			}
			start := time.Now()
			err = runHostile(hostileHost(t, root), path, bound)
			elapsed := time.Since(start)
			var e *Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want an *Error", err)
			}
			// Two names: which comes first depends on what the heap held before.
			if !slices.Contains(strings.Split(guard, "|"), e.Guard) {
				t.Errorf("stopped by guard %q (%v), want %q", e.Guard, err, guard)
			}
			if e.Pos.Line == 0 {
				t.Errorf("the error has no line: %v", err)
			}
			if elapsed > 2*bound {
				t.Errorf("it took %s, more than twice its bound of %s", elapsed, bound)
			}
		})
	}
}

// TestGuardsDoNotDisturb runs what the guards look at, within their bounds, and compares with the interpreter's own results.
func TestGuardsDoNotDisturb(t *testing.T) {
	const src = `
def eq(got, want):
    if got != want or type(got) != type(want):
        fail("got %r, want %r" % (got, want))

def test_all():
    eq([1] * 3, [1, 1, 1])
    eq(3 * [1], [1, 1, 1])
    eq("ab" * 2, "abab")
    eq((1,) * 2, (1, 1))
    eq(2 * 3, 6)
    eq(2.0 * 3, 6.0)
    eq("a" + "b", "ab")
    eq([1] + [2], [1, 2])
    eq(7 % 4, 3)
    eq("%d-%s" % (1, "x"), "1-x")
    eq(1 << 70, 1180591620717411303424)
    x = [1]
    y = x
    x += (2, 3)
    eq(y, [1, 2, 3])
    n = 1
    n += 2
    n *= 5
    n %= 4
    n <<= 2
    eq(n, 12)
    d = {"a": [1], "n": 1}
    d["a"] += [2]
    d["n"] += 5
    d["n"] *= 2
    eq(d, {"a": [1, 2], "n": 12})
    l = [1, 2]
    l[-1] *= 10
    eq(l, [1, 20])
    eq(",".join(["a", "b"]), "a,b")
    eq("{} {x}".format(1, x = 2), "1 2")
    eq("aXa".replace("X", "--"), "a--a")
    z = [1]
    z.extend(range(2, 4))
    eq(z, [1, 2, 3])
    s = {}
    s.update([("k", 1)])
    eq(s, {"k": 1})
    eq(list(range(3)), [0, 1, 2])
    eq(sorted([3, 1], reverse = True), [3, 1])
    eq(max(*[1, 5, 2]), 5)
    eq(dict(a = 1), {"a": 1})
    eq([a + b for a, b in zip([1], [2])], [3])
    eq(str([1, "x"]), "[1, \"x\"]")
    eq((lambda *a, **k: (a, k))(*[1], **{"b": 2}), ((1,), {"b": 2}))
    eq(1 + 2 * 3 - 4 // 2 % 3, 5)
    eq(set([1]).union([2]), set([1, 2]))
`
	h := NewHost(Options{})
	m, err := h.LoadText(context.Background(), "x.star", src)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Thread(context.Background(), "x", nil).Call(m.Globals["test_all"].(starlark.Callable), nil, nil); err != nil {
		t.Fatal(err)
	}
}

// TestErrorsAreTheInterpreters: a rewritten operator fails with the same words as the plain one, at the same place.
func TestErrorsAreTheInterpreters(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"x = 1 + \"a\"", "unknown binary op: int + string"},
		{"x = [1] * [2]", "unknown binary op: list * list"},
		{"x = \"%d\" % \"a\"", "%d format requires integer"},
		{"x = {}\nx[\"a\"] += 1", "key \"a\" not in dict"},
		{"x = [1]\nx[5] += 1", "list index 5 out of range"},
		{"x = (1,)\nx[0] += 1", "does not support item assignment"},
	} {
		h := NewHost(Options{})
		_, err := h.LoadText(context.Background(), "x.star", tt.src)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want %s", tt.src, err, tt.want)
			continue
		}
		var e *Error
		if !errors.As(err, &e) || e.Pos.Line != int32(1+strings.Count(tt.src, "\n")) {
			t.Errorf("%s: position %v", tt.src, err)
		}
	}
}

func TestHintsForHabits(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"def f():\n    try:\n        pass\n", "try_"},
		{"import os\n", "load("},
		{"x = f\"a\"\n", "f-strings"},
		{"class A:\n    pass\n", "struct"},
		{"x = 2 ** 3\n", "math.pow"},
		{"y = 1\nx = 1 < y < 3\n", "chained"},
		{"x = 1\nif x is None:\n    pass\n", "=="},
		{"def f():\n    raise 1\n", "fail("},
		{"def f():\n    with g() as h:\n        pass\n", "t.cleanup"},
		{"def f(x)\n    pass\n", "colon"},
		{"def f(a):\n    load = a\n", "another name"},
		{"x = \"%03d\" % 7\n", "no widths"},
		{"x = lenn([1])\n", "did you mean \"len\""},
		{"def f(a):\n    return aa + prnt\n", "did you mean"},
	} {
		_, err := NewHost(Options{}).LoadText(context.Background(), "x.star", tt.src)
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: got %v", tt.src, err)
			continue
		}
		if !strings.Contains(e.Hint, tt.want) {
			t.Errorf("%q: hint %q, want it to mention %q (%v)", tt.src, e.Hint, tt.want, err)
		}
		if e.Excerpt == "" || !strings.Contains(e.Excerpt, ">") {
			t.Errorf("%q: excerpt %q", tt.src, e.Excerpt)
		}
	}
}

func TestShareRefusesRaces(t *testing.T) {
	const src = `
def loop():
    fns = []
    for i in range(2):
        fns.append(lambda: i)
    return fns[0]

def twice():
    n = 1
    n = 2
    return lambda: n

def unset():
    def g():
        return later
    out = g
    return out
    later = 1

def nested():
    inner = loop()
    def g():
        return inner()
    return [g]

def fine():
    n = 1
    def g(x):
        return n + x
    return {"g": g}

def param_fine(n):
    return lambda: n

def after():
    n = 1
    n += 1
    return lambda: n
`
	h := NewHost(Options{})
	m, err := h.LoadText(context.Background(), "x.star", src)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"loop": "loop variable `i`", "twice": "variable `n`", "unset": "no value yet", "nested": "loop variable `i`", "fine": "", "param_fine": "", "after": "variable `n`",
	} {
		var args starlark.Tuple
		if name == "param_fine" {
			args = starlark.Tuple{starlark.MakeInt(1)}
		}
		v, err := h.Thread(context.Background(), "x", nil).Call(m.Globals[name].(starlark.Callable), args, nil)
		if err != nil {
			t.Fatal(err)
		}
		err = h.Share(v)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: refused: %v", name, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.star", "load(\"./lib/b.star\", \"b\")\nload(\"//lib/c.star\", \"c\")\na = b + c\n")
	write("lib/b.star", "load(\"./c.star\", \"c\")\nb = c + 1\n")
	write("lib/c.star", "c = 10\n")
	write("one.star", "load(\"./two.star\", \"x\")\n")
	write("two.star", "load(\"./one.star\", \"y\")\n")
	write("missing.star", "\nload(\"./nowhere.star\", \"x\")\n")
	write("bad.star", "load(\"./broken.star\", \"x\")\n")
	write("broken.star", "x = = 1\n")
	write("big.star", strings.Repeat("#", 2<<20))
	write("latin.star", "x = 1\ny = \"\xff\"\n")
	if err := os.Symlink("/etc", filepath.Join(dir, "out")); err != nil {
		t.Fatal(err)
	}
	write("link.star", "load(\"./out/hostname.star\", \"x\")\n")
	write("twice.star", "def test_a(t):\n    pass\n\ndef test_a(t):\n    pass\n")
	h := NewHost(Options{Root: dir})
	load := func(name string) (*Module, error) { return h.Load(context.Background(), filepath.Join(dir, name)) }
	m, err := load("a.star")
	if err != nil || fmt.Sprint(m.Globals["a"]) != "21" {
		t.Fatalf("got %v %v", m, err)
	}
	for name, want := range map[string]string{
		"one.star": "load cycle", "missing.star": "missing.star:2:", "bad.star": "broken.star:1:5", "big.star": "more than 1048576", "latin.star": "latin.star:2: the file is not UTF-8",
		"link.star": "leaves the project's root", "lib": "is a folder", "none.star": "no such file", "twice.star": "defined twice",
	} {
		_, err := load(name)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
}

func TestPanicInBuiltin(t *testing.T) {
	bad := starlark.NewBuiltin("bad", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return nil, errors.Join(nil, []error{}[len(os.Args)+5])
	})
	h := NewHost(Options{Predeclared: starlark.StringDict{"bad": bad}})
	m, err := h.LoadText(context.Background(), "x.star", "def f():\n    bad()\n")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Thread(context.Background(), "x", nil).Call(m.Globals["f"].(starlark.Callable), nil, nil)
	if d := Describe(err); err == nil || d.Kind != "panic" {
		t.Errorf("got %v", err)
	}
}

// What an ended test held is garbage: the next one is not stopped for it.
func TestMemoryOfEndedTests(t *testing.T) {
	root := t.TempDir()
	path := filepath.Join(root, "hog.star")
	text := "def test_hostile(t):\n    l = []\n    for i in range(100000000):\n        l.append('x' * 100000 + str(i))\n\ndef test_innocent(t):\n    for i in range(300):\n        len([x for x in range(1000)])\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	h := hostileHost(t, root)
	m, err := h.Load(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	var e *Error
	if err := runHostile(h, path, patience); !errors.As(err, &e) || e.Guard != "memory" {
		t.Fatalf("the hog: %v", err)
	}
	if err := h.Thread(context.Background(), "innocent", nil).CallBounded(m.Globals["test_innocent"].(starlark.Callable), starlark.Tuple{starlark.None}); err != nil {
		t.Errorf("the test after it: %v", err)
	}
}
