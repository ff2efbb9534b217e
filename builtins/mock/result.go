package mock

import (
	"errors"
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/value"
	"rig/runtime/mock"
)

// tableau is a result before its columns are known.
type tableau struct {
	columns []string
	rows    starlark.Value
	result  mock.Result
}

// finish finds the columns: those that are named, or the keys of the first row.
func (t *tableau) finish(has map[string]bool) (mock.Result, error) {
	r := t.result
	if !has["rows"] && !has["columns"] {
		return r, nil
	}
	if has["affected"] || has["last_insert_id"] {
		return r, errors.New("an answer has rows, or affected and last_insert_id")
	}
	if rows, ok := t.rows.(*value.Rows); ok && t.columns == nil {
		for _, c := range rows.Result().Columns() {
			t.columns = append(t.columns, c.Name)
		}
	}
	var list []starlark.Value
	if t.rows != nil {
		list, _ = sequence(t.rows) // set has looked
	}
	for i, x := range list {
		row, err := t.row(x)
		if err != nil {
			return r, fmt.Errorf("rows: row %d %w", i+1, err)
		}
		r.Rows = append(r.Rows, row)
	}
	for _, name := range t.columns {
		r.Columns = append(r.Columns, mock.Column{Name: name})
	}
	if len(r.Columns) == 0 {
		return r, errors.New("rows: an empty result needs columns = [...]")
	}
	return r, nil
}

func (t *tableau) row(v starlark.Value) ([]mock.Value, error) {
	m, isDict := v.(starlark.IterableMapping)
	if isDict {
		return t.dict(m)
	}
	list, err := sequence(v)
	if err != nil {
		return nil, fmt.Errorf("is no dict or tuple: %w", err)
	}
	if t.columns == nil {
		return nil, errors.New("is a tuple: name the columns with columns = [...], or write dicts")
	}
	var out []mock.Value
	for _, x := range list {
		c, err := toValue(x)
		if err != nil {
			return nil, fmt.Errorf("has a value that no column holds: %w", err)
		}
		out = append(out, c)
	}
	return out, nil
}

func (t *tableau) dict(m starlark.IterableMapping) ([]mock.Value, error) {
	cells := map[string]mock.Value{}
	var names []string
	for _, kv := range m.Items() {
		name, ok := starlark.AsString(kv[0])
		if !ok {
			return nil, fmt.Errorf("has the key %s, which is no str", kv[0])
		}
		c, err := toValue(kv[1])
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", name, err)
		}
		cells[name], names = c, append(names, name)
	}
	if t.columns == nil {
		t.columns = names
	}
	out := make([]mock.Value, len(t.columns))
	for i, name := range t.columns {
		c, ok := cells[name]
		if !ok {
			return nil, fmt.Errorf("has no %q; the columns are %s", name, strings.Join(t.columns, ", "))
		}
		out[i] = c
		delete(cells, name)
	}
	for _, name := range names {
		if _, left := cells[name]; left {
			return nil, fmt.Errorf("has %q, which is no column; the columns are %s", name, strings.Join(t.columns, ", "))
		}
	}
	return out, nil
}

func answers(v starlark.Value) ([]mock.Answer, error) {
	list, err := sequence(v)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errors.New("it is empty")
	}
	var out []mock.Answer
	for i, x := range list {
		m, ok := x.(starlark.IterableMapping)
		if !ok {
			return nil, fmt.Errorf("answer %d: want a dict, got %s", i+1, x.Type())
		}
		var b builder
		err := b.fill(m, answerKeys)
		var a mock.Answer
		if err == nil {
			a, err = b.finishAnswer()
		}
		if err != nil {
			return nil, fmt.Errorf("answer %d: %w", i+1, err)
		}
		out = append(out, a)
	}
	return out, nil
}

func results(v starlark.Value) ([]mock.Result, error) {
	list, err := sequence(v)
	if err != nil {
		return nil, err
	}
	var out []mock.Result
	for i, x := range list {
		m, ok := x.(starlark.IterableMapping)
		if !ok {
			return nil, fmt.Errorf("result %d: want a dict, got %s", i+1, x.Type())
		}
		var b builder
		if err := b.fill(m, resultKeys); err != nil {
			return nil, fmt.Errorf("result %d: %w", i+1, err)
		}
		r, err := b.result.finish(b.has)
		if err != nil {
			return nil, fmt.Errorf("result %d: %w", i+1, err)
		}
		out = append(out, r)
	}
	return out, nil
}
