package script

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"
	"golang.org/x/sys/unix"

	"rig/runtime/event"
)

// follower notes what a host tells of its threads.
type follower struct {
	sites map[string][]Site
	lines []string
	ended []error
	on    func(th *starlark.Thread, s *Site)
}

func (f *follower) Loaded(file string, sites []Site) {
	if f.sites == nil {
		f.sites = map[string][]Site{}
	}
	f.sites[file] = sites
}

func (f *follower) Statement(_ *Thread, th *starlark.Thread, s *Site) {
	f.lines = append(f.lines, fmt.Sprintf("%s:%d", s.Func, s.Pos.Line))
	if f.on != nil {
		f.on(th, s)
	}
}
func (f *follower) Before(*Thread, *starlark.Thread, string, string) {}
func (f *follower) After(*Thread, *starlark.Thread, string, error)   {}
func (f *follower) State(*Thread, *starlark.Thread, StateEntry)      {}
func (f *follower) Breakpoint(*Thread, *starlark.Thread) error       { return nil }
func (f *follower) Ended(_ *Thread, err error)                       { f.ended = append(f.ended, err) }

// everything has one of each thing that probes go around.
const everything = `"""The module's text."""

limit = 3
table = {k: v for k, v in [("a", 1), ("b", 2)] if v > 1 if k != "c"}

def helper(x, *rest, last = (lambda: 7)()):
    """The helper's text."""
    if x > limit:
        return x
    elif x == limit:
        return -x
    else:
        x += 1
    return x + last

def only_text():
    "text"

def closures():
    total = 0
    def add(n):
        return total + n
    total = 10
    fs = [lambda y: y * total + helper(1) if y else None, add]
    return [f(i) for i, f in enumerate(fs)]

def loops(n):
    out = []
    for i in range(n):
        if i == 1: continue
        while i < 10 and i != 5:
            i += 2
            if i > 7: break
        out.append(i); out.append("x" * i)
    for a, (b, c) in [(1, (2, 3))]:
        out += [a, b, c]
    pass
    d = {"k": [1]}
    d["k"][0] += 5
    return out, d, [x for x in range(4) for y in range(x) if y % 2]

def fails(x):
    y = x
    return [z // y for z in [1]][0]

def deep(n):
    if n:
        return deep(n - 1)
    return fails(0)

def test(t):
    print(helper(2), helper(3), helper(9), only_text(), table, limit)
    print(closures())
    print(loops(4))
    print(sorted([3, 1, 2], key = lambda v: -v))
    return deep(2)
`

type told struct {
	prints []string
	err    string
	stack  []event.Frame
	docs   string
}

func tell(t *testing.T, o Options, src string) told {
	t.Helper()
	var out told
	o.Print = func(_ *Thread, pos event.Pos, text string) { out.prints = append(out.prints, pos.String()+" "+text) }
	h := NewHost(o)
	m, err := h.LoadText(context.Background(), "x.star", src)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range m.Funcs {
		out.docs += fmt.Sprintf("%s %q %s\n", f.Name, f.Doc, f.Pos)
	}
	out.docs += m.Doc
	_, err = h.Thread(context.Background(), "t", nil).Call(m.Globals["test"].(starlark.Callable), starlark.Tuple{starlark.None}, nil)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no *Error", err)
	}
	out.err, out.stack = e.Error(), e.Stack
	return out
}

// TestProbesChangeNoMeaning: the same values, the same errors at the same places, the same stack, with every kind of probe.
func TestProbesChangeNoMeaning(t *testing.T) {
	want := tell(t, Options{}, everything)
	if len(want.prints) != 4 || len(want.stack) != 5 || want.stack[0].Pos.Line != 44 {
		t.Fatalf("without probes: %+v", want)
	}
	for name, o := range map[string]Options{
		"told":    {Probes: AllProbes, Watch: []Watch{&follower{}}},
		"counted": {Count: true},
		"both":    {Probes: AllProbes, Count: true, Watch: []Watch{&follower{}}},
	} {
		got := tell(t, o, everything)
		if !slices.Equal(got.prints, want.prints) || got.err != want.err || !slices.Equal(got.stack, want.stack) || got.docs != want.docs {
			t.Errorf("%s:\n%+v\nwithout:\n%+v", name, got, want)
		}
	}
}

