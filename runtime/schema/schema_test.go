package schema

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var known = []Column{
	{"shop", "account", "id", "int"},
	{"shop", "account", "balance", "decimal"},
	{"shop", "booking", "id", "int"},
	{"shop", "booking", "account_id", "int"},
	{"", "own", "note", "text"},
	{"", "", "made_up", "int"},
}

// without drops the keywords.
func without(list []Word) []string {
	out := []string{}
	for _, w := range list {
		if w.Group != Keyword {
			out = append(out, w.Text)
		}
	}
	return out
}

func TestComplete(t *testing.T) {
	all := "account booking own id balance account_id note made_up"
	for text, want := range map[string]string{
		"SELECT |":                                             all,
		"SELECT ba|":                                           all,
		"SELECT | FROM account":                                "id balance account",
		"SELECT a.| FROM account a":                            "id balance",
		"SELECT a.b| FROM account AS a JOIN own":               "id balance",
		"SELECT * FROM |":                                      "account booking own",
		"SELECT * FROM acc|":                                   "account booking own",
		"select * from account, |":                             "account booking own",
		"SELECT * FROM account a, booking b WHERE b.|":         "id account_id",
		"SELECT * FROM account a JOIN booking b ON |":          "id balance account_id a b",
		"SELECT * FROM account WHERE id = 1 FOR UPDATE |":      "id balance account",
		"SELECT * FROM shop.|":                                 "account booking",
		"SELECT * FROM shop.account WHERE |":                   "id balance account",
		"SELECT * FROM other.account WHERE |":                  all,
		"INSERT INTO |":                                        "account booking own",
		"INSERT INTO own (|":                                   "note own",
		"INSERT INTO own (note) VALUES ('a|":                   "",
		"INSERT INTO own (note) VALUES ('it''s', |":            "note own",
		"UPDATE account SET |":                                 "id balance account",
		"UPDATE |":                                             "account booking own",
		"INSERT INTO own VALUES (1) ON DUPLICATE KEY UPDATE |": "note own",
		"DELETE FROM `booking` WHERE |":                        "id account_id booking",
		"DROP TABLE IF EXISTS |":                               "account booking own",
		"ALTER TABLE own DROP COLUMN |":                        "note own",
		"SELECT 1 -- what |":                                   "",
		"SELECT 1 -- what\n, |":                                all,
		"SELECT /* FROM account |":                             "",
		"SELECT /* FROM account */ | FROM own":                 "note own",
		"SELECT * FROM account; SELECT | FROM own":             "note own",
		"SELECT | FROM own; SELECT * FROM account":             "note own",
		"SELECT * FROM (SELECT | FROM own) x":                  "note own",
		"SELECT | FROM %s":                                     all,
		"|":                                                    "",
		"SEL|":                                                 "",
		"SELECT nothing.|":                                     "",
		".|":                                                   all,
	} {
		at := strings.Index(text, "|")
		got := strings.Join(without(Complete(strings.Replace(text, "|", "", 1), at, known)), " ")
		if got != want {
			t.Errorf("%s\n got %q\nwant %q", text, got, want)
		}
	}
}

func TestKeywords(t *testing.T) {
	first := Complete("SEL", 3, nil)
	if !slices.Contains(first, Word{Text: "SELECT", Group: Keyword}) || slices.Contains(first, Word{Text: "FROM", Group: Keyword}) {
		t.Errorf("a statement begins with a verb: %v", first)
	}
	if !slices.Contains(Complete("SELECT 1 ", 9, nil), Word{Text: "FROM", Group: Keyword}) {
		t.Error("no keyword goes on")
	}
	for text, want := range map[string]bool{"select 1": true, " SELECT\n1": true, "SELECT": false, "selected x": false, "": false, "state": false, "with x": true} {
		if Begins(text) != want {
			t.Errorf("%q: %v", text, !want)
		}
	}
}

