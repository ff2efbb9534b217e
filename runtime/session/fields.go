package session

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"rig/runtime/fault"
)

// wrongFields is the error of a row that does not fit the columns. Of a function's rows the first is 0, as fn(i) has it; of a
// file's it is 1.
func wrongFields(row, got, want int) *fault.Error {
	return fault.New(fault.BadArgument, "", fmt.Sprintf("row %d has %s, want %d", row, count(got, "value"), want))
}

// textShape is what a text tells of itself.
type textShape struct {
	start int64    // where its first line begins: behind a byte order mark
	crlf  bool     // lines end with CR LF
	names []string // the header's, where it has one
}

// byteOrderMark is what some editors put before UTF-8.
const byteOrderMark = "\xef\xbb\xbf"

// readThrough reads a text to its end and goes back to its first line. It gives what the text tells of itself, and the first row
// that does not have want values (0: any). Rows are counted as the server does, which loadSQL told it: a csv has quotes, doubled
// inside; a tsv has backslashes.
func readThrough(l LoadSpec, want int) (textShape, error) {
	r := textReader{shape: textShape{start: -1}, want: want, header: l.Header, fields: fields{csv: l.Format == "csv", line: 1, at: 1, start: true}}
	start, err := l.Reader.Seek(0, io.SeekCurrent)
	if err != nil {
		return r.shape, fmt.Errorf("read the rows: %w", err)
	}
	in := bufio.NewReaderSize(l.Reader, 64<<10)
	r.shape.start = start
	if mark, _ := in.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		r.shape.start += int64(len(byteOrderMark))
		_, _ = in.Discard(len(byteOrderMark)) // it was peeked at
	}
	for {
		b, err := in.ReadByte()
		if err != nil && !errors.Is(err, io.EOF) {
			return r.shape, fmt.Errorf("read the rows: %w", err)
		}
		if err := r.take(b, err != nil); err != nil {
			return r.shape, err
		}
		if err != nil {
			break
		}
	}
	_, err = l.Reader.Seek(r.shape.start, io.SeekStart)
	return r.shape, err
}

// textReader folds the bytes of a text.
type textReader struct {
	shape  textShape
	want   int
	header bool // the row at hand is the header
	rows   int
	ends   int // line ends that were seen
	text   []byte
	fields
}

// take looks at one byte more, or at the end of the text.
func (r *textReader) take(b byte, over bool) error {
	if over && !r.any || !over && !r.see(b) {
		if r.header {
			r.text = append(r.text, b)
		}
		return nil
	}
	if !over {
		if err := r.lineEnd(); err != nil {
			return err
		}
	}
	if r.header {
		if err := r.readHeader(); err != nil {
			return err
		}
	} else if r.rows++; r.want > 0 && r.count+1 != r.want {
		return r.at1(wrongFields(r.rows, r.count+1, r.want))
	}
	r.header = false
	r.fields = fields{csv: r.csv, line: r.line, at: r.line, start: true}
	return nil
}

// lineEnd sees to it that all lines end alike: the server knows one end, and what it does not know becomes part of a value.
func (r *textReader) lineEnd() error {
	r.ends++
	if r.ends == 1 {
		r.shape.crlf = r.carriage
	}
	if r.shape.crlf == r.carriage {
		return nil
	}
	names := map[bool]string{true: "CR LF", false: "LF"}
	return r.at1(fault.New(fault.BadArgument, "", fmt.Sprintf("row %d ends with %s, the lines before it with %s", r.rows+1, names[r.carriage], names[r.shape.crlf])))
}

func (r *textReader) at1(e *fault.Error) error {
	e.Message += fmt.Sprintf(" (line %d of the file)", r.at)
	return e
}

func (r *textReader) readHeader() error {
	line := strings.TrimSuffix(string(r.text), "\r")
	if !r.csv {
		r.shape.names = strings.Split(line, "\t")
		return nil
	}
	names, err := csv.NewReader(strings.NewReader(line)).Read()
	if err != nil {
		return fault.New(fault.BadArgument, "", fmt.Sprintf("the header is no csv: %v", err))
	}
	r.shape.names = names
	return nil
}

// fields counts the separators of one row.
type fields struct {
	csv      bool
	count    int  // separators so far
	any      bool // the row has begun
	start    bool // a value begins here
	quoted   bool // inside quotes
	quote    bool // the byte before was a quote inside quotes: it ends them, or is half of a doubled one
	escaped  bool // the byte before was a backslash
	carriage bool // the byte before was a carriage return outside of quotes
	line     int  // of the text, from 1
	at       int  // the line in which the row began
}

// see takes the next byte and tells whether it ended the row.
func (f *fields) see(b byte) bool {
	if b == '\n' {
		f.line++
	}
	f.any = true
	ended := false
	if f.csv {
		ended = f.seeCSV(b)
	} else {
		ended = f.seeTSV(b)
	}
	if !ended {
		f.carriage = b == '\r' && !f.quoted
	}
	return ended
}

func (f *fields) seeTSV(b byte) bool {
	switch {
	case f.escaped:
		f.escaped = false
	case b == '\\':
		f.escaped = true
	case b == '\t':
		f.count++
	case b == '\n':
		return true
	}
	return false
}

func (f *fields) seeCSV(b byte) bool {
	start := f.start
	f.start = false
	switch {
	case f.quoted && f.quote && b == '"': // a doubled one
		f.quote = false
		return false
	case f.quoted && f.quote && (b == ',' || b == '\n' || b == '\r'):
		f.quoted, f.quote = false, false
	case f.quoted:
		f.quote = b == '"'
		return false
	case start && b == '"':
		f.quoted = true
		return false
	}
	if b == ',' {
		f.count++
		f.start = true
	}
	return b == '\n'
}
