package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"rig/runtime/doctor"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/server"
	"rig/runtime/session"
)

// doctorCmd looks at a server.
type doctorCmd struct {
	globals
	Target      string `short:"t" placeholder:"TARGET" help:"The server; the setting's without it."`
	OneDatabase string `placeholder:"NAME" help:"Tests are to run inside this database: look at what may be done there."`
	JSON        bool   `name:"json" help:"As JSON."`
}

// examined is what the command tells.
type examined struct {
	Target   string           `json:"target"`
	Server   string           `json:"server,omitempty"`
	Version  string           `json:"version,omitempty"`
	Findings []doctor.Finding `json:"findings"`
	Problems int              `json:"problems"`
	Warnings int              `json:"warnings"`
}

// Run examines it. The exit code is 5 where rig cannot work there.
func (c *doctorCmd) Run(s streams) error {
	flags := map[string]string{}
	for name, text := range map[string]string{"target": c.Target, "one-database": c.OneDatabase, "color": c.Color} {
		if text != "" {
			flags[name] = text
		}
	}
	cfg, err := c.load(s, flags)
	if err != nil {
		return err
	}
	named, err := cfg.Target("")
	if err != nil {
		return &exitError{exitUsage, err}
	}
	t := newTargets(cfg, nil, "")
	t.ask = askPassword(s.in, s.err)
	defer t.close()
	out := &examined{Target: nameOf(named), Findings: []doctor.Finding{}}
	if err := out.look(context.Background(), t, cfg.String("one-database")); err != nil {
		return err
	}
	for _, f := range out.Findings {
		switch f.Level {
		case doctor.Problem:
			out.Problems++
		case doctor.Warning:
			out.Warnings++
		}
	}
	if err := out.print(s.out, c.JSON); err != nil {
		return err
	}
	if out.Problems > 0 {
		return &exitError{code: exitEnvironment}
	}
	return nil
}

// look asks the server. That it cannot be reached is a finding; an error is a mistake of the user's.
func (x *examined) look(ctx context.Context, t *targets, database string) error {
	to, conn, took, err := reach(ctx, t)
	var e *exitError
	if errors.As(err, &e) {
		return err
	}
	if err != nil {
		x.unreachable("reach", err)
		return nil
	}
	defer conn.Close()
	x.Server, x.Version = to.Server.Type(), to.Server.Version()
	x.Findings = append(x.Findings, doctor.Finding{Level: doctor.OK, Topic: "reach", Text: fmt.Sprintf("%s %s answers in %s", x.Server, x.Version, took.Round(10*time.Microsecond))})
	found, err := doctor.Examine(asker{conn}, doctor.Options{Flavor: x.Server, Scratch: "rig_" + newRunID(time.Now()) + "_0", Database: database, Lacks: lacking(to.Server)})
	x.Findings = append(x.Findings, found...)
	if err != nil {
		x.unreachable("examination", err)
	}
	return nil
}

func (x *examined) unreachable(topic string, err error) {
	d := script.Describe(err)
	text := d.Message
	if d.Detail != "" {
		text += "\n" + d.Detail
	}
	x.Findings = append(x.Findings, doctor.Finding{Level: doctor.Problem, Topic: topic, Text: text, Fix: d.Hint})
}

// reach opens a session and times the shortest answer.
func reach(ctx context.Context, t *targets) (*scenario.Target, *session.Session, time.Duration, error) {
	to, err := t.Target(ctx, "")
	if err != nil {
		return nil, nil, 0, err
	}
	conn, err := to.Hub.Open(ctx, session.Options{Name: "rig-doctor"})
	if err != nil {
		return nil, nil, 0, err
	}
	start := time.Now()
	if _, err := (asker{conn}).Ask("SELECT 1"); err != nil {
		conn.Close()
		return nil, nil, 0, err
	}
	return to, conn, time.Since(start), nil
}

// asker lets the doctor speak through a session.
type asker struct{ s *session.Session }

// Ask runs a statement and gives its rows as texts.
func (a asker) Ask(sql string) ([][]string, error) {
	rows, err := a.s.Query(session.Call{Op: "doctor", Holder: "rig"}, sql, nil)
	if err != nil {
		return nil, err
	}
	out := make([][]string, rows.Len())
	for i := range out {
		for j := range rows.Columns() {
			text := "NULL"
			switch v := rows.Cell(i, j).(type) {
			case nil:
			case []byte:
				text = string(v)
			default:
				text = fmt.Sprint(v)
			}
			out[i] = append(out[i], text)
		}
	}
	return out, nil
}

func (x *examined) print(w io.Writer, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(x)
	}
	fmt.Fprintln(w, "target", x.Target)
	for _, f := range x.Findings {
		fmt.Fprintf(w, "%-8s %-24s %s\n", f.Level, f.Topic, f.Text)
		if f.Fix != "" {
			fmt.Fprintf(w, "%-8s %-24s fix: %s\n", "", "", f.Fix)
		}
	}
	lacks := slices.ContainsFunc(x.Findings, func(f doctor.Finding) bool { return f.Topic == "lacks" && f.Fix != "" })
	switch {
	case x.Problems+x.Warnings == 0 && lacks:
		fmt.Fprintln(w, "nothing else stands in the way")
		return nil
	case x.Problems+x.Warnings == 0:
		fmt.Fprintln(w, "nothing stands in the way")
		return nil
	}
	fmt.Fprintf(w, "%s, %s\n", count(x.Problems, "problem"), count(x.Warnings, "warning"))
	return nil
}

// lacking lists the abilities that tests may require and a server has not.
func lacking(s *server.Server) []string {
	var out []string
	for _, c := range server.Names() {
		if !s.Capabilities().Has(c[0]) {
			out = append(out, c[0])
		}
	}
	return out
}
