// Package task declares the module task: functions that run at the same time, with what they wait for.
//
// [Module] is the list. Values are frozen when they cross from one task to another.
package task

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/coord"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "task", Doc: "Functions that run at the same time.",
		Funcs: []*spec.Func{spawnFunc, parallelFunc, mapFunc, groupFunc, operationsFunc, barrierFunc, signalFunc, channelFunc, sharedFunc, counterFunc},
		Types: []*spec.Type{taskType, groupType, operationType, barrierType, signalType, channelType, counterType},
	}
}

// Task is a function that runs beside the test.
type Task struct {
	k *coord.Task

	mu    sync.Mutex
	seen  bool // guarded by mu: somebody asked how it ended
	faced bool // guarded by mu: its error was raised or read, not only that there is one
	late  bool // guarded by mu: the test ended before it did
}

var _ starlark.HasAttrs = (*Task)(nil)

// work is a call that is to run as a task.
type work struct {
	fn     starlark.Callable
	args   starlark.Tuple
	kwargs []starlark.Tuple
	last   func() // called when it has ended; may be nil
}

// launch starts a call as a task of the test.
func launch(c *spec.Call, t *scenario.Test, set *coord.Tasks, w work) (*Task, error) {
	host := c.Script().Host()
	for _, v := range append(starlark.Tuple{w.fn}, w.args...) {
		if err := host.Share(v); err != nil {
			return nil, err
		}
	}
	for _, kv := range w.kwargs {
		if err := host.Share(kv[1]); err != nil {
			return nil, err
		}
	}
	name, pos := number(t, w.fn), script.CallerPos(c.Thread)
	task := &Task{}
	done := t.Spawned(name, pos)
	th := c.Script()
	task.k = set.Start(coord.Job{
		Name: name,
		Run: func(ctx context.Context) (any, error) {
			v, err := th.Child(name, ctx).Call(w.fn, w.args, w.kwargs)
			if err == nil {
				err = host.Share(v)
			}
			if ctx.Err() != nil {
				task.mu.Lock()
				defer task.mu.Unlock()
				task.late = true
			}
			return v, err
		},
		// It counts as ended before its waiters learn it: a test that waited must not find it still running.
		Ended: func(k *coord.Task) {
			_, took, err := k.Result()
			d := &event.Task{Name: name, Duration: took}
			if err != nil {
				d.Outcome, d.Error = event.Failed, script.Describe(err)
			}
			t.EmitIn(th.Span(), pos, d)
			done()
			if w.last != nil {
				w.last()
			}
		},
	})
	return task, nil
}

// look notes that somebody saw how the task ended; face, that its error was raised or read.
func (k *Task) look(face bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.seen = true
	k.faced = k.faced || face
}

// wait returns when the task has ended, or ctx has, or bound (0: none) is over.
func (k *Task) wait(ctx context.Context, bound time.Duration) error {
	if bound == 0 {
		bound = coord.Forever
	}
	_, err := k.k.Wait(ctx, bound)
	if k.k.Ended() {
		return nil
	}
	return err
}

// value of a task that has ended without an error.
func (k *Task) value() starlark.Value {
	if v, ok := k.k.Value().(starlark.Value); ok {
		return v
	}
	return starlark.None
}

// bug reports whether an error is a mistake in the script or in rig, not one of the database or of fail().
func bug(err error) bool {
	switch d := script.Describe(err); d.Kind {
	case "script", "panic", "guard":
		return !value.Catchable(nil, err)
	}
	return false
}

// reap fails the test for a task whose error nobody looked at. Mistakes and failed expectations are not excused by asking
// whether there was an error: a mistake must be read, a failed expectation is always told.
func reap(t *scenario.Test, k *Task) {
	t.Cleanup("task "+k.k.Name(), func(context.Context) error {
		k.mu.Lock()
		defer k.mu.Unlock()
		err := k.k.Err()
		switch {
		case err == nil, k.late: // one that was late leaked, or ended with the run, which is told too
		case k.faced, k.seen && value.Catchable(nil, err):
		default:
			t.Late(fmt.Errorf("task %s failed and nobody waited for it: %w", k.k.Name(), err))
		}
		return nil
	})
}

func (k *Task) String() string        { return "<task " + k.k.Name() + ">" }
func (k *Task) Type() string          { return "task" }
func (k *Task) Freeze()               {}
func (k *Task) Truth() starlark.Bool  { return true }
func (k *Task) Hash() (uint32, error) { return starlark.String(k.k.Name()).Hash() }

// Attr finds a member.
func (k *Task) Attr(name string) (starlark.Value, error) {
	return taskType.Attr(k, name)
}

// AttrNames lists the members.
func (k *Task) AttrNames() []string { return taskType.AttrNames() }

