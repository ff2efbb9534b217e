package coord

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// ErrEnded is why a wait for a member ends that has left without an error.
var ErrEnded = errors.New("it has ended")

// ErrClosed is sending to a channel that was closed.
var ErrClosed error = fault.New(fault.BadArgument, "channel.send", "the channel is closed")

// reporter is an error that knows its form for reports.
type reporter interface{ Report() *event.Error }

// MemberFailedError is a wait, or a message, that another member's end made vain. Err is why that member ended.
type MemberFailedError struct {
	What   string // "waiting for barrier \"loaded\""
	Member string
	Err    error
}

func (e *MemberFailedError) Error() string {
	if errors.Is(e.Err, ErrEnded) {
		return fmt.Sprintf("%s: member %q has ended", e.What, e.Member)
	}
	return fmt.Sprintf("%s: member %q failed: %v", e.What, e.Member, e.Err)
}

// Unwrap gives an error of the wait's own: what the other member met is told in words, but is no error of this one. Waiting
// again does not bring the member back: it is permanent, even if what the member met was transient.
func (e *MemberFailedError) Unwrap() error { return permanent(fault.MemberFailed, e.Error()) }

// Is reports whether the other member ended for that reason.
func (e *MemberFailedError) Is(target error) bool { return errors.Is(e.Err, target) }

func permanent(kind fault.Kind, message string) error {
	return &fault.Error{Class: fault.Class{Kind: kind, Category: fault.Permanent, Message: message}}
}

// Report has no code and no statement: those are the other member's.
func (e *MemberFailedError) Report() *event.Error {
	r := &event.Error{Kind: string(fault.MemberFailed), Category: string(fault.Permanent), Message: e.Error()}
	var inner reporter
	if errors.As(e.Err, &inner) {
		if o := inner.Report(); o != nil {
			r.Detail = o.Detail
		}
	}
	return r
}

func quote(s string) string { return strconv.Quote(s) }

// WaitInfo says that Member waits For something.
type WaitInfo struct{ Member, For string }

// DeadlockError tells all members that every one of them waits, so that none can be released. Hint is one line, or "".
type DeadlockError struct {
	Waits []WaitInfo
	Hint  string
}

func (e *DeadlockError) Error() string {
	parts := make([]string, len(e.Waits))
	for i, w := range e.Waits {
		parts[i] = fmt.Sprintf("%q waits for %s", w.Member, w.For)
	}
	return "no member can go on: " + strings.Join(parts, ", ")
}

// Unwrap gives a permanent [fault.Error]: waiting again helps nobody.
func (e *DeadlockError) Unwrap() error { return permanent(fault.Other, e.Error()) }

// Report has kind script: no server has a part in it.
func (e *DeadlockError) Report() *event.Error {
	hint := e.Hint
	if hint == "" {
		hint = "every live member waits; one of them must emit, send or arrive before it waits"
	}
	return &event.Error{Kind: "script", Category: string(fault.Permanent), Message: e.Error(), Hint: hint}
}

// TimeoutError is a wait that did not end in time. Missing names the members that could have ended it, as far as they
// are known. Hint is one line, or "". It is a context.DeadlineExceeded.
type TimeoutError struct {
	What    string
	After   time.Duration
	Missing []string
	Hint    string
}

func (e *TimeoutError) Error() string {
	s := fmt.Sprintf("waited %v for %s", e.After, e.What)
	if len(e.Missing) > 0 {
		s += "; missing: " + strings.Join(e.Missing, ", ")
	}
	return s
}

// Unwrap gives a [fault.Error] of kind timeout, and context.DeadlineExceeded.
func (e *TimeoutError) Unwrap() []error {
	return []error{fault.New(fault.Timeout, "", e.Error()), context.DeadlineExceeded}
}

// Report gives the form for reports.
func (e *TimeoutError) Report() *event.Error {
	return &event.Error{Kind: string(fault.Timeout), Category: string(fault.UnknownCategory), Message: e.Error(), Hint: e.Hint}
}

// PanicError is a function that panicked in a task.
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
