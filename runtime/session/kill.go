package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// endWithin is how long a killed statement may take to come back before its connection is killed and then cut.
const endWithin = time.Second

// timeoutError is why a statement that passed its bound was killed.
type timeoutError struct{ bound time.Duration }

func (e *timeoutError) Error() string {
	return fmt.Sprintf("the statement did not finish within %s", e.bound)
}

// cancelError is why a statement was killed that somebody cancelled.
type cancelError struct{ cause error }

func (e *cancelError) Error() string { return e.cause.Error() }
func (e *cancelError) Unwrap() error { return e.cause }

// watch is called by the hub's watchdog: it announces what runs long and kills what passed its bound.
func (s *Session) watch(now time.Time) {
	s.mu.Lock()
	if !s.busy || s.done || s.killing {
		s.mu.Unlock()
		return
	}
	a, age := s.cur, now.Sub(s.cur.since)
	held := s.hub.cfg.Clock.Lost() - a.lost
	announce := age >= runningAfter && age >= 2*s.announced
	if announce {
		s.announced = age
	}
	s.mu.Unlock()
	if announce {
		s.emit(a.call.Pos, 0, &event.StatementRunning{SQL: head(a.sql), Age: age})
	}
	if a.bound > 0 && age-held >= a.bound {
		s.hub.watchers.Go(func() { _, _ = s.stop(&timeoutError{a.bound}, false) }) // the statement's own call tells the outcome
	}
}

// Cancel kills the statement that is running, and returns when it has ended on the server; without one it does nothing.
func (s *Session) Cancel(cause string) error {
	_, err := s.stop(&cancelError{errors.New(cause)}, false)
	return err
}

// Kill ends the session on the server, as KILL does: its transaction is rolled back and its locks are free when Kill returns.
func (s *Session) Kill(cause string) error {
	s.mu.Lock()
	busy, closed := s.busy, s.closed
	s.mu.Unlock()
	if closed != "" {
		return nil
	}
	if busy {
		if acted, err := s.endBusy(causeKilled, errors.New(cause)); acted {
			return err
		}
	}
	start := time.Now()
	err := s.hub.side.kill(s.Thread(), true)
	gone := err == nil && s.gone()
	s.emitKill(&event.Kill{Thread: s.Thread(), Connection: true, Cause: cause, Verified: gone, Duration: time.Since(start)}, err)
	s.lose(causeKilled)
	if err != nil {
		return fault.Wrap("conn.kill", s.name, "", err)
	}
	return nil
}

// endBusy ends a session whose statement is running. When the statement has ended meanwhile, it does nothing and acted is
// false.
func (s *Session) endBusy(cause string, why error) (acted bool, err error) {
	s.mu.Lock()
	s.ending = cause
	s.mu.Unlock()
	acted, err = s.stop(&cancelError{why}, true)
	if acted {
		s.lose(cause)
	}
	return acted, err
}

// gone waits until the server's process list no longer has the session.
func (s *Session) gone() bool {
	deadline := time.Now().Add(endWithin)
	for pause := time.Millisecond; ; pause *= 2 {
		rows, err := s.hub.side.ask(fmt.Sprintf("SELECT COUNT(*) FROM information_schema.processlist WHERE id = %d", s.Thread()))
		if err != nil {
			return false
		}
		if n := rows.At(0, 0); n.bits == 0 {
			return true
		}
		if time.Now().Add(pause).After(deadline) {
			return false
		}
		time.Sleep(pause) // polling: the server has no way to be waited for
	}
}

// Interrupt kills what is running and refuses every later statement with cause, until Resume.
func (s *Session) Interrupt(cause error) {
	s.mu.Lock()
	s.stopped = cause
	s.mu.Unlock()
	_, _ = s.stop(&cancelError{cause}, false) // the statement's own call tells the outcome
}

// Resume takes statements again after Interrupt.
func (s *Session) Resume() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = nil
}

// stop kills the running statement on the server. Where that does not end it in time, or where connection asks for it,
// the connection is killed too; what even that does not end is cut on our side. It returns when the statement has ended.
// acted is false when there was nothing to kill, or when somebody else's kill ended it.
func (s *Session) stop(cause error, connection bool) (acted bool, err error) {
	s.mu.Lock()
	for connection && s.busy && (s.killing || s.done) { // until the session is given back, or its stream lives on
		s.cond.Wait()
	}
	if !s.busy || s.done || s.killing {
		s.mu.Unlock()
		return false, nil
	}
	s.killing, s.killed = true, cause
	w := s.wire
	s.mu.Unlock()

	start := time.Now()
	k := &event.Kill{Thread: s.Thread(), Connection: connection, Cause: cause.Error()}
	k.Verified, err = s.killUntilDone(connection)
	if err == nil && !k.Verified && !connection {
		k.Connection = true
		if err = s.hub.side.kill(s.Thread(), true); err == nil {
			k.Verified = s.waitDone(endWithin)
		}
	}
	if !k.Verified {
		w.cut()
		s.waitDone(endWithin)
	}
	k.Duration = time.Since(start)
	s.emitKill(k, err)

	s.mu.Lock()
	s.killing = false
	s.cond.Broadcast()
	s.mu.Unlock()
	if err != nil {
		return true, fault.Wrap("kill", s.name, "", err)
	}
	return true, nil
}

// againAfter is when a statement that has not ended is killed again, doubled each time.
const againAfter = 10 * time.Millisecond

// killUntilDone kills the statement, or with connection the connection, and waits until the statement has ended. A KILL QUERY
// that reaches the server before the statement does is lost, so it is sent again.
func (s *Session) killUntilDone(connection bool) (done bool, err error) {
	if connection {
		err = s.hub.side.kill(s.Thread(), true)
		return err == nil && s.waitDone(endWithin) && s.gone(), err
	}
	deadline := time.Now().Add(endWithin)
	for pause := againAfter; ; pause *= 2 {
		if err := s.hub.side.kill(s.Thread(), false); err != nil {
			return false, err
		}
		left := time.Until(deadline)
		if s.waitDone(min(pause, left)) {
			return true, nil
		}
		if pause >= left {
			return false, nil
		}
	}
}

func (s *Session) emitKill(k *event.Kill, err error) {
	if err != nil {
		k.Error = report(fault.Wrap("kill", s.name, "", err))
	}
	s.emit(event.Pos{}, 0, k)
}

// waitDone waits until the statement under way has ended on the wire, or until nobody waits for it there: a stream that is
// not read meets the kill when it is read again.
func (s *Session) waitDone(bound time.Duration) bool {
	ctx, cancel := context.WithTimeout(context.Background(), bound)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cond.Broadcast()
	})
	defer stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for !s.done && !s.parked && ctx.Err() == nil {
		s.cond.Wait()
	}
	return s.done || s.parked
}
