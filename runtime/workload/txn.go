package workload

import (
	"database/sql/driver"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"

	"rig/runtime/history"
)

// keys are those that transactions use: a few at a time, each until it was written often enough.
type keys struct {
	live   []int64
	writes map[int64]int64
	newest int64
	most   int64
}

func newKeys(o *Options) keys {
	k := keys{writes: map[int64]int64{}, most: int64(o.MaxWrites)}
	for range o.Keys {
		k.live = append(k.live, k.newest)
		k.newest++
	}
	return k
}

// write gives the next value of a key.
func (k *keys) write(i int) int64 {
	key := k.live[i]
	k.writes[key]++
	n := k.writes[key]
	if n >= k.most {
		delete(k.writes, key)
		k.live[i] = k.newest
		k.newest++
	}
	return n
}

// step is what a transaction does to a key; a value of 0 is a read.
type step struct{ key, value int64 }

// transactions are reads and writes of several keys.
type transactions struct {
	keys
	table, column, verb string
	maxOps              int
	readSQL, writeSQL   string
	parse               func(rows [][]driver.Value) (history.Value, error)
}

// lists are appended to; a list is a text. Whoever reads one knows the order of all its writes.
func newLists(o *Options) kind {
	return &transactions{
		keys: newKeys(o), table: o.Table, column: "TEXT NOT NULL", verb: "append", maxOps: o.MaxOps, parse: parseList,
		readSQL:  fmt.Sprintf("SELECT val FROM %s WHERE id = ?", o.Table),
		writeSQL: fmt.Sprintf("INSERT INTO %s (id, val) VALUES (?, ?) ON DUPLICATE KEY UPDATE val = CONCAT(val, ',', ?)", o.Table),
	}
}

// registers are written; what was there is gone.
func newRegisters(o *Options) kind {
	return &transactions{
		keys: newKeys(o), table: o.Table, column: "BIGINT NOT NULL", verb: "w", maxOps: o.MaxOps, parse: parseRegister,
		readSQL:  fmt.Sprintf("SELECT val FROM %s WHERE id = ?", o.Table),
		writeSQL: fmt.Sprintf("INSERT INTO %s (id, val) VALUES (?, ?) ON DUPLICATE KEY UPDATE val = ?", o.Table),
	}
}

func (x *transactions) create(c Conn) error {
	_, err := c.Exec(fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (id INT PRIMARY KEY, val %s)", x.table, x.column))
	return err
}

func (x *transactions) last() *operation { return nil }

func (x *transactions) next(r *rand.Rand) operation {
	steps := make([]step, 1+r.IntN(x.maxOps))
	mops := make([]history.Value, len(steps))
	for i := range steps {
		k := r.IntN(len(x.live))
		steps[i].key = x.live[k]
		if r.IntN(2) == 0 {
			mops[i] = list(word("r"), num(steps[i].key), history.Value{})
			continue
		}
		steps[i].value = x.write(k)
		mops[i] = list(word(x.verb), num(steps[i].key), num(steps[i].value))
	}
	return operation{f: "txn", value: list(mops...), do: func(c Conn) (history.Value, error) { return x.do(c, steps, mops) }}
}

// do runs the steps in a transaction, and gives the micro-operations with what was read.
func (x *transactions) do(c Conn, steps []step, mops []history.Value) (history.Value, error) {
	done := make([]history.Value, len(mops))
	err := transaction(c, func() error {
		for i, s := range steps {
			done[i] = mops[i]
			if s.value != 0 {
				if err := x.put(c, s); err != nil {
					return err
				}
				continue
			}
			rows, err := c.Query(x.readSQL, s.key)
			if err != nil {
				return err
			}
			seen, err := x.parse(rows)
			if err != nil {
				return err
			}
			done[i] = list(mops[i].Items[0], mops[i].Items[1], seen)
		}
		return nil
	})
	return list(done...), err
}

func (x *transactions) put(c Conn, s step) error {
	value := driver.Value(s.value)
	if x.verb == "append" {
		value = strconv.FormatInt(s.value, 10)
	}
	_, err := c.Exec(x.writeSQL, s.key, value, value)
	return err
}

// parseList reads "1,2,3"; no row is an empty list.
func parseList(rows [][]driver.Value) (history.Value, error) {
	v := list()
	if len(rows) == 0 {
		return v, nil
	}
	text := fmt.Sprint(rows[0][0])
	if b, ok := rows[0][0].([]byte); ok {
		text = string(b)
	}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(part, 10, 64)
		if err != nil {
			return v, fmt.Errorf("the database gave the list %q, which has no such element as %q", text, part)
		}
		v.Items = append(v.Items, num(n))
	}
	return v, nil
}

// parseRegister reads a number; no row is nothing.
func parseRegister(rows [][]driver.Value) (history.Value, error) {
	n, ok, err := number(rows)
	if !ok {
		return history.Value{}, err
	}
	return num(n), nil
}
