package scenario

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/event"
	"rig/runtime/script"
	"rig/runtime/session"
)

// Test is the Go side of the script's t, for a test, a subtest or a file's setup_all. What a subtest opens belongs to its
// outermost test.
type Test struct {
	run     *run
	item    *Item
	parent  *Test // nil for a test
	id      string
	name    string
	event   event.ID
	seed    int64
	target  *Target
	value   starlark.Value
	fixture *fixture // of the test's file; nil in setup_all itself

	expectations atomic.Int64
	subtests     atomic.Int64
	failedSubs   atomic.Int64
	leaked       atomic.Int64 // told by Leaked
	broke        atomic.Bool  // its body ended by an error: what it had open then is no leak

	mu       sync.Mutex
	phase    context.Context    // guarded by mu: ends when what runs now must end
	sessions []*session.Session // guarded by mu, of the outermost test
	releases []func()           // guarded by mu, of the outermost test: what Adopt was given
	opened   int                // guarded by mu: counts sessions, for their names
	database string             // guarded by mu: "" until first used
	db       *session.Session   // guarded by mu
	cleanups []cleanup          // guarded by mu
	tasks    map[event.ID]task  // guarded by mu
	idle     chan struct{}      // guarded by mu: non-nil while somebody waits for tasks to end
	late     []error            // guarded by mu: errors that no call of the script could raise
}

type cleanup struct {
	name string
	fn   func(context.Context) error
}

type task struct {
	name string
	pos  event.Pos
}

// FromThread gives the test in which a script thread runs.
func FromThread(th *starlark.Thread) (*Test, error) {
	if s := script.From(th); s != nil {
		if t, ok := s.Scope().(*Test); ok {
			return t, nil
		}
	}
	return nil, fmt.Errorf("this needs a test: call it from a function that a test runs")
}

// ID names the test in the whole run: "file.star::test_x", subtests add "/name".
func (t *Test) ID() string { return t.id }

// Name is the test function's name, or the subtest's.
func (t *Test) Name() string { return t.name }

// Seed of the test's random numbers: the same for the same run seed and id.
func (t *Test) Seed() int64 { return t.seed }

// Bus carries the run's events.
func (t *Test) Bus() *event.Bus { return t.run.Bus }

// EventID is the parent id for events of the test.
func (t *Test) EventID() event.ID { return t.event }

// Host runs scripts.
func (t *Test) Host() *script.Host { return t.run.Host }

// Value is the script's t.
func (t *Test) Value() starlark.Value { return t.value }

// Context ends when what the test is doing now must end: at its deadline, at the end of clean-up, when the run stops.
func (t *Test) Context() context.Context {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.phase
}

func (t *Test) setPhase(ctx context.Context) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.phase = ctx
}

// Outermost is the test that a subtest belongs to, a test itself.
func (t *Test) Outermost() *Test { return t.outermost() }

// outermost is the test that owns sessions and the database.
func (t *Test) outermost() *Test {
	for t.parent != nil {
		t = t.parent
	}
	return t
}

// Shared is what the file's setup_all returned, None without one.
func (t *Test) Shared() starlark.Value {
	if f := t.outermost().fixture; f != nil && f.shared != nil {
		return f.shared
	}
	return starlark.None
}

// Expectation counts one evaluated expectation; failed, when it did not hold, becomes an event.
func (t *Test) Expectation(failed *event.Error) {
	t.expectations.Add(1)
	if failed != nil {
		t.Emit(failed.Pos, &event.Expect{Error: failed})
	}
}

// Emit puts a fact of this test on the stream.
func (t *Test) Emit(pos event.Pos, d event.Data) {
	t.run.Bus.Emit(event.Event{Parent: t.event, Test: t.id, Pos: pos, Data: d})
}

// EmitIn puts a fact on the stream that happened within a span of the test; 0 is the test itself.
func (t *Test) EmitIn(span event.ID, pos event.Pos, d event.Data) {
	if span == 0 {
		span = t.event
	}
	t.run.Bus.Emit(event.Event{Parent: span, Test: t.id, Pos: pos, Data: d})
}

// EmitFrom puts a fact on the stream that the script's current line tells, within its span.
func (t *Test) EmitFrom(th *starlark.Thread, d event.Data) {
	span := event.ID(0)
	if s := script.From(th); s != nil {
		span = s.Span()
	}
	t.EmitIn(span, script.CallerPos(th), d)
}

