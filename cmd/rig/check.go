package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rig/runtime/elle"
	"rig/runtime/history"
	"rig/runtime/report"
	"rig/runtime/verdict"
)

// exitUnknown is the code of a check that could not decide.
const exitUnknown = 10

// checkCmd checks a history.
type checkCmd struct {
	File      string        `arg:"" help:"The history: EDN or JSON as Jepsen and Elle have it, a run.jsonl of rig, a log of Jepsen's etcd test, or r(k,v,session,txn) lines. - is stdin."`
	Model     string        `short:"m" placeholder:"MODEL" help:"list-append, rw-register, bank, set, set-full, counter, long-fork, register, cas-register, multi-register or mutex; guessed where that is clear."`
	Level     string        `short:"l" placeholder:"LEVEL" help:"The isolation level that must hold, for list-append and rw-register: strict-serializable, or of a run.jsonl what the script asked for."`
	Assume    []string      `placeholder:"WHAT" help:"For rw-register, what is known of each key: wfr (writes follow reads), sequential, linearizable."`
	Total     *int64        `placeholder:"N" help:"For bank, what all balances add up to."`
	Overdrawn bool          `help:"For bank, balances may be negative."`
	History   string        `placeholder:"NAME" help:"Of a run.jsonl only this history; without it each one is checked."`
	Export    string        `placeholder:"FILE" help:"Write the history as Jepsen has it: as JSON to FILE.json, as EDN to others."`
	JSON      bool          `name:"json" help:"The verdict as JSON."`
	DOT       string        `name:"dot" placeholder:"FILE" help:"Draw the cycles for Graphviz."`
	SVG       string        `name:"svg" placeholder:"FILE" help:"Draw the cycles as a picture."`
	HTML      string        `name:"html" placeholder:"FILE" help:"Draw the operations of a register or mutex as a page."`
	Timeout   time.Duration `default:"0s" help:"Give up after this time, with the exit code 10; 0 is never."`
}

// formatJournal is what rig check calls a journal of rig.
const formatJournal history.Format = "journal"

// checked is a verdict on a history of a file.
type checked struct {
	File   string         `json:"file"`
	Format history.Format `json:"format"`
	Name   string         `json:"history,omitempty"` // of a journal
	*verdict.Verdict
}

// Run reads, checks and tells.
func (c *checkCmd) Run(s streams) error {
	if c.Model != "" && !slices.Contains(verdict.Models(), c.Model) {
		return usage("there is no model %q%s (the models are %s)", c.Model, didYouMean(c.Model, verdict.Models()), strings.Join(verdict.Models(), ", "))
	}
	if c.Level != "" {
		level, err := elle.Level(c.Level)
		if err != nil {
			return usage("there is no level %q%s (the levels are %s)", c.Level, didYouMean(c.Level, elle.Levels()), strings.Join(elle.Levels(), ", "))
		}
		c.Level = level
	}
	found, format, err := c.read(s)
	if err != nil {
		var exit *exitError
		if errors.As(err, &exit) {
			return err
		}
		return &exitError{exitUsage, err}
	}
	if c.File == "-" {
		c.File = "stdin"
	}
	if len(found) > 1 && (c.DOT+c.SVG+c.HTML+c.Export != "") {
		return usage("%s has %d histories (%s): name one with --history to draw or export it", c.File, len(found), namesOf(found))
	}
	worst := ""
	for i, r := range found {
		if i > 0 && !c.JSON {
			fmt.Fprintln(s.out)
		}
		v, err := c.one(s, r, format)
		if err != nil {
			return err
		}
		if worst != verdict.Invalid && v != verdict.Valid {
			worst = v
		}
	}
	return map[string]error{verdict.Invalid: &exitError{code: 1}, verdict.Unknown: &exitError{code: exitUnknown}}[worst]
}

