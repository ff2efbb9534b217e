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
	goldens, err := filepath.Glob("*/*.golden") // of somebody's run
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range goldens {
		if err := os.RemoveAll(g); err != nil {
			t.Fatal(err)
		}
	}
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

// TestImportedMarksAreChecked: a source that claims what does not happen makes a scenario that fails, one claim at a time.
func TestImportedMarksAreChecked(t *testing.T) {
	needMariadb(t)
	imports, err := filepath.Abs("../../testdata/import")
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct{ kind, file, old, new, want string }{
		{"session", "report.txt", "SET balance = 0 WHERE id = 1; -- blocks", "SET balance = 0 WHERE id = 2; -- blocks", "conn_1_4"},
		{"session", "report.txt", "VALUES (2, 1, 'bob')", "VALUES (3, 1, 'bob')", "conn_1_5"},
		{"session", "report.txt", "|  2 |      50 | NULL  |", "|  2 |      51 | NULL  |", `"51"`},
		{"session", "report.txt", "balance > 1000", "balance >= 0", "got 2, want 0"},
		{"isolationtester", "markers.spec", `permutation "take 1" pay count1 close look`, `permutation "take 1" pay count1(*) close look`, "count1 must wait"},
		{"isolationtester", "markers.spec", `permutation "take 1" pay count1 close look`, `permutation "take 1"(close) pay count1 close look`, "take_1 must return only after close"},
		{"hermitage", "dirty.md", "Shows 1 => 12", "Shows 1 => 13", "(1, 13)"},
		{"hermitage", "mariadb.md", "Doesn't delete anything", `Prints "ERROR 1213"`, "T1_4"},
		{"mysqltest", "wait.result", "1\t12", "1\t13", `"1\t13"`},
		{"mysqltest", "wait.test", "--error ER_DUP_ENTRY", "--error ER_NO_SUCH_TABLE", "the error has code 1062, want 1146"},
		{"mysqltest", "wait.test", "COMMIT;", "COMMIT;\nDROP TABLE t;", "con1"},
	} {
		t.Run(x.kind+"/"+x.want, func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.CopyFS(".", os.DirFS(filepath.Join(imports, x.kind))); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(x.file)
			if err != nil {
				t.Fatal(err)
			}
			changed := strings.Replace(string(text), x.old, x.new, 1)
			if changed == string(text) {
				t.Fatalf("%s has no %q", x.file, x.old)
			}
			if err := os.WriteFile(x.file, []byte(changed), 0o600); err != nil {
				t.Fatal(err)
			}
			var out, errs bytes.Buffer
			std := streams{strings.NewReader(""), &out, &errs}
			source := strings.Replace(x.file, ".result", ".test", 1)
			if code := run([]string{"import", x.kind, source, "-o", "broken.star"}, std); code != 0 && code != exitReport {
				t.Fatalf("import: exit %d\n%s", code, errs.String())
			}
			if code := run([]string{"exec", "-t", "mariadb", "broken.star"}, std); code != 1 || !strings.Contains(out.String(), x.want) {
				t.Errorf("exit %d, want 1 with %s\n%s%s", code, x.want, out.String(), errs.String())
			}
		})
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
			if strings.HasSuffix(path, ".golden") {
				continue // of somebody's run
			}
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
