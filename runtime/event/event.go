// Package event is the vocabulary of a run: each fact is one typed record on one ordered stream.
//
// Whoever knows a fact calls [Bus.Emit] once; whoever shows it implements [Sink] and folds the stream. There is no other
// way out of a run, so secrets are redacted here and nowhere else, and every report can be made again from a journal.
package event

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Format is the version of the event encoding; a reader accepts every version up to its own.
const Format = 1

// ID names a thing that events speak of (a test, a session, a statement) within one run. Zero means none.
type ID uint64

// Pos is a place in a script. Line and Col count from 1; zero means unknown.
type Pos struct {
	File string
	Line int32
	Col  int32
}

// String gives "file:line:col", leaving out what is unknown.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	if p.Col == 0 {
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// IsZero reports whether nothing is known of the place.
func (p Pos) IsZero() bool { return p == Pos{} }

// MarshalText writes the String form.
func (p Pos) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (p *Pos) UnmarshalText(b []byte) error {
	*p = ParsePos(string(b))
	return nil
}

// ParsePos reads the String form of a Pos; text without numbers is a file name.
func ParsePos(s string) Pos {
	file, n, ok := cutNumber(s)
	if !ok {
		return Pos{File: s}
	}
	if f, m, ok := cutNumber(file); ok {
		return Pos{File: f, Line: m, Col: n}
	}
	return Pos{File: file, Line: n}
}

func cutNumber(s string) (string, int32, bool) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0, false
	}
	n, err := strconv.ParseInt(s[i+1:], 10, 32)
	if err != nil || n < 0 {
		return s, 0, false
	}
	return s[:i], int32(n), true
}

// Event is one fact. At counts from the start of the run on the monotonic clock. Test is the test's id
// ("file.star::test_x", subtests add "/name"), empty outside tests.
type Event struct {
	Seq     uint64
	At      time.Duration
	ID      ID
	Parent  ID
	Test    string
	Session string
	Pos     Pos
	Data    Data
}

// Kind of the event, taken from its payload.
func (e *Event) Kind() Kind { return e.Data.Kind() }

// Data is the typed payload of an event. The set is closed: only this package implements it.
type Data interface {
	Kind() Kind
	// redact returns the payload with every text passed through f; it copies before it changes.
	redact(f func(string) string) Data
}

// Outcome of a call or a test. Unknown means that a write or commit was sent and its reply was lost; it is never
// counted as failed.
type Outcome uint8

// The outcomes.
const (
	OK Outcome = iota
	Failed
	Unknown
	Skipped
)

var outcomeNames = [...]string{OK: "ok", Failed: "failed", Unknown: "unknown", Skipped: "skipped"}

func (o Outcome) String() string {
	if int(o) < len(outcomeNames) {
		return outcomeNames[o]
	}
	return "outcome(" + strconv.Itoa(int(o)) + ")"
}

// MarshalText writes the name.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the name.
func (o *Outcome) UnmarshalText(b []byte) error {
	for i, n := range outcomeNames {
		if n == string(b) {
			*o = Outcome(i)
			return nil
		}
	}
	return fmt.Errorf("unknown outcome %q", b)
}

// Field is one key and its printed value; order is kept.
type Field struct {
	Key   string `json:"k"`
	Value string `json:"v"`
}

// Frame is one level of a script's stack, innermost first in a list.
type Frame struct {
	Func string `json:"func"`
	Pos  Pos    `json:"pos"`
}

// Error is what went wrong, as a report needs it. Kind and Category are the names of runtime/fault, or for what is no
// database error one of: "expectation", "script", "fail", "timeout", "cancelled", "panic", "leak".
type Error struct {
	Kind     string  `json:"kind"`
	Category string  `json:"category,omitempty"`
	Code     int     `json:"code,omitempty"`     // the server's error number
	SQLState string  `json:"sqlstate,omitempty"` // five characters
	Name     string  `json:"name,omitempty"`     // "ER_DUP_ENTRY"
	Op       string  `json:"op,omitempty"`       // the call as the script wrote it: "conn.query"
	Message  string  `json:"message"`
	SQL      string  `json:"sql,omitempty"`
	Session  string  `json:"session,omitempty"`
	Detail   string  `json:"detail,omitempty"` // several lines: a diff, a table, the values of a condition
	Hint     string  `json:"hint,omitempty"`   // one line
	Pos      Pos     `json:"pos,omitzero"`
	Stack    []Frame `json:"stack,omitempty"`
	Excerpt  string  `json:"excerpt,omitempty"` // the script's lines around Pos, the failing one marked
}

func (e *Error) redact(f func(string) string) *Error {
	if e == nil {
		return nil
	}
	c := *e
	c.Message, c.SQL, c.Detail = f(c.Message), f(c.SQL), f(c.Detail)
	c.Hint, c.Excerpt, c.Session = f(c.Hint), f(c.Excerpt), f(c.Session)
	return &c
}
