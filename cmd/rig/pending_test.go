package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// SIGUSR1 tells which session waits for which, and the run goes on.
func TestPendingTellsWhoWaits(t *testing.T) {
	t.Parallel()
	url := sharedURL(t)
	p := launch(t, `
def late():
    sleep("60s")

def test_waits(t):
    t.db.exec("CREATE TABLE acct (id INT PRIMARY KEY, v INT)")
    t.db.exec("INSERT INTO acct VALUES (1, 0)")
    holder = t.connect("holder")
    waiter = t.connect("waiter")
    holder.begin()
    holder.exec("UPDATE acct SET v = 1 WHERE id = 1")
    print("in " + t.database)
    t.cleanup(print, "cleanup ran")
    task.spawn(late)
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
	hasScreen(t, screenOf(t, "pending: 1 running\n"), out)
	p.contains("stdout", out, "idle", "since test.star:10", "UPDATE acct SET v = 2 WHERE id = 1")
	p.signal(os.Interrupt)
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	p.contains("stdout", p.stdout(), "cleanup ran")
	noDatabaseOf(t, p)
}

// Every way in which a script waits is told in its own words, and --quiet and --log-level hide none of it: it was asked for.
func TestPendingTellsWaits(t *testing.T) {
	t.Parallel()
	p := launch(t, `
def one(ctx):
    ctx.wait_for("never", timeout = "60s")
    return machine.completed

def two(ctx):
    sleep("61s")
    return machine.completed

def test_crew(t):
    crew = coordinator("pair")
    crew.add("asks", machine.new("asks", states = {"one": one}, start = "one"))
    crew.add("answers", machine.new("answers", states = {"two": two}, start = "two"))
    crew.run(t)

def comes(b):
    b.wait(timeout = "60s")

def counts():
    n = 0
    while True:
        n += 1

def test_tasks(t):
    x = task.spawn(comes, task.barrier(2))
    task.spawn(counts)
    x.wait()

def test_pauses(t):
    p = retry.policy(base_delay = "20s", jitter = False, on = ["permanent"])
    p.call("doomed", t.db.query, "SELECT nonsense FROM nowhere")

def test_eventually(t):
    def sub(t):
        expect.eventually(lambda: False, within = "60s", every = "50s")
    t.run("sub", sub)

def holds(s, go):
    def slow(old):
        go.set()
        n = 0
        while True:
            n += 1
    s.update("k", slow)

def test_shared(t):
    s, go = task.shared(), task.signal()
    task.spawn(holds, s, go)
    go.wait()
    s.update("k", lambda old: 1)

def test_pool(t):
    p = t.pool(1, name = "small", acquire_timeout = "60s")
    p.acquire()
    p.acquire()

def test_many(t):
    g = task.group()
    for _ in range(30):
        g.spawn(sleep, "60s")
    g.wait()

def test_statement(t):
    conn = t.connect("sleeper")
    conn.start("SELECT SLEEP(60)").wait()
`, "exec", "-j", "16", "-q", "--log-level", "off", "test.star")
	eventually(t, "the run begins", func() bool { // the journal is what --quiet leaves to be seen
		runs, err := filepath.Glob(filepath.Join(p.dir, ".rig/runs/*/run.jsonl"))
		if err != nil || len(runs) == 0 {
			return false
		}
		b, err := os.ReadFile(runs[0])
		return err == nil && strings.Contains(string(b), "test_statement")
	})
	told := p.tellsPending(
		`runs coordinator pair; not ended: asks, answers \(\S+ so far\) at test.star:14:13`,
		`pair/answers sleeps for 1m1s \(\S+ so far\) at test.star:7:10`,
		`pair/asks waits for event "never"; not there: answers \(\S+ so far\) at test.star:3:17`,
		`waits for task comes#\d+ \(\S+ so far\) at test.star:27:11`,
		`task comes#\d+, started at test.star:25:19, waits at a barrier, to which 1 of 2 came \(\S+ so far\) at test.star:17:11`,
		`task counts#\d+, started at test.star:26:15, runs at test.star:2[123]:`,
		`pauses for 20s before attempt 2 of doomed, after .*nowhere.* at test.star:31:11`,
		`test_eventually/sub waits for lambda to be true, \S+ left; the last answer was False .* at test.star:35:26`,
		`waits to update "k", which another updates \(\S+ so far\) at test.star:50:13`,
		`waits for a connection of pool small, held by test.star::test_pool \(test.star:54:14\) \(\S+ so far\) at test.star:55:14`,
		`waits for task sleep#\d+, (sleep#\d+, ){7}22 more \(`,
		`task sleep#\d+, started at test.star:60:16, sleeps for 1m0s \(\S+ so far\)\n`,
		`      and 10 more tasks\n`,
		`waits for the statement of session sleeper: SELECT SLEEP\(60\)`,
		`sleeper +#\d+ +runs, \S+ for \S+: SELECT SLEEP\(60\), at test.star:65:15`,
	)
	if strings.Contains(told, "ok  ") {
		t.Errorf("--quiet shows more than it was asked:\n%s", told)
	}
	p.signal(os.Interrupt)
	p.wait()
}

// tellsPending asks again and again until the answers have all patterns: a test may not yet have come to its wait.
func (p *process) tellsPending(patterns ...string) string {
	p.t.Helper()
	missing := ""
	for end := time.Now().Add(patience); time.Now().Before(end); {
		p.signal(syscall.SIGUSR1)
		p.until("pending: ")
		told := p.stdout()
		missing = ""
		for _, x := range patterns {
			if !regexp.MustCompile(x).MatchString(told) {
				missing = x
			}
		}
		if missing == "" {
			return told
		}
	}
	p.t.Fatalf("nothing told %s:\n%s", missing, p.stdout())
	return ""
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
	p.until("task nap#")
	p.until("no session")
	p.contains("stdout", p.stdout(), "started at test.star:6", "waits for task nap#", "sleeps for 1m0s")
	p.signal(os.Interrupt)
	p.wait()
}

// The key t of a terminal tells it at once, without Enter, and the terminal is given back.
func TestScreenPendingKey(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 100, 40, "until [ -f nap.star ]; do :; done; rig exec --pending --log-level error nap.star")
	s.write("nap.star", "def test_naps(t):\n    sleep(\"60s\")\n")
	s.shows(`1 running|test_naps`)
	s.types("x", "t")
	s.shows(`pending: 1 running`)
	s.shows(`sleeps for 1m0s \(\S+ so far\) at nap.star:2:10`)
	s.types("C-c")
	s.shows(`^\[exit 130\]`)
	s.enter("still here")
	s.shows(`^still here\n+still here`)
}
