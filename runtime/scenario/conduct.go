package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/clock"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/script"
	"rig/runtime/session"
)

// verdict collects what went wrong in a test, in the order in which it went wrong.
type verdict struct {
	body  error   // of setup or the test itself
	after []error // of teardown, cleanups and what rig gives back
	leaks int
}

// conduct takes a test through its life: requirements, setup, body, teardown, cleanups, leaks, database.
func (r *run) conduct(ctx context.Context, t *Test) (v verdict) {
	bound := t.bound()
	body, cancel := clock.WithTimeout(ctx, bound.Bound, bound)
	defer cancel()
	t.setPhase(body)
	t.value = r.NewValue(t)
	if release, err := r.ownServer(body, t); err != nil {
		v.body = err
		return v
	} else if release != nil {
		defer release()
	}
	if v.body = t.requireFile(); v.body != nil {
		return v
	}
	if v.body = t.fixture.enter(ctx); v.body != nil {
		return v
	}
	before, err := r.beforeOneDatabase(body, t)
	if err != nil {
		v.body = err
		return v
	}
	stop := t.interruptWhen(body)
	module := t.item.file.Module
	th := r.Host.Thread(body, t.id, t)
	v.body = call(th, module.Globals["setup"], t.value)
	if v.body == nil {
		v.body = call(th, t.item.fn, t.value)
	}
	stop()
	t.ended(v.body)
	t.stopTasks(&v, cancel)

	after, cancelAfter := r.cleanupContext(ctx)
	defer cancelAfter()
	t.setPhase(after)
	t.eachSession(func(s *session.Session) { s.Resume() })
	defer t.interruptWhen(after)()
	if err := call(r.Host.Thread(after, t.id+" teardown", t), module.Globals["teardown"], t.value); err != nil {
		v.after = append(v.after, fmt.Errorf("teardown: %w", err))
	}
	t.runCleanups(after, &v)
	v.leaks += t.leaks()
	t.giveBack(after, &v, before)
	return v
}

// bound is the annotation's, else the run's.
func (t *Test) bound() *TimeoutError {
	if d := t.item.Timeout; d > 0 {
		return &TimeoutError{What: "test", Bound: d, From: fmt.Sprintf("timeout = %q of test(%s, ...)", d, t.item.Name)}
	}
	return &TimeoutError{What: "test", Bound: t.run.TestTimeout}
}

// interruptWhen interrupts the test's sessions when ctx ends. The returned function ends that; afterwards no interruption is
// under way, so that Resume is not overtaken.
func (t *Test) interruptWhen(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	unhook := context.AfterFunc(ctx, func() {
		defer close(done)
		t.interrupt(context.Cause(ctx))
	})
	return func() {
		if !unhook() {
			<-done
		}
	}
}

// interrupt interrupts all sessions at once: one that is slow to end holds up no other.
func (t *Test) interrupt(cause error) {
	var wg sync.WaitGroup
	t.eachSession(func(s *session.Session) {
		wg.Go(func() { s.Interrupt(cause) })
	})
	wg.Wait()
}

// call runs an optional function of a file with the test as its argument.
func call(th *script.Thread, fn starlark.Value, arg starlark.Value) error {
	f, ok := fn.(starlark.Callable)
	if !ok {
		return nil
	}
	return th.CallBounded(f, starlark.Tuple{arg})
}

// ownServer gives a test annotated so a server of its own.
func (r *run) ownServer(ctx context.Context, t *Test) (release func(), err error) {
	if !t.item.OwnServer {
		return nil, nil
	}
	target, end, err := r.Targets.Own(ctx)
	if err != nil {
		return nil, err
	}
	t.target = target
	return func() { r.admins.forget(target); end() }, nil
}

// require skips the test when its target lacks something.
func (t *Test) require(requirements []string) error {
	for _, q := range requirements {
		ok, why, err := t.TargetInfo().Check(q)
		if err != nil {
			return err
		}
		if !ok {
			return &SkipError{Why: why}
		}
	}
	return nil
}

// requireFile checks what the test's file requires.
func (t *Test) requireFile() error {
	err := t.require(t.item.file.Requires)
	var skip *SkipError
	if err == nil || errors.As(err, &skip) {
		return err
	}
	pos := t.item.file.requiresPos
	return &script.Error{Pos: pos, Msg: err.Error(), Excerpt: t.run.Host.Excerpt(pos), Cause: err}
}

