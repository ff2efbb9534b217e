package script

import (
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                false,
		"1 + 2\n":                         false,
		"x = (1,\n":                       true,
		"x = (1,\n2)\n":                   false,
		"def f():\n":                      true,
		"def f():\n\n":                    false,
		"def f(x):\n    for y in x:\n":    true,
		"def f():\n    return 1\n":        true,
		"def f():\n    return 1\n\n":      false,
		"x = \"\"\"one\n":                 true,
		"x = \"\"\"one\n\ntwo\"\"\"\n":    false,
		"x = 'one\n":                      false,
		"if x:\n    1\nelse:\n":           true,
		"if x:\n    1\nelse:\n    2\n\n":  false,
		"1 +* 2\n":                        false,
		"for i in range(3): print(i)\n":   true,
		"for i in range(3): print(i)\n\n": false,
		"x = [\n\n":                       true,
	} {
		if got := Open(text); got != want {
			t.Errorf("Open(%q) = %t", text, got)
		}
	}
}

func TestIndentLeavesStrings(t *testing.T) {
	got := Indent("x = f(\"\"\"a\n  b\n\"\"\",\n  1)\ny = 2", "    ")
	want := "    x = f(\"\"\"a\n  b\n\"\"\",\n      1)\n    y = 2"
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !strings.HasPrefix(Indent("broken (", "  "), "  ") {
		t.Error("what does not parse is shifted, too")
	}
}
