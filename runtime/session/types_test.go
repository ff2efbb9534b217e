package session_test

import (
	"bytes"
	"database/sql/driver"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"

	"rig/runtime/session"
)

// allBytes has every byte once.
func allBytes() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

const hard = "a'b\"c\\d\\\\e\n\r\t\x00\x1a%_`😀ü?;--/*#"

var digits65 = strings.Repeat("9", 35) + "." + strings.Repeat("9", 30)

// columnCases has each type with SQL that makes the value and the cell that must come of it.
var columnCases = []struct {
	column string
	sql    string
	want   driver.Value
	kind   session.Type
}{
	{"TINYINT", "-128", int64(-128), session.TypeInt},
	{"TINYINT UNSIGNED", "255", int64(255), session.TypeInt},
	{"SMALLINT", "-32768", int64(-32768), session.TypeInt},
	{"SMALLINT UNSIGNED", "65535", int64(65535), session.TypeInt},
	{"MEDIUMINT", "-8388608", int64(-8388608), session.TypeInt},
	{"MEDIUMINT UNSIGNED", "16777215", int64(16777215), session.TypeInt},
	{"INT", "-2147483648", int64(math.MinInt32), session.TypeInt},
	{"INT UNSIGNED", "4294967295", int64(math.MaxUint32), session.TypeInt},
	{"INT(8) ZEROFILL", "42", int64(42), session.TypeInt},
	{"BIGINT", "-9223372036854775808", int64(math.MinInt64), session.TypeInt},
	{"BIGINT", "9223372036854775807", int64(math.MaxInt64), session.TypeInt},
	{"BIGINT UNSIGNED", "18446744073709551615", uint64(math.MaxUint64), session.TypeUint},
	{"BIGINT UNSIGNED", "9223372036854775808", uint64(1 << 63), session.TypeUint},
	{"BIGINT UNSIGNED", "7", uint64(7), session.TypeUint},
	{"BOOL", "TRUE", int64(1), session.TypeInt},
	{"DECIMAL(65,30)", "-" + digits65, "-" + digits65, session.TypeDecimal},
	{"DECIMAL(65,30)", "0.000000000000000000000000000001", "0.000000000000000000000000000001", session.TypeDecimal},
	{"DECIMAL(10,0) UNSIGNED", "42", "42", session.TypeDecimal},
	{"FLOAT", "1.1", 1.1, session.TypeFloat},
	{"FLOAT", "-3.40282e38", -3.40282e38, session.TypeFloat},
	{"FLOAT(10,0)", "16777216", 16777216.0, session.TypeFloat},
	{"FLOAT(7,3)", "1.0626", 1.063, session.TypeFloat},
	{"DOUBLE", "0.1", 0.1, session.TypeDouble},
	{"DOUBLE", "1.7976931348623157e308", math.MaxFloat64, session.TypeDouble},
	{"DOUBLE", "-2.2250738585072014e-308", -2.2250738585072014e-308, session.TypeDouble},
	{"DOUBLE", "123456789012345678", 123456789012345680.0, session.TypeDouble},
	{"DOUBLE(10,3)", "1.2503", 1.25, session.TypeDouble},
	{"DATE", "'2024-02-29'", "2024-02-29", session.TypeDate},
	{"DATE", "'0000-00-00'", "0000-00-00", session.TypeDate},
	{"DATE", "'2024-00-00'", "2024-00-00", session.TypeDate},
	{"DATE", "'9999-12-31'", "9999-12-31", session.TypeDate},
	{"DATETIME", "'2024-02-29 00:00:00'", "2024-02-29 00:00:00", session.TypeDateTime},
	{"DATETIME", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00", session.TypeDateTime},
	{"DATETIME(6)", "'2024-02-29 23:59:59.000001'", "2024-02-29 23:59:59.000001", session.TypeDateTime},
	{"DATETIME(6)", "'2024-02-29 23:59:59'", "2024-02-29 23:59:59.000000", session.TypeDateTime},
	{"DATETIME(6)", "'0000-00-00'", "0000-00-00 00:00:00.000000", session.TypeDateTime},
	{"DATETIME(3)", "'2024-02-29 00:00:00'", "2024-02-29 00:00:00.000", session.TypeDateTime},
	{"TIMESTAMP NULL", "'2024-02-29 23:59:59'", "2024-02-29 23:59:59", session.TypeTimestamp},
	{"TIMESTAMP(6) NULL", "'1970-01-01 00:00:01.5'", "1970-01-01 00:00:01.500000", session.TypeTimestamp},
	{"TIMESTAMP NULL", "'0000-00-00 00:00:00'", "0000-00-00 00:00:00", session.TypeTimestamp},
	{"TIME", "'-838:59:59'", "-838:59:59", session.TypeTime},
	{"TIME", "'00:00:00'", "00:00:00", session.TypeTime},
	{"TIME(6)", "'-838:59:59.000000'", "-838:59:59.000000", session.TypeTime},
	{"TIME(6)", "'838:59:59.999999'", "838:59:59.999999", session.TypeTime},
	{"TIME(6)", "'-00:00:00.000001'", "-00:00:00.000001", session.TypeTime},
	{"TIME(2)", "'25:01:01.5'", "25:01:01.50", session.TypeTime},
	{"YEAR", "2155", int64(2155), session.TypeYear},
	{"YEAR", "0", int64(0), session.TypeYear},
	{"BIT(1)", "b'1'", []byte{1}, session.TypeBit},
	{"BIT(1)", "b'0'", []byte{0}, session.TypeBit},
	{"BIT(64)", "x'FF000000000000FE'", []byte{0xff, 0, 0, 0, 0, 0, 0, 0xfe}, session.TypeBit},
	{"JSON", `'{"a": [1, "x"]}'`, `{"a": [1, "x"]}`, session.TypeString},
	{"ENUM('a','b''c','')", "'b''c'", "b'c", session.TypeEnum},
	{"SET('a','b','c')", "'c,a'", "a,c", session.TypeSet},
	{"SET('a','b','c')", "''", "", session.TypeSet},
	{"BINARY(255)", hexed(allBytes()[1:]), allBytes()[1:], session.TypeBytes},
	{"BINARY(3)", "'a'", []byte{'a', 0, 0}, session.TypeBytes},
	{"VARBINARY(300)", hexed(allBytes()), allBytes(), session.TypeBytes},
	{"TINYBLOB", "''", []byte{}, session.TypeBytes},
	{"BLOB", hexed(allBytes()), allBytes(), session.TypeBytes},
	{"LONGBLOB", "REPEAT('x', 70000)", bytes.Repeat([]byte("x"), 70000), session.TypeBytes},
	{"CHAR(20)", "'ab  '", "ab", session.TypeString},
	{"VARCHAR(100)", hexed([]byte(hard)), hard, session.TypeString},
	{"TEXT", hexed([]byte(hard)), hard, session.TypeString},
	{"LONGTEXT", "REPEAT('ü', 70000)", strings.Repeat("ü", 70000), session.TypeString},
	{"VARCHAR(10) CHARACTER SET latin1", "'ü'", "ü", session.TypeString},
	{"UUID", "'123e4567-e89b-12d3-a456-426614174000'", "123e4567-e89b-12d3-a456-426614174000", session.TypeString},
	{"INET6", "'::1'", "::1", session.TypeString},
}

func hexed(b []byte) string { return fmt.Sprintf("x'%x'", b) }

// argument is a cell as it goes back: what is a string of digits to Go is a number to SQL.
func argument(v driver.Value, t session.Type) driver.Value {
	if t == session.TypeDecimal {
		return session.Decimal(v.(string))
	}
	return v
}

func TestColumnTypes(t *testing.T) {
	for _, mode := range []string{"", "ANSI_QUOTES", "NO_BACKSLASH_ESCAPES"} {
		t.Run("mode "+mode, func(t *testing.T) {
			w := onMariadb(t)
			a := w.open()
			w.exec(a, "SET sql_mode = '"+mode+"'")
			for i, tt := range columnCases {
				if mode != "" && tt.kind != session.TypeString && tt.kind != session.TypeBytes && tt.kind != session.TypeEnum && tt.kind != session.TypeDecimal {
					continue // sql_mode is about how text is quoted
				}
				name := fmt.Sprintf("%s %.30s", tt.column, tt.sql)
				table := fmt.Sprintf("t%d", i)
				w.exec(a, fmt.Sprintf("CREATE TABLE %s (id INT PRIMARY KEY, v %s NULL)", table, tt.column))
				w.exec(a, fmt.Sprintf("INSERT INTO %s VALUES (1, %s), (2, NULL)", table, tt.sql))
				w.readsBoth(a, name, fmt.Sprintf("SELECT v FROM %s WHERE id = ?", table), tt.want, tt.kind)
				w.comesBack(a, name, table, argument(tt.want, tt.kind), tt.kind)
			}
		})
	}
}

// readsBoth reads a value and a NULL by text without arguments, by interpolated text and by a prepared statement.
func (w *world) readsBoth(a *session.Session, name, sql string, want driver.Value, kind session.Type) {
	w.Helper()
	plain := strings.ReplaceAll(sql, "?", "1")
	for i, r := range []*session.Rows{w.query(a, plain), w.query(a, sql, int64(1)), w.query(a, sql, int64(1)), w.query(a, sql, int64(1))} {
		if got := r.Cell(0, 0); !reflect.DeepEqual(got, want) {
			w.Errorf("%s, reading %d: got %T %.80v, want %T %.80v", name, i, got, got, want, want)
		}
		if c := r.Columns()[0]; c.Type != kind || c.Name != "v" || !c.Nullable {
			w.Errorf("%s, reading %d: column %+v, want type %s", name, i, c, kind)
		}
	}
	if first := w.log.statement(w, sql); !first.Prepared {
		w.Errorf("%s: the third use was not prepared", name)
	}
	for i, r := range []*session.Rows{w.query(a, strings.ReplaceAll(sql, "?", "2")), w.query(a, sql, int64(2))} {
		if got := r.Cell(0, 0); got != nil || r.At(0, 0).Kind != session.CellNull {
			w.Errorf("%s, NULL by reading %d: got %T %v", name, i, got, got)
		}
	}
}

// comesBack writes the value as an argument, by text and prepared, and lets the server compare.
func (w *world) comesBack(a *session.Session, name, table string, v driver.Value, kind session.Type) {
	w.Helper()
	insert := fmt.Sprintf("INSERT INTO %s VALUES (?, ?)", table)
	for id := range int64(2) {
		if r := w.exec(a, insert, 10+id, v); r.RowsAffected != 1 {
			w.Errorf("%s: %d rows inserted", name, r.RowsAffected)
		}
	}
	w.exec(a, insert, int64(20), nil)
	same := fmt.Sprintf("SELECT GROUP_CONCAT(b.id ORDER BY b.id) FROM %s a JOIN %s b ON a.v <=> b.v WHERE a.id = 1", table, table)
	if got := w.one(a, same); got != "1,10,11" {
		w.Errorf("%s: the rows that equal what was read are %v", name, got)
	}
	if kind == session.TypeFloat || kind == session.TypeBit {
		return // a FLOAT compares as a DOUBLE and shows its missing digits, a BIT compares as a number
	}
	found := fmt.Sprintf("SELECT GROUP_CONCAT(id ORDER BY id) FROM %s WHERE v = ?", table)
	for i := range 2 {
		if got := w.one(a, found, v); got != "1,10,11" {
			w.Errorf("%s: WHERE v = ? by reading %d finds %v", name, i, got)
		}
	}
}

func TestArguments(t *testing.T) {
	for _, kind := range []string{"mariadb", "embedded"} {
		t.Run(kind, func(t *testing.T) {
			s := embedded
			if kind == "mariadb" {
				s = needMariadb(t)
			}
			w := on(t, s, nil)
			a := w.open()
			for i, tt := range []struct {
				sql  string
				arg  driver.Value
				want driver.Value
			}{
				{"SELECT ? + 0", int64(math.MinInt64), int64(math.MinInt64)},
				{"SELECT ? + 0", int64(math.MaxInt64), int64(math.MaxInt64)},
				{"SELECT ?", uint64(math.MaxUint64), uint64(math.MaxUint64)},
				{"SELECT ? * 2", 0.5, 1.0},
				{"SELECT ? * 1e0", 0.123456789, 0.123456789},
				{"SELECT ?", math.MaxFloat64, math.MaxFloat64},
				{"SELECT ?", -1.2345678901234567e-10, -1.2345678901234567e-10},
				{"SELECT ?", hard, hard},
				{"SELECT ?", "", ""},
				{"SELECT ?", nil, nil},
				{"SELECT HEX(?)", allBytes(), fmt.Sprintf("%X", allBytes())},
				{"SELECT HEX(?)", []byte{}, ""},
				{"SELECT ?", []byte(nil), nil},
				{"SELECT ?+1", true, int64(2)},
				{"SELECT 5-?", int64(-3), int64(8)},
				{"SELECT 5 -?", int64(-3), int64(8)},
				{"SELECT?", int64(3), int64(3)},
				{"SELECT 1 WHERE 1 IN(?)AND 1", int64(1), int64(1)},
				{"SELECT 1 AS a LIMIT?", int64(5), int64(1)},
			} {
				for use := range 3 {
					got := w.one(a, tt.sql, tt.arg)
					if n, ok := got.(int64); ok && n >= 0 && reflect.TypeOf(tt.want) == reflect.TypeFor[uint64]() {
						got = uint64(n)
					}
					if !reflect.DeepEqual(got, tt.want) {
						t.Errorf("%d: %s with %T %.40v, use %d: got %T %.60v", i, tt.sql, tt.arg, tt.arg, use, got, got)
					}
				}
			}
		})
	}
}

// What an argument is does not depend on the protocol that carries it.
func TestArgumentsKeepTheirType(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (v VARCHAR(20))")
	w.exec(a, "INSERT INTO t VALUES ('Abc\\\\d')")
	for _, tt := range []struct {
		sql  string
		arg  driver.Value
		want driver.Value
	}{
		{"SELECT COUNT(*) FROM t WHERE v = ?", "aBC\\D", int64(1)},
		{"SELECT COUNT(*) FROM t WHERE v = ? OR 0", "aBC\\d' OR 1 OR '", int64(0)},
		{"SELECT ? = 'ABC'", "abc", int64(1)},
		{"SELECT ? = 'ABC\\\\'", "abc\\", int64(1)},
		{"SELECT ? = 'ABC'", []byte("abc"), int64(0)},
		{"SELECT ?", []byte("abc"), []byte("abc")},
		{"SELECT ?", []byte("\xff\x00"), []byte("\xff\x00")},
		{"SELECT ? = 0.1 + 0.2", session.Decimal("0.3"), int64(1)},
		{"SELECT CHARSET(?)", "a", "utf8mb4"},
		{"SELECT CHARSET(?)", []byte("a"), "binary"},
		{"SELECT COLLATION(?)", "a", w.one(a, "SELECT @@collation_connection")},
		{"SELECT COLLATION(?)", "a\\b", w.one(a, "SELECT @@collation_connection")},
		{"SELECT CONCAT('ü', ?)", "ü", "üü"},
	} {
		for use := range 3 {
			if got := w.one(a, tt.sql, tt.arg); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s with %T %v, use %d: got %T %v, want %T %v", tt.sql, tt.arg, tt.arg, use, got, got, tt.want, tt.want)
			}
		}
	}
}

