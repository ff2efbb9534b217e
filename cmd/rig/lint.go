package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"rig/builtins/spec"
	"rig/runtime/lint"
	"rig/runtime/source"
	"rig/stdlib"
)

// lintCmd finds what is probably wrong in scripts.
type lintCmd struct {
	Paths  []string `arg:"" optional:"" help:"Files, folders or globs. The folder at hand by itself."`
	Format string   `short:"f" default:"text" enum:"text,github,sarif" help:"text, github (annotations) or sarif."`
	Rules  bool     `help:"List what is looked for."`
}

// Run prints the findings: exit 0 without any, 3 when a file does not parse, else 1.
func (c *lintCmd) Run(s streams) error {
	if c.Rules {
		for _, r := range lint.Rules() {
			fmt.Fprintf(s.out, "%-18s %s\n", r.Code, r.Doc)
		}
		return nil
	}
	if len(c.Paths) == 0 {
		c.Paths = []string{"."}
	}
	files, err := expand(c.Paths)
	if err != nil {
		return err
	}
	found, err := lintFiles(files)
	if err != nil {
		return err
	}
	switch c.Format {
	case "github":
		lint.GitHub(s.out, found)
	case "sarif":
		if err := lint.SARIF(s.out, version, found); err != nil {
			return err
		}
	default:
		lint.Text(s.out, found)
	}
	switch {
	case slices.ContainsFunc(found, func(f lint.Finding) bool { return f.Code == "syntax" }):
		return &exitError{code: exitLoad}
	case len(found) > 0:
		return &exitError{code: exitFound}
	}
	return nil
}

func lintFiles(files []string) ([]lint.Finding, error) {
	var found []lint.Finding
	for _, path := range files {
		if _, err := os.Stat(path); err != nil {
			return nil, usage("%v", err)
		}
		w := workspaceOf(path)
		f := w.File(path)
		if f == nil {
			return nil, usage("%s is not a regular file of at most 1 MiB", path)
		}
		found = append(found, lint.Check(f)...)
	}
	return found, nil
}

// workspaceOf is the project that a file is part of: the folder of the nearest rig.toml, else its own.
func workspaceOf(path string) *source.Workspace {
	return &source.Workspace{Root: projectRoot(path), Library: stdlib.FS, Catalog: spec.Catalog(modules())}
}

func projectRoot(path string) string {
	dir := filepath.Dir(path)
	abs, err := filepath.Abs(dir)
	if err != nil {
		return dir
	}
	for at := abs; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "rig.toml")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return abs
		}
	}
}
