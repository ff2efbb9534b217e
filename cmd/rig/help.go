package main

import (
	"fmt"
	"io"

	"rig/runtime/fault"
	"rig/runtime/script"
	"rig/runtime/server"
)

func didYouMean(word string, names []string) string {
	if near := fault.Suggest(word, names); near != "" {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return ""
}

func helpCapabilities(w io.Writer) {
	for _, c := range server.Names() {
		fmt.Fprintf(w, "%-20s %s\n", c[0], c[1])
	}
	fmt.Fprintln(w, "\nA requirement may also be a server, with a version: mariadb, mariadb>=10.6, !embedded.")
}

func helpErrors(w io.Writer) {
	for _, k := range fault.Kinds() {
		fmt.Fprintf(w, "%-22s %-10s %s\n", k.Kind, k.Category, k.Meaning)
	}
}

func helpGuards(w io.Writer) {
	for _, g := range script.Guards() {
		fmt.Fprintf(w, "%-10s %s\n", g.Name, g.Doc)
	}
}
