package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"rig/runtime/history"
)

// errInsufficient ends a transfer of more than there is.
var errInsufficient = errors.New("insufficient funds")

// bank moves money between accounts: each transfer reads two balances and writes two. A read takes all of them at once.
type bank struct {
	table    string
	accounts int
	opening  int64
}

func newBank(o *Options) kind { return &bank{o.Table, o.Keys, o.Balance} }

func (b *bank) create(c Conn) error {
	if _, err := c.Exec(fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s (id INT PRIMARY KEY, balance BIGINT NOT NULL)", b.table)); err != nil {
		return err
	}
	for i := range b.accounts {
		if _, err := c.Exec(fmt.Sprintf("REPLACE INTO %s VALUES (?, ?)", b.table), int64(i), b.opening); err != nil {
			return err
		}
	}
	return nil
}

func (b *bank) last() *operation { o := b.read(); return &o }

func (b *bank) next(r *rand.Rand) operation {
	if r.IntN(3) == 0 {
		return b.read()
	}
	from := int64(r.IntN(b.accounts))
	to := (from + 1 + int64(r.IntN(b.accounts-1))) % int64(b.accounts)
	amount := 1 + int64(r.IntN(5))
	value := mapping(word("from"), num(from), word("to"), num(to), word("amount"), num(amount))
	return operation{f: "transfer", value: value, do: func(c Conn) (history.Value, error) {
		return value, transaction(c, func() error { return b.transfer(c, from, to, amount) })
	}}
}

func (b *bank) transfer(c Conn, from, to, amount int64) error {
	var balances [2]int64
	for i, id := range []int64{from, to} {
		rows, err := c.Query(fmt.Sprintf("SELECT balance FROM %s WHERE id = ?", b.table), id)
		if err != nil {
			return err
		}
		n, ok, err := number(rows)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("account %d has no balance", id)
		}
		balances[i] = n
	}
	if balances[0] < amount {
		return errInsufficient
	}
	update := fmt.Sprintf("UPDATE %s SET balance = ? WHERE id = ?", b.table)
	if _, err := c.Exec(update, balances[0]-amount, from); err != nil {
		return err
	}
	_, err := c.Exec(update, balances[1]+amount, to)
	return err
}

func (b *bank) read() operation {
	return operation{f: "read", do: func(c Conn) (history.Value, error) {
		v := mapping()
		rows, err := c.Query(fmt.Sprintf("SELECT id, balance FROM %s ORDER BY id", b.table))
		if err != nil {
			return v, err
		}
		for _, row := range rows {
			id, err := integer(row[0])
			if err != nil {
				return v, err
			}
			balance, err := integer(row[1])
			if err != nil {
				return v, err
			}
			v.Items = append(v.Items, num(id), num(balance))
		}
		return v, nil
	}}
}
