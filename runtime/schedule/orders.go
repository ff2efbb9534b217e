package schedule

import (
	"bytes"
	"math/big"
	"math/rand/v2"
	"sort"
	"sync"
)

// Orders says which orders to run. Take may be called from several goroutines.
type Orders interface {
	// Take gives the next order and its place among the results; ok is false when there is none left.
	Take() (next Next, place int, ok bool)
	// Counts tells how many orders there are, and how many turned out to be impossible, or needless, so far.
	Counts() Counts
}

// Counts of orders. Total may be large.
type Counts struct {
	Total  *big.Int
	Pruned int // they begin with what cannot happen
	Swaps  int // they only swap steps that commute with one that is run
}

// Left is how many orders were neither run nor pruned.
func (c Counts) Left(run int) *big.Int {
	return new(big.Int).Sub(c.Total, big.NewInt(int64(run+c.Pruned+c.Swaps)))
}

// Many writes a large number with its thousands apart, 1_000_000, and a huge one as about 5.0e+239.
func Many(n *big.Int) string {
	s := n.String()
	if len(s) > 18 {
		return "about " + new(big.Float).SetInt(n).Text('e', 1)
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "_" + s[i:]
	}
	return s
}

// Total counts the permutations of a plan's steps: (n1+n2+...)! / (n1! n2! ...).
func (p *Plan) Total() *big.Int {
	total, n := big.NewInt(1), int64(0)
	for _, s := range p.Sessions {
		k := int64(len(s.Steps))
		n += k
		total.Mul(total, new(big.Int).Binomial(n, k))
	}
	return total
}

// given are orders that were asked for.
type given struct {
	mu     sync.Mutex
	orders [][]Place
	taken  int // guarded by mu
}

// Given makes Orders of some that were asked for.
func Given(orders [][]Place) Orders { return &given{orders: orders} }

func (g *given) Counts() Counts { return Counts{Total: big.NewInt(int64(len(g.orders)))} }

func (g *given) Take() (Next, int, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.taken == len(g.orders) {
		return nil, 0, false
	}
	order := g.orders[g.taken]
	g.taken++
	return func(sent []int, _ func(int) bool) (Place, bool, error) {
		if len(sent) == len(order) {
			return Place{}, false, nil
		}
		return order[len(sent)], true, nil
	}, g.taken - 1, true
}

// permutations are all orders, by the alphabet of step numbers. One that cannot be gone on with is left for the next that
// begins alike, so that nothing is sent twice.
type permutations struct {
	plan   *Plan
	orders [][]byte
	mu     sync.Mutex
	state  []byte // guarded by mu: todo, taken, pruned
	from   int    // guarded by mu: none before it is todo
}

const (
	todo = iota
	taken
	pruned
)

// Permutations makes Orders of every permutation: count them first. A plan may have 255 steps.
func (p *Plan) Permutations() Orders {
	x := &permutations{plan: p, orders: p.every()}
	x.state = make([]byte, len(x.orders))
	return x
}

// every lists all orders, by the alphabet.
func (p *Plan) every() [][]byte {
	var out [][]byte
	p.all(make([]int, len(p.Sessions)), make([]byte, 0, p.Len()), &out)
	return out
}

// all adds the orders that begin with the one so far.
func (p *Plan) all(next []int, sofar []byte, out *[][]byte) {
	if len(sofar) == p.Len() {
		*out = append(*out, bytes.Clone(sofar))
		return
	}
	first := 0
	for i, s := range p.Sessions {
		if next[i] < len(s.Steps) {
			next[i]++
			p.all(next, append(sofar, byte(first+next[i]-1)), out)
			next[i]--
		}
		first += len(s.Steps)
	}
}

func (x *permutations) Counts() Counts {
	x.mu.Lock()
	defer x.mu.Unlock()
	return Counts{Total: big.NewInt(int64(len(x.orders))), Pruned: bytes.Count(x.state, []byte{pruned})}
}

func (x *permutations) Take() (Next, int, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for ; x.from < len(x.orders); x.from++ {
		if x.state[x.from] == todo {
			x.state[x.from] = taken
			w := &walk{x: x, at: x.from}
			return w.next, x.from, true
		}
	}
	return nil, 0, false
}

// walk is one run through the permutations.
type walk struct {
	x  *permutations
	at int // the order that is followed; it changes
}

