package schedule

import (
	"fmt"
	"slices"
	"strings"
)

// Store is a session beside the schedule's, in the same database.
type Store interface {
	// Query gives rows as values that Exec takes back.
	Query(sql string) (columns []string, rows [][]any, err error)
	// Texts gives rows as texts for people.
	Texts(sql string) (columns []string, rows [][]string, err error)
	// Both gives rows as texts, and each as a value for the caller.
	Both(sql string) (columns []string, rows [][]string, values []any, err error)
	Exec(sql string, args ...any) error
}

// Fixture is what a database had at a time: its tables with their rows. It brings a database back there.
type Fixture struct {
	tables  []tableCopy
	Complex bool     // there are views, triggers or routines, which it does not copy
	Lasting []string // sequences and tables with a history of their own, which keep what earlier orders did
}

type tableCopy struct {
	name    string
	create  string
	columns []string // without generated ones
	rows    [][]any
	counter string // its AUTO_INCREMENT column, "" for none
}

// mostRows bounds what is kept of one table: a schedule is about few rows.
const mostRows = 5000

// name quotes a name.
func name(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// TakeFixture reads the database of the store.
func TakeFixture(db Store) (*Fixture, error) {
	names, err := baseTables(db)
	if err != nil {
		return nil, err
	}
	f := &Fixture{}
	for _, n := range names {
		t, err := copyTable(db, n)
		if err != nil {
			return nil, err
		}
		f.tables = append(f.tables, t)
	}
	if f.Lasting, err = lasting(db); err != nil {
		return nil, err
	}
	_, rows, err := db.Query("SELECT COUNT(*) FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()")
	if err != nil {
		return nil, err
	}
	f.Complex = fmt.Sprint(rows[0][0]) != "0"
	for _, table := range []string{"TRIGGERS WHERE TRIGGER_SCHEMA", "ROUTINES WHERE ROUTINE_SCHEMA"} {
		_, rows, err := db.Query("SELECT COUNT(*) FROM information_schema." + table + " = DATABASE()")
		f.Complex = f.Complex || err == nil && fmt.Sprint(rows[0][0]) != "0" // what has no such table has no such thing
	}
	return f, nil
}

func baseTables(db Store) ([]string, error) {
	_, rows, err := db.Texts("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE'")
	if err != nil {
		return nil, err
	}
	var out []string
	for _, r := range rows {
		out = append(out, r[0])
	}
	slices.Sort(out)
	return out, nil
}

// lasting are the tables that are neither plain ones nor views.
func lasting(db Store) ([]string, error) {
	_, rows, err := db.Texts("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('SEQUENCE', 'SYSTEM VERSIONED')")
	var out []string
	for _, r := range rows {
		out = append(out, r[0])
	}
	slices.Sort(out)
	return out, err
}

func copyTable(db Store, table string) (tableCopy, error) {
	t := tableCopy{name: table}
	_, rows, err := db.Texts("SHOW CREATE TABLE " + name(table))
	if err != nil {
		return t, err
	}
	t.create = rows[0][1]
	_, rows, err = db.Texts("SHOW COLUMNS FROM " + name(table))
	if err != nil {
		return t, err
	}
	for _, r := range rows {
		extra := strings.ToUpper(r[len(r)-1])
		if strings.Contains(extra, "AUTO_INCREMENT") {
			t.counter = r[0]
		}
		if !strings.Contains(extra, "GENERATED") || strings.Contains(extra, "DEFAULT_GENERATED") {
			t.columns = append(t.columns, name(r[0]))
		}
	}
	_, values, err := db.Query(fmt.Sprintf("SELECT %s FROM %s LIMIT %d", strings.Join(t.columns, ", "), name(table), mostRows+1))
	if err != nil {
		return t, err
	}
	if len(values) > mostRows {
		return t, fmt.Errorf("table %s has more than %d rows, which would be put back before every order: use a smaller one", table, mostRows)
	}
	t.rows = values
	return t, nil
}

// Restore gives every table the rows that it had. It does for what only statements that write rows have changed.
//
// Tables are emptied by TRUNCATE: after DELETE the index records stay, marked, until the server purges them, and locks on them
// and on the gaps beside them would make an order's outcome depend on how far the purge is (seen 2026-11-28 on MariaDB: a
// check-then-insert ended in a deadlock or not, by chance). A server that refuses that gets DELETE.
func (f *Fixture) Restore(db Store) error {
	for _, t := range f.tables {
		if err := t.empty(db); err != nil {
			return err
		}
	}
	if err := db.Exec("BEGIN"); err != nil {
		return err
	}
	for _, t := range f.tables {
		if err := t.fill(db); err != nil {
			return err
		}
	}
	return db.Exec("COMMIT")
}

func (t *tableCopy) empty(db Store) error {
	if db.Exec("TRUNCATE TABLE "+name(t.name)) == nil {
		return nil
	}
	if err := db.Exec("DELETE FROM " + name(t.name)); err != nil {
		return err
	}
	if t.counter == "" {
		return nil
	}
	return db.Exec("ALTER TABLE " + name(t.name) + " AUTO_INCREMENT = 1")
}

// fillAtOnce is how many values one INSERT has.
const fillAtOnce = 2000

func (t *tableCopy) fill(db Store) error {
	perRow := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(t.columns)), ", ") + ")"
	for chunk := range slices.Chunk(t.rows, max(1, fillAtOnce/max(1, len(t.columns)))) {
		var args []any
		for _, r := range chunk {
			args = append(args, r...)
		}
		places := strings.TrimSuffix(strings.Repeat(perRow+", ", len(chunk)), ", ")
		if err := db.Exec("INSERT INTO "+name(t.name)+" ("+strings.Join(t.columns, ", ")+") VALUES "+places, args...); err != nil {
			return err
		}
	}
	return nil
}

