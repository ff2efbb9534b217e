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

// MaxAttempts bounds the attempts of a policy.
const MaxAttempts = 1_000_000

// Validate refuses a policy that means nothing.
func (p Policy) Validate() error {
	switch {
	case p.MaxAttempts < 1 || p.MaxAttempts > MaxAttempts:
		return fmt.Errorf("max_attempts: want 1 to %d, got %d", MaxAttempts, p.MaxAttempts)
	case p.BaseDelay < 0 || p.BaseDelay > MaxTime:
		return fmt.Errorf("base_delay: want 0 to %s, got %s", MaxTime, p.BaseDelay)
	case p.MaxDelay < 0 || p.MaxDelay > MaxTime:
		return fmt.Errorf("max_delay: want 0 to %s, got %s", MaxTime, p.MaxDelay)
	case p.MaxDelay > 0 && p.BaseDelay > p.MaxDelay:
		return fmt.Errorf("base_delay %s is longer than max_delay %s", p.BaseDelay, p.MaxDelay)
	}
	return p.validateOn()
}

func (p Policy) validateOn() error {
	for _, name := range p.On {
		if isCategory(name) || slices.ContainsFunc(fault.Kinds(), func(k fault.KindInfo) bool { return string(k.Kind) == name }) {
			continue
		}
		known := slices.Clone(categories[:])
		for _, k := range fault.Kinds() {
			known = append(known, string(k.Kind))
		}
		if near := fault.Suggest(name, known); near != "" {
			return fmt.Errorf("on: %q is no category or kind of error, did you mean %q?", name, near)
		}
		return fmt.Errorf("on: %q is no category or kind of error", name)
	}
	return nil
}

var categories = [...]string{string(fault.Transient), string(fault.Permanent), string(fault.UnknownCategory)}

func isCategory(name string) bool { return slices.Contains(categories[:], name) }

// Attempt is one attempt that failed; N counts from 1. Final is set on the last.
type Attempt struct {
	N     int
	Err   error
	Delay time.Duration // before the next; 0 on the last
	Final bool
}

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
// attempt before the pause that follows it; it may be nil. rng makes the source of the jitter after the first
// failure; nil means one made of Seed.
func (p Policy) Do(ctx context.Context, name string, rng func() *rand.Rand, attempt func(n int) error, observe func(Attempt)) error {
	if err := p.Validate(); err != nil {
		return fault.New(fault.BadArgument, "retry", fmt.Sprintf("%s: %v", name, err))
	}
	if ctx.Err() != nil {
		return &StoppedError{Name: name, Cause: context.Cause(ctx)}
	}
	// Most calls succeed at once: all that a retry needs is made after the first failure.
	if err := attempt(1); err != nil {
		d := &doing{p: p, ctx: ctx, observe: observe, n: 1, last: err}
		if rng != nil {
			d.rng = rng()
		}
		return d.goOn(name, attempt)
	}
	return nil
}

// doing is one call of Do.
type doing struct {
	p       Policy
	ctx     context.Context
	rng     *rand.Rand
	observe func(Attempt)

	n     int
	last  error
	pause time.Duration // after attempt n
	late  error         // why there is no time for another
	tries []Attempt
}

// goOn tries again after the first attempt failed.
func (d *doing) goOn(name string, attempt func(n int) error) error {
	if d.rng == nil {
		d.rng = rand.New(rand.NewPCG(d.p.Seed, 0))
	}
	first := true
	err := retry.Do(
		func() error {
			if first {
				first = false
				return d.last
			}
			d.n++
			d.last = attempt(d.n)
			return d.last
		},
		retry.Context(d.ctx), retry.Attempts(uint(d.p.MaxAttempts)), retry.Delay(d.p.BaseDelay), retry.LastErrorOnly(true),
		retry.RetryIf(d.again),
		retry.DelayType(func(uint, error, *retry.Config) time.Duration { return d.pause }),
	)
	if err == nil {
		return nil
	}
	if len(d.tries) == 0 { // the context ended during the first attempt
		d.tell(Attempt{N: d.n, Err: d.last, Final: true})
	}
	return d.verdict(name)
}

// tell keeps an attempt and passes it on.
func (d *doing) tell(a Attempt) {
	d.keep(a)
	if d.observe != nil {
		d.observe(a)
	}
}

// keep remembers the first attempts and the last ones.
func (d *doing) keep(a Attempt) {
	if len(d.tries) == 2*triesKept {
		d.tries = append(d.tries[:triesKept], d.tries[triesKept+1:]...)
	}
	d.tries = append(d.tries, a)
}

// again decides whether attempt n is not the last, and how long to wait; it never waits past the deadline.
func (d *doing) again(err error) bool {
	if d.n >= d.p.MaxAttempts || d.ctx.Err() != nil || !d.p.Retries(err) {
		d.tell(Attempt{N: d.n, Err: err, Final: true})
		return false
	}
	d.pause = d.p.delay(d.n, d.rng)
	if end, bounded := d.ctx.Deadline(); bounded && d.pause > 0 {
		if left := time.Until(end); d.pause >= left {
			d.late = &DeadlineError{d.pause, left}
			d.tell(Attempt{N: d.n, Err: err, Final: true})
			return false
		}
	}
	d.tell(Attempt{N: d.n, Err: err, Delay: d.pause})
	return true
}

// verdict is the error of a call that did not succeed in n attempts.
func (d *doing) verdict(name string) error {
	switch {
	case d.late != nil:
		return &StoppedError{Name: name, Attempts: d.n, Cause: d.late, Last: d.last}
	case d.ctx.Err() != nil && (d.last == nil || d.p.Retries(d.last)):
		return &StoppedError{Name: name, Attempts: d.n, Cause: context.Cause(d.ctx), Last: d.last}
	case d.n >= d.p.MaxAttempts && d.p.Retries(d.last):
		return &ExhaustedError{Name: name, Attempts: d.n, Err: d.last, Tries: d.tries}
	}
	return d.last
}

// delay is the pause after attempt n.
func (p Policy) delay(n int, rng *rand.Rand) time.Duration {
	d := p.BaseDelay
	for i := 1; i < n && d > 0 && d < MaxTime; i++ {
		d *= 2
	}
	d = min(d, MaxTime)
	if p.MaxDelay > 0 {
		d = min(d, p.MaxDelay)
	}
	if p.Jitter {
		d = time.Duration(rng.Uint64N(uint64(d) + 1))
	}
	return d
}
