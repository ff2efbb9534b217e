// Package resilience decides whether a failed call is worth another attempt.
//
// A [Policy] runs an attempt again while its errors are of the categories or kinds it names; a [Breaker] refuses calls for
// a while after too many failures. Both know errors by package fault: transient ones are tried again, permanent ones fail
// fast, unknown ones are tried again within the limits when the policy names them.
package resilience

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/avast/retry-go/v4"

	"rig/runtime/fault"
)

// Policy says how often a call is tried, and when. The pause after attempt n is BaseDelay*2^(n-1), at most MaxDelay (0: no
// bound); with Jitter it is drawn evenly between zero and that, the full jitter of "Exponential Backoff And Jitter" (AWS
// Architecture Blog, 2015).
type Policy struct {
	MaxAttempts int // calls in all
	BaseDelay   time.Duration
	MaxDelay    time.Duration
	Jitter      bool
	On          []string // categories and kinds of package fault; empty is transient and unknown
	Seed        uint64   // of the jitter, where Do is given no source of its own
}

// DefaultPolicy is what a bare retry = "transient" means: transactions that met a deadlock begin again at once.
func DefaultPolicy() Policy {
	return Policy{MaxAttempts: 10, BaseDelay: 5 * time.Millisecond, MaxDelay: time.Second, Jitter: true, On: []string{string(fault.Transient)}}
}

// Validate refuses a policy that means nothing.
func (p Policy) Validate() error {
	switch {
	case p.MaxAttempts < 1:
		return fmt.Errorf("max_attempts: want at least 1, got %d", p.MaxAttempts)
	case p.BaseDelay < 0:
		return fmt.Errorf("base_delay: want 0 or more, got %s", p.BaseDelay)
	case p.MaxDelay < 0:
		return fmt.Errorf("max_delay: want 0 or more, got %s", p.MaxDelay)
	case p.MaxDelay > 0 && p.BaseDelay > p.MaxDelay:
		return fmt.Errorf("base_delay %s is longer than max_delay %s", p.BaseDelay, p.MaxDelay)
	}
	return p.validateOn()
}

func (p Policy) validateOn() error {
	known := []string{string(fault.Transient), string(fault.Permanent), string(fault.UnknownCategory)}
	for _, k := range fault.Kinds() {
		known = append(known, string(k.Kind))
	}
	for _, name := range p.On {
		if slices.Contains(known, name) {
			continue
		}
		if near := fault.Suggest(name, known); near != "" {
			return fmt.Errorf("on: %q is no category or kind of error, did you mean %q?", name, near)
		}
		return fmt.Errorf("on: %q is no category or kind of error", name)
	}
	return nil
}

// Attempt is one attempt that failed; N counts from 1. Final is set on the last.
type Attempt struct {
	N     int
	Err   error
	Delay time.Duration // before the next; 0 on the last
	Final bool
}

// ExhaustedError is the last error of a call whose attempts are used up.
type ExhaustedError struct {
	Name     string
	Attempts int
	Err      error
}

func (e *ExhaustedError) Error() string {
	if e.Attempts == 1 {
		return fmt.Sprintf("%s: gave up after 1 attempt: %v", e.Name, e.Err)
	}
	return fmt.Sprintf("%s: gave up after %d attempts: %v", e.Name, e.Attempts, e.Err)
}

// Unwrap gives the last attempt's error.
func (e *ExhaustedError) Unwrap() error { return e.Err }

// StoppedError is a call that was given up because its context ended before or between attempts. Last is the error of the
// latest attempt, nil where there was none; it says what was tried, but the error is the context's.
type StoppedError struct {
	Name     string
	Attempts int
	Cause    error // the context's
	Last     error
}

func (e *StoppedError) Error() string {
	if e.Last == nil {
		return fmt.Sprintf("%s: stopped before its first attempt: %v", e.Name, e.Cause)
	}
	return fmt.Sprintf("%s: stopped after attempt %d: %v (it had failed with: %v)", e.Name, e.Attempts, e.Cause, e.Last)
}

// Unwrap gives the context's cause.
func (e *StoppedError) Unwrap() error { return e.Cause }

// Retries reports whether the policy would try again after err.
func (p Policy) Retries(err error) bool {
	if err == nil {
		return false
	}
	c := fault.Classify(err)
	if len(p.On) == 0 {
		return c.Category != fault.Permanent
	}
	return slices.Contains(p.On, string(c.Category)) || slices.Contains(p.On, string(c.Kind))
}

// Do calls attempt(1), attempt(2), ... until one succeeds, one fails with an error that is not retried (which Do returns
// as it is), the attempts are used up (*[ExhaustedError]) or ctx ends (*[StoppedError]). observe is told of every failed
// attempt before the pause that follows it; it may be nil. rng draws the jitter; nil means one made of Seed.
func (p Policy) Do(ctx context.Context, name string, rng *rand.Rand, attempt func(n int) error, observe func(Attempt)) error {
	if err := p.Validate(); err != nil {
		return fault.New(fault.BadArgument, "retry", fmt.Sprintf("%s: %v", name, err))
	}
	if rng == nil {
		rng = rand.New(rand.NewPCG(p.Seed, 0))
	}
	if observe == nil {
		observe = func(Attempt) {}
	}
	n, last := 0, error(nil)
	err := retry.Do(
		func() error {
			n++
			last = attempt(n)
			return last
		},
		retry.Context(ctx), retry.Attempts(uint(p.MaxAttempts)), retry.Delay(p.BaseDelay), retry.LastErrorOnly(true),
		retry.RetryIf(func(err error) bool {
			again := n < p.MaxAttempts && ctx.Err() == nil && p.Retries(err)
			if !again {
				observe(Attempt{N: n, Err: err, Final: true})
			}
			return again
		}),
		retry.DelayType(func(_ uint, err error, c *retry.Config) time.Duration {
			d := p.delay(n, c, rng)
			observe(Attempt{N: n, Err: err, Delay: d})
			return d
		}),
	)
	if err == nil {
		return nil
	}
	return p.verdict(ctx, name, n, last)
}

// verdict is the error of a call that did not succeed in n attempts.
func (p Policy) verdict(ctx context.Context, name string, n int, last error) error {
	switch {
	case ctx.Err() != nil && (last == nil || p.Retries(last)):
		return &StoppedError{Name: name, Attempts: n, Cause: context.Cause(ctx), Last: last}
	case n >= p.MaxAttempts && p.Retries(last):
		return &ExhaustedError{Name: name, Attempts: n, Err: last}
	}
	return last
}

// delay is the pause after attempt n.
func (p Policy) delay(n int, c *retry.Config, rng *rand.Rand) time.Duration {
	if p.BaseDelay == 0 { // retry-go would make it a nanosecond
		return 0
	}
	d := retry.BackOffDelay(uint(n), nil, c)
	if p.MaxDelay > 0 {
		d = min(d, p.MaxDelay)
	}
	if p.Jitter {
		d = time.Duration(rng.Uint64N(uint64(d) + 1))
	}
	return d
}
