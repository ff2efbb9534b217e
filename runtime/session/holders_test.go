package session_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"rig/runtime/server"
	"rig/runtime/session"
	"rig/runtime/wait"
)

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
	w.exec(b, "COMMIT")
	w.exec(a, "COMMIT")
	if _, _, err := p.Wait(10 * time.Second); err != nil {
		t.Error(err)
	}
}
