package mock

import (
	"strings"
	"testing"
	"time"
)

func TestBadRules(t *testing.T) {
	one := []Column{{Name: "a"}, {Name: "b"}}
	answer := func(a Answer) Rule { return Rule{How: Exact, Query: "SELECT 1", Answers: []Answer{a}} }
	for _, x := range []struct {
		rule Rule
		want string
	}{
		{Rule{How: Exact}, "rule 1: query: it is empty"},
		{Rule{How: Prefix, Query: " \t"}, "prefix: it is empty"},
		{Rule{How: Regexp, Query: "(a"}, "rule 1: regexp: missing closing ): `(a`"},
		{Rule{How: Regexp, Query: "a", Args: []Arg{{}}}, "args go with the ? of query or prefix"},
		{Rule{How: Handshake, Query: "x"}, "a rule about handshakes has no statement"},
		{Rule{How: "like", Query: "x"}, `no way "like"`},
		{Rule{How: Exact, Query: "SELECT ?", Args: []Arg{{}, {}}}, `args: 2 given, and 1 ? in "SELECT ?"`},
		{Rule{How: Exact, Query: "SELECT 1", Times: -2}, "times: -2 is less than 0"},
		{answer(Answer{Delay: -time.Second}), "delay: want 0s to 1h0m0s, got -1s"},
		{answer(Answer{Delay: 2 * time.Hour}), "delay: want 0s to 1h0m0s"},
		{answer(Answer{Drop: "mid_paket"}), `drop: there is no "mid_paket"`},
		{answer(Answer{Err: &Error{Code: 70000}}), "error: want a code from 1 to 65535, got 70000"},
		{answer(Answer{Err: &Error{Code: 0}}), "error: want a code from 1 to 65535, got 0"},
		{answer(Answer{Err: &Error{Code: 1213, SQLState: "4000"}}), `a sqlstate is 5 digits or capitals, got "4000"`},
		{answer(Answer{Err: &Error{Code: 1, Message: strings.Repeat("x", 40_000)}}), "longer than 32 KiB"},
		{answer(Answer{Err: &Error{Code: 1}, Results: []Result{{}}}), "rows or an error, not both"},
		{answer(Answer{Results: []Result{{Rows: [][]Value{{}}}}}), "rows without columns"},
		{answer(Answer{Results: []Result{{Columns: one, Rows: [][]Value{{{}, {}}, {{}}}}}}), "rows: row 2 has 1 value, the columns are 2 (a, b)"},
		{answer(Answer{Results: []Result{{Columns: one, Rows: [][]Value{{{Int, "1"}, {}}, {{Text, "x"}, {}}}}}}), "rows: column a has text in row 2 and int before"},
		{answer(Answer{Results: []Result{{Columns: make([]Column, 5000)}}}), "5000 columns are more than 4096"},
		{Rule{How: Exact, Query: "SELECT 1", Answers: []Answer{{}, {Delay: -1}}}, "rule 1: answer 2: delay"},
	} {
		_, err := New([]Rule{x.rule})
		if err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%v, want %q", err, x.want)
		}
	}
	_, err := New([]Rule{answer(Answer{Drop: "mid_paket"})})
	if e, ok := err.(*RuleError); !ok || e.Hint != `did you mean "mid_packet"?` {
		t.Errorf("hint of %#v", err)
	}
}

// TestRulesAreCopied: the caller's rules stay as they are.
func TestRulesAreCopied(t *testing.T) {
	r := []Rule{{How: Exact, Query: "x", Answers: []Answer{{Err: &Error{Code: 1213}}, {Results: []Result{{Columns: []Column{{Name: "a"}}, Rows: [][]Value{{{Int, "1"}}}}}}}}}
	if _, err := New(r); err != nil {
		t.Fatal(err)
	}
	if r[0].Answers[0].Err.SQLState != "" || r[0].Answers[1].Results[0].Columns[0].Kind != Null {
		t.Errorf("changed: %+v", r)
	}
}

func TestFollow(t *testing.T) {
	for _, x := range []struct {
		pattern, sql string
		fits         bool
	}{
		{"SELECT  a FROM t", "select a -- why\nfrom `t`;", true},
		{"SELECT a FROM t", "SELECT a FROM t WHERE 1", false},
		{"SELECT a FROM t WHERE b", "SELECT a FROM t", false},
		{"SELECT 'a'", "SELECT 'A'", false},
		{"SELECT 'it''s'", `SELECT "it's"`, true},
		{`SELECT 'a\'b'`, "SELECT _utf8mb4 x'612762'", true},
		{"SELECT 1.0", "SELECT 1", true},
		{"SELECT 1e2", "SELECT 100", true},
		{"SELECT '1'", "SELECT 1", false},
		{"SELECT ?", "SELECT -1.5e3", true},
		{"SELECT ?", "SELECT NULL", true},
		{"SELECT ?", "SELECT a", false},
		{"SELECT ?", "SELECT", false},
		{"SELECT ?, ?", "SELECT 1,'a,b'", true},
		{"SELECT x'00ff'", "SELECT _binary 0x00FF", true},
		{"SELECT /* hint */ 1 # end", "SELECT 1", true},
		{"SELECT _x a", "SELECT _X A", true},
	} {
		r, err := compile(Rule{How: Exact, Query: x.pattern})
		if err != nil {
			t.Fatal(err)
		}
		tokens := lex(x.sql)
		if _, ok := r.fits(tokens, text(tokens)); ok != x.fits {
			t.Errorf("%q against %q: %v", x.sql, x.pattern, ok)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, x := range []struct {
		a, b Value
		same bool
	}{
		{Value{Int, "1"}, Value{Decimal, "1.00"}, true},
		{Value{Uint, "18446744073709551615"}, Value{Decimal, "18446744073709551615"}, true},
		{Value{Int, "1"}, Value{Int, "2"}, false},
		{Value{}, Value{}, true},
		{Value{}, Value{Text, ""}, false},
		{Value{Date, "2024-01-01"}, Value{Text, "2024-01-01"}, true},
		{Value{Float, "1e999999999"}, Value{Float, "1e999999998"}, false},
		{Value{Decimal, strings.Repeat("1", 500)}, Value{Int, "1"}, false},
	} {
		if x.a.equal(x.b) != x.same || x.b.equal(x.a) != x.same {
			t.Errorf("%v and %v", x.a, x.b)
		}
	}
}
