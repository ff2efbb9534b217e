package session_test

import (
	"errors"
	"testing"

	"rig/runtime/fault"
	"rig/runtime/session"
)

func TestTransactionCalls(t *testing.T) {
	for _, s := range []string{"mariadb", "embedded"} {
		t.Run(s, func(t *testing.T) {
			srv := embedded
			if s == "mariadb" {
				srv = needMariadb(t)
			}
			w := on(t, srv, nil)
			a := w.open()
			w.exec(a, "CREATE TABLE t (i INT)")
			begin := at(11)
			fails(t, a.Commit(at(10)), fault.TransactionState, "no transaction is open")
			if err := a.Begin(begin, session.TxOptions{}); err != nil {
				t.Fatal(err)
			}
			if f := fails(t, a.Begin(at(12), session.TxOptions{}), fault.TransactionState, "t.star:11"); f.Hint == "" {
				t.Error("no hint")
			}
			w.exec(a, "INSERT INTO t VALUES (1)")
			if in, inferred, err := a.InTransaction(at(13)); !in || inferred != (s == "embedded") || err != nil {
				t.Error(in, inferred, err)
			}
			if err := a.Commit(at(14)); err != nil {
				t.Error(err)
			}
			fails(t, a.Commit(at(15)), fault.TransactionState)
			if err := a.Rollback(at(16)); err != nil {
				t.Error(err)
			}
			if err := a.Begin(at(17), session.TxOptions{}); err != nil {
				t.Error(err)
			}
			w.exec(a, "INSERT INTO t VALUES (2)")
			if err := a.Rollback(at(18)); err != nil {
				t.Error(err)
			}
			if n := w.one(a, "SELECT COUNT(*) FROM t"); n != int64(1) {
				t.Errorf("%v rows", n)
			}
			if in, _, err := a.InTransaction(at(19)); in || err != nil {
				t.Error(in, err)
			}
			_, err := session.Isolation("snapshot")
			fails(t, err, fault.BadArgument)
			fails(t, a.Begin(at(20), session.TxOptions{Isolation: "read comitted"}), fault.BadArgument, "read comitted")
		})
	}
}

func TestImplicitCommits(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (i INT)")
	w.exec(a, "CREATE PROCEDURE commits() COMMIT")
	w.exec(a, "CREATE PROCEDURE opens() START TRANSACTION")
	w.exec(a, "CREATE PROCEDURE nothing() DO 1")
	for _, tt := range []struct {
		sql  string
		fail bool
		word string // of the error of Commit; "" where it succeeds
	}{
		{"CREATE TABLE x (i INT)", false, `committed implicitly by "CREATE TABLE x (i INT)"`},
		{"CREATE TABLE x (i INT)", true, `committed implicitly by "CREATE TABLE x (i INT)"`},
		{"DROP TABLE x", false, "committed implicitly"},
		{"TRUNCATE t", false, "committed implicitly"},
		{"ANALYZE TABLE t", false, "committed implicitly"},
		{"LOCK TABLES t WRITE", false, "committed implicitly"},
		{"CREATE TABEL x", true, ""},
		{"CREATE TEMPORARY TABLE temp (i INT)", false, ""},
		{"CREATE OR REPLACE TEMPORARY TABLE temp (i INT)", false, ""},
		{"DROP TEMPORARY TABLE temp", false, ""},
		{"ANALYZE SELECT 1", false, ""},
		{"CALL commits()", false, "no transaction is open"},
		{"CALL nothing()", false, ""},
		{"CALL opens()", false, ""},
		{"COMMIT AND CHAIN", false, ""},
		{"ROLLBACK AND CHAIN", false, ""},
		{"ROLLBACK", false, "no transaction is open"},
		{"SET autocommit = 1", false, ""},
	} {
		if err := a.Begin(at(2), session.TxOptions{}); err != nil {
			t.Fatalf("%s: %v", tt.sql, err)
		}
		w.exec(a, "INSERT INTO t VALUES (1)")
		if _, err := a.Exec(at(3), tt.sql, nil); (err != nil) != tt.fail {
			t.Errorf("%s: %v", tt.sql, err)
		}
		err := a.Commit(at(4))
		if tt.word == "" {
			if err != nil {
				t.Errorf("%s: %v", tt.sql, err)
			}
		} else if err == nil {
			t.Errorf("%s: Commit has no error", tt.sql)
		} else {
			fails(t, err, fault.TransactionState, tt.word)
		}
		w.exec(a, "UNLOCK TABLES")
	}
}

