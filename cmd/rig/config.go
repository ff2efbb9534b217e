package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"text/tabwriter"

	"rig/runtime/config"
)

// configCmd shows the settings, or begins a file of them.
type configCmd struct {
	Show configShowCmd `cmd:"" default:"withargs" help:"Show every setting with where it comes from (what rig config does by itself)."`
	Init configInitCmd `cmd:"" help:"Write a rig.toml with every setting in comments."`
}

// Help names the flags of the command that needs no name.
func (configCmd) Help() string {
	return "Without a command it shows the settings, and takes the flags of config show: --config FILE, --profile NAME, --json."
}

type configShowCmd struct {
	globals
	JSON bool `name:"json" help:"As JSON, one object for each setting."`
}

// Run prints every value with its origin.
func (c *configShowCmd) Run(s streams) error {
	cfg, err := c.load(s, nil)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(s.out)
		e.SetIndent("", "  ")
		return e.Encode(cfg.All())
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	for _, v := range cfg.All() {
		text := v.Text
		if len(v.List) > 0 {
			text = strings.Join(v.List, " ")
		}
		if v.Secret {
			text = "***"
		}
		if text == "" {
			text = "-"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, text, v.Origin)
	}
	return w.Flush()
}

type configInitCmd struct {
	Path string `arg:"" optional:"" default:"rig.toml" help:"Where to write it."`
}

// Run writes the file where none is.
func (c *configInitCmd) Run(s streams) error {
	if err := writeNew(c.Path, config.Sample()); err != nil {
		return err
	}
	fmt.Fprintf(s.out, "wrote %s\nnext: rig config shows every setting with where it comes from\n", c.Path)
	return nil
}

// writeNew writes a file that is not there yet.
func writeNew(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return usage("%s is there already and is left as it is", path)
	}
	if err != nil {
		return usage("%v", err)
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return usage("write %s: %v", path, err)
	}
	return nil
}
