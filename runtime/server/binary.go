package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

// usualFolders are searched after PATH: servers are often installed where only root's PATH looks.
var usualFolders = []string{"/usr/sbin", "/usr/libexec", "/usr/local/sbin", "/usr/local/bin", "/usr/local/mysql/bin", "/opt/mysql/bin", "/opt/homebrew/bin"}

func findBinary(s Spec, l launcher) (string, error) {
	if s.Binary != "" {
		path, err := exec.LookPath(s.Binary)
		if err != nil {
			return "", &StartError{Kind: s.Kind, Msg: fmt.Sprintf("there is no executable %s", s.Binary), Hint: "the target's key \"binary\" names it", Cause: err}
		}
		return filepath.Abs(path)
	}
	names, more := l.binaries()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return filepath.Abs(path)
		}
		for _, dir := range slices.Concat(usualFolders, more) {
			if path := filepath.Join(dir, name); executable(path) {
				return path, nil
			}
		}
	}
	msg := fmt.Sprintf("there is no %s on PATH or in the usual folders", strings.Join(names, " or "))
	return "", &StartError{Kind: s.Kind, Msg: msg, Hint: l.install(), Cause: fs.ErrNotExist}
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// toolBound is how long a program may take that only answers a question.
const toolBound = 10 * time.Second

// versionOf asks an executable who it is: on Debian mysqld is a link to mariadbd.
func versionOf(ctx context.Context, binary string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, toolBound)
	defer cancel()
	return runTool(ctx, exec.CommandContext(ctx, binary, "--no-defaults", "--version"))
}

// runTool runs a program to its end and gives what it said, which is also in the error. The program and what it started
// end with the context, which is also cmd's, or with this process.
func runTool(ctx context.Context, cmd *exec.Cmd) (string, error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // somebody may hold its output open
	// The parent-death signal is sent when the thread ends that forked.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	out, err := cmd.CombinedOutput()
	text := strings.TrimSpace(string(out))
	switch {
	case ctx.Err() != nil:
		return "", fmt.Errorf("%s: %w", cmd.Path, context.Cause(ctx))
	case err != nil && !errors.Is(err, exec.ErrWaitDelay):
		return "", &toolError{name: cmd.Path, err: err, said: text}
	}
	return text, nil
}

// toolError is a program that failed, with what it said.
type toolError struct {
	name string
	err  error
	said string
}

func (e *toolError) Error() string { return fmt.Sprintf("%s: %v", e.name, e.err) }
func (e *toolError) Unwrap() error { return e.err }
