package elle

// kind is why one transaction comes before another.
type kind uint8

// The kinds. A hub is no transaction: it stands between the readers of a version and the many writers that may have
// written the next one, so that n readers and m writers need n+m edges. The edge into a hub is rw, those out of it continue it.
const (
	ww kind = iota
	wr
	rw
	process
	realtime
	fromHub
)

// mask is a set of kinds.
type mask uint8

func of(kinds ...kind) (m mask) {
	for _, k := range kinds {
		m |= 1 << k
	}
	return m
}

func (m mask) has(k kind) bool { return m>>k&1 != 0 }

// edge is the target and the kind.
type edge uint32

// maxNodes is what an edge can hold.
const maxNodes = 1 << 29

func to(n int32, k kind) edge { return edge(n)<<3 | edge(k) }

func (e edge) node() int32 { return int32(e >> 3) }
func (e edge) kind() kind  { return kind(e & 7) }

// graph has the edges of node i in edges[off[i]:off[i+1]]. Nodes from txns on are hubs.
type graph struct {
	txns  int32
	off   []int32
	edges []edge
}

func (g *graph) size() int32        { return int32(len(g.off) - 1) }
func (g *graph) out(n int32) []edge { return g.edges[g.off[n]:g.off[n+1]] }
func (g *graph) hub(n int32) bool   { return n >= g.txns }

// link is an edge on its way into a graph.
type link struct {
	from int32
	edge edge
}

// links collects edges.
type links struct {
	list  []link
	txns  int32
	hubs  int32
	kinds [6]int
}

func (l *links) add(from, target int32, k kind) {
	if from == target {
		return
	}
	l.kinds[k]++
	l.list = append(l.list, link{from, to(target, k)})
}

// hub makes a node that stands between readers and writers.
func (l *links) hub() int32 {
	l.hubs++
	return l.txns + l.hubs - 1
}

// few is how many pairs are linked one by one.
const few = 64

// fan links each reader with each writer but itself. Where they are many, hubs stand between: a chain of them leads to the
// writers up to each one, another to those from each one on, and a reader who writes too is linked with those around it.
func (l *links) fan(readers, writers []int32) {
	if len(readers)*len(writers) <= few {
		for _, r := range readers {
			for _, w := range writers {
				l.add(r, w, rw)
			}
		}
		return
	}
	n := len(writers)
	upTo, from := make([]int32, n), make([]int32, n)
	place := make(map[int32]int, n)
	for i, w := range writers {
		place[w] = i
		upTo[i], from[n-1-i] = l.hub(), l.hub()
		l.add(upTo[i], w, fromHub)
		l.add(from[n-1-i], writers[n-1-i], fromHub)
		if i > 0 {
			l.add(upTo[i], upTo[i-1], fromHub)
			l.add(from[n-1-i], from[n-i], fromHub)
		}
	}
	for _, r := range readers {
		i, writes := place[r]
		if !writes {
			l.add(r, from[0], rw)
			continue
		}
		if i > 0 {
			l.add(r, upTo[i-1], rw)
		}
		if i+1 < n {
			l.add(r, from[i+1], rw)
		}
	}
}

// graph sorts the links by where they begin.
func (l *links) graph() *graph {
	n := l.txns + l.hubs
	g := &graph{txns: l.txns, off: make([]int32, n+1), edges: make([]edge, len(l.list))}
	for _, k := range l.list {
		g.off[k.from+1]++
	}
	for i := range n {
		g.off[i+1] += g.off[i]
	}
	next := append([]int32(nil), g.off[:n]...)
	for _, k := range l.list {
		g.edges[next[k.from]] = k.edge
		next[k.from]++
	}
	return g
}

