package clock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errLate = errors.New("too late")

func TestATimeoutStandsStillWhileHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		ctx, cancel := WithTimeout(With(t.Context(), c), 10*time.Second, errLate)
		defer cancel()
		time.Sleep(9 * time.Second)
		first, second := c.Hold(), c.Hold()
		time.Sleep(time.Hour)
		first()
		first() // once more does nothing
		time.Sleep(time.Hour)
		if ctx.Err() != nil {
			t.Fatal("it ended while held")
		}
		if got := c.Lost(); got != 2*time.Hour {
			t.Errorf("lost %s while held, want 2h", got)
		}
		second()
		time.Sleep(999 * time.Millisecond)
		if ctx.Err() != nil {
			t.Fatal("it ended a second early")
		}
		time.Sleep(2 * time.Millisecond)
		synctest.Wait()
		if context.Cause(ctx) != errLate {
			t.Errorf("cause %v, want %v", context.Cause(ctx), errLate)
		}
		if got := c.Lost(); got != 2*time.Hour {
			t.Errorf("lost %s, want 2h", got)
		}
	})
}

func TestATimeoutMadeWhileHeldBeginsLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		release := c.Hold()
		done, stop := After(With(t.Context(), c), time.Second)
		defer stop()
		time.Sleep(time.Minute)
		release()
		start := time.Now()
		<-done
		if d := time.Since(start); d != time.Second {
			t.Errorf("it took %s, want 1s", d)
		}
	})
}

func TestWithoutAClockTimeIsTheMachines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := WithTimeout(t.Context(), time.Second, errLate)
		defer cancel()
		if _, ok := ctx.Deadline(); !ok {
			t.Error("it has no deadline")
		}
		done, stop := After(t.Context(), time.Second)
		defer stop()
		<-done
		<-ctx.Done()
		if context.Cause(ctx) != errLate {
			t.Errorf("cause %v, want %v", context.Cause(ctx), errLate)
		}
		if (*Clock)(nil).Lost() != 0 {
			t.Error("no clock has lost time")
		}
	})
}

func TestCancelEndsTheTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		ctx, cancel := WithTimeout(With(t.Context(), c), time.Second, errLate)
		cancel()
		time.Sleep(2 * time.Second)
		if context.Cause(ctx) != context.Canceled || len(c.timers) != 0 {
			t.Errorf("cause %v, %d timers left", context.Cause(ctx), len(c.timers))
		}
	})
}

func TestElapsedStandsStillWhileHeld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &Clock{}
		held, plain := Now(With(t.Context(), c)), Now(t.Context())
		time.Sleep(time.Second)
		release := c.Hold()
		time.Sleep(time.Hour)
		if got := held.Elapsed(); got != time.Second {
			t.Errorf("%s while held, want 1s", got)
		}
		release()
		time.Sleep(time.Second)
		if got := held.Elapsed(); got != 2*time.Second {
			t.Errorf("%s after it, want 2s", got)
		}
		if got := plain.Elapsed(); got != time.Hour+2*time.Second {
			t.Errorf("%s without a clock", got)
		}
	})
}
