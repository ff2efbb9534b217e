// Command bench measures what rig promises about speed, beside the bare driver, in one run.
//
// The figures are in figureList. What is measured runs in processes of its own, so that their CPU time is all theirs: rig
// itself, or this program again with -child. The exit code judges no figure: those of shared machines are for people to
// read, and CPU times are only worth something while nothing else runs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	if err := run(context.Background(), os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench is one run of all figures.
type bench struct {
	rig        string // path of the binary
	self       string // this program
	root       string // of the repository
	dir        string // scripts and journals of this run
	rounds     int
	statements int // of one round of the point query
	rows       int // of the stream
	out        io.Writer
	table      []line
}

// line is a figure of the table. ratio is rig's share of the limit, or of what the bare driver takes; 0 is none.
type line struct {
	name, limit, rig string
	ratio            float64
	verdict          string
}

func run(ctx context.Context, args []string, out io.Writer) error {
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	var c childFlags
	c.declare(fs)
	b := &bench{out: out}
	fs.StringVar(&b.rig, "rig", "./rig", "the binary to measure")
	fs.StringVar(&b.root, "root", ".", "the repository, for its scripts")
	fs.IntVar(&b.rounds, "rounds", 5, "repetitions of each comparison, the bare driver and rig in turn")
	fs.IntVar(&b.statements, "statements", 160_000, "point queries in one round; with few, the start that is taken away is as large as what is measured")
	fs.IntVar(&b.rows, "rows", 10_000_000, "rows of the stream")
	only := fs.String("only", "", "figures to take, with commas between them: "+strings.Join(figureNames(), ", "))
	if err := fs.Parse(args); err != nil {
		return err
	}
	if c.role != "" {
		return c.run(ctx, out)
	}
	if err := b.open(); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	err := b.figures(ctx, *only)
	b.print()
	return err
}

func (b *bench) open() (err error) {
	if b.self, err = os.Executable(); err != nil {
		return err
	}
	for _, path := range []*string{&b.rig, &b.root} {
		if *path, err = filepath.Abs(*path); err != nil {
			return err
		}
	}
	if _, err := os.Stat(b.rig); err != nil {
		return fmt.Errorf("the binary to measure: %w (make build)", err)
	}
	b.dir, err = os.MkdirTemp("", "rig-bench-")
	return err
}

// figure is one group of lines.
type figure struct {
	name string
	take func(*bench, context.Context) error
}

func figureList() []figure {
	return []figure{
		{"events", (*bench).events},
		{"ready", (*bench).ready},
		{"quickstart", (*bench).quickstart},
		{"trivial", (*bench).trivial},
		{"point", (*bench).point},
		{"stream", (*bench).stream},
		{"pool", (*bench).pool},
		{"rows", (*bench).rowsFlat},
		{"crew", (*bench).crew},
		{"guarded", (*bench).guarded},
		{"history", (*bench).history},
		{"schedules", (*bench).schedules},
		{"generator", (*bench).generator},
		{"matrix", (*bench).matrix},
	}
}

func figureNames() []string {
	var names []string
	for _, f := range figureList() {
		names = append(names, f.name)
	}
	return names
}

// figures takes those of the list only, all without one. One that fails does not keep the others from being taken.
func (b *bench) figures(ctx context.Context, only string) error {
	var wanted []string
	if only != "" {
		wanted = strings.Split(only, ",")
	}
	for _, w := range wanted {
		if !slices.Contains(figureNames(), w) {
			return fmt.Errorf("there is no figure %q: want some of %s", w, strings.Join(figureNames(), ", "))
		}
	}
	var failed []error
	for _, f := range figureList() {
		if len(wanted) > 0 && !slices.Contains(wanted, f.name) {
			continue
		}
		if err := f.take(b, ctx); err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", f.name, err))
		}
	}
	return errors.Join(failed...)
}

// judge adds a line whose ratio must not be greater than most.
func (b *bench) judge(name, limit, rig string, ratio, most float64) {
	verdict := "within"
	if ratio > most {
		verdict = "over"
	}
	b.table = append(b.table, line{name, limit, rig, ratio, verdict})
}

// note adds a line without a limit of its own.
func (b *bench) note(name, bare, rig string, ratio float64) {
	b.table = append(b.table, line{name, bare, rig, ratio, ""})
}

func (b *bench) print() {
	w := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nfigure\tbare or limit\trig\tratio\tverdict")
	for _, l := range b.table {
		ratio := ""
		if l.ratio != 0 {
			ratio = fmt.Sprintf("%.2f", l.ratio)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", l.name, l.limit, l.rig, ratio, l.verdict)
	}
	w.Flush()
}
