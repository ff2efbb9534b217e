package workload

import (
	"fmt"
	"math/rand/v2"

	"rig/runtime/history"
)

// groupsAtOnce is how many groups of keys are in use; more would only be read less often.
const groupsAtOnce = 3

// longFork writes each key of a group once, while others read the whole group. Two reads of which each saw a write that the
// other did not are a fork.
type longFork struct {
	table  string
	size   int
	groups [groupsAtOnce]group
	newest int64
}

// group is some keys that stand one after the other.
type group struct {
	first   int64
	written int
	reads   int // since all are written
}

// readsAfter is how often a group is read when all its keys are written.
const readsAfter = 3

func newLongFork(o *Options) kind {
	l := &longFork{table: o.Table, size: o.Keys}
	for i := range l.groups {
		l.groups[i] = l.group()
	}
	return l
}

func (l *longFork) group() group {
	g := group{first: l.newest}
	l.newest += int64(l.size)
	return g
}

func (l *longFork) create(c Conn) error {
	_, err := c.Exec(fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (id INT PRIMARY KEY, val INT NOT NULL)", l.table))
	return err
}

func (l *longFork) last() *operation { return nil }

func (l *longFork) next(r *rand.Rand) operation {
	g := &l.groups[r.IntN(groupsAtOnce)]
	if g.written < l.size && r.IntN(3) == 0 {
		key := g.first + int64(g.written)
		g.written++
		return l.write(key)
	}
	first := g.first
	if g.written == l.size {
		if g.reads++; g.reads == readsAfter {
			*g = l.group()
		}
	}
	return l.read(first, r.Perm(l.size))
}

func (l *longFork) write(key int64) operation {
	value := list(list(word("w"), num(key), num(1)))
	return operation{f: "write", value: value, do: func(c Conn) (history.Value, error) {
		_, err := c.Exec(fmt.Sprintf("INSERT INTO %s VALUES (?, 1)", l.table), key)
		return value, err
	}}
}

// read takes each key of a group by a statement of its own, in some order, within one transaction.
func (l *longFork) read(first int64, order []int) operation {
	mops := make([]history.Value, len(order))
	for i, n := range order {
		mops[i] = list(word("r"), num(first+int64(n)), history.Value{})
	}
	return operation{f: "read", value: list(mops...), do: func(c Conn) (history.Value, error) {
		done := make([]history.Value, len(mops))
		err := transaction(c, func() error {
			for i, n := range order {
				rows, err := c.Query(fmt.Sprintf("SELECT val FROM %s WHERE id = ?", l.table), first+int64(n))
				if err != nil {
					return err
				}
				seen, err := parseRegister(rows)
				if err != nil {
					return err
				}
				done[i] = list(mops[i].Items[0], mops[i].Items[1], seen)
			}
			return nil
		})
		return list(done...), err
	}}
}
