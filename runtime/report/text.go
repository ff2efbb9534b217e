package report

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// clean makes text safe to show: control characters other than line end and tab become \x1b and the like, and so do bytes
// that are no UTF-8; characters that reorder or break lines unseen become \u202e and the like.
func clean(s string) string {
	at := firstUnsafe(s)
	if at < 0 {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	b = append(b, s[:at]...)
	for i := at; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = appendHex(b, s[i])
		case !unsafeRune(r):
			b = append(b, s[i:i+n]...)
		case r < 0x100:
			b = appendHex(b, byte(r))
		default:
			b = append(b, `\u`...)
			b = append(b, strconv.FormatUint(0x10000|uint64(r), 16)[1:]...)
		}
		i += n
	}
	return string(b)
}

func appendHex(b []byte, c byte) []byte {
	const digits = "0123456789abcdef"
	return append(b, '\\', 'x', digits[c>>4], digits[c&15])
}

func firstUnsafe(s string) int {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < 0x20 && c != '\n' && c != '\t' || c == 0x7f {
				return i
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || unsafeRune(r) {
			return i
		}
		i += n
	}
	return -1
}

// unsafeRune knows the control characters of ASCII and of Latin-1, the line ends of Unicode, and the marks that change
// the direction of text.
func unsafeRune(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r < 0x20, r >= 0x7f && r < 0xa0, r == 0x061c, r == 0xfeff:
		return true
	case r == 0x200e, r == 0x200f, r >= 0x2028 && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return true
	}
	return false
}

// oneLine is clean for a place that has room for one line: white space becomes single blanks.
func oneLine(s string) string {
	if strings.ContainsAny(s, "\n\t") || strings.Contains(s, "  ") {
		s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\t' || r == ' ' }), " ")
	}
	return clean(s)
}

// clip cuts text after n bytes, at a whole character, and says so.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n] + "..."
}

// indent puts prefix before every line of text that is not empty, and ends the text with a line end.
func indent(s, prefix string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n"), "\n") {
		if line != "" {
			b.WriteString(prefix)
			b.WriteString(line)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// span writes a duration with as many digits as a person wants.
func span(d time.Duration) string {
	switch {
	case d < 0:
		return "0ms"
	case d < time.Millisecond:
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 2, 64) + "ms"
	case d < 10*time.Millisecond:
		return strconv.FormatFloat(float64(d)/float64(time.Millisecond), 'f', 1, 64) + "ms"
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < time.Minute:
		return strconv.FormatFloat(d.Seconds(), 'f', 1, 64) + "s"
	}
	return d.Round(time.Second).String()
}

// count writes "1 row" and "2 rows".
func count(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

// fit cuts a line to a number of columns. Characters of East Asian scripts and pictures take two; others count one, which
// is too many for combining marks and never too few.
func fit(s string, columns int) string {
	used := 0
	for i, r := range s {
		used += runeWidth(r)
		if used > columns {
			return s[:i]
		}
	}
	return s
}

// runeWidth follows the wide ranges of Unicode's East Asian Width (UAX 11), taken broadly.
func runeWidth(r rune) int {
	switch {
	case r < 0x1100:
		return 1
	case r <= 0x115f, r >= 0x2e80 && r <= 0xa4cf, r >= 0xac00 && r <= 0xd7a3, r >= 0xf900 && r <= 0xfaff,
		r >= 0xfe30 && r <= 0xfe6f, r >= 0xff00 && r <= 0xff60, r >= 0xffe0 && r <= 0xffe6, r >= 0x1f000, r >= 0x231a && r <= 0x27bf:
		return 2
	}
	return 1
}