func (w *walk) next(sent []int, busy func(int) bool) (Place, bool, error) {
	x := w.x
	if len(sent) == x.plan.Len() {
		return Place{}, false, nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	prefix := make([]byte, len(sent), len(sent)+1)
	for i, n := range sent {
		prefix[i] = byte(n)
	}
	step := x.orders[w.at][len(sent)]
	if !busy(x.plan.SessionOf(int(step))) {
		return Place{Step: int(step)}, true, nil
	}
	any := x.prune(prefix, busy)
	for i := x.search(prefix, 0); i < len(x.orders) && bytes.HasPrefix(x.orders[i], prefix); i++ {
		if x.state[i] == todo {
			x.state[i], w.at = taken, i
			return Place{Step: int(x.orders[i][len(sent)])}, true, nil
		}
	}
	if any {
		return Place{}, false, ErrAbandoned
	}
	return Place{}, false, nil // every session waits: the engine tells for whom
}

// prune drops what goes on from a beginning with a session that waits; any tells that there is another way on.
func (x *permutations) prune(prefix []byte, busy func(int) bool) (any bool) {
	for i := x.search(prefix, 0); i < len(x.orders) && bytes.HasPrefix(x.orders[i], prefix); i++ {
		if busy(x.plan.SessionOf(int(x.orders[i][len(prefix)]))) {
			x.state[i] = pruned
		} else {
			any = true
		}
	}
	return any
}

// search finds the first order that is not before the prefix.
func (x *permutations) search(prefix []byte, from int) int {
	return from + sort.Search(len(x.orders)-from, func(i int) bool { return bytes.Compare(x.orders[from+i], prefix) >= 0 })
}

// drawn are orders that were drawn or chosen. Where one cannot go on, the sessions that do not wait go on first.
type drawn struct {
	plan   *Plan
	orders [][]byte
	counts Counts
	mu     sync.Mutex
	taken  int // guarded by mu
}

// Sample draws n different orders by a seed, each as likely as the others. Fewer when there are no more.
func (p *Plan) Sample(n int, seed uint64) Orders {
	total := p.Total()
	if total.IsInt64() && total.Int64() <= int64(n) {
		return p.Permutations()
	}
	return &drawn{plan: p, orders: p.draw(n, seed), counts: Counts{Total: total}}
}

// Preferring makes Orders of one that is followed as far as it can be: where a step's session waits, the others go on, and the step
// is sent when its session can go on. The order must have each step once.
func (p *Plan) Preferring(order []Place) Orders {
	wanted := make([]byte, len(order))
	for i, o := range order {
		wanted[i] = byte(o.Step)
	}
	return &drawn{plan: p, orders: [][]byte{wanted}, counts: Counts{Total: big.NewInt(1)}}
}

// draw gives up to n different orders.
func (p *Plan) draw(n int, seed uint64) [][]byte {
	rnd := rand.New(rand.NewPCG(seed, 0x5eed))
	seen := map[string]bool{}
	var out [][]byte
	for tries := 0; len(out) < n && tries < 20*n; tries++ {
		o := p.shuffled(rnd)
		if !seen[string(o)] {
			seen[string(o)] = true
			out = append(out, o)
		}
	}
	return out
}

// shuffled draws one interleaving: the next session with a chance in proportion to the steps that it has left.
func (p *Plan) shuffled(rnd *rand.Rand) []byte {
	next := make([]int, len(p.Sessions))
	out := make([]byte, 0, p.Len())
	for left := p.Len(); left > 0; left-- {
		k := rnd.IntN(left)
		first := 0
		for i, s := range p.Sessions {
			if mine := len(s.Steps) - next[i]; k >= mine {
				k -= mine
				first += len(s.Steps)
				continue
			}
			out = append(out, byte(first+next[i]))
			next[i]++
			break
		}
	}
	return out
}

func (d *drawn) Counts() Counts { return d.counts }

func (d *drawn) Take() (Next, int, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.taken == len(d.orders) {
		return nil, 0, false
	}
	order := d.orders[d.taken]
	d.taken++
	return d.plan.following(order), d.taken - 1, true
}

// following sends the first step of the order that is not sent and whose session does not wait.
func (p *Plan) following(order []byte) Next {
	return func(sent []int, busy func(int) bool) (Place, bool, error) {
		done := make([]bool, p.Len())
		for _, n := range sent {
			done[n] = true
		}
		for _, n := range order {
			if !done[n] && !busy(p.SessionOf(int(n))) {
				return Place{Step: int(n)}, true, nil
			}
		}
		return Place{}, false, nil
	}
}