// Require skips the test (a SkipError) when its target lacks something; an unknown requirement is an error.
func (t *Test) Require(requirements ...string) error { return t.require(requirements) }

// ended notes how the body ended. A skip is the script's own choice, an error is not.
func (t *Test) ended(err error) {
	var skip *SkipError
	t.broke.Store(t.failedSubs.Load() > 0 || err != nil && !errors.As(err, &skip))
}

// interrupted tells where the test was when the run was told to stop, "" for one that ended otherwise.
func (t *Test) interrupted(err error) string {
	cause := context.Cause(t.run.ctx)
	if cause == nil || !errors.Is(err, cause) {
		return ""
	}
	d := script.Describe(err)
	text := cause.Error()
	if !d.Pos.IsZero() {
		text += " at " + d.Pos.String()
	}
	if d.Op != "" {
		text += " (" + d.Op + ")"
	}
	return text
}

// stopTasks ends tasks that outlive the test's body; each is a leak.
func (t *Test) stopTasks(v *verdict, cancel context.CancelFunc) {
	left := t.running()
	for _, x := range left {
		if t.broke.Load() {
			break
		}
		v.leaks++
		t.Emit(x.pos, &event.Leak{What: "task", Detail: fmt.Sprintf("%s was still running when the test ended; wait for it", x.name)})
	}
	cancel()
	if len(left) == 0 {
		return
	}
	t.interrupt(errTestEnded)
	ctx, done := context.WithTimeout(context.Background(), t.run.CleanupTimeout)
	defer done()
	t.join(ctx)
}

// errTestEnded is what a task sees that outlives its test.
var errTestEnded = errors.New("the test has ended")

// errStopBudget is what a cleanup sees that an interrupt did not leave enough time for.
var errStopBudget = fault.New(fault.Timeout, "", fmt.Sprintf("after an interrupt all cleanups share %s", stopBudget)).WithHint("rig clean removes what is left on the server")

// cleanupContext bounds what follows a test's body. Once the run was told to stop, all cleanups share one second.
func (r *run) cleanupContext(ctx context.Context) (context.Context, context.CancelFunc) {
	base := context.WithoutCancel(ctx)
	c, cancel := clock.WithTimeout(base, r.CleanupTimeout, &TimeoutError{What: "cleanup", Bound: r.CleanupTimeout})
	c, end := context.WithCancelCause(c)
	cut := func() {
		r.stopOnce.Do(func() { r.stopAt = time.Now().Add(stopBudget) })
		time.AfterFunc(time.Until(r.stopAt), func() { end(errStopBudget) })
	}
	stop := context.AfterFunc(ctx, cut)
	return c, func() { stop(); end(nil); cancel() }
}

// leaks reports what the sessions of the test still hold.
func (t *Test) leaks() int {
	n := 0
	t.eachSession(func(s *session.Session) {
		if s.Closed() {
			return
		}
		if t.broke.Load() {
			n += t.leakedTables(s)
			return
		}
		if a, busy := s.Activity(); busy {
			n++
			t.leak(a.Pos, s, "session", fmt.Sprintf("%s is still running %q", s.Name(), clip(a.SQL)))
			return
		}
		for _, h := range s.Held() {
			n++
			t.leak(h.Pos, s, h.What, fmt.Sprintf("session %s leaves %s", s.Name(), h.Detail))
		}
		n += t.leakedTables(s)
	})
	return n
}

// leakedTables reports what a session made outside the test's database on a throw-away server and left there; the next
// test would meet it, so it is removed.
func (t *Test) leakedTables(s *session.Session) int {
	if !t.target.Server.ThrowAway() {
		return 0
	}
	n := 0
	for _, c := range s.Created() {
		if strings.HasPrefix(c.Database, databasePrefix) {
			continue
		}
		n++
		name := c.Database
		drop := "DROP DATABASE IF EXISTS " + quoteName(c.Database)
		if c.What != "database" {
			name += "." + c.Name
			drop = fmt.Sprintf("DROP %s IF EXISTS %s.%s", strings.ToUpper(c.What), quoteName(c.Database), quoteName(c.Name))
		}
		t.leak(c.Pos, s, "table", fmt.Sprintf("session %s leaves the %s %s outside the test's database; drop it, or use t.table", s.Name(), c.What, name))
		err := t.run.admins.with(t.Context(), t.target, func(a *session.Session) error {
			_, err := a.Exec(adminCall("drop what leaked"), drop, nil)
			return err
		})
		if err != nil {
			t.Late(fmt.Errorf("drop the leaked %s %s: %w", c.What, name, err))
		}
	}
	return n
}

