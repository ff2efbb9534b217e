// Package task declares the module task: functions that run at the same time, with what they wait for.
//
// [Module] is the list. Values are frozen when they cross from one task to another.
package task

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "task", Doc: "Functions that run at the same time.",
		Funcs: []*spec.Func{spawnFunc, parallelFunc, mapFunc, barrierFunc, signalFunc, channelFunc, sharedFunc, counterFunc},
		Types: []*spec.Type{taskType, barrierType, signalType, channelType, sharedType, counterType},
	}
}

// Task is a function that runs beside the test.
type Task struct {
	name  string
	ended chan struct{} // closed when value, err and late are set

	value starlark.Value
	err   error
	late  bool // the test ended before it did

	mu     sync.Mutex
	looked bool // guarded by mu: somebody saw how it ended
	over   bool // guarded by mu: value, err and late are set
}

var _ starlark.HasAttrs = (*Task)(nil)

// launch starts fn(*args) as a task of the test.
func launch(c *spec.Call, t *scenario.Test, name string, fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (*Task, error) {
	host := c.Script().Host()
	for _, v := range append(starlark.Tuple{fn}, args...) {
		if err := host.Share(v); err != nil {
			return nil, err
		}
	}
	for _, kv := range kwargs {
		if err := host.Share(kv[1]); err != nil {
			return nil, err
		}
	}
	pos := script.CallerPos(c.Thread)
	task := &Task{name: name, ended: make(chan struct{})}
	done := t.Spawned(name, pos)
	ctx := t.Context()
	th := c.Script().Child(name, ctx)
	go func() { // ends with fn, which ends with the test's context
		start := time.Now()
		v, err := th.Call(fn, args, kwargs)
		if err == nil {
			err = host.Share(v)
		}
		d := &event.Task{Name: name, Duration: time.Since(start)}
		if err != nil {
			d.Outcome, d.Error = event.Failed, script.Describe(err)
		}
		t.EmitIn(th.Span(), pos, d)
		task.mu.Lock()
		task.value, task.err, task.late, task.over = v, err, ctx.Err() != nil, true
		task.mu.Unlock()
		// First it counts as ended, then its waiters learn it: a test that waited must not find it still running.
		done()
		close(task.ended)
	}()
	return task, nil
}

// see notes that somebody looked at the outcome.
func (k *Task) see() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.looked = true
}

