package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Format is a form of files.
type Format string

// The formats that Read knows.
const (
	EDN     Format = "edn"
	JSON    Format = "json"
	EtcdLog Format = "etcd log"
	Calls   Format = "calls" // r(k,v,session,txn) and w(k,v,session,txn), one a line
)

// sniffed is how much of a file is looked at to know its format.
const sniffed = 4 << 10

// Read reads a history in whatever format it is; name is the file's, for errors, which are *Error. Memory is needed for the
// operations, not for the text.
func Read(name string, r io.Reader) (*History, Format, error) {
	buffered := bufio.NewReaderSize(r, 256<<10)
	head, err := buffered.Peek(sniffed)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, "", fmt.Errorf("%s: %w", name, err)
	}
	format := sniff(string(head))
	var h *History
	switch format {
	case EDN, JSON:
		h, err = readForms(buffered, format == JSON)
	case EtcdLog:
		h, err = readLines(buffered, &etcdReader{})
	case Calls:
		h, err = readLines(buffered, &callReader{})
	default:
		err = &Error{Pos: Position{Line: 1, Column: 1}, Text: "not a history: neither EDN nor JSON, no log of Jepsen's etcd test, no r(k,v,session,txn)"}
	}
	var bad *Error
	if errors.As(err, &bad) {
		bad.File = name
	}
	return h, format, err
}

// sniff tells the format from the head of a file; "" if it is none.
func sniff(head string) Format {
	rest := strings.TrimPrefix(head, "\ufeff")
	for rest != "" {
		rest = strings.TrimLeft(rest, " \t\r\n,")
		if !strings.HasPrefix(rest, ";") {
			break
		}
		_, rest, _ = strings.Cut(rest, "\n")
	}
	switch {
	case rest == "":
		return EDN // a history of nothing
	case strings.Contains(firstLine(rest), "jepsen.util"):
		return EtcdLog
	case callLine.MatchString(firstLine(rest)):
		return Calls
	}
	inner := strings.TrimLeft(rest, "[ \t\r\n,")
	switch {
	case strings.HasPrefix(inner, "{"):
		if strings.HasPrefix(strings.TrimLeft(inner[1:], " \t\r\n,"), `"`) {
			return JSON
		}
		return EDN
	case strings.HasPrefix(rest, "(") || strings.HasPrefix(rest, "#") || strings.HasPrefix(rest, "["):
		return EDN
	}
	return ""
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSuffix(line, "\r")
}

// readForms reads operations that are maps: one after the other, or within one list.
func readForms(r io.Reader, json bool) (*History, error) {
	s := newScanner(r)
	s.json = json
	var b Builder
	s.space()
	closing := byte(0)
	switch s.peek() {
	case '[':
		closing = ']'
		s.next()
	case '(':
		closing = ')'
		s.next()
	}
	for {
		s.space()
		if closing != 0 && s.peek() == closing {
			s.next()
			closing = 0
			s.space()
			if !s.atEnd() {
				return nil, s.fail("the list of operations ended before this")
			}
		}
		if s.atEnd() {
			break
		}
		if err := addForm(s, &b); err != nil {
			return nil, err
		}
	}
	if s.readErr != nil && !errors.Is(s.readErr, io.EOF) {
		return nil, s.readErr
	}
	if closing != 0 {
		return nil, s.fail("the file ends within the list of operations: %q is missing", string(closing))
	}
	return b.History()
}

func addForm(s *scanner, b *Builder) error {
	at := s.pos()
	v, err := s.form()
	if err != nil {
		return err
	}
	if v.Kind != Map {
		return &Error{Pos: at, Text: "an operation is a map, this is " + shortened(v.String())}
	}
	e := Event{Pos: at}
	client, err := eventOf(&v, &e)
	if err == nil && client {
		err = b.Add(&e)
	}
	var placed *Error
	if err != nil && !errors.As(err, &placed) {
		return &Error{Pos: at, Text: err.Error()}
	}
	return err
}

func shortened(text string) string {
	if len(text) > 60 {
		return text[:60] + "..."
	}
	return text
}

// nobody is the process of operations without one, which is what some recorders of single reads and writes leave out.
const nobody = -1

// eventOf takes what is known of an operation; other fields are left alone, as Jepsen leaves them. Operations of processes
// that are no numbers, such as :nemesis, are not the clients'.
func eventOf(v *Value, e *Event) (client bool, err error) {
	e.Time = -1
	e.Process = nobody
	if process := v.Get("process"); process != nil && process.Kind == Int {
		e.Process = process.Int
	} else if process != nil && process.Kind != NilValue {
		return false, nil
	}
	typ := v.Get("type")
	if typ == nil {
		return false, errors.New("an operation without :type")
	}
	word, _ := typ.Word()
	if e.Type, err = typeOf(word, typ.String()); err != nil {
		return false, err
	}
	if f := v.Get("f"); f != nil {
		e.F = strings.TrimPrefix(f.String(), ":")
	}
	if val := v.Get("value"); val != nil {
		e.Value = *val
	}
	if t := v.Get("time"); t != nil && t.Kind == Int {
		e.Time = t.Int
	}
	return true, nil
}

func typeOf(word, text string) (Type, error) {
	for i, n := range typeNames {
		if n == word {
			return Type(i), nil
		}
	}
	return 0, fmt.Errorf("the type of an operation is invoke, ok, fail or info, not %s", shortened(text))
}
