package machine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/fault"
	"rig/runtime/machine"
)

func TestLoop(t *testing.T) {
	pair := []machine.State{
		{Name: "a", Dynamic: true, Handler: machine.Handler{Execute: to("b")}},
		{Name: "b", Dynamic: true, Handler: machine.Handler{Execute: to("a")}},
	}
	cleaned := false
	failed := machine.State{Name: "failed", Handler: machine.Handler{Exit: func(*machine.Visit) error { cleaned = true; return nil }}}
	m := build(t, machine.Definition{Name: "flow", States: append(pair, failed)})
	r, err := run(t, m, machine.Options{MaxTransitions: 31})
	var l *machine.LoopError
	if !errors.As(err, &l) || l.Max != 31 || r.State != "b" || !cleaned {
		t.Fatalf("state %q, cleaned %v, error %v", r.State, cleaned, err)
	}
	if want := strings.Fields(strings.Repeat("a b ", 10)); !slices.Equal(l.Path, want) {
		t.Errorf("path %v, want %v", l.Path, want)
	}
	if want := "visited most: a (16), b (15); raise max_transitions if so many are meant"; l.Report().Hint != want || !fault.IsKind(err, fault.LimitExceeded) {
		t.Errorf("report %+v, class %v", l.Report(), fault.Classify(err))
	}
	if _, err := run(t, m, machine.Options{}); !errors.As(err, &l) || l.Max != machine.DefaultMaxTransitions {
		t.Errorf("without a bound: %v", err)
	}
}

func TestLoopBoundIsExact(t *testing.T) {
	count := machine.State{Name: "a", To: []string{"a", "completed"}, Handler: machine.Handler{Execute: func(v *machine.Visit) (string, error) {
		if v.Visits < 10 {
			return "a", nil
		}
		return "completed", nil
	}}}
	m := build(t, machine.Definition{States: []machine.State{count}})
	if r, err := run(t, m, machine.Options{MaxTransitions: 10}); err != nil || r.State != machine.Completed {
		t.Errorf("10 transitions of 10: state %q, error %v", r.State, err)
	}
	if r, err := run(t, m, machine.Options{MaxTransitions: 9}); err == nil || r.State != "a" {
		t.Errorf("10 transitions of 9: state %q, error %v", r.State, err)
	}
}

func TestNegativeOptions(t *testing.T) {
	m := build(t, machine.Definition{States: []machine.State{state("a", "completed")}})
	for _, o := range []machine.Options{{MaxTransitions: -1}, {Timeout: -1}} {
		if r, err := run(t, m, o); !fault.IsKind(err, fault.BadArgument) || len(r.Path) != 0 {
			t.Errorf("%+v: path %v, error %v", o, r.Path, err)
		}
	}
}

// waiting is a state whose execute waits for its context, and whose exit and handler of failed note theirs.
func waiting(notes *[]string) []machine.State {
	note := func(what string, ctx context.Context) {
		left := "no deadline"
		if d, ok := ctx.Deadline(); ok {
			left = time.Until(d).String()
		}
		*notes = append(*notes, fmt.Sprintf("%s %v %s", what, ctx.Err(), left))
	}
	return []machine.State{
		{Name: "a", To: []string{"completed"}, Handler: machine.Handler{
			Execute: func(v *machine.Visit) (string, error) { <-v.Context.Done(); return "", v.Context.Err() },
			Exit:    func(v *machine.Visit) error { note("exit", v.Context); return nil },
		}},
		{Name: "failed", Handler: machine.Handler{Execute: func(v *machine.Visit) (string, error) { note("failed", v.Context); return "", nil }}},
	}
}

