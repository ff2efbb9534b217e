package value

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// Equal is how expectations compare: as == does, and across the types that a server's values and a script's literals have. A
// decimal equals an int of its value, a date or time equals its text, a row equals a tuple, list or dict of its values,
// rows equal a list of such.
func Equal(got, want starlark.Value) (bool, error) { return equal(got, want, 0) }

// maxEqualDepth bounds nested values; the interpreter's own bound is less.
const maxEqualDepth = 100

func equal(x, y starlark.Value, depth int) (bool, error) {
	if depth > maxEqualDepth {
		return false, fmt.Errorf("comparison exceeded maximum depth")
	}
	switch a := x.(type) {
	case Decimal:
		if b, ok := asDecimal(y); ok {
			return a.d.Equal(b), nil
		}
	case *Temporal:
		if s, ok := y.(starlark.String); ok {
			return a.equalText(string(s)), nil
		}
	case starlark.Int:
		if _, ok := y.(Decimal); ok {
			return equal(y, x, depth)
		}
	case starlark.String:
		if _, ok := y.(*Temporal); ok {
			return equal(y, x, depth)
		}
	}
	if a, ok := x.(*Row); ok {
		if d, ok := y.(*starlark.Dict); ok {
			return a.equalDict(d, depth)
		}
	}
	if b, ok := y.(*Row); ok {
		if _, ok := x.(*Row); !ok {
			return equal(b, x, depth)
		}
	}
	if a, b := elements(x), elements(y); a != nil && b != nil && comparable(x, y) {
		return equalAll(a, b, depth)
	}
	if a, ok := x.(*starlark.Dict); ok {
		if b, ok := y.(*starlark.Dict); ok {
			return equalDicts(a, b, depth)
		}
	}
	return starlark.Equal(x, y)
}

// comparable: two lists, two tuples, or a row or rows with anything listed.
func comparable(x, y starlark.Value) bool {
	if x.Type() == y.Type() {
		return true
	}
	for _, v := range []starlark.Value{x, y} {
		switch v.(type) {
		case *Rows, *Row:
			return true
		}
	}
	return false
}

// elements lists what an ordered value holds; nil where it is no such value.
func elements(v starlark.Value) []starlark.Value {
	switch v := v.(type) {
	case *starlark.List:
		out := make([]starlark.Value, v.Len())
		for i := range out {
			out[i] = v.Index(i)
		}
		return out
	case starlark.Tuple:
		return append([]starlark.Value{}, v...)
	case *Row:
		return v.Tuple()
	case *Rows:
		out := make([]starlark.Value, v.Len())
		for i := range out {
			out[i] = v.Index(i)
		}
		return out
	}
	return nil
}

func equalAll(a, b []starlark.Value, depth int) (bool, error) {
	if len(a) != len(b) {
		return false, nil
	}
	for i := range a {
		if ok, err := equal(a[i], b[i], depth+1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func equalDicts(a, b *starlark.Dict, depth int) (bool, error) {
	if a.Len() != b.Len() {
		return false, nil
	}
	for k, v := range a.Entries() {
		w, found, err := b.Get(k)
		if err != nil || !found {
			return false, err
		}
		if ok, err := equal(v, w, depth+1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (r *Row) equalDict(d *starlark.Dict, depth int) (bool, error) {
	if d.Len() != r.Len() {
		return false, nil
	}
	for k, want := range d.Entries() {
		name, ok := starlark.AsString(k)
		if !ok {
			return false, nil
		}
		i := r.column(name)
		if i < 0 {
			return false, nil
		}
		if ok, err := equal(r.Cell(i), want, depth+1); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (t *Temporal) equalText(s string) bool {
	o, err := ParseTemporal(t.kind, s)
	return err == nil && o.parts == t.parts && o.neg == t.neg
}

// Order compares for lt, le, gt, ge, across decimal and int too.
func Order(op syntax.Token, x, y starlark.Value) (bool, error) {
	a, okA := asDecimal(x)
	b, okB := asDecimal(y)
	if okA && okB && x.Type() != y.Type() {
		return starlark.Compare(op, Decimal{a}, Decimal{b})
	}
	if t, ok := x.(*Temporal); ok {
		if s, ok := y.(starlark.String); ok {
			o, err := ParseTemporal(t.kind, string(s))
			if err != nil {
				return false, err
			}
			return starlark.Compare(op, x, o)
		}
	}
	return starlark.Compare(op, x, y)
}

// Lines gives the rows of a result, or of a list of tuples, dicts or rows, as texts of cells; columns orders dicts.
func Lines(v starlark.Value, columns []string) ([][]string, error) {
	var out [][]string
	list := elements(v)
	if list == nil {
		return nil, fmt.Errorf("want rows or a list of tuples, got %s", v.Type())
	}
	for i, row := range list {
		cells := elements(row)
		if d, ok := row.(*starlark.Dict); ok {
			cells = []starlark.Value{}
			for _, c := range columns {
				x, found, _ := d.Get(starlark.String(c)) // a str is hashable
				if !found {
					x = starlark.String("(missing)")
				}
				cells = append(cells, x)
			}
		} else if cells == nil {
			cells = []starlark.Value{row} // one column: a bare value will do
		}
		line := make([]string, len(cells))
		for k, c := range cells {
			line[k] = CellText(c)
		}
		if len(columns) > 0 && len(line) != len(columns) {
			return nil, fmt.Errorf("row %d has %d values, the result has %d columns (%s)", i, len(line), len(columns), strings.Join(columns, ", "))
		}
		out = append(out, line)
	}
	return out, nil
}

// Diff marks the lines of got that are not wanted with + and wanted ones that are missing with -; equal ones have a blank.
// Far from a difference they are left out.
func Diff(got, want [][]string, same func(i, j int) bool) [][]string {
	n, m := len(got), len(want)
	if n > maxDiff || m > maxDiff {
		return [][]string{{"", fmt.Sprintf("%d rows, want %d: too many to compare line by line", n, m)}}
	}
	// Length of the longest common subsequence of the tails.
	tail := make([][]int32, n+1)
	for i := range tail {
		tail[i] = make([]int32, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if same(i, j) {
				tail[i][j] = tail[i+1][j+1] + 1
			} else {
				tail[i][j] = max(tail[i+1][j], tail[i][j+1])
			}
		}
	}
	var out [][]string
	i, j := 0, 0
	for i < n || j < m {
		switch {
		case i < n && j < m && same(i, j):
			out = append(out, append([]string{" "}, got[i]...))
			i, j = i+1, j+1
		case j < m && (i == n || tail[i][j+1] >= tail[i+1][j]):
			out = append(out, append([]string{"-"}, want[j]...))
			j++
		default:
			out = append(out, append([]string{"+"}, got[i]...))
			i++
		}
	}
	return near(out)
}

// maxDiff bounds the rows that are compared line by line: the table of the comparison has its square.
const maxDiff = 2000

// context is how many equal lines stay around a difference.
const context = 3

func near(lines [][]string) [][]string {
	keep := make([]bool, len(lines))
	for i, l := range lines {
		if l[0] != " " {
			for k := max(0, i-context); k <= min(len(lines)-1, i+context); k++ {
				keep[k] = true
			}
		}
	}
	var out [][]string
	for i, l := range lines {
		if keep[i] {
			out = append(out, l)
		} else if i == 0 || keep[i-1] {
			skipped := slices.Repeat([]string{"..."}, len(l))
			skipped[0] = " "
			out = append(out, skipped)
		}
	}
	return out
}
