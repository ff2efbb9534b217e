package elle

import (
	"fmt"
	"slices"

	"rig/runtime/history"
)

// direct finds what single reads prove.
func (l *lists) direct(add func(Anomaly)) {
	f := &listFaults{lists: l, add: add, failed: make([][]int, len(l.order)), duplicate: make([]int, len(l.order))}
	for k := range l.order {
		trunk := l.h.Trunk(history.Key(k))
		f.duplicate[k] = firstDuplicate(trunk)
		for p, e := range trunk {
			if w, ok := l.writers[version{history.Key(k), e}]; ok && l.h.Ops[l.opOf[w]].Type == history.Fail {
				f.failed[k] = append(f.failed[k], p)
			} else if !ok {
				f.garbage(history.Key(k), e)
			}
		}
	}
	at := 0
	for i := range l.h.Ops {
		o := &l.h.Ops[i]
		mops := l.h.Mops(o)
		if o.Type == history.OK || o.Type == history.Info {
			f.operation(i, o, mops)
		}
		at += len(mops)
	}
	f.incompatible()
	f.dirty()
	lostUpdates(l.h, l.readKey, f.add)
}

// listFaults looks for what needs no cycle.
type listFaults struct {
	*lists
	add       func(Anomaly)
	failed    [][]int // by key: the places in its trunk of elements whose writers failed
	duplicate []int   // by key: the place in its trunk of the first element that is there twice; -1
}

func (f *listFaults) tell(name string, format string, args ...any) {
	f.add(Anomaly{Name: name, Story: []string{fmt.Sprintf(format, args...)}})
}

// who is an operation in a story.
func (l *lists) who(i int) string {
	return fmt.Sprintf("%s (%s)", history.Name(i), l.h.Ops[i].Where())
}

func (f *listFaults) operation(i int, o *history.Op, mops []history.Mop) {
	for _, m := range mops {
		if m.Act != history.ReadList && m.Act != history.ReadOwn {
			continue
		}
		list := f.h.List(m)
		if d := f.duplicated(m, list); d >= 0 {
			f.tell("duplicate-elements", "%s %s: %s is there twice", f.who(i), f.h.MopText(m), f.h.ElemText(list[d]))
		}
		if o.Type == history.OK && len(list) > 0 {
			f.aborted(i, m, list)
			f.intermediate(i, m, list)
		}
	}
	if o.Type == history.OK && repeats(mops) {
		f.internal(i, mops)
		f.future(i, mops)
	}
}

func (f *listFaults) duplicated(m history.Mop, list []history.Elem) int {
	if m.Act == history.ReadOwn {
		return firstDuplicate(list)
	}
	if d := f.duplicate[m.Key]; d >= 0 && d < len(list) {
		return d
	}
	return -1
}

// aborted finds reads of what a failed operation appended.
func (f *listFaults) aborted(i int, m history.Mop, list []history.Elem) {
	report := func(e history.Elem) {
		w := int(f.opOf[f.writers[version{m.Key, e}]])
		f.tell("G1a", "%s %s: %s is of %s, which failed", f.who(i), f.h.MopText(m), f.h.ElemText(e), f.who(w))
	}
	if m.Act == history.ReadList {
		for _, p := range f.failed[m.Key] {
			if p < len(list) {
				report(list[p])
			}
		}
		return
	}
	for _, e := range list {
		if w, ok := f.writers[version{m.Key, e}]; ok {
			if f.h.Ops[f.opOf[w]].Type == history.Fail {
				report(e)
			}
		} else {
			f.garbage(m.Key, e)
		}
	}
}

// intermediate finds reads that end with what an operation appended before it appended more.
func (f *listFaults) intermediate(i int, m history.Mop, list []history.Elem) {
	var w uint32
	if p := f.after(m); p > 0 {
		w = f.made[m.Key][p-1]
	} else if other, ok := f.writers[version{m.Key, list[len(list)-1]}]; ok {
		w = other
	} else {
		return
	}
	if w != none && !f.final[w] && f.opOf[w] != int32(i) {
		f.tell("G1b", "%s %s: it ends with %s, after which %s appended more", f.who(i), f.h.MopText(m), f.h.ElemText(list[len(list)-1]), f.who(int(f.opOf[w])))
	}
}

// repeats says whether an operation has a key twice, one of them a read: only then can it contradict itself.
func repeats(mops []history.Mop) bool {
	for i, m := range mops {
		for _, n := range mops[:i] {
			if n.Key == m.Key && (m.Act != history.Append || n.Act != history.Append) {
				return true
			}
		}
	}
	return false
}

