package coord_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/coord"
	"rig/runtime/fault"
)

// failedOf gives the member that a wait's error names, "" for another error.
func failedOf(err error) string {
	var m *coord.MemberFailedError
	if !errors.As(err, &m) {
		return ""
	}
	return m.Member
}

func TestFailureReleasesWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("bad", "a", "b", "c", "d", "e")
		var got any
		errs := parallel(
			func() error { return g.Barrier(t.Context(), "a", "all", 0, 0) },
			func() error { _, err := g.WaitFor(t.Context(), "b", "ready", "", 0); return err },
			func() error { _, err := g.Receive(t.Context(), "c", "bad", 0); return err },
			func() (err error) { got, err = g.Receive(t.Context(), "d", "e", 0); return err }, // not from bad: goes on
			func() error {
				synctest.Wait()
				g.Leave("bad", errBroke)
				g.Leave("bad", nil) // changes nothing
				synctest.Wait()
				return g.Send("e", "d", "hello")
			},
		)
		for _, err := range errs[:3] {
			if failedOf(err) != "bad" || !errors.Is(err, errBroke) {
				t.Errorf("error %v", err)
			}
		}
		if want := `waiting for barrier "all": member "bad" failed: primary broke`; errs[0].Error() != want {
			t.Errorf("message %q, want %q", errs[0], want)
		}
		ok(t, errs[3:]...)
		if got != "hello" {
			t.Errorf("received %v", got)
		}
	})
}

func TestFailureIsToldOnceAtTheNextWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("bad", "a", "b")
		ok(t, g.Emit("bad", "started", true), g.Send("bad", "a", "last words"))
		g.Leave("bad", errBroke)
		if v, err := g.WaitFor(t.Context(), "a", "started", "bad", 0); v != true || err != nil { // it did happen
			t.Errorf("started: %v, %v", v, err)
		}
		if v, err := g.Receive(t.Context(), "a", "bad", 0); v != "last words" || err != nil {
			t.Errorf("received %v, %v", v, err)
		}
		if err := g.Barrier(t.Context(), "a", "x", 0, 0); failedOf(err) != "bad" {
			t.Errorf("first barrier of a: %v", err)
		}
		if err := g.Barrier(t.Context(), "b", "x", 0, 0); failedOf(err) != "bad" {
			t.Errorf("first barrier of b: %v", err)
		}
		ok(t, parallel( // both know: they go on without it
			func() error { return g.Barrier(t.Context(), "a", "x", 0, 0) },
			func() error { return g.Barrier(t.Context(), "b", "x", 0, 0) },
		)...)
		if _, err := g.WaitFor(t.Context(), "a", "done", "bad", 0); failedOf(err) != "bad" {
			t.Errorf("a wait for the one that failed: %v", err)
		}
		if err := g.Send("a", "bad", 1); failedOf(err) != "bad" {
			t.Errorf("a message for the one that failed: %v", err)
		}
		g.Add("bad")
		if !slices.Equal(g.Live(), []string{"bad", "a", "b"}) {
			t.Errorf("live %v", g.Live())
		}
		ok(t, g.Send("a", "bad", 1))
	})
}

func TestEndReleasesWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("short", "a", "b", "c")
		errs := parallel(
			func() error { return g.Barrier(t.Context(), "a", "all", 0, 0) },
			func() error { return g.Barrier(t.Context(), "b", "all", 0, 0) },
			func() error { _, err := g.WaitFor(t.Context(), "c", "ready", "short", 0); return err },
			func() error { synctest.Wait(); g.Leave("short", nil); g.Leave("c", nil); return nil },
		)
		ok(t, errs[0], errs[1]) // all live members are there
		if failedOf(errs[2]) != "short" || !errors.Is(errs[2], coord.ErrEnded) {
			t.Errorf("error %v", errs[2])
		}
		if want := `waiting for event "ready" from "short": member "short" has ended`; errs[2] == nil || errs[2].Error() != want {
			t.Errorf("message %q, want %q", errs[2], want)
		}
		if err := g.Barrier(t.Context(), "short", "all", 0, 0); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("a member that left waits: %v", err)
		}
	})
}

func TestLeavingWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b")
		errs := parallel(
			func() error { return g.Barrier(t.Context(), "a", "all", 0, 0) },
			func() error { synctest.Wait(); g.Leave("a", nil); return g.Barrier(t.Context(), "b", "all", 0, 0) },
		)
		if errs[0] == nil || !strings.Contains(errs[0].Error(), `member "a" has left`) || errs[1] != nil {
			t.Errorf("errors %v", errs)
		}
	})
}

