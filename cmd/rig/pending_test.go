package main

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// SIGUSR1 tells which session waits for which, and the run goes on.
func TestPendingTellsWhoWaits(t *testing.T) {
	t.Parallel()
	url := sharedURL(t)
	p := launch(t, `
def test_waits(t):
    t.db.exec("CREATE TABLE acct (id INT PRIMARY KEY, v INT)")
    t.db.exec("INSERT INTO acct VALUES (1, 0)")
    holder = t.connect("holder")
    waiter = t.connect("waiter")
    holder.begin()
    holder.exec("UPDATE acct SET v = 1 WHERE id = 1")
    print("in " + t.database)
    t.cleanup(print, "cleanup ran")
    waiter.exec("UPDATE acct SET v = 2 WHERE id = 1")
`, "exec", "-v", "-t", url, "--statement-timeout", "60s", "test.star")
	p.until("in rig_")
	database := databaseName.FindStringSubmatch(p.stdout())[1]
	eventually(t, "the statement runs", func() bool {
		out, err := shared.query("SELECT COUNT(*) FROM information_schema.processlist WHERE db = '" + database + "' AND info LIKE 'UPDATE acct SET v = 2%'")
		return err == nil && strings.TrimSpace(out) == "1"
	})
	p.signal(syscall.SIGUSR1)
	p.until("pending: 1 running")
	p.until("test.star::test_waits for ")
	p.until("holder")
	p.until("waits for a lock of holder")
	out := p.stdout()
	p.contains("stdout", out, "idle", "since test.star:7", "UPDATE acct SET v = 2 WHERE id = 1")
	p.signal(os.Interrupt)
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	p.contains("stdout", p.stdout(), "cleanup ran")
	noDatabaseOf(t, p)
}

// A test that has no session is told too, with its tasks.
func TestPendingTellsTasks(t *testing.T) {
	t.Parallel()
	p := launch(t, `
def nap():
    sleep("60s")

def test_naps(t):
    x = task.spawn(nap)
    print("started")
    x.wait()
`, "exec", "-v", "test.star")
	p.until("started")
	p.signal(syscall.SIGUSR1)
	p.until("pending: 1 running")
	p.until("no session")
	p.until("task ")
	p.contains("stdout", p.stdout(), "started at test.star:6")
	p.signal(os.Interrupt)
	p.wait()
}
