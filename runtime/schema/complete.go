package schema

import (
	"cmp"
	"slices"
	"strings"
)

// The groups of words.
const (
	Tables  = "tables"
	Columns = "columns"
	Keyword = "SQL"
)

// Word may stand at a place.
type Word struct {
	Text  string
	Doc   string // of a column: its table and type
	Group string // Tables, Columns, "columns of x" behind a dot, or Keyword
}

// Complete lists what may stand at a place, in bytes, of a statement in place of the word that ends there: behind a dot what the table,
// its alias or the database has; where a table is due tables; else columns, those of the tables that the statement names
// where they are known; then keywords. The list is not filtered by what is typed already.
func Complete(sql string, at int, known []Column) []Word {
	at = max(0, min(at, len(sql)))
	start := at
	for start > 0 && wordByte(sql[start-1]) {
		start--
	}
	if inside(sql, at) {
		return nil
	}
	before, rest := around(lex(sql), start)
	named := references(append(slices.Clone(before), rest...)).refs
	if n := len(before); n > 1 && before[n-1].text == "." && before[n-1].end == start && before[n-2].name() {
		return qualified(before[n-2].text, named, known)
	}
	if len(before) == 0 {
		return keywords(verbs)
	}
	if references(before).due {
		return append(tables(known), keywords(words)...)
	}
	of := slices.DeleteFunc(slices.Clone(known), func(c Column) bool {
		return !slices.ContainsFunc(named, func(r ref) bool { return r.has(c) })
	})
	out := columns(of, Columns)
	for _, r := range named {
		if name := cmp.Or(r.alias, r.table); len(of) > 0 && name != "" {
			out = append(out, Word{Text: name, Group: Tables})
		}
	}
	if len(of) == 0 {
		out = append(tables(known), columns(known, Columns)...)
	}
	return append(out, keywords(words)...)
}

// around gives the tokens of the statement that a place is in, before it and behind the word there.
func around(all []token, start int) (before, rest []token) {
	for _, t := range all {
		switch {
		case t.end <= start && t.text == ";" && !t.word:
			before = nil
		case t.end <= start:
			before = append(before, t)
		case t.text == ";" && !t.word:
			return before, rest
		default:
			rest = append(rest, t)
		}
	}
	return before, rest
}

func keywords(list []string) []Word {
	out := make([]Word, len(list))
	for i, k := range list {
		out[i] = Word{Text: k, Group: Keyword}
	}
	return out
}

func tables(known []Column) []Word {
	var out []Word
	seen := map[string]bool{"": true}
	for _, c := range known {
		if !seen[c.Table] {
			seen[c.Table] = true
			out = append(out, Word{Text: c.Table, Doc: c.Database, Group: Tables})
		}
	}
	return out
}

// columns lists columns, each name once.
func columns(of []Column, group string) []Word {
	var out []Word
	seen := map[string]bool{}
	for _, c := range of {
		if seen[c.Name] {
			continue
		}
		seen[c.Name] = true
		doc := c.Type
		if c.Table != "" && group == Columns {
			doc = c.Table + ": " + c.Type
		}
		out = append(out, Word{Text: c.Name, Doc: doc, Group: group})
	}
	return out
}

// qualified lists what stands behind a dot: of a table or its alias, or of a database.
func qualified(name string, named []ref, known []Column) []Word {
	var of, in []Column
	for _, c := range known {
		aliased := slices.ContainsFunc(named, func(r ref) bool { return strings.EqualFold(r.alias, name) && r.has(c) })
		switch {
		case aliased, strings.EqualFold(c.Table, name) && c.Table != "":
			of = append(of, c)
		case strings.EqualFold(c.Database, name) && c.Database != "":
			in = append(in, c)
		}
	}
	if len(of) > 0 {
		return columns(of, "columns of "+name)
	}
	return tables(in)
}
