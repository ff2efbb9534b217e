package lsp

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestScriptsOfFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	want := []string{write("a.star"), write("sub/b.star")}
	write(".git/c.star")
	write("node_modules/d.star")
	write("e.txt")
	if err := os.Mkdir(filepath.Join(dir, "f.star"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.star", filepath.Join(dir, "g.star")); err != nil {
		t.Fatal(err)
	}
	if got, whole := scripts(dir); !slices.Equal(got, want) || !whole {
		t.Errorf("got %q, %v, want %q", got, whole, want)
	}
	for i := range maxScripts {
		write(fmt.Sprintf("many/%d.star", i))
	}
	if got, whole := scripts(dir); len(got) != maxScripts || whole {
		t.Errorf("got %d, %v", len(got), whole)
	}
	if got, whole := scripts(filepath.Join(dir, "nowhere")); got != nil || !whole {
		t.Errorf("nowhere: %q, %v", got, whole)
	}
}