// components numbers the strongly connected components of the graph of some kinds, by Tarjan's algorithm without recursion.
// The numbers are a topological order from the last to the first: an edge never leads to a greater number.
func (g *graph) components(m mask) (comp []int32, count int32) {
	n := g.size()
	t := &tarjan{g: g, m: m, comp: make([]int32, n), low: make([]int32, n), at: make([]int32, n)}
	for i := range t.comp {
		t.comp[i] = -1
	}
	for v := range n {
		if t.low[v] == 0 {
			t.visit(v)
		}
	}
	return t.comp, t.count
}

type tarjan struct {
	g       *graph
	m       mask
	comp    []int32
	low     []int32 // 0: not visited
	at      []int32 // the next edge of a node on the path
	path    []int32
	stack   []int32
	visited int32
	count   int32
}

func (t *tarjan) push(v int32) {
	t.visited++
	t.low[v] = t.visited
	t.at[v] = t.g.off[v]
	t.path = append(t.path, v)
	t.stack = append(t.stack, v)
}

// visit explores from v. The index of a node is not kept: low of a node that is on the stack is at most its index, and a
// node is a root if no edge made its low smaller, which is remembered by the sign bit of at.
func (t *tarjan) visit(root int32) {
	t.push(root)
	for len(t.path) > 0 {
		v := t.path[len(t.path)-1]
		if next := t.step(v); next >= 0 {
			t.push(next)
			continue
		}
		t.path = t.path[:len(t.path)-1]
		lower := t.at[v] < 0
		if !lower {
			t.close(v)
		}
		if len(t.path) > 0 && t.comp[v] < 0 {
			t.lower(t.path[len(t.path)-1], t.low[v])
		}
	}
}

// step follows the edges of v up to one that leads to a new node.
func (t *tarjan) step(v int32) int32 {
	flag := int32(-1 << 31)
	at := t.at[v]
	lowered := at & flag
	at &^= flag
	for end := t.g.off[v+1]; at < end; at++ {
		e := t.g.edges[at]
		if !t.m.has(e.kind()) {
			continue
		}
		w := e.node()
		if t.low[w] == 0 {
			t.at[v] = (at + 1) | lowered
			return w
		}
		if t.comp[w] < 0 && t.low[w] < t.low[v] {
			t.low[v] = t.low[w]
			lowered = flag
		}
	}
	t.at[v] = at | lowered
	return -1
}

func (t *tarjan) lower(v, low int32) {
	if low < t.low[v] {
		t.low[v] = low
		t.at[v] |= -1 << 31
	}
}

func (t *tarjan) close(v int32) {
	for {
		w := t.stack[len(t.stack)-1]
		t.stack = t.stack[:len(t.stack)-1]
		t.comp[w] = t.count
		if w == v {
			break
		}
	}
	t.count++
}

// parts gives the strongly connected components with more than one node, each as a graph of its own with the numbers of its
// nodes in the whole.
func (g *graph) parts(m mask) []*part {
	comp, count := g.components(m)
	sizes := make([]int32, count)
	for _, c := range comp {
		sizes[c]++
	}
	index := make([]int32, count)
	var parts []*part
	for c, n := range sizes {
		index[c] = -1
		if n > 1 {
			index[c] = int32(len(parts))
			parts = append(parts, &part{whole: make([]int32, 0, n)})
		}
	}
	if len(parts) == 0 {
		return nil
	}
	local := make([]int32, g.size())
	for v := range g.size() { // hubs come last, as in the whole
		if i := index[comp[v]]; i >= 0 {
			p := parts[i]
			local[v] = int32(len(p.whole))
			p.whole = append(p.whole, v)
			if !g.hub(v) {
				p.txns++
			}
		}
	}
	for _, p := range parts {
		p.off = append(p.off, 0)
		for _, v := range p.whole {
			for _, e := range g.out(v) {
				if comp[e.node()] == comp[v] && m.has(e.kind()) {
					p.edges = append(p.edges, to(local[e.node()], e.kind()))
				}
			}
			p.off = append(p.off, int32(len(p.edges)))
		}
	}
	return parts
}

// part is a strongly connected component.
type part struct {
	graph
	whole []int32
}
