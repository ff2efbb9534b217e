package repl

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rig/runtime/script"
)

// cmdSave writes the inputs as a scenario. It overwrites nothing.
func (l *Loop) cmdSave(_ context.Context, path string) (string, error) {
	switch {
	case path == "":
		return "", errors.New("save where? :save FILE.star")
	case len(l.entries) == 0:
		return "", errors.New("there is nothing to save yet")
	}
	if !strings.HasSuffix(path, ".star") {
		path += ".star"
	}
	text := l.Scenario(path)
	if !script.Parses(text) {
		return "", errors.New("the inputs do not make a file that can be read: nothing was written")
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: rig exec %s runs it", count(int64(len(l.entries)), "input", "saved"), path), nil
}

// Scenario is the text of a test that does what was typed. SQL that failed is expected to do as it likes: its error is printed.
// Scripts that failed stay as comments.
func (l *Loop) Scenario(path string) string {
	var b strings.Builder
	b.WriteString("\"\"\"Saved from rig repl.\"\"\"\n\n")
	body := ""
	keeps := slices.ContainsFunc(l.entries, func(e entry) bool { return !e.sql && slices.Contains(script.Mentions(e.text), "_") })
	for _, e := range l.entries {
		if keeps && e.valued {
			e.text = "_ = " + e.text
		}
		switch {
		case !e.sql && e.failed == "" && script.Loads(e.text):
			b.WriteString(e.text + "\n")
		case e.sql:
			body += "    " + e.statement() + "\n"
		case e.failed != "":
			body += comment("failed: "+e.failed) + comment(e.text)
		default:
			body += script.Indent(e.text, "    ") + "\n"
		}
	}
	if load := l.loadLine(path, body); load != "" {
		b.WriteString(load + "\n")
	}
	b.WriteString("\ndef test_saved(t):\n    db = t.db\n" + body)
	return b.String()
}

func comment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("    # " + strings.TrimRight(line, "\n") + "\n")
	}
	return b.String()
}

func (e entry) statement() string {
	conn := e.session
	if conn == "" {
		conn = "db"
	}
	sql := strconv.Quote(e.text)
	switch {
	case e.failed != "":
		return fmt.Sprintf("print(try_(%s.exec, %s).error)", conn, sql)
	case e.reads:
		return fmt.Sprintf("print(%s.query(%s))", conn, sql)
	}
	return fmt.Sprintf("%s.exec(%s)", conn, sql)
}

// loadLine loads what the inputs use of the file.
func (l *Loop) loadLine(path, body string) string {
	if l.o.File == "" {
		return ""
	}
	used := script.Mentions("def f(t):\n    pass\n" + body)
	var names []string
	for _, name := range l.o.Defined {
		if slices.Contains(used, name) && !strings.HasPrefix(name, "_") {
			names = append(names, strconv.Quote(name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	from, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return ""
	}
	to, err := filepath.Abs(l.o.File)
	if err != nil {
		return ""
	}
	rel, err := filepath.Rel(from, to)
	if err != nil {
		return ""
	}
	rel = filepath.ToSlash(rel)
	if !strings.HasPrefix(rel, "../") {
		rel = "./" + rel
	}
	return fmt.Sprintf("load(%q, %s)", rel, strings.Join(names, ", "))
}
