package session

import (
	"fmt"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// fate counts what became of the changes of a session. Session.mu guards it.
type fate struct {
	lasting int64 // commits of changes, and changes outside transactions, whose replies were read
	doubts  int64 // commits and such changes of which nobody knows whether they happened
	ends    int64 // what ended, one way or the other
	undone  bool  // the last that ended was undone, not done
	changed bool  // the open transaction has changed rows
}

// Work is a piece of work on a session of which rig tells how it ended.
type Work struct {
	s    *Session
	from fate
}

// Work begins a piece of work. What the session does till Outcome is part of it. An open transaction is an error: it began
// with something else.
func (s *Session) Work() (Work, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.tx.open && s.closed == "" {
		e := fault.New(fault.TransactionState, "", fmt.Sprintf("a transaction is open already, begun at %s", s.tx.pos))
		e.Session = s.name
		return Work{}, e.WithHint("end it first: the operation begins its own")
	}
	return Work{s, s.fate}, nil
}

// Open reports whether the work has a transaction open, as far as the session's statements tell.
func (w Work) Open() bool {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	return w.s.closed == "" && (w.s.tx.open || w.s.tx.unsure)
}

// Outcome tells what became of the work, whatever its caller thinks of it: OK when it is done, Failed when nothing of it
// lasts, Unknown when that cannot be known: the reply of a COMMIT or of a change outside a transaction was lost, or the
// work failed after a part of it had been committed. failed says that its caller met an error. A transaction that is open
// has no outcome yet, which is an error.
func (w Work) Outcome(failed bool) (event.Outcome, error) {
	s := w.s
	s.mu.Lock()
	defer s.mu.Unlock()
	lasting, open := s.fate.lasting > w.from.lasting, s.tx.open
	gone := s.closed != "" || s.wire.cause() != nil
	undone := s.fate.undone && s.fate.ends > w.from.ends || open && gone
	switch {
	case s.fate.doubts > w.from.doubts:
		return event.Unknown, nil
	case open && !gone:
		e := fault.New(fault.TransactionState, "", "a transaction is still open: its COMMIT or ROLLBACK decides what became of it")
		e.Session = s.name
		return event.Unknown, e.WithHint("end the transaction before the operation")
	case !failed && !undone:
		return event.OK, nil
	case lasting:
		return event.Unknown, nil
	}
	return event.Failed, nil
}

// decide follows the fate of changes after a statement; within says that a transaction was open before it. mu is held.
func (s *Session) decide(st *statement, f *fault.Error, within bool) {
	if f != nil {
		s.decideFailed(st.class, f, within)
		return
	}
	c := st.class
	switch {
	case c.ends && c.reads: // ROLLBACK, which without a transaction does nothing
		if within || s.tx.unsure {
			s.undo()
		}
	case c.ends, c.begins && within, c.autocommit > 0:
		s.settle(s.fate.changed, within)
	case c.begins:
		s.fate.changed = false
	case c.commits, c.opaque:
		s.settle(true, true)
	case c.reads:
	case within || !s.autocommit:
		s.fate.changed = s.fate.changed || st.affected > 0 || !c.writes
	default:
		s.settle(st.affected > 0 || !c.writes, true)
	}
}

// settle notes an end that is certain.
func (s *Session) settle(changed, ended bool) {
	if changed {
		s.fate.lasting++
	}
	if changed || ended {
		s.fate.ends++
		s.fate.undone = false
	}
	s.fate.changed = false
}

// undo notes that what was under way is undone.
func (s *Session) undo() {
	s.fate.ends++
	s.fate.undone, s.fate.changed = true, false
}

// decideFailed is decide of a statement with an error.
func (s *Session) decideFailed(c class, f *fault.Error, within bool) {
	doubtful := f.ReplyLost || doubtfulEnd(f.Kind)
	switch {
	case c.reads && !c.ends:
	case c.ends && c.reads: // without a reply to ROLLBACK the connection is gone, and the transaction with it
		s.undo()
	case c.ends, c.opaque, c.commits && within, !within && s.autocommit:
		if doubtful || c.opaque || c.commits && within {
			s.fate.doubts++
		}
		s.undo()
	}
	if s.wire.cause() != nil || f.ReplyLost || f.Code == errDeadlock || fault.IsKind(f, fault.ConnectionLost, fault.ServerShutdown) {
		s.undo() // a transaction that was open is rolled back
	}
}

// doubtfulEnd tells the errors after which a COMMIT, or a change outside a transaction, may have happened all the same: the
// server was stopped at it, by a KILL or by its own trouble. All others say that it did not happen.
func doubtfulEnd(k fault.Kind) bool {
	switch k {
	case fault.Interrupted, fault.StatementTimeout, fault.Cancelled, fault.Timeout, fault.ConnectionLost, fault.ServerShutdown,
		fault.ServerInternal, fault.ServerBusy, fault.ResourceExhausted, fault.Protocol, fault.Replication, fault.TLS, fault.Other:
		return true
	}
	return false
}
