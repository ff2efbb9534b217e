package lint

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
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
	found := []Finding{{Code: "unused", Pos: event.Pos{File: "a,b.star", Line: 2, Col: 3}, Msg: "100% unused\nreally", Hint: "remove it"}, {Code: "syntax", Pos: event.Pos{File: "c.star"}, Error: true, Msg: "no text"}}
	var b bytes.Buffer
	Text(&b, found)
	if want := "a,b.star:2:3: unused: 100% unused\n    really\n    hint: remove it\nc.star: syntax: no text\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	GitHub(&b, found)
	if want := "::warning file=a%2Cb.star,line=2,col=3,title=rig lint unused::100%25 unused%0Areally (remove it)\n::error file=c.star,line=1,col=1,title=rig lint syntax::no text\n"; b.String() != want {
		t.Errorf("got %q, want %q", b.String(), want)
	}
	b.Reset()
	if err := SARIF(&b, "1", found); err != nil {
		t.Fatal(err)
	}
	var log sarifLog
	if err := json.Unmarshal(b.Bytes(), &log); err != nil {
		t.Fatal(err)
	}
	r := log.Runs[0]
	if len(r.Results) != 2 || r.Tool.Driver.Rules[r.Results[0].RuleIndex].ID != "unused" || r.Results[1].Level != "error" || len(r.Tool.Driver.Rules) != len(Rules()) {
		t.Errorf("got %s", b.String())
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