func (t *Test) leak(pos event.Pos, s *session.Session, what, detail string) {
	t.run.Bus.Emit(event.Event{Parent: t.event, Test: t.id, Session: s.Name(), Pos: pos, Data: &event.Leak{What: what, Detail: detail}})
}

func clip(sql string) string {
	if len(sql) > 80 {
		return sql[:77] + "..."
	}
	return sql
}

// giveBack closes the sessions and removes the database.
func (t *Test) giveBack(ctx context.Context, v *verdict, before map[string]string) {
	t.rollbackPrepared(v)
	t.eachSession(func(s *session.Session) {
		if err := s.Close(); err != nil {
			v.after = append(v.after, fmt.Errorf("close session %s: %w", s.Name(), err))
		}
	})
	t.release()
	if err := t.run.dropDatabase(ctx, t); err != nil {
		v.after = append(v.after, err)
	}
	if t.run.OneDatabase != "" && t.target != nil && before != nil {
		if err := t.run.sweepOneDatabase(ctx, t, before); err != nil {
			v.after = append(v.after, fmt.Errorf("clean database %s: %w", t.run.OneDatabase, err))
		}
	}
}

// rollbackPrepared ends the distributed transactions that sessions have left prepared: they outlive their sessions, and their locks would
// hold up what comes next. One of a session that is closed was not seen as a leak before.
func (t *Test) rollbackPrepared(v *verdict) {
	t.eachSession(func(s *session.Session) {
		b, ok := s.Prepared()
		if !ok {
			return
		}
		was := false
		err := t.run.admins.with(t.Context(), t.target, func(a *session.Session) (err error) {
			was, err = s.RollbackPrepared(adminCall("roll back what is prepared"), a)
			return err
		})
		if err != nil {
			v.after = append(v.after, err)
		} else if was && !t.broke.Load() {
			v.leaks++
			t.leak(b.Pos, s, b.What, fmt.Sprintf("session %s leaves %s", s.Name(), b.Detail))
		}
	})
}

// beforeOneDatabase remembers the tables that were there before the test.
func (r *run) beforeOneDatabase(ctx context.Context, t *Test) (map[string]string, error) {
	if r.OneDatabase == "" {
		return nil, nil
	}
	var before map[string]string
	err := r.admins.with(ctx, t.target, func(s *session.Session) (err error) {
		before, err = tablesOf(s, r.OneDatabase)
		return err
	})
	return before, err
}

// end makes the test's verdict.
func (t *Test) end(v *verdict, start time.Time) *event.TestEnd {
	end := &event.TestEnd{
		Duration: time.Since(start), Expectations: int(t.expectations.Load()), Subtests: int(t.subtests.Load()), Leaks: v.leaks + int(t.leaked.Load()),
	}
	t.eachSession(func(s *session.Session) { end.Statements += int(s.Statements()) })
	var skip *SkipError
	if errors.As(v.body, &skip) {
		end.Outcome, end.Reason = event.Skipped, skip.Why
		v.body = nil
	} else if why := t.interrupted(v.body); why != "" {
		end.Outcome, end.Reason = event.Skipped, why // it neither passed nor failed
		v.body = nil
	}
	add := func(err error) {
		if err != nil {
			end.Outcome = event.Failed
			d := script.Describe(err)
			t.advise(d)
			end.Errors = append(end.Errors, d)
		}
	}
	add(v.body)
	if n := t.failedSubs.Load(); n > 0 && v.body == nil && end.Outcome != event.Skipped {
		add(&SubtestsError{Failed: int(n), All: int(t.subtests.Load()), Pos: t.item.Pos})
	}
	t.mu.Lock()
	late := t.late
	t.mu.Unlock()
	for _, err := range append(late, v.after...) {
		add(err)
	}
	return end
}

// SubtestsError fails a test some of whose subtests failed.
type SubtestsError struct {
	Failed, All int
	Pos         event.Pos
}

func (e *SubtestsError) Error() string {
	return fmt.Sprintf("%d of %d subtests failed", e.Failed, e.All)
}

// Report gives the form for reports.
func (e *SubtestsError) Report() *event.Error {
	return &event.Error{Kind: "subtests", Message: e.Error(), Pos: e.Pos}
}
