package session

import (
	"database/sql/driver"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"rig/runtime/fault"
)

// described is the driver's rows, with what it tells of columns.
type described interface {
	driver.Rows
	HasNextResultSet() bool
	NextResultSet() error
	ColumnTypeDatabaseTypeName(i int) string
	ColumnTypeNullable(i int) (nullable, ok bool)
	ColumnTypePrecisionScale(i int) (precision, scale int64, ok bool)
}

// layout is the columns of a result and the way to them by name. Results of one prepared statement share it; nothing in it
// changes after it is made.
type layout struct {
	columns []Column
	names   []string
	index   func() map[string]int
}

// layoutOf describes rows; old is reused when it fits, which it nearly always does.
func layoutOf(rows described, old *layout) *layout {
	names := rows.Columns()
	if old != nil && old.fits(rows, names) {
		return old
	}
	l := &layout{names: names, columns: make([]Column, len(names))}
	for i, name := range names {
		l.columns[i] = columnOf(rows, i, name)
	}
	l.index = sync.OnceValue(l.places)
	return l
}

// places is the way to the columns by name: of several with one name, the first is meant.
func (l *layout) places() map[string]int {
	m := make(map[string]int, len(l.names))
	for i, n := range slices.Backward(l.names) {
		m[n] = i
	}
	return m
}

// layoutFor is layoutOf for the rows of the cache's entry, nil where there is none. A server that sends no description of the
// columns says that they are those of the last run, and the driver takes it at its word as well.
func (s *Session) layoutFor(rows described, e *entry) *layout {
	if e == nil {
		return layoutOf(rows, nil)
	}
	if e.layout != nil && s.wire.x.undescribed {
		return e.layout
	}
	old := e.layout
	if old == nil {
		old = s.hub.layouts.of(e.sql)
	}
	e.layout = layoutOf(rows, old)
	if e.layout != old {
		s.hub.layouts.keep(e.sql, e.layout)
	}
	return e.layout
}

// layouts are those of the statements that the sessions of a hub share: what many sessions look at stays in the processor's
// caches.
type layouts struct {
	mu    sync.Mutex
	known map[string]*layout // guarded by mu
}

// keepLayouts bounds them; they begin anew when it is reached.
const keepLayouts = 256

func (k *layouts) of(sql string) *layout {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.known[sql]
}

func (k *layouts) keep(sql string, l *layout) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil || len(k.known) >= keepLayouts {
		k.known = map[string]*layout{}
	}
	k.known[sql] = l
}

// fits reports whether rows have the columns of l: a table may change between two runs of a prepared statement.
func (l *layout) fits(rows described, names []string) bool {
	if !slices.Equal(names, l.names) {
		return false
	}
	for i := range l.columns {
		c := &l.columns[i]
		if rows.ColumnTypeDatabaseTypeName(i) != c.DatabaseType {
			return false
		}
		if nullable, _ := rows.ColumnTypeNullable(i); nullable != c.Nullable {
			return false
		}
		if c.Type == TypeFloat || c.Type == TypeDouble || c.Type == TypeDecimal {
			if p, d := precision(rows, i, c.Type); p != c.Length || d != c.Decimals {
				return false
			}
		}
	}
	return true
}

func columnOf(rows described, i int, name string) Column {
	db := rows.ColumnTypeDatabaseTypeName(i)
	base, unsigned := strings.CutPrefix(db, "UNSIGNED ")
	nullable, _ := rows.ColumnTypeNullable(i)
	c := Column{Name: name, Type: typeOf(base, unsigned), Unsigned: unsigned, Nullable: nullable, DatabaseType: db}
	c.Length, c.Decimals = precision(rows, i, c.Type)
	return c
}

func precision(rows described, i int, t Type) (length, decimals int64) {
	p, d, ok := rows.ColumnTypePrecisionScale(i)
	if !ok {
		return 0, 0
	}
	if d == math.MaxInt64 || d >= noDecimals {
		d = -1
	}
	if t != TypeDecimal {
		p = 0
	}
	return p, d
}

