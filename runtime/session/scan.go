package session

// token is a piece of SQL that matters here.
type token uint8

const (
	tokEnd token = iota
	tokPlaceholder
	tokSemicolon
	tokWord
	tokOther
)

// lexer walks SQL outside strings, quoted names and comments. Executable comments (/*! ... */, /*M! ... */) count as
// code, as the server takes them.
type lexer struct {
	sql         string
	i           int
	noBackslash bool // sql_mode has NO_BACKSLASH_ESCAPES
}

// next gives the next token and its place.
func (l *lexer) next() (t token, start, end int) {
	for l.i < len(l.sql) {
		start = l.i
		switch c := l.sql[l.i]; {
		case c <= ' ':
			l.i++
		case c == '\'' || c == '"' || c == '`':
			l.quoted(c)
			return tokOther, start, l.i
		case c == '#' || c == '-' && l.dashes():
			l.line()
		case c == '/' && l.at(1) == '*':
			l.comment()
		case c == '*' && l.at(1) == '/': // the end of an executable comment
			l.i += 2
		case c == '?':
			l.i++
			return tokPlaceholder, start, l.i
		case c == ';':
			l.i++
			return tokSemicolon, start, l.i
		case wordByte(c):
			for l.i < len(l.sql) && wordByte(l.sql[l.i]) {
				l.i++
			}
			return tokWord, start, l.i
		default:
			l.i++
			return tokOther, start, l.i
		}
	}
	return tokEnd, l.i, l.i
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

// at is the byte n after the current one, 0 past the end.
func (l *lexer) at(n int) byte {
	if l.i+n < len(l.sql) {
		return l.sql[l.i+n]
	}
	return 0
}

// dashes reports whether a comment begins here: the server wants a blank or a control character after the dashes.
func (l *lexer) dashes() bool {
	return l.at(1) == '-' && (l.i+2 >= len(l.sql) || l.at(2) <= ' ')
}

func (l *lexer) line() {
	for l.i < len(l.sql) && l.sql[l.i] != '\n' {
		l.i++
	}
}

// comment passes a comment, or only the mark that begins an executable one.
func (l *lexer) comment() {
	mark := 2
	if l.at(2) == 'M' {
		mark = 3
	}
	if l.at(mark) == '!' {
		l.i += mark + 1
		for l.i < len(l.sql) && l.sql[l.i] >= '0' && l.sql[l.i] <= '9' {
			l.i++
		}
		return
	}
	l.i += 2
	for l.i < len(l.sql) && !(l.sql[l.i] == '*' && l.at(1) == '/') {
		l.i++
	}
	l.i = min(l.i+2, len(l.sql))
}

// quoted passes a string or a quoted name; a doubled quote is two neighbours, which comes to the same.
func (l *lexer) quoted(quote byte) {
	l.i++
	for l.i < len(l.sql) {
		switch c := l.sql[l.i]; {
		case c == '\\' && quote != '`' && !l.noBackslash:
			l.i = min(l.i+2, len(l.sql))
		case c == quote:
			l.i++
			return
		default:
			l.i++
		}
	}
}

// Placeholders counts the `?` of a statement that are places of arguments; sure is false where that depends on the sql_mode.
func Placeholders(sql string) (n int, sure bool) {
	n = placeholders(sql, false)
	return n, n == placeholders(sql, true)
}

// placeholders counts the `?` of a statement.
func placeholders(sql string, noBackslash bool) int {
	l := lexer{sql: sql, noBackslash: noBackslash}
	n := 0
	for {
		switch t, _, _ := l.next(); t {
		case tokEnd:
			return n
		case tokPlaceholder:
			n++
		}
	}
}

// statements cuts SQL at its top-level semicolons. A CREATE or ALTER of something with a BEGIN ... END body reaches to
// the end, because its semicolons are its own.
func statements(sql string, noBackslash bool) []string {
	l := lexer{sql: sql, noBackslash: noBackslash}
	var out []string
	begin, words := 0, 0
	defines, compound := false, false
	for {
		t, start, end := l.next()
		switch {
		case t == tokEnd || t == tokSemicolon && !compound:
			if words > 0 {
				out = append(out, trim(sql[begin:start]))
			}
			if t == tokEnd {
				return out
			}
			begin, words, defines = end, 0, false
		case t == tokWord:
			w := sql[start:end]
			defines = defines || words == 0 && (isWord(w, "CREATE") || isWord(w, "ALTER"))
			compound = compound || defines && isWord(w, "BEGIN")
			words++
		case t == tokOther && words == 0 && sql[start] == '(':
			words++
		}
	}
}

func trim(s string) string {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// isWord compares without regard to case; upper is in upper case.
func isWord(w, upper string) bool {
	if len(w) != len(upper) {
		return false
	}
	for i := range len(w) {
		c := w[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != upper[i] {
			return false
		}
	}
	return true
}
