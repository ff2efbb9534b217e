package importer

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the scenarios again")

// corpus are the sources of testdata/import, by kind.
func corpus(t testing.TB) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, k := range Kinds() {
		files, err := filepath.Glob("../../testdata/import/" + k.Name + "/*")
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			if e := filepath.Ext(f); e != ".star" && e != ".result" && !strings.HasSuffix(f, ".golden") {
				out[k.Name] = append(out[k.Name], f)
			}
		}
		if len(out[k.Name]) == 0 {
			t.Fatalf("no file of kind %s", k.Name)
		}
	}
	return out
}

func sourceOf(t testing.TB, path string) Source {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return Source{Name: filepath.Base(path), Text: b, Beside: func(p string) ([]byte, error) {
		return os.ReadFile(filepath.Join(filepath.Dir(path), p))
	}}
}

// TestCorpus compares each scenario with the one that is kept; the tests of the command run those.
func TestCorpus(t *testing.T) {
	for kind, files := range corpus(t) {
		for _, f := range files {
			t.Run(kind+"/"+filepath.Base(f), func(t *testing.T) {
				got, err := Import(kind, sourceOf(t, f))
				if err != nil {
					t.Fatal(err)
				}
				text := got.Text
				kept := strings.TrimSuffix(f, filepath.Ext(f)) + ".star"
				if *update {
					if err := os.WriteFile(kept, []byte(text), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(kept)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(want, []byte(text)) {
					t.Errorf("%s is stale (go test ./runtime/importer -update); now:\n%s", kept, text)
				}
				for _, n := range got.Notes {
					if n.Line < 1 || n.Col < 1 || n.What == "" {
						t.Errorf("a note without a place: %+v", n)
					}
				}
				if len(got.Notes) > 0 != strings.Contains(text, "\nNot translated: ") {
					t.Errorf("%d notes, but the head of the text says otherwise", len(got.Notes))
				}
			})
		}
	}
}

// TestEveryPermutation enumerates as isolationtester does: always the first session that has steps left.
func TestEveryPermutation(t *testing.T) {
	tests, err := parseSpec(readerOf(t, `session a step a1 {x} step a2 {x} session b step b1 {x} step b2 {x}`))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	tests[0].everyOrder(func(names []string) bool {
		got = append(got, strings.Join(names, " "))
		return true
	})
	want := []string{"a1 a2 b1 b2", "a1 b1 a2 b2", "a1 b1 b2 a2", "b1 a1 a2 b2", "b1 a1 b2 a2", "b1 b2 a1 a2"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestPermutationsAreCounted: the number that is computed is the number of orders there are.
func TestPermutationsAreCounted(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var b strings.Builder
		for s := range 1 + rng.IntN(4) {
			fmt.Fprintf(&b, "session s%d\n", s)
			for i := range 1 + rng.IntN(3) {
				fmt.Fprintf(&b, "step s%d_%d { SELECT 1; }\n", s, i)
			}
		}
		tests, err := parseSpec(readerOf(t, b.String()))
		if err != nil {
			t.Fatal(err)
		}
		want, err := tests[0].permutations()
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]bool{}
		tests[0].everyOrder(func(names []string) bool {
			seen[fmt.Sprint(names)] = true
			return true
		})
		if len(seen) != want {
			t.Fatalf("%d orders, and %d were counted, of\n%s", len(seen), want, b.String())
		}
	}
}

func readerOf(t testing.TB, text string) *reader {
	t.Helper()
	r, err := newReader(Source{Name: "x", Text: []byte(text)})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const oneStep = "session s\nstep a { SELECT 1; }\n"

// badFiles have the message that each gets.
var badFiles = []struct{ kind, text, want string }{
	{"isolationtester", "", "x:1:1: the file is empty"},
	{"isolationtester", " \n\t\n", "x:1:1: the file is empty"},
	{"isolationtester", "session s step a { SELECT 1\x00; }", "x: byte 27 is zero: this is not a text file"},
	{"isolationtester", "# only a comment\n", "x:2:1: want setup, teardown or session, got the end of the file"},
	{"isolationtester", "sesion s\n", `x:1:1: want setup, teardown or session, got "sesion"`},
	{"isolationtester", "session s\nstep a { SELECT 1;\nstep b\n", "x:2:8: the SQL block that begins here has no }"},
	{"isolationtester", "session s\nstep a\nstep b { }", `x:3:1: want the SQL block of step "a", got "step"`},
	{"isolationtester", "session \"s\nstep a { }", "x:1:9: the name that begins here has no closing quote on its line"},
	{"isolationtester", "session \"s", "x:1:9: the name that begins here has no closing quote"},
	{"isolationtester", "session s\n", "x:2:1: want step, got the end of the file"},
	{"isolationtester", oneStep + "permutation a é%\n", "x:3:16: unexpected character '%'"},
	{"isolationtester", oneStep + "permutation b\n", `x:3:13: the permutation names the step "b", which no session has`},
	{"isolationtester", "session s\nstep update1 { }\npermutation updaet1\n", `x:3:13: the permutation names the step "updaet1", which no session has, did you mean "update1"?`},
	{"isolationtester", oneStep + "session t step b { }\npermutation a b(c)\n", `x:4:15: the marker of "b" names the step "c", which is not in this permutation`},
	{"isolationtester", "session s step a {} step b {}\npermutation a b(a)\n", `x:2:15: the step "b" cannot wait for "a" of its own session`},
	{"isolationtester", oneStep + "permutation a(\n", "x:4:1: want a marker: *, a step, or a step with notices and a number, got the end of the file"},
	{"isolationtester", oneStep + "permutation a(* b)\n", `x:3:17: want "," or ")" behind the marker, got "b"`},
	{"isolationtester", oneStep + "permutation a(b notices)\n", `x:3:24: want the number of notices, got ")"`},
	{"isolationtester", oneStep + "permutation a(b notices 99999999999999999999)\n", "x:3:25: 99999999999999999999 is too large"},
	{"isolationtester", oneStep + "permutation\n", "x:4:1: want the name of a step, got the end of the file"},
	{"isolationtester", oneStep + "step a { }\n", `x:3:6: there are two steps "a", the first on line 2`},
	{"isolationtester", oneStep + "session s step b { }\n", `x:3:9: there are two sessions "s"`},
	{"isolationtester", oneStep + "setup { }\n", `x:3:1: want step, teardown, session or permutation, got "setup"`},
	{"isolationtester", oneStep + "permutation a\nsession t step b { }", `x:4:1: want a step or permutation, got "session"`},

	{"mysqltest", "# nothing\n", "x:1:1: no statement was found"},
	{"mysqltest", "SELECT 1;\nSELECT 2", `x:2:1: the statement that begins here has no ";" at its end`},
	{"mysqltest", "SELECT 'a;\n", `x:1:1: the statement that begins here has no ";" at its end`},
	{"mysqltest", "SELECT 1;\nif ($x)\n{\nSELECT 2;\n", "x:3:1: the block that begins here has no }"},
	{"mysqltest", "SELECT 1;\n}\n", "x:2:1: a } without a block"},
	{"mysqltest", "SELECT 1;\nwhile $x\n{\n}\n", "x:2:1: want ( behind while"},
	{"mysqltest", "SELECT 1;\nif ($x\n{\n}\n", "x:2:4: the condition that begins here has no )"},
	{"mysqltest", "SELECT 1;\nif ($x)\n  SELECT 2;\n", "x:3:3: want { behind the condition of if"},
	{"mysqltest", "SELECT 1;\nperl;\nprint 1;\n", "x:2:1: perl has no line EOF that ends it"},
	{"mysqltest", strings.Repeat("if (1)\n{\n", 60) + "SELECT 1;\n" + strings.Repeat("}\n", 60), "x:102:1: blocks within blocks go deeper than 50"},

	{"hermitage", "# Title\n\nWords.\n\n```sql\nselect 1; -- T1\n", "x:5:6: the block that begins here has no closing ```"},
	{"hermitage", "Just words.\n", "x:2:1: no test was found: want Markdown with cases in the manner of Hermitage"},
	{"hermitage", "```sql\nselect 1;\n```\n", "x:4:1: no test was found"},

	{"troc", "words only\n", "x:2:1: no test was found"},
	{"troc", "CREATE TABLE t (a INT)\n\nXX\nBEGIN\n", `x:3:1: want the level of transaction 1 (RU, RC, RR or SER), got "XX"`},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\nBEGIN\n\n1-1\nEND\n", "x:6:1: the submitted order comes behind two transactions, and there is 1"},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\nBEGIN\n\nRC\nBEGIN\n\n1-3\nEND\n", "x:9:1: the submitted order names transaction 3, and there are 1 and 2"},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\nBEGIN\n\nRC\nBEGIN\n\n1-1-2\nEND\n", "x:9:1: the submitted order has transaction 1 more often than its 1 statements"},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\nBEGIN\n\nRC\nBEGIN\nCOMMIT\n\n1-2\nEND\n", "x:10:1: the submitted order has transaction 2 only 1 times, and it has 2 statements"},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\nBEGIN\n\nRC\nBEGIN\n\nRC\nBEGIN\n", "x:9:1: a case has two transactions, and this is the third"},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\nBEGIN\n\nRC\nBEGIN\n\n1-2\nSELECT 1\n", `x:10:1: want END behind the submitted order, got "SELECT 1"`},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\nBEGIN\n\nEND\n", "x:6:1: the case that begins on line 1 has not two transactions"},
	{"troc", "CREATE TABLE t (a INT)\n\nRC\n\nRC\nBEGIN\n\nEND\n", "x:5:1: transaction 1 has no statement"},

	{"troc", "x BUG REPORT\n -- Create Table SQL: CREATE TABLE t (a INT)\n", "x:3:1: the report that begins on line 1 has no Input Schedule"},
	{"troc", "x BUG REPORT\n -- Input Schedule: 1-1\n", "x:2:2: the submitted order comes behind two transactions, and there is 0"},

	{"session", "SELECT 1;\nSELECT 2;\n", "x:1:1: no line has a prompt with a name, such as conn_0>"},
	{"session", "a>\nb>\n", "x:1:1: no prompt has a statement"},
}

