package main

import (
	"database/sql/driver"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins"
	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/repl"
	"rig/runtime/scenario"
	"rig/runtime/schema"
	"rig/runtime/session"
)

// wordList completes inputs: commands, SQL with the tables and columns of the target, and names, attributes and parameters of scripts.
type wordList struct {
	k       *conversation
	members map[string]map[string]string // type -> member -> summary

	columns []schema.Column // of the database of the current session
	asked   time.Time
	input   int // the number of inputs when the columns were read
}

func newWords(k *conversation) *wordList {
	w := &wordList{k: k, members: map[string]map[string]string{}}
	for _, m := range builtins.Modules(builtins.Options{Registry: scenario.NewRegistry(), Params: k.x.params}) {
		for _, t := range m.Types {
			all := map[string]string{}
			for _, a := range t.Attrs {
				all[a.Name] = (&spec.Func{Doc: a.Doc}).Summary()
			}
			for _, f := range t.Methods {
				all[f.Name] = f.Signature("") + "  " + f.Summary()
			}
			w.members[t.Name] = all
		}
	}
	return w
}

var lastWord = regexp.MustCompile(`[A-Za-z0-9_]*$`)

// complete gives what may stand at the end of a text in place of its last part.
func (w *wordList) complete(text string) (part string, list []repl.Candidate) {
	part = lastWord.FindString(text)
	before := strings.TrimSuffix(text, part)
	trimmed := strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(trimmed, ":"):
		list = w.commands(before)
	case inString(before):
		list = w.sql(text[strings.LastIndexByte(text, '"')+1:])
	case repl.IsSQL(trimmed, func(name string) bool { return w.k.space.Value(name) != nil }) && before != "":
		if part == "" && !strings.HasSuffix(before, ".") {
			return part, nil // everything could follow
		}
		list = w.sql(text)
	case openQuote(before), inComment(before):
		return part, nil
	case strings.HasSuffix(before, "."):
		list = w.attributes(before)
	default:
		list = w.parameters(before)
		if part != "" {
			list = append(list, w.names(strings.TrimSpace(before) == "")...)
		}
	}
	list = slices.DeleteFunc(list, func(c repl.Candidate) bool { return !hasPrefixFold(c.Word, part) })
	if slices.ContainsFunc(list, func(c repl.Candidate) bool { return c.Word == part }) {
		return part, nil // the word is whole: Enter is to run the input, not to take a word
	}
	return part, list
}

func hasPrefixFold(word, prefix string) bool {
	return len(word) >= len(prefix) && strings.EqualFold(word[:len(prefix)], prefix)
}

// openQuote reports whether the line ends within a string.
func openQuote(text string) bool {
	line := text[strings.LastIndexByte(text, '\n')+1:]
	return strings.Count(line, `"`)%2 == 1
}

// inComment reports whether the line ends within a script's comment.
func inComment(text string) bool {
	line := text[strings.LastIndexByte(text, '\n')+1:]
	at := strings.IndexByte(line, '#')
	return at >= 0 && strings.Count(line[:at], `"`)%2 == 0
}

// inString reports whether a text ends within a string that holds SQL.
func inString(text string) bool {
	at := strings.LastIndexByte(text, '"')
	return at >= 0 && strings.Count(text, `"`)%2 == 1 && len(strings.Fields(text[at+1:])) > 0 && repl.IsSQL(text[at+1:]+" x", nil)
}

func (w *wordList) commands(before string) []repl.Candidate {
	word, _, args := strings.Cut(strings.TrimLeft(strings.TrimSpace(before)+strings.Repeat(" ", len(before)-len(strings.TrimRight(before, " "))), ":"), " ")
	var out []repl.Candidate
	switch {
	case !args:
		for _, c := range w.k.loop.Names() {
			out = append(out, repl.Candidate{Word: c.Name, Doc: c.Doc, Group: "commands"})
		}
	case word == "use":
		for _, s := range sessionsOfTest(w.k.test) {
			out = append(out, repl.Candidate{Word: s.Name, Doc: s.State, Group: "sessions"})
		}
	case word == "run":
		for _, name := range w.k.file {
			if fn, ok := w.k.space.Value(name).(*starlark.Function); ok && strings.HasPrefix(name, "test_") {
				doc, _, _ := strings.Cut(fn.Doc(), "\n")
				out = append(out, repl.Candidate{Word: name, Doc: doc, Group: "tests"})
			}
		}
	}
	return out
}

// names are those that a script may mention; where an input begins, it may be SQL, too.
func (w *wordList) names(begins bool) []repl.Candidate {
	var out []repl.Candidate
	for _, name := range w.k.space.Names() {
		v := w.k.space.Value(name)
		group := "built-ins"
		if slices.Contains(w.k.space.Own(), name) {
			group = "names"
		}
		out = append(out, repl.Candidate{Word: name, Doc: summaryOf(v), Group: group})
	}
	if begins {
		for _, v := range schema.Verbs() {
			out = append(out, repl.Candidate{Word: v, Group: "SQL"})
		}
	}
	return out
}

