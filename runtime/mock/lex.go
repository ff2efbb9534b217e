package mock

import (
	"encoding/hex"
	"strings"
)

// token is a piece of SQL.
type token struct {
	kind  tokenKind
	text  string // as it is compared: words in lower case, names without quotes
	raw   string // as it was written
	value Value  // of a literal
	space bool   // something blank stood before it
}

type tokenKind int

const (
	tokWord tokenKind = iota
	tokName           // quoted
	tokLiteral
	tokPlace // ?
	tokOther
)

// lex splits SQL. It takes any bytes: what is unfinished reaches to the end.
func lex(sql string) []token {
	l := lexer{sql: sql}
	var out []token
	for {
		t, ok := l.next()
		if !ok {
			break
		}
		out = append(out, t)
	}
	for len(out) > 0 && out[len(out)-1].kind == tokOther && out[len(out)-1].text == ";" {
		out = out[:len(out)-1]
	}
	return out
}

type lexer struct {
	sql string
	at  int
}

func (l *lexer) peek(n int) byte {
	if l.at+n < len(l.sql) {
		return l.sql[l.at+n]
	}
	return 0
}

// blanks skips white space and comments, the versioned ones too.
func (l *lexer) blanks() (any bool) {
	for l.at < len(l.sql) {
		rest := l.sql[l.at:]
		n := 0
		switch {
		case strings.IndexByte(" \t\r\n\f\v", rest[0]) >= 0:
			n = 1
		case rest[0] == '#', strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
			n = strings.IndexByte(rest, '\n') + 1
			if n == 0 {
				n = len(rest)
			}
		case strings.HasPrefix(rest, "/*"):
			end := strings.Index(rest[2:], "*/")
			n = end + 4
			if end < 0 {
				n = len(rest)
			}
		default:
			return any
		}
		l.at += n
		any = true
	}
	return any
}

func (l *lexer) next() (token, bool) {
	space := l.blanks()
	if l.at >= len(l.sql) {
		return token{}, false
	}
	from := l.at
	t := l.scan()
	t.raw, t.space = l.sql[from:l.at], space
	return t, true
}

func (l *lexer) scan() token {
	switch c := l.peek(0); {
	case c == '\'' || c == '"':
		return token{kind: tokLiteral, value: Value{Text, l.quoted(c)}}
	case c == '`':
		return token{kind: tokName, text: l.quoted(c)}
	case c == '?':
		l.at++
		return token{kind: tokPlace, text: "?"}
	case digit(c), c == '.' && digit(l.peek(1)):
		return l.number()
	case wordByte(c):
		return l.word()
	}
	l.at++
	return token{kind: tokOther, text: l.sql[l.at-1 : l.at]}
}

// quoted reads from an opening quote to its end, with doubled quotes and, but for names, backslashes.
func (l *lexer) quoted(q byte) string {
	var b strings.Builder
	for l.at++; l.at < len(l.sql); l.at++ {
		c := l.sql[l.at]
		switch {
		case c == q && l.peek(1) == q:
			l.at++
		case c == q:
			l.at++
			return b.String()
		case c == '\\' && q != '`' && l.at+1 < len(l.sql):
			l.at++
			c = unescape(l.sql[l.at])
		}
		b.WriteByte(c)
	}
	return b.String()
}

func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case '0':
		return 0
	case 'Z':
		return 26
	case 'b':
		return '\b'
	}
	return c
}

func (l *lexer) number() token {
	from, kind := l.at, Int
	if l.peek(0) == '0' && (l.peek(1) == 'x' || l.peek(1) == 'X') {
		l.at += 2
		digits := l.run(func(c byte) bool { return wordByte(c) })
		return token{kind: tokLiteral, value: Value{Bytes, unhex(digits)}}
	}
	l.run(digit)
	if l.peek(0) == '.' {
		kind = Decimal
		l.at++
		l.run(digit)
	}
	if c := l.peek(0); c == 'e' || c == 'E' {
		n := 1
		if s := l.peek(1); s == '+' || s == '-' {
			n = 2
		}
		if digit(l.peek(n)) {
			kind = Float
			l.at += n
			l.run(digit)
		}
	}
	return token{kind: tokLiteral, value: Value{kind, l.sql[from:l.at]}}
}

func (l *lexer) word() token {
	word := strings.ToLower(l.run(wordByte))
	switch {
	case word == "null":
		return token{kind: tokLiteral, value: Value{Kind: Null}}
	case word == "true":
		return token{kind: tokLiteral, value: Value{Int, "1"}}
	case word == "false":
		return token{kind: tokLiteral, value: Value{Int, "0"}}
	case word == "x" && l.peek(0) == '\'':
		return token{kind: tokLiteral, value: Value{Bytes, unhex(l.quoted('\''))}}
	case word[0] == '_': // perhaps the character set of the literal that follows
		return l.introduced(word)
	}
	return token{kind: tokWord, text: word}
}

func (l *lexer) introduced(word string) token {
	before := l.at
	l.blanks()
	v := Value{Kind: Text}
	if word == "_binary" {
		v.Kind = Bytes
	}
	c, next := l.peek(0), l.peek(1)
	switch {
	case c == '\'' || c == '"':
		v.Text = l.quoted(c)
	case c|0x20 == 'x' && next == '\'':
		l.at++
		v.Text = unhex(l.quoted('\''))
	case c == '0' && next|0x20 == 'x':
		v.Text = l.number().value.Text
	default:
		l.at = before
		return token{kind: tokWord, text: word}
	}
	return token{kind: tokLiteral, value: v}
}

func (l *lexer) run(in func(byte) bool) string {
	from := l.at
	for l.at < len(l.sql) && in(l.sql[l.at]) {
		l.at++
	}
	return l.sql[from:l.at]
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func wordByte(c byte) bool {
	return c == '_' || c == '$' || c == '@' || digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}

func unhex(s string) string {
	if len(s)%2 == 1 {
		s = "0" + s
	}
	b, _ := hex.DecodeString(s) // what is no digit ends it
	return string(b)
}

// fill puts the arguments of a prepared statement in place of its ?, with blanks around them as sessions write them into the
// text. Places without an argument stay.
func fill(tokens []token, args []Value) []token {
	out := make([]token, 0, len(tokens))
	n, filled := 0, false
	for _, t := range tokens {
		t.space = t.space || filled
		if filled = t.kind == tokPlace && n < len(args); filled {
			out = append(out, literal(args[n])...)
			n++
			continue
		}
		out = append(out, t)
	}
	return out
}

// literal gives a value as lex would: a negative number is a minus with the number after it.
func literal(v Value) []token {
	digits, negative := strings.CutPrefix(v.Text, "-")
	if !negative || !v.numeric() {
		return []token{{kind: tokLiteral, value: v, raw: v.literal(), space: true}}
	}
	return []token{
		{kind: tokOther, text: "-", raw: "-", space: true},
		{kind: tokLiteral, value: Value{v.Kind, digits}, raw: digits},
	}
}

func places(tokens []token) int {
	n := 0
	for _, t := range tokens {
		if t.kind == tokPlace {
			n++
		}
	}
	return n
}

// text writes tokens in the one form that both protocols give: blanks reduced, none inside parentheses or before a comma.
func text(tokens []token) string {
	var b strings.Builder
	last := "("
	for _, t := range tokens {
		piece := t.raw
		if t.kind == tokLiteral {
			piece = t.value.literal()
		}
		if t.space && last != "(" && piece != ")" && piece != "," && piece != ";" {
			b.WriteByte(' ')
		}
		b.WriteString(piece)
		last = piece
	}
	return b.String()
}
