package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rig/runtime/lint"
)

const lintSamples = "../../runtime/lint/testdata"

// wanted reads what a sample expects: the codes behind "# want" on each line.
func wanted(text string) []string {
	var out []string
	for i, line := range strings.Split(text, "\n") {
		if _, codes, ok := strings.Cut(line, "# want "); ok {
			for _, code := range strings.Fields(codes) {
				out = append(out, fmt.Sprintf("%d %s", i+1, code))
			}
		}
	}
	return out
}

func findings(t *testing.T, path string) []string {
	t.Helper()
	found, err := lintFiles([]string{path})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range found {
		if f.Pos.Col == 0 || f.Msg == "" {
			t.Errorf("%s: no place or no message: %+v", path, f)
		}
		out = append(out, fmt.Sprintf("%d %s", f.Pos.Line, f.Code))
	}
	return out
}

// TestLintRules: each rule finds what its bad sample marks and nothing else, and nothing in its good one.
func TestLintRules(t *testing.T) {
	for _, r := range lint.Rules() {
		t.Run(r.Code, func(t *testing.T) {
			if !strings.HasSuffix(r.Doc, ".") {
				t.Errorf("the doc is no sentence: %q", r.Doc)
			}
			for _, name := range []string{r.Code + ".bad.star", r.Code + ".good.star"} {
				path := filepath.Join(lintSamples, name)
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				want := wanted(string(b))
				if r.Code == "bad-ignore" && strings.Contains(name, "bad.") {
					want = []string{"2 bad-ignore", "3 bad-ignore", "5 bad-ignore"} // a comment cannot have a second one
				}
				if strings.Contains(name, "bad.") && !slices.ContainsFunc(want, func(w string) bool { return strings.HasSuffix(w, " "+r.Code) }) {
					t.Errorf("%s does not show the rule", name)
				}
				if got := findings(t, path); !slices.Equal(got, want) {
					t.Errorf("%s:\ngot  %v\nwant %v", name, got, want)
				}
			}
		})
	}
}

// TestRulesAreInTheManual: docs/editors.md lists what rig lint looks for.
func TestRulesAreInTheManual(t *testing.T) {
	b, err := os.ReadFile("../../docs/editors.md")
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, r := range lint.Rules() {
		fmt.Fprintf(&want, "| `%s` | %s |\n", r.Code, r.Doc)
	}
	if !strings.Contains(string(b), want.String()) {
		t.Errorf("docs/editors.md lacks\n%s", want.String())
	}
}

// TestLibraryNeedsNoTests: what is a rule of files with tests is none of a file that is there to be loaded.
func TestLibraryNeedsNoTests(t *testing.T) {
	if got := findings(t, filepath.Join(lintSamples, "library.star")); got != nil {
		t.Errorf("got %v", got)
	}
}

// TestGalleryIsClean: rig lint has nothing to say about our own scripts.
func TestGalleryIsClean(t *testing.T) {
	files, err := expand([]string{"../../scripts", "../../stdlib", "starters"})
	if err != nil || len(files) < 50 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	found, err := lintFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	lint.Text(&b, found)
	if b.Len() > 0 {
		t.Error(b.String())
	}
}

// TestSamplesAreClean: rig lint has nothing to say about what the docs show. An example of a built-in shows that and need not expect;
// that of breakpoint stops.
func TestSamplesAreClean(t *testing.T) {
	dir := t.TempDir()
	var files []string
	examples := map[string]bool{}
	for i, s := range append(docSamples(t), exampleSamples()...) {
		code := s.code
		if !strings.Contains(code, "def test_") {
			code = s.inTest()
		}
		path := filepath.Join(dir, fmt.Sprintf("%03d.star", i))
		examples[path] = code != s.code
		if err := os.WriteFile(path, []byte(fmt.Sprintf("# %s\n%s", s.where, code)), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	found, err := lintFiles(files)
	if err != nil {
		t.Fatal(err)
	}
	found = slices.DeleteFunc(found, func(f lint.Finding) bool {
		return slices.Contains([]string{"no-expectation", "breakpoint"}, f.Code) && examples[f.Pos.File]
	})
	var b strings.Builder
	lint.Text(&b, found)
	if b.Len() > 0 {
		t.Error(b.String())
	}
}
