package session

import (
	"fmt"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// transaction is what is known of the session's transaction without asking the server.
type transaction struct {
	open     bool
	pos      event.Pos // the line that opened it
	implicit string    // the statement that committed it implicitly
	undone   string    // why the server rolled it back
	unsure   bool      // a statement ran that may have opened or ended one
}

// TxOptions of Begin. Isolation is for this transaction only.
type TxOptions struct {
	Isolation string
	ReadOnly  bool
	Snapshot  bool // WITH CONSISTENT SNAPSHOT
}

// follow keeps track of the transaction after a statement; f is its error, nil when it succeeded.
func (s *Session) follow(st *statement, f *fault.Error) {
	c := st.class
	if f != nil {
		// 1213 ends the whole transaction; everything else leaves it open.
		if f.Kind == fault.Deadlock && f.Code == errDeadlock && s.tx.open {
			s.tx = transaction{undone: "the server rolled it back: " + f.Message}
		}
		s.tx.unsure = s.tx.unsure || c.ends || c.opaque
		return
	}
	switch {
	case c.begins:
		s.tx = transaction{open: true, pos: st.call.Pos}
	case c.ends:
		s.tx = transaction{}
	case c.commits && s.tx.open:
		s.tx = transaction{implicit: st.sql}
	case c.opaque:
		s.tx.unsure = true
	case !s.autocommit && !s.tx.open && !c.unlocks && c.autocommit == 0 && !c.uses && !c.setsMode:
		s.tx = transaction{open: true, pos: st.call.Pos, unsure: true}
	}
	if c.unlocks {
		s.tableLocks = event.Pos{}
	}
	if c.autocommit != 0 {
		s.autocommit = c.autocommit > 0
		if s.autocommit {
			s.tx = transaction{}
		}
	}
}

const errDeadlock = 1213

// Begin opens a transaction. One that is open already is an error: the server would commit it silently.
func (s *Session) Begin(c Call, o TxOptions) error {
	c.Op = orOp(c.Op, "conn.begin")
	if s.tx.open && !s.tx.unsure {
		return s.stateError(c, fmt.Sprintf("a transaction is open already, begun at %s", s.tx.pos), "commit it or roll it back first; the server would commit it silently")
	}
	if o.Isolation != "" {
		level, err := Isolation(o.Isolation)
		if err != nil {
			return fault.Wrap(c.Op, s.name, "", err)
		}
		if _, err := s.Exec(c, "SET TRANSACTION ISOLATION LEVEL "+level, nil); err != nil {
			return err
		}
	}
	sql := "START TRANSACTION"
	var with []string
	if o.Snapshot {
		with = append(with, "WITH CONSISTENT SNAPSHOT")
	}
	if o.ReadOnly {
		with = append(with, "READ ONLY")
	}
	if with != nil {
		sql += " " + strings.Join(with, ", ")
	}
	_, err := s.Exec(c, sql, nil)
	return err
}

// Commit ends the transaction. Without an open one it is an error that says what became of it.
func (s *Session) Commit(c Call) error {
	c.Op = orOp(c.Op, "conn.commit")
	if f := s.noTransaction(c); f != nil {
		return f
	}
	_, err := s.Exec(c, "COMMIT", nil)
	return err
}

// Rollback ends the transaction; without one it does nothing on the server.
func (s *Session) Rollback(c Call) error {
	c.Op = orOp(c.Op, "conn.rollback")
	_, err := s.Exec(c, "ROLLBACK", nil)
	return err
}

// noTransaction tells why there is nothing to commit, nil where there may be something.
func (s *Session) noTransaction(c Call) *fault.Error {
	switch {
	case s.tx.implicit != "":
		sql := clip(s.tx.implicit)
		s.tx = transaction{}
		return s.stateError(c, fmt.Sprintf("the transaction was committed implicitly by %q", sql), "run DDL outside transactions")
	case s.tx.undone != "":
		why := s.tx.undone
		s.tx = transaction{}
		return s.stateError(c, "no transaction is open: "+why, "run the whole transaction again: conn.transaction(fn, retry = \"transient\")")
	case !s.tx.open && !s.tx.unsure && s.autocommit:
		return s.stateError(c, "no transaction is open", "begin one with conn.begin()")
	}
	return nil
}

func (s *Session) stateError(c Call, message, hint string) *fault.Error {
	e := fault.New(fault.TransactionState, c.Op, message)
	e.Session = s.name
	return e.WithHint(hint)
}

// Savepoint sets a savepoint in the open transaction.
func (s *Session) Savepoint(c Call, name string) error {
	return s.savepoint(c, "SAVEPOINT ", name)
}

// RollbackTo undoes what came after the savepoint.
func (s *Session) RollbackTo(c Call, name string) error {
	return s.savepoint(c, "ROLLBACK TO SAVEPOINT ", name)
}

// Release forgets a savepoint.
func (s *Session) Release(c Call, name string) error {
	return s.savepoint(c, "RELEASE SAVEPOINT ", name)
}

func (s *Session) savepoint(c Call, verb, name string) error {
	if name == "" || len(name) > 64 {
		return fault.New(fault.BadArgument, c.Op, "a savepoint's name has 1 to 64 characters")
	}
	if f := s.noTransaction(c); f != nil {
		return f
	}
	_, err := s.Exec(c, verb+quoteName(name), nil)
	return err
}

// InTransaction tells whether a transaction is open. MariaDB is asked; elsewhere it is what the session has seen, which is
// marked inferred.
func (s *Session) InTransaction(c Call) (in, inferred bool, err error) {
	c.Op = orOp(c.Op, "conn.in_transaction")
	if f := s.hub.facts.Load(); f == nil || !f.mariadb {
		return s.tx.open, true, nil
	}
	rows, err := s.quiet(c, "SELECT @@in_transaction")
	if err != nil {
		return false, false, err
	}
	return rows.At(0, 0).bits == 1, false, nil
}

// quiet runs a question of rig's own as a call on the session.
func (s *Session) quiet(c Call, sql string) (*Rows, error) {
	if f := s.begin(c, sql); f != nil {
		return nil, f
	}
	st := statement{call: c, sql: sql, class: class{reads: true}}
	rows, err := s.plain(sql)
	killed := s.end()
	lost := s.wire.cause() != nil
	if killed != nil {
		s.release()
	}
	if lost {
		s.lose(causeLost)
	}
	if err != nil {
		return nil, s.failure(&st, err, killed, lost)
	}
	return rows, nil
}

// Held is something a session still holds on the server.
type Held struct {
	What   string // "transaction" or "lock"
	Detail string
	Pos    event.Pos // the line that took it
}

// Held asks what the session holds: an open transaction, user locks (which are released by asking), locked tables. A busy or
// closed session is not asked.
func (s *Session) Held() []Held {
	if _, busy := s.Activity(); busy || s.Closed() {
		return nil
	}
	var out []Held
	c := Call{Op: "leak check", Holder: "rig"}
	open := s.tx.open
	if s.tx.unsure || (!s.autocommit && open) {
		if in, inferred, err := s.InTransaction(c); err == nil && !inferred {
			open = in
		}
	}
	if open {
		out = append(out, Held{"transaction", "an open transaction; commit it or roll it back", s.tx.pos})
	}
	if !s.usesLocks.IsZero() {
		if rows, err := s.quiet(c, "SELECT RELEASE_ALL_LOCKS()"); err == nil && rows.Len() == 1 && rows.At(0, 0).bits > 0 {
			out = append(out, Held{"lock", count(int(rows.At(0, 0).bits), "user lock") + " from GET_LOCK; release with RELEASE_LOCK", s.usesLocks})
		}
	}
	if !s.tableLocks.IsZero() {
		out = append(out, Held{"lock", "locked tables; release with UNLOCK TABLES", s.tableLocks})
	}
	return out
}

// Ping asks the server for a sign of life.
func (s *Session) Ping(c Call) error {
	c.Op = orOp(c.Op, "conn.ping")
	_, err := s.quiet(c, "DO 0")
	return err
}

// Use changes the default database.
func (s *Session) Use(c Call, db string) error {
	_, err := s.Exec(c, "USE "+quoteName(db), nil)
	if err == nil {
		s.opts.Database = db
	}
	return err
}
