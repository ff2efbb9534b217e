package resilience

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/sony/gobreaker/v2"

	"rig/runtime/fault"
)

// The states of a Breaker.
const (
	Closed   = "closed"    // calls go through
	Open     = "open"      // calls are refused
	HalfOpen = "half_open" // as many calls as must succeed try whether the other side is back
)

// MaxTime bounds the delays of a policy and the recovery time of a breaker: no run lasts longer.
const MaxTime = 24 * time.Hour

// MaxThreshold bounds the thresholds of a breaker.
const MaxThreshold = math.MaxInt32

// BreakerOptions say when a breaker opens and closes. Observe, which may be nil, is told of every change in order; it
// must not use the breaker. Counts, where it is set, says which errors are failures; else all are but those of a call that
// rig itself cancelled, which count neither way.
type BreakerOptions struct {
	Name             string
	FailureThreshold int           // failures in a row that open it
	RecoveryTimeout  time.Duration // after which calls may try again
	SuccessThreshold int           // successes in a row that close it; so many calls may try at a time
	Observe          func(from, to string)
	Counts           func(error) bool
}

// Validate refuses options that mean nothing.
func (o BreakerOptions) Validate() error {
	switch {
	case o.FailureThreshold < 1 || o.FailureThreshold > MaxThreshold:
		return fmt.Errorf("failure_threshold: want 1 to %d, got %d", MaxThreshold, o.FailureThreshold)
	case o.SuccessThreshold < 1 || o.SuccessThreshold > MaxThreshold:
		return fmt.Errorf("success_threshold: want 1 to %d, got %d", MaxThreshold, o.SuccessThreshold)
	case o.RecoveryTimeout <= 0 || o.RecoveryTimeout > MaxTime:
		return fmt.Errorf("recovery_timeout: want more than 0 and at most %s, got %s", MaxTime, o.RecoveryTimeout)
	}
	return nil
}

// Breaker refuses calls for a while after too many failures in a row. It is safe for concurrent use. The states and counts
// are those of gobreaker: a result counts only in the state in which its call began.
type Breaker struct {
	o  BreakerOptions
	cb *gobreaker.TwoStepCircuitBreaker[struct{}]

	ended atomic.Pointer[string] // why it was closed for good

	mu       sync.Mutex // held around every use of cb, so that changes are told with what made them
	failures int        // guarded by mu, like all below: in a row, up to its opening
	opened   time.Time  // when it opened last
	why      string     // what opened it
	last     error      // the failure that is being counted
}

// NewBreaker makes a closed one. Options that [BreakerOptions.Validate] refuses make one that opens at the first failure
// and closes at the first success.
func NewBreaker(o BreakerOptions) *Breaker {
	o.FailureThreshold, o.SuccessThreshold = max(o.FailureThreshold, 1), max(o.SuccessThreshold, 1)
	if o.Counts == nil {
		o.Counts = func(err error) bool { return !fault.IsKind(err, fault.Cancelled) }
	}
	b := &Breaker{o: o}
	b.cb = gobreaker.NewTwoStepCircuitBreaker[struct{}](gobreaker.Settings{
		Name: o.Name, MaxRequests: uint32(o.SuccessThreshold),
		// It opens again after more than this time: a call that comes when the time is over is let in.
		Timeout:       max(o.RecoveryTimeout-1, 1),
		ReadyToTrip:   b.trips,
		OnStateChange: func(_ string, from, to gobreaker.State) { b.changed(nameOf(from), nameOf(to)) },
		IsExcluded:    func(err error) bool { return err != nil && !b.o.Counts(err) },
	})
	return b
}

func nameOf(s gobreaker.State) string {
	switch s {
	case gobreaker.StateOpen:
		return Open
	case gobreaker.StateHalfOpen:
		return HalfOpen
	}
	return Closed
}

// changed notes a change of state, with mu held, and tells of it.
func (b *Breaker) changed(from, to string) {
	switch {
	case to == Open:
		b.opened, b.why = time.Now(), b.last.Error()
		if from == HalfOpen {
			b.failures++
		}
	case to == Closed:
		b.failures = 0
	}
	if b.o.Observe != nil {
		b.o.Observe(from, to)
	}
}

// trips tells, with mu held, whether so many failures in a row open it.
func (b *Breaker) trips(c gobreaker.Counts) bool {
	b.failures = int(c.ConsecutiveFailures)
	return b.failures >= b.o.FailureThreshold
}

// State is closed, open or half_open; an open one whose time is over is half open.
func (b *Breaker) State() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return nameOf(b.cb.State())
}

// Close ends the breaker: every later call is refused with why. What is under way goes on. Closing again changes nothing.
func (b *Breaker) Close(why string) {
	b.ended.CompareAndSwap(nil, &why)
}

// Call runs f, or refuses with an error of kind breaker_open that tells when the breaker will try again. A panic of f
// counts as a failure and goes on.
func (b *Breaker) Call(name string, f func() error) error {
	done, err := b.enter(name)
	if err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned {
			b.leave(done, fault.New(fault.Other, name, "the call did not return"))
		}
	}()
	err = f()
	returned = true
	b.leave(done, err)
	return err
}

func count(failures int) string {
	if failures == 1 {
		return "1 failure"
	}
	return fmt.Sprintf("%d failures", failures)
}

// enter lets a call in or refuses it. done takes the call's result.
func (b *Breaker) enter(name string) (done func(error), err error) {
	if why := b.ended.Load(); why != nil {
		return nil, fault.New(fault.BadArgument, name, "the breaker was closed for good: "+*why).WithHint("make a breaker where it is used, retry.breaker(...)")
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	done, err = b.cb.Allow()
	switch {
	case errors.Is(err, gobreaker.ErrOpenState):
		left := b.o.RecoveryTimeout - time.Since(b.opened)
		e := fault.New(fault.BreakerOpen, name, fmt.Sprintf("the breaker is open after %s; it tries again in %s", count(b.failures), left.Round(time.Millisecond)))
		return nil, e.WithHint("the last failure was: " + b.why)
	case errors.Is(err, gobreaker.ErrTooManyRequests):
		return nil, fault.New(fault.BreakerOpen, name, fmt.Sprintf("the breaker is half open and %s; it tries again when that has ended", b.trials()))
	}
	return done, err
}

func (b *Breaker) trials() string {
	if b.o.SuccessThreshold == 1 {
		return "another call is its trial"
	}
	return fmt.Sprintf("%d other calls are its trial", b.o.SuccessThreshold)
}

// leave counts a call's result, unless the breaker changed since the call began.
func (b *Breaker) leave(done func(error), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = err
	done(err)
	b.last = nil
}
