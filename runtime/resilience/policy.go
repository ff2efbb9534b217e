// Package resilience decides whether a failed call is worth another attempt.
//
// A [Policy] runs an attempt again while its errors are of the kinds it names; a [Breaker] refuses calls for a while after too many
// failures. Both know errors by their category (package fault): transient ones are tried again, permanent ones fail
// fast, unknown ones are tried again within the limits when the policy names them.
package resilience

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/avast/retry-go/v4"

	"rig/runtime/fault"
)

// Policy says how often a call is tried, and when. The pause after attempt n is BaseDelay*2^(n-1), at most MaxDelay; with
// Jitter it is drawn between zero and that (full jitter).
type Policy struct {
	MaxAttempts int
	BaseDelay   time.Duration
	MaxDelay    time.Duration
	Jitter      bool
	On          []string // categories and kinds of package fault; empty is transient
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
	case p.BaseDelay < 0 || p.MaxDelay < 0:
		return errors.New("base_delay and max_delay cannot be negative")
	case p.MaxDelay > 0 && p.BaseDelay > p.MaxDelay:
		return fmt.Errorf("base_delay %s is longer than max_delay %s", p.BaseDelay, p.MaxDelay)
	}
	return nil
}

// Attempt is one attempt that failed. Final is set on the last.
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
	return fmt.Sprintf("%s: gave up after %d attempts: %v", e.Name, e.Attempts, e.Err)
}

func (e *ExhaustedError) Unwrap() error { return e.Err }

// Retries reports whether the policy would try again after err.
func (p Policy) Retries(err error) bool {
	c := fault.Classify(err)
	on := p.On
	if len(on) == 0 {
		on = []string{string(fault.Transient)}
	}
	return slices.Contains(on, string(c.Category)) || slices.Contains(on, string(c.Kind))
}

// Do calls attempt(1), attempt(2), ... until one succeeds, fails for good, the attempts are used up or ctx ends. observe
// is told of every failed attempt; it may be nil.
func (p Policy) Do(ctx context.Context, name string, rng *rand.Rand, attempt func(n int) error, observe func(Attempt)) error {
	if err := p.Validate(); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if observe == nil {
		observe = func(Attempt) {}
	}
	n := 0
	var last error
	err := retry.Do(func() error {
		n++
		last = attempt(n)
		return last
	},
		retry.Context(ctx), retry.Attempts(uint(p.MaxAttempts)), retry.LastErrorOnly(true),
		retry.RetryIf(func(err error) bool {
			again := p.Retries(err) && n < p.MaxAttempts && ctx.Err() == nil
			if !again {
				observe(Attempt{N: n, Err: err, Final: true})
			}
			return again
		}),
		retry.DelayType(func(i uint, err error, _ *retry.Config) time.Duration {
			d := p.delay(n, rng)
			observe(Attempt{N: n, Err: err, Delay: d})
			return d
		}),
	)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case n >= p.MaxAttempts && n > 1 && p.Retries(last):
		return &ExhaustedError{Name: name, Attempts: n, Err: last}
	}
	return last
}

// delay is the pause after attempt n.
func (p Policy) delay(n int, rng *rand.Rand) time.Duration {
	d := p.BaseDelay << min(n-1, 30)
	if d < p.BaseDelay || (p.MaxDelay > 0 && d > p.MaxDelay) {
		d = p.MaxDelay
	}
	if p.Jitter && d > 0 {
		d = time.Duration(rng.Int64N(int64(d) + 1))
	}
	return d
}
