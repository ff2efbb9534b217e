package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rig/runtime/event"
)

// head is what the console's first line tells.
type head struct {
	planned  bool
	tests    int
	file     string // of the first test
	files    bool   // the tests are of several
	on       string // the first target that was ready
	seed     int64
	run      string
	shuffled bool
	printed  bool
}

func (h *head) start(d *event.RunStart) {
	h.seed, h.run = d.Seed, d.Run
	for _, a := range d.Args {
		name, value, _ := strings.Cut(a, "=")
		if name == "--shuffle" && value != "false" {
			h.shuffled = true
		}
	}
}

func (h *head) plan(d *event.Plan) {
	h.planned = true
	h.tests += len(d.Tests)
	for _, id := range d.Tests {
		file, _ := splitID(id)
		h.files = h.files || h.file != "" && h.file != file
		h.file = file
	}
}

func (h *head) target(d *event.Target) {
	if h.on != "" || d.State != "ready" {
		return
	}
	server := strings.TrimSpace(d.Type + " " + d.Version)
	switch {
	case server == "":
		h.on = d.Name
	case d.Name == "" || d.Name == d.Type:
		h.on = server
	default:
		h.on = d.Name + ", " + server
	}
}

// printHead prints the run's line once: when all of it is known, or when it can wait no longer.
func (c *Console) printHead(now bool) {
	h := &c.head
	if h.printed || c.o.Quiet || !now && (!h.planned || h.on == "") {
		return
	}
	h.printed = true
	parts := []string{count(int64(h.tests), "test")}
	if h.on != "" {
		parts = append(parts, "on", oneLine(h.on))
	}
	if h.shuffled {
		parts = append(parts, fmt.Sprintf("(seed %d)", h.seed))
	}
	c.line(c.paint(strong, strings.Join(parts, " ")))
	if c.o.Verbose > 0 && h.run != "" {
		c.line("run ", oneLine(h.run))
	}
}

// shownTest is a test that runs, with what it does.
type shownTest struct {
	id      string
	since   time.Time
	session string
	sql     string
	sqlFrom time.Time     // when the statement began; zero when it has ended
	notice  time.Duration // the age at which the next plain line is due
	watch   string        // the progress line of its watch, "" without one
}

func (c *Console) testStart(e *event.Event, _ *event.TestStart) {
	if c.story.isSubtest(e.Test) || c.find(e.Test) != nil {
		return
	}
	c.tests = append(c.tests, &shownTest{id: e.Test, since: time.Now(), notice: c.o.notice()})
}

// statement keeps what a test does now. An ended statement stays until the next: it is what the test did last.
func (c *Console) statement(e *event.Event) {
	t := c.find(c.story.outermost(e.Test))
	if t == nil {
		return
	}
	switch d := e.Data.(type) {
	case *event.Statement:
		if t.sqlFrom.IsZero() || t.session == e.Session {
			t.session, t.sql, t.sqlFrom = e.Session, d.SQL, time.Time{}
		}
	case *event.StatementRunning:
		t.session, t.sql, t.sqlFrom = e.Session, d.SQL, time.Now().Add(-d.Age)
	}
}

// watched keeps the progress of a test's watch; the last one to tell is shown.
func (c *Console) watched(e *event.Event, d *event.Progress) {
	t := c.find(c.story.outermost(e.Test))
	if t == nil {
		return
	}
	t.watch = ""
	if !d.Over {
		looks := ""
		if d.Looks > 0 {
			looks = count(int64(d.Looks), "look") + ", "
		}
		t.watch = fmt.Sprintf("%s: %s (%s%s)", d.Name, d.Value, looks, age(d.Elapsed))
	}
}

// testEnd prints the verdict on a test, and why.
func (c *Console) testEnd(id string, d *event.TestEnd) {
	sub := c.story.isSubtest(id)
	if !sub {
		c.tests = slices.DeleteFunc(c.tests, func(t *shownTest) bool { return t.id == id })
	}
	if !d.Final {
		c.attempt(id, d)
		return
	}
	earlier := c.attempts[id]
	delete(c.attempts, id)
	if isFixture(id) && d.Outcome == event.Failed {
		c.fixtures++
	}
	switch {
	case d.Outcome == event.Skipped:
		c.line(c.paint(warn, "SKIP"), "  ", oneLine(id), "  ", reason(d))
	case d.Outcome == event.Unknown:
		c.line(c.paint(bad, "UNKNOWN"), "  ", oneLine(id), "  ", span(d.Duration))
	case d.Outcome == event.Failed:
		c.line(c.paint(bad, "FAIL"), "  ", oneLine(id), "  ", span(d.Duration), attemptNote(d))
	case d.Flaky:
		note := ""
		if earlier != "" {
			note = "; the first one failed:"
		}
		c.line(c.paint(warn, "FLAKY"), "  ", oneLine(id), "  ", span(d.Duration), "  passed on attempt ", strconv.Itoa(d.Attempt), note)
		c.out = append(c.out, earlier...)
	case !c.o.Quiet && !isFixture(id) && (!sub || c.o.Verbose > 0):
		c.line(c.paint(good, "ok"), "  ", oneLine(id), "  ", span(d.Duration))
	}
	c.out = append(c.out, c.story.why(id, d, c.paint)...)
}

