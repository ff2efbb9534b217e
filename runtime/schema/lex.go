package schema

import (
	"slices"
	"strings"
)

// token is a piece of SQL: a word, a quoted name, a text, or one mark.
type token struct {
	text       string // without the quotes of a name
	word       bool   // a word, or a quoted name
	quoted     bool   // in backquotes
	comment    bool
	start, end int
}

// is reports whether it is the keyword, which is in upper case.
func (t token) is(keyword string) bool {
	return t.word && !t.quoted && strings.EqualFold(t.text, keyword)
}

// name reports whether it may name something.
func (t token) name() bool {
	return t.word && t.text != "" && (t.quoted || t.text[0] < '0' || t.text[0] > '9')
}

// lex cuts a text, which may end anywhere, into tokens without the comments.
func lex(sql string) []token {
	return slices.DeleteFunc(pieces(sql), func(t token) bool { return t.comment })
}

// inside reports whether a place is within a text or a comment of the statement.
func inside(sql string, at int) bool {
	for _, t := range pieces(sql[:at] + " ") { // the blank is in what is open
		if !t.word && t.end > at {
			return true
		}
	}
	return false
}

func pieces(sql string) []token {
	var out []token
	for at := 0; at < len(sql); {
		c := sql[at]
		end := at + 1
		switch {
		case c == '#' || strings.HasPrefix(sql[at:], "-- "):
			end = until(sql, at, "\n")
			out = append(out, token{comment: true, start: at, end: end})
		case strings.HasPrefix(sql[at:], "/*"):
			end = until(sql, at+2, "*/")
			out = append(out, token{comment: true, start: at, end: end})
		case c == '`':
			end = until(sql, at+1, "`")
			out = append(out, token{text: strings.TrimSuffix(sql[at+1:end], "`"), word: true, quoted: true, start: at, end: end})
		case c == '\'' || c == '"':
			end = textEnd(sql, at)
			out = append(out, token{text: sql[at:end], start: at, end: end})
		case wordByte(c):
			for end < len(sql) && wordByte(sql[end]) {
				end++
			}
			out = append(out, token{text: sql[at:end], word: true, start: at, end: end})
		case strings.HasPrefix(sql[at:], "%s"): // a place that the script fills
			end++
			out = append(out, token{text: "%s", start: at, end: end})
		case c > ' ':
			out = append(out, token{text: sql[at:end], start: at, end: end})
		}
		at = end
	}
	return out
}

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func until(sql string, at int, mark string) int {
	i := strings.Index(sql[min(at, len(sql)):], mark)
	if i < 0 {
		return len(sql)
	}
	return at + i + len(mark)
}

func textEnd(sql string, at int) int {
	for i := at + 1; i < len(sql); i++ {
		switch sql[i] {
		case '\\':
			i++
		case sql[at]:
			return i + 1
		}
	}
	return len(sql)
}
