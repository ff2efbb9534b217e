package verdict

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"rig/runtime/elle"
	"rig/runtime/invariant"
)

// The bounds of what is told of each anomaly, and of a short story.
const (
	shownExamples = 2 // of each anomaly
	shownFaults   = 3 // of each kind of fault, for each example of an anomaly
	shownKinds    = 3 // anomalies that a short story tells; it names the others
)

// Print tells a verdict to people: the outcome first, then the proof, then what it means.
func (v *Verdict) Print(w io.Writer) { v.print(w, shownExamples, math.MaxInt) }

// Story is the verdict in short: one example of a few anomalies.
func (v *Verdict) Story() string {
	var b strings.Builder
	short := *v
	if v.Elle != nil { // what the level forbids comes first
		e := *v.Elle
		e.Types = slices.Clone(e.Types)
		slices.SortStableFunc(e.Types, func(a, b string) int { return rank(&e, a) - rank(&e, b) })
		short.Elle = &e
	}
	short.print(&b, 1, shownKinds)
	return strings.TrimRight(b.String(), "\n")
}

// rank puts what violates the level before what it allows, and plain anomalies before those that need more than the data.
func rank(e *elle.Verdict, name string) int {
	r := 0
	if !elle.Violates(e.Level, name) {
		r = 2
	}
	if strings.HasSuffix(name, "-process") || strings.HasSuffix(name, "-realtime") {
		r++
	}
	return r
}

func (v *Verdict) print(w io.Writer, examples, kinds int) {
	switch {
	case v.Elle != nil:
		v.printElle(w, examples, kinds)
	case v.Linear != nil:
		v.printLinear(w)
	default:
		v.printInvariant(w, examples)
	}
}

func (v *Verdict) printElle(w io.Writer, examples, kinds int) {
	e := v.Elle
	switch v.Valid {
	case "valid":
		fmt.Fprintf(w, "valid: nothing contradicts %s\n", e.Level)
	case "invalid":
		fmt.Fprintf(w, "INVALID: not %s\n", e.Level)
	default:
		fmt.Fprintf(w, "unknown: %s was neither shown to hold nor to be violated\n", e.Level)
	}
	for i, name := range e.Types {
		if i < kinds {
			fmt.Fprintf(w, "\n%s, %s\n", name, counted(e.Counts[name]))
			tell(w, e.Anomalies, name, examples)
		} else {
			fmt.Fprintf(w, "%s, %s\n", name, counted(e.Counts[name]))
		}
	}
	fmt.Fprintln(w)
	if len(e.Not) > 0 {
		fmt.Fprintf(w, "ruled out: %s\n", strings.Join(e.Not, ", "))
		if len(e.AlsoNot) > 0 {
			fmt.Fprintf(w, "with them: %s\n", strings.Join(e.AlsoNot, ", "))
		}
	}
	if len(e.Strongest) > 0 {
		fmt.Fprintf(w, "strongest that remain: %s\n", strings.Join(e.Strongest, ", "))
	}
	printNotes(w, e.Notes)
}

// tell prints examples of an anomaly.
func tell(w io.Writer, all []elle.Anomaly, name string, examples int) {
	shown := 0
	for _, a := range all {
		if a.Name != name || shown == examples {
			continue
		}
		if shown++; shown > 1 && len(a.Story) > 1 {
			fmt.Fprintln(w)
		}
		for _, line := range a.Story {
			fmt.Fprintf(w, "  %s\n", line)
		}
	}
}

func (v *Verdict) printLinear(w io.Writer) {
	switch v.Valid {
	case "valid":
		fmt.Fprintln(w, "valid: the operations could have happened one at a time")
	case "invalid":
		fmt.Fprintf(w, "INVALID: no order of the operations explains what they saw\n\nafter an order of %d of %d operations none of these can be next:\n", v.Linear.Longest, v.Linear.Of)
		for _, s := range v.Linear.Stuck {
			fmt.Fprintf(w, "  %s\n", s)
		}
	default:
		fmt.Fprintln(w, "unknown: the time was up before all orders were tried")
	}
}

func (v *Verdict) printInvariant(w io.Writer, examples int) {
	iv := v.Invariant
	switch v.Valid {
	case "valid":
		fmt.Fprintln(w, "valid: nothing is wrong")
	case "invalid":
		fmt.Fprintln(w, "INVALID")
	default:
		fmt.Fprintln(w, "unknown: the history says nothing")
	}
	slices.SortStableFunc(iv.Faults, func(a, b invariant.Fault) int { return strings.Compare(a.Kind, b.Kind) })
	last, shown := "", 0
	for _, f := range iv.Faults {
		if f.Kind != last {
			fmt.Fprintf(w, "\n%s, %s\n", f.Kind, counted(iv.Counts[f.Kind]))
			last, shown = f.Kind, 0
		}
		if shown++; shown <= shownFaults*examples {
			fmt.Fprintf(w, "  %s\n", f.Text)
		}
	}
	fmt.Fprintln(w)
	for _, name := range slices.Sorted(maps.Keys(iv.Counts)) {
		fmt.Fprintf(w, "%s: %d\n", name, iv.Counts[name])
	}
	printNotes(w, iv.Notes)
}

func printNotes(w io.Writer, notes []string) {
	for _, n := range notes {
		fmt.Fprintf(w, "note: %s\n", n)
	}
}

func counted(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}
