package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a rig that runs beside the test, in a folder of its own.
type process struct {
	t     *testing.T
	dir   string
	cmd   *exec.Cmd
	lines chan string // of stdout, closed at its end

	mu  sync.Mutex
	out bytes.Buffer // guarded by mu
	err bytes.Buffer // read after wait only
}

// launch starts rig with a script named test.star.
func launch(t *testing.T, script string, args ...string) *process {
	t.Helper()
	p := &process{t: t, dir: t.TempDir(), lines: make(chan string, 1000)}
	if err := os.WriteFile(filepath.Join(p.dir, "test.star"), []byte(script), 0o644); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command("rig", args...)
	p.cmd.Dir, p.cmd.Stderr = p.dir, &p.err
	p.cmd.Env = append(os.Environ(), "TMPDIR="+os.TempDir())
	pipe, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() })
	go func() { // ends with the process
		defer close(p.lines)
		for s := bufio.NewScanner(pipe); s.Scan(); {
			p.mu.Lock()
			fmt.Fprintln(&p.out, s.Text())
			p.mu.Unlock()
			p.lines <- s.Text()
		}
	}()
	return p
}

// patience bounds every wait for something that should happen soon, on a loaded machine too.
const patience = 30 * time.Second

// until waits for a line of stdout that contains text.
func (p *process) until(text string) {
	p.t.Helper()
	deadline := time.After(patience)
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				p.t.Fatalf("rig ended before %q:\n%s", text, p.stdout())
			}
			if strings.Contains(line, text) {
				return
			}
		case <-deadline:
			p.t.Fatalf("no line with %q within %s:\n%s", text, patience, p.stdout())
		}
	}
}

func (p *process) stdout() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.out.String()
}

// signal sends one and gives its moment.
func (p *process) signal(s os.Signal) time.Time {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatal(err)
	}
	return time.Now()
}

// wait gives the exit code.
func (p *process) wait() int {
	p.t.Helper()
	for range p.lines { // to its end, before Wait closes the pipe
	}
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		p.t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// file reads a file of the process's folder; the name may be a pattern.
func (p *process) file(pattern string) (path, text string) {
	p.t.Helper()
	found, err := filepath.Glob(filepath.Join(p.dir, pattern))
	if err != nil || len(found) != 1 {
		p.t.Fatalf("%s: found %v %v, want one file", pattern, found, err)
	}
	b, err := os.ReadFile(found[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return found[0], string(b)
}

func (p *process) contains(what, text string, wants ...string) {
	p.t.Helper()
	for _, w := range wants {
		if !strings.Contains(text, w) {
			p.t.Errorf("%s lacks %q:\n%s", what, w, text)
		}
	}
}

// rigIn runs rig to its end in a folder.
func rigIn(t *testing.T, dir string, args ...string) (string, int) {
	t.Helper()
	cmd := exec.Command("rig", args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// sleeping asks the shared server how many statements with the mark run.
func sleeping(t *testing.T, mark string) int {
	t.Helper()
	out, err := shared.query("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE 'SELECT SLEEP(60) AS " + mark + "%'")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(out))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// eventually polls a condition.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !holds(); {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", patience, what)
		}
		<-tick.C
	}
}

func sharedURL(t *testing.T) string {
	t.Helper()
	needMariadb(t)
	url, err := shared.url("root")
	if err != nil {
		t.Fatal(err)
	}
	return url
}

// sleeper is a script whose test runs a statement for a minute.
func sleeper(mark string) string {
	return `
def clean(t):
    t.db.exec("DROP TABLE here")
    print("cleanup ran")

def test_sleeps(t):
    t.db.exec("CREATE TABLE here (i INT)")
    t.cleanup(clean, t)
    t.db.begin()
    print("in " + t.database)
    t.db.query("SELECT SLEEP(60) AS ` + mark + `")

def test_later(t):
    print("never")
`
}

func TestInterrupt(t *testing.T) {
	for _, c := range []struct {
		name   string
		signal os.Signal
		code   int
	}{
		{"SIGINT", os.Interrupt, 130},
		{"SIGTERM", syscall.SIGTERM, 143},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := sharedURL(t)
			p := launch(t, sleeper(c.name), "exec", "-v", "-j", "1", "-t", url, "--report", "junit=r.xml", "test.star")
			p.until("in rig_")
			eventually(t, "the statement runs", func() bool { return sleeping(t, c.name) == 1 })
			sent := p.signal(c.signal)
			code := p.wait()
			if took := time.Since(sent); took > 2*time.Second {
				t.Errorf("it took %s to end, want at most 2s", took)
			}
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s%s", code, c.code, p.stdout(), p.err.String())
			}
			if n := sleeping(t, c.name); n != 0 {
				t.Errorf("%d statements still run on the server", n)
			}
			out := p.stdout()
			p.contains("stdout", out, "cleanup ran", "SKIP  test.star::test_sleeps  the run was interrupted at test.star:11:15 (conn.query)", "2 tests: 0 passed, 1 skipped, 1 not run")
			if strings.Contains(out, "never") || strings.Contains(out, "LEAK") || strings.Contains(out, "FAIL") || strings.Contains(out, "context canceled") {
				t.Errorf("stdout has what it must not have:\n%s", out)
			}
			p.contains("stderr", p.err.String(), "rig: stopping: statements are killed and cleanups run; once more ends at once")
			_, xml := p.file("r.xml")
			p.contains("junit", xml, `name="test_sleeps"`, `name="test_later"`, `<skipped message="the run was interrupted at test.star:11:15 (conn.query)"`, "</testsuites>")
			if strings.Contains(xml, "<error") || strings.Contains(xml, "<failure") {
				t.Errorf("the interruption counts as a failure of the test:\n%s", xml)
			}
			noDatabaseOf(t, p)
		})
	}
}

