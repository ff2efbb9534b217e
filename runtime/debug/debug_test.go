package debug

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.uber.org/goleak"

	"rig/runtime/clock"
	"rig/runtime/fault"
	"rig/runtime/script"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rigged is a host with a debugger and a few built-ins as rig has them: call(fn) calls back on the same thread, tasks(fns) each
// on a thread of its own and waits, sql(text) and raise_(kind) stand for statements.
type rigged struct {
	t    *testing.T
	d    *Debugger
	h    *script.Host
	ev   chan Event
	done chan error
	clk  *clock.Clock
	wg   sync.WaitGroup
}

func builtin(name string, f func(th *starlark.Thread, args starlark.Tuple) (starlark.Value, error)) starlark.Value {
	return starlark.NewBuiltin(name, func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		sql := ""
		if name == "sql" {
			sql = string(args[0].(starlark.String))
		}
		after := script.Follow(th, name, sql)
		v, err := f(th, args)
		after(err)
		return v, err
	})
}

func names() starlark.StringDict {
	return starlark.StringDict{
		"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
		"call": builtin("call", func(th *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			return starlark.Call(th, args[0], args[1:], nil)
		}),
		"tasks": builtin("tasks", func(th *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			t := script.From(th)
			var wg sync.WaitGroup
			errs := make([]error, len(args))
			for i, fn := range args {
				wg.Go(func() {
					_, errs[i] = t.Child(fmt.Sprintf("task %d", i+1), t.Context()).Call(fn.(starlark.Callable), nil, nil)
				})
			}
			wg.Wait()
			return starlark.None, errors.Join(errs...)
		}),
		"spawn": builtin("spawn", func(th *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			t := script.From(th)
			c, done := t.Child("spawned", t.Context()), make(chan error, 1)
			go func() {
				_, err := c.Call(args[0].(starlark.Callable), nil, nil)
				done <- err
			}()
			return builtin("wait", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) { return starlark.None, <-done }), nil
		}),
		"sql": builtin("sql", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) { return starlark.None, nil }),
		"raise_": builtin("raise_", func(_ *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			return nil, fault.New(fault.Kind(args[0].(starlark.String)), "raise", "as asked")
		}),
		"state": builtin("state", func(th *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			t := script.From(th)
			if len(args) == 1 {
				t.EnterState(script.StateEntry{Machine: "m", State: string(args[0].(starlark.String))})
				return starlark.None, nil
			}
			c := t.Child(t.Name(), t.Context())
			c.EnterState(script.StateEntry{Machine: "m", State: string(args[0].(starlark.String)), Scripted: true})
			return c.Call(args[1].(starlark.Callable), nil, nil)
		}),
		"breakpoint": builtin("breakpoint", func(th *starlark.Thread, _ starlark.Tuple) (starlark.Value, error) {
			return starlark.None, script.Breakpoint(th)
		}),
		"try_": builtin("try_", func(th *starlark.Thread, args starlark.Tuple) (starlark.Value, error) {
			_, err := starlark.Call(th, args[0], args[1:], nil)
			return starlark.Bool(err == nil), nil
		}),
	}
}

