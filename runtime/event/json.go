package event

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON appends the event as one JSON object without a line end. The keys are: v (format), seq, at (nanoseconds
// since the run began), kind, id, parent, test, session, pos ("file:line:col"), data (the payload). Empty ones are left
// out.
func AppendJSON(b []byte, e *Event) []byte {
	b = appendHead(b, e)
	b = appendSource(b, e)
	b = append(b, `,"data":`...)
	if s, ok := e.Data.(*Statement); ok && s.Error == nil {
		b = append(s.appendJSON(b), '}')
	} else if o, ok := e.Data.(*Operation); ok {
		b = o.appendJSON(b)
	} else {
		j, err := json.Marshal(e.Data)
		if err != nil { // payloads are plain structs of text and numbers: this cannot happen
			j = []byte(`null`)
		}
		b = append(b, j...)
	}
	return append(b, '}')
}

// appendHead writes what differs from event to event.
func appendHead(b []byte, e *Event) []byte {
	b = append(b, `{"v":1,"seq":`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `,"at":`...)
	return strconv.AppendInt(b, int64(e.At), 10)
}

// appendSource writes of what kind the event is and where it comes from.
func appendSource(b []byte, e *Event) []byte {
	b = appendText(b, "kind", string(e.Kind()))
	if e.ID != 0 {
		b = append(b, `,"id":`...)
		b = strconv.AppendUint(b, uint64(e.ID), 10)
	}
	if e.Parent != 0 {
		b = append(b, `,"parent":`...)
		b = strconv.AppendUint(b, uint64(e.Parent), 10)
	}
	if e.Test != "" {
		b = appendText(b, "test", e.Test)
	}
	if e.Session != "" {
		b = appendText(b, "session", e.Session)
	}
	if e.Pos.IsZero() {
		return b
	}
	b = append(b, `,"pos":"`...)
	b = appendEscaped(b, e.Pos.File)
	if e.Pos.Line != 0 {
		b = append(b, ':')
		b = strconv.AppendInt(b, int64(e.Pos.Line), 10)
		if e.Pos.Col != 0 {
			b = append(b, ':')
			b = strconv.AppendInt(b, int64(e.Pos.Col), 10)
		}
	}
	return append(b, '"')
}

// Encoder appends events as AppendJSON does. It remembers the part that the statements of a loop share, where they come from
// and their SQL, which is most of a line. The zero Encoder is ready; it belongs to one goroutine.
type Encoder struct{ lines [encoderLines]line }

// encoderLines is how many different statements are remembered: those that some tens of sessions repeat.
const encoderLines = 64

// line is the remembered part of a statement's line.
type line struct {
	from Event  // Seq, At and Data are not compared
	sql  string // of the payload
	text []byte
}

// Append appends the event as one JSON object without a line end.
func (c *Encoder) Append(b []byte, e *Event) []byte {
	s, ok := e.Data.(*Statement)
	if !ok || s.Error != nil || e.ID != 0 {
		return AppendJSON(b, e)
	}
	l := &c.lines[lineOf(e, s)]
	if l.sql != s.SQL || l.from.Pos != e.Pos || l.from.Session != e.Session || l.from.Test != e.Test || l.from.Parent != e.Parent || l.text == nil {
		l.from, l.sql = Event{Parent: e.Parent, Test: e.Test, Session: e.Session, Pos: e.Pos}, s.SQL
		l.text = s.appendSQL(append(appendSource(l.text[:0], e), `,"data":`...))
	}
	b = append(appendHead(b, e), l.text...)
	return append(s.appendRest(b), '}', '}')
}

// lineOf picks the place of a statement among the lines.
func lineOf(e *Event, s *Statement) uint32 {
	h := uint32(e.Pos.Line)*31 + uint32(len(s.SQL))
	for i := max(0, len(e.Session)-3); i < len(e.Session); i++ { // names differ in their last digits
		h = h*31 + uint32(e.Session[i])
	}
	return h % encoderLines
}

// appendJSON is the hot path: one statement without an error, as encoding/json would write it but for the closing brace.
func (d *Statement) appendJSON(b []byte) []byte { return d.appendRest(d.appendSQL(b)) }

func (d *Statement) appendSQL(b []byte) []byte {
	b = append(b, `{"sql":"`...)
	b = appendEscaped(b, d.SQL)
	return append(b, '"')
}

func (d *Statement) appendRest(b []byte) []byte {
	if d.Length != 0 {
		b = appendInt(b, "length", int64(d.Length))
	}
	if d.Digest != "" {
		b = appendText(b, "digest", d.Digest)
	}
	if d.Args != 0 {
		b = appendInt(b, "args", int64(d.Args))
	}
	if d.Prepared {
		b = append(b, `,"prepared":true`...)
	}
	if d.Rows != 0 {
		b = appendInt(b, "rows", d.Rows)
	}
	if d.Affected != 0 {
		b = appendInt(b, "affected", d.Affected)
	}
	b = appendInt(b, "duration", int64(d.Duration))
	return appendText(b, "outcome", d.Outcome.String())
}

func appendInt(b []byte, key string, v int64) []byte {
	b = append(b, ',', '"')
	b = append(b, key...)
	b = append(b, '"', ':')
	return strconv.AppendInt(b, v, 10)
}

func appendText(b []byte, key, v string) []byte {
	b = append(b, ',', '"')
	b = append(b, key...)
	b = append(b, '"', ':', '"')
	b = appendEscaped(b, v)
	return append(b, '"')
}

const hexDigits = "0123456789abcdef"

// appendEscaped writes the inside of a JSON string; bytes that are no UTF-8 become U+FFFD.
func appendEscaped(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= 0x20 && c != '"' && c != '\\' {
				i++
				continue
			}
			b = append(b, s[start:i]...)
			switch c {
			case '"', '\\':
				b = append(b, '\\', c)
			case '\n':
				b = append(b, '\\', 'n')
			case '\t':
				b = append(b, '\\', 't')
			case '\r':
				b = append(b, '\\', 'r')
			default:
				b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
			}
			i++
			start = i
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
			start = i + 1
		}
		i += n
	}
	return append(b, s[start:]...)
}