func TestDeadlockUndoesTheTransaction(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	w.exec(a, "CREATE TABLE t (i INT PRIMARY KEY, v INT)")
	w.exec(a, "INSERT INTO t VALUES (1, 0), (2, 0)")
	for i, s := range []*session.Session{a, b} {
		if err := s.Begin(at(2), session.TxOptions{}); err != nil {
			t.Fatal(err)
		}
		w.exec(s, "UPDATE t SET v = v + 1 WHERE i = ?", int64(i+1))
	}
	p, err := a.Start(at(3), "UPDATE t SET v = v + 1 WHERE i = 2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if blocked, err := p.Blocked(5e9); !blocked || err != nil {
		t.Fatal(blocked, err)
	}
	_, errB := b.Exec(at(4), "UPDATE t SET v = v + 1 WHERE i = 1", nil)
	_, _, errA := p.Wait(0)
	if (errA == nil) == (errB == nil) {
		t.Fatalf("a: %v, b: %v", errA, errB)
	}
	victim, other := a, b
	if errA == nil {
		victim, other = b, a
	}
	if f := fails(t, errors.Join(errA, errB), fault.Deadlock); f.Category != fault.Transient || f.Code != 1213 {
		t.Errorf("%+v", f)
	}
	if held := victim.Held(); held != nil {
		t.Errorf("the victim holds %v", held)
	}
	f := fails(t, victim.Commit(at(5)), fault.TransactionState, "rolled it back")
	if f.Hint == "" {
		t.Error("no hint")
	}
	if err := other.Commit(at(6)); err != nil {
		t.Error(err)
	}
	if err := victim.Begin(at(7), session.TxOptions{}); err != nil {
		t.Error(err)
	}
}

func TestHeld(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (i INT)")
	w.exec(a, "CREATE PROCEDURE opens() START TRANSACTION")
	none := func(after string) {
		t.Helper()
		if h := a.Held(); h != nil {
			t.Errorf("after %s it holds %v", after, h)
		}
	}
	one := func(after, what string, line int32) {
		t.Helper()
		if h := a.Held(); len(h) != 1 || h[0].What != what || h[0].Pos.Line != line || h[0].Detail == "" {
			t.Errorf("after %s it holds %+v", after, h)
		}
	}
	none("nothing")
	if err := a.Begin(at(31), session.TxOptions{}); err != nil {
		t.Fatal(err)
	}
	one("begin", "transaction", 31)
	a.Rollback(at(32))
	none("rollback")
	for _, sql := range []string{"start transaction", "/* c */ BEGIN"} {
		w.exec(a, sql)
		one(sql, "transaction", 1)
		w.exec(a, "COMMIT")
	}
	w.exec(a, "CALL opens()")
	if h := a.Held(); len(h) != 1 || h[0].What != "transaction" {
		t.Errorf("after CALL it holds %v", h)
	}
	w.exec(a, "COMMIT")
	w.exec(a, "SET autocommit = 0")
	none("autocommit off")
	w.query(a, "SELECT * FROM t")
	one("SELECT without autocommit", "transaction", 1)
	w.exec(a, "COMMIT")
	none("COMMIT without autocommit")
	w.exec(a, "SET autocommit = 1")
	w.one(a, "SELECT GET_LOCK('held', ?)", int64(0))
	one("GET_LOCK", "lock", 1)
	none("the locks were released by asking")
	w.one(a, "SELECT GET_LOCK('held', 0) + RELEASE_LOCK('held')")
	none("RELEASE_LOCK")
	w.exec(a, "LOCK TABLES t READ")
	one("LOCK TABLES", "lock", 1)
	w.exec(a, "UNLOCK TABLES")
	none("UNLOCK TABLES")
	w.exec(a, "BEGIN")
	x, err := a.Stream(at(40), "SELECT 1", nil)
	if err != nil {
		t.Fatal(err)
	}
	none("a stream: a busy session is not asked")
	x.Close()
	a.Close()
	none("its end")
}

