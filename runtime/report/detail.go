package report

import (
	"fmt"
	"log/slog"
	"strings"

	"rig/runtime/event"
)

// detail prints what only a console of that level shows.
func (c *Console) detail(e *event.Event) {
	module := detailModule(e)
	if module == "" || !c.shows(module, slog.LevelDebug) {
		return
	}
	text := detailText(e)
	if text == "" {
		return
	}
	if c.logs != nil {
		c.record(e, slog.LevelDebug, module, text, nil)
		return
	}
	var who []string
	for _, s := range []string{e.Test, e.Session} {
		if s != "" {
			who = append(who, oneLine(s))
		}
	}
	prefix := ""
	if len(who) > 0 {
		prefix = strings.Join(who, " ") + ": "
	}
	c.line(c.paint(dim, "  "+prefix+text))
}

// detailModule gives the source of the line for an event, "" for events that have none.
func detailModule(e *event.Event) string {
	switch e.Data.(type) {
	case *event.Statement:
		return moduleStatement
	case *event.Target:
		return "target"
	case *event.FileLoad:
		return "load"
	case *event.SessionOpen, *event.SessionClose, *event.Kill:
		return "session"
	case *event.Database:
		return "database"
	case *event.Transition:
		return "machine"
	case *event.Task:
		return "task"
	case *event.Retry, *event.Breaker:
		return "retry"
	case *event.Member:
		return "coordinator"
	case *event.Progress:
		return "watch"
	case *event.History, *event.Verdict:
		return "history"
	case *event.Span:
		return "span"
	case *event.Expect:
		return "expect"
	case *event.Schedule, *event.Step, *event.Deadlock, *event.Anomaly:
		return "schedule"
	}
	return ""
}

// detailText gives the line for an event, "" for those that have none.
func detailText(e *event.Event) string {
	switch d := e.Data.(type) {
	case *event.Statement:
		one := ran{sql: d.SQL, duration: d.Duration, rows: d.Rows, affected: d.Affected, outcome: d.Outcome}
		if d.Error != nil {
			one.code = d.Error.Name
		}
		return "sql  " + one.text()
	case *event.Target:
		return sentence(nil, "target %s (%s) is %s", d.Name, strings.TrimSpace(d.Type+" "+d.Version), d.State)
	case *event.FileLoad:
		if d.Error != nil { // it has lines of its own
			return ""
		}
		return sentence(nil, "%s loaded, %s, in %s", d.File, count(int64(d.Tests), "test"), span(d.Duration))
	case *event.SessionOpen:
		return sentence(d.Error, "session open, thread %d on %s in %s", d.Thread, d.Target, span(d.Duration))
	case *event.SessionClose:
		return sentence(nil, "session %s, thread %d", d.Cause, d.Thread)
	case *event.Database:
		return sentence(d.Error, "%s %s %s", d.Action, d.What, d.Name)
	case *event.Kill:
		return killText(d)
	}
	return flowText(e)
}

func killText(d *event.Kill) string {
	what, verified := "the statement", "verified"
	if d.Connection {
		what = "the connection"
	}
	if !d.Verified {
		verified = "not verified"
	}
	return sentence(d.Error, "killed %s of thread %d (%s) in %s, %s", what, d.Thread, d.Cause, span(d.Duration), verified)
}

// flowText is detailText for what scripts set in motion.
func flowText(e *event.Event) string {
	switch d := e.Data.(type) {
	case *event.Transition:
		who := d.Machine
		if d.Member != "" {
			who += "/" + d.Member
		}
		next := d.Next
		if next == "" {
			next = "end"
		}
		return sentence(d.Error, "machine %s: %s -> %s after %s", who, d.State, next, span(d.Duration))
	case *event.Task:
		return sentence(d.Error, "task %s %s in %s", d.Name, d.Outcome, span(d.Duration))
	case *event.Retry:
		then := "next in " + span(d.Delay)
		if d.Final {
			then = "no further attempt"
		}
		return sentence(d.Error, "retry %s: attempt %d failed, %s", d.Name, d.Attempt, then)
	case *event.Breaker:
		return sentence(nil, "breaker %s: %s -> %s", d.Name, d.From, d.To)
	case *event.Progress:
		if !d.Over {
			return ""
		}
		if d.Looks == 0 { // nobody watched: it told by itself
			return sentence(nil, "%s for %s: %s", d.Name, span(d.Elapsed), d.Value)
		}
		return sentence(nil, "watched %s for %s, %s: %s", d.Name, span(d.Elapsed), count(int64(d.Looks), "look"), d.Value)
	case *event.Span:
		return sentence(d.Error, "span %s %s in %s", d.Name, d.Outcome, span(d.Duration))
	case *event.Member:
		return memberText(d)
	case *event.Expect:
		return sentence(d.Error, "expectation failed")
	case *event.History:
		return sentence(nil, "history %s of %s begins", d.Name, d.Model)
	case *event.Verdict:
		return verdictText(d)
	}
	return scheduleText(e)
}

// scheduleText is detailText for what happens in schedules: who waits for whom, and what lets it proceed.
func scheduleText(e *event.Event) string {
	switch d := e.Data.(type) {
	case *event.Schedule:
		return sentence(d.Error, "schedule %s, run %d: %s: %s in %s", d.Name, d.Run, d.Order, d.Outcome, span(d.Duration))
	case *event.Deadlock:
		return sentence(nil, "%s is the victim of a deadlock, in %s: %s", d.Victim, d.Step, strings.Join(d.Cycle, "; "))
	case *event.Step:
		return stepText(d)
	case *event.Anomaly:
		return sentence(nil, "%s at %s: %s %s", d.Case, d.Column, d.Verdict, d.Detail)
	}
	return ""
}

func stepText(d *event.Step) string {
	switch {
	case d.Action == "waits" && d.Weak:
		return sentence(nil, "%s waits? (it is quiet, the server does not tell)", d.Step)
	case d.Action == "waits":
		who := "a lock"
		if len(d.Blockers) > 0 {
			who = strings.Join(d.Blockers, ", ")
		}
		return sentence(nil, "%s waits for %s (%s)", d.Step, who, d.Lock)
	case d.Action == "proceeds" && d.After != "":
		return sentence(d.Error, "%s proceeds after %s", d.Step, d.After)
	case d.Action == "proceeds":
		return sentence(d.Error, "%s proceeds", d.Step)
	case d.Action == "returns" && d.Error != nil:
		return sentence(d.Error, "%s failed", d.Step)
	}
	return "" // the statement has a line of its own
}

func verdictText(d *event.Verdict) string {
	text := fmt.Sprintf("history %s is %s", d.Name, d.Valid)
	if d.Level != "" {
		text += " as " + d.Level
	}
	text += ", " + count(int64(d.Operations), "operation")
	if len(d.Anomalies) > 0 {
		text += ": " + strings.Join(d.Anomalies, ", ")
	}
	return sentence(nil, "%s", text)
}

func memberText(d *event.Member) string {
	who := d.Coordinator + "/" + d.Member
	switch d.Action {
	case "end":
		return sentence(d.Error, "member %s ended in state %s after %s", who, d.What, span(d.Duration))
	case "emit", "send":
		return sentence(d.Error, "member %s: %s %s", who, d.Action, d.What)
	}
	return sentence(d.Error, "member %s: %s %s after %s", who, d.Action, d.What, span(d.Duration))
}

// sentence formats a line and adds an error to it.
func sentence(e *event.Error, format string, args ...any) string {
	s := oneLine(fmt.Sprintf(format, args...))
	if e != nil {
		s += ": " + headline(e)
	}
	return s
}