var databaseName = regexp.MustCompile(`in (rig_\w+)`)

// noDatabaseOf checks that the database that the run told of is gone.
func noDatabaseOf(t *testing.T, p *process) {
	t.Helper()
	m := databaseName.FindStringSubmatch(p.stdout())
	if m == nil {
		t.Fatalf("the run told no database:\n%s", p.stdout())
	}
	if databaseExists(t, m[1]) {
		t.Errorf("database %s is left", m[1])
	}
}

func databaseExists(t *testing.T, name string) bool {
	t.Helper()
	out, err := shared.query("SELECT COUNT(*) FROM information_schema.schemata WHERE schema_name = '" + name + "'")
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out) == "1"
}

// A cleanup that an interrupt does not leave enough time for says so, and what to do.
func TestInterruptCutsCleanups(t *testing.T) {
	t.Parallel()
	url := sharedURL(t)
	p := launch(t, `
def test_slow(t):
    t.cleanup(t.db.query, "SELECT SLEEP(40)")
    print("in " + t.database)
    sleep("60s")
`, "exec", "-v", "-t", url, "--cleanup-timeout", "30s", "test.star")
	p.until("in rig_")
	p.signal(os.Interrupt)
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	p.contains("stdout", p.stdout(), "after an interrupt all cleanups share 1s")
	noDatabaseOf(t, p)
}

// The second signal ends at once, whatever the cleanups do; the throw-away server goes too.
func TestSecondInterrupt(t *testing.T) {
	t.Parallel()
	needMariadb(t)
	p := launch(t, `
def stubborn():
    print("cleanup begins")
    sleep("60s")

def test_stuck(t):
    t.cleanup(stubborn)
    t.db.ping()
    print("started")
    sleep("60s")
`, "exec", "-v", "-t", "mariadb", "test.star")
	p.until("started")
	server := serverOf(t, p)
	p.signal(os.Interrupt)
	p.until("cleanup begins")
	sent := p.signal(os.Interrupt)
	if code := p.wait(); code != 130 {
		t.Errorf("exit code %d, want 130", code)
	}
	if took := time.Since(sent); took > time.Second {
		t.Errorf("it took %s, want at once", took)
	}
	p.contains("stderr", p.err.String(), "rig: ended at once; what is left on a server: rig clean ", "run.jsonl")
	eventually(t, "the server is gone", func() bool { return !alive(server) })
}

