package expect

import (
	"fmt"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
)

// compareRows compares a result with the rows wanted and shows a difference as a table.
func compareRows(c *spec.Call, got *value.Rows, want starlark.Value, ordered bool) (starlark.Value, error) {
	columns := names(got)
	wantList, err := list(c, want, len(columns))
	if err != nil {
		return nil, err
	}
	order := make([]int, len(wantList)) // order[j]: which wanted row stands at j
	for j := range order {
		order[j] = j
	}
	same := func(i, j int) bool {
		ok, err := value.Equal(got.Index(i), wantList[order[j]])
		return ok && err == nil
	}
	equal := got.Len() == len(wantList)
	if !ordered {
		equal = arrange(got.Len(), order, same) && equal
	}
	for i := 0; equal && i < got.Len(); i++ {
		equal = same(i, i)
	}
	if equal {
		return verdict(c, true, "", "")
	}
	gotLines, err := value.Lines(got, columns)
	if err != nil {
		return nil, err
	}
	arranged := make([]starlark.Value, len(order))
	for j, k := range order {
		arranged[j] = wantList[k]
	}
	wantLines, err := value.Lines(starlark.NewList(arranged), columns)
	if err != nil {
		return nil, c.Errorf("want", "%v", err)
	}
	for i := 0; i < min(len(gotLines), len(wantLines)); i++ {
		if !same(i, i) {
			tellTypes(columns, side{got.Index(i), gotLines[i]}, side{arranged[i], wantLines[i]})
		}
	}
	diff := value.Diff(gotLines, wantLines, same)
	head := append([]string{" "}, columns...)
	return verdict(c, false, fmt.Sprintf("got %d rows, want %d (+ is there, - is missing)", got.Len(), len(wantList)), value.Grid(head, diff))
}

// side is one of two rows that differ, with the texts of its cells.
type side struct {
	row   starlark.Value
	cells []string
}

// tellTypes writes the types behind cells that differ and look the same: 5.50 may be a decimal or a str.
func tellTypes(columns []string, got, want side) {
	for k := range got.cells {
		if k >= len(want.cells) || got.cells[k] != want.cells[k] {
			continue
		}
		x, y := cellOf(got.row, k, columns[k]), cellOf(want.row, k, columns[k])
		if x == nil || y == nil {
			continue
		}
		if ok, err := value.Equal(x, y); ok && err == nil {
			continue
		}
		got.cells[k] += " (" + x.Type() + ")"
		want.cells[k] += " (" + y.Type() + ")"
	}
}

// cellOf gives cell k of a row, nil where there is none.
func cellOf(row starlark.Value, k int, column string) starlark.Value {
	switch row := row.(type) {
	case *starlark.Dict:
		v, _, _ := row.Get(starlark.String(column)) // a str is hashable; a missing key is told by its text
		return v
	case *value.Row:
		return row.Cell(k)
	case starlark.Indexable:
		if k < row.Len() {
			return row.Index(k)
		}
	}
	return nil
}

// arrange reorders the wanted rows so that each stands beside a row equal to it; it reports whether all found one.
func arrange(n int, order []int, same func(i, j int) bool) bool {
	all := true
	next := 0
	for i := 0; i < n && next < len(order); i++ {
		found := false
		for j := next; j < len(order); j++ {
			// same compares with order[j], so try it in place.
			if same(i, j) {
				order[next], order[j] = order[j], order[next]
				found = true
				break
			}
		}
		if found {
			next++
		}
		all = all && found
	}
	return all && next == len(order)
}

func names(r *value.Rows) []string {
	var out []string
	for _, c := range r.Result().Columns() {
		out = append(out, c.Name)
	}
	return out
}

// list gives the wanted rows; where the result has one column, bare values stand for rows.
func list(c *spec.Call, want starlark.Value, columns int) ([]starlark.Value, error) {
	it := starlark.Iterate(want)
	if it == nil {
		return nil, c.Errorf("want", "want a list of rows, got %s", want.Type())
	}
	defer it.Done()
	var out []starlark.Value
	var x starlark.Value
	for it.Next(&x) {
		switch x.(type) {
		case starlark.Tuple, *starlark.List, *starlark.Dict, *value.Row:
		default:
			if columns != 1 {
				return nil, c.Errorf("want", "row %d: want a tuple of %d values, got %s", len(out), columns, x.Type())
			}
			x = starlark.Tuple{x}
		}
		out = append(out, x)
	}
	return out, nil
}
