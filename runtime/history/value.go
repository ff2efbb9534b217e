package history

import (
	"fmt"
	"strconv"
	"strings"
)

// Kind is the kind of a value of a file.
type Kind uint8

// The kinds. Float keeps its digits in Text. The Items of a Map are its keys and values in turn.
const (
	NilValue Kind = iota
	Bool          // Int is 0 or 1
	Int
	Float
	Text
	Keyword // also an EDN symbol
	List
	Set
	Map
)

// Value is a value of a file: EDN and JSON have the same kinds for us.
type Value struct {
	Kind  Kind
	Int   int64
	Text  string
	Items []Value
}

// Word is the text of a string or keyword, which JSON and EDN use for the same things.
func (v *Value) Word() (string, bool) {
	if v.Kind == Text || v.Kind == Keyword {
		return strings.TrimPrefix(v.Text, ":"), true
	}
	return "", false
}

// Get is what a map has under a word.
func (v *Value) Get(word string) *Value {
	if v.Kind != Map {
		return nil
	}
	for i := 0; i+1 < len(v.Items); i += 2 {
		if w, ok := v.Items[i].Word(); ok && w == word {
			return &v.Items[i+1]
		}
	}
	return nil
}

// Sequence says that a value is a list or a set.
func (v *Value) Sequence() bool { return v.Kind == List || v.Kind == Set }

func (v *Value) String() string {
	switch v.Kind {
	case NilValue:
		return "nil"
	case Bool:
		return strconv.FormatBool(v.Int != 0)
	case Int:
		return strconv.FormatInt(v.Int, 10)
	case Float, Keyword:
		return v.Text
	case Text:
		return v.Text
	}
	open, end := "[", "]"
	if v.Kind == Set {
		open, end = "#{", "}"
	} else if v.Kind == Map {
		open, end = "{", "}"
	}
	parts := make([]string, len(v.Items))
	for i := range v.Items {
		parts[i] = v.Items[i].String()
	}
	return open + strings.Join(parts, " ") + end
}

// source is String, but a text has its quotation marks: "1" is not 1.
func (v *Value) source() string {
	if v.Kind == Text {
		return `"` + v.Text + `"`
	}
	return v.String()
}

// clone is a copy that owns its items.
func (v *Value) clone() *Value {
	c := *v
	if v.Items != nil {
		c.Items = make([]Value, len(v.Items))
		for i := range v.Items {
			c.Items[i] = *v.Items[i].clone()
		}
	}
	return &c
}

// Position is a place in a file. Line and Column begin at 1, Byte at 0.
type Position struct {
	Line, Column int
	Byte         int64
}

// Error says what is wrong with a history, and where.
type Error struct {
	File string
	Pos  Position
	Text string
}

func (e *Error) Error() string {
	if e.Pos.Line == 0 {
		return fmt.Sprintf("%s: %s", e.File, e.Text)
	}
	return fmt.Sprintf("%s:%d:%d (byte %d): %s", e.File, e.Pos.Line, e.Pos.Column, e.Pos.Byte, e.Text)
}
