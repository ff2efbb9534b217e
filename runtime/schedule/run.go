package schedule

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/wait"
)

// Engine runs orders of one plan.
type Engine struct {
	Plan  *Plan
	Waits *wait.Watcher
	Emit  func(session string, d event.Data) // may be nil
}

// StepRun is a step in a run.
type StepRun struct {
	Step       int
	Result     Result
	Ended      bool
	Waited     bool
	Weak       bool // that it waited is known by quiet time alone
	Locks      []wait.Lock
	Blockers   []string // the sessions that it waited for; "another session" is none of the plan
	ReleasedBy int      // the step that let it proceed, -1 for none
	Implicit   bool     // it was DDL and ended its session's transaction
	Sent       time.Time
	Latency    time.Duration // from sending to knowing that it waits
	Want       Want
}

// Kinds of entries.
const (
	Sent     = "sent"
	Waits    = "waits"
	Proceeds = "proceeds"
	Returns  = "returns"
	Deadlock = "deadlock"
)

// Entry is one thing that happened, in order.
type Entry struct {
	What     string
	Step     int // of the plan; of a deadlock the victim's
	Lock     wait.Lock
	Blockers []string
	After    int // of proceeds: the step that released it, -1 for none
	Weak     bool
	Cycle    []Edge
	Result   Result
	Implicit bool // it was DDL and ended its session's transaction
}

// Edge is one wait of a deadlock.
type Edge struct {
	Waiter, Holder string
	Lock           wait.Lock
}

// Run is one order that was run.
type Run struct {
	Order    []int
	Steps    []*StepRun // as they were sent
	Log      []Entry
	Final    []Table
	Problems []string // expectations that do not hold
	Duration time.Duration
}

// Table is what was left in a table.
type Table struct {
	Name    string
	Columns []string
	Rows    [][]string
	Values  []any // one for each row, for the caller
	Cut     bool  // it has more
	Counter int   // its AUTO_INCREMENT column, from 1; 0 is none
}

// Next chooses the step to send. busy tells that a session waits. ok is false when all are sent; an error ends the run.
type Next func(sent []int, busy func(session int) bool) (p Place, ok bool, err error)

// ErrAbandoned ends a run that turned out to be one that is run elsewhere.
var ErrAbandoned = errors.New("the order is run elsewhere")

// ImpossibleError is an order that cannot happen: a session should send a step while it waits.
type ImpossibleError struct {
	Step, Waiting string
	Session       string
	Blockers      []string
	Lock          wait.Lock
	Order         string
}

func (e *ImpossibleError) Error() string {
	return fmt.Sprintf("step %s cannot be sent: session %s waits in %s for %s (%s), so this order can never run", e.Step, e.Session, e.Waiting, waitedFor(e.Blockers), e.Lock)
}

// StuckError is a step that never returned.
type StuckError struct {
	Step     string
	SQL      string
	Bound    time.Duration
	Waits    bool
	Blockers []string
	Lock     wait.Lock
	Over     bool // there was no step left that could have released it
}

func (e *StuckError) Error() string {
	if !e.Waits {
		return fmt.Sprintf("step %s did not return within %s: it waits for no lock that the server tells of", e.Step, e.Bound)
	}
	s := fmt.Sprintf("step %s did not return within %s: it waits for %s (%s)", e.Step, e.Bound, waitedFor(e.Blockers), e.Lock)
	if e.Over {
		s += ", and no step is left that could release it"
	}
	return s
}

func waitedFor(blockers []string) string {
	if len(blockers) == 0 {
		return "a lock"
	}
	return strings.Join(blockers, ", ")
}

// active is a step under way.
type active struct {
	*StepRun
	running Running
	waiting bool
}

type runner struct {
	*Engine
	ctx     context.Context
	conns   []Conn
	pending []*active
	run     *Run
	open    []bool // sessions with a transaction that was begun
}

// Run sends steps as next says until it has no more, and waits for their ends. The error is *ImpossibleError, *StuckError, or one
// of the connections; the run has what happened up to there. Statements that still wait are cancelled.
func (e *Engine) Run(ctx context.Context, conns []Conn, next Next) (*Run, error) {
	start := time.Now()
	r := &runner{Engine: e, ctx: ctx, conns: conns, run: &Run{}, open: make([]bool, len(conns))}
	defer e.Waits.Alone()()
	err := r.all(next)
	r.cancel()
	r.run.Duration = time.Since(start)
	if err == nil {
		r.verify()
	}
	return r.run, err
}

func (r *runner) all(next Next) error {
	for {
		if err := context.Cause(r.ctx); err != nil {
			return err
		}
		p, ok, err := next(r.run.Order, r.busy)
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		if a := r.pendingOf(r.Plan.SessionOf(p.Step)); a != nil {
			if err := r.giveTime(a, p); err != nil {
				return err
			}
		}
		if err := r.send(p); err != nil {
			return err
		}
	}
	return r.finish()
}

func (r *runner) busy(session int) bool { return r.pendingOf(session) != nil }

func (r *runner) pendingOf(session int) *active {
	for _, a := range r.pending {
		if r.Plan.SessionOf(a.Step) == session {
			return a
		}
	}
	return nil
}

