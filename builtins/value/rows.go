package value

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/builtins/spec"
	"rig/runtime/fault"
	"rig/runtime/session"
)

// Rows is a result held as a whole. Cells are converted when they are read.
type Rows struct {
	r     *session.Rows
	one   spec.Builtin // the bound method, made with the rows: it is on the way of nearly every query, and rows may be shared
	first Row          // likewise
}

var (
	_ starlark.Indexable = (*Rows)(nil)
	_ starlark.Sequence  = (*Rows)(nil)
	_ starlark.HasAttrs  = (*Rows)(nil)
	_ starlark.Mapping   = (*Row)(nil)
	_ starlark.Sequence  = (*Row)(nil)
	_ starlark.HasAttrs  = (*Row)(nil)
)

// NewRows wraps a result.
func NewRows(r *session.Rows) *Rows {
	rows := &Rows{}
	rows.wrap(r)
	return rows
}

func (r *Rows) wrap(data *session.Rows) {
	r.r, r.first = data, Row{data, 0}
	rowsType.BindTo(&r.one, r, "one")
}

// queried is the result of one query with what scripts see of it, in one piece of memory.
type queried struct {
	Rows
	data session.Rows
}

// Result is what is wrapped.
func (r *Rows) Result() *session.Rows { return r.r }

// Type is "rows".
func (r *Rows) Type() string          { return "rows" }
func (r *Rows) Freeze()               {}
func (r *Rows) Truth() starlark.Bool  { return r.r.Len() > 0 }
func (r *Rows) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: rows") }

// Len is the number of rows.
func (r *Rows) Len() int { return r.r.Len() }

// Index gives a row.
func (r *Rows) Index(i int) starlark.Value {
	if i == 0 {
		return &r.first
	}
	return &Row{r.r, i}
}

// Iterate goes over the rows.
func (r *Rows) Iterate() starlark.Iterator { return &rowsIterator{r: r.r} }

// Attr finds a member.
func (r *Rows) Attr(name string) (starlark.Value, error) {
	if name == "one" {
		return &r.one, nil
	}
	v, err := rowsType.Attr(r, name)
	if err != nil && r.r.Index(name) >= 0 {
		err = fmt.Errorf("%w: %s is a column: rows.one().%s, or for row in rows", err, name, name)
	}
	return v, err
}

// AttrNames lists the members.
func (r *Rows) AttrNames() []string { return rowsType.AttrNames() }

// CompareSameType is equality by content.
func (r *Rows) CompareSameType(op syntax.Token, y starlark.Value, depth int) (bool, error) {
	return compareTuples(op, tuples(r), tuples(y.(*Rows)), depth)
}

func compareTuples(op syntax.Token, x, y starlark.Value, depth int) (bool, error) {
	if op != syntax.EQL && op != syntax.NEQ {
		return false, fmt.Errorf("rows have no order: compare with == or !=")
	}
	return starlark.CompareDepth(op, x, y, depth)
}

func tuples(r *Rows) starlark.Tuple {
	out := make(starlark.Tuple, r.Len())
	for i := range out {
		out[i] = (&Row{r.r, i}).Tuple()
	}
	return out
}

type rowsIterator struct {
	r *session.Rows
	i int
}

func (it *rowsIterator) Next(p *starlark.Value) bool {
	if it.i >= it.r.Len() {
		return false
	}
	*p = &Row{it.r, it.i}
	it.i++
	return true
}
func (it *rowsIterator) Done() {}

// String is a table.
func (r *Rows) String() string { return Table(r, maxPrinted) }

// maxPrinted is how many rows a printed table shows.
const maxPrinted = 50

// Table prints rows as a table of at most limit rows.
func Table(r *Rows, limit int) string {
	names, lines := Cells(r, limit)
	s := Grid(names, lines)
	if more := r.Len() - limit; more > 0 {
		s += fmt.Sprintf("\n... %d more rows", more)
	}
	return s
}

// Cells gives the headings and at most limit lines of a table, as text.
func Cells(r *Rows, limit int) (head []string, lines [][]string) {
	for _, c := range r.r.Columns() {
		head = append(head, c.Name)
	}
	for i := range min(r.Len(), limit) {
		lines = append(lines, (&Row{r.r, i}).texts())
	}
	return head, lines
}

// Grid prints lines of cells under their headings.
func Grid(head []string, lines [][]string) string {
	width := make([]int, len(head))
	for _, l := range append([][]string{head}, lines...) {
		for i, c := range l {
			width[i] = max(width[i], utf8.RuneCountInString(c))
		}
	}
	var b strings.Builder
	row := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString(" | ")
			}
			b.WriteString(c)
			if i < len(cells)-1 {
				b.WriteString(strings.Repeat(" ", width[i]-utf8.RuneCountInString(c)))
			}
		}
	}
	row(head)
	b.WriteByte('\n')
	for i, w := range width {
		if i > 0 {
			b.WriteString("-+-")
		}
		b.WriteString(strings.Repeat("-", w))
	}
	for _, l := range lines {
		b.WriteByte('\n')
		row(l)
	}
	return b.String()
}

