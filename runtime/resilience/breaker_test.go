package resilience_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/fault"
	"rig/runtime/resilience"
)

func fine() error { return nil }
func down() error { return transient }

// breaker makes one with 3 failures, a minute and 2 successes; moves gets its changes of state.
func breaker(moves *[]string) *resilience.Breaker {
	return resilience.NewBreaker(resilience.BreakerOptions{
		FailureThreshold: 3, RecoveryTimeout: time.Minute, SuccessThreshold: 2,
		Observe: func(from, to string) { *moves = append(*moves, from+">"+to) },
	})
}

// call makes calls and tells how many went through.
func call(b *resilience.Breaker, f func() error, times int) (through int) {
	for range times {
		if !fault.IsKind(b.Call("critical", f), fault.BreakerOpen) {
			through++
		}
	}
	return through
}

func expectState(t *testing.T, b *resilience.Breaker, want string) {
	t.Helper()
	if got := b.State(); got != want {
		t.Errorf("state %q, want %q", got, want)
	}
}

func TestBreakerCycle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moves []string
		b := breaker(&moves)
		expectState(t, b, resilience.Closed)
		call(b, down, 2)
		call(b, fine, 1) // the failures must be in a row
		call(b, down, 2)
		expectState(t, b, resilience.Closed)
		call(b, down, 1)
		expectState(t, b, resilience.Open)

		time.Sleep(18 * time.Second)
		err := b.Call("critical", func() error { t.Error("called while open"); return nil })
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.BreakerOpen {
			t.Fatalf("error %v", err)
		}
		if want := "critical: the breaker is open after 3 failures; it tries again in 42s"; err.Error() != want || !strings.Contains(f.Hint, "deadlock found") {
			t.Errorf("message %q, hint %q", err, f.Hint)
		}

		time.Sleep(42 * time.Second)
		expectState(t, b, resilience.HalfOpen)
		call(b, down, 1) // one failure is enough
		expectState(t, b, resilience.Open)

		time.Sleep(time.Minute)
		call(b, fine, 1)
		expectState(t, b, resilience.HalfOpen)
		call(b, fine, 1)
		expectState(t, b, resilience.Closed)
		call(b, down, 2) // counting begins anew
		expectState(t, b, resilience.Closed)

		want := []string{"closed>open", "open>half_open", "half_open>open", "open>half_open", "half_open>closed"}
		if !slices.Equal(moves, want) {
			t.Errorf("changes %v, want %v", moves, want)
		}
	})
}

// TestBreakerTrials: half open, as many calls go through at a time as must succeed, and no more.
func TestBreakerTrials(t *testing.T) {
	for _, threshold := range []int{1, 2} {
		synctest.Test(t, func(t *testing.T) {
			b := resilience.NewBreaker(resilience.BreakerOptions{FailureThreshold: 3, RecoveryTimeout: time.Minute, SuccessThreshold: threshold})
			call(b, down, 3)
			time.Sleep(time.Minute)
			release := make(chan struct{})
			var group sync.WaitGroup
			for range threshold {
				group.Go(func() { _ = b.Call("trial", func() error { <-release; return nil }) })
			}
			synctest.Wait()
			if n := call(b, fine, 5); n != 0 {
				t.Errorf("%d calls went through beside the trials", n)
			}
			want := "critical: the breaker is half open and another call is its trial; it tries again when that has ended"
			if threshold == 2 {
				want = "critical: the breaker is half open and 2 other calls are its trial; it tries again when that has ended"
			}
			if err := b.Call("critical", fine); !fault.IsKind(err, fault.BreakerOpen) || err.Error() != want {
				t.Errorf("message %q, want %q", err, want)
			}
			close(release)
			group.Wait()
			expectState(t, b, resilience.Closed)
			if n := call(b, fine, 1); n != 1 {
				t.Error("no call went through after the trials")
			}
		})
	}
}

// TestBreakerCancelledTrial: a trial that rig cancelled counts neither way and gives its place back.
func TestBreakerCancelledTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moves []string
		b := breaker(&moves)
		call(b, down, 3)
		time.Sleep(time.Minute)
		call(b, func() error { return context.Canceled }, 5)
		expectState(t, b, resilience.HalfOpen)
		if n := call(b, fine, 2); n != 2 {
			t.Errorf("%d of 2 trials went through", n)
		}
		expectState(t, b, resilience.Closed)
	})
}

