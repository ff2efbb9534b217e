package main

import (
	"encoding/json"
	"io"

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
