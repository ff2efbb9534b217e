package session

import (
	"database/sql/driver"
	"fmt"
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
	var st statement
	if err := s.enter(&st, &c, sql, args); err != nil {
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

// Session is the name of the session that runs it.
func (p *Pending) Session() string { return p.s.name }

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
