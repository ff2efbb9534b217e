package main

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.starlark.net/starlark"
	"go.uber.org/goleak"

	"rig/builtins"
	"rig/builtins/test"
	"rig/runtime/config"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

const panicScript = `
def boom():
    explode()

def boom_in(ctx):
    explode()
    return machine.completed

def waits(ctx):
    ctx.barrier("never")
    return machine.completed

def test_waited_for(t):
    task.spawn(boom).wait()

def test_mapped(t):
    task.map(lambda i: boom() if i == 2 else i, range(4))

def test_grouped(t):
    g = task.group()
    g.spawn(boom)
    g.wait()

def test_asked_only(t):
    g = task.group()
    g.spawn(boom)
    expect.eq(g.next().ok, False)

def test_member(t):
    c = coordinator("c")
    c.add("bad", machine.new("m", states = {"s": boom_in}, start = "s"))
    c.add("waits", machine.new("m", states = {"s": waits}, start = "s"))
    c.run(t, on_failure = "continue")

def test_passes_told_apart(t):
    g = task.group()
    g.spawn(boom)
    g.spawn(t.db.query, "SELECT * FROM nowhere")
    kinds = {}
    for _ in range(2):
        k = g.next()
        kinds[k.error.kind] = k.panicked
    expect.eq(kinds, {"panic": True, "unknown_table": False})
`

// endings keeps how each test ended.
type endings struct {
	verdicts
	mu    sync.Mutex
	kinds map[string]string // guarded by mu: the first error's kind, "" where the test passed
}

func (e *endings) Event(x *event.Event) error {
	if d, ok := x.Data.(*event.TestEnd); ok {
		e.mu.Lock()
		defer e.mu.Unlock()
		_, name, _ := strings.Cut(x.Test, "::")
		e.kinds[name] = ""
		if len(d.Errors) > 0 {
			e.kinds[name] = d.Errors[0].Kind
		}
	}
	return nil
}

// TestPanicsInTasks: a Go panic in a task, or in a member of a coordinator, is told as such, and never lost.
func TestPanicsInTasks(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	dir := t.TempDir()
	path := filepath.Join(dir, "panics.star")
	if err := os.WriteFile(path, []byte(panicScript), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.Source{Dir: dir, Flags: map[string]string{"target": "embedded"}})
	if err != nil {
		t.Fatal(err)
	}
	e := &endings{kinds: map[string]string{}}
	bus := event.NewBus(time.Now(), nil, e)
	reg, params := scenario.NewRegistry(), newParamSet(cfg, nil)
	all := maps.Clone(builtins.Predeclared(builtins.Options{Registry: reg, Params: params}))
	all["explode"] = starlark.NewBuiltin("explode", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		panic("boom")
	})
	host := script.NewHost(script.Options{Root: dir, Predeclared: all})
	servers := newTargets(cfg, bus, "")
	plan := scenario.Discover(t.Context(), host, reg, bus, []string{path})
	err = scenario.Run(context.Background(), scenario.Options{
		ID: newRunID(time.Now()), Bus: bus, Host: host, Targets: servers, Jobs: 1, TestTimeout: time.Minute,
		NewValue: func(x *scenario.Test) starlark.Value { return test.Value(x, params.of(path, nil)) },
	}, plan.Items)
	servers.close()
	bus.Close()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"test_waited_for": "panic", "test_mapped": "panic", "test_grouped": "panic", "test_asked_only": "panic", "test_member": "panic",
		"test_passes_told_apart": "",
	}
	if !maps.Equal(e.kinds, want) {
		t.Errorf("first errors are of kind %v, want %v", e.kinds, want)
	}
}