// noDecimals is the protocol's mark of a number without a fixed count of decimals.
const noDecimals = 31

func typeOf(base string, unsigned bool) Type {
	switch base {
	case "TINYINT", "SMALLINT", "MEDIUMINT", "INT":
		return TypeInt
	case "BIGINT":
		if unsigned {
			return TypeUint
		}
		return TypeInt
	case "YEAR":
		return TypeYear
	case "FLOAT":
		return TypeFloat
	case "DOUBLE":
		return TypeDouble
	case "DECIMAL":
		return TypeDecimal
	case "BIT":
		return TypeBit
	case "BINARY", "VARBINARY", "TINYBLOB", "BLOB", "MEDIUMBLOB", "LONGBLOB":
		return TypeBytes
	case "DATE":
		return TypeDate
	case "DATETIME":
		return TypeDateTime
	case "TIMESTAMP":
		return TypeTimestamp
	case "TIME":
		return TypeTime
	}
	return rareTypeOf(base)
}

func rareTypeOf(base string) Type {
	switch base {
	case "JSON":
		return TypeJSON
	case "ENUM":
		return TypeEnum
	case "SET":
		return TypeSet
	case "GEOMETRY":
		return TypeGeometry
	case "VECTOR":
		return TypeVector
	case "NULL":
		return TypeNull
	}
	return TypeString
}

// binary reports whether cells of the type are bytes rather than text.
func (t Type) binary() bool {
	return t == TypeBytes || t == TypeBit || t == TypeGeometry || t == TypeVector
}

// number brings a value that the driver decoded into the one form that both protocols share. Text comes as bytes and is
// not for number; ok is false for it.
func (c *Column) number(v driver.Value) (kind CellKind, bits uint64, ok bool, err error) {
	switch v := v.(type) {
	case int64:
		if c.Type == TypeUint {
			return CellUint, uint64(v), true, nil
		}
		return CellInt, uint64(v), true, nil
	case uint64:
		return CellUint, v, true, nil
	case float64:
		return CellFloat, math.Float64bits(c.round(v)), true, nil
	case float32:
		return CellFloat, math.Float64bits(c.single(v)), true, nil
	case []byte:
		if c.Type != TypeUint {
			return 0, 0, false, nil
		}
		// Above the signed range the driver's binary protocol gives the digits.
		n, err := strconv.ParseUint(string(v), 10, 64)
		return CellUint, n, true, err
	}
	return 0, 0, false, fault.New(fault.Protocol, "", "the driver gave a value of an unknown Go type for column "+c.Name)
}

// round does to a DOUBLE of fixed decimals what the text protocol does: print it with them.
func (c *Column) round(v float64) float64 {
	if !c.fixed(v) || c.Type != TypeDouble {
		return v
	}
	r, err := strconv.ParseFloat(strconv.FormatFloat(v, 'f', int(c.Decimals), 64), 64)
	if err != nil {
		return v
	}
	return r
}

// fixed reports whether v has the column's count of decimals. The embedded engine says 0 of every column.
func (c *Column) fixed(v float64) bool {
	return c.Decimals > 0 || c.Decimals == 0 && v == math.Trunc(v)
}

// floatDigits is what servers print of a FLOAT: FLT_DIG significant digits.
const floatDigits = 6

// single widens a FLOAT by its printed form, so that 1.1 stays 1.1, after rounding it as the text protocol does.
func (c *Column) single(v float32) float64 {
	format, digits := byte('g'), floatDigits
	if c.fixed(float64(v)) {
		format, digits = 'f', int(c.Decimals)
	}
	printed, err := strconv.ParseFloat(strconv.FormatFloat(float64(v), format, digits, 64), 32)
	if err != nil {
		return float64(v)
	}
	wide, _ := strconv.ParseFloat(strconv.FormatFloat(printed, 'g', -1, 32), 64)
	return wide
}