func TestDeadlock(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(g *coord.Group, ctx context.Context) []func() error
		want string
	}{
		{"each waits for the other", func(g *coord.Group, ctx context.Context) []func() error {
			return []func() error{
				func() error { _, err := g.WaitFor(ctx, "a", "x", "b", 0); return err },
				func() error { synctest.Wait(); _, err := g.Receive(ctx, "b", "", 0); return err },
			}
		}, `no member can go on: "a" waits for event "x" from "b", "b" waits for a message`},
		{"two barriers", func(g *coord.Group, ctx context.Context) []func() error {
			return []func() error{
				func() error { return g.Barrier(ctx, "a", "x", 0, 0) },
				func() error { synctest.Wait(); return g.Barrier(ctx, "b", "y", 0, 0) },
			}
		}, `no member can go on: "a" waits for barrier "x", "b" waits for barrier "y"`},
		{"a barrier for more than there are", func(g *coord.Group, ctx context.Context) []func() error {
			return []func() error{
				func() error { return g.Barrier(ctx, "a", "x", 3, 0) },
				func() error { synctest.Wait(); return g.Barrier(ctx, "b", "x", 3, 0) },
			}
		}, `no member can go on: "a" waits for barrier "x", "b" waits for barrier "x"`},
		{"the last one that worked leaves", func(g *coord.Group, ctx context.Context) []func() error {
			return []func() error{
				func() error { _, err := g.WaitFor(ctx, "a", "x", "", 0); return err },
				func() error { synctest.Wait(); g.Leave("b", nil); return nil },
			}
		}, `no member can go on: "a" waits for event "x"`},
		{"for its own event", func(g *coord.Group, ctx context.Context) []func() error {
			g.Leave("b", nil)
			return []func() error{func() error { _, err := g.WaitFor(ctx, "a", "x", "a", 0); return err }}
		}, `no member can go on: "a" waits for event "x" from "a"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				g := coord.NewGroup("a", "b")
				for i, err := range parallel(c.do(g, t.Context())...) {
					var d *coord.DeadlockError
					if i == 1 && strings.Contains(c.name, "leaves") {
						continue
					}
					if !errors.As(err, &d) || err.Error() != c.want {
						t.Errorf("member %d\n got %v\nwant %s", i, err, c.want)
						continue
					}
					if d.Report().Kind != "script" || fault.Retryable(err) {
						t.Errorf("report %+v", d.Report())
					}
				}
				if took := time.Since(begin); took != 0 {
					t.Errorf("noticed after %v", took)
				}
				if err := g.Send("a", "a", 1); err != nil { // the group can be used again
					t.Error(err)
				}
			})
		})
	}
}

func TestNoDeadlockWhileOneWorks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b", "c")
		ok(t, parallel(
			func() error { return g.Barrier(t.Context(), "a", "x", 0, time.Hour) },
			func() error { return g.Barrier(t.Context(), "b", "x", 0, time.Hour) },
			func() error { time.Sleep(30 * time.Minute); return g.Barrier(t.Context(), "c", "x", 0, time.Hour) },
		)...)
	})
}

func TestGroupTimeouts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b", "c", "d")
		begin := time.Now()
		errs := parallel(
			func() error { return g.Barrier(t.Context(), "a", "x", 0, time.Second) },
			func() error { return g.Barrier(t.Context(), "b", "x", 0, 2*time.Second) },
			func() error { _, err := g.WaitFor(t.Context(), "c", "ready", "d", 0); return err },
		)
		if took := time.Since(begin); took != coord.DefaultWait {
			t.Errorf("took %v", took)
		}
		for i, want := range []string{
			`waited 1s for barrier "x"; missing: c, d`,
			`waited 2s for barrier "x"; missing: a, c, d`, // a is no longer there
			`waited 30s for event "ready" from "d"; missing: d`,
		} {
			if errs[i] == nil || errs[i].Error() != want || !fault.IsKind(errs[i], fault.Timeout) || !errors.Is(errs[i], context.DeadlineExceeded) {
				t.Errorf("got %v, want %s", errs[i], want)
			}
		}
		if err := g.Barrier(t.Context(), "a", "x", 0, -1); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("negative timeout: %v", err)
		}
	})
}

func TestGroupContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Second, func() { cancel(errBroke) })
		if err := g.Barrier(ctx, "a", "x", 0, 0); !errors.Is(err, errBroke) || err.Error() != `waiting for barrier "x": primary broke` {
			t.Errorf("error %v", err)
		}
		ok(t, g.Send("b", "a", 1))
		if v, err := g.Receive(ctx, "a", "", 0); v != 1 || err != nil { // what is there wins over the ended context
			t.Errorf("received %v, %v", v, err)
		}
	})
}

func TestOneWaitAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := coord.NewGroup("a", "b")
		errs := parallel(
			func() error { return g.Barrier(t.Context(), "a", "x", 0, time.Second) },
			func() error { synctest.Wait(); _, err := g.Receive(t.Context(), "a", "", time.Second); return err },
		)
		if want := `wait: member "a" already waits for barrier "x"; it cannot wait for a message too`; errs[1] == nil || errs[1].Error() != want {
			t.Errorf("got %v, want %s", errs[1], want)
		}
	})
}
