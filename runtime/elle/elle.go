// Package elle decides which isolation levels a history of transactions rules out.
//
// Check looks at a history of lists that are appended to, or of registers that are written, in the manner of the checker
// Elle (Kingsbury and Alvaro, VLDB 2020): it infers which transaction must come before which, looks for cycles, and names
// the anomaly that each proves. Level checks the name of a level. Time and memory grow with the number of transactions and
// of their dependencies; the searches for the best example of a cycle are bounded, the knowledge that there is one is not.
package elle

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sort"

	"rig/runtime/history"
)

// Model is what transactions do.
type Model string

// The models.
const (
	ListAppend Model = "list-append"
	RWRegister Model = "rw-register"
)

// Options are what to check.
type Options struct {
	Model Model
	Level string // must hold; strict-serializable if empty
	// For registers, what may be assumed of each key to know the order of its versions: that in a transaction writes follow
	// reads, that each process sees a key move forward only, that each key is linearizable.
	WritesFollowReads, Sequential, Linearizable bool
}

// Anomaly is something that no serial execution gives.
type Anomaly struct {
	Name  string   `json:"name"`
	Story []string `json:"story"`           // one line each
	Cycle []Edge   `json:"cycle,omitempty"` // of a cycle
	Ops   []string `json:"operations,omitempty"`
}

// Edge is why an operation comes before another.
type Edge struct {
	From string `json:"from"`
	To   string `json:"to"`
	Kind string `json:"kind"` // ww, wr, rw, process or realtime
	Why  string `json:"why"`
}

// Valid is the outcome of a check.
type Valid string

// The outcomes.
const (
	Yes     Valid = "valid"
	No      Valid = "invalid"
	Unknown Valid = "unknown"
)

// Verdict is what a history shows.
type Verdict struct {
	Valid        Valid          `json:"valid"`
	Level        string         `json:"level"`
	Transactions int            `json:"transactions"`
	Edges        map[string]int `json:"edges"`
	Types        []string       `json:"anomaly_types"`
	Counts       map[string]int `json:"counts,omitempty"`
	Anomalies    []Anomaly      `json:"anomalies,omitempty"` // at most a few of each type
	Not          []string       `json:"not"`                 // the weakest models that are ruled out
	AlsoNot      []string       `json:"also_not"`            // the stronger ones
	Strongest    []string       `json:"strongest_remaining"`
	Notes        []string       `json:"notes,omitempty"`
}

// emptyGraph is what Elle calls a history in which nothing depends on anything: it proves nothing.
const emptyGraph = "empty-transaction-graph"

// kept is how many examples of each type a verdict has.
const kept = 5

// analysis is what a model knows of a history.
type analysis interface {
	// direct finds what needs no cycle.
	direct(add func(Anomaly))
	// dependencies adds the edges of data.
	dependencies(l *links)
	// why explains an edge of data.
	why(a, b int32, k kind) string
}

// Check checks a history. When ctx ends the verdict has what was found till then; it is Unknown if that is nothing bad. Only
// a history that the model cannot read is an error.
func Check(ctx context.Context, h *history.History, o Options) (*Verdict, error) {
	if o.Level == "" {
		o.Level = "strict-serializable"
	}
	level, err := Level(o.Level)
	if err != nil {
		return nil, err
	}
	t := newTxns(h)
	a, err := analyse(t, o)
	if err != nil {
		return nil, err
	}
	v := &Verdict{Level: level, Transactions: len(t.ops), Counts: map[string]int{}}
	add := func(x Anomaly) {
		v.Counts[x.Name]++
		if v.Counts[x.Name] <= kept {
			v.Anomalies = append(v.Anomalies, x)
		}
	}
	a.direct(add)
	complete := v.cycles(ctx, t, a, add)
	v.judge(complete && ctx.Err() == nil)
	if !h.Invocations && len(t.ops) > 0 {
		v.Notes = append(v.Notes, "the history has no invocations: nothing is known of real time")
	}
	return v, nil
}

func analyse(t *txns, o Options) (analysis, error) {
	switch o.Model {
	case ListAppend:
		return newLists(t)
	case RWRegister:
		return newRegisters(t, o)
	}
	return nil, fmt.Errorf("there is no model %q of transactions", o.Model)
}

// cycles adds the anomalies that are cycles. It says whether all was searched.
func (v *Verdict) cycles(ctx context.Context, t *txns, a analysis, add func(Anomaly)) bool {
	l := &links{txns: int32(len(t.ops))}
	a.dependencies(l)
	t.orders(l)
	v.Edges = map[string]int{}
	for k, n := range l.kinds[:fromHub] {
		v.Edges[kindNames[k]] = n
	}
	if len(l.list) == 0 {
		story := "no transaction depends on another: this history proves nothing"
		if len(v.Anomalies) > 0 {
			story = "no transaction depends on another: there are no cycles to look for"
		}
		add(Anomaly{Name: emptyGraph, Story: []string{story}})
		return true
	}
	if int(l.txns)+int(l.hubs) >= maxNodes {
		v.Notes = append(v.Notes, "too many transactions to look for cycles")
		return false
	}
	g := l.graph()
	l.list = nil
	s := &searcher{ctx: ctx, effort: maxEffort}
	for _, p := range g.parts(of(ww, wr, rw, process, realtime, fromHub)) {
		s.search(p)
	}
	for _, f := range s.found {
		add(tell(t, a, f))
	}
	for _, what := range slices.Compact(s.gaveUp) {
		v.Notes = append(v.Notes, "the search for "+what+" was given up at its bound: there may be one")
	}
	return true
}

// judge fills in what follows from the anomalies.
func (v *Verdict) judge(complete bool) {
	v.Types = []string{}
	var bad []string
	violated := false
	for name := range v.Counts {
		v.Types = append(v.Types, name)
		if name != emptyGraph {
			bad = append(bad, name)
			violated = violated || Violates(v.Level, name)
		}
	}
	// A cycle that is known only to be there says nothing more where another anomaly rules out its model.
	v.Types = slices.DeleteFunc(v.Types, func(name string) bool { return v.redundant(name) })
	v.Anomalies = slices.DeleteFunc(v.Anomalies, func(a Anomaly) bool { return v.redundant(a.Name) })
	sort.Strings(v.Types)
	slices.SortStableFunc(v.Anomalies, func(a, b Anomaly) int { return slices.Index(v.Types, a.Name) - slices.Index(v.Types, b.Name) })
	v.Not, v.AlsoNot = RuledOut(bad)
	v.Strongest = Remaining(bad)
	switch {
	case violated:
		v.Valid = No
	case !complete:
		v.Valid = Unknown
		v.Notes = append(v.Notes, "the time was up before everything was searched")
	case v.Counts[emptyGraph] > 0:
		v.Valid = Unknown
	default:
		v.Valid = Yes
	}
}

func (v *Verdict) redundant(name string) bool {
	if !isCycleExists(name) {
		return false
	}
	var others []string
	for n := range v.Counts {
		if !isCycleExists(n) {
			others = append(others, n)
		}
	}
	return impossible(others)[name[:len(name)-len(cycleExists)]]
}

// errMixed is what a history of another model gets.
var errMixed = errors.New("the history has other operations than this model's")
