package main

import (
	"context"
	"fmt"
	"strconv"
)

// rowsScript writes rows that a function makes, by batches or by LOAD DATA.
const rowsScript = `
rows = param("rows", default = 0)
way = param("way", default = "insert", choices = ["insert", "load_data"])

def row(i):
    return (i, "row number %d" % i) if i < rows else None

def test_rows(t):
    t.db.exec("CREATE TABLE many (id INT, name VARCHAR(40))")
    r = t.db.insert("many", None, row) if way == "insert" else t.db.load_data("many", row)
    expect.eq(r.rows_affected, rows)
`

const (
	fewRows  = 10_000
	manyRows = 1_000_000
)

// rowsFlat compares the memory of a hundred times the rows: they are pulled from a function, and not kept.
func (b *bench) rowsFlat(ctx context.Context) error {
	s, err := b.host(ctx)
	if err != nil {
		return err
	}
	defer s.Stop()
	script, err := b.write("rows.star", rowsScript)
	if err != nil {
		return err
	}
	for _, way := range []string{"insert", "load_data"} {
		var costs []cost
		for _, n := range []int{fewRows, manyRows} {
			c, err := b.exec(ctx, script, "--target", "mysql://root@/?socket="+s.Address().Addr, "--rows", strconv.Itoa(n), "--way", way)
			if err != nil {
				return err
			}
			costs = append(costs, c)
		}
		few, many := costs[0], costs[1]
		b.judge(fmt.Sprintf("%s of %d rows from a function: memory beside that of %d", way, manyRows, fewRows), fmt.Sprintf("%.0f MiB", mib(few.rss)), fmt.Sprintf("%.0f MiB", mib(many.rss)), float64(many.rss)/float64(few.rss), flat)
		b.note("  rows per second", "", fmt.Sprintf("%.0f", rate(manyRows, many.wall)), 0)
	}
	return nil
}
