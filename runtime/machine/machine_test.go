package machine_test

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/machine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// to makes a step that names a state.
func to(name string) machine.Step {
	return func(*machine.Visit) (string, error) { return name, nil }
}

// state makes a state whose execute names next.
func state(name, next string) machine.State {
	return machine.State{Name: name, Handler: machine.Handler{Execute: to(next)}, To: []string{next}}
}

func common() map[string]machine.Handler {
	m := map[string]machine.Handler{}
	for _, name := range machine.Common() {
		m[name] = machine.Handler{Execute: to("")}
	}
	return m
}

func build(t *testing.T, d machine.Definition) *machine.Machine {
	t.Helper()
	if d.Name == "" {
		d.Name = "m"
	}
	m, err := machine.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func path(r *machine.Result) string {
	var names []string
	for _, p := range r.Path {
		names = append(names, p.State)
	}
	return strings.Join(names, " ")
}

func run(t *testing.T, m *machine.Machine, o machine.Options) (*machine.Result, error) {
	t.Helper()
	r, err := m.Run(t.Context(), o, nil)
	if (err == nil) != (r.Err == nil) || err != nil && !errors.Is(err, r.Err) {
		t.Errorf("Run returned %v, Result.Err is %v", err, r.Err)
	}
	return r, err
}

func TestOrder(t *testing.T) {
	const five = "parsing_config connecting testing_connection verifying_database getting_version"
	for _, c := range []struct {
		name string
		d    machine.Definition
		want string
	}{
		{"common states, then after_common", machine.Definition{Common: common(), AfterCommon: "b", States: []machine.State{state("a", "completed"), state("b", "a")}}, five + " b a"},
		{"without after_common the first own state", machine.Definition{Common: common(), States: []machine.State{state("a", "b"), state("b", "completed")}}, five + " a b"},
		{"no own state", machine.Definition{Common: common()}, five},
		{"start leaves the common states out", machine.Definition{Common: common(), Start: "a", States: []machine.State{state("a", "completed")}}, "a"},
		{"common states without handlers do not exist", machine.Definition{Common: map[string]machine.Handler{"connecting": {}}, States: []machine.State{state("a", "completed")}}, "connecting a"},
		{"nothing common at all", machine.Definition{States: []machine.State{state("a", "completed")}}, "a"},
		{"a replaced one may go elsewhere", machine.Definition{Common: common(), States: []machine.State{state("connecting", "a"), state("a", "completed")}}, "parsing_config connecting a"},
		{"a replaced one without a name goes on", machine.Definition{Common: common(), States: []machine.State{{Name: "getting_version"}, state("a", "completed")}}, five + " a"},
		{"handlers of the terminal states run", machine.Definition{States: []machine.State{state("a", "completed"), {Name: "completed", Handler: machine.Handler{Execute: to("a")}}}}, "a completed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := run(t, build(t, c.d), machine.Options{})
			if err != nil || r.State != machine.Completed {
				t.Fatalf("state %q, error %v", r.State, err)
			}
			if got := path(r); got != c.want {
				t.Errorf("path\n got %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestVisits(t *testing.T) {
	var seen []string
	note := func(v *machine.Visit, step string) {
		box := v.Local.(*int)
		*box++
		seen = append(seen, fmt.Sprintf("%s.%s previous=%s visits=%d step=%d local=%d %s/%s", v.State, step, v.Previous, v.Visits, v.Step, *box, v.Machine, v.Member))
	}
	loop := machine.State{Name: "loop", To: []string{"loop", "last"}, Handler: machine.Handler{
		Enter: func(v *machine.Visit) (string, error) { note(v, "enter"); return "", nil },
		Execute: func(v *machine.Visit) (string, error) {
			note(v, "execute")
			if v.Visits < 2 {
				return "loop", nil
			}
			return "last", nil
		},
		Exit: func(v *machine.Visit) error { note(v, "exit"); return nil },
	}}
	last := machine.State{Name: "last", To: []string{"completed"}, Handler: machine.Handler{
		Execute: func(v *machine.Visit) (string, error) { note(v, "execute"); return "completed", nil },
	}}
	m := build(t, machine.Definition{Name: "flow", States: []machine.State{loop, last}})
	for range 2 { // what a run keeps is not seen by the next
		seen = nil
		var observed []machine.Transition
		r, err := m.Run(t.Context(), machine.Options{Member: "primary", Observe: func(tr machine.Transition) { observed = append(observed, tr) }}, func() any { return new(int) })
		if err != nil {
			t.Fatal(err)
		}
		want := []string{
			"loop.enter previous= visits=1 step=1 local=1 flow/primary",
			"loop.execute previous= visits=1 step=1 local=2 flow/primary",
			"loop.exit previous= visits=1 step=1 local=3 flow/primary",
			"loop.enter previous=loop visits=2 step=2 local=4 flow/primary",
			"loop.execute previous=loop visits=2 step=2 local=5 flow/primary",
			"loop.exit previous=loop visits=2 step=2 local=6 flow/primary",
			"last.execute previous=loop visits=1 step=3 local=1 flow/primary",
		}
		if !slices.Equal(seen, want) {
			t.Errorf("steps\n got %s\nwant %s", strings.Join(seen, "\n"), strings.Join(want, "\n"))
		}
		if !reflect.DeepEqual(observed, r.Path) {
			t.Errorf("observed %v, path %v", observed, r.Path)
		}
		if p := r.Path[1]; p.State != "loop" || p.Next != "last" || p.Visit != 2 || p.Err != nil {
			t.Errorf("second transition %+v", p)
		}
		if !maps.Equal(r.Visits, map[string]int{"loop": 2, "last": 1, "completed": 1}) {
			t.Errorf("visits %v", r.Visits)
		}
	}
}

func TestEnterRedirects(t *testing.T) {
	exits := 0
	a := machine.State{Name: "a", To: []string{"b"}, Handler: machine.Handler{
		Enter:   to("b"),
		Execute: func(*machine.Visit) (string, error) { t.Error("execute ran after a redirect"); return "", nil },
		Exit:    func(*machine.Visit) error { exits++; return nil },
	}}
	r, err := run(t, build(t, machine.Definition{States: []machine.State{a, state("b", "completed")}}), machine.Options{})
	if err != nil || path(r) != "a b" || exits != 1 {
		t.Errorf("path %q, exits %d, error %v", path(r), exits, err)
	}
}

func TestDurations(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := machine.State{Name: "a", To: []string{"a", "completed"}, Handler: machine.Handler{
			Execute: func(v *machine.Visit) (string, error) {
				time.Sleep(2 * time.Second)
				if v.Visits < 2 {
					return "a", nil
				}
				return "completed", nil
			},
			Exit: func(*machine.Visit) error { time.Sleep(time.Second); return nil },
		}}
		r, err := run(t, build(t, machine.Definition{States: []machine.State{a}}), machine.Options{})
		if err != nil || r.Durations["a"] != 6*time.Second || r.Duration != 6*time.Second || r.Path[0].Duration != 3*time.Second {
			t.Errorf("durations %v, in all %v, first %v, error %v", r.Durations, r.Duration, r.Path[0].Duration, err)
		}
	})
}

var errStep = errors.New("step broke")

// failing is a state that fails in one phase, with an exit that counts.
func failing(phase string, exits *int) machine.State {
	fail := func(p string) machine.Step {
		return func(*machine.Visit) (string, error) {
			if p == phase {
				return "", errStep
			}
			if p == "execute" {
				return "completed", nil
			}
			return "", nil
		}
	}
	return machine.State{Name: "a", To: []string{"completed"}, Pos: event.Pos{File: "x.star", Line: 4}, Handler: machine.Handler{
		Enter: fail("enter"), Execute: fail("execute"), Exit: func(v *machine.Visit) error {
			*exits++
			_, err := fail("exit")(v)
			return err
		},
	}}
}

func TestErrors(t *testing.T) {
	for _, phase := range []string{"enter", "execute", "exit"} {
		t.Run(phase, func(t *testing.T) {
			exits, cleaned := 0, 0
			failed := machine.State{Name: "failed", Handler: machine.Handler{Execute: func(v *machine.Visit) (string, error) {
				cleaned++
				if v.Previous != "a" {
					t.Errorf("failed comes after %q", v.Previous)
				}
				return "", nil
			}}}
			r, err := run(t, build(t, machine.Definition{Name: "flow", States: []machine.State{failing(phase, &exits), failed}}), machine.Options{})
			var s *machine.StateError
			if !errors.As(err, &s) || !errors.Is(err, errStep) {
				t.Fatalf("error %v", err)
			}
			if s.Machine != "flow" || s.State != "a" || s.Visit != 1 || s.Phase != phase {
				t.Errorf("error %+v", s)
			}
			if want := `machine "flow", state "a" (visit 1), ` + phase + ": step broke"; err.Error() != want {
				t.Errorf("message %q, want %q", err, want)
			}
			if r.State != machine.Failed || exits != 1 || cleaned != 1 || path(r) != "a failed" {
				t.Errorf("state %q, exits %d, handler of failed ran %d times, path %q", r.State, exits, cleaned, path(r))
			}
			if p := r.Path[0]; p.Next != machine.Failed || !errors.Is(p.Err, errStep) {
				t.Errorf("transition %+v", p)
			}
			if rep := s.Report(); rep.Pos.Line != 4 || rep.Kind != string(fault.Other) {
				t.Errorf("report %+v", rep)
			}
		})
	}
}

type reported struct{ e *event.Error }

func (r reported) Error() string        { return r.e.Message }
func (r reported) Report() *event.Error { return r.e }

func TestReportPassesThrough(t *testing.T) {
	inner := &event.Error{Kind: "expectation", Message: "1 is not 2", Detail: "diff", Pos: event.Pos{File: "x.star", Line: 9}}
	a := machine.State{Name: "a", To: []string{"completed"}, Handler: machine.Handler{
		Execute: func(*machine.Visit) (string, error) { return "", fmt.Errorf("wrapped: %w", reported{inner}) },
		Exit:    func(*machine.Visit) error { return errors.New("exit broke too") },
	}}
	_, err := run(t, build(t, machine.Definition{States: []machine.State{a}}), machine.Options{})
	var rep interface{ Report() *event.Error }
	if !errors.As(err, &rep) {
		t.Fatalf("no report in %v", err)
	}
	got := rep.Report()
	want := "diff\nin machine \"m\", state \"a\" (visit 1), execute\nthen machine \"m\", state \"a\" (visit 1), exit: exit broke too"
	if got.Kind != "expectation" || got.Message != "1 is not 2" || got.Pos.Line != 9 || got.Detail != want {
		t.Errorf("report %+v", got)
	}
	if inner.Detail != "diff" {
		t.Errorf("the cause's report was changed: %q", inner.Detail)
	}
}

func TestReportOfDatabaseError(t *testing.T) {
	cause := fault.New(fault.Deadlock, "conn.exec", "Deadlock found").WithHint("try again")
	cause.SQL, cause.Session, cause.Code, cause.Name = "UPDATE t", "s1", 1213, "ER_LOCK_DEADLOCK"
	a := machine.State{Name: "a", To: []string{"completed"}, Handler: machine.Handler{Execute: func(*machine.Visit) (string, error) { return "", cause }}}
	_, err := run(t, build(t, machine.Definition{States: []machine.State{a}}), machine.Options{})
	if !fault.Retryable(err) {
		t.Errorf("the category was lost: %v", fault.Classify(err))
	}
	var s *machine.StateError
	if !errors.As(err, &s) {
		t.Fatal(err)
	}
	got := s.Report()
	if got.Kind != "deadlock" || got.Code != 1213 || got.Name != "ER_LOCK_DEADLOCK" || got.SQL != "UPDATE t" || got.Session != "s1" || got.Op != "conn.exec" || got.Hint != "try again" {
		t.Errorf("report %+v", got)
	}
}

func TestPanic(t *testing.T) {
	a := machine.State{Name: "a", To: []string{"completed"}, Handler: machine.Handler{Execute: func(*machine.Visit) (string, error) { panic(errStep) }}}
	r, err := run(t, build(t, machine.Definition{States: []machine.State{a}}), machine.Options{})
	var p *machine.PanicError
	if !errors.As(err, &p) || !errors.Is(err, errStep) || r.State != machine.Failed {
		t.Fatalf("state %q, error %v", r.State, err)
	}
	if rep := p.Report(); rep.Kind != "panic" || !strings.Contains(rep.Detail, "machine_test.go") {
		t.Errorf("report %+v", rep)
	}
}

func TestNamesAtRunTime(t *testing.T) {
	for _, c := range []struct{ named, message, hint string }{
		{"complted", `named "complted", which is no state of this machine`, `did you mean "completed"?`},
		{"zzzzzzzz", `named "zzzzzzzz", which is no state of this machine`, "the states are a, completed, failed"},
		{"", "named no next state", `return the name of the next state, "completed" at the end`},
	} {
		m := build(t, machine.Definition{States: []machine.State{{Name: "a", Dynamic: true, Handler: machine.Handler{Execute: to(c.named)}}}})
		r, err := run(t, m, machine.Options{})
		var s *machine.StateError
		if !errors.As(err, &s) || r.State != machine.Failed {
			t.Errorf("%q: state %q, error %v", c.named, r.State, err)
			continue
		}
		if rep := s.Report(); s.Err.Error() != c.message || rep.Hint != c.hint || rep.Kind != "script" {
			t.Errorf("%q: message %q, report %+v", c.named, s.Err, rep)
		}
	}
}

func TestFailedIsAVerdict(t *testing.T) {
	ran := 0
	failed := machine.State{Name: "failed", Handler: machine.Handler{Execute: func(*machine.Visit) (string, error) { ran++; return "", nil }}}
	r, err := run(t, build(t, machine.Definition{States: []machine.State{
		{Name: "a", To: []string{"failed", "completed"}, Handler: machine.Handler{Execute: to("failed")}}, failed,
	}}), machine.Options{})
	if err != nil || r.State != machine.Failed || ran != 1 || path(r) != "a failed" {
		t.Errorf("state %q, path %q, ran %d times, error %v", r.State, path(r), ran, err)
	}
}

func TestHandlerOfFailedErrs(t *testing.T) {
	errClean := errors.New("clean-up broke")
	exits := 0
	failed := machine.State{Name: "failed", Handler: machine.Handler{Execute: func(*machine.Visit) (string, error) { return "", errClean }}}
	r, err := run(t, build(t, machine.Definition{States: []machine.State{failing("execute", &exits), failed}}), machine.Options{})
	if !errors.Is(err, errStep) || !errors.Is(err, errClean) || r.Visits["failed"] != 1 || path(r) != "a failed" {
		t.Errorf("path %q, error %v", path(r), err)
	}
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 2 || !strings.HasSuffix(lines[0], "step broke") || !strings.HasPrefix(lines[1], "then ") {
		t.Errorf("message %q", err)
	}
}

func TestHandlerOfCompletedErrs(t *testing.T) {
	completed := machine.State{Name: "completed", Handler: machine.Handler{Execute: func(*machine.Visit) (string, error) { return "", errStep }}}
	r, err := run(t, build(t, machine.Definition{States: []machine.State{state("a", "completed"), completed}}), machine.Options{})
	if !errors.Is(err, errStep) || r.State != machine.Failed || r.Path[1].Next != machine.Failed {
		t.Errorf("state %q, path %v, error %v", r.State, r.Path, err)
	}
}

func TestConcurrentRuns(t *testing.T) {
	m := build(t, machine.Definition{Common: common(), States: []machine.State{
		{Name: "a", Dynamic: true, Handler: machine.Handler{Execute: func(v *machine.Visit) (string, error) {
			*v.Local.(*int)++
			if *v.Local.(*int) < 20 {
				return "a", nil
			}
			return "completed", nil
		}}},
	}})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if r, err := m.Run(t.Context(), machine.Options{}, func() any { return new(int) }); err != nil || r.Visits["a"] != 20 {
				t.Errorf("visits %v, error %v", r.Visits, err)
			}
		})
	}
	group.Wait()
}
