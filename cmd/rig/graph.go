package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	engine "rig/runtime/machine"
)

// graphCmd draws the machines of a file.
type graphCmd struct {
	globals
	Path   string `arg:"" help:"A file with machine.new(...) at its top level."`
	Format string `short:"f" default:"mermaid" enum:"mermaid,dot" help:"mermaid or dot."`
	Name   string `placeholder:"NAME" help:"Only the machine of that name."`
}

// drawn is a value that has a graph.
type drawn interface{ Graph() engine.Graph }

// Run prints the graphs.
func (c *graphCmd) Run(s streams, flags *paramFlags) error {
	cfg, err := c.load(s, nil)
	if err != nil {
		return err
	}
	host := newHost(hostOptions{root: cfg.Root(), params: newParamSet(cfg, flags.values)})
	m, err := host.Load(context.Background(), c.Path)
	if err != nil {
		return &exitError{exitLoad, err}
	}
	var names []string
	found := false
	seen := map[any]bool{}
	for _, global := range slices.Sorted(mapKeys(m.Globals)) {
		d, ok := m.Globals[global].(drawn)
		if !ok || seen[d] {
			continue
		}
		seen[d] = true
		g := d.Graph()
		names = append(names, g.Name)
		if c.Name != "" && g.Name != c.Name {
			continue
		}
		found = true
		if c.Format == "dot" {
			fmt.Fprint(s.out, g.DOT())
		} else {
			fmt.Fprint(s.out, g.Mermaid())
		}
	}
	switch {
	case found:
		return nil
	case c.Name != "":
		return usage("%s has no machine %q%s; it has %s", c.Path, c.Name, didYouMean(c.Name, names), strings.Join(names, ", "))
	}
	return usage("%s has no state machine at its top level", c.Path)
}

func mapKeys[V any](m map[string]V) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}
