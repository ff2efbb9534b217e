// Package invariant checks what must hold of every read, whatever the order of operations.
//
// Check takes the name of a workload of Jepsen's: bank, set, set-full, counter or long-fork. Models lists them. Each has a
// file, whose comment says what the operations are and what is wrong.
package invariant

import (
	"fmt"

	"rig/runtime/history"
)

// Valid is the outcome of a check.
type Valid string

// The outcomes. Unknown is a history that says nothing, such as a set that was never read.
const (
	Yes     Valid = "valid"
	No      Valid = "invalid"
	Unknown Valid = "unknown"
)

// Fault is something that is wrong.
type Fault struct {
	Kind string `json:"kind"`
	Text string `json:"text"`
}

// Verdict is what a history shows.
type Verdict struct {
	Valid  Valid          `json:"valid"`
	Counts map[string]int `json:"counts"`           // what there was, and each kind of fault
	Faults []Fault        `json:"faults,omitempty"` // at most a few of each kind
	Notes  []string       `json:"notes,omitempty"`
}

// Options are what cannot be known from a history.
type Options struct {
	Total    *int64 // of a bank; without it, what its first read adds up to
	Negative bool   // balances may be negative
}

// kept is how many examples of each kind of fault a verdict has.
const kept = 5

// fault adds one.
func (v *Verdict) fault(kind, format string, args ...any) {
	v.Valid = No
	v.Counts[kind]++
	if v.Counts[kind] <= kept {
		v.Faults = append(v.Faults, Fault{kind, fmt.Sprintf(format, args...)})
	}
}

var models = []struct {
	name  string
	check func(*history.History, Options) (*Verdict, error)
}{
	{"bank", bank},
	{"set", set},
	{"set-full", setFull},
	{"counter", counter},
	{"long-fork", longFork},
}

// Models are the names of the workloads.
func Models() []string {
	var names []string
	for _, m := range models {
		names = append(names, m.name)
	}
	return names
}

// Check checks a history of a workload. Only one that is of another workload is an error.
func Check(model string, h *history.History, o Options) (*Verdict, error) {
	for _, m := range models {
		if m.name == model {
			return m.check(h, o)
		}
	}
	return nil, fmt.Errorf("there is no workload %q", model)
}

func newVerdict() *Verdict { return &Verdict{Valid: Yes, Counts: map[string]int{}} }

// who is an operation for people.
func who(h *history.History, i int) string {
	return fmt.Sprintf("%s (%s)", history.Name(i), h.Ops[i].Where())
}

// wrong is an operation that the workload does not have.
func wrong(h *history.History, i int, want string) error {
	return fmt.Errorf("%s is %s: want %s", who(h, i), describe(h, i), want)
}

func describe(h *history.History, i int) string {
	o := &h.Ops[i]
	text := h.F(o)
	if text == "" {
		text = "an operation without :f"
	}
	if o.Out != nil {
		text += " " + o.Out.String()
	}
	return text
}

// value is what an operation ended with, or began with where it did not say.
func value(o *history.Op) *history.Value {
	if o.Out != nil && o.Out.Kind != history.NilValue {
		return o.Out
	}
	if o.In != nil {
		return o.In
	}
	return &history.Value{}
}