// internal finds a read that contradicts what the same operation read or appended before.
func (f *listFaults) internal(i int, mops []history.Mop) {
	for j, m := range mops {
		if m.Act == history.Append {
			continue
		}
		known, base, appended := false, []history.Elem(nil), []history.Elem(nil)
		for _, b := range mops[:j] {
			switch {
			case b.Key != m.Key:
			case b.Act == history.Append:
				appended = append(appended, b.Elem)
			default:
				known, base, appended = true, f.h.List(b), nil
			}
		}
		list := f.h.List(m)
		cut := len(list) - len(appended)
		if cut < 0 || !slices.Equal(list[cut:], appended) || known && !slices.Equal(list[:cut], base) {
			want := f.h.ListText(append(slices.Clone(base), appended...))
			if !known {
				want = "a list that ends with " + f.h.ListText(appended)
			}
			f.tell("internal", "%s %s, but its own operations before call for %s", f.who(i), f.readText(m), want)
			return
		}
	}
}

// future finds a read of what the same operation appends only later.
func (f *listFaults) future(i int, mops []history.Mop) {
	for j, a := range mops {
		for _, r := range mops[:j] {
			if a.Act == history.Append && r.Key == a.Key && r.Act != history.Append && slices.Contains(f.h.List(r), a.Elem) {
				f.tell("future-read", "%s %s, but appended %s only afterwards", f.who(i), f.h.MopText(r), f.h.ElemText(a.Elem))
				return
			}
		}
	}
}

// incompatible finds reads of a key of which neither is a prefix of the other.
func (f *listFaults) incompatible() {
	told := map[history.Key]bool{}
	for _, m := range f.own {
		if told[m.Key] {
			continue
		}
		told[m.Key] = true
		f.tell("incompatible-order", "%s was read as %s and as %s, which no order of appends gives", f.h.KeyText(m.Key), f.h.ListText(f.h.List(m)), f.h.ListText(f.h.Trunk(m.Key)))
	}
}

// dirty finds a committed append onto one that failed: the failed version was not taken back.
func (f *listFaults) dirty() {
	for k := range f.order {
		base, baseType := -1, history.OK
		for p, w := range f.made[k] {
			if w == none {
				continue
			}
			typ := f.h.Ops[f.opOf[w]].Type
			switch {
			case typ == history.Fail:
				if baseType != history.Fail {
					base, baseType = p, typ
				}
			case typ == history.OK:
				if baseType == history.Fail {
					f.tell("dirty-update", "%s appended %s to %s on top of the %s of %s, which failed", f.who(int(f.opOf[w])), f.h.ElemText(f.order[k][p]),
						f.h.KeyText(history.Key(k)), f.h.ElemText(f.order[k][base]), f.who(int(f.opOf[f.made[k][base]])))
				}
				base, baseType = p, typ
			}
		}
	}
}

// garbage tells of an element that nobody appended.
func (f *listFaults) garbage(k history.Key, e history.Elem) {
	f.tell("garbage-read", "%s was read of %s, but nobody appended it", f.h.ElemText(e), f.h.KeyText(k))
}

// readKey names the version that a read of an operation saw.
func (l *lists) readKey(m history.Mop) (version, bool) {
	if m.Act == history.Append {
		return version{}, false
	}
	list := l.h.List(m)
	if len(list) == 0 {
		return version{m.Key, history.Nil}, true
	}
	return version{m.Key, list[len(list)-1]}, true
}

// lostUpdates finds operations that read the same version of a key and then all wrote the key.
func lostUpdates(h *history.History, read func(history.Mop) (version, bool), add func(Anomaly)) {
	by := map[version][]int32{}
	for i := range h.Ops {
		if h.Ops[i].Type != history.OK {
			continue
		}
		mops := h.Mops(&h.Ops[i])
		for j, m := range mops {
			v, ok := read(m)
			if !ok || touched(mops[:j], m.Key) {
				continue
			}
			if slices.ContainsFunc(mops[j:], func(w history.Mop) bool {
				return w.Key == m.Key && (w.Act == history.Append || w.Act == history.Write)
			}) {
				by[v] = append(by[v], int32(i))
			}
		}
	}
	lost := make([]version, 0)
	for v, ops := range by {
		if len(ops) > 1 {
			lost = append(lost, v)
		}
	}
	slices.SortFunc(lost, func(a, b version) int { return int(by[a][0] - by[b][0]) })
	for _, v := range lost {
		a, b := by[v][0], by[v][1]
		what := "its initial state"
		if v.elem != history.Nil {
			what = h.ElemText(v.elem)
		}
		add(Anomaly{Name: "lost-update", Story: []string{fmt.Sprintf("%s (%s) and %s (%s) both read %s of %s and both wrote it%s", history.Name(int(a)), h.Ops[a].Where(),
			history.Name(int(b)), h.Ops[b].Where(), what, h.KeyText(v.key), more(len(by[v])-2))}})
	}
}

func more(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(", and %d more", n)
}

func touched(mops []history.Mop, k history.Key) bool {
	return slices.ContainsFunc(mops, func(m history.Mop) bool { return m.Key == k })
}
