package session

import (
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"rig/runtime/fault"
)

// Pending is a statement that was sent without waiting for its end. It holds the session until then.
type Pending struct {
	s     *Session
	call  Call
	sql   string
	ended chan struct{} // closed when the statement has ended; the fields below are set then
	rows  *Rows
	res   Result
	err   error
}

// Start sends a statement and returns at once. The session is busy until it has ended.
func (s *Session) Start(c Call, sql string, args []driver.Value) (*Pending, error) {
	st, err := s.enter(c, sql, args)
	if err != nil {
		return nil, err
	}
	p := &Pending{s: s, call: c, sql: sql, ended: make(chan struct{})}
	// It ends with the statement, which the hub's watchdog bounds.
	s.hub.watchers.Go(func() {
		defer close(p.ended)
		var err error
		if k := classify(sql); k.writes || k.commits || k.ends || k.begins || k.unlocks {
			p.res, err = s.runExec(&st, args)
		} else {
			p.rows = &Rows{}
			err = s.runQuery(p.rows, &st, args)
		}
		if f := s.leave(&st, err); f != nil {
			p.rows, p.err = nil, f
		}
	})
	return p, nil
}

// SQL of the statement.
func (p *Pending) SQL() string { return p.sql }

// Done reports whether the statement has ended.
func (p *Pending) Done() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// Ended is closed when the statement has ended.
func (p *Pending) Ended() <-chan struct{} { return p.ended }

// Wait gives the outcome. rows is nil for statements that only change data. When timeout (0: none but the statement's own
// bound) passes first, it is an error and the statement goes on.
func (p *Pending) Wait(timeout time.Duration) (*Rows, Result, error) {
	if timeout > 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		select {
		case <-p.ended:
		case <-t.C:
			e := fault.New(fault.Timeout, "pending.wait", fmt.Sprintf("the statement has not ended within %s", timeout))
			e.SQL, e.Session = p.sql, p.s.name
			return nil, Result{}, e
		}
	}
	<-p.ended
	return p.rows, p.res, p.err
}

// lockPoll is how often a server is asked whether a statement waits, at first; each turn doubles it up to lockPollMax.
const (
	lockPoll    = time.Millisecond
	lockPollMax = 20 * time.Millisecond
)

// Blocked waits until the server says that the statement waits for a lock (true), or until it has ended or within has
// passed (false). Where the server cannot be asked for row locks (no PROCESS privilege, an engine without a lock list), a
// statement that still runs after within counts as blocked.
func (p *Pending) Blocked(within time.Duration) (bool, error) {
	deadline := time.Now().Add(within)
	rowLocks := true // the server can tell
	for pause := lockPoll; ; pause = min(2*pause, lockPollMax) {
		if p.Done() {
			return false, nil
		}
		waits, err := p.s.waitsForLock(&rowLocks)
		if err != nil || waits {
			return waits && !p.Done(), err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return !rowLocks && !p.Done(), nil
		}
		t := time.NewTimer(min(pause, left))
		select {
		case <-p.ended:
			t.Stop()
			return false, nil
		case <-t.C:
		}
	}
}

// Waits asks the server whether the statement that runs waits for a lock. Where the server does not tell, it is false.
func (s *Session) Waits() bool {
	if _, busy := s.Activity(); !busy {
		return false
	}
	rowLocks := true
	waits, err := s.waitsForLock(&rowLocks)
	return err == nil && waits
}

// waitsForLock asks over the side connection. rowLocks becomes false where row locks cannot be seen.
func (s *Session) waitsForLock(rowLocks *bool) (bool, error) {
	rows, err := s.hub.side.ask(fmt.Sprintf("SELECT state FROM information_schema.processlist WHERE id = %d", s.Thread()))
	if err != nil {
		return false, fault.Wrap("pending.blocked", s.name, "", err)
	}
	if rows.Len() == 1 {
		state := strings.ToLower(rows.At(0, 0).Text)
		if strings.HasPrefix(state, "waiting for") && strings.Contains(state, "lock") || state == "user lock" {
			return true, nil
		}
	}
	if !*rowLocks {
		return false, nil
	}
	status, err := s.hub.side.ask("SHOW ENGINE INNODB STATUS")
	if err != nil || status.Len() == 0 {
		*rowLocks = false
		return false, nil
	}
	return innodbWaits(status.At(0, 2).Text, s.Thread()), nil
}

// innodbWaits finds the thread among the transactions that wait for a lock in the text of SHOW ENGINE INNODB STATUS.
func innodbWaits(status string, thread uint64) bool {
	mark := fmt.Sprintf("thread id %d,", thread)
	for block := range strings.SplitSeq(status, "---TRANSACTION ") {
		if strings.Contains(block, mark) && strings.Contains(block, "\nLOCK WAIT ") {
			return true
		}
	}
	return false
}