type wire struct {
	V       int             `json:"v"`
	Seq     uint64          `json:"seq"`
	At      time.Duration   `json:"at"`
	Kind    Kind            `json:"kind"`
	ID      ID              `json:"id"`
	Parent  ID              `json:"parent"`
	Test    string          `json:"test"`
	Session string          `json:"session"`
	Pos     Pos             `json:"pos"`
	Data    json.RawMessage `json:"data"`
}

// UnknownKindError tells that a journal holds a kind this version of rig does not know; a reader may go on.
type UnknownKindError struct{ Kind Kind }

func (e *UnknownKindError) Error() string {
	return fmt.Sprintf("unknown event kind %q", string(e.Kind))
}

// Decode reads one line written by AppendJSON.
func Decode(line []byte) (Event, error) {
	var w wire
	if err := json.Unmarshal(line, &w); err != nil {
		return Event{}, fmt.Errorf("decode event: %w", err)
	}
	if w.V < 1 || w.V > Format {
		return Event{}, fmt.Errorf("decode event: format %d is not between 1 and %d", w.V, Format)
	}
	d := blank(w.Kind)
	if d == nil {
		return Event{}, &UnknownKindError{w.Kind}
	}
	if err := json.Unmarshal(w.Data, d); err != nil {
		return Event{}, fmt.Errorf("decode %s event: %w", w.Kind, err)
	}
	return Event{Seq: w.Seq, At: w.At, ID: w.ID, Parent: w.Parent, Test: w.Test, Session: w.Session, Pos: w.Pos, Data: d}, nil
}
