package session

import (
	"bufio"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/fault"
)

// InsertSpec describes an insert of many rows. Next gives row i (from 0); a nil row ends.
type InsertSpec struct {
	Table   string
	Columns []string
	Next    func(i int) ([]driver.Value, error)
	Batch   int // rows in one statement; 0 is 1000
}

// maxInsert bounds one INSERT in bytes, also where the server would take more.
const maxInsert = 4 << 20

// Insert writes rows by multi-row INSERTs that fit max_allowed_packet. The result counts all rows; its last id is the last
// statement's.
func (s *Session) Insert(c Call, i InsertSpec) (Result, error) {
	if i.Batch <= 0 {
		i.Batch = 1000
	}
	limit := maxInsert
	if f := s.hub.facts.Load(); f != nil && f.packet > 0 {
		limit = min(limit, f.packet-1024)
	}
	begin := "INSERT INTO " + quoteTable(i.Table)
	if len(i.Columns) > 0 {
		quoted := make([]string, len(i.Columns))
		for n, col := range i.Columns {
			quoted[n] = quoteName(col)
		}
		begin += " (" + strings.Join(quoted, ", ") + ")"
	}
	begin += " VALUES "
	b := inserter{s: s, c: c, begin: begin, limit: limit, spec: i}
	err := b.run()
	return b.total, err
}

type inserter struct {
	s     *Session
	c     Call
	begin string
	limit int
	spec  InsertSpec
	buf   []byte
	rows  int
	total Result
}

func (b *inserter) run() error {
	var one []byte
	for n := 0; ; n++ {
		row, err := b.spec.Next(n)
		if err != nil {
			return err
		}
		if row == nil {
			return b.flush()
		}
		if len(b.spec.Columns) > 0 && len(row) != len(b.spec.Columns) {
			return b.bad(n, fault.New(fault.BadArgument, "", fmt.Sprintf("has %s, want %d", count(len(row), "value"), len(b.spec.Columns))))
		}
		one = append(one[:0], '(')
		for k, v := range row {
			if k > 0 {
				one = append(one, ", "...)
			}
			if one, err = appendLiteral(one, v); err != nil {
				return b.bad(n, fault.Wrap("", "", "", err))
			}
		}
		one = append(one, ')')
		if b.rows > 0 && len(b.buf)+len(one)+2 > b.limit {
			if err := b.flush(); err != nil {
				return err
			}
		}
		if b.rows == 0 {
			b.buf = append(b.buf[:0], b.begin...)
		} else {
			b.buf = append(b.buf, ", "...)
		}
		b.buf = append(b.buf, one...)
		if b.rows++; b.rows == b.spec.Batch {
			if err := b.flush(); err != nil {
				return err
			}
		}
	}
}

func (b *inserter) bad(row int, f *fault.Error) error {
	f.Op, f.Session, f.Message = b.c.Op, b.s.name, fmt.Sprintf("row %d: %s", row, f.Message)
	return f
}

func (b *inserter) flush() error {
	if b.rows == 0 {
		return nil
	}
	r, err := b.s.Exec(b.c, string(b.buf), nil)
	if err != nil {
		return err
	}
	b.rows = 0
	affected := b.total.RowsAffected + r.RowsAffected
	b.total = r
	b.total.RowsAffected = affected
	return nil
}

// LoadSpec describes a LOAD DATA LOCAL: rows from Next as for Insert, or text from Reader in a format.
type LoadSpec struct {
	Table   string
	Columns []string
	Next    func(i int) ([]driver.Value, error)
	Reader  io.ReadSeeker
	Format  string // of Reader: "tsv" (the server's default form) or "csv"
	Header  bool   // the first line of Reader is no row
	// Strict makes an error of what LOAD DATA LOCAL only warns of: values that were cut or changed, rows that were passed over.
	Strict bool

	crlf bool // lines of Reader end with CR LF
}

// readers numbers the driver's reader handlers, which are global: each load has a name of its own.
var readers atomic.Uint64

