package session_test

import (
	"testing"
	"time"

	"rig/runtime/fault"
)

func TestBlocked(t *testing.T) {
	w := onMariadb(t)
	for _, tt := range []struct{ name, hold, wait, free string }{
		{"row lock", "UPDATE t SET v = 1 WHERE i = 1", "UPDATE t SET v = 2 WHERE i = 1", "COMMIT"},
		{"row lock of a read", "SELECT * FROM t WHERE i = 1 LOCK IN SHARE MODE", "SELECT * FROM t WHERE i = 1 FOR UPDATE", "COMMIT"},
		{"metadata lock", "SELECT * FROM t", "ALTER TABLE t ADD COLUMN IF NOT EXISTS j INT", "COMMIT"},
		{"user lock", "SELECT GET_LOCK('blocked', 0)", "SELECT GET_LOCK('blocked', 20)", "SELECT RELEASE_LOCK('blocked')"},
		{"table lock", "LOCK TABLES t WRITE", "SELECT * FROM t", "UNLOCK TABLES"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, b := w.open(), w.open()
			w.exec(a, "CREATE OR REPLACE TABLE t (i INT PRIMARY KEY, v INT)")
			w.exec(a, "INSERT INTO t VALUES (1, 0)")
			w.exec(a, "BEGIN")
			w.query(a, tt.hold)
			start := time.Now()
			p, err := b.Start(at(3), tt.wait, nil)
			if err != nil {
				t.Fatal(err)
			}
			blocked, err := p.Blocked(5 * time.Second)
			if !blocked || err != nil {
				t.Fatalf("blocked %v, %v", blocked, err)
			}
			within(t, start, 4*time.Second) // not by the call's own time
			if state := b.Waits(); !state.Waits || state.Weak {
				t.Errorf("the server says %+v, want a wait", state)
			}
			if p.Done() {
				t.Error("it has ended")
			}
			if p.SQL() != tt.wait {
				t.Error(p.SQL())
			}
			_, _, err = p.Wait(time.Millisecond)
			fails(t, err, fault.Timeout, "1ms")
			w.query(a, tt.free)
			if _, _, err := p.Wait(0); err != nil {
				t.Error(err)
			}
			<-p.Ended()
			if blocked, err := p.Blocked(5 * time.Second); blocked || err != nil {
				t.Errorf("after its end: blocked %v, %v", blocked, err)
			}
			b.Close()
			a.Close()
		})
	}
}

func TestNotBlocked(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	p, err := a.Start(at(2), "SELECT SLEEP(2)", nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if blocked, err := p.Blocked(50 * time.Millisecond); blocked || err != nil {
		t.Errorf("a statement that works is blocked: %v, %v", blocked, err)
	}
	if p.Done() {
		t.Error("blocked has waited for the statement's end")
	}
	if blocked, err := p.Blocked(20 * time.Second); blocked || err != nil { // ends with the statement
		t.Errorf("blocked %v, %v", blocked, err)
	}
	within(t, start, 15*time.Second)
	if r, _, err := p.Wait(time.Second); err != nil || r.Cell(0, 0) != int64(0) {
		t.Error(r, err)
	}
	p, err = a.Start(at(3), "INSERT INTO nowhere VALUES (1)", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = p.Wait(0)
	fails(t, err, fault.UnknownTable)
	if p, err = a.Start(at(3), "SELECT 1", nil); err != nil {
		t.Fatal(err)
	}
	p.Wait(0)
	w.exec(a, "DO 1")
}
