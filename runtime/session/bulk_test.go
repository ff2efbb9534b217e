package session_test

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"rig/runtime/fault"
	"rig/runtime/server"
	"rig/runtime/session"
)

// rowsOf gives rows one by one.
func rowsOf(rows [][]driver.Value) func(int) ([]driver.Value, error) {
	return func(i int) ([]driver.Value, error) {
		if i >= len(rows) {
			return nil, nil
		}
		return rows[i], nil
	}
}

func counting(n int) func(int) ([]driver.Value, error) {
	return func(i int) ([]driver.Value, error) {
		if i == n {
			return nil, nil
		}
		return []driver.Value{int64(i), fmt.Sprint("row ", i)}, nil
	}
}

var bulkRows = [][]driver.Value{
	{int64(1), nil, nil, nil},
	{int64(2), hard, allBytes(), -1.5},
	{int64(3), "", []byte{}, 0.0},
	{int64(4), `\N`, []byte(`\N`), math.MaxFloat64},
	{int64(5), "\t\n\\\r\n", []byte("\t\n\\\x00\r\n\x1a"), 1e-300},
	{int64(6), "NULL", []byte("NULL"), 3.0},
}

// Both ways of writing many rows write the same.
func TestBulk(t *testing.T) {
	for _, mode := range []string{"", "NO_BACKSLASH_ESCAPES", "ANSI_QUOTES"} {
		for _, way := range []string{"insert", "load"} {
			t.Run(way+mode, func(t *testing.T) {
				w := onMariadb(t)
				a := w.open()
				w.exec(a, "SET sql_mode = '"+mode+"'")
				w.exec(a, "CREATE TABLE `t``x` (d DOUBLE, id INT PRIMARY KEY, s TEXT, `b c` BLOB)")
				columns := []string{"id", "s", "b c", "d"}
				var r session.Result
				var err error
				if way == "insert" {
					r, err = a.Insert(at(2), session.InsertSpec{Table: "t`x", Columns: columns, Next: rowsOf(bulkRows)})
				} else {
					r, err = a.LoadData(at(2), session.LoadSpec{Table: "t`x", Columns: columns, Next: rowsOf(bulkRows)})
				}
				if err != nil || r.RowsAffected != int64(len(bulkRows)) {
					t.Fatal(r.RowsAffected, err)
				}
				got := w.query(a, "SELECT id, s, `b c`, d FROM `t``x` ORDER BY id")
				for i, want := range bulkRows {
					for k, v := range want {
						if c := got.Cell(i, k); !reflect.DeepEqual(c, v) {
							t.Errorf("row %d column %d: got %T %v, want %T %v", i, k, c, c, v, v)
						}
					}
				}
			})
		}
	}
}

func TestInsertInBatches(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s LONGTEXT)")
	statements := a.Statements()
	r, err := a.Insert(at(2), session.InsertSpec{Table: "t", Next: counting(25), Batch: 10})
	if err != nil || r.RowsAffected != 25 || a.Statements()-statements != 3 {
		t.Errorf("%d rows by %d statements: %v", r.RowsAffected, a.Statements()-statements, err)
	}
	if n := w.one(a, "SELECT COUNT(*) FROM t WHERE s = CONCAT('row ', id)"); n != int64(25) {
		t.Error(n)
	}
	_, err = a.Insert(at(2), session.InsertSpec{Table: "t", Columns: []string{"id"}, Next: counting(1)})
	fails(t, err, fault.BadArgument, "row 0", "2 values", "want 1")
	_, err = a.Insert(at(2), session.InsertSpec{Table: "t", Next: rowsOf([][]driver.Value{{int64(50), "a"}, {int64(51), math.NaN()}})})
	fails(t, err, fault.BadArgument, "row 1", "NaN")
	_, err = a.Insert(at(2), session.InsertSpec{Table: "t", Next: counting(3)})
	fails(t, err, fault.DuplicateKey)
	broken := errors.New("the source broke")
	_, err = a.Insert(at(2), session.InsertSpec{Table: "t", Next: func(int) ([]driver.Value, error) { return nil, broken }})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
	if r, err := a.Insert(at(2), session.InsertSpec{Table: "t", Next: rowsOf(nil)}); err != nil || r.RowsAffected != 0 {
		t.Error(r, err)
	}
}

