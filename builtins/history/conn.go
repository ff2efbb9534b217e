package history

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"io"

	"rig/runtime/event"
	"rig/runtime/session"
)

// conn is a session as workloads use it.
type conn struct {
	s    *session.Session
	call session.Call
}

// Exec gives the number of rows that changed.
func (c *conn) Exec(sql string, args ...driver.Value) (int64, error) {
	r, err := c.s.Exec(c.call, sql, args)
	return r.RowsAffected, err
}

// Query copies the cells of a small result.
func (c *conn) Query(sql string, args ...driver.Value) ([][]driver.Value, error) {
	var rows session.Rows
	if err := c.s.QueryInto(&rows, c.call, sql, args); err != nil {
		return nil, err
	}
	out := make([][]driver.Value, rows.Len())
	for i := range out {
		out[i] = make([]driver.Value, len(rows.Columns()))
		for j := range out[i] {
			out[i][j] = rows.Cell(i, j)
		}
	}
	return out, nil
}

// Numbers reads a column of any length.
func (c *conn) Numbers(sql string) ([]int64, error) {
	stream, err := c.s.Stream(c.call, sql, nil)
	if err != nil {
		return nil, err
	}
	var out []int64
	for {
		row, err := stream.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		cell := row.At(0, 0)
		if cell.Kind != session.CellInt {
			return nil, errors.Join(fmt.Errorf("the database gave %v where a number was written", cell.Value()), stream.Close())
		}
		out = append(out, cell.Int())
	}
}

// Work begins a piece of work.
func (c *conn) Work() func(failed bool) (event.Outcome, error) {
	work, err := c.s.Work()
	if err != nil {
		return func(bool) (event.Outcome, error) { return event.Unknown, err }
	}
	return work.Outcome
}

// Lost reports whether the session has ended.
func (c *conn) Lost() bool { return c.s.Closed() }

// Close ends the session; one that was lost has ended already.
func (c *conn) Close() { _ = c.s.Close() }
