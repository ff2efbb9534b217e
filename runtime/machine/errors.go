package machine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// reporter is an error that knows its form for reports.
type reporter interface{ Report() *event.Error }

// DefinitionError is a definition that [New] refuses.
type DefinitionError struct {
	Machine  string
	Problems []Problem // at least one
}

// Error gives every problem, one a line.
func (e *DefinitionError) Error() string {
	lines := make([]string, len(e.Problems))
	for i, p := range e.Problems {
		lines[i] = fmt.Sprintf("machine %q: %s", e.Machine, p.Message)
	}
	return strings.Join(lines, "\n")
}

// Report shows the first problem with its place and hint, the others below.
func (e *DefinitionError) Report() *event.Error {
	first := e.Problems[0]
	r := &event.Error{
		Kind: string(fault.BadArgument), Category: string(fault.Permanent), Op: "machine.new",
		Message: fmt.Sprintf("machine %q: %s", e.Machine, first.Message), Hint: first.Hint, Pos: first.Pos,
	}
	for _, p := range e.Problems[1:] {
		line := p.Message
		if !p.Pos.IsZero() {
			line = p.Pos.String() + ": " + line
		}
		r.Detail = addLine(r.Detail, line)
	}
	return r
}

// StateError is a step that failed. Phase is enter, execute or exit; Visit counts the visits of the state from 1. Pos is
// the handler's.
type StateError struct {
	Machine, State string
	Visit          int
	Phase          string
	Err            error
	Pos            event.Pos
}

func (e *StateError) Error() string {
	return fmt.Sprintf("%s: %v", e.where(), e.Err)
}

func (e *StateError) where() string {
	return fmt.Sprintf("machine %q, state %q (visit %d), %s", e.Machine, e.State, e.Visit, e.Phase)
}

// Unwrap gives the cause.
func (e *StateError) Unwrap() error { return e.Err }

// Report is the cause's own where it has one, with the state added to its detail; else the classified cause.
func (e *StateError) Report() *event.Error {
	var inner reporter
	if errors.As(e.Err, &inner) {
		if r := inner.Report(); r != nil {
			c := *r
			c.Detail = addLine(c.Detail, "in "+e.where())
			if c.Pos.IsZero() {
				c.Pos = e.Pos
			}
			return &c
		}
	}
	class := fault.Classify(e.Err)
	r := &event.Error{
		Kind: string(class.Kind), Category: string(class.Category), Code: class.Code, SQLState: class.SQLState,
		Name: class.Name, Message: e.Error(), Pos: e.Pos,
	}
	var db *fault.Error
	if errors.As(e.Err, &db) {
		r.Op, r.SQL, r.Session, r.Hint = db.Op, db.SQL, db.Session, db.Hint
	}
	return r
}

// LoopError is a run that did not end within its number of transitions. Path has the last 20 states at most, the one that
// was not entered any more last.
type LoopError struct {
	Machine string
	Max     int
	Path    []string
	Visits  map[string]int
}

func (e *LoopError) Error() string {
	return fmt.Sprintf("machine %q took %d transitions without an end; the last states were %s", e.Machine, e.Max, strings.Join(e.Path, " -> "))
}

// Hint names the states that were visited most, and the way out.
func (e *LoopError) Hint() string {
	names := make([]string, 0, len(e.Visits))
	for name := range e.Visits {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		if d := e.Visits[b] - e.Visits[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for i, name := range names[:min(3, len(names))] {
		names[i] = name + " (" + strconv.Itoa(e.Visits[name]) + ")"
	}
	return "visited most: " + strings.Join(names[:min(3, len(names))], ", ") + "; raise max_transitions if so many are meant"
}

// Unwrap gives a [fault.Error] of kind limit_exceeded.
func (e *LoopError) Unwrap() error {
	return fault.New(fault.LimitExceeded, "", e.Error()).WithHint(e.Hint())
}

// Report gives the form for reports.
func (e *LoopError) Report() *event.Error {
	return &event.Error{Kind: string(fault.LimitExceeded), Category: string(fault.Permanent), Message: e.Error(), Hint: e.Hint()}
}

// TimeoutError is a run that did not end within its time. It is a context.DeadlineExceeded.
type TimeoutError struct {
	Machine string
	After   time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("machine %q did not end within %v", e.Machine, e.After)
}

// Unwrap gives a [fault.Error] of kind timeout, and context.DeadlineExceeded.
func (e *TimeoutError) Unwrap() []error {
	return []error{fault.New(fault.Timeout, "", e.Error()), context.DeadlineExceeded}
}

// Report gives the form for reports.
func (e *TimeoutError) Report() *event.Error {
	return &event.Error{Kind: string(fault.Timeout), Category: string(fault.UnknownCategory), Message: e.Error(), Hint: "raise the run's timeout if it may take so long"}
}

// PanicError is a step that panicked.
type PanicError struct {
	Value any
	Stack string // of the Go code, innermost first
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap gives the value where it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// Report gives the form for reports.
func (e *PanicError) Report() *event.Error {
	return &event.Error{Kind: "panic", Message: e.Error(), Detail: e.Stack}
}

// nameError is a step that named no state, or none of this machine.
type nameError struct{ message, hint string }

func (e *nameError) Error() string { return e.message }

func (e *nameError) Report() *event.Error {
	return &event.Error{Kind: "script", Category: string(fault.Permanent), Message: e.message, Hint: e.hint}
}

// severalErrors is the cause of a failed run with what failed after it; at least two.
type severalErrors struct{ all []error }

// join puts errors together in the order given and leaves nil out.
func join(errs ...error) error {
	var all []error
	for _, err := range errs {
		if more, ok := err.(*severalErrors); ok {
			all = append(all, more.all...)
		} else if err != nil {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return &severalErrors{all}
}

func (e *severalErrors) Error() string {
	return e.all[0].Error() + "\n" + e.later()
}

func (e *severalErrors) later() string {
	lines := make([]string, 0, len(e.all)-1)
	for _, err := range e.all[1:] {
		lines = append(lines, "then "+err.Error())
	}
	return strings.Join(lines, "\n")
}

// Unwrap gives all of them.
func (e *severalErrors) Unwrap() []error { return e.all }

// Report is the first error's, with the others in its detail.
func (e *severalErrors) Report() *event.Error {
	var first reporter
	if !errors.As(e.all[0], &first) {
		return &event.Error{Kind: string(fault.Other), Message: e.Error()}
	}
	c := *first.Report()
	c.Detail = addLine(c.Detail, e.later())
	return &c
}

func addLine(text, line string) string {
	if text == "" {
		return line
	}
	return text + "\n" + line
}
