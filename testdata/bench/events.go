package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"rig/runtime/event"
	"rig/runtime/report"
)

const (
	eventCount = 1_000_000
	eventLimit = 2.0 // microseconds
)

// events takes the price of one event: bus, journal and console, as every run has them.
func (b *bench) events(ctx context.Context) error {
	var walls, cpus []time.Duration
	for range b.rounds {
		idle, err := b.child(ctx, "events", "-count", "1")
		if err != nil {
			return err
		}
		c, err := b.child(ctx, "events", "-count", strconv.Itoa(eventCount))
		if err != nil {
			return err
		}
		c = c.minus(idle)
		walls, cpus = append(walls, c.wall), append(cpus, c.cpu)
	}
	wall, cpu := micros(median(walls), eventCount), micros(median(cpus), eventCount)
	b.judge("event with journal and console: CPU", fmt.Sprintf("%.1f us", eventLimit), fmt.Sprintf("%.2f us", cpu), cpu/eventLimit, 1)
	b.judge("  time", fmt.Sprintf("%.1f us", eventLimit), fmt.Sprintf("%.2f us", wall), wall/eventLimit, 1)
	return nil
}

// emitEvents puts statements on a stream such as rig's.
func emitEvents(out io.Writer, n int) error {
	dir, err := os.MkdirTemp("", "rig-bench-events-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	journal, err := report.OpenJournal(filepath.Join(dir, "runs"), "run")
	if err != nil {
		return err
	}
	test := "point.star::test_point_query"
	bus := event.NewBus(time.Now(), nil, journal, report.NewConsole(out, report.ConsoleOptions{}), report.NewTally(report.TallyOptions{}))
	bus.Emit(event.Event{Data: &event.RunStart{Run: "run", Target: "mariadb"}})
	bus.Emit(event.Event{Data: &event.Plan{Tests: []string{test}}})
	bus.Emit(event.Event{ID: bus.NextID(), Test: test, Data: &event.TestStart{Attempt: 1}})
	for i := range n {
		bus.Emit(event.Event{
			Parent: 1, Test: test, Session: "s1", Pos: event.Pos{File: "point.star", Line: 8, Col: 31},
			Data: &event.Statement{SQL: pointSQL, Args: 1, Prepared: true, Rows: 1, Duration: time.Duration(i)},
		})
	}
	bus.Emit(event.Event{Test: test, Data: &event.TestEnd{Attempt: 1, Final: true, Statements: n}})
	bus.Emit(event.Event{Data: &event.RunEnd{Passed: 1}})
	if failed := bus.Close(); len(failed) > 0 {
		return failed[0].Err
	}
	return nil
}
