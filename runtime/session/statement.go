package session

import (
	"crypto/sha256"
	"database/sql/driver"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// Result is what a statement changed.
type Result struct {
	RowsAffected int64
	LastInsertID uint64

	session    *Session
	generation uint64
	lease      *Lease
}

// statement is one run of SQL: what the paths of Query, Exec and Stream share.
type statement struct {
	call     Call
	sql      string
	args     int
	class    class
	prepared bool
	start    time.Time
	rows     int64
	affected int64

	generation uint64 // of the session
}

// Query runs a statement and keeps its whole result. More than Config.MaxRows rows or MaxBytes of text are an error
// (limit_exceeded); the session stays usable.
func (s *Session) Query(c Call, sql string, args []driver.Value) (*Rows, error) {
	out := &Rows{}
	if err := s.QueryInto(out, c, sql, args); err != nil {
		return nil, err
	}
	return out, nil
}

// QueryInto is Query into a place that the caller has, which must be new: it saves the hot path an allocation.
func (s *Session) QueryInto(out *Rows, c Call, sql string, args []driver.Value) error {
	var st statement
	if err := s.enter(&st, &c, sql, args); err != nil {
		return err
	}
	if f := s.leave(&st, s.runQuery(out, &st, args)); f != nil {
		return f
	}
	return nil
}

// Exec runs a statement and drops the rows that it may give.
func (s *Session) Exec(c Call, sql string, args []driver.Value) (Result, error) {
	var st statement
	if err := s.enter(&st, &c, sql, args); err != nil {
		return Result{}, err
	}
	r, err := s.runExec(&st, args)
	if f := s.leave(&st, err); f != nil {
		return Result{}, f
	}
	return r, nil
}

// enter takes the session for a statement, which it fills in; st must be new.
func (s *Session) enter(st *statement, c *Call, sql string, args []driver.Value) error {
	if f := s.take(c, sql, false); f != nil {
		return f
	}
	if f := s.protected(c, sql); f != nil {
		s.release()
		return f
	}
	s.generation++
	st.call, st.sql, st.args, st.start, st.generation = *c, sql, len(args), s.cur.since, s.generation
	return nil
}

// leave gives the session back, follows what the statement did to the transaction, and puts it on the stream.
func (s *Session) leave(st *statement, err error) *fault.Error {
	ended := s.hub.now()
	var f *fault.Error
	if err != nil || s.wire.cause() != nil || !s.endWell(st) {
		f = s.outcome(st, err, s.end())
		s.follow(st, f)
	}
	s.emitStatement(st, ended, f)
	s.release()
	return f
}

// outcome tells what err means after the statement has ended on the wire, and ends the session with its connection.
func (s *Session) outcome(st *statement, err, killed error) *fault.Error {
	lost := s.wire.broken(err)
	var f *fault.Error
	if err != nil {
		f = s.failure(st, err, killed, lost)
	}
	if killed != nil && !lost && !s.Closed() && !fault.IsKind(err, fault.Interrupted, fault.ConnectionLost) {
		s.absorb()
	}
	// A server that says why it hangs up has replied, but the connection is gone as well.
	if lost || s.wire.cause() != nil || fault.IsKind(err, fault.ConnectionLost) {
		s.lose(causeLost)
	}
	return f
}

// absorb takes a KILL QUERY that came after its statement had ended by itself, so that the next one does not meet it.
func (s *Session) absorb() {
	_ = s.wire.SetDeadline(time.Now().Add(sideBound))
	_, _ = s.conn.Exec("DO 0", nil)
	_ = s.wire.SetDeadline(time.Time{})
}

// failure makes the error of a statement.
func (s *Session) failure(st *statement, err, killed error, lost bool) *fault.Error {
	if lost {
		err = s.wire.explain(err)
	}
	f := fault.Wrap(st.call.Op, s.name, st.sql, err).On(s.hub.cfg.Flavor)
	f.Op = st.call.Op
	if killed != nil && (lost || f.Kind == fault.Interrupted || f.Kind == fault.ConnectionLost) {
		f = s.killedError(st, f, killed)
	}
	if lost && s.wire.sent && s.mayHaveHappened(st) {
		f.LoseReply()
	}
	// MariaDB has no number of its own for a row that NOWAIT did not get.
	if f.Code == errLockWait && hasWord(st.sql, "NOWAIT") {
		f.Kind = fault.LockNowait
	}
	if f.Kind == fault.ConnectionLost && f.Code == 0 && !strings.Contains(f.Message, "the connection") {
		f.Message = "the connection was lost: " + f.Message // what the driver and the network say is no sentence
	}
	if f.Hint == "" {
		f.Hint = statementHint(f)
	}
	return f
}

// errLockWait is ER_LOCK_WAIT_TIMEOUT.
const errLockWait = 1205

// mayHaveHappened: without a reply, a write outside a transaction or a commit may be done; what a transaction had
// written is rolled back when its connection goes.
func (s *Session) mayHaveHappened(st *statement) bool {
	if st.class.reads {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return st.class.ends || st.class.commits || st.class.opaque || (!s.tx.open && s.autocommit)
}

func (s *Session) killedError(st *statement, f *fault.Error, killed error) *fault.Error {
	var timeout *timeoutError
	kind, hint := fault.Cancelled, ""
	if errors.As(killed, &timeout) {
		kind, hint = fault.StatementTimeout, "the bound is --statement-timeout"
		if st.call.Timeout > 0 {
			hint = "the bound is the call's timeout ="
		}
	}
	e := fault.New(kind, st.call.Op, killed.Error())
	e.Session, e.SQL, e.Code, e.Name, e.SQLState, e.Hint = s.name, st.sql, f.Code, f.Name, f.SQLState, hint
	var c *cancelError
	if errors.As(killed, &c) {
		e.Cause = c.cause
	} else {
		e.Cause = f
	}
	return e
}

func statementHint(f *fault.Error) string {
	switch f.Code {
	case 1295:
		return "the server cannot prepare this statement: write the values into the SQL"
	case 1148, 2068, 3948, 4166: // the last is MariaDB's ER_LOAD_INFILE_CAPABILITY_DISABLED
		return "LOAD DATA LOCAL is off on the server: SET GLOBAL local_infile = 1"
	case 1046:
		return "the session has no database: open it with database=, or call conn.use(name)"
	}
	switch f.Kind {
	case fault.ConnectionLost:
		return "the server ended it (KILL, wait_timeout, a restart), or the network did; conn.reset() connects again"
	case fault.PacketTooLarge:
		return "raise the server's max_allowed_packet, or send less at once"
	}
	return ""
}

// maxSQL is how much of a statement goes into the stream, in bytes.
const maxSQL = 8 << 10

func head(sql string) string {
	if len(sql) > maxSQL {
		return sql[:maxSQL]
	}
	return sql
}

func (s *Session) emitStatement(st *statement, ended time.Time, f *fault.Error) {
	if s.hub.cfg.Bus == nil || s.opts.Quiet {
		return
	}
	bus := s.hub.cfg.Bus
	d := event.Statement{SQL: st.sql, Args: st.args, Prepared: st.prepared, Rows: st.rows, Affected: st.affected, Duration: ended.Sub(st.start)}
	if len(st.sql) > maxSQL {
		sum := sha256.Sum256([]byte(st.sql))
		// A copy, so that what keeps the event does not keep megabytes.
		d.SQL, d.Length, d.Digest = strings.Clone(head(st.sql)), len(st.sql), hex.EncodeToString(sum[:])
	}
	if f != nil {
		d.Outcome, d.Error = event.Failed, report(f)
		if f.ReplyLost {
			d.Outcome = event.Unknown
		}
	}
	parent := st.call.Parent
	if parent == 0 {
		parent = s.opts.Parent
	}
	e := event.Event{At: bus.At(ended), Parent: parent, Test: s.opts.Test, Session: s.name, Pos: st.call.Pos}
	bus.EmitStatement(&e, &d)
}

// report is the form of an error in events.
func report(f *fault.Error) *event.Error {
	return &event.Error{
		Kind: string(f.Kind), Category: string(f.Category), Code: f.Code, SQLState: f.SQLState, Name: f.Name,
		Op: f.Op, Message: f.Message, SQL: head(f.SQL), Session: f.Session, Hint: f.Hint,
	}
}

// runQuery runs the statement by the better protocol and reads its rows.
func (s *Session) runQuery(out *Rows, st *statement, args []driver.Value) (err error) {
	defer guard(s.wire, &err)
	rows, e, err := s.open(st, args)
	if err != nil {
		return err
	}
	l := s.layoutFor(rows, e)
	if err := s.collect.collectInto(out, rows, l, caps{s.hub.cfg.MaxRows, s.hub.cfg.MaxBytes}); err != nil {
		return s.abandon(st, rows, err)
	}
	st.rows = int64(out.Len())
	return rows.Close()
}

// abandon ends a result that was not read to its end. One that is too large is killed on the server rather than drained.
func (s *Session) abandon(st *statement, rows described, err error) error {
	var large errTooLarge
	if !errors.As(err, &large) {
		_ = rows.Close()
		return err
	}
	if cut := s.cutShort(rows); cut != nil {
		return cut
	}
	f := fault.New(fault.LimitExceeded, st.call.Op, large.Error())
	return f.WithHint("read it with conn.stream(...), which holds one row at a time, or select less")
}

// drainRows is how many rows are read away before a result is ended on the server instead.
const drainRows = 200

// cutShort ends a result early and leaves the connection clean.
func (s *Session) cutShort(rows described) (err error) {
	defer guard(s.wire, &err)
	dest := make([]driver.Value, len(rows.Columns()))
	for range drainRows {
		if err := rows.Next(dest); err != nil {
			return rows.Close()
		}
	}
	if s.hub.cfg.Flavor == "embedded" {
		// The engine ends the connection where it is killed in the middle of a result; reading on costs no network.
		return rows.Close()
	}
	if err := s.hub.side.kill(s.Thread(), false); err != nil {
		s.wire.cut()
	}
	_ = s.wire.SetDeadline(time.Now().Add(sideBound))
	err = rows.Close()
	if err != nil && !fault.IsKind(err, fault.Interrupted) {
		s.wire.cut()
		return fmt.Errorf("end a large result early: %w", err)
	}
	if err == nil { // the kill came too late for the statement
		s.absorb()
	}
	return s.wire.SetDeadline(time.Time{})
}

// open sends the statement and gives its rows, and the cache's entry where it has one.
func (s *Session) open(st *statement, args []driver.Value) (described, *entry, error) {
	if len(args) == 0 {
		st.class = s.classify(st.sql)
		rows, err := s.conn.Query(st.sql, nil)
		return asDescribed(rows, err), nil, err
	}
	e, text, err := s.plan(st, args)
	if err != nil {
		return nil, nil, err
	}
	if e.stmt != nil && text == "" {
		st.prepared = true
		rows, err := e.stmt.Query(args)
		return asDescribed(rows, err), e, err
	}
	rows, err := s.conn.Query(text, nil)
	return asDescribed(rows, err), nil, err
}

func asDescribed(rows driver.Rows, err error) described {
	if err != nil {
		return nil
	}
	return rows.(described)
}

// runExec runs the statement by the better protocol.
func (s *Session) runExec(st *statement, args []driver.Value) (out Result, err error) {
	defer guard(s.wire, &err)
	var res driver.Result
	if len(args) == 0 {
		st.class = s.classify(st.sql)
		res, err = s.conn.Exec(st.sql, nil)
	} else {
		var e *entry
		var text string
		if e, text, err = s.plan(st, args); err == nil && e.stmt != nil && text == "" {
			st.prepared = true
			res, err = e.stmt.Exec(args)
		} else if err == nil {
			res, err = s.conn.Exec(text, nil)
		}
	}
	if err != nil {
		return Result{}, err
	}
	return s.result(st, res), nil
}

func (s *Session) result(st *statement, res driver.Result) Result {
	r := Result{session: s, generation: st.generation, lease: st.call.Lease}
	r.RowsAffected, _ = res.RowsAffected() // the driver's results have no error
	id, _ := res.LastInsertId()
	r.LastInsertID = uint64(id)
	st.affected = r.RowsAffected
	return r
}

// Warning is one line of SHOW WARNINGS.
type Warning struct {
	Level   string
	Code    int
	Message string
}

// Warnings asks for the warnings of the session's last statement. A statement that reads no table and has none of its own
// leaves the server's list as it was.
func (s *Session) Warnings(c Call) ([]Warning, error) {
	return s.warnings(c, 0)
}

// warnings are refused when generation is not 0 and another statement has run since.
func (s *Session) warnings(c Call, generation uint64) ([]Warning, error) {
	c.Op = orOp(c.Op, "warnings")
	if f := s.begin(c, "SHOW WARNINGS"); f != nil {
		return nil, f
	}
	if generation != 0 && generation != s.generation {
		s.end()
		s.release()
		return nil, fault.New(fault.BadArgument, c.Op, "the session has run another statement since: read the warnings before it")
	}
	st := statement{call: c, sql: "SHOW WARNINGS", class: class{reads: true, asks: true}, start: time.Now()}
	rows, err := s.plain(st.sql)
	if f := s.leave(&st, err); f != nil {
		return nil, f
	}
	out := make([]Warning, rows.Len())
	for i := range out {
		out[i] = Warning{Level: rows.At(i, 0).Text, Code: int(rows.At(i, 1).bits), Message: rows.At(i, 2).Text}
	}
	return out, nil
}

// Warnings gives those of the statement that made the result. They must be read before the session's next statement.
func (r Result) Warnings(c Call) ([]Warning, error) {
	if r.session == nil {
		return nil, nil
	}
	c.Op = orOp(c.Op, "result.warnings")
	c.Lease = r.lease
	return r.session.warnings(c, r.generation)
}

func orOp(op, def string) string {
	if op == "" {
		return def
	}
	return op
}
