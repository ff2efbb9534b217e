package main

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"rig/runtime/report"
	"rig/runtime/scenario"
	"rig/runtime/session"
)

// cleanCmd removes what killed runs left on a server.
type cleanCmd struct {
	globals
	Journal string `arg:"" optional:"" help:"The journal of the run: .rig/runs/<id>/run.jsonl."`
	Target  string `short:"t" placeholder:"TARGET" help:"The server; the journal's, or the setting's, without it."`
	AllMine bool   `help:"Every database named rig_* on the target whose run is no longer alive."`
	DryRun  bool   `help:"Only print what would be removed."`
}

// Run drops the databases.
func (c *cleanCmd) Run(s streams) error {
	if (c.Journal == "") == !c.AllMine {
		return usage("clean needs a journal, or --all-mine with --target")
	}
	flags := map[string]string{}
	if c.Target != "" {
		flags["target"] = c.Target
	}
	cfg, err := c.load(s, flags)
	if err != nil {
		return err
	}
	t := newTargets(cfg, nil, "")
	t.ask = askPassword(s.in, s.err)
	defer t.close()
	k := &cleaner{cmd: c, s: s, targets: t}
	if c.AllMine {
		return k.allMine(c.Target)
	}
	return k.journal()
}

// cleaner drops databases and tells which.
type cleaner struct {
	cmd     *cleanCmd
	s       streams
	targets *targets
	dropped int
	spared  int
	gone    int // already
}

func (k *cleaner) journal() error {
	f, err := os.Open(k.cmd.Journal)
	if err != nil {
		return usage("%v", err)
	}
	defer f.Close()
	ledger := &report.Ledger{}
	if _, err := report.Replay(f, ledger); err != nil {
		return &exitError{exitReport, err}
	}
	left := map[string][]string{}
	for _, o := range ledger.Left() {
		if o.What == "database" {
			left[o.Target] = append(left[o.Target], o.Name)
		}
	}
	for target, names := range left {
		use := target
		if k.cmd.Target != "" {
			use = k.cmd.Target
		}
		if slices.Contains([]string{"embedded", "mariadb", "mysql", "dolt", "tidb"}, use) {
			fmt.Fprintf(k.s.out, "%d databases were on a throw-away %s server, which is gone\n", len(names), use)
			continue
		}
		if err := k.drop(use, names); err != nil {
			return err
		}
	}
	k.tell()
	return nil
}

// ours finds the run in the name of a database.
var ours = regexp.MustCompile(`^rig_([0-9]{8}t[0-9a-z]+)_[0-9]+$`)

func (k *cleaner) allMine(target string) error {
	ctx := context.Background()
	to, err := k.targets.Target(ctx, target)
	if err != nil {
		return k.unreachable(err)
	}
	s, err := to.Hub.Open(ctx, session.Options{Name: "rig-clean"})
	if err != nil {
		return k.unreachable(err)
	}
	rows, err := s.Query(session.Call{Op: "list databases", Holder: "rig"}, `SHOW DATABASES LIKE 'rig\_%'`, nil)
	if err != nil {
		return &exitError{exitEnvironment, err}
	}
	var names []string
	for i := range rows.Len() {
		if name := rows.At(i, 0).Text; ours.MatchString(name) {
			names = append(names, name)
		}
	}
	if err := k.drop(target, names); err != nil {
		return err
	}
	k.tell()
	return nil
}

func (k *cleaner) unreachable(err error) error { return &exitError{exitEnvironment, err} }

// drop removes databases whose runs are no longer alive.
func (k *cleaner) drop(target string, names []string) error {
	ctx := context.Background()
	to, err := k.targets.Target(ctx, target)
	if err != nil {
		return k.unreachable(err)
	}
	s, err := to.Hub.Open(ctx, session.Options{Name: "rig-clean"})
	if err != nil {
		return k.unreachable(err)
	}
	call := session.Call{Op: "clean", Holder: "rig"}
	for _, name := range names {
		m := ours.FindStringSubmatch(name)
		if m == nil {
			fmt.Fprintf(k.s.err, "rig: %s is no name that rig gives: left alone\n", name)
			continue
		}
		free, err := s.Query(call, "SELECT IS_FREE_LOCK('"+scenario.LockName(m[1])+"')", nil)
		if err != nil {
			return &exitError{exitEnvironment, err}
		}
		if free.At(0, 0).Int() == 0 {
			k.spared++
			fmt.Fprintf(k.s.out, "spared  %s (its run is alive)\n", name)
			continue
		}
		here, err := s.Query(call, "SHOW DATABASES LIKE '"+strings.ReplaceAll(name, "_", `\_`)+"'", nil)
		if err != nil {
			return &exitError{exitEnvironment, err}
		}
		if here.Len() == 0 {
			k.gone++
			fmt.Fprintf(k.s.out, "gone    %s\n", name)
			continue
		}
		if !k.cmd.DryRun {
			if _, err := s.Exec(call, "DROP DATABASE IF EXISTS `"+strings.ReplaceAll(name, "`", "``")+"`", nil); err != nil {
				return &exitError{exitEnvironment, err}
			}
		}
		k.dropped++
		fmt.Fprintf(k.s.out, "%s %s\n", map[bool]string{true: "would drop", false: "dropped"}[k.cmd.DryRun], name)
	}
	return nil
}

func (k *cleaner) tell() {
	if k.dropped+k.spared+k.gone == 0 {
		fmt.Fprintln(k.s.out, "nothing to clean")
	}
}
