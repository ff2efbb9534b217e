package format

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/script"
)

// mask hides what the formatter does not know. `while c:` becomes `for STEM in c:`, which has the same shape; a bytes literal
// becomes a name, as does a string in single quotes with tabs: the formatter would write \t for them. STEM occurs nowhere in the text.
type mask struct {
	text   string
	stem   string
	hidden []string // the literals, by number
	loops  int
}

func newMask(text string) *mask {
	m := &mask{text: text, stem: "masked"}
	for strings.Contains(text, m.stem) {
		m.stem += "_"
	}
	return m
}

type edit struct {
	from, to int
	text     string
}

// hide gives the text with its stand-ins.
func (m *mask) hide(f *syntax.File) string {
	var edits []edit
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.LoadStmt:
			return false // it takes no stand-ins
		case *syntax.WhileStmt:
			from := script.Offset(m.text, n.While)
			edits = append(edits, edit{from, from + len("while"), "for " + m.stem + " in"})
			m.loops++
		case *syntax.Literal:
			if n.Token == syntax.BYTES || requoted(n) && strings.Contains(n.Raw, "\t") {
				from := script.Offset(m.text, n.TokenPos)
				edits = append(edits, edit{from, from + len(n.Raw), fmt.Sprintf("%s%dx", m.stem, len(m.hidden))})
				m.hidden = append(m.hidden, n.Raw)
			}
		}
		return true
	})
	slices.SortFunc(edits, func(a, b edit) int { return cmp.Compare(a.from, b.from) })
	var b strings.Builder
	at := 0
	for _, e := range edits {
		b.WriteString(m.text[at:e.from] + e.text)
		at = e.to
	}
	return b.String() + m.text[at:]
}

// requoted reports a string that the formatter puts into double quotes.
func requoted(l *syntax.Literal) bool {
	return l.Token == syntax.STRING && strings.HasPrefix(strings.TrimPrefix(l.Raw, "r"), "'")
}

// show puts everything back; ok is false when a stand-in is missing or there twice.
func (m *mask) show(text string) (string, bool) {
	loop := "for " + m.stem + " in"
	if strings.Count(text, loop) != m.loops {
		return "", false
	}
	text = strings.ReplaceAll(text, loop, "while")
	seen := 0
	text = regexp.MustCompile(regexp.QuoteMeta(m.stem)+`(\d+)x`).ReplaceAllStringFunc(text, func(s string) string {
		n := 0
		if _, err := fmt.Sscanf(strings.TrimPrefix(s, m.stem), "%dx", &n); err != nil || n >= len(m.hidden) {
			return s
		}
		seen++
		return m.hidden[n]
	})
	return text, seen == len(m.hidden)
}
