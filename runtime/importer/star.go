package importer

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"

	"rig/runtime/fault"
)

// code collects the lines of a scenario.
type code struct {
	strings.Builder
	depth int
}

// line adds one line at the depth at hand; without a format it is empty.
func (c *code) line(format string, args ...any) {
	if format != "" {
		c.WriteString(strings.Repeat("    ", c.depth))
		fmt.Fprintf(c, format, args...)
	}
	c.WriteByte('\n')
}

// comment adds a text as comment lines.
func (c *code) comment(format string, args ...any) {
	for l := range strings.SplitSeq(fmt.Sprintf(format, args...), "\n") {
		c.line("%s", strings.TrimRight("# "+strings.Map(printable, l), " "))
	}
}

// doc adds a docstring.
func (c *code) doc(text string) {
	text = strings.ReplaceAll(strings.Map(printable, strings.TrimSpace(text)), `\`, `\\`)
	text = strings.ReplaceAll(text, `"""`, `\"\"\"`)
	if strings.HasSuffix(text, `"`) {
		text = text[:len(text)-1] + `\"`
	}
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		c.line(`"""%s"""`, lines[0])
		return
	}
	for i, l := range lines {
		switch l = strings.TrimRight(l, " \t"); {
		case i == 0:
			c.line(`"""%s`, l)
		default:
			c.line("%s", l)
		}
	}
	c.line(`"""`)
}

// printable drops what a source file may not have.
func printable(r rune) rune {
	if r == '\n' || r == '\t' || unicode.IsGraphic(r) {
		return r
	}
	return -1
}

// quote is a string literal of Starlark; SQL of several lines stands in triple quotes where that keeps its text.
func quote(s string) string {
	if strings.Contains(s, "\n") && !strings.ContainsAny(s, "\\\r\x00") && !strings.Contains(s, `"""`) && !strings.HasSuffix(s, `"`) &&
		strings.IndexFunc(s, func(r rune) bool { return printable(r) < 0 || r == unicode.ReplacementChar }) < 0 {
		return `"""` + s + `"""`
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return strings.ToValidUTF8(b.String(), "?")
}

func quoteAll(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = quote(s)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

// identifier makes a name of letters, digits and _ that does not begin with a digit.
func identifier(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		if r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			if gap && b.Len() > 0 {
				b.WriteByte('_')
			}
			b.WriteRune(r)
			gap = false
			continue
		}
		gap = true
	}
	out := b.String()
	if len(out) > 60 { // whole words where that leaves enough
		out = out[:60]
		if i := strings.LastIndexByte(out, '_'); i > 30 {
			out = out[:i]
		}
	}
	if out == "" || digit(out[0]) {
		return "n" + out
	}
	return out
}

// testName is identifier in lower case.
func testName(s string) string { return strings.ToLower(identifier(s)) }

// uniqueNames numbers tests of one name.
func uniqueNames(tests []test) {
	seen := map[string]bool{}
	for i := range tests {
		tests[i].name = unused(strings.ToLower(tests[i].name), seen)
	}
}

// unused is a name that was not given before.
func unused(name string, seen map[string]bool) string {
	try := name
	for n := 2; seen[try]; n++ {
		try = name + "_" + strconv.Itoa(n)
	}
	seen[try] = true
	return try
}

func suggest(word string, names []string) string {
	if s := fault.Suggest(word, names); s != "" {
		return fmt.Sprintf(", did you mean %q?", s)
	}
	return ""
}