func TestBadFiles(t *testing.T) {
	for _, b := range badFiles {
		got, err := Import(b.kind, Source{Name: "x", Text: []byte(b.text)})
		if err == nil {
			t.Errorf("%s %q: no error, but\n%s", b.kind, b.text, got.Text)
			continue
		}
		if !strings.HasPrefix(err.Error(), b.want) {
			t.Errorf("%s %q:\n got %s\nwant %s", b.kind, b.text, err, b.want)
		}
	}
}

// tenMegabytes makes a file of about 10 MB for a kind.
func tenMegabytes(kind string) []byte {
	var b bytes.Buffer
	line := map[string]string{
		"isolationtester": "step s%d { UPDATE t SET a = a + 1 WHERE id = 1; }\n",
		"mysqltest":       "UPDATE t SET a = a + 1 WHERE id = %d;\n",
		"hermitage":       "update t set a = a + 1 where id = %d; -- T1\n",
		"troc":            "UPDATE t SET a = a + 1 WHERE id = %d\n",
		"session":         "a> UPDATE t SET a = a + 1 WHERE id = %d;\n",
	}[kind]
	b.WriteString(map[string]string{"isolationtester": "session s\n", "hermitage": "```sql\n", "troc": "CREATE TABLE t (id INT)\n\nRC\n"}[kind])
	for i := 0; b.Len() < 10<<20; i++ {
		fmt.Fprintf(&b, line, i)
	}
	b.WriteString(map[string]string{"isolationtester": "permutation s1\n", "hermitage": "```\n", "troc": "\nRC\nBEGIN\n\nEND\n"}[kind])
	return b.Bytes()
}

