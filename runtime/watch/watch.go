// Package watch looks at something, many times, until it is as wanted.
//
// [Run] is all of it.
package watch

import (
	"context"
	"fmt"
	"time"

	"rig/runtime/clock"
)

// Options of Run.
type Options struct {
	Every   time.Duration // from the beginning of a look to that of the next; a look that takes longer is followed at once
	Timeout time.Duration
	// Look looks once and tells whether that was the last time. Its context ends with the time-out; n counts from 1.
	Look func(ctx context.Context, n int) (done bool, err error)
	// Tell shows how far it is; it is called after the first look, after the last, and in between at most every TellEvery.
	Tell func(Progress)
}

// Progress is how far a Run is.
type Progress struct {
	Looks   int
	Elapsed time.Duration
	Over    bool // there is no further look
}

// TellEvery bounds how often Tell is called.
const TellEvery = 200 * time.Millisecond

// TimeoutError is the end of a Run that never saw what it waited for.
type TimeoutError struct {
	After time.Duration
	Looks int
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("not so within %s, after %d looks", e.After, e.Looks)
}

// Run looks at once and then every so often. It ends with the first look that is done or fails, with the time-out (a
// *TimeoutError) or with ctx (its cause).
func Run(ctx context.Context, o Options) error {
	start := time.Now()
	late := &TimeoutError{After: o.Timeout}
	inner, cancel := clock.WithTimeout(ctx, o.Timeout, late)
	defer cancel()
	tick := time.NewTicker(max(o.Every, time.Microsecond))
	defer tick.Stop()
	var told time.Time
	for n := 1; ; n++ {
		done, err := o.Look(inner, n)
		late.Looks = n
		over := done || err != nil || inner.Err() != nil
		if now := time.Now(); o.Tell != nil && (over || now.Sub(told) >= TellEvery) {
			told = now
			o.Tell(Progress{Looks: n, Elapsed: now.Sub(start), Over: over})
		}
		if done || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-inner.Done():
		}
		if inner.Err() != nil {
			if o.Tell != nil && !over {
				o.Tell(Progress{Looks: n, Elapsed: time.Since(start), Over: true})
			}
			return context.Cause(inner)
		}
	}
}
