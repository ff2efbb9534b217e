package lab

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/schedule"
	"rig/runtime/script"
	"rig/runtime/session"
)

// conn is a session of the plan in one lane.
type conn struct {
	x     *experiment
	actor int
	s     *session.Session
	face  *value.Session

	failed string // the step that failed, where nothing follows one that did; "" before
	undone bool   // ROLLBACK was sent since
}

// Thread of the session on the server.
func (c *conn) Thread() uint64 { return c.s.Thread() }

func (x *experiment) call(op string) session.Call {
	return session.Call{Op: op, Holder: x.c.Script().Name(), Pos: x.pos, Parent: x.c.Script().Span(), Timeout: -1} // the schedule bounds it
}

// Start sends a step.
func (c *conn) Start(step schedule.Step) (schedule.Running, error) {
	if !c.x.stops {
		return c.start(step)
	}
	if c.failed != "" {
		return c.giveUp()
	}
	r, err := c.start(step)
	return &stopping{Running: r, c: c, step: step.Name}, err
}

func (c *conn) start(step schedule.Step) (schedule.Running, error) {
	if step.Func {
		return c.startFunc(step)
	}
	p, err := c.s.Start(c.x.call("step "+step.Name), step.SQL, nil)
	if err != nil {
		return nil, err
	}
	return &statement{c, p}, nil
}

// statement is a step that is SQL.
type statement struct {
	c *conn
	p *session.Pending
}

func (r *statement) Ended() <-chan struct{} { return r.p.Ended() }

func (r *statement) Cancel(why string) {
	if !r.p.Done() {
		_ = r.c.s.Cancel(why) // the statement's own end tells
	}
}

// Result of the statement.
func (r *statement) Result() schedule.Result {
	rows, res, err := r.p.Wait(0)
	if err != nil {
		return schedule.Result{Err: script.Describe(err)}
	}
	out := schedule.Result{Affected: res.RowsAffected}
	if rows != nil && len(rows.Columns()) > 0 {
		out.HasRows, out.Value = true, value.NewRows(rows)
		out.Columns, out.Rows = r.c.x.texts(rows)
	}
	return out
}

// function is a step that the script runs.
type function struct {
	c      *conn
	ended  chan struct{}
	cancel context.CancelFunc
	result schedule.Result // set before ended is closed
}

func (f *function) Ended() <-chan struct{}  { return f.ended }
func (f *function) Result() schedule.Result { return f.result }

func (f *function) Cancel(why string) {
	f.cancel()
	_ = f.c.s.Cancel(why)
}

func (c *conn) startFunc(step schedule.Step) (schedule.Running, error) {
	fn := c.x.functions[step.Name]
	th := c.x.c.Script()
	ctx, cancel := context.WithCancel(th.Context())
	f := &function{c: c, ended: make(chan struct{}), cancel: cancel}
	go func() { // ends with the script's function, which the test's context bounds
		defer close(f.ended)
		defer cancel()
		v, err := th.Child(th.Name()+" "+step.Name, ctx).Call(fn, starlark.Tuple{c.face}, nil)
		if err == nil {
			err = th.Host().Share(v)
		}
		if err != nil {
			f.result = schedule.Result{Err: script.Describe(err)}
			f.result.Value = err
			return
		}
		f.result = c.x.resultOf(v)
	}()
	return f, nil
}

// resultOf is what a function returned, as a result: rows as they are, anything else as one cell.
func (x *experiment) resultOf(v starlark.Value) schedule.Result {
	out := schedule.Result{Value: v}
	switch v := v.(type) {
	case starlark.NoneType:
	case *value.Rows:
		out.HasRows = true
		out.Columns, out.Rows = x.texts(v.Result())
	default:
		out.HasRows, out.Rows = true, [][]string{{value.CellText(v)}}
	}
	return out
}

// texts gives rows as texts that are the same in every run.
func (x *experiment) texts(rows *session.Rows) ([]string, [][]string) {
	columns := make([]string, len(rows.Columns()))
	for i, c := range rows.Columns() {
		columns[i] = c.Name
	}
	out := make([][]string, rows.Len())
	for i := range out {
		out[i] = make([]string, len(columns))
		for j, c := range rows.Columns() {
			out[i][j] = x.steady(value.CellText(value.FromCell(rows.At(i, j), c.Type)), c.Type)
		}
	}
	return columns, out
}

// nowWithin is how near to now a time is taken for the time of the run.
const nowWithin = time.Hour

// steady replaces what differs from run to run: the lane's database, and the time.
func (x *experiment) steady(s string, t session.Type) string {
	if t == session.TypeDateTime || t == session.TypeTimestamp {
		if at, err := time.Parse(time.DateTime, strings.SplitN(s, ".", 2)[0]); err == nil && time.Since(at).Abs() < nowWithin {
			return "<now>"
		}
	}
	for _, l := range x.lanes {
		if strings.Contains(s, l.database) {
			s = strings.ReplaceAll(s, l.database, "<database>")
		}
	}
	return s
}

// store is the lane's own session, beside the plan's.
type store struct {
	x *experiment
	s *session.Session
}

// Query gives values.
func (d store) Query(sql string) ([]string, [][]any, error) {
	rows, err := d.s.Query(d.x.own(), sql, nil)
	if err != nil {
		return nil, nil, err
	}
	out := make([][]any, rows.Len())
	for i := range out {
		for j := range rows.Columns() {
			out[i] = append(out[i], rows.Cell(i, j))
		}
	}
	return nil, out, nil
}

// Texts gives texts as the server says them.
func (d store) Texts(sql string) ([]string, [][]string, error) {
	_, rows, err := d.Query(sql)
	out := make([][]string, len(rows))
	for i, r := range rows {
		for _, v := range r {
			switch v := v.(type) {
			case []byte:
				out[i] = append(out[i], string(v))
			default:
				out[i] = append(out[i], fmt.Sprint(v))
			}
		}
	}
	return nil, out, err
}

// Both gives texts, and each row as a tuple.
func (d store) Both(sql string) ([]string, [][]string, []any, error) {
	rows, err := d.s.Query(d.x.own(), sql, nil)
	if err != nil {
		return nil, nil, nil, err
	}
	columns, texts := d.x.texts(rows)
	values := make([]any, len(texts))
	face := value.NewRows(rows)
	for i := range values {
		values[i] = face.Index(i).(*value.Row).Tuple()
	}
	return columns, texts, values, nil
}

// Exec runs a statement.
func (d store) Exec(sql string, args ...any) error {
	values := make([]driver.Value, len(args))
	for i, a := range args {
		values[i] = a
	}
	_, err := d.s.Exec(d.x.own(), sql, values)
	return err
}

func (x *experiment) own() session.Call {
	return session.Call{Op: x.c.Name(), Holder: "rig", Pos: x.pos}
}

// reported is an error that was described before.
type reported struct{ e *event.Error }

func (e *reported) Error() string { return e.e.Message }

// Report gives the form for reports.
func (e *reported) Report() *event.Error { return e.e }

func errorValue(e *event.Error) starlark.Value {
	if e == nil {
		return starlark.None
	}
	return value.NewError(&reported{e})
}

// emit puts a fact on the stream.
func (x *experiment) emit(sessionName string, d event.Data) {
	x.t.Bus().Emit(event.Event{Parent: x.t.EventID(), Test: x.t.ID(), Session: sessionName, Pos: x.pos, Data: d})
}
