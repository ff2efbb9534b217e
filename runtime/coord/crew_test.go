package coord_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/coord"
	"rig/runtime/fault"
)

// crew runs members that are told their group.
func crew(t *testing.T, c coord.Crew, names []string, run func(ctx context.Context, g *coord.Group, name string) error) []coord.MemberReport {
	t.Helper()
	g := coord.NewGroup()
	var members []coord.Member
	for _, n := range names {
		members = append(members, coord.Member{Name: n, Run: func(ctx context.Context) (any, error) { return n, run(ctx, g, n) }})
	}
	return c.Run(t.Context(), g, members)
}

func TestCrewRunsTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names []string
		for i := range 100 {
			names = append(names, fmt.Sprint("m", i))
		}
		begin := time.Now()
		out := crew(t, coord.Crew{Name: "all", Stop: true}, names, func(ctx context.Context, g *coord.Group, name string) error {
			time.Sleep(time.Second)
			for range 10 {
				if err := g.Barrier(ctx, name, "step", 0, time.Minute); err != nil {
					return err
				}
			}
			g.Shared().Add("n", 1)
			return nil
		})
		if took := time.Since(begin); took != time.Second {
			t.Errorf("took %v", took)
		}
		for i, r := range out {
			if r.Name != names[i] || r.Value != names[i] || r.Err != nil || r.Duration != time.Second {
				t.Errorf("member %d: %+v", i, r)
			}
		}
	})
}

func TestCrewStopsOrGoesOn(t *testing.T) {
	for _, stop := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			var mu sync.Mutex
			var told []string
			begin := time.Now()
			out := crew(t, coord.Crew{Stop: stop, Ended: func(r coord.MemberReport) {
				mu.Lock()
				defer mu.Unlock()
				told = append(told, r.Name)
			}}, []string{"bad", "waits", "works"}, func(ctx context.Context, g *coord.Group, name string) error {
				switch name {
				case "bad":
					time.Sleep(time.Second)
					return errBroke
				case "waits":
					return g.Barrier(ctx, name, "loaded", 0, time.Minute)
				}
				select {
				case <-time.After(time.Hour):
					return nil
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			})
			if !errors.Is(out[0].Err, errBroke) || told[0] != "bad" {
				t.Errorf("bad: %v, first told %v", out[0].Err, told)
			}
			if err := out[1].Err; err == nil || err.Error() != `waiting for barrier "loaded": member "bad" failed: primary broke` {
				t.Errorf("stop %v, waits: %v", stop, err)
			}
			switch err := out[2].Err; {
			case stop && (err == nil || err.Error() != `the run was stopped: member "bad" failed: primary broke` || time.Since(begin) != time.Second):
				t.Errorf("works: %v after %v", err, time.Since(begin))
			case !stop && (err != nil || time.Since(begin) != time.Hour):
				t.Errorf("works on: %v after %v", err, time.Since(begin))
			}
		})
	}
}

func TestCrewTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := crew(t, coord.Crew{Name: "slow", Timeout: time.Second}, []string{"a", "b"}, func(ctx context.Context, _ *coord.Group, name string) error {
			if name == "a" {
				return nil
			}
			<-ctx.Done()
			return context.Cause(ctx)
		})
		if err := out[1].Err; out[0].Err != nil || !fault.IsKind(err, fault.Timeout) || err.Error() != `waited 1s for the members of coordinator "slow"; missing: b` {
			t.Errorf("%v", err)
		}
	})
}

// TestCrewPanic: a member that panics releases the others as one that failed.
func TestCrewPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := crew(t, coord.Crew{}, []string{"a", "b"}, func(ctx context.Context, g *coord.Group, name string) error {
			if name == "a" {
				time.Sleep(time.Second)
				panic("boom")
			}
			_, err := g.WaitFor(ctx, name, "ready", "a", time.Minute)
			return err
		})
		var p *coord.PanicError
		if !errors.As(out[0].Err, &p) || errors.As(out[1].Err, &p) || !strings.Contains(out[1].Err.Error(), `member "a" failed: panic: boom`) {
			t.Errorf("%v\n%v", out[0].Err, out[1].Err)
		}
	})
}

// TestEventsNobodyEmits: who waits for an event that will not come is told, with the name that was meant where there is one.
func TestEventsNobodyEmits(t *testing.T) {
	for _, c := range []struct{ emit, wait, from, want string }{
		{"ready", "redy", "", `nobody emitted "redy"; "ready" was emitted: is that the one meant?`},
		{"", "done", "", `nobody emitted "done"`},
		{"mine", "mine", "b", `"mine" was emitted by "a" only`},
	} {
		synctest.Test(t, func(t *testing.T) {
			out := crew(t, coord.Crew{}, []string{"a", "b"}, func(ctx context.Context, g *coord.Group, name string) error {
				if name == "a" && c.emit != "" {
					if err := g.Emit(name, c.emit, 1); err != nil {
						return err
					}
				}
				if name == "b" {
					time.Sleep(time.Second)
					_, err := g.Receive(ctx, name, "", time.Hour)
					return err
				}
				_, err := g.WaitFor(ctx, name, c.wait, c.from, time.Hour)
				return err
			})
			for _, r := range out {
				var d *coord.DeadlockError
				if !errors.As(r.Err, &d) || d.Report().Hint != c.want {
					t.Errorf("%+v: %s: %v, hint %q", c, r.Name, r.Err, d.Report().Hint)
				}
				if want := fmt.Sprintf("%q waits for a message", "b"); !strings.Contains(fmt.Sprint(r.Err), want) {
					t.Errorf("%v does not say that %s", r.Err, want)
				}
			}
			g := coord.NewGroup("a", "b")
			_, err := g.WaitFor(t.Context(), "a", "x", "", time.Second)
			var late *coord.TimeoutError
			if !errors.As(err, &late) || late.Report().Hint != `nobody emitted "x"` || !slices.Equal(late.Missing, []string{"b"}) {
				t.Errorf("time-out: %v", err)
			}
		})
	}
}
