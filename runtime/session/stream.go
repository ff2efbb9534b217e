package session

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"time"

	"rig/runtime/fault"
)

// Stream reads a result row by row. It holds the session until its end or Close.
type Stream struct {
	s      *Session
	st     statement
	rows   described
	layout *layout
	unread int // rows since the watchdog was told of progress
	over   bool
}

// touchRows is after how many rows the watchdog hears of progress.
const touchRows = 256

// Stream begins a statement whose rows are read one at a time. The statement's bound counts anew while rows arrive.
func (s *Session) Stream(c Call, sql string, args []driver.Value) (*Stream, error) {
	var st statement
	if err := s.enter(&st, &c, sql, args); err != nil {
		return nil, err
	}
	rows, e, err := s.openGuarded(&st, args)
	if err != nil {
		return nil, orNil(s.leave(&st, err))
	}
	l := s.layoutFor(rows, e)
	s.park()
	return &Stream{s: s, st: st, rows: rows, layout: l}, nil
}

func (s *Session) openGuarded(st *statement, args []driver.Value) (rows described, e *entry, err error) {
	defer guard(s.wire, &err)
	return s.open(st, args)
}

// orNil keeps a nil *fault.Error a nil error.
func orNil(f *fault.Error) error {
	if f == nil {
		return nil
	}
	return f
}

// Columns describes the columns.
func (x *Stream) Columns() []Column { return x.layout.columns }

// Next gives the next row as a result of one row; io.EOF at the end, after which the session is free.
func (x *Stream) Next() (*Rows, error) {
	if x.over {
		return nil, io.EOF
	}
	if err := x.s.unpark(); err != nil {
		return nil, x.finish(err)
	}
	if x.unread++; x.unread == touchRows {
		x.unread = 0
		x.s.touch()
	}
	col := &x.s.collect
	dest := col.destination(len(x.layout.columns))
	err := io.EOF
	if len(dest) > 0 {
		err = x.read(dest)
	}
	if err != nil {
		return nil, x.finish(err)
	}
	col.slots, col.text = col.slots[:0], col.text[:0]
	if err := col.add(x.layout, dest); err != nil {
		return nil, x.finish(err)
	}
	x.st.rows++
	x.s.park()
	r := &Rows{layout: x.layout}
	col.finish(r, 1)
	return r, nil
}

func (x *Stream) read(dest []driver.Value) (err error) {
	defer guard(x.s.wire, &err)
	return x.rows.Next(dest)
}

func (x *Stream) finish(err error) error {
	x.over = true
	if err == io.EOF {
		err = x.closeRows()
		if f := x.s.leave(&x.st, err); f != nil {
			return f
		}
		return io.EOF
	}
	_ = x.closeRows()
	if f := x.s.leave(&x.st, err); f != nil {
		return f
	}
	return err
}

func (x *Stream) closeRows() (err error) {
	defer guard(x.s.wire, &err)
	return x.rows.Close()
}

// Close ends the stream early; what the server would still send is cut short.
func (x *Stream) Close() error {
	if x.over {
		return nil
	}
	x.over = true
	err := x.s.unpark()
	if err == nil {
		err = x.s.cutShort(x.rows)
	}
	return orNil(x.s.leave(&x.st, err))
}

// QueryAll runs a statement that may give several results, such as CALL. With multi the text may hold several statements,
// which run one after the other; the first that fails ends it.
func (s *Session) QueryAll(c Call, sql string, multi bool) ([]*Rows, error) {
	parts := []string{sql}
	if multi {
		parts = statements(sql, s.noBackslash)
	}
	var all []*Rows
	for _, part := range parts {
		var st statement
		if err := s.enter(&st, &c, part, nil); err != nil {
			return nil, err
		}
		results, err := s.results(&st)
		if f := s.leave(&st, err); f != nil {
			return nil, f
		}
		all = append(all, results...)
	}
	return all, nil
}

func (s *Session) results(st *statement) (out []*Rows, err error) {
	defer guard(s.wire, &err)
	rows, _, err := s.open(st, nil)
	if err != nil {
		return nil, err
	}
	var all []*Rows
	for {
		l := layoutOf(rows, nil)
		if len(l.columns) > 0 {
			r, err := s.collect.collect(rows, l, caps{s.hub.cfg.MaxRows, s.hub.cfg.MaxBytes})
			if err != nil {
				return nil, s.abandon(st, rows, err)
			}
			st.rows += int64(r.Len())
			all = append(all, r)
		}
		if !rows.HasNextResultSet() {
			return all, rows.Close()
		}
		if err := rows.NextResultSet(); errors.Is(err, io.EOF) {
			return all, rows.Close()
		} else if err != nil {
			_ = rows.Close()
			return nil, err
		}
	}
}

// Stmt is a statement that was prepared by hand.
type Stmt struct {
	s    *Session
	sql  string
	stmt prepared
	gen  *wire // of the connection that prepared it
	e    entry
}

