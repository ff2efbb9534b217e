package notice

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A file that is written, replaced or removed is told; changes that nobody took yet are told together.
func TestChanges(t *testing.T) {
	dir := t.TempDir()
	w, err := Open(20 * time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := w.Add(dir, dir); err != nil {
		t.Fatal(err)
	}
	a, b, swap := filepath.Join(dir, "a.star"), filepath.Join(dir, "b.star"), filepath.Join(dir, ".a.swp")
	write(t, a)
	expect(t, w, a)
	write(t, swap)
	if err := os.Rename(swap, a); err != nil {
		t.Fatal(err)
	}
	write(t, b)
	expect(t, w, a, b)
	if err := os.Remove(b); err != nil {
		t.Fatal(err)
	}
	expect(t, w, b)
}

func TestNoSuchFolder(t *testing.T) {
	w, err := Open(time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a folder that is not there is watched")
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func write(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
}

// expect takes changes until all of the files were among them.
func expect(t *testing.T, w *Watcher, files ...string) {
	t.Helper()
	late := time.After(30 * time.Second)
	for len(files) > 0 {
		select {
		case got := <-w.Changes():
			files = slices.DeleteFunc(slices.Clone(files), func(f string) bool { return slices.Contains(got, f) })
		case <-late:
			t.Fatalf("not told: %v", files)
		}
	}
}
