package report

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/event"
)

// onConsole plays a stream on a console; the clock is a fake one, because ages are counted by it.
func onConsole(t *testing.T, o ConsoleOptions, s *stream) string {
	t.Helper()
	var b bytes.Buffer
	synctest.Test(t, func(t *testing.T) { play(t, NewConsole(&b, o), s) })
	return b.String()
}

func TestConsoleGoldens(t *testing.T) {
	for name, s := range runs() {
		t.Run(name, func(t *testing.T) {
			got := onConsole(t, ConsoleOptions{JournalPath: ".rig/runs/x/run.jsonl"}, s)
			if strings.Contains(got, "\x1b") {
				t.Errorf("escape codes without colour: %q", got)
			}
			golden(t, "console_"+name+".txt", got)
		})
	}
	golden(t, "console_verbose.txt", onConsole(t, ConsoleOptions{Verbose: 2}, failingRun()))
	golden(t, "console_quiet.txt", onConsole(t, ConsoleOptions{Quiet: true}, failingRun()))
}

func TestConsoleColour(t *testing.T) {
	got := onConsole(t, ConsoleOptions{Color: true}, failingRun())
	for _, want := range []string{"\x1b[32mok\x1b[0m  " + tOpen, "\x1b[31;1mFAIL\x1b[0m  " + tInsert, "\x1b[33mSKIP\x1b[0m  " + tSkip, `\x1b[2Jaccounts`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%q", want, got)
		}
	}
	if strings.Contains(got, "\x1b[2J") {
		t.Error("a script's escape code came through")
	}
}

// TestConsoleHostile plays texts that try to steer the terminal, in every place that has text.
func TestConsoleHostile(t *testing.T) {
	const evil = "e\x1b]0;x\x07\r\u009b2J\x9b\x00\u202e"
	s := begin(nil, tOpen, "a.star::test\n"+evil)
	bad := &event.Error{
		Kind: evil, Category: evil, Code: 1, SQLState: evil, Name: evil, Op: evil, Message: evil, SQL: evil, Session: evil, Detail: evil,
		Hint: evil, Pos: event.Pos{File: evil, Line: 1}, Excerpt: evil,
		Stack: []event.Frame{{Func: evil, Pos: event.Pos{File: evil}}, {Func: evil}},
	}
	s.start("a.star::test\n" + evil)
	s.add(tOpen, evil, evil+":3", &event.Log{Level: evil, Module: evil, Message: evil, Fields: []event.Field{{Key: evil, Value: evil}}})
	s.add(tOpen, evil, evil, &event.Leak{What: evil, Detail: evil})
	s.add(tOpen, evil, evil, &event.Statement{SQL: evil, Outcome: event.Failed, Error: bad})
	for _, d := range []event.Data{
		&event.Target{Name: evil, Type: evil, Version: evil, State: "failed", Error: bad}, &event.FileLoad{File: evil, Error: bad},
		&event.SessionOpen{Target: evil, Error: bad}, &event.SessionClose{Cause: evil}, &event.Kill{Cause: evil, Error: bad},
		&event.Database{What: evil, Name: evil, Action: evil, Error: bad}, &event.Transition{Machine: evil, State: evil, Error: bad},
		&event.Task{Name: evil, Error: bad}, &event.Retry{Name: evil, Error: bad}, &event.Breaker{Name: evil, From: evil, To: evil},
		&event.Signal{Name: evil}, &event.SinkDetached{Sink: evil, Cause: evil}, &event.StatementRunning{SQL: evil}, &event.Progress{Name: evil, Value: evil, Over: true},
		&event.Member{Coordinator: evil, Member: evil, Action: evil, What: evil, Error: bad}, &event.Member{Coordinator: evil, Member: evil, Action: "end", What: evil},
		&event.History{Name: evil, Model: evil}, &event.Operation{F: evil, Type: evil, Error: evil}, &event.Verdict{Name: evil, Valid: evil, Level: evil, Anomalies: []string{evil}, Story: evil},
	} {
		s.add(tOpen, evil, evil, d)
	}
	s.end(tOpen, event.TestEnd{Outcome: event.Failed, Errors: []*event.Error{nil, bad, bad}})
	s.end(evil, event.TestEnd{Outcome: event.Skipped, Reason: evil})
	s.runEnd(bad, 70)
	for format, got := range map[string]string{
		"console":     onConsole(t, ConsoleOptions{Verbose: 2, JournalPath: evil}, s),
		"tap":         report(t, "tap", s),
		"github":      report(t, "github", s),
		"gotest-json": report(t, "gotest-json", s),
		"junit":       report(t, "junit", s),
	} {
		for _, r := range got {
			if r != '\n' && r != '\t' && unsafeRune(r) || r == '\ufffd' {
				t.Errorf("%s: %U came through:\n%q", format, r, got)
				break
			}
		}
	}
}

func TestConsoleLiveAreaGolden(t *testing.T) {
	var log strings.Builder
	synctest.Test(t, func(t *testing.T) {
		w := &frames{log: &log, start: time.Now()}
		c := NewConsole(w, ConsoleOptions{Live: true, Width: func() int { return 60 }})
		send := func(s *stream) {
			for i := range s.events {
				if err := errors.Join(c.Event(&s.events[i]), c.Flush()); err != nil {
					t.Fatal(err)
				}
			}
		}
		send(begin(nil, tOpen, tInsert, tSkip))
		send((&stream{}).start(tOpen).sql(tOpen, "alice", "SELECT balance\nFROM account WHERE id = 1", 1))
		time.Sleep(150 * time.Millisecond)
		send((&stream{}).start(tInsert).add(tInsert, "bob", "", &event.StatementRunning{SQL: "UPDATE account SET balance = 0", Age: 50 * time.Millisecond}))
		time.Sleep(100 * time.Millisecond)
		send((&stream{}).end(tOpen, event.TestEnd{}))
		time.Sleep(100 * time.Millisecond)
		send((&stream{}).end(tInsert, event.TestEnd{}))
		send((&stream{}).start(tSkip).end(tSkip, event.TestEnd{Outcome: event.Skipped, Reason: "not here"}))
		send((&stream{}).add("", "", "", &event.RunEnd{Passed: 2, Skipped: 1, Duration: time.Second}))
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&log, "--- the screen at the end\n%s", w.screen.text())
	})
	golden(t, "console_live.txt", log.String())
}

