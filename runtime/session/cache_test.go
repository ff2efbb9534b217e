package session_test

import (
	"database/sql/driver"
	"fmt"
	"strconv"
	"testing"

	"rig/runtime/fault"
	"rig/runtime/session"
)

// preparedOnServer is the count of statements that the session has prepared and not closed.
func (w *world) preparedOnServer(s *session.Session) int {
	w.Helper()
	n := map[string]int{}
	r := w.query(s, "SHOW SESSION STATUS WHERE Variable_name IN ('Com_stmt_prepare', 'Com_stmt_close')")
	for i := range r.Len() {
		n[r.Cell(i, 0).(string)], _ = strconv.Atoi(r.Cell(i, 1).(string))
	}
	return n["Com_stmt_prepare"] - n["Com_stmt_close"]
}

func TestCacheIsBounded(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	for round := range 2 {
		for i := range 200 {
			for use := range 2 {
				if got := w.one(a, fmt.Sprintf("SELECT ? + %d", i), int64(use)); got != int64(use+i) {
					t.Fatal(got)
				}
			}
		}
		if n := w.preparedOnServer(a); n != 64 {
			t.Errorf("round %d: %d statements are prepared, want 64", round, n)
		}
	}
	before := w.preparedOnServer(a)
	for range 50 {
		w.one(a, "SELECT ? + 199", int64(1))
	}
	if n := w.preparedOnServer(a); n != before {
		t.Errorf("a statement in the cache was prepared again")
	}
	total, _ := strconv.Atoi(w.query(a, "SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'").Cell(0, 1).(string))
	if total > 64 {
		t.Errorf("%d statements are prepared on the server", total)
	}
}

func TestCacheAndAlteredTables(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	w.exec(b, "CREATE TABLE t (i INT)")
	w.exec(b, "INSERT INTO t VALUES (5)")
	read := func(want driver.Value, kind session.Type, columns int) {
		t.Helper()
		for range 3 {
			r := w.query(a, "SELECT * FROM t WHERE i = ?", int64(5))
			if got := r.Cell(0, 0); got != want || r.Columns()[0].Type != kind || len(r.Columns()) != columns {
				t.Errorf("got %T %v, columns %+v", got, got, r.Columns())
			}
		}
	}
	read(int64(5), session.TypeInt, 1)
	w.exec(b, "ALTER TABLE t MODIFY i VARCHAR(10)")
	read("5", session.TypeString, 1)
	w.exec(b, "ALTER TABLE t MODIFY i DECIMAL(10,2), ADD j INT")
	read("5.00", session.TypeDecimal, 2)
	w.exec(b, "ALTER TABLE t MODIFY i BIGINT UNSIGNED, DROP j")
	read(uint64(5), session.TypeUint, 1)
	w.exec(b, "ALTER TABLE t MODIFY i VARBINARY(5)")
	for range 3 {
		if got := w.one(a, "SELECT i FROM t WHERE i = ?", "5"); string(got.([]byte)) != "5" {
			t.Error(got)
		}
	}
	w.exec(b, "DROP TABLE t")
	_, err := a.Query(at(2), "SELECT * FROM t WHERE i = ?", []driver.Value{int64(5)})
	fails(t, err, fault.UnknownTable)
	w.exec(b, "CREATE TABLE t (i INT)")
	w.exec(b, "INSERT INTO t VALUES (5)")
	read(int64(5), session.TypeInt, 1)
}

func TestWhatCannotBePrepared(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	for use := range 3 { // the server says 1295
		w.exec(a, "PREPARE p FROM ?", "SELECT 1")
		if e := w.log.statement(t, "PREPARE"); e.Prepared {
			t.Errorf("use %d was prepared", use)
		}
	}
	for use := range 3 {
		for _, args := range [][]driver.Value{{}, {int64(1)}, {int64(1), int64(2), int64(3)}} {
			if len(args) == 0 {
				continue // no argument at all is plain SQL, whose placeholder the server refuses
			}
			_, err := a.Query(at(2), "SELECT ?, ?", args)
			fails(t, err, fault.BadArgument, "2 placeholders", strconv.Itoa(len(args)))
		}
		if got := w.query(a, "SELECT ?, ?", int64(1), int64(2)).Cell(0, 1); got != int64(2) {
			t.Errorf("use %d: %v", use, got)
		}
	}
}

func TestServerWithoutRoomForPreparedStatements(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "SET GLOBAL max_prepared_stmt_count = 0")
	defer w.exec(a, "SET GLOBAL max_prepared_stmt_count = 16382")
	for range 3 {
		if got := w.one(a, "SELECT ? + 1", int64(1)); got != int64(2) {
			t.Error(got)
		}
	}
}
