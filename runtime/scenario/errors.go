package scenario

import "rig/runtime/event"

// SkipError ends a test as skipped. Scripts raise it by t.skip and t.requires.
type SkipError struct{ Why string }

func (e *SkipError) Error() string { return "skipped: " + e.Why }

// ExpectationError is a failed expectation; nothing in a script catches it.
type ExpectationError struct{ E *event.Error }

func (e *ExpectationError) Error() string {
	if e.E.Detail != "" {
		return e.E.Message + "\n" + e.E.Detail
	}
	return e.E.Message
}

// Report gives the form for reports.
func (e *ExpectationError) Report() *event.Error { return e.E }

// FailError is what the script's fail() raises; try_ catches it.
type FailError struct{ Msg string }

func (e *FailError) Error() string { return e.Msg }

// Report gives the form for reports.
func (e *FailError) Report() *event.Error { return &event.Error{Kind: "fail", Message: e.Msg} }