func TestInsertFitsThePacket(t *testing.T) {
	s := needMariadb(t)
	w := onMariadb(t)
	maker := w.open()
	w.exec(maker, "SET GLOBAL max_allowed_packet = 65536")
	defer w.exec(maker, "SET GLOBAL max_allowed_packet = 16777216")
	v := on(t, s, nil)
	a := v.open()
	v.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s LONGTEXT)")
	row := func(i int) ([]driver.Value, error) {
		if i == 30 {
			return nil, nil
		}
		return []driver.Value{int64(i), strings.Repeat("x'", 5000)}, nil
	}
	r, err := a.Insert(at(2), session.InsertSpec{Table: "t", Next: row})
	if err != nil || r.RowsAffected != 30 {
		t.Errorf("%d rows, %v", r.RowsAffected, err)
	}
	if n := v.one(a, "SELECT COUNT(*) FROM t WHERE s = REPEAT('x''', 5000)"); n != int64(30) {
		t.Error(n)
	}
	_, err = a.Exec(at(3), "INSERT INTO t VALUES (100, ?)", []driver.Value{strings.Repeat("x", 70000)})
	if f := fails(t, err, fault.PacketTooLarge); f.ReplyLost || !strings.Contains(f.Hint, "max_allowed_packet") {
		t.Errorf("%+v", f)
	}
	if a.Closed() {
		t.Error("a statement that was not sent has cost the session")
	} else {
		v.exec(a, "DO 1")
	}
}

func TestLoadData(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s TEXT)")
	load := func(l session.LoadSpec) (session.Result, error) {
		l.Table = w.cfg.Database + ".t"
		return a.LoadData(at(2), l)
	}
	r, err := load(session.LoadSpec{Reader: strings.NewReader("id,s\n1,\"a,\"\"b\"\"\n2\"\n2,plain\\n\n3,\"\"\n"), Format: "csv", Header: true})
	if err != nil || r.RowsAffected != 3 {
		t.Fatal(r.RowsAffected, err)
	}
	got := w.query(a, "SELECT s FROM t ORDER BY id")
	for i, want := range []string{"a,\"b\"\n2", `plain\n`, ""} {
		if got.Cell(i, 0) != want {
			t.Errorf("csv row %d: %q, want %q", i, got.Cell(i, 0), want)
		}
	}
	r, err = load(session.LoadSpec{Reader: strings.NewReader("x\t10\n\\N\t11\n"), Format: "tsv", Columns: []string{"s", "id"}})
	if err != nil || r.RowsAffected != 2 || w.one(a, "SELECT s FROM t WHERE id = 11") != nil {
		t.Error(r.RowsAffected, err)
	}
	r, err = load(session.LoadSpec{Next: func(i int) ([]driver.Value, error) {
		if i == 20000 {
			return nil, nil
		}
		return []driver.Value{int64(1000 + i), strings.Repeat("y", 50)}, nil
	}})
	if err != nil || r.RowsAffected != 20000 {
		t.Error(r.RowsAffected, err)
	}
	broken := errors.New("the source broke")
	for _, after := range []int{0, 5, 5000} {
		_, err = load(session.LoadSpec{Next: func(i int) ([]driver.Value, error) {
			if i == after {
				return nil, broken
			}
			return []driver.Value{int64(100000 + i), "z"}, nil
		}})
		if !errors.Is(err, broken) || a.Closed() {
			t.Errorf("after %d rows: %v, closed %v", after, err, a.Closed())
		}
		w.exec(a, "DELETE FROM t WHERE s = 'z'")
	}
	_, err = load(session.LoadSpec{Next: rowsOf([][]driver.Value{{int64(9), math.Inf(1)}})})
	if err == nil || !strings.Contains(err.Error(), "row 0") {
		t.Error(err)
	}
	_, err = a.LoadData(at(3), session.LoadSpec{Table: "nowhere", Next: counting(100000)})
	fails(t, err, fault.UnknownTable, "nowhere")
	if n := w.one(a, "SELECT 1"); n != int64(1) {
		t.Error(n)
	}
}

func TestLoadDataRefused(t *testing.T) {
	w := on(t, needMariadb(t), nil)
	maker := w.open()
	w.exec(maker, "SET GLOBAL local_infile = 0")
	defer w.exec(maker, "SET GLOBAL local_infile = 1")
	a := w.open()
	w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s TEXT)")
	_, err := a.LoadData(at(2), session.LoadSpec{Table: "t", Next: counting(10)})
	var f *fault.Error
	if !errors.As(err, &f) || !strings.Contains(f.Hint, "local_infile") {
		t.Errorf("%v", err)
	}
	w.exec(a, "DO 1")
}

// The server may ask for any file; none is given that rig did not offer.
func TestLoadDataGivesNoFiles(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (s TEXT)")
	for _, file := range []string{"/etc/hostname", "Reader::none"} {
		_, err := a.Exec(at(2), "LOAD DATA LOCAL INFILE '"+file+"' INTO TABLE t", nil)
		if err == nil {
			t.Errorf("%s was given to the server", file)
		}
		w.exec(a, "DO 1")
	}
}

