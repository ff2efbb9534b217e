package report

import (
	"slices"

	"rig/runtime/event"
)

// Object is something that a run made on a server. What is "database" or "user".
type Object struct {
	Target string
	What   string
	Name   string
}

// Ledger is a sink that knows what a run made on its servers and did not remove: what to clean up after a crash.
type Ledger struct {
	run  string
	left []Object // in the order of their making
}

// Name for messages.
func (l *Ledger) Name() string { return "clean-up ledger" }

// Flush has nothing to do.
func (l *Ledger) Flush() error { return nil }

// Close has nothing to do.
func (l *Ledger) Close() error { return nil }

// Event notes what was made and what was removed. A removal that failed leaves the object, and so does a creation whose
// outcome is unknown: it may be there.
func (l *Ledger) Event(e *event.Event) error {
	switch d := e.Data.(type) {
	case *event.RunStart:
		l.run = d.Run
	case *event.Database:
		l.note(d)
	}
	return nil
}

func (l *Ledger) note(d *event.Database) {
	o := Object{Target: d.Target, What: d.What, Name: d.Name}
	at := slices.Index(l.left, o)
	switch {
	case d.Action == "create" && at < 0 && (d.Error == nil || d.Error.Category == "unknown"):
		l.left = append(l.left, o)
	case d.Action == "drop" && at >= 0 && d.Error == nil:
		l.left = slices.Delete(l.left, at, at+1)
	}
}

// Run is the id of the run, "" before its start was seen.
func (l *Ledger) Run() string { return l.run }

// Left lists what was created and not dropped, in the order of creation. The caller owns the result.
func (l *Ledger) Left() []Object { return slices.Clone(l.left) }
