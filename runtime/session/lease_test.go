package session_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/session"
)

func recycle(w *world, s *session.Session) {
	w.Helper()
	if err := s.Recycle(session.Call{Op: "pool.release", Holder: "rig"}); err != nil {
		w.Fatal(err)
	}
}

// What a holder changed is undone for the next one: a transaction by a rollback, the rest by a fresh connection.
func TestRecycle(t *testing.T) {
	w := onMariadb(t)
	maker := w.open()
	w.exec(maker, "CREATE TABLE t (id INT PRIMARY KEY)")
	w.exec(maker, "CREATE PROCEDURE p() SET @x = 5")
	for _, x := range []struct {
		name  string
		do    func(s *session.Session)
		fresh bool   // a new connection is needed
		ask   string // what tells that it was undone
		want  any
	}{
		{"nothing", func(*session.Session) {}, false, "SELECT @@in_transaction", int64(0)},
		{"a read", func(s *session.Session) { w.query(s, "SELECT 1") }, false, "SELECT @@in_transaction", int64(0)},
		{"a write", func(s *session.Session) { w.exec(s, "INSERT INTO t VALUES (?)", int64(1)) }, false, "SELECT COUNT(*) FROM t WHERE id = 1", int64(1)},
		{"a transaction", func(s *session.Session) {
			w.exec(s, "BEGIN")
			w.exec(s, "INSERT INTO t VALUES (2)")
		}, false, "SELECT COUNT(*) FROM t WHERE id = 2", int64(0)},
		{"a level for one transaction", func(s *session.Session) {
			if err := s.Begin(at(1), session.TxOptions{Isolation: "serializable"}); err != nil {
				t.Fatal(err)
			}
		}, false, "SELECT @@in_transaction", int64(0)},
		{"a level for the next transaction", func(s *session.Session) { w.exec(s, "SET TRANSACTION READ ONLY") }, true, "SELECT @@in_transaction", int64(0)},
		{"a variable", func(s *session.Session) { w.exec(s, "SET lock_wait_timeout = 7") }, true, "SELECT @@lock_wait_timeout = 7", int64(0)},
		{"a variable with arguments", func(s *session.Session) { w.exec(s, "SET SESSION lock_wait_timeout = ?", int64(7)) }, true, "SELECT @@lock_wait_timeout = 7", int64(0)},
		{"a user variable", func(s *session.Session) { w.query(s, "SELECT @x := 3") }, true, "SELECT @x", nil},
		{"a user variable by INTO", func(s *session.Session) { w.exec(s, "SELECT 3 INTO @x") }, true, "SELECT @x", nil},
		{"a hidden statement", func(s *session.Session) { w.exec(s, "/*! SET @x = 3 */") }, true, "SELECT @x", nil},
		{"a procedure", func(s *session.Session) { w.exec(s, "CALL p()") }, true, "SELECT @x", nil},
		{"autocommit", func(s *session.Session) { w.exec(s, "SET autocommit = 0") }, true, "SELECT @@autocommit", int64(1)},
		{"the database", func(s *session.Session) {
			if err := s.Use(at(1), "information_schema"); err != nil {
				t.Fatal(err)
			}
		}, true, "SELECT DATABASE()", w.cfg.Database},
		{"a lock", func(s *session.Session) { w.query(s, "SELECT GET_LOCK('recycled', 0)") }, true, "SELECT IS_FREE_LOCK('recycled')", int64(1)},
		{"locked tables", func(s *session.Session) { w.exec(s, "LOCK TABLES t WRITE") }, true, "SELECT COUNT(*) FROM information_schema.metadata_lock_info", nil},
		{"a temporary table", func(s *session.Session) { w.exec(s, "CREATE TEMPORARY TABLE t2 AS SELECT 1") }, true, "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 't2'", int64(0)},
		{"a prepared statement", func(s *session.Session) {
			if _, err := s.Prepare(at(1), "SELECT 1"); err != nil {
				t.Fatal(err)
			}
		}, true, "SELECT @@in_transaction", int64(0)},
		{"one by SQL", func(s *session.Session) { w.exec(s, "PREPARE q FROM 'SELECT 1'") }, true, "SELECT @@in_transaction", int64(0)},
	} {
		t.Run(x.name, func(t *testing.T) {
			s := w.open()
			defer s.Close()
			thread, statements := s.Thread(), s.Statements()
			x.do(s)
			ran := s.Statements() - statements
			recycle(w, s)
			if fresh := s.Thread() != thread; fresh != x.fresh {
				t.Errorf("a fresh connection: %v, want %v", fresh, x.fresh)
			}
			if ran == 1 && !x.fresh && s.Statements()-statements != ran {
				t.Error("giving back what needs no reset cost a statement")
			}
			if x.name == "locked tables" { // another may write
				w.exec(maker, "INSERT INTO t VALUES (100)")
				return
			}
			if got := w.one(s, x.ask); fmt.Sprint(got) != fmt.Sprint(x.want) {
				t.Errorf("%s: got %v, want %v", x.ask, got, x.want)
			}
		})
	}
}

func TestLease(t *testing.T) {
	w := onMariadb(t)
	s := w.open()
	first := s.Lend()
	call := at(2)
	call.Lease = first
	r, err := s.Exec(call, "DO 1", nil)
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.Stream(call, "SELECT 1 UNION SELECT 2", nil)
	if err != nil {
		t.Fatal(err)
	}
	fails(t, first.End(at(3), false), fault.SessionBusy, "SELECT 1 UNION SELECT 2", "t.star:2")
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if err := first.End(at(4), false); err != nil {
		t.Fatal(err)
	}
	fails(t, first.End(at(5), false), fault.SessionClosed, "released to its pool at t.star:4")
	second := s.Lend()
	_, err = s.Query(call, "SELECT 1", nil)
	fails(t, err, fault.SessionClosed, "released to its pool at t.star:4")
	_, err = r.Warnings(at(6))
	fails(t, err, fault.SessionClosed, "released")
	fails(t, first.Valid("conn.kill"), fault.SessionClosed, "conn.kill")
	call.Lease = second
	if _, err := s.Query(call, "SELECT 1", nil); err != nil || second.Valid("x") != nil {
		t.Error(err, second.Valid("x"))
	}
}

func TestCheck(t *testing.T) {
	w := onMariadb(t)
	s, killer := w.open(), w.open()
	for _, ask := range []bool{false, true} {
		if err := s.Check(at(1), ask); err != nil {
			t.Errorf("ask %v: %v", ask, err)
		}
	}
	w.exec(killer, "KILL ?", int64(s.Thread()))
	for start := time.Now(); s.Check(at(1), false) == nil; { // the farewell is on its way
		if time.Since(start) > 5*time.Second {
			t.Fatal("a connection that the server has ended passes without asking")
		}
	}
	if err := s.Check(at(2), false); !s.Closed() || !fault.IsKind(err, fault.SessionClosed) {
		t.Errorf("closed %v: %v", s.Closed(), err)
	}
	s = w.open()
	p, err := s.Start(at(1), "SELECT SLEEP(0.2)", nil)
	if err != nil {
		t.Fatal(err)
	}
	fails(t, s.Check(at(3), false), fault.SessionBusy, "SLEEP")
	p.Wait(0)
	if s.Last() != "SELECT SLEEP(0.2)" {
		t.Errorf("the last statement is %q", s.Last())
	}
	for _, e := range w.log.all() {
		if c, ok := e.Data.(*event.SessionClose); ok && strings.Contains(c.Cause, "lost") {
			return
		}
	}
	t.Error("no event tells that the connection was lost")
}
