package main

import (
	"errors"
	"fmt"
	"os"

	"rig/runtime/event"
	"rig/runtime/report"
)

// reportCmd makes reports from a journal.
type reportCmd struct {
	Journal string   `arg:"" help:"A run.jsonl."`
	Report  []string `placeholder:"FORMAT[=PATH]" help:"console (the default), junit, tap, jsonl, github, gotest-json. May be given several times." sep:"none"`
	Color   string   `default:"auto" enum:"auto,always,never" help:"Colours: auto, always or never."`
	Summary bool     `help:"On the console: the timings of statements and spans, too."`
	Verbose int      `short:"v" type:"counter" help:"Show more."`
}

// Run plays the journal through the sinks that a run has.
func (c *reportCmd) Run(s streams) error {
	f, err := os.Open(c.Journal)
	if err != nil {
		return usage("%v", err)
	}
	defer f.Close()
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
	info, err := report.Replay(f, sinks...)
	if err != nil {
		return &exitError{exitReport, err}
	}
	if info.Events == 0 {
		return usage("%s holds no events: is it a journal?", c.Journal)
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
	return nil
}
