package session_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/session"
)

func TestLargeResults(t *testing.T) {
	w := on(t, needMariadb(t), func(c *session.Config) { c.MaxRows, c.MaxBytes = 1000, 1<<20 })
	a := w.open()
	w.exec(a, "CREATE TABLE t (i INT)")
	for _, tt := range []struct{ sql, want string }{
		{"SELECT seq FROM seq_1_to_1001", "1,000 rows"},
		{"SELECT seq FROM seq_1_to_1300", "1,000 rows"},
		{"SELECT seq FROM seq_1_to_10000000", "1,000 rows"},
		{"SELECT REPEAT('x', 65536) FROM seq_1_to_900", "1 MiB"},
		{"SELECT REPEAT('x', 1048577)", "1 MiB"},
	} {
		for use := range 3 {
			w.exec(a, "BEGIN")
			w.exec(a, "INSERT INTO t VALUES (1)")
			start := time.Now()
			sql, args := tt.sql, []driver.Value(nil)
			if use > 0 {
				sql, args = tt.sql+" LIMIT ?", []driver.Value{int64(1 << 40)}
			}
			_, err := a.Query(at(2), sql, args)
			f := fails(t, err, fault.LimitExceeded, tt.want)
			if !strings.Contains(f.Hint, "stream") {
				t.Errorf("hint %q", f.Hint)
			}
			within(t, start, 2*time.Second)
			if in, _, err := a.InTransaction(at(3)); !in || err != nil {
				t.Errorf("%s: the transaction is gone (%v)", tt.sql, err)
			}
			if n := w.one(a, "SELECT COUNT(*) FROM t"); n != int64(1) {
				t.Errorf("%s: %v rows after it", tt.sql, n)
			}
			w.exec(a, "ROLLBACK")
		}
	}
	if r := w.query(a, "SELECT seq FROM seq_1_to_1000"); r.Len() != 1000 || r.Cell(999, 0) != uint64(1000) {
		t.Errorf("%d rows", r.Len())
	}
}

func TestStreamToTheEnd(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	for _, args := range [][]driver.Value{nil, {int64(0)}, {int64(0)}} {
		sql := "SELECT seq, 'x' AS x FROM seq_1_to_5000"
		if args != nil {
			sql += " WHERE seq > ?"
		}
		x, err := a.Stream(at(2), sql, args)
		if err != nil {
			t.Fatal(err)
		}
		if c := x.Columns(); len(c) != 2 || c[1].Name != "x" {
			t.Errorf("columns %v", c)
		}
		var sum int64
		var first *session.Rows
		for {
			r, err := x.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = r
			}
			sum += int64(r.At(0, 0).Uint())
		}
		if sum != 5000*5001/2 || first.Cell(0, 0) != uint64(1) || first.Cell(0, 1) != "x" {
			t.Errorf("sum %d, first row %v", sum, first.Cell(0, 0))
		}
		if _, err := x.Next(); err != io.EOF {
			t.Errorf("after the end: %v", err)
		}
		if err := x.Close(); err != nil {
			t.Error(err)
		}
		if e := w.log.statement(t, sql); e.Rows != 5000 || e.Outcome != event.OK {
			t.Errorf("event %+v", e)
		}
	}
}

func TestStreamHoldsTheSession(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	c := session.Call{Pos: event.Pos{File: "t.star", Line: 10}, Holder: "reader", Op: "conn.stream"}
	x, err := a.Stream(c, "SELECT seq FROM seq_1_to_1000000", nil)
	if err != nil {
		t.Fatal(err)
	}
	for range 10 {
		if _, err := x.Next(); err != nil {
			t.Fatal(err)
		}
	}
	_, err = a.Query(session.Call{Pos: event.Pos{File: "t.star", Line: 20}, Holder: "writer", Op: "conn.query"}, "SELECT 1", nil)
	f := fails(t, err, fault.SessionBusy, a.Name(), "reader", "t.star:10", "seq_1_to_1000000", "conn.query")
	if f.SQL != "SELECT 1" || f.Hint == "" {
		t.Errorf("%+v", f)
	}
	if act, busy := a.Activity(); !busy || act.Holder != "reader" || act.Pos.Line != 10 || act.SQL != "SELECT seq FROM seq_1_to_1000000" {
		t.Errorf("activity %+v", act)
	}
	start := time.Now()
	if err := x.Close(); err != nil {
		t.Fatal(err)
	}
	if n := w.one(a, "SELECT 7"); n != int64(7) {
		t.Error(n)
	}
	within(t, start, 500*time.Millisecond)
	if e := w.log.statement(t, "SELECT seq"); e.Rows != 10 || e.Outcome != event.OK {
		t.Errorf("event %+v", e)
	}
}

