package invariant

import (
	"math"

	"rig/runtime/history"
)

// elements are those of a sequence; ok is false if it is none.
func elements(v *history.Value) (list []string, ok bool) {
	if v == nil || !v.Sequence() {
		return nil, false
	}
	for i := range v.Items {
		list = append(list, v.Items[i].String())
	}
	return list, true
}

// set: elements are added, and the last read counts. Wrong is an element that was added for sure and is not there, and one
// that is there and that nobody tried to add.
func set(h *history.History, _ Options) (*Verdict, error) {
	v := newVerdict()
	tried, added := map[string]int{}, map[string]int{}
	last := -1
	for i := range h.Ops {
		op := &h.Ops[i]
		switch f := h.F(op); {
		case f == "add":
			e := value(op).String()
			if op.Type != history.Fail {
				tried[e] = i
			}
			if op.Type == history.OK {
				added[e] = i
			}
		case f == "read":
			if op.Type == history.OK {
				last = i
			}
		default:
			return nil, wrong(h, i, "add or read")
		}
	}
	v.Counts["attempts"], v.Counts["acknowledged"] = len(tried), len(added)
	if last < 0 {
		v.Valid = Unknown
		v.Notes = append(v.Notes, "the set was never read")
		return v, nil
	}
	list, ok := elements(h.Ops[last].Out)
	if !ok {
		return nil, wrong(h, last, "a read of a list or set")
	}
	there := map[string]bool{}
	for _, e := range list {
		there[e] = true
		if _, ok := tried[e]; !ok {
			v.fault("unexpected", "%s read %s, which nobody added", who(h, last), e)
		} else if _, ok := added[e]; !ok {
			v.Counts["recovered"]++
		}
	}
	for i := range h.Ops {
		if e := value(&h.Ops[i]).String(); h.F(&h.Ops[i]) == "add" && h.Ops[i].Type == history.OK && !there[e] {
			v.fault("lost", "%s added %s, and %s did not read it", who(h, i), e, who(h, last))
		}
	}
	return v, nil
}

// member is what is known of an element. Positions are those of events.
type member struct {
	op      int   // that added it
	known   int32 // from when on it is known to be there: its addition or a first read of it ended; -1 if never
	present int32 // the latest beginning of a read that saw it
	absent  int32 // the latest beginning of a read that did not see it
	missed  int   // that read
	first   int32 // the event that began its addition
}

// setFull: elements are added while the set is read again and again. Wrong is an element that is lost: known to be there,
// and missing from then on in every read that began after those that saw it. An element that is missing only for a while
// is stale, which is counted; one that a read has twice is wrong too. Values may be pairs of a key and a value, for many sets at once.
func setFull(h *history.History, _ Options) (*Verdict, error) {
	f := &fullSet{h: h, v: newVerdict(), members: map[string]*member{}}
	f.keyed = f.pairs()
	for i := range h.Ops {
		switch h.F(&h.Ops[i]) {
		case "add":
			f.add(i)
		case "read":
		default:
			return nil, wrong(h, i, "add or read")
		}
	}
	for i := range h.Ops {
		if op := &h.Ops[i]; h.F(op) == "read" && op.Type == history.OK {
			if err := f.read(i); err != nil {
				return nil, err
			}
		}
	}
	f.judge()
	return f.v, nil
}

type fullSet struct {
	h       *history.History
	v       *Verdict
	keyed   bool
	members map[string]*member
	order   []string
}

// pairs says whether all values are pairs of a key and a value.
func (f *fullSet) pairs() bool {
	for i := range f.h.Ops {
		op := &f.h.Ops[i]
		v := value(op)
		if f.h.F(op) == "add" && (v.Kind != history.List || len(v.Items) != 2) {
			return false
		}
		if f.h.F(op) == "read" && op.Type == history.OK && (v.Kind != history.List || len(v.Items) != 2 || !v.Items[1].Sequence()) {
			return false
		}
	}
	return true
}

func begun(op *history.Op) int32 {
	if op.Invoked >= 0 {
		return op.Invoked
	}
	return op.Completed
}

func (f *fullSet) add(i int) {
	op := &f.h.Ops[i]
	e := value(op).String()
	if f.members[e] != nil || op.Type == history.Fail {
		return
	}
	m := &member{op: i, known: -1, present: -1, absent: -1, first: begun(op)}
	if op.Type == history.OK {
		m.known = op.Completed
	}
	f.members[e] = m
	f.order = append(f.order, e)
}

func (f *fullSet) read(i int) error {
	op := &f.h.Ops[i]
	v, prefix := op.Out, ""
	if f.keyed {
		prefix = v.Items[0].String()
		v = &v.Items[1]
	}
	list, ok := elements(v)
	if !ok {
		return wrong(f.h, i, "a read of a list or set")
	}
	f.v.Counts["reads"]++
	name := func(e string) string {
		if f.keyed {
			return "[" + prefix + " " + e + "]"
		}
		return e
	}
	seen := make(map[string]bool, len(list))
	for _, e := range list {
		e = name(e)
		if seen[e] {
			f.v.fault("duplicated", "%s read %s twice", who(f.h, i), e)
		}
		seen[e] = true
		m := f.members[e]
		if m == nil {
			f.v.fault("unexpected", "%s read %s, which nobody added", who(f.h, i), e)
			continue
		}
		m.present = max(m.present, begun(op))
		if m.known < 0 || op.Completed < m.known {
			m.known = op.Completed
		}
	}
	for e, m := range f.members {
		if !seen[e] && begun(op) > m.absent && (!f.keyed || value(&f.h.Ops[m.op]).Items[0].String() == prefix) {
			m.absent, m.missed = begun(op), i
		}
	}
	return nil
}

// judge decides on each element: stable, lost, or never read.
func (f *fullSet) judge() {
	for _, e := range f.order {
		m := f.members[e]
		switch {
		case m.present > m.absent:
			f.v.Counts["stable"]++
			if m.known >= 0 && m.absent > m.known && m.absent < math.MaxInt32 {
				f.v.Counts["stale"]++
			}
		case m.known >= 0 && m.known < m.absent:
			f.v.fault("lost", "%s added %s, and %s did not read it, nor did any read that began later", who(f.h, m.op), e, who(f.h, m.missed))
		default:
			f.v.Counts["never-read"]++
		}
	}
	f.v.Counts["attempts"] = len(f.order)
	if f.v.Valid == Yes && f.v.Counts["stable"] == 0 {
		f.v.Valid = Unknown
		f.v.Notes = append(f.v.Notes, "no element was read for good")
	}
}