// TestBreakerGoexit: a call whose goroutine ends counts as a failure and gives its place back.
func TestBreakerGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := resilience.NewBreaker(resilience.BreakerOptions{FailureThreshold: 1, RecoveryTimeout: time.Minute, SuccessThreshold: 1})
		var group sync.WaitGroup
		group.Go(func() { _ = b.Call("critical", func() error { runtime.Goexit(); return nil }) })
		group.Wait()
		expectState(t, b, resilience.Open)
	})
}

func TestBreakerClosedForGood(t *testing.T) {
	b := resilience.NewBreaker(resilience.BreakerOptions{FailureThreshold: 1, RecoveryTimeout: time.Minute, SuccessThreshold: 1})
	b.Close("a.star:3:4")
	b.Close("again")
	err := b.Call("critical", func() error { t.Error("called after the end"); return nil })
	if want := "critical: the breaker was closed for good: a.star:3:4"; !fault.IsKind(err, fault.BadArgument) || err.Error() != want {
		t.Errorf("message %q, want %q", err, want)
	}
}

func TestBreakerForgetsCallsOfEarlierEras(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moves []string
		b := breaker(&moves)
		release := make(chan struct{})
		var group sync.WaitGroup
		for _, result := range []error{nil, transient} { // begun while closed, ended while half open
			group.Go(func() { _ = b.Call("slow", func() error { <-release; return result }) })
		}
		synctest.Wait()
		call(b, down, 3)
		time.Sleep(time.Minute)
		call(b, fine, 1)
		close(release)
		group.Wait()
		expectState(t, b, resilience.HalfOpen)
		call(b, fine, 1)
		expectState(t, b, resilience.Closed)
	})
}

func TestBreakerPanicCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var moves []string
		b := breaker(&moves)
		call(b, down, 3)
		time.Sleep(time.Minute)
		func() {
			defer func() {
				if recover() != "boom" {
					t.Error("the panic did not go on")
				}
			}()
			_ = b.Call("critical", func() error { panic("boom") })
		}()
		expectState(t, b, resilience.Open)
		time.Sleep(time.Minute)
		if n := call(b, fine, 1); n != 1 {
			t.Error("the trial's place was not given back")
		}
	})
}

func TestBreakerWhatCounts(t *testing.T) {
	var moves []string
	b := breaker(&moves)
	call(b, func() error { return context.Canceled }, 10)
	expectState(t, b, resilience.Closed)
	picky := resilience.NewBreaker(resilience.BreakerOptions{
		FailureThreshold: 1, RecoveryTimeout: time.Minute, SuccessThreshold: 1, Counts: fault.Retryable,
	})
	call(picky, func() error { return permanent }, 5)
	expectState(t, picky, resilience.Closed)
	call(picky, down, 1)
	expectState(t, picky, resilience.Open)
}

func TestBreakerValidate(t *testing.T) {
	good := resilience.BreakerOptions{FailureThreshold: 1, RecoveryTimeout: 1, SuccessThreshold: 1}
	for _, c := range []struct {
		change func(*resilience.BreakerOptions)
		want   string
	}{
		{func(*resilience.BreakerOptions) {}, ""},
		{func(o *resilience.BreakerOptions) { o.FailureThreshold = 0 }, "failure_threshold: want 1 to 2147483647, got 0"},
		{func(o *resilience.BreakerOptions) { o.SuccessThreshold = -1 }, "success_threshold: want 1 to 2147483647, got -1"},
		{func(o *resilience.BreakerOptions) { o.RecoveryTimeout = 0 }, "recovery_timeout: want more than 0 and at most 24h0m0s, got 0s"},
		{func(o *resilience.BreakerOptions) { o.RecoveryTimeout = 100 * time.Hour }, "recovery_timeout: want more than 0 and at most 24h0m0s, got 100h0m0s"},
		{func(o *resilience.BreakerOptions) { o.FailureThreshold = 1 << 40 }, "failure_threshold: want 1 to 2147483647, got 1099511627776"},
	} {
		o, got := good, ""
		c.change(&o)
		if err := o.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v: %q, want %q", o, got, c.want)
		}
	}
}

func TestBreakerConcurrently(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var running, most atomic.Int32
		var moves []string
		b := breaker(&moves)
		call(b, down, 3)
		time.Sleep(time.Minute)
		var group sync.WaitGroup
		for range 50 {
			group.Go(func() {
				_ = b.Call("critical", func() error {
					n := running.Add(1)
					if b.State() == resilience.HalfOpen && n > most.Load() {
						most.Store(n)
					}
					time.Sleep(time.Millisecond)
					running.Add(-1)
					return nil
				})
			})
		}
		group.Wait()
		if most.Load() != 2 { // its successes in a row
			t.Errorf("%d trials at once", most.Load())
		}
	})
}