// LoadData loads rows with LOAD DATA LOCAL, without a file. Next is called on the caller's goroutine while another sends:
// however many rows there are, a few blocks of them are in memory. The statement's bound counts anew with each row. When
// Next fails, the rows before it may have been loaded: in a transaction they can be rolled back.
//
// Every row must have as many values as there are columns. With Strict a text is read through once before anything is sent, so
// that one that does not fit loads nothing; how its lines end is then found out, a byte order mark is passed over, and a header
// names the columns. Without, the server makes of it what it does.
func (s *Session) LoadData(c Call, l LoadSpec) (Result, error) {
	columns, err := s.columnNames(c, l)
	if err != nil {
		return Result{}, err
	}
	want := len(columns)
	if l.Reader != nil && l.Strict {
		if l, err = fitted(l, columns); err != nil {
			return Result{}, s.loadError(c, err)
		}
	}
	name := "rig-" + strconv.FormatUint(readers.Add(1), 10)
	sql := loadSQL(name, l, s.hub.cfg.Flavor != "embedded")
	var r Result
	if l.Reader != nil {
		mysql.RegisterReaderHandler(name, func() io.Reader { return l.Reader })
		defer mysql.DeregisterReaderHandler(name)
		r, err = s.Exec(c, sql, nil)
	} else {
		r, err = s.feed(c, name, sql, func(w io.Writer) error { return writeTSV(w, s.touching(l.Next), want) })
	}
	if err != nil || !l.Strict {
		return r, err
	}
	return r, s.warned(c, sql)
}

// feed runs the statement on a goroutine of its own while write produces what it reads, from when the server asks for it.
func (s *Session) feed(c Call, name, sql string, write func(io.Writer) error) (r Result, err error) {
	pr, pw := io.Pipe()
	asked, ended := make(chan struct{}), make(chan struct{})
	ask := sync.OnceFunc(func() { close(asked) })
	mysql.RegisterReaderHandler(name, func() io.Reader { ask(); return pr })
	defer mysql.DeregisterReaderHandler(name)
	var broke any // a panic under the statement
	go func() {   // ends with the statement, which ends when the pipe does
		defer func() {
			broke = recover()
			pr.CloseWithError(errNotRead)
			close(ended)
		}()
		r, err = s.Exec(c, sql, nil)
	}()
	wrote := errors.New("the function of the rows did not return") // what the statement sees when write panics
	defer func() {
		pw.CloseWithError(wrote)
		<-ended
		if broke != nil {
			panic(broke)
		}
		if wrote != nil && !errors.Is(wrote, errNotRead) {
			r, err = Result{}, s.loadError(c, wrote)
		}
	}()
	select {
	case <-asked:
		wrote = write(pw)
	case <-ended:
		wrote = nil
	}
	return // what the statement set; the deferred function waits for it
}

// touching tells the watchdog of progress with each row: a slow function is no statement that hangs.
func (s *Session) touching(next func(int) ([]driver.Value, error)) func(int) ([]driver.Value, error) {
	return func(i int) ([]driver.Value, error) {
		s.touch()
		return next(i)
	}
}

var errNotRead = errors.New("the server did not read the rows")

// loadError gives an error about the rows the call's place; others stay what they are.
func (s *Session) loadError(c Call, err error) error {
	var f *fault.Error
	if errors.As(err, &f) && f.Op == "" && f.Kind == fault.BadArgument {
		f.Op, f.Session = c.Op, s.name
	}
	return err
}

// fitted adds to a load what its text tells. columns are those that a row without names has.
func fitted(l LoadSpec, columns []string) (LoadSpec, error) {
	named := l.Header && len(l.Columns) == 0 && len(columns) > 0 // by the header
	want := len(columns)
	if named {
		want = 0
	}
	shape, err := readThrough(l, want)
	if err != nil {
		return l, err
	}
	l.crlf = shape.crlf
	if !named || len(shape.names) == 0 {
		return l, nil
	}
	for _, name := range shape.names {
		if !slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, name) }) {
			f := fault.New(fault.BadArgument, "", fmt.Sprintf("the header names %q, which is no column of %s: it has %s", name, l.Table, strings.Join(columns, ", ")))
			return l, f.WithHint("columns = [...] says what the file's columns are, in its order")
		}
	}
	l.Columns = shape.names
	_, err = readThrough(l, len(shape.names))
	return l, err
}

// columnNames are the columns whose values a row has; none where the server does not tell.
func (s *Session) columnNames(c Call, l LoadSpec) ([]string, error) {
	if len(l.Columns) > 0 {
		return l.Columns, nil
	}
	if s.hub.cfg.Flavor == "mock" {
		return nil, nil // it has no tables, and would tell of a statement that nobody wrote
	}
	rows, err := s.quiet(c, "SHOW COLUMNS FROM "+quoteTable(l.Table))
	if fault.IsKind(err, fault.Cancelled, fault.SessionBusy, fault.SessionClosed, fault.ConnectionLost) {
		return nil, err
	}
	if err != nil {
		return nil, nil // the statement itself tells better what is wrong
	}
	var names []string
	for i := range rows.Len() { // of field, type, null, key, default, extra
		if !strings.Contains(rows.At(i, len(rows.Columns())-1).Text, "INVISIBLE") {
			names = append(names, rows.At(i, 0).Text)
		}
	}
	return names, nil
}

