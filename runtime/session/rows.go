package session

import (
	"database/sql/driver"
	"io"
	"math"
	"strconv"
)

// CellKind is how the value of a cell is held.
type CellKind uint8

// The kinds of cells.
const (
	CellNull CellKind = iota
	CellInt
	CellUint
	CellFloat
	CellText
	CellBytes
)

// Cell is one value without the cost of boxing it. Text is set for CellText and CellBytes, the number for the others.
type Cell struct {
	Kind CellKind
	bits uint64
	Text string
}

// Int is the value of a CellInt.
func (c Cell) Int() int64 { return int64(c.bits) }

// Uint is the value of a CellUint.
func (c Cell) Uint() uint64 { return c.bits }

// Float is the value of a CellFloat.
func (c Cell) Float() float64 { return math.Float64frombits(c.bits) }

// Value is the cell as one of nil, int64, uint64, float64, string, []byte. Bytes are the caller's own.
func (c Cell) Value() driver.Value {
	switch c.Kind {
	case CellInt:
		return c.Int()
	case CellUint:
		return c.Uint()
	case CellFloat:
		return c.Float()
	case CellText:
		return c.Text
	case CellBytes:
		return []byte(c.Text)
	}
	return nil
}

// slot is a cell in a result: a number, or a place in its text (offset in the upper half, length in the lower). It has no
// pointers, so that the collector passes over large results.
type slot struct {
	bits uint64
	kind CellKind
}

// Rows is a result that is held as a whole. Both protocols give the same values; see [Type] for the Go type of each. It
// does not change, so several goroutines may read it.
type Rows struct {
	*layout
	slots []slot
	text  string
	rows  int
	few   [4]slot // the slots of a small result, which saves it an allocation
}

// Columns describes the columns in order; the caller must not change them.
func (r *Rows) Columns() []Column { return r.columns }

// Len is the number of rows.
func (r *Rows) Len() int { return r.rows }

// Cell gives a value as one of nil, int64, uint64, float64, string, []byte. Rows and columns count from 0.
func (r *Rows) Cell(row, col int) driver.Value { return r.At(row, col).Value() }

// At gives a cell. Rows and columns count from 0.
func (r *Rows) At(row, col int) Cell {
	s := r.slots[row*len(r.columns)+col]
	if s.kind < CellText {
		return Cell{Kind: s.kind, bits: s.bits}
	}
	from := s.bits >> 32
	return Cell{Kind: s.kind, Text: r.text[from : from+s.bits&math.MaxUint32]}
}

// Index is the place of a column by its exact name, -1 where there is none. Of several of one name it is the first.
func (r *Rows) Index(name string) int { return r.layout.place(name) }

func (l *layout) place(name string) int {
	if len(l.names) <= fewColumns {
		for i, n := range l.names {
			if n == name {
				return i
			}
		}
		return -1
	}
	if i, ok := l.index()[name]; ok {
		return i
	}
	return -1
}

// fewColumns is the count up to which comparing names beats a map.
const fewColumns = 8

// collector builds Rows; a session keeps one so that its buffers serve many results.
type collector struct {
	slots []slot
	text  []byte
	dest  []driver.Value
}

// keepSlots and keepText bound what a collector holds between results.
const (
	keepSlots = 1 << 10
	keepText  = 64 << 10
)

// caps bound a result; negative is no bound.
type caps struct{ rows, bytes int }

// errTooLarge is what collect gives when a bound is passed; the caller knows the words.
type errTooLarge struct{ what string }

func (e errTooLarge) Error() string { return "the result has more than " + e.what }

// collect reads rows to their end or to a bound.
func (c *collector) collect(rows described, l *layout, limit caps) (*Rows, error) {
	out := &Rows{}
	if err := c.collectInto(out, rows, l, limit); err != nil {
		return nil, err
	}
	return out, nil
}

// collectInto is collect into a place that the caller has: it must be new.
func (c *collector) collectInto(out *Rows, rows described, l *layout, limit caps) error {
	n := len(l.columns)
	out.layout = l
	if n == 0 {
		return nil
	}
	c.slots, c.text = c.slots[:0], c.text[:0]
	dest := c.destination(n)
	count := 0
	for {
		err := rows.Next(dest)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if limit.rows >= 0 && count == limit.rows {
			return errTooLarge{countText(limit.rows) + " rows"}
		}
		if err := c.add(l, dest); err != nil {
			return err
		}
		if limit.bytes >= 0 && len(c.text) > limit.bytes || len(c.text) > math.MaxUint32 {
			return errTooLarge{byteText(limit.bytes)}
		}
		count++
	}
	c.finish(out, count)
	return nil
}

func (c *collector) destination(n int) []driver.Value {
	if cap(c.dest) < n {
		c.dest = make([]driver.Value, n)
	}
	c.dest = c.dest[:n]
	return c.dest
}

// add takes one row as the driver gave it, whose bytes are only good until the next.
func (c *collector) add(l *layout, dest []driver.Value) error {
	for i, v := range dest {
		if v == nil {
			c.slots = append(c.slots, slot{})
			continue
		}
		col := &l.columns[i]
		kind, bits, ok, err := col.number(v)
		if err != nil {
			return err
		}
		if !ok {
			text := v.([]byte)
			kind, bits = CellText, uint64(len(c.text))<<32|uint64(len(text))
			if col.Type.binary() {
				kind = CellBytes
			}
			c.text = append(c.text, text...)
		}
		c.slots = append(c.slots, slot{bits, kind})
	}
	return nil
}

func (c *collector) finish(r *Rows, count int) {
	r.rows, r.text = count, string(c.text)
	if len(c.slots) <= len(r.few) {
		r.slots = r.few[:copy(r.few[:], c.slots)]
	} else {
		r.slots = append(make([]slot, 0, len(c.slots)), c.slots...)
	}
	if cap(c.slots) > keepSlots {
		c.slots = nil
	}
	if cap(c.text) > keepText {
		c.text = nil
	}
}

func countText(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func byteText(n int) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return strconv.Itoa(n>>20) + " MiB"
	}
	return countText(n) + " bytes"
}