func TestEmbeddedEngine(t *testing.T) {
	w := on(t, embedded, func(c *session.Config) { c.MaxRows = 10 })
	a, b := w.open(), w.open()
	w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s TEXT)")
	r, err := a.Insert(at(2), session.InsertSpec{Table: "t", Next: counting(25)})
	if err != nil || r.RowsAffected != 25 {
		t.Fatal(r.RowsAffected, err)
	}
	for range 3 {
		if got := w.query(a, "SELECT id, s FROM t WHERE id = ?", int64(7)); got.Len() != 1 || got.Cell(0, 0) != int64(7) || got.Cell(0, 1) != "row 7" {
			t.Errorf("%d rows", got.Len())
		}
	}
	_, err = a.Query(at(3), "SELECT * FROM t", nil)
	fails(t, err, fault.LimitExceeded, "10 rows")
	_, err = a.Exec(at(3), "INSERT INTO t VALUES (1, 'x')", nil)
	fails(t, err, fault.DuplicateKey)
	c := at(4)
	c.Timeout = 200e6
	_, err = a.Query(c, "SELECT SLEEP(30)", nil)
	fails(t, err, fault.StatementTimeout)
	if a.Closed() {
		t.Error("the time-out has cost the session")
	} else if got := w.query(a, "SELECT id FROM t WHERE id < 3"); got.Len() != 3 {
		t.Error(got.Len())
	}
	if err := b.Kill("the test wants it"); err != nil {
		t.Error(err)
	}
	if b.Version() == "" || embedded.Type() != server.Embedded {
		t.Error(b.Version(), embedded.Type())
	}
}

// What a load refuses, and what it only says in strict mode.
func TestLoadDataStrict(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(3), hidden INT INVISIBLE)")
	csv := func(text string) session.LoadSpec {
		return session.LoadSpec{Table: "t", Reader: strings.NewReader(text), Format: "csv", Header: true, Strict: true}
	}
	for _, x := range []struct {
		name  string
		load  session.LoadSpec
		kind  fault.Kind
		words []string
		rows  int64 // loaded all the same
	}{
		{"too few", csv("id,s\n1,a\n2,\"b\n,\"\n3\n4,d\n"), fault.BadArgument, []string{"row 3 has 1 value, want 2 (line 5 of the file)"}, 0},
		{"too many", csv("id,s\n1,a\n2,b,c"), fault.BadArgument, []string{"row 2 has 3 values, want 2 (line 3 of the file)"}, 0},
		{"tsv", session.LoadSpec{Table: "t", Reader: strings.NewReader("1\ta\\\tb\n2\n"), Format: "tsv", Strict: true}, fault.BadArgument, []string{"row 2 has 1 value, want 2 (line 2"}, 0},
		{"named columns", session.LoadSpec{Table: "t", Columns: []string{"id"}, Reader: strings.NewReader("1,2\n"), Format: "csv", Strict: true}, fault.BadArgument, []string{"row 1 has 2 values, want 1"}, 0},
		{"a function's row", session.LoadSpec{Table: "t", Next: rowsOf([][]driver.Value{{int64(1), "a"}, {int64(2)}})}, fault.BadArgument, []string{"conn.query: row 1 has 1 value, want 2"}, 0},
		{"no number", csv("id,s\n1,a\nx,b\n"), fault.Truncated, []string{"'x'", "row 2"}, 2},
		{"too large", csv("id,s\n99999999999,a\n"), fault.OutOfRange, []string{"Out of range", "row 1"}, 1},
		{"too long", csv("id,s\n1,abcd\n"), fault.Truncated, []string{"'s'", "row 1"}, 1},
		{"a header of other columns", csv("id,name\n1,a\n"), fault.BadArgument, []string{`the header names "name", which is no column of t: it has id, s`}, 0},
		{"line ends mixed", csv("id,s\r\n1,a\r\n2,b\n"), fault.BadArgument, []string{"row 2 ends with LF, the lines before it with CR LF (line 3 of the file)"}, 0},
		{"a key twice", csv("id,s\n1,a\n1,b\n"), fault.DuplicateKey, []string{"Duplicate entry '1'"}, 1},
	} {
		t.Run(x.name, func(t *testing.T) {
			w.exec(a, "DELETE FROM t")
			_, err := a.LoadData(at(2), x.load)
			fails(t, err, x.kind, x.words...)
			if n := w.one(a, "SELECT COUNT(*) FROM t"); n != x.rows {
				t.Errorf("%v rows, want %d", n, x.rows)
			}
		})
	}
	w.exec(a, "DELETE FROM t")
	lax := csv("id,s\n1,abcd\n2\n")
	lax.Strict = false
	if r, err := a.LoadData(at(3), lax); err != nil || r.RowsAffected != 2 {
		t.Error(r.RowsAffected, err)
	}
	if r, err := a.LoadData(at(4), csv("id,s\n4,\"a,\"\"\"\n3,\n")); err != nil || r.RowsAffected != 2 {
		t.Error(r.RowsAffected, err)
	}
}

