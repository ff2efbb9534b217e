package main

import (
	"fmt"
	"io"
	"strings"
	"sync/atomic"

	"rig/runtime/event"
)

// replSink shows what happens besides the answers: what scripts print and log, statements when they are traced, and at the end
// what is left.
type replSink struct {
	out   io.Writer
	err   io.Writer
	trace atomic.Bool
}

// Name of the sink.
func (*replSink) Name() string { return "the conversation" }

// Event shows one.
func (r *replSink) Event(e *event.Event) (err error) {
	switch d := e.Data.(type) {
	case *event.Log:
		text := d.Message
		if d.Level != "print" {
			text = d.Level + ": " + text
			for _, f := range d.Fields {
				text += " " + f.Key + "=" + f.Value
			}
		}
		if d.Level != "debug" {
			_, err = fmt.Fprintln(r.out, text)
		}
	case *event.Statement:
		if r.trace.Load() && !strings.HasPrefix(e.Session, "rig-admin") && e.Session != observer {
			_, err = fmt.Fprintf(r.out, "  [%s %s] %s\n", e.Session, d.Duration.Round(10_000), strings.Join(strings.Fields(d.SQL), " "))
		}
	case *event.Leak:
		_, err = fmt.Fprintln(r.out, "leak:", d.Detail)
	case *event.RunEnd:
		if d.Error != nil {
			_, err = fmt.Fprintln(r.err, "rig:", scriptText(d.Error))
		}
	case *event.TestEnd:
		err = r.ended(e, d)
	}
	return err
}

func (r *replSink) ended(e *event.Event, d *event.TestEnd) error {
	if e.Test != "repl" {
		text := fmt.Sprintf("%s: %s (%s)", e.Test, outcomeWord(d.Outcome), d.Duration.Round(1_000_000))
		if d.Reason != "" {
			text += ": " + d.Reason
		}
		if _, err := fmt.Fprintln(r.out, text); err != nil {
			return err
		}
	}
	for _, x := range d.Errors {
		text := scriptText(x)
		if x.Excerpt != "" {
			text += "\n" + x.Excerpt
		}
		if _, err := fmt.Fprintln(r.out, text); err != nil {
			return err
		}
	}
	return nil
}

func outcomeWord(o event.Outcome) string {
	if o == event.OK {
		return "passed"
	}
	return fmt.Sprint(o)
}

// Flush has nothing to keep.
func (*replSink) Flush() error { return nil }

// Close has nothing to end.
func (*replSink) Close() error { return nil }
