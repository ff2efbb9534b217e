package config

import (
	"bytes"
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"rig/runtime/fault"
)

// maxShown is how many characters of a line an excerpt shows.
const maxShown = 100

// excerpts gives every problem its line and puts the problems in the order of the file.
func (f *file) excerpts() {
	f.secrets = secretSpans(f.root)
	for _, s := range f.spots {
		hidden := f.secrets
		if s.syntax {
			hidden = append(slices.Clone(hidden), f.guess(f.line(s.at.start)))
		}
		s.problem.Excerpt = f.excerpt(s.at, hidden)
	}
	slices.SortStableFunc(f.problems, func(a, b *Problem) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col))
	})
}

// line is the line that an offset is in, without its end.
func (f *file) line(offset int) span {
	start := bytes.LastIndexByte(f.data[:offset], '\n') + 1
	end := len(f.data)
	if i := bytes.IndexByte(f.data[start:], '\n'); i >= 0 {
		end = start + i
	}
	for end > start && f.data[end-1] == '\r' {
		end--
	}
	return span{start, end}
}

// excerpt shows the line of a place with carets under it; what is hidden shows as ***.
func (f *file) excerpt(at span, hidden []span) string {
	line := f.near(f.line(at.start), at.start)
	text, from, to := f.shown(line, at, hidden)
	if len(text) > maxShown {
		low := max(0, min(from-maxShown/3, len(text)-maxShown))
		text, from, to = text[low:low+maxShown], from-low, min(to-low, maxShown)
	}
	number := fmt.Sprint(f.pos(at.start).Line)
	var pad strings.Builder
	for _, r := range text[:from] {
		if r != '\t' {
			r = ' '
		}
		pad.WriteRune(r)
	}
	return fmt.Sprintf("  %s | %s\n  %s | %s%s", number, string(text), strings.Repeat(" ", len(number)), pad.String(), strings.Repeat("^", max(1, to-from)))
}

// near is the part of a very long line around an offset.
func (f *file) near(line span, offset int) span {
	const most = 1000 // bytes on each side: more than is shown
	start, end := max(line.start, offset-most), min(line.end, offset+most)
	for start > line.start && !utf8.RuneStart(f.data[start]) {
		start--
	}
	for end < line.end && !utf8.RuneStart(f.data[end]) {
		end++
	}
	return span{start, end}
}

// shown is the line's text as it may be printed, and where in it the place is.
func (f *file) shown(line, at span, hidden []span) (text []rune, from, to int) {
	from, to = -1, -1
	hidden = slices.DeleteFunc(slices.Clone(hidden), func(h span) bool { return h.end <= line.start || h.start >= line.end })
	for i := line.start; i < line.end; {
		size := 0
		if h := covering(hidden, i); h.end > i {
			size = min(h.end, line.end) - i
		}
		var out []rune
		if size > 0 {
			out = []rune(mask)
		} else {
			out, size = f.printable(i)
		}
		if from < 0 && at.start < i+size {
			from = len(text)
		}
		if i < at.end {
			to = len(text) + len(out)
		}
		text = append(text, out...)
		i += size
	}
	if from < 0 {
		from = len(text)
	}
	return text, from, max(from, to)
}

// printable is the character at an offset; those that would move the cursor show as ·.
func (f *file) printable(offset int) ([]rune, int) {
	r, size := utf8.DecodeRune(f.data[offset:])
	if r != '\t' && !unicode.IsPrint(r) {
		r = '·'
	}
	return []rune{r}, size
}

func covering(spans []span, offset int) span {
	for _, s := range spans {
		if s.start <= offset && offset < s.end {
			return s
		}
	}
	return span{}
}

// How the lines of a file begin; never written to.
var (
	headerLine = regexp.MustCompile(`^\s*\[\[?[\w. -]*\]?\]?`)
	keyLine    = regexp.MustCompile(`^(\s*[{,]?\s*)["']?([\w-]+)["']?(\s*[=:]?\s*)`)
)

// guess gives the part of a line that must not be shown when nobody knows what it means: all but a table's name, or a
// key with its sign; the line of a setting that is no secret is shown whole.
func (f *file) guess(line span) span {
	text := string(f.data[line.start:line.end])
	before := f.data[:line.start]
	if !f.json && (bytes.Contains(before, []byte(`"""`)) || bytes.Contains(before, []byte(`'''`))) {
		return line // perhaps inside a text of several lines
	}
	if m := headerLine.FindString(text); m != "" {
		return span{line.start + len(m), line.end}
	}
	m := keyLine.FindStringSubmatch(text)
	if m == nil {
		return line
	}
	word, rest := m[2], text[len(m[0]):]
	known := plainKey(word)
	switch {
	case known && !strings.ContainsAny(rest, ":@"):
		return span{}
	case known || strings.TrimSpace(m[3]) != "":
		return span{line.start + len(m[0]), line.end}
	}
	return line
}

// plainKey reports whether a key, or the one that it was probably meant to be, is a setting that holds no secret.
func plainKey(key string) bool {
	names := append(keyNames(), "params", "profiles", "targets")
	if !slices.Contains(names, key) {
		key = fault.Suggest(key, names)
	}
	_, ok := keyNamed(key)
	return ok && key != "target"
}

// plainField is the same for the keys of a target.
func plainField(key string) bool {
	names := fieldNames()
	if !slices.Contains(names, key) {
		key = fault.Suggest(key, names)
	}
	return slices.Contains(names, key) && key != "url" && key != "dsn" && key != "password"
}

// secretSpans gives the places of all values that may hold a password: addresses, passwords, parameters, and whatever
// has a name that nobody knows.
func secretSpans(root *node) []span {
	spans := secretSettings(root)
	for _, e := range root.entries {
		if e.value.shape != shapeTable {
			continue
		}
		for _, inner := range e.value.entries {
			switch e.key {
			case "profiles":
				spans = append(spans, secretSettings(inner.value)...)
			case "targets":
				spans = append(spans, secretEntries(inner.value, plainField)...)
			}
		}
	}
	return spans
}

func secretSettings(table *node) []span {
	return secretEntries(table, func(key string) bool {
		return plainKey(key) || key == "profiles" || key == "targets"
	})
}

func secretEntries(table *node, plain func(string) bool) []span {
	var spans []span
	for _, e := range table.entries {
		spans = append(spans, scalars(e.value, !plain(e.key))...)
	}
	return spans
}

// scalars gives the places of a value's parts: all of them, or those that look like an address.
func scalars(n *node, all bool) []span {
	var spans []span
	for _, i := range n.items {
		spans = append(spans, scalars(i, all)...)
	}
	for _, e := range n.entries {
		spans = append(spans, scalars(e.value, all)...)
	}
	if n.shape != shapeList && n.shape != shapeTable && (all || strings.Contains(n.text, "@")) {
		spans = append(spans, n.at)
	}
	return spans
}
