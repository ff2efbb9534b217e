package resilience_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/fault"
	"rig/runtime/resilience"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	transient  = fault.New(fault.Deadlock, "conn.exec", "deadlock found")
	permanent  = fault.New(fault.Syntax, "conn.exec", "near FROM")
	errUnknown = errors.New("something else")
	duplicate  = fault.New(fault.DuplicateKey, "conn.exec", "duplicate entry")
)

// attempts calls Do with an attempt that fails with the errors given, then succeeds, and gives when each was made.
func attempts(t *testing.T, ctx context.Context, p resilience.Policy, errs ...error) (at []time.Duration, observed []resilience.Attempt, err error) {
	t.Helper()
	begin := time.Now()
	err = p.Do(ctx, "load", nil, func(n int) error {
		at = append(at, time.Since(begin))
		if n != len(at) {
			t.Errorf("attempt %d was told that it is %d", len(at), n)
		}
		if n > len(errs) {
			return nil
		}
		return errs[n-1]
	}, func(a resilience.Attempt) { observed = append(observed, a) })
	return at, observed, err
}

func repeat(err error, n int) []error { return slices.Repeat([]error{err}, n) }

func TestDelays(t *testing.T) {
	ms := func(n ...int) (out []time.Duration) {
		for _, x := range n {
			out = append(out, time.Duration(x)*time.Millisecond)
		}
		return out
	}
	for _, c := range []struct {
		name string
		p    resilience.Policy
		errs []error
		at   []time.Duration
	}{
		{"doubling", resilience.Policy{MaxAttempts: 5, BaseDelay: 100 * time.Millisecond}, repeat(transient, 4), ms(0, 100, 300, 700, 1500)},
		{"bounded", resilience.Policy{MaxAttempts: 5, BaseDelay: 100 * time.Millisecond, MaxDelay: 250 * time.Millisecond}, repeat(transient, 4), ms(0, 100, 300, 550, 800)},
		{"no delay", resilience.Policy{MaxAttempts: 3}, repeat(transient, 2), ms(0, 0, 0)},
		{"no delay with jitter", resilience.Policy{MaxAttempts: 3, Jitter: true}, repeat(transient, 2), ms(0, 0, 0)},
		{"first succeeds", resilience.Policy{MaxAttempts: 3, BaseDelay: time.Second}, nil, ms(0)},
		{"unknown too", resilience.Policy{MaxAttempts: 3, BaseDelay: 100 * time.Millisecond}, []error{errUnknown, transient}, ms(0, 100, 300)},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				at, observed, err := attempts(t, t.Context(), c.p, c.errs...)
				if err != nil || !slices.Equal(at, c.at) {
					t.Errorf("attempts at %v, want %v, error %v", at, c.at, err)
				}
				for i, a := range observed {
					if a.N != i+1 || a.Err != c.errs[i] || a.Final || a.Delay != c.at[i+1]-c.at[i] {
						t.Errorf("observed %+v", a)
					}
				}
				if len(observed) != len(c.errs) {
					t.Errorf("observed %d failed attempts of %d", len(observed), len(c.errs))
				}
			})
		})
	}
}

func TestLongDelaysDoNotOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := resilience.Policy{MaxAttempts: 100, BaseDelay: time.Minute, MaxDelay: time.Hour}
		at, _, err := attempts(t, t.Context(), p, repeat(transient, 99)...)
		if err != nil || len(at) != 100 || at[99]-at[98] != time.Hour {
			t.Errorf("%d attempts, the last after %v, error %v", len(at), at[len(at)-1]-at[len(at)-2], err)
		}
	})
}

func TestJitterIsSeededAndFull(t *testing.T) {
	delays := func(seed uint64, rng func() *rand.Rand) (out []time.Duration) {
		synctest.Test(t, func(t *testing.T) {
			p := resilience.Policy{MaxAttempts: 200, BaseDelay: time.Second, MaxDelay: 4 * time.Second, Jitter: true, Seed: seed}
			_ = p.Do(t.Context(), "load", rng, func(int) error { return transient }, func(a resilience.Attempt) { out = append(out, a.Delay) })
		})
		return out
	}
	one := delays(1, nil)
	if !slices.Equal(one, delays(1, nil)) {
		t.Error("one seed, two sequences")
	}
	if slices.Equal(one, delays(2, nil)) {
		t.Error("two seeds, one sequence")
	}
	if !slices.Equal(one, delays(9, func() *rand.Rand { return rand.New(rand.NewPCG(1, 0)) })) {
		t.Error("the given source was not used")
	}
	if one[0] > time.Second || one[1] > 2*time.Second || slices.Max(one) > 4*time.Second {
		t.Errorf("beyond the bounds: %v", one[:4])
	}
	if slices.Max(one) < 3900*time.Millisecond || slices.Min(one[2:len(one)-1]) > 100*time.Millisecond {
		t.Errorf("the jitter does not reach from 0 to the bound: %v to %v", slices.Min(one[2:len(one)-1]), slices.Max(one))
	}
}

