package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the goldens again")

// TestProblems reads testdata/problems.txtar: each file of settings there is followed by what Load says of it.
func TestProblems(t *testing.T) {
	const path = "testdata/problems.txtar"
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		in, want := archive.Files[i], &archive.Files[i+1]
		if want.Name != in.Name+".want" {
			t.Fatalf("%s is followed by %s", in.Name, want.Name)
		}
		got := problemsOf(t, in.Name, in.Data)
		if *update {
			want.Data = []byte(got)
			continue
		}
		if got != string(want.Data) {
			t.Errorf("%s:\ngot:\n%s\nwant:\n%s", in.Name, got, want.Data)
		}
	}
	if *update {
		if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// problemsOf loads a file of this name and content alone.
func problemsOf(t *testing.T, name string, data []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	f := readFile(filepath.Join(dir, name), name)
	e := &Error{Problems: f.problems, More: f.more}
	if len(e.Problems) == 0 {
		return "no problem\n"
	}
	if strings.Contains(e.Error(), "hunter2") {
		t.Errorf("%s: the password is in the error:\n%s", name, e)
	}
	return e.Error() + "\n"
}
