package report

import (
	"slices"
	"sync"
	"time"

	"rig/runtime/event"
)

// TallyOptions say what fails a run besides failed tests.
type TallyOptions struct {
	Strict          bool // a leak does
	FlakyFails      bool // a test that passed only when tried again does
	AllowAllSkipped bool // a run all of whose tests were skipped does not
}

// Tally is a sink that counts, for the exit code and the RunEnd. A test counts once, when its last attempt ends; a
// subtest counts through its test; a fixture counts only when it fails. End and Exit may be called from any goroutine.
type Tally struct {
	o TallyOptions

	mu     sync.Mutex // guards all below
	family family
	left   map[string]bool // planned and not ended
	counts event.RunEnd
	failed []string

	badFiles int
	detached int
	signal   int // exit code of the first signal, 0 without one
	given    int // exit code of the run itself, from End or from a RunEnd that was read
}

// NewTally makes a Tally.
func NewTally(o TallyOptions) *Tally {
	return &Tally{o: o, family: newFamily(), left: map[string]bool{}}
}

// Name for messages.
func (t *Tally) Name() string { return "tally" }

// Flush has nothing to do.
func (t *Tally) Flush() error { return nil }

// Close has nothing to do.
func (t *Tally) Close() error { return nil }

// Event counts.
func (t *Tally) Event(e *event.Event) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.family.see(e)
	switch d := e.Data.(type) {
	case *event.Plan:
		for _, id := range d.Tests {
			t.left[id] = true
		}
	case *event.TestEnd:
		t.testEnd(e.Test, d)
		t.family.done(e.Test)
	case *event.Leak:
		t.counts.Leaked++
	case *event.FileLoad:
		if d.Error != nil {
			t.badFiles++
		}
	case *event.SinkDetached:
		t.detached++
	case *event.Signal:
		t.stop(d.Name)
	case *event.RunEnd:
		t.given = Worst(t.given, d.Exit)
	}
	return nil
}

func (t *Tally) stop(signal string) {
	if t.signal != 0 {
		return
	}
	t.signal = exitSIGINT
	if signal == "SIGTERM" || signal == "terminated" {
		t.signal = exitSIGTERM
	}
}

func (t *Tally) testEnd(id string, d *event.TestEnd) {
	if !d.Final || t.family.isSubtest(id) {
		return
	}
	delete(t.left, id)
	fixture := isFixture(id)
	switch d.Outcome {
	case event.Failed:
		t.counts.Failed++
		t.failed = append(t.failed, id)
	case event.Unknown:
		t.counts.Unknown++
	case event.Skipped:
		if !fixture {
			t.counts.Skipped++
		}
	default:
		if !fixture {
			t.counts.Passed++
		}
		if d.Flaky {
			t.counts.Flaky++
		}
	}
}

// Failed lists the ids of failed tests in the order in which they ended, failed fixtures among them.
func (t *Tally) Failed() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.failed)
}

// End makes the event that closes the stream, with the exit code so far. runErr tells why the run itself could not go on,
// nil when it could; runExit is the code for that and is remembered. A runErr without a code is an error inside rig.
func (t *Tally) End(elapsed time.Duration, runErr *event.Error, runExit int, interrupted bool) *event.RunEnd {
	t.mu.Lock()
	defer t.mu.Unlock()
	if runErr != nil && runExit == exitOK {
		runExit = exitInternal
	}
	t.given = Worst(t.given, runExit)
	if interrupted && t.signal == 0 {
		t.signal = exitSIGINT
	}
	end := t.count()
	end.Exit, end.Duration, end.Error = t.exit(), elapsed, runErr
	end.Interrupted = interrupted || t.signal != 0
	return &end
}

// count gives the counts so far.
func (t *Tally) count() event.RunEnd {
	c := t.counts
	c.NotRun = len(t.left)
	return c
}

// Exit gives the exit code so far: the worst of all reasons.
func (t *Tally) Exit() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.exit()
}

func (t *Tally) exit() int {
	c := &t.counts
	code := Worst(t.given, t.signal)
	for _, reason := range []struct {
		holds bool
		code  int
	}{
		{c.Failed > 0, exitFailed},
		{c.Unknown > 0, exitUnknown},
		{t.badFiles > 0, exitLoad},
		{t.detached > 0, exitIncomplete},
		{t.o.Strict && c.Leaked > 0, exitLeaked},
		{t.o.FlakyFails && c.Flaky > 0, exitFlaky},
		{t.nothingRan(), exitNothing},
	} {
		if reason.holds {
			code = Worst(code, reason.code)
		}
	}
	return code
}

func (t *Tally) nothingRan() bool {
	c := &t.counts
	if c.Passed+c.Failed+c.Unknown > 0 {
		return false
	}
	return c.Skipped == 0 || !t.o.AllowAllSkipped
}
