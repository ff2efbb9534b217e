package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"rig/runtime/notice"
	"rig/runtime/report"
)

// watchCmd runs scenarios again when they change. It takes the flags of exec.
type watchCmd struct{ execCmd }

// Help is shown below the flags.
func (watchCmd) Help() string {
	return "All tests run once; then those whose file, or a file that it loads, has changed. A file that does not load is told, and watched on. " +
		"Keys: a runs all, f those that failed when they last ran, p tells what running tests do, q quits, also while tests run. Ctrl-C ends it, too."
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
	failed  map[string]bool     // ids of the tests that failed when they last ran
	current atomic.Pointer[execution]
	board   *keyboard   // nil without a terminal
	keys    chan byte   // those that wait for the end of a run
	left    atomic.Bool // q was pressed while tests ran
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
	w := &watching{cmd: c, s: s, flags: flags, watcher: watcher, loads: map[string][]string{}, failed: map[string]bool{}, keys: make(chan byte, 16), stop: make(chan os.Signal, 4)}
	signal.Notify(w.stop, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(w.stop)
	w.board = openKeyboard(s.in)
	defer w.board.restore()
	if w.board != nil {
		go w.read()
	}
	return w.loop()
}

// errQuit is why a run ends when a person leaves.
var errQuit = errors.New("q was pressed")

// read takes p and q at once, also while tests run; the other keys wait for their end.
func (w *watching) read() {
	for k := range w.board.pressed() {
		x := w.current.Load()
		switch {
		case k == 'p' && x != nil:
			x.tellPending()
			continue
		case k == 'q' && x != nil:
			w.left.Store(true)
			x.end(errQuit)
			continue
		}
		select {
		case w.keys <- k:
		default: // nobody means that many
		}
	}
}

func (w *watching) loop() error {
	if err := w.watchFolders(); err != nil {
		fmt.Fprintln(w.s.err, "rig: warning:", err)
	}
	files, err := expand(w.cmd.Paths)
	if err != nil {
		return err
	}
	if err := w.run(files); err != nil {
		return err
	}
	for !w.left.Load() {
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
	return nil
}

func (w *watching) key(k byte) error {
	switch k {
	case 'a':
		files, err := expand(w.cmd.Paths)
		if err != nil {
			fmt.Fprintln(w.s.err, "rig:", err)
			return nil
		}
		return w.run(files)
	case 'f':
		if len(w.failed) == 0 {
			fmt.Fprintln(w.s.out, "no test failed when it last ran")
			return nil
		}
		return w.run(slices.Sorted(maps.Keys(w.failed)))
	case 'p':
		fmt.Fprint(w.s.out, pendingText(nil, nil, time.Now()))
	}
	return nil
}

// changed runs the files that a change concerns, and forgets those that are gone.
func (w *watching) changed(changed []string) error {
	if err := w.watchFolders(); err != nil {
		fmt.Fprintln(w.s.err, "rig: warning:", err)
	}
	files, err := expand(w.cmd.Paths)
	if err != nil { // a folder may be gone for a moment
		files = nil
	}
	lost := w.forget(files)
	var again []string
	for _, f := range files {
		reads, known := w.loads[f]
		if !known || slices.ContainsFunc(changed, func(c string) bool { return slices.Contains(reads, c) }) {
			again = append(again, f)
		}
	}
	if len(again) == 0 {
		if lost {
			w.tell()
		}
		return nil
	}
	return w.run(again)
}

// forget drops what is no longer among the files, and tells of it.
func (w *watching) forget(files []string) (lost bool) {
	for _, f := range slices.Sorted(maps.Keys(w.loads)) {
		if slices.Contains(files, f) {
			continue
		}
		fmt.Fprintf(w.s.out, "%s is gone\n", f)
		delete(w.loads, f)
		w.settle(f)
		lost = true
	}
	return lost
}

// settle forgets what is known of the tests of a file, or of one test.
func (w *watching) settle(path string) {
	file, _, one := strings.Cut(path, "::")
	for id := range w.failed {
		if of, _, _ := strings.Cut(id, "::"); id == path || !one && of == filepath.ToSlash(file) {
			delete(w.failed, id)
		}
	}
}

// run runs files, or tests, once. An error is one that ends the watching: that tests fail or files do not load does not.
func (w *watching) run(paths []string) error {
	c := w.cmd.execCmd
	c.Paths = slices.Clone(paths)
	var x *execution
	err := c.start(w.s, w.flags, func(made *execution) error {
		x, made.keys = made, w.board
		w.current.Store(x)
		return nil
	})
	w.current.Store(nil)
	if w.left.Load() {
		return nil
	}
	if x == nil || x.host == nil {
		return err
	}
	w.note(paths, x)
	var exit *exitError
	if errors.As(err, &exit) && exit.code >= 128 {
		return err
	}
	if exit != nil && exit.err != nil {
		printError(w.s.err, exit.err)
	}
	w.tell()
	return nil
}

// note remembers what failed and what the files read, and watches that.
func (w *watching) note(paths []string, x *execution) {
	failed, err := report.LastFailed(runsDir(x.cfg))
	if err != nil { // without a journal nobody knows
		failed = nil
	}
	var folders []string
	for _, p := range paths {
		w.settle(p)
		file, _, isTest := strings.Cut(p, "::")
		reads := x.host.Reads(absolute(file))
		if _, named := w.loads[p]; named || !isTest || slices.Contains(w.cmd.Paths, p) {
			w.loads[p] = reads
		}
		for _, r := range reads {
			folders = append(folders, filepath.Dir(r))
		}
	}
	for _, id := range failed {
		w.failed[id] = true
	}
	if err := w.watcher.Add(folders...); err != nil {
		fmt.Fprintln(w.s.err, "rig: warning:", err)
	}
}

// watchFolders watches the folders in which files may appear: those that were named, those that a glob begins in, and what is
// below them.
func (w *watching) watchFolders() error {
	var folders []string
	for _, p := range w.cmd.Paths {
		dir := p
		if info, err := os.Stat(p); err != nil || !info.IsDir() {
			if !strings.ContainsAny(p, "*?[{") {
				file, _, _ := strings.Cut(p, "::")
				folders = append(folders, filepath.Dir(absolute(file)))
				continue
			}
			dir, _ = doublestar.SplitPattern(filepath.ToSlash(p))
		}
		_ = filepath.WalkDir(absolute(dir), func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil: // it is gone, or nobody may look into it: it has no files then
				return nil
			case d.IsDir() && path != absolute(dir) && strings.HasPrefix(d.Name(), "."):
				return filepath.SkipDir
			case d.IsDir():
				folders = append(folders, path)
			}
			return nil
		})
	}
	return w.watcher.Add(folders...)
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
