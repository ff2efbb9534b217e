package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"rig/runtime/event"
)

// The progress of a watch is in the live line of its test while it lasts, and in the rare line of other output.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	c := NewConsole(&out, ConsoleOptions{})
	defer c.Close()
	id := "a.star::test_x"
	send := func(d event.Data) {
		t.Helper()
		if err := c.Event(&event.Event{Test: id, Data: d}); err != nil {
			t.Fatal(err)
		}
	}
	send(&event.TestStart{Attempt: 1})
	send(&event.Progress{Name: "load", Value: "40%", Looks: 3, Elapsed: 1500 * time.Millisecond})
	c.mu.Lock()
	line := c.areaLine(c.tests[0])
	c.tests[0].since = time.Now().Add(-firstNotice)
	c.longRunning()
	plain := string(c.out)
	c.mu.Unlock()
	if want := "a.star::test_x  load: 40% (3 looks, 1.5s)"; !strings.Contains(line, want) {
		t.Errorf("%q is not in the live line %q", want, line)
	}
	if want := "... a.star::test_x running for 10s: load: 40% (3 looks, 1.5s)\n"; !strings.HasSuffix(plain, want) {
		t.Errorf("got %q, want %q", plain, want)
	}
	send(&event.Progress{Name: "load", Value: "100%", Looks: 4, Elapsed: 2 * time.Second, Over: true})
	c.mu.Lock()
	defer c.mu.Unlock()
	if line := c.areaLine(c.tests[0]); strings.Contains(line, "load") {
		t.Errorf("the live line keeps what is over: %q", line)
	}
}
