package spec

import (
	"errors"
	"testing"

	"go.starlark.net/starlark"

	"rig/runtime/script"
)

// quitter ends what a thread runs before a built-in begins, as a person does who quits at a breakpoint on SQL.
type quitter struct {
	script.NoWatch
	cause error
	after []error
}

func (q *quitter) Before(t *script.Thread, _ *starlark.Thread, _, _ string) { t.Abort(q.cause) }

func (q *quitter) After(_ *script.Thread, _ *starlark.Thread, _ string, err error) {
	q.after = append(q.after, err)
}

// A built-in whose thread was told to end before it does nothing, and its watchers hear of its end.
func TestNothingRunsAfterTheThreadWasEnded(t *testing.T) {
	q := &quitter{cause: errors.New("the person quit")}
	ran := false
	b := &Builtin{fn: &Func{Name: "send", Impl: func(*Call) (starlark.Value, error) { ran = true; return starlark.None, nil }}}
	h := script.NewHost(script.Options{Predeclared: starlark.StringDict{"send": b}, Watch: []script.Watch{q}})
	m, err := h.LoadText(t.Context(), "x.star", "def main():\n    send()\n")
	if err != nil {
		t.Fatal(err)
	}
	_, err = h.Thread(t.Context(), "main", nil).Call(m.Globals["main"].(starlark.Callable), nil, nil)
	if ran || !errors.Is(err, q.cause) {
		t.Errorf("ran: %t, %v", ran, err)
	}
	if len(q.after) != 1 || q.after[0] != q.cause {
		t.Errorf("its end: %v", q.after)
	}
}
