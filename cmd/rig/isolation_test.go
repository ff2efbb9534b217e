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
)

var updateIsolation = flag.Bool("update-isolation", false, "write what the scripts print into docs/isolation.md")

var (
	scriptAndPicture = regexp.MustCompile("(?ms)^```python\n(.*?)^```\n\n```text\n(.*?)^```")
	matrixPicture    = regexp.MustCompile("(?ms)^```console\n\\$ rig matrix -t mariadb\n(.*?)^```")
)

// TestIsolationPage: each picture of the page is what the script above it prints on MariaDB.
func TestIsolationPage(t *testing.T) {
	needMariadb(t)
	page, err := os.ReadFile("../../docs/isolation.md")
	if err != nil {
		t.Fatal(err)
	}
	path, err := filepath.Abs("../../docs/isolation.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	pictures := printed(t, scriptAndPicture.FindAllSubmatch(page, -1))
	if len(pictures) < 4 {
		t.Fatalf("%d pictures on the page", len(pictures))
	}
	fresh := scriptAndPicture.ReplaceAllFunc(page, func(block []byte) []byte {
		code := scriptAndPicture.FindSubmatch(block)[1]
		picture := pictures[0]
		pictures = pictures[1:]
		return fmt.Appendf(nil, "```python\n%s```\n\n```text\n%s```", code, picture)
	})
	fresh = matrixPicture.ReplaceAll(fresh, []byte(strings.ReplaceAll("```console\n$$ rig matrix -t mariadb\n"+matrixOf(t)+"```", "%", "%%")))
	if bytes.Equal(fresh, page) {
		return
	}
	if *updateIsolation {
		if err := os.WriteFile(path, fresh, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, want := strings.Split(string(page), "\n"), strings.Split(string(fresh), "\n")
	for i := range want {
		if i >= len(have) || have[i] != want[i] {
			t.Fatalf("docs/isolation.md:%d is stale (go test ./cmd/rig -run IsolationPage -update-isolation):\nwant %s", i+1, want[i])
		}
	}
	t.Error("docs/isolation.md has more than the scripts print")
}

// printed gives what each script prints.
func printed(t *testing.T, scripts [][][]byte) []string {
	t.Helper()
	for i, s := range scripts {
		if err := os.WriteFile(fmt.Sprintf("%d.star", i), s[1], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	if code := run([]string{"exec", "-t", "mariadb", "-j", "1", "."}, streams{strings.NewReader(""), &out, &errs}); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	var pictures []string
	var b strings.Builder
	_, lines, _ := strings.Cut(out.String(), "\n") // without what runs where
	for line := range strings.Lines(lines) {
		if !strings.HasPrefix(line, "ok  ") {
			b.WriteString(line)
			continue
		}
		pictures = append(pictures, strings.TrimRight(b.String(), "\n")+"\n")
		b.Reset()
	}
	if len(pictures) != len(scripts) {
		t.Fatalf("%d of %d scripts ended\n%s", len(pictures), len(scripts), out.String())
	}
	return pictures
}

// matrixOf is the table, without the server's version.
func matrixOf(t *testing.T) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run([]string{"matrix", "-t", "mariadb", "--against", "mariadb"}, streams{strings.NewReader(""), &out, &errs}); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	_, table, _ := strings.Cut(out.String(), "\n")
	return strings.TrimLeft(table, "\n")
}

// TestMatrixRepeats runs the gallery three times on MariaDB: each verdict is that of the table each time.
func TestMatrixRepeats(t *testing.T) {
	needMariadb(t)
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	if code := run([]string{"matrix", "-t", "mariadb", "--repeat", "3", "--against", "mariadb"}, streams{strings.NewReader(""), &out, &errs}); code != 0 {
		t.Errorf("exit %d\n%s%s", code, out.String(), errs.String())
	}
}

// TestIsolationCheck: the verdict and the drawing of the page are what rig check makes of the history.
func TestIsolationCheck(t *testing.T) {
	t.Chdir("../..")
	page, err := os.ReadFile("docs/isolation.md")
	if err != nil {
		t.Fatal(err)
	}
	drawing := filepath.Join(t.TempDir(), "cycle.svg")
	var out, errs bytes.Buffer
	if code := run([]string{"check", "testdata/histories/lost_update.edn", "--svg", drawing}, streams{strings.NewReader(""), &out, &errs}); code != exitFound {
		t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
	}
	if !strings.Contains(string(page), "$ rig check testdata/histories/lost_update.edn\n"+out.String()+"```") {
		t.Errorf("docs/isolation.md has not what rig check prints:\n%s", out.String())
	}
	got, err := os.ReadFile(drawing)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("docs/isolation-cycle.svg")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/isolation-cycle.svg is stale: run rig check testdata/histories/lost_update.edn --svg docs/isolation-cycle.svg")
	}
}
