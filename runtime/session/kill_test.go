package session_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/session"
)

// running is the count of threads that run sleep on the server.
func (w *world) running(s *session.Session, what string) any {
	w.Helper()
	return w.one(s, "SELECT COUNT(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND info LIKE '%"+what+"%'")
}

// ends reports whether the server soon runs it no more: the reply of a statement comes a moment before the process list
// forgets it.
func (w *world) ends(s *session.Session, what string) bool {
	w.Helper()
	for deadline := time.Now().Add(time.Second); w.running(s, what) != int64(0); {
		if time.Now().After(deadline) {
			return false
		}
	}
	return true
}

// started starts a statement and waits until the server runs it.
func (w *world) started(s, other *session.Session, sql, mark string) *session.Pending {
	w.Helper()
	p, err := s.Start(at(7), sql, nil)
	if err != nil {
		w.Fatal(err)
	}
	for w.running(other, mark) == int64(0) && !p.Done() {
	}
	return p
}

func TestTimeOutKillsOnTheServer(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	w.exec(a, "CREATE TABLE t (i INT)")
	if err := a.Begin(at(1), session.TxOptions{}); err != nil {
		t.Fatal(err)
	}
	w.exec(a, "INSERT INTO t VALUES (1)")
	start := time.Now()
	c := at(3)
	c.Timeout = 200 * time.Millisecond
	_, err := a.Query(c, "SELECT SLEEP(30) /* timed */", nil)
	f := fails(t, err, fault.StatementTimeout, "200ms", "conn.query")
	within(t, start, 2*time.Second)
	if f.Hint == "" || f.ReplyLost {
		t.Errorf("hint %q, reply lost %v", f.Hint, f.ReplyLost)
	}
	if !w.ends(b, "timed") {
		t.Errorf("the server still runs it")
	}
	if in, inferred, err := a.InTransaction(at(4)); !in || inferred || err != nil {
		t.Errorf("in transaction %v, inferred %v, %v", in, inferred, err)
	}
	if n := w.one(a, "SELECT COUNT(*) FROM t"); n != int64(1) {
		t.Errorf("the transaction's row is gone: %v", n)
	}
	if err := a.Commit(at(5)); err != nil {
		t.Error(err)
	}
	killed := false
	for _, e := range w.log.all() {
		if k, ok := e.Data.(*event.Kill); ok {
			killed = true
			if k.Connection || !k.Verified || k.Thread != a.Thread() || k.Error != nil {
				t.Errorf("kill event %+v", k)
			}
		}
	}
	if !killed {
		t.Error("no event of the kill")
	}
}

func TestTimeOutOfSilentStatements(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	w.exec(a, "CREATE TABLE t (i INT PRIMARY KEY)")
	w.exec(a, "INSERT INTO t VALUES (1)")
	w.exec(a, "BEGIN")
	w.exec(a, "UPDATE t SET i = 2")
	c := at(3)
	c.Timeout = 100 * time.Millisecond
	start := time.Now()
	_, err := b.Exec(c, "UPDATE t SET i = 3", nil)
	fails(t, err, fault.StatementTimeout)
	_, err = b.Exec(c, "ALTER TABLE t ADD j INT", nil)
	fails(t, err, fault.StatementTimeout)
	_, err = b.Exec(c, "BEGIN NOT ATOMIC DECLARE i INT DEFAULT 0; WHILE 1 DO SET i = i + 1; END WHILE; END", nil)
	fails(t, err, fault.StatementTimeout)
	within(t, start, 3*time.Second)
	w.exec(a, "ROLLBACK")
	w.exec(b, "UPDATE t SET i = 3")
}

func TestLongStatementsAreAnnounced(t *testing.T) {
	w := onMariadb(t)
	w.query(w.open(), "SELECT SLEEP(0.4)")
	for _, e := range w.log.all() {
		if r, ok := e.Data.(*event.StatementRunning); ok {
			if r.SQL != "SELECT SLEEP(0.4)" || r.Age < 250*time.Millisecond || e.Pos.Line != 1 {
				t.Errorf("%+v at %s", r, e.Pos)
			}
			return
		}
	}
	t.Error("no announcement")
}

func TestCancel(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	if err := a.Cancel("nothing runs"); err != nil {
		t.Error(err)
	}
	p := w.started(a, b, "SELECT SLEEP(30) /* cancelled */", "cancelled")
	if err := a.Cancel("the test ended"); err != nil {
		t.Fatal(err)
	}
	if !w.ends(b, "cancelled") {
		t.Error("the server still runs it after Cancel")
	}
	_, _, err := p.Wait(time.Second)
	fails(t, err, fault.Cancelled, "the test ended")
	if n := w.one(a, "SELECT 5"); n != int64(5) {
		t.Error(n)
	}
}

func TestInterruptAndResume(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	cause := errors.New("the run stops")
	p := w.started(a, b, "SELECT SLEEP(30) /* interrupted */", "interrupted")
	a.Interrupt(cause)
	_, _, err := p.Wait(2 * time.Second)
	if fails(t, err, fault.Cancelled, "the run stops"); !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	_, err = a.Exec(at(2), "DO 1", nil)
	if fails(t, err, fault.Cancelled); !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
	a.Resume()
	w.exec(a, "DO 1")
}

