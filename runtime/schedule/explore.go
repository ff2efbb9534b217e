package schedule

import (
	"slices"
	"sort"
)

// exploreMost is how many orders are weighed against each other; of more, so many are drawn.
const exploreMost = 20_000

// access is what a step has to do with what others see, as far as its text tells.
type access struct {
	reads, writes []string // tables
	all           bool     // it may touch anything
}

// accesses reads what each step touches. A COMMIT or ROLLBACK touches what its transaction wrote or locked, because it shows
// it, or frees it. The first read of a transaction may fix what all its reads see.
func (p *Plan) accesses() []access {
	out := make([]access, p.Len())
	first := 0
	for _, s := range p.Sessions {
		sessionAccesses(s, out[first:first+len(s.Steps)])
		first += len(s.Steps)
	}
	return out
}

func sessionAccesses(s Session, out []access) {
	var wrote, read []string
	open, firstRead := false, -1
	for k, step := range s.Steps {
		c := classify(step.SQL)
		switch {
		case step.Func || c.opaque || c.ddl || c.snapshot:
			out[k].all = true
			open = open && !c.ddl || c.snapshot
		case c.begins:
			open, wrote, read, firstRead = true, nil, nil, -1
		case c.ends:
			out[k].writes = wrote
			open, wrote, read, firstRead = false, nil, nil, -1
		case c.reads:
			out[k].reads = c.tables
			if read = union(read, c.tables); open && firstRead < 0 {
				firstRead = k
			}
			if firstRead >= 0 {
				out[firstRead].reads = union(out[firstRead].reads, read)
			}
		default:
			out[k].writes = c.tables
			wrote = union(wrote, c.tables)
		}
	}
}

func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(x string) bool { return slices.Contains(b, x) })
}

// touches reports whether the step has to do with any table.
func (a access) touches() bool { return a.all || a.reads != nil || a.writes != nil }

// conflict reports whether the order of two steps may matter. linked: tables hang together by foreign keys, triggers or
// views, so that a name does not tell what is touched.
func conflict(a, b access, linked bool) bool {
	switch {
	case !a.touches() || !b.touches():
		return false
	case a.all || b.all:
		return true
	case linked:
		return a.writes != nil || b.writes != nil
	}
	return meet(a.writes, b.writes) || meet(a.writes, b.reads) || meet(a.reads, b.writes)
}

// conflicts is the relation for all pairs of steps of different sessions.
func (p *Plan) conflicts(linked bool) [][]bool {
	acc := p.accesses()
	out := make([][]bool, len(acc))
	for i := range acc {
		out[i] = make([]bool, len(acc))
		for j := range acc {
			out[i][j] = p.SessionOf(i) != p.SessionOf(j) && conflict(acc[i], acc[j], linked)
		}
	}
	return out
}

// normal gives the least order that differs from this one only by swaps of neighbours that commute: the normal form of a trace
// in the sense of Mazurkiewicz.
func (p *Plan) normal(order []byte, conflicts [][]bool) []byte {
	left := slices.Clone(order)
	out := make([]byte, 0, len(order))
	for len(left) > 0 {
		best := 0
		for i := 1; i < len(left); i++ {
			if left[i] < left[best] && p.free(left, i, conflicts) {
				best = i
			}
		}
		out = append(out, left[best])
		left = slices.Delete(left, best, best+1)
	}
	return out
}

// free reports whether the i-th step may come before all those in front of it.
func (p *Plan) free(left []byte, i int, conflicts [][]bool) bool {
	for _, before := range left[:i] {
		if conflicts[before][left[i]] || p.SessionOf(int(before)) == p.SessionOf(int(left[i])) {
			return false
		}
	}
	return true
}

// weight counts conflicts that meet an unfinished session: pairs of which the first one's session goes on after the second.
func (p *Plan) weight(order []byte, conflicts [][]bool) int {
	last := make([]int, len(p.Sessions))
	for i, n := range order {
		last[p.SessionOf(int(n))] = i
	}
	w := 0
	for j, n := range order {
		for _, before := range order[:j] {
			if conflicts[before][n] && last[p.SessionOf(int(before))] > j {
				w++
			}
		}
	}
	return w
}

// Explore chooses n orders: those with the most conflicts first, and of those that differ only by swaps of steps which
// commute, one. linked says that tables hang together, so that their names do not tell what commutes.
func (p *Plan) Explore(n int, seed uint64, linked bool) Orders {
	total := p.Total()
	var candidates [][]byte
	all := total.IsInt64() && total.Int64() <= exploreMost
	if all {
		candidates = p.every()
	} else {
		candidates = p.draw(exploreMost, seed)
	}
	conflicts := p.conflicts(linked)
	seen := map[string]bool{}
	var classes [][]byte
	for _, o := range candidates {
		f := p.normal(o, conflicts)
		if !seen[string(f)] {
			seen[string(f)] = true
			classes = append(classes, f)
		}
	}
	weights := map[string]int{}
	for _, o := range classes {
		weights[string(o)] = p.weight(o, conflicts)
	}
	sort.SliceStable(classes, func(i, j int) bool { return weights[string(classes[i])] > weights[string(classes[j])] })
	d := &drawn{plan: p, orders: classes[:min(n, len(classes))], counts: Counts{Total: total}}
	if all {
		d.counts.Swaps = len(candidates) - len(classes)
	}
	return d
}
