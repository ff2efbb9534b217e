package report

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// spillAt is how many bytes an output holds before it writes without being asked to.
const spillAt = 32 << 10

// output is where a report goes: a writer of the caller's, or a file of its own. The first error stays, and nothing is
// written after it.
type output struct {
	path string // as the user gave it
	w    io.Writer
	buf  []byte
	err  error

	file *os.File // nil on a writer of the caller's
	temp string   // when file is a neighbour that becomes target at the end
	to   string
}

// openOutput opens a file for writing. A whole file takes its name only when it is complete, so that nobody reads half
// of it. What is no regular file (a device, a pipe) is written directly: a rename would replace it.
func openOutput(path string, whole bool) (*output, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("%s is a folder", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	exists := err == nil
	if exists {
		// The right to rename over a file does not tell that it may be written.
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		if !info.Mode().IsRegular() {
			return &output{path: path, w: f, file: f}, nil
		}
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	if whole {
		return openNeighbour(path, exists)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	if err != nil {
		return nil, err
	}
	return &output{path: path, w: f, file: f}, nil
}

func openNeighbour(path string, exists bool) (*output, error) {
	to := path
	if exists { // a link stays a link: what it points to is replaced
		real, err := filepath.EvalSymlinks(path)
		if err != nil {
			return nil, err
		}
		to = real
	}
	temp := filepath.Join(filepath.Dir(to), "."+filepath.Base(to)+"."+rand.Text()[:8]+".tmp")
	f, err := os.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		var bare *fs.PathError
		if errors.As(err, &bare) {
			err = bare.Err
		}
		return nil, fmt.Errorf("create %s: %w", path, err)
	}
	return &output{path: path, w: f, file: f, temp: temp, to: to}, nil
}

// Write takes text; it reaches the destination when there is enough of it, and at flush.
func (o *output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	o.buf = append(o.buf, p...)
	if err := o.spill(); err != nil {
		return 0, err
	}
	return len(p), nil
}

// str appends text.
func (o *output) str(parts ...string) {
	for _, s := range parts {
		o.buf = append(o.buf, s...)
	}
}

// spill writes when much is held.
func (o *output) spill() error {
	if o.err != nil || len(o.buf) < spillAt {
		return o.err
	}
	return o.flush()
}

func (o *output) flush() error {
	if o.err != nil || len(o.buf) == 0 {
		return o.err
	}
	_, err := o.w.Write(o.buf)
	o.buf = o.buf[:0]
	if cap(o.buf) > 4*spillAt {
		o.buf = nil
	}
	o.fail(err)
	return o.err
}

func (o *output) fail(err error) {
	if err == nil || o.err != nil {
		return
	}
	var bare *fs.PathError // it may name the neighbour, which tells the user nothing
	if errors.As(err, &bare) {
		err = bare.Err
	}
	o.err = fmt.Errorf("write %s: %w", o.path, err)
}

// close writes what is left and gives a whole file its name; a broken one is removed.
func (o *output) close() error {
	_ = o.flush() // kept in o.err
	if o.file == nil {
		return o.err
	}
	o.fail(o.file.Close())
	if o.temp == "" {
		return o.err
	}
	if o.err == nil {
		o.fail(linkError(os.Rename(o.temp, o.to)))
	}
	if o.err != nil {
		_ = os.Remove(o.temp) // the first error is the one to tell
	}
	return o.err
}

// linkError drops the neighbour's name from a rename's error.
func linkError(err error) error {
	var l *os.LinkError
	if errors.As(err, &l) {
		return l.Err
	}
	return err
}
