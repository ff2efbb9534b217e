package session

import (
	"fmt"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// transaction is what is known of the session's transaction without asking the server.
type transaction struct {
	open     bool
	pos      event.Pos // the line that opened it
	begun    time.Time // when it was seen to open
	implicit string    // the statement that committed it implicitly
	undone   string    // why the server rolled it back
	unsure   bool      // a statement ran that may have opened or ended one
	xa       xaPhase   // of a distributed one
	xid      string    // its identifier, as it was written
}

// branch is a part of a distributed transaction that outlives its session.
type branch struct {
	xid string
	pos event.Pos
}

// TxOptions of Begin. Isolation is for this transaction only.
type TxOptions struct {
	Isolation string
	ReadOnly  bool
	Snapshot  bool // WITH CONSISTENT SNAPSHOT
}

// follow keeps track of the transaction after a statement; f is its error, nil when it succeeded.
func (s *Session) follow(st *statement, f *fault.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.statements++
	s.followHeld(st, f)
}

// endWell is end and follow of a statement that succeeded and that nobody kills, as nearly all do; false when this is none.
func (s *Session) endWell(st *statement) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.killing || s.killed != nil {
		return false
	}
	s.done = true
	s.statements++
	s.followHeld(st, nil)
	return true
}

// followHeld must hold mu.
func (s *Session) followHeld(st *statement, f *fault.Error) {
	c := st.class
	s.decide(st, f, s.tx.open)
	if f != nil {
		// 1213 ends the whole transaction; everything else leaves it open.
		if f.Kind == fault.Deadlock && f.Code == errDeadlock && s.tx.open {
			s.tx = transaction{undone: "the server rolled it back: " + f.Message}
		}
		s.tx.unsure = s.tx.unsure || c.ends || c.opaque
		if c.commits && s.tx.open { // most DDL commits before it can fail
			s.tx.unsure, s.tx.implicit = true, st.sql
		}
		return
	}
	if c.commits {
		s.noteCreated(st)
	}
	if c.uses {
		s.database = usedDatabase(st.sql)
	}
	s.nextTx = c.nextTx || s.nextTx && !c.begins
	switch {
	case c.begins, c.ends && c.chains:
		s.tx = transaction{open: true, pos: st.call.Pos, begun: time.Now()}
	case c.ends:
		s.tx = transaction{}
	case c.commits && s.tx.open:
		s.tx = transaction{implicit: st.sql, unsure: true}
	case c.xa != 0:
		s.followXA(st)
	case c.opaque:
		s.tx.unsure = true
	case !s.autocommit && !s.tx.open && !c.unlocks && c.autocommit == 0 && !c.uses && !c.setsMode && !c.asks:
		s.tx = transaction{open: true, pos: st.call.Pos, begun: time.Now(), unsure: true}
	}
	if c.unlocks {
		s.tableLocks = event.Pos{}
	}
	if c.autocommit != 0 {
		if c.autocommit > 0 && !s.autocommit { // only the change commits
			s.tx = transaction{}
		}
		s.autocommit = c.autocommit > 0
	}
}

const errDeadlock = 1213

