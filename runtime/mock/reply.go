package mock

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The flags of a reply's status, from include/mysql_com.h.
const (
	statusAutocommit = 2
	statusMore       = 8 // another result follows
)

// ok adds an OK packet.
func (w *writer) ok(r Result, status uint16) {
	p := lenenc(lenenc([]byte{0}, r.Affected), r.LastInsertID)
	w.packet(append(p, byte(status), byte(status>>8), 0, 0))
}

func (w *writer) eof(status uint16) { w.packet([]byte{0xfe, 0, 0, byte(status), byte(status >> 8)}) }

func (w *writer) err(e *Error) {
	p := append([]byte{0xff, byte(e.Code), byte(e.Code >> 8), '#'}, e.SQLState...)
	w.packet(append(p, e.Message...))
}

// answer adds the whole reply to a statement. firstRow is where its first row ends in the bytes, 0 where it has none.
func (w *writer) answer(a Answer, binaryRows bool) (firstRow int) {
	if a.Err != nil {
		w.err(a.Err)
		return 0
	}
	for i, r := range a.Results {
		status := uint16(statusAutocommit)
		if i < len(a.Results)-1 {
			status |= statusMore
		}
		if len(r.Columns) == 0 {
			w.ok(r, status)
			continue
		}
		if n := w.result(r, status, binaryRows); firstRow == 0 {
			firstRow = n
		}
	}
	return firstRow
}

func (w *writer) result(r Result, status uint16, binaryRows bool) (firstRow int) {
	w.packet(lenenc(nil, uint64(len(r.Columns))))
	for _, c := range r.Columns {
		w.packet(column(c))
	}
	w.eof(status)
	for _, values := range r.Rows {
		if binaryRows {
			w.packet(binaryRow(r.Columns, values))
		} else {
			w.packet(textRow(values))
		}
		if firstRow == 0 {
			firstRow = len(w.buf)
		}
	}
	w.eof(status)
	return firstRow
}

// wireType gives a column's type in the protocol, its character set and flags. 45 is utf8mb4_general_ci, 63 binary.
func wireType(k Kind) (typ byte, charset, flags uint16) {
	const unsigned, isBinary = 32, 128
	switch k {
	case Int:
		return typeLongLong, 63, isBinary
	case Uint:
		return typeLongLong, 63, isBinary | unsigned
	case Float:
		return typeDouble, 63, isBinary
	case Decimal:
		return typeDecimal, 63, isBinary
	case Bytes:
		return typeBlob, 63, isBinary
	case Date:
		return typeDate, 63, isBinary
	case DateTime:
		return typeDateTime, 63, isBinary
	case Clock:
		return typeTime, 63, isBinary
	}
	return typeVarString, 45, 0
}

func column(c Column) []byte {
	typ, charset, flags := wireType(c.Kind)
	p := lenencText(nil, "def")
	for _, s := range []string{"", "mock", "mock", c.Name, c.Name} {
		p = lenencText(p, s)
	}
	p = append(p, 12, byte(charset), byte(charset>>8))
	p = binary.LittleEndian.AppendUint32(p, 1024)
	decimals := byte(0)
	if c.Kind == DateTime || c.Kind == Clock {
		decimals = 6
	}
	return append(p, typ, byte(flags), byte(flags>>8), decimals, 0, 0)
}

func textRow(values []Value) []byte {
	var p []byte
	for _, v := range values {
		if v.Kind == Null {
			p = append(p, 0xfb)
			continue
		}
		p = lenencText(p, v.Text)
	}
	return p
}

func binaryRow(columns []Column, values []Value) []byte {
	p := make([]byte, 1+(len(values)+9)/8) // the bits of NULL begin with two that are not used
	for i, v := range values {
		if v.Kind == Null {
			p[1+(i+2)/8] |= 1 << ((i + 2) % 8)
			continue
		}
		p = binaryCell(p, columns[i].Kind, v.Text)
	}
	return p
}

func binaryCell(p []byte, k Kind, s string) []byte {
	switch k {
	case Int:
		n, _ := strconv.ParseInt(s, 10, 64) // Values are made from numbers
		return binary.LittleEndian.AppendUint64(p, uint64(n))
	case Uint:
		n, _ := strconv.ParseUint(s, 10, 64)
		return binary.LittleEndian.AppendUint64(p, n)
	case Float:
		f, _ := strconv.ParseFloat(s, 64)
		return binary.LittleEndian.AppendUint64(p, math.Float64bits(f))
	case Date, DateTime:
		return binaryDate(p, s)
	case Clock:
		return binaryClock(p, s)
	}
	return lenencText(p, s)
}

func binaryDate(p []byte, s string) []byte {
	var y, m, d, h, min, sec int
	n, _ := fmt.Sscanf(s, "%d-%d-%d %d:%d:%d", &y, &m, &d, &h, &min, &sec) // a date alone is three of them
	us := micros(s)
	fields := []byte{byte(y), byte(y >> 8), byte(m), byte(d)}
	if n > 3 {
		fields = append(fields, byte(h), byte(min), byte(sec))
	}
	if us > 0 {
		fields = binary.LittleEndian.AppendUint32(fields, us)
	}
	return append(append(p, byte(len(fields))), fields...)
}

func binaryClock(p []byte, s string) []byte {
	t, negative := strings.CutPrefix(s, "-")
	var h, m, sec uint32
	_, _ = fmt.Sscanf(t, "%d:%d:%d", &h, &m, &sec) // what is left out is zero
	fields := []byte{0}
	if negative {
		fields[0] = 1
	}
	fields = binary.LittleEndian.AppendUint32(fields, h/24)
	fields = append(fields, byte(h%24), byte(m), byte(sec))
	if us := micros(s); us > 0 {
		fields = binary.LittleEndian.AppendUint32(fields, us)
	}
	return append(append(p, byte(len(fields))), fields...)
}

// micros reads the digits after the point.
func micros(s string) uint32 {
	_, fraction, ok := strings.Cut(s, ".")
	if !ok {
		return 0
	}
	n, _ := strconv.ParseUint((fraction + "000000")[:6], 10, 32)
	return uint32(n)
}
