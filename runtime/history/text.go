package history

import (
	"strconv"
	"unicode/utf8"
)

// text reads a string; the escapes are those of JSON, which EDN has too.
func (s *scanner) text() (Value, error) {
	begin := s.pos()
	s.next()
	s.word = s.word[:0]
	for {
		if s.atEnd() {
			return Value{}, &Error{Pos: s.pos(), Text: "the file ends within the string that begins on line " + strconv.Itoa(begin.Line)}
		}
		if len(s.word) > 1<<20 {
			return Value{}, &Error{Pos: begin, Text: "a string of more than 1 MiB"}
		}
		switch c := s.next(); c {
		case '"':
			return Value{Kind: Text, Text: s.intern()}, nil
		case '\\':
			if err := s.escape(); err != nil {
				return Value{}, err
			}
		default:
			s.word = append(s.word, c)
		}
	}
}

func (s *scanner) escape() error {
	at := s.pos()
	c := s.next()
	switch c {
	case '"', '\\', '/':
		s.word = append(s.word, c)
	case 'n':
		s.word = append(s.word, '\n')
	case 't':
		s.word = append(s.word, '\t')
	case 'r':
		s.word = append(s.word, '\r')
	case 'b':
		s.word = append(s.word, '\b')
	case 'f':
		s.word = append(s.word, '\f')
	case 'u':
		var digits [4]byte
		for i := range digits {
			digits[i] = s.next()
		}
		n, err := strconv.ParseUint(string(digits[:]), 16, 16)
		if err != nil {
			return &Error{Pos: at, Text: `four hexadecimal digits belong after \u`}
		}
		s.word = utf8.AppendRune(s.word, rune(n))
	default:
		return &Error{Pos: at, Text: "no escape begins with " + strconv.QuoteRune(rune(c))}
	}
	return nil
}
