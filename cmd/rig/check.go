package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"rig/runtime/elle"
	"rig/runtime/history"
	"rig/runtime/invariant"
	"rig/runtime/linear"
)

// exitUnknown is the code of a check that could not decide.
const exitUnknown = 10

// checkCmd checks a history.
type checkCmd struct {
	File      string        `arg:"" help:"The history: EDN or JSON as Jepsen and Elle have it, a log of Jepsen's etcd test, or r(k,v,session,txn) lines. - is stdin."`
	Model     string        `short:"m" placeholder:"MODEL" help:"list-append, rw-register, bank, set, set-full, counter, long-fork, register, cas-register, multi-register or mutex; guessed where that is clear."`
	Level     string        `short:"l" default:"strict-serializable" placeholder:"LEVEL" help:"The isolation level that must hold, for list-append and rw-register."`
	Assume    []string      `placeholder:"WHAT" help:"For rw-register, what is known of each key: wfr (writes follow reads), sequential, linearizable."`
	Total     *int64        `placeholder:"N" help:"For bank, what all balances add up to."`
	Overdrawn bool          `help:"For bank, balances may be negative."`
	JSON      bool          `name:"json" help:"The verdict as JSON."`
	DOT       string        `name:"dot" placeholder:"FILE" help:"Draw the cycles for Graphviz."`
	HTML      string        `name:"html" placeholder:"FILE" help:"Draw the operations of a register or mutex as a page."`
	Timeout   time.Duration `default:"0s" help:"Give up after this time, with the exit code 10; 0 is never."`
}

// models are the names that --model takes.
func checkModels() []string {
	return append(append([]string{string(elle.ListAppend), string(elle.RWRegister)}, invariant.Models()...), linear.Models()...)
}

// checked is a verdict of whatever model.
type checked struct {
	File       string             `json:"file"`
	Format     history.Format     `json:"format"`
	Model      string             `json:"model"`
	Valid      string             `json:"valid"`
	Operations int                `json:"operations"`
	Elle       *elle.Verdict      `json:"isolation,omitempty"`
	Invariant  *invariant.Verdict `json:"invariant,omitempty"`
	Linear     *linear.Result     `json:"linearizability,omitempty"`
}

// Run reads, checks and tells.
func (c *checkCmd) Run(s streams) error {
	if c.Model != "" && !slices.Contains(checkModels(), c.Model) {
		return usage("there is no model %q%s (the models are %s)", c.Model, didYouMean(c.Model, checkModels()), strings.Join(checkModels(), ", "))
	}
	level, err := elle.Level(c.Level)
	if err != nil {
		return usage("there is no level %q%s (the levels are %s)", c.Level, didYouMean(c.Level, elle.Levels()), strings.Join(elle.Levels(), ", "))
	}
	c.Level = level
	h, format, err := c.read(s.in)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	if c.File == "-" {
		c.File = "stdin"
	}
	r := &checked{File: c.File, Format: format, Model: c.Model, Operations: len(h.Ops)}
	if r.Model == "" {
		if r.Model = guessModel(h); r.Model == "" {
			return usage("%s: the model is not clear: give --model, one of %s", c.File, strings.Join(checkModels(), ", "))
		}
	}
	if err := c.drawable(r.Model); err != nil {
		return err
	}
	if err := c.check(r, h); err != nil {
		return usage("%s as %s: %v", c.File, r.Model, err)
	}
	if err := c.draw(r); err != nil {
		return &exitError{exitReport, err}
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		if err := e.Encode(r); err != nil {
			return &exitError{exitReport, err}
		}
	} else {
		r.print(s.out)
	}
	return map[string]error{"invalid": &exitError{code: 1}, "unknown": &exitError{code: exitUnknown}}[r.Valid]
}

func (c *checkCmd) read(stdin io.Reader) (*history.History, history.Format, error) {
	if c.File == "-" {
		return history.Read("stdin", stdin)
	}
	f, err := os.Open(c.File)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, "", fmt.Errorf("%s is a directory, not a history", c.File)
	}
	return history.Read(c.File, f)
}

