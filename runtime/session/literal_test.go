package session

import (
	"database/sql/driver"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestInterpolate(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		args []driver.Value
		want string
		mode bool // NO_BACKSLASH_ESCAPES
	}{
		{"SELECT ?", []driver.Value{int64(1)}, "SELECT  1 ", false},
		{"a ? b ? c", []driver.Value{int64(1), nil}, "a  1  b  NULL  c", false},
		{"5-?", []driver.Value{int64(-3)}, "5- -3 ", false},
		{"5-?", []driver.Value{-0.5}, "5- -5e-01 ", false},
		{"5-?", []driver.Value{Decimal("-0.5")}, "5- -0.5 ", false},
		{"?", []driver.Value{uint64(math.MaxUint64)}, " 18446744073709551615 ", false},
		{"?", []driver.Value{"it's"}, " 'it''s' ", false},
		{"?", []driver.Value{"'"}, " '''' ", false},
		{"?", []driver.Value{`a\`}, " _utf8mb4 x'615c' ", false},
		{"?", []driver.Value{[]byte{0, 255}}, " _binary x'00ff' ", false},
		{"?", []driver.Value{[]byte(nil)}, " NULL ", false},
		{"?", []driver.Value{true}, " 1 ", false},
		{"?", []driver.Value{false}, " 0 ", false},
		{"?", []driver.Value{"?"}, " '?' ", false},
		{"'?' ?", []driver.Value{int64(1)}, "'?'  1 ", false},
		{"'it''s ?' ?", []driver.Value{int64(1)}, "'it''s ?'  1 ", false},
		{`'a\'?' ?`, []driver.Value{int64(1)}, `'a\'?'  1 `, false},
		{`'a\' ?`, []driver.Value{int64(1)}, `'a\'  1 `, true},
		{`"?" ?`, []driver.Value{int64(1)}, `"?"  1 `, false},
		{"`?``?` ?", []driver.Value{int64(1)}, "`?``?`  1 ", false},
		{"`a\\` ?", []driver.Value{int64(1)}, "`a\\`  1 ", false},
		{"/* ? */ ?", []driver.Value{int64(1)}, "/* ? */  1 ", false},
		{"/*+ ? */ ?", []driver.Value{int64(1)}, "/*+ ? */  1 ", false},
		{"/*! ? */ ?", []driver.Value{int64(1), int64(2)}, "/*!  1  */  2 ", false},
		{"/*!50000 ? */", []driver.Value{int64(1)}, "/*!50000  1  */", false},
		{"/*M!100000 ? */", []driver.Value{int64(1)}, "/*M!100000  1  */", false},
		{"-- ?\n?", []driver.Value{int64(1)}, "-- ?\n 1 ", false},
		{"5--?", []driver.Value{int64(1)}, "5-- 1 ", false},
		{"--\n?", []driver.Value{int64(1)}, "--\n 1 ", false},
		{"# ?\n?", []driver.Value{int64(1)}, "# ?\n 1 ", false},
		{"/* '*/ ? -- '", []driver.Value{int64(1)}, "/* '*/  1  -- '", false},
		{"ü?ü", []driver.Value{int64(1)}, "ü 1 ü", false},
	} {
		got, err := interpolate(tt.sql, tt.args, tt.mode)
		if err != nil || got != tt.want {
			t.Errorf("%s: got %q, %v; want %q", tt.sql, got, err, tt.want)
		}
	}
}

func TestInterpolateRefuses(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		args []driver.Value
		want string
	}{
		{"SELECT ?, ?", []driver.Value{int64(1)}, "the statement has 2 placeholders but 1 argument is given"},
		{"SELECT ?", []driver.Value{int64(1), int64(1)}, "the statement has 1 placeholder but 2 arguments are given"},
		{"SELECT '?'", []driver.Value{int64(1)}, "the statement has 0 placeholders but 1 argument is given"},
		{"?, ?, ?", []driver.Value{int64(1), int64(1), int64(1), int64(1)}, "the statement has 3 placeholders but 4 arguments are given"},
		{"?", []driver.Value{math.NaN()}, "argument 1: NaN has no place in SQL"},
		{"?", []driver.Value{math.Inf(-1)}, "argument 1: -Inf has no place in SQL"},
		{"?, ?", []driver.Value{int64(1), struct{}{}}, "argument 2: a Go struct {} is no SQL value"},
		{"?", []driver.Value{Decimal("1e5")}, `argument 1: "1e5" is no decimal number`},
		{"?", []driver.Value{Decimal("1.2.3")}, `argument 1: "1.2.3" is no decimal number`},
		{"?", []driver.Value{Decimal("-")}, `argument 1: "-" is no decimal number`},
		{"?", []driver.Value{Decimal("")}, `argument 1: "" is no decimal number`},
		{"?", []driver.Value{Decimal("1 OR 1")}, `argument 1: "1 OR 1" is no decimal number`},
	} {
		if got, err := interpolate(tt.sql, tt.args, false); err == nil || err.Error() != tt.want {
			t.Errorf("%s: got %q, error %v, want %s", tt.sql, got, err, tt.want)
		}
	}
}

func TestStatements(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		want []string
	}{
		{"", nil},
		{" ; ;; ", nil},
		{"SELECT 1", []string{"SELECT 1"}},
		{"SELECT 1; ", []string{"SELECT 1"}},
		{"SELECT ';'; SELECT 2 -- ;\n; /* ; */ (SELECT 3)", []string{"SELECT ';'", "SELECT 2 -- ;", "/* ; */ (SELECT 3)"}},
		{"SELECT `;`;SELECT \";\"", []string{"SELECT `;`", "SELECT \";\""}},
		{"-- only a comment\n; DO 1", []string{"DO 1"}},
		{
			"CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END", []string{"CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END"},
		},
		{"BEGIN; INSERT INTO t VALUES (1); COMMIT", []string{"BEGIN", "INSERT INTO t VALUES (1)", "COMMIT"}},
		{"CREATE TABLE t (i INT); BEGIN; DO 1; END", []string{"CREATE TABLE t (i INT)", "BEGIN", "DO 1", "END"}},
	} {
		if got := statements(tt.sql, false); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q, want %q", tt.sql, got, tt.want)
		}
	}
}

