package report

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"

	"rig/runtime/event"
)

// maxLine bounds a line of a journal, in bytes, and with it the memory of a replay.
const maxLine = 4 << 20

// maxDamage is how many damaged lines are described one by one.
const maxDamage = 10

// ReplayInfo tells what a journal held.
type ReplayInfo struct {
	Events       int  // given to the sinks
	Truncated    bool // the last line was cut off and is left out
	UnknownKinds int  // events of a later version of rig, left out
	Ended        bool // the run's end is there
}

// headSize is how much of a file is looked at to tell whether it is a journal.
const headSize = 64 << 10

// HoldsEvents reports whether a journal begins here: among the first lines is an event. What is longer than it looks at
// passes. Nothing is taken from the reader; it must have a buffer.
func HoldsEvents(r *bufio.Reader) bool {
	head, err := r.Peek(min(headSize, r.Size()))
	if err == nil && !bytes.ContainsRune(head, '\n') {
		return true
	}
	for line := range bytes.Lines(head) {
		_, err := event.Decode(bytes.TrimRight(line, "\r\n"))
		var unknown *event.UnknownKindError
		if err == nil || errors.As(err, &unknown) {
			return true
		}
	}
	return false
}

// Replay gives the events of a journal to the sinks, flushes and closes them. A damaged line is an error that names it,
// and the lines after it are still played. A sink that fails gets no further events, as in a run; its error is among
// those returned.
func Replay(r io.Reader, sinks ...event.Sink) (ReplayInfo, error) {
	p := player{lines: lineReader{in: bufio.NewReaderSize(r, 64<<10)}}
	for _, s := range sinks {
		p.sinks = append(p.sinks, &played{Sink: s})
	}
	for p.next() {
	}
	p.each(event.Sink.Flush)
	for _, s := range p.sinks {
		if err := s.Close(); err != nil && !s.dead {
			p.errs = append(p.errs, fmt.Errorf("%s: %w", s.Name(), err))
		}
	}
	if more := p.damaged - maxDamage; more > 0 {
		p.errs = append(p.errs, fmt.Errorf("and %d more damaged lines", more))
	}
	return p.info, errors.Join(p.errs...)
}

type player struct {
	lines   lineReader
	sinks   []*played
	info    ReplayInfo
	errs    []error
	damaged int
}

type played struct {
	event.Sink
	dead bool
}

// next plays a line and reports whether another may follow.
func (p *player) next() bool {
	line, whole, err := p.lines.read()
	if err != nil && !errors.Is(err, io.EOF) {
		p.errs = append(p.errs, fmt.Errorf("read journal: %w", err))
		return false
	}
	last := err != nil
	if len(line) > 0 || !whole {
		p.play(line, whole, last)
	}
	return !last
}

func (p *player) play(line []byte, whole, last bool) {
	e, err := event.Event{}, error(nil)
	if whole {
		e, err = event.Decode(line)
	} else {
		err = fmt.Errorf("longer than %d bytes", maxLine)
	}
	var unknown *event.UnknownKindError
	switch {
	case err == nil:
		p.info.Events++
		if e.Kind() == event.KindRunEnd {
			p.info.Ended = true
		}
		p.each(func(s event.Sink) error { return s.Event(&e) })
	case errors.As(err, &unknown):
		p.info.UnknownKinds++
	case last:
		p.info.Truncated = true
	default:
		if p.damaged++; p.damaged <= maxDamage {
			p.errs = append(p.errs, fmt.Errorf("journal line %d is damaged: %w", p.lines.number, err))
		}
	}
}

func (p *player) each(f func(event.Sink) error) {
	for _, s := range p.sinks {
		if s.dead {
			continue
		}
		if err := f(s.Sink); err != nil {
			s.dead = true
			p.errs = append(p.errs, fmt.Errorf("%s: %w", s.Name(), err))
		}
	}
}

// lineReader cuts a stream into lines of bounded length.
type lineReader struct {
	in     *bufio.Reader
	number int // of the line read last, from 1
	long   []byte
}

// read gives the next line without its end; it is valid until the next call. whole is false when the line was too long: then it is
// skipped. The error is io.EOF for a last line without an end.
func (l *lineReader) read() (line []byte, whole bool, err error) {
	l.number++
	l.long = l.long[:0]
	whole = true
	for {
		part, err := l.in.ReadSlice('\n')
		if len(l.long)+len(part) > maxLine {
			whole, l.long = false, l.long[:0]
		}
		if whole && (len(l.long) > 0 || errors.Is(err, bufio.ErrBufferFull)) {
			l.long = append(l.long, part...)
			part = l.long
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if !whole {
			return nil, false, err
		}
		return bytes.TrimRight(part, "\r\n"), true, err
	}
}