// Begin opens a transaction. One that is open already is an error: the server would commit it silently.
func (s *Session) Begin(c Call, o TxOptions) error {
	c.Op = orOp(c.Op, "conn.begin")
	if tx, _, err := s.state(c); err != nil {
		return err
	} else if tx.open && !tx.unsure {
		return s.stateError(c, fmt.Sprintf("a transaction is open already, begun at %s", tx.pos), "commit it or roll it back first; the server would commit it silently")
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
	if err := s.noTransaction(c); err != nil {
		return err
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
func (s *Session) noTransaction(c Call) error {
	tx, autocommit, err := s.state(c)
	if err != nil || tx.open {
		return err
	}
	switch {
	case tx.implicit != "":
		s.forgetTransaction()
		return s.stateError(c, fmt.Sprintf("the transaction was committed implicitly by %q", clip(tx.implicit)), "run DDL outside transactions")
	case tx.undone != "":
		s.forgetTransaction()
		return s.stateError(c, "no transaction is open: "+tx.undone, "run the whole transaction again: conn.transaction(fn, retry = \"transient\")")
	case !tx.unsure && autocommit:
		return s.stateError(c, "no transaction is open", "begin one with conn.begin()")
	}
	return nil
}

func (s *Session) forgetTransaction() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tx = transaction{}
}

// state is what is known of the transaction. Where a statement leaves it open to doubt, a server that can tell is asked.
func (s *Session) state(c Call) (tx transaction, autocommit bool, err error) {
	s.mu.Lock()
	tx, autocommit = s.tx, s.autocommit
	s.mu.Unlock()
	if !tx.unsure {
		return tx, autocommit, nil
	}
	in, inferred, err := s.InTransaction(c)
	if err != nil || inferred {
		return tx, autocommit, err
	}
	tx.open, tx.unsure = in, false
	if in {
		tx.implicit = ""
	} else {
		tx.xa, tx.xid = "", ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tx = tx
	return tx, autocommit, nil
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
	if err := s.noTransaction(c); err != nil {
		return err
	}
	_, err := s.Exec(c, verb+quoteName(name), nil)
	return err
}

// InTransaction tells whether a transaction is open. MariaDB is asked; elsewhere it is what the session has seen, which is
// marked inferred.
func (s *Session) InTransaction(c Call) (in, inferred bool, err error) {
	c.Op = orOp(c.Op, "conn.in_transaction")
	if f := s.hub.facts.Load(); f == nil || !f.mariadb {
		s.mu.Lock()
		defer s.mu.Unlock()
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
	s.generation++ // the server forgets the warnings of the statement before
	st := statement{call: c, sql: sql, class: class{reads: true, asks: true}}
	rows, err := s.plain(sql)
	f := s.outcome(&st, err, s.end())
	s.release()
	if f != nil {
		return nil, f
	}
	return rows, nil
}

// Held is something a session still holds on the server.
type Held struct {
	What   string // "transaction" or "lock"
	Detail string
	Pos    event.Pos // the line that took it
}

// Open is a transaction that has not ended.
type Open struct {
	Pos   event.Pos // the line that opened it
	Begun time.Time // zero where it was not seen to begin
	XA    string    // of a distributed transaction: its identifier and how far it is; "" is an ordinary one
}

// Tracked tells whether a transaction is open, as far as the session has seen; the server is not asked.
func (s *Session) Tracked() (tx Open, open bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Open{s.tx.pos, s.tx.begun, s.tx.distributed()}, s.tx.open
}

// distributed names a distributed transaction, "" for an ordinary one.
func (tx *transaction) distributed() string {
	if tx.xa == "" {
		return ""
	}
	return "XA transaction " + clip(tx.xid) + " (" + string(tx.xa) + ")"
}

// Held asks what the session holds: an open transaction, user locks (which are released by asking), locked tables. A busy or
// closed session is not asked.
func (s *Session) Held() []Held {
	if _, busy := s.Activity(); busy || s.Closed() {
		return nil
	}
	var out []Held
	c := Call{Op: "leak check", Holder: "rig"}
	tx, _, _ := s.state(c)              // where the server does not tell, what the session has seen counts
	if tx.open && tx.xa != xaPrepared { // of that Prepared tells
		what := "an open transaction; commit it or roll it back"
		if xa := tx.distributed(); xa != "" {
			what = "an open " + xa + "; XA END, XA PREPARE, XA COMMIT or XA ROLLBACK bring it to its end"
		}
		out = append(out, Held{"transaction", what, tx.pos})
	}
	s.mu.Lock()
	userLocks, tableLocks := s.usesLocks, s.tableLocks
	s.mu.Unlock()
	if !userLocks.IsZero() {
		if rows, err := s.quiet(c, "SELECT RELEASE_ALL_LOCKS()"); err == nil && rows.Len() == 1 && rows.At(0, 0).bits > 0 {
			out = append(out, Held{"lock", count(int(rows.At(0, 0).bits), "user lock") + " from GET_LOCK; release with RELEASE_LOCK", userLocks})
		}
	}
	if !tableLocks.IsZero() {
		out = append(out, Held{"lock", "locked tables; release with UNLOCK TABLES", tableLocks})
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
	c.Op = orOp(c.Op, "conn.use")
	_, err := s.Exec(c, "USE "+quoteName(db), nil)
	return err
}

// isolationLevels is never written to.
var isolationLevels = []string{"READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"}

// Isolation gives the SQL name of a level that was written in any case, with spaces, - or _ between its words.
func Isolation(name string) (string, error) {
	want := strings.ToUpper(strings.NewReplacer("_", " ", "-", " ").Replace(strings.TrimSpace(name)))
	for _, l := range isolationLevels {
		if l == want {
			return l, nil
		}
	}
	e := fault.New(fault.BadArgument, "", fmt.Sprintf("%q is no isolation level", name))
	if near := fault.Suggest(want, isolationLevels); near != "" {
		return "", e.WithHint(fmt.Sprintf("did you mean %q?", near))
	}
	return "", e.WithHint("the levels are " + strings.Join(isolationLevels, ", "))
}
