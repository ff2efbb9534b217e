// Package simstore simulates a database whose isolation is known, so that checkers can be tested with histories whose verdict is known.
//
// Run plays transactions of several processes against a store of one Level, step by step in an order that the seed decides,
// and gives each event of the history as it happens. Bugs can be switched on. Nothing runs at once: the same seed gives the same history.
package simstore

import (
	"math/rand/v2"
	"sort"

	"rig/runtime/history"
)

// Level is how a store isolates.
type Level int

// The levels. A store keeps more than the level's name asks for: each is also strong, as it decides at single moments.
const (
	Serial          Level = iota // a whole transaction at one moment between its begin and its end
	Snapshot                     // reads as of the begin, the first committer wins
	ReadCommitted                // each read takes what is committed then; written keys stay locked to the end
	ReadUncommitted              // reads take what is written; written keys stay locked, failures are rolled back
	Chaos                        // no locks
)

// Bug is what a store does wrong.
type Bug int

// The bugs.
const (
	Sound           Bug = iota
	NoConflictCheck     // Snapshot: writes lock and go on top of what is committed then, as MySQL's REPEATABLE READ
	StaleSnapshot       // Snapshot: reads may be as of long before the begin
	LostWrite           // a commit is acknowledged whose writes are not there
	LeakedAbort         // what failed is not rolled back
)

// Config is what to simulate. Keys is how many live at a time: one that was written MaxWrites times makes place for a new one.
type Config struct {
	Level        Level
	Bug          Bug
	Seed         uint64
	Transactions int
	Processes    int
	Keys         int
	MaxOps       int // of a transaction; it has at least one
	MaxWrites    int
	Register     bool    // keys are registers, not lists
	Fail         float64 // share of transactions that fail for no reason
	Unknown      float64 // share whose outcome is not told
}

// step is an operation of a transaction.
type step struct {
	key   int64
	value int64
	write bool
	seen  []int64 // by a read
}

// txn is a transaction that runs.
type txn struct {
	process int64
	steps   []step
	next    int
	begun   int64 // the clock of its snapshot
	keys    []*cell
}

// cell is a key: the values that were written to it, each with the clock of its commit.
type cell struct {
	values []int64
	at     []int64
	owner  *txn
}

type store struct {
	Config
	rand   *rand.Rand
	cells  map[int64]*cell
	clock  int64
	live   []int64
	writes map[int64]int64
	newest int64
	now    int64
	emit   func(*history.Event) error
	slab   []history.Value
}

// Run simulates. An error of emit ends it.
func Run(c Config, emit func(*history.Event) error) error {
	s := &store{Config: c, rand: rand.New(rand.NewPCG(c.Seed, 17)), cells: map[int64]*cell{}, writes: map[int64]int64{}, emit: emit}
	for range c.Keys {
		s.live = append(s.live, s.newest)
		s.newest++
	}
	running := make([]*txn, c.Processes)
	process := int64(c.Processes)
	for i := range running {
		running[i] = &txn{process: int64(i), next: -1}
	}
	started := 0
	for len(running) > 0 {
		i := s.rand.IntN(len(running))
		t := running[i]
		if t.next < 0 {
			if started == c.Transactions {
				running = append(running[:i], running[i+1:]...)
				continue
			}
			started++
			if err := s.begin(t); err != nil {
				return err
			}
			continue
		}
		typ, done := s.advance(t)
		if !done {
			continue
		}
		if err := s.end(t, typ); err != nil {
			return err
		}
		next := &txn{process: t.process, next: -1}
		if typ == history.Info {
			next.process = process
			process++
		}
		running[i] = next
	}
	return nil
}

// Build simulates into a history.
func Build(c Config) (*history.History, error) {
	var b history.Builder
	if err := Run(c, b.Add); err != nil {
		return nil, err
	}
	return b.History()
}

func (s *store) begin(t *txn) error {
	t.next = 0
	for range 1 + s.rand.IntN(s.MaxOps) {
		k := s.rand.IntN(len(s.live))
		st := step{key: s.live[k], write: s.rand.IntN(2) == 0}
		if st.write {
			s.writes[st.key]++
			st.value = s.writes[st.key]
			if st.value == int64(s.MaxWrites) {
				delete(s.writes, st.key)
				s.live[k] = s.newest
				s.newest++
			}
		}
		t.steps = append(t.steps, st)
	}
	t.begun = s.clock
	if s.Bug == StaleSnapshot {
		t.begun = max(0, s.clock-s.rand.Int64N(20))
	}
	return s.event(t, history.Invoke)
}

// advance does the next step of a transaction; done says that it ended, and how.
func (s *store) advance(t *txn) (typ history.Type, done bool) {
	if s.Level == Serial {
		for i := range t.steps {
			s.do(t, &t.steps[i])
		}
		return s.decide(t), true
	}
	if t.next < len(t.steps) {
		if !s.do(t, &t.steps[t.next]) {
			return s.rollBack(t), true
		}
		t.next++
		return 0, false
	}
	return s.decide(t), true
}

// decide commits or fails.
func (s *store) decide(t *txn) history.Type {
	dice := s.rand.Float64()
	if dice < s.Fail || s.Level == Snapshot && s.Bug != NoConflictCheck && s.conflicts(t) {
		return s.rollBack(t)
	}
	unknown := dice < s.Fail+s.Unknown
	if unknown && s.rand.IntN(2) == 0 {
		s.rollBack(t)
		return history.Info
	}
	s.commit(t)
	if unknown {
		return history.Info
	}
	return history.OK
}