// TestBigFiles: 10 MB are read to the end, and what does not fit into a scenario file is said. That a parser is not quadratic
// shows in the bound, which is ten times what the slowest needs under load.
func TestBigFiles(t *testing.T) {
	for _, k := range Kinds() {
		t.Run(k.Name, func(t *testing.T) {
			start := time.Now()
			_, err := Import(k.Name, Source{Name: "x", Text: tenMegabytes(k.Name)})
			if err == nil || !strings.Contains(err.Error(), "import it in pieces") && !strings.Contains(err.Error(), "too many steps") {
				t.Errorf("error %v", err)
			}
			if d := time.Since(start); d > time.Minute {
				t.Errorf("10 MB took %v", d)
			}
		})
	}
}

// TestTooLarge: a source is bounded, too.
func TestTooLarge(t *testing.T) {
	_, err := Import("session", Source{Name: "x", Text: make([]byte, MaxSource+1)})
	if err == nil || !strings.Contains(err.Error(), "more than the") {
		t.Errorf("error %v", err)
	}
}

// TestRecordedRows finds the answers of statements in a .result, and says nothing where the border of two is not clear.
func TestRecordedRows(t *testing.T) {
	const test = "connect (c,localhost,root,,);\nconnection default;\nSELECT 1 AS a;\nINSERT INTO t VALUES (1);\n--send SELECT 2 AS b\nconnection c;\n--send SELECT 3 AS d\nconnection default;\nreap;\nconnection c;\nreap;\nSELECT 4 AS e;\n"
	for name, c := range map[string]struct {
		result string
		want   []string // of the statements that have rows; ? is unclear
	}{
		"MariaDB shows connections": {
			"connect  c,localhost,root,,;\nconnection default;\nSELECT 1 AS a;\na\n1\nINSERT INTO t VALUES (1);\nSELECT 2 AS b;\nconnection c;\nSELECT 3 AS d;\nconnection default;\nb\n2\nconnection c;\nd\n3\nSELECT 4 AS e;\ne\n4\n",
			[]string{"1", "2", "3", "4"},
		},
		"MySQL does not": {
			"SELECT 1 AS a;\na\n1\nINSERT INTO t VALUES (1);\nWarnings:\nNote\t1\tx\nSELECT 2 AS b;\nSELECT 3 AS d;\nb\n2\nd\n3\nSELECT 4 AS e;\ne\n4\n",
			[]string{"1", "?", "?", "4"},
		},
		"another text":  {"SELECT 1 as a;\na\n1\nSELECT 4 AS e;\ne\n4\n", []string{"?", "?", "?", "4"}},
		"rows of lines": {"SELECT 1 AS a;\na\nx\ny\nINSERT INTO t VALUES (1);\n", []string{"x,y", "?", "?", "?"}},
		"text of later": {"INSERT INTO t VALUES (1);\nSELECT 2 AS b;\nSELECT 3 AS d;\nSELECT 1 AS a;\na\n9\nSELECT 4 AS e;\ne\n4\n", []string{"?", "?", "?", "4"}},
		"nothing":       {"", []string{"?", "?", "?", "?"}},
	} {
		got, err := Import("mysqltest", Source{Name: "x", Text: []byte(test), Beside: func(p string) ([]byte, error) {
			if p == "x.result" {
				return []byte(c.result), nil
			}
			return nil, os.ErrNotExist
		}})
		if err != nil {
			t.Fatal(err)
		}
		for i, call := range []string{`default.query("SELECT 1 AS a")`, "default_sent.wait()", "c_sent.wait()", `c.query("SELECT 4 AS e")`} {
			want := "\n    seen.extend(shown(" + call + "))\n"
			if c.want[i] != "?" {
				want = "\n    expect.eq(shown(" + call + "), " + quoteAll(strings.Split(c.want[i], ",")) + ")\n"
			}
			if !strings.Contains(got.Text, want) {
				t.Errorf("%s: want %s in\n%s", name, want, got.Text)
			}
		}
	}
}

