package session

import (
	"fmt"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// Lease is the right of one holder to use a session that others use after it. A call with a lease that is over is an error.
type Lease struct {
	s    *Session
	over bool      // guarded by the session's mu
	at   event.Pos // guarded by the session's mu: the line that ended it
}

// Lend gives a right to the session for one holder.
func (s *Session) Lend() *Lease { return &Lease{s: s} }

// End ends the right. While a statement or a stream holds the session it is an error and the right stays; with force it ends
// all the same.
func (l *Lease) End(c Call, force bool) error {
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.over {
		return l.overError(c.Op, "")
	}
	if l.s.busy && !force {
		e := fault.New(fault.SessionBusy, c.Op, fmt.Sprintf("session %s is in use by %s at %s, running %q", l.s.name, l.s.cur.call.Holder, l.s.cur.call.Pos, clip(l.s.cur.sql)))
		e.Session = l.s.name
		return e.WithHint("read its stream to the end or close it, and wait for what was started")
	}
	l.over, l.at = true, c.Pos
	return nil
}

// Valid is an error when the right has ended; nil is no loan, which is always valid.
func (l *Lease) Valid(op string) error {
	if l == nil {
		return nil
	}
	l.s.mu.Lock()
	defer l.s.mu.Unlock()
	if l.over {
		return l.overError(op, "")
	}
	return nil
}

// overError must hold the session's mu.
func (l *Lease) overError(op, sql string) *fault.Error {
	where := ""
	if !l.at.IsZero() {
		where = " at " + l.at.String()
	}
	e := fault.New(fault.SessionClosed, op, fmt.Sprintf("session %s was released to its pool%s", l.s.name, where))
	e.Session, e.SQL = l.s.name, sql
	return e.WithHint("acquire another: pool.acquire()")
}

// checkBound bounds the question whether a session lives.
const checkBound = 2 * time.Second

// Check tells whether the session is of use: of no more than what is known here, which costs no round trip, or with ask set by
// asking the server.
func (s *Session) Check(c Call, ask bool) error {
	c.Op = orOp(c.Op, "check")
	s.mu.Lock()
	var f *fault.Error
	switch {
	case s.closed != "":
		f = s.closedError(c, "")
	case s.busy:
		f = s.busyError(c, "")
	}
	w := s.wire
	s.mu.Unlock()
	if f != nil {
		return f
	}
	if w.hungUp() {
		s.lose(causeLost)
		return fault.New(fault.ConnectionLost, c.Op, fmt.Sprintf("the server has ended session %s", s.name))
	}
	if !ask {
		return nil
	}
	c.Timeout = checkBound
	return s.Ping(c)
}

// Recycle makes the session fit for its next holder. A transaction that may be open is rolled back. Where a statement may
// have changed anything else (SET, USE, locks, temporary or prepared statements, user variables, CALL, XA), the
// session gets a fresh connection as Reset gives, in the database it was opened with. Without either it costs nothing. What
// stored functions and triggers set is not seen. LAST_INSERT_ID() and its like stay: no reset is worth a round trip that
// only they need.
func (s *Session) Recycle(c Call) error {
	c.Op = orOp(c.Op, "recycle")
	s.mu.Lock()
	if s.closed != "" {
		defer s.mu.Unlock()
		return s.closedError(c, "")
	}
	changed, open := s.changed || s.nextTx, s.tx.open || s.tx.unsure
	if changed && !s.busy {
		s.database = s.opts.Database
	}
	s.mu.Unlock()
	if changed {
		return s.Reset(c)
	}
	if open {
		_, err := s.Exec(c, "ROLLBACK", nil)
		return err
	}
	s.forgetTransaction() // what the last one was told of its own
	return nil
}

// Last is the last statement that a script ran on the session.
func (s *Session) Last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return clip(s.last)
}
