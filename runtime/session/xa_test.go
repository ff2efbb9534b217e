package session_test

import (
	"strings"
	"testing"
)

// What a session tells of a distributed transaction, from its start to its end.
func TestXA(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	w.exec(a, "CREATE TABLE t (i INT)")
	for _, x := range []struct{ sql, xa, held string }{
		{"XA START 'g', 'b', 1", "XA transaction 'g', 'b', 1 (active)", "open XA transaction"},
		{"INSERT INTO t VALUES (1)", "XA transaction 'g', 'b', 1 (active)", "open XA transaction"},
		{"xa end 'g', 'b', 1", "XA transaction 'g', 'b', 1 (ended)", "open XA transaction"},
		{"XA PREPARE 'g', 'b', 1;", "XA transaction 'g', 'b', 1 (prepared)", ""},
		{"XA COMMIT 'g', 'b', 1", "", ""},
		{"/* c */ XA BEGIN X'41'", "XA transaction X'41' (active)", "open XA transaction"},
		{"XA END X'41'", "XA transaction X'41' (ended)", "open XA transaction"},
		{"XA COMMIT X'41' ONE PHASE", "", ""},
	} {
		w.exec(a, x.sql)
		if tx, open := a.Tracked(); tx.XA != x.xa || open != (x.xa != "") {
			t.Errorf("after %s it tracks %+v, %t; want %q", x.sql, tx, open, x.xa)
		}
		held := a.Held()
		if x.held == "" && held != nil || x.held != "" && (len(held) != 1 || !strings.Contains(held[0].Detail, x.held)) {
			t.Errorf("after %s it holds %+v, want %q", x.sql, held, x.held)
		}
		if _, ok := a.Prepared(); ok != strings.Contains(x.xa, "prepared") {
			t.Errorf("after %s prepared is %t", x.sql, ok)
		}
	}
	w.exec(a, "XA START 'k'")
	w.exec(a, "INSERT INTO t VALUES (2)")
	w.exec(a, "XA END 'k'")
	w.exec(a, "XA ROLLBACK 'k'")
	if held := a.Held(); held != nil {
		t.Errorf("after XA ROLLBACK it holds %v", held)
	}
	if n := w.one(a, "SELECT COUNT(*) FROM t"); n != int64(1) {
		t.Errorf("%v rows", n)
	}
}