func TestClassify(t *testing.T) {
	for _, tt := range []struct {
		sql  string
		want class
	}{
		{"SELECT 1", class{reads: true}},
		{" /* c */ ( select 1)", class{reads: true}},
		{"-- c\nSELECT get_lock('a', 0)", class{reads: true, locks: true, state: true}},
		{"WITH a AS (SELECT 1) SELECT * FROM a", class{reads: true}},
		{"WITH a AS (SELECT 1) UPDATE t SET i = 1", class{}},
		{"INSERT INTO t VALUES (1)", class{writes: true}},
		{"INSERT INTO t VALUES (1) RETURNING id", class{}},
		{"LOAD DATA LOCAL INFILE 'x' INTO TABLE t", class{writes: true}},
		{"BEGIN", class{reads: true, begins: true}},
		{"BEGIN WORK", class{reads: true, begins: true}},
		{"BEGIN NOT ATOMIC DO 1; END", class{opaque: true, state: true}},
		{"START TRANSACTION READ ONLY", class{reads: true, begins: true}},
		{"START SLAVE", class{commits: true}},
		{"COMMIT", class{ends: true}},
		{"commit and chain", class{ends: true, chains: true}},
		{"ROLLBACK", class{reads: true, ends: true}},
		{"ROLLBACK AND CHAIN", class{reads: true, ends: true, chains: true}},
		{"COMMIT AND NO CHAIN", class{ends: true}},
		{"ROLLBACK TO SAVEPOINT a", class{reads: true}},
		{"ROLLBACK WORK TO a", class{reads: true}},
		{"SAVEPOINT a", class{reads: true}},
		{"RELEASE SAVEPOINT a", class{reads: true}},
		{"SET autocommit = 0", class{reads: true, autocommit: -1, state: true}},
		{"SET SESSION autocommit=ON, sql_mode = ''", class{reads: true, autocommit: 1, setsMode: true, state: true}},
		{"SET @@session.sql_mode = ''", class{reads: true, setsMode: true, state: true}},
		{"SET STATEMENT max_statement_time = 1 FOR INSERT INTO t VALUES (1)", class{state: true}},
		{"SET STATEMENT max_statement_time = 1 FOR SELECT 1", class{state: true}},
		{"SET TRANSACTION READ ONLY", class{reads: true, nextTx: true}},
		{"SELECT @a := 1", class{reads: true, state: true}},
		{"SELECT 1 INTO @a", class{reads: true, state: true}},
		{"/*! SET @a = 1 */", class{reads: true, state: true}},
		{"LOAD DATA LOCAL INFILE 'x' INTO TABLE t (@a)", class{writes: true, state: true}},
		{"FLUSH TABLES WITH READ LOCK", class{commits: true, state: true}},
		{"PREPARE q FROM 'SELECT 1'", class{state: true}},
		{"USE x", class{reads: true, uses: true, state: true}},
		{"CREATE TABLE t (i INT)", class{commits: true}},
		{"CREATE TEMPORARY TABLE t (i INT)", class{state: true}},
		{"CREATE OR REPLACE TEMPORARY TABLE t (i INT)", class{state: true}},
		{"CREATE OR REPLACE VIEW t AS SELECT 1", class{commits: true}},
		{"DROP TEMPORARY TABLE t", class{state: true}},
		{"TRUNCATE t", class{commits: true}},
		{"ANALYZE TABLE t", class{commits: true}},
		{"ANALYZE FORMAT=JSON SELECT 1", class{reads: true}},
		{"ANALYZE UPDATE t SET i = 1", class{}},
		{"LOCK TABLES t WRITE", class{commits: true, tables: true, state: true}},
		{"UNLOCK TABLES", class{reads: true, unlocks: true}},
		{"CALL p()", class{opaque: true, state: true}},
		{"", class{state: true}},
	} {
		if got := classify(tt.sql); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.sql, got, tt.want)
		}
	}
}

