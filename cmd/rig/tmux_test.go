package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// screen is a terminal in which a person types: tmux on a socket of its own.
type screen struct {
	t      *testing.T
	socket string
	dir    string
}

// onScreen runs a command line in a terminal of a size, in a folder with the scenarios of testdata/dap.
func onScreen(t *testing.T, width, height int, line string) *screen {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("SKIPPED, NOT TESTED: no tmux on this machine (apt-get install tmux)")
	}
	s := &screen{t: t, dir: dapFolder(t)}
	s.socket = filepath.Join(s.dir, "tmux")
	// The shell stays when the command has ended, so that its exit code can be seen.
	line = fmt.Sprintf("cd %s; %s; echo [exit $?]; exec cat", s.dir, line)
	s.tmux("-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(width), "-y", fmt.Sprint(height), line)
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", s.socket, "kill-server").Run() })
	return s
}

func (s *screen) tmux(args ...string) string {
	s.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", s.socket}, args...)...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("tmux %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// write puts a file into the folder in one step: who waits for it reads all of it.
func (s *screen) write(name, text string) {
	s.t.Helper()
	tmp := filepath.Join(s.dir, name+".new")
	if err := os.WriteFile(tmp, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	if err := os.Rename(tmp, filepath.Join(s.dir, name)); err != nil {
		s.t.Fatal(err)
	}
}

// look gives what is to be seen, with what has scrolled away.
func (s *screen) look() string {
	return strings.TrimRight(s.tmux("capture-pane", "-p", "-S", "-2000"), "\n") + "\n"
}

// types presses keys: text, or the names of tmux such as Enter and C-c.
func (s *screen) types(keys ...string) {
	s.t.Helper()
	s.tmux(append([]string{"send-keys"}, keys...)...)
}

// enter types a line.
func (s *screen) enter(line string) { s.t.Helper(); s.tmux("send-keys", "-l", line); s.types("Enter") }

// shows waits until a pattern can be seen, and gives the screen.
func (s *screen) shows(pattern string) string {
	s.t.Helper()
	re := regexp.MustCompile("(?m)" + pattern)
	for end := time.Now().Add(60 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		text := s.look()
		if re.MatchString(text) {
			return text
		}
		if time.Now().After(end) {
			s.t.Fatalf("there is no %s to be seen:\n%s", pattern, text)
		}
	}
}

func TestScreenDebug(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 100, 40, "rig debug --run booking account.star")
	s.shows(`^\(rig\)$`)
	s.enter("break 13")
	s.shows(`^breakpoint 1 at account.star:13:5$`)
	s.enter("continue")
	s.shows(`stands at account.star:13:5 \(breakpoint 1\)`)
	s.enter("s")
	s.shows(`stands at account.star:8:5 \(step\)`)
	s.enter("n")
	s.shows(`stands at account.star:9:5 \(step\)`)
	s.enter("p balance")
	s.shows(`^100$`)
	// Ctrl-C at the prompt takes the line back; the run stays.
	s.types("garbage", "C-c")
	s.shows(`^\(quit ends the run\)`)
	s.enter("print amount")
	s.shows(`^10$`)
	// The history, and a line that is edited.
	s.types("Up", "Enter")
	s.shows(`(?s)^10$.*^10$`)
	s.enter("up")
	s.shows(`^#2 test_booking at account.star:13:21$`)
	s.enter("c")
	text := s.shows(`^\[exit 0\]`)
	if !strings.Contains(text, "1 test: 1 passed") {
		t.Errorf("no result:\n%s", text)
	}
	// The terminal is what it was: what is typed is echoed, line by line.
	s.enter("still here")
	s.shows(`^still here\n+still here`)
}

func TestScreenCtrlCWhileRunning(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 100, 40, "rig debug --run loops account.star")
	s.shows(`^\(rig\)$`)
	s.enter("continue")
	s.shows(`^looping$`)
	s.types("C-c")
	s.shows(`pausing at the next statement`)
	s.shows(`stands at account.star:2[348]:[0-9]+ \(pause: paused\)`)
	s.enter("where")
	s.shows(`#[01] test_loops at account.star:28`)
	s.enter("quit")
	s.shows(`^\[exit 130\]`)
}

// The first Ctrl-C cancels what a person asked for, on the server too, and the session and the run stay.
func TestScreenCtrlCWhileEvaluating(t *testing.T) {
	t.Parallel()
	needMariadb(t)
	s := onScreen(t, 100, 60, "rig debug -t mariadb --run booking account.star")
	s.shows(`^\(rig\)$`)
	s.enter("b 15")
	s.enter("c")
	s.shows(`stands at account.star:15:5`)
	early := 0 // a key that comes before the line is taken is the prompt's
	for i, line := range []string{"sql SELECT SLEEP(300)", `print t.db.query("SELECT SLEEP(301)").scalar()`} {
		s.enter(line)
		for {
			s.types("C-c")
			text := s.shows(fmt.Sprintf(`(?s)(^cancelling;.*){%d}|(quit ends the run.*){%d}`, i+1, early+1))
			if strings.Count(text, "cancelling;") > i {
				break
			}
			early++
		}
		s.shows(`(?s)` + regexp.QuoteMeta(line) + `\n.*cancelled by Ctrl-C.*\n\(rig\)$`)
	}
	s.enter("sql SELECT 1 + 1 AS two")
	s.shows(`^two\n-+\n2$`)
	s.enter("c")
	s.shows(`^1 test: 1 passed`)
}