// Row is one row of a result.
type Row struct {
	r *session.Rows
	i int
}

// Type is "row".
func (r *Row) Type() string          { return "row" }
func (r *Row) Freeze()               {}
func (r *Row) Truth() starlark.Bool  { return true }
func (r *Row) Hash() (uint32, error) { return r.Tuple().Hash() }

// String is "row(id = 1, name = \"x\")".
func (r *Row) String() string {
	var b strings.Builder
	b.WriteString("row(")
	for i, c := range r.r.Columns() {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(c.Name + " = " + r.Cell(i).String())
	}
	return b.String() + ")"
}

// Cell gives the value of a column.
func (r *Row) Cell(col int) starlark.Value {
	return FromCell(r.r.At(r.i, col), r.r.Columns()[col].Type)
}

// Tuple gives all values.
func (r *Row) Tuple() starlark.Tuple {
	out := make(starlark.Tuple, len(r.r.Columns()))
	for i := range out {
		out[i] = r.Cell(i)
	}
	return out
}

func (r *Row) texts() []string {
	out := make([]string, len(r.r.Columns()))
	for i := range out {
		out[i] = CellText(r.Cell(i))
	}
	return out
}

// WholeCell is the value in a row's column with its line ends, up to maxWhole. Other control characters, which a terminal would obey,
// are shown as a script writes them.
func WholeCell(r *Rows, row, column int) string {
	s := []rune(plainText((&Row{r.r, row}).Cell(column)))
	more := ""
	if len(s) > maxWhole {
		s, more = s[:maxWhole], fmt.Sprintf("\n... %d more characters", len(s)-maxWhole)
	}
	var b strings.Builder
	for _, c := range s {
		if c < ' ' && c != '\n' && c != '\t' || c == 0x7f {
			fmt.Fprintf(&b, `\x%02x`, c)
			continue
		}
		b.WriteRune(c)
	}
	return b.String() + more
}

// maxWhole bounds a value that is shown whole, in runes.
const maxWhole = 1 << 16

func plainText(v starlark.Value) string {
	switch v := v.(type) {
	case starlark.NoneType:
		return "NULL"
	case starlark.String:
		return string(v)
	}
	return v.String()
}

// CellText is a value as tables show it: text without quotes, on one line.
func CellText(v starlark.Value) string {
	s := plainText(v)
	s = strings.NewReplacer("\n", `\n`, "\t", `\t`, "\r", `\r`).Replace(s)
	if utf8.RuneCountInString(s) > 60 {
		s = string([]rune(s)[:57]) + "..."
	}
	return s
}

// CompareSameType is equality by content.
func (r *Row) CompareSameType(op syntax.Token, y starlark.Value, depth int) (bool, error) {
	return compareTuples(op, r.Tuple(), y.(*Row).Tuple(), depth)
}

// Len is the number of columns.
func (r *Row) Len() int { return len(r.r.Columns()) }

// Iterate goes over the values.
func (r *Row) Iterate() starlark.Iterator { return r.Tuple().Iterate() }

// Get is row["name"] and row[0].
func (r *Row) Get(k starlark.Value) (starlark.Value, bool, error) {
	switch k := k.(type) {
	case starlark.String:
		if i := r.column(string(k)); i >= 0 {
			return r.Cell(i), true, nil
		}
		return nil, false, r.noColumn(string(k))
	case starlark.Int:
		i, err := starlark.AsInt32(k)
		if err != nil {
			return nil, false, err
		}
		if i < 0 {
			i += r.Len()
		}
		if i < 0 || i >= r.Len() {
			return nil, false, fmt.Errorf("the row has %d columns, there is no [%s]", r.Len(), k)
		}
		return r.Cell(i), true, nil
	}
	return nil, false, fmt.Errorf("a row is indexed by a column's name or number, not by %s", k.Type())
}

// column finds a column by name, or by place as col_0.
func (r *Row) column(name string) int {
	if i := r.r.Index(name); i >= 0 {
		return i
	}
	if n, ok := strings.CutPrefix(name, "col_"); ok {
		if i, err := strconv.Atoi(n); err == nil && i >= 0 && i < r.Len() {
			return i
		}
	}
	return -1
}

// Attr is row.name.
func (r *Row) Attr(name string) (starlark.Value, error) {
	if i := r.column(name); i >= 0 {
		return r.Cell(i), nil
	}
	return nil, starlark.NoSuchAttrError(strings.TrimSuffix(r.noColumn(name).Error(), r.guess(name))) // the interpreter adds its guess
}

func (r *Row) noColumn(name string) error {
	names := r.AttrNames()
	msg := fmt.Sprintf("the row has no column %q", name)
	if guess := r.guess(name); guess != "" {
		return errors.New(msg + guess)
	}
	return fmt.Errorf("%s; it has %s", msg, strings.Join(names, ", "))
}