func TestKillFreesLocks(t *testing.T) {
	w := onMariadb(t)
	b := w.open()
	w.exec(b, "CREATE TABLE t (i INT PRIMARY KEY)")
	w.exec(b, "INSERT INTO t VALUES (1)")
	for _, busy := range []bool{false, true} {
		for _, end := range []string{"kill", "close"} {
			if !busy && end == "close" {
				continue // the server rolls back after the farewell, when it likes
			}
			a := w.open()
			w.exec(a, "BEGIN")
			w.exec(a, "UPDATE t SET i = i + 1")
			var p *session.Pending
			if busy {
				p = w.started(a, b, "SELECT SLEEP(30) /* "+end+" */", end)
			}
			start := time.Now()
			var err error
			if end == "kill" {
				err = a.Kill("the test wants it")
			} else {
				err = a.Close()
			}
			if err != nil {
				t.Error(err)
			}
			within(t, start, time.Second)
			if _, err := b.Query(at(2), "SELECT * FROM t WHERE i > 0 FOR UPDATE NOWAIT", nil); err != nil {
				t.Errorf("%s, busy %v: the lock is held still: %v", end, busy, err)
			}
			if p != nil {
				_, _, err := p.Wait(2 * time.Second)
				fails(t, err, fault.Cancelled)
			}
			if _, err := a.Exec(at(3), "DO 1", nil); !fault.IsKind(err, fault.SessionClosed) {
				t.Errorf("after %s: %v", end, err)
			}
			if err := a.Kill("again"); err != nil {
				t.Error(err)
			}
		}
	}
	causes := map[string]int{}
	for _, e := range w.log.all() {
		if c, ok := e.Data.(*event.SessionClose); ok {
			causes[c.Cause]++
		}
	}
	if causes["killed"] != 2 || causes["closed"] != 1 || causes["lost"] != 0 {
		t.Errorf("sessions ended by %v", causes)
	}
}

func TestKilledByAnother(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	w.exec(b, fmt.Sprintf("KILL %d", a.Thread()))
	_, err := a.Exec(at(2), "DO 1", nil)
	fails(t, err, fault.ConnectionLost)
	if !a.Closed() {
		t.Error("the session does not know that it is gone")
	}
	c := w.open()
	p := w.started(c, b, "SELECT SLEEP(30) /* by hand */", "by hand")
	w.exec(b, fmt.Sprintf("KILL %d", c.Thread()))
	_, _, err = p.Wait(2 * time.Second)
	if fails(t, err, fault.ConnectionLost); !c.Closed() {
		t.Error("the session does not know that it is gone")
	}
	d := w.open()
	p = w.started(d, b, "SELECT 1 FROM seq_1_to_100000 a, seq_1_to_100000 b WHERE a.seq + b.seq = 0 /* query */", "query")
	w.exec(b, fmt.Sprintf("KILL QUERY %d", d.Thread()))
	_, _, err = p.Wait(2 * time.Second)
	if fails(t, err, fault.Interrupted); d.Closed() {
		t.Error("KILL QUERY ended the session")
	}
	w.exec(d, "DO 1")
}

// A kill must never hit the statement after the one that it was meant for.
func TestCancelRacesWithTheEnd(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (i INT PRIMARY KEY)")
	w.exec(a, "INSERT INTO t VALUES (1)")
	hit, ended := 0, 0
	for i := range 200 {
		sql := []string{"SELECT SLEEP(0.001)", "INSERT INTO t VALUES (1)", "SELECT 1"}[i%3]
		var wg sync.WaitGroup
		wg.Go(func() {
			for until := time.Now().Add(rand.N(1500 * time.Microsecond)); time.Now().Before(until); {
			}
			a.Cancel("race")
		})
		_, err := a.Query(at(2), sql, nil)
		switch {
		case err == nil || fault.IsKind(err, fault.DuplicateKey):
			ended++
		case fault.IsKind(err, fault.Cancelled):
			hit++
		default:
			t.Fatal(err)
		}
		if r, err := a.Query(at(3), "SELECT COUNT(*) FROM t", nil); err != nil {
			if !fault.IsKind(err, fault.Cancelled) { // the cancel may come as late as this
				t.Fatalf("round %d: the next statement was hit: %v", i, err)
			}
		} else if r.Cell(0, 0) != int64(1) {
			t.Fatal(r.Cell(0, 0))
		}
		wg.Wait()
		if r, err := a.Query(at(4), "SELECT COUNT(*) FROM t", nil); err != nil || r.Cell(0, 0) != int64(1) {
			t.Fatalf("round %d: the next statement: %v", i, err)
		}
	}
	t.Logf("%d cancelled, %d ended by themselves", hit, ended)
	if hit == 0 || ended == 0 {
		t.Errorf("%d were cancelled and %d ended by themselves: nothing was tested", hit, ended)
	}
}

// Everything that may be called from other goroutines is, for the race detector.
func TestConcurrentCalls(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 40 {
				a.Query(at(2), "SELECT ?", []driver.Value{int64(i)})
				r, err := a.Exec(at(2), "DO ?", []driver.Value{int64(i)})
				if err == nil {
					r.Warnings(at(2))
				}
				a.Activity()
				a.Held()
				a.Created()
				a.Thread()
				switch i % 10 {
				case 1:
					a.Begin(at(3), session.TxOptions{})
					a.InTransaction(at(3))
				case 2:
					a.Commit(at(4))
				case 3:
					a.Cancel("any")
				case 4:
					a.Reset(at(5))
				case 5:
					a.Interrupt(errors.New("any"))
					a.Resume()
				case 6:
					if x, err := a.Stream(at(6), "SELECT seq FROM seq_1_to_100", nil); err == nil {
						x.Next()
						x.Close()
					}
				}
			}
		})
	}
	wg.Wait()
	a.Resume()
	if a.Closed() {
		if err := a.Reset(at(8)); err != nil {
			t.Fatal(err)
		}
	}
	w.exec(a, "DO 1")
}