// Prepare prepares a statement on the server; close it when it is of no more use.
func (s *Session) Prepare(c Call, sql string) (*Stmt, error) {
	var st statement
	if err := s.enter(&st, &c, sql, nil); err != nil {
		return nil, err
	}
	st.class = class{reads: true} // preparing changes nothing
	p, err := s.prepareGuarded(sql)
	s.noteClass(class{state: true}) // it counts against the server's limit until it is closed
	if f := s.leave(&st, err); f != nil {
		return nil, f
	}
	return &Stmt{s: s, sql: sql, stmt: p.(prepared), gen: s.wire, e: entry{sql: sql, class: classify(sql)}}, nil
}

func (s *Session) prepareGuarded(sql string) (p driver.Stmt, err error) {
	defer guard(s.wire, &err)
	return s.conn.Prepare(sql)
}

// SQL of the statement.
func (p *Stmt) SQL() string { return p.sql }

func (p *Stmt) enter(c Call, args []driver.Value) (st statement, err error) {
	if p.stmt == nil || !p.current() {
		return statement{}, fault.New(fault.SessionClosed, c.Op, "the prepared statement is closed")
	}
	if _, err := checkArgs(args); err != nil {
		return statement{}, fault.Wrap(c.Op, p.s.name, p.sql, err)
	}
	for i, a := range args {
		if d, ok := a.(Decimal); ok {
			args[i] = string(d) // a prepared parameter has no decimal literal
		}
	}
	if n := p.stmt.NumInput(); n != len(args) {
		return statement{}, fault.Wrap(c.Op, p.s.name, p.sql, wrongCount(n, len(args)))
	}
	err = p.s.enter(&st, &c, p.sql, args)
	st.class, st.prepared = p.e.class, true
	return st, err
}

// current reports whether the session still has the connection that prepared the statement.
func (p *Stmt) current() bool {
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	return p.gen == p.s.wire
}

// Query runs it and keeps its rows.
func (p *Stmt) Query(c Call, args []driver.Value) (*Rows, error) {
	st, err := p.enter(c, args)
	if err != nil {
		return nil, err
	}
	r, err := p.query(&st, args)
	if f := p.s.leave(&st, err); f != nil {
		return nil, f
	}
	return r, nil
}

func (p *Stmt) query(st *statement, args []driver.Value) (out *Rows, err error) {
	defer guard(p.s.wire, &err)
	raw, err := p.stmt.Query(args)
	if err != nil {
		return nil, err
	}
	rows := raw.(described)
	p.e.layout = layoutOf(rows, p.e.layout)
	r, err := p.s.collect.collect(rows, p.e.layout, caps{p.s.hub.cfg.MaxRows, p.s.hub.cfg.MaxBytes})
	if err != nil {
		return nil, p.s.abandon(st, rows, err)
	}
	st.rows = int64(r.Len())
	return r, rows.Close()
}

// Exec runs it and drops the rows that it may give.
func (p *Stmt) Exec(c Call, args []driver.Value) (Result, error) {
	st, err := p.enter(c, args)
	if err != nil {
		return Result{}, err
	}
	r, err := p.exec(&st, args)
	if f := p.s.leave(&st, err); f != nil {
		return Result{}, f
	}
	return r, nil
}

func (p *Stmt) exec(st *statement, args []driver.Value) (out Result, err error) {
	defer guard(p.s.wire, &err)
	res, err := p.stmt.Exec(args)
	if err != nil {
		return Result{}, err
	}
	return p.s.result(st, res), nil
}

// Close forgets the statement on the server.
func (p *Stmt) Close() error {
	if p.stmt == nil || p.s.Closed() {
		return nil
	}
	if f := p.s.begin(Call{Op: "stmt.close", Holder: "rig"}, p.sql); f != nil {
		return f
	}
	err := p.stmt.Close()
	p.stmt = nil
	p.s.end()
	p.s.release()
	return err
}

// Reset gives the session a new connection with the options that it was opened with: no transaction, no locks, no
// variables are left. Its server thread id changes.
func (s *Session) Reset(c Call) error {
	c.Op = orOp(c.Op, "conn.reset")
	c.Timeout = -1 // it is bounded by the connect time-out
	if f := s.take(&c, "reset", true); f != nil {
		return f
	}
	defer s.release()
	s.generation++
	if s.conn != nil {
		_ = s.wire.SetDeadline(time.Now().Add(sideBound))
		_ = s.conn.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.hub.cfg.ConnectTimeout)
	defer cancel()
	err := s.connect(ctx)
	s.end()
	if err != nil {
		s.lose(causeLost)
		f := s.hub.connectError(s.opts, err)
		f.Op = c.Op
		return f
	}
	if !s.hub.remember(s) {
		s.lose(causeClosed)
		return errRunOver()
	}
	s.emit(c.Pos, s.id, s.openedEvent())
	return nil
}
