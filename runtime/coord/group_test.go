package coord_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/coord"
	"rig/runtime/event"
	"rig/runtime/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var errBroke = errors.New("primary broke")

// parallel runs functions at once, waits for all and gives their errors in order.
func parallel(fns ...func() error) []error {
	errs := make([]error, len(fns))
	var group sync.WaitGroup
	for i, f := range fns {
		group.Go(func() { errs[i] = f() })
	}
	group.Wait()
	return errs
}

func ok(t *testing.T, errs ...error) {
	t.Helper()
	for i, err := range errs {
		if err != nil {
			t.Errorf("call %d: %v", i, err)
		}
	}
}

func TestGroupBarrier(t *testing.T) {
	for _, parties := range []int{0, 3} {
		synctest.Test(t, func(t *testing.T) {
			g := coord.NewGroup("a", "b", "c")
			var members []func() error
			for i, name := range g.Live() {
				members = append(members, func() error {
					for round := range 3 { // the same name, one generation after the other
						time.Sleep(time.Duration(i) * time.Second)
						begin := time.Now()
						if err := g.Barrier(t.Context(), name, "loaded", parties, 0); err != nil {
							return fmt.Errorf("round %d: %w", round, err)
						}
						if waited := time.Since(begin); waited != time.Duration(2-i)*time.Second {
							return fmt.Errorf("round %d: waited %v", round, waited)
						}
					}
					return nil
				})
			}
			ok(t, parallel(members...)...)
		})
	}
}

func TestGroupBarrierOfSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b", "c")
		begin := time.Now()
		wait := func(name string, after time.Duration) func() error {
			return func() error { time.Sleep(after); return g.Barrier(t.Context(), name, "pair", 2, 0) }
		}
		ok(t, parallel(wait("a", 0), wait("b", time.Second))...)
		ok(t, g.Barrier(t.Context(), "c", "alone", 1, 0))
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestGroupBarrierDisagreement(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b", "c")
		errs := parallel(
			func() error { return g.Barrier(t.Context(), "a", "x", 2, time.Second) },
			func() error { synctest.Wait(); return g.Barrier(t.Context(), "b", "x", 0, time.Second) },
		)
		if want := `barrier: barrier "x": member "b" expects all live members, member "a" 2 parties`; errs[1] == nil || errs[1].Error() != want {
			t.Errorf("got %v, want %s", errs[1], want)
		}
		if err := g.Barrier(t.Context(), "a", "x", -1, 0); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("negative parties: %v", err)
		}
	})
}

func TestEventsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b", "c")
		ok(t, g.Emit("a", "ready", 1), g.Emit("b", "ready", 2), g.Emit("a", "ready", 3))
		for _, c := range []struct {
			member, from string
			want         any
		}{{"c", "", 3}, {"c", "a", 3}, {"c", "b", 2}, {"a", "", 2}, {"a", "a", 3}} {
			if v, err := g.WaitFor(t.Context(), c.member, "ready", c.from, 0); err != nil || v != c.want {
				t.Errorf("%s waits for ready from %q: %v, %v; want %v", c.member, c.from, v, err, c.want)
			}
		}
	})
}

func TestWaitForWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b", "c")
		var got any
		begin := time.Now()
		errs := parallel(
			func() (err error) { got, err = g.WaitFor(t.Context(), "a", "ready", "c", 0); return err },
			func() error {
				time.Sleep(time.Second)
				if err := g.Emit("b", "ready", "from b"); err != nil { // not the one waited for
					return err
				}
				time.Sleep(time.Second)
				return g.Emit("c", "ready", "from c")
			},
		)
		ok(t, errs...)
		if got != "from c" || time.Since(begin) != 2*time.Second {
			t.Errorf("got %v after %v", got, time.Since(begin))
		}
	})
}

func TestMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b", "c")
		ok(t, g.Send("a", "c", 1), g.Send("b", "c", 2), g.Send("a", "c", 3))
		for _, want := range []struct {
			from string
			v    any
		}{{"b", 2}, {"", 1}, {"", 3}} {
			if v, err := g.Receive(t.Context(), "c", want.from, 0); err != nil || v != want.v {
				t.Errorf("received %v, %v; want %v", v, err, want.v)
			}
		}
		var got any
		ok(t, parallel(
			func() (err error) { got, err = g.Receive(t.Context(), "c", "b", 0); return err },
			func() error {
				synctest.Wait()
				return errors.Join(g.Send("a", "c", "of a"), g.Send("b", "c", "of b"))
			},
		)...)
		if v, err := g.Receive(t.Context(), "c", "", 0); got != "of b" || v != "of a" || err != nil {
			t.Errorf("received %v, then %v, %v", got, v, err)
		}
		ok(t, g.Send("a", "a", "note to self"))
		if v, err := g.Receive(t.Context(), "a", "", 0); v != "note to self" || err != nil {
			t.Errorf("received %v, %v", v, err)
		}
	})
}

