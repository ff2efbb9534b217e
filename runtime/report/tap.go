package report

import (
	"strconv"
	"strings"
	"time"

	"rig/runtime/event"
)

// tap writes TAP version 14. The plan comes first, so that a reader notices a stream that broke off; therefore only tests
// have points of their own. Subtests of any depth are one indented block before their test's point, each under its full
// name. A file that does not load is a failed point of its own. A fixture that fails, which no plan knows, is a point
// beyond the plan.
type tap struct {
	story
	tests  []string // planned, in order
	points int
	seen   map[string]bool     // tests with a point
	subs   map[string]*subtest // by test
	runs   map[string]int      // attempts that failed, by test
	broken []*event.FileLoad   // that do not load, before the plan
	headed bool                // the version is written
	early  bool                // the plan is written
	over   bool                // bailed out
}

// subtest is the block of a test's subtests.
type subtest struct {
	text   output
	points int
}

func newTAP() *tap {
	return &tap{story: newStory(), seen: map[string]bool{}, subs: map[string]*subtest{}, runs: map[string]int{}}
}

func (t *tap) take(w *output, e *event.Event) {
	if t.over {
		return
	}
	t.see(e)
	t.version(w)
	switch d := e.Data.(type) {
	case *event.Plan:
		t.plan(w, d)
	case *event.FileLoad:
		if d.Error != nil {
			t.broken = append(t.broken, &event.FileLoad{File: d.File, Duration: d.Duration, Error: copyError(d.Error)})
		}
	case *event.Log:
		for line := range strings.SplitSeq(strings.TrimSuffix(printed(e, d), "\n"), "\n") {
			t.comment(w, line)
		}
	case *event.Leak:
		t.comment(w, oneLine("leak: "+e.Pos.String()+": "+d.What+": "+d.Detail))
	case *event.TestEnd:
		t.end(w, e.Test, d)
		t.ended(e.Test)
	case *event.RunEnd:
		t.runEnd(w, d)
	}
}

func (t *tap) plan(w *output, d *event.Plan) {
	if t.early { // a second plan cannot be told any more; its tests still get their points
		t.tests = append(t.tests, d.Tests...)
		return
	}
	t.tests = append(t.tests, d.Tests...)
	points := len(t.tests) + len(t.broken)
	if points == 0 {
		return // more may come: the plan is written last
	}
	w.str("1..", strconv.Itoa(points), "\n")
	t.early = true
	t.load(w)
}

func (t *tap) version(w *output) {
	if !t.headed {
		w.str("TAP version 14\n")
	}
	t.headed = true
}

// load gives the files that do not load their points: nothing else says that their tests are missing.
func (t *tap) load(w *output) {
	for _, d := range t.broken {
		t.points++
		errs := []*event.Error{d.Error}
		end := &event.TestEnd{Outcome: event.Failed, Duration: d.Duration, Errors: errs}
		point(w, t.points, d.File+" does not load", end, failure(errs, nil, noColour))
	}
	t.broken = nil
}

func (t *tap) comment(w *output, text string) {
	if text != "" {
		w.str("# ", text, "\n")
	}
}

func (t *tap) end(w *output, id string, d *event.TestEnd) {
	test := t.outermost(id)
	switch {
	case test != id:
		s := t.subs[test]
		if s == nil {
			s = &subtest{}
			t.subs[test] = s
		}
		s.points++
		point(&s.text, s.points, id, d, t.why(id, d, noColour))
	case !d.Final:
		t.runs[id]++
		delete(t.subs, id)
		t.comment(w, oneLine(id)+": attempt "+strconv.Itoa(d.Attempt)+" failed: "+summary(firstError(d.Errors), "no reason given"))
	case isFixture(id) && d.Outcome != event.Failed:
	case len(t.tests) > 0 && !t.planned[id] && d.Outcome == event.OK:
		t.comment(w, "ok - "+oneLine(id)) // a further round of the plan
	default:
		t.testPoint(w, id, d)
	}
}

// subtests writes the block of a test's subtests.
func (t *tap) subtests(w *output, id string) {
	if s := t.subs[id]; s != nil {
		delete(t.subs, id)
		w.str(indent("# Subtest: "+oneLine(id)+"\n"+string(s.text.buf)+"1.."+strconv.Itoa(s.points), "    "))
	}
}

func (t *tap) testPoint(w *output, id string, d *event.TestEnd) {
	t.subtests(w, id)
	t.points++
	t.seen[id] = true
	delete(t.runs, id)
	point(w, t.points, id, d, t.why(id, d, noColour))
}

// point writes a test point with its diagnostics.
func point(w *output, number int, id string, d *event.TestEnd, why string) {
	if d.Outcome == event.Failed || d.Outcome == event.Unknown {
		w.str("not ")
	}
	w.str("ok ", strconv.Itoa(number), " - ", tapText(id))
	if d.Outcome == event.Skipped {
		w.str(" # SKIP ", reason(d), "\n")
		return
	}
	w.str("\n  ---\n  duration_ms: ", strconv.FormatFloat(float64(d.Duration)/float64(time.Millisecond), 'f', 3, 64), "\n")
	if d.Outcome != event.OK {
		w.str("  outcome: ", d.Outcome.String(), "\n")
	}
	if d.Flaky {
		w.str("  flaky: true\n")
	}
	if d.Attempt > 1 {
		w.str("  attempt: ", strconv.Itoa(d.Attempt), "\n")
	}
	if e := firstError(d.Errors); e != nil {
		w.str("  message: ", yamlText(headline(e)), "\n  severity: ", severity(e), "\n  kind: ", yamlText(kindOf(e)), "\n")
		if !e.Pos.IsZero() {
			w.str("  at:\n    file: ", yamlText(clean(e.Pos.File)), "\n    line: ", strconv.Itoa(int(e.Pos.Line)), "\n")
		}
	}
	if why != "" {
		// The number says how deep the block is indented: its own lines may begin with blanks.
		w.str("  report: |2\n", indent(why, "    "))
	}
	w.str("  ...\n")
}

func severity(e *event.Error) string {
	if isFailure(e) {
		return "fail"
	}
	return "error"
}

// tapText is a description: # would begin a directive.
func tapText(s string) string {
	return strings.NewReplacer(`\`, `\\`, `#`, `\#`).Replace(oneLine(s))
}

// yamlText is a double-quoted scalar of text that is clean and one line.
func yamlText(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(oneLine(s)) + `"`
}

func (t *tap) runEnd(w *output, d *event.RunEnd) {
	if d.Error != nil {
		t.over = true
		w.str("Bail out! ", tapText(headline(d.Error)), "\n")
		return
	}
	t.rest(w)
}

func (t *tap) finish(w *output) {
	t.version(w)
	if !t.over {
		t.rest(w)
	}
}

// rest gives every planned test without a point its point, and a plan to a stream that had none.
func (t *tap) rest(w *output) {
	t.load(w)
	for _, id := range t.tests {
		if t.seen[id] {
			continue
		}
		t.seen[id] = true
		t.subtests(w, id)
		t.points++
		switch {
		case t.running[id] || t.runs[id] > 0:
			w.str("not ok ", strconv.Itoa(t.points), " - ", tapText(id), "\n  ---\n  message: \"did not finish\"\n  severity: error\n  ...\n")
		default:
			w.str("ok ", strconv.Itoa(t.points), " - ", tapText(id), " # SKIP not run\n")
		}
	}
	if !t.early {
		w.str("1..", strconv.Itoa(t.points))
		if t.points == 0 {
			w.str(" # SKIP no tests")
		}
		w.str("\n")
		t.early = true
	}
}
