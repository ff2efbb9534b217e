package elle

import (
	"fmt"
	"slices"

	"rig/runtime/history"
)

// registers knows a history of registers. The values are unique, so a read tells who wrote it; the order of the versions is
// known only as far as options allow: nothing but that the initial one is the first.
type registers struct {
	*txns
	o       Options
	writes  map[version]write
	readers map[version][]int32 // nodes whose first access of a key was a read of that version
	next    map[history.Key]map[history.Elem][]history.Elem
	all     map[history.Key][]version // external writes, in the order of the history
	cyclic  []Anomaly
}

// write is who wrote a version.
type write struct {
	op    int32
	final bool // the last of its operation
}

func newRegisters(t *txns, o Options) (*registers, error) {
	r := &registers{
		txns: t, o: o, writes: map[version]write{}, readers: map[version][]int32{}, all: map[history.Key][]version{},
		next: map[history.Key]map[history.Elem][]history.Elem{},
	}
	for i := range t.h.Ops {
		mops := t.h.Mops(&t.h.Ops[i])
		for j, m := range mops {
			if m.Act == history.Append || m.Act == history.ReadList || m.Act == history.ReadOwn {
				return nil, fmt.Errorf("%w: %s (%s) %s", errMixed, history.Name(i), t.h.Ops[i].Where(), t.h.MopText(m))
			}
			if m.Act == history.Write {
				final := !slices.ContainsFunc(mops[j+1:], func(w history.Mop) bool { return w.Act == history.Write && w.Key == m.Key })
				r.writes[version{m.Key, m.Elem}] = write{int32(i), final}
			}
		}
	}
	for n := range int32(len(t.ops)) {
		for v := range t.external(n) {
			r.readers[v] = append(r.readers[v], n)
		}
	}
	for n := range int32(len(t.ops)) {
		for _, m := range t.mops(n) {
			v := version{m.Key, m.Elem}
			if m.Act == history.Write && r.writes[v].final && (t.ok(n) || len(r.readers[v]) > 0) {
				r.all[m.Key] = append(r.all[m.Key], v)
			}
		}
	}
	r.versions()
	return r, nil
}

// external gives the versions that a node read before it wrote their keys. What is not ok did not tell what it read.
func (t *txns) external(n int32) func(yield func(version) bool) {
	return func(yield func(version) bool) {
		mops := t.mops(n)
		for j, m := range mops {
			if m.Act == history.Write || !t.ok(n) || touched(mops[:j], m.Key) {
				continue
			}
			if !yield(version{m.Key, readElem(m)}) {
				return
			}
		}
	}
}

func readElem(m history.Mop) history.Elem {
	if m.Act == history.ReadNil {
		return history.Nil
	}
	return m.Elem
}

// first is the version of a key that a node met first, last the one it left; without, false.
func (r *registers) first(n int32, k history.Key) (history.Elem, bool) {
	var wrote history.Elem
	written := false
	for _, m := range r.mops(n) {
		if m.Key != k {
			continue
		}
		if m.Act != history.Write && r.ok(n) && !written {
			return readElem(m), true
		}
		if m.Act == history.Write {
			wrote, written = m.Elem, true
		}
	}
	return wrote, written
}

func (r *registers) last(n int32, k history.Key) (history.Elem, bool) {
	e, ok := r.first(n, k)
	for _, m := range r.mops(n) {
		if m.Key == k && m.Act == history.Write {
			e, ok = m.Elem, true
		}
	}
	return e, ok
}

// versions infers orders of versions, one source after the other. A source that makes the order of a key cyclic is an
// anomaly, and is not used for any key.
func (r *registers) versions() {
	sources := []struct {
		name string
		on   bool
		add  func(before func(k history.Key, a, b history.Elem))
	}{
		{"writes that follow reads", r.o.WritesFollowReads, r.writesFollowReads},
		{"the order of each process", r.o.Sequential, func(before func(history.Key, history.Elem, history.Elem)) { r.byKey(before, r.follow) }},
		{"real time", r.o.Linearizable && r.h.Invocations, r.linearizable},
	}
	for _, s := range sources {
		if !s.on {
			continue
		}
		more := map[history.Key]map[history.Elem][]history.Elem{}
		for k, edges := range r.next {
			more[k] = map[history.Elem][]history.Elem{}
			for a, bs := range edges {
				more[k][a] = slices.Clone(bs)
			}
		}
		s.add(func(k history.Key, a, b history.Elem) {
			if a == b || a == history.Nil {
				return // the initial version is before all others anyway
			}
			if more[k] == nil {
				more[k] = map[history.Elem][]history.Elem{}
			}
			if !slices.Contains(more[k][a], b) {
				more[k][a] = append(more[k][a], b)
			}
		})
		cycles := r.cycles(more, s.name)
		if len(cycles) > 0 {
			r.cyclic = append(r.cyclic, cycles...)
			continue
		}
		r.next = more
	}
}

func (r *registers) writesFollowReads(before func(history.Key, history.Elem, history.Elem)) {
	for n := range int32(len(r.ops)) {
		for v := range r.external(n) {
			if e, ok := r.last(n, v.key); ok && r.ok(n) {
				before(v.key, v.elem, e)
			}
		}
	}
}

// byKey applies an order of nodes to those of each key.
func (r *registers) byKey(before func(history.Key, history.Elem, history.Elem), order func(nodes []int32, add func(a, b int32))) {
	nodes := make([][]int32, r.h.Keys())
	for n := range int32(len(r.ops)) {
		for j, m := range r.mops(n) {
			if _, ok := r.first(n, m.Key); ok && !touched(r.mops(n)[:j], m.Key) {
				nodes[m.Key] = append(nodes[m.Key], n)
			}
		}
	}
	for k, list := range nodes {
		key := history.Key(k)
		order(list, func(a, b int32) {
			x, _ := r.last(a, key)
			y, _ := r.first(b, key)
			before(key, x, y)
		})
	}
}

func (r *registers) linearizable(before func(history.Key, history.Elem, history.Elem)) {
	r.byKey(before, func(nodes []int32, add func(a, b int32)) { r.precede(r.among(nodes), add) })
}

// among gives the events of a few nodes in the order in which they happened.
func (t *txns) among(nodes []int32) []event {
	type timed struct {
		event
		at int32
	}
	var list []timed
	for _, n := range nodes {
		o := t.op(n)
		if o.Invoked >= 0 {
			list = append(list, timed{event{n, true}, o.Invoked})
		}
		if o.Type == history.OK {
			list = append(list, timed{event{n, false}, o.Completed})
		}
	}
	slices.SortFunc(list, func(a, b timed) int { return int(a.at - b.at) })
	out := make([]event, len(list))
	for i, e := range list {
		out[i] = e.event
	}
	return out
}
