package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rig/builtins/lab"
	"rig/runtime/anomaly"
	"rig/runtime/event"
	"rig/scripts/anomalies"
)

// matrixCmd shows what a server does with anomalies at each isolation level.
type matrixCmd struct {
	globals
	Paths   []string `arg:"" optional:"" name:"path" help:"Scenarios that call anomaly(); rig's own gallery without any."`
	Target  string   `short:"t" placeholder:"TARGET" help:"The server, as for exec."`
	Levels  []string `placeholder:"LEVEL,..." help:"Only these isolation levels; every one of the target without."`
	Format  string   `default:"text" placeholder:"FORM" help:"text, markdown, json or html."`
	Out     string   `short:"o" placeholder:"FILE" help:"Write the table to a file."`
	Against string   `placeholder:"NAME|FILE" help:"Compare with a table: mariadb or mysql as documented, embedded as measured, or one saved as JSON. Exit with 1 on a difference."`
	Match   string   `name:"run" placeholder:"REGEX" help:"Only scenarios whose id matches."`
	Jobs    string   `short:"j" placeholder:"N" help:"Scenarios at a time."`
	Repeat  int      `placeholder:"N" help:"Run each N times; verdicts that differ are an error."`
	RunsDir string   `placeholder:"DIR" help:"Folder of the journals, .rig/runs."`
	Verbose int      `short:"v" type:"counter" help:"Show more of the runs, on stderr."`
}

// AfterApply checks what needs no server.
func (c *matrixCmd) AfterApply() error {
	if !slices.Contains(anomaly.Formats(), c.Format) {
		return usage("there is no format %q%s: %s", c.Format, didYouMean(c.Format, anomaly.Formats()), strings.Join(anomaly.Formats(), ", "))
	}
	for i, l := range c.Levels {
		c.Levels[i] = strings.ToUpper(strings.ReplaceAll(strings.TrimSpace(l), "-", " "))
		level, _, _ := strings.Cut(c.Levels[i], strings.ToUpper(anomaly.Snapshot))
		if err := anomaly.Level(level); err != nil {
			return usage("--levels: %v", err)
		}
	}
	return nil
}

// Run runs the gallery, and writes the table that its events make. Everything else goes to stderr.
func (c *matrixCmd) Run(s streams, flags *paramFlags) error {
	var want *anomaly.Table
	var err error
	if c.Against != "" {
		if want, err = anomaly.Load(c.Against); err != nil {
			return &exitError{exitUsage, err}
		}
	}
	paths := c.Paths
	if len(paths) == 0 {
		dir, err := unpack(anomalies.FS)
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		paths = []string{dir}
	}
	fold := &anomaly.Fold{}
	run := &execCmd{
		globals: c.globals, Paths: paths, Target: c.Target, Match: c.Match, Jobs: c.Jobs, Repeat: c.Repeat, RunsDir: c.RunsDir,
		Verbose: c.Verbose, Quiet: c.Verbose == 0, AllowAllSkipped: true,
	}
	ran := run.start(streams{s.in, s.err, s.err}, flags, func(x *execution) error {
		x.sinks, x.lab = []event.Sink{fold}, lab.Options{Levels: c.Levels, Collect: true}
		return nil
	})
	t := fold.Table()
	if len(t.Rows) == 0 {
		if ran == nil {
			ran = usage("no scenario told a verdict: they call anomaly()")
		}
		return ran
	}
	if err := c.write(s.out, t); err != nil {
		return &exitError{exitReport, err}
	}
	if mixed := fold.Mixed(); len(mixed) > 0 {
		return errors.Join(ran, &exitError{exitFound, fmt.Errorf("the same case got several verdicts:\n  %s", strings.Join(mixed, "\n  "))})
	}
	if ran != nil || want == nil {
		return ran
	}
	return c.compare(s.err, t, want)
}

// unpack writes the scenarios to a folder of their own.
func unpack(from fs.FS) (string, error) {
	dir, err := os.MkdirTemp("", "rig-anomalies-")
	if err != nil {
		return "", err
	}
	return dir, os.CopyFS(dir, from)
}

func (c *matrixCmd) write(out io.Writer, t *anomaly.Table) error {
	if c.Out == "" {
		return t.Write(out, c.Format)
	}
	return writeFile(filepath.Clean(c.Out), func(w io.Writer) error { return t.Write(w, c.Format) })
}

// compare tells the differences.
func (c *matrixCmd) compare(out io.Writer, got, want *anomaly.Table) error {
	differ, both := anomaly.Compare(got, want)
	if both == 0 {
		return usage("%s has no case and column in common with what was run", c.Against)
	}
	for _, d := range differ {
		fmt.Fprintf(out, "rig: %s at %s: %s, %s has %s%s\n", d.Case, d.Column, d.Got.Verdict, c.Against, d.Want, inBrackets(d.Got.Detail))
	}
	fmt.Fprintf(out, "rig: %d of %d verdicts are those of %s\n", both-len(differ), both, c.Against)
	if len(differ) > 0 {
		return &exitError{code: exitFound}
	}
	return nil
}

func inBrackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}
