package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"rig/runtime/fault"
)

// launcher is what a kind of throw-away server needs to know; each kind has a file.
type launcher interface {
	// binaries are the names of the executable, the best first; folders are where it may be besides the usual ones.
	binaries() (names, folders []string)
	// install is the hint when there is no executable.
	install() string
	// prepare checks the executable and fills the data folder of a new server.
	prepare(ctx context.Context, p *process) error
	// command is how the server is started; p.port is a free port.
	command(p *process) (args, env []string, err error)
	// address is the way to the server that command started.
	address(p *process) Address
}

// process is a throw-away server in a folder of its own.
type process struct {
	spec   Spec
	kind   launcher
	binary string
	folder *folder
	port   int // on loopback, of servers that have one

	mu      sync.Mutex
	cmd     *exec.Cmd     // guarded by mu
	ended   chan struct{} // guarded by mu: closed when cmd has ended
	wanted  bool          // guarded by mu: cmd is to end, so that its end is no news
	crashed chan struct{} // guarded by mu: closed when cmd ended and that was not wanted
	report  func(error)   // guarded by mu: is told of an end that was not wanted; nil while the server starts
}

func launcherOf(kind string) launcher {
	switch kind {
	case MariaDB:
		return mariadbKind{}
	case MySQL:
		return mysqlKind{}
	case Dolt:
		return doltKind{}
	}
	return tidbKind{}
}

func startProcess(ctx context.Context, s Spec) (*process, found, error) {
	ctx, cancel := context.WithTimeout(ctx, s.StartTimeout)
	defer cancel()
	p := &process{spec: s, kind: launcherOf(s.Kind)}
	var err error
	if p.binary, err = findBinary(s, p.kind); err != nil {
		return nil, found{}, err
	}
	if p.folder, err = makeFolder(s.TempDir); err != nil {
		return nil, found{}, startError(s, err, "TMPDIR names the folder for servers' data")
	}
	what, err := p.first(ctx)
	if err != nil {
		return nil, found{}, errors.Join(err, p.folder.remove())
	}
	return p, what, nil
}

// portTries is how often a server is given another port when somebody else was faster to take it.
const portTries = 3

func (p *process) first(ctx context.Context) (found, error) {
	if err := p.kind.prepare(ctx, p); err != nil {
		return found{}, startError(p.spec, err, "")
	}
	for try := 1; ; try++ {
		var err error
		if p.port, err = freePort(); err != nil {
			return found{}, startError(p.spec, err, "")
		}
		what, err := p.launch(ctx)
		if err == nil || try == portTries || !strings.Contains(strings.ToLower(p.log()), "address already in use") {
			return what, err
		}
	}
}

func (p *process) path(name string) string { return filepath.Join(p.folder.path, name) }

// launch starts the process and waits until a log-in works.
func (p *process) launch(ctx context.Context) (found, error) {
	args, env, err := p.kind.command(p)
	if err != nil {
		return found{}, err
	}
	p.clean()
	// Each start has its own log: the words of an earlier one would explain a failure wrongly.
	log, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_WRONLY|os.O_APPEND|os.O_TRUNC, 0o600)
	if err != nil {
		return found{}, startError(p.spec, err, "")
	}
	defer log.Close()
	cmd := exec.Command(p.binary, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = p.folder.path, log, log
	cmd.Env = append(os.Environ(), env...)
	// A group of its own: Ctrl-C in the terminal is for rig, which stops the server when the cleanups are done.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	ended, err := p.run(cmd)
	if err != nil {
		return found{}, startError(p.spec, fmt.Errorf("run %s: %w", p.binary, err), p.kind.install())
	}
	what, err := p.await(ctx, ended)
	if err != nil {
		_ = p.kill() // the first error is the one to tell
		return found{}, err
	}
	return what, nil
}

// clean removes what a killed server leaves in the way of the next: its socket, and mysqld's lock on it.
func (p *process) clean() {
	for _, name := range []string{socketName, socketName + ".lock", "pid"} {
		_ = os.Remove(p.path(name)) // mostly it is not there
	}
}

