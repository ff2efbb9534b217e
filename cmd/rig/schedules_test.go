package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"rig/runtime/event"
)

// repeated are schedules whose events must be the same in every run.
const repeated = `
def setup(t):
    t.db.exec("CREATE TABLE n (i INT PRIMARY KEY, v INT NOT NULL, w INT, KEY (w))")
    t.db.insert("n", ["i", "v", "w"], [(1, 0, 10), (2, 0, 20), (5, 0, 50)])

SET = "UPDATE n SET v = %d WHERE i = %d"

def test_wait(t):
    interleave(t, {"a": ["BEGIN", SET % (1, 1), "COMMIT"], "b": ["BEGIN", SET % (2, 1), "COMMIT"]}, order = "a1 a2 b1 b2 a3 b3")

def test_deadlock(t):
    interleave(t, {
        "a": ["BEGIN", SET % (1, 1), SET % (1, 2), "COMMIT"],
        "b": ["BEGIN", SET % (2, 2), SET % (2, 1), "ROLLBACK"],
    }, order = "a1 b1 a2 b2 a3 b3 a4 b4")

def test_chain(t):
    interleave(t, {
        "a": ["BEGIN", SET % (1, 1), "COMMIT"],
        "b": ["BEGIN", SET % (2, 2), SET % (2, 1), "COMMIT"],
        "c": [SET % (3, 2)],
    }, order = "a1 b1 a2 b2 b3 c1 a3 b4")

def test_queue(t):
    interleave(t, {"a": ["BEGIN", SET % (1, 1), "COMMIT"], "b": [SET % (2, 1)], "c": [SET % (3, 1)], "d": [SET % (4, 1)]}, order = "a1 a2 b1 c1 d1 a3")

def test_gap(t):
    interleave(t, {
        "a": ["BEGIN", "SELECT * FROM n WHERE i > 2 FOR UPDATE", "COMMIT"],
        "b": ["INSERT INTO n VALUES (3, 0, 30)"],
        "c": ["INSERT INTO n VALUES (9, 0, 90)"],
    }, order = "a1 a2 b1 c1 a3", isolation = "REPEATABLE READ")

def test_upgrade(t):
    interleave(t, {
        "a": ["BEGIN", "SELECT * FROM n WHERE i = 1 LOCK IN SHARE MODE", SET % (1, 1), "COMMIT"],
        "b": ["BEGIN", "SELECT * FROM n WHERE i = 1 LOCK IN SHARE MODE", SET % (2, 1), "COMMIT"],
    }, order = "a1 b1 a2 b2 a3 b3 a4 b4")

def test_metadata(t):
    interleave(t, {"a": ["BEGIN", "SELECT * FROM n", "COMMIT"], "b": ["ALTER TABLE n ADD COLUMN x INT"], "c": ["SELECT COUNT(*) FROM n"]}, order = "a1 a2 b1 c1 a3")

def test_user_lock(t):
    name = t.database
    interleave(t, {"a": ["SELECT GET_LOCK('%s', 0)" % name, "SELECT RELEASE_LOCK('%s')" % name], "b": ["SELECT GET_LOCK('%s', 20)" % name]}, order = "a1 b1 a2")

def test_every_order(t):
    interleave(t, {"a": ["BEGIN", SET % (1, 1), "COMMIT"], "b": ["BEGIN", SET % (2, 1), "COMMIT"]}, parallel = 1)
`

// TestScheduleRepeats: the same orders give the same events, while four tests run at once.
func TestScheduleRepeats(t *testing.T) { repeatSchedules(t, 3, false) }

// TestSoakScheduleRepeats: two hundred times, under CPU load.
func TestSoakScheduleRepeats(t *testing.T) {
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak runs it")
	}
	repeatSchedules(t, 200, true)
}

func repeatSchedules(t *testing.T, times int, load bool) {
	needMariadb(t)
	t.Chdir(t.TempDir())
	if err := os.WriteFile("repeated.star", []byte(repeated), 0o600); err != nil {
		t.Fatal(err)
	}
	if load {
		defer burn(t)()
	}
	var out, errs bytes.Buffer
	code := run([]string{"exec", "-t", "mariadb", "-j", "4", "-q", "--repeat", fmt.Sprint(times), "--report", "jsonl=events.jsonl", "repeated.star"}, streams{strings.NewReader(""), &out, &errs})
	if code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	seen := map[string]map[string]int{} // test -> its events -> how often
	for id, events := range scheduleEvents(t, "events.jsonl") {
		name, _, _ := strings.Cut(id, "#")
		if seen[name] == nil {
			seen[name] = map[string]int{}
		}
		seen[name][events]++
	}
	if len(seen) != strings.Count(repeated, "def test_") {
		t.Errorf("%d tests left events", len(seen))
	}
	for name, ways := range seen {
		n := 0
		for _, k := range ways {
			n += k
		}
		if len(ways) != 1 || n != times {
			t.Errorf("%s: %d runs, %d different:", name, n, len(ways))
			for events, k := range ways {
				t.Errorf("%d times:\n%s", k, events)
			}
		}
	}
}

// scheduleEvents gives the events of schedules, test by test, without ids and times.
func scheduleEvents(t *testing.T, path string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range bytes.Lines(b) {
		e, err := event.Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		switch d := e.Data.(type) {
		case *event.Step:
			c := *d
			failed := ""
			if c.Error != nil {
				failed, c.Error = c.Error.Kind, nil
			}
			c.SQL = ""
			out[e.Test] += fmt.Sprintf("%+v %s\n", c, failed)
		case *event.Deadlock:
			out[e.Test] += fmt.Sprintf("%+v\n", *d)
		case *event.Schedule:
			out[e.Test] += d.Order + " " + d.Outcome + "\n"
		}
	}
	return out
}

// burn keeps every processor busy, by processes of their own, until the returned function is called.
func burn(t *testing.T) (stop func()) {
	t.Helper()
	var all []*exec.Cmd
	for range 2 * runtime.NumCPU() {
		cmd := exec.Command("sh", "-c", "while :; do :; done")
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		all = append(all, cmd)
	}
	return func() {
		for _, cmd := range all {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
		}
	}
}