// killed reports whether the session's statement was killed.
func (w *world) killed(s *session.Session) bool {
	for _, e := range w.log.all() {
		if k, ok := e.Data.(*event.Kill); ok && k.Thread == s.Thread() {
			return true
		}
	}
	return false
}

// A stream that nobody reads cannot end its statement: what kills it must not wait for that.
func TestStreamThatIsNotRead(t *testing.T) {
	w := onMariadb(t)
	for _, end := range []string{"cancel", "close", "kill", "timeout"} {
		a := w.open()
		c := at(2)
		if end == "timeout" {
			c.Timeout = 100 * time.Millisecond
		}
		x, err := a.Stream(c, "SELECT seq FROM seq_1_to_100000000", nil)
		if err != nil {
			t.Fatal(err)
		}
		x.Next()
		start := time.Now()
		kind := fault.SessionClosed
		switch end {
		case "cancel":
			kind, err = fault.Cancelled, a.Cancel("enough")
		case "close":
			err = a.Close()
		case "kill":
			err = a.Kill("enough")
		case "timeout":
			for kind = fault.StatementTimeout; !w.killed(a); {
			}
		}
		if err != nil {
			t.Errorf("%s: %v", end, err)
		}
		for err = nil; err == nil; {
			_, err = x.Next()
		}
		fails(t, err, kind)
		if _, err := x.Next(); err != io.EOF {
			t.Errorf("%s: after the end: %v", end, err)
		}
		if err := x.Close(); err != nil {
			t.Errorf("%s: %v", end, err)
		}
		within(t, start, time.Second)
		if closed := a.Closed(); closed != (kind == fault.SessionClosed) {
			t.Errorf("%s: closed %v", end, closed)
		} else if !closed {
			w.exec(a, "DO 1")
		}
	}
}

