package report

import (
	"io"
	"os"
	"testing"
	"time"

	"rig/runtime/event"
)

func statement() event.Event {
	return event.Event{
		Seq: 1, At: time.Second, ID: 7, Parent: 3, Test: tOpen, Session: "alice", Pos: event.Pos{File: "bank.star", Line: 12, Col: 5},
		Data: &event.Statement{SQL: "SELECT balance FROM account WHERE id = ?", Args: 1, Prepared: true, Rows: 1, Duration: 80 * time.Microsecond},
	}
}

func BenchmarkJournalEvent(b *testing.B) {
	j := openJournal(b)
	defer j.Close()
	e := statement()
	b.ReportAllocs()
	for b.Loop() {
		if err := j.Event(&e); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBus is what one statement costs with a journal and a console behind the bus; it is told as ns/event.
func BenchmarkBus(b *testing.B) {
	j := openJournal(b)
	bus := event.NewBus(time.Now(), nil, j, NewConsole(io.Discard, ConsoleOptions{}), NewTally(TallyOptions{}))
	bus.Emit(event.Event{Data: &event.Plan{Tests: []string{tOpen}}})
	bus.Emit(event.Event{Test: tOpen, Data: &event.TestStart{Attempt: 1}})
	e := statement()
	b.ReportAllocs()
	for b.Loop() {
		bus.Emit(e)
	}
	bus.Flush()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/event")
	b.StopTimer()
	for _, f := range bus.Close() {
		b.Error(f)
	}
	// A figure counts only if every statement reached the file.
	f, err := os.Open(j.Path())
	must(b, err)
	defer f.Close()
	info, err := Replay(f)
	if err != nil || info.Events != b.N+2 {
		b.Errorf("%d events emitted, the journal has %+v, %v", b.N+2, info, err)
	}
}

// TestStatementsDoNotAllocate holds for what every statement passes through.
func TestStatementsDoNotAllocate(t *testing.T) {
	j := openJournal(t)
	c := NewConsole(io.Discard, ConsoleOptions{})
	tally := NewTally(TallyOptions{})
	defer j.Close()
	defer c.Close()
	start := event.Event{Test: tOpen, Data: &event.TestStart{}}
	e := statement()
	for _, s := range []event.Sink{j, c, tally} {
		must(t, s.Event(&start))
		must(t, s.Event(&e))
		if n := testing.AllocsPerRun(2000, func() { must(t, s.Event(&e)) }); n != 0 {
			t.Errorf("%s: %v allocations a statement", s.Name(), n)
		}
	}
}
