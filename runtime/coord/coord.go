// Package coord holds what concurrent tasks wait for and share: barriers, signals, channels, counters, maps.
//
// Every wait takes a context with a bound and ends with an error that says what was waited for.
package coord

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"rig/runtime/fault"
)

// DefaultWait bounds waits that name no bound.
const DefaultWait = 30 * time.Second

// waiting bounds a wait.
func waiting(ctx context.Context, bound time.Duration) (context.Context, context.CancelFunc, time.Duration) {
	if bound <= 0 {
		bound = DefaultWait
	}
	c, cancel := context.WithTimeoutCause(ctx, bound, errLate)
	return c, cancel, bound
}

var errLate = errors.New("late")

// gaveUp is the error of a wait whose context ended.
func gaveUp(ctx context.Context, op, what string, bound time.Duration) error {
	if cause := context.Cause(ctx); !errors.Is(cause, errLate) {
		return cause
	}
	return fault.New(fault.Timeout, op, fmt.Sprintf("%s within %s", what, bound))
}

// Barrier lets n tasks go on when all have come. It can be used again: each n arrivals are a generation.
type Barrier struct {
	n int

	mu   sync.Mutex
	came int           // guarded by mu
	open chan struct{} // guarded by mu: closed when the generation is complete
}

// NewBarrier makes one for n tasks.
func NewBarrier(n int) *Barrier { return &Barrier{n: n, open: make(chan struct{})} }

// Wait returns when n tasks wait. One that gives up leaves the barrier, and the others wait on.
func (b *Barrier) Wait(ctx context.Context, bound time.Duration) error {
	b.mu.Lock()
	b.came++
	open := b.open
	if b.came == b.n {
		b.came, b.open = 0, make(chan struct{})
		close(open)
		b.mu.Unlock()
		return nil
	}
	b.mu.Unlock()
	ctx, cancel, bound := waiting(ctx, bound)
	defer cancel()
	select {
	case <-open:
		return nil
	case <-ctx.Done():
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open != open { // it opened meanwhile
		return nil
	}
	b.came--
	return gaveUp(ctx, "barrier.wait", fmt.Sprintf("only %d of %d tasks came to the barrier", b.came+1, b.n), bound)
}

// Signal is set once; waits before and after see it.
type Signal struct {
	once sync.Once
	set  chan struct{}
}

// NewSignal makes one that is not set.
func NewSignal() *Signal { return &Signal{set: make(chan struct{})} }

// Set sets it; further calls do nothing.
func (s *Signal) Set() { s.once.Do(func() { close(s.set) }) }

// IsSet reports whether it is set.
func (s *Signal) IsSet() bool {
	select {
	case <-s.set:
		return true
	default:
		return false
	}
}

// Wait returns when it is set.
func (s *Signal) Wait(ctx context.Context, bound time.Duration) error {
	ctx, cancel, bound := waiting(ctx, bound)
	defer cancel()
	select {
	case <-s.set:
		return nil
	case <-ctx.Done():
		if s.IsSet() {
			return nil
		}
		return gaveUp(ctx, "signal.wait", "the signal was not set", bound)
	}
}

// Channel carries values between tasks, in order.
type Channel struct {
	values chan any
	closed *Signal
}

// NewChannel makes one that holds capacity values; 0 makes every send wait for its receive.
func NewChannel(capacity int) *Channel {
	return &Channel{values: make(chan any, capacity), closed: NewSignal()}
}

// Send gives a value to the channel.
func (c *Channel) Send(ctx context.Context, v any, bound time.Duration) error {
	if c.closed.IsSet() {
		return fault.New(fault.BadArgument, "channel.send", "the channel is closed")
	}
	ctx, cancel, bound := waiting(ctx, bound)
	defer cancel()
	select {
	case c.values <- v:
		return nil
	case <-c.closed.set:
		return fault.New(fault.BadArgument, "channel.send", "the channel was closed")
	case <-ctx.Done():
		return gaveUp(ctx, "channel.send", "nobody received the value", bound)
	}
}

// Receive takes the next value; ok is false when the channel is closed and empty.
func (c *Channel) Receive(ctx context.Context, bound time.Duration) (v any, ok bool, err error) {
	ctx, cancel, bound := waiting(ctx, bound)
	defer cancel()
	select {
	case v := <-c.values:
		return v, true, nil
	default:
	}
	select {
	case v := <-c.values:
		return v, true, nil
	case <-c.closed.set:
		select {
		case v := <-c.values:
			return v, true, nil
		default:
			return nil, false, nil
		}
	case <-ctx.Done():
		return nil, false, gaveUp(ctx, "channel.receive", "no value came", bound)
	}
}

// Close ends the channel: what is in it can still be received.
func (c *Channel) Close() { c.closed.Set() }

// Len is the number of values that wait.
func (c *Channel) Len() int { return len(c.values) }

// Counter counts up and down.
type Counter struct {
	mu    sync.Mutex
	n     int64         // guarded by mu
	moved chan struct{} // guarded by mu: closed at the next change
}

// NewCounter makes one at zero.
func NewCounter() *Counter { return &Counter{moved: make(chan struct{})} }

// Add changes it and gives the new value.
func (c *Counter) Add(delta int64) int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n += delta
	close(c.moved)
	c.moved = make(chan struct{})
	return c.n
}

// Value of the counter.
func (c *Counter) Value() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n
}

// Wait returns when the counter is at least n.
func (c *Counter) Wait(ctx context.Context, n int64, bound time.Duration) error {
	ctx, cancel, bound := waiting(ctx, bound)
	defer cancel()
	for {
		c.mu.Lock()
		now, moved := c.n, c.moved
		c.mu.Unlock()
		if now >= n {
			return nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return gaveUp(ctx, "counter.wait", fmt.Sprintf("the counter is %d and did not reach %d", now, n), bound)
		}
	}
}

// Shared is a map that tasks change together. Keys are text.
type Shared struct {
	mu     sync.Mutex
	values map[string]any // guarded by mu
}

// NewShared makes one.
func NewShared() *Shared { return &Shared{values: map[string]any{}} }

// Get finds a value.
func (s *Shared) Get(key string) (any, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.values[key]
	return v, ok
}

// Set stores a value.
func (s *Shared) Set(key string, v any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.values[key] = v
}

// Update replaces a value by what f makes of it, with no other change between. f must not use the map.
func (s *Shared) Update(key string, f func(old any, had bool) (any, error)) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old, had := s.values[key]
	v, err := f(old, had)
	if err != nil {
		return nil, err
	}
	s.values[key] = v
	return v, nil
}

// Keys in order.
func (s *Shared) Keys() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.values))
	for k := range s.values {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
