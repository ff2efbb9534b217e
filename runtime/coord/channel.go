package coord

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rig/runtime/clock"
)

// Channel passes values between goroutines, in order.
type Channel struct {
	values chan any
	once   sync.Once
	closed chan struct{} // tells senders to stop
	// sending is held for reading by every sender, and taken for writing to close values, so that no value is sent to a
	// closed channel and none that was accepted is lost.
	sending sync.RWMutex
}

// NewChannel makes a channel that holds up to capacity values; with 0 or less, a sender waits for its receiver.
func NewChannel(capacity int) *Channel {
	return &Channel{values: make(chan any, max(capacity, 0)), closed: make(chan struct{})}
}

// Send waits until there is room for v. On a closed channel it gives [ErrClosed].
func (c *Channel) Send(ctx context.Context, v any, timeout time.Duration) error {
	const what = "room in a channel"
	timeout, err := bound(timeout)
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	c.sending.RLock()
	defer c.sending.RUnlock()
	select {
	case <-c.closed:
		return ErrClosed
	default:
	}
	select {
	case c.values <- v: // also where the context has ended: what can be done at once is done
		return nil
	default:
	}
	late, free := clock.After(ctx, timeout)
	defer free()
	select {
	case c.values <- v:
		return nil
	case <-c.closed:
		return ErrClosed
	case <-ctx.Done():
		return stopped(ctx, what)
	case <-late:
		return &TimeoutError{What: what, After: timeout}
	}
}

// Receive waits for a value. After Close it gives what is left; then ok is false.
func (c *Channel) Receive(ctx context.Context, timeout time.Duration) (v any, ok bool, err error) {
	const what = "a value from a channel"
	timeout, err = bound(timeout)
	if err != nil {
		return nil, false, fmt.Errorf("waiting for %s: %w", what, err)
	}
	select {
	case v, ok = <-c.values:
		return v, ok, nil
	default:
	}
	late, free := clock.After(ctx, timeout)
	defer free()
	select {
	case v, ok = <-c.values:
		return v, ok, nil
	case <-ctx.Done():
		return nil, false, stopped(ctx, what)
	case <-late:
		return nil, false, &TimeoutError{What: what, After: timeout}
	}
}

// Close ends the channel: senders that wait get [ErrClosed]. Closing again changes nothing.
func (c *Channel) Close() {
	c.once.Do(func() {
		close(c.closed)
		c.sending.Lock()
		defer c.sending.Unlock()
		close(c.values)
	})
}

// Len is the number of values that wait for a receiver.
func (c *Channel) Len() int { return len(c.values) }

// Cap is the capacity.
func (c *Channel) Cap() int { return cap(c.values) }
