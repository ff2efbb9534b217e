package history

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"rig/runtime/fault"
)

// Event is one event of a history: an operation begins or ends.
type Event struct {
	Process int64
	Type    Type
	F       string
	Value   Value  // the Builder copies what it keeps
	Time    int64  // nanoseconds, -1 where not told
	Error   string // of one that failed, or of unknown outcome; may be empty
	Pos     Position
}

// Builder pairs events into operations. The zero value is ready.
type Builder struct {
	h       History
	open    map[int64]*opened
	written map[written]int32
}

// opened is an operation that has not ended.
type opened struct {
	value Value
	event Event
	at    int32
}

type written struct {
	key Key
	val Elem
}

// Add takes the next event. Its errors have no position: the caller knows it.
func (b *Builder) Add(e *Event) error {
	if b.open == nil {
		b.open, b.written = map[int64]*opened{}, map[written]int32{}
	}
	if b.h.Events == math.MaxInt32 {
		return fmt.Errorf("a history has at most %d events", math.MaxInt32)
	}
	at := int32(b.h.Events)
	b.h.Events++
	begun := b.open[e.Process]
	if e.Type != Invoke {
		delete(b.open, e.Process)
		return b.complete(begun, e, at)
	}
	if begun != nil {
		return fmt.Errorf("process %d begins an operation, but the one of line %d has not ended", e.Process, begun.event.Pos.Line)
	}
	o := &opened{value: *e.Value.clone(), event: *e, at: at}
	o.event.Value = Value{}
	b.open[e.Process] = o
	b.h.Invocations = true
	return nil
}

// complete makes the operation of a completion; begun is nil where it has no invocation.
func (b *Builder) complete(begun *opened, e *Event, at int32) error {
	if len(b.h.Ops) == math.MaxInt32/2 {
		return fmt.Errorf("a history has at most %d operations", math.MaxInt32/2)
	}
	op := Op{Process: e.Process, Invoked: -1, Completed: at, Line: int32(e.Pos.Line), Type: e.Type, Start: -1, End: e.Time}
	value, f := &e.Value, e.F
	if begun != nil {
		op.Invoked, op.Start = begun.at, begun.event.Time
		if f == "" {
			f = begun.event.F
		}
		if value.Kind == NilValue {
			value = &begun.value
		}
	}
	op.fn = int16(b.h.fns.id(f))
	if len(b.h.fns.texts) > 1000 {
		return fmt.Errorf("more than 1000 functions: %s is the name of another", f)
	}
	if isTransaction(value) {
		if err := b.pack(&op, value); err != nil {
			return err
		}
	} else {
		op.Out = e.Value.clone()
		if begun != nil {
			op.In = &begun.value
		}
	}
	if e.Error != "" {
		if b.h.Errors == nil {
			b.h.Errors = map[int]string{}
		}
		b.h.Errors[len(b.h.Ops)] = e.Error
	}
	b.h.Ops = append(b.h.Ops, op)
	return nil
}

// Snapshot is the history so far; the building goes on. What has not ended is of unknown outcome in it.
func (b *Builder) Snapshot() (*History, error) {
	h := b.h
	// What the snapshot adds goes into lists of its own; what both have already nobody changes.
	h.Ops, h.mops, h.own, h.trunk = slices.Clip(h.Ops), slices.Clip(h.mops), slices.Clip(h.own), slices.Clone(h.trunk)
	for i := range h.trunk {
		h.trunk[i] = slices.Clip(h.trunk[i])
	}
	h.keys, h.elems, h.fns, h.Errors = h.keys.clone(), h.elems.clone(), h.fns.clone(), maps.Clone(h.Errors)
	s := Builder{h: h, open: maps.Clone(b.open), written: map[written]int32{}}
	return s.History()
}

// History ends the building: what has not ended is of unknown outcome.
func (b *Builder) History() (*History, error) {
	var left []*opened
	for _, o := range b.open {
		left = append(left, o)
	}
	slices.SortFunc(left, func(x, y *opened) int { return int(x.at - y.at) })
	for _, o := range left {
		e := o.event
		e.Type, e.Time = Info, -1
		if err := b.complete(o, &e, -1); err != nil {
			return nil, &Error{Pos: o.event.Pos, Text: err.Error()}
		}
	}
	b.open = nil
	h := b.h
	b.h = History{}
	return &h, nil
}

