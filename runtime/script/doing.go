package script

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/event"
)

// Doing is what a thread did when it was asked.
type Doing struct {
	Thread *Thread
	Wait   string    // what it waits for, as in "sleeps for 1m0s"; "" for a thread that computes
	Pos    event.Pos // the script's line
	Since  time.Time // of a wait
}

// waits are the built-ins that wait now.
type waits struct {
	mu    sync.Mutex
	open  map[*waiting]struct{}       // guarded by mu
	asked atomic.Pointer[whereabouts] // non-nil while somebody asks those that compute
}

type waiting struct {
	th    *starlark.Thread
	what  func() string
	since time.Time
}

// whereabouts are the answers of threads that compute.
type whereabouts struct {
	mu sync.Mutex
	at map[*Thread]event.Pos // guarded by mu
}

// Wait notes that the built-in which th runs waits, until done is called; it is for who asks what the run does, and costs a lock.
// th must run nothing in between: its stack is read by who asks. what is called by who asks, on any goroutine.
func Wait(th *starlark.Thread, what func() string) (done func()) {
	t := From(th)
	if t == nil {
		return func() {}
	}
	w, all := &waiting{th, what, time.Now()}, &t.host.waits
	all.mu.Lock()
	defer all.mu.Unlock()
	if all.open == nil {
		all.open = map[*waiting]struct{}{}
	}
	all.open[w] = struct{}{}
	return func() {
		all.mu.Lock()
		defer all.mu.Unlock()
		delete(all.open, w)
	}
}

// Doings tells what the threads of the host wait for, the oldest first, and where others are, before them: those that compute answer at
// their next look, for which ctx bounds the time. A thread in a built-in that neither waits nor ends is not told.
func (h *Host) Doings(ctx context.Context) []Doing {
	q := &whereabouts{at: map[*Thread]event.Pos{}}
	h.waits.asked.Store(q)
	<-ctx.Done()
	h.waits.asked.CompareAndSwap(q, nil)
	out := h.waits.list()
	q.mu.Lock()
	defer q.mu.Unlock()
	for t, pos := range q.at {
		if !slices.ContainsFunc(out, func(d Doing) bool { return d.Thread == t }) {
			out = append(out, Doing{Thread: t, Pos: pos})
		}
	}
	slices.SortStableFunc(out, func(a, b Doing) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Thread.name, b.Thread.name))
	})
	return out
}

// list reads the waits; while it holds the lock, none of them ends, so that their stacks stay.
func (w *waits) list() []Doing {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []Doing
	for x := range w.open {
		out = append(out, Doing{From(x.th), x.what(), CallerPos(x.th), x.since})
	}
	return out
}

// answer notes where a thread is that computes.
func (q *whereabouts) answer(t *Thread, th *starlark.Thread) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range th.CallStackDepth() {
		if fr := th.DebugFrame(i); isScript(fr.Callable()) {
			q.at[t] = posOf(fr.Position())
			return
		}
	}
}
