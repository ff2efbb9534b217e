package script

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"go.starlark.net/starlark"
)

// spawning is a workspace with share(fn), which makes a function safe for other threads, and spawn(fn), which runs it on one, too.
func spawning(t *testing.T) (run func(src string) (starlark.Value, error), w *Workspace, wait func()) {
	t.Helper()
	var h *Host
	var tasks sync.WaitGroup
	builtin := func(name string, after func(fn starlark.Callable)) *starlark.Builtin {
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			if err := h.Share(args[0]); err != nil {
				return nil, err
			}
			after(args[0].(starlark.Callable))
			return starlark.None, nil
		})
	}
	h = NewHost(Options{Predeclared: starlark.StringDict{
		"share": builtin("share", func(starlark.Callable) {}),
		"spawn": builtin("spawn", func(fn starlark.Callable) {
			tasks.Go(func() {
				if _, err := h.Thread(t.Context(), "task", nil).Call(fn, nil, nil); err != nil {
					t.Errorf("the task: %v", err)
				}
			})
		}),
	}})
	w = h.Workspace()
	n := 0
	run = func(src string) (starlark.Value, error) {
		n++
		return w.Run(h.Thread(t.Context(), "t", nil), InputName(n), src+"\n")
	}
	return run, w, tasks.Wait
}

// TestInputsShareWhatIsFrozen: what a function of an input can reach is frozen when it goes to another thread, and one whose names its
// own input changes meanwhile does not go there.
func TestInputsShareWhatIsFrozen(t *testing.T) {
	for _, c := range []struct{ name, inputs, want string }{
		{"a list that it mentions", "x = [1]; def f(): return x; share(f); x.append(2)", "frozen"},
		{"a list that a lambda mentions", "x = [1]; share(lambda: x); x.append(2)", "frozen"},
		{"a list of a function that it calls", "x = [1]; def f(): return x; def g(): return f(); share(g); x.append(2)", "frozen"},
		{"a list that another mentions", "x = [1]; y = [1]; def f(): return y; share(f); x.append(2)", ""},
		{"a name that is bound anew", "x = [1]; def f(): return x; share(f); x = [2]; x.append(3)", ""},
		{"the loop variable of its input", "fs = []; for i in range(2): share(lambda: i)", "function lambda mentions the loop variable `i`, which its input changes meanwhile"},
		{"a name that its input assigns later", "k = share(lambda: k)", "mentions the variable `k`, which its input changes"},
		{"a name that its input assigns before", "k = 1; share(lambda: k)", ""},
		{"itself", "def f(n): return f(n - 1) if n else 0; share(f); f(3)", ""},
		{"a function that is made in a loop and mentions nothing", "for i in range(2): share(lambda: 1)", ""},
		{"the loop variable of a comprehension", "[share(lambda: i) for i in range(2)]", "captures loop variable `i`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, _, _ := spawning(t)
			var err error
			for src := range strings.SplitSeq(c.inputs, "; ") {
				if _, err = run(src); err != nil {
					break
				}
			}
			switch {
			case c.want == "" && err != nil:
				t.Errorf("%v", err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestInputsBesideTasks: names are bound while tasks of earlier inputs read theirs. The race detector is the judge.
func TestInputsBesideTasks(t *testing.T) {
	run, _, wait := spawning(t)
	for i := range 50 {
		for _, src := range []string{"x = %d", "spawn(lambda: [x for _ in range(1000)])", "y%d = 1"} {
			if strings.Contains(src, "%d") {
				src = fmt.Sprintf(src, i)
			}
			if _, err := run(src); err != nil {
				t.Fatal(err)
			}
		}
	}
	wait()
}

// TestAnInputHasItsValue: of an expression, also one that is None; of nothing else.
func TestAnInputHasItsValue(t *testing.T) {
	run, w, _ := spawning(t)
	for src, want := range map[string]string{"1 + 2": "3", "None": "None", "x = 1": "<nil>", "if True: 5": "<nil>", "[y for y in [1, 2]]": "[1, 2]"} {
		if v, err := run(src); err != nil || fmt.Sprint(v) != want {
			t.Errorf("%s: %v, %v; want %s", src, v, err, want)
		}
	}
	if _, err := run("1 // 0"); err == nil {
		t.Error("an error is lost")
	}
	if names := strings.Join(w.Own(), " "); names != "x" {
		t.Errorf("the names are %q", names)
	}
}

// ends tells of the first outermost call that has returned.
type ends struct {
	NoWatch
	once sync.Once
	over chan struct{}
}

func (e *ends) Ended(*Thread, error) { e.once.Do(func() { close(e.over) }) }

// TestAnInputThatIsLeftBehind changes no names when it ends after all.
func TestAnInputThatIsLeftBehind(t *testing.T) {
	hold, e := make(chan struct{}), &ends{over: make(chan struct{})}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	h := NewHost(Options{Watch: []Watch{e}, Predeclared: starlark.StringDict{
		"hold": starlark.NewBuiltin("hold", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			cancel()
			<-hold
			return starlark.None, nil
		}),
	}})
	w := h.Workspace()
	if _, err := w.Run(h.Thread(ctx, "t", nil), InputName(1), "x = 1\nhold()\n"); err == nil || !strings.Contains(err.Error(), "left behind") {
		t.Fatalf("%v", err)
	}
	close(hold)
	<-e.over
	if _, err := w.Run(h.Thread(t.Context(), "t", nil), InputName(2), "y = 2\n"); err != nil {
		t.Fatal(err)
	}
	if names := strings.Join(w.Own(), " "); names != "y" {
		t.Errorf("the names are %q", names)
	}
}
