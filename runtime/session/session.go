package session

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// conn is what a session uses of the driver's connection: the calls without a context, which start no watcher.
type conn interface {
	Query(sql string, args []driver.Value) (driver.Rows, error)
	Exec(sql string, args []driver.Value) (driver.Result, error)
	Prepare(sql string) (driver.Stmt, error)
	Ping(ctx context.Context) error
	Close() error
}

// Session is one connection with a name. Its statements run one at a time: a second one at once is an error
// (session_busy). Cancel, Kill, Interrupt, Close and the readers of its identity may be called at any time.
type Session struct {
	hub  *Hub
	opts Options
	name string
	id   event.ID

	// Owned by whoever holds the session between begin and release.
	cache       *cache
	collect     collector
	noBackslash bool
	staleMode   bool   // sql_mode may have changed since it was read
	passed      string // the last statement that protection let pass
	generation  uint64 // counts statements, so that late warnings can be told from the last statement's

	thread atomic.Uint64

	mu   sync.Mutex
	cond sync.Cond // on mu: a statement ended, a kill did, or the session was given back

	// Written with mu held by who holds the session, so that the holder may read them without it and others with it.
	conn     conn // nil once it is closed for good
	wire     *wire
	database string // the default one; a reset goes back to it

	tx         transaction // guarded by mu
	fate       fate        // guarded by mu
	autocommit bool        // guarded by mu
	usesLocks  event.Pos   // guarded by mu: the line that took a user lock first
	tableLocks event.Pos   // guarded by mu: the line that locked tables
	created    []Created   // guarded by mu
	changed    bool        // guarded by mu: a statement may have changed what only a fresh connection undoes
	nextTx     bool        // guarded by mu: SET TRANSACTION waits for the next transaction
	branch     branch      // guarded by mu: what a distributed transaction left on the server
	last       string      // guarded by mu: the last statement that a script ran

	statements int64 // guarded by mu: those that finished

	cur       activity      // guarded by mu
	busy      bool          // guarded by mu
	done      bool          // guarded by mu: the statement ended on the wire, but a kill of it is still under way
	parked    bool          // guarded by mu: a stream holds the session and nobody reads from it just now
	killing   bool          // guarded by mu
	killed    error         // guarded by mu: why the current statement was killed
	stopped   error         // guarded by mu: why no statement may begin
	ending    string        // guarded by mu: the cause that the end will have
	closed    string        // guarded by mu: "" or the cause of the end
	announced time.Duration // guarded by mu: the age at which cur was last announced as running
}

// activity is the call that holds the session.
type activity struct {
	call  Call
	sql   string
	since time.Time
	lost  time.Duration // of the clock, at since
	bound time.Duration // 0 is none
}

// Call says who calls and how to show it. Timeout 0 is the session's own, negative none.
type Call struct {
	Pos     event.Pos
	Holder  string // the task that calls
	Op      string // as the script wrote it: "conn.query"
	Timeout time.Duration
	Parent  event.ID
	Lease   *Lease // of a session that is lent; nil is no loan
}

// Activity is what a busy session is doing.
type Activity struct {
	SQL    string
	Since  time.Time
	Pos    event.Pos
	Holder string
}

// Format writes the name whatever the verb: the session knows the way to a password.
func (s *Session) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.name) }

// Name as reports show it.
func (s *Session) Name() string { return s.name }

// ID of the session in the run's events.
func (s *Session) ID() event.ID { return s.id }

// Thread is the session's id on the server, for KILL and the process list.
func (s *Session) Thread() uint64 { return s.thread.Load() }

// Version of the server, as it says it: "10.11.14-MariaDB".
func (s *Session) Version() string {
	if f := s.hub.facts.Load(); f != nil {
		return f.version
	}
	return ""
}

// Config of the session's hub.
func (s *Session) Config() Config { return s.hub.cfg }

// Pos is the line that opened the session.
func (s *Session) Pos() event.Pos { return s.opts.Pos }

// Statements counts those that finished.
func (s *Session) Statements() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.statements
}

