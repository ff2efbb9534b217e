package schedule

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"rig/runtime/event"
)

// verify compares what happened with what was expected.
func (r *runner) verify() {
	for _, s := range r.run.Steps {
		name := r.Plan.Step(s.Step).Name
		for _, problem := range r.against(s) {
			r.run.Problems = append(r.run.Problems, fmt.Sprintf("step %s %s", name, problem))
		}
	}
}

func (r *runner) against(s *StepRun) []string {
	var out []string
	add := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	w := s.Want
	switch {
	case w.Waits == Yes && !s.Waited:
		add("must wait, but it returned at once")
	case w.Waits == No && s.Waited:
		add("must not wait, but it waited for %s (%s)", waitedFor(s.Blockers), s.lock())
	}
	for _, b := range w.For {
		if s.Waited && !slices.Contains(s.Blockers, b) {
			add("must wait for %s, but it waited for %s", b, waitedFor(s.Blockers))
		}
	}
	for _, after := range w.After {
		if r.endedBefore(s.Step, after) {
			add("must return only after %s, but it returned before", after)
		}
	}
	if w.Proceeds != "" && (s.ReleasedBy < 0 || r.Plan.Step(s.ReleasedBy).Name != w.Proceeds) {
		by := "nothing"
		if s.ReleasedBy >= 0 {
			by = r.Plan.Step(s.ReleasedBy).Name
		}
		add("must proceed after %s, but what let it proceed was %s", w.Proceeds, by)
	}
	if !matchesError(s.Result.Err, w.Error) {
		if s.Result.Err == nil {
			add("must fail with %s, but it succeeded", w.Error)
		} else {
			add("must fail with %s, but it failed with %s", w.Error, errorText(s.Result.Err))
		}
	}
	if w.HasRows && !sameRows(s.Result.Rows, w.Rows) {
		add("must give %s, but it gave %s", rowsText(w.Rows), rowsText(s.Result.Rows))
	}
	return out
}

// endedBefore reports whether a step came to its end before another did, or the other never did.
func (r *runner) endedBefore(step int, other string) bool {
	for _, e := range r.run.Log {
		if e.What != Returns && e.What != Proceeds {
			continue
		}
		if r.Plan.Step(e.Step).Name == other {
			return false
		}
		if e.Step == step {
			return true
		}
	}
	return false
}

func matchesError(e *event.Error, want string) bool {
	switch want {
	case "":
		return true
	case "any", "error":
		return e != nil
	}
	if e == nil {
		return false
	}
	if n, err := strconv.Atoi(want); err == nil {
		return e.Code == n
	}
	return e.Kind == want
}

// errorText is "ERROR 1213 deadlock".
func errorText(e *event.Error) string {
	if e.Code == 0 {
		return "error " + e.Kind
	}
	return fmt.Sprintf("error %d %s", e.Code, e.Kind)
}

// sameRows compares rows as a transcript shows them.
func sameRows(a, b [][]string) bool {
	return slices.EqualFunc(a, b, func(x, y []string) bool { return strings.Join(x, ", ") == strings.Join(y, ", ") })
}

func rowsText(rows [][]string) string {
	if len(rows) == 0 {
		return "no rows"
	}
	var out []string
	for _, r := range rows {
		out = append(out, "("+strings.Join(r, ", ")+")")
	}
	return strings.Join(out, " ")
}