func start(t *testing.T, src string, set func(d *Debugger)) *rigged {
	t.Helper()
	r := &rigged{t: t, ev: make(chan Event, 100), done: make(chan error, 1), clk: &clock.Clock{}}
	r.d = New(Options{Notify: func(e Event) { r.ev <- e }, Clock: r.clk, EvalBound: 300 * time.Millisecond})
	r.h = script.NewHost(script.Options{Predeclared: names(), Watch: []script.Watch{r.d}, Probes: script.AllProbes})
	if err := r.d.Know("x.star", src); err != nil {
		t.Fatal(err)
	}
	if set != nil {
		set(r.d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(func() { cancel(); r.d.Close(); r.wg.Wait() })
	r.wg.Go(func() {
		m, err := r.h.LoadText(ctx, "x.star", src)
		if err == nil {
			_, err = r.h.Thread(ctx, "main", nil).Call(m.Globals["main"].(starlark.Callable), nil, nil)
		}
		r.done <- err
	})
	return r
}

func line(d *Debugger, n int, cond string) Point {
	p, err := d.Set(Point{Kind: OnLine, File: "x.star", Line: n, Cond: cond})
	if err != nil {
		panic(err)
	}
	return p
}

// stop waits for the next stop.
func (r *rigged) stop() Event {
	r.t.Helper()
	for {
		select {
		case e := <-r.ev:
			if e.What == Stopped {
				return e
			}
		case <-time.After(10 * time.Second):
			r.t.Fatal("nothing stopped")
		}
	}
}

// at checks where a thread stands and why.
func (r *rigged) at(e Event, line int32, reason string) *Thread {
	r.t.Helper()
	if got := e.Thread.Where(); got.Line != line || e.Stop.Reason != reason {
		r.t.Fatalf("stopped at %s for %q, want line %d for %q", got, e.Stop.Reason, line, reason)
	}
	return e.Thread
}

func (r *rigged) goOn(x *Thread, m Mode) {
	r.t.Helper()
	if err := x.Resume(m); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rigged) end() error {
	r.t.Helper()
	select {
	case err := <-r.done:
		return err
	case <-time.After(10 * time.Second):
		r.t.Fatal("it did not end")
		return nil
	}
}

const program = `
def add(a, b):
    s = a + b
    return s

def main():
    x = 1
    y = call(add, x, 2)
    z = [
        add(x, y),
    ]
    # a comment
    return z
`

func TestStepping(t *testing.T) {
	r := start(t, program, func(d *Debugger) { line(d, 7, "") })
	x := r.at(r.stop(), 7, ReasonBreakpoint)
	for _, step := range []struct {
		m    Mode
		line int32
	}{{StepOver, 8}, {StepIn, 3}, {StepOver, 4}, {StepOver, 9}, {StepIn, 3}, {StepOut, 13}} {
		r.goOn(x, step.m)
		r.at(r.stop(), step.line, ReasonStep)
	}
	r.goOn(x, StepOut)
	if err := r.end(); err != nil {
		t.Error(err)
	}
	if err := x.Resume(Continue); err == nil || !strings.Contains(err.Error(), "has ended") {
		t.Errorf("a thread that has ended resumes: %v", err)
	}
}

func TestStepOverCallsBack(t *testing.T) {
	r := start(t, program, func(d *Debugger) { line(d, 8, "") })
	x := r.at(r.stop(), 8, ReasonBreakpoint)
	r.goOn(x, StepOver)
	r.at(r.stop(), 9, ReasonStep)
	r.goOn(x, Continue)
	_ = r.end()
}

func TestStepIntoTasksAndOut(t *testing.T) {
	r := start(t, `
def work():
    a = 1
    return a
def main():
    tasks(work, work)
    return 2
`, func(d *Debugger) { line(d, 6, "") })
	x := r.at(r.stop(), 6, ReasonBreakpoint)
	r.goOn(x, StepIn)
	one := r.at(r.stop(), 3, ReasonStep)
	two := r.at(r.stop(), 3, ReasonStep)
	if one == two || one == x {
		t.Fatal("the tasks are no threads of their own")
	}
	// Each is stepped on its own: the other stays where it is.
	r.goOn(one, StepOver)
	r.at(r.stop(), 4, ReasonStep)
	if two.Where().Line != 3 {
		t.Errorf("the other stands at %s", two.Where())
	}
	r.goOn(two, Continue)
	r.goOn(one, StepOver) // leaves the task
	if y := r.at(r.stop(), 7, ReasonStep); y != x {
		t.Errorf("a step out of a task goes on in %s", y.Name)
	}
	r.goOn(x, Continue)
	if err := r.end(); err != nil {
		t.Error(err)
	}
}

// TestAStepOutOfATask goes on in the thread that waits for it, and nowhere when that one has moved on.
func TestAStepOutOfATask(t *testing.T) {
	src := `
def work():
    return 1
def main():
    tasks(work)
    return 2
def loose():
    wait = spawn(work)
    x = 1
    wait()
    return x
`
	r := start(t, src, func(d *Debugger) { line(d, 3, "") })
	x := r.at(r.stop(), 3, ReasonBreakpoint)
	r.goOn(x, StepOver)
	if y := r.at(r.stop(), 6, ReasonStep); y.Name != "main" {
		t.Errorf("it goes on in %s", y.Name)
	} else {
		r.goOn(y, Continue)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}

	r = start(t, strings.ReplaceAll(strings.ReplaceAll(src, "def main", "def other"), "def loose", "def main"), func(d *Debugger) { line(d, 3, ""); line(d, 9, "") })
	one, two := r.stop().Thread, r.stop().Thread
	if one.Where().Line != 3 {
		one, two = two, one
	}
	r.goOn(two, Continue) // it waits for the task, at line 10
	for two.Doing().Name != "wait" {
		time.Sleep(time.Millisecond)
	}
	r.goOn(one, StepOver)
	if err := r.end(); err != nil {
		t.Error(err)
	}
}

func TestBreakpointsSnap(t *testing.T) {
	d := New(Options{})
	if err := d.Know("x.star", program); err != nil {
		t.Fatal(err)
	}
	for asked, want := range map[int]int32{1: 3, 2: 3, 6: 7, 9: 9, 10: 9, 11: 9, 12: 13, 13: 13} {
		if p := line(d, asked, ""); p.At.Line != want || p.Problem != "" {
			t.Errorf("line %d is placed at %s (%s), want %d", asked, p.At, p.Problem, want)
		}
	}
	if p := line(d, 99, ""); !strings.Contains(p.Problem, "no statement at or after line 99") {
		t.Errorf("a line past the end: %+v", p)
	}
	if p, err := d.Set(Point{Kind: OnLine, File: "other.star", Line: 1}); err != nil || !strings.Contains(p.Problem, "not loaded") {
		t.Errorf("another file: %+v, %v", p, err)
	}
	for _, p := range []Point{{Kind: OnLine, File: "x.star", Line: 3, Cond: "a =="}, {Kind: OnSQL, Name: "("}} {
		if _, err := d.Set(p); err == nil {
			t.Errorf("%+v is taken", p)
		}
	}
	if n := d.Clear(func(p Point) bool { return p.File == Key("x.star") }); n != 9 || len(d.Points()) != 1 {
		t.Errorf("%d cleared, %d left", n, len(d.Points()))
	}
}

func TestConditions(t *testing.T) {
	src := "def main():\n    for i in range(5):\n        x = i * 10\n    return 0\n"
	r := start(t, src, func(d *Debugger) { line(d, 3, "i == 3"); line(d, 4, "nowhere > 1") })
	e := r.stop()
	x := r.at(e, 3, ReasonBreakpoint)
	if v, err := x.Evaluate(t.Context(), 0, "(i, x)"); err != nil || v.Value != "(3, 20)" {
		t.Errorf("%+v, %v", v, err)
	}
	r.goOn(x, Continue)
	e = r.stop()
	r.at(e, 4, ReasonBreakpoint)
	if !strings.Contains(e.Stop.Text, "undefined: nowhere") {
		t.Errorf("a condition that fails says %q", e.Stop.Text)
	}
	if p := r.d.Points()[0]; p.Hits != 1 {
		t.Errorf("%d hits, want 1", p.Hits)
	}
	r.goOn(x, Continue)
	_ = r.end()
}

func TestOtherBreakpoints(t *testing.T) {
	src := `
def handler():
    h = 1
    return h
def main():
    sql("select 1")
    sql("UPDATE t SET x = 1")
    try_(raise_, "deadlock")
    try_(raise_, "timeout")
    state("made")
    state("loading", handler)
    breakpoint()
    return handler()
`
	r := start(t, src, func(d *Debugger) {
		for _, p := range []Point{
			{Kind: OnSQL, Name: "update.*x"},
			{Kind: OnError, Name: "deadlock"},
			{Kind: OnState, Name: "made"},
			{Kind: OnState, Name: "m.loading"},
			{Kind: OnFunction, Name: "x.star::handler"},
		} {
			if _, err := d.Set(p); err != nil {
				t.Fatal(err)
			}
		}
	})
	for _, want := range []struct {
		line   int32
		reason string
		text   string
	}{
		{7, ReasonSQL, "before sql: UPDATE t SET x = 1"},
		{8, ReasonError, "raise_ raises deadlock"},
		{10, ReasonState, "machine m enters made"},
		{3, ReasonState, "machine m enters loading"},
		{12, ReasonCall, "breakpoint()"},
		{3, ReasonFunction, ""},
	} {
		e := r.stop()
		x := r.at(e, want.line, want.reason)
		if e.Stop.Text != want.text {
			t.Errorf("line %d says %q, want %q", want.line, e.Stop.Text, want.text)
		}
		r.goOn(x, Continue)
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
}

func TestVariables(t *testing.T) {
	src := `
limit = 7
def outer():
    kept = [1, 2]
    def inner(n):
        s = struct(a = {"k": (3, 4)}, b = None)
        return len(kept) + n
    return inner(5)
def main():
    return outer()
`
	r := start(t, src, func(d *Debugger) { line(d, 7, "") })
	x := r.at(r.stop(), 7, ReasonBreakpoint)
	frames, err := x.Frames()
	if err != nil {
		t.Fatal(err)
	}
	var stack []string
	for _, f := range frames {
		stack = append(stack, fmt.Sprintf("%s:%d", f.Func, f.Pos.Line))
	}
	if got := strings.Join(stack, " "); got != "inner:7 outer:8 main:10" {
		t.Errorf("stack %s", got)
	}
	scopes, err := x.Scopes(0)
	if err != nil {
		t.Fatal(err)
	}
	text := func(list []Variable) string {
		var out []string
		for _, v := range list {
			out = append(out, v.Name+"="+v.Value)
		}
		return strings.Join(out, " ")
	}
	if got := text(scopes[0].Variables); got != `n=5 s=struct(a = {"k": (3, 4)}, b = None)` {
		t.Errorf("locals %s", got)
	}
	if got := text(scopes[1].Variables); scopes[1].Name != "Captured" || got != "kept=[1, 2]" {
		t.Errorf("captured %s", got)
	}
	if i := slices.IndexFunc(scopes[2].Variables, func(v Variable) bool { return v.Name == "limit" && v.Value == "7" }); i < 0 {
		t.Errorf("globals %v", scopes[2].Variables)
	}
	s := scopes[0].Variables[1]
	for _, want := range []string{`a={"k": (3, 4)} b=None`, `["k"]=(3, 4)`, "[0]=3 [1]=4"} {
		list, err := r.d.Parts(s.Ref)
		if err != nil || text(list) != want {
			t.Fatalf("%s: %v, want %s", text(list), err, want)
		}
		s = list[0]
	}
	outer, err := x.Scopes(1)
	if err != nil || text(outer[0].Variables) != "kept=[1, 2] inner=<function inner>" {
		t.Errorf("a captured local of the frame that owns it: %s, %v", text(outer[0].Variables), err)
	}
	for src, want := range map[string]string{"n + limit": "12", "len(kept)": "2", "[v for v in kept if v > 1]": "[2]", "outer": "<function outer>"} {
		if v, err := x.Evaluate(t.Context(), 0, src); err != nil || v.Value != want {
			t.Errorf("%s is %s (%v), want %s", src, v.Value, err, want)
		}
	}
	old := scopes[0].Variables[1].Ref
	r.goOn(x, Continue)
	_ = r.end()
	if _, err := r.d.Parts(old); err == nil || !strings.Contains(err.Error(), "gone on") {
		t.Errorf("a value of a thread that went on: %v", err)
	}
}

func TestEvaluateRaisesAndLoops(t *testing.T) {
	src := "def spin():\n    while True:\n        pass\ndef main():\n    x = 1\n    return x\n"
	r := start(t, src, func(d *Debugger) { line(d, 6, ""); line(d, 3, "") })
	x := r.at(r.stop(), 6, ReasonBreakpoint)
	for src, want := range map[string]string{
		"1 // 0": "division by zero", "y": "undefined: y", "x x": "syntax error", "spin()": "did not end within", "raise_('deadlock')": "as asked", "": "syntax error",
	} {
		if _, err := x.Evaluate(t.Context(), 0, src); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want %q", src, err, want)
		}
	}
	if _, err := x.Evaluate(t.Context(), 9, "x"); err == nil || !strings.Contains(err.Error(), "no frame 9") {
		t.Errorf("frame 9: %v", err)
	}
	if v, err := x.Evaluate(t.Context(), 0, "x"); err != nil || v.Value != "1" {
		t.Errorf("afterwards x is %+v, %v", v, err)
	}
	r.goOn(x, Continue)
	if err := r.end(); err != nil {
		t.Error(err)
	}
}

func TestPostMortem(t *testing.T) {
	src := `
def part(n):
    half = n // 2
    return [10 // v for v in [half]][0]
def work():
    w = 1
    return part(w)
def main():
    m = "outer"
    try_(part, 0)
    tasks(work)
`
	r := start(t, src, func(d *Debugger) { d.PostMortem(true) })
	e := r.stop()
	x := r.at(e, 4, ReasonFailed)
	frames, _ := x.Frames()
	var stack []string
	for i, f := range frames {
		locals := ""
		if s, err := x.Scopes(i); err == nil && len(s) > 0 {
			for _, v := range s[0].Variables {
				locals += " " + v.Name + "=" + v.Value
			}
		}
		stack = append(stack, f.Func+locals)
	}
	if got := strings.Join(stack, ", "); !strings.HasPrefix(got, "part n=1 half=0, work w=1, ") || !strings.HasSuffix(got, `main m="outer"`) {
		t.Errorf("stack: %s", got)
	}
	if e.Stop.Error == nil || !strings.Contains(e.Stop.Error.Message, "division by zero") || e.Stop.Text != "failed in task 1" {
		t.Errorf("%+v", e.Stop)
	}
	if v, err := x.Evaluate(t.Context(), 0, "half + n"); err != nil || v.Value != "1" {
		t.Errorf("%+v, %v", v, err)
	}
	r.goOn(x, Continue)
	if err := r.end(); err == nil {
		t.Error("the error is gone")
	}
}

// TestPostMortemOfARecursion: frames that have returned are not taken for those that stand.
func TestPostMortemOfARecursion(t *testing.T) {
	src := "def x(k):\n    return 1 // 0\ndef g(n):\n    if n > 5: return n\n    return [g(n + 10), call(x, n)]\ndef main():\n    g(1)\n"
	r := start(t, src, func(d *Debugger) { d.PostMortem(true) })
	x := r.at(r.stop(), 2, ReasonFailed)
	for n, want := range []string{"k=1", "n=1", ""} {
		scopes, err := x.Scopes(n)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, v := range scopes[0].Variables {
			got += v.Name + "=" + v.Value
		}
		if got != want {
			t.Errorf("frame %d has %s, want %s", n, got, want)
		}
	}
	r.goOn(x, Continue)
	_ = r.end()
}

func TestPauseAndTheClock(t *testing.T) {
	src := "def main():\n    n = 0\n    while True:\n        n += 1\n"
	r := start(t, src, nil)
	var x *Thread
	for x == nil {
		if e := <-r.ev; e.What == Started && e.Thread.Name == "main" {
			x = e.Thread
		}
	}
	if err := x.Resume(Continue); err == nil || !strings.Contains(err.Error(), "is running") {
		t.Errorf("a running thread resumes: %v", err)
	}
	if _, err := x.Frames(); err == nil {
		t.Error("a running thread has frames")
	}
	before := r.clk.Lost()
	r.d.PauseAll()
	e := r.stop()
	if e.Stop.Reason != ReasonPause || e.Thread != x {
		t.Errorf("%+v", e)
	}
	for r.clk.Lost() == before { // it stands still, so what is lost grows
	}
	r.goOn(x, Continue)
	r.d.Close()
	x.script.Abort(errors.New("enough"))
	if err := r.end(); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("%v", err)
	}
}

func TestTheEndOfTheRunReleasesThreads(t *testing.T) {
	for name, end := range map[string]func(r *rigged, cancel context.CancelFunc){
		"closed":    func(r *rigged, _ context.CancelFunc) { r.d.Close() },
		"cancelled": func(_ *rigged, cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			ev := make(chan Event, 10)
			d := New(Options{Notify: func(e Event) { ev <- e }})
			h := script.NewHost(script.Options{Predeclared: names(), Watch: []script.Watch{d}, Probes: script.MarkedProbes})
			m, err := h.LoadText(t.Context(), "x.star", "def main():\n    breakpoint()\n    breakpoint()\n    return 1\n")
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan struct{})
			go func() {
				defer close(done)
				_, _ = h.Thread(ctx, "main", nil).Call(m.Globals["main"].(starlark.Callable), nil, nil)
			}()
			for e := range ev {
				if e.What == Stopped {
					break
				}
			}
			end(&rigged{d: d}, cancel)
			d.Close()
			<-done
		})
	}
}

