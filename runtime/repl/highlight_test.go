package repl

import (
	"strings"
	"testing"
)

func TestHighlight(t *testing.T) {
	paint := strings.NewReplacer("<b>", "\x1b[34m", "<g>", "\x1b[32m", "<d>", "\x1b[2m", "<>", "\x1b[0m")
	for text, want := range map[string]string{
		"x = 1":                          "x = 1",
		"def f(x): # why":                "<b>def<> f(x): <d># why<>",
		`select = "select" in names`:     `select = <g>"select"<> <b>in<> names`,
		"SELECT 'a' from t # no comment": "<b>SELECT<> <g>'a'<> <b>from<> t # no comment",
		"x = \"\"\"a\nfor":               "x = <g>\"\"\"a\nfor<>",
		`"open \" for`:                   `<g>"open \" for<>`,
	} {
		if got := Highlight(text); got != paint.Replace(want) {
			t.Errorf("%s: %q, want %q", text, got, paint.Replace(want))
		}
	}
}