// TestOnePromptForAll: where nothing tells two sessions apart, the list says so.
func TestOnePromptForAll(t *testing.T) {
	got, err := Import("session", Source{Name: "x", Text: []byte("mysql> BEGIN;\nmysql> BEGIN;\n")})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Notes) != 1 || !strings.Contains(got.Notes[0].What, "all prompts are the same") {
		t.Errorf("notes %v", got.Notes)
	}
}

// TestOtherCharacterSets: bytes that are not UTF-8 are replaced, and the note says where the first is.
func TestOtherCharacterSets(t *testing.T) {
	for kind, text := range map[string]string{
		"session":   "a> SELECT 1;\na> SELECT 'caf\xe9';\n",
		"mysqltest": "SELECT 1;\n#\n-- echo caf\xe9\nSELECT 'caf\xe9';\n",
	} {
		got, err := Import(kind, Source{Name: "x", Text: []byte(text)})
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Notes) != 1 || !strings.Contains(got.Notes[0].What, "not UTF-8") || got.Notes[0].Line < 2 || !strings.Contains(got.Text, "not UTF-8") || !strings.Contains(got.Text, "'caf?'") {
			t.Errorf("%s: notes %v and\n%s", kind, got.Notes, got.Text)
		}
	}
}

// TestTooManyPermutations: their number is said before anything runs.
func TestTooManyPermutations(t *testing.T) {
	var b strings.Builder
	for s := range 20 {
		fmt.Fprintf(&b, "session s%d\n", s)
		for i := range 10 {
			fmt.Fprintf(&b, "step s%d_%d { SELECT 1; }\n", s, i)
		}
	}
	_, err := Import("isolationtester", Source{Name: "x", Text: []byte(b.String())})
	if err == nil || !strings.Contains(err.Error(), "permutations: name the orders that matter") {
		t.Errorf("error %v", err)
	}
}

