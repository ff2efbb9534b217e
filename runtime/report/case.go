package report

import (
	"time"

	"rig/runtime/event"
)

// maxCaseOutput bounds, in bytes, what a report keeps of a test's print and log lines.
const maxCaseOutput = 256 << 10

// testCase is a test or subtest as reports need it that cannot be written while it runs.
type testCase struct {
	id       string
	line     int32
	started  bool
	ended    bool
	outcome  event.Outcome
	flaky    bool
	reason   string
	duration time.Duration
	at       time.Duration // of its start, since the run began
	cause    *event.Error
	why      string
	earlier  []attempt
	prints   []byte
	cut      bool // prints is not all
}

// attempt is one that another followed.
type attempt struct {
	cause    *event.Error
	why      string
	duration time.Duration
}

// cases keeps the tests of a run in the order in which they were planned or came up.
type cases struct {
	story
	all  []*testCase
	byID map[string]*testCase
}

func newCases() cases { return cases{story: newStory(), byID: map[string]*testCase{}} }

func (c *cases) get(id string) *testCase {
	t := c.byID[id]
	if t == nil {
		t = &testCase{id: id}
		c.byID[id] = t
		c.all = append(c.all, t)
	}
	return t
}

// take folds what belongs to tests; it gives the case whose last attempt has just ended, else nil.
func (c *cases) take(e *event.Event) *testCase {
	c.see(e)
	switch d := e.Data.(type) {
	case *event.Plan:
		for _, id := range d.Tests {
			c.get(id)
		}
	case *event.TestStart:
		t := c.get(e.Test)
		if !t.started {
			t.started, t.at, t.line = true, e.At, e.Pos.Line
		}
	case *event.Log:
		if e.Test != "" {
			c.get(e.Test).print(e, d)
		}
	case *event.TestEnd:
		return c.end(e.Test, d)
	}
	return nil
}

func (c *cases) end(id string, d *event.TestEnd) *testCase {
	t := c.get(id)
	t.started = true
	cause, why := copyError(firstError(d.Errors)), c.why(id, d, noColour)
	c.ended(id)
	if !d.Final {
		t.earlier = append(t.earlier, attempt{cause, why, d.Duration})
		return nil
	}
	t.ended, t.outcome, t.flaky, t.reason, t.duration = true, d.Outcome, d.Flaky, reason(d), d.Duration
	t.cause, t.why = cause, why
	return t
}

// print keeps a script's line; debug lines stay in the journal.
func (t *testCase) print(e *event.Event, d *event.Log) {
	text := printed(e, d)
	if len(t.prints)+len(text) > maxCaseOutput {
		t.cut = true
		return
	}
	t.prints = append(t.prints, text...)
}

// printed is a log event as a line of text, "" for debug lines.
func printed(e *event.Event, d *event.Log) string {
	switch d.Level {
	case "print":
		return clean(d.Message) + "\n"
	case "debug":
		return ""
	}
	return oneLine(d.Level) + logText(e, d) + "\n"
}

// output is all that the test said, then why it failed.
func (t *testCase) output() string {
	s := string(t.prints)
	if t.cut {
		s += "(more lines are in the journal)\n"
	}
	for _, a := range t.earlier {
		s += "an attempt failed:\n" + a.why
	}
	return s + t.why
}

// summary is the failure in one line.
func summary(cause *event.Error, otherwise string) string {
	if cause == nil || cause.Message == "" {
		return otherwise
	}
	return headline(cause)
}

// isFailure tells failed expectations from errors: the test's own judgement from what stopped it.
func isFailure(e *event.Error) bool {
	return e != nil && (e.Kind == "expectation" || e.Kind == "fail" || e.Kind == "subtests")
}
