package data

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/data"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

type fakerSource = data.Faker

// rowSource seeds the values of one row.
func rowSource(seed int64, table string, n int64) *data.Faker {
	return data.NewFaker(seed, "factory", table, fmt.Sprint(n))
}

// column is one of a table.
type column struct {
	name   string
	counts bool // AUTO_INCREMENT
}

// tableKey names a table of a server.
type tableKey struct{ address, database, table string }

// maker inserts rows by one session.
type maker struct {
	c    *spec.Call
	t    *scenario.Test
	st   *state
	s    *session.Session
	call session.Call
}

func newMaker(c *spec.Call) (*maker, error) {
	f := c.Recv.(*factory)
	t, st, err := f.states.of(c.Thread)
	if err != nil {
		return nil, err
	}
	m := &maker{c: c, t: t, st: st, call: session.Call{Op: c.Name(), Pos: script.CallerPos(c.Thread), Holder: holder(c), Parent: c.Script().Span()}}
	if w, ok := c.Arg("conn").(*value.Session); ok {
		m.s, m.call.Lease = w.Session(), w.Lease()
		return m, nil
	}
	m.s, err = t.DB()
	return m, err
}

func (m *maker) create(over []field) (starlark.Value, error) { return m.row(m.c.Recv.(*factory), over) }

// row makes a row of f, with the rows that it points to.
func (m *maker) row(f *factory, over []field) (starlark.Value, error) {
	if err := m.known(f, over); err != nil {
		return nil, err
	}
	row, _, err := f.fill(m.c, over, m.parent)
	if err != nil {
		return nil, err
	}
	id, err := m.insert(f, row)
	if err != nil {
		return nil, err
	}
	if m.s.Config().Flavor != "mock" { // where there are only answers, nothing is left
		m.remember(f, id)
	}
	return m.read(f, id)
}

// parent makes the row that another points to, and gives its id.
func (m *maker) parent(f *factory) (starlark.Value, error) {
	row, err := m.row(f, nil)
	if err != nil {
		return nil, err
	}
	id, _, err := row.(*value.Row).Get(starlark.String(m.idColumn(f)))
	return id, err
}

func (m *maker) insert(f *factory, row []field) (driver.Value, error) {
	names, marks, args := make([]string, len(row)), make([]string, len(row)), make([]driver.Value, len(row))
	var id driver.Value
	for i, x := range row {
		a, err := value.ToArg(x.v)
		if err != nil {
			return nil, err
		}
		names[i], marks[i], args[i] = session.QuoteName(x.name), "?", a
		if strings.EqualFold(x.name, f.id) {
			id = a
		}
	}
	if id == nil && !m.counts(f) {
		return nil, m.wrong("table %s: column %s has no AUTO_INCREMENT: give it a value, so that the row can be found again", f.table, f.id)
	}
	sql := fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", session.QuoteTable(f.table), strings.Join(names, ", "), strings.Join(marks, ", "))
	r, err := m.s.Exec(m.call, sql, args)
	if err != nil {
		return nil, err
	}
	if id == nil {
		id = r.LastInsertID
	}
	return id, nil
}

// read gives the row as the server has it.
func (m *maker) read(f *factory, id driver.Value) (starlark.Value, error) {
	sql := fmt.Sprintf("SELECT * FROM %s WHERE %s = ?", session.QuoteTable(f.table), session.QuoteName(f.id))
	r, err := m.s.Query(m.call, sql, []driver.Value{id})
	if err != nil {
		return nil, err
	}
	if r.Len() != 1 {
		return nil, m.wrong("table %s: %d rows have %s = %v after the insert, want 1", f.table, r.Len(), f.id, id)
	}
	return value.NewRows(r).Index(0), nil
}

func (m *maker) wrong(format string, args ...any) error {
	return m.fault(fault.BadArgument, fmt.Sprintf(format, args...))
}

func (m *maker) fault(kind fault.Kind, message string) error {
	f := fault.New(kind, m.c.Name(), message)
	f.Session = m.s.Name()
	return f
}

// known refuses columns that the table does not have. The server is asked once for each table and test, and again before a
// refusal: the table may have been altered.
func (m *maker) known(f *factory, over []field) error {
	cols, fresh, err := m.columns(f, false)
	if err != nil {
		return err
	}
	if m.strange(f, over, cols) == nil {
		return nil
	}
	if !fresh {
		if cols, _, err = m.columns(f, true); err != nil {
			return err
		}
	}
	return m.strange(f, over, cols)
}

func (m *maker) strange(f *factory, over []field, cols []column) error {
	if err := m.has(f, f.id, cols); err != nil {
		return err
	}
	for _, x := range f.merged(over) {
		if err := m.has(f, x.name, cols); err != nil {
			return err
		}
	}
	return nil
}

func (m *maker) has(f *factory, name string, cols []column) error {
	names := make([]string, len(cols))
	for i, c := range cols {
		if strings.EqualFold(c.name, name) {
			return nil
		}
		names[i] = c.name
	}
	return m.fault(fault.UnknownColumn, fmt.Sprintf("table %s has no column %q%s", f.table, name, nearest(name, names)))
}

func (m *maker) key(f *factory) tableKey {
	return tableKey{m.s.Config().Address, m.s.Database(), f.table}
}

func (m *maker) columns(f *factory, again bool) (cols []column, fresh bool, err error) {
	key := m.key(f)
	m.st.mu.Lock()
	cols = m.st.columns[key]
	m.st.mu.Unlock()
	if cols != nil && !again {
		return cols, false, nil
	}
	r, err := m.s.Query(m.call, "SHOW COLUMNS FROM "+session.QuoteTable(f.table), nil)
	if err != nil {
		return nil, false, err
	}
	cols = make([]column, r.Len())
	for i := range cols {
		name, _ := r.Cell(i, r.Index("Field")).(string)
		extra, _ := r.Cell(i, r.Index("Extra")).(string)
		cols[i] = column{name, strings.Contains(strings.ToLower(extra), "auto_increment")}
	}
	m.st.mu.Lock()
	defer m.st.mu.Unlock()
	m.st.columns[key] = cols
	return cols, true, nil
}

func (m *maker) counts(f *factory) bool {
	m.st.mu.Lock()
	defer m.st.mu.Unlock()
	for _, c := range m.st.columns[m.key(f)] {
		if strings.EqualFold(c.name, f.id) {
			return c.counts
		}
	}
	return false
}

// idColumn is the id as the table writes it.
func (m *maker) idColumn(f *factory) string {
	m.st.mu.Lock()
	defer m.st.mu.Unlock()
	for _, c := range m.st.columns[m.key(f)] {
		if strings.EqualFold(c.name, f.id) {
			return c.name
		}
	}
	return f.id
}
