package history

import (
	"bytes"
	"fmt"
	"slices"

	"rig/runtime/event"
)

// Journal gathers the histories among the events of a run. It is a sink of events; Histories gives what it found.
type Journal struct {
	byID map[event.ID]*recording
	scan *scanner
}

// Recorded is a history of a run.
type Recorded struct {
	Test string // in which it was recorded
	// As says how it is to be checked.
	As      event.History
	History *History
}

type recording struct {
	Recorded
	b     Builder
	begun uint64
}

// Name of the sink.
func (*Journal) Name() string { return "histories" }

// Event takes the next event. Its error is an operation that does not fit.
func (j *Journal) Event(e *event.Event) error {
	switch d := e.Data.(type) {
	case *event.History:
		if j.byID == nil {
			j.byID, j.scan = map[event.ID]*recording{}, newScanner(nil)
			j.scan.json = true
		}
		j.byID[e.ID] = &recording{Recorded: Recorded{Test: e.Test, As: *d}, begun: e.Seq}
	case *event.Operation:
		r := j.byID[e.Parent]
		if r == nil {
			return fmt.Errorf("event %d: an operation of no history", e.Seq)
		}
		if err := j.add(r, e, d); err != nil {
			return fmt.Errorf("event %d: %w", e.Seq, err)
		}
	}
	return nil
}

func (j *Journal) add(r *recording, e *event.Event, d *event.Operation) error {
	typ, err := typeOf(d.Type, d.Type)
	if err != nil {
		return err
	}
	// A journal has one event a line.
	op := Event{Process: d.Process, Type: typ, F: d.F, Time: int64(e.At), Error: d.Error, Pos: Position{Line: int(e.Seq)}}
	if len(d.Value) > 0 {
		j.scan.reset(bytes.NewReader(d.Value))
		if op.Value, err = j.scan.form(); err != nil {
			return err
		}
	}
	return r.b.Add(&op)
}

// Flush does nothing.
func (*Journal) Flush() error { return nil }

// Close does nothing.
func (*Journal) Close() error { return nil }

// Histories gives the histories in the order in which they began.
func (j *Journal) Histories() ([]Recorded, error) {
	var all []*recording
	for _, r := range j.byID {
		all = append(all, r)
	}
	slices.SortFunc(all, func(a, b *recording) int { return int(a.begun) - int(b.begun) })
	list := make([]Recorded, len(all))
	for i, r := range all {
		h, err := r.b.History()
		if err != nil {
			return nil, err
		}
		r.History = h
		list[i] = r.Recorded
	}
	return list, nil
}