func TestTimeout(t *testing.T) {
	for _, timeout := range []time.Duration{0, 3 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			var notes []string
			begin := time.Now()
			r, err := run(t, build(t, machine.Definition{Name: "flow", States: waiting(&notes)}), machine.Options{Timeout: timeout})
			want := timeout
			if timeout == 0 {
				want = machine.DefaultTimeout
			}
			if took := time.Since(begin); took != want {
				t.Errorf("took %v, want %v", took, want)
			}
			var late *machine.TimeoutError
			if !errors.As(err, &late) || late.After != want || !errors.Is(err, context.DeadlineExceeded) || !fault.IsKind(err, fault.Timeout) {
				t.Errorf("error %v", err)
			}
			if r.State != "a" || r.Path[0].Next != "" {
				t.Errorf("stopped at %q, transition %+v", r.State, r.Path[0])
			}
			if want := []string{"exit <nil> 5s", "failed <nil> 5s"}; !slices.Equal(notes, want) {
				t.Errorf("notes %q, want %q", notes, want)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var notes []string
		m := build(t, machine.Definition{States: waiting(&notes)})
		why := errors.New("the test ended")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(why) })
		r, err := m.Run(ctx, machine.Options{}, nil)
		if !errors.Is(err, why) || r.State != "a" || len(notes) != 2 {
			t.Errorf("state %q, notes %q, error %v", r.State, notes, err)
		}
		r, err = m.Run(ctx, machine.Options{}, nil) // ended before it began: no state is entered
		if !errors.Is(err, why) || r.State != "a" || path(r) != "failed" || r.Visits["a"] != 0 {
			t.Errorf("state %q, path %q, error %v", r.State, path(r), err)
		}
	})
}

func TestStoppedBeforeCompleted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := build(t, machine.Definition{}).Run(ctx, machine.Options{}, nil)
	if !errors.Is(err, context.Canceled) || r.State != machine.Failed {
		t.Errorf("state %q, error %v", r.State, err)
	}
	completed := machine.State{Name: "completed", Handler: machine.Handler{Execute: func(*machine.Visit) (string, error) { cancel(); return "", ctx.Err() }}}
	ctx, cancel = context.WithCancel(t.Context())
	defer cancel()
	r, err = build(t, machine.Definition{States: []machine.State{completed}}).Run(ctx, machine.Options{}, nil)
	if !errors.Is(err, context.Canceled) || r.State != machine.Failed {
		t.Errorf("state %q, error %v", r.State, err)
	}
}

func TestStoppedStepKeepsItsOwnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := machine.State{Name: "a", To: []string{"completed"}, Handler: machine.Handler{
			Execute: func(v *machine.Visit) (string, error) { <-v.Context.Done(); return "", errStep },
		}}
		_, err := run(t, build(t, machine.Definition{Name: "flow", States: []machine.State{a}}), machine.Options{Timeout: time.Second})
		want := `machine "flow", state "a" (visit 1), execute: machine "flow" did not end within 1s; the step ended with: step broke`
		if !errors.Is(err, errStep) || err.Error() != want {
			t.Errorf("error %q, want %q", err, want)
		}
	})
}

func TestExitOutlivesTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := machine.State{Name: "a", To: []string{"completed"}, Handler: machine.Handler{
			Execute: to("completed"),
			Exit: func(v *machine.Visit) error { // begins in time and goes on for longer
				if d, _ := v.Context.Deadline(); time.Until(d) != 2*time.Second+machine.ExitGrace {
					t.Errorf("exit has %v", time.Until(d))
				}
				time.Sleep(6 * time.Second)
				return v.Context.Err()
			},
		}}
		r, err := run(t, build(t, machine.Definition{States: []machine.State{a}}), machine.Options{Timeout: 2 * time.Second})
		if r.Path[0].Err != nil || !errors.Is(err, context.DeadlineExceeded) || r.State != "a" {
			t.Errorf("state %q, exit's error %v, error %v", r.State, r.Path[0].Err, err)
		}
	})
}

func TestExitContextEndsAfterGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		a := machine.State{Name: "a", To: []string{"completed"}, Handler: machine.Handler{
			Execute: to("completed"),
			Exit:    func(v *machine.Visit) error { <-v.Context.Done(); return v.Context.Err() },
		}}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(2*time.Second, cancel) // while exit runs
		r, err := build(t, machine.Definition{States: []machine.State{a}}).Run(ctx, machine.Options{}, nil)
		if took := time.Since(begin); took != 2*time.Second+machine.ExitGrace {
			t.Errorf("exit had %v", took)
		}
		var s *machine.StateError
		if !errors.As(err, &s) || s.Phase != "exit" || r.State != "a" {
			t.Errorf("state %q, error %v", r.State, err)
		}
	})
}