func TestDocs(t *testing.T) {
	for _, x := range []struct {
		sql  string
		want Word
	}{
		{"SELECT ", Word{"balance", "account: decimal", Columns}},
		{"SELECT account.", Word{"balance", "decimal", "columns of account"}},
		{"SELECT * FROM ", Word{"account", "shop", Tables}},
	} {
		if got := Complete(x.sql, len(x.sql), known); !slices.Contains(got, x.want) {
			t.Errorf("%s: no %v in %v", x.sql, x.want, got)
		}
	}
}

func TestCreated(t *testing.T) {
	for sql, want := range map[string][]Column{
		"CREATE TABLE a (id INT PRIMARY KEY, b DECIMAL(10, 2) NOT NULL, PRIMARY KEY (id, b), KEY x (b))": {{"", "a", "id", "int"}, {"", "a", "b", "decimal"}},
		"create temporary table if not exists s.`a b` (`key` int, -- why\n c text":                       {{"s", "a b", "key", "int"}, {"s", "a b", "c", "text"}},
		"CREATE OR REPLACE TABLE a (x ENUM('a, b', ')') , y INT, CHECK (y > 0)) ENGINE=InnoDB":           {{"", "a", "x", "enum"}, {"", "a", "y", "int"}},
		"CREATE TABLE a (x INT); CREATE TABLE b (y INT)":                                                 {{"", "a", "x", "int"}, {"", "b", "y", "int"}},
		"CREATE TABLE a LIKE b":                               nil,
		"CREATE TABLE a LIKE b; INSERT INTO b (c) VALUES (1)": nil,
		"CREATE TABLE a (LIKE b)":                             nil,
		"CREATE VIEW v (a) AS SELECT 1":                       nil,
		"CREATE TABLE":                                        nil,
		"CREATE TABLE (":                                      nil,
		"CREATE TABLE a (,,":                                  nil,
		"CREATE TABLE a (x":                                   {{"", "a", "x", ""}},
		"DROP TABLE a":                                        nil,
	} {
		if got := Created(sql); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %v\nwant %v", sql, got, want)
		}
	}
}

func TestResults(t *testing.T) {
	for sql, want := range map[string]string{
		"SELECT * FROM account":                                      "id:int balance:decimal",
		"SELECT b.*, a.balance total FROM account a, booking b;":     "id:int account_id:int total:",
		"SELECT a.balance, count(*) AS n, sum(id) s FROM account a":  "balance:decimal n: s:",
		"SELECT id + balance, id IS NULL, 1, 'x' y, NOT id FROM own": "y:",
		"SELECT DISTINCT note FROM own WHERE (SELECT 1 FROM x)":      "note:text",
		"SELECT (SELECT max(id) FROM booking) m FROM account":        "m:",
		"SELECT 1 AS one":      "one:",
		"SELECT":               "",
		"UPDATE own SET x = 1": "",
		"":                     "",
	} {
		var got []string
		for _, c := range Results(sql, known) {
			got = append(got, c.Name+":"+c.Type)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %q, want %q", sql, got, want)
		}
	}
}

func TestFetch(t *testing.T) {
	var asked []string
	ask := func(sql string, args ...string) ([][]string, error) {
		asked = append(asked, fmt.Sprint(strings.Count(sql, "?"), args))
		return [][]string{{"d", "t", "c", "INT"}}, nil
	}
	for _, database := range []string{"d'", ""} {
		if got, err := Fetch(ask, database); err != nil || !slices.Equal(got, []Column{{"d", "t", "c", "int"}}) {
			t.Error(got, err)
		}
	}
	if want := []string{"1 [d']", "0 []"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	down := errors.New("down")
	if _, err := Fetch(func(string, ...string) ([][]string, error) { return nil, down }, ""); !errors.Is(err, down) {
		t.Error(err)
	}
}

// FuzzComplete: any text has an answer for any place.
func FuzzComplete(f *testing.F) {
	f.Add("SELECT a. FROM t AS a", 9)
	f.Add("CREATE TABLE `a (x int, 'y", 3)
	f.Add("SELECT (), * FROM a.b c, ;/*", -1)
	f.Fuzz(func(t *testing.T, sql string, at int) {
		columns := append(Created(sql), known...)
		for _, w := range Complete(sql, at, columns) {
			if w.Text == "" {
				t.Error("an empty word")
			}
		}
		Results(sql, columns)
	})
}
