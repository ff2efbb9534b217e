package coord_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/coord"
	"rig/runtime/fault"
)

func names(tasks []*coord.Task) (out []string) {
	for _, k := range tasks {
		out = append(out, k.Name())
	}
	return out
}

func after(d time.Duration, v any, err error) func(context.Context) (any, error) {
	return func(ctx context.Context) (any, error) {
		select {
		case <-time.After(d):
			return v, err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

func TestTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := coord.NewTasks(t.Context())
		good, bad := tasks.Go("good", after(time.Second, 42, nil)), tasks.Go("bad", after(2*time.Second, 1, errBroke))
		if good.Ok() || good.Ended() || good.Value() != nil || bad.Err() != nil || good.Duration() != 0 {
			t.Errorf("a running task: %+v", good)
		}
		if got := names(tasks.Running()); !slices.Equal(got, []string{"good", "bad"}) {
			t.Errorf("running %v", got)
		}
		if _, err := good.Wait(t.Context(), time.Millisecond); err == nil || err.Error() != `waited 1ms for task "good"` {
			t.Errorf("impatient: %v", err)
		}
		if v, err := good.Wait(t.Context(), 0); v != 42 || err != nil {
			t.Errorf("good: %v, %v", v, err)
		}
		if _, err := bad.Wait(t.Context(), 0); !errors.Is(err, errBroke) {
			t.Errorf("bad: %v", err)
		}
		<-bad.Done()
		if !good.Ok() || bad.Ok() || good.Value() != 42 || good.Err() != nil || !errors.Is(bad.Err(), errBroke) || bad.Duration() != 2*time.Second {
			t.Errorf("ended tasks: %+v, %+v", good, bad)
		}
		ok(t, tasks.Wait(t.Context(), 0), tasks.Close(0))
	})
}

func TestTaskPanicAndGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := coord.NewTasks(t.Context())
		_, err := tasks.Go("panics", func(context.Context) (any, error) { panic(errBroke) }).Wait(t.Context(), 0)
		var p *coord.PanicError
		if !errors.As(err, &p) || !errors.Is(err, errBroke) {
			t.Errorf("panic: %v", err)
		}
		_, err = tasks.Go("exits", func(context.Context) (any, error) { goexit(); return nil, nil }).Wait(t.Context(), 0)
		if err == nil || err.Error() != "the function ended its goroutine" {
			t.Errorf("goexit: %v", err)
		}
		ok(t, tasks.Close(0))
	})
}

// TestEndedIsToldFirst: a job's Ended knows the result before anybody who waits does, also where the job was refused.
func TestEndedIsToldFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := coord.NewTasks(t.Context())
		told := 0
		start := func(fn func(context.Context) (any, error)) *coord.Task {
			return tasks.Start(coord.Job{Name: "j", Run: fn, Ended: func(k *coord.Task) {
				told++
				if k.Ended() {
					t.Error("it counts as ended before Ended was told")
				}
				if _, took, err := k.Result(); err == nil || took != time.Second && took != 0 {
					t.Errorf("told of %v after %v", err, took)
				}
			}})
		}
		for i, fn := range []func(context.Context) (any, error){
			after(time.Second, nil, errBroke),
			func(context.Context) (any, error) { panic("boom") },
			func(context.Context) (any, error) { goexit(); return nil, nil },
		} {
			if _, err := start(fn).Wait(t.Context(), 0); err == nil || told != i+1 {
				t.Errorf("job %d: %v, told %d times", i, err, told)
			}
		}
		tasks.Cancel(errBroke)
		if k := start(after(0, nil, nil)); !errors.Is(k.Err(), errBroke) || told != 4 {
			t.Errorf("refused: %v, told %d times", k.Err(), told)
		}
		ok(t, tasks.Close(coord.Forever))
	})
}

func TestTasksNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := coord.NewTasks(t.Context())
		tasks.Keep = true
		for i, d := range []time.Duration{3, 1, 2} {
			tasks.Go(string(rune('a'+i)), after(d*time.Second, nil, nil))
		}
		if _, err := tasks.Next(t.Context(), time.Millisecond); !fault.IsKind(err, fault.Timeout) || err.Error() != "waited 1ms for the next task; missing: a, b, c" {
			t.Errorf("impatient: %v", err)
		}
		var order []string
		for {
			k, err := tasks.Next(t.Context(), 0)
			if errors.Is(err, coord.ErrNoTask) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			order = append(order, k.Name())
		}
		if !slices.Equal(order, []string{"b", "c", "a"}) {
			t.Errorf("order %v", order)
		}
		if _, err := tasks.Next(t.Context(), -1); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("negative timeout: %v", err)
		}
		ok(t, tasks.Close(0))
	})
}

func TestTasksCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tasks := coord.NewTasks(t.Context())
		tasks.Keep = true
		slow := tasks.Go("slow", after(time.Hour, nil, nil))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBroke)
		if err := tasks.Wait(ctx, 0); !errors.Is(err, errBroke) || slow.Ended() {
			t.Errorf("waiting with an ended context: %v", err)
		}
		tasks.Cancel(errBroke)
		if _, err := slow.Wait(t.Context(), 0); !errors.Is(err, errBroke) {
			t.Errorf("slow: %v", err)
		}
		late := tasks.Go("late", func(context.Context) (any, error) { t.Error("run after the end"); return nil, nil })
		if err := late.Err(); !late.Ended() || !errors.Is(err, errBroke) || err.Error() != `task "late" was not started: primary broke` {
			t.Errorf("late: %v", err)
		}
		for _, want := range []*coord.Task{slow, late} {
			if k, err := tasks.Next(t.Context(), 0); k != want || err != nil {
				t.Errorf("next %v, %v", k, err)
			}
		}
		ok(t, tasks.Close(0))
	})
}

func TestTasksAreBounded(t *testing.T) {
	tasks := coord.NewTasks(t.Context())
	release := make(chan struct{})
	for range coord.MaxTasks {
		tasks.Go("waiting", func(context.Context) (any, error) { <-release; return nil, nil })
	}
	more := tasks.Go("more", func(context.Context) (any, error) { return nil, nil })
	if !more.Ended() || !fault.IsKind(more.Err(), fault.LimitExceeded) {
		t.Errorf("task %d: %v", coord.MaxTasks+1, more.Err())
	}
	close(release)
	ok(t, tasks.Close(0))
}

// goexit ends the goroutine as a failed assertion of package testing does.
func goexit() { runtime.Goexit() }
