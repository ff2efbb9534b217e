package report

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/event"
)

func TestParseLevels(t *testing.T) {
	for _, x := range []struct{ text, want string }{
		{"info", ""},
		{"trace", ""},
		{"warn,session=debug", ""},
		{" session=debug , info", ""},
		{"off", ""},
		{"", ""},
		{"inof", `there is no level "inof", did you mean "info"?`},
		{"loud", `there is no level "loud" (trace, debug, info, warn, error, off)`},
		{"info,sesion=debug", `there is no module "sesion", did you mean "session"?`},
		{"session=dbug", `there is no level "dbug", did you mean "debug"?`},
		{"info,debug", "two levels for all modules"},
		{"task=info,task=debug", "two levels for task"},
		{"info,", `there is no level ""`},
		{"=debug", `there is no module ""`},
	} {
		_, err := ParseLevels(x.text)
		if (err == nil) != (x.want == "") || err != nil && !strings.Contains(err.Error(), x.want) {
			t.Errorf("%q: got %v, want %q", x.text, err, x.want)
		}
	}
}

// logRun has a line of every level and details of some modules.
func logRun() *stream {
	s := begin(nil, tOpen).start(tOpen)
	for _, level := range []string{"debug", "info", "warn", "error"} {
		s.add(tOpen, "", "bank.star:9:2", &event.Log{Level: level, Message: "a " + level, Fields: []event.Field{{Key: "rows", Value: "3"}, {Key: "msg", Value: "m\x1b"}}})
	}
	s.print(tOpen, "printed")
	s.add("", "", "", &event.Log{Level: "debug", Module: "rig", Message: "of rig"})
	s.add(tOpen, "alice", "", &event.SessionOpen{Thread: 5, Target: "mariadb"})
	s.sql(tOpen, "alice", "SELECT 1", 1)
	s.add(tOpen, "", "", &event.Span{Name: "load", Duration: time.Millisecond})
	return s.end(tOpen, event.TestEnd{}).runEnd(nil, 0)
}

func show(t *testing.T, o ConsoleOptions, s *stream) string {
	t.Helper()
	var b bytes.Buffer
	synctest.Test(t, func(t *testing.T) { play(t, NewConsole(&b, o), s) })
	return b.String()
}

func TestLevels(t *testing.T) {
	all := []string{"a debug", "a info", "a warn", "a error", "printed", "of rig", "session open", "sql  ", "span load"}
	for _, x := range []struct {
		levels  string
		verbose int
		quiet   bool
		want    string // a letter for each line that is shown
	}{
		{"", 0, false, ".iwep...."},
		{"", 0, true, "..we....."},
		{"", 1, false, "diwepro.s"},
		{"", 2, false, "diweproqs"},
		{"debug", 0, false, "diwepro.s"},
		{"trace", 0, false, "diweproqs"},
		{"warn", 2, false, "..we....."},
		{"off", 0, false, "........."},
		{"info,session=debug", 0, false, ".iwep.o.."},
		{"statement=debug", 0, false, ".iwep..q."},
		{"debug,script=error,rig=info", 0, false, "...e..o.s"},
		{"session=off", 1, false, "diwepr..s"},
		{"info", 0, true, ".iwep...."},
	} {
		levels, err := ParseLevels(x.levels)
		if err != nil {
			t.Fatal(err)
		}
		out := show(t, ConsoleOptions{Levels: levels, Verbose: x.verbose, Quiet: x.quiet}, logRun())
		got := ""
		for i, text := range all {
			if strings.Contains(out, text) {
				got += string("diweproqs"[i])
			} else {
				got += "."
			}
		}
		if got != x.want {
			t.Errorf("%q -v%d quiet %v: shown %s, want %s", x.levels, x.verbose, x.quiet, got, x.want)
		}
	}
}

func jsonLogs(w io.Writer) slog.Handler {
	return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})
}

func TestJSONLogs(t *testing.T) {
	var logs bytes.Buffer
	levels, err := ParseLevels("debug")
	if err != nil {
		t.Fatal(err)
	}
	out := show(t, ConsoleOptions{Levels: levels, Logs: jsonLogs, LogTo: &logs}, logRun())
	if strings.Contains(out, "a info") || strings.Contains(out, "printed") || !strings.Contains(out, "ok  "+tOpen) {
		t.Errorf("the console shows\n%s", out)
	}
	lines := strings.Split(strings.TrimSpace(logs.String()), "\n")
	var found int
	for _, line := range lines {
		var m map[string]any
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if m["msg"] != "a warn" {
			continue
		}
		found++
		for key, want := range map[string]string{
			"level": "WARN", "module": "script", "test": tOpen, "pos": "bank.star:9", "rows": "3", "fields.msg": "m\x1b", "time": "2026-05-04T03:02:01.09Z",
		} {
			if m[key] != want {
				t.Errorf("%s is %v, want %q", key, m[key], want)
			}
		}
	}
	if found != 1 || !strings.Contains(logs.String(), `"msg":"printed"`) || !strings.Contains(logs.String(), `"module":"session"`) {
		t.Errorf("found %d in\n%s", found, logs.String())
	}
}

