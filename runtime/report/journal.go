package report

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"rig/runtime/event"
)

// journalFile is the name of the journal in a run's folder.
const journalFile = "run.jsonl"

// journalBuffer bounds what a journal holds in memory, in bytes. A journal writes when less than one statement of the
// usual bound (8 KiB of SQL) has room.
const (
	journalBuffer  = 64 << 10
	journalWriteAt = journalBuffer - 8<<10 - 1<<10
)

// Journal keeps every event of a run in a file, one JSON object a line (event.AppendJSON). It is the first sink of a
// run: every other report can be made again from it. What a crash may lose is what came since the last Flush.
type Journal struct {
	path string
	file *os.File
	buf  []byte
	enc  event.Encoder
	sync bool  // the end of a test or of the run was written since the last fsync
	err  error // the first; nothing is written after it
}

// OpenJournal creates DIR/RUN/run.jsonl, readable by its owner only. The run must be new.
func OpenJournal(dir, run string) (*Journal, error) {
	if run == "" || run == "." || run == ".." || filepath.Base(run) != run {
		return nil, fmt.Errorf("open journal: run id %q is no name for a folder", run)
	}
	folder := filepath.Join(dir, run)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	path := filepath.Join(folder, journalFile)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open journal: %w", err)
	}
	return &Journal{path: path, file: f, buf: make([]byte, 0, journalBuffer)}, nil
}

// Path of the file.
func (j *Journal) Path() string { return j.path }

// Name for messages.
func (j *Journal) Name() string { return "journal " + j.path }

// Event adds a line; it is written at Flush, or when the buffer is nearly full.
func (j *Journal) Event(e *event.Event) error {
	if j.err != nil {
		return j.err
	}
	j.buf = append(j.enc.Append(j.buf, e), '\n')
	switch e.Data.(type) {
	case *event.TestEnd, *event.RunEnd:
		j.sync = true
	}
	if len(j.buf) >= journalWriteAt {
		return j.write()
	}
	return nil
}

// Flush writes what is held, and after the end of a test or of the run waits until the disk has it.
func (j *Journal) Flush() error {
	if err := j.write(); err != nil || !j.sync {
		return err
	}
	j.sync = false
	if err := j.file.Sync(); err != nil {
		j.err = fmt.Errorf("write journal: %w", err)
	}
	return j.err
}

// Close flushes and closes the file.
func (j *Journal) Close() error {
	err := j.Flush()
	if cerr := j.file.Close(); cerr != nil && !errors.Is(cerr, os.ErrClosed) && err == nil {
		err = fmt.Errorf("write journal: %w", cerr)
	}
	return err
}

func (j *Journal) write() error {
	if j.err != nil || len(j.buf) == 0 {
		return j.err
	}
	if _, err := j.file.Write(j.buf); err != nil {
		j.err = fmt.Errorf("write journal: %w", err)
	}
	j.buf = j.buf[:0]
	if cap(j.buf) > journalBuffer { // one huge event came; its memory is not kept
		j.buf = make([]byte, 0, journalBuffer)
	}
	return j.err
}
