package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"rig/runtime/event"
	"rig/runtime/report"
)

// reportCmd makes reports from a journal.
type reportCmd struct {
	Journal string   `arg:"" help:"A run.jsonl, or a folder with one: of a run, or of runs, where the newest is meant."`
	Report  []string `placeholder:"FORMAT[=PATH]" help:"console (the default), junit, tap, jsonl, github, gotest-json. May be given several times." sep:"none"`
	Color   string   `default:"auto" enum:"auto,always,never" help:"Colours: auto, always or never."`
	Summary bool     `help:"On the console: the timings of statements and spans, too."`
	Verbose int      `short:"v" type:"counter" help:"Show more."`
}

// Run plays the journal through the sinks that a run has.
func (c *reportCmd) Run(s streams) error {
	f, err := c.open()
	if err != nil {
		return usage("%v", err)
	}
	defer f.Close()
	journal := bufio.NewReaderSize(f, 64<<10)
	if !report.HoldsEvents(journal) {
		return usage("%s holds no events: is it a journal? (.rig/runs/<id>/run.jsonl)", c.Journal)
	}
	specs := c.Report
	if len(specs) == 0 {
		specs = []string{"console"}
	}
	var sinks []event.Sink
	for _, spec := range specs {
		if spec == "console" {
			sinks = append(sinks, report.NewConsole(s.out, report.ConsoleOptions{Color: colored(c.Color, s.out), Verbose: c.Verbose, Summary: c.Summary, JournalPath: c.Journal}))
			continue
		}
		sink, err := report.Open(spec, s.out)
		var format *report.FormatError
		switch {
		case errors.As(err, &format):
			return &exitError{exitUsage, err}
		case err != nil:
			return &exitError{exitReport, fmt.Errorf("report %s: %w", spec, err)}
		}
		sinks = append(sinks, sink)
	}
	info, err := report.Replay(journal, sinks...)
	if err != nil {
		return &exitError{exitReport, err}
	}
	if info.Truncated {
		fmt.Fprintf(s.err, "rig: the last line of %s is cut off; everything before it is in the report\n", c.Journal)
	}
	if !info.Ended {
		fmt.Fprintln(s.err, "rig: the run did not end: it was killed, or goes on")
	}
	if info.UnknownKinds > 0 {
		fmt.Fprintf(s.err, "rig: %d events are of kinds that this version does not know\n", info.UnknownKinds)
	}
	if info.Truncated || !info.Ended {
		return &exitError{code: exitReport}
	}
	return nil
}

// open opens the journal; a folder stands for the one in it.
func (c *reportCmd) open() (*os.File, error) {
	if info, err := os.Stat(c.Journal); err == nil && info.IsDir() {
		path, err := report.JournalIn(c.Journal)
		if err != nil {
			return nil, err
		}
		c.Journal = path
	}
	return os.Open(c.Journal)
}
