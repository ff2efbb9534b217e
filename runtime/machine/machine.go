// Package machine runs state machines: named states whose handlers name the state that comes next.
//
// [New] checks a [Definition] and refuses what could not work: names of states that do not exist, states nobody reaches,
// dead ends, no way to completed. [Machine.Run] runs it, in the caller's goroutine; a Machine does not change, so it may
// be run any number of times and concurrently. [Machine.Graph] draws it.
//
// A visit of a state is enter, execute, exit. Exit runs whenever enter was begun, also when enter or execute failed or
// the context ended. Everything that ends a run early is an error that names machine, state, visit and cause; the handler
// of failed, where there is one, then runs once. A step that names failed gives a verdict and is no error.
//
// Run never abandons a step: it returns when the running step does. A step must end when its context ends.
package machine

import (
	"context"
	"slices"

	"rig/runtime/event"
)

// The common states, in the order in which they run, and the two terminal ones.
const (
	ParsingConfig     = "parsing_config"
	Connecting        = "connecting"
	TestingConnection = "testing_connection"
	VerifyingDatabase = "verifying_database"
	GettingVersion    = "getting_version"
	Completed         = "completed"
	Failed            = "failed"
)

// Common lists the states that run before the definition's own, in order. The caller owns the result.
func Common() []string {
	return []string{ParsingConfig, Connecting, TestingConnection, VerifyingDatabase, GettingVersion}
}

// Step is one part of a handler. Enter may redirect by naming a state; "" goes on to execute. Execute names the next
// state; only a common state may return "", for its usual next one.
type Step func(v *Visit) (next string, err error)

// Handler is what happens in a state; any of its steps may be nil.
type Handler struct {
	Enter, Execute Step
	Exit           func(v *Visit) error
}

// State is a state of a definition. To lists the names that enter or execute may give, for validation: "" stands for the
// usual next state of a common one, and an empty list on a common state means the same. Dynamic says that To does not
// tell all names. Pos is where the handler was written.
type State struct {
	Name    string
	Handler Handler
	To      []string
	Dynamic bool
	Pos     event.Pos
}

// Definition is what [New] makes a machine of. States are in source order; one that has the name of a common state
// replaces it, and completed and failed may have handlers too. A common state that has no handler, neither in Common nor
// in States, does not exist in this machine.
//
// Start "" is the first common state, else AfterCommon. AfterCommon "" is the first of States that is not common, else
// completed.
type Definition struct {
	Name        string
	States      []State
	Start       string
	AfterCommon string
	Common      map[string]Handler
}

// Visit is what a step is told. Context bounds the step that is running: it ends with the run, but for exit and the
// handler of failed it outlives the run by [ExitGrace]. Previous is "" at the start. Visits counts the visits of this
// state in this run and Step all visits of the run, both from 1 and with this one. Local belongs to the state and is kept
// between its visits of one run. The steps of one visit share one Visit; nobody else has it.
type Visit struct {
	Context         context.Context
	Machine, Member string
	State, Previous string
	Visits          int
	Step            int
	Local           any
}

// Problem is something wrong with a definition. Hint is one line, or "".
type Problem struct {
	State   string
	Message string
	Pos     event.Pos
	Hint    string
}

// Error gives the message with its hint.
func (p Problem) Error() string {
	if p.Hint == "" {
		return p.Message
	}
	return p.Message + " (" + p.Hint + ")"
}

// Machine is a checked definition. It does not change.
type Machine struct {
	name     string
	start    string
	states   map[string]*state
	order    []string // common, own, completed, failed
	warnings []Problem
}

type state struct {
	State
	then     string // the usual next state; "" on states that are not common
	own      bool   // from Definition.States
	common   bool
	terminal bool
}

// runs reports whether a visit does anything.
func (s *state) runs() bool {
	h := s.Handler
	return h.Enter != nil || h.Execute != nil || h.Exit != nil
}

// targets gives the states that s may name, as far as they are known, each once.
func (s *state) targets() []string {
	if s.terminal {
		return nil
	}
	if s.common && len(s.To) == 0 {
		return []string{s.then}
	}
	var out []string
	for _, name := range s.To {
		if name == "" {
			name = s.then
		}
		if name != "" && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// New checks a definition. The error is a *[DefinitionError] with everything that is wrong.
func New(d Definition) (*Machine, error) {
	m := &Machine{name: d.Name, states: map[string]*state{}}
	c := &check{m: m, d: d}
	c.build()
	c.names()
	if len(c.errors) == 0 { // paths mean nothing while names are wrong
		c.paths()
	}
	if len(c.errors) > 0 {
		return nil, &DefinitionError{Machine: d.Name, Problems: c.errors}
	}
	m.warnings = c.warnings
	return m, nil
}

// Name of the machine.
func (m *Machine) Name() string { return m.name }

// Start is the state in which a run begins.
func (m *Machine) Start() string { return m.start }

// Warnings tells what may be wrong but cannot be known before a run. The caller owns the result.
func (m *Machine) Warnings() []Problem { return slices.Clone(m.warnings) }