func TestStreamOfNothing(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	for _, sql := range []string{"DO 1", "SELECT 1 FROM seq_1_to_3 WHERE 0"} {
		for _, read := range []bool{true, false} {
			x, err := a.Stream(at(2), sql, nil)
			if err != nil {
				t.Fatal(err)
			}
			if read {
				if _, err := x.Next(); err != io.EOF {
					t.Errorf("%s: %v", sql, err)
				}
			}
			if err := x.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	_, err := a.Stream(at(2), "SELECT nothing", nil)
	fails(t, err, fault.UnknownColumn)
	x, err := a.Stream(at(2), "SELECT IF(seq < 3000, seq, (SELECT 1 UNION SELECT 2)) FROM seq_1_to_5000", nil)
	for err == nil {
		_, err = x.Next()
	}
	fails(t, err, fault.InvalidStatement)
	w.exec(a, "DO 1")
}

func TestQueryAll(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE PROCEDURE p() BEGIN SELECT 1 AS a; DO 2; SELECT 2 AS b, 3 AS c UNION SELECT 4, 5; SELECT 1 WHERE 0; END")
	rs, err := a.QueryAll(at(2), "CALL p()", false)
	if err != nil {
		t.Fatal(err)
	}
	if len(rs) != 3 || rs[0].Cell(0, 0) != int64(1) || rs[1].Len() != 2 || rs[1].Cell(1, 1) != int64(5) || rs[1].Index("c") != 1 || rs[2].Len() != 0 {
		t.Errorf("%d results", len(rs))
	}
	rs, err = a.QueryAll(at(2), "CREATE TABLE m (i INT); INSERT INTO m VALUES (1), (2); SELECT COUNT(*) FROM m; SELECT ';'", true)
	if err != nil || len(rs) != 2 || rs[0].Cell(0, 0) != int64(2) || rs[1].Cell(0, 0) != ";" {
		t.Errorf("%d results, %v", len(rs), err)
	}
	_, err = a.QueryAll(at(2), "INSERT INTO m VALUES (3); INSERT INTO nowhere VALUES (1); INSERT INTO m VALUES (4)", true)
	if f := fails(t, err, fault.UnknownTable); !strings.HasPrefix(f.SQL, "INSERT INTO nowhere") {
		t.Errorf("SQL %q", f.SQL)
	}
	if n := w.one(a, "SELECT COUNT(*) FROM m"); n != int64(3) {
		t.Errorf("%v rows: what came before the failure stays, what came after is not run", n)
	}
	w.exec(a, "CREATE PROCEDURE q() BEGIN SELECT 1; SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'no more'; END")
	_, err = a.QueryAll(at(2), "CALL q()", false)
	fails(t, err, fault.Other, "no more")
	_, err = a.QueryAll(at(2), "SELECT 1; SELECT 2", false)
	fails(t, err, fault.Syntax)
	w.exec(a, "DO 1")
}

func TestLargeResultOfSeveral(t *testing.T) {
	w := on(t, needMariadb(t), func(c *session.Config) { c.MaxRows = 100 })
	a := w.open()
	w.exec(a, "CREATE PROCEDURE p() BEGIN SELECT 1; SELECT seq FROM seq_1_to_1000000; SELECT 3; END")
	_, err := a.QueryAll(at(2), "CALL p()", false)
	fails(t, err, fault.LimitExceeded, "100 rows")
	if n := w.one(a, "SELECT 7"); n != int64(7) {
		t.Error(n)
	}
}

func TestWarnings(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (i TINYINT)")
	w.exec(a, "SET sql_mode = ''")
	r := w.exec(a, "INSERT INTO t VALUES (300)")
	for range 2 {
		ws, err := r.Warnings(at(2))
		if err != nil || len(ws) != 1 || ws[0].Code != 1264 || ws[0].Level != "Warning" || !strings.Contains(ws[0].Message, "'i'") {
			t.Fatalf("%+v, %v", ws, err)
		}
	}
	for name, other := range map[string]func() error{
		"a statement":    func() error { _, err := a.Exec(at(3), "DO 1", nil); return err },
		"in_transaction": func() error { _, _, err := a.InTransaction(at(3)); return err },
		"reset":          func() error { return a.Reset(at(3)) },
	} {
		w.exec(a, "SET sql_mode = ''")
		r = w.exec(a, "INSERT INTO t VALUES (300)")
		if err := other(); err != nil {
			t.Fatal(err)
		}
		_, err := r.Warnings(at(4))
		if err == nil {
			t.Fatalf("%s hides the warnings silently", name)
		}
		fails(t, err, fault.BadArgument, "another statement")
	}
	if ws, err := (session.Result{}).Warnings(at(5)); ws != nil || err != nil {
		t.Error(ws, err)
	}
	w.query(a, "SELECT CAST('x' AS INT) FROM t LIMIT 1")
	if ws, err := a.Warnings(at(6)); err != nil || len(ws) != 1 || ws[0].Code != 1292 {
		t.Error(ws, err)
	}
}

func TestReset(t *testing.T) {
	w := onMariadb(t)
	no := false
	a, b := w.openWith(session.Options{Isolation: "serializable", Autocommit: &no}), w.open()
	w.exec(b, "CREATE TABLE t (i INT)")
	w.exec(a, "SET @x = 1, autocommit = 1, sql_mode = 'NO_BACKSLASH_ESCAPES'")
	w.exec(a, "BEGIN")
	w.exec(a, "INSERT INTO t VALUES (1)")
	w.one(a, "SELECT GET_LOCK('reset', 0)")
	stmt, err := a.Prepare(at(1), "SELECT ?")
	if err != nil {
		t.Fatal(err)
	}
	old := a.Thread()
	if err := a.Reset(at(2)); err != nil {
		t.Fatal(err)
	}
	if a.Thread() == old {
		t.Error("the thread id is the same")
	}
	if in, _, err := a.InTransaction(at(3)); in || err != nil {
		t.Error(in, err)
	}
	if v := w.one(a, "SELECT @x"); v != nil {
		t.Error(v)
	}
	if v := w.one(a, "SELECT CONCAT(@@autocommit + 0, @@tx_isolation, DATABASE() = '"+w.cfg.Database+"', @@time_zone)"); v != "0SERIALIZABLE1+00:00" {
		t.Error(v)
	}
	_, err = stmt.Query(at(4), []driver.Value{int64(1)})
	fails(t, err, fault.SessionClosed)
	if err := stmt.Close(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if v := w.one(a, "SELECT ?", `a\'`); v != `a\'` {
			t.Error(v)
		}
	}
	if n := w.one(b, "SELECT COUNT(*) FROM t"); n != int64(0) {
		t.Error("the transaction was committed")
	}
	w.exec(b, fmt.Sprintf("KILL %d", a.Thread()))
	_, err = a.Exec(at(5), "DO 1", nil)
	fails(t, err, fault.ConnectionLost)
	_, err = a.Exec(at(5), "DO 1", nil)
	if f := fails(t, err, fault.SessionClosed); !strings.Contains(f.Hint, "reset") {
		t.Errorf("hint %q", f.Hint)
	}
	a.Interrupt(errors.New("stop"))
	fails(t, a.Reset(at(6)), fault.Cancelled)
	if a.Resume(); !a.Closed() {
		t.Error("a refused reset has revived the session")
	}
	if err := a.Reset(at(7)); err != nil {
		t.Fatal(err)
	}
	w.exec(a, "DO 1")
	a.Close()
	fails(t, a.Reset(at(8)), fault.SessionClosed, "closed")
}

func TestPrepareByHand(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (i INT PRIMARY KEY, v DECIMAL(5,2))")
	in, err := a.Prepare(at(1), "INSERT INTO t VALUES (?, ?)")
	if err != nil {
		t.Fatal(err)
	}
	for i := range int64(3) {
		r, err := in.Exec(at(2), []driver.Value{i, session.Decimal("1.50")})
		if err != nil || r.RowsAffected != 1 {
			t.Fatal(r, err)
		}
	}
	_, err = in.Exec(at(2), []driver.Value{int64(1), nil})
	fails(t, err, fault.DuplicateKey)
	_, err = in.Exec(at(2), []driver.Value{int64(1)})
	fails(t, err, fault.BadArgument, "2 placeholders", "1 argument")
	out, err := a.Prepare(at(3), "SELECT i, v FROM t WHERE i >= ? ORDER BY i")
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		r, err := out.Query(at(4), []driver.Value{int64(1)})
		if err != nil || r.Len() != 2 || r.Cell(1, 0) != int64(2) || r.Cell(1, 1) != "1.50" {
			t.Fatal(r, err)
		}
	}
	if out.SQL() != "SELECT i, v FROM t WHERE i >= ? ORDER BY i" || !w.log.statement(t, out.SQL()).Prepared {
		t.Error(out.SQL())
	}
	if err := errors.Join(in.Close(), out.Close(), out.Close()); err != nil {
		t.Error(err)
	}
	_, err = out.Query(at(5), []driver.Value{int64(1)})
	fails(t, err, fault.SessionClosed, "prepared statement")
	if v := w.query(a, "SHOW SESSION STATUS LIKE 'Com_stmt_close'").Cell(0, 1); v != "2" {
		t.Errorf("%v statements closed on the server, want 2", v)
	}
	_, err = a.Prepare(at(6), "SELEC")
	fails(t, err, fault.Syntax)
}