// serverOf finds the server that a rig started.
func serverOf(t *testing.T, p *process) int {
	t.Helper()
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(found) == 0 {
		t.Skip("SKIPPED, NOT TESTED: no /proc, so the server's process cannot be found")
	}
	for _, path := range found {
		b, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		head, tail, _ := strings.Cut(string(b), ") ")
		fields := strings.Fields(tail)
		if strings.Contains(head, "(mariadbd") && len(fields) > 1 && fields[1] == strconv.Itoa(p.cmd.Process.Pid) {
			pid, err := strconv.Atoi(strings.Fields(head)[0])
			if err == nil {
				return pid
			}
		}
	}
	t.Fatalf("rig %d has no mariadbd", p.cmd.Process.Pid)
	return 0
}

// alive reports whether a process runs; one that ended and is not yet collected does not.
func alive(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, tail, _ := strings.Cut(string(b), ") ")
	return !strings.HasPrefix(tail, "Z") && !strings.HasPrefix(tail, "X")
}

// A killed rig takes its server along, and its journal can be read.
func TestKilledRunTakesItsServerAlong(t *testing.T) {
	t.Parallel()
	needMariadb(t)
	p := launch(t, `
def test_done(t):
    t.db.ping()

def test_stuck(t):
    t.db.ping()
    print("started")
    sleep("60s")
`, "exec", "-v", "-j", "1", "-t", "mariadb", "test.star")
	p.until("started")
	server := serverOf(t, p)
	p.signal(syscall.SIGKILL)
	p.wait()
	eventually(t, "the server is gone", func() bool { return !alive(server) })

	journal, _ := p.file(".rig/runs/*/run.jsonl")
	out, code := rigIn(t, p.dir, "report", journal)
	if code != 9 {
		t.Errorf("rig report of a run without an end: exit code %d, want 9", code)
	}
	p.contains("the report", out, "ok  test.star::test_done", "test.star::test_stuck", "rig: the run did not end: it was killed, or goes on")
	out, code = rigIn(t, p.dir, "clean", journal)
	if code != 0 {
		t.Errorf("rig clean: exit code %d", code)
	}
	p.contains("rig clean", out, "on a throw-away mariadb server, which is gone")
}

// What a killed run left on a server that is not its own is removed by its journal; a run that is alive is spared.
func TestCleanAfterKill(t *testing.T) {
	t.Parallel()
	url := sharedURL(t)
	killed := launch(t, sleeper("killed"), "exec", "-v", "-j", "1", "-t", url, "test.star")
	living := launch(t, sleeper("living"), "exec", "-v", "-j", "1", "-t", url, "test.star")
	names := map[*process]string{}
	for p, mark := range map[*process]string{killed: "killed", living: "living"} {
		p.until("in rig_")
		eventually(t, "the statement runs", func() bool { return sleeping(t, mark) == 1 })
		names[p] = databaseName.FindStringSubmatch(p.stdout())[1]
	}
	killed.signal(syscall.SIGKILL)
	killed.wait()
	journal, _ := killed.file(".rig/runs/*/run.jsonl")
	// The server notices that its client is gone only by and by: until then the run counts as alive.
	var out string
	eventually(t, "rig clean drops what was left", func() bool {
		var code int
		out, code = rigIn(t, killed.dir, "clean", journal)
		if code != 0 {
			t.Fatalf("rig clean: exit code %d\n%s", code, out)
		}
		return strings.Contains(out, "dropped "+names[killed])
	})
	if databaseExists(t, names[killed]) {
		t.Errorf("database %s is left", names[killed])
	}
	out, code := rigIn(t, living.dir, "clean", "--all-mine", "--target", url)
	if code != 0 || !strings.Contains(out, "spared  "+names[living]) || !databaseExists(t, names[living]) {
		t.Errorf("rig clean --all-mine did not spare a run that is alive: exit code %d\n%s", code, out)
	}
	living.signal(os.Interrupt)
	if code := living.wait(); code != 130 {
		t.Errorf("the living run: exit code %d, want 130", code)
	}
	noDatabaseOf(t, living)
}
