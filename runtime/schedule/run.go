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

func (r *runner) blockers(threads []uint64) []string {
	var out []string
	for _, t := range threads {
		name := "another session"
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

func (r *runner) deadlocks(ended []*active) {
	for _, a := range ended {
		if a.Result.Err == nil || a.Result.Err.Kind != "deadlock" {
			continue
		}
		r.note(Entry{What: Deadlock, Step: a.Step, Cycle: r.cycle(a)})
	}
}

// cycle asks the server for the deadlock in which a was the victim. Another schedule's may have come after it: then it is not
// told.
func (r *runner) cycle(a *active) []Edge {
	d, err := r.Waits.Deadlock()
	if err != nil || d == nil {
		return nil
	}
	var out []Edge
	for _, e := range d.Cycle {
		w, h := r.blockers([]uint64{e.Thread})[0], r.blockers([]uint64{e.Holder})[0]
		if w == "another session" || h == "another session" {
			return nil
		}
		out = append(out, Edge{w, h, e.Lock})
	}
	if !slices.ContainsFunc(out, func(e Edge) bool { return e.Waiter == r.sessionName(a.Step) }) {
		return nil
	}
	return out
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
		if !r.anyEnds(a.Sent.Add(r.bound(a.Step))) {
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
