package format

import (
	"cmp"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/script"
)

// untab writes spaces for the tabs outside of literals and comments, since the formatter knows no others. An indentation keeps the
// column that the interpreter counts for it, so that blocks stay blocks.
func untab(text string, f *syntax.File) string {
	if !strings.Contains(text, "\t") {
		return text
	}
	var b strings.Builder
	at := 0
	for _, l := range literals(text, f) {
		spaces(&b, text[at:l.from], at == 0)
		b.WriteString(text[l.from:l.to])
		at = l.to
	}
	spaces(&b, text[at:], at == 0)
	return b.String()
}

// literals lists the places of strings and bytes, in their order.
func literals(text string, f *syntax.File) []edit {
	lines := []int{0} // where they begin
	for i := range len(text) {
		if text[i] == '\n' {
			lines = append(lines, i+1)
		}
	}
	var out []edit
	syntax.Walk(f, func(n syntax.Node) bool {
		if l, ok := n.(*syntax.Literal); ok && (l.Token == syntax.STRING || l.Token == syntax.BYTES) {
			from := lines[l.TokenPos.Line-1]
			from += script.Offset(text[from:], syntax.MakePosition(nil, 1, l.TokenPos.Col))
			out = append(out, edit{from: from, to: from + len(l.Raw)})
		}
		return true
	})
	slices.SortFunc(out, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	return out
}

// spaces copies code that holds no literal; begins says that it begins a line.
func spaces(b *strings.Builder, code string, begins bool) {
	for line := range strings.Lines(code) {
		if begins {
			rest := strings.TrimLeft(line, " \t")
			b.WriteString(strings.Repeat(" ", columns(line[:len(line)-len(rest)])))
			line = rest
		}
		begins = true
		before, comment, found := strings.Cut(line, "#")
		b.WriteString(strings.ReplaceAll(before, "\t", " "))
		if found {
			b.WriteString("#" + comment)
		}
	}
}

// columns is the width of an indentation as the scanner of go.starlark.net counts it: a tab goes on to the next stop of 8, where
// the tabs before it count as one place.
func columns(indent string) int {
	n := 0
	for i, c := range indent {
		if c == '\t' {
			n += 8 - i%8
		} else {
			n++
		}
	}
	return n
}
