package workload

import (
	"fmt"
	"math/rand/v2"

	"rig/runtime/history"
)

// set is a table to which elements are added, each once, and which is read at the end.
type set struct {
	table  string
	reads  bool
	newest int64
}

func newSet(o *Options) kind { return &set{table: o.Table, reads: o.Reads} }

func (s *set) create(c Conn) error {
	_, err := c.Exec(fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (id INT PRIMARY KEY)", s.table))
	return err
}

func (s *set) last() *operation {
	return &operation{f: "read", do: func(c Conn) (history.Value, error) {
		v := list()
		found, err := c.Numbers(fmt.Sprintf("SELECT id FROM %s ORDER BY id", s.table))
		for _, n := range found {
			v.Items = append(v.Items, num(n))
		}
		return v, err
	}}
}

// readEvery is after how many additions a set is read, on the average.
const readEvery = 50

func (s *set) next(r *rand.Rand) operation {
	if s.reads && r.IntN(readEvery) == 0 {
		return *s.last()
	}
	n := s.newest
	s.newest++
	return operation{f: "add", value: num(n), do: func(c Conn) (history.Value, error) {
		_, err := c.Exec(fmt.Sprintf("INSERT INTO %s VALUES (?)", s.table), n)
		return num(n), err
	}}
}
