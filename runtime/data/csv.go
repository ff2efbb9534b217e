package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"rig/runtime/fault"
)

// CSVOptions say what a file must look like.
type CSVOptions struct {
	Header  bool     // its first line names the columns
	Columns []string // what the columns must be; nil is whatever the header says, or the first row's count
}

// Table is what a file holds: every row has as many values as there are columns. Columns is empty where nothing names them.
type Table struct {
	Columns []string
	Rows    [][]string
	Lines   []int // where each row begins, from 1
}

// The bounds of a file: what goes past them is for conn.load_data, which streams.
const (
	maxCSVRows   = 1_000_000
	maxCSVValues = 10_000_000
	maxCSVBytes  = 64 << 20
)

const byteOrderMark = "\ufeff"

// CSVError tells what is wrong with a file, and in which line.
type CSVError struct {
	File string
	Line int
	Why  string
}

func (e *CSVError) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Why
	}
	return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.Why)
}

// ReadCSV reads a file as RFC 4180 has it: commas, double quotes, empty lines passed over. A byte order mark at its beginning is no
// part of the first value.
func ReadCSV(name string, r io.Reader, o CSVOptions) (*Table, error) {
	c := &csvReader{file: name, o: o}
	limited := &io.LimitedReader{R: r, N: maxCSVBytes + 1}
	in := bufio.NewReader(limited)
	if mark, err := in.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		_, _ = in.Discard(len(byteOrderMark)) // it was peeked at
	}
	c.r = csv.NewReader(in)
	c.r.FieldsPerRecord = -1 // counted here, with the names
	err := c.all()
	if limited.N == 0 {
		return nil, c.wrong(0, "it has more than %d MiB; conn.load_data streams files of any size", maxCSVBytes>>20)
	}
	if err != nil {
		return nil, err
	}
	return &c.t, nil
}

type csvReader struct {
	file   string
	o      CSVOptions
	r      *csv.Reader
	t      Table
	want   int // values in a row; 0 is not known yet
	values int
}

func (c *csvReader) wrong(line int, format string, args ...any) error {
	return &CSVError{File: c.file, Line: line, Why: fmt.Sprintf(format, args...)}
}

func (c *csvReader) all() error {
	if err := c.header(); err != nil {
		return err
	}
	for {
		row, line, err := c.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if c.want == 0 {
			c.want = len(row)
		}
		if len(row) != c.want {
			return c.wrong(line, "%s, want %d%s", count(len(row), "value"), c.want, c.names())
		}
		if c.values += len(row); len(c.t.Rows) == maxCSVRows || c.values > maxCSVValues {
			return c.wrong(line, "more than %d rows or %d values; conn.load_data streams files of any size", maxCSVRows, maxCSVValues)
		}
		c.t.Rows, c.t.Lines = append(c.t.Rows, row), append(c.t.Lines, line)
	}
}

// header settles the columns.
func (c *csvReader) header() error {
	if len(c.o.Columns) > 0 {
		if same := firstTwice(c.o.Columns); same != "" {
			return c.wrong(0, "the columns that are wanted have %q twice", same)
		}
		c.t.Columns, c.want = c.o.Columns, len(c.o.Columns)
	}
	if !c.o.Header {
		return nil
	}
	head, line, err := c.next()
	if err == io.EOF {
		return c.wrong(0, "it is empty, and its first line should name the columns")
	}
	if err != nil {
		return err
	}
	for i := range head {
		head[i] = strings.TrimSpace(head[i])
	}
	if same := firstTwice(head); same != "" {
		return c.wrong(line, "the header has the column %q twice", same)
	}
	if i := slices.Index(head, ""); i >= 0 {
		return c.wrong(line, "column %d of the header has no name", i+1)
	}
	if c.want > 0 {
		if err := c.compare(line, head); err != nil {
			return err
		}
	}
	c.t.Columns, c.want = head, len(head)
	return nil
}

// compare refuses a header that is not what was asked for, in the same order.
func (c *csvReader) compare(line int, head []string) error {
	if slices.Equal(head, c.o.Columns) {
		return nil
	}
	hint := ""
	for _, h := range head {
		if near := fault.Suggest(h, c.o.Columns); near != "" && !slices.Contains(c.o.Columns, h) && !slices.Contains(head, near) {
			hint = fmt.Sprintf("; is %q meant to be %q?", h, near)
			break
		}
	}
	return c.wrong(line, "the header has %s (%s), want %d (%s)%s", count(len(head), "column"), strings.Join(head, ", "), len(c.o.Columns), strings.Join(c.o.Columns, ", "), hint)
}

func (c *csvReader) names() string {
	if len(c.t.Columns) == 0 {
		return " as in the first row"
	}
	return " (" + strings.Join(c.t.Columns, ", ") + ")"
}

func (c *csvReader) next() ([]string, int, error) {
	row, err := c.r.Read()
	if err == io.EOF {
		return nil, 0, err
	}
	var bad *csv.ParseError
	if errors.As(err, &bad) {
		return nil, 0, c.wrong(bad.Line, "%v", bad.Err)
	}
	if err != nil {
		return nil, 0, c.wrong(0, "%v", err)
	}
	line, _ := c.r.FieldPos(0)
	return row, line, nil
}

func firstTwice(names []string) string {
	seen := map[string]bool{}
	for _, n := range names {
		if seen[n] {
			return n
		}
		seen[n] = true
	}
	return ""
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
