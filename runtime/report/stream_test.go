package report

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/event"
)

var update = flag.Bool("update", false, "write the goldens anew")

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// golden compares with testdata/NAME.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update writes it anew); got:\n%s\nwant:\n%s", path, got, want)
	}
}

// stream numbers events and sets their times, ten milliseconds apart.
type stream struct{ events []event.Event }

func (s *stream) add(test, session, pos string, d event.Data) *stream {
	n := len(s.events) + 1
	s.events = append(s.events, event.Event{
		Seq: uint64(n), At: time.Duration(n) * 10 * time.Millisecond, Test: test, Session: session, Pos: event.ParsePos(pos), Data: d,
	})
	return s
}

var startedAt = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

func begin(args []string, plan ...string) *stream {
	s := &stream{}
	s.add("", "", "", &event.RunStart{Run: "20260504-030201-ab", Rig: "0.1.0", StartedAt: startedAt, Target: "mariadb", Seed: 7, Args: args})
	for _, file := range []string{"bank.star"} {
		s.add("", "", "", &event.FileLoad{File: file, Tests: len(plan), Duration: time.Millisecond})
	}
	s.add("", "", "", &event.Plan{Tests: plan})
	s.add("", "", "", &event.Target{Name: "mariadb", Type: "mariadb", State: "starting"})
	return s.add("", "", "", &event.Target{Name: "mariadb", Type: "mariadb", Version: "10.11.6-MariaDB", State: "ready", ThrowAway: true})
}

func (s *stream) start(id string) *stream {
	return s.add(id, "", "bank.star:10", &event.TestStart{Attempt: 1, Seed: 3})
}

func (s *stream) end(id string, d event.TestEnd) *stream {
	d.Duration, d.Final, d.Attempt = 12*time.Millisecond, true, max(d.Attempt, 1)
	return s.add(id, "", "", &d)
}

func (s *stream) sql(id, session, sql string, rows int64) *stream {
	return s.add(id, session, "bank.star:11:2", &event.Statement{SQL: sql, Rows: rows, Duration: 1500 * time.Microsecond})
}

func (s *stream) print(id, text string) *stream {
	return s.add(id, "", "bank.star:11", &event.Log{Level: "print", Message: text})
}

func duplicate() *event.Error {
	return &event.Error{
		Kind: "duplicate_key", Category: "permanent", Code: 1062, SQLState: "23000", Name: "ER_DUP_ENTRY", Op: "conn.exec",
		Message: "Duplicate entry '1' for key 'PRIMARY'", SQL: "INSERT INTO account\n  VALUES (1, 100)", Session: "alice",
		Hint: "catch it with try_(conn.exec, ...)", Pos: event.Pos{File: "bank.star", Line: 12, Col: 5},
		Stack:   []event.Frame{{Func: "insert", Pos: event.Pos{File: "bank.star", Line: 12, Col: 5}}, {Func: "test_insert", Pos: event.Pos{File: "bank.star", Line: 20, Col: 8}}},
		Excerpt: "  11 | def insert(conn):\n> 12 |     conn.exec(\"INSERT ...\")\n  13 | ",
	}
}

func expectation() *event.Error {
	return &event.Error{
		Kind: "expectation", Op: "expect.equal", Message: "balance differs", Detail: "- 100\n+ 90",
		Pos: event.Pos{File: "bank.star", Line: 33, Col: 3},
	}
}

// runEnd closes a stream as the conductor does: with the tally's counts.
func (s *stream) runEnd(runErr *event.Error, exit int) *stream {
	t := NewTally(TallyOptions{})
	for i := range s.events {
		_ = t.Event(&s.events[i])
	}
	return s.add("", "", "", t.End(1234*time.Millisecond, runErr, exit, false))
}

const (
	tOpen   = "bank.star::test_open"
	tInsert = "bank.star::test_insert"
	tSkip   = "bank.star::test_skip"
	tSub    = "bank.star::test_sub"
	tLost   = "sub/loss.star::test_lost"
	tLate   = "sub/loss.star::test_late"
)

func failingRun() *stream {
	s := begin([]string{"test"}, tOpen, tInsert, tSkip, tSub, tLost, tLate)
	s.start(tOpen).print(tOpen, "opening\n\x1b[2Jaccounts").end(tOpen, event.TestEnd{})
	s.start(tInsert).start(tSub)
	s.print(tInsert, "two tests run now")
	s.add(tInsert, "", "bank.star:3:9", &event.Log{Level: "info", Message: "inserting", Fields: []event.Field{{Key: "rows", Value: "3"}, {Key: "who", Value: "a b"}}})
	for i := range 6 {
		s.sql(tInsert, "alice", "SELECT "+string(rune('1'+i)), int64(i))
	}
	s.sql(tInsert, "bob", "SELECT 'of bob'", 1)
	s.add(tInsert, "alice", "", &event.Statement{SQL: "INSERT INTO account\n  VALUES (1, 100)", Duration: time.Millisecond, Outcome: event.Failed, Error: duplicate()})
	s.end(tInsert, event.TestEnd{Outcome: event.Failed, Errors: []*event.Error{
		duplicate(), {Kind: "script", Message: "teardown: cleanup drop: gone", Pos: event.Pos{File: "bank.star", Line: 50, Col: 1}},
	}})
	s.sql(tSub, "carol", "SELECT 100", 1)
	s.start(tSub+"/good").end(tSub+"/good", event.TestEnd{})
	s.start(tSub+"/bad: 1").end(tSub+"/bad: 1", event.TestEnd{Outcome: event.Failed, Errors: []*event.Error{expectation()}})
	s.end(tSub, event.TestEnd{Outcome: event.Failed, Subtests: 2, Errors: []*event.Error{{Kind: "subtests", Message: "1 of 2 subtests failed", Pos: event.Pos{File: "bank.star", Line: 30}}}})
	s.start(tSkip).end(tSkip, event.TestEnd{Outcome: event.Skipped, Reason: "needs savepoints, # embedded\nhas none"})
	s.start(tLost).end(tLost, event.TestEnd{Outcome: event.Unknown, Errors: []*event.Error{{
		Kind: "connection_lost", Category: "unknown", Op: "conn.commit", Message: "the reply was lost", Session: "dora", Pos: event.Pos{File: "sub/loss.star", Line: 4, Col: 2},
	}}})
	return s.runEnd(nil, 0)
}

