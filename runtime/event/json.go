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
	b = append(b, `{"v":1,"seq":`...)
	b = strconv.AppendUint(b, e.Seq, 10)
	b = append(b, `,"at":`...)
	b = strconv.AppendInt(b, int64(e.At), 10)
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
	if !e.Pos.IsZero() {
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
		b = append(b, '"')
	}
	b = append(b, `,"data":`...)
	if s, ok := e.Data.(*Statement); ok && s.Error == nil {
		b = s.appendJSON(b)
	} else {
		j, err := json.Marshal(e.Data)
		if err != nil { // payloads are plain structs of text and numbers: this cannot happen
			j = []byte(`null`)
		}
		b = append(b, j...)
	}
	return append(b, '}')
}

// appendJSON is the hot path: one statement without an error, as encoding/json would write it.
func (d *Statement) appendJSON(b []byte) []byte {
	b = append(b, `{"sql":"`...)
	b = appendEscaped(b, d.SQL)
	b = append(b, '"')
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
	b = appendText(b, "outcome", d.Outcome.String())
	return append(b, '}')
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