func TestFloatsOfTheEmbeddedEngine(t *testing.T) {
	w := on(t, embedded, nil)
	a := w.open()
	w.exec(a, "CREATE TABLE t (f FLOAT, d DOUBLE)")
	w.exec(a, "INSERT INTO t VALUES (0.125, 0.123456789), (1.1, 1e15), (3, -2.5e-7)")
	for use := range 3 {
		r := w.query(a, "SELECT f, d FROM t WHERE d > ? ORDER BY f", int64(-1))
		for i, want := range []float64{0.125, 0.123456789, 1.1, 1e15, 3, -2.5e-7} {
			if got := r.Cell(i/2, i%2); got != want {
				t.Errorf("use %d: got %v, want %v", use, got, want)
			}
		}
	}
}

func TestManyColumnsByName(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	r := w.query(a, "SELECT 1 a, 2 b, 3 a, 4 d, 5 e, 6 f, 7 g, 8 h, 9 i, 10 B")
	for name, want := range map[string]int{"a": 0, "b": 1, "B": 9, "i": 8, "A": -1, "": -1} {
		if got := r.Index(name); got != want {
			t.Errorf("%q is column %d, want %d", name, got, want)
		}
	}
	few := w.query(a, "SELECT 1 a, 2 b, 3 a")
	if few.Index("a") != 0 || few.Index("c") != -1 {
		t.Error(few.Index("a"), few.Index("c"))
	}
}
