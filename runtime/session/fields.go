package session

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"rig/runtime/fault"
)

// wrongFields is the error of a row that does not fit the columns. Of a function's rows the first is 0, as fn(i) has it; of a
// file's it is 1.
func wrongFields(row, got, want int) *fault.Error {
	return fault.New(fault.BadArgument, "", fmt.Sprintf("row %d has %s, want %d", row, count(got, "value"), want))
}

// fieldsFit reads a text through and checks that each row has want values (0: any), then goes back to where it was. It counts
// as the server does, which loadSQL told it: a csv has quotes, doubled inside; a tsv has backslashes.
func fieldsFit(l LoadSpec, want int) error {
	if want == 0 {
		return nil
	}
	start, err := l.Reader.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("read the rows: %w", err)
	}
	f := fields{csv: l.Format == "csv", line: 1, at: 1, start: true}
	in := bufio.NewReaderSize(l.Reader, 64<<10)
	row, header := 0, l.Header
	for {
		b, err := in.ReadByte()
		if err != nil && !errors.Is(err, io.EOF) {
			return fmt.Errorf("read the rows: %w", err)
		}
		over := err != nil
		if ended := over && f.any || !over && f.see(b); ended {
			if !header && f.count+1 != want {
				e := wrongFields(row+1, f.count+1, want)
				e.Message += fmt.Sprintf(" (line %d of the file)", f.at)
				return e
			}
			if !header {
				row++
			}
			header = false
			f = fields{csv: f.csv, line: f.line, at: f.line, start: true}
		}
		if over {
			break
		}
	}
	_, err = l.Reader.Seek(start, io.SeekStart)
	return err
}

// fields counts the separators of one row.
type fields struct {
	csv     bool
	count   int  // separators so far
	any     bool // the row has begun
	start   bool // a value begins here
	quoted  bool // inside quotes
	quote   bool // the byte before was a quote inside quotes: it ends them, or is half of a doubled one
	escaped bool // the byte before was a backslash
	line    int  // of the text, from 1
	at      int  // the line in which the row began
}

// see takes the next byte and tells whether it ended the row.
func (f *fields) see(b byte) bool {
	if b == '\n' {
		f.line++
	}
	f.any = true
	if f.csv {
		return f.seeCSV(b)
	}
	return f.seeTSV(b)
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
	case f.quoted && f.quote && (b == ',' || b == '\n'):
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
