package value

import "go.starlark.net/starlark"

// Outcomes is a value whose outcomes expect.outcomes judges: a schedule's result.
type Outcomes interface {
	starlark.Value
	Outcomes() []OutcomeView
}

// OutcomeView is one outcome of several that were possible.
type OutcomeView struct {
	Label   string
	Order   string // an example
	Kind    string // "ok", or the kinds of errors joined by "+"
	Count   int
	Anomaly string
	Steps   map[string]StepView
	Final   map[string]starlark.Value // table -> list of tuples
	What    string                    // what is special about it, for reports
}

// StepView is a step of an outcome.
type StepView struct {
	Rows   starlark.Value // a list of tuples, or what a function returned; None without
	Error  *Error         // nil when it succeeded
	Waited bool
}
