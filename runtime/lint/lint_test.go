package lint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rig/runtime/catalog"
	"rig/runtime/event"
	"rig/runtime/source"
)

// The samples of the rules are checked where the built-ins are declared, in cmd/rig.

func language() *catalog.Catalog {
	m, t := catalog.Language()
	return (&catalog.Catalog{Modules: m, Types: t}).Index()
}

func TestOutputs(t *testing.T) {
	found := []Finding{{Code: "unused", Pos: event.Pos{File: "a,b.star", Line: 2, Col: 3}, Msg: "100% unused\nreally", Hint: "remove it"}, {Code: "syntax", Pos: event.Pos{File: "my files/c%.star"}, Error: true, Msg: "no text"}}
	var b bytes.Buffer
	Text(&b, found)
	if want := "a,b.star:2:3: unused: 100% unused\n    really\n    hint: remove it\nmy files/c%.star: syntax: no text\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	GitHub(&b, found)
	if want := "::warning file=a%2Cb.star,line=2,col=3,title=rig lint unused::100%25 unused%0Areally (remove it)\n::error file=my files/c%25.star,line=1,col=1,title=rig lint syntax::no text\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	if err := SARIF(&b, "1", found); err != nil {
		t.Fatal(err)
	}
	sarifShape(t, b.Bytes())
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	r := log.Runs[0]
	if len(r.Results) != 2 || r.Tool.Driver.Rules[r.Results[0].RuleIndex].ID != "unused" || r.Results[1].Level != "error" || len(r.Tool.Driver.Rules) != len(Rules()) {
		t.Errorf("got %s", b.String())
	}
}

// sarifShape checks what the schema of SARIF 2.1.0 requires, and the values that it allows, of the parts that are written.
func sarifShape(t *testing.T, text []byte) {
	t.Helper()
	var log map[string]any
	if err := json.Unmarshal(text, &log); err != nil {
		t.Fatal(err)
	}
	at := func(x any, path ...any) any {
		for _, p := range path {
			switch p := p.(type) {
			case string:
				x = x.(map[string]any)[p]
			case int:
				x = x.([]any)[p]
			}
			if x == nil {
				t.Fatalf("SARIF has no %v:\n%s", path, text)
			}
		}
		return x
	}
	if at(log, "version") != "2.1.0" || at(log, "$schema") == "" || at(log, "runs", 0, "columnKind") != "unicodeCodePoints" || at(log, "runs", 0, "tool", "driver", "name") == "" {
		t.Errorf("the head is wrong:\n%s", text)
	}
	for _, r := range at(log, "runs", 0, "tool", "driver", "rules").([]any) {
		if at(r, "id") == "" || at(r, "shortDescription", "text") == "" {
			t.Errorf("a rule without id or text: %v", r)
		}
	}
	for _, r := range at(log, "runs", 0, "results").([]any) {
		rule := at(log, "runs", 0, "tool", "driver", "rules", int(at(r, "ruleIndex").(float64)), "id")
		where := at(r, "locations", 0, "physicalLocation")
		if at(r, "message", "text") == "" || at(r, "ruleId") != rule || !slices.Contains([]any{"none", "note", "warning", "error"}, at(r, "level")) {
			t.Errorf("a result that is none: %v", r)
		}
		if u, err := url.Parse(at(where, "artifactLocation", "uri").(string)); err != nil || strings.ContainsAny(at(where, "artifactLocation", "uri").(string), " \"<>") {
			t.Errorf("no URI reference: %v %v", u, err)
		}
		if at(where, "region", "startLine").(float64) < 1 || at(where, "region", "startColumn").(float64) < 1 {
			t.Errorf("a region that begins before the file: %v", where)
		}
	}
}

// TestHalfTypedIsLeftAlone: what is still missing is told once, as syntax, and by no other rule.
func TestHalfTypedIsLeftAlone(t *testing.T) {
	for _, text := range []string{"def f(t):\n    x = \"a\".\n", "def f():\n    len(\n", "def f(x):\n    return len(x\n", "def f(x):\n    y = x +\n    return y\n"} {
		found := Check(source.Read("x.star", text, language()))
		if len(found) != 1 || found[0].Code != "syntax" {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

// TestFunctionsThatCallEachOther: each is looked at once, however many ways lead to it.
func TestFunctionsThatCallEachOther(t *testing.T) {
	var outer, inner strings.Builder
	inner.WriteString("def test_x(t):\n")
	for i := range 200 {
		fmt.Fprintf(&outer, "def f%d(c):\n    f%d(c)\n    f%d(c)\n", i, i+1, i+1)
		fmt.Fprintf(&inner, "    def g%d():\n        g%d()\n        g%d()\n", i, i+1, i+1)
	}
	outer.WriteString("def f200(c):\n    c.commit()\n")
	inner.WriteString("    def g200():\n        t.db.commit()\n    t.db.begin()\n    g0()\n    f0(t.db)\n    t.db.begin()\n    expect.eq(1, 1)\n")
	open := 0
	for _, f := range Check(source.Read("x.star", outer.String()+inner.String(), language())) {
		if f.Code == "open-transaction" {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d open transactions, want the last one only", open)
	}
}

func FuzzCheck(f *testing.F) {
	samples, err := filepath.Glob("testdata/*.star")
	if err != nil || len(samples) < 30 {
		f.Fatal(len(samples), err)
	}
	for _, path := range samples {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	c := language()
	f.Fuzz(func(t *testing.T, text string) {
		for _, x := range Check(source.Read("x.star", text, c)) {
			if x.Code == "" || strings.TrimSpace(x.Msg) == "" {
				t.Errorf("%q: %+v", text, x)
			}
		}
	})
}
