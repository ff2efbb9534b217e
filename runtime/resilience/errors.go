package resilience

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// ExhaustedError is the last error of a call whose attempts are used up.
type ExhaustedError struct {
	Name     string
	Attempts int
	Err      error
	Tries    []Attempt // the first and the last ones, at most triesKept of each
}

// triesKept is how many attempts an error keeps from the beginning, and from the end.
const triesKept = 5

func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("%s: %s: %v", e.Name, e.gaveUp(), e.Err)
}

func (e *ExhaustedError) gaveUp() string {
	if e.Attempts == 1 {
		return "gave up after 1 attempt"
	}
	return fmt.Sprintf("gave up after %d attempts", e.Attempts)
}

// Unwrap gives the last attempt's error.
func (e *ExhaustedError) Unwrap() error { return e.Err }

// Report is that of the last attempt, with what every attempt failed with in its detail.
func (e *ExhaustedError) Report() *event.Error {
	r := reportOf(e.Err)
	r.Message = fmt.Sprintf("%s: %s: %s", e.Name, e.gaveUp(), r.Message)
	r.Detail = strings.TrimPrefix(r.Detail+"\n"+tell(e.Tries, e.Attempts), "\n")
	return r
}

// tell lists attempts, one a line.
func tell(tries []Attempt, all int) string {
	lines := make([]string, 0, len(tries)+1)
	last := 0
	for _, a := range tries {
		if a.N > last+1 {
			lines = append(lines, fmt.Sprintf("... %d more of %d", a.N-last-1, all))
		}
		last = a.N
		line := fmt.Sprintf("attempt %d: %v", a.N, a.Err)
		if a.Delay > 0 {
			line += fmt.Sprintf("; the next after %s", a.Delay.Round(time.Microsecond))
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// reporter is an error that knows its form for reports.
type reporter interface{ Report() *event.Error }

func reportOf(err error) *event.Error {
	var inner reporter
	if errors.As(err, &inner) {
		if r := inner.Report(); r != nil {
			c := *r
			return &c
		}
	}
	class := fault.Classify(err)
	r := &event.Error{Kind: string(class.Kind), Category: string(class.Category), Code: class.Code, SQLState: class.SQLState, Name: class.Name, Message: class.Message}
	var db *fault.Error
	if errors.As(err, &db) {
		r.Op, r.SQL, r.Session, r.Hint = db.Op, db.SQL, db.Session, db.Hint
	}
	if r.Message == "" {
		r.Message = err.Error()
	}
	return r
}

// DeadlineError is why a call is given up whose next attempt could not begin before its context's deadline.
type DeadlineError struct{ Delay, Left time.Duration }

func (e *DeadlineError) Error() string {
	return fmt.Sprintf("the next attempt would begin in %s, and the time is over in %s", e.Delay.Round(time.Millisecond), e.Left.Round(time.Millisecond))
}

// Unwrap gives a [fault.Error] of kind timeout, and context.DeadlineExceeded.
func (e *DeadlineError) Unwrap() []error {
	return []error{fault.New(fault.Timeout, "", e.Error()), context.DeadlineExceeded}
}

// StoppedError is a call that was given up because its context ended before or between attempts, or would have ended in the
// pause (*[DeadlineError]). Last is the error of the latest attempt, nil where there was none; it says what was tried, but the
// error is the context's.
type StoppedError struct {
	Name     string
	Attempts int
	Cause    error // the context's
	Last     error
}

func (e *StoppedError) Error() string {
	if e.Last == nil {
		return fmt.Sprintf("%s: stopped before its first attempt: %v", e.Name, e.Cause)
	}
	return fmt.Sprintf("%s: stopped after attempt %d: %v (it had failed with: %v)", e.Name, e.Attempts, e.Cause, e.Last)
}

// Unwrap gives the context's cause.
func (e *StoppedError) Unwrap() error { return e.Cause }

// Report is that of the cause, with the last attempt's error in its message.
func (e *StoppedError) Report() *event.Error {
	r := reportOf(e.Cause)
	r.Message = e.Error()
	return r
}
