package wait

import (
	"fmt"
	"slices"
	"time"
)

// Subject is a statement that is under way.
type Subject struct {
	Thread uint64
	Ended  <-chan struct{}
	Waited bool // it waited when it was settled last
}

func (s Subject) done() bool {
	select {
	case <-s.Ended:
		return true
	default:
		return false
	}
}

// BoundError tells that a statement neither ended nor waited in time.
type BoundError struct {
	Bound   time.Duration
	Threads []uint64
}

func (e *BoundError) Error() string {
	return fmt.Sprintf("still working after %s", e.Bound)
}

// Settle returns when each of the subjects has ended or waits for a lock, all of them in one look: while one still works, it
// may let another go. The states are in the order of the subjects; one that does not wait has ended. When bound passes first, the error is a *BoundError, and
// the states are those known.
func (w *Watcher) Settle(subjects []Subject, bound time.Duration) ([]State, error) {
	states := make([]State, len(subjects))
	x := settling{w: w, subjects: subjects, states: states, start: time.Now()}
	pause := x.first()
	for {
		if x.rest(min(pause, max(bound-time.Since(x.start), 0))) {
			return states, nil
		}
		settled, err := x.look()
		if settled || err != nil {
			return states, err
		}
		if time.Since(x.start) >= bound {
			return states, &BoundError{bound, x.working()}
		}
		pause = pauseAfter(time.Since(x.start))
	}
}

// first is how long to wait before the server is asked: those that waited before are asked about at once.
func (x *settling) first() time.Duration {
	for _, i := range x.alive() {
		if !x.subjects[i].Waited {
			return settle
		}
	}
	return 0
}

// pauseAfter makes probes rarer the longer a statement works.
func pauseAfter(elapsed time.Duration) time.Duration {
	switch {
	case elapsed < 10*time.Millisecond:
		return every
	case elapsed < 100*time.Millisecond:
		return everyMax
	}
	return everyIdle
}

type settling struct {
	w         *Watcher
	subjects  []Subject
	states    []State
	start     time.Time
	slowSince time.Time // when slow states have been seen without a break
	cycle     time.Time // when a cycle was first seen
}

// alive gives the places of the subjects that have not ended.
func (x *settling) alive() []int {
	var out []int
	for i, s := range x.subjects {
		if s.done() {
			x.states[i] = State{}
		} else {
			out = append(out, i)
		}
	}
	return out
}

func (x *settling) working() []uint64 {
	var out []uint64
	for _, i := range x.alive() {
		if !x.states[i].Waits {
			out = append(out, x.subjects[i].Thread)
		}
	}
	return out
}

// rest waits for a time, or until one of those that work has ended; true when none is left.
func (x *settling) rest(d time.Duration) bool {
	alive := x.alive()
	if len(alive) == 0 || d == 0 {
		return len(alive) == 0
	}
	t := time.NewTimer(d)
	defer t.Stop()
	// The newest is the one that is likeliest to end.
	newest := x.subjects[alive[len(alive)-1]]
	select {
	case <-newest.Ended:
		return len(x.alive()) == 0
	case <-t.C:
		return false
	}
}

// look asks the server, and reports whether all that have not ended wait.
func (x *settling) look() (bool, error) {
	alive := x.alive()
	if len(alive) == 0 {
		return true, nil
	}
	threads := make([]uint64, len(alive))
	for k, i := range alive {
		threads[k] = x.subjects[i].Thread
	}
	found, err := x.w.look(threads, time.Since(x.start))
	if err != nil {
		return false, err
	}
	all, slow := true, time.Duration(0)
	for _, i := range alive {
		s := found[x.subjects[i].Thread]
		if x.subjects[i].done() {
			// It ended since it was asked about. The others may have been let go by that.
			x.states[i] = State{}
			all = false
			continue
		}
		x.states[i] = s
		all = all && s.Waits
		if s.Slow && x.subjects[i].Waited {
			slow = max(slow, slowState)
			if s.Free {
				slow = freeState
			}
		}
	}
	return all && x.slowHolds(slow) && x.cycleHolds(found), nil
}

// slowHolds takes a state that changes late for true when it stays for a time; 0 is none such.
func (x *settling) slowHolds(slow time.Duration) bool {
	if slow == 0 {
		x.slowSince = time.Time{}
		return true
	}
	if x.slowSince.IsZero() {
		x.slowSince = time.Now()
	}
	return time.Since(x.slowSince) >= slow
}

// cycleHolds is false while threads wait for each other: the server is about to end one of them. A cycle that stays (it is told
// not to look for deadlocks) counts as waits.
func (x *settling) cycleHolds(found map[uint64]State) bool {
	if !cyclic(found) {
		x.cycle = time.Time{}
		return true
	}
	if x.cycle.IsZero() {
		x.cycle = time.Now()
	}
	return time.Since(x.cycle) >= quiet
}

// cyclic reports whether threads wait for each other in a circle.
func cyclic(found map[uint64]State) bool {
	for t := range found {
		seen := map[uint64]bool{}
		todo := slices.Clone(found[t].Blockers)
		for len(todo) > 0 {
			b := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if b == t {
				return true
			}
			if !seen[b] {
				seen[b] = true
				todo = append(todo, found[b].Blockers...)
			}
		}
	}
	return false
}

// Look asks once whether a thread waits, for those who show it. A thread of which the server tells nothing does not.
func (w *Watcher) Look(thread uint64) (State, error) {
	found, err := w.look([]uint64{thread}, 0)
	return found[thread], err
}

// look tells which of the threads wait. elapsed is how long they have been quiet.
func (w *Watcher) look(threads []uint64, elapsed time.Duration) (map[uint64]State, error) {
	found := map[uint64]State{}
	if w.rows != nil {
		some, err := w.rows.suspects()
		if err == nil && some {
			found, err = w.rows.look(threads)
		}
		if err != nil {
			return nil, fmt.Errorf("ask the server which session waits: %w", err)
		}
	}
	if w.states != nil && len(found) < len(threads) {
		more, err := w.states.look(threads)
		if err != nil {
			return nil, fmt.Errorf("ask the server which session waits: %w", err)
		}
		for id, s := range more {
			if _, known := found[id]; !known {
				if found == nil {
					found = map[uint64]State{}
				}
				found[id] = s
			}
		}
	}
	if w.Quiet() && elapsed >= quiet {
		for _, t := range threads {
			if !found[t].Waits {
				found[t] = State{Waits: true, Weak: true}
			}
		}
	}
	return found, nil
}