func summaryOf(v starlark.Value) string {
	switch v := v.(type) {
	case *spec.Builtin:
		return v.Decl().Signature("") + "  " + v.Decl().Summary()
	case interface{ Decl() *spec.Module }:
		doc, _, _ := strings.Cut(v.Decl().Doc, "\n")
		return doc
	case *starlark.Function:
		doc, _, _ := strings.Cut(v.Doc(), "\n")
		return doc
	case nil, *starlark.Builtin:
		return ""
	}
	return v.Type()
}

var chain = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)$`)

// resolve follows a chain of names. Attributes of modules and tests alone are read: those of a session may ask the server.
func (w *wordList) resolve(path string) starlark.Value {
	parts := strings.Split(path, ".")
	v := w.k.space.Value(parts[0])
	for _, p := range parts[1:] {
		has, ok := v.(starlark.HasAttrs)
		_, isModule := v.(interface{ Decl() *spec.Module })
		_, isSession := v.(*value.Session)
		if !ok || !isModule && !isSession && v.Type() != "module" && v.Type() != "test" && v.Type() != "struct" {
			return nil
		}
		if isSession && !strings.Contains(w.members["session"][p], "(") {
			return nil
		}
		if v.Type() == "test" && (p == "server" || p == "database") {
			return nil
		}
		next, err := has.Attr(p)
		if err != nil || next == nil {
			return nil
		}
		v = next
	}
	return v
}

func (w *wordList) attributes(before string) []repl.Candidate {
	v := w.resolve(chain.FindString(strings.TrimSuffix(before, ".")))
	has, ok := v.(starlark.HasAttrs)
	if !ok {
		return nil
	}
	_, isModule := v.(interface{ Decl() *spec.Module })
	var out []repl.Candidate
	for _, name := range has.AttrNames() {
		c := repl.Candidate{Word: name, Doc: w.members[v.Type()][name], Group: v.Type()}
		if isModule {
			if a, err := has.Attr(name); err == nil {
				c.Doc = summaryOf(a)
			}
		}
		out = append(out, c)
	}
	return out
}

// parameters are those of the call in whose parentheses the text ends.
func (w *wordList) parameters(before string) []repl.Candidate {
	depth := 0
	for i := len(before) - 1; i >= 0; i-- {
		switch before[i] {
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth > 0 {
				depth--
				continue
			}
			if before[i] != '(' {
				return nil
			}
			return paramsOf(w.resolve(chain.FindString(before[:i])))
		}
	}
	return nil
}

func paramsOf(v starlark.Value) []repl.Candidate {
	var out []repl.Candidate
	switch v := v.(type) {
	case *spec.Builtin:
		for _, p := range v.Decl().Params {
			if !p.Variadic {
				out = append(out, repl.Candidate{Word: p.Name + "=", Doc: p.Type + "  " + p.Doc, Group: "parameters"})
			}
		}
	case *starlark.Function:
		for i := range v.NumParams() {
			name, _ := v.Param(i)
			out = append(out, repl.Candidate{Word: name + "=", Group: "parameters"})
		}
	}
	return out
}

// sql lists what may stand at the end of a statement.
func (w *wordList) sql(text string) []repl.Candidate {
	w.read()
	var out []repl.Candidate
	for _, x := range schema.Complete(text, len(text), w.columns) {
		out = append(out, repl.Candidate{Word: x.Text, Doc: x.Doc, Group: x.Group})
	}
	return out
}

// schemaBound is how long the target may take to name its tables while a person waits.
const schemaBound = time.Second

// read asks for tables and columns, once for each input. Without an answer there are none.
func (w *wordList) read() {
	if n := w.k.loop.Inputs(); n == w.input && !w.asked.IsZero() {
		return
	} else {
		w.input, w.asked = n, time.Now()
	}
	w.columns = nil
	s, err := w.k.observer()
	if err != nil {
		return
	}
	name, err := w.k.test.Database()
	if err != nil {
		return
	}
	w.columns, _ = schema.Fetch(askColumns(s, schemaBound), name) // without an answer there are none
}

// askColumns puts the questions of package schema to a session.
func askColumns(s *session.Session, bound time.Duration) func(string, ...string) ([][]string, error) {
	return func(sql string, args ...string) ([][]string, error) {
		values := make([]driver.Value, len(args))
		for i, a := range args {
			values[i] = a
		}
		rows, err := s.Query(session.Call{Op: "complete", Holder: "completion", Timeout: bound}, sql, values)
		if err != nil {
			return nil, err
		}
		_, cells := value.Cells(value.NewRows(rows), rows.Len())
		return cells, nil
	}
}
