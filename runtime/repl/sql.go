package repl

import (
	"regexp"
	"strings"

	"rig/runtime/schema"
	"rig/runtime/script"
)

// Statement is one of an input. Vertical is \G in place of the semicolon: a line for each column.
type Statement struct {
	SQL      string
	Vertical bool
}

// IsSQL decides what an input is: SQL begins with a verb, or ends with a semicolon and is no script. known tells names that
// have a value: where a verb is a word of scripts, too, it counts only without one.
func IsSQL(text string, known func(name string) bool) bool {
	t := strings.TrimSpace(text)
	if strings.HasPrefix(t, ":") || t == "" {
		return false
	}
	if beginsSQL(t, known) {
		return true
	}
	ends := strings.HasSuffix(t, ";") || strings.HasSuffix(t, `\G`)
	return ends && !script.Parses(t+"\n")
}

// otherSQL fits what begins SQL and is no verb: a query in parentheses, or a comment.
var otherSQL = regexp.MustCompile(`^(?i:\(\s*)+(?i:select|with|values|table)\s|^--(\s|$)|^/\*`)

func beginsSQL(text string, known func(name string) bool) bool {
	t := strings.TrimSpace(text)
	return verb(t, known) || otherSQL.MatchString(t)
}

func verb(t string, known func(name string) bool) bool {
	end := strings.IndexFunc(t, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r >= '0' && r <= '9')
	})
	word, rest := t, ""
	if end >= 0 {
		word, rest = t[:end], t[end:]
	}
	if !schema.IsVerb(word) {
		return false
	}
	rest = strings.TrimRight(rest, "; \n\t")
	switch {
	case rest == "":
		return word == strings.ToUpper(word) || known == nil || !known(word)
	case rest[0] != ' ' && rest[0] != '\n' && rest[0] != '\t' && rest[0] != '*' && rest[0] != '`' && rest[0] != ';' && !(rest[0] == '(' && strings.EqualFold(word, "VALUES")):
		return false
	}
	next := strings.TrimLeft(rest, " \n\t")
	for _, op := range []string{"=", "+=", "-=", ".", "in ", "==", "and ", "or ", "if ", "["} {
		if strings.HasPrefix(next, op) {
			return false
		}
	}
	return true
}

// Statements splits SQL where the delimiter ends a statement, or \G does. Comments alone are none.
func Statements(text, delimiter string) []Statement {
	var out []Statement
	s := newScanner(text, delimiter)
	for {
		p := s.statement()
		if sql := strings.TrimSpace(strings.ReplaceAll(text[p.from:p.to], "\\\n", "\n")); sql != "" && len(p.tokens) > 0 {
			out = append(out, Statement{sql, p.vertical})
		}
		if !p.ended {
			return out
		}
	}
}

// piece is one statement of a text, as far as the text has it.
type piece struct {
	from, to int
	tokens   []string // words in upper case, and the marks between them, outside of parentheses and quotations
	ended    bool     // by the delimiter or by \G
	vertical bool
	open     bool // a quotation, a comment or a parenthesis has not ended
	body     int  // how many BEGIN and CASE of a body have no END yet
	whole    bool // a body has ended
}

// scanner goes over SQL and knows quotations, comments, and the bodies of procedures.
type scanner struct {
	text, delimiter string
	at              int
	depth           int // of parentheses
	p               piece
}

func newScanner(text, delimiter string) *scanner {
	if delimiter == "" {
		delimiter = ";"
	}
	return &scanner{text: text, delimiter: delimiter}
}

// statement gives the next one.
func (s *scanner) statement() piece {
	s.p, s.depth = piece{from: s.at}, 0
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case strings.HasPrefix(rest, s.delimiter) && (s.p.body == 0 || s.delimiter != ";"):
			return s.end(len(s.delimiter), false)
		case strings.HasPrefix(rest, `\G`):
			return s.end(2, true)
		}
		s.token(rest)
	}
	s.p.to = len(s.text)
	s.p.open = s.p.open || s.depth > 0
	return s.p
}

func (s *scanner) end(length int, vertical bool) piece {
	s.p.to, s.p.ended, s.p.vertical = s.at, true, vertical
	s.at += length
	return s.p
}

// token passes one, and what stands between them.
func (s *scanner) token(rest string) {
	c := rest[0]
	switch {
	case c <= ' ':
		s.at++
	case c == '\'' || c == '"' || c == '`':
		s.quoted(c)
		s.mark("'")
	case c == '#' || strings.HasPrefix(rest, "--") && (len(rest) == 2 || rest[2] <= ' '):
		s.pass(rest, "\n", true)
	case strings.HasPrefix(rest, "/*"):
		if len(rest) > 2 && (rest[2] == '!' || strings.HasPrefix(rest[2:], "M!")) {
			s.mark("'") // the server runs it
		}
		s.pass(rest[2:], "*/", false)
		s.at += 2
		s.at = min(s.at, len(s.text))
	case isWord(c):
		n := 1
		for n < len(rest) && isWord(rest[n]) {
			n++
		}
		s.at += n
		s.word(strings.ToUpper(rest[:n]))
	default:
		s.at++
		s.nest(c)
	}
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c == '@' || c >= 0x80
}

func (s *scanner) nest(c byte) {
	if c == ')' {
		s.depth--
	}
	s.mark(string(c))
	if c == '(' {
		s.depth++
	}
}

func (s *scanner) mark(token string) {
	if s.depth <= 0 {
		s.p.tokens = append(s.p.tokens, token)
	}
}

// pass goes beyond the end of a comment.
func (s *scanner) pass(rest, end string, mayEnd bool) {
	at := strings.Index(rest, end)
	if at < 0 {
		s.at = len(s.text)
		s.p.open = s.p.open || !mayEnd
		return
	}
	s.at += at + len(end)
}

func (s *scanner) quoted(quote byte) {
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\\' && quote != '`':
			s.at++
		case c == quote:
			s.at++
			return
		}
	}
	s.at, s.p.open = len(s.text), true
}

// word counts what opens and ends a body: BEGIN and CASE, and END other than of an IF or of a loop, which are within BEGIN.
func (s *scanner) word(w string) {
	t := s.p.tokens
	last := ""
	if len(t) > 0 {
		last = t[len(t)-1]
	}
	switch {
	case w == "BEGIN" && (s.p.body > 0 || s.p.defines()):
		s.p.body++
	case w == "NOT" && len(t) == 1 && last == "BEGIN":
		s.p.body++
	case w == "CASE" && s.p.body > 0 && last != "END":
		s.p.body++
	case w == "END" && s.p.body > 0:
		if after := nextWord(s.text[s.at:]); after != "IF" && after != "LOOP" && after != "WHILE" && after != "REPEAT" && after != "FOR" {
			s.p.body--
			s.p.whole = s.p.body == 0
		}
	}
	s.mark(w)
}

func nextWord(text string) string {
	text = strings.TrimLeft(text, " \t\r\n")
	n := 0
	for n < len(text) && isWord(text[n]) {
		n++
	}
	return strings.ToUpper(text[:n])
}
