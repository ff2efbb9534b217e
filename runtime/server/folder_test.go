package server

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestSweep(t *testing.T) {
	parent := t.TempDir()
	ours, err := makeFolder(parent)
	if err != nil {
		t.Fatal(err)
	}
	make := func(name string, lock bool, age time.Duration) string {
		dir := filepath.Join(parent, name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if lock {
			if err := os.WriteFile(filepath.Join(dir, lockName), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		then := time.Now().Add(-age)
		if err := os.Chtimes(dir, then, then); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	for dir, stays := range map[string]bool{
		ours.path:                                  true,
		make("rig-server-1-orphan", true, 0):       false,
		make("rig-server-1-new", false, 0):         true, // its maker is about to lock it
		make("rig-server-1-old", false, settled*2): false,
		make("other", true, settled*2):             true,
	} {
		sweep(parent)
		if _, err := os.Stat(dir); (err == nil) != stays {
			t.Errorf("%s: %v", dir, err)
		}
	}
	if err := ours.remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ours.path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("removed: %v", err)
	}
}

func TestNoTempDir(t *testing.T) {
	for _, kind := range []string{Embedded, Dolt} {
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		_, err = Start(t.Context(), Spec{Kind: kind, Binary: exe, TempDir: filepath.Join(t.TempDir(), "none")}, nil)
		var e *StartError
		if !errors.As(err, &e) || !strings.Contains(e.Msg, "none") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// templateProcess is a process that only has a folder.
func templateProcess(t *testing.T, s Spec) *process {
	t.Helper()
	dir, err := makeFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { dir.remove() })
	return &process{spec: s, folder: dir, binary: "/bin/sh"}
}

func TestTemplate(t *testing.T) {
	cache := t.TempDir()
	fills := 0
	fill := func(dir string) error {
		fills++
		if err := os.Mkdir(filepath.Join(dir, "mysql"), 0o700); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "mysql", "user.frm"), []byte("data"), 0o600)
	}
	use := func(s Spec, version string) {
		t.Helper()
		p := templateProcess(t, s)
		if err := fromTemplate(t.Context(), p, version, fill); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(p.path("data/mysql/user.frm"))
		if err != nil || string(b) != "data" {
			t.Errorf("copy %q, %v", b, err)
		}
		// What a server writes must not reach the template.
		if err := os.WriteFile(p.path("data/mysql/user.frm"), []byte("more"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := Spec{Kind: MariaDB, CacheDir: cache}
	for i, tt := range []struct {
		spec    Spec
		version string
		fills   int
	}{
		{s, "10.11", 1},
		{s, "10.11", 1},
		{s, "11.4", 2},
		{Spec{Kind: MariaDB, CacheDir: cache, Options: map[string]string{"innodb_page_size": "4k"}}, "10.11", 3},
		{Spec{Kind: MariaDB, CacheDir: cache, Options: map[string]string{"innodb_buffer_pool_size": "4M"}}, "10.11", 3},
	} {
		if use(tt.spec, tt.version); fills != tt.fills {
			t.Errorf("%d: filled %d times, want %d", i, fills, tt.fills)
		}
	}
	// A cache that cannot be made costs time, not the run.
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if use(Spec{Kind: MariaDB, CacheDir: filepath.Join(file, "cache")}, "10.11"); fills != 4 {
		t.Errorf("filled %d times without a cache", fills)
	}
}

func TestFailedTemplateIsMadeAgain(t *testing.T) {
	cache := t.TempDir()
	bad := errors.New("bad")
	for _, want := range []error{bad, nil} {
		p := templateProcess(t, Spec{Kind: MySQL, CacheDir: cache})
		err := fromTemplate(t.Context(), p, "8.0", func(dir string) error {
			if err := os.WriteFile(filepath.Join(dir, "half"), nil, 0o600); err != nil {
				t.Error(err) // also when an earlier try has left it
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

func TestTelling(t *testing.T) {
	log := "a [Note] x\nb [ERROR] one\nc\n" + strings.Repeat("d [Warning] y\n", 10) + "e [ERROR] two"
	if got := telling(log); got != "b [ERROR] one\ne [ERROR] two" {
		t.Errorf("got %q", got)
	}
	if got := telling("1\n2\n3\n4\n5\n6\n7\n8"); got != "3\n4\n5\n6\n7\n8" {
		t.Errorf("got %q", got)
	}
}

// TestSweepWithoutLock: a maker that died between making its folder and locking it leaves one without a lock.
func TestSweepWithoutLock(t *testing.T) {
	parent := t.TempDir()
	old := time.Now().Add(-10 * time.Second)
	dead := exec.Command("true")
	if err := dead.Run(); err != nil {
		t.Fatal(err)
	}
	make := func(pid int, at time.Time) string {
		dir := filepath.Join(parent, fmt.Sprintf("%s%d-x%d", folderPrefix, pid, at.UnixNano()))
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	gone := make(dead.Process.Pid, old)
	kept := []string{make(os.Getpid(), old), make(dead.Process.Pid, time.Now())}
	sweepIn(parent)
	if _, err := os.Stat(gone); !os.IsNotExist(err) {
		t.Errorf("the folder of a dead maker is left (%v)", err)
	}
	for _, dir := range kept {
		if _, err := os.Stat(dir); err != nil {
			t.Errorf("swept although its maker may live: %v", err)
		}
	}
}