// connect dials and prepares the session as its options say.
func (s *Session) connect(ctx context.Context) error {
	db := s.database
	if db == "" {
		db = s.hub.cfg.Database
	}
	deadline := time.Now().Add(s.hub.cfg.ConnectTimeout)
	c, w, err := s.hub.dial(ctx, db)
	if err != nil {
		return err
	}
	s.cache, s.staleMode = newCache(), false
	s.mu.Lock()
	s.conn, s.wire = c, w
	if s.tx.open {
		s.undo()
	}
	s.tx, s.usesLocks, s.tableLocks = transaction{}, event.Pos{}, event.Pos{}
	s.changed, s.nextTx = false, false
	s.autocommit = s.opts.Autocommit == nil || *s.opts.Autocommit
	s.mu.Unlock()
	err = w.SetDeadline(deadline)
	if err == nil {
		err = s.prepare()
	}
	if err != nil {
		err = w.explain(err)
		w.Close()
		_ = c.Close() // ends the driver's own goroutine; the wire is closed
		s.mu.Lock()
		s.conn = nil
		s.mu.Unlock()
		return err
	}
	return w.SetDeadline(time.Time{})
}

// prepare learns the session's identity and gives it what its options ask for.
func (s *Session) prepare() error {
	set := []string{"SET time_zone = '+00:00'"}
	if s.opts.Autocommit != nil {
		set[0] += fmt.Sprintf(", autocommit = %d", boolInt(*s.opts.Autocommit))
	}
	if s.opts.Isolation != "" {
		level, err := Isolation(s.opts.Isolation)
		if err != nil {
			return err
		}
		set = append(set, "SET SESSION TRANSACTION ISOLATION LEVEL "+level)
	}
	for _, sql := range append(set, s.hub.cfg.Init...) {
		if _, err := s.conn.Exec(sql, nil); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	rows, err := s.plain("SELECT CONNECTION_ID(), @@sql_mode")
	if err != nil {
		return err
	}
	if rows.Len() != 1 {
		return errors.New("the server does not tell the connection's id")
	}
	s.thread.Store(rows.At(0, 0).bits)
	s.noBackslash = strings.Contains(rows.At(0, 1).Text, "NO_BACKSLASH_ESCAPES")
	return nil
}

// plain runs a query of rig's own, without an event. The caller holds the session.
func (s *Session) plain(sql string) (out *Rows, err error) {
	defer guard(s.wire, &err)
	rows, err := s.conn.Query(sql, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	r := rows.(described)
	return s.collect.collect(r, layoutOf(r, nil), caps{DefaultMaxRows, DefaultMaxBytes})
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// begin takes the session for one call.
func (s *Session) begin(c Call, sql string) *fault.Error { return s.take(&c, sql, false) }

// take is begin; revive also takes a session whose connection was lost.
func (s *Session) take(c *Call, sql string, revive bool) *fault.Error {
	now := s.hub.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case c.Lease != nil && c.Lease.over:
		return c.Lease.overError(c.Op, sql)
	case s.busy:
		return s.busyError(*c, sql)
	case s.closed != "" && (!revive || s.closed != causeLost):
		return s.closedError(*c, sql)
	case s.stopped != nil:
		return s.cancelled(*c, sql, s.stopped)
	}
	s.closed = ""
	bound := c.Timeout
	if bound == 0 {
		bound = s.hub.cfg.StatementTimeout
	}
	cur := &s.cur // in place: what was just written is slow to copy
	cur.call, cur.sql, cur.since, cur.lost, cur.bound = *c, sql, now, s.hub.cfg.Clock.Lost(), max(bound, 0)
	s.busy, s.done, s.killed, s.announced = true, false, nil, 0
	s.wire.reset()
	return nil
}

func (s *Session) busyError(c Call, sql string) *fault.Error {
	e := fault.New(fault.SessionBusy, c.Op, fmt.Sprintf("session %s is in use by %s at %s, running %q", s.name, s.cur.call.Holder, s.cur.call.Pos, clip(s.cur.sql)))
	e.Session, e.SQL = s.name, sql
	return e.WithHint("a session runs one statement at a time: give each task a session of its own (t.connect())")
}

func (s *Session) closedError(c Call, sql string) *fault.Error {
	e := fault.New(fault.SessionClosed, c.Op, fmt.Sprintf("session %s has ended: it was %s", s.name, s.closed))
	e.Session, e.SQL = s.name, sql
	e.Hint = "open another with t.connect()"
	if s.closed == causeLost {
		e.Hint = "its connection was lost: open another with t.connect(), or conn.reset()"
	}
	return e
}

func (s *Session) cancelled(c Call, sql string, cause error) *fault.Error {
	e := fault.New(fault.Cancelled, c.Op, cause.Error())
	e.Session, e.SQL, e.Cause = s.name, sql, cause
	return e
}

// end notes that the statement has ended on the wire. It waits for a kill that is under way, so that it cannot hit the next
// statement. killed is why the statement was killed, nil when it was not. The session stays held until release.
func (s *Session) end() (killed error) {
	s.mu.Lock()
	s.done = true
	if s.killing {
		s.cond.Broadcast()
		for s.killing {
			s.cond.Wait()
		}
	}
	killed = s.killed
	s.mu.Unlock()
	return killed
}

// release gives the session back.
func (s *Session) release() {
	s.mu.Lock()
	s.busy, s.killed, s.parked = false, nil, false
	if s.cur.call.Holder != "rig" {
		s.last = s.cur.sql
	}
	s.cur = activity{}
	dead := s.takeDead()
	s.cond.Broadcast()
	s.mu.Unlock()
	if dead != nil {
		_ = dead.Close()
	}
}

// takeDead gives the driver's connection to who must close it: the session has ended and nobody uses it. It is given once.
// It must hold mu.
func (s *Session) takeDead() conn {
	if s.closed == "" || s.busy && !s.parked {
		return nil
	}
	c := s.conn
	s.conn = nil
	return c
}

// park tells that the stream which holds the session returns to its caller.
func (s *Session) park() {
	s.mu.Lock()
	s.parked = true
	if s.killing {
		s.cond.Broadcast()
	}
	dead := s.takeDead()
	s.mu.Unlock()
	if dead != nil {
		_ = dead.Close()
	}
}

// unpark tells that the stream is read again; it is an error when the session has ended meanwhile.
func (s *Session) unpark() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = false
	if s.closed != "" {
		return s.closedError(s.cur.call, s.cur.sql)
	}
	return nil
}

// touch tells the watchdog that the call makes progress.
func (s *Session) touch() {
	now := time.Now()
	s.mu.Lock()
	s.cur.since, s.cur.lost = now, s.hub.cfg.Clock.Lost()
	s.mu.Unlock()
}

// The causes of a session's end, in events.
const (
	causeClosed  = "closed"
	causeKilled  = "killed"
	causeLost    = "lost"
	causeDropped = "dropped"
)

// lose notes that the connection is gone, and closes our end of it.
func (s *Session) lose(cause string) {
	s.mu.Lock()
	had := s.closed != ""
	if s.ending != "" {
		cause = s.ending
	}
	if !had {
		s.closed = cause
	}
	w, dead := s.wire, s.takeDead()
	s.mu.Unlock()
	w.Close()
	if dead != nil {
		_ = dead.Close() // no farewell goes out; it ends the driver's own goroutine
	}
	if had {
		return
	}
	s.hub.forget(s)
	s.emit(s.opts.Pos, s.id, &event.SessionClose{Thread: s.Thread(), Cause: cause})
}

// Closed reports whether the session has ended, also when its connection was lost.
func (s *Session) Closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed != ""
}

