package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"rig/runtime/event"
)

// Prune removes old runs from the folder of runs. The last keep runs stay; of the others, those that failed or never
// ended stay until failedFor has passed since their last event. What is no folder with a journal is left alone.
func Prune(dir string, keep int, failedFor time.Duration, now time.Time) error {
	runs, err := runFolders(dir)
	if err != nil {
		return fmt.Errorf("prune runs: %w", err)
	}
	var errs []error
	for _, run := range runs[min(max(keep, 0), len(runs)):] {
		folder := filepath.Join(dir, run)
		old, err := mayGo(filepath.Join(folder, journalFile), failedFor, now)
		if err == nil && old {
			err = os.RemoveAll(folder)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // another run may prune at the same time
			errs = append(errs, fmt.Errorf("prune run %s: %w", run, err))
		}
	}
	return errors.Join(errs...)
}

// mayGo tells whether a run that is not among the last ones may be removed.
func mayGo(journal string, failedFor time.Duration, now time.Time) (bool, error) {
	info, err := os.Stat(journal)
	if err != nil {
		return false, err
	}
	if now.Sub(info.ModTime()) > failedFor {
		return true, nil
	}
	end, err := lastEvent(journal)
	return err == nil && end != nil && end.Exit == 0, err
}

// runFolders lists the names of folders with a journal, the newest first: names sort by time.
func runFolders(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var runs []string
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if info, err := os.Lstat(filepath.Join(dir, e.Name(), journalFile)); err == nil && info.Mode().IsRegular() {
			runs = append(runs, e.Name())
		}
	}
	slices.Sort(runs)
	slices.Reverse(runs)
	return runs, nil
}

// JournalIn finds the journal in a run's folder, or that of the newest run in a folder of runs.
func JournalIn(dir string) (string, error) {
	path := filepath.Join(dir, journalFile)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
		return path, nil
	}
	runs, err := runFolders(dir)
	if err != nil {
		return "", err
	}
	if len(runs) == 0 {
		return "", fmt.Errorf("%s is a folder without a %s", dir, journalFile)
	}
	return filepath.Join(dir, runs[0], journalFile), nil
}

// tailSize is how much of a journal's end is read to find its last events; a RunEnd with an error and its excerpt is a
// few kilobytes.
const tailSize = 256 << 10

// lastEvent gives the RunEnd of a journal, nil when the run did not end. A detached sink may follow it.
func lastEvent(path string) (*event.RunEnd, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	tail := make([]byte, min(info.Size(), tailSize))
	if _, err := f.ReadAt(tail, info.Size()-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	lines := bytes.Split(tail, []byte("\n"))
	for _, line := range slices.Backward(lines) {
		e, err := event.Decode(line)
		if err != nil {
			continue
		}
		if end, ok := e.Data.(*event.RunEnd); ok {
			return end, nil
		}
	}
	return nil, nil
}

// LastFailed gives the ids of the tests that failed in the newest run that ended, as a selection understands them:
// without the number of a repetition, and for a failed teardown_all the tests of its file. Where no run ended the error
// is an fs.ErrNotExist.
func LastFailed(dir string) ([]string, error) {
	runs, err := runFolders(dir)
	if err != nil {
		return nil, fmt.Errorf("find the last run: %w", err)
	}
	for _, run := range runs {
		path := filepath.Join(dir, run, journalFile)
		end, err := lastEvent(path)
		if err != nil {
			return nil, fmt.Errorf("find the last run: %w", err)
		}
		if end != nil {
			return failedIn(path)
		}
	}
	return nil, fmt.Errorf("find the last run: no run in %s has ended: %w", dir, fs.ErrNotExist)
}

func failedIn(path string) ([]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the last run: %w", err)
	}
	defer f.Close()
	var p planned
	tally := NewTally(TallyOptions{})
	if _, err := Replay(f, tally, &p); err != nil {
		return nil, fmt.Errorf("read the last run %s: %w", path, err)
	}
	var ids []string
	for _, id := range tally.Failed() {
		if !isFixture(id) {
			ids = append(ids, baseID(id))
			continue
		}
		file, _ := splitID(id)
		for _, id := range p.tests {
			if strings.HasPrefix(id, file+"::") {
				ids = append(ids, baseID(id))
			}
		}
	}
	return unique(ids), nil
}

// planned is a sink that keeps the plan.
type planned struct{ tests []string }

func (p *planned) Name() string { return "plan" }

func (p *planned) Event(e *event.Event) error {
	if d, ok := e.Data.(*event.Plan); ok {
		p.tests = append(p.tests, d.Tests...)
	}
	return nil
}

func (p *planned) Flush() error { return nil }
func (p *planned) Close() error { return nil }

func unique(ids []string) []string {
	seen := map[string]bool{}
	out := ids[:0]
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
