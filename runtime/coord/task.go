package coord

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rig/runtime/fault"
)

// MaxTasks is the number of tasks of one [Tasks] that may run at a time, and of functions of one [Map].
const MaxTasks = 10_000

// Tasks are functions that run concurrently, in goroutines that end when their function does; its context ends with the
// one of [NewTasks], by Cancel, and by Close.
type Tasks struct {
	// Keep makes Next possible: the tasks that have ended are kept until it gives them. Set it before the first Go.
	Keep bool

	ctx    context.Context
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	running map[*Task]int // guarded by mu; with the number of its start
	started int           // guarded by mu
	ended   []*Task       // guarded by mu; only with Keep
	change  chan struct{} // guarded by mu; closed and replaced when a task ends
}

// Task is one running or ended function.
type Task struct {
	name  string
	start time.Time
	done  chan struct{}

	value    any // this and the ones below are written before done is closed
	err      error
	duration time.Duration
}

// Outcome is what a function of [Map] gave.
type Outcome struct {
	Value    any
	Err      error
	Duration time.Duration
}

// ErrNoTask is what [Tasks.Next] gives when no task is left.
var ErrNoTask = errors.New("no task is left")

// NewTasks makes an empty set. Close or Cancel it, or end its context, to free what it holds.
func NewTasks(ctx context.Context) *Tasks {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Tasks{ctx: ctx, cancel: cancel, running: map[*Task]int{}, change: make(chan struct{})}
}

// Go runs fn in a goroutine of its own. A panic of fn is the task's error. With MaxTasks running or the context ended, fn
// is not run and the task has that error at once.
func (t *Tasks) Go(name string, fn func(ctx context.Context) (any, error)) *Task {
	k := &Task{name: name, start: time.Now(), done: make(chan struct{})}
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ctx.Err() != nil:
		k.err = fmt.Errorf("task %q was not started: %w", name, context.Cause(t.ctx))
	case len(t.running) >= MaxTasks:
		k.err = fault.New(fault.LimitExceeded, "spawn", fmt.Sprintf("task %q was not started: %d tasks are running", name, MaxTasks))
	}
	if k.err != nil {
		if t.Keep {
			t.ended = append(t.ended, k)
		}
		close(k.done)
		t.changed()
		return k
	}
	t.running[k] = t.started
	t.started++
	go t.run(k, fn) // stopped by fn's end, which the context asks for
	return k
}

func (t *Tasks) run(k *Task, fn func(ctx context.Context) (any, error)) {
	defer func() {
		k.duration = time.Since(k.start)
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.running, k)
		if t.Keep {
			t.ended = append(t.ended, k)
		}
		close(k.done)
		t.changed()
	}()
	k.err = errGoexit // stays where fn ends its goroutine
	k.value, k.err = guard(func() (any, error) { return fn(t.ctx) })
}

var errGoexit = errors.New("the function ended its goroutine")

// guard calls fn and turns a panic into an error.
func guard(fn func() (any, error)) (v any, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, &PanicError{Value: p, Stack: string(debug.Stack())}
		}
	}()
	return fn()
}

// changed tells Next and Wait, with mu held, that a task ended.
func (t *Tasks) changed() {
	close(t.change)
	t.change = make(chan struct{})
}

// Running lists the tasks that have not ended, in the order of their start.
func (t *Tasks) Running() []*Task {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := slices.Collect(maps.Keys(t.running))
	slices.SortFunc(out, func(a, b *Task) int { return t.running[a] - t.running[b] })
	return out
}

// Next gives the task that ended first of those it has not given yet, and waits for one. When none is left it gives
// [ErrNoTask]. It needs Keep.
func (t *Tasks) Next(ctx context.Context, timeout time.Duration) (*Task, error) {
	var k *Task
	err := t.wait(ctx, timeout, "the next task", func() bool {
		if len(t.ended) > 0 {
			k, t.ended = t.ended[0], t.ended[1:]
		}
		return k != nil || len(t.running) == 0
	})
	if err == nil && k == nil {
		err = ErrNoTask
	}
	return k, err
}

// Wait waits until no task is running.
func (t *Tasks) Wait(ctx context.Context, timeout time.Duration) error {
	return t.wait(ctx, timeout, "all tasks", func() bool { return len(t.running) == 0 })
}

// wait waits until ready, which is called with mu held, is true.
func (t *Tasks) wait(ctx context.Context, timeout time.Duration, what string, ready func() bool) error {
	timeout, err := bound(timeout)
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		t.mu.Lock()
		ok, change := ready(), t.change
		t.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-change:
		case <-ctx.Done():
			return stopped(ctx, what)
		case <-timer.C:
			return &TimeoutError{What: what, After: timeout, Missing: t.names()}
		}
	}
}

func (t *Tasks) names() []string {
	running := t.Running()
	out := make([]string, len(running))
	for i, k := range running {
		out[i] = k.name
	}
	return out
}

// Cancel ends the context of all tasks; cause is what they find as its reason. No task can be started any more.
func (t *Tasks) Cancel(cause error) { t.cancel(cause) }

// Close cancels the tasks and waits until they have ended.
func (t *Tasks) Close(timeout time.Duration) error {
	t.cancel(context.Canceled)
	return t.Wait(context.Background(), timeout)
}

// Name is the task's name.
func (k *Task) Name() string { return k.name }

// Done is closed when the task has ended.
func (k *Task) Done() <-chan struct{} { return k.done }

// Ended reports whether the task has ended.
func (k *Task) Ended() bool {
	select {
	case <-k.done:
		return true
	default:
		return false
	}
}

// Ok reports whether the task has ended without an error.
func (k *Task) Ok() bool { return k.Ended() && k.err == nil }

// Value is what the function gave; nil while it runs.
func (k *Task) Value() any {
	if !k.Ended() {
		return nil
	}
	return k.value
}

// Err is the function's error; nil while it runs.
func (k *Task) Err() error {
	if !k.Ended() {
		return nil
	}
	return k.err
}

// Duration is how long the function ran, or has run so far.
func (k *Task) Duration() time.Duration {
	if !k.Ended() {
		return time.Since(k.start)
	}
	return k.duration
}

// Wait waits for the task and gives its value and error. Giving up does not stop the task.
func (k *Task) Wait(ctx context.Context, timeout time.Duration) (any, error) {
	if err := until(ctx, k.done, timeout, fmt.Sprintf("task %q", k.name)); err != nil {
		return nil, err
	}
	return k.value, k.err
}

// Map calls fn for 0 to n-1, at most limit at a time (0: all of them, up to MaxTasks), waits for all and gives what each
// gave, in order. It returns only when all have. A panic is that call's error; calls that have not begun when the context
// ends are not made and have its cause.
func Map(ctx context.Context, n, limit int, fn func(ctx context.Context, i int) (any, error)) []Outcome {
	if n <= 0 {
		return nil
	}
	if limit <= 0 {
		limit = n
	}
	out := make([]Outcome, n)
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(limit, n, MaxTasks) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				out[i] = mapOne(ctx, i, fn)
			}
		})
	}
	group.Wait()
	return out
}

func mapOne(ctx context.Context, i int, fn func(ctx context.Context, i int) (any, error)) (o Outcome) {
	if ctx.Err() != nil {
		return Outcome{Err: fmt.Errorf("call %d was not made: %w", i, context.Cause(ctx))}
	}
	begin := time.Now()
	o.Value, o.Err = guard(func() (any, error) { return fn(ctx, i) })
	o.Duration = time.Since(begin)
	return o
}
