package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"rig/runtime/fault"
)

// docErrors prints the table of errors, or what of it a word means: a number, a name, a SQLSTATE, a kind, a category.
func docErrors(w io.Writer, word string) error {
	if word == "" {
		return allErrors(w)
	}
	found := findErrors(word)
	switch {
	case found.empty():
		return usage("rig doc errors prints every error; none is known by %q%s", word, didYouMean(word, errorWords()))
	case len(found.entries) > 0 && found.entries[0].is(word):
		for i, e := range found.entries {
			if i > 0 {
				fmt.Fprintln(w)
			}
			describeError(w, e)
		}
		return nil
	}
	return found.print(w)
}

// errorsFound are parts of the tables.
type errorsFound struct {
	entries []flavored
	states  []fault.StateClass
	locals  []fault.Local
}

// flavored is a line with the server that it is for, where that is one alone.
type flavored struct {
	fault.Entry
	flavor string
}

// is reports whether word is the error's own number or name.
func (e flavored) is(word string) bool {
	return strconv.Itoa(e.Code) == word || strings.EqualFold(e.Name, word)
}

func (f errorsFound) empty() bool { return len(f.entries)+len(f.states)+len(f.locals) == 0 }

// everyError merges the variants into the table, behind the number that they vary.
func everyError() []flavored {
	var out []flavored
	variants := fault.Variants()
	for _, e := range fault.Table() {
		out = append(out, flavored{e, ""})
		for _, v := range variants {
			if v.Code == e.Code {
				out = append(out, flavored{v.Entry, v.Flavor})
			}
		}
	}
	return out
}

func findErrors(word string) errorsFound {
	var f errorsFound
	same := func(s string) bool { return strings.EqualFold(s, word) }
	for _, e := range everyError() {
		if e.is(word) || same(e.SQLState) || same(string(e.Kind)) || same(string(e.Category)) {
			f.entries = append(f.entries, e)
		}
	}
	if _, ok := fault.LookupState(strings.ToUpper(word)); ok || len(f.entries) == 0 {
		for _, s := range fault.States() {
			if len(word) == 5 && strings.HasPrefix(strings.ToUpper(word), s.Prefix) || same(s.Prefix) {
				f.states = append(f.states, s)
				break
			}
		}
	}
	for _, l := range fault.Locals() {
		if same(l.Name) || same(string(l.Kind)) || same(string(l.Category)) {
			f.locals = append(f.locals, l)
		}
	}
	return f
}

// errorWords is what a misspelt word may have been meant to be.
func errorWords() []string {
	words := fault.Names()
	for _, k := range fault.Kinds() {
		words = append(words, string(k.Kind))
	}
	for _, l := range fault.Locals() {
		words = append(words, l.Name)
	}
	for _, c := range []fault.Category{fault.Transient, fault.Permanent, fault.UnknownCategory} {
		words = append(words, string(c))
	}
	return words
}

func describeError(w io.Writer, e flavored) {
	fmt.Fprintf(w, "%d %s\n", e.Code, e.Name)
	servers := e.Servers
	if e.flavor != "" {
		servers += " only, and it differs there"
	}
	for _, line := range [][2]string{
		{"kind", string(e.Kind) + ": " + meaning(e.Kind)},
		{"category", string(e.Category) + ": " + advice(e.Category)},
		{"sqlstate", e.SQLState},
		{"servers", servers},
		{"note", e.Note},
		{"source", e.Source},
	} {
		if line[1] != "" {
			fmt.Fprintf(w, "  %-9s %s\n", line[0], line[1])
		}
	}
}

func meaning(k fault.Kind) string {
	for _, i := range fault.Kinds() {
		if i.Kind == k {
			return i.Meaning
		}
	}
	return ""
}

func advice(c fault.Category) string {
	switch c {
	case fault.Transient:
		return "the same call may succeed later"
	case fault.Permanent:
		return "the same call fails again"
	}
	return "retry within limits"
}

func allErrors(w io.Writer) error {
	f := errorsFound{entries: everyError(), states: fault.States(), locals: fault.Locals()}
	if err := f.print(w); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%d error numbers. rig doc errors 1213 shows one, rig help errors the kinds; in scripts: errors.classify(e).\n", len(fault.Table()))
	return err
}

// print writes the parts as aligned columns.
func (f errorsFound) print(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(f.entries) > 0 {
		fmt.Fprintln(t, "CODE\tNAME\tSQLSTATE\tKIND\tCATEGORY\tSERVERS\tNOTE\tSOURCE")
	}
	for _, e := range f.entries {
		servers := e.Servers
		if e.flavor != "" {
			servers = "on " + servers
		}
		fmt.Fprintf(t, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", e.Code, e.Name, e.SQLState, e.Kind, e.Category, servers, dash(e.Note), e.Source)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(f.states) > 0 {
		fmt.Fprint(t, space(len(f.entries)), "SQLSTATE\tKIND\tCATEGORY\tWHERE THE NUMBER IS NOT KNOWN\n")
	}
	for _, s := range f.states {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", s.Prefix+strings.Repeat(".", 5-len(s.Prefix)), s.Kind, s.Category, s.Meaning)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(f.locals) > 0 {
		fmt.Fprint(t, space(len(f.entries)+len(f.states)), "NO SERVER SENDS\tKIND\tCATEGORY\tNOTE\tSOURCE\n")
	}
	for _, l := range f.locals {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", l.Name, l.Kind, l.Category, dash(l.Note), l.Source)
	}
	return t.Flush()
}

func space(before int) string {
	if before > 0 {
		return "\n"
	}
	return ""
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
