package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"

	"rig/runtime/format"
)

// fmtCmd lays out scripts in one style.
type fmtCmd struct {
	Paths []string `arg:"" optional:"" help:"Files, folders or globs; - reads a script from stdin and prints it formatted. The folder at hand by itself."`
	Check bool     `help:"Change nothing; name the files that would change, and exit with 1 if there are any."`
	Diff  bool     `help:"Change nothing; print what would change."`
}

// Run formats the files; one that cannot be formatted stays as it is and does not stop the others.
func (c *fmtCmd) Run(s streams) error {
	if len(c.Paths) == 1 && c.Paths[0] == "-" {
		return c.filter(s)
	}
	if slices.Contains(c.Paths, "-") {
		return usage("- is stdin and goes alone")
	}
	if len(c.Paths) == 0 {
		c.Paths = []string{"."}
	}
	files, err := expand(c.Paths)
	if err != nil {
		return err
	}
	code := 0
	for _, path := range files {
		changed, err := c.file(s, path)
		switch {
		case err != nil:
			printError(s.err, err)
			code = fileFault(err)
		case changed && c.Check && code == 0:
			code = exitFound
		}
	}
	if code != 0 {
		return &exitError{code: code}
	}
	return nil
}

// fileFault tells what is wrong with the command line from what is wrong with a script.
func fileFault(err error) int {
	var e *exitError
	if errors.As(err, &e) {
		return e.code
	}
	return exitLoad
}

func (c *fmtCmd) filter(s streams) error {
	src, err := io.ReadAll(s.in)
	if err != nil {
		return usage("%v", err)
	}
	out, err := format.Source("<stdin>", string(src))
	if err != nil {
		return &exitError{exitLoad, err}
	}
	return c.show(s, "<stdin>", string(src), out)
}

// show prints the text that stdin became, or what the flags ask for.
func (c *fmtCmd) show(s streams, name, src, out string) error {
	switch {
	case c.Diff:
		fmt.Fprint(s.out, format.Diff(name, src, out))
	case !c.Check:
		fmt.Fprint(s.out, out)
	}
	if c.Check && out != src {
		return &exitError{code: exitFound}
	}
	return nil
}

func (c *fmtCmd) file(s streams, path string) (changed bool, err error) {
	src, err := os.ReadFile(path)
	if err != nil {
		return false, usage("%v", err)
	}
	out, err := format.Source(path, string(src))
	if err != nil || out == string(src) {
		return false, err
	}
	if c.Diff {
		fmt.Fprint(s.out, format.Diff(path, string(src), out))
		return true, nil
	}
	fmt.Fprintln(s.out, path)
	if c.Check {
		return true, nil
	}
	return true, replaceFile(path, out)
}

// replaceFile puts a new text in the place of a file in one step, so that a crash leaves the old or the new one.
func replaceFile(path, text string) error {
	real, err := filepath.EvalSymlinks(path) // a link stays a link
	if err != nil {
		return usage("%v", err)
	}
	info, err := os.Stat(real)
	if err != nil {
		return usage("%v", err)
	}
	if info.Mode().Perm()&0o222 == 0 || unix.Access(real, unix.W_OK) != nil { // replacing it would not ask
		return usage("%s is read-only: it would be formatted", path)
	}
	f, err := os.CreateTemp(filepath.Dir(real), ".rig-fmt-*")
	if err != nil {
		return usage("%v", err)
	}
	defer os.Remove(f.Name()) // of no effect after the rename
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(info.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), real)
	}
	if err != nil {
		return usage("%s: %v", path, err)
	}
	return nil
}
