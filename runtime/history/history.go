// Package history holds what clients of a database saw: their operations in the order in which they began or ended.
//
// Read takes a file that somebody recorded; a Builder takes events one by one. Both pair each invocation with its
// completion and give a History, which checkers only look at. Transactions are kept packed: a read of a list is the length
// of a prefix of the longest list seen for its key, so a million transactions whose reads have a hundred elements need
// some 150 MB. Only a read that contradicts the others keeps its own elements.
package history

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// Type is how an operation stands.
type Type uint8

// The types. Info is an operation whose outcome is not known: it may have happened, and may yet happen.
const (
	Invoke Type = iota
	OK
	Fail
	Info
)

var typeNames = [...]string{"invoke", "ok", "fail", "info"}

func (t Type) String() string { return typeNames[t] }

// Elem is a value that a transaction read or wrote: an integer as it is, or a number for what is no integer.
type Elem int64

// Nil is the value of what was never written.
const Nil Elem = math.MinInt64

// firstNamed is the element of the first value that is no integer; the others follow.
const firstNamed Elem = math.MinInt64 + 1

// smallest is the smallest integer that stands for itself.
const smallest = math.MinInt64 + 1<<40

// Key is the number of a key of transactions.
type Key int32

// Act is what a micro-operation does.
type Act uint8

// The acts. ReadNil saw nothing, or is a read of an operation that did not end.
const (
	ReadNil  Act = iota
	ReadOne      // of a register: Elem
	ReadList     // of a list: the first Elem elements of the key's trunk
	ReadOwn      // of a list that is no prefix of the trunk: Own(mop)
	Write
	Append
)

// Mop is a micro-operation of a transaction.
type Mop struct {
	Act  Act
	Key  Key
	Elem Elem
}

// Op is an operation: an invocation with its completion.
type Op struct {
	Process int64
	// Invoked and Completed are the positions of its two events among all events; -1 where there is none.
	Invoked, Completed int32
	Line               int32 // of its last event, from 1; 0 if it did not come from a file
	Type               Type
	fn                 int16
	lo, hi             uint32 // its micro-operations
	Start, End         int64  // nanoseconds, -1 where not told
	In, Out            *Value // of operations that are no transactions
}

// History is a list of operations in the order of their last events, as a Builder leaves it.
type History struct {
	Ops []Op
	// Events is how many events there were.
	Events int
	// Invocations says that some operation has one: without any, nothing is known of real time.
	Invocations bool
	// Errors has what is known of why operations failed or are of unknown outcome, by their number.
	Errors map[int]string

	mops  []Mop
	own   [][]Elem
	keys  names
	elems names
	fns   names
	trunk [][]Elem // by key: the longest list read
}

// names numbers texts. Each text has the kind of its value in front, so that "1" and :1 differ.
type names struct {
	ids   map[string]int
	texts []string
}

func (n *names) id(text string) int {
	if id, ok := n.ids[text]; ok {
		return id
	}
	if n.ids == nil {
		n.ids = map[string]int{}
	}
	id := len(n.texts)
	n.ids[text] = id
	n.texts = append(n.texts, text)
	return id
}

func (n *names) clone() names { return names{maps.Clone(n.ids), slices.Clip(n.texts)} }

// Mops are the micro-operations of a transaction; none if it is no transaction.
func (h *History) Mops(o *Op) []Mop { return h.mops[o.lo:o.hi] }

// F is the name of the operation's function, such as txn, read or add.
func (h *History) F(o *Op) string { return h.fns.texts[o.fn] }

// Keys is how many keys transactions have.
func (h *History) Keys() int { return len(h.keys.texts) }

// KeyText is a key as the file has it.
func (h *History) KeyText(k Key) string { return h.keys.texts[k] }

// ElemText is an element as the file has it.
func (h *History) ElemText(e Elem) string {
	if e == Nil {
		return "nil"
	}
	if e < smallest {
		return h.elems.texts[e-firstNamed]
	}
	return fmt.Sprint(int64(e))
}

// Trunk is the longest list that was read of a key.
func (h *History) Trunk(k Key) []Elem { return h.trunk[k] }

// List is what a read of a list saw. It is not to be changed.
func (h *History) List(m Mop) []Elem {
	switch m.Act {
	case ReadList:
		return h.trunk[m.Key][:m.Elem]
	case ReadOwn:
		return h.own[m.Elem]
	}
	return nil
}

// Name is how reports call an operation: T and its number, from 1, in the order of the file.
func Name(i int) string { return fmt.Sprintf("T%d", i+1) }

// Where is the source position of an operation, for people: its line if it has one, and its process.
func (o *Op) Where() string {
	if o.Line == 0 {
		return fmt.Sprintf("process %d", o.Process)
	}
	return fmt.Sprintf("line %d, process %d", o.Line, o.Process)
}

// MopText is a micro-operation for people: "append 3 to x", "read [1 2] of y", "write 5 to z".
func (h *History) MopText(m Mop) string {
	key := h.KeyText(m.Key)
	switch m.Act {
	case ReadNil:
		return "read nothing of " + key
	case ReadOne:
		return "read " + h.ElemText(m.Elem) + " of " + key
	case ReadList, ReadOwn:
		return "read " + h.ListText(h.List(m)) + " of " + key
	case Write:
		return "wrote " + h.ElemText(m.Elem) + " to " + key
	}
	return "appended " + h.ElemText(m.Elem) + " to " + key
}

// shownElements is how many elements of a list reports show.
const shownElements = 12

// ListText is a list for people; of a long one the last elements, which are those that matter.
func (h *History) ListText(list []Elem) string {
	text := "["
	if cut := len(list) - shownElements; cut > 0 {
		text += fmt.Sprintf("... (%d more) ", cut)
		list = list[cut:]
	}
	for i, e := range list {
		if i > 0 {
			text += " "
		}
		text += h.ElemText(e)
	}
	return text + "]"
}
