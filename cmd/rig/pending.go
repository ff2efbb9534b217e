package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/prompt"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

// answersWithin is how long threads that compute have to tell where they are; they look up about every 100 us.
const answersWithin = 20 * time.Millisecond

// tasksShown is how many tasks of a test are told one by one.
const tasksShown = 20

// tellPending tells what every running test does. The server is asked who waits for whom, which may take a while: signals
// do not wait for that. Whoever asks while it is being told is answered by one more telling.
func (x *execution) tellPending() {
	if x.asked.Add(1) > 1 {
		return
	}
	go func() {
		for left := int32(1); left > 0; {
			answered := x.asked.Load()
			x.tellOnce()
			left = x.asked.Add(-answered)
		}
	}()
}

func (x *execution) tellOnce() {
	var doings []script.Doing
	if host := x.runs.Load(); host != nil {
		ctx, cancel := context.WithTimeout(context.Background(), answersWithin)
		defer cancel()
		doings = host.Doings(ctx)
	}
	text := pendingText(x.running.Tests(), doings, time.Now())
	x.bus.Emit(event.Event{Data: &event.Log{Level: "print", Message: text, Asked: true}})
	x.bus.Flush()
}

// pendingText is what the tests do, in the script's names.
func pendingText(tests []scenario.Begun, doings []script.Doing, now time.Time) string {
	var out strings.Builder
	var known []*session.Session
	for _, b := range tests {
		known = append(known, b.Test.Sessions()...)
	}
	if len(tests) == 0 {
		out.WriteString("pending: no test runs\n")
	} else {
		fmt.Fprintf(&out, "pending: %d running\n", len(tests))
	}
	for _, b := range tests {
		p := pendingTest{Begun: b, now: now}
		p.doings, doings = split(doings, b.Test)
		out.WriteString(p.text(known))
	}
	for _, d := range doings { // a file that loads, setup_all
		fmt.Fprintf(&out, "  %s: %s\n", d.Thread.Name(), doingText(d, now))
	}
	return out.String()
}

// split takes those of a test, its subtests and its tasks from the others.
func split(doings []script.Doing, of *scenario.Test) (own, others []script.Doing) {
	for _, d := range doings {
		if t, ok := d.Thread.Scope().(*scenario.Test); ok && t != nil && t.Outermost() == of {
			own = append(own, d)
		} else {
			others = append(others, d)
		}
	}
	return own, others
}

type pendingTest struct {
	scenario.Begun
	doings []script.Doing
	now    time.Time
}

// text is the test with what it does itself, its tasks and other threads, and its sessions.
func (p pendingTest) text(known []*session.Session) string {
	var out strings.Builder
	fmt.Fprintf(&out, "  %s for %s\n", p.Test.ID(), p.now.Sub(p.Since).Round(100*time.Millisecond))
	for _, line := range p.take(p.Test.ID()) {
		fmt.Fprintf(&out, "      %s\n", line)
	}
	for _, t := range p.Tasks[:min(len(p.Tasks), tasksShown)] {
		fmt.Fprintf(&out, "      task %s, started at %s", t.Name, t.Pos)
		for _, line := range p.take(t.Name) {
			out.WriteString(", " + line)
		}
		out.WriteString("\n")
	}
	if more := len(p.Tasks) - tasksShown; more > 0 {
		fmt.Fprintf(&out, "      and %s\n", count(more, "more task"))
	}
	for _, d := range p.doings {
		if name := d.Thread.Name(); name != p.Test.ID() && !slices.ContainsFunc(p.Tasks, func(t scenario.RunningTask) bool { return t.Name == name }) {
			fmt.Fprintf(&out, "      %s %s\n", name, doingText(d, p.now))
		}
	}
	own := p.Test.Sessions()
	if len(own) == 0 {
		out.WriteString("      no session\n")
	}
	for line := range strings.Lines(prompt.SessionTable(p.sessions(own, known), "")) {
		out.WriteString("    " + line)
	}
	return out.String()
}

// take gives what a thread does, the outermost first: a machine runs, and in it a state sleeps.
func (p pendingTest) take(thread string) []string {
	var out []string
	for _, d := range p.doings {
		if d.Thread.Name() == thread {
			out = append(out, doingText(d, p.now))
		}
	}
	return out
}

func doingText(d script.Doing, now time.Time) string {
	if d.Since.IsZero() {
		return fmt.Sprintf("runs at %s", d.Pos)
	}
	wait := d.Wait
	if wait == "" { // it has ended since
		wait = "waits"
	}
	text := fmt.Sprintf("%s (%s so far)", wait, now.Sub(d.Since).Round(100*time.Millisecond))
	if !d.Pos.IsZero() { // a built-in that is itself a task has no line
		text += " at " + d.Pos.String()
	}
	return text
}

// sessions are the test's, with the lines of their statements. Its own come last among the known: of two servers' threads with
// one number, its own is meant.
func (p pendingTest) sessions(own, known []*session.Session) []prompt.Session {
	out := sessionsAmong(own, slices.Concat(known, own))
	for i, s := range own {
		if a, busy := s.Activity(); busy && !a.Pos.IsZero() && out[i].Statement != "" {
			out[i].Statement += ", at " + a.Pos.String()
		}
	}
	return out
}

// readKeys tells what is pending when t is pressed; the result gives the terminal back.
func (x *execution) readKeys() (restore func()) {
	if !x.cmd.Pending || x.follow.talk != nil {
		return func() {}
	}
	if x.keys = openKeyboard(x.s.in); x.keys == nil {
		return func() {}
	}
	go func() { // ends with the keyboard
		for k := range x.keys.pressed() {
			if k == 't' {
				x.tellPending()
			}
		}
	}()
	return x.keys.restore
}
