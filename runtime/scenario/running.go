package scenario

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"rig/runtime/event"
)

// Running knows the tests that run now, for who looks at the run from outside. The zero value is ready.
type Running struct {
	mu    sync.Mutex
	tests map[*Test]time.Time // guarded by mu: since when
}

// Begun is a test that runs.
type Begun struct {
	Test  *Test
	Since time.Time
	Tasks []RunningTask
}

// RunningTask is a task of a test that has not ended.
type RunningTask struct {
	Name string
	Pos  event.Pos // the line that started it
}

// begin notes a test; the returned function notes its end.
func (r *Running) begin(t *Test, since time.Time) (end func()) {
	if r == nil {
		return func() {}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.tests == nil {
		r.tests = map[*Test]time.Time{}
	}
	r.tests[t] = since
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.tests, t)
	}
}

// Tests lists those that run, the oldest first. The caller owns the result.
func (r *Running) Tests() []Begun {
	r.mu.Lock()
	var out []Begun
	for t, since := range r.tests {
		out = append(out, Begun{Test: t, Since: since})
	}
	r.mu.Unlock()
	for i, b := range out {
		for _, x := range b.Test.running() {
			out[i].Tasks = append(out[i].Tasks, RunningTask{x.name, x.pos})
		}
	}
	slices.SortFunc(out, func(a, b Begun) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Test.ID(), b.Test.ID()))
	})
	return out
}
