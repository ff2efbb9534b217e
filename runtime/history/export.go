package history

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// Export writes a history as Jepsen has it, one event a line: as EDN, or as JSON. Read makes the same history of it.
func Export(w io.Writer, f Format, h *History) error {
	if f != EDN && f != JSON {
		return fmt.Errorf("histories are written as edn or json, not as %q", string(f))
	}
	buffered := bufio.NewWriterSize(w, 256<<10)
	var line []byte
	for i, n := range h.positions() {
		if n == 0 {
			continue
		}
		e := h.event(int(n-1)/2, n%2 == 0)
		if f == JSON {
			line = appendEventJSON(line[:0], i, &e)
		} else {
			line = appendEventEDN(line[:0], i, &e)
		}
		if _, err := buffered.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// positions gives, by event, the operation that begins there, twice its number plus one, or that ends there, plus two; 0
// where nothing of a client happened.
func (h *History) positions() []uint32 {
	at := make([]uint32, h.Events)
	for i := range h.Ops {
		if n := h.Ops[i].Invoked; n >= 0 {
			at[n] = uint32(2*i + 1)
		}
		if n := h.Ops[i].Completed; n >= 0 {
			at[n] = uint32(2*i + 2)
		}
	}
	return at
}

// event is what happened when an operation began, or ended.
func (h *History) event(i int, ended bool) Event {
	o := &h.Ops[i]
	e := Event{Process: o.Process, Type: Invoke, F: h.F(o), Time: o.Start}
	if ended {
		e.Type, e.Time, e.Error = o.Type, o.End, h.Errors[i]
	}
	switch {
	case o.Out == nil:
		e.Value = h.transaction(o, ended)
	case !ended && o.In != nil:
		e.Value = *o.In
	default:
		e.Value = *o.Out
	}
	return e
}

func (h *History) transaction(o *Op, ended bool) Value {
	v := Value{Kind: List}
	for _, m := range h.Mops(o) {
		word, val := "r", Value{}
		switch {
		case m.Act == Append || m.Act == Write:
			word, val = "w", h.elemValue(m.Elem)
			if m.Act == Append {
				word = "append"
			}
		case ended && m.Act == ReadOne:
			val = h.elemValue(m.Elem)
		case ended && m.Act != ReadNil:
			val.Kind = List
			for _, e := range h.List(m) {
				val.Items = append(val.Items, h.elemValue(e))
			}
		}
		v.Items = append(v.Items, Value{Kind: List, Items: []Value{{Kind: Keyword, Text: ":" + word}, sourceValue(h.KeyText(m.Key)), val}})
	}
	return v
}

func (h *History) elemValue(e Elem) Value {
	switch {
	case e == Nil:
		return Value{}
	case e >= smallest:
		return Value{Kind: Int, Int: int64(e)}
	}
	return sourceValue(h.ElemText(e))
}

// sourceValue is a value of its source. What is no number and no text stays as it is.
func sourceValue(text string) Value {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return Value{Kind: Int, Int: n}
	}
	if len(text) > 1 && text[0] == '"' {
		return Value{Kind: Text, Text: text[1 : len(text)-1]}
	}
	return Value{Kind: Keyword, Text: text}
}

func appendEventEDN(b []byte, index int, e *Event) []byte {
	b = fmt.Appendf(b, "{:index %d, :type :%s, :process %d, :f ", index, e.Type, e.Process)
	if f := orUnnamed(e.F); plainWord.MatchString(f) {
		b = append(append(b, ':'), f...)
	} else {
		b = appendQuoted(b, f)
	}
	b = append(b, ", :value "...)
	b = appendEDN(b, &e.Value)
	if e.Time >= 0 {
		b = fmt.Appendf(b, ", :time %d", e.Time)
	}
	if e.Error != "" {
		b = append(b, ", :error "...)
		b = appendQuoted(b, e.Error)
	}
	return append(b, '}')
}

func appendEventJSON(b []byte, index int, e *Event) []byte {
	b = fmt.Appendf(b, `{"index":%d,"type":"%s","process":%d,"f":`, index, e.Type, e.Process)
	b = appendQuoted(b, orUnnamed(e.F))
	b = append(b, `,"value":`...)
	b = AppendJSON(b, &e.Value)
	if e.Time >= 0 {
		b = fmt.Appendf(b, `,"time":%d`, e.Time)
	}
	if e.Error != "" {
		b = append(b, `,"error":`...)
		b = appendQuoted(b, e.Error)
	}
	return append(b, '}')
}

// plainWord is what may be a keyword of EDN.
var plainWord = regexp.MustCompile(`^[A-Za-z*!_?$%&=<>+.-][\w*!?$%&=<>+.#/'-]*$`)

func orUnnamed(f string) string {
	if f == "" {
		return "txn"
	}
	return f
}

func appendEDN(b []byte, v *Value) []byte {
	open, end := "[", byte(']')
	switch v.Kind {
	case Text:
		return appendQuoted(b, v.Text)
	case List:
	case Set:
		open, end = "#{", '}'
	case Map:
		open, end = "{", '}'
	default:
		return append(b, v.String()...)
	}
	b = append(b, open...)
	for i := range v.Items {
		if i > 0 {
			b = append(b, ' ')
		}
		b = appendEDN(b, &v.Items[i])
	}
	return append(b, end)
}

// AppendJSON appends a value as JSON. A keyword becomes a string without its colon, a set a list, a key of a map a string.
func AppendJSON(b []byte, v *Value) []byte {
	switch v.Kind {
	case NilValue:
		return append(b, "null"...)
	case Bool, Int:
		return append(b, v.String()...)
	case Float:
		if json.Valid([]byte(v.Text)) {
			return append(b, v.Text...)
		}
		return appendQuoted(b, v.Text)
	case Text:
		return appendQuoted(b, v.Text)
	case Keyword:
		return appendQuoted(b, strings.TrimPrefix(v.Text, ":"))
	case Map:
		return appendObject(b, v)
	}
	b = append(b, '[')
	for i := range v.Items {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendJSON(b, &v.Items[i])
	}
	return append(b, ']')
}

func appendObject(b []byte, v *Value) []byte {
	b = append(b, '{')
	for i := 0; i+1 < len(v.Items); i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendQuoted(b, strings.TrimPrefix(v.Items[i].String(), ":"))
		b = append(b, ':')
		b = AppendJSON(b, &v.Items[i+1])
	}
	return append(b, '}')
}

// appendQuoted writes a string with the escapes that JSON and EDN share.
func appendQuoted(b []byte, s string) []byte {
	plain := true
	for i := 0; i < len(s) && plain; i++ {
		plain = s[i] >= 0x20 && s[i] < 0x7f && s[i] != '"' && s[i] != '\\'
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	quoted, err := json.Marshal(strings.ToValidUTF8(s, "\ufffd"))
	if err != nil { // a string is always encoded
		panic(err)
	}
	return append(b, quoted...)
}
