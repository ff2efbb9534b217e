package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"rig/runtime/history"
)

// errOther ends a compare-and-set of a register that has another value.
var errOther = errors.New("the register has another value")

// casValues is how many values registers take: few, so that a compare-and-set often finds the one it wants.
const casValues = 5

// cas are registers, each read, written and compared-and-set by single statements. A value of the history is a key with the
// value proper, as Jepsen's independent keys are. A key is used for so many operations only: the search for their order
// grows fast.
type cas struct {
	keys
	table string
}

func newCAS(o *Options) kind { return &cas{newKeys(o), o.Table} }

func (x *cas) create(c Conn) error {
	_, err := c.Exec(fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (id INT PRIMARY KEY, val INT NOT NULL)", x.table))
	return err
}

func (x *cas) last() *operation { return nil }

func (x *cas) next(r *rand.Rand) operation {
	i := r.IntN(len(x.live))
	key := x.live[i]
	x.keys.write(i) // counts the operation
	switch r.IntN(3) {
	case 0:
		return x.read(key)
	case 1:
		return x.set(key, int64(r.IntN(casValues)))
	}
	from := int64(r.IntN(casValues))
	return x.swap(key, from, (from+1+int64(r.IntN(casValues-1)))%casValues)
}

func (x *cas) read(key int64) operation {
	return operation{f: "read", value: list(num(key), history.Value{}), do: func(c Conn) (history.Value, error) {
		rows, err := c.Query(fmt.Sprintf("SELECT val FROM %s WHERE id = ?", x.table), key)
		if err != nil {
			return history.Value{}, err
		}
		seen, err := parseRegister(rows)
		return list(num(key), seen), err
	}}
}

func (x *cas) set(key, to int64) operation {
	value := list(num(key), num(to))
	return operation{f: "write", value: value, do: func(c Conn) (history.Value, error) {
		_, err := c.Exec(fmt.Sprintf("INSERT INTO %s VALUES (?, ?) ON DUPLICATE KEY UPDATE val = ?", x.table), key, to, to)
		return value, err
	}}
}

func (x *cas) swap(key, from, to int64) operation {
	value := list(num(key), list(num(from), num(to)))
	return operation{f: "cas", value: value, do: func(c Conn) (history.Value, error) {
		changed, err := c.Exec(fmt.Sprintf("UPDATE %s SET val = ? WHERE id = ? AND val = ?", x.table), to, key, from)
		if err == nil && changed == 0 {
			err = errOther
		}
		return value, err
	}}
}
