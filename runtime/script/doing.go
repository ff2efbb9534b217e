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
	last  *waiting                    // guarded by mu: the newest wait, linked to the older ones
	asked atomic.Pointer[whereabouts] // non-nil while somebody asks those that compute
}

type waiting struct {
	th    *starlark.Thread
	what  func() string
	since time.Time

	older, newer *waiting // guarded by the mu of waits
}

// whereabouts are the answers of threads that compute.
type whereabouts struct {
	mu sync.Mutex
	at map[*Thread]event.Pos // guarded by mu
}

// Wait notes that the built-in which th runs waits, until done is called; it is for who asks what the run does. It costs about 0.15 us.
// th must run nothing in between: its stack is read by who asks. what is called by who asks, on any goroutine.
func Wait(th *starlark.Thread, what func() string) (done func()) {
	t := From(th)
	if t == nil {
		return func() {}
	}
	w, all := &waiting{th: th, what: what, since: time.Now()}, &t.host.waits
	all.mu.Lock()
	defer all.mu.Unlock()
	if w.older = all.last; w.older != nil {
		w.older.newer = w
	}
	all.last = w
	return func() { all.end(w) }
}

// end takes a wait out; doing it again changes nothing.
func (w *waits) end(x *waiting) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.last == x:
		w.last = x.older
	case x.newer == nil: // it is out
		return
	default:
		x.newer.older = x.older
	}
	if x.older != nil {
		x.older.newer = x.newer
	}
	x.older, x.newer = nil, nil
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
	for x := w.last; x != nil; x = x.older {
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