// TestWithoutProbesTheTreeIsTheSame: what is compiled is byte for byte what parsing and the guards alone give.
func TestWithoutProbesTheTreeIsTheSame(t *testing.T) {
	plain := func(src string) []byte {
		f, err := fileOptions().Parse("x.star", src, 0)
		if err != nil {
			t.Fatal(err)
		}
		rewrite(f)
		h := NewHost(Options{})
		prog, err := starlark.FileProgram(f, h.known)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := prog.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	compiled := func(o Options, src string) []byte {
		c, err := NewHost(o).compile("x.star", src)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := c.prog.Write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	want := plain(everything)
	for name, o := range map[string]Options{"off": {}, "watched": {Watch: []Watch{&follower{}}}, "not marked": {Probes: MarkedProbes}} {
		if !bytes.Equal(compiled(o, everything), want) {
			t.Errorf("%s: the program differs", name)
		}
	}
	for name, o := range map[string]Options{"all": {Probes: AllProbes}, "counted": {Count: true}} {
		if bytes.Equal(compiled(o, everything), want) {
			t.Errorf("%s: the program has no probes", name)
		}
	}
	marked := everything + "\nif False:\n    print(breakpoint)\n"
	marked = strings.ReplaceAll(marked, "print(breakpoint)", "breakpoint = 1")
	if bytes.Equal(compiled(Options{Probes: MarkedProbes}, marked), plain(marked)) {
		t.Error("a file that names breakpoint has no probes")
	}
}

// TestProbesKeepTheGuards: closures that race and functions that hold themselves are refused with and without probes.
func TestProbesKeepTheGuards(t *testing.T) {
	for _, o := range []Options{{}, {Probes: AllProbes, Count: true, Watch: []Watch{&follower{}}}} {
		h := NewHost(o)
		m, err := h.LoadText(context.Background(), "x.star", `
def make():
    out = []
    for i in range(2):
        out.append(lambda: i)
    return out

def fine():
    n = 1
    return lambda: n
`)
		if err != nil {
			t.Fatal(err)
		}
		th := h.Thread(context.Background(), "t", nil)
		racy, err := th.Call(m.Globals["make"].(starlark.Callable), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Share(racy); err == nil || !strings.Contains(err.Error(), "loop variable `i`") {
			t.Errorf("probes %v: a racing closure gives %v", o.Probes, err)
		}
		ok, err := th.Call(m.Globals["fine"].(starlark.Callable), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := h.Share(ok); err != nil {
			t.Errorf("probes %v: %v", o.Probes, err)
		}
		_, err = h.LoadText(context.Background(), "y.star", "def outer():\n    def rec(n):\n        return rec(n)\n    return rec\nloop = outer()\n")
		if err == nil || !strings.Contains(err.Error(), "refers to itself") {
			t.Errorf("probes %v: a function that holds itself gives %v", o.Probes, err)
		}
	}
}

// TestHostileScriptsWithProbes: the guards hold while probes are in the tree.
func TestHostileScriptsWithProbes(t *testing.T) {
	root, err := filepath.Abs("../../testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, name := range []string{"number", "recursion", "closure"} {
		files, _ := filepath.Glob(filepath.Join(root, "*.star"))
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(string(text), "# guard: "+name) {
				continue
			}
			n++
			o := Options{Root: root, MaxHeap: 96 << 20, LoadTimeout: hostileBound, Probes: AllProbes, Count: true, Watch: []Watch{&quiet{}}, Predeclared: starlark.StringDict{"json": starlark.None}}
			var e *Error
			if err := runHostile(NewHost(o), path, hostileBound); !errors.As(err, &e) || e.Guard == "" {
				t.Errorf("%s: %v", filepath.Base(path), err)
			}
		}
	}
	if n < 3 {
		t.Errorf("only %d scripts", n)
	}
}

// quiet is a follower that keeps nothing.
type quiet struct{ follower }

func (*quiet) Statement(*Thread, *starlark.Thread, *Site) {}

func TestStatementsAreToldInOrder(t *testing.T) {
	f := &follower{}
	h := NewHost(Options{Probes: AllProbes, Watch: []Watch{f}})
	m, err := h.LoadText(context.Background(), "x.star", "\"doc\"\nx = 1\ndef f(n):\n    \"doc\"\n    for i in range(n):\n        x = i\n    return (lambda y:\n        y)(n)\n")
	if err != nil {
		t.Fatal(err)
	}
	f.lines = append(f.lines, "|")
	if _, err := h.Thread(context.Background(), "t", nil).Call(m.Globals["f"].(starlark.Callable), starlark.Tuple{starlark.MakeInt(2)}, nil); err != nil {
		t.Fatal(err)
	}
	want := ":2 :3 | f:5 f:6 f:6 f:7 lambda:8"
	if got := strings.Join(f.lines, " "); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if len(f.ended) != 2 || f.ended[0] != nil || f.ended[1] != nil {
		t.Errorf("ended: %v", f.ended)
	}
	static, err := OutlineOf("x.star", "\"doc\"\nx = 1\ndef f(n):\n    \"doc\"\n    for i in range(n):\n        x = i\n    return (lambda y:\n        y)(n)\n")
	if err != nil || !slices.Equal(static.Sites, f.sites["x.star"]) {
		t.Errorf("the outline has %v (%v), the load %v", static, err, f.sites["x.star"])
	}
}

func TestCapturedVariablesAreSeen(t *testing.T) {
	seen := map[string]string{}
	f := &follower{on: func(th *starlark.Thread, s *Site) {
		fr := th.DebugFrame(1)
		for i := range fr.NumLocals() {
			b, v := fr.Local(i)
			if v = Uncell(v); v != nil {
				seen[fmt.Sprintf("%d %s", s.Pos.Line, b.Name)] = v.String()
			}
		}
	}}
	h := NewHost(Options{Probes: AllProbes, Watch: []Watch{f}})
	m, err := h.LoadText(context.Background(), "x.star", "def f():\n    a = 1\n    g = lambda: a\n    a = [a, 2]\n    return g()\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Thread(context.Background(), "t", nil).Call(m.Globals["f"].(starlark.Callable), nil, nil); err != nil {
		t.Fatal(err)
	}
	if seen["3 a"] != "1" || seen["5 a"] != "[1, 2]" {
		t.Errorf("got %v", seen)
	}
	if _, early := seen["2 a"]; early {
		t.Error("a has a value before it is assigned")
	}
}

func TestCoverageCounts(t *testing.T) {
	h := NewHost(Options{Count: true})
	m, err := h.LoadText(context.Background(), "x.star", `def f(n):
    for i in range(n):
        if i > 1:
            x = 1
        else: x = 2
    y = "a" if n else "b"
    while n > 0:
        n -= 1
    return [z for z in range(4) if z % 2]
def never():
    return (lambda: 1)
def nested(n):
    return (1 if n > 5 else 2) if n else (3 if n == None else (lambda: 4)())
`)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Thread(context.Background(), "t", nil).Call(m.Globals["f"].(starlark.Callable), starlark.Tuple{starlark.MakeInt(3)}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Thread(context.Background(), "t", nil).Call(m.Globals["nested"].(starlark.Callable), starlark.Tuple{starlark.MakeInt(0)}, nil); err != nil {
		t.Fatal(err)
	}
	all := h.Coverage()
	if len(all) != 1 {
		t.Fatalf("%d files", len(all))
	}
	var got []string
	for _, s := range all[0].Statements {
		got = append(got, fmt.Sprintf("%d:%d", s.Line, s.Count))
	}
	want := "1:1 2:1 3:3 4:1 5:2 6:1 7:1 8:3 9:1 10:1 11:0 11:0 12:1 13:1 13:1"
	if s := strings.Join(got, " "); s != want {
		t.Errorf("statements\n%s, want\n%s", s, want)
	}
	got = nil
	for _, b := range all[0].Branches {
		got = append(got, fmt.Sprintf("%d %s %d/%d", b.Line, b.Kind, b.True, b.False))
	}
	want = "3 if 1/2; 6 x if c 1/0; 7 while 3/1; 9 for if 2/2; 13 x if c 0/1; 13 x if c 0/0; 13 x if c 0/1"
	if s := strings.Join(got, "; "); s != want {
		t.Errorf("branches\n%s, want\n%s", s, want)
	}
}

func TestEvalIsBounded(t *testing.T) {
	h := NewHost(Options{})
	names := starlark.StringDict{"x": starlark.MakeInt(20), "spin": spin(t, h)}
	if v, err := h.Eval(context.Background(), "x + len([1, 2])", EvalOptions{Names: names}); err != nil || v.String() != "22" {
		t.Errorf("got %v, %v", v, err)
	}
	for src, want := range map[string]string{
		"x +":             "syntax error",
		"y":               "undefined: y",
		"1 // 0":          "division by zero",
		"[0] * 900000000": "more than",
		"spin()":          "did not end within",
		"x = 3":           "syntax error",
	} {
		_, err := h.Eval(context.Background(), src, EvalOptions{Names: names, Steps: 50_000})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gives %v, want %q", src, err, want)
		}
	}
}

func spin(t *testing.T, h *Host) starlark.Value {
	m, err := h.LoadText(context.Background(), "spin.star", "def spin():\n    while True:\n        pass\n")
	if err != nil {
		t.Fatal(err)
	}
	return m.Globals["spin"]
}

// BenchmarkCount prints what a statement costs without and with counting, and what counting adds to it, in ns.
func BenchmarkCount(b *testing.B) {
	const per = 8
	src := "def f(n):\n    for i in range(n):\n" + strings.Repeat("        x = i\n", per)
	run := func(b *testing.B, o Options) time.Duration {
		h := NewHost(o)
		m, err := h.LoadText(context.Background(), "x.star", src)
		if err != nil {
			b.Fatal(err)
		}
		th, start := h.Thread(context.Background(), "b", nil), cpuTime(b)
		if _, err := th.Call(m.Globals["f"].(starlark.Callable), starlark.Tuple{starlark.MakeInt(b.N/per + 1)}, nil); err != nil {
			b.Fatal(err)
		}
		return cpuTime(b) - start
	}
	plain := run(b, Options{})
	b.ResetTimer()
	counted := run(b, Options{Count: true})
	b.ReportMetric(float64(plain)/float64(b.N), "ns/plain")
	b.ReportMetric(float64(counted-plain)/float64(b.N), "ns/added")
}

// cpuTime is what the process has used of the processors: the machine's other work does not count.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
