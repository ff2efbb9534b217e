package coord_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/coord"
	"rig/runtime/fault"
)

func TestBarrier(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := coord.NewBarrier(3)
		var waits []func() error
		for i := range 3 {
			waits = append(waits, func() error {
				for range 2 {
					time.Sleep(time.Duration(i) * time.Second)
					if err := b.Wait(t.Context(), 0); err != nil {
						return err
					}
				}
				return nil
			})
		}
		begin := time.Now()
		ok(t, parallel(waits...)...)
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("two generations took %v", took)
		}
		errs := parallel(
			func() error { return b.Wait(t.Context(), time.Second) },
			func() error { return b.Wait(t.Context(), 2*time.Second) },
		)
		for i, want := range []string{"waited 1s for a barrier, to which 2 of 3 came", "waited 2s for a barrier, to which 1 of 3 came"} {
			if errs[i] == nil || errs[i].Error() != want {
				t.Errorf("got %v, want %s", errs[i], want)
			}
		}
		ok(t, parallel(waits...)...) // those who gave up are not counted
		ok(t, coord.NewBarrier(-1).Wait(t.Context(), 0))
	})
}

func TestSignal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := coord.NewSignal()
		if s.IsSet() {
			t.Error("set from the start")
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBroke)
		if err := s.Wait(ctx, 0); !errors.Is(err, errBroke) {
			t.Errorf("with an ended context: %v", err)
		}
		if err := s.Wait(t.Context(), time.Second); err == nil || err.Error() != "waited 1s for a signal" || !fault.IsKind(err, fault.Timeout) {
			t.Errorf("without a signal: %v", err)
		}
		if err := s.Wait(t.Context(), -1); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("negative timeout: %v", err)
		}
		wait := func() error { return s.Wait(t.Context(), 0) }
		ok(t, parallel(wait, wait, func() error { synctest.Wait(); s.Set(); s.Set(); return nil })...)
		ok(t, s.Wait(ctx, 0)) // what has happened wins over an ended context
		if !s.IsSet() {
			t.Error("not set")
		}
	})
}

func TestCounter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := coord.NewCounter()
		begin := time.Now()
		errs := parallel(
			func() error { return c.Wait(t.Context(), 3, 0) },
			func() error { return c.Wait(t.Context(), 5, 4500*time.Millisecond) },
			func() error {
				for range 4 {
					time.Sleep(time.Second)
					c.Add(1)
				}
				return nil
			},
		)
		ok(t, errs[0], errs[2])
		if want := "waited 4.5s for a counter to reach 5 (it is 4)"; errs[1] == nil || errs[1].Error() != want {
			t.Errorf("got %v, want %s", errs[1], want)
		}
		if took := time.Since(begin); took != 4500*time.Millisecond {
			t.Errorf("took %v", took)
		}
		if n := c.Add(-1); n != 3 || c.Value() != 3 {
			t.Errorf("sum %d, value %d", n, c.Value())
		}
		ok(t, c.Wait(t.Context(), 3, 0))
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBroke)
		if err := c.Wait(ctx, 4, 0); !errors.Is(err, errBroke) {
			t.Errorf("with an ended context: %v", err)
		}
		if err := c.Wait(t.Context(), 4, -1); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("negative timeout: %v", err)
		}
	})
}

func TestChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := coord.NewChannel(2)
		ok(t, c.Send(t.Context(), 1, 0), c.Send(t.Context(), 2, 0))
		if err := c.Send(t.Context(), 3, time.Second); err == nil || err.Error() != "waited 1s for room in a channel" {
			t.Errorf("without room: %v", err)
		}
		if c.Len() != 2 || c.Cap() != 2 {
			t.Errorf("%d values of %d", c.Len(), c.Cap())
		}
		errs := parallel(
			func() error { return c.Send(t.Context(), 3, 0) },
			func() error { synctest.Wait(); c.Close(); c.Close(); return nil },
		)
		if !errors.Is(errs[0], coord.ErrClosed) || !fault.IsKind(errs[0], fault.BadArgument) {
			t.Errorf("a sender that waits while it is closed: %v", errs[0])
		}
		if err := c.Send(t.Context(), 3, 0); !errors.Is(err, coord.ErrClosed) {
			t.Errorf("sending to a closed one: %v", err)
		}
		for want := 1; want <= 2; want++ { // what was accepted is still there
			if v, open, err := c.Receive(t.Context(), 0); v != want || !open || err != nil {
				t.Errorf("received %v, %v, %v", v, open, err)
			}
		}
		if v, open, err := c.Receive(t.Context(), 0); v != nil || open || err != nil {
			t.Errorf("received %v, %v, %v", v, open, err)
		}
	})
}

func TestChannelWithoutRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := coord.NewChannel(-1)
		var got any
		begin := time.Now()
		ok(t, parallel(
			func() error { time.Sleep(time.Second); return c.Send(t.Context(), "x", 0) },
			func() (err error) { got, _, err = c.Receive(t.Context(), 0); return err },
		)...)
		if got != "x" || time.Since(begin) != time.Second {
			t.Errorf("received %v after %v", got, time.Since(begin))
		}
		if _, _, err := c.Receive(t.Context(), time.Second); err == nil || err.Error() != "waited 1s for a value from a channel" {
			t.Errorf("without a sender: %v", err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errBroke)
		if _, _, err := c.Receive(ctx, 0); !errors.Is(err, errBroke) {
			t.Errorf("receiving with an ended context: %v", err)
		}
		if err := c.Send(ctx, 1, 0); !errors.Is(err, errBroke) {
			t.Errorf("sending with an ended context: %v", err)
		}
		if _, _, err := c.Receive(t.Context(), -1); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("negative timeout: %v", err)
		}
		if err := c.Send(t.Context(), 1, -1); !fault.IsKind(err, fault.BadArgument) {
			t.Errorf("negative timeout: %v", err)
		}
		errs := parallel(
			func() error {
				_, open, err := c.Receive(t.Context(), 0)
				if open {
					t.Error("received from a closed channel")
				}
				return err
			},
			func() error { synctest.Wait(); c.Close(); return nil },
		)
		ok(t, errs...)
	})
}

// TestChannelLosesNothing closes a channel among busy senders: what was accepted must be received.
func TestChannelLosesNothing(t *testing.T) {
	for range 50 {
		c := coord.NewChannel(4)
		var accepted, received atomic.Int64
		var group sync.WaitGroup
		for range 4 {
			group.Go(func() {
				for c.Send(t.Context(), 1, 0) == nil {
					accepted.Add(1)
				}
			})
			group.Go(func() {
				for {
					_, open, err := c.Receive(t.Context(), 0)
					if err != nil {
						t.Error(err)
					}
					if !open {
						return
					}
					if received.Add(1) == 100 {
						group.Go(c.Close)
					}
				}
			})
		}
		group.Wait()
		if a, r := accepted.Load(), received.Load(); a != r {
			t.Fatalf("accepted %d, received %d", a, r)
		}
	}
}
