package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"rig/runtime/event"
	"rig/runtime/history"
	"rig/runtime/history/record"
	"rig/runtime/history/simstore"
	"rig/runtime/report"
)

// generatorScript runs the contended list-append workload for some seconds at each level.
const generatorScript = `
def run(t, isolation):
    v = history.list_append(t, isolation = isolation, sessions = 20, duration = "5s", init = ["SET SESSION innodb_snapshot_isolation = OFF"])
    print("%s: %d %d %d." % (isolation, v.rate, 100 * v.failed // v.operations, v.operations), v.outcome)

def test_levels(t):
    run(t, "REPEATABLE READ")
    run(t, "SERIALIZABLE")
`

var generatorSaid = regexp.MustCompile(`([A-Z ]+): (\d+) (\d+) (\d+)\. (\w+)`)

// recordedOperations are enough for a second.
const recordedOperations = 200_000

// generator tells how many transactions the generator makes of 20 sessions on MariaDB, and what writing them down costs: the
// same recorder and journal on operations that cost nothing themselves.
func (b *bench) generator(ctx context.Context) error {
	script, err := b.write("generator.star", generatorScript)
	if err != nil {
		return err
	}
	c, err := b.exec(ctx, script, "-t", "mariadb")
	if err != nil {
		return err
	}
	total := 0
	found := generatorSaid.FindAllStringSubmatch(c.said, -1)
	if len(found) != 2 {
		return fmt.Errorf("no rates in %q", c.said)
	}
	for _, m := range found {
		n, err := strconv.Atoi(m[4])
		if err != nil {
			return err
		}
		total += n
		b.note("list_append on MariaDB, 20 sessions, "+m[1], "", fmt.Sprintf("%s transactions/s, %s %% fail, %s", m[2], m[3], m[5]), 0)
	}
	r, err := b.child(ctx, "history-record", "-count", strconv.Itoa(recordedOperations), "-socket", b.dir)
	if err != nil {
		return err
	}
	var each float64
	if _, err := fmt.Sscanf(r.said, "%g", &each); err != nil {
		return fmt.Errorf("%q: %w", r.said, err)
	}
	all := micros(c.cpu, total)
	b.note("  CPU for a transaction, of rig and of the server", "", fmt.Sprintf("%.0f us", all), 0)
	b.note("  of it recording and journal", "", fmt.Sprintf("%.1f us (%.0f %%)", each, 100*each/all), 0)
	return nil
}

// recordHistory writes down transactions of a simulated store as a run does: the CPU time of each, in microseconds.
func recordHistory(dir string, n int) (float64, error) {
	journal, err := report.OpenJournal(dir, "record")
	if err != nil {
		return 0, err
	}
	bus := event.NewBus(time.Now(), nil, journal)
	id := bus.NextID()
	r := record.New(record.Options{
		Now: func() int64 { return int64(bus.Since()) },
		Emit: func(e *history.Event, json []byte) {
			bus.Emit(event.Event{At: time.Duration(e.Time), Parent: id, Data: &event.Operation{Process: e.Process, Type: e.Type.String(), F: e.F, Value: json, Error: e.Error}})
		},
	})
	var clients []*record.Client
	for range 20 {
		clients = append(clients, r.Client())
	}
	running := map[int64]*record.Op{}
	begin := readClock()
	play := func(take func(e *history.Event) error) error {
		return simstore.Run(simstore.Config{Level: simstore.Snapshot, Seed: 1, Transactions: n, Processes: 20, Keys: 10, MaxOps: 4, MaxWrites: 100}, take)
	}
	if err := play(func(*history.Event) error { return nil }); err != nil {
		return 0, err
	}
	alone, _ := begin.since()
	begin = readClock()
	err = play(func(e *history.Event) error {
		if e.Type == history.Invoke {
			o, err := clients[e.Process].Invoke(e.F, e.Value, "")
			running[e.Process] = o
			return err
		}
		outcome := event.OK
		if e.Type == history.Fail {
			outcome = event.Failed
		}
		return running[e.Process].End(outcome, e.Value, "")
	})
	if err != nil {
		return 0, err
	}
	bus.Close()
	cpu, _ := begin.since()
	return (cpu - alone) * 1e6 / float64(n), nil
}
