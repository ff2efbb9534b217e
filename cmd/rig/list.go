package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"rig/runtime/scenario"
)

// listed is one test in --list --json.
type listed struct {
	ID       string   `json:"id"`
	File     string   `json:"file"`
	Line     int32    `json:"line"`
	Name     string   `json:"name"`
	Doc      string   `json:"doc,omitempty"`
	Tags     []string `json:"tags,omitempty"`
	Requires []string `json:"requires,omitempty"`
	Timeout  string   `json:"timeout,omitempty"`
}

func listJSON(w io.Writer, items []*scenario.Item) error {
	out := make([]listed, 0, len(items))
	for _, it := range items {
		l := listed{ID: it.ID, File: it.Pos.File, Line: it.Pos.Line, Name: it.Name, Doc: it.Doc, Tags: it.Tags, Requires: it.Requires}
		if it.Timeout > 0 {
			l.Timeout = it.Timeout.String()
		}
		out = append(out, l)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}

// list prints the tests without running them.
func (x *execution) list(files []string, sel scenario.Selection) error {
	reg := scenario.NewRegistry()
	x.host = x.hostOf(reg)
	plan := scenario.Discover(context.Background(), x.host, reg, nil, files)
	items := plan.Select(sel)
	if x.cmd.JSON {
		if err := listJSON(x.s.out, items); err != nil {
			return err
		}
	} else {
		listText(x.s.out, items)
	}
	for _, err := range plan.Broken {
		printError(x.s.err, err)
	}
	switch {
	case misused(plan.Broken):
		return &exitError{code: exitUsage}
	case len(plan.Broken) > 0:
		return &exitError{code: exitLoad}
	case len(items) == 0:
		return &exitError{exitNothing, errors.New(nothing(files, plan, sel))}
	}
	return nil
}

func listText(w io.Writer, items []*scenario.Item) {
	for _, it := range items {
		line := it.ID
		if len(it.Tags) > 0 {
			line += "  [" + strings.Join(it.Tags, " ") + "]"
		}
		if doc, _, _ := strings.Cut(it.Doc, "\n"); doc != "" {
			line += "  " + doc
		}
		fmt.Fprintln(w, line)
	}
}
