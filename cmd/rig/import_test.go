package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.starlark.net/syntax"

	"rig/runtime/importer"
)

// updateImports writes what the commands print, and the files that it shows, into docs/import.md.
var updateImports = flag.Bool("update-imports", false, "write files and answers into docs/import.md")

// shownFile is a file on the page; one that has fences of its own stands between four backquotes.
var shownFile = regexp.MustCompile("(?ms)^(testdata/\\S+):\n\n(?:````text\n.*?\n(````)$|```text\n.*?\n(```)$)")

// TestImportPage: the page shows the files as they are, and each command prints what stands below it.
func TestImportPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/import.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	files, commands := 0, 0
	fresh := shownFile.ReplaceAllFunc(page, func(block []byte) []byte {
		m := shownFile.FindSubmatch(block)
		b, err := os.ReadFile(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		files++
		fence := append(m[2], m[3]...)
		return fmt.Appendf(nil, "%s:\n\n%stext\n%s%s", m[1], fence, b, fence)
	})
	fresh = console.ReplaceAllFunc(fresh, func(block []byte) []byte {
		command, _, _ := strings.Cut(strings.TrimPrefix(string(block), "```console\n$ rig "), "\n")
		commands++
		return []byte("```console\n$ rig " + command + "\n" + runCheck(t, command) + "```")
	})
	if kinds := len(importer.Kinds()); files != kinds || commands != kinds {
		t.Errorf("%d files and %d commands for %d kinds", files, commands, kinds)
	}
	switch {
	case bytes.Equal(fresh, page):
	case *updateImports:
		if err := os.WriteFile("docs/import.md", fresh, 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Error("docs/import.md is stale: go test ./cmd/rig -run ImportPage -update-imports")
	}
}

// TestImportedScenariosRun runs what was imported on MariaDB, twice: the goldens of the first run hold in the second. The one
// whose SQL is PostgreSQL's fails where it says that it will.
func TestImportedScenariosRun(t *testing.T) {
	needMariadb(t)
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/import")); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	files, err := filepath.Glob("*/*.star")
	if err != nil || len(files) < 12 {
		t.Fatalf("%d scenarios, %v", len(files), err)
	}
	for round := range 2 {
		var out, errs bytes.Buffer
		code := run(append([]string{"exec", "-t", "mariadb", "-j", "2"}, files...), streams{strings.NewReader(""), &out, &errs})
		text := out.String()
		if code != 1 || strings.Count(text, "FAIL ") != 1 || !strings.Contains(text, "FAIL  isolationtester/dialect.star::test_dialect") ||
			!strings.Contains(text, "You have an error in your SQL syntax") || strings.Contains(text, "SKIP") {
			t.Fatalf("round %d, exit %d:\n%s%s", round, code, text, errs.String())
		}
		if wrote := strings.Contains(text, "wrote the golden"); wrote != (round == 0) {
			t.Errorf("round %d: goldens written: %v", round, wrote)
		}
	}
}

// TestImportedMarksAreChecked: a transcript that claims what does not happen fails, one claim at a time.
func TestImportedMarksAreChecked(t *testing.T) {
	needMariadb(t)
	report, err := os.ReadFile("../../testdata/import/session/report.txt")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	for _, x := range []struct{ name, old, new, want string }{
		{"wait", "SET balance = 0 WHERE id = 1; -- blocks", "SET balance = 0 WHERE id = 2; -- blocks", "conn_1_4"},
		{"no_error", "VALUES (2, 1, 'bob')", "VALUES (3, 1, 'bob')", "conn_1_5"},
		{"other_rows", "|  2 |      50 | NULL  |", "|  2 |      51 | NULL  |", `"51"`},
		{"not_empty", "balance > 1000", "balance >= 0", "got 2, want 0"},
	} {
		text := strings.Replace(string(report), x.old, x.new, 1)
		if text == string(report) {
			t.Fatalf("%s: the report has no %q", x.name, x.old)
		}
		if err := os.WriteFile(x.name+".txt", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		if code := run([]string{"import", "session", x.name + ".txt", "-o", x.name + ".star"}, streams{strings.NewReader(""), &out, &errs}); code != 0 {
			t.Fatalf("%s: import: exit %d\n%s", x.name, code, errs.String())
		}
		code := run([]string{"exec", "-t", "mariadb", x.name + ".star"}, streams{strings.NewReader(""), &out, &errs})
		if code != 1 || !strings.Contains(out.String(), x.want) {
			t.Errorf("%s: exit %d, want 1 with %s\n%s%s", x.name, code, x.want, out.String(), errs.String())
		}
	}
}

// parses says whether a text is Starlark as the host reads it.
func parses(text string) error {
	_, err := (&syntax.FileOptions{Set: true, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}).Parse("x.star", text, 0)
	return err
}

// FuzzImported: whatever is imported can be read as Starlark.
func FuzzImported(f *testing.F) {
	for i, k := range importer.Kinds() {
		files, err := filepath.Glob("../../testdata/import/" + k.Name + "/*")
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(i, b)
		}
	}
	f.Fuzz(func(t *testing.T, kind int, text []byte) {
		k := importer.Kinds()[uint(kind)%uint(len(importer.Kinds()))]
		made, err := importer.Import(k.Name, importer.Source{Name: "x", Text: text})
		if err != nil {
			return
		}
		if err := parses(made.Text); err != nil {
			t.Errorf("%s: %v in\n%s", k.Name, err, made.Text)
		}
	})
}
