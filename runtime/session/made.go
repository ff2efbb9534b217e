package session

import (
	"context"
	"database/sql/driver"
	"sync"
)

// NewRows makes a result that no server sent. Text and bytes are given as []byte, numbers as int64, uint64 or float64; each row has
// a value for each column.
func NewRows(columns []Column, rows [][]driver.Value) (*Rows, error) {
	l := &layout{columns: columns, names: make([]string, len(columns))}
	for i, c := range columns {
		l.names[i] = c.Name
	}
	l.index = sync.OnceValue(l.places)
	var c collector
	for _, r := range rows {
		if err := c.add(l, r); err != nil {
			return nil, err
		}
	}
	out := &Rows{layout: l}
	c.finish(out, len(rows))
	return out, nil
}

// QuoteName quotes the name of a column.
func QuoteName(name string) string { return quoteName(name) }

// QuoteTable quotes a table that may be given as database.table; one that is quoted already stays.
func QuoteTable(name string) string { return quoteTable(name) }

// Database is the session's default one, "" for none.
func (s *Session) Database() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.database
}

// Beside opens another session to the same server, in database, with the server's own settings. The caller closes it.
func (s *Session) Beside(ctx context.Context, name, database string) (*Session, error) {
	return s.hub.Open(ctx, Options{Name: name, Database: database, Test: s.opts.Test, Parent: s.opts.Parent})
}