// giveTime lets a wait end by itself where it may; otherwise the order is impossible.
func (r *runner) giveTime(a *active, p Place) error {
	if r.Plan.MayTimeOut {
		if err := r.await(func() bool { return !slices.Contains(r.pending, a) }, false); err != nil || !slices.Contains(r.pending, a) {
			return err
		}
	}
	return &ImpossibleError{
		Step: r.Plan.Step(p.Step).Name, Waiting: r.Plan.Step(a.Step).Name, Session: r.sessionName(a.Step),
		Blockers: a.Blockers, Lock: a.lock(), Order: r.Plan.text(r.run.Order),
	}
}

func (s *StepRun) lock() wait.Lock {
	if len(s.Locks) == 0 {
		return wait.Lock{}
	}
	return s.Locks[len(s.Locks)-1]
}

func (r *runner) sessionName(step int) string { return r.Plan.Sessions[r.Plan.SessionOf(step)].Name }

func (r *runner) bound(step int) time.Duration {
	if d := r.Plan.Step(step).Timeout; d > 0 {
		return d
	}
	return r.Plan.Timeout
}

// send sends one step, and settles what is under way.
func (r *runner) send(p Place) error {
	step := r.Plan.Step(p.Step)
	if r.risky(p.Step) {
		defer r.Waits.Risk()()
	}
	a := &active{StepRun: &StepRun{Step: p.Step, ReleasedBy: -1, Sent: time.Now(), Want: step.Want.merge(p.Want)}}
	running, err := r.conns[r.Plan.SessionOf(p.Step)].Start(*step)
	if err != nil {
		return fmt.Errorf("step %s: %w", step.Name, err)
	}
	a.running = running
	r.run.Order = append(r.run.Order, p.Step)
	r.run.Steps = append(r.run.Steps, a.StepRun)
	r.note(Entry{What: Sent, Step: p.Step})
	r.pending = append(r.pending, a)
	if err := r.settle(a); err != nil || step.Repeat == nil {
		return err
	}
	return r.repeat(a, *step)
}

// risky reports whether somebody waits for the step's session, or the server does not tell for whom: then the step may close a
// circle.
func (r *runner) risky(step int) bool {
	return slices.ContainsFunc(r.pending, func(a *active) bool {
		return len(a.Blockers) == 0 || slices.Contains(a.Blockers, r.sessionName(step))
	})
}

// repeatEvery is the pause between two runs of a step that is repeated.
const repeatEvery = 10 * time.Millisecond

// repeat runs a step again until its condition holds.
func (r *runner) repeat(a *active, step Step) error {
	deadline := a.Sent.Add(r.bound(a.Step))
	for a.Ended && a.Result.Err == nil {
		done, err := step.Repeat(a.Result)
		if err != nil || done {
			return err
		}
		if time.Now().After(deadline) {
			return &StuckError{Step: step.Name + " (its repeat_until never held)", SQL: step.SQL, Bound: r.bound(a.Step)}
		}
		t := time.NewTimer(repeatEvery) // the condition is the script's: nobody can be waited for
		select {
		case <-t.C:
		case <-r.ctx.Done():
			t.Stop()
			return context.Cause(r.ctx)
		}
		if a.running, err = r.conns[r.Plan.SessionOf(a.Step)].Start(step); err != nil {
			return fmt.Errorf("step %s: %w", step.Name, err)
		}
		a.Ended = false
		r.run.Log = r.run.Log[:len(r.run.Log)-1] // only the last result is told
		r.pending = append(r.pending, a)
		if err := r.settle(a); err != nil {
			return err
		}
	}
	return nil
}

// finish waits for the steps that still wait when all are sent.
func (r *runner) finish() error {
	return r.await(func() bool { return len(r.pending) == 0 }, true)
}

// await lets time pass until done; the first step that passes its bound is an error where over is set.
func (r *runner) await(done func() bool, over bool) error {
	for !done() {
		a := r.pending[0]
		for _, x := range r.pending {
			if x.Sent.Add(r.bound(x.Step)).Before(a.Sent.Add(r.bound(a.Step))) {
				a = x
			}
		}
		hopeless := over && r.Plan.Impatient && !r.Plan.MayTimeOut
		if hopeless || !r.anyEnds(a.Sent.Add(r.bound(a.Step))) {
			if !over {
				return nil
			}
			if err := context.Cause(r.ctx); err != nil {
				return err
			}
			s := r.Plan.Step(a.Step)
			return &StuckError{Step: s.Name, SQL: s.SQL, Bound: r.bound(a.Step), Waits: a.waiting, Blockers: a.Blockers, Lock: a.lock(), Over: over}
		}
		if err := r.settle(nil); err != nil {
			return err
		}
	}
	return nil
}

// anyEnds waits until one of the pending steps has ended; false when the deadline passes first.
func (r *runner) anyEnds(deadline time.Time) bool {
	ctx, cancel := context.WithDeadline(r.ctx, deadline)
	defer cancel()
	some := make(chan struct{}, len(r.pending))
	for _, a := range r.pending {
		go func() { // ends with the step, or with ctx
			select {
			case <-a.running.Ended():
				some <- struct{}{}
			case <-ctx.Done():
			}
		}()
	}
	select {
	case <-some:
		return true
	case <-ctx.Done():
		return false
	}
}

// cancel ends what still runs.
func (r *runner) cancel() {
	for _, a := range r.pending {
		a.running.Cancel("the schedule is over")
	}
	for _, a := range r.pending {
		<-a.running.Ended()
	}
}

func (r *runner) note(e Entry) {
	r.run.Log = append(r.run.Log, e)
	if r.Emit == nil {
		return
	}
	session, d := r.Plan.event(e)
	r.Emit(session, d)
}