// wait returns when the task has ended, or ctx has, or bound (0: none) is over.
func (k *Task) wait(ctx context.Context, bound time.Duration) error {
	if bound > 0 {
		c, cancel := context.WithTimeout(ctx, bound)
		defer cancel()
		select {
		case <-k.ended:
			return nil
		case <-c.Done():
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return fault.New(fault.Timeout, "task.wait", fmt.Sprintf("task %s has not ended within %s", k.name, bound))
		}
	}
	select {
	case <-k.ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// reap fails the test for a task whose error nobody looked at.
func reap(t *scenario.Test, k *Task) {
	t.Cleanup("task "+k.name, func(context.Context) error {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.over {
			return nil // it leaked, which is told elsewhere
		}
		if k.err != nil && !k.looked && !k.late { // one that was late leaked, or ended with the run, which is told too
			t.Late(fmt.Errorf("task %s failed and nobody waited for it: %w", k.name, k.err))
		}
		return nil
	})
}

func (k *Task) String() string        { return "<task " + k.name + ">" }
func (k *Task) Type() string          { return "task" }
func (k *Task) Freeze()               {}
func (k *Task) Truth() starlark.Bool  { return true }
func (k *Task) Hash() (uint32, error) { return starlark.String(k.name).Hash() }

// Attr finds a member.
func (k *Task) Attr(name string) (starlark.Value, error) {
	return taskType.Attr(k, name)
}

// AttrNames lists the members.
func (k *Task) AttrNames() []string { return taskType.AttrNames() }

func ended(v starlark.Value) (*Task, bool) {
	k := v.(*Task)
	select {
	case <-k.ended:
		k.see()
		return k, true
	default:
		return k, false
	}
}

var taskType = (&spec.Type{
	Name: "task",
	Doc:  "A function that runs at the same time. Wait for it: a task that still runs when its test ends leaked, and an error that nobody saw fails the test.",
	Example: `
k = task.spawn(lambda a, b: a + b, 1, 2)
expect.eq(k.wait(), 3)
expect.true(k.ok)
`,
	Attrs: []spec.Attr{
		{Name: "name", Type: "str", Doc: "The function's name with a number.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.String(v.(*Task).name), nil
		}},
		{Name: "done", Type: "bool", Doc: "Whether it has ended.", Get: func(v starlark.Value) (starlark.Value, error) {
			select {
			case <-v.(*Task).ended:
				return starlark.True, nil
			default:
				return starlark.False, nil
			}
		}},
		{Name: "ok", Type: "bool|None", Doc: "Whether it succeeded; None while it runs.", Get: func(v starlark.Value) (starlark.Value, error) {
			if k, over := ended(v); over {
				return starlark.Bool(k.err == nil), nil
			}
			return starlark.None, nil
		}},
		{Name: "value", Type: "any", Doc: "What it returned; None while it runs and when it failed.", Get: func(v starlark.Value) (starlark.Value, error) {
			if k, over := ended(v); over && k.err == nil {
				return k.value, nil
			}
			return starlark.None, nil
		}},
		{Name: "error", Type: "error|None", Doc: "What went wrong; None while it runs and when it succeeded.", Get: func(v starlark.Value) (starlark.Value, error) {
			if k, over := ended(v); over && k.err != nil {
				return value.NewError(k.err), nil
			}
			return starlark.None, nil
		}},
	},
	Methods: []*spec.Func{
		{Name: "wait", Returns: "any", Doc: "Waits for the end and returns the function's value; its error is raised here.", Params: []spec.Param{
			{Name: "timeout", Type: "duration", Optional: true, Doc: "How long; the test's own bound without it."},
		}, Impl: func(c *spec.Call) (starlark.Value, error) {
			k := c.Recv.(*Task)
			if err := k.wait(c.Script().Context(), c.Duration("timeout")); err != nil {
				return nil, err
			}
			k.see()
			return k.value, k.err
		}},
	},
}).Seal()

// number makes task names differ within a test.
func number(t *scenario.Test, fn starlark.Callable) string {
	return fmt.Sprintf("%s#%d", fn.Name(), t.Bus().NextID())
}

var spawnFunc = &spec.Func{
	Name: "spawn", Returns: "task",
	Doc: "Starts fn(*args) and returns at once. A function that captures a variable which changes is refused: pass it as an argument.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to run."},
		{Name: "args", Type: "any", Variadic: true, Doc: "Its arguments; they are frozen."},
		{Name: "kwargs", Type: "any", Keywords: true, Doc: "Its keyword arguments."},
	},
	Example: `
def count(conn, n):
    return conn.query("SELECT ? + 1", n).scalar()
k = task.spawn(count, t.connect(), 41)
expect.eq(k.wait(timeout = "10s"), 42)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		k, err := launch(c, t, number(t, c.Callable("fn")), c.Callable("fn"), c.Rest, c.Extra)
		if err != nil {
			return nil, err
		}
		reap(t, k)
		return k, nil
	},
}

// gather runs n functions, at most limit at a time, and gives their outcomes in order. A failed expectation or the end of
// the test in one of them is raised when all have ended.
func gather(c *spec.Call, n, limit int, at func(i int) (starlark.Callable, starlark.Tuple)) (starlark.Value, error) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	if limit <= 0 || limit > n {
		limit = n
	}
	tasks := make([]*Task, n)
	ctx := c.Script().Context()
	var refused error
	for i := range n {
		if i >= limit {
			// A place is free when the oldest has ended: order costs little and keeps the outcomes in order.
			if err := tasks[i-limit].wait(ctx, 0); err != nil {
				break
			}
		}
		fn, args := at(i)
		if tasks[i], refused = launch(c, t, number(t, fn), fn, args, nil); refused != nil {
			break
		}
	}
	outcomes := make([]starlark.Value, 0, n)
	var failed []*value.Outcome
	var raise error
	for _, k := range tasks {
		if k == nil {
			continue
		}
		if err := k.wait(ctx, 0); err != nil {
			return nil, err
		}
		if k.err != nil && raise == nil && !value.Catchable(c.Script(), k.err) {
			raise = k.err
		}
		o := value.NewOutcome(k.value, k.err)
		if k.err != nil {
			failed = append(failed, o)
		}
		outcomes = append(outcomes, o)
	}
	switch {
	case refused != nil:
		return nil, refused
	case raise != nil:
		return nil, raise
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	}
	if len(failed) > 0 {
		unseen(c, t, failed, len(outcomes))
	}
	return starlark.NewList(outcomes), nil
}

// unseen fails the test where no outcome of a call was looked at although some failed.
func unseen(c *spec.Call, t *scenario.Test, failed []*value.Outcome, all int) {
	name, pos := c.Name(), script.CallerPos(c.Thread)
	t.Cleanup(name, func(context.Context) error {
		for _, o := range failed {
			if o.Looked() {
				return nil
			}
		}
		first := failed[0].Err().Report()
		t.Late(&unseenError{
			msg: fmt.Sprintf("%d of %d outcomes of %s failed and nobody looked; the first: %s", len(failed), all, name, first.Message),
			pos: pos, excerpt: t.Host().Excerpt(pos),
		})
		return nil
	})
}

// unseenError tells of failures that a script passed over.
type unseenError struct {
	msg     string
	pos     event.Pos
	excerpt string
}

func (e *unseenError) Error() string { return e.msg }

// Report gives the form for reports.
func (e *unseenError) Report() *event.Error {
	return &event.Error{Kind: "unseen", Message: e.msg, Pos: e.pos, Excerpt: e.excerpt, Hint: "expect.all_ok(outcomes), or look at each: if not o: o.error"}
}

// maxTasks bounds what one call starts.
const maxTasks = 100_000

var parallelFunc = &spec.Func{
	Name: "parallel", Returns: "list",
	Doc:    "Calls all functions at the same time and returns their outcomes in order when all have ended. Errors of the database are in the outcomes; a failed expectation in a function fails the test.",
	Params: []spec.Param{{Name: "fns", Type: "list", Doc: "Functions without arguments."}},
	Example: `
