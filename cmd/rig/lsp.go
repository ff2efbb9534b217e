package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rig/builtins/spec"
	"rig/runtime/config"
	"rig/runtime/fault"
	"rig/runtime/lsp"
	"rig/runtime/schema"
	"rig/runtime/server"
	"rig/runtime/session"
	"rig/stdlib"
)

// lspCmd serves an editor.
type lspCmd struct {
	globals
	Target  string `short:"t" placeholder:"TARGET" help:"Complete tables and columns of this server in place of the project's: a mysql:// URL, a DSN, or a name from rig.toml."`
	Offline bool   `help:"Ask no server for tables and columns."`
}

// Help is shown below the flags.
func (lspCmd) Help() string {
	return "Nothing of a scenario runs but what you run by a code lens. Where the project's target (rig.toml, RIG_TARGET, --target) is a server that is there already, " +
		"its tables and columns are read from information_schema when SQL is completed, without a prompt for a password; no server is ever started for it."
}

// noClose leaves the process's stdout open: the server closes what it is given.
type noClose struct{ io.Writer }

func (noClose) Close() error { return nil }

// Run answers until the editor says exit, or goes away.
func (c *lspCmd) Run(s streams) error {
	o := lsp.Options{Catalog: spec.Catalog(modules()), Library: stdlib.FS, Root: projectRoot, Version: version, Run: runLens}
	if !c.Offline {
		o.Columns = c.columns
	}
	for i, path := range c.Config { // settings are read again from the folder of each project
		abs, err := filepath.Abs(path)
		if err != nil {
			return usage("%s: %v", path, err)
		}
		c.Config[i] = abs
	}
	if err := lsp.Serve(context.Background(), s.in, noClose{s.out}, o); err != nil {
		return &exitError{exitFound, fmt.Errorf("lsp: %w", err)}
	}
	return nil
}

// columns reads tables and columns of the project's target, where that is a server that is there already. Nobody is asked for
// a password.
func (c *lspCmd) columns(ctx context.Context, root string) ([]schema.Column, error) {
	flags := map[string]string{}
	if c.Target != "" {
		flags["target"] = c.Target
	}
	cfg, err := config.Load(config.Source{Dir: root, Files: c.Config, Profile: c.Profile, Env: os.Environ(), Flags: flags})
	if err != nil {
		return nil, err
	}
	target, err := cfg.Target("")
	if err != nil || target.Kind != server.DSN {
		return nil, err
	}
	t := newTargets(cfg, nil, "")
	defer t.close()
	x, err := t.Target(ctx, "")
	if err != nil {
		return nil, hinted(err)
	}
	s, err := x.Hub.Open(ctx, session.Options{Name: "rig-columns", Quiet: true})
	if err != nil {
		return nil, hinted(err)
	}
	defer s.Close()
	defer context.AfterFunc(ctx, func() { _ = s.Cancel("the editor waits no longer") })()
	list, err := schema.Fetch(askColumns(s, schemaBound), cmp.Or(target.Database, cfg.String("one-database")))
	return list, hinted(err)
}

// hinted puts an error's hint into its text.
func hinted(err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Hint != "" {
		return fmt.Errorf("%w (%s)", err, f.Hint)
	}
	return err
}

// runLens runs one test in a process of its own, so that nothing of it can reach the conversation.
func runLens(ctx context.Context, path, test string) (report string, passed bool) {
	self, err := os.Executable()
	if err != nil {
		return err.Error(), false
	}
	cmd := exec.CommandContext(ctx, self, "exec", "--color", "never", path+"::"+test)
	cmd.Dir = filepath.Dir(path)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it cleans up within two seconds
	cmd.WaitDelay = 5 * time.Second
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err == nil
}