func TestWhatIsRetried(t *testing.T) {
	for _, c := range []struct {
		on   []string
		err  error
		want bool
	}{
		{nil, transient, true},
		{nil, errUnknown, true},
		{nil, permanent, false},
		{nil, context.Canceled, false},
		{nil, nil, false},
		{[]string{"transient"}, transient, true},
		{[]string{"transient"}, errUnknown, false},
		{[]string{"unknown"}, transient, false},
		{[]string{"duplicate_key"}, duplicate, true},
		{[]string{"duplicate_key"}, permanent, false},
		{[]string{"transient", "permanent"}, permanent, true},
		{[]string{"transient"}, fault.New(fault.ConnectionLost, "conn.commit", "lost").LoseReply(), false},
	} {
		if got := (resilience.Policy{MaxAttempts: 2, On: c.on}).Retries(c.err); got != c.want {
			t.Errorf("on %v: %v retried: %v", c.on, c.err, got)
		}
	}
}

func TestPermanentFailsFast(t *testing.T) {
	at, observed, err := attempts(t, t.Context(), resilience.Policy{MaxAttempts: 5, BaseDelay: time.Hour}, permanent)
	if err != error(permanent) || len(at) != 1 {
		t.Errorf("%d attempts, error %v", len(at), err)
	}
	if len(observed) != 1 || !observed[0].Final || observed[0].Delay != 0 {
		t.Errorf("observed %+v", observed)
	}
}

func TestExhausted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		at, observed, err := attempts(t, t.Context(), resilience.Policy{MaxAttempts: 3, BaseDelay: time.Second}, repeat(transient, 9)...)
		var e *resilience.ExhaustedError
		if !errors.As(err, &e) || e.Name != "load" || e.Attempts != 3 || e.Err != error(transient) || len(at) != 3 {
			t.Fatalf("%d attempts, error %v", len(at), err)
		}
		if want := "load: gave up after 3 attempts: conn.exec: deadlock found"; err.Error() != want {
			t.Errorf("message %q, want %q", err, want)
		}
		if !fault.IsKind(err, fault.Deadlock) {
			t.Errorf("the kind was lost: %v", fault.Classify(err))
		}
		if last := observed[2]; last.N != 3 || !last.Final || last.Delay != 0 || observed[1].Final {
			t.Errorf("observed %+v", observed)
		}
	})
	_, _, err := attempts(t, t.Context(), resilience.Policy{MaxAttempts: 1}, transient)
	if want := "load: gave up after 1 attempt: conn.exec: deadlock found"; err == nil || err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

// TestReportTellsEveryAttempt: the report keeps the cause's code and lists the causes and the delays.
func TestReportTellsEveryAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dead := &fault.Error{Class: fault.Class{Kind: fault.Deadlock, Category: fault.Transient, Code: 1213, Message: "deadlock found"}, SQL: "UPDATE x", Session: "a"}
		_, _, err := attempts(t, t.Context(), resilience.Policy{MaxAttempts: 3, BaseDelay: time.Second}, errUnknown, transient, dead)
		var e *resilience.ExhaustedError
		if !errors.As(err, &e) {
			t.Fatal(err)
		}
		r := e.Report()
		if r.Kind != "deadlock" || r.Code != 1213 || r.SQL != "UPDATE x" || r.Session != "a" || r.Message != "load: gave up after 3 attempts: deadlock found" {
			t.Errorf("report %+v", r)
		}
		want := "attempt 1: something else; the next after 1s\nattempt 2: conn.exec: deadlock found; the next after 2s\nattempt 3: " + dead.Error()
		if r.Detail != want {
			t.Errorf("detail\n%s\nwant\n%s", r.Detail, want)
		}
		_, _, err = attempts(t, t.Context(), resilience.Policy{MaxAttempts: 100}, repeat(transient, 100)...)
		if !errors.As(err, &e) || len(e.Tries) != 10 || !strings.Contains(e.Report().Detail, "attempt 5: conn.exec: deadlock found\n... 90 more of 100\nattempt 96:") {
			t.Errorf("%d tries kept:\n%s", len(e.Tries), e.Report().Detail)
		}
	})
}