// Activity tells what the session is doing; busy is false when it does nothing.
func (s *Session) Activity() (a Activity, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.busy {
		return Activity{}, false
	}
	return Activity{SQL: s.cur.sql, Since: s.cur.since, Pos: s.cur.call.Pos, Holder: s.cur.call.Holder}, true
}

// Close ends the session. A statement that is running is killed on the server first.
func (s *Session) Close() error {
	s.mu.Lock()
	if s.closed != "" {
		s.mu.Unlock()
		return nil
	}
	if s.busy {
		s.mu.Unlock()
		if acted, err := s.endBusy(causeClosed, errors.New("the session was closed")); acted {
			return err
		}
		return s.Close() // its statement ended by itself
	}
	s.closed = causeClosed
	w, c := s.wire, s.takeDead()
	s.mu.Unlock()
	_ = w.SetDeadline(time.Now().Add(sideBound))
	err := c.Close() // sends the driver's farewell
	s.hub.forget(s)
	s.emit(s.opts.Pos, s.id, &event.SessionClose{Thread: s.Thread(), Cause: causeClosed})
	if err != nil && w.cause() == nil {
		return err
	}
	return nil
}

func (s *Session) emit(pos event.Pos, id event.ID, d event.Data) {
	s.hub.cfg.Bus.Emit(event.Event{ID: id, Parent: s.opts.Parent, Test: s.opts.Test, Session: s.name, Pos: pos, Data: d})
}

func clip(sql string) string {
	sql = strings.Join(strings.Fields(sql), " ")
	if len(sql) > 80 {
		return sql[:77] + "..."
	}
	return sql
}

func containsFold(s, sub string) bool {
	return strings.Contains(strings.ToLower(s), sub)
}
