package importer

import "strings"

// token is one word of a specification.
type token struct {
	kind tokenKind
	text string
	at   int
}

type tokenKind int

const (
	endOfFile tokenKind = iota
	keyword
	name
	sqlBlock
	number
	punctuation
)

var specKeywords = map[string]bool{"notices": true, "permutation": true, "session": true, "setup": true, "step": true, "teardown": true}

// specScanner makes tokens.
type specScanner struct {
	*reader
	at int
}

func (s *specScanner) next() (token, error) {
	s.skip()
	if s.at >= len(s.text) {
		return token{kind: endOfFile, at: s.at}, nil
	}
	start := s.at
	switch c := s.text[s.at]; {
	case identStart(c):
		for s.at < len(s.text) && (identStart(s.text[s.at]) || digit(s.text[s.at]) || s.text[s.at] == '$') {
			s.at++
		}
		word := s.text[start:s.at]
		if specKeywords[word] {
			return token{keyword, word, start}, nil
		}
		return token{name, word, start}, nil
	case c == '"':
		return s.quoted()
	case c == '{':
		end := strings.IndexByte(s.text[s.at:], '}')
		if end < 0 {
			return token{}, s.errorAt(start, "the SQL block that begins here has no }")
		}
		s.at += end + 1
		return token{sqlBlock, s.text[start+1 : s.at-1], start}, nil
	case digit(c):
		for s.at < len(s.text) && digit(s.text[s.at]) {
			s.at++
		}
		return token{number, s.text[start:s.at], start}, nil
	case c == ',' || c == '(' || c == ')' || c == '*':
		s.at++
		return token{punctuation, string(c), start}, nil
	}
	r := []rune(s.text[s.at:min(len(s.text), s.at+4)])
	return token{}, s.errorAt(start, "unexpected character %q", r[0])
}

// skip passes blanks and comments.
func (s *specScanner) skip() {
	for s.at < len(s.text) {
		switch s.text[s.at] {
		case ' ', '\t', '\r', '\f', '\n':
			s.at++
		case '#':
			end := strings.IndexByte(s.text[s.at:], '\n')
			if end < 0 {
				end = len(s.text) - s.at
			}
			s.at += end
		default:
			return
		}
	}
}

func (s *specScanner) quoted() (token, error) {
	start := s.at
	var b strings.Builder
	for s.at++; s.at < len(s.text); s.at++ {
		switch c := s.text[s.at]; {
		case c == '\n':
			return token{}, s.errorAt(start, "the name that begins here has no closing quote on its line")
		case c != '"':
			b.WriteByte(c)
		case s.at+1 < len(s.text) && s.text[s.at+1] == '"':
			b.WriteByte('"')
			s.at++
		default:
			s.at++
			return token{name, b.String(), start}, nil
		}
	}
	return token{}, s.errorAt(start, "the name that begins here has no closing quote")
}

func identStart(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c >= 0x80
}

func digit(c byte) bool { return c >= '0' && c <= '9' }
