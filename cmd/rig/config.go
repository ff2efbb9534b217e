package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
)

// configCmd shows the settings.
type configCmd struct {
	globals
}

// Run prints every value with its origin.
func (c *configCmd) Run(s streams) error {
	cfg, err := c.load(nil)
	if err != nil {
		return err
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