// TestHandlerAmongTheConsole: a handler's lines stand where the console's own would, and steer no terminal.
func TestHandlerAmongTheConsole(t *testing.T) {
	text := func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) }
	out := show(t, ConsoleOptions{Logs: text}, logRun())
	at, end := strings.Index(out, `level=WARN msg="a warn" module=script pos=bank.star:9 rows=3`), strings.Index(out, "ok  "+tOpen)
	if at < 0 || at > end || strings.Contains(out, "\x1b") || !strings.Contains(out, "\nprinted\n") {
		t.Errorf("%q", out)
	}
}

func TestBrokenLog(t *testing.T) {
	c := NewConsole(io.Discard, ConsoleOptions{Quiet: true, Logs: jsonLogs, LogTo: brokenWriter{}})
	defer c.Close()
	if err := c.Event(&event.Event{Data: &event.Log{Level: "error", Message: "x"}}); err == nil || !strings.Contains(err.Error(), "write log: ") {
		t.Errorf("got %v", err)
	}
}

// numbersRun measures, and runs statements.
func numbersRun() *stream {
	s := begin(nil, tOpen).start(tOpen)
	for i := range 100 {
		d := time.Duration(i+1) * time.Millisecond
		o := event.OK
		if i == 7 {
			o = event.Failed
		}
		s.add(tOpen, "", "", &event.Metric{Name: "load_seconds", Type: event.MetricTimer, Value: d.Seconds(), Outcome: o})
		s.add(tOpen, "", "", &event.Metric{Name: "rows", Type: event.MetricTrend, Value: float64(i) / 8})
		s.add(tOpen, "a", "", &event.Statement{SQL: "SELECT " + strings.Repeat("1", i+1), Duration: d, Outcome: o})
	}
	s.add(tOpen, "a", "", &event.Statement{SQL: "UPDATE t SET a = 1", Duration: time.Minute})
	s.add(tOpen, "", "", &event.Metric{Name: "booked_total", Type: event.MetricCounter, Value: 2.5, Labels: []event.Field{{Key: "bank", Value: "a\"\x1b"}}})
	s.add(tOpen, "", "", &event.Metric{Name: "depth", Type: event.MetricGauge, Value: -3})
	s.add(tOpen, "", "", &event.Span{Name: "load", Duration: time.Millisecond})
	return s.end(tOpen, event.TestEnd{}).runEnd(nil, 0)
}

func TestNumbers(t *testing.T) {
	golden(t, "console_numbers.txt", show(t, ConsoleOptions{}, numbersRun()))
	golden(t, "console_summary.txt", show(t, ConsoleOptions{Summary: true}, numbersRun()))
	if out := show(t, ConsoleOptions{Quiet: true}, numbersRun()); strings.Contains(out, "load_seconds") {
		t.Errorf("a quiet console shows numbers\n%s", out)
	}
	if out := show(t, ConsoleOptions{}, logRun()); strings.Contains(out, "p99") {
		t.Errorf("numbers that nobody measured\n%s", out)
	}
}

func TestNumbersAreBounded(t *testing.T) {
	s := begin(nil, tOpen).start(tOpen)
	for i := range 30 {
		s.add(tOpen, "a", "", &event.Statement{SQL: "SELECT a FROM t" + strings.Repeat("x", i), Duration: time.Millisecond})
	}
	s.end(tOpen, event.TestEnd{}).runEnd(nil, 0)
	if out := show(t, ConsoleOptions{Summary: true}, s); strings.Count(out, "SELECT a FROM") != maxRows || !strings.Contains(out, "and 10 more (-v shows all)") {
		t.Error(out)
	}
}

// TestPrintOfSeveralLines: the test's name stands once above a table, so that its lines can be read and copied.
func TestPrintOfSeveralLines(t *testing.T) {
	s := begin(nil, "a.star::test_x", "a.star::test_y")
	s.start("a.star::test_x").start("a.star::test_y")
	s.print("a.star::test_x", "one").print("a.star::test_y", "id\n--\n 1\n")
	var b bytes.Buffer
	play(t, NewConsole(&b, ConsoleOptions{}), s)
	for _, want := range []string{"a.star::test_x: one\n", "a.star::test_y:\n  id\n  --\n   1\n"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is not in\n%s", want, b.String())
		}
	}
}
