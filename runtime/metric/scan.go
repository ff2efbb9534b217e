package metric

// kind of a token.
type kind uint8

const (
	tokEnd      kind = iota
	tokWord          // a name or a word that is not reserved
	tokReserved      // a reserved word; the scanner leaves that to its caller
	tokName          // a name between backquotes
	tokLiteral       // a number, a string, a placeholder
	tokPunct
)

type token struct {
	kind       kind
	start, end int
	open       bool // nothing stands between it and what follows
	close      bool // a closing parenthesis
}

// operand reports whether a sign after the token is an operator.
func (t token) operand() bool {
	return t.kind == tokWord || t.kind == tokName || t.kind == tokLiteral || t.close
}

// scanner cuts SQL into tokens and leaves comments out; the insides of executable comments count as code, as the server
// takes them.
type scanner struct {
	sql string
	i   int
}

func (s *scanner) text(t token) string { return s.sql[t.start:t.end] }

// at is the byte n after the current one, 0 past the end.
func (s *scanner) at(n int) byte {
	if s.i+n < len(s.sql) {
		return s.sql[s.i+n]
	}
	return 0
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '$' || c >= 0x80
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func (s *scanner) next() token {
	s.blanks()
	start := s.i
	if start >= len(s.sql) {
		return token{}
	}
	t := token{start: start}
	switch c := s.sql[start]; {
	case c == '\'' || c == '"':
		s.quoted(c)
		t.kind = tokLiteral
	case c == '`':
		s.quoted(c)
		t.kind = tokName
	case c == '?':
		s.i++
		t.kind = tokLiteral
	case digit(c) || c == '.' && digit(s.at(1)) && !s.qualified():
		t.kind = s.number()
	case wordByte(c):
		t.kind = s.word()
	default:
		t.kind = tokPunct
		s.i += s.operator()
	}
	t.end = s.i
	return t
}

// blanks passes white space and comments.
func (s *scanner) blanks() {
	for s.i < len(s.sql) {
		switch c := s.sql[s.i]; {
		case c <= ' ':
			s.i++
		case c == '#', c == '-' && s.at(1) == '-' && (s.i+2 >= len(s.sql) || s.at(2) <= ' '):
			for s.i < len(s.sql) && s.sql[s.i] != '\n' {
				s.i++
			}
		case c == '/' && s.at(1) == '*':
			s.comment()
		case c == '*' && s.at(1) == '/': // the end of an executable comment
			s.i += 2
		default:
			return
		}
	}
}

// comment passes a comment, or only the mark that begins an executable one.
func (s *scanner) comment() {
	mark := 2
	if s.at(2) == 'M' {
		mark = 3
	}
	if s.at(mark) == '!' {
		s.i += mark + 1
		for s.i < len(s.sql) && digit(s.sql[s.i]) {
			s.i++
		}
		return
	}
	s.i += 2
	for s.i < len(s.sql) && !(s.sql[s.i] == '*' && s.at(1) == '/') {
		s.i++
	}
	s.i = min(s.i+2, len(s.sql))
}

// quoted passes a string or a quoted name with doubled quotes in it; one that does not end takes the rest.
func (s *scanner) quoted(quote byte) {
	s.i++
	for s.i < len(s.sql) {
		switch c := s.sql[s.i]; {
		case c == '\\' && quote != '`':
			s.i = min(s.i+2, len(s.sql))
		case c == quote && s.at(1) == quote:
			s.i += 2
		case c == quote:
			s.i++
			return
		default:
			s.i++
		}
	}
}

// qualified reports whether the byte before ends a name, so that a point here is none of a number's.
func (s *scanner) qualified() bool {
	return s.i > 0 && (wordByte(s.sql[s.i-1]) || s.sql[s.i-1] == '`')
}

// number passes a number; a name that begins with digits is a word.
func (s *scanner) number() kind {
	start, onlyDigits := s.i, true
	for s.i < len(s.sql) && wordByte(s.sql[s.i]) {
		onlyDigits = onlyDigits && digit(s.sql[s.i])
		s.i++
	}
	if onlyDigits && s.at(0) == '.' {
		s.i++
		for s.i < len(s.sql) && wordByte(s.sql[s.i]) {
			s.i++
		}
	} else if !onlyDigits && !numeric(s.sql[start:s.i]) {
		return tokWord
	}
	if last := s.sql[s.i-1] | 0x20; last == 'e' && (s.at(0) == '-' || s.at(0) == '+') && digit(s.at(1)) && s.sql[start] != '0' {
		for s.i++; s.i < len(s.sql) && digit(s.sql[s.i]); {
			s.i++
		}
	}
	return tokLiteral
}

// numeric knows 0xff, 0b01, 1e5 and the beginning of 1e-5.
func numeric(s string) bool {
	if len(s) > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'b') {
		return true
	}
	exponent := false
	for i := 1; i < len(s); i++ {
		switch {
		case digit(s[i]):
		case (s[i] == 'e' || s[i] == 'E') && !exponent:
			exponent = true
		default:
			return false
		}
	}
	return true
}

// word passes a word; x'ff', b'01' and n'text' are values.
func (s *scanner) word() kind {
	start := s.i
	for s.i < len(s.sql) && wordByte(s.sql[s.i]) {
		s.i++
	}
	if s.i-start == 1 && s.at(0) == '\'' {
		if c := s.sql[start] | 0x20; c == 'x' || c == 'b' || c == 'n' {
			s.quoted('\'')
			return tokLiteral
		}
	}
	return tokWord
}

// operator gives the length of the operator here.
func (s *scanner) operator() int {
	for _, op := range [...]string{"<=>", "->>", "<=", ">=", "<>", "!=", ":=", "||", "&&", "<<", ">>", "->", "@@"} {
		if len(s.sql)-s.i >= len(op) && s.sql[s.i:s.i+len(op)] == op {
			return len(op)
		}
	}
	return 1
}

// introduces reports whether a string follows, to which the word before gives its character set.
func (s *scanner) introduces() bool {
	at := s.i
	t := s.next()
	s.i = at
	return t.kind == tokLiteral && s.sql[t.end-1] == '\''
}

// numberFollows looks past further signs.
func (s *scanner) numberFollows() bool {
	at := s.i
	defer func() { s.i = at }()
	for {
		t := s.next()
		if t.kind == tokPunct && (s.text(t) == "-" || s.text(t) == "+") {
			continue
		}
		return t.kind == tokLiteral
	}
}

// skipList passes a list of values up to its closing parenthesis, the opening one is passed already; false, and nothing
// passed, where it holds anything else. One that the end of the text cuts off counts.
func (s *scanner) skipList() bool {
	at, depth := s.i, 1
	for depth > 0 {
		t := s.next()
		if t.kind == tokEnd {
			return true
		}
		text := s.text(t)
		switch {
		case t.kind == tokLiteral || text == "," || text == "-" || text == "+":
		case text == "(":
			depth++
		case text == ")":
			depth--
		case t.kind == tokWord && (text[0] == '_' || constant(text)):
		default:
			s.i = at
			return false
		}
	}
	return true
}

// constant knows the words that are values.
func constant(word string) bool {
	up, ok := reserved(word)
	return ok && (up == "NULL" || up == "TRUE" || up == "FALSE" || up == "DEFAULT")
}

// skipRow passes a comma with another row of values.
func (s *scanner) skipRow() bool {
	at := s.i
	if t := s.next(); t.kind == tokPunct && s.text(t) == "," {
		if t := s.next(); t.kind == tokEnd || s.text(t) == "(" && s.skipList() {
			return true
		}
	}
	s.i = at
	return false
}
