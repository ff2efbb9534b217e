package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"rig/runtime/config"
)

// starters are the scenarios that rig init and rig new write. The tests run each.
//
//go:embed starters
var starters embed.FS

func starter(kind string) string {
	b, err := starters.ReadFile("starters/" + kind)
	if err != nil {
		panic(err) // it is built in
	}
	return string(b)
}

// initCmd begins a project.
type initCmd struct {
	Dir string `arg:"" optional:"" default:"." help:"The project's folder; it is made where it is not there."`
}

// Run writes what is not there yet.
func (c *initCmd) Run(s streams) error {
	wrote := 0
	for _, f := range []struct{ path, text string }{
		{"rig.toml", config.Sample()},
		{"tests/first.star", starter("first.star")},
		{".github/workflows/rig.yml", starter("rig.yml")},
		{".gitignore", "/.rig/\n"},
	} {
		path := filepath.Join(c.Dir, filepath.FromSlash(f.path))
		if _, err := os.Lstat(path); err == nil {
			fmt.Fprintf(s.out, "kept   %s, which was there already\n", path)
			continue
		}
		if err := writeBelow(path, f.text); err != nil {
			return err
		}
		wrote++
		fmt.Fprintf(s.out, "wrote  %s\n", path)
	}
	if wrote == 0 {
		fmt.Fprintln(s.out, "nothing to write")
	}
	fmt.Fprintf(s.out, "next:  %srig exec tests\n", into(c.Dir))
	return nil
}

// into is the change of folder that a command needs before it.
func into(dir string) string {
	if filepath.Clean(dir) == "." {
		return ""
	}
	return "cd " + quoteShell(dir) + " && "
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./@:+-]+$`)

func quoteShell(s string) string {
	if plainWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// writeBelow is writeNew with the folders of the path.
func writeBelow(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return usage("%v", err)
	}
	return writeNew(path, text)
}

// newCmd writes a scenario to begin with.
type newCmd struct {
	Kind string `arg:"" help:"isolation, deadlock, failover, load or ddl."`
	Name string `arg:"" help:"Its name, with a folder where it should not lie here: tests/transfer."`
}

// kindsOfNew are the scenarios, with what the next command says of each.
func kindsOfNew() []string { return []string{"isolation", "deadlock", "failover", "load", "ddl"} }

var scenarioName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Run writes the file where none is.
func (c *newCmd) Run(s streams) error {
	if !slices.Contains(kindsOfNew(), c.Kind) {
		return usage("there is no scenario %q to begin with: %s%s", c.Kind, strings.Join(kindsOfNew(), ", "), didYouMean(c.Kind, kindsOfNew()))
	}
	dir, base := filepath.Split(c.Name)
	name := strings.TrimSuffix(base, ".star")
	if !scenarioName.MatchString(name) {
		return usage("%q is no name for a scenario: lower case letters, digits and _, a letter first", base)
	}
	if dir != "" {
		if info, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
			return usage("there is no folder %s", dir)
		}
	}
	path := filepath.Join(dir, name+".star")
	if err := writeNew(path, strings.Replace(starter(c.Kind+".star"), "NAME", name, 1)); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "wrote  %s\nnext:  rig exec -t mariadb %s\n", path, quoteShell(path))
	return nil
}