// attr makes an attribute that is None while the task runs.
func attr(name, typ, doc string, get func(k *Task) starlark.Value) spec.Attr {
	return spec.Attr{Name: name, Type: typ, Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) {
		if k := v.(*Task); k.k.Ended() {
			return get(k), nil
		}
		return starlark.None, nil
	}}
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
			return starlark.String(v.(*Task).k.Name()), nil
		}},
		{Name: "done", Type: "bool", Doc: "Whether it has ended.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(v.(*Task).k.Ended()), nil
		}},
		attr("ok", "bool|None", "Whether it succeeded; None while it runs.", func(k *Task) starlark.Value {
			k.look(false)
			return starlark.Bool(k.k.Ok())
		}),
		attr("value", "any", "What it returned; None while it runs and when it failed.", func(k *Task) starlark.Value {
			k.look(false)
			if k.k.Ok() {
				return k.value()
			}
			return starlark.None
		}),
		attr("error", "error|None", "What went wrong; None while it runs and when it succeeded.", func(k *Task) starlark.Value {
			err := k.k.Err()
			if err == nil {
				k.look(false)
				return starlark.None
			}
			k.look(bug(err))
			return value.NewError(err)
		}),
		attr("panicked", "bool|None", "Whether a mistake in the script or in rig ended it: its error has kind \"script\", \"guard\" or \"panic\". Errors of the database, fail() and failed expectations are none; None while it runs.", func(k *Task) starlark.Value {
			return starlark.Bool(k.k.Err() != nil && bug(k.k.Err()))
		}),
	},
	Methods: []*spec.Func{
		{Name: "wait", Returns: "any", Doc: "Waits for the end and returns the function's value; its error is raised here.", Params: []spec.Param{
			{Name: "timeout", Type: "duration", Optional: true, Doc: "How long; the test's own bound without it."},
		}, Waits: func(c *spec.Call) string { return "waits for task " + c.Recv.(*Task).k.Name() }, Impl: func(c *spec.Call) (starlark.Value, error) {
			k := c.Recv.(*Task)
			if err := k.wait(c.Script().Context(), c.Duration("timeout")); err != nil {
				return nil, err
			}
			k.look(true)
			if err := k.k.Err(); err != nil {
				return nil, err
			}
			return k.value(), nil
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
		set := coord.NewTasks(t.Context())
		free := func() { set.Cancel(context.Canceled) }
		k, err := launch(c, t, set, work{c.Callable("fn"), c.Rest, c.Extra, free})
		if err != nil {
			return nil, err
		}
		reap(t, k)
		return k, nil
	},
}

// gather runs n calls, at most limit at a time, and gives their outcomes in order. A failed expectation or the end of the
// test in one of them is raised when all have ended.
func gather(c *spec.Call, n, limit int, at func(i int) work) (starlark.Value, error) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = coord.MaxTasks
	}
	set := coord.NewTasks(t.Context())
	set.Keep = true
	defer set.Cancel(context.Canceled) // all have ended, or the test has
	defer script.Wait(c.Thread, func() string { return waitsFor(set) })()
	tasks := make([]*Task, 0, n)
	ctx := c.Script().Context()
	var refused error
	for i := range n {
		if i >= limit { // a place is free when any of them has ended
			if _, err := set.Next(ctx, coord.Forever); err != nil {
				break
			}
		}
		k, err := launch(c, t, set, at(i))
		if err != nil {
			refused = err
			break
		}
		tasks = append(tasks, k)
	}
	return outcomes(c, t, tasks, refused)
}

// outcomes waits for tasks and gives how each ended, in order. What no script may catch is raised, and refused, the error of
// one that could not be started, before that.
func outcomes(c *spec.Call, t *scenario.Test, tasks []*Task, refused error) (starlark.Value, error) {
	ctx := c.Script().Context()
	list := make([]starlark.Value, 0, len(tasks))
	var failed []*value.Outcome
	var raise error
	for _, k := range tasks {
		if err := k.wait(ctx, 0); err != nil {
			return nil, err
		}
		k.look(true)
		err := k.k.Err()
		if err != nil && raise == nil && !value.Catchable(c.Script(), err) {
			raise = err
		}
		o := value.NewOutcome(k.value(), err)
		if err != nil {
			failed = append(failed, o)
		}
		list = append(list, o)
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
		unseen(c, t, failed, len(list))
	}
	return starlark.NewList(list), nil
}

// unseen fails the test where no outcome of a call was looked at although some failed.
func unseen(c *spec.Call, t *scenario.Test, failed []*value.Outcome, all int) {
	name := c.Name()
	value.Unseen{
		Call: name, Pos: script.CallerPos(c.Thread), Hint: "expect.all_ok(outcomes), or look at each: if not o: o.error",
		Looked: func() bool { return slices.ContainsFunc(failed, (*value.Outcome).Looked) },
		Message: func() string {
			first := failed[0].Err().Report()
			return fmt.Sprintf("%d of %d outcomes of %s failed and nobody looked; the first: %s", len(failed), all, name, first.Message)
		},
	}.Watch(t)
}

// maxTasks bounds what one call starts.
const maxTasks = 100_000

var parallelFunc = &spec.Func{
	Name: "parallel", Returns: "list", Elem: "outcome",
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
		return gather(c, len(calls), 0, func(i int) work { return work{fn: calls[i]} })
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
	Name: "map", Returns: "list", Elem: "outcome",
	Doc: "Calls fn(item) for all items at the same time and returns the outcomes in order when all have ended.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to call."},
		{Name: "items", Type: "iterable", Doc: "One call each."},
		{Name: "limit", Type: "int", Optional: true, KwOnly: true, Doc: "How many run at a time; all without it, up to 10,000."},
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
		return gather(c, len(items), int(c.Int("limit")), func(i int) work {
			return work{fn: fn, args: starlark.Tuple{items[i]}}
		})
	},
}
