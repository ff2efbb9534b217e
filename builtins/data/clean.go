package data

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"rig/runtime/data"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/session"
)

// place is where rows are deleted.
type place struct {
	s        *session.Session // that made them
	database string           // its default one then
	table    string           // quoted
	id       string           // quoted
}

// ledger is what one test or subtest has made.
type ledger struct {
	t    *scenario.Test
	rows data.Ledger[place] // guarded by state.mu
}

// remember notes a row for the end of the test.
func (m *maker) remember(f *factory, id driver.Value) {
	p := place{m.s, m.s.Database(), session.QuoteTable(f.table), session.QuoteName(f.id)}
	m.st.mu.Lock()
	defer m.st.mu.Unlock()
	l := m.st.ledgers[m.t]
	if l == nil {
		l = &ledger{t: m.t}
		m.st.ledgers[m.t] = l
		m.t.Cleanup("rows of factories", func(ctx context.Context) error { return m.st.clean(ctx, l) })
	}
	l.rows.Add(p, id)
}

const (
	deleteRows  = 500             // rows in one DELETE
	deleteBound = 3 * time.Second // of one DELETE: somebody may hold a lock on the rows
)

// clean deletes the rows of a ledger: table by table, and where a foreign key forbids that, row by row.
func (s *state) clean(ctx context.Context, l *ledger) error {
	s.mu.Lock()
	delete(s.ledgers, l.t)                                   // a cleanup that runs later may make rows again
	if root := l.t.Root(); ctx.Err() != nil && root != l.t { // the test is over while its subtest runs: its end has time of its own
		l.t = root
		s.mu.Unlock()
		root.Cleanup("rows of factories", func(ctx context.Context) error { return s.clean(ctx, l) })
		return nil
	}
	groups, singly := l.rows.Groups(deleteRows), l.rows.Singly()
	s.mu.Unlock()
	d := deleter{ctx: ctx, t: l.t, beside: map[beside]*helper{}}
	defer d.close()
	for _, b := range groups {
		err := d.delete(b)
		if fault.IsKind(err, fault.ForeignKey) {
			return d.all(singly)
		}
		if err = d.tolerated(b, err); err != nil {
			return errors.Join(err, d.all(singly)) // what can go goes
		}
	}
	return nil
}

// all deletes what it can; the first error of each table is enough.
func (d *deleter) all(batches []data.Batch[place]) error {
	var all []error
	told := map[place]bool{}
	for _, b := range batches {
		err := d.tolerated(b, d.delete(b))
		if err != nil && !told[b.Place] {
			told[b.Place] = true
			all = append(all, err)
		}
	}
	return errors.Join(all...)
}

// beside names a session of the clean-up: one for each server and database.
type beside struct{ address, database string }

// deleter deletes rows by sessions of its own: those of the test may be closed, lent, or without autocommit.
type deleter struct {
	ctx    context.Context
	t      *scenario.Test
	beside map[beside]*helper
}

// helper is a session of the clean-up, which is interrupted when the time for that is over.
type helper struct {
	*session.Session
	stop func()
}

func (d *deleter) open(p place) (*helper, error) {
	s, err := p.s.Beside(d.ctx, "cleanup", p.database)
	if err != nil {
		return nil, err
	}
	done := make(chan struct{})
	unhook := context.AfterFunc(d.ctx, func() {
		defer close(done)
		s.Interrupt(context.Cause(d.ctx))
	})
	return &helper{s, func() {
		if !unhook() {
			<-done
		}
		s.Close()
	}}, nil
}

func (d *deleter) close() {
	for _, h := range d.beside {
		h.stop()
	}
}

func (d *deleter) delete(b data.Batch[place]) error {
	if d.ctx.Err() != nil {
		return context.Cause(d.ctx)
	}
	s, err := d.session(b.Place)
	if err != nil {
		return err
	}
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(b.IDs)), ", ")
	args := make([]driver.Value, len(b.IDs))
	for i, id := range b.IDs {
		args[i] = id
	}
	call := session.Call{Op: "clean up", Holder: "rig", Timeout: deleteBound, Parent: d.t.EventID()}
	_, err = s.Exec(call, fmt.Sprintf("DELETE FROM %s WHERE %s IN (%s)", b.Place.table, b.Place.id, marks), args)
	return err
}

// session finds the one that deletes. Where the session that made the rows is in a transaction still, only that sees them, and
// its locks would hold up any other.
func (d *deleter) session(p place) (*session.Session, error) {
	call := session.Call{Op: "clean up", Holder: "rig"}
	if _, busy := p.s.Activity(); !busy && !p.s.Closed() {
		if in, _, err := p.s.InTransaction(call); err == nil && in {
			return p.s, nil
		}
	}
	key := beside{p.s.Config().Address, p.database}
	if h := d.beside[key]; h != nil {
		if !h.Closed() {
			return h.Session, nil
		}
		h.stop()
		delete(d.beside, key)
	}
	h, err := d.open(p)
	if err != nil {
		return nil, err
	}
	d.beside[key] = h
	return h.Session, nil
}

// tolerated passes over what does not leave a row behind: the table or its database is gone. In the test's own database, which is
// dropped next, rows that others point to go with it, and so they do when the server does not answer any more.
func (d *deleter) tolerated(b data.Batch[place], err error) error {
	if err == nil || fault.IsKind(err, fault.UnknownTable, fault.UnknownDatabase) || d.t.Drops(b.Place.database) {
		return nil
	}
	var f *fault.Error
	if errors.As(err, &f) && f.Kind == fault.ForeignKey {
		f.Hint = "rows that the test made by hand point to them: delete those with t.cleanup, or make them by a factory"
	}
	return err
}
