package data

import (
	"database/sql/driver"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/data"
	"rig/runtime/fault"
	"rig/runtime/script"
	"rig/runtime/session"
)

var csvFunc = &spec.Func{
	Name: "csv", Returns: "rows",
	Doc: "Reads a file of comma-separated values that lies beside the script, or below. The rows are as those of a query: row.name, rows.dicts(), rows.tuples(); conn.insert takes them. Values are str unless types says otherwise. A row with another number of values, or a header other than columns, is an error with the file and the line, as is a quote in the middle of a value that none began. It knows no NULL: NULL and \\N are texts, unlike for load_data with format csv, where an unquoted NULL is NULL.",
	Params: []spec.Param{
		{Name: "path", Type: "str", Doc: "The file, from the script's folder."},
		{Name: "header", Type: "bool", Default: starlark.True, KwOnly: true, Doc: "The first line names the columns."},
		{Name: "columns", Type: "list", Optional: true, KwOnly: true, Doc: "With a header, what it must say; without one, the columns' names, else they are col_0, col_1, ...."},
		{Name: "types", Type: "dict", Optional: true, KwOnly: true, Doc: "Columns that are no text: \"int\", \"float\", \"decimal\", \"date\", \"datetime\" or \"clock\". What is empty is None there."},
	},
	Example: `
e = expect.error(data.csv, "nowhere.csv")
expect.contains(e.message, "nowhere.csv: no such file")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		columns, err := c.Texts("columns")
		if err != nil {
			return nil, err
		}
		t, err := readFile(c, data.CSVOptions{Header: c.Bool("header"), Columns: columns})
		if err != nil {
			return nil, err
		}
		return typed(c, t)
	},
}

func readFile(c *spec.Call, o data.CSVOptions) (*data.Table, error) {
	path := c.Str("path")
	root, err := os.OpenRoot(filepath.Dir(script.CallerPos(c.Thread).File))
	if err != nil {
		return nil, unreadable(c, "%v", err)
	}
	defer root.Close()
	info, err := root.Stat(filepath.FromSlash(path))
	switch {
	case err != nil:
		return nil, unreadable(c, "%s", value.FileError(path, err))
	case !info.Mode().IsRegular():
		return nil, unreadable(c, "%s: it is no regular file", path)
	}
	f, err := root.Open(filepath.FromSlash(path))
	if err != nil {
		return nil, unreadable(c, "%v", err)
	}
	defer f.Close()
	t, err := data.ReadCSV(path, f, o)
	if err != nil {
		return nil, unreadable(c, "%v", err)
	}
	return t, nil
}

// unreadable is an error of the file, not of the script: try_ and expect.error see it.
func unreadable(c *spec.Call, format string, args ...any) error {
	return fault.New(fault.BadArgument, c.Name(), fmt.Sprintf(format, args...))
}

// parse reads a value that is no text; empty is NULL.
type parse struct {
	name string // as scripts write it
	t    session.Type
	read func(string) (driver.Value, error)
}

func parses() []parse {
	temporal := func(kind string) func(string) (driver.Value, error) {
		return func(s string) (driver.Value, error) {
			_, err := value.ParseTemporal(kind, s)
			return []byte(s), err
		}
	}
	return []parse{
		{"str", session.TypeString, func(s string) (driver.Value, error) { return []byte(s), nil }},
		{"int", session.TypeInt, func(s string) (driver.Value, error) { return strconv.ParseInt(s, 10, 64) }},
		{"float", session.TypeDouble, func(s string) (driver.Value, error) { return strconv.ParseFloat(s, 64) }},
		{"decimal", session.TypeDecimal, func(s string) (driver.Value, error) {
			_, err := value.ParseDecimal(s)
			return []byte(s), err
		}},
		{"date", session.TypeDate, temporal(value.KindDate)},
		{"datetime", session.TypeDateTime, temporal(value.KindDateTime)},
		{"clock", session.TypeTime, temporal(value.KindClock)},
	}
}

// typed makes the rows that scripts see.
func typed(c *spec.Call, t *data.Table) (starlark.Value, error) {
	names := t.Columns
	if len(names) == 0 && len(t.Rows) > 0 {
		for i := range t.Rows[0] {
			names = append(names, fmt.Sprintf("col_%d", i))
		}
	}
	kinds, err := kindsOf(c, names)
	if err != nil {
		return nil, err
	}
	columns := make([]session.Column, len(names))
	for i, n := range names {
		columns[i] = session.Column{Name: n, Type: kinds[i].t, DatabaseType: strings.ToUpper(kinds[i].name), Nullable: true}
	}
	rows := make([][]driver.Value, len(t.Rows))
	for i, texts := range t.Rows {
		rows[i] = make([]driver.Value, len(texts))
		for j, s := range texts {
			if s == "" && kinds[j].name != "str" {
				continue
			}
			if rows[i][j], err = kinds[j].read(s); err != nil {
				return nil, unreadable(c, "%s:%d: column %s: %q is no %s", c.Str("path"), t.Lines[i], names[j], s, kinds[j].name)
			}
		}
	}
	r, err := session.NewRows(columns, rows)
	if err != nil {
		return nil, err
	}
	return value.NewRows(r), nil
}

func kindsOf(c *spec.Call, names []string) ([]parse, error) {
	all := parses()
	out := make([]parse, len(names))
	for i := range out {
		out[i] = all[0]
	}
	if !c.Has("types") {
		return out, nil
	}
	for _, kv := range c.Arg("types").(starlark.IterableMapping).Items() {
		name, _ := starlark.AsString(kv[0])
		at := slices.Index(names, name)
		if at < 0 {
			return nil, c.Errorf("types", "%s has no column %s%s", c.Str("path"), kv[0], nearest(name, names))
		}
		kind, _ := starlark.AsString(kv[1])
		byName := map[string]parse{}
		for _, p := range all {
			byName[p.name] = p
		}
		p, ok := byName[kind]
		if !ok {
			return nil, c.Errorf("types", "column %s: there is no type %s%s", name, kv[1], nearest(kind, slices.Sorted(maps.Keys(byName))))
		}
		out[at] = p
	}
	return out, nil
}

func nearest(name string, names []string) string {
	if near := fault.Suggest(name, names); near != "" {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return "; there are " + strings.Join(names, ", ")
}
