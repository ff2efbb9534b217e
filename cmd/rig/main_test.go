package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes this binary the command rig when it is called by that name, so that scripts and signals meet the real thing.
func TestMain(m *testing.M) {
	testscript.Main(&workshop{m: m}, map[string]func(){"rig": main})
}

// workshop is what all tests of the binary share: a cache, so that the template of a server is made once, and one server
// that is not throw-away to the runs that use it.
type workshop struct{ m *testing.M }

// Run runs the tests and removes what they shared.
func (w *workshop) Run() int {
	dir, err := os.MkdirTemp("", "rig-cli")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	for name, value := range map[string]string{"HOME": dir, "XDG_CACHE_HOME": filepath.Join(dir, "cache"), "RIG_TARGET": "", "CI": "", "NO_COLOR": "1"} {
		if value == "" {
			os.Unsetenv(name)
		} else {
			os.Setenv(name, value)
		}
	}
	defer shared.stop()
	return w.m.Run()
}

// mariadbPath finds the server that some tests need.
func mariadbPath() string {
	for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin", "/usr/libexec") {
		path := filepath.Join(dir, "mariadbd")
		if info, err := os.Stat(path); err == nil && !info.IsDir() {
			return path
		}
	}
	return ""
}

// needMariadb skips a test where there is no server, or fails it where one was promised.
func needMariadb(t *testing.T) {
	t.Helper()
	if mariadbPath() != "" {
		return
	}
	if os.Getenv("RIG_NEED_MARIADB") != "" {
		t.Fatal("RIG_NEED_MARIADB is set, but there is no mariadbd")
	}
	t.Skip("SKIPPED, NOT TESTED: no mariadbd on this machine (apt-get install mariadb-server-core)")
}

func TestScripts(t *testing.T) {
	if mariadbPath() == "" && os.Getenv("RIG_NEED_MARIADB") != "" {
		t.Fatal("RIG_NEED_MARIADB is set, but there is no mariadbd")
	}
	hostile, err := filepath.Abs("../../testdata/hostile")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", RequireExplicitExec: true, RequireUniqueNames: true,
		ContinueOnError: true, // one run shows every line that fails
		Setup: func(env *testscript.Env) error {
			for _, name := range []string{"HOME", "XDG_CACHE_HOME", "NO_COLOR"} {
				env.Setenv(name, os.Getenv(name))
			}
			env.Setenv("HOSTILE", hostile)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "server": cmdServer, "sql": cmdSQL, "same": cmdSame, "lines": cmdLines, "json": cmdJSON, "gone": cmdGone,
		},
		Condition: func(cond string) (bool, error) {
			if cond == "mariadb" {
				return mariadbPath() != "", nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
	})
}

// cmdExits runs a command and checks its exit code: exits N command args...
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var exit *exec.ExitError
	switch err := ts.Exec(args[1], args[2:]...); {
	case errors.As(err, &exit):
		got = exit.ExitCode()
	case err != nil:
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// cmdLines counts the lines of a file or of stdout that match: lines N pattern [file]
func cmdLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: lines count text [file]")
	}
	file := "stdout"
	if len(args) > 2 {
		file = args[2]
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	for line := range strings.Lines(ts.ReadFile(file)) {
		if strings.Contains(line, args[1]) {
			got++
		}
	}
	if got != want {
		ts.Fatalf("%d lines of %s contain %q, want %d", got, file, args[1], want)
	}
}