// guess is the end of a message that names the nearest column, "" where none is near.
func (r *Row) guess(name string) string {
	if near := fault.Suggest(name, r.AttrNames()); near != "" {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return ""
}

// AttrNames lists the columns.
func (r *Row) AttrNames() []string {
	out := make([]string, len(r.r.Columns()))
	for i, c := range r.r.Columns() {
		out[i] = c.Name
	}
	return out
}

func rows(v starlark.Value) *Rows { return v.(*Rows) }

// notOne tells how many rows there were instead.
func notOne(op string, r *Rows) error {
	e := fault.New(fault.BadArgument, op, fmt.Sprintf("want exactly 1 row, got %d", r.Len()))
	if r.Len() > 1 {
		return e.WithHint("rows[0] takes the first; LIMIT 1 asks for one")
	}
	return e.WithHint("if rows: tells whether there are any")
}

// bare calls a method without arguments, which is on the way of nearly every query, without the general argument check.
func bare(name string, f func(*Rows) (starlark.Value, error)) func(*starlark.Thread, starlark.Value, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return func(_ *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args)+len(kwargs) > 0 {
			return nil, &spec.ArgError{Call: name, Problem: "takes no arguments", Hint: name + "()"}
		}
		return f(recv.(*Rows))
	}
}

var rowsType = (&spec.Type{
	Live: true,
	Name: "rows", Elem: "row",
	Doc: "The rows of a result. len(rows), rows[0] and for row in rows work; printing shows a table. A row gives its values as row.name, row[\"name\"], row[0]; columns without a usable name as row.col_0.",
	Example: `
rows = t.db.query("SELECT 1 AS id, 'ann' AS name UNION SELECT 2, 'bob'")
expect.eq(len(rows), 2)
expect.eq(rows[1].name, "bob")
expect.eq(rows.column("id"), [1, 2])
`,
	Attrs: []spec.Attr{
		{Name: "columns", Type: "list", Doc: "The columns' names.", Get: func(v starlark.Value) (starlark.Value, error) {
			var out []starlark.Value
			for _, c := range rows(v).r.Columns() {
				out = append(out, starlark.String(c.Name))
			}
			return starlark.NewList(out), nil
		}},
		{Name: "types", Type: "list", Doc: "The columns' types: int, uint, decimal, string, bytes, datetime and so on.", Get: func(v starlark.Value) (starlark.Value, error) {
			var out []starlark.Value
			for _, c := range rows(v).r.Columns() {
				out = append(out, starlark.String(c.Type.String()))
			}
			return starlark.NewList(out), nil
		}},
	},
	Methods: []*spec.Func{
		{Name: "one", Returns: "row", Doc: "The only row; another number of rows is an error that says how many.", Raw: bare("rows.one", func(r *Rows) (starlark.Value, error) {
			if r.Len() != 1 {
				return nil, notOne("rows.one", r)
			}
			return r.Index(0), nil
		})},
		{Name: "scalar", Returns: "any", Doc: "The only value of the only row.", Raw: bare("rows.scalar", func(r *Rows) (starlark.Value, error) {
			if r.Len() != 1 {
				return nil, notOne("rows.scalar", r)
			}
			if n := len(r.r.Columns()); n != 1 {
				return nil, fault.New(fault.BadArgument, "rows.scalar", fmt.Sprintf("want exactly 1 column, got %d", n))
			}
			return (&Row{r.r, 0}).Cell(0), nil
		})},
		{Name: "column", Returns: "list", Doc: "The values of one column.", Params: []spec.Param{
			{Name: "name", Type: "str|int", Doc: "Its name or number."},
		}, Impl: func(c *spec.Call) (starlark.Value, error) {
			r := rows(c.Recv)
			out := make([]starlark.Value, r.Len())
			for i := range out {
				v, _, err := (&Row{r.r, i}).Get(c.Arg("name"))
				if err != nil {
					return nil, err
				}
				out[i] = v
			}
			return starlark.NewList(out), nil
		}},
		{Name: "dicts", Returns: "list", Elem: "dict", Doc: "The rows as dicts by column name.", Impl: func(c *spec.Call) (starlark.Value, error) {
			r := rows(c.Recv)
			out := make([]starlark.Value, r.Len())
			for i := range out {
				d := starlark.NewDict(len(r.r.Columns()))
				row := &Row{r.r, i}
				for k, col := range r.r.Columns() {
					if err := d.SetKey(starlark.String(col.Name), row.Cell(k)); err != nil {
						return nil, err
					}
				}
				out[i] = d
			}
			return starlark.NewList(out), nil
		}},
		{Name: "tuples", Returns: "list", Elem: "tuple", Doc: "The rows as tuples.", Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.NewList(tuples(rows(c.Recv))), nil
		}},
	},
}).Seal()

var rowType = (&spec.Type{
	Live: true,
	Name: "row", Open: true,
	Doc: "One row of a result. row.name, row[\"name\"] and row[0] give a value, a, b = row takes it apart, len(row) counts the columns.",
	Example: `
row = t.db.query("SELECT 1 AS id, 'ann' AS name").one()
expect.eq((row.id, row["name"], row[0], row.col_1), (1, "ann", 1, "ann"))
`,
}).Seal()
