package report

import (
	"slices"
	"testing"
	"time"

	"rig/runtime/event"
)

func tallied(o TallyOptions, s *stream) *Tally {
	t := NewTally(o)
	for i := range s.events {
		_ = t.Event(&s.events[i])
	}
	return t
}

func skippedRun() *stream {
	return begin(nil, tSkip).start(tSkip).end(tSkip, event.TestEnd{Outcome: event.Skipped, Reason: "x"})
}

func unknownRun() *stream {
	return begin(nil, tLost).start(tLost).end(tLost, event.TestEnd{Outcome: event.Unknown})
}

func TestTallyExit(t *testing.T) {
	leak := begin(nil, tOpen).start(tOpen).add(tOpen, "", "", &event.Leak{}).end(tOpen, event.TestEnd{Leaks: 1})
	signal := func(name string) *stream {
		return failingRun().add("", "", "", &event.Signal{Name: name, Count: 1}).add("", "", "", &event.Signal{Name: "SIGINT", Count: 2})
	}
	for _, c := range []struct {
		name string
		o    TallyOptions
		s    *stream
		want int
	}{
		{"passed", TallyOptions{}, passingRun(), exitOK},
		{"failed", TallyOptions{}, failingRun(), exitFailed},
		{"failed fixture", TallyOptions{}, leakRun(), exitFailed},
		{"nothing", TallyOptions{}, &stream{}, exitNothing},
		{"nothing selected", TallyOptions{AllowAllSkipped: true}, begin(nil), exitNothing},
		{"skipped", TallyOptions{}, skippedRun(), exitNothing},
		{"skipped allowed", TallyOptions{AllowAllSkipped: true}, skippedRun(), exitOK},
		{"load error", TallyOptions{}, loadErrorRun(), exitLoad},
		{"target", TallyOptions{}, targetErrorRun(), exitTarget},
		{"flaky", TallyOptions{}, flakyRun(), exitOK},
		{"flaky fails", TallyOptions{FlakyFails: true}, flakyRun(), exitFlaky},
		{"leak", TallyOptions{}, leak, exitOK},
		{"leak strict", TallyOptions{Strict: true}, leak, exitLeaked},
		{"unknown", TallyOptions{}, unknownRun(), exitUnknown},
		{"detached", TallyOptions{}, passingRun().add("", "", "", &event.SinkDetached{}), exitIncomplete},
		{"int", TallyOptions{}, signal("SIGINT"), exitSIGINT},
		{"term", TallyOptions{}, signal("SIGTERM"), exitSIGTERM},
	} {
		if got := tallied(c.o, c.s).Exit(); got != c.want {
			t.Errorf("%s: exit %d, want %d", c.name, got, c.want)
		}
	}
}

func TestTallyCounts(t *testing.T) {
	for _, c := range []struct {
		s    *stream
		want event.RunEnd
		ids  []string
	}{
		{failingRun(), event.RunEnd{Exit: 1, Passed: 1, Failed: 2, Skipped: 1, Unknown: 1, NotRun: 1}, []string{tInsert, tSub}},
		{passingRun(), event.RunEnd{Passed: 2}, nil},
		{flakyRun(), event.RunEnd{Passed: 1, Flaky: 1}, nil},
		{leakRun(), event.RunEnd{Exit: 1, Passed: 1, Failed: 1, Leaked: 1}, []string{"bank.star::teardown_all"}},
		{truncatedRun(), event.RunEnd{Passed: 1, NotRun: 2}, nil},
	} {
		tally := tallied(TallyOptions{}, c.s)
		c.want.Duration = time.Second
		if got := tally.End(time.Second, nil, 0, false); *got != c.want {
			t.Errorf("got %+v, want %+v", *got, c.want)
		}
		if got := tally.Failed(); !slices.Equal(got, c.ids) {
			t.Errorf("failed %q, want %q", got, c.ids)
		}
	}
}

// TestTallyIgnoresGoodFixtures: a teardown_all that only leaked ends as ok, and no plan has it.
func TestTallyIgnoresGoodFixtures(t *testing.T) {
	const id = "bank.star::teardown_all"
	s := begin(nil, tOpen).start(tOpen).end(tOpen, event.TestEnd{}).start(id).add(id, "", "", &event.Leak{}).end(id, event.TestEnd{Leaks: 1})
	if got := tallied(TallyOptions{}, s).End(0, nil, 0, false); got.Passed != 1 || got.Leaked != 1 || got.Exit != exitOK {
		t.Errorf("got %+v", got)
	}
}

