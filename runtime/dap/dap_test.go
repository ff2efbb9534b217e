package dap

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-dap"
	"go.uber.org/goleak"

	"rig/runtime/debug"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// idle is a run that does nothing until it is stopped.
func idle(Launch, Hooks) (*Debuggee, error) {
	ended := make(chan int, 1)
	var start, stop sync.Once
	over := make(chan struct{})
	return &Debuggee{
		Debugger: debug.New(debug.Options{Notify: func(debug.Event) {}}),
		Start: func() {
			start.Do(func() { go func() { <-over; ended <- 0 }() })
		},
		Stop:  func() { stop.Do(func() { close(over) }) },
		Ended: ended,
	}, nil
}

func frame(text string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(text), text) }

// talk sends bytes and gives what is answered.
func talk(t testing.TB, in string) (out []map[string]any, err error) {
	t.Helper()
	var b bytes.Buffer
	err = Serve(struct {
		io.Reader
		io.Writer
	}{strings.NewReader(in), &b}, Options{Launch: idle, StopWithin: 5 * time.Second})
	r := bufio.NewReader(&b)
	for {
		raw, err := dap.ReadBaseMessage(r)
		if err != nil {
			break
		}
		var m map[string]any
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatalf("it sent %q: %v", raw, err)
		}
		out = append(out, m)
	}
	return out, err
}

func TestMalformedMessages(t *testing.T) {
	init := frame(`{"seq": 1, "type": "request", "command": "initialize", "arguments": {"adapterID": "x"}}`)
	for _, c := range []struct {
		name, in string
		answers  int
		last     string // of the last answer's message
		err      bool
	}{
		{"nothing", "", 0, "", false},
		{"a header only", "Content-Length: 100\r\n\r\n", 0, "", false},
		{"no header", "hello\r\n\r\n", 0, "", true},
		{"a negative length", "Content-Length: -1\r\n\r\n", 0, "", true},
		{"a huge length", "Content-Length: 99999999999\r\n\r\n", 0, "", true},
		{"no json", frame("{") + init, 1, "", false},
		{"no object", frame("[]") + init, 1, "", false},
		{"an unknown command", frame(`{"seq": 3, "type": "request", "command": "dance"}`) + init, 2, "", false},
		{"an unknown command, last", init + frame(`{"seq": 3, "type": "request", "command": "dance"}`), 2, "Request command 'dance' is not supported (seq: 3)", false},
		{"wrong types", init + frame(`{"seq": 4, "type": "request", "command": "next", "arguments": {"threadId": "x"}}`), 2, "cannot unmarshal", false},
		{"no arguments", init + frame(`{"seq": 5, "type": "request", "command": "source"}`), 2, "nothing is debugged yet", false},
		{"an event", frame(`{"seq": 1, "type": "event", "event": "stopped", "body": {}}`) + init, 1, "", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			out, err := talk(t, c.in)
			if (err != nil) != c.err || len(out) != c.answers {
				t.Fatalf("%d answers and %v: %v", len(out), err, out)
			}
			if c.last == "" {
				return
			}
			if m, _ := out[len(out)-1]["message"].(string); !strings.Contains(m, c.last) {
				t.Errorf("it says %q, want %q", m, c.last)
			}
		})
	}
}

// TestEveryRequestWithoutArguments: none of those that the protocol has panics or stays without an answer.
func TestEveryRequestWithoutArguments(t *testing.T) {
	in := frame(`{"seq": 1, "type": "request", "command": "initialize"}`) + frame(`{"seq": 2, "type": "request", "command": "launch", "arguments": {"program": "x"}}`)
	commands := []string{
		"setBreakpoints", "setFunctionBreakpoints", "setExceptionBreakpoints", "threads", "stackTrace", "scopes", "variables", "evaluate", "next", "stepIn",
		"stepOut", "continue", "pause", "source", "exceptionInfo", "configurationDone", "restart", "setVariable", "goto", "completions", "modules", "terminate", "attach", "disconnect",
	}
	for i, c := range commands {
		in += frame(fmt.Sprintf(`{"seq": %d, "type": "request", "command": %q}`, i+3, c))
	}
	out, err := talk(t, in)
	if err != nil {
		t.Fatal(err)
	}
	answered := map[float64]bool{}
	for i, m := range out {
		if m["seq"] != float64(i+1) {
			t.Errorf("message %d has the number %v", i+1, m["seq"])
		}
		if m["type"] == "response" {
			answered[m["request_seq"].(float64)] = true
			if text, _ := m["message"].(string); strings.Contains(text, "internal error") {
				t.Errorf("%v: %s", m["command"], text)
			}
		}
	}
	for i := range len(commands) + 2 {
		if !answered[float64(i+1)] {
			t.Errorf("request %d (%s) has no answer", i+1, append([]string{"initialize", "launch"}, commands...)[i])
		}
	}
}

// TestAClientThatDoesNotRead holds up nobody: the run ends, and Serve returns.
func TestAClientThatDoesNotRead(t *testing.T) {
	here, there := net.Pipe()
	var hooks Hooks
	served := make(chan error, 1)
	go func() {
		served <- Serve(here, Options{Launch: func(l Launch, h Hooks) (*Debuggee, error) { hooks = h; return idle(l, h) }, StopWithin: 5 * time.Second})
	}()
	if _, err := io.WriteString(there, frame(`{"seq": 1, "type": "request", "command": "launch", "arguments": {"program": "x"}}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(there, frame(`{"seq": 2, "type": "request", "command": "configurationDone"}`)); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		hooks.Output("stdout", "text that nobody reads\n")
	}
	there.Close()
	if err := <-served; err != nil && !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func FuzzServe(f *testing.F) {
	for _, s := range []string{
		frame(`{"seq": 1, "type": "request", "command": "initialize", "arguments": {"linesStartAt1": false}}`),
		frame(`{"seq": 2, "type": "request", "command": "launch", "arguments": {"program": "x"}}`) + frame(`{"seq": 3, "type": "request", "command": "setBreakpoints", "arguments": {"source": {"path": "a.star"}, "breakpoints": [{"line": 1, "condition": "x"}]}}`),
		frame(`{"seq": 2, "type": "request", "command": "launch", "arguments": {"program": "x"}}`) + frame(`{"seq": 9, "type": "request", "command": "variables", "arguments": {"variablesReference": 536870913}}`) + frame(`{"seq": 9, "type": "request", "command": "disconnect"}`),
		frame(`{"seq": 2, "type": "request", "command": "launch", "arguments": {"program": "x"}}`) + frame(`{"seq": 4, "type": "request", "command": "evaluate", "arguments": {"expression": "1", "frameId": -5}}`),
		"Content-Length: 5\r\n\r\n{}", "Content-Length: x\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		out, _ := talk(t, in)
		for _, m := range out {
			if text, _ := m["message"].(string); strings.Contains(text, "internal error") {
				t.Errorf("%s", text)
			}
		}
	})
}
