package coord

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"rig/runtime/clock"
	"rig/runtime/fault"
)

// MaxTasks is the number of tasks of one [Tasks] that may run at a time.
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

// Job is a function to run as a task. Ended, which may be nil, is told of the task when its value, error and duration are
// set and before anybody who waits for it learns that it has ended; it runs in the task's goroutine and must not use the set.
type Job struct {
	Name  string
	Run   func(ctx context.Context) (any, error)
	Ended func(*Task)
}

// ErrNoTask is what [Tasks.Next] gives when no task is left.
var ErrNoTask = errors.New("no task is left")

// NewTasks makes an empty set. Close or Cancel it, or end its context, to free what it holds.
func NewTasks(ctx context.Context) *Tasks {
	ctx, cancel := context.WithCancelCause(ctx)
	return &Tasks{ctx: ctx, cancel: cancel, running: map[*Task]int{}, change: make(chan struct{})}
}

// Go starts a job without Ended.
func (t *Tasks) Go(name string, fn func(ctx context.Context) (any, error)) *Task {
	return t.Start(Job{Name: name, Run: fn})
}

// Start runs a job in a goroutine of its own. A panic of it is the task's error. With MaxTasks running or the context
// ended, it is not run and the task has that error at once.
func (t *Tasks) Start(j Job) *Task {
	k := &Task{name: j.Name, start: time.Now(), done: make(chan struct{})}
	if err := t.admit(k); err != nil {
		t.finish(k, j, nil, err)
		return k
	}
	go t.run(k, j) // stopped by the job's end, which the context asks for
	return k
}

// admit counts k as running, or refuses it.
func (t *Tasks) admit(k *Task) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.ctx.Err() != nil:
		return fmt.Errorf("task %q was not started: %w", k.name, context.Cause(t.ctx))
	case len(t.running) >= MaxTasks:
		return fault.New(fault.LimitExceeded, "spawn", fmt.Sprintf("task %q was not started: %d tasks are running", k.name, MaxTasks))
	}
	t.running[k] = t.started
	t.started++
	return nil
}

func (t *Tasks) run(k *Task, j Job) {
	var v any
	err := errGoexit // stays where the job ends its goroutine
	defer func() { t.finish(k, j, v, err) }()
	v, err = guard(func() (any, error) { return j.Run(t.ctx) })
}

// finish sets how k ended, tells Ended, and then all who wait.
func (t *Tasks) finish(k *Task, j Job, v any, err error) {
	k.value, k.err, k.duration = v, err, time.Since(k.start)
	if j.Ended != nil {
		j.Ended(k)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.running, k)
	if t.Keep {
		t.ended = append(t.ended, k)
	}
	close(k.done)
	t.changed()
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
	late, free := clock.After(ctx, timeout)
	defer free()
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
		case <-late:
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

// Result is how the task ended, for [Job.Ended] and after it was waited for.
func (k *Task) Result() (value any, took time.Duration, err error) { return k.value, k.duration, k.err }

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
