package session

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"math"
	"strconv"
	"strings"

	"rig/runtime/fault"
)

// Decimal is an argument that goes to the server as a decimal literal ("-12.50"), because bound as a string it would be
// compared as a floating-point number.
type Decimal string

func (d Decimal) valid() bool {
	s := string(d)
	if s != "" && (s[0] == '-' || s[0] == '+') {
		s = s[1:]
	}
	digits, points := 0, 0
	for i := range len(s) {
		switch {
		case s[i] >= '0' && s[i] <= '9':
			digits++
		case s[i] == '.':
			points++
		default:
			return false
		}
	}
	return digits > 0 && points <= 1
}

// interpolate puts the arguments in place of the `?` of a statement.
func interpolate(sql string, args []driver.Value, noBackslash bool) (string, error) {
	b := make([]byte, 0, len(sql)+16*len(args))
	l := lexer{sql: sql, noBackslash: noBackslash}
	used, from := 0, 0
	for {
		t, start, end := l.next()
		if t == tokEnd {
			break
		}
		if t != tokPlaceholder {
			continue
		}
		if used == len(args) {
			return "", wrongCount(placeholders(sql, noBackslash), len(args))
		}
		b = append(b, sql[from:start]...)
		b = append(b, ' ') // "LIMIT?" is no "LIMIT5", and "5-?" no "5--3"
		var err error
		if b, err = appendLiteral(b, args[used]); err != nil {
			return "", fmt.Errorf("argument %d: %w", used+1, err)
		}
		b = append(b, ' ')
		used++
		from = end
	}
	if used != len(args) {
		return "", wrongCount(used, len(args))
	}
	return string(append(b, sql[from:]...)), nil
}

func wrongCount(places, args int) error {
	return fault.New(fault.BadArgument, "", fmt.Sprintf("the statement has %s but %s", count(places, "placeholder"), given(args)))
}

func given(n int) string {
	if n == 1 {
		return "1 argument is given"
	}
	return strconv.Itoa(n) + " arguments are given"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

// appendLiteral writes a value so that every sql_mode reads it as the same value that the binary protocol would carry.
func appendLiteral(b []byte, v driver.Value) ([]byte, error) {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...), nil
	case int64:
		return strconv.AppendInt(b, v, 10), nil
	case uint64:
		return strconv.AppendUint(b, v, 10), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, noNumber(v)
		}
		return strconv.AppendFloat(b, v, 'e', -1, 64), nil // without an exponent it would be a DECIMAL
	case bool:
		if v {
			return append(b, '1'), nil
		}
		return append(b, '0'), nil
	case Decimal:
		if !v.valid() {
			return nil, noDecimal(v)
		}
		return append(b, v...), nil
	case string:
		return appendText(b, v), nil
	case []byte:
		if v == nil {
			return append(b, "NULL"...), nil
		}
		return append(hex.AppendEncode(append(b, "_binary x'"...), v), '\''), nil
	}
	return nil, fault.New(fault.BadArgument, "", fmt.Sprintf("a Go %T is no SQL value", v))
}

func noDecimal(v Decimal) error {
	return fault.New(fault.BadArgument, "", fmt.Sprintf("%q is no decimal number", string(v)))
}

func noNumber(v float64) error {
	return fault.New(fault.BadArgument, "", fmt.Sprintf("%v has no place in SQL", v))
}

// appendText quotes s. With a backslash in it the plain literal would depend on sql_mode, so it goes as hex digits.
func appendText(b []byte, s string) []byte {
	if strings.IndexByte(s, '\\') >= 0 {
		return append(hex.AppendEncode(append(b, "_utf8mb4 x'"...), []byte(s)), '\'')
	}
	b = append(b, '\'')
	for {
		i := strings.IndexByte(s, '\'')
		if i < 0 {
			break
		}
		b = append(append(b, s[:i+1]...), '\'')
		s = s[i+1:]
	}
	return append(append(b, s...), '\'')
}

// checkArgs refuses what the driver would send as something else. literal reports that an argument only goes as a literal.
func checkArgs(args []driver.Value) (literal bool, err error) {
	for i, a := range args {
		switch v := a.(type) {
		case nil, int64, uint64, string, bool:
		case []byte:
			literal = literal || v != nil // the driver would bind it as text
		case float64:
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return false, fmt.Errorf("argument %d: %w", i+1, noNumber(v))
			}
		case Decimal:
			literal = true
		default:
			return false, fmt.Errorf("argument %d: %w", i+1, fault.New(fault.BadArgument, "", fmt.Sprintf("a Go %T is no SQL value", a)))
		}
	}
	return literal, nil
}

// quoteName quotes a name; "db.table" is two.
func quoteName(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// quoteTable quotes a table that may be given as database.table; one that is quoted already stays.
func quoteTable(name string) string {
	if strings.HasPrefix(name, "`") {
		return name
	}
	db, table, ok := strings.Cut(name, ".")
	if !ok {
		return quoteName(name)
	}
	return quoteName(db) + "." + quoteName(table)
}