// TestTallyRounds counts ids that no plan has: they are further rounds, not subtests.
func TestTallyRounds(t *testing.T) {
	s := begin(nil, "a/b.star::test_x[1/2]")
	for _, id := range []string{"a/b.star::test_x[1/2]", "a/b.star::test_x[1/2]#2", "a/b.star::test_x[1/2]#3"} {
		s.start(id).start(id+"/sub").start(id+"/sub/deep").end(id+"/sub/deep", event.TestEnd{}).end(id+"/sub", event.TestEnd{}).end(id, event.TestEnd{})
	}
	if got := tallied(TallyOptions{}, s).End(0, nil, 0, false); got.Passed != 3 || got.NotRun != 0 {
		t.Errorf("got %+v", got)
	}
}

func TestTallyEnd(t *testing.T) {
	tally := tallied(TallyOptions{}, failingRun())
	bad := &event.Error{Message: "x"}
	if got := tally.End(0, bad, exitTarget, false); got.Exit != exitTarget || got.Error != bad || got.Interrupted {
		t.Errorf("got %+v", got)
	}
	if got := tally.Exit(); got != exitTarget {
		t.Errorf("exit %d: End's code is forgotten", got)
	}
	if got := tallied(TallyOptions{}, passingRun()).End(0, bad, 0, false).Exit; got != exitInternal {
		t.Errorf("an error without a code gives %d", got)
	}
	if got := tallied(TallyOptions{}, passingRun()).End(0, nil, 0, true); got.Exit != exitSIGINT || !got.Interrupted {
		t.Errorf("interrupted: got %+v", got)
	}
	if got := tallied(TallyOptions{}, passingRun()).End(0, nil, exitThreshold, false).Exit; got != exitThreshold {
		t.Errorf("threshold: got %d", got)
	}
}

func TestWorst(t *testing.T) {
	order := []int{70, 130, 143, 2, 3, 5, 1, 10, 9, 8, 7, 6, 4, 0}
	for i := range order {
		for j := i; j < len(order); j++ {
			if got := Worst(order[j], order[i]); got != order[i] {
				t.Errorf("Worst(%d, %d) = %d", order[j], order[i], got)
			}
		}
	}
	if got := Worst(); got != 0 {
		t.Errorf("Worst() = %d", got)
	}
	if got := Worst(1, 99); got != exitInternal {
		t.Errorf("Worst(1, 99) = %d", got)
	}
	var listed []int
	for _, c := range ExitCodes() {
		listed = append(listed, c.Code)
		if c.Meaning == "" {
			t.Errorf("%d has no meaning", c.Code)
		}
	}
	slices.Sort(order)
	if !slices.Equal(listed, order) {
		t.Errorf("listed %v, want %v", listed, order)
	}
}

func TestLedger(t *testing.T) {
	db := func(name, action string, err *event.Error) event.Data {
		return &event.Database{Target: "t", What: "database", Name: name, Action: action, Error: err}
	}
	bad := &event.Error{Message: "x", Category: "permanent"}
	lost := &event.Error{Message: "x", Category: "unknown"}
	s := &stream{}
	s.add("", "", "", &event.RunStart{Run: "r1"})
	for _, d := range []event.Data{
		db("dropped", "create", nil), db("dropped", "drop", nil), db("left", "create", nil), db("stuck", "create", nil),
		db("stuck", "drop", bad), db("never", "create", bad), db("maybe", "create", lost), db("other", "drop", nil),
		db("again", "create", nil), db("again", "drop", bad), db("again", "drop", nil),
	} {
		s.add("", "", "", d)
	}
	var l Ledger
	play(t, &l, s)
	want := []Object{{"t", "database", "left"}, {"t", "database", "stuck"}, {"t", "database", "maybe"}}
	if got := l.Left(); !slices.Equal(got, want) || l.Run() != "r1" {
		t.Errorf("run %q left %v, want %v", l.Run(), got, want)
	}
}