func TestSavepoints(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (i INT)")
	c := at(2)
	c.Op = "conn.savepoint"
	fails(t, a.Savepoint(c, "x"), fault.TransactionState, "conn.savepoint")
	a.Begin(at(1), session.TxOptions{})
	steps := []error{a.Savepoint(c, "a`b c")}
	w.exec(a, "INSERT INTO t VALUES (1)")
	steps = append(steps, a.Savepoint(c, "second"))
	w.exec(a, "INSERT INTO t VALUES (2)")
	steps = append(steps, a.RollbackTo(c, "second"), a.Release(c, "second"))
	if err := errors.Join(steps...); err != nil {
		t.Fatal(err)
	}
	fails(t, a.RollbackTo(c, "second"), fault.UnknownObject, "second")
	fails(t, a.Savepoint(c, ""), fault.BadArgument)
	if err := a.Commit(at(3)); err != nil {
		t.Error(err)
	}
	if n := w.one(a, "SELECT SUM(i) = 1 FROM t"); n != int64(1) {
		t.Error(n)
	}
}

func TestIsolationLevels(t *testing.T) {
	w := onMariadb(t)
	writer := w.open()
	w.exec(writer, "CREATE TABLE t (i INT PRIMARY KEY, v INT)")
	for _, tt := range []struct {
		level                   string
		first, dirty, committed int64
	}{
		{"read uncommitted", 0, 1, 1},
		{"read-committed", 0, 0, 1},
		{"REPEATABLE READ", 0, 0, 0},
	} {
		for _, own := range []bool{true, false} { // for the session, or for one transaction
			w.exec(writer, "REPLACE INTO t VALUES (1, 0)")
			o := session.TxOptions{Isolation: tt.level}
			so := session.Options{}
			if own {
				so.Isolation, o.Isolation = tt.level, ""
			}
			reader := w.openWith(so)
			if err := reader.Begin(at(2), o); err != nil {
				t.Fatal(err)
			}
			read := func(when string, want int64) {
				t.Helper()
				if got := w.one(reader, "SELECT v FROM t"); got != want {
					t.Errorf("%s (session's own: %v) reads %v %s, want %d", tt.level, own, got, when, want)
				}
			}
			read("first", tt.first)
			w.exec(writer, "BEGIN")
			w.exec(writer, "UPDATE t SET v = 1")
			read("before the commit", tt.dirty)
			w.exec(writer, "COMMIT")
			read("after it", tt.committed)
			if err := reader.Commit(at(3)); err != nil {
				t.Error(err)
			}
			reader.Close()
		}
	}
	reader := w.openWith(session.Options{Isolation: "SERIALIZABLE"})
	reader.Begin(at(2), session.TxOptions{})
	w.one(reader, "SELECT v FROM t")
	p, err := writer.Start(at(3), "UPDATE t SET v = 5", nil)
	if err != nil {
		t.Fatal(err)
	}
	if blocked, err := p.Blocked(5e9); !blocked || err != nil {
		t.Errorf("a SERIALIZABLE read does not block the writer: %v", err)
	}
	reader.Rollback(at(4))
	if _, r, err := p.Wait(0); err != nil || r.RowsAffected != 1 {
		t.Error(r, err)
	}
	a := w.open()
	a.Begin(at(5), session.TxOptions{ReadOnly: true, Snapshot: true})
	_, err = a.Exec(at(6), "UPDATE t SET v = 6", nil)
	fails(t, err, fault.ReadOnly)
	_, err = w.hub.Open(t.Context(), session.Options{Name: "x", Isolation: "serialisable"})
	fails(t, err, fault.BadArgument, "serialisable")
}
