package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"rig/builtins/spec"
	"rig/runtime/lsp"
	"rig/stdlib"
)

// lspCmd serves an editor.
type lspCmd struct{}

// noClose leaves the process's stdout open: the server closes what it is given.
type noClose struct{ io.Writer }

func (noClose) Close() error { return nil }

// Run answers until the editor says exit, or goes away.
func (c *lspCmd) Run(s streams) error {
	err := lsp.Serve(context.Background(), s.in, noClose{s.out}, lsp.Options{
		Catalog: spec.Catalog(modules()), Library: stdlib.FS, Root: projectRoot, Version: version, Run: runLens,
	})
	if err != nil {
		return &exitError{exitFound, fmt.Errorf("lsp: %w", err)}
	}
	return nil
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