// TestManyPermutations: interleave is told to run more than it would, and what nobody waits for becomes a sample.
func TestManyPermutations(t *testing.T) {
	for steps, want := range map[int]string{
		6:  "# every permutation: 924\n",
		7:  "limit = 3432,\n",
		10: "# line 1: not translated: all 184756 permutations are too many for one test, so a sample of 1000 runs\n",
	} {
		var b strings.Builder
		for s := range 2 {
			fmt.Fprintf(&b, "session s%d\n", s)
			for i := range steps {
				fmt.Fprintf(&b, "step s%d_%d { SELECT 1; }\n", s, i)
			}
		}
		got, err := Import("isolationtester", Source{Name: "x", Text: []byte(b.String())})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(got.Text, want) || strings.Contains(got.Text, "sample = 1000") != (len(got.Notes) == 1) {
			t.Errorf("2 x %d steps: want %q in\n%s", steps, want, got.Text)
		}
	}
}

// TestStringsStayWhole: whatever a statement has in it, the literal is one of Starlark, and gives the statement back.
func TestStringsStayWhole(t *testing.T) {
	for text, want := range map[string]string{
		`say "hi" \ now`: `"say \"hi\" \\ now"`,
		"two\nlines":     "\"\"\"two\nlines\"\"\"",
		"end\"\n\"":      `"end\"\n\""`,
		"tab\there":      `"tab\there"`,
		"bell\aand\r\n":  `"bell\x07and\r\n"`,
		"a\"\"\"b\nc":    `"a\"\"\"b\nc"`,
		"back\\\nslash":  `"back\\\nslash"`,
	} {
		if got := quote(text); got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
}

func FuzzIsolationtester(f *testing.F) { fuzzKind(f, "isolationtester") }
func FuzzMysqltest(f *testing.F)       { fuzzKind(f, "mysqltest") }
func FuzzHermitage(f *testing.F)       { fuzzKind(f, "hermitage") }
func FuzzTroc(f *testing.F)            { fuzzKind(f, "troc") }
func FuzzSession(f *testing.F)         { fuzzKind(f, "session") }

func fuzzKind(f *testing.F, kind string) {
	for _, path := range corpus(f)[kind] {
		f.Add(sourceOf(f, path).Text)
	}
	for _, b := range badFiles {
		if b.kind == kind {
			f.Add([]byte(b.text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) { fuzzed(t, kind, text) })
}

// fuzzed checks what holds for any input: no panic, an error with a place in the file, or a scenario with a test.
func fuzzed(t *testing.T, kind string, text []byte) {
	r, rErr := newReader(Source{Name: "x", Text: text})
	got, err := Import(kind, Source{Name: "x", Text: text})
	if err != nil {
		var e *Error
		if errors.As(err, &e) && rErr == nil && (e.Line < 1 || e.Line > len(r.lines) || e.Col < 1) {
			t.Errorf("the error has no place in the file: %v", err)
		}
		return
	}
	if got.Tests < 1 || !strings.Contains(got.Text, "\ndef test_") {
		t.Errorf("no test in\n%s", got.Text)
	}
}