// Rebuild drops every table and view of the database and makes those of the fixture again.
func (f *Fixture) Rebuild(db Store) error {
	if err := Clear(db); err != nil {
		return err
	}
	for _, t := range f.tables {
		if err := db.Exec(t.create); err != nil {
			return err
		}
		if err := t.fill(db); err != nil {
			return err
		}
	}
	return nil
}

// Clear drops every table and view of the database.
func Clear(db Store) error {
	_, rows, err := db.Texts("SELECT TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()")
	if err != nil {
		return err
	}
	for _, r := range rows {
		what := "TABLE"
		if r[1] == "VIEW" {
			what = "VIEW"
		}
		if err := db.Exec("DROP " + what + " IF EXISTS " + name(r[0])); err != nil {
			return err
		}
	}
	return nil
}

// counter is the place of a table's AUTO_INCREMENT column, from 1; 0 is none.
func (f *Fixture) counter(table string, columns []string) int {
	for _, t := range f.tables {
		if t.name == table {
			return 1 + slices.Index(columns, t.counter)
		}
	}
	return 0
}

// Linked reports whether a table's name does not tell what a statement on it touches.
func (f *Fixture) Linked() bool {
	return f.Complex || slices.ContainsFunc(f.tables, func(t tableCopy) bool { return strings.Contains(strings.ToUpper(t.create), "FOREIGN KEY") })
}

// finalRows is how many rows of a table are part of an outcome.
const finalRows = 1000

// Final reads what is left in the tables of the database.
func (f *Fixture) Final(db Store) ([]Table, error) {
	names, err := baseTables(db)
	if err != nil {
		return nil, err
	}
	var out []Table
	for _, n := range names {
		columns, rows, values, err := db.Both(fmt.Sprintf("SELECT * FROM %s LIMIT %d", name(n), finalRows+1))
		if err != nil {
			return nil, err
		}
		t := Table{Name: n, Columns: columns, Cut: len(rows) > finalRows, Counter: f.counter(n, columns)}
		places := make([]int, min(len(rows), finalRows))
		for i := range places {
			places[i] = i
		}
		slices.SortStableFunc(places, func(a, b int) int { return slices.Compare(rows[a], rows[b]) })
		for _, i := range places {
			t.Rows, t.Values = append(t.Rows, rows[i]), append(t.Values, values[i])
		}
		out = append(out, t)
	}
	return out, nil
}