func passingRun() *stream {
	s := begin([]string{"test", "--shuffle"}, tOpen, tInsert)
	s.start(tOpen).end(tOpen, event.TestEnd{})
	s.start(tInsert).sql(tInsert, "alice", "SELECT 1", 1).start(tInsert+"/a").end(tInsert+"/a", event.TestEnd{}).end(tInsert, event.TestEnd{})
	return s.runEnd(nil, 0)
}

func flakyRun() *stream {
	s := begin(nil, tOpen)
	s.start(tOpen).sql(tOpen, "alice", "SELECT 1", 1)
	s.add(tOpen, "", "", &event.TestEnd{Outcome: event.Failed, Attempt: 1, Duration: 9 * time.Millisecond, Errors: []*event.Error{expectation()}})
	s.add(tOpen, "", "bank.star:10", &event.TestStart{Attempt: 2})
	s.end(tOpen, event.TestEnd{Attempt: 2, Flaky: true})
	return s.runEnd(nil, 0)
}

func leakRun() *stream {
	s := begin(nil, tOpen)
	s.start(tOpen)
	s.add(tOpen, "alice", "bank.star:7:3", &event.Leak{What: "transaction", Detail: "session alice has an open transaction; commit it or roll it back"})
	s.end(tOpen, event.TestEnd{Leaks: 1})
	const fixture = "bank.star::teardown_all"
	s.add(fixture, "", "bank.star", &event.TestStart{Attempt: 1})
	s.end(fixture, event.TestEnd{Outcome: event.Failed, Errors: []*event.Error{{Kind: "script", Message: "teardown_all: no such table"}}})
	return s.runEnd(nil, 0)
}

func loadErrorRun() *stream {
	s := &stream{}
	s.add("", "", "", &event.RunStart{Run: "20260504-030201-ab", Rig: "0.1.0", StartedAt: startedAt, Seed: 7})
	s.add("", "", "", &event.FileLoad{File: "bad.star", Error: &event.Error{
		Kind: "script", Message: "undefined: expct", Hint: "did you mean expect?", Pos: event.Pos{File: "bad.star", Line: 2, Col: 5},
		Excerpt: "  1 | def test_x(t):\n> 2 |     expct.equal(1, 1)",
	}})
	s.add("", "", "", &event.Plan{})
	return s.runEnd(nil, 0)
}

func targetErrorRun() *stream {
	down := &event.Error{
		Kind: "connection_refused", Category: "transient", Message: "connect to 127.0.0.1:3306: connection refused",
		Hint: "start the server, or leave --target out to use the embedded one",
	}
	s := begin(nil, tOpen)
	s.events = s.events[:3]
	s.add("", "", "", &event.Target{Name: "prod", Type: "mysql", State: "failed", Error: down})
	return s.runEnd(down, exitTarget)
}

// runs are the streams that every format has a golden for.
func runs() map[string]*stream {
	return map[string]*stream{
		"failing": failingRun(), "passing": passingRun(), "flaky": flakyRun(), "leak": leakRun(), "load_error": loadErrorRun(),
		"target_error": targetErrorRun(), "truncated": truncatedRun(),
	}
}

// truncatedRun breaks off while a test runs, after one attempt of another.
func truncatedRun() *stream {
	s := begin(nil, tOpen, tInsert, tSkip)
	s.start(tOpen).end(tOpen, event.TestEnd{})
	return s.start(tInsert).print(tInsert, "so far").start(tInsert + "/a")
}

// play gives a stream to a sink and closes it.
func play(t *testing.T, sink event.Sink, s *stream) {
	t.Helper()
	for i := range s.events {
		if err := sink.Event(&s.events[i]); err != nil {
			t.Fatalf("event %d: %v", i, err)
		}
	}
	if err := errors.Join(sink.Flush(), sink.Close()); err != nil {
		t.Fatal(err)
	}
}

// report makes a stream's report of a format.
func report(t *testing.T, format string, s *stream) string {
	t.Helper()
	var b bytes.Buffer
	sink, err := Open(format, &b)
	if err != nil {
		t.Fatal(err)
	}
	play(t, sink, s)
	return b.String()
}

// journalOf encodes a stream as a journal holds it.
func journalOf(s *stream) []byte {
	var b []byte
	for i := range s.events {
		b = append(event.AppendJSON(b, &s.events[i]), '\n')
	}
	return b
}
