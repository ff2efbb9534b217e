package main

import (
	"bufio"
	"fmt"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/prompt"
	"rig/runtime/scenario"
	"rig/runtime/session"
)

// tellPending tells what every running test does. The server is asked who waits for whom, which may take a while: signals
// do not wait for that, and a second telling does not begin before the first has ended.
func (x *execution) tellPending() {
	if !x.telling.CompareAndSwap(false, true) {
		return
	}
	go func() {
		defer x.telling.Store(false)
		text := pendingText(x.running.Tests(), time.Now())
		if x.cmd.Quiet { // the console shows no such lines then, but they were asked for
			fmt.Fprint(x.s.err, x.bus.Redact(text))
			return
		}
		x.bus.Emit(event.Event{Data: &event.Log{Level: "print", Message: text}})
		x.bus.Flush()
	}()
}

// pendingText is what the tests do, in the script's names.
func pendingText(tests []scenario.Begun, now time.Time) string {
	if len(tests) == 0 {
		return "pending: no test runs\n"
	}
	var known []*session.Session
	for _, b := range tests {
		known = append(known, b.Test.Sessions()...)
	}
	var out strings.Builder
	fmt.Fprintf(&out, "pending: %d running\n", len(tests))
	for _, b := range tests {
		fmt.Fprintf(&out, "  %s for %s\n", b.Test.ID(), now.Sub(b.Since).Round(100*time.Millisecond))
		own := b.Test.Sessions()
		if len(own) == 0 {
			out.WriteString("      no session\n")
		}
		for line := range strings.Lines(prompt.SessionTable(sessionsAmong(own, ofOthers(own, known)), "")) {
			out.WriteString("    " + line)
		}
		for _, t := range b.Tasks {
			fmt.Fprintf(&out, "      task %s, started at %s\n", t.Name, t.Pos)
		}
	}
	return out.String()
}

// ofOthers puts a test's own sessions last: of two servers' threads with one number, its own is meant.
func ofOthers(own, known []*session.Session) []*session.Session {
	return append(append([]*session.Session{}, known...), own...)
}

// readKeys tells what is pending at each line "t" of the terminal.
func (x *execution) readKeys() {
	_, tty := terminal(x.s.in)
	if !x.cmd.Pending || !tty || x.follow.talk != nil {
		return
	}
	go func() { // waits for a line that nobody may type any more
		for s := bufio.NewScanner(x.s.in); s.Scan(); {
			if strings.TrimSpace(s.Text()) == "t" {
				x.tellPending()
			}
		}
	}()
}
