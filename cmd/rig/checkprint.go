package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"rig/runtime/invariant"
)

// print tells a verdict to people: the outcome first, then the proof, then what it means.
func (r *checked) print(w io.Writer) {
	fmt.Fprintf(w, "%s: %s, %s, %d operations\n", r.File, r.Model, r.Format, r.Operations)
	switch {
	case r.Elle != nil:
		r.printElle(w)
	case r.Linear != nil:
		r.printLinear(w)
	default:
		r.printInvariant(w)
	}
}

func (r *checked) printElle(w io.Writer) {
	v := r.Elle
	switch r.Valid {
	case "valid":
		fmt.Fprintf(w, "valid: nothing contradicts %s\n", v.Level)
	case "invalid":
		fmt.Fprintf(w, "INVALID: not %s\n", v.Level)
	default:
		fmt.Fprintf(w, "unknown: %s was neither shown to hold nor to be violated\n", v.Level)
	}
	for _, name := range v.Types {
		fmt.Fprintf(w, "\n%s, %s\n", name, counted(v.Counts[name]))
		shown := 0
		for _, a := range v.Anomalies {
			if a.Name != name || shown == 2 {
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
	fmt.Fprintln(w)
	if len(v.Not) > 0 {
		fmt.Fprintf(w, "ruled out: %s\n", strings.Join(v.Not, ", "))
		if len(v.AlsoNot) > 0 {
			fmt.Fprintf(w, "with them: %s\n", strings.Join(v.AlsoNot, ", "))
		}
	}
	if len(v.Strongest) > 0 {
		fmt.Fprintf(w, "strongest that remain: %s\n", strings.Join(v.Strongest, ", "))
	}
	printNotes(w, v.Notes)
}

func (r *checked) printLinear(w io.Writer) {
	switch r.Valid {
	case "valid":
		fmt.Fprintln(w, "valid: the operations could have happened one at a time")
	case "invalid":
		fmt.Fprintf(w, "INVALID: no order of the operations explains what they saw\n\nafter an order of %d of %d operations none of these can be next:\n", r.Linear.Longest, r.Linear.Operations)
		for _, s := range r.Linear.Stuck {
			fmt.Fprintf(w, "  %s\n", s)
		}
	default:
		fmt.Fprintln(w, "unknown: the time was up before all orders were tried")
	}
}

func (r *checked) printInvariant(w io.Writer) {
	v := r.Invariant
	switch r.Valid {
	case "valid":
		fmt.Fprintln(w, "valid: nothing is wrong")
	case "invalid":
		fmt.Fprintln(w, "INVALID")
	default:
		fmt.Fprintln(w, "unknown: the history says nothing")
	}
	slices.SortStableFunc(v.Faults, func(a, b invariant.Fault) int { return strings.Compare(a.Kind, b.Kind) })
	last := ""
	for _, f := range v.Faults {
		if f.Kind != last {
			fmt.Fprintf(w, "\n%s, %s\n", f.Kind, counted(v.Counts[f.Kind]))
			last = f.Kind
		}
		fmt.Fprintf(w, "  %s\n", f.Text)
	}
	fmt.Fprintln(w)
	for _, name := range slices.Sorted(maps.Keys(v.Counts)) {
		fmt.Fprintf(w, "%s: %d\n", name, v.Counts[name])
	}
	printNotes(w, v.Notes)
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
