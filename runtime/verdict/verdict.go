// Package verdict checks a history by the checker of its model.
//
// Check chooses among runtime/elle, runtime/invariant and runtime/linear; Guess tells the model where the operations make it
// clear. What was found is told to people by Verdict.Print, and drawn by DOT or HTML.
package verdict

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"rig/runtime/elle"
	"rig/runtime/history"
	"rig/runtime/invariant"
	"rig/runtime/linear"
)

// The outcomes of a check.
const (
	Valid   = "valid"
	Invalid = "invalid"
	Unknown = "unknown"
)

// Models are the names of all models.
func Models() []string {
	return append(append([]string{string(elle.ListAppend), string(elle.RWRegister)}, invariant.Models()...), linear.Models()...)
}

// Transactional says that a model's verdict is about isolation levels.
func Transactional(model string) bool {
	return model == string(elle.ListAppend) || model == string(elle.RWRegister)
}

// Searched says that a model's verdict comes from a search for an order, which may take long.
func Searched(model string) bool { return slices.Contains(linear.Models(), model) }

// Options are what to check, and what cannot be known from a history.
type Options struct {
	Model     string
	Level     string   // of transactional models; strict-serializable if empty
	Assume    []string // of rw-register: wfr, sequential, linearizable
	Total     *int64   // of bank: what all balances add up to
	Overdrawn bool     // of bank: balances may be negative
	Timeout   time.Duration
}

// Verdict is what a history shows. One of the last three is there.
type Verdict struct {
	Model      string             `json:"model"`
	Valid      string             `json:"valid"`
	Operations int                `json:"operations"`
	Elle       *elle.Verdict      `json:"isolation,omitempty"`
	Invariant  *invariant.Verdict `json:"invariant,omitempty"`
	Linear     *linear.Result     `json:"linearizability,omitempty"`
}

// Check checks a history. Only what the model cannot read is an error.
func Check(ctx context.Context, h *history.History, o Options) (*Verdict, error) {
	v := &Verdict{Model: o.Model, Operations: len(h.Ops)}
	var err error
	switch {
	case Transactional(o.Model):
		err = v.transactions(ctx, h, o)
	case len(o.Assume) > 0:
		err = errAssume
	case Searched(o.Model):
		if v.Linear, err = linear.Check(o.Model, h, o.Timeout); err == nil {
			v.Valid = string(v.Linear.Valid)
		}
	default:
		if v.Invariant, err = invariant.Check(o.Model, h, invariant.Options{Total: o.Total, Negative: o.Overdrawn}); err == nil {
			v.Valid = string(v.Invariant.Valid)
		}
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

func (v *Verdict) transactions(ctx context.Context, h *history.History, o Options) error {
	e := elle.Options{Model: elle.Model(o.Model), Level: o.Level}
	if err := assume(&e, o.Assume); err != nil {
		return err
	}
	if err := h.Unreadable(); err != nil {
		return err
	}
	if o.Timeout > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, o.Timeout)
		defer stop()
	}
	var err error
	if v.Elle, err = elle.Check(ctx, h, e); err == nil {
		v.Valid = string(v.Elle.Valid)
	}
	return err
}

var errAssume = errors.New("only rw-register takes assumptions: lists tell their order")

func assume(e *elle.Options, what []string) error {
	if len(what) > 0 && e.Model != elle.RWRegister {
		return errAssume
	}
	for _, w := range what {
		switch w {
		case "wfr":
			e.WritesFollowReads = true
		case "sequential":
			e.Sequential = true
		case "linearizable":
			e.Linearizable = true
		default:
			return fmt.Errorf("what may be assumed is wfr, sequential and linearizable, not %q", w)
		}
	}
	return nil
}

// Anomalies are the names of what is wrong, whether or not the level that was asked for forbids it.
func (v *Verdict) Anomalies() []string {
	switch {
	case v.Elle != nil:
		return v.Elle.Types
	case v.Linear != nil && v.Valid == Invalid:
		return []string{"not-linearizable"}
	case v.Invariant != nil:
		kinds := map[string]bool{}
		for _, f := range v.Invariant.Faults {
			kinds[f.Kind] = true
		}
		names := slices.AppendSeq([]string{}, maps.Keys(kinds))
		slices.Sort(names)
		return names
	}
	return []string{}
}

// RuledOut are the isolation levels that the history contradicts, the weakest first.
func (v *Verdict) RuledOut() []string {
	if v.Elle == nil {
		return []string{}
	}
	return slices.Concat([]string{}, v.Elle.Not, v.Elle.AlsoNot)
}

// Strongest are the strongest isolation levels that the history does not contradict.
func (v *Verdict) Strongest() []string {
	if v.Elle == nil {
		return []string{}
	}
	return slices.Concat([]string{}, v.Elle.Strongest)
}

// Counts is what was counted: each anomaly, and what the model counts besides.
func (v *Verdict) Counts() map[string]int {
	switch {
	case v.Elle != nil:
		return v.Elle.Counts
	case v.Invariant != nil:
		return v.Invariant.Counts
	}
	return map[string]int{}
}

// DOT draws the cycles of a transactional model for Graphviz.
func (v *Verdict) DOT() (string, error) {
	if v.Elle == nil {
		return "", fmt.Errorf("%s has no cycles to draw", v.Model)
	}
	return v.Elle.DOT(), nil
}

// SVG draws the cycles of a transactional model as a page of its own.
func (v *Verdict) SVG() (string, error) {
	if v.Elle == nil {
		return "", fmt.Errorf("%s has no cycles to draw", v.Model)
	}
	return v.Elle.SVG(), nil
}

// HTML draws the operations of a model whose order is searched for as a page.
func (v *Verdict) HTML(w io.Writer) error {
	if v.Linear == nil {
		return fmt.Errorf("%s has no order of operations to draw", v.Model)
	}
	return v.Linear.HTML(w)
}
