package script

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.starlark.net/starlark"
)

// Waits are told with their line while they last, threads that compute with theirs, and nothing is told afterwards.
func TestDoings(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	entered, leave := make(chan struct{}), make(chan struct{})
	rest := starlark.NewBuiltin("rest", func(th *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		defer Wait(th, func() string { return "rests" })()
		close(entered)
		<-leave
		return starlark.None, nil
	})
	h := NewHost(Options{Predeclared: starlark.StringDict{"rest": rest}})
	path := filepath.Join(t.TempDir(), "doing.star")
	if err := os.WriteFile(path, []byte("def waits():\n    rest()\n\ndef counts():\n    while True:\n        pass\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	m, err := h.Load(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for _, name := range []string{"waits", "counts"} {
		go func() { // cancel stops counts, leave waits
			_, err := h.Thread(ctx, name, nil).Call(m.Globals[name].(starlark.Callable), nil, nil)
			ended <- err
		}()
	}
	<-entered
	asked := func() string {
		soon, free := context.WithTimeout(t.Context(), 10*time.Millisecond)
		defer free()
		var out []string
		for _, d := range h.Doings(soon) {
			_, at, _ := strings.Cut(d.Pos.String(), ":")
			line, _, _ := strings.Cut(at, ":")
			out = append(out, d.Thread.Name()+" "+d.Wait+" "+line)
		}
		return strings.Join(out, ", ")
	}
	// Which of its two lines the loop is on is chance, and on a loaded machine it may not answer in time.
	for got := ""; !strings.HasPrefix(got, "counts  "); {
		got = asked()
		if !strings.HasSuffix(got, "waits rests 2") {
			t.Fatalf("got %q", got)
		}
	}
	close(leave)
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	cancel()
	<-ended
	if got := asked(); got != "" {
		t.Errorf("all have ended, but %q is told", got)
	}
}

// Waits end in any order, and more than once.
func TestWaitsEndInAnyOrder(t *testing.T) {
	h := NewHost(Options{})
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 0, 2}, {1, 2, 0}, {0, 2, 1}, {2, 0, 1}} {
		var done []func()
		for _, name := range []string{"a", "b", "c"} {
			th := h.Thread(t.Context(), name, nil)
			done = append(done, Wait(th.th, func() string { return name }))
		}
		left := map[string]bool{"a": true, "b": true, "c": true}
		for _, i := range order {
			done[i]()
			done[i]()
			delete(left, string(rune('a'+i)))
			got := h.waits.list()
			for _, d := range got {
				if !left[d.Wait] {
					t.Errorf("%v: %s has ended but is told", order, d.Wait)
				}
			}
			if len(got) != len(left) {
				t.Errorf("%v: %d are told, want %d", order, len(got), len(left))
			}
		}
	}
}
