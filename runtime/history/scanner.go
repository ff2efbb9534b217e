package history

import (
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"
)

// Bounds of what one operation may be, so that a broken or hostile file cannot fill the memory.
const (
	maxDepth     = 64
	maxFormBytes = 64 << 20
)

// scanner reads values of EDN or JSON from a stream. EDN's comma and JSON's comma are both white space to it, but JSON's
// colon stands only after a key.
type scanner struct {
	r        io.Reader
	buf      []byte
	at       int
	base     int64 // byte of buf[0] in the file
	line     int
	lineAt   int64 // byte where the line begins
	formAt   int64 // byte where the form begins
	json     bool
	slab     []Value // items of the current form; the next one uses it again
	pending  []Value // items of the lists that are being read, the innermost last
	word     []byte
	interned map[string]string
	readErr  error
}

func newScanner(r io.Reader) *scanner {
	return &scanner{r: r, buf: make([]byte, 0, 64<<10), line: 1, interned: map[string]string{}}
}

// reset begins another text.
func (s *scanner) reset(r io.Reader) {
	s.r, s.readErr, s.buf = r, nil, s.buf[:0]
	s.at, s.base, s.line, s.lineAt = 0, 0, 1, 0
}

func (s *scanner) pos() Position {
	b := s.base + int64(s.at)
	return Position{Line: s.line, Column: int(b-s.lineAt) + 1, Byte: b}
}

func (s *scanner) fail(format string, args ...any) error {
	return &Error{Pos: s.pos(), Text: fmt.Sprintf(format, args...)}
}

// fill reads more of the file; false at its end.
func (s *scanner) fill() bool {
	if s.at < len(s.buf) {
		return true
	}
	if s.readErr != nil {
		return false
	}
	s.base += int64(len(s.buf))
	s.at = 0
	for {
		n, err := s.r.Read(s.buf[:cap(s.buf)])
		s.buf = s.buf[:n]
		if err != nil {
			s.readErr = err
		}
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
}

// peek is the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if !s.fill() {
		return 0
	}
	return s.buf[s.at]
}

func (s *scanner) next() byte {
	c := s.peek()
	if s.at < len(s.buf) {
		s.at++
		if c == '\n' {
			s.line++
			s.lineAt = s.base + int64(s.at)
		}
	}
	return c
}

func (s *scanner) atEnd() bool { return !s.fill() }

// space skips white space, commas and EDN's comments.
func (s *scanner) space() {
	for s.fill() {
		switch c := s.buf[s.at]; {
		case c == ' ' || c == ',':
			s.at++
		case c == '\n':
			s.next()
		case c == '\t' || c == '\r' || c == 0xef || c == 0xbb || c == 0xbf:
			s.at++
		case c == ';' && !s.json:
			for c := s.next(); c != '\n' && !s.atEnd(); c = s.next() {
			}
		default:
			return
		}
	}
}

// form reads one value; its items live until the next call.
func (s *scanner) form() (Value, error) {
	s.slab = s.slab[:0]
	s.formAt = s.pos().Byte
	return s.value(0)
}

func (s *scanner) value(depth int) (Value, error) {
	s.space()
	if depth > maxDepth {
		return Value{}, s.fail("more than %d values within each other", maxDepth)
	}
	if s.base+int64(s.at)-s.formAt > maxFormBytes {
		return Value{}, s.fail("an operation of more than %d MiB", maxFormBytes>>20)
	}
	if s.atEnd() {
		return Value{}, s.fail("the file ends within a value")
	}
	switch c := s.peek(); {
	case c == '{':
		s.next()
		return s.items(Map, '}', depth)
	case c == '[':
		s.next()
		return s.items(List, ']', depth)
	case c == '(' && !s.json:
		s.next()
		return s.items(List, ')', depth)
	case c == '"':
		return s.text()
	case c == '#' && !s.json:
		return s.dispatch(depth)
	case c == '-' || c == '+' || c >= '0' && c <= '9':
		return s.number()
	case c == '\\' && !s.json:
		s.next()
		v, err := s.atom(true)
		v.Kind = Text
		return v, err
	}
	return s.atom(false)
}

// items reads up to the closing bracket.
func (s *scanner) items(kind Kind, closing byte, depth int) (Value, error) {
	mark := len(s.pending)
	defer func() { s.pending = s.pending[:mark] }()
	for {
		s.space()
		if s.atEnd() {
			return Value{}, s.fail("the file ends within a value: %q is missing", string(closing))
		}
		if c := s.peek(); c == closing {
			s.next()
			break
		} else if c == ')' || c == ']' || c == '}' {
			return Value{}, s.fail("%q where %q or a value belongs", string(c), string(closing))
		}
		if n, ok := s.digits(kind); ok {
			s.pending = append(s.pending, Value{Kind: Int, Int: n})
			continue
		}
		v, skip, err := s.item(depth)
		if err != nil {
			return Value{}, err
		}
		if skip {
			continue
		}
		s.pending = append(s.pending, v)
		if s.json && kind == Map && (len(s.pending)-mark)%2 == 1 {
			s.space()
			if s.peek() != ':' {
				return Value{}, s.fail("a colon belongs after the key %s", shortened(s.pending[len(s.pending)-1].String()))
			}
			s.next()
		}
	}
	list := s.pending[mark:]
	if kind == Map && len(list)%2 == 1 {
		return Value{}, s.fail("a map with a key but no value: %s", shortened(list[len(list)-1].String()))
	}
	return Value{Kind: kind, Items: s.keep(list)}, nil
}

