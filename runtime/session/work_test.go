package session_test

import (
	"testing"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// TestWork: what became of a piece of work follows from its statements, not from what its caller thinks.
func TestWork(t *testing.T) {
	t.Parallel()
	w := on(t, needMariadb(t), nil)
	maker := w.open()
	w.exec(maker, "CREATE TABLE work (id INT PRIMARY KEY, n INT)")
	for _, tt := range []struct {
		name   string
		sql    []string
		failed bool // as the caller sees it
		want   event.Outcome
	}{
		{"nothing", nil, false, event.OK},
		{"nothing, and an error of the caller", nil, true, event.Failed},
		{"a read", []string{"SELECT * FROM work"}, false, event.OK},
		{"a change", []string{"INSERT INTO work VALUES (2, 1)"}, false, event.OK},
		{"a change, then an error", []string{"INSERT INTO work VALUES (2, 1)", "SYNTAX"}, true, event.Unknown},
		{"a change of nothing, then an error", []string{"UPDATE work SET n = 5 WHERE id = 9", "SYNTAX"}, true, event.Failed},
		{"a change that fails", []string{"INSERT INTO work VALUES (1, 1)"}, true, event.Failed},
		{"a change that fails, which the caller does not mind", []string{"INSERT INTO work VALUES (1, 1)"}, false, event.Failed},
		{"a change that fails, then another", []string{"INSERT INTO work VALUES (1, 1)", "UPDATE work SET n = n + 1 WHERE id = 1"}, false, event.OK},
		{"committed", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "COMMIT"}, false, event.OK},
		{"committed, then an error", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "COMMIT", "SYNTAX"}, true, event.Unknown},
		{"rolled back", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "ROLLBACK"}, false, event.Failed},
		{"a change, then a rollback of nothing", []string{"INSERT INTO work VALUES (2, 1)", "ROLLBACK"}, false, event.OK},
		{"rolled back, then committed", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "ROLLBACK", "BEGIN", "INSERT INTO work VALUES (2, 1)", "COMMIT"}, false, event.OK},
		{"committed, then rolled back", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "COMMIT", "BEGIN", "INSERT INTO work VALUES (3, 1)", "ROLLBACK"}, false, event.Unknown},
		{"a transaction of reads, then an error", []string{"BEGIN", "SELECT * FROM work", "COMMIT"}, true, event.Failed},
		{"a transaction that changed nothing, then an error", []string{"BEGIN", "UPDATE work SET n = 5 WHERE id = 9", "COMMIT"}, true, event.Failed},
		{"committed by DDL", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "CREATE OR REPLACE TABLE work2 (i INT)"}, true, event.Unknown},
		{"committed by BEGIN", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "BEGIN", "ROLLBACK"}, true, event.Unknown},
		{"a transaction whose statement fails", []string{"BEGIN", "INSERT INTO work VALUES (1, 1)", "ROLLBACK"}, true, event.Failed},
		{"DDL in a transaction that fails", []string{"BEGIN", "INSERT INTO work VALUES (2, 1)", "CREATE TABLE work (i INT)"}, true, event.Unknown},
		{"without autocommit", []string{"SET autocommit = 0", "INSERT INTO work VALUES (2, 1)", "COMMIT"}, false, event.OK},
		{"without autocommit, rolled back", []string{"SET autocommit = 0", "INSERT INTO work VALUES (2, 1)", "ROLLBACK"}, true, event.Failed},
		{"committed by autocommit", []string{"SET autocommit = 0", "INSERT INTO work VALUES (2, 1)", "SET autocommit = 1"}, true, event.Unknown},
	} {
		w.exec(maker, "DELETE FROM work")
		w.exec(maker, "INSERT INTO work VALUES (1, 1)")
		s := w.open()
		work, err := s.Work()
		if err != nil {
			t.Fatal(err)
		}
		for _, sql := range tt.sql {
			_, _ = s.Exec(at(5), sql, nil)
		}
		if got, err := work.Outcome(tt.failed); got != tt.want || err != nil {
			t.Errorf("%s: %s, %v; want %s", tt.name, got, err, tt.want)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestWorkOfAnOpenTransaction: it has no outcome yet, but has one when its session is killed.
func TestWorkOfAnOpenTransaction(t *testing.T) {
	t.Parallel()
	w := on(t, needMariadb(t), nil)
	s := w.open()
	w.exec(s, "CREATE TABLE open_work (id INT PRIMARY KEY)")
	work, err := s.Work()
	if err != nil {
		t.Fatal(err)
	}
	w.exec(s, "BEGIN")
	w.exec(s, "INSERT INTO open_work VALUES (1)")
	if !work.Open() {
		t.Error("the transaction is not seen")
	}
	_, err = work.Outcome(false)
	fails(t, err, fault.TransactionState, "still open")
	_, err = s.Work()
	fails(t, err, fault.TransactionState, "open already")
	if err := s.Kill("test"); err != nil {
		t.Fatal(err)
	}
	if got, err := work.Outcome(false); got != event.Failed || err != nil {
		t.Errorf("after the kill: %s, %v", got, err)
	}
	if work.Open() {
		t.Error("the transaction outlived the kill")
	}
}
