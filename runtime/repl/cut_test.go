package repl

import (
	"slices"
	"strings"
	"testing"
)

func noName(string) bool { return false }

// cutAll takes the inputs of a text line by line, as they come from a file.
func cutAll(c cutter, text string) []string {
	var out []string
	have := ""
	drain := func(then after) {
		for {
			input, rest, ok := c.take(have, then)
			if !ok {
				return
			}
			out, have = append(out, input), rest
			if m := delimiting.FindStringSubmatch(input); m != nil {
				c.delimiter = m[1]
			}
		}
	}
	for line := range strings.Lines(text) {
		have += strings.TrimRight(line, "\n") + "\n"
		drain(pending)
	}
	drain(ended)
	return out
}

// TestCutFile: what stands between the bars is one input, and it is found though the lines come one by one.
func TestCutFile(t *testing.T) {
	for _, text := range []string{
		"DELETE FROM account\nWHERE id = 1;|SELECT 1;",
		"DELETE FROM account\n\nWHERE id = 1;",
		"DELETE FROM account -- all\n  WHERE id = 1",
		"SELECT id,\nbalance FROM account;|x = 1",
		"SELECT 1 AS a\nUNION SELECT 2;",
		"SELECT * FROM account|:sessions|SELECT 2|b.begin()|p = b.start(\"SELECT 1\")|COMMIT",
		"UPDATE account SET balance = 5 WHERE id > 5|def total(rows):\n    n = 0\n\n    return n|total([])",
		"UPDATE account\nSET balance = 3\nWHERE id = 1|SET autocommit = ON|SET autocommit = OFF|x = 2",
		"INSERT INTO t\nVALUES\n(1, 2),\n(3, 4)\nON DUPLICATE KEY UPDATE a = 1|SELECT 1",
		"INSERT INTO t (a)\nSELECT a\nFROM b\nWHERE a IN\n(1, 2)\nLIMIT 1|limit = 3|limit",
		"SELECT a FROM b\nORDER BY a\nFOR UPDATE|for i in range(2):\n    print(i)|print(2)",
		"CREATE TABLE t\n(\n  a INT\n)\nENGINE=InnoDB|SHOW TABLES",
		"CREATE PROCEDURE p()\nBEGIN\n SELECT 1;\n\nSELECT 2;\nEND;|CALL p();|BEGIN|SELECT 1",
		"CREATE PROCEDURE p() BEGIN SELECT 1; SELECT 2; END|CALL p()",
		"DELIMITER //|CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW\nIF NEW.a > 1 THEN\nSET NEW.a = 1;\nEND IF//|SELECT 1\n//|DELIMITER ;|SELECT 2",
		"SELECT 'a;\nb' AS x; SELECT (\n2) AS y;|1 + 1",
		"SELECT 1; -- trailing|x = 2|-- hello|/* over\nlines */ SELECT 3;|3",
		"(SELECT 1)\nUNION (SELECT 2)|(1, 2)|[1,\n2]",
		"def f():\n    a = 1\n\n\n    return a|f()|if f():\n    1\nelse:\n    2|x = \"\"\"a\n\nb\"\"\"|x",
		"DELETE FROM a WHERE b = 1 RETURNING *|SELECT *\nFROM a /* why */|/* c */ SELECT 2",
		"SELECT 1|SELECT 2;|EXECUTE IMMEDIATE 'x'|/* c */ SELECT 2;|UPDATE a SET b = 1 WHERE c|x = 1|SELECT 3;",
		"FLUSH TABLES;|PURGE BINARY LOGS\nBEFORE '2026-01-01';|1 + 2",
		"# a comment|x = 1|# another",
		"WITH a AS (SELECT 1)\nDELETE FROM t\nWHERE 1 = 1|SELECT 2",
	} {
		want := strings.Split(text, "|")
		if got := cutAll(cutter{delimiter: ";", known: noName}, strings.Join(want, "\n")); !slices.Equal(got, want) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "|"), text)
		}
	}
}

// TestDone: Enter runs what a person has typed by hand, and nothing that a line limits which is not there yet. Where more has arrived,
// only what cannot go on runs.
func TestDone(t *testing.T) {
	l := New(Options{})
	l.cut.known = noName
	for text, want := range map[string]struct{ typed, pasted bool }{
		"SELECT * FROM account":                                  {true, false},
		"SELECT * FROM account;":                                 {true, true},
		`SELECT * FROM account\G`:                                {true, true},
		"DELETE FROM account":                                    {false, false},
		"DELETE FROM account\n\nSELECT 1":                        {false, false},
		"DELETE FROM account;":                                   {true, true},
		"DELETE FROM account WHERE id = 1":                       {true, false},
		"UPDATE account SET balance = (SELECT 1 FROM b WHERE 1)": {false, false},
		"UPDATE account SET balance = 2":                         {false, false},
		"UPDATE account SET balance = 2\nWHERE id = 1":           {true, false},
		"WITH a AS (SELECT 1) DELETE FROM t":                     {false, false},
		"SELECT id,":                                             {false, false},
		"SELECT 1 UNION ALL":                                     {false, false},
		"SET autocommit = ON":                                    {true, false},
		"SELECT 1 FROM t FOR UPDATE":                             {true, false},
		"INSERT INTO t SELECT 1 ON DUPLICATE KEY UPDATE a = 1":   {true, false},
		"CREATE PROCEDURE p()":                                   {false, false},
		"CREATE PROCEDURE p() BEGIN SELECT 1;":                   {false, false},
		"CREATE PROCEDURE p() BEGIN SELECT 1; END":               {true, false},
		"CREATE PROCEDURE p() BEGIN SELECT 1; END;":              {true, true},
		"CREATE TABLE t (a INT REFERENCES b ON DELETE CASCADE)":  {true, false},
		"GRANT UPDATE ON a TO b":                                 {true, false},
		"BEGIN":                                                  {true, false},
		"def f():\n    return 1":                                 {false, false},
		"def f():\n    return 1\n":                               {true, false},
		"x = 1":                                                  {true, true},
		":sessions":                                              {true, true},
		"SELECT 'a":                                              {false, false},
		"SELECT (1,":                                             {false, false},
		"SELECT 1 /*":                                            {false, false},
		"SELECT 1 \\":                                            {false, false},
		"1 +* 2":                                                 {true, true},
		"":                                                       {true, true},
	} {
		if got := l.Done(text, func() bool { return false }); got != want.typed {
			t.Errorf("%q, typed: %t", text, got)
		}
		if got := l.Done(text, func() bool { return true }); got != want.pasted {
			t.Errorf("%q, with more to come: %t", text, got)
		}
	}
}