// one checks a history, tells the verdict, and gives whether it is valid.
func (c *checkCmd) one(s streams, h history.Recorded, format history.Format) (string, error) {
	o, err := c.options(h)
	if err != nil {
		return "", err
	}
	v, err := verdict.Check(context.Background(), h.History, o)
	if err != nil {
		return "", usage("%s as %s: %v", c.File, o.Model, err)
	}
	r := &checked{File: c.File, Format: format, Name: h.As.Name, Verdict: v}
	if err := c.draw(r, h.History); err != nil {
		return "", &exitError{exitReport, err}
	}
	if !c.JSON {
		what := string(format)
		if r.Name != "" {
			what = r.Name + " of " + h.Test
		}
		fmt.Fprintf(s.out, "%s: %s, %s, %s\n", r.File, r.Model, what, count(r.Operations, "operation"))
		v.Print(s.out)
		return v.Valid, nil
	}
	e := json.NewEncoder(s.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(r); err != nil {
		return "", &exitError{exitReport, err}
	}
	return v.Valid, nil
}

// options joins what the command line says with what a journal knows of its history.
func (c *checkCmd) options(h history.Recorded) (verdict.Options, error) {
	o := verdict.Options{
		Model: h.As.Model, Level: h.As.Level, Assume: h.As.Assume, Total: h.As.Total, Overdrawn: h.As.Overdrawn || c.Overdrawn, Timeout: c.Timeout,
	}
	if c.Model != "" {
		o.Model = c.Model
	}
	if o.Model == "" {
		if o.Model = verdict.Guess(h.History); o.Model == "" {
			return o, usage("%s: the model is not clear: give --model, one of %s", c.File, strings.Join(verdict.Models(), ", "))
		}
	}
	if c.Level != "" {
		o.Level = c.Level
	}
	if c.Assume != nil {
		o.Assume = c.Assume
	}
	if c.Total != nil {
		o.Total = c.Total
	}
	switch {
	case c.DOT != "" && !verdict.Transactional(o.Model):
		return o, usage("--dot draws the cycles of list-append and rw-register, and %s has none", o.Model)
	case c.SVG != "" && !verdict.Transactional(o.Model):
		return o, usage("--svg draws the cycles of list-append and rw-register, and %s has none", o.Model)
	case c.HTML != "" && !verdict.Searched(o.Model):
		return o, usage("--html draws the operations of registers and mutexes, not of %s", o.Model)
	}
	return o, nil
}

// read gives the histories of the file; all but a journal have one.
func (c *checkCmd) read(s streams) ([]history.Recorded, history.Format, error) {
	if c.File == "-" {
		return c.readFrom("stdin", s.in, s.err)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, "", fmt.Errorf("%s is a directory, not a history", c.File)
	}
	return c.readFrom(c.File, f, s.err)
}

func (c *checkCmd) readFrom(name string, in io.Reader, notes io.Writer) ([]history.Recorded, history.Format, error) {
	r := bufio.NewReaderSize(in, 64<<10)
	if head, _ := r.Peek(len(journalHead)); !bytes.Equal(head, []byte(journalHead)) {
		if c.History != "" {
			return nil, "", usage("--history names a history of a run.jsonl, which %s is not", name)
		}
		h, format, err := history.Read(name, r)
		return []history.Recorded{{History: h}}, format, err
	}
	var j history.Journal
	info, err := report.Replay(r, &j)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	if info.Truncated || !info.Ended {
		fmt.Fprintf(notes, "rig: the run of %s did not end: what was under way is of unknown outcome\n", name)
	}
	all, err := j.Histories()
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	found := all
	if c.History != "" {
		found = slices.DeleteFunc(slices.Clone(all), func(r history.Recorded) bool { return r.As.Name != c.History })
	}
	switch {
	case len(all) == 0:
		return nil, "", usage("%s: the run recorded no history: history.new and history.list_append make one", name)
	case len(found) == 0:
		return nil, "", usage("%s has no history %q; it has %s", name, c.History, namesOf(all))
	}
	return found, formatJournal, nil
}

// journalHead is how the first line of a journal begins.
const journalHead = `{"v":1,"seq":`

func namesOf(list []history.Recorded) string {
	var names []string
	for _, r := range list {
		names = append(names, r.As.Name)
	}
	return strings.Join(names, ", ")
}

// draw writes the files that were asked for.
func (c *checkCmd) draw(r *checked, h *history.History) error {
	if c.Export != "" {
		format := history.EDN
		if filepath.Ext(c.Export) == ".json" {
			format = history.JSON
		}
		if err := writeFile(c.Export, func(w io.Writer) error { return history.Export(w, format, h) }); err != nil {
			return err
		}
	}
	for path, draw := range map[string]func() (string, error){c.DOT: r.DOT, c.SVG: r.SVG} {
		if path == "" {
			continue
		}
		picture, err := draw()
		if err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(picture), 0o644); err != nil {
			return err
		}
	}
	if c.HTML == "" {
		return nil
	}
	return writeFile(c.HTML, r.HTML)
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}
