package scenario

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/clock"
	"rig/runtime/event"
	"rig/runtime/session"
)

// fixture is what setup_all made for the tests of one file: it is called before the first of them, teardown_all after the
// last.
type fixture struct {
	run    *run
	target *Target
	file   *File
	shared starlark.Value // what setup_all returned, frozen

	once sync.Once
	err  error // of setup_all; every test of the file has it
	test *Test // the t of setup_all and teardown_all; nil when neither exists or no test came so far

	mu   sync.Mutex
	left int // guarded by mu: tests of the file that have not ended
	over bool
}

type fixtures map[*File]*fixture

func newFixtures(r *run, target *Target, items []*Item) fixtures {
	all := fixtures{}
	for _, it := range items {
		f := all[it.file]
		if f == nil {
			f = &fixture{run: r, target: target, file: it.file}
			all[it.file] = f
		}
		f.left++
	}
	return all
}

func (fs fixtures) of(it *Item) *fixture { return fs[it.file] }

// finish tears down the files whose tests were not all started.
func (fs fixtures) finish(ctx context.Context) {
	for _, f := range fs {
		f.teardown(ctx)
	}
}

func (f *fixture) function(name string) starlark.Callable {
	fn, _ := f.file.Module.Globals[name].(starlark.Callable)
	return fn
}

// enter calls setup_all for the file's first test; the others get its outcome.
func (f *fixture) enter(ctx context.Context) error {
	f.once.Do(func() {
		if f.function("setup_all") == nil && f.function("teardown_all") == nil {
			return
		}
		if f.err = f.setup(ctx); f.err != nil && f.test != nil {
			f.test.ended(f.err)
		}
	})
	return f.err
}

func (f *fixture) setup(ctx context.Context) error {
	r := f.run
	id := f.file.Path + "::setup_all"
	t := &Test{
		run: r, item: &Item{ID: id, Name: "setup_all", file: f.file, Pos: event.Pos{File: f.file.Path}}, id: id, name: "setup_all",
		seed: seedOf(r.Seed, id), event: r.Bus.NextID(), target: f.target,
	}
	body, cancel := clock.WithTimeout(ctx, r.TestTimeout, &TimeoutError{What: "test", Bound: r.TestTimeout})
	defer cancel()
	t.setPhase(body)
	t.value = r.NewValue(t)
	f.test = t
	if err := t.requireFile(); err != nil {
		return err
	}
	fn := f.function("setup_all")
	if fn == nil {
		return nil
	}
	defer t.interruptWhen(body)()
	v, err := r.Host.Thread(body, id, t).Call(fn, starlark.Tuple{t.value}, nil)
	if err != nil {
		return fmt.Errorf("setup_all: %w", err)
	}
	if err := r.Host.Share(v); err != nil {
		return fmt.Errorf("setup_all returned what tests cannot share: %w", err)
	}
	f.shared = v
	return nil
}

// leave counts a test that ended; after the last one the file is torn down.
func (f *fixture) leave(ctx context.Context) {
	f.mu.Lock()
	f.left--
	last := f.left == 0
	f.mu.Unlock()
	if last {
		f.teardown(ctx)
	}
}

// teardown calls teardown_all once, gives back what setup_all opened, and reports what fails as a test of that name.
func (f *fixture) teardown(ctx context.Context) {
	f.mu.Lock()
	over := f.over
	f.over = true
	f.mu.Unlock()
	if over || f.test == nil {
		return
	}
	t, start := f.test, time.Now()
	after, cancel := f.run.cleanupContext(ctx)
	defer cancel()
	t.setPhase(after)
	t.eachSession(func(s *session.Session) { s.Resume() })
	defer t.interruptWhen(after)()
	var v verdict
	if fn := f.function("teardown_all"); fn != nil {
		v.body = call(f.run.Host.Thread(after, f.file.Path+"::teardown_all", t), fn, t.value)
	}
	t.runCleanups(after, &v)
	v.leaks += t.leaks()
	t.giveBack(after, &v, nil)
	if v.body == nil && len(v.after) == 0 && v.leaks == 0 && len(t.late) == 0 {
		return
	}
	// A fixture has no place in the plan: it appears among the tests only when something is wrong with it.
	t.id, t.item.Pos = f.file.Path+"::teardown_all", event.Pos{File: f.file.Path}
	t.emitOwn(0, t.item.Pos, &event.TestStart{Attempt: 1, Seed: t.seed})
	end := t.end(&v, start)
	end.Attempt, end.Final = 1, true
	if end.Outcome == event.Failed {
		f.run.failures.Add(1)
	}
	t.emitOwn(0, event.Pos{}, end)
}