func TestContextEndsThePause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why := errors.New("the test ended")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(1500*time.Millisecond, func() { cancel(why) })
		begin := time.Now()
		at, _, err := attempts(t, ctx, resilience.Policy{MaxAttempts: 9, BaseDelay: time.Second}, repeat(transient, 9)...)
		var e *resilience.StoppedError
		if !errors.As(err, &e) || !errors.Is(err, why) || e.Attempts != 2 || e.Last != error(transient) || len(at) != 2 {
			t.Errorf("%d attempts, error %v", len(at), err)
		}
		if took := time.Since(begin); took != 1500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if fault.Retryable(err) {
			t.Error("a stopped call counts as worth another attempt")
		}
		at, _, err = attempts(t, ctx, resilience.Policy{MaxAttempts: 9}, transient)
		if len(at) != 0 || !errors.Is(err, why) || !strings.Contains(err.Error(), "before its first attempt") {
			t.Errorf("ended before: %d attempts, error %v", len(at), err)
		}
	})
}

// TestNoPausePastTheDeadline: where the next attempt could not begin in time, the call ends at once, with what it had tried.
func TestNoPausePastTheDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		begin := time.Now()
		at, observed, err := attempts(t, ctx, resilience.Policy{MaxAttempts: 9, BaseDelay: time.Second}, repeat(transient, 9)...)
		var e *resilience.StoppedError
		if !errors.As(err, &e) || e.Attempts != 3 || e.Last != error(transient) || !errors.Is(err, context.DeadlineExceeded) || len(at) != 3 {
			t.Fatalf("%d attempts, error %v", len(at), err)
		}
		if took := time.Since(begin); took != 3*time.Second {
			t.Errorf("took %v: the pause of 4s would pass the deadline in 2s", took)
		}
		if want := "load: stopped after attempt 3: the next attempt would begin in 4s, and the time is over in 2s (it had failed with: conn.exec: deadlock found)"; err.Error() != want {
			t.Errorf("message %q, want %q", err, want)
		}
		if last := observed[2]; !last.Final || last.Delay != 0 || observed[1].Final {
			t.Errorf("observed %+v", observed)
		}
	})
}

func TestContextEndsDuringAnAttempt(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	var observed []resilience.Attempt
	err := resilience.Policy{MaxAttempts: 9}.Do(ctx, "load", nil, func(int) error { n++; cancel(); return transient }, func(a resilience.Attempt) { observed = append(observed, a) })
	if n != 1 || !errors.Is(err, context.Canceled) {
		t.Errorf("%d attempts, error %v", n, err)
	}
	if len(observed) != 1 || !observed[0].Final {
		t.Errorf("observed %+v", observed)
	}
}

func TestPolicyValidate(t *testing.T) {
	for _, c := range []struct {
		p    resilience.Policy
		want string
	}{
		{resilience.Policy{}, "max_attempts: want 1 to 1000000, got 0"},
		{resilience.Policy{MaxAttempts: -2}, "max_attempts: want 1 to 1000000, got -2"},
		{resilience.Policy{MaxAttempts: 1, BaseDelay: -time.Second}, "base_delay: want 0 to 24h0m0s, got -1s"},
		{resilience.Policy{MaxAttempts: 1, MaxDelay: -time.Second}, "max_delay: want 0 to 24h0m0s, got -1s"},
		{resilience.Policy{MaxAttempts: 2_000_000_000}, "max_attempts: want 1 to 1000000, got 2000000000"},
		{resilience.Policy{MaxAttempts: 1, BaseDelay: 25 * time.Hour}, "base_delay: want 0 to 24h0m0s, got 25h0m0s"},
		{resilience.Policy{MaxAttempts: 1, MaxDelay: 300 * time.Hour}, "max_delay: want 0 to 24h0m0s, got 300h0m0s"},
		{resilience.Policy{MaxAttempts: 1, BaseDelay: 2 * time.Second, MaxDelay: time.Second}, "base_delay 2s is longer than max_delay 1s"},
		{resilience.Policy{MaxAttempts: 1, On: []string{"transiet"}}, `on: "transiet" is no category or kind of error, did you mean "transient"?`},
		{resilience.Policy{MaxAttempts: 1, On: []string{"qqqqqqqqqqqq"}}, `on: "qqqqqqqqqqqq" is no category or kind of error`},
		{resilience.DefaultPolicy(), ""},
		{resilience.Policy{MaxAttempts: 1, BaseDelay: time.Hour, On: []string{"unknown", "lock_nowait"}}, ""},
	} {
		got := ""
		if err := c.p.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v\n got %q\nwant %q", c.p, got, c.want)
		}
	}
	err := resilience.Policy{}.Do(t.Context(), "load", nil, func(int) error { t.Error("called"); return nil }, nil)
	if !fault.IsKind(err, fault.BadArgument) {
		t.Errorf("Do with a bad policy: %v", err)
	}
}