func (c *checkCmd) check(r *checked, h *history.History) error {
	var err error
	switch {
	case transactional(r.Model):
		o := elle.Options{Model: elle.Model(r.Model), Level: c.Level}
		if err := c.assume(&o); err != nil {
			return err
		}
		ctx, stop := context.Background(), context.CancelFunc(func() {})
		if c.Timeout > 0 {
			ctx, stop = context.WithTimeout(ctx, c.Timeout)
		}
		defer stop()
		if r.Elle, err = elle.Check(ctx, h, o); err == nil {
			r.Valid = string(r.Elle.Valid)
		}
	case slices.Contains(linear.Models(), r.Model):
		if r.Linear, err = linear.Check(r.Model, h, c.Timeout); err == nil {
			r.Valid = string(r.Linear.Valid)
		}
	default:
		if r.Invariant, err = invariant.Check(r.Model, h, invariant.Options{Total: c.Total, Negative: c.Overdrawn}); err == nil {
			r.Valid = string(r.Invariant.Valid)
		}
	}
	return err
}

func (c *checkCmd) assume(o *elle.Options) error {
	for _, what := range c.Assume {
		switch what {
		case "wfr":
			o.WritesFollowReads = true
		case "sequential":
			o.Sequential = true
		case "linearizable":
			o.Linearizable = true
		default:
			return fmt.Errorf("--assume takes wfr, sequential and linearizable, not %q", what)
		}
	}
	if len(c.Assume) > 0 && o.Model != elle.RWRegister {
		return errors.New("--assume is for rw-register: lists tell their order")
	}
	return nil
}

// transactional says that a model's verdict is about isolation levels.
func transactional(model string) bool {
	return model == string(elle.ListAppend) || model == string(elle.RWRegister)
}

// drawable refuses pictures that a model has not.
func (c *checkCmd) drawable(model string) error {
	switch {
	case c.DOT != "" && !transactional(model):
		return usage("--dot draws the cycles of list-append and rw-register, and %s has none", model)
	case c.HTML != "" && !slices.Contains(linear.Models(), model):
		return usage("--html draws the operations of registers and mutexes, not of %s", model)
	}
	return nil
}

// draw writes the pictures that were asked for.
func (c *checkCmd) draw(r *checked) error {
	if c.DOT != "" {
		if err := os.WriteFile(c.DOT, []byte(r.Elle.DOT()), 0o644); err != nil {
			return err
		}
	}
	if c.HTML == "" {
		return nil
	}
	f, err := os.Create(c.HTML)
	if err != nil {
		return err
	}
	return errors.Join(r.Linear.HTML(f), f.Close())
}

// guessModel tells the model from the operations; "" if several would do.
func guessModel(h *history.History) string {
	fs := map[string]bool{}
	appends, lists, mops := false, false, false
	mapped, numbers, sequences := false, false, 0
	for i := range h.Ops {
		o := &h.Ops[i]
		fs[h.F(o)] = true
		for _, m := range h.Mops(o) {
			mops = true
			appends = appends || m.Act == history.Append
			lists = lists || m.Act == history.ReadList || m.Act == history.ReadOwn
		}
		if h.F(o) == "read" && o.Type == history.OK && o.Out != nil {
			mapped = mapped || o.Out.Kind == history.Map
			numbers = numbers || o.Out.Kind == history.Int
			if o.Out.Sequence() {
				sequences++
			}
		}
	}
	switch {
	case appends || lists:
		return string(elle.ListAppend)
	case mops && (fs["read"] || fs["write"]):
		return "long-fork"
	case mops:
		return string(elle.RWRegister)
	case fs["acquire"] || fs["release"]:
		return "mutex"
	case fs["transfer"] || mapped:
		return "bank"
	case fs["cas"] || fs["write"]:
		return "cas-register"
	case fs["add"] && numbers:
		return "counter"
	case fs["add"] && sequences == 1:
		return "set"
	case fs["add"] && sequences > 1:
		return "set-full"
	}
	return ""
}
