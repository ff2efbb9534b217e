package elle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rig/runtime/history"
)

// cycles finds the keys whose versions have no order. The initial version is before all others, so what is before it is one too.
func (r *registers) cycles(next map[history.Key]map[history.Elem][]history.Elem, source string) []Anomaly {
	var out []Anomaly
	for _, k := range slices.Sorted(maps.Keys(next)) {
		number := map[history.Elem]int32{}
		elems := []history.Elem{}
		id := func(e history.Elem) int32 {
			if _, ok := number[e]; !ok {
				number[e] = int32(len(elems))
				elems = append(elems, e)
			}
			return number[e]
		}
		l := &links{}
		id(history.Nil)
		for _, a := range slices.Sorted(maps.Keys(next[k])) {
			for _, b := range next[k][a] {
				l.add(id(a), id(b), ww)
				l.add(0, id(a), ww)
				l.add(0, id(b), ww)
			}
		}
		l.txns = int32(len(elems))
		for _, p := range l.graph().parts(of(ww)) {
			var values []string
			for _, v := range p.whole {
				values = append(values, r.h.ElemText(elems[v]))
			}
			out = append(out, Anomaly{Name: "cyclic-versions", Story: []string{fmt.Sprintf("the versions %s of %s each come before the others by %s", strings.Join(values, ", "), r.h.KeyText(k), source)}})
		}
	}
	return out
}

// dependencies adds the edges: a read after the write of what it saw, and for each version before another, its writer and
// its readers before the other's writer.
func (r *registers) dependencies(out *links) {
	for _, k := range slices.Sorted(maps.Keys(r.all)) {
		versions := r.all[k]
		var writers []int32
		for _, v := range versions {
			w := r.node[r.writes[v].op]
			writers = append(writers, w)
			for _, n := range r.readers[v] {
				out.add(w, n, wr)
			}
		}
		out.fan(r.readers[version{k, history.Nil}], writers)
	}
	for _, k := range slices.Sorted(maps.Keys(r.next)) {
		for _, a := range slices.Sorted(maps.Keys(r.next[k])) {
			for _, b := range r.next[k][a] {
				r.link(out, version{k, a}, version{k, b})
			}
		}
	}
}

func (r *registers) link(out *links, a, b version) {
	w, ok := r.externalWriter(b)
	if !ok {
		return
	}
	if first, ok := r.externalWriter(a); ok {
		out.add(first, w, ww)
	}
	for _, n := range r.readers[a] {
		out.add(n, w, rw)
	}
}

// externalWriter is the node whose last write of a key is a version. One that did not tell its outcome counts if somebody read it.
func (r *registers) externalWriter(v version) (int32, bool) {
	w, ok := r.writes[v]
	if !ok || !w.final || r.node[w.op] < 0 {
		return 0, false
	}
	n := r.node[w.op]
	return n, r.ok(n) || len(r.readers[v]) > 0
}

// why explains an edge of data.
func (r *registers) why(a, b int32, k kind) string {
	for v := range r.left(a, k) {
		for _, m := range r.mops(b) {
			if m.Key != v.key {
				continue
			}
			key, was := r.h.KeyText(v.key), r.h.ElemText(v.elem)
			switch {
			case k == wr && m.Act != history.Write && readElem(m) == v.elem:
				return fmt.Sprintf("%s wrote %s to %s, which %s read", r.name(a), was, key, r.name(b))
			case k == wr || m.Act != history.Write || v.elem != history.Nil && !slices.Contains(r.next[v.key][v.elem], m.Elem):
			case k == ww:
				return fmt.Sprintf("%s wrote %s to %s, and %s the later version %s", r.name(a), was, key, r.name(b), r.h.ElemText(m.Elem))
			default:
				return fmt.Sprintf("%s read %s of %s and so did not see the %s that %s wrote", r.name(a), was, key, r.h.ElemText(m.Elem), r.name(b))
			}
		}
	}
	return "they depend on each other"
}

// left gives the versions of a node that an edge may begin with: what it read, or what it wrote.
func (r *registers) left(n int32, k kind) func(yield func(version) bool) {
	if k == rw {
		return r.external(n)
	}
	return func(yield func(version) bool) {
		for _, m := range r.mops(n) {
			if m.Act == history.Write && !yield(version{m.Key, m.Elem}) {
				return
			}
		}
	}
}

// direct finds what single reads prove.
func (r *registers) direct(add func(Anomaly)) {
	tell := func(name, format string, args ...any) {
		add(Anomaly{Name: name, Story: []string{fmt.Sprintf(format, args...)}})
	}
	who := func(i int) string { return fmt.Sprintf("%s (%s)", history.Name(i), r.h.Ops[i].Where()) }
	for i := range r.h.Ops {
		if r.h.Ops[i].Type != history.OK {
			continue
		}
		mops := r.h.Mops(&r.h.Ops[i])
		for _, m := range mops {
			w, ok := r.writes[version{m.Key, m.Elem}]
			switch {
			case m.Act != history.ReadOne || !ok || int(w.op) == i:
			case r.h.Ops[w.op].Type == history.Fail:
				tell("G1a", "%s %s: it is of %s, which failed", who(i), r.h.MopText(m), who(int(w.op)))
			case !w.final:
				tell("G1b", "%s %s: it is of %s, which then wrote more", who(i), r.h.MopText(m), who(int(w.op)))
			}
		}
		if m, want, bad := internalRead(mops); bad {
			tell("internal", "%s %s, but its own operations before call for %s", who(i), r.h.MopText(m), r.h.ElemText(want))
		}
	}
	for _, c := range r.cyclic {
		add(c)
	}
	lostUpdates(r.h, func(m history.Mop) (version, bool) {
		return version{m.Key, readElem(m)}, m.Act != history.Write
	}, add)
}

// internalRead is a read that contradicts what the same operation read or wrote before.
func internalRead(mops []history.Mop) (at history.Mop, want history.Elem, bad bool) {
	for j, m := range mops {
		if m.Act == history.Write {
			continue
		}
		for _, b := range slices.Backward(mops[:j]) {
			if b.Key != m.Key {
				continue
			}
			// A first read of nothing says nothing to Elle, as its states are only what is not nil.
			if want = readElem(b); b.Act != history.ReadNil && want != readElem(m) {
				return m, want, true
			}
			break
		}
	}
	return history.Mop{}, 0, false
}
