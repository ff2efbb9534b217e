package main

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"rig/runtime/notice"
)

// watchCmd runs scenarios again when they change. It takes the flags of exec.
type watchCmd struct{ execCmd }

// Help is shown below the flags.
func (watchCmd) Help() string {
	return "All tests run once; then those whose file, or a file that it loads, has changed. A file that does not load is told, and watched on. " +
		"Keys: a runs all, f those that failed in the last run, p tells what running tests do, q quits. Ctrl-C ends it, too."
}

// settled is how long files must not change before tests run again: editors write in several steps.
const settled = 100 * time.Millisecond

// watching is one rig watch.
type watching struct {
	cmd     *watchCmd
	s       streams
	flags   *paramFlags
	watcher *notice.Watcher
	loads   map[string][]string // by file: what it reads when it loads, itself included
	current atomic.Pointer[execution]
	board   *keyboard // nil without a terminal
	keys    chan byte // those that wait for the end of a run
	stop    chan os.Signal
}

// Run watches until a person ends it.
func (c *watchCmd) Run(s streams, flags *paramFlags) error {
	if c.List || c.Pdb || c.Pending || c.UntilFail {
		return usage("watch does not go with --list, --pdb, --pending or --until-fail; p tells what is pending")
	}
	watcher, err := notice.Open(settled)
	if err != nil {
		return &exitError{exitEnvironment, err}
	}
	defer func() { _ = watcher.Close() }() // nothing is lost with it
	w := &watching{cmd: c, s: s, flags: flags, watcher: watcher, loads: map[string][]string{}, keys: make(chan byte, 16), stop: make(chan os.Signal, 4)}
	signal.Notify(w.stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(w.stop)
	w.board = openKeyboard(s.in)
	defer w.board.restore()
	if w.board != nil {
		go w.read()
	}
	return w.loop()
}

// read takes p at once, also while tests run; the other keys wait for their end.
func (w *watching) read() {
	for k := range w.board.pressed() {
		if x := w.current.Load(); k == 'p' && x != nil {
			x.tellPending()
			continue
		}
		w.keys <- k
	}
}

func (w *watching) loop() error {
	files, err := expand(w.cmd.Paths)
	if err != nil {
		return err
	}
	if err := w.run(files, false); err != nil {
		return err
	}
	for {
		w.tell()
		select {
		case s := <-w.stop:
			return &exitError{code: 128 + int(s.(syscall.Signal))}
		case k := <-w.keys:
			if k == 'q' {
				return nil
			}
			err = w.key(k)
		case changed := <-w.watcher.Changes():
			err = w.changed(changed)
		}
		if err != nil {
			return err
		}
	}
}

func (w *watching) key(k byte) error {
	switch k {
	case 'a', 'f':
		files, err := expand(w.cmd.Paths)
		if err != nil {
			fmt.Fprintln(w.s.err, "rig:", err)
			return nil
		}
		return w.run(files, k == 'f')
	case 'p':
		fmt.Fprint(w.s.out, pendingText(nil, nil, time.Now()))
	}
	return nil
}

// changed runs the files that a change concerns.
func (w *watching) changed(changed []string) error {
	files, err := expand(w.cmd.Paths)
	if err != nil { // a folder may be gone for a moment
		fmt.Fprintln(w.s.err, "rig:", err)
		return nil
	}
	var again []string
	for _, f := range files {
		reads, known := w.loads[f]
		if !known || slices.ContainsFunc(changed, func(c string) bool { return slices.Contains(reads, c) }) {
			again = append(again, f)
		}
	}
	if len(again) == 0 {
		return nil
	}
	return w.run(again, false)
}

// run runs files once. An error is one that ends the watching: that tests fail or files do not load does not.
func (w *watching) run(files []string, failed bool) error {
	c := w.cmd.execCmd
	c.Paths, c.LastFailed = slices.Clone(files), failed
	var x *execution
	err := c.start(w.s, w.flags, func(made *execution) error {
		x, made.keys = made, w.board
		w.current.Store(x)
		return nil
	})
	w.current.Store(nil)
	if x == nil || x.host == nil {
		if failed { // no run has ended yet
			fmt.Fprintln(w.s.err, "rig:", err)
			return nil
		}
		return err
	}
	w.note(files, x)
	var exit *exitError
	if errors.As(err, &exit) && exit.code >= 128 {
		return err
	}
	if exit != nil && exit.err != nil {
		printError(w.s.err, exit.err)
	}
	return nil
}

// note remembers what the files read, and watches that.
func (w *watching) note(files []string, x *execution) {
	var folders []string
	for _, p := range w.cmd.Paths {
		if info, err := os.Stat(p); err == nil && info.IsDir() {
			folders = append(folders, absolute(p))
		}
	}
	for _, f := range files {
		file, _, _ := strings.Cut(f, "::")
		w.loads[f] = x.host.Reads(absolute(file))
		for _, r := range w.loads[f] {
			folders = append(folders, filepath.Dir(r))
		}
	}
	if err := w.watcher.Add(folders...); err != nil {
		fmt.Fprintln(w.s.err, "rig: warning:", err)
	}
}

func absolute(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

func (w *watching) tell() {
	keys := ""
	if _, tty := terminal(w.s.in); tty {
		keys = "; a runs all, f the failed, p tells what is pending, q quits"
	}
	fmt.Fprintf(w.s.out, "watching %s%s\n", count(len(w.loads), "file"), keys)
}
