package coord

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rig/runtime/clock"
)

// Barrier lets n goroutines go on together, again and again.
type Barrier struct {
	n    int
	mu   sync.Mutex
	here int           // guarded by mu
	open chan struct{} // guarded by mu; closed when the present generation is complete
}

// NewBarrier makes a barrier for n goroutines; less than 1 counts as 1, which lets everybody pass.
func NewBarrier(n int) *Barrier { return &Barrier{n: max(n, 1), open: make(chan struct{})} }

// Here tells how many of the n goroutines wait.
func (b *Barrier) Here() (here, n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.here, b.n
}

// Wait waits until n goroutines are here. One that gives up, by context or timeout, is no longer counted.
func (b *Barrier) Wait(ctx context.Context, timeout time.Duration) error {
	b.mu.Lock()
	open := b.open
	b.here++
	if b.here == b.n {
		b.here, b.open = 0, make(chan struct{})
		close(open)
	}
	b.mu.Unlock()
	err := until(ctx, open, timeout, "a barrier")
	if err == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != open { // completed in the same moment
		return nil
	}
	if late, ok := err.(*TimeoutError); ok {
		late.What = fmt.Sprintf("a barrier, to which %d of %d came", b.here, b.n)
	}
	b.here--
	return err
}

// Signal is something that happens once and stays.
type Signal struct {
	once sync.Once
	done chan struct{}
}

// NewSignal makes a signal that is not set.
func NewSignal() *Signal { return &Signal{done: make(chan struct{})} }

// Set sets the signal and releases all who wait; setting it again changes nothing.
func (s *Signal) Set() { s.once.Do(func() { close(s.done) }) }

// IsSet reports whether the signal was set.
func (s *Signal) IsSet() bool {
	select {
	case <-s.done:
		return true
	default:
		return false
	}
}

// Wait waits until the signal is set.
func (s *Signal) Wait(ctx context.Context, timeout time.Duration) error {
	return until(ctx, s.done, timeout, "a signal")
}

// Counter is a number that goroutines wait for.
type Counter struct {
	mu    sync.Mutex
	n     int64         // guarded by mu
	grown chan struct{} // guarded by mu; closed and replaced when n changes while someone waits
}

// NewCounter makes a counter that is 0.
func NewCounter() *Counter { return &Counter{} }

// Add adds delta and gives the sum.
func (c *Counter) Add(delta int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += delta
	if c.grown != nil {
		close(c.grown)
		c.grown = nil
	}
	return c.n
}

// Value gives the number.
func (c *Counter) Value() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// Wait waits until the number is n or more.
func (c *Counter) Wait(ctx context.Context, n int64, timeout time.Duration) error {
	timeout, err := bound(timeout)
	if err != nil {
		return fmt.Errorf("waiting for a counter: %w", err)
	}
	start := clock.Now(ctx)
	for {
		grown, now := c.watch(n)
		if grown == nil {
			return nil
		}
		what := fmt.Sprintf("a counter to reach %d (it is %d)", n, now)
		left := timeout - start.Elapsed()
		if left <= 0 {
			return &TimeoutError{What: what, After: timeout}
		}
		err := until(ctx, grown, left, what)
		if late, ok := err.(*TimeoutError); ok {
			late.After = timeout
		}
		if err != nil {
			return err
		}
	}
}

// watch gives nil where n is reached, else a channel that closes with the next change.
func (c *Counter) watch(n int64) (<-chan struct{}, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n >= n {
		return nil, c.n
	}
	if c.grown == nil {
		c.grown = make(chan struct{})
	}
	return c.grown, c.n
}
