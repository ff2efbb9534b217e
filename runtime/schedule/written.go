package schedule

import (
	"fmt"
	"strconv"
	"strings"
)

// Script writes the tables with their rows as lines of a scenario.
func (f *Fixture) Script() []string {
	var out []string
	for _, t := range f.tables {
		out = append(out, "t.db.exec("+quote(t.create)+")")
		if len(t.rows) == 0 {
			continue
		}
		var columns, rows []string
		for _, c := range t.columns {
			columns = append(columns, quote(strings.ReplaceAll(strings.Trim(c, "`"), "``", "`")))
		}
		for _, r := range t.rows {
			var cells []string
			for _, v := range r {
				cells = append(cells, literal(v))
			}
			rows = append(rows, "("+strings.Join(cells, ", ")+",)")
		}
		out = append(out, fmt.Sprintf("t.db.insert(%s, [%s], [%s])", quote(t.name), strings.Join(columns, ", "), strings.Join(rows, ", ")))
	}
	return out
}

// literal writes a value of the database as a script does.
func literal(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case []byte:
		return "b" + quote(string(v))
	case string:
		return quote(v)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	}
	return fmt.Sprint(v)
}

// quote writes a text; Starlark reads what Go's quotes escape, but for \x above 7f in a str.
func quote(s string) string { return strconv.Quote(s) }

// Number is that of a session's k-th step.
func (p *Plan) Number(session, k int) int {
	n := k
	for _, s := range p.Sessions[:session] {
		n += len(s.Steps)
	}
	return n
}
