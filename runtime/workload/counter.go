package workload

import (
	"fmt"
	"math/rand/v2"

	"rig/runtime/history"
)

// counter is a number that is added to.
type counter struct {
	table     string
	readFirst bool
}

func newCounter(o *Options) kind { return &counter{o.Table, o.ReadFirst} }

func (n *counter) create(c Conn) error {
	if _, err := c.Exec(fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (id INT PRIMARY KEY, n BIGINT NOT NULL)", n.table)); err != nil {
		return err
	}
	_, err := c.Exec(fmt.Sprintf("REPLACE INTO %s VALUES (0, 0)", n.table))
	return err
}

func (n *counter) last() *operation {
	return &operation{f: "read", do: func(c Conn) (history.Value, error) {
		at, err := n.read(c)
		return num(at), err
	}}
}

func (n *counter) next(r *rand.Rand) operation {
	if r.IntN(3) == 0 {
		return *n.last()
	}
	d := 1 + int64(r.IntN(5))
	return operation{f: "add", value: num(d), do: func(c Conn) (history.Value, error) { return num(d), n.add(c, d) }}
}

func (n *counter) add(c Conn, d int64) error {
	if !n.readFirst {
		_, err := c.Exec(fmt.Sprintf("UPDATE %s SET n = n + ? WHERE id = 0", n.table), d)
		return err
	}
	return transaction(c, func() error {
		at, err := n.read(c)
		if err != nil {
			return err
		}
		_, err = c.Exec(fmt.Sprintf("UPDATE %s SET n = ? WHERE id = 0", n.table), at+d)
		return err
	})
}

func (n *counter) read(c Conn) (int64, error) {
	rows, err := c.Query(fmt.Sprintf("SELECT n FROM %s WHERE id = 0", n.table))
	if err != nil {
		return 0, err
	}
	at, ok, err := number(rows)
	if err == nil && !ok {
		err = fmt.Errorf("the counter is gone")
	}
	return at, err
}
