package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"rig/runtime/event"
)

// counter is a sink that counts its calls, and fails at the event failAt.
type counter struct {
	events, flushes, closes, failAt int
}

func (c *counter) Name() string { return "counter" }

func (c *counter) Event(*event.Event) error {
	c.events++
	if c.events == c.failAt {
		return errors.New("full")
	}
	return nil
}
func (c *counter) Flush() error { c.flushes++; return nil }
func (c *counter) Close() error { c.closes++; return nil }

func TestReplayGivesTheSameReports(t *testing.T) {
	for name, s := range runs() {
		for _, f := range Formats() {
			if f.Name == "console" { // its ages count by the clock
				continue
			}
			var b bytes.Buffer
			sink, err := Open(f.Name, &b)
			must(t, err)
			info, err := Replay(bytes.NewReader(journalOf(s)), sink)
			must(t, err)
			if info.Events != len(s.events) || info.Ended == (name == "truncated") || info.Truncated {
				t.Errorf("%s: %+v", name, info)
			}
			if got, want := b.String(), report(t, f.Name, s); got != want {
				t.Errorf("%s %s differs: got\n%s\nwant\n%s", name, f.Name, got, want)
			}
		}
	}
}

func TestReplay(t *testing.T) {
	whole := string(journalOf(passingRun()))
	n := strings.Count(whole, "\n")
	lines := strings.SplitAfter(whole, "\n")
	strange := `{"v":1,"seq":1,"at":1,"kind":"from.the.future","data":{}}` + "\n"
	long := `{"v":1,"x":"` + strings.Repeat("x", maxLine) + `"}` + "\n"
	for _, c := range []struct {
		name, journal string
		want          ReplayInfo
		err           string
	}{
		{"whole", whole, ReplayInfo{Events: n, Ended: true}, ""},
		{"empty", "", ReplayInfo{}, ""},
		{"cut in the last line", whole[:len(whole)-9], ReplayInfo{Events: n - 1, Truncated: true}, ""},
		{"cut at its end", whole[:len(whole)-1], ReplayInfo{Events: n, Ended: true}, ""},
		{"cut after a line", strings.Join(lines[:3], ""), ReplayInfo{Events: 3}, ""},
		{"unknown kinds", strange + whole + strange, ReplayInfo{Events: n, UnknownKinds: 2, Ended: true}, ""},
		{"damaged", lines[0] + "{{{\n" + strings.Join(lines[2:], ""), ReplayInfo{Events: n - 1, Ended: true}, "journal line 2 is damaged"},
		{"damaged at the end", whole + "{\n", ReplayInfo{Events: n, Ended: true}, fmt.Sprintf("journal line %d is damaged", n+1)},
		{"zeros", lines[0] + strings.Repeat("\x00", 9), ReplayInfo{Events: 1, Truncated: true}, ""},
		{"too long", lines[0] + long + strings.Join(lines[1:], ""), ReplayInfo{Events: n, Ended: true}, "journal line 2 is damaged: longer than 4194304 bytes"},
		{"too long at the end", lines[0] + long[:len(long)-1], ReplayInfo{Events: 1, Truncated: true}, ""},
		{"later format", `{"v":2,"kind":"log"}` + "\n" + lines[0], ReplayInfo{Events: 1}, "format 2"},
		{"much damage", strings.Repeat("x\n", 30) + lines[0], ReplayInfo{Events: 1}, "and 20 more damaged lines"},
		{"windows", strings.ReplaceAll(whole, "\n", "\r\n"), ReplayInfo{Events: n, Ended: true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var sink counter
			info, err := Replay(strings.NewReader(c.journal), &sink)
			if info != c.want {
				t.Errorf("got %+v, want %+v", info, c.want)
			}
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("error %v, want %q", err, c.err)
			}
			if sink.events != c.want.Events || sink.flushes != 1 || sink.closes != 1 {
				t.Errorf("the sink got %+v", sink)
			}
		})
	}
}

func TestReplayDetachesSinks(t *testing.T) {
	bad, good := &counter{failAt: 2}, &counter{}
	s := passingRun()
	_, err := Replay(bytes.NewReader(journalOf(s)), bad, good)
	if err == nil || !strings.Contains(err.Error(), "counter: full") {
		t.Errorf("got %v", err)
	}
	if bad.events != 2 || bad.flushes != 0 || bad.closes != 1 || good.events != len(s.events) {
		t.Errorf("bad %+v, good %+v", bad, good)
	}
}

func TestReplayReadError(t *testing.T) {
	var sink counter
	_, err := Replay(io.MultiReader(bytes.NewReader(journalOf(passingRun())), iotest.ErrReader(errors.New("disk gone"))), &sink)
	if err == nil || !strings.Contains(err.Error(), "disk gone") || sink.closes != 1 {
		t.Errorf("got %v, %+v", err, sink)
	}
}

// FuzzReplay gives any bytes to every sink: none may panic, and what they make is bounded by what they got.
func FuzzReplay(f *testing.F) {
	for _, s := range runs() {
		f.Add(journalOf(s))
	}
	f.Add([]byte(`{"v":1,"kind":"test.end","test":"a::b","data":{"final":true,"outcome":"failed","errors":[null,{"message":"x"},null]}}` + "\n"))
	f.Add([]byte(`{"v":1,"kind":"expect","data":null}` + "\n" + `{"v":1,"kind":"run.start","data":{"started_at":"9999-12-31T23:59:59Z"}}`))
	f.Fuzz(func(t *testing.T, journal []byte) {
		var b bytes.Buffer
		sinks := []event.Sink{NewTally(TallyOptions{}), &Ledger{}, NewConsole(&b, ConsoleOptions{Verbose: 2})}
		for _, format := range Formats() {
			s, err := Open(format.Name, &b)
			must(t, err)
			sinks = append(sinks, s)
		}
		info, _ := Replay(bytes.NewReader(journal), sinks...)
		if lines := bytes.Count(journal, []byte("\n")) + 1; info.Events+info.UnknownKinds > lines {
			t.Errorf("%+v of %d lines", info, lines)
		}
	})
}