// emitOwn puts the start or the end of the test on the stream; within is the span that encloses it, 0 without one.
func (t *Test) emitOwn(within event.ID, pos event.Pos, d event.Data) {
	if within == 0 && t.parent != nil {
		within = t.parent.event
	}
	t.run.Bus.Emit(event.Event{ID: t.event, Parent: within, Test: t.id, Pos: pos, Data: d})
}

// Cleanup runs fn when the test has ended, last in first out, always.
func (t *Test) Cleanup(name string, fn func(context.Context) error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cleanups = append(t.cleanups, cleanup{name, fn})
}

// Leaked tells that the test left something behind that its owner found; pos is the line that took it. A test that an error
// ended never came to the line that gives it back: it is told nothing.
func (t *Test) Leaked(pos event.Pos, what, detail string) {
	if t.outermost().broke.Load() {
		return
	}
	t.leaked.Add(1)
	t.Emit(pos, &event.Leak{What: what, Detail: detail})
}

// Late records an error that nothing raised: a task whose failure nobody looked at. It fails the test.
func (t *Test) Late(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.late = append(t.late, err)
}

// Spawned notes a running task; call done when it has ended. A task that runs when its test ends leaked.
func (t *Test) Spawned(name string, pos event.Pos) (done func()) {
	o := t.outermost()
	id := t.run.Bus.NextID()
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.tasks == nil {
		o.tasks = map[event.ID]task{}
	}
	o.tasks[id] = task{name, pos}
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.tasks, id)
		if len(o.tasks) == 0 && o.idle != nil {
			close(o.idle)
			o.idle = nil
		}
	}
}

// running lists the tasks that have not ended, in the order of their start.
func (t *Test) running() []task {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []task
	for _, id := range slices.Sorted(maps.Keys(t.tasks)) {
		out = append(out, t.tasks[id])
	}
	return out
}

// join waits until every task has ended, or ctx has.
func (t *Test) join(ctx context.Context) {
	t.mu.Lock()
	if len(t.tasks) == 0 {
		t.mu.Unlock()
		return
	}
	idle := make(chan struct{})
	t.idle = idle
	t.mu.Unlock()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// Run runs fn as a subtest and reports whether it passed. The subtest has cleanups of its own and shares the database.
func (t *Test) Run(parent *script.Thread, name string, fn starlark.Callable, args func(sub starlark.Value) (starlark.Tuple, []starlark.Tuple)) (bool, error) {
	sub := &Test{
		run: t.run, item: t.item, parent: t, id: t.subID(name), name: name, seed: seedOf(t.seed, name),
		event: t.run.Bus.NextID(), target: t.target, phase: t.Context(),
	}
	sub.value = t.run.NewValue(sub)
	t.subtests.Add(1)
	sub.emitOwn(parent.Span(), script.PosOf(fn), &event.TestStart{Attempt: 1, Seed: sub.seed})
	start := time.Now()

	th := parent.Child(sub.id, sub.phase)
	th.SetScope(sub)
	th.Within(sub.event)
	a, kw := args(sub.value)
	_, err := th.Call(fn, a, kw)
	v := verdict{body: err}
	sub.runCleanups(sub.phase, &v)
	end := sub.end(&v, start)
	end.Attempt, end.Final = 1, true
	sub.emitOwn(parent.Span(), event.Pos{}, end)
	if end.Outcome == event.Failed {
		t.failedSubs.Add(1)
	}
	if cause := sub.phase.Err(); cause != nil {
		return false, context.Cause(sub.phase)
	}
	return end.Outcome != event.Failed, nil
}

// subID makes "parent/name" unique within the parent.
func (t *Test) subID(name string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	id := t.id + "/" + name
	if t.run.claim(id) {
		return id
	}
	for i := 2; ; i++ {
		if alt := fmt.Sprintf("%s#%d", id, i); t.run.claim(alt) {
			return alt
		}
	}
}

// runCleanups calls the cleanups last in first out; each error joins the verdict and stops none of the others.
func (t *Test) runCleanups(ctx context.Context, v *verdict) {
	for {
		t.mu.Lock()
		n := len(t.cleanups)
		if n == 0 {
			t.mu.Unlock()
			return
		}
		c := t.cleanups[n-1]
		t.cleanups = t.cleanups[:n-1]
		t.mu.Unlock()
		if err := c.fn(ctx); err != nil {
			v.after = append(v.after, fmt.Errorf("cleanup %s: %w", c.name, err))
		}
	}
}