// What editors and other systems do to a text changes no value.
func TestLoadDataText(t *testing.T) {
	for name, target := range map[string]*server.Server{"mariadb": needMariadb(t), "embedded": embedded} {
		t.Run(name, func(t *testing.T) {
			w := on(t, target, nil)
			a := w.open()
			w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s VARCHAR(9), n INT)")
			load := func(text, format string, header bool, columns ...string) {
				t.Helper()
				w.exec(a, "DELETE FROM t")
				r, err := a.LoadData(at(2), session.LoadSpec{Table: "t", Reader: strings.NewReader(text), Format: format, Header: header, Columns: columns, Strict: true})
				if err != nil || r.RowsAffected != 2 {
					t.Errorf("%q: %d rows, %v", text, r.RowsAffected, err)
				}
				if got := w.one(a, "SELECT GROUP_CONCAT(CONCAT_WS('|', id, HEX(s), n) ORDER BY id) FROM t"); got != "1|61|7,2|62|8" {
					t.Errorf("%q: %v", text, got)
				}
			}
			load("1,a,7\n2,b,8\n", "csv", false)
			load("1,a,7\r\n2,b,8\r\n", "csv", false)
			load("n,id,s\r\n7,1,a\r\n8,2,b", "csv", true)
			load("\xef\xbb\xbfs,ID,n\na,1,7\nb,2,8\n", "csv", true)
			load("\xef\xbb\xbf1\ta\t7\r\n2\tb\t8\r\n", "tsv", false)
			load("n\tid\ts\n7\t1\ta\n8\t2\tb\n", "tsv", true)
			load("anything,at,all\n7,a,1\n8,b,2\n", "csv", true, "n", "s", "id")
			if name == "mariadb" { // the embedded engine leaves quotes where they are
				load("1,\"a\",7\r\n2,\"b\",8\r\n", "csv", false)
				load("1,a,\"7\"\r\n2,b,\"8\"\r\n", "csv", false)
			}
		})
	}
}

// The embedded engine says by notes what it lost.
func TestLoadDataEmbeddedStrict(t *testing.T) {
	w := on(t, embedded, nil)
	a := w.open()
	w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, n INT)")
	for _, x := range []struct {
		rows [][]driver.Value
		kind fault.Kind
	}{
		{[][]driver.Value{{int64(1), int64(1)}, {int64(1), int64(2)}}, fault.DuplicateKey},
		{[][]driver.Value{{int64(5), "abc"}}, fault.Truncated},
	} {
		_, err := a.LoadData(at(2), session.LoadSpec{Table: "t", Next: rowsOf(x.rows), Strict: true})
		fails(t, err, x.kind)
	}
}

// The rows' function runs on the caller's goroutine, beside the statement, and may not use the session.
func TestLoadDataFeeds(t *testing.T) {
	w := on(t, needMariadb(t), func(c *session.Config) { c.StatementTimeout = 500e6 })
	a := w.open()
	w.exec(a, "CREATE TABLE t (id INT PRIMARY KEY, s TEXT)")
	slow := func(i int) ([]driver.Value, error) {
		if i == 8 {
			return nil, nil
		}
		time.Sleep(100e6) // longer in all than the bound of a statement that makes no progress
		return []driver.Value{int64(i), "x"}, nil
	}
	if r, err := a.LoadData(at(2), session.LoadSpec{Table: "t", Next: slow, Strict: true}); err != nil || r.RowsAffected != 8 {
		t.Error(r.RowsAffected, err)
	}
	_, err := a.LoadData(at(3), session.LoadSpec{Table: "t", Next: func(i int) ([]driver.Value, error) {
		_, err := a.Exec(at(4), "DO 1", nil)
		return nil, err
	}})
	fails(t, err, fault.SessionBusy, "LOAD DATA")
	func() {
		defer func() {
			if p := recover(); p != "boom" {
				t.Errorf("recovered %v", p)
			}
		}()
		_, _ = a.LoadData(at(5), session.LoadSpec{Table: "t", Next: func(int) ([]driver.Value, error) { panic("boom") }})
	}()
	p, err := a.Start(at(6), "DO SLEEP(0.3)", nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = a.LoadData(at(7), session.LoadSpec{Table: "t", Columns: []string{"id", "s"}, Next: counting(1_000_000)})
	fails(t, err, fault.SessionBusy, "SLEEP")
	p.Wait(0)
	w.exec(a, "DO 1")
}
