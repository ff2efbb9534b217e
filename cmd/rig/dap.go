package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	"rig/runtime/dap"
	"rig/runtime/debug"
	"rig/runtime/script"
)

// dapCmd serves editors. Without arguments the client launches what it wants to debug; with those of exec there is a run to attach to.
type dapCmd struct {
	Listen string   `placeholder:"ADDRESS" help:"Serve on this address instead of stdin and stdout: 127.0.0.1:4711, or port 0 for any. Only loopback."`
	Args   []string `arg:"" optional:"" passthrough:"" help:"A scenario with the flags of exec: it waits for a client to attach."`
}

// Run serves one client on stdin and stdout, or those that connect.
func (c *dapCmd) Run(s streams) error {
	if c.Listen == "" {
		_, err := c.serve(stdio{s.in, s.out})
		return err
	}
	l, err := listenLoopback(c.Listen)
	if err != nil {
		return err
	}
	defer l.Close()
	fmt.Fprintf(s.err, "rig dap: listening on %s\n", l.Addr())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return &exitError{exitEnvironment, err}
		}
		// A client that still talks when rig is told to end is hung up on, which ends its run cleanly.
		unhook := context.AfterFunc(ctx, func() { conn.Close() })
		attached, err := c.serve(conn)
		unhook()
		conn.Close()
		if err != nil {
			fmt.Fprintln(s.err, "rig dap:", err)
		}
		if attached || ctx.Err() != nil { // there was one run to attach to
			return err
		}
	}
}

// listenLoopback refuses addresses that others could reach: who debugs may run anything.
func listenLoopback(addr string) (net.Listener, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, usage("--listen: want HOST:PORT such as 127.0.0.1:4711, got %q", addr)
	}
	if host == "" || strings.EqualFold(host, "localhost") {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return nil, usage("--listen: %s is not a loopback address; a debugger may run anything, so it serves this machine only", host)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, &exitError{exitEnvironment, fmt.Errorf("--listen: %w", err)}
	}
	return l, nil
}

// stdio is the connection of an editor that started rig.
type stdio struct {
	io.Reader
	io.Writer
}

// serve talks to one client, and tells whether it has attached to the run that waits.
func (c *dapCmd) serve(conn io.ReadWriter) (taken bool, err error) {
	if len(c.Args) == 0 {
		return false, dap.Serve(conn, dap.Options{Launch: launched})
	}
	gone := make(chan struct{})
	err = dap.Serve(conn, dap.Options{Attach: func(h dap.Hooks) (*dap.Debuggee, error) {
		taken = true
		return debuggee(c.Args, h, false, gone)
	}})
	if taken {
		<-gone // a client that only detached lets the run go on
	}
	return taken, err
}

func launched(l dap.Launch, h dap.Hooks) (*dap.Debuggee, error) {
	if l.Cwd != "" {
		if err := os.Chdir(l.Cwd); err != nil {
			return nil, fmt.Errorf("launch: cwd: %w", err)
		}
	}
	args := append([]string{}, l.Args...)
	if l.Target != "" {
		args = append(args, "--target", l.Target)
	}
	return debuggee(append(args, l.Program), h, l.NoDebug, make(chan struct{}))
}

// debuggee makes a run of exec that waits to begin. What is wrong with its arguments is an error.
// gone is closed when the run has ended.
func debuggee(args []string, h dap.Hooks, noDebug bool, gone chan<- struct{}) (*dap.Debuggee, error) {
	d := &dap.Debuggee{}
	ready, ended := make(chan *execution, 1), make(chan int, 1)
	d.Ended = ended
	var early said
	out, errs := &output{h, "stdout", nil}, &output{h, "stderr", &early}
	prepare := func(x *execution) error {
		if err := present(x.cmd.Paths); err != nil {
			return err
		}
		probes := script.AllProbes
		if noDebug {
			probes = script.NoProbes
		}
		d.Debugger = x.attach(func(e debug.Event) { h.Notify(e) }, probes)
		x.follow.begin = make(chan struct{})
		ready <- x
		return nil
	}
	// One test at a time, unless the arguments say more: tests of other threads would stop in between.
	args = append([]string{"exec", "--jobs", "1"}, args...)
	go func() { // ends with the run
		defer close(gone)
		ended <- runAttached(args, streams{strings.NewReader(""), out, errs}, attachment{prepare})
	}()
	select {
	case x := <-ready:
		var once sync.Once
		d.Start = func() { once.Do(func() { close(x.follow.begin) }) }
		d.Stop = func() { x.end(errInterrupted) }
		d.Redact = func(text string) string { return x.bus.Redact(text) }
		d.Source = func(name string) (string, bool) {
			if x.host == nil {
				return "", false
			}
			return x.host.Source(name)
		}
		return d, nil
	case code := <-ended:
		text := strings.TrimSpace(early.text())
		if text == "" {
			text = fmt.Sprintf("the run ended with exit code %d", code)
		}
		return nil, errors.New(strings.TrimPrefix(text, "rig: "))
	}
}

// output sends what a run prints to the client.
type output struct {
	h        dap.Hooks
	category string
	keep     *said
}

func (o *output) Write(p []byte) (int, error) {
	o.h.Output(o.category, string(p))
	if o.keep != nil {
		o.keep.add(p)
	}
	return len(p), nil
}

// said keeps the beginning of what was printed, for the error of a run that does not begin.
type said struct {
	mu sync.Mutex
	b  []byte
}

func (s *said) add(p []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.b = append(s.b, p[:min(len(p), max(0, 4096-len(s.b)))]...)
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(s.b)
}
