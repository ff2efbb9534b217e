package task

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/coord"
	"rig/runtime/scenario"
)

// group is a set of tasks of which the one that ends first can be waited for.
type group struct {
	set *coord.Tasks

	mu    sync.Mutex
	all   []*Task               // guarded by mu, in the order of their start
	byKey map[*coord.Task]*Task // guarded by mu
}

// waitsFor names the tasks of a set that have not ended.
func waitsFor(set *coord.Tasks) string {
	const shown = 8
	running := set.Running()
	var names []string
	for _, k := range running[:min(len(running), shown)] {
		names = append(names, k.Name())
	}
	if more := len(running) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("%d more", more))
	}
	if len(names) == 0 {
		return "waits for tasks that have just ended"
	}
	return "waits for task " + strings.Join(names, ", ")
}

func groupWaits(c *spec.Call) string { return waitsFor(of[*group](c.Recv).set) }

// spawn starts a call in the group.
func (g *group) spawn(c *spec.Call, t *scenario.Test, w work) (*Task, error) {
	g.mu.Lock() // until it is known by its key: next may get it at once
	defer g.mu.Unlock()
	if len(g.all) >= maxTasks {
		return nil, c.Errorf("fn", "at most %d tasks in one group", maxTasks)
	}
	k, err := launch(c, t, g.set, w)
	if err != nil {
		return nil, err
	}
	g.all = append(g.all, k)
	g.byKey[k.k] = k
	return k, nil
}

func (g *group) of(k *coord.Task) *Task {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.byKey[k]
}

func (g *group) tasks() []*Task {
	g.mu.Lock()
	defer g.mu.Unlock()
	return append([]*Task(nil), g.all...)
}

var groupFunc = &spec.Func{
	Name: "group", Returns: "task_group",
	Doc: "Makes an empty group of tasks, of which next() gives whichever ends first.",
	Example: `
g = task.group()
g.spawn(lambda a, b: a + b, 1, 2)
expect.eq(g.next().value, 3)
expect.eq(g.next(), None)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		set := coord.NewTasks(t.Context())
		set.Keep = true
		return &object[*group]{groupType, &group{set: set, byKey: map[*coord.Task]*Task{}}}, nil
	},
}

var groupType = (&spec.Type{
	Name: "task_group", Var: "group",
	Doc: "Tasks of which the one that ends first can be waited for. A task whose error nobody looks at fails the test.",
	Example: `
def work(n):
    return 10 // n
g = task.group()
for n in [1, 2, 0]:
    g.spawn(work, n)
good, bugs = [], []
for _ in range(3):
    k = g.next(timeout = "10s")
    if k.ok:
        good.append(k.value)
    elif k.panicked:
        bugs.append(k.error.message)
expect.eq(sorted(good), [5, 10])
expect.contains(bugs[0], "division by zero")
`,
	Attrs: []spec.Attr{
		{Name: "running", Type: "int", Doc: "How many have not ended.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt(len(of[*group](v).set.Running())), nil
		}},
	},
	Methods: []*spec.Func{
		{Name: "spawn", Returns: "task", Doc: "Starts fn(*args) and returns at once.", Params: []spec.Param{
			{Name: "fn", Type: "callable", Doc: "What to run."},
			{Name: "args", Type: "any", Variadic: true, Doc: "Its arguments; they are frozen."},
			{Name: "kwargs", Type: "any", Keywords: true, Doc: "Its keyword arguments."},
		}, Impl: func(c *spec.Call) (starlark.Value, error) {
			t, err := scenario.FromThread(c.Thread)
			if err != nil {
				return nil, err
			}
			k, err := of[*group](c.Recv).spawn(c, t, work{fn: c.Callable("fn"), args: c.Rest, kwargs: c.Extra})
			if err != nil {
				return nil, err
			}
			reap(t, k)
			return k, nil
		}},
		{Name: "next", Returns: "task|None", Doc: "Waits for the task that ends first of those it has not given yet; None when it has given all. Its error is not raised: look at task.ok, task.error and task.panicked.", Params: []spec.Param{groupTimeout}, Waits: groupWaits, Impl: func(c *spec.Call) (starlark.Value, error) {
			g := of[*group](c.Recv)
			k, err := g.set.Next(c.Script().Context(), groupBound(c))
			switch {
			case errors.Is(err, coord.ErrNoTask):
				return starlark.None, nil
			case err != nil:
				return nil, err
			}
			return g.of(k), nil
		}},
		{Name: "wait", Returns: "list", Elem: "outcome", Doc: "Waits for all and returns their outcomes in the order of their start, as task.map does. A mistake or a failed expectation in one of them is raised here.", Params: []spec.Param{groupTimeout}, Waits: groupWaits, Impl: func(c *spec.Call) (starlark.Value, error) {
			t, err := scenario.FromThread(c.Thread)
			if err != nil {
				return nil, err
			}
			g := of[*group](c.Recv)
			if err := g.set.Wait(c.Script().Context(), groupBound(c)); err != nil {
				return nil, err
			}
			return outcomes(c, t, g.tasks(), nil)
		}},
	},
}).Seal()

var groupTimeout = spec.Param{Name: "timeout", Type: "duration", Optional: true, KwOnly: true, Doc: "How long; the test's own bound without it. The error names the tasks that run."}

func groupBound(c *spec.Call) time.Duration {
	if !c.Has("timeout") {
		return coord.Forever
	}
	return c.Duration("timeout")
}
