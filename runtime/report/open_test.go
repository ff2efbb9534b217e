package report

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"rig/runtime/event"
)

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	for spec, want := range map[string]string{
		"junt":                                   `did you mean "junit"? (formats: console, junit, tap`,
		"":                                       "no format",
		"xyzzy=a":                                `no format "xyzzy"`,
		"junit=":                                 "no path",
		"tap=" + dir:                             "is a folder",
		"junit=" + dir:                           "is a folder",
		"junit=" + filepath.Join(dir, "no", "x"): filepath.Join(dir, "no", "x"),
		"jsonl=" + filepath.Join(dir, "no", "x"): filepath.Join(dir, "no", "x"),
		"console=" + filepath.Join(dir, "no", "x"): "no such file",
		"junit=/proc/x.xml":                        "/proc/x.xml",
	} {
		sink, err := Open(spec, &bytes.Buffer{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, %v; want %q", spec, sink, err, want)
		}
	}
	var f *FormatError
	if _, err := Open("junt", nil); !errors.As(err, &f) || !strings.Contains(f.Report().Hint, `did you mean "junit"?`) {
		t.Errorf("no hint: %v", err)
	}
}

func TestOpenFiles(t *testing.T) {
	for _, f := range Formats() {
		dir := t.TempDir()
		path := filepath.Join(dir, "out")
		must(t, os.WriteFile(path, []byte("old"), 0o600))
		must(t, os.Symlink(path, filepath.Join(dir, "link")))
		sink, err := Open(f.Name+"="+filepath.Join(dir, "link"), nil)
		must(t, err)
		s := failingRun()
		for i := range s.events {
			must(t, sink.Event(&s.events[i]))
		}
		must(t, sink.Flush())
		begun, err := os.ReadFile(path)
		must(t, err)
		if whole := string(begun) == "old"; whole != (f.Name == "junit") {
			t.Errorf("%s: before Close the file has %q", f.Name, begun)
		}
		must(t, sink.Close())
		got, err := os.ReadFile(path)
		must(t, err)
		if f.Name != "console" && string(got) != report(t, f.Name, failingRun()) {
			t.Errorf("%s: got %q", f.Name, got)
		}
		if f.Name == "console" && !bytes.Contains(got, []byte("6 tests: 1 passed")) {
			t.Errorf("console: got %q", got)
		}
		if entries, _ := os.ReadDir(dir); len(entries) != 2 {
			t.Errorf("%s: left %v", f.Name, entries)
		}
		if !strings.Contains(sink.Name(), f.Name) || !strings.Contains(sink.Name(), dir) {
			t.Errorf("name %q", sink.Name())
		}
	}
}

func TestOpenMode(t *testing.T) {
	for _, format := range []string{"junit", "tap"} {
		path := filepath.Join(t.TempDir(), "out")
		sink, err := Open(format+"="+path, nil)
		must(t, err)
		must(t, sink.Close())
		info, err := os.Stat(path)
		must(t, err)
		if got := info.Mode().Perm(); got&0o600 != 0o600 || got&^0o644 != 0 {
			t.Errorf("%s: mode %v", format, got)
		}
	}
}

// fullDevice makes a device that is always full, in a folder of the test's own. The machine's /dev/full is never used by
// root: a broken guard would rename a file over it.
func fullDevice(t *testing.T) string {
	t.Helper()
	if os.Getuid() != 0 {
		return "/dev/full" // only root can replace it
	}
	path := filepath.Join(t.TempDir(), "full")
	const major, minor = 1, 7 // of /dev/full, Documentation/admin-guide/devices.txt of Linux
	if err := syscall.Mknod(path, syscall.S_IFCHR|0o600, major<<8|minor); err != nil {
		t.Skipf("SKIPPED, NOT TESTED: make a full device: %v", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: open a full device (a file system without devices?): %v", err)
	}
	must(t, f.Close())
	return path
}

func TestDiskFull(t *testing.T) {
	for _, f := range Formats() {
		full := fullDevice(t)
		sink, err := Open(f.Name+"="+full, nil)
		must(t, err)
		s := failingRun()
		for i := range s.events {
			err = errors.Join(err, sink.Event(&s.events[i]))
		}
		err = errors.Join(err, sink.Flush(), sink.Close())
		if err == nil || !strings.Contains(err.Error(), full) || !strings.Contains(err.Error(), "no space left") {
			t.Errorf("%s: got %v", f.Name, err)
		}
		if info, err := os.Stat(full); err != nil || info.Mode().IsRegular() {
			t.Errorf("%s: the device became %v, %v", f.Name, info.Mode(), err)
		}
	}
}

// TestBrokenWholeFile checks that a whole file that cannot be finished leaves the old one and no neighbour.
func TestBrokenWholeFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.xml")
	must(t, os.WriteFile(path, []byte("old"), 0o600))
	s, err := Open("junit="+path, nil)
	must(t, err)
	must(t, s.(*sink).out.file.Close()) // the next write fails
	if err := s.Close(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("got %v", err)
	}
	got, err := os.ReadFile(path)
	if err != nil || string(got) != "old" {
		t.Errorf("the old file is %q, %v", got, err)
	}
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}

// TestBusNamesTheFailedReport follows a failing report through a bus to the exit code.
func TestBusNamesTheFailedReport(t *testing.T) {
	sink, err := Open("tap", brokenWriter{})
	must(t, err)
	tally := NewTally(TallyOptions{})
	bus := event.NewBus(startedAt, nil, tally, sink)
	s := passingRun()
	for _, e := range s.events[:len(s.events)-1] {
		bus.Emit(e)
	}
	bus.Flush()
	bus.Emit(event.Event{Data: tally.End(0, nil, 0, false)})
	failures := bus.Close()
	if len(failures) != 1 || failures[0].Sink != "report tap on standard output" || !strings.Contains(failures[0].Err.Error(), "pipe is gone") {
		t.Errorf("failures %+v", failures)
	}
	if got := tally.Exit(); got != exitIncomplete {
		t.Errorf("exit %d", got)
	}
}
