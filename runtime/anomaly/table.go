package anomaly

import (
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// Table has a verdict for each case and column.
type Table struct {
	Server  string   `json:"server"`
	Version string   `json:"version,omitempty"`
	Sources []string `json:"sources,omitempty"` // of a table of documentation: where each part is from
	Columns []string `json:"columns"`
	Rows    []Row    `json:"cases"`
}

// Row is a case.
type Row struct {
	Case      string          `json:"case"`
	Title     string          `json:"title,omitempty"`
	Forbidden string          `json:"forbidden_from,omitempty"` // the weakest level whose definition forbids it
	Cells     map[string]Cell `json:"verdicts"`
}

// Cell is a verdict with what shows it: the errors, or who waited for whom.
type Cell struct {
	Verdict Verdict `json:"verdict"`
	Detail  string  `json:"detail,omitempty"`
}

// order of the cases: Hermitage's, then the further ones. Cases that it does not name follow by their names.
var order = []string{
	"G0", "G1a", "G1b", "G1c", "OTV", "PMP", "PMP write", "P4", "G-single", "G-single dependencies", "G-single write 1", "G-single write 2",
	"G2-item", "G2", "G2 read-only", "lost write",
}

// Row gives a case's row; nil without one.
func (t *Table) Row(name string) *Row {
	for i := range t.Rows {
		if t.Rows[i].Case == name {
			return &t.Rows[i]
		}
	}
	return nil
}

// Verdict gives a cell's verdict; "" without one.
func (t *Table) Verdict(name, column string) Verdict {
	if r := t.Row(name); r != nil {
		return r.Cells[column].Verdict
	}
	return ""
}

func (t *Table) sort() {
	place := func(r Row) int {
		if i := slices.Index(order, r.Case); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortStableFunc(t.Rows, func(a, b Row) int {
		if d := place(a) - place(b); d != 0 {
			return d
		}
		return strings.Compare(a.Case, b.Case)
	})
}

// Fold is a sink that makes a table.
type Fold struct {
	mu    sync.Mutex
	table Table    // guarded by mu
	mixed []string // guarded by mu: cells with several verdicts
}

// Name of the sink.
func (f *Fold) Name() string { return "matrix" }

// Flush does nothing.
func (f *Fold) Flush() error { return nil }

// Event takes a verdict.
func (f *Fold) Event(e *event.Event) error {
	d, ok := e.Data.(*event.Anomaly)
	if !ok {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	t := &f.table
	t.Server, t.Version = d.Server, d.Version
	if !slices.Contains(t.Columns, d.Column) {
		t.Columns = append(t.Columns, d.Column)
	}
	r := t.Row(d.Case)
	if r == nil {
		t.Rows = append(t.Rows, Row{Case: d.Case, Title: d.Title, Forbidden: d.Forbidden, Cells: map[string]Cell{}})
		r = &t.Rows[len(t.Rows)-1]
	}
	if was, ok := r.Cells[d.Column]; ok && was.Verdict != Verdict(d.Verdict) {
		f.mixed = append(f.mixed, fmt.Sprintf("%s at %s: %s, then %s", d.Case, d.Column, was.Verdict, d.Verdict))
	}
	r.Cells[d.Column] = Cell{Verdict(d.Verdict), d.Detail}
	return nil
}

// Close does nothing: the table is asked for.
func (f *Fold) Close() error { return nil }

// Table gives what was found.
func (f *Fold) Table() *Table {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.table.sort()
	slices.SortFunc(f.table.Columns, func(a, b string) int { return columnPlace(a) - columnPlace(b) })
	return &f.table
}

// Mixed tells the cells that got different verdicts: a case that was run several times, or two of one name.
func (f *Fold) Mixed() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.mixed)
}

func columnPlace(name string) int {
	level, _, checked := strings.Cut(name, Snapshot)
	at := 2 * slices.Index(levels, level)
	if checked {
		at++
	}
	return at
}

//go:embed tables/*.json
var shipped embed.FS

// Names lists the tables that come with rig.
func Names() []string {
	files, _ := fs.Glob(shipped, "tables/*.json") // the pattern is right
	for i, f := range files {
		files[i] = strings.TrimSuffix(strings.TrimPrefix(f, "tables/"), ".json")
	}
	return files
}

// Shipped gives a table that comes with rig; nil without one.
func Shipped(name string) *Table {
	b, err := shipped.ReadFile("tables/" + name + ".json")
	if err != nil {
		return nil
	}
	t, err := read("the table of "+name, b)
	if err != nil {
		panic(err) // a test reads them all
	}
	return t
}

// Load gives a table by its name, or from a file that was saved as JSON.
func Load(name string) (*Table, error) {
	if t := Shipped(name); t != nil {
		return t, nil
	}
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && !strings.ContainsAny(name, "./") {
		if near := fault.Suggest(name, Names()); near != "" {
			return nil, fmt.Errorf("there is no table %q, did you mean %q?", name, near)
		}
		return nil, fmt.Errorf("there is no table %q, and no such file; with rig come %s, and rig matrix --format json --out FILE saves one", name, strings.Join(Names(), ", "))
	}
	if err != nil {
		return nil, err
	}
	return read(name, b)
}

// read reads a table and says what is wrong with it.
func read(name string, b []byte) (*Table, error) {
	t := &Table{}
	if err := json.Unmarshal(b, t); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return nil, fmt.Errorf("%s, byte %d: %w", name, syntax.Offset, err)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(t.Rows) == 0 || len(t.Columns) == 0 {
		return nil, fmt.Errorf("%s is no table of rig matrix: it has no cases or no columns", name)
	}
	for _, r := range t.Rows {
		for column, c := range r.Cells {
			if !slices.Contains(t.Columns, column) {
				return nil, fmt.Errorf("%s: case %s: there is no column %q", name, r.Case, column)
			}
			if !c.Verdict.known() {
				return nil, fmt.Errorf("%s: case %s, %s: %q is no verdict", name, r.Case, column, c.Verdict)
			}
		}
	}
	return t, nil
}

// Difference is a cell in which two tables differ.
type Difference struct {
	Case, Column string
	Want         Verdict
	Got          Cell
}

// Compare tells where a table is not as another wants, and how many cells both have.
func Compare(got, want *Table) (out []Difference, both int) {
	for _, r := range got.Rows {
		for _, column := range got.Columns {
			c, ok := r.Cells[column]
			w := want.Verdict(r.Case, column)
			if !ok || w == "" {
				continue
			}
			both++
			if !c.Verdict.Agrees(w) {
				out = append(out, Difference{r.Case, column, w, c})
			}
		}
	}
	return out, both
}
