package invariant

import (
	"fmt"
	"slices"

	"rig/runtime/history"
)

// forkRead is a read of a group of keys.
type forkRead struct {
	op   int
	seen []bool // by key of the group: written
	n    int    // how many are
}

// longFork: each key is written once, and reads take groups of keys. Wrong are two reads of a group of which each saw a
// write that the other did not: the writes happened in two orders. Parallel snapshot isolation allows it.
func longFork(h *history.History, _ Options) (*Verdict, error) {
	v := newVerdict()
	writers := map[history.Key]int{}
	groups := map[string][]forkRead{}
	var names []string
	for i := range h.Ops {
		op := &h.Ops[i]
		mops := h.Mops(op)
		writes := slices.ContainsFunc(mops, func(m history.Mop) bool { return m.Act == history.Write })
		if writes && len(mops) > 1 || slices.ContainsFunc(mops, func(m history.Mop) bool {
			return m.Act != history.ReadNil && m.Act != history.ReadOne && m.Act != history.Write
		}) {
			return nil, wrong(h, i, "a write of one key or a read of a group of keys")
		}
		if writes {
			if before, again := writers[mops[0].Key]; again {
				return nil, fmt.Errorf("%s writes key %s, which %s wrote: each is written once", who(h, i), h.KeyText(mops[0].Key), who(h, before))
			}
			writers[mops[0].Key] = i
			continue
		}
		if op.Type != history.OK || len(mops) == 0 {
			continue
		}
		v.Counts["reads"]++
		name, r := forkOf(i, mops)
		if groups[name] == nil {
			names = append(names, name)
		}
		groups[name] = append(groups[name], r)
	}
	for _, name := range names {
		v.forks(h, groups[name])
	}
	if v.Counts["reads"] == 0 {
		v.Valid = Unknown
		v.Notes = append(v.Notes, "no group was read")
	}
	return v, nil
}

// forkOf names the group of a read and says what it saw of it.
func forkOf(i int, mops []history.Mop) (name string, r forkRead) {
	sorted := slices.Clone(mops)
	slices.SortFunc(sorted, func(a, b history.Mop) int { return int(a.Key - b.Key) })
	r = forkRead{op: i}
	for _, m := range sorted {
		name += fmt.Sprint(m.Key, " ")
		r.seen = append(r.seen, m.Act == history.ReadOne)
		if m.Act == history.ReadOne {
			r.n++
		}
	}
	return name, r
}

// forks finds reads of a group that cannot be compared. Ordered by how much they saw, each must have seen all that the one
// before it saw; so not every pair has to be looked at.
func (v *Verdict) forks(h *history.History, reads []forkRead) {
	slices.SortStableFunc(reads, func(a, b forkRead) int { return a.n - b.n })
	for i := 1; i < len(reads); i++ {
		a, b := reads[i-1], reads[i]
		for k, seen := range a.seen {
			if seen && !b.seen[k] {
				v.fault("long-fork", "%s and %s read the same keys, and each saw a write that the other did not", who(h, a.op), who(h, b.op))
				break
			}
		}
	}
}