// run starts cmd from a thread that waits for its end: a parent-death signal is sent when the thread ends that forked.
func (p *process) run(cmd *exec.Cmd) (<-chan struct{}, error) {
	started, ended := make(chan error), make(chan struct{})
	go func() { // ends with the process
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = cmd.Wait() // how it ended is in its state
		close(ended)
		p.over(cmd)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.cmd, p.ended = cmd, ended
	return ended, nil
}

// watch makes known to f, from now on, when the process ends and nobody wanted it; also when it has ended already.
func (p *process) watch(f func(error)) {
	p.mu.Lock()
	p.report, p.wanted, p.crashed = f, false, make(chan struct{})
	cmd, ended := p.cmd, p.ended
	p.mu.Unlock()
	select {
	case <-ended: // before it was watched
		p.over(cmd)
	default:
	}
}

// over is called when cmd has ended, and tells once those who want to know.
func (p *process) over(cmd *exec.Cmd) {
	p.mu.Lock()
	report := p.report
	if p.cmd != cmd || p.wanted || report == nil {
		p.mu.Unlock()
		return
	}
	p.wanted = true
	close(p.crashed)
	p.mu.Unlock()
	report(&StartError{Kind: p.spec.Kind, Msg: "the server ended by itself: " + cmd.ProcessState.String(), Log: p.lastWords()})
}

// await polls until the server takes a log-in. The pauses are short: a server is up within a second, and a refused
// connection to a socket costs nothing.
func (p *process) await(ctx context.Context, ended <-chan struct{}) (found, error) {
	for pause := 2 * time.Millisecond; ; pause = min(pause*3/2, 10*time.Millisecond) {
		what, err := probe(ctx, p.kind.address(p), loginBound)
		if err == nil {
			return what, nil
		}
		if fault.IsKind(err, fault.AccessDenied) {
			return found{}, p.failed("the server refuses root without a password", err)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ended:
			timer.Stop()
			return found{}, p.failed("the server ended while it started", err)
		case <-ctx.Done():
			timer.Stop()
			if errors.Is(ctx.Err(), context.Canceled) {
				return found{}, fmt.Errorf("start %s: %w", p.spec.Kind, context.Cause(ctx))
			}
			return found{}, p.failed(fmt.Sprintf("the server did not answer within %s: %v", p.spec.StartTimeout, err), err)
		case <-timer.C:
		}
	}
}

// loginBound is how long one log-in may take while the server starts: it listens before it answers.
const loginBound = 2 * time.Second

func (p *process) failed(msg string, cause error) error {
	e := &StartError{Kind: p.spec.Kind, Msg: msg, Log: p.lastWords(), Cause: cause}
	if len(p.spec.Options) > 0 {
		e.Hint = "check the target's options"
	}
	return e
}

// now gives the process of this moment.
func (p *process) now() (*exec.Cmd, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd, p.ended
}

func (p *process) exited() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crashed
}

// expect makes the end of the process no news.
func (p *process) expect() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
}

func (p *process) signal(s syscall.Signal) error {
	cmd, ended := p.now()
	select {
	case <-ended:
		return fault.New(fault.ServerShutdown, "server", p.spec.Name+" is not running").WithHint("server.restart() brings it back")
	default:
		return cmd.Process.Signal(s)
	}
}

func (p *process) kill() error {
	p.expect()
	if err := p.signal(syscall.SIGKILL); err != nil {
		return nil // it has ended already
	}
	_, ended := p.now()
	<-ended
	return nil
}

func (p *process) pause() error  { return p.signal(syscall.SIGSTOP) }
func (p *process) resume() error { return p.signal(syscall.SIGCONT) }

func (p *process) restart(ctx context.Context) error {
	p.quit()
	ctx, cancel := context.WithTimeout(ctx, p.spec.StartTimeout)
	defer cancel()
	if _, err := p.launch(ctx); err != nil {
		return err
	}
	p.mu.Lock()
	report := p.report
	p.mu.Unlock()
	p.watch(report)
	return nil
}

// quitWithin is how long a server may take to end by itself. MariaDB needs 20 ms after light use.
const quitWithin = 2 * time.Second

// quit asks the server to end, then ends it.
func (p *process) quit() {
	p.expect()
	_, ended := p.now()
	// The request first: a paused server finds it when it goes on.
	if p.signal(syscall.SIGTERM) == nil && p.signal(syscall.SIGCONT) == nil {
		timer := time.NewTimer(quitWithin)
		defer timer.Stop()
		select {
		case <-ended:
			return
		case <-timer.C:
		}
	}
	_ = p.kill() // it cannot fail
}

func (p *process) stop() error {
	p.quit()
	return p.folder.remove()
}

// tcpAddress is host:port on loopback, "" where the server listens on a socket only.
func (p *process) tcpAddress() string {
	if a := p.kind.address(p); a.Network == "tcp" {
		return a.Addr
	}
	if p.spec.TCP {
		return loopback(p.port)
	}
	return ""
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// freePort finds a port of loopback that nobody uses now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