func TestQuoteNames(t *testing.T) {
	for name, want := range map[string]string{"a": "`a`", "a`b": "`a``b`", "d.t": "`d`.`t`", "`a.b`": "`a.b`", "a b": "`a b`"} {
		if got := quoteTable(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestIsolationNames(t *testing.T) {
	for name, want := range map[string]string{
		"serializable": "SERIALIZABLE", " read-committed ": "READ COMMITTED", "REPEATABLE_READ": "REPEATABLE READ", "Read Uncommitted": "READ UNCOMMITTED",
	} {
		if got, err := Isolation(name); err != nil || got != want {
			t.Errorf("%s: got %s, %v", name, got, err)
		}
	}
	if _, err := Isolation("serialisable"); err == nil || !strings.Contains(err.Error(), "serialisable") {
		t.Error(err)
	}
}

func FuzzLexer(f *testing.F) {
	for _, s := range []string{"", "?", "'?", "'\\", "/*", "/*!", "/*M!", "--", "#", "`", "\"\\", "*/", "CREATE BEGIN", "a;b", "--\x00?"} {
		f.Add(s, false)
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, sql string, mode bool) {
		l := lexer{sql: sql, noBackslash: mode}
		last := 0
		for {
			tok, start, end := l.next()
			if start < last || end < start || end > len(sql) || tok != tokEnd && start == end {
				t.Fatalf("token %d of %q from %d to %d after %d", tok, sql, start, end, last)
			}
			if last = end; tok == tokEnd {
				break
			}
		}
		n := placeholders(sql, mode)
		if got, err := interpolate(sql, make([]driver.Value, n), mode); err != nil || placeholders(got, mode) != 0 && n > 0 {
			t.Fatalf("%q: %q, %v", sql, got, err)
		}
		for _, s := range statements(sql, mode) {
			classify(s)
			ddl(s)
		}
	})
}

func TestPlaceholders(t *testing.T) {
	for _, x := range []struct {
		sql  string
		n    int
		sure bool
	}{
		{"SELECT 1", 0, true},
		{"SELECT ?, '?', \"?\", `?` FROM t WHERE a = ?", 2, true},
		{"SELECT ? -- ?\n, ? # ?\n/* ? */ --?", 3, true},
		{"SELECT /*! ?, */ /*M!100000 ?, */ ?", 3, true},
		{`SELECT '\'?', ?`, 1, true},
		{`SELECT '\', ?`, 0, false},
		{"SELECT 'it''s ?', ?; SELECT ?", 2, true},
	} {
		if n, sure := Placeholders(x.sql); n != x.n || sure != x.sure {
			t.Errorf("%q: %d, %v; want %d, %v", x.sql, n, sure, x.n, x.sure)
		}
	}
}
