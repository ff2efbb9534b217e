// Package watch declares watch, which looks at a job until it is done.
package watch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/watch"
)

// Module lists the function.
func Module() *spec.Module {
	return &spec.Module{Doc: "Looking at a job.", Funcs: []*spec.Func{watchFunc}}
}

// leastEvery keeps a slip of the keyboard from making a loop without a pause.
const leastEvery = time.Millisecond

var watchFunc = &spec.Func{
	Name: "watch", Returns: "any",
	Doc: "Calls fn() at once and then every so often, and returns the first value for which until(value) is true; without until, the first value that is true itself. Meanwhile a terminal shows the last value in a progress line; other output tells it rarely. When the time is over, the error has the last value. An error of fn or until ends it; try_ in fn keeps it going.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to call. The time-out ends it between two operations; a statement in it has its own bound."},
		{Name: "every", Type: "duration", Default: starlark.String("500ms"), KwOnly: true, Doc: "From one call to the next, at least 1ms. A call that takes longer is followed at once."},
		{Name: "until", Type: "callable", Optional: true, KwOnly: true, Doc: "Called with the value; whether it is the last."},
		{Name: "timeout", Type: "duration", Default: starlark.String("1m"), KwOnly: true, Doc: "How long in all."},
		{Name: "name", Type: "str", Optional: true, KwOnly: true, Doc: "What the progress line calls it; the function's name without it."},
	},
	Example: `
n = task.counter()
expect.eq(watch(lambda: n.add(1), every = "1ms", until = lambda v: v >= 5, timeout = "10s"), 5)
`,
	Waits: func(c *spec.Call) string {
		return fmt.Sprintf("watches %s every %s", c.Callable("fn").Name(), c.Duration("every"))
	},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		if d := c.Duration("every"); d < leastEvery {
			return nil, c.Errorf("every", "want at least %s, got %s", leastEvery, d)
		}
		if c.Duration("timeout") == 0 {
			return nil, c.Errorf("timeout", "want more than nothing: a watch has a bound")
		}
		w := &watcher{c: c, t: t, name: c.Str("name"), pos: script.CallerPos(c.Thread), last: starlark.None}
		if w.name == "" {
			w.name = c.Callable("fn").Name()
		}
		return w.run()
	},
}

// watcher is one call.
type watcher struct {
	c    *spec.Call
	t    *scenario.Test
	name string
	pos  event.Pos
	last starlark.Value
}

func (w *watcher) run() (starlark.Value, error) {
	err := watch.Run(w.c.Script().Context(), watch.Options{
		Every: w.c.Duration("every"), Timeout: w.c.Duration("timeout"), Look: w.look, Tell: w.tell,
	})
	var late *watch.TimeoutError
	if errors.As(err, &late) {
		return nil, fault.New(fault.Timeout, w.c.Name(), fmt.Sprintf("%s: %v; the last value was %s", w.name, late, clip(w.last)))
	}
	if err != nil {
		return nil, err
	}
	return w.last, nil
}

// look calls the functions on a thread that the time-out ends, in the name of the calling one.
func (w *watcher) look(ctx context.Context, _ int) (bool, error) {
	th := w.c.Script().Child(w.c.Script().Name(), ctx)
	v, err := th.Call(w.c.Callable("fn"), nil, nil)
	if err != nil {
		return false, err
	}
	w.last = v
	if until := w.c.Callable("until"); until != nil {
		if v, err = th.Call(until, starlark.Tuple{v}, nil); err != nil {
			return false, err
		}
	}
	return bool(v.Truth()), nil
}

func (w *watcher) tell(p watch.Progress) {
	w.t.Emit(w.pos, &event.Progress{Name: w.name, Value: clip(w.last), Looks: p.Looks, Elapsed: p.Elapsed, Over: p.Over})
}

// longest is how much of a value is shown, in bytes.
const longest = 200

func clip(v starlark.Value) string {
	s := value.Text(v)
	if len(s) > longest {
		s = strings.ToValidUTF8(s[:longest], "") + "..."
	}
	return s
}
