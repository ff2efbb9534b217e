package schedule

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"time"

	"rig/runtime/wait"
)

// settle waits until all that is under way has ended or waits, and notes what came of it. cause is the step that was sent, nil
// when time passed.
func (r *runner) settle(cause *active) error {
	subjects := make([]wait.Subject, len(r.pending))
	bound := r.Plan.Timeout
	for i, a := range r.pending {
		subjects[i] = wait.Subject{Thread: r.conns[r.Plan.SessionOf(a.Step)].Thread(), Ended: a.running.Ended(), Waited: a.waiting}
		if !a.waiting {
			bound = r.bound(a.Step)
		}
	}
	states, err := r.Waits.Settle(subjects, bound)
	for deadline := time.Now().Add(bound); err == nil && r.heldFromOutside(states) && time.Now().Before(deadline); {
		if err = sleep(r.ctx, outsidePoll); err == nil {
			states, err = r.Waits.Settle(subjects, time.Until(deadline))
		}
	}
	var late *wait.BoundError
	if err != nil && !errors.As(err, &late) {
		return err
	}
	stuck := r.take(cause, states, late)
	if stuck != nil {
		return &StuckError{Step: r.Plan.Step(stuck.Step).Name, SQL: r.Plan.Step(stuck.Step).SQL, Bound: r.bound(stuck.Step)}
	}
	return nil
}

// outsidePoll is how often a lock that the schedule has nothing to do with is looked at again.
const outsidePoll = 5 * time.Millisecond

// globalLock finds the statements that take or may take a lock of the whole server.
var globalLock = regexp.MustCompile(`(?i)^\s*(FLUSH|BACKUP|LOCK|UNLOCK)\b`)

// heldFromOutside reports whether a step waits for a lock of the whole server that no step of the plan takes: somebody else holds
// it, for a while, and it is no wait of this schedule.
func (r *runner) heldFromOutside(states []wait.State) bool {
	if !slices.ContainsFunc(states, func(s wait.State) bool { return s.Waits && s.Lock.Kind == "backup" && len(s.Blockers) == 0 }) {
		return false
	}
	for n := range r.Plan.Len() {
		if s := r.Plan.Step(n); s.Func || globalLock.MatchString(s.SQL) {
			return false
		}
	}
	return true
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

// take notes the states of a phase in an order that does not depend on which reply came first. stuck is a step that neither
// ended nor waits.
func (r *runner) take(cause *active, states []wait.State, late *wait.BoundError) (stuck *active) {
	var ended, left []*active
	var waiting []wait.State
	for i, a := range r.pending {
		if !states[i].Waits && (late == nil || isOver(a.running)) {
			a.Ended, a.Result = true, a.running.Result()
			ended = append(ended, a)
			continue
		}
		left, waiting = append(left, a), append(waiting, states[i])
		if !states[i].Waits {
			stuck = a
		}
	}
	r.pending = left
	r.deadlocks(ended)
	// The step that was sent comes first: it is the cause of the rest.
	slices.SortStableFunc(ended, func(x, y *active) int { return rank(x, cause) - rank(y, cause) })
	ended = r.heldBack(ended)
	for i, a := range ended {
		r.returned(a, cause, ended[:i])
	}
	for i, a := range left {
		if waiting[i].Waits {
			r.waits(a, waiting[i])
		}
	}
	return stuck
}

func isOver(x Running) bool {
	select {
	case <-x.Ended():
		return true
	default:
		return false
	}
}

func rank(a, cause *active) int {
	if a == cause {
		return 0
	}
	return 1
}

// heldBack puts steps that should return after others, and ended with them, behind those.
func (r *runner) heldBack(ended []*active) []*active {
	for i := range ended {
		for k := i + 1; k < len(ended); k++ {
			if slices.Contains(ended[i].Want.After, r.Plan.Step(ended[k].Step).Name) {
				a := ended[i]
				return r.heldBack(slices.Insert(slices.Delete(ended, i, i+1), k, a))
			}
		}
	}
	return ended
}

// waits notes that a step waits, once for each lock.
func (r *runner) waits(a *active, s wait.State) {
	if a.waiting && (s.Weak || sameWait(a, s)) {
		return
	}
	if !a.Waited {
		a.Latency = time.Since(a.Sent)
	}
	a.Waited, a.waiting, a.Weak = true, true, a.Weak || s.Weak
	names := r.blockers(s.Blockers)
	for _, n := range names {
		if !slices.Contains(a.Blockers, n) {
			a.Blockers = append(a.Blockers, n)
		}
	}
	a.Locks = append(a.Locks, s.Lock)
	r.note(Entry{What: Waits, Step: a.Step, Lock: s.Lock, Blockers: names, Weak: s.Weak})
}

func sameWait(a *active, s wait.State) bool {
	l := a.lock()
	return l.Kind == s.Lock.Kind && l.Index == s.Lock.Index && l.Table == s.Lock.Table && l.Record == s.Lock.Record && l.Mode == s.Lock.Mode
}

// foreign is how a session is called that is none of the plan's.
const foreign = "another session"

func (r *runner) blockers(threads []uint64) []string {
	var out []string
	for _, t := range threads {
		name := foreign
		for i, c := range r.conns {
			if c.Thread() == t {
				name = r.Plan.Sessions[i].Name
			}
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// returned notes the end of a step.
func (r *runner) returned(a, cause *active, before []*active) {
	r.follow(a)
	if !a.waiting {
		r.note(Entry{What: Returns, Step: a.Step, Result: a.Result, Implicit: a.Implicit})
		return
	}
	a.waiting = false
	a.ReleasedBy = r.releasedBy(a, cause, before)
	r.note(Entry{What: Proceeds, Step: a.Step, Result: a.Result, Implicit: a.Implicit, After: a.ReleasedBy})
}

// releasedBy finds the step that let a proceed: one that ended in the same phase, of a session that a waited for, else the step
// that was sent.
func (r *runner) releasedBy(a, cause *active, before []*active) int {
	if cause == nil || a == cause {
		if len(before) > 0 {
			return before[len(before)-1].Step
		}
		return -1
	}
	for i := len(before) - 1; i >= 0; i-- {
		if slices.Contains(a.Blockers, r.sessionName(before[i].Step)) {
			return before[i].Step
		}
	}
	return cause.Step
}

// follow keeps track of transactions, to tell of DDL that ends one.
func (r *runner) follow(a *active) {
	s := r.Plan.SessionOf(a.Step)
	step := r.Plan.Step(a.Step)
	if step.Func {
		return
	}
	what := classify(step.SQL)
	switch {
	case a.Result.Err != nil:
		if a.Result.Err.Kind == "deadlock" {
			r.open[s] = false
		}
	case what.begins:
		r.open[s] = true
	case what.ends:
		r.open[s] = false
	case what.ddl:
		a.Implicit, r.open[s] = r.open[s], false
	}
}