// late is a context that tells nobody of its end who does not ask.
type late struct{ context.Context }

func (late) AfterFunc(func()) (stop func() bool) { return func() bool { return true } }

// A thread whose run ends runs nothing more, also where the interpreter has not heard of the end: neither one that stands nor one
// that comes to its next statement.
func TestNothingRunsAfterTheEnd(t *testing.T) {
	cause := errors.New("the person quit")
	for name, points := range map[string][]int{"standing": {3}, "running": {2}} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			ran := false
			all := names()
			all["end"] = builtin("end", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) {
				cancel(cause)
				return starlark.None, nil
			})
			all["more"] = builtin("more", func(*starlark.Thread, starlark.Tuple) (starlark.Value, error) { ran = true; return starlark.None, nil })
			var d *Debugger
			d = New(Options{Notify: func(e Event) {
				if e.What == Stopped && name == "standing" {
					cancel(cause)
					d.Close()
				} else if e.What == Stopped {
					_ = e.Thread.Resume(Continue)
				}
			}})
			h := script.NewHost(script.Options{Predeclared: all, Watch: []script.Watch{d}, Probes: script.AllProbes})
			src := "def main():\n    x = end() if " + map[bool]string{true: "True", false: "False"}[name == "running"] + " else 1\n    more()\n"
			m, err := h.LoadText(t.Context(), "x.star", src)
			if err != nil {
				t.Fatal(err)
			}
			for _, n := range points {
				line(d, n, "")
			}
			_, err = h.Thread(late{ctx}, "main", nil).Call(m.Globals["main"].(starlark.Callable), nil, nil)
			if !errors.Is(err, cause) || ran {
				t.Errorf("it ended with %v; more ran: %t", err, ran)
			}
		})
	}
}

