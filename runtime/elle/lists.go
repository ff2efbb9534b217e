package elle

import (
	"fmt"
	"slices"

	"rig/runtime/history"
)

// version is a key with the element that made its version.
type version struct {
	key  history.Key
	elem history.Elem
}

// none is no micro-operation.
const none = ^uint32(0)

// lists knows a history of lists. The order of a key's versions is the longest list that was read of it.
type lists struct {
	*txns
	opOf    []int32                // by micro-operation: its operation
	mops    []history.Mop          // of all operations, one after the other
	writers map[version]uint32     // the micro-operation that appended an element
	order   [][]history.Elem       // by key, each element once
	made    [][]uint32             // by key and place in order: who appended it, or none
	place   []map[history.Elem]int // by key: only where order is not the trunk
	seen    []bool                 // by micro-operation: an append that is in an order
	final   []bool                 // by micro-operation: no later write of its key in its operation
	own     []history.Mop          // reads that are no prefixes of trunks
}

func newLists(t *txns) (*lists, error) {
	l := &lists{txns: t, writers: map[version]uint32{}}
	for i := range t.h.Ops {
		for _, m := range t.h.Mops(&t.h.Ops[i]) {
			if m.Act == history.Write || m.Act == history.ReadOne {
				return nil, fmt.Errorf("%w: %s (%s) %s", errMixed, history.Name(i), t.h.Ops[i].Where(), t.h.MopText(m))
			}
			if m.Act == history.Append {
				l.writers[version{m.Key, m.Elem}] = uint32(len(l.mops))
			}
			if m.Act == history.ReadOwn {
				l.own = append(l.own, m)
			}
			l.mops = append(l.mops, m)
			l.opOf = append(l.opOf, int32(i))
		}
	}
	l.final = finals(l.mops, l.opOf, history.Append)
	l.orders()
	return l, nil
}

// finals marks the writes that are the last of their key in their operation.
func finals(mops []history.Mop, opOf []int32, act history.Act) []bool {
	final := make([]bool, len(mops))
	for i, m := range mops {
		if m.Act != act {
			continue
		}
		final[i] = true
		for j := i + 1; j < len(mops) && opOf[j] == opOf[i]; j++ {
			if mops[j].Act == act && mops[j].Key == m.Key {
				final[i] = false
				break
			}
		}
	}
	return final
}

// orders decides on the order of each key's versions.
func (l *lists) orders() {
	n := l.h.Keys()
	l.order, l.made = make([][]history.Elem, n), make([][]uint32, n)
	l.place = make([]map[history.Elem]int, n)
	l.seen = make([]bool, len(l.mops))
	for k := range n {
		l.order[k] = l.h.Trunk(history.Key(k))
		if firstDuplicate(l.order[k]) >= 0 {
			l.replace(history.Key(k), l.order[k])
		}
	}
	for _, m := range l.own {
		if list := l.h.List(m); len(list) > len(l.order[m.Key]) || l.place[m.Key] == nil {
			longest := l.order[m.Key]
			if len(list) > len(longest) {
				longest = list
			}
			l.replace(m.Key, longest)
		}
	}
	for k, order := range l.order {
		made := make([]uint32, len(order))
		for p, e := range order {
			made[p] = none
			if m, ok := l.writers[version{history.Key(k), e}]; ok {
				made[p] = m
				l.seen[m] = true
			}
		}
		l.made[k] = made
	}
}

// replace makes a list the order of a key, each element once.
func (l *lists) replace(k history.Key, list []history.Elem) {
	place := map[history.Elem]int{}
	order := make([]history.Elem, 0, len(list))
	for _, e := range list {
		if _, again := place[e]; !again {
			place[e] = len(order)
			order = append(order, e)
		}
	}
	l.order[k], l.place[k] = order, place
}

// firstDuplicate is the place of the first element that stands in a list before; -1 if none does.
func firstDuplicate(list []history.Elem) int {
	if slices.IsSorted(list) {
		for i := 1; i < len(list); i++ {
			if list[i] == list[i-1] {
				return i
			}
		}
		return -1
	}
	seen := make(map[history.Elem]bool, len(list))
	for i, e := range list {
		if seen[e] {
			return i
		}
		seen[e] = true
	}
	return -1
}

// after is the place in a key's order behind what a read saw; -1 if that is not in it. The initial version has place 0.
func (l *lists) after(m history.Mop) int {
	list := l.h.List(m)
	switch {
	case len(list) == 0:
		return 0
	case l.place[m.Key] == nil:
		return len(list)
	}
	p, ok := l.place[m.Key][list[len(list)-1]]
	if !ok {
		return -1
	}
	return p + 1
}

// reads says whether an operation's micro-operation tells what it saw.
func (l *lists) reads(n int32, m history.Mop) bool {
	switch m.Act {
	case history.ReadList, history.ReadOwn:
		return true
	case history.ReadNil:
		return l.ok(n)
	}
	return false
}