func TestConsoleLiveAreaBounds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &frames{log: &strings.Builder{}, start: time.Now()}
		c := NewConsole(w, ConsoleOptions{Live: true, Color: true, Width: func() int { return 40 }})
		s := begin(nil)
		for i := range 20 {
			id := fmt.Sprintf("bank.star::test_with_a_long_name_%02d", i)
			s.start(id).sql(id, "alice", "SELECT '日本語日本語日本語日本語日本語日本語'", 1)
		}
		for i := range s.events {
			_ = c.Event(&s.events[i])
			_ = c.Flush()
		}
		drawn := func() int {
			c.mu.Lock() // the console's goroutine draws, too
			defer c.mu.Unlock()
			return w.n
		}
		begun := drawn()
		time.Sleep(time.Second + 50*time.Millisecond)
		if n := drawn() - begun; n < 9 || n > 11 {
			t.Errorf("drawn %d times in a second, want about 10", n)
		}
		c.mu.Lock()
		if got := len(w.screen.lines) - 1; got > 8+1 { // the run's line stays
			t.Errorf("%d lines on the screen:\n%s", got, w.screen.text())
		}
		if !strings.Contains(w.screen.text(), "and 14 more") {
			t.Errorf("the hidden tests are not counted:\n%s", w.screen.text())
		}
		for _, line := range w.screen.lines {
			if width := columns(line); width >= 40 {
				t.Errorf("line of %d columns: %q", width, line)
			}
		}
		c.mu.Unlock()
		_ = c.Close()
	})
}

func TestConsoleLongRunning(t *testing.T) {
	var b bytes.Buffer
	synctest.Test(t, func(t *testing.T) {
		c := NewConsole(&b, ConsoleOptions{})
		s := begin(nil, tOpen).start(tOpen)
		s.add(tOpen, "alice", "", &event.StatementRunning{SQL: "SELECT SLEEP(1000)", Age: time.Second})
		for i := range s.events {
			_ = c.Event(&s.events[i])
		}
		time.Sleep(185 * time.Second)
		_ = c.Close()
	})
	var got []string
	for line := range strings.SplitSeq(b.String(), "\n") {
		if strings.HasPrefix(line, "...") {
			got = append(got, line)
		}
	}
	var want []string
	for _, age := range []string{"10s", "30s", "60s", "2m", "3m"} {
		want = append(want, "... "+tOpen+" running for "+age+": SELECT SLEEP(1000)")
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("pipe is gone") }

func TestConsoleReportsWriteErrors(t *testing.T) {
	c := NewConsole(brokenWriter{}, ConsoleOptions{})
	_ = c.Event(&event.Event{Data: &event.Signal{Name: "SIGINT"}})
	if err := c.Flush(); err == nil || !strings.Contains(err.Error(), "pipe is gone") {
		t.Errorf("Flush gave %v", err)
	}
	if err := c.Event(&event.Event{Data: &event.Signal{Name: "SIGINT"}}); err == nil {
		t.Error("Event after an error gave none")
	}
	if err := c.Close(); err == nil {
		t.Error("Close after an error gave none")
	}
}

// frames logs each write and keeps the screen that results.
type frames struct {
	log    *strings.Builder
	start  time.Time
	n      int
	screen screen
}

func (f *frames) Write(p []byte) (int, error) {
	f.n++
	shown := strings.NewReplacer("\x1b", `\e`, "\r", `\r`).Replace(string(p))
	fmt.Fprintf(f.log, "--- at %s\n%s", time.Since(f.start), shown)
	f.screen.write(string(p))
	return len(p), nil
}

// screen knows as much of a terminal as the console uses: lines, cursor up, carriage return, erase below, colours.
type screen struct {
	lines []string
	row   int
}

func (s *screen) write(text string) {
	for text != "" {
		if s.row >= len(s.lines) {
			s.lines = append(s.lines, "")
		}
		switch {
		case text[0] == '\n':
			s.row++
			text = text[1:]
			if s.row >= len(s.lines) {
				s.lines = append(s.lines, "")
			}
		case text[0] == '\r':
			text = text[1:]
		case strings.HasPrefix(text, "\x1b["):
			end := strings.IndexFunc(text[2:], func(r rune) bool { return r >= '@' }) + 2
			s.control(text[2:end], text[end])
			text = text[end+1:]
		default:
			end := strings.IndexAny(text, "\n\r\x1b")
			if end < 0 {
				end = len(text)
			}
			s.lines[s.row] += text[:end]
			text = text[end:]
		}
	}
}

func (s *screen) control(arg string, code byte) {
	switch code {
	case 'A':
		n, _ := strconv.Atoi(arg)
		s.row = max(0, s.row-n)
	case 'J':
		s.lines = append(s.lines[:s.row], "")
	}
}

func (s *screen) text() string { return strings.Join(s.lines, "\n") }

func columns(s string) int {
	n := 0
	for _, r := range s {
		n += runeWidth(r)
	}
	return n
}
