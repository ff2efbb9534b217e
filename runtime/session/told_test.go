package session

import "testing"

// TestChangesRows: only what gives no rows by its grammar is asked for the number of rows that it changed.
func TestChangesRows(t *testing.T) {
	for sql, want := range map[string]struct{ counts, changes bool }{
		"INSERT INTO t VALUES (1)":                        {true, true},
		"/* c */ update t SET a = 1":                      {true, true},
		"INSERT INTO t VALUES (1) RETURNING id":           {false, false},
		"DELETE FROM t WHERE a = 'RETURNING'":             {true, true},
		"SELECT 1":                                        {false, false},
		"(SELECT 1) UNION (SELECT 2)":                     {false, false},
		"CALL p()":                                        {false, false},
		"OPTIMIZE TABLE t":                                {false, false},
		"CREATE TABLE b AS SELECT 1":                      {false, true},
		"WITH a AS (SELECT 1) SELECT * FROM a":            {false, false},
		"WITH a AS (SELECT 1) DELETE FROM t":              {true, true},
		"WITH a AS (SELECT 1) SELECT 1 FROM t FOR UPDATE": {false, false},
	} {
		if counts, changes := changesRows(sql, false); counts != want.counts || changes != want.changes {
			t.Errorf("%s: %t, %t", sql, counts, changes)
		}
	}
}
