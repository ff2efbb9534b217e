package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/schedule"
)

// mistakes are kinds of errors that no order of steps makes.
var mistakes = []fault.Kind{
	fault.Syntax, fault.InvalidStatement, fault.UnknownTable, fault.UnknownColumn, fault.UnknownDatabase, fault.AccessDenied, fault.Refused,
	fault.BadArgument, fault.ConnectionLost, fault.SessionClosed, fault.ServerShutdown, fault.Protocol, "script", "panic", "expectation", "skip", "fail",
}

// mistake is an error of a step that is none of the schedule's outcomes.
func (x *experiment) mistake(r *schedule.Run) error {
	for _, s := range r.Steps {
		e := s.Result.Err
		if e == nil || s.Want.Error != "" || !slices.Contains(mistakes, fault.Kind(e.Kind)) {
			continue
		}
		if (e.Kind == string(fault.UnknownTable) || e.Kind == string(fault.UnknownColumn)) && x.changesTables() {
			continue
		}
		if err, ok := s.Result.Value.(error); ok {
			return err
		}
		return &stepError{x.plan.Step(s.Step).Name, e}
	}
	return nil
}

// changesTables: with DDL among the steps it depends on the order whether a table is there.
func (x *experiment) changesTables() bool {
	for n := range x.plan.Len() {
		if s := x.plan.Step(n); s.Func || schedule.DDL(s.SQL) {
			return true
		}
	}
	return false
}

// stepError is a mistake in a step.
type stepError struct {
	step string
	e    *event.Error
}

func (e *stepError) Error() string { return fmt.Sprintf("step %s: %s", e.step, e.e.Message) }

// Report gives the form for reports.
func (e *stepError) Report() *event.Error {
	c := *e.e
	c.Message = e.Error()
	switch {
	case c.Kind == string(fault.ConnectionLost) || c.Kind == string(fault.SessionClosed):
		c.Message = fmt.Sprintf("step %s: the connection of session %s ended in the middle of the schedule: %s", e.step, c.Session, e.e.Message)
		c.Hint = "where that is meant, expect it: step(..., error = \"connection_lost\")"
	case c.Hint == "":
		c.Hint = "an error that the step is meant to have is expected with step(..., error = ...)"
	}
	return &c
}

// explain gives an error of the engine its transcript and a hint.
func (x *experiment) explain(r *schedule.Run, err error) error {
	e := &event.Error{Kind: "schedule", Op: x.c.Name(), Message: err.Error(), Detail: "so far:\n" + strings.TrimRight(x.plan.Transcript(r), "\n"), Pos: x.pos}
	var impossible *schedule.ImpossibleError
	var stuck *schedule.StuckError
	switch {
	case errors.As(err, &impossible):
		e.Hint = fmt.Sprintf("put %s behind the step that releases %s, or leave order = out: orders that cannot happen are then passed over", impossible.Step, impossible.Waiting)
	case errors.As(err, &stuck):
		e.Kind, e.SQL, e.Hint = string(fault.Timeout), stuck.SQL, "the bound is timeout ="
	default:
		return err
	}
	return &scheduleError{e, err}
}

// scheduleError is an order that came to no end.
type scheduleError struct {
	e     *event.Error
	cause error
}

func (e *scheduleError) Error() string { return e.e.Message + "\n" + e.e.Detail }
func (e *scheduleError) Unwrap() error { return e.cause }

// Report gives the form for reports.
func (e *scheduleError) Report() *event.Error { return e.e }