func TestCancelledEvaluations(t *testing.T) {
	cause := errors.New("cancelled")
	r := start(t, "def spin():\n    while True:\n        pass\ndef main():\n    x = 1\n    return x\n", func(d *Debugger) { line(d, 6, "") })
	r.d.o.EvalBound = time.Hour
	x := r.at(r.stop(), 6, ReasonBreakpoint)
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(cause) })
	if _, err := x.Value(ctx, 0, "spin()"); err != cause {
		t.Errorf("it ended with %v", err)
	}
	if v, err := x.Evaluate(t.Context(), 0, "x"); err != nil || v.Value != "1" {
		t.Errorf("afterwards x is %+v, %v", v, err)
	}
	r.goOn(x, Continue)
	if err := r.end(); err != nil {
		t.Error(err)
	}
}

func TestWithoutADebuggerBreakpointIsAnError(t *testing.T) {
	for _, watch := range [][]script.Watch{nil, {New(Options{})}} {
		h := script.NewHost(script.Options{Predeclared: names(), Watch: watch})
		m, err := h.LoadText(t.Context(), "x.star", "def main():\n    breakpoint()\n")
		if err != nil {
			t.Fatal(err)
		}
		_, err = h.Thread(t.Context(), "main", nil).Call(m.Globals["main"].(starlark.Callable), nil, nil)
		if err == nil || !strings.Contains(err.Error(), "no debugger is attached") {
			t.Errorf("%v", err)
		}
		if d := script.Describe(err); !strings.Contains(d.Hint, "rig debug") {
			t.Errorf("hint %q", d.Hint)
		}
	}
}
