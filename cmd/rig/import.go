package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"rig/runtime/importer"
)

// importCmd makes a scenario of another tool's test.
type importCmd struct {
	Kind  string `arg:"" placeholder:"KIND" help:"isolationtester, mysqltest, hermitage, troc or session."`
	File  string `arg:"" placeholder:"FILE" help:"The file; - is stdin."`
	Out   string `short:"o" placeholder:"FILE" help:"Write the scenario there; without it, to stdout."`
	Force bool   `help:"Write over a file that is there."`
}

// Help is the rest of rig import --help.
func (importCmd) Help() string {
	var b strings.Builder
	for _, k := range importer.Kinds() {
		fmt.Fprintf(&b, "    %-16s %s\n", k.Name, k.Reads)
	}
	b.WriteString("\nWhat could not be translated is in comments at its place and in a list on stderr. Exit code: 0 everything was translated; 9 the scenario was written and something is missing in it; 3 the file does not parse; 2 the command line is wrong or a file cannot be read or written.")
	return b.String()
}

// Run reads, translates and writes.
func (c *importCmd) Run(s streams) error {
	var kinds []string
	for _, k := range importer.Kinds() {
		kinds = append(kinds, k.Name)
	}
	if !slices.Contains(kinds, c.Kind) {
		return usage("there is no kind %q%s (the kinds are %s)", c.Kind, didYouMean(c.Kind, kinds), strings.Join(kinds, ", "))
	}
	src, err := c.source(s.in)
	if err != nil {
		return &exitError{exitUsage, err}
	}
	made, err := importer.Import(c.Kind, src)
	var syntax *importer.Error
	switch {
	case errors.As(err, &syntax):
		return &exitError{exitLoad, err}
	case err != nil:
		return &exitError{exitUsage, err}
	}
	if err := c.write(s.out, made.Text); err != nil {
		return &exitError{exitUsage, err}
	}
	for _, n := range made.Notes {
		fmt.Fprintf(s.err, "rig: %s:%d:%d: not translated: %s\n", src.Name, n.Line, n.Col, n.What)
	}
	c.summary(s.err, made)
	if len(made.Notes) > 0 {
		return &exitError{code: exitReport}
	}
	return nil
}

// source reads the file.
func (c *importCmd) source(stdin io.Reader) (importer.Source, error) {
	if c.File == "-" {
		b, err := readBounded(stdin)
		return importer.Source{Name: "stdin", Text: b}, err
	}
	b, err := readFileBounded(c.File)
	dir := filepath.Dir(c.File)
	return importer.Source{Name: filepath.ToSlash(c.File), Text: b, Beside: func(path string) ([]byte, error) {
		return readFileBounded(filepath.Join(dir, filepath.FromSlash(path)))
	}}, err
}

// readBounded reads one byte more than importer takes, so that it sees what is too large.
func readBounded(r io.Reader) ([]byte, error) {
	return io.ReadAll(io.LimitReader(r, importer.MaxSource+1))
}

func readFileBounded(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return nil, fmt.Errorf("%s is a directory, not a test", path)
	}
	return readBounded(f)
}

func (c *importCmd) write(stdout io.Writer, text string) error {
	if c.Out == "" {
		_, err := io.WriteString(stdout, text)
		return err
	}
	if c.Force {
		return os.WriteFile(c.Out, []byte(text), 0o644)
	}
	f, err := os.OpenFile(c.Out, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already; --force writes over it", c.Out)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

func (c *importCmd) summary(w io.Writer, made *importer.Scenario) {
	text := count(made.Tests, "test")
	if made.Permutations > 0 {
		text += ", " + count(made.Permutations, "permutation")
	}
	if n := len(made.Notes); n > 0 {
		text += fmt.Sprintf("; %d not translated", n)
	}
	where := "stdout"
	if c.Out != "" {
		where = c.Out
	}
	fmt.Fprintf(w, "rig: wrote %s: %s\n", where, text)
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
