package mock

import (
	"encoding/hex"
	"math/big"
	"strings"
)

// Kind is what a value is, and what a column holds.
type Kind int

// The kinds.
const (
	Null Kind = iota
	Int
	Uint
	Float
	Decimal
	Text
	Bytes
	Date
	DateTime
	Clock // TIME
)

var kindNames = [...]string{"NULL", "int", "unsigned int", "float", "decimal", "text", "bytes", "date", "datetime", "time"}

func (k Kind) String() string { return kindNames[k] }

// Value is one cell or argument: Text is what the text protocol sends.
type Value struct {
	Kind Kind
	Text string
}

func (v Value) numeric() bool {
	return v.Kind == Int || v.Kind == Uint || v.Kind == Float || v.Kind == Decimal
}

// literal writes the value as SQL.
func (v Value) literal() string {
	switch {
	case v.Kind == Null:
		return "NULL"
	case v.numeric():
		return v.Text
	case v.Kind == Bytes:
		return "x'" + hex.EncodeToString([]byte(v.Text)) + "'"
	}
	return "'" + strings.ReplaceAll(v.Text, "'", "''") + "'"
}

// equal compares by value: 1 is 1.0, and a date is its text.
func (v Value) equal(w Value) bool {
	if v.Kind == Null || w.Kind == Null {
		return v.Kind == w.Kind
	}
	if v.numeric() && w.numeric() {
		if v.Text == w.Text {
			return true
		}
		a, okA := rational(v.Text)
		b, okB := rational(w.Text)
		return okA && okB && a.Cmp(b) == 0
	}
	return v.numeric() == w.numeric() && v.Text == w.Text
}

func rational(s string) (*big.Rat, bool) {
	if len(s) > 400 { // a double written out has 309 digits
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		digits := strings.TrimLeft(s[i+1:], "+-0")
		if len(digits) > 3 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

// Column describes one column of a result. Kind Null is that of a column without values.
type Column struct {
	Name string
	Kind Kind
}
