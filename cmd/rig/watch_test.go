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
	made := filepath.Join(p.t.TempDir(), name)
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

// The keys of a terminal: a and f run tests, p tells what runs, q ends it.
func TestScreenWatchKeys(t *testing.T) {
	s := onScreen(t, 100, 40, "until [ -f keys.star ]; do :; done; rig watch -v keys.star; echo code $?")
	const text = `
def test_good(t):
    expect.eq(1, 1)

def test_bad(t):
    expect.eq(1, 2)
`
	tmp := filepath.Join(s.dir, "keys.new")
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, "keys.star")); err != nil {
		t.Fatal(err)
	}
	s.shows(`watching 1 file; a runs all, f the failed, p tells what is pending, q quits`)
	s.types("p")
	s.shows(`pending: no test runs`)
	s.types("f")
	s.shows(`1 test: 0 passed, 1 failed`)
	s.types("q")
	s.shows(`code 0`)
}