func (s *store) cell(key int64) *cell {
	c := s.cells[key]
	if c == nil {
		c = &cell{}
		s.cells[key] = c
	}
	return c
}

// inPlace says that writes go to the store at once, not at the commit.
func (s *store) inPlace() bool { return s.Level == ReadUncommitted || s.Level == Chaos }

// do does a step; false if its key is locked.
func (s *store) do(t *txn, st *step) bool {
	c := s.cell(st.key)
	if !st.write {
		st.seen = s.read(t, c, st)
		return true
	}
	if s.Level == ReadCommitted || s.Level == ReadUncommitted || s.Bug == NoConflictCheck {
		if c.owner != nil && c.owner != t {
			return false
		}
		c.owner = t
	}
	if s.inPlace() {
		c.put(st.value, 0)
	}
	t.keys = append(t.keys, c)
	return true
}

// put adds a value. Lists that were handed out stay as they are: only what is behind their ends changes, or all is copied.
func (c *cell) put(value, at int64) {
	c.values, c.at = append(c.values, value), append(c.at, at)
}

// read is what a transaction sees of a key: what was committed as its level has it, and its own writes.
func (s *store) read(t *txn, c *cell, st *step) []int64 {
	if s.inPlace() {
		return c.values[:len(c.values):len(c.values)]
	}
	n := len(c.values)
	if s.Level == Snapshot && (s.Bug != NoConflictCheck || c.owner != t) {
		n = sort.Search(n, func(i int) bool { return c.at[i] > t.begun })
	}
	seen := c.values[:n:n]
	for i := range t.steps {
		own := &t.steps[i]
		if own == st {
			break
		}
		if own.write && own.key == st.key {
			seen = append(seen[:len(seen):len(seen)], own.value)
		}
	}
	return seen
}

func (s *store) conflicts(t *txn) bool {
	for _, c := range t.keys {
		if n := len(c.at); n > 0 && c.at[n-1] > t.begun {
			return true
		}
	}
	return false
}

func (s *store) commit(t *txn) {
	s.clock++
	if !s.inPlace() && (s.Bug != LostWrite || s.rand.IntN(50) != 0) {
		for i := range t.steps {
			if st := &t.steps[i]; st.write {
				s.cell(st.key).put(st.value, s.clock)
			}
		}
	}
	s.unlock(t)
}

func (s *store) rollBack(t *txn) history.Type {
	if s.Bug == LeakedAbort {
		s.commit(t)
		return history.Fail
	}
	if s.inPlace() {
		for i := range t.steps[:t.next] {
			if st := &t.steps[i]; st.write {
				s.cell(st.key).remove(st.value)
			}
		}
	}
	s.unlock(t)
	return history.Fail
}

func (s *store) unlock(t *txn) {
	for _, c := range t.keys {
		if c.owner == t {
			c.owner = nil
		}
	}
}

// remove takes a value out, in a new list.
func (c *cell) remove(value int64) {
	var values, at []int64
	for i, v := range c.values {
		if v != value {
			values, at = append(values, v), append(at, c.at[i])
		}
	}
	c.values, c.at = values, at
}

func (s *store) end(t *txn, typ history.Type) error {
	err := s.event(t, typ)
	for i := range t.steps {
		// The lists of keys that are full are read no more once nobody runs who knows them; dropping them keeps memory small.
		if k := t.steps[i].key; k < s.newest-int64(100*s.Keys) {
			delete(s.cells, k)
		}
	}
	return err
}

var words = [...]history.Value{{Kind: history.Keyword, Text: "r"}, {Kind: history.Keyword, Text: "append"}, {Kind: history.Keyword, Text: "w"}}

// event gives an event to emit. Its value is used again by the next one.
func (s *store) event(t *txn, typ history.Type) error {
	s.now += 1000
	s.slab = s.slab[:0]
	need := 4 * len(t.steps)
	for i := range t.steps {
		need += len(t.steps[i].seen)
	}
	if cap(s.slab) < need {
		s.slab = make([]history.Value, 0, 2*need)
	}
	var list []history.Value
	for i := range t.steps {
		list = append(list, s.mop(&t.steps[i], typ))
	}
	return s.emit(&history.Event{Process: t.process, Type: typ, F: "txn", Time: s.now, Value: history.Value{Kind: history.List, Items: list}})
}

func (s *store) mop(st *step, typ history.Type) history.Value {
	word, val := words[0], history.Value{}
	switch {
	case st.write && s.Register:
		word, val = words[2], history.Value{Kind: history.Int, Int: st.value}
	case st.write:
		word, val = words[1], history.Value{Kind: history.Int, Int: st.value}
	case typ != history.OK:
	case s.Register:
		if n := len(st.seen); n > 0 {
			val = history.Value{Kind: history.Int, Int: st.seen[n-1]}
		}
	default:
		val = history.Value{Kind: history.List, Items: s.ints(st.seen)}
	}
	from := len(s.slab)
	s.slab = append(s.slab, word, history.Value{Kind: history.Int, Int: st.key}, val)
	return history.Value{Kind: history.List, Items: s.slab[from:len(s.slab):len(s.slab)]}
}

func (s *store) ints(list []int64) []history.Value {
	from := len(s.slab)
	for _, n := range list {
		s.slab = append(s.slab, history.Value{Kind: history.Int, Int: n})
	}
	return s.slab[from:len(s.slab):len(s.slab)]
}
