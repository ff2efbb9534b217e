package session_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rig/runtime/server"
	"rig/runtime/session"
	"rig/runtime/wait"
)

// rowLocks are those of rows, as texts.
func rowLocks(holds []wait.Hold) []string {
	var out []string
	for _, h := range holds {
		if h.Lock.Kind == "record" {
			out = append(out, h.String())
		}
	}
	return out
}

// TestLocksOfAServer: each lock with its index, mode and records, held and waited for.
func TestLocksOfAServer(t *testing.T) {
	w := onMariadb(t)
	a, b := w.open(), w.open()
	w.exec(a, "CREATE OR REPLACE TABLE locks (i INT PRIMARY KEY, v INT, KEY v (v))")
	w.exec(a, "INSERT INTO locks VALUES (1, 10), (2, 20), (5, 50)")
	watcher, err := w.hub.Waits()
	if err != nil {
		t.Fatal(err)
	}
	w.exec(a, "BEGIN")
	w.exec(a, "DELETE FROM locks WHERE i = 1")
	if _, err := a.Query(at(1), "SELECT i FROM locks FORCE INDEX (v) WHERE v = 20 FOR UPDATE", nil); err != nil {
		t.Fatal(err)
	}
	p, err := b.Start(at(2), "UPDATE locks SET v = 3 WHERE i = 2", nil)
	if err != nil {
		t.Fatal(err)
	}
	if waits, err := p.Blocked(10 * time.Second); err != nil || !waits {
		t.Fatalf("it does not wait: %v", err)
	}
	holds, err := watcher.Locks()
	if err != nil {
		t.Fatal(err)
	}
	got := rowLocks(slices.DeleteFunc(holds, func(h wait.Hold) bool { return h.Lock.Table != "locks" }))
	want := []string{
		fmt.Sprintf("%d holds X on PRIMARY of locks: 2 records (1, 2)", a.Thread()),
		fmt.Sprintf("%d holds X next-key on v of locks: 1 record (20)", a.Thread()),
		fmt.Sprintf("%d holds X gap on v of locks: 1 record (50)", a.Thread()),
		fmt.Sprintf("%d waits for X on PRIMARY of locks: 1 record (2)", b.Thread()),
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	w.exec(a, "ROLLBACK")
	if _, _, err := p.Wait(10 * time.Second); err != nil {
		t.Error(err)
	}
}

// TestHoldersWithoutPrintedLocks: on a server whose monitor does not print held locks, the table of lock waits tells who holds
// one, where several transactions might.
func TestHoldersWithoutPrintedLocks(t *testing.T) {
	needMariadb(t)
	s, err := server.Start(context.Background(), server.Spec{Kind: server.MariaDB, Options: map[string]string{"innodb-status-output-locks": "OFF"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	w := on(t, s, func(*session.Config) {})
	watcher, err := w.hub.Waits()
	if err != nil || watcher.Fix("") != "SET GLOBAL innodb_status_output_locks = ON" {
		t.Fatalf("%v: fix %q", err, watcher.Fix(""))
	}
	a, b, c := w.open(), w.open(), w.open()
	w.exec(a, "CREATE TABLE t (i INT PRIMARY KEY, v INT)")
	w.exec(a, "INSERT INTO t VALUES (1, 0), (2, 0)")
	for i, x := range []*session.Session{a, b} {
		w.exec(x, "BEGIN")
		w.exec(x, []string{"UPDATE t SET v = 1 WHERE i = 1", "UPDATE t SET v = 1 WHERE i = 2"}[i])
	}
	p, err := c.Start(at(3), "UPDATE t SET v = 2 WHERE i = 2", nil)
	if err != nil {
		t.Fatal(err)
	}
	states, err := watcher.Settle([]wait.Subject{{Thread: c.Thread(), Ended: p.Ended()}}, 10*time.Second)
	if err != nil || !states[0].Waits || !slices.Equal(states[0].Blockers, []uint64{b.Thread()}) {
		t.Errorf("%v: %+v, want a wait for %d", err, states, b.Thread())
	}
	holds, err := watcher.Locks()
	want := []string{
		fmt.Sprintf("%d holds row locks that the server does not show: 1 record", a.Thread()),
		fmt.Sprintf("%d holds row locks that the server does not show: 1 record", b.Thread()),
		fmt.Sprintf("%d waits for X on PRIMARY of t: 1 record (2)", c.Thread()),
	}
	if got := rowLocks(holds); err != nil || !slices.Equal(got, want) {
		t.Errorf("%v: got %q, want %q", err, got, want)
	}
	w.exec(b, "COMMIT")
	w.exec(a, "COMMIT")
	if _, _, err := p.Wait(10 * time.Second); err != nil {
		t.Error(err)
	}
}