// isTransaction says that a value is a list of micro-operations: lists that begin with r, w or append. An empty list is one too.
func isTransaction(v *Value) bool {
	if v.Kind != List || len(v.Items) == 0 {
		return false
	}
	for i := range v.Items {
		m := &v.Items[i]
		if m.Kind != List || len(m.Items) < 2 || len(m.Items) > 3 {
			return false
		}
		if w, ok := m.Items[0].Word(); !ok || w != "r" && w != "w" && w != "append" {
			return false
		}
	}
	return true
}

// Unreadable gives the first operation called txn, or nothing, whose list is no transaction, with what is wrong; nil where there is none.
func (h *History) Unreadable() error {
	for i := range h.Ops {
		op := &h.Ops[i]
		if f := h.F(op); f != "txn" && f != "" {
			continue
		}
		for _, v := range []*Value{op.Out, op.In} {
			if v != nil && v.Kind == List && len(v.Items) > 0 {
				return fmt.Errorf("%s: %s is no transaction: %s", op.Where(), v, misread(v))
			}
		}
	}
	return nil
}

// misread is why a list is no transaction.
func misread(v *Value) string {
	for i := range v.Items {
		m := &v.Items[i]
		if m.Kind != List || len(m.Items) == 0 {
			return fmt.Sprintf("%s is no list of an operation, a key and a value", m)
		}
		w, ok := m.Items[0].Word()
		if ok && (w == "r" || w == "w" || w == "append") {
			continue
		}
		text := fmt.Sprintf("%s is none of r, w and append", &m.Items[0])
		if near := fault.Suggest(w, []string{"append"}); near != "" {
			text += ", did you mean " + near + "?"
		}
		return text
	}
	return "each operation has a key, and a value or nothing"
}

func (b *Builder) pack(op *Op, v *Value) error {
	if uint64(len(b.h.mops))+uint64(len(v.Items)) > math.MaxUint32 {
		return fmt.Errorf("a history has at most %d micro-operations", uint32(math.MaxUint32))
	}
	op.lo = uint32(len(b.h.mops))
	for i := range v.Items {
		items := v.Items[i].Items
		word, _ := items[0].Word()
		m := Mop{Key: b.key(&items[1])}
		var val *Value
		if len(items) == 3 {
			val = &items[2]
		} else {
			val = &Value{}
		}
		switch word {
		case "r":
			if op.Type == OK || op.Type == Info {
				b.packRead(&m, val)
			}
		default:
			m.Act = Write
			if word == "append" {
				m.Act = Append
			}
			m.Elem = b.elem(val)
			w := written{m.Key, m.Elem}
			if line, again := b.written[w]; again {
				return fmt.Errorf("%s is written to key %s a second time, first on line %d: only unique values can be told apart", val, b.h.KeyText(m.Key), line)
			}
			b.written[w] = op.Line
		}
		b.h.mops = append(b.h.mops, m)
	}
	op.hi = uint32(len(b.h.mops))
	return nil
}

func (b *Builder) key(v *Value) Key {
	k := Key(b.h.keys.id(v.source()))
	for len(b.h.trunk) <= int(k) {
		b.h.trunk = append(b.h.trunk, nil)
	}
	return k
}

func (b *Builder) elem(v *Value) Elem {
	switch {
	case v.Kind == NilValue:
		return Nil
	case v.Kind == Int && v.Int >= smallest:
		return Elem(v.Int)
	}
	return firstNamed + Elem(b.h.elems.id(v.source()))
}

// packRead keeps a read of a list as a length wherever it is a prefix of the key's trunk or makes the trunk longer.
func (b *Builder) packRead(m *Mop, v *Value) {
	switch {
	case v.Kind == NilValue:
		return
	case !v.Sequence():
		m.Act, m.Elem = ReadOne, b.elem(v)
		return
	}
	m.Act = ReadList
	trunk := b.h.trunk[m.Key]
	for i := range v.Items {
		e := b.elem(&v.Items[i])
		if i == len(trunk) {
			trunk = append(trunk, e)
			continue
		}
		if trunk[i] != e {
			list := make([]Elem, len(v.Items))
			for j := range v.Items {
				list[j] = b.elem(&v.Items[j])
			}
			m.Act, m.Elem = ReadOwn, Elem(len(b.h.own))
			b.h.own = append(b.h.own, list)
			return
		}
	}
	b.h.trunk[m.Key] = trunk
	m.Elem = Elem(len(v.Items))
}