// TestScreenTerm: a run that is told to end while the person has the prompt ends cleanly, and leaves the terminal as it was.
func TestScreenTerm(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 100, 40, `sh -c 'echo $$ >pid; exec rig debug --run booking account.star'`)
	s.shows(`^\(rig\)$`)
	s.enter("b 13")
	s.enter("c")
	s.shows(`stands at account.star:13:5`)
	var pid int
	b, err := os.ReadFile(filepath.Join(s.dir, "pid"))
	if err == nil {
		_, err = fmt.Sscan(string(b), &pid)
	}
	if err != nil || pid <= 1 {
		t.Fatalf("%q: %v", b, err)
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	s.shows(`^\[exit 143\]`)
	s.enter("still here")
	s.shows(`^still here\n+still here`)
}

func TestScreenNarrow(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 20, 40, "rig debug --run booking account.star")
	s.shows(`^\(rig\)$`)
	s.enter("b 13")
	s.enter("c")
	text := s.shows(`(?s)>   13 \|.*\(rig\)$`)
	for line := range strings.Lines(text) {
		if strings.Contains(line, " | ") && len([]rune(strings.TrimRight(line, "\n"))) > 20 {
			t.Errorf("wider than the terminal: %q", line)
		}
	}
	s.enter("locals")
	s.shows(`^  before = \{"tota\.\.\.`)
	s.enter("q")
	s.shows(`^\[exit 130\]`)
}

func TestScreenDumb(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 80, 40, "env TERM=dumb rig debug --run booking account.star")
	s.tmux("pipe-pane", "cat >"+filepath.Join(s.dir, "out"))
	s.shows(`^\(rig\)`)
	s.enter("b 13")
	s.enter("c")
	s.shows(`stands at account.star:13:5`)
	s.types("C-c")
	s.shows(`^\(quit ends the run\)`)
	s.enter("c")
	s.shows(`1 test: 1 passed`)
	s.shows(`^\[exit`)
	b, err := os.ReadFile(filepath.Join(s.dir, "out"))
	if err != nil || !strings.Contains(string(b), "stands at") || strings.Contains(string(b), "\x1b") {
		t.Errorf("a dumb terminal gets %q (%v)", b, err)
	}
}

// TestScreenBreakpoint: breakpoint() stops an ordinary exec in a terminal, and is an error in CI.
func TestScreenBreakpoint(t *testing.T) {
	t.Parallel()
	s := onScreen(t, 100, 40, "rig exec mark.star; CI=true rig exec mark.star")
	if err := os.WriteFile(filepath.Join(s.dir, "mark.star"), []byte("def test_mark(t):\n    x = 41\n    breakpoint()\n    expect.eq(x, 41)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s.shows(`stands at mark.star:3:15 \(breakpoint\(\)\)`)
	s.enter("p x + 1")
	s.shows(`^42$`)
	s.enter("n")
	s.shows(`stands at mark.star:4:5 \(step\)`)
	s.enter("c")
	s.shows(`1 test: 1 passed`)
	s.shows(`mark.star:3:15: breakpoint: no debugger is attached`)
	s.shows(`^\[exit 1\]`)
}

// TestScreenTargetGoesAway: the server is killed while a thread stands. The debugger stays, and the test fails with the loss.
func TestScreenTargetGoesAway(t *testing.T) {
	needMariadb(t)
	t.Parallel()
	s := onScreen(t, 120, 50, "rig debug -t mariadb --run booking account.star")
	s.shows(`^\(rig\)$`)
	s.enter("b 13")
	s.enter("c")
	s.shows(`stands at account.star:13:5`)
	s.enter(`p t.db.query("SELECT @@pid_file").scalar()`)
	s.shows(`^"/.*"$`)
	pid := regexp.MustCompile(`(?m)^"(/.*)"$`).FindStringSubmatch(s.look())
	killServer(t, pid[1])
	s.enter(`p t.db.query("SELECT 1")`)
	s.shows(`conn.query: .*(lost|gone|closed|EOF|broken|reset)`)
	s.enter("p before")
	s.shows(`"total": 100`)
	s.enter("c")
	s.shows(`0 passed, 1 failed`)
	s.shows(`^\[exit [1-9]`)
}
