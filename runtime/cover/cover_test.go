package cover

import (
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the goldens anew")

func sample() []File {
	return []File{
		{
			Path: "b.star", Source: "x = 1\n",
			Statements: []Statement{{Line: 1, Col: 1, Last: 1, Count: 1}},
		},
		{
			Path: "a <b>.star", Source: "def f(n):\n    if n:\n        return 1\n\n    fail(\n        \"<n>\")\ndef g():\n    pass\n",
			Statements: []Statement{
				{Line: 1, Col: 1, Last: 1, Count: 1},
				{Line: 2, Col: 5, Last: 2, Func: "f", First: true, Count: 4},
				{Line: 3, Col: 9, Last: 3, Func: "f", Count: 4},
				{Line: 5, Col: 5, Last: 6, Func: "f"},
				{Line: 7, Col: 1, Last: 7, Count: 1},
				{Line: 8, Col: 5, Last: 8, Func: "g", First: true},
			},
			Branches: []Branch{{Line: 2, Col: 8, Kind: "if", True: 4}, {Line: 8, Col: 1, Kind: "if"}},
		},
	}
}

func TestReports(t *testing.T) {
	for _, format := range Formats() {
		var b strings.Builder
		if err := Write(&b, format, sample()); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join("testdata", format+".golden")
		if *update {
			if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if b.String() != string(want) {
			t.Errorf("%s:\n%s\nwant:\n%s", format, b.String(), want)
		}
	}
	if err := Write(&strings.Builder{}, "pdf", nil); err == nil || !strings.Contains(err.Error(), `no coverage format "pdf"`) {
		t.Errorf("an unknown format gives %v", err)
	}
}

// TestLCOVAddsUp: the sums of a record are those of its lines, and no two functions have one name.
func TestLCOVAddsUp(t *testing.T) {
	files := sample()
	files[1].Statements = append(files[1].Statements, Statement{Line: 8, Col: 20, Last: 8, Func: "lambda", First: true, Count: 2}, Statement{Line: 8, Col: 30, Last: 8, Func: "lambda", First: true}, Statement{Line: 9, Col: 5, Last: 9, Func: "g", First: true})
	var b strings.Builder
	if err := Write(&b, "lcov", files); err != nil {
		t.Fatal(err)
	}
	for _, record := range strings.Split(strings.TrimSuffix(b.String(), "end_of_record\n"), "end_of_record\n") {
		n := map[string]int{}
		names := map[string]bool{}
		for line := range strings.Lines(record) {
			kind, rest, _ := strings.Cut(strings.TrimSpace(line), ":")
			last := rest[strings.LastIndex(rest, ",")+1:]
			switch kind {
			case "FN":
				if _, name, _ := strings.Cut(rest, ","); names[name] {
					t.Errorf("two functions are called %s", name)
				} else {
					names[name] = true
				}
				n["FNF"]++
			case "FNDA":
				if !strings.HasPrefix(rest, "0,") {
					n["FNH"]++
				}
			case "BRDA", "DA":
				all, hit := map[string]string{"BRDA": "BRF", "DA": "LF"}[kind], map[string]string{"BRDA": "BRH", "DA": "LH"}[kind]
				n[all]++
				if last != "0" && last != "-" {
					n[hit]++
				}
			case "FNF", "FNH", "BRF", "BRH", "LF", "LH":
				if rest != strconv.Itoa(n[kind]) {
					t.Errorf("%s is %s, but the lines say %d:\n%s", kind, rest, n[kind], record)
				}
			}
		}
	}
}

func TestTheEndingChooses(t *testing.T) {
	for path, want := range map[string]string{"c.html": "html", "C.HTM": "html", "lcov.info": "lcov", "c.lcov": "lcov", "c.txt": "text", "-": "text", "cover": "text"} {
		if got := FormatOf(path); got != want {
			t.Errorf("%s: %s, want %s", path, got, want)
		}
	}
}
