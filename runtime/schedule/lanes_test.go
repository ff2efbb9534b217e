package schedule

import (
	"strings"
	"testing"
)

func TestParseLanes(t *testing.T) {
	s, err := ParseLanes(`
mysql 1> BEGIN; UPDATE t
    SET v = 'a;b'
    WHERE i = 1;
Query OK, 1 row affected (0.00 sec)

          conn_2> SELECT * FROM t;
          +---+
          | i |
          +---+
          #= 1, x
          #= 2, y
          conn_2:mine> UPDATE t SET v = 2
          #! waits for mysql1: X on PRIMARY (1) of t
mysql 1> COMMIT
          #! mine proceeds after mysql19
mysql 1> SELECT 1
#! no wait
mysql 1> SELECT 2
#! error 1213 deadlock
`)
	if err == nil || err.Error() != `line 15: there is no step "mysql19": session mysql1 has 5 steps` && !strings.Contains(err.Error(), "mysql19") {
		t.Fatalf("%v %v", s, err)
	}
	s, err = ParseLanes(`
a> BEGIN; UPDATE t
    SET v = 'a;b'
    WHERE i = 1;
Query OK, 1 row affected (0.00 sec)

          b> SELECT * FROM t;
          | i |
          #= 1, x
          #= 2, y
          b:mine> UPDATE t SET v = 2
          #! waits for a: X on PRIMARY (1) of t
a> COMMIT
          #! mine proceeds after a3
          #= 7
a> SELECT 1
#! no wait
a> SELECT 2
#! error 1213 deadlock
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := s.OrderText(); got != "a1 a2 b1 mine a3 a4 a5" {
		t.Error(got)
	}
	step := func(n string) *Step { return s.Plan.Step(s.Plan.find(n)) }
	if sql := step("a2").SQL; sql != "UPDATE t\nSET v = 'a;b'\nWHERE i = 1" {
		t.Errorf("%q", sql)
	}
	if w := step("b1").Want; !w.HasRows || rowsText(w.Rows) != "(1, x) (2, y)" {
		t.Errorf("%+v", w)
	}
	if w := step("mine").Want; w.Waits != Yes || len(w.For) != 1 || w.Proceeds != "a3" || rowsText(w.Rows) != "(7)" {
		t.Errorf("%+v", w)
	}
	if step("a4").Want.Waits != No || step("a5").Want.Error != "1213" {
		t.Error("marks of a4 and a5")
	}
}

func TestParseLanesErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     "line 1: there is no line with a prompt",
		"#! waits\na> SELECT 1":                "line 1: a mark comes before the first statement",
		"#= 1\na> SELECT 1":                    "line 1: a row comes before",
		"a> SELECT 1\n#! wats":                 `line 2: "wats" is no mark`,
		"a> SELECT 1\n#! error wat":            `line 2: no error has the code or kind "wat"`,
		"a> SELECT 1\n#! waits for b":          `line 2: there is no session "b"`,
		"a> SELECT 1\n#! b9 waits for a":       `line 2: there is no session "b", and no step "b9"`,
		"a> SELECT 1\n#! a1 proceeds after x1": `line 2: there is no session "x", and no step "x1"`,
		"a:x> SELECT 1\nb:x> SELECT 1":         "two steps are named x",

		"mysql [s1]> BEGIN;":        "line 1: this is no prompt that lanes knows",
		"a> BEGIN;\ns1 > SELECT 1;": "line 2: this is no prompt that lanes knows",
		"Session 1:\nmysql> BEGIN;\nSession 2:\nmysql> UPDATE t;\n": "line 2: the prompt mysql> does not tell which session it is",
	} {
		_, err := ParseLanes(text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// What people write behind statements is no statement, and an error that a client printed is expected again.
func TestParseLanesOfReports(t *testing.T) {
	s, err := ParseLanes("T1> BEGIN;  -- start\nT2> UPDATE t SET a = '; -- x' WHERE id = 1; # one row\nERROR 1205 (HY000): Lock wait timeout exceeded\nT1> COMMIT;")
	if err != nil {
		t.Fatal(err)
	}
	if got := s.OrderText(); got != "T11 T21 T12" {
		t.Error(got)
	}
	for n, want := range []string{"BEGIN", "COMMIT", "UPDATE t SET a = '; -- x' WHERE id = 1"} {
		if got := s.Plan.Step(n).SQL; got != want {
			t.Errorf("step %d: %q, want %q", n, got, want)
		}
	}
	if got := s.Plan.Step(2).Want.Error; got != "1205" {
		t.Errorf("the error %q", got)
	}
}

func FuzzParseLanes(f *testing.F) {
	f.Add("a> BEGIN\n    b> SELECT 1\n    #= 1\na> COMMIT\n    #! b1 proceeds after a2")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseLanes(text)
		if err != nil {
			return
		}
		if _, err := s.Plan.ParseOrder(s.OrderText()); err != nil {
			t.Errorf("its own order: %v", err)
		}
	})
}
