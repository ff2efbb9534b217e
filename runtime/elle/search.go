package elle

import (
	"context"
	"slices"
)

// class is a kind of cycle.
type class int

const (
	g0 class = iota
	g1c
	gSingle
	gNonadjacent
	g2
)

var classNames = [...]string{"G0", "G1c", "G-single-item", "G-nonadjacent-item", "G2-item"}

// variants are the edges that cycles may have beyond those of data.
var variants = []struct {
	suffix string
	more   mask
	models [5]string // the model that has no cycle of each class
}{
	{"", 0, [5]string{"read-uncommitted", "read-committed", "consistent-view", "snapshot-isolation", "serializable"}},
	{"-process", of(process), [5]string{
		"strong-session-read-uncommitted", "strong-session-read-committed", "strong-session-snapshot-isolation",
		"strong-session-snapshot-isolation", "strong-session-serializable",
	}},
	{"-realtime", of(process, realtime), [5]string{
		"strong-read-uncommitted", "strong-read-committed", "strong-snapshot-isolation",
		"strong-snapshot-isolation", "strict-serializable",
	}},
}

// step is an edge of a cycle, between nodes of the whole graph.
type step struct {
	from, to int32
	kind     kind
}

// found is a cycle, or the knowledge that there is one.
type found struct {
	name  string
	steps []step // none: it exists
	size  int32  // transactions of its component
}

// searcher looks for cycles in one component after the other.
type searcher struct {
	ctx    context.Context
	effort int64 // edges that one search may look at
	found  []found
	gaveUp []string // what was looked for in vain, within the bound
}

// maxEffort is about a second of work.
const maxEffort = 200_000_000

// search looks for the worst cycle of each class in a component. A class that a found one implies is not looked for:
// whoever sees a write cycle needs no story about a read that closes another.
func (s *searcher) search(p *part) {
	var have []string
	for _, v := range variants {
		for c := g0; c <= g2; c++ {
			name := classNames[c] + v.suffix
			if reach(implied, have)[name] {
				continue
			}
			steps, exists := s.cycle(p, c, v.more)
			if !exists {
				continue
			}
			have = append(have, name)
			f := found{name: name, size: p.txns}
			if steps == nil {
				f.name = v.models[c] + cycleExists
			} else {
				f.steps = p.inWhole(steps)
			}
			s.found = append(s.found, f)
		}
	}
}

func (s *searcher) cycle(p *part, c class, more mask) (steps []step, exists bool) {
	switch c {
	case g0:
		return s.through(p, of(ww)|more, of(ww))
	case g1c:
		return s.through(p, of(ww, wr)|more, of(wr))
	case gSingle:
		return s.single(p, of(ww, wr, fromHub)|more)
	case gNonadjacent:
		return s.nonadjacent(p, of(ww, wr)|more)
	}
	return s.through(p, of(ww, wr, rw, fromHub)|more, of(rw))
}

// starts is how many edges of each component a short cycle is looked for from.
const starts = 24

// through finds a short cycle of some kinds of edges through one of the kinds in must. That there is one is decided by the
// components alone, so it is certain whatever the time.
func (s *searcher) through(p *part, m, must mask) (best []step, exists bool) {
	comp, count := p.components(m)
	tried := make([]uint8, count)
	w := newWalker(p, m)
	for v := range p.size() {
		for _, e := range p.out(v) {
			if !must.has(e.kind()) || comp[e.node()] != comp[v] || tried[comp[v]] >= starts {
				continue
			}
			if s.ctx.Err() != nil || w.effort > maxWalk && best != nil {
				return best, true
			}
			exists = true
			tried[comp[v]]++
			path := w.path(e.node(), v, len(best)-1)
			if path != nil && (best == nil || len(path)+1 < len(best)) {
				best = append([]step{{v, e.node(), e.kind()}}, path...)
			}
			if len(best) == 2 {
				return best, true
			}
		}
	}
	return best, exists
}

// nonadjacent finds a cycle in which no two anti-dependencies follow each other: one in the graph whose nodes are
// transactions with the memory of whether they were reached by one.
func (s *searcher) nonadjacent(p *part, plain mask) (steps []step, exists bool) {
	n := p.size()
	double := &links{txns: 2 * n}
	for v := range n {
		for _, e := range p.out(v) {
			w, k := e.node(), e.kind()
			switch {
			case k == rw:
				double.add(v, w+n, rw)
			case k == fromHub:
				double.add(v+n, w+n, fromHub)
			case plain.has(k):
				double.add(v, w, k)
				double.add(v+n, w, k)
			}
		}
	}
	q := &part{graph: *double.graph()}
	steps, exists = s.through(q, of(ww, wr, rw, process, realtime, fromHub), of(rw))
	for i := range steps {
		steps[i].from %= n
		steps[i].to %= n
	}
	return steps, exists
}

// anti is an anti-dependency on its way to being tested: a cycle with no other goes from its target back to its source.
type anti struct{ from, to int32 }

// single finds a cycle with exactly one anti-dependency: from the target of one back to its source without another.
// The questions are put 64 at a time: each gets a bit, which spreads in topological order from the targets.
func (s *searcher) single(p *part, m mask) (steps []step, exists bool) {
	comp, count := p.components(m)
	var list []anti
	for v := range p.size() {
		for _, e := range p.out(v) {
			if e.kind() == rw && comp[e.node()] >= comp[v] {
				list = append(list, anti{v, e.node()})
			}
		}
	}
	if len(list) == 0 {
		return nil, false
	}
	slices.SortFunc(list, func(a, b anti) int {
		if a.to == b.to {
			return int(comp[a.from] - comp[b.from])
		}
		if d := comp[b.to] - comp[a.to]; d != 0 {
			return int(d)
		}
		return int(a.to - b.to)
	})
	sp := newSpread(p, m, comp, count)
	effort := int64(0)
	for len(list) > 0 {
		if effort > s.effort || s.ctx.Err() != nil {
			s.gaveUp = append(s.gaveUp, "G-single-item in a component of "+plural(int(p.txns), "transaction"))
			return nil, false
		}
		block, rest := cut(list)
		hit, cost := sp.ask(block)
		effort += cost
		if hit != nil {
			path := newWalker(p, m).path(hit.to, hit.from, 0)
			return append([]step{{hit.from, hit.to, rw}}, path...), true
		}
		list = rest
	}
	return nil, false
}

// cut takes the edges of the next 64 targets.
func cut(list []anti) (block, rest []anti) {
	targets := 0
	for i := range list {
		if i == 0 || list[i].to != list[i-1].to {
			if targets == 64 {
				return list[:i], list[i:]
			}
			targets++
		}
	}
	return list, nil
}
