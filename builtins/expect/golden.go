package expect

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Goldens says how expect.golden treats its files.
type Goldens struct {
	Update bool // write them
	CI     bool // a missing one is a failure instead of being written
}

var goldenName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

func goldenFunc(g Goldens) *spec.Func {
	return &spec.Func{
		Name: "golden", Doc: "Expects a value to print as it did before: its text is kept in <file>.golden/<name>.txt, or <name>.<target>.txt where one exists for the target's kind. --update-goldens writes the file; a missing one is written too, but under CI it is a failure.",
		Params: []spec.Param{
			{Name: "name", Type: "str", Doc: "The golden's name: letters, digits, _ and -."},
			{Name: "value", Type: "any", Doc: "The value; rows are kept as a table."},
		},
		Example: `
# expect.golden("plan", t.db.query("EXPLAIN SELECT 1"))
`,
		Impl: func(c *spec.Call) (starlark.Value, error) {
			t, err := scenario.FromThread(c.Thread)
			if err != nil {
				return nil, errNoTest
			}
			name := c.Str("name")
			if !goldenName.MatchString(name) {
				return nil, c.Errorf("name", "want letters, digits, _ and -, got %q", name)
			}
			file, _, _ := strings.Cut(t.ID(), "::")
			dir := file + ".golden"
			path := filepath.Join(dir, name+".txt")
			if special := filepath.Join(dir, name+"."+t.TargetInfo().Type+".txt"); exists(special) {
				path = special
			}
			return g.compare(c, path, goldenText(c.Arg("value")))
		},
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func goldenText(v starlark.Value) string {
	s := v.String()
	if text, ok := starlark.AsString(v); ok {
		s = text
	}
	if r, ok := v.(*value.Rows); ok {
		s = value.Table(r, r.Len())
	}
	return strings.TrimRight(s, "\n") + "\n"
}

func (g Goldens) compare(c *spec.Call, path, got string) (starlark.Value, error) {
	want, err := os.ReadFile(path)
	missing := os.IsNotExist(err)
	if err != nil && !missing {
		return nil, fmt.Errorf("read golden: %w", err)
	}
	switch {
	case missing && g.CI && !g.Update:
		return verdict(c, false, "there is no golden "+path, "write it with --update-goldens and commit it")
	case missing, g.Update:
		if string(want) != got {
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				return nil, fmt.Errorf("write golden: %w", err)
			}
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				return nil, fmt.Errorf("write golden: %w", err)
			}
			if t, err := scenario.FromThread(c.Thread); err == nil {
				t.Emit(script.CallerPos(c.Thread), &event.Log{Level: "info", Message: "wrote the golden " + path})
			}
		}
		return verdict(c, true, "", "")
	}
	if string(want) == got {
		return verdict(c, true, "", "")
	}
	a, b := split(got), split(string(want))
	diff := value.Diff(a, b, func(i, j int) bool { return a[i][0] == b[j][0] })
	var out strings.Builder
	for _, l := range diff {
		out.WriteString(strings.TrimRight(strings.Join(l, " "), " ") + "\n")
	}
	return verdict(c, false, "the value differs from "+path+" (+ is there, - is missing)", out.String()+"--update-goldens takes it over")
}

func split(s string) [][]string {
	var out [][]string
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		out = append(out, []string{line})
	}
	return out
}
