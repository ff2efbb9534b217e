package mock

import (
	"database/sql/driver"
	"strings"
	"testing"
)

// TestNegativeNumbers: a rule that has the number in its text fits both protocols too.
func TestNegativeNumbers(t *testing.T) {
	srv, s := serve(t,
		Rule{How: Exact, Query: "SELECT a FROM t WHERE i = -5 AND f > -1.5", Times: 3, Answers: rows("a", []Value{{Int, "1"}})},
	)
	for range 3 {
		query(t, s, "SELECT a FROM t WHERE i = ? AND f > ?", int64(-5), -1.5)
	}
	asked := srv.Asked()
	if asked[0].SQL != asked[2].SQL || asked[2].SQL != "SELECT a FROM t WHERE i = -5 AND f > -1.5e+00" {
		t.Errorf("asked %q and %q", asked[0].SQL, asked[2].SQL)
	}
	if bad := srv.Verify(true); len(bad) > 0 {
		t.Error(bad)
	}
}

// TestUnmatchedPrepared: what stands in place of a ? is named in the error of a prepared statement too.
func TestUnmatchedPrepared(t *testing.T) {
	_, s := serve(t, Rule{How: Exact, Query: "SELECT a FROM t WHERE i = 5", Times: Any})
	for range 3 {
		_, err := s.Query(call, "SELECT a FROM t WHERE i = ?", []driver.Value{"x"})
		if err == nil || !strings.Contains(err.Error(), `wants "5" where "'x'" stands`) {
			t.Error(err)
		}
	}
}

// TestUnsignedColumns: a column of BIGINT UNSIGNED has small numbers too.
func TestUnsignedColumns(t *testing.T) {
	const most = "18446744073709551615"
	_, s := serve(t, Rule{How: Exact, Query: "SELECT n FROM t WHERE a = ?", Times: Any, Answers: rows("n", []Value{{Int, "1"}}, []Value{{Uint, most}}, []Value{{Int, "2"}})})
	for range 3 {
		r := query(t, s, "SELECT n FROM t WHERE a = ?", int64(1))
		if r.Cell(0, 0) != uint64(1) || r.Cell(1, 0) != uint64(1<<64-1) || r.Cell(2, 0) != uint64(2) {
			t.Errorf("%v %v %v", r.Cell(0, 0), r.Cell(1, 0), r.Cell(2, 0))
		}
	}
	for _, values := range [][][]Value{{{{Int, "-1"}}, {{Uint, most}}}, {{{Uint, most}}, {{Int, "-1"}}}} {
		_, err := New([]Rule{{How: Exact, Query: "x", Answers: rows("n", values...)}})
		if err == nil || !strings.Contains(err.Error(), "rows: column n has the negative -1 beside "+most+", which no integer column holds") {
			t.Error(err)
		}
	}
	for _, other := range []Value{{Decimal, "1.5"}, {Float, "1.5"}} {
		if _, err := New([]Rule{{How: Exact, Query: "x", Answers: rows("n", []Value{{Uint, most}}, []Value{other}, []Value{{Int, "-1"}})}}); err != nil {
			t.Error(err)
		}
	}
}

// TestRemembersWithinBounds: many large statements are not kept.
func TestRemembersWithinBounds(t *testing.T) {
	srv, s := serve(t, Rule{How: Prefix, Query: "INSERT", Times: Any})
	large := "INSERT INTO t VALUES ('" + strings.Repeat("x", 9<<20) + "')"
	for range 10 {
		if _, err := s.Exec(call, large, nil); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(srv.Asked()); n < 6 || n > 8 {
		t.Errorf("%d statements of 9 MiB are kept, want those that fit 64 MiB", n)
	}
	if srv.Uses()[0] != 10 {
		t.Error("not all were counted")
	}
}

// TestStmtReset: COM_STMT_RESET forgets what was sent ahead of an execution.
func TestStmtReset(t *testing.T) {
	c := &conn{stmts: map[uint32]*stmt{1: {params: 1, long: map[uint16][]byte{0: []byte("x")}}}}
	c.resetStmt([]byte{1, 0, 0, 0})
	if len(c.stmts[1].long) != 0 {
		t.Error("it is still there")
	}
	c.resetStmt([]byte{9, 0, 0, 0}) // none of ours
	c.resetStmt(nil)
}