outcomes = task.parallel([lambda: 1, lambda: 2])
expect.eq([o.value for o in outcomes], [1, 2])
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		fns, err := elements(c, "fns")
		if err != nil {
			return nil, err
		}
		calls := make([]starlark.Callable, len(fns))
		for i, v := range fns {
			fn, ok := v.(starlark.Callable)
			if !ok {
				return nil, c.Errorf("fns", "[%d]: want a function, got %s", i, v.Type())
			}
			calls[i] = fn
		}
		return gather(c, len(calls), 0, func(i int) (starlark.Callable, starlark.Tuple) { return calls[i], nil })
	},
}

func elements(c *spec.Call, name string) ([]starlark.Value, error) {
	list := c.List(name)
	if len(list) > maxTasks {
		return nil, c.Errorf(name, "at most %d, got %d", maxTasks, len(list))
	}
	return list, nil
}

var mapFunc = &spec.Func{
	Name: "map", Returns: "list",
	Doc: "Calls fn(item) for all items at the same time and returns the outcomes in order when all have ended.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to call."},
		{Name: "items", Type: "iterable", Doc: "One call each."},
		{Name: "limit", Type: "int", Optional: true, KwOnly: true, Doc: "How many run at a time; all without it."},
	},
	Example: `
def one(conn):
    return conn.query("SELECT 1").scalar()
outcomes = task.map(one, t.sessions(3))
expect.all_ok(outcomes)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		items, err := elements(c, "items")
		if err != nil {
			return nil, err
		}
		if c.Has("limit") && c.Int("limit") < 1 {
			return nil, c.Errorf("limit", "want at least 1, got %d", c.Int("limit"))
		}
		fn := c.Callable("fn")
		return gather(c, len(items), int(c.Int("limit")), func(i int) (starlark.Callable, starlark.Tuple) {
			return fn, starlark.Tuple{items[i]}
		})
	},
}