// digits takes a small number that stands within the buffer: the elements of lists are what most of a history consists of.
func (s *scanner) digits(kind Kind) (n int64, ok bool) {
	if kind == Map { // its keys need a look at what follows
		return 0, false
	}
	i := s.at
	for ; i < len(s.buf) && i < s.at+18; i++ {
		c := s.buf[i]
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + int64(c-'0')
	}
	if i == s.at || i == len(s.buf) || !delimiter(s.buf[i], s.json) {
		return 0, false
	}
	s.at = i
	return n, true
}

// item reads a value, or skips what #_ discards.
func (s *scanner) item(depth int) (v Value, skip bool, err error) {
	if !s.json && s.peek() == '#' {
		s.next()
		if s.peek() == '_' {
			s.next()
			_, err = s.value(depth + 1)
			return Value{}, true, err
		}
		v, err = s.tagged(depth)
		return v, false, err
	}
	v, err = s.value(depth + 1)
	return v, false, err
}

// keep moves items into the slab.
func (s *scanner) keep(list []Value) []Value {
	n := len(s.slab)
	if n+len(list) > cap(s.slab) {
		// The items handed out so far stay where they are.
		s.slab = make([]Value, 0, max(1024, 2*cap(s.slab), 2*len(list)))
		n = 0
	}
	s.slab = append(s.slab, list...)
	return s.slab[n:len(s.slab):len(s.slab)]
}

func (s *scanner) dispatch(depth int) (Value, error) {
	s.next()
	if s.peek() == '_' {
		s.next()
		if _, err := s.value(depth + 1); err != nil {
			return Value{}, err
		}
		return s.value(depth + 1)
	}
	return s.tagged(depth)
}

// tagged reads what follows a number sign: a set, or a tag, which is dropped: #jepsen.history.Op{...} is the map.
func (s *scanner) tagged(depth int) (Value, error) {
	if s.atEnd() {
		return Value{}, s.fail("the file ends within a value")
	}
	if s.peek() == '{' {
		s.next()
		return s.items(Set, '}', depth)
	}
	if s.peek() == '#' { // ##Inf, ##NaN
		s.next()
		return s.atom(false)
	}
	if _, err := s.atom(false); err != nil {
		return Value{}, err
	}
	return s.value(depth + 1)
}

func delimiter(c byte, json bool) bool {
	switch c {
	case ' ', '\t', '\r', '\n', ',', '{', '}', '[', ']', '(', ')', '"', ';', 0:
		return true
	}
	return json && c == ':'
}

// maxWord is the most bytes of a word, which is what stands between delimiters.
const maxWord = 1 << 16

// read collects the bytes up to a delimiter. A new line is one, so lines need not be counted here.
func (s *scanner) read() error {
	s.word = s.word[:0]
	for s.fill() {
		i := s.at
		for i < len(s.buf) && !delimiter(s.buf[i], s.json) {
			i++
		}
		s.word = append(s.word, s.buf[s.at:i]...)
		s.at = i
		if len(s.word) > maxWord {
			return s.fail("a word of more than 64 KiB")
		}
		if i < len(s.buf) {
			break
		}
	}
	return nil
}

func (s *scanner) intern() string {
	if t, ok := s.interned[string(s.word)]; ok {
		return t
	}
	t := string(s.word)
	if len(s.interned) < 10_000 {
		s.interned[t] = t
	}
	return t
}

func (s *scanner) atom(any bool) (Value, error) {
	at := s.pos()
	if any && !s.atEnd() && delimiter(s.peek(), s.json) {
		s.word = append(s.word[:0], s.next())
		return Value{Kind: Text, Text: s.intern()}, nil
	}
	if err := s.read(); err != nil {
		return Value{}, err
	}
	switch word := string(s.word); word {
	case "":
		return Value{}, s.fail("no value begins with %q", string(rune(s.peek())))
	case "nil", "null":
		return Value{}, nil
	case "true":
		return Value{Kind: Bool, Int: 1}, nil
	case "false":
		return Value{Kind: Bool}, nil
	}
	if s.json {
		return Value{}, &Error{Pos: at, Text: fmt.Sprintf("%q is no JSON", s.word)}
	}
	if !utf8.Valid(s.word) || s.word[0] < ' ' {
		return Value{}, &Error{Pos: at, Text: fmt.Sprintf("%q is no EDN", s.word)}
	}
	return Value{Kind: Keyword, Text: s.intern()}, nil
}

// small is a number of at most 18 digits, which is nearly every one.
func small(w []byte) (n int64, ok bool) {
	if len(w) == 0 || len(w) > 18 {
		return 0, false
	}
	for _, c := range w {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

func (s *scanner) number() (Value, error) {
	at := s.pos()
	if err := s.read(); err != nil {
		return Value{}, err
	}
	w := s.word
	if n, ok := small(w); ok {
		return Value{Kind: Int, Int: n}, nil
	}
	if len(w) == 1 && (w[0] == '-' || w[0] == '+') && !s.json {
		return Value{Kind: Keyword, Text: s.intern()}, nil
	}
	if last := w[len(w)-1]; (last == 'N' || last == 'M') && !s.json {
		w = w[:len(w)-1]
	}
	if n, err := strconv.ParseInt(string(w), 10, 64); err == nil {
		return Value{Kind: Int, Int: n}, nil
	}
	if _, err := strconv.ParseFloat(string(w), 64); err != nil {
		// A number too large for a float is a number all the same.
		if ne, ok := err.(*strconv.NumError); !ok || ne.Err != strconv.ErrRange {
			return Value{}, &Error{Pos: at, Text: fmt.Sprintf("%q is no number", s.word)}
		}
	}
	return Value{Kind: Float, Text: string(w)}, nil
}
