package elle

import (
	"math/bits"
	"slices"
	"strings"
)

// maxWalk is how many edges are looked at to make a cycle shorter.
const maxWalk = 3_000_000

// walker finds shortest ways along some kinds of edges.
type walker struct {
	p      *part
	m      mask
	seen   []int32 // by node: the walk that reached it last
	came   []step
	walk   int32
	effort int
}

func newWalker(p *part, m mask) *walker { return &walker{p: p, m: m} }

// path is a shortest way, of fewer steps than most if that is positive.
func (w *walker) path(from, target int32, most int) []step {
	if w.seen == nil {
		w.seen, w.came = make([]int32, w.p.size()), make([]step, w.p.size())
	}
	w.walk++
	w.seen[from], w.came[from] = w.walk, step{from: -1}
	level := []int32{from}
	for depth := 1; len(level) > 0 && (most <= 0 || depth < most); depth++ {
		var next []int32
		for _, v := range level {
			w.effort += len(w.p.out(v))
			for _, e := range w.p.out(v) {
				n := e.node()
				if w.seen[n] == w.walk || !w.m.has(e.kind()) {
					continue
				}
				w.seen[n], w.came[n] = w.walk, step{v, n, e.kind()}
				if n == target {
					return w.back(target)
				}
				next = append(next, n)
			}
		}
		level = next
	}
	return nil
}

func (w *walker) back(target int32) (path []step) {
	for at := w.came[target]; at.from >= 0; at = w.came[at.from] {
		path = append(path, at)
	}
	slices.Reverse(path)
	return path
}

// inWhole gives steps between nodes of the whole graph, without the hubs.
func (p *part) inWhole(steps []step) []step {
	var out []step
	for i, s := range steps {
		if s.kind == fromHub {
			continue
		}
		for p.hub(s.to) {
			i++
			s.to = steps[i%len(steps)].to
		}
		out = append(out, step{p.whole[s.from], p.whole[s.to], s.kind})
	}
	return out
}

// isCycleExists tells what was not found but is there.
func isCycleExists(name string) bool { return strings.HasSuffix(name, cycleExists) }

// spread carries the bits. Nodes stand in topological order.
type spread struct {
	p     *part
	m     mask
	comp  []int32
	order []int32 // nodes, by component from the last number down
	first []int32 // by component: where it begins in order
	bits  []uint64
}

func newSpread(p *part, m mask, comp []int32, count int32) *spread {
	s := &spread{p: p, m: m, comp: comp, order: make([]int32, p.size()), first: make([]int32, count+1), bits: make([]uint64, count)}
	for _, c := range comp {
		s.first[count-1-c+1]++
	}
	for i := range count {
		s.first[i+1] += s.first[i]
	}
	next := slices.Clone(s.first)
	for v, c := range comp {
		s.order[next[count-1-c]] = int32(v)
		next[count-1-c]++
	}
	return s
}

// ask says which edge of a block closes a cycle, if any does, and how many edges it looked at.
func (s *spread) ask(block []anti) (hit *anti, cost int64) {
	count := int32(len(s.bits))
	lowest := count
	bit := -1
	ofTarget := make([]uint64, len(block))
	for i, a := range block {
		if i == 0 || a.to != block[i-1].to {
			bit++
		}
		ofTarget[i] = 1 << bit
		lowest = min(lowest, s.comp[a.from])
	}
	highest := s.comp[block[0].to]
	clear(s.bits[lowest : highest+1])
	for i, a := range block {
		s.bits[s.comp[a.to]] |= ofTarget[i]
	}
	for c := highest; c >= lowest; c-- {
		mine := s.bits[c]
		if mine == 0 {
			continue
		}
		at := count - 1 - c
		for _, v := range s.order[s.first[at]:s.first[at+1]] {
			out := s.p.out(v)
			cost += int64(len(out))
			for _, e := range out {
				if w := s.comp[e.node()]; w >= lowest && s.m.has(e.kind()) {
					s.bits[w] |= mine
				}
			}
		}
	}
	for i, a := range block {
		if s.bits[s.comp[a.from]]&ofTarget[i] != 0 {
			return &block[i], cost
		}
	}
	return nil, cost + int64(bits.Len(uint(len(block))))
}