func attemptNote(d *event.TestEnd) string {
	if d.Attempt > 1 {
		return fmt.Sprintf("  attempt %d", d.Attempt)
	}
	return ""
}

// reason is why a test was skipped, in one line.
func reason(d *event.TestEnd) string {
	if strings.TrimSpace(d.Reason) == "" {
		return "no reason given"
	}
	return oneLine(d.Reason)
}

// attempt shows an attempt that another one follows, and keeps what the first said.
func (c *Console) attempt(id string, d *event.TestEnd) {
	if c.attempts[id] == "" {
		c.attempts[id] = clip(c.story.why(id, d, c.paint), 16<<10)
	}
	if c.o.Quiet {
		return
	}
	why := ""
	if e := firstError(d.Errors); e != nil {
		why = ": " + headline(e)
	}
	c.line(c.paint(warn, "RETRY"), "  ", oneLine(id), "  ", span(d.Duration), "  attempt ", strconv.Itoa(d.Attempt), " failed", why)
}

// runEnd prints the summary.
func (c *Console) runEnd(d *event.RunEnd) {
	c.ended = true
	if d.Error == nil && c.head.tests > 0 {
		c.printHead(true)
	}
	if d.Error != nil && d.Error.Message != c.told {
		c.problem("the run could not go on", d.Error)
	}
	c.showNumbers()
	c.summary(d)
}

// brokeOff prints what is known when the stream has no end.
func (c *Console) brokeOff() {
	end := c.tally.count()
	end.Duration = c.last
	c.line(c.paint(bad, "ERROR"), "  the stream of events broke off: the run did not end")
	for _, t := range c.tests {
		c.line("  ", oneLine(t.id), " did not finish")
	}
	c.showNumbers()
	end.Exit = exitInternal
	c.summary(&end)
}

func (c *Console) summary(d *event.RunEnd) {
	failed := d.Failed+d.Unknown > 0
	line := c.counts(d)
	if failed || d.Flaky > 0 || c.head.shuffled {
		line += fmt.Sprintf(" (seed %d)", c.head.seed)
	}
	look := good
	if d.Exit != exitOK {
		look = bad
	}
	c.line(c.paint(look, line))
	if d.Interrupted {
		c.line("the run was interrupted")
	}
	if c.badFiles > 0 {
		c.line(count(int64(c.badFiles), "file"), " did not load")
	}
	if c.broken > 0 {
		c.line(count(int64(c.broken), "report"), " could not be written to the end")
	}
	if d.Exit != exitOK && c.o.JournalPath != "" {
		c.line("journal: ", oneLine(c.o.JournalPath))
	}
	if d.Failed > 0 {
		c.line("next: the same command with --last-failed runs only what failed")
	}
}

// counts gives "12 tests: 10 passed, 1 failed, 1 skipped in 1.2s".
func (c *Console) counts(d *event.RunEnd) string {
	all := d.Passed + d.Failed + d.Skipped + d.Unknown + d.NotRun - min(c.fixtures, d.Failed)
	passed := fmt.Sprintf("%d passed", d.Passed)
	if d.Flaky > 0 {
		passed += fmt.Sprintf(" (%d flaky)", d.Flaky)
	}
	parts := []string{passed}
	fixtures := min(c.fixtures, d.Failed) // which are no tests
	for _, p := range []struct {
		n    int
		what string
	}{{d.Failed - fixtures, "failed"}, {d.Unknown, "unknown"}, {d.Skipped, "skipped"}, {d.NotRun, "not run"}, {d.Leaked, "leaked"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if fixtures > 0 {
		parts = append(parts, fmt.Sprintf("and %d teardown_all failed", fixtures))
	}
	if all+d.Failed == 0 {
		return "no tests ran in " + span(d.Duration)
	}
	return fmt.Sprintf("%s: %s in %s", count(int64(all), "test"), strings.Join(parts, ", "), span(d.Duration))
}
