package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soak skips what takes long unless make soak asks for it.
func soak(t *testing.T) string {
	t.Helper()
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak runs it")
	}
	needMariadb(t)
	bin := filepath.Join(t.TempDir(), "rig")
	runShell(t, "../..", "make build BIN="+bin)
	return bin
}

// TestSoakGallery runs the gallery many times at once: what a race or a leak would break in one run of a hundred.
func TestSoakGallery(t *testing.T) {
	bin := soak(t)
	cmd := exec.Command(bin, "exec", "-t", "mariadb", "-j", "8", "--repeat", "100", "--strict", "-q", filepath.Join(originalDir, "../../scripts/*.star"))
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1200 tests: 1200 passed") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSoakSuites runs the suites twenty times, each time in another order.
func TestSoakSuites(t *testing.T) {
	bin := soak(t)
	for range 20 {
		cmd := exec.Command(bin, "exec", "-t", "mariadb", "-j", "4", "--shuffle", "--strict", "-q", filepath.Join(originalDir, "../../scripts/suites"))
		cmd.Dir = t.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "SKIP") {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// TestSoakSerializable: a minute of transactions at SERIALIZABLE is strictly serializable.
func TestSoakSerializable(t *testing.T) {
	bin := soak(t)
	cmd := exec.Command(bin, "exec", "-t", "mariadb", "--duration", "60s", filepath.Join(originalDir, "../../scripts/histories/serializable.star"))
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "3 tests: 3 passed") {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// TestSoakHistories runs the histories many times: what is known of MariaDB is found in each run, nothing else is, and not by
// chance.
func TestSoakHistories(t *testing.T) {
	bin := soak(t)
	cmd := exec.Command(bin, "exec", "-t", "mariadb", "-j", "2", "--repeat", "20", "--strict", "-q", filepath.Join(originalDir, "../../scripts/histories"))
	cmd.Dir = t.TempDir()
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "420 tests: 420 passed") {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSoakKills kills rig at odd moments. No server may outlive it, and the next run sweeps the folders.
func TestSoakKills(t *testing.T) {
	bin := soak(t)
	dir := t.TempDir()
	temp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	env := append(os.Environ(), "TMPDIR="+temp)
	for i := range 30 {
		cmd := exec.Command(bin, "exec", "-t", "mariadb", "--repeat", "50", filepath.Join(originalDir, "../../scripts/bank_transfer.star"))
		cmd.Dir, cmd.Env = dir, env
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+i*60) * time.Millisecond) // the moment of the kill is the test's input
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
	}
	cmd := exec.Command(bin, "exec", "-t", "mariadb", filepath.Join(originalDir, "../../scripts/quickstart.star"))
	cmd.Dir, cmd.Env = dir, env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	left, err := filepath.Glob(filepath.Join(temp, "rig-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("folders are left: %v %v", left, err)
	}
	out, _ := exec.Command("pgrep", "-f", temp).Output()
	if pids := strings.Fields(string(out)); len(pids) > 0 {
		t.Errorf("processes are left: %v", pids)
	}
}

// TestSoakStream reads ten million rows one at a time and looks at the memory that took.
func TestSoakStream(t *testing.T) {
	bin := soak(t)
	dir := t.TempDir()
	const script = `
requires = ["sequence_tables"]

def test_stream(t):
    total = 0
    for row in t.db.stream("SELECT seq FROM mysql.seq_1_to_10000000", timeout = "5m"):
        total += row.seq
    expect.eq(total, 50000005000000)
`
	path := filepath.Join(dir, "stream.star")
	if err := os.WriteFile(path, []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(bin, "exec", "-t", "mariadb", path)
	cmd.Dir = dir
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// The kernel's own figure of the peak, read while the process lives: wait4 would mix in the server's, its child.
	peak := 0
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		select {
		case err := <-ended:
			if err != nil {
				t.Fatalf("%v\n%s", err, out.String())
			}
			fmt.Printf("10,000,000 rows: %d MiB resident at most, %s\n", peak>>10, cmd.ProcessState.UserTime())
			if peak == 0 || peak>>10 >= 100 {
				t.Errorf("rig used %d MiB, want less than 100", peak>>10)
			}
			return
		case <-tick.C:
			peak = max(peak, peakKiB(cmd.Process.Pid))
		}
	}
}

// peakKiB is VmHWM of a process, 0 when it is gone.
func peakKiB(pid int) int {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(b)) {
		var n int
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &n); err == nil {
			return n
		}
	}
	return 0
}

// TestSoakMatrix runs the gallery of anomalies twenty times, and each case a thousand times at one level: every verdict is the same.
func TestSoakMatrix(t *testing.T) {
	bin := soak(t)
	for _, args := range [][]string{{"--repeat", "20"}, {"--repeat", "1000", "--levels", "READ COMMITTED"}} {
		cmd := exec.Command(bin, append([]string{"matrix", "-t", "mariadb", "-j", "2", "--against", "mariadb"}, args...)...)
		cmd.Dir = t.TempDir()
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "verdicts are those of mariadb") {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}