// warned makes an error of the warnings of the load that has just ended.
func (s *Session) warned(c Call, sql string) error {
	list, err := s.Warnings(c)
	if err != nil {
		return err
	}
	for _, w := range list {
		if w.Level == "Note" && s.hub.cfg.Flavor != "embedded" { // that engine calls everything a note, lost rows too
			continue
		}
		f := fault.Wrap(c.Op, s.name, sql, &mysql.MySQLError{Number: uint16(w.Code), Message: w.Message})
		f.Message = w.Message
		if len(list) > 1 {
			f.Message = fmt.Sprintf("%s (the first of %s)", w.Message, count(len(list), "warning"))
		}
		return f.WithHint("LOAD DATA LOCAL loads what it can; in a transaction it can be rolled back. strict = False takes the rows as the server made them")
	}
	return nil
}

// loadSQL writes the statement. Control characters go as hex digits, because NO_BACKSLASH_ESCAPES changes what '\n' is, and that
// nothing escapes by default; the embedded engine, which has no such mode, does not read hex digits here.
func loadSQL(name string, l LoadSpec, hex bool) string {
	tab, newline, quote, escape := `'\t'`, `'\n'`, `'"'`, `'\\'`
	if l.crlf {
		newline = `'\r\n'`
	}
	if hex {
		tab, newline, quote, escape = "x'09'", "x'0a'", "x'22'", "x'5c'"
		if l.crlf {
			newline = "x'0d0a'"
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "LOAD DATA LOCAL INFILE 'Reader::%s' INTO TABLE %s CHARACTER SET utf8mb4", name, quoteTable(l.Table))
	if l.Reader != nil && l.Format == "csv" {
		fmt.Fprintf(&b, " FIELDS TERMINATED BY ',' OPTIONALLY ENCLOSED BY %s ESCAPED BY %s LINES TERMINATED BY %s", quote, quote, newline)
	} else {
		fmt.Fprintf(&b, " FIELDS TERMINATED BY %s ESCAPED BY %s LINES TERMINATED BY %s", tab, escape, newline)
	}
	if l.Header {
		b.WriteString(" IGNORE 1 LINES")
	}
	if len(l.Columns) > 0 {
		b.WriteString(" (")
		for i, col := range l.Columns {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(quoteName(col))
		}
		b.WriteString(")")
	}
	return b.String()
}

// writeTSV writes rows in the server's own form: tabs between values, \N for NULL, backslash escapes. want is how many values
// each must have, 0 any.
func writeTSV(w io.Writer, next func(i int) ([]driver.Value, error), want int) error {
	out := bufio.NewWriterSize(w, 64<<10)
	var line []byte
	for n := 0; ; n++ {
		row, err := next(n)
		if err != nil {
			return err
		}
		if row == nil {
			return out.Flush()
		}
		if want > 0 && len(row) != want {
			return wrongFields(n, len(row), want)
		}
		line = line[:0]
		for k, v := range row {
			if k > 0 {
				line = append(line, '\t')
			}
			if line, err = appendTSV(line, v); err != nil {
				return fmt.Errorf("row %d: %w", n, err)
			}
		}
		if _, err := out.Write(append(line, '\n')); err != nil {
			return err
		}
	}
}

func appendTSV(b []byte, v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, `\N`...), nil
	case string:
		return escapeTSV(b, v), nil
	case []byte:
		return escapeTSV(b, string(v)), nil
	case Decimal:
		if !v.valid() {
			return nil, noDecimal(v)
		}
		return append(b, v...), nil
	case bool:
		return append(b, '0'+byte(boolInt(v))), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, noNumber(v)
		}
		return strconv.AppendFloat(b, v, 'g', -1, 64), nil
	}
	return nil, fault.New(fault.BadArgument, "", fmt.Sprintf("a Go %T is no SQL value", v))
}

func escapeTSV(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; c {
		case '\\', '\t':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case 0:
			b = append(b, '\\', '0')
		default:
			b = append(b, c)
		}
	}
	return b
}
