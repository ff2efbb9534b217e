package resilience

import (
	"fmt"
	"sync"
	"time"

	"rig/runtime/fault"
)

// The states of a Breaker.
const (
	Closed   = "closed"    // calls go through
	Open     = "open"      // calls are refused
	HalfOpen = "half_open" // one call at a time tries whether the other side is back
)

// BreakerOptions say when a breaker opens and closes.
type BreakerOptions struct {
	FailureThreshold int           // failures in a row that open it
	RecoveryTimeout  time.Duration // after which a call may try again
	SuccessThreshold int           // successes in a row that close it
	Observe          func(from, to string)
}

// Validate refuses options that mean nothing.
func (o BreakerOptions) Validate() error {
	switch {
	case o.FailureThreshold < 1:
		return fmt.Errorf("failure_threshold: want at least 1, got %d", o.FailureThreshold)
	case o.SuccessThreshold < 1:
		return fmt.Errorf("success_threshold: want at least 1, got %d", o.SuccessThreshold)
	case o.RecoveryTimeout <= 0:
		return fmt.Errorf("recovery_timeout: want more than 0, got %s", o.RecoveryTimeout)
	}
	return nil
}

// Breaker refuses calls for a while after too many failures in a row. It is safe for concurrent use.
type Breaker struct {
	o BreakerOptions

	mu       sync.Mutex
	state    string    // guarded by mu
	failures int       // guarded by mu: in a row
	wins     int       // guarded by mu: in a row while half open
	trying   bool      // guarded by mu: a call is the trial
	opened   time.Time // guarded by mu
}

// NewBreaker makes a closed one.
func NewBreaker(o BreakerOptions) *Breaker { return &Breaker{o: o, state: Closed} }

// State is closed, open or half_open; an open one whose time is over is half open.
func (b *Breaker) State() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open && time.Since(b.opened) >= b.o.RecoveryTimeout {
		return HalfOpen
	}
	return b.state
}

// Call runs f, or refuses with an error of kind breaker_open.
func (b *Breaker) Call(name string, f func() error) error {
	if err := b.enter(name); err != nil {
		return err
	}
	err := f()
	b.leave(err)
	return err
}

func (b *Breaker) enter(name string) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open {
		left := b.o.RecoveryTimeout - time.Since(b.opened)
		if left > 0 {
			return fault.New(fault.BreakerOpen, name, fmt.Sprintf("the breaker is open after %d failures; it tries again in %s", b.failures, left.Round(time.Millisecond)))
		}
		b.to(HalfOpen)
	}
	if b.state == HalfOpen {
		if b.trying {
			return fault.New(fault.BreakerOpen, name, "the breaker is half open and another call is its trial")
		}
		b.trying = true
	}
	return nil
}

func (b *Breaker) leave(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	trial := b.state == HalfOpen
	b.trying = false
	if err != nil {
		b.wins = 0
		b.failures++
		if trial || b.failures >= b.o.FailureThreshold {
			b.opened = time.Now()
			b.to(Open)
		}
		return
	}
	if !trial {
		b.failures = 0
		return
	}
	if b.wins++; b.wins >= b.o.SuccessThreshold {
		b.failures, b.wins = 0, 0
		b.to(Closed)
	}
}

// to must hold mu.
func (b *Breaker) to(state string) {
	if b.state == state {
		return
	}
	from := b.state
	b.state = state
	if b.o.Observe != nil {
		b.o.Observe(from, state)
	}
}
