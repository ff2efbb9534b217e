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

// BreakerOptions say when a breaker opens and closes. Observe, which may be nil, is told of every change in order; it
// must not use the breaker. Counts, where it is set, says which errors are failures; else all are but those of a call that
// rig itself cancelled, which count neither way.
type BreakerOptions struct {
	FailureThreshold int           // failures in a row that open it
	RecoveryTimeout  time.Duration // after which a call may try again
	SuccessThreshold int           // successes in a row that close it
	Observe          func(from, to string)
	Counts           func(error) bool
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
	state    string    // guarded by mu, like all below
	era      int       // counts the changes of state: a call's result counts only in the era in which it began
	failures int       // since the last success while closed
	wins     int       // in a row while half open
	trying   bool      // a call is the trial
	opened   time.Time // when it opened last
	why      string    // what opened it
}

// NewBreaker makes a closed one. Options that [BreakerOptions.Validate] refuses make one that opens at the first failure
// and closes at the first success.
func NewBreaker(o BreakerOptions) *Breaker {
	o.FailureThreshold, o.SuccessThreshold = max(o.FailureThreshold, 1), max(o.SuccessThreshold, 1)
	if o.Counts == nil {
		o.Counts = func(err error) bool { return !fault.IsKind(err, fault.Cancelled) }
	}
	return &Breaker{o: o, state: Closed}
}

// State is closed, open or half_open; an open one whose time is over is half open.
func (b *Breaker) State() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open && b.left() <= 0 {
		return HalfOpen
	}
	return b.state
}

// Call runs f, or refuses with an error of kind breaker_open that tells when the breaker will try again. A panic of f
// counts as a failure and goes on.
func (b *Breaker) Call(name string, f func() error) error {
	era, err := b.enter(name)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned {
			b.leave(era, fault.New(fault.Other, name, "the call did not return"))
		}
	}()
	err = f()
	returned = true
	b.leave(era, err)
	return err
}

func (b *Breaker) left() time.Duration { return b.o.RecoveryTimeout - time.Since(b.opened) }

func count(failures int) string {
	if failures == 1 {
		return "1 failure"
	}
	return fmt.Sprintf("%d failures", failures)
}

// enter lets a call in, in the present era, or refuses it.
func (b *Breaker) enter(name string) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.state == Open {
		if left := b.left(); left > 0 {
			e := fault.New(fault.BreakerOpen, name, fmt.Sprintf("the breaker is open after %s; it tries again in %s", count(b.failures), left.Round(time.Millisecond)))
			return 0, e.WithHint("the last failure was: " + b.why)
		}
		b.to(HalfOpen)
	}
	if b.state == HalfOpen {
		if b.trying {
			return 0, fault.New(fault.BreakerOpen, name, "the breaker is half open and another call is its trial; it tries again when that has ended")
		}
		b.trying = true
	}
	return b.era, nil
}

// leave counts a call's result, unless the breaker changed since the call began.
func (b *Breaker) leave(era int, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if era != b.era {
		return
	}
	trial := b.trying
	b.trying = false
	switch {
	case err == nil && !trial:
		b.failures = 0
	case err == nil:
		if b.wins++; b.wins >= b.o.SuccessThreshold {
			b.failures = 0
			b.to(Closed)
		}
	case b.o.Counts(err):
		b.failures++
		if trial || b.failures >= b.o.FailureThreshold {
			b.opened, b.why = time.Now(), err.Error()
			b.to(Open)
		}
	}
}

// to changes the state, with mu held, and begins an era.
func (b *Breaker) to(state string) {
	from := b.state
	b.state = state
	b.era++
	b.wins, b.trying = 0, false
	if b.o.Observe != nil {
		b.o.Observe(from, state)
	}
}
