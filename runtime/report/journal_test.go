package report

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"rig/runtime/event"
)

func openJournal(t testing.TB) *Journal {
	t.Helper()
	j, err := OpenJournal(filepath.Join(t.TempDir(), "runs"), "20260504-1")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func TestJournalHoldsTheStream(t *testing.T) {
	j := openJournal(t)
	play(t, j, failingRun())
	got, err := os.ReadFile(j.Path())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, journalOf(failingRun())) {
		t.Errorf("got:\n%s", got)
	}
	for path, want := range map[string]fs.FileMode{j.Path(): 0o600, filepath.Dir(j.Path()): 0o700 | fs.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v; want %v", path, info.Mode(), err, want)
		}
	}
}

func TestJournalRefuses(t *testing.T) {
	dir := t.TempDir()
	for _, run := range []string{"", ".", "..", "a/b", "../x"} {
		if _, err := OpenJournal(dir, run); err == nil {
			t.Errorf("run %q was taken", run)
		}
	}
	j, err := OpenJournal(dir, "one")
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if _, err := OpenJournal(dir, "one"); err == nil {
		t.Error("a run was opened twice")
	}
}

// TestJournalBuffer checks when lines reach the file: at Flush, or when the buffer fills.
func TestJournalBuffer(t *testing.T) {
	j := openJournal(t)
	defer j.Close()
	size := func() int64 {
		info, err := os.Stat(j.Path())
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	e := event.Event{Data: &event.Statement{SQL: strings.Repeat("x", 1000)}}
	must(t, j.Event(&e))
	if size() != 0 {
		t.Error("written before Flush")
	}
	must(t, j.Flush())
	if size() == 0 {
		t.Error("not written by Flush")
	}
	begun := size()
	for range 200 {
		must(t, j.Event(&e))
		if len(j.buf) > journalBuffer {
			t.Fatalf("holds %d bytes", len(j.buf))
		}
	}
	if size() < begun+100*1000 {
		t.Errorf("the file has %d bytes after 200 KB", size())
	}
	e.Data = &event.Log{Message: strings.Repeat("x", 1<<20)}
	must(t, j.Event(&e))
	if cap(j.buf) > journalBuffer {
		t.Errorf("keeps a buffer of %d bytes", cap(j.buf))
	}
}

func TestJournalSyncsAtEndsOnly(t *testing.T) {
	j := openJournal(t)
	defer j.Close()
	for _, c := range []struct {
		d    event.Data
		want bool
	}{{&event.Statement{}, false}, {&event.Expect{}, false}, {&event.TestEnd{}, true}, {&event.RunEnd{}, true}} {
		must(t, j.Event(&event.Event{Data: c.d}))
		if j.sync != c.want {
			t.Errorf("%T: sync is %v", c.d, j.sync)
		}
		must(t, j.Flush())
		if j.sync {
			t.Errorf("%T: still to be synced after Flush", c.d)
		}
	}
}

func TestJournalStopsAfterAnError(t *testing.T) {
	j := openJournal(t)
	must(t, j.file.Close())
	must(t, j.Event(&event.Event{Data: &event.Signal{}}))
	for _, f := range []func() error{j.Flush, func() error { return j.Event(&event.Event{Data: &event.Signal{}}) }, j.Close} {
		if err := f(); err == nil || !strings.Contains(err.Error(), j.Path()) {
			t.Errorf("got %v, want an error that names %s", err, j.Path())
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPrune(t *testing.T) {
	dir := t.TempDir()
	now := time.Now()
	for i, run := range []struct {
		name   string
		stream *stream
		age    time.Duration
	}{
		{"01-old-failed", failingRun(), 15 * 24 * time.Hour},
		{"02-failed", failingRun(), 13 * 24 * time.Hour},
		{"03-passed", passingRun(), time.Hour},
		{"04-unfinished", truncatedRun(), time.Hour},
		{"05-passed", passingRun(), 30 * 24 * time.Hour},
		{"06-passed", passingRun(), time.Hour},
	} {
		writeRun(t, dir, run.name, journalOf(run.stream), now.Add(-run.age))
		_ = i
	}
	must(t, os.Mkdir(filepath.Join(dir, "00-not-a-run"), 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "00-file"), nil, 0o600))
	must(t, os.Symlink(filepath.Join(dir, "01-old-failed"), filepath.Join(dir, "00-link")))
	must(t, Prune(dir, 2, 14*24*time.Hour, now))
	entries, err := os.ReadDir(dir)
	must(t, err)
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{"00-file", "00-link", "00-not-a-run", "02-failed", "04-unfinished", "05-passed", "06-passed"}
	if !slices.Equal(left, want) {
		t.Errorf("left %v, want %v", left, want)
	}
	must(t, Prune(filepath.Join(dir, "missing"), 2, 0, now))
}

func writeRun(t *testing.T, dir, name string, journal []byte, at time.Time) {
	t.Helper()
	folder := filepath.Join(dir, name)
	must(t, os.MkdirAll(folder, 0o700))
	path := filepath.Join(folder, journalFile)
	must(t, os.WriteFile(path, journal, 0o600))
	must(t, os.Chtimes(path, at, at))
}

func TestLastFailed(t *testing.T) {
	dir := t.TempDir()
	if _, err := LastFailed(dir); !isNotExist(err) {
		t.Errorf("without runs: %v", err)
	}
	repeated := begin(nil, tOpen+"#1", tOpen+"#2").start(tOpen + "#2")
	repeated.end(tOpen+"#1", event.TestEnd{Outcome: event.Failed}).end(tOpen+"#2", event.TestEnd{Outcome: event.Failed})
	for _, c := range []struct {
		run  string
		s    *stream
		want []string
	}{
		{"01", failingRun(), []string{tInsert, tSub}},
		{"02", leakRun(), []string{tOpen}}, // its teardown_all failed
		{"03", repeated.runEnd(nil, 0), []string{tOpen}},
		{"04", passingRun(), nil},
		{"05", truncatedRun(), nil}, // does not count: the last that ended is 04
	} {
		writeRun(t, dir, c.run, journalOf(c.s), time.Now())
		got, err := LastFailed(dir)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, %v; want %q", c.run, got, err, c.want)
		}
	}
}

func isNotExist(err error) bool {
	return err != nil && strings.Contains(err.Error(), fs.ErrNotExist.Error())
}