func TestMailboxIsBounded(t *testing.T) {
	g := coord.NewGroup("a", "b")
	for i := range coord.MailboxSize {
		ok(t, g.Send("a", "b", i))
	}
	if err := g.Send("a", "b", -1); !fault.IsKind(err, fault.LimitExceeded) || !strings.Contains(err.Error(), `"b"`) {
		t.Errorf("message %d: %v", coord.MailboxSize+1, err)
	}
	if v, err := g.Receive(t.Context(), "b", "", 0); v != 0 || err != nil {
		t.Errorf("received %v, %v", v, err)
	}
	ok(t, g.Send("a", "b", -1))
}

func TestNames(t *testing.T) {
	g := coord.NewGroup("primary", "secondary")
	hint := func(err error) string {
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.BadArgument {
			return fmt.Sprintf("no bad argument: %v", err)
		}
		return f.Hint
	}
	_, waitErr := g.WaitFor(t.Context(), "primary", "ready", "secondery", 0)
	_, receiveErr := g.Receive(t.Context(), "primry", "", 0)
	for _, c := range []struct {
		err  error
		want string
	}{
		{waitErr, `did you mean "secondary"?`},
		{receiveErr, `did you mean "primary"?`},
		{g.Send("primary", "xyz", 1), "the members are primary, secondary"},
		{g.Send("xyz", "primary", 1), "the members are primary, secondary"},
		{g.Emit("primari", "ready", 1), `did you mean "primary"?`},
		{g.Barrier(t.Context(), "secondry", "x", 0, 0), `did you mean "secondary"?`},
	} {
		if got := hint(c.err); got != c.want {
			t.Errorf("%v: hint %q, want %q", c.err, got, c.want)
		}
	}
}

// TestMessageAtTheTimeout sends in the moment in which the receiver gives up: the message is received or stays.
func TestMessageAtTheTimeout(t *testing.T) {
	for range 300 {
		synctest.Test(t, func(t *testing.T) {
			g := coord.NewGroup("a", "b")
			var late error
			ok(t, parallel(
				func() error { _, late = g.Receive(t.Context(), "a", "", time.Second); return nil },
				func() error { time.Sleep(time.Second); return g.Send("b", "a", 1) },
			)...)
			if late == nil {
				return
			}
			if v, err := g.Receive(t.Context(), "a", "", time.Second); v != 1 || err != nil {
				t.Fatalf("after %v: received %v, %v", late, v, err)
			}
		})
	}
}

type reported struct{ e *event.Error }

func (r reported) Error() string        { return r.e.Message }
func (r reported) Report() *event.Error { return r.e }

func TestMemberFailedReport(t *testing.T) {
	dead := fault.New(fault.Deadlock, "conn.exec", "deadlock found")
	e := &coord.MemberFailedError{What: "waiting for x", Member: "primary", Err: dead}
	if r := e.Report(); r.Kind != "member_failed" || r.Code != 0 || r.Category != "permanent" || r.Message != e.Error() {
		t.Errorf("report %+v", r)
	}
	var other *fault.Error
	if fault.Retryable(e) || !errors.Is(e, dead) || errors.As(e, &other) && other.Kind != fault.MemberFailed {
		t.Errorf("class %+v", fault.Classify(e))
	}
	e.Err = reported{&event.Error{Kind: "expectation", Message: "1 is not 2", Detail: "diff"}}
	if r := e.Report(); r.Kind != "member_failed" || r.Detail != "diff" || r.Message != `waiting for x: member "primary" failed: 1 is not 2` {
		t.Errorf("report %+v", r)
	}
}

// TestManyMembers passes a value round many members, with barriers between the rounds, for the race detector.
func TestManyMembers(t *testing.T) {
	const n, rounds = 20, 25
	g := coord.NewGroup()
	name := func(i int) string { return fmt.Sprintf("m%d", i%n) }
	for i := range n {
		g.Add(name(i))
	}
	var members []func() error
	for i := range n {
		members = append(members, func() (err error) {
			defer func() { g.Leave(name(i), err) }()
			for round := range rounds {
				if err := g.Send(name(i), name(i+1), round); err != nil {
					return err
				}
				v, err := g.Receive(t.Context(), name(i), name(i+n-1), 0)
				if err != nil || v != round {
					return fmt.Errorf("round %d: received %v, %w", round, v, err)
				}
				g.Shared().Add("sum", 1)
				if err := g.Barrier(t.Context(), name(i), "round", 0, 0); err != nil {
					return err
				}
			}
			return nil
		})
	}
	ok(t, parallel(members...)...)
	if v, _ := g.Shared().Get("sum"); v != int64(n*rounds) {
		t.Errorf("sum %v", v)
	}
	if len(g.Live()) != 0 {
		t.Errorf("live %v", g.Live())
	}
}
