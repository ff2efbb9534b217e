package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// put replaces a file in one step, as editors do.
func (p *process) put(name, text string) {
	p.t.Helper()
	made := filepath.Join(p.t.TempDir(), filepath.Base(name))
	if err := os.WriteFile(made, []byte(text), 0o644); err != nil {
		p.t.Fatal(err)
	}
	if err := os.Rename(made, filepath.Join(p.dir, name)); err != nil {
		p.t.Fatal(err)
	}
}

// What a change concerns runs again, and nothing else; a file that does not load is told and watched on.
func TestWatchRunsWhatChanged(t *testing.T) {
	t.Parallel()
	const uses = "load(\"./lib.star\", \"want\")\n\ndef test_uses(t):\n    print(\"uses %d\" % want)\n    expect.eq(want, 1)\n"
	p := launch(t, uses, "watch", "-v", ".")
	p.until("watching 1 file")
	p.contains("stdout", p.stdout(), "lib.star")
	p.put("lib.star", "want = 1\n")
	p.until("uses 1")
	p.until("ok  test.star::test_uses")
	p.until("watching 2 files")
	p.put("other.star", "def test_other(t):\n    print(\"other ran\")\n    expect.eq(1, 1)\n")
	p.until("other ran")
	p.until("watching 3 files")
	p.put("lib.star", "want = 2\n")
	p.until("uses 2")
	p.until("FAIL  test.star::test_uses")
	p.until("watching 3 files")
	p.put("test.star", "def (\n")
	p.until("test.star:1")
	p.until("watching 3 files")
	p.put("test.star", strings.Replace(uses, "uses %d", "mended %d", 1))
	p.until("mended 2")
	p.until("watching 3 files")
	if n := strings.Count(p.stdout(), "other ran"); n != 1 {
		t.Errorf("other.star ran %d times, want once: nothing that it reads has changed\n%s", n, p.stdout())
	}
	p.signal(os.Interrupt)
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d, want 130\n%s", code, p.err.String())
	}
}

func TestWatchRefuses(t *testing.T) {
	t.Parallel()
	out, code := rigIn(t, t.TempDir(), "watch", "--list", "x.star")
	if code != 2 || !strings.Contains(out, "watch does not go with --list") {
		t.Errorf("exit code %d: %s", code, out)
	}
}

// Files that go, come back, are renamed or appear in a new folder; and a log in the watched folder, which is no reason to run.
func TestWatchFollowsFiles(t *testing.T) {
	t.Parallel()
	p := launch(t, "def test_first(t):\n    expect.eq(1, 1)\n", "watch", "-v", "**/*.star")
	p.until("watching 1 file")
	p.put("noise.log", "nothing")
	if err := os.Rename(filepath.Join(p.dir, "test.star"), filepath.Join(p.dir, "renamed.star")); err != nil {
		t.Fatal(err)
	}
	p.until("test.star is gone")
	p.until("ok  renamed.star::test_first")
	p.until("watching 1 file")
	p.put("b.star", "def test_b(t):\n    expect.eq(1, 2)\n")
	p.until("FAIL  b.star::test_b")
	p.until("watching 2 files")
	if err := os.Remove(filepath.Join(p.dir, "b.star")); err != nil {
		t.Fatal(err)
	}
	p.until("b.star is gone")
	p.until("watching 1 file")
	p.put("b.star", "def test_again(t):\n    expect.eq(1, 1)\n")
	p.until("ok  b.star::test_again")
	p.until("watching 2 files")
	if err := os.MkdirAll(filepath.Join(p.dir, "sub/deep"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.put("sub/deep/new.star", "def test_new(t):\n    expect.eq(1, 1)\n")
	p.until("ok  sub/deep/new.star::test_new")
	p.until("watching 3 files")
	p.signal(os.Interrupt)
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d, want 130\n%s", code, p.err.String())
	}
	if n := strings.Count(p.stdout(), "renamed.star::test_first"); n != 1 {
		t.Errorf("renamed.star ran %d times, want once:\n%s", n, p.stdout())
	}
	if n := strings.Count(p.stdout(), "watching "); n != 6 {
		t.Errorf("it told %d times what it watches, want 6: after each run and when a file is gone\n%s", n, p.stdout())
	}
}

// The keys of a terminal: a and f run tests, also after a failure; p tells what runs, also while it runs; q ends it. f knows what
// failed also when another file ran since.
func TestScreenWatchKeys(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 100, 80, "until [ -f naps.star ]; do :; done; rig watch -v bad.star naps.star; echo code $?")
	s.write("bad.star", "def test_good(t):\n    expect.eq(1, 1)\n\ndef test_bad(t):\n    expect.eq(1, 2)\n")
	s.write("naps.star", "def test_naps(t):\n    expect.eq(1, 1)\n")
	const keys = `; a runs all, f the failed, p tells what is pending, q quits`
	s.shows(`3 tests: 2 passed, 1 failed[^$]*watching 2 files` + keys)
	s.types("p")
	s.shows(`pending: no test runs`)
	s.write("naps.star", "def test_second(t):\n    expect.eq(1, 1)\n")
	s.shows(`ok  naps.star::test_second[^$]*watching 2 files`)
	s.types("f")
	s.shows(`^1 test: 0 passed, 1 failed[^$]*watching 2 files`)
	s.types("a")
	s.shows(`(3 tests: 2 passed, 1 failed[^$]*){2}watching 2 files`)
	s.write("bad.star", "def test_bad(t):\n    expect.eq(1, 1)\n")
	s.shows(`ok  bad.star::test_bad[^$]*watching 2 files`)
	s.types("f")
	s.shows(`no test failed when it last ran`)
	s.write("naps.star", "def test_naps(t):\n    print(\"it naps\")\n    sleep(\"60s\")\n")
	s.shows(`it naps`)
	s.types("p")
	s.shows(`pending: 1 running\n +naps.star::test_naps for \S+\n +sleeps for 1m0s \(\S+ so far\) at naps.star:3:10`)
	s.types("q")
	s.shows(`^code 0`)
	s.enter("still here")
	s.shows(`^still here\n+still here`)
}

// Ctrl-C ends a run and the watching.
func TestScreenWatchInterrupt(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 100, 40, "until [ -f naps.star ]; do :; done; rig watch -v naps.star")
	s.write("naps.star", "def test_naps(t):\n    t.cleanup(print, \"cleanup ran\")\n    print(\"it naps\")\n    sleep(\"60s\")\n")
	s.shows(`^it naps`)
	s.types("C-c")
	s.shows(`^cleanup ran`)
	s.shows(`^\[exit 130\]`)
	s.enter("still here")
	s.shows(`^still here\n+still here`)
}

// The screen of docs/debugging.md.
func TestScreenWatchPage(t *testing.T) {
	t.Parallel()
	page := screenOf(t, "$ rig watch half.star\n")
	text, err := os.ReadFile("../../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	_, scenario, _ := strings.Cut(string(text), "## Watching\n")
	script := fence.FindStringSubmatch(scenario)[1]
	s := onScreen(t, 100, 40, "until [ -f half.star ]; do :; done; rig watch half.star")
	s.write("half.star", strings.Replace(script, "n // 2", "n // 3", 1))
	s.shows(`watching 1 file`)
	s.write("half.star", script)
	shown := s.shows(`1 passed[^$]*watching 1 file`)
	_, lines, _ := strings.Cut(page, "\n")
	hasScreen(t, lines, shown)
	s.types("q")
	s.shows(`^\[exit 0\]`)
}
