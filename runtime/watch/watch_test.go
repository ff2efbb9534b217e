package watch

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// after gives a look that is done at the nth time and takes some time.
func after(n int, takes time.Duration) func(context.Context, int) (bool, error) {
	return func(_ context.Context, i int) (bool, error) {
		time.Sleep(takes)
		return i == n, nil
	}
}

func TestRun(t *testing.T) {
	broken, stop := errors.New("broken"), errors.New("the test has ended")
	for _, x := range []struct {
		name  string
		o     Options
		cause error // ends the context after 3s
		took  time.Duration
		looks int
		err   error
		tells int
	}{
		{"at once", Options{Every: time.Second, Timeout: time.Minute, Look: after(1, 0)}, nil, 0, 1, nil, 1},
		{"every so often", Options{Every: time.Second, Timeout: time.Minute, Look: after(4, 100*time.Millisecond)}, nil, 3100 * time.Millisecond, 4, nil, 4},
		{"slow looks follow at once", Options{Every: time.Second, Timeout: time.Minute, Look: after(3, 2*time.Second)}, nil, 6 * time.Second, 3, nil, 3},
		{"often", Options{Every: 10 * time.Millisecond, Timeout: time.Minute, Look: after(101, 0)}, nil, time.Second, 101, nil, 6},
		{"fails", Options{Every: time.Second, Timeout: time.Minute, Look: func(context.Context, int) (bool, error) { return false, broken }}, nil, 0, 1, broken, 1},
		{"too late", Options{Every: time.Second, Timeout: 3500 * time.Millisecond, Look: after(9, 0)}, nil, 3500 * time.Millisecond, 4, &TimeoutError{}, 5},
		{"stopped", Options{Every: 10 * time.Second, Timeout: time.Minute, Look: after(9, 0)}, stop, 3 * time.Second, 1, stop, 2},
	} {
		t.Run(x.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				if x.cause != nil {
					time.AfterFunc(3*time.Second, func() { cancel(x.cause) })
				}
				tells, last := 0, Progress{}
				x.o.Tell = func(p Progress) {
					tells++
					if last.Over {
						t.Error("told after the end")
					}
					last = p
				}
				start := time.Now()
				err := Run(ctx, x.o)
				var late *TimeoutError
				if _, want := x.err.(*TimeoutError); want && errors.As(err, &late) && late.Looks == x.looks {
					err, x.err = nil, nil
				}
				if !errors.Is(err, x.err) {
					t.Errorf("got %v, want %v", err, x.err)
				}
				if d := time.Since(start); d != x.took || last.Looks != x.looks || !last.Over || last.Elapsed != x.took || tells != x.tells {
					t.Errorf("%s, told %d times, last %+v; want %s, %d looks, %d times", d, tells, last, x.took, x.looks, x.tells)
				}
			})
		})
	}
}

// A look that waits is ended by the time-out.
func TestLookEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		err := Run(t.Context(), Options{Every: time.Second, Timeout: 5 * time.Second, Look: func(ctx context.Context, _ int) (bool, error) {
			<-ctx.Done()
			return false, context.Cause(ctx)
		}})
		var late *TimeoutError
		if !errors.As(err, &late) {
			t.Errorf("got %v", err)
		}
	})
}
