package lab

import (
	"rig/runtime/schedule"
)

// stopping is a step after whose failure its session gives up, as an application does: it rolls back.
type stopping struct {
	schedule.Running
	c    *conn
	step string
}

// Result notes a failure.
func (r *stopping) Result() schedule.Result {
	out := r.Running.Result()
	if out.Err != nil && r.c.failed == "" {
		r.c.failed = r.step
	}
	return out
}

// giveUp takes the place of a step that follows one which failed. Without it the statement would run outside of the transaction that
// the server has rolled back, and its changes would stay.
func (c *conn) giveUp() (schedule.Running, error) {
	if c.undone {
		return unsent{"not sent: " + c.failed + " failed"}, nil
	}
	c.undone = true
	p, err := c.s.Start(c.x.call("step after "+c.failed), "ROLLBACK", nil)
	if err != nil {
		return nil, err
	}
	return &undoing{statement{c, p}}, nil
}

// undoing is ROLLBACK in the place of a step.
type undoing struct{ statement }

// Result tells what was sent instead.
func (r *undoing) Result() schedule.Result {
	out := r.statement.Result()
	out.Note = "sent ROLLBACK instead: " + r.c.failed + " failed"
	return out
}

// unsent is a step that was left out.
type unsent struct{ why string }

var ended = func() chan struct{} { c := make(chan struct{}); close(c); return c }()

func (unsent) Ended() <-chan struct{}    { return ended }
func (unsent) Cancel(string)             {}
func (u unsent) Result() schedule.Result { return schedule.Result{Note: u.why} }
