// Package clock bounds work with time that stands still while a debugger holds a script.
//
// A context made with [With] carries a Clock; [WithTimeout] bounds what runs below it, and [After] waits. Where a context
// carries none, time is the machine's own and nothing is added to what package context does.
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock measures the time during which nobody holds it. The zero Clock runs.
type Clock struct {
	mu     sync.Mutex
	holds  int                 // guarded by mu
	since  time.Time           // guarded by mu: when the first of the holds began
	lost   time.Duration       // guarded by mu: the sum of the holds that have ended
	timers map[*timer]struct{} // guarded by mu: those that have not fired
}

type timer struct {
	left  time.Duration
	since time.Time
	t     *time.Timer // nil while the clock is held
	fire  func()
}

type key struct{}

// With makes a context whose bounds follow the clock.
func With(ctx context.Context, c *Clock) context.Context { return context.WithValue(ctx, key{}, c) }

// Of gives the clock that a context carries, nil where it carries none.
func Of(ctx context.Context) *Clock {
	c, _ := ctx.Value(key{}).(*Clock)
	return c
}

// Hold stops the clock until release is called; holds add up.
func (c *Clock) Hold() (release func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds++; c.holds == 1 {
		c.since = time.Now()
		for t := range c.timers {
			if t.t.Stop() {
				t.left -= c.since.Sub(t.since)
				t.t = nil
			}
		}
	}
	var once sync.Once
	return func() { once.Do(c.release) }
}

func (c *Clock) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds--; c.holds > 0 {
		return
	}
	now := time.Now()
	c.lost += now.Sub(c.since)
	for t := range c.timers {
		if t.t == nil {
			c.start(t, now)
		}
	}
}

// start arms a timer. It must hold mu.
func (c *Clock) start(t *timer, now time.Time) {
	t.since = now
	t.t = time.AfterFunc(max(t.left, 0), func() {
		c.mu.Lock()
		_, waits := c.timers[t]
		delete(c.timers, t)
		c.mu.Unlock()
		if waits {
			t.fire()
		}
	})
}

// Lost is how long the clock has stood still, on a nil Clock 0.
func (c *Clock) Lost() time.Duration {
	if c == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.holds > 0 {
		return c.lost + time.Since(c.since)
	}
	return c.lost
}

// after calls fire once, when d has passed on the clock, unless it was stopped before.
func (c *Clock) after(d time.Duration, fire func()) (stop func()) {
	t := &timer{left: d, fire: fire}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.timers == nil {
		c.timers = map[*timer]struct{}{}
	}
	c.timers[t] = struct{}{}
	if c.holds == 0 {
		c.start(t, time.Now())
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.timers, t)
		if t.t != nil {
			t.t.Stop()
		}
	}
}

// WithTimeout is context.WithTimeoutCause on the clock that ctx carries. With one, the context has no Deadline: nobody knows
// how long a debugger will hold it.
func WithTimeout(ctx context.Context, d time.Duration, cause error) (context.Context, context.CancelFunc) {
	c := Of(ctx)
	if c == nil {
		return context.WithTimeoutCause(ctx, d, cause)
	}
	inner, cancel := context.WithCancelCause(ctx)
	stop := c.after(d, func() { cancel(cause) })
	return inner, func() { stop(); cancel(context.Canceled) }
}

// Mark is a moment on the clock of a context.
type Mark struct {
	c    *Clock
	at   time.Time
	lost time.Duration // of the clock, at that moment
}

// Now marks the moment on the clock that ctx carries.
func Now(ctx context.Context) Mark {
	c := Of(ctx)
	return Mark{c: c, at: time.Now(), lost: c.Lost()}
}

// Elapsed is the time since then during which nobody held the clock.
func (m Mark) Elapsed() time.Duration { return time.Since(m.at) - (m.c.Lost() - m.lost) }

// AfterFunc calls f once, when d has passed on the clock that ctx carries, unless it was stopped before.
func AfterFunc(ctx context.Context, d time.Duration, f func()) (stop func()) {
	if c := Of(ctx); c != nil {
		return c.after(d, f)
	}
	t := time.AfterFunc(d, f)
	return func() { t.Stop() }
}

// After gives a channel that is closed when d has passed on the clock that ctx carries. The returned function frees it.
func After(ctx context.Context, d time.Duration) (<-chan struct{}, func()) {
	done := make(chan struct{})
	return done, AfterFunc(ctx, d, func() { close(done) })
}
