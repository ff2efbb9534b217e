// Package notice tells which files have changed.
//
// [Open] makes a [Watcher], [Watcher.Add] names the files and folders, [Watcher.Changes] gives what changed once it has come to
// rest: an editor that writes a file in several steps is one change.
package notice

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"time"

	"github.com/fsnotify/fsnotify"
)

// Watcher watches files.
type Watcher struct {
	fs      *fsnotify.Watcher
	rest    time.Duration
	changes chan []string
	quit    chan struct{}
	gone    chan struct{}
}

// Open makes a watcher; rest is how long nothing may change before a change is told.
func Open(rest time.Duration) (*Watcher, error) {
	fs, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, fmt.Errorf("watch files: %w", err)
	}
	w := &Watcher{fs: fs, rest: rest, changes: make(chan []string), quit: make(chan struct{}), gone: make(chan struct{})}
	go w.collect()
	return w, nil
}

// Add watches folders, not those within them. Files are watched by their folders: an editor that replaces a file would be lost
// otherwise. One that is watched already, or is no longer there, is passed over.
func (w *Watcher) Add(folders ...string) error {
	var all error
	for _, f := range folders {
		if slices.Contains(w.fs.WatchList(), f) {
			continue
		}
		if err := w.fs.Add(f); err != nil {
			all = errors.Join(all, fmt.Errorf("watch %s: %w", f, err))
		}
	}
	return all
}

// Changes gives the files that changed since the last ones that were taken, in order. It is never closed.
func (w *Watcher) Changes() <-chan []string { return w.changes }

// Close ends the watching.
func (w *Watcher) Close() error {
	close(w.quit)
	<-w.gone
	return w.fs.Close()
}

func (w *Watcher) collect() {
	defer close(w.gone)
	found := map[string]bool{}
	still := time.NewTimer(w.rest)
	still.Stop()
	var out chan []string // nil until what was found has come to rest
	for {
		select {
		case <-w.quit:
			return
		case e := <-w.fs.Events:
			if e.Op == fsnotify.Chmod {
				continue // readers and indexers do that
			}
			found[filepath.Clean(e.Name)] = true
			out = nil
			still.Reset(w.rest)
		case <-w.fs.Errors: // events were lost or a folder is gone: what is known is told all the same
		case <-still.C:
			out = w.changes
		case out <- slices.Sorted(maps.Keys(found)):
			out = nil
			clear(found)
		}
	}
}