// writer is the node that appended the element at a place; -1 if there is none that may have happened.
func (l *lists) writer(k history.Key, place int) int32 {
	if place < 0 || place >= len(l.made[k]) || l.made[k][place] == none {
		return -1
	}
	return l.node[l.opOf[l.made[k][place]]]
}

// dependencies adds the edges: each version is written after the one before, read after it was written, and was not yet
// written for those who read the one before. What was never read was appended after all that was.
func (l *lists) dependencies(out *links) {
	for k, order := range l.order {
		for p := 1; p < len(order); p++ {
			if a, b := l.writer(history.Key(k), p-1), l.writer(history.Key(k), p); a >= 0 && b >= 0 {
				out.add(a, b, ww)
			}
		}
	}
	last := make([][]int32, len(l.order)) // by key: who read the last version
	unseen := make([][]int32, len(l.order))
	at := 0
	for n := range int32(len(l.ops)) {
		for at = int(l.firstMop(n, at)); at < len(l.mops) && l.opOf[at] == l.ops[n]; at++ {
			m := l.mops[at]
			if m.Act == history.Append {
				if !l.seen[at] && (len(unseen[m.Key]) == 0 || unseen[m.Key][len(unseen[m.Key])-1] != n) {
					unseen[m.Key] = append(unseen[m.Key], n)
				}
			} else if l.reads(n, m) {
				l.link(out, n, m, last)
			}
		}
	}
	for k, writers := range unseen {
		if len(writers) == 0 {
			continue
		}
		out.fan(last[k], writers)
		if a := l.writer(history.Key(k), len(l.order[k])-1); a >= 0 {
			for _, w := range writers {
				out.add(a, w, ww)
			}
		}
	}
}

// firstMop skips to the micro-operations of a node.
func (l *lists) firstMop(n int32, at int) int32 {
	for at < len(l.mops) && l.opOf[at] < l.ops[n] {
		at++
	}
	return int32(at)
}

// link adds the edges of a read.
func (l *lists) link(out *links, n int32, m history.Mop, last [][]int32) {
	p := l.after(m)
	if p < 0 {
		list := l.h.List(m)
		if w, ok := l.writers[version{m.Key, list[len(list)-1]}]; ok && l.node[l.opOf[w]] >= 0 {
			out.add(l.node[l.opOf[w]], n, wr)
		}
		return
	}
	if a := l.writer(m.Key, p-1); a >= 0 {
		out.add(a, n, wr)
	}
	if b := l.writer(m.Key, p); b >= 0 {
		out.add(n, b, rw)
	}
	if p == len(l.order[m.Key]) && (len(last[m.Key]) == 0 || last[m.Key][len(last[m.Key])-1] != n) {
		last[m.Key] = append(last[m.Key], n)
	}
}

// why explains an edge of data.
func (l *lists) why(a, b int32, k kind) string {
	name := func(n int32) string { return l.name(n) }
	switch k {
	case ww:
		for _, m := range l.txns.mops(b) {
			if m.Act != history.Append {
				continue
			}
			before := l.before(m)
			if before >= 0 && l.writer(m.Key, before) == a {
				return fmt.Sprintf("%s appended %s to %s after %s appended %s", name(b), l.h.ElemText(m.Elem), l.h.KeyText(m.Key), name(a), l.h.ElemText(l.order[m.Key][before]))
			}
		}
	case wr:
		for _, m := range l.txns.mops(b) {
			if list := l.h.List(m); len(list) > 0 {
				if w, ok := l.writers[version{m.Key, list[len(list)-1]}]; ok && l.node[l.opOf[w]] == a {
					return fmt.Sprintf("%s %s, which ends with the %s that %s appended", name(b), l.h.MopText(m), l.h.ElemText(list[len(list)-1]), name(a))
				}
			}
		}
	case rw:
		return l.whyNot(a, b)
	}
	return "they depend on each other"
}

// before is the place of the version before an append; -1 for the initial one.
func (l *lists) before(m history.Mop) int {
	order := l.order[m.Key]
	if p := slices.Index(order, m.Elem); p >= 0 {
		return p - 1
	}
	return len(order) - 1
}

func (l *lists) whyNot(a, b int32) string {
	for _, m := range l.txns.mops(b) {
		if m.Act != history.Append {
			continue
		}
		for _, r := range l.txns.mops(a) {
			if r.Key == m.Key && l.reads(a, r) && l.after(r) == l.before(m)+1 {
				return fmt.Sprintf("%s %s and so did not see the %s that %s appended", l.name(a), l.readText(r), l.h.ElemText(m.Elem), l.name(b))
			}
		}
	}
	return "one did not see what the other appended"
}

// readText is a read for people: what an operation that is ok saw nothing of was empty.
func (l *lists) readText(m history.Mop) string {
	if m.Act == history.ReadNil {
		return "read [] of " + l.h.KeyText(m.Key)
	}
	return l.h.MopText(m)
}
