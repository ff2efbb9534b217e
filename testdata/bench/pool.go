package main

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	poolTasks = 1000
	poolSize  = 32
	poolEach  = 10  // statements of one task
	poolLimit = 0.9 // of the statements per second of database/sql
)

// poolScript runs the tasks; each takes a connection for all its statements, or one for each.
const poolScript = `
tasks = param("tasks", default = 0)
each = param("each", default = 0)
way = param("way", default = "task", choices = ["task", "statement"])

def one(conn, i):
    return conn.query("SELECT id, balance, name FROM account WHERE id = ?", i % 1000).one().balance

def several(conn, first):
    total = 0
    for i in range(first, first + each):
        total += conn.query("SELECT id, balance, name FROM account WHERE id = ?", i % 1000).one().balance
    return total

def test_pool(t):
    pool = t.pool(32, database = "bench", acquire_timeout = "60s")
    def by_task(n):
        return pool.with_connection(several, n * each)
    def by_statement(n):
        total = 0
        for i in range(n * each, (n + 1) * each):
            total += pool.with_connection(one, i)
        return total
    start = time.now()
    outcomes = task.map(by_task if way == "task" else by_statement, range(tasks))
    took = time.now() - start
    expect.all_ok(outcomes)
    total = 0
    for o in outcomes:
        total += o.value
    expect.eq(total, sum_of(tasks * each))
    print("took", took)

def sum_of(n):
    total = 0
    for i in range(n):
        total += i % 1000 * 10
    return total
`

// pool compares tasks that share connections with the same by database/sql at its best: one statement prepared once, a
// connection of its pool for each run of it. Both sides take the time from the first task to the last, connecting included.
func (b *bench) pool(ctx context.Context) error {
	s, err := b.host(ctx)
	if err != nil {
		return err
	}
	defer s.Stop()
	script, err := b.write("pool.star", poolScript)
	if err != nil {
		return err
	}
	socket := s.Address().Addr
	rig := func(way string) func() (cost, error) {
		return func() (cost, error) {
			return b.exec(ctx, script, "--target", "mysql://root@/bench?socket="+socket, "--allow-database", "bench",
				"--tasks", strconv.Itoa(poolTasks), "--each", strconv.Itoa(poolEach), "--way", way)
		}
	}
	bare := func() (cost, error) {
		return b.child(ctx, "pool", "-socket", socket, "-sessions", strconv.Itoa(poolSize), "-count", strconv.Itoa(poolTasks), "-each", strconv.Itoa(poolEach))
	}
	sides := []func() (cost, error){bare, rig("task"), rig("statement")}
	rates := make([][]float64, len(sides))
	for range 2 * b.rounds { // they are short
		for i, side := range sides {
			c, err := side()
			if err != nil {
				return err
			}
			d, err := took(c.said)
			if err != nil {
				return err
			}
			rates[i] = append(rates[i], rate(poolTasks*poolEach, d))
		}
	}
	b.poolLine("pool of 32, 1000 tasks of 10 statements: per second", rates[0], rates[1])
	b.note("  the same, a connection for each statement", fmt.Sprintf("%.0f", median(rates[0])), fmt.Sprintf("%.0f", median(rates[2])), median(ratios(rates[0], rates[2])))
	return nil
}

// poolLine judges the median of the rounds' ratios.
func (b *bench) poolLine(name string, bare, rig []float64) {
	r := ratios(bare, rig)
	b.atLeast(fmt.Sprintf("%s (rounds: %.2f to %.2f)", name, slices.Min(r), slices.Max(r)),
		fmt.Sprintf("%.0f", median(bare)), fmt.Sprintf("%.0f", median(rig)), median(r), poolLimit)
}

// ratios gives each round's.
func ratios(bare, rig []float64) []float64 {
	var out []float64
	for i := range bare {
		out = append(out, rig[i]/bare[i])
	}
	return out
}

// atLeast adds a line whose ratio must not be less than least.
func (b *bench) atLeast(name, limit, rig string, ratio, least float64) {
	verdict := "within"
	if ratio < least {
		verdict = "under"
	}
	b.table = append(b.table, line{name, limit, rig, ratio, verdict})
}

// took finds the line "took 1.5s".
func took(said string) (time.Duration, error) {
	for l := range strings.Lines(said) {
		if rest, ok := strings.CutPrefix(l, "took "); ok {
			return time.ParseDuration(strings.TrimSpace(rest))
		}
	}
	return 0, fmt.Errorf("no time in %q", said)
}

// barePool is the comparison's other side.
func barePool(ctx context.Context, out io.Writer, c *childFlags) error {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.DBName = "unix", c.socket, "root", "bench"
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	db.SetMaxOpenConns(c.sessions)
	db.SetMaxIdleConns(c.sessions)
	start := time.Now()
	stmt, err := db.PrepareContext(ctx, pointSQL)
	if err != nil {
		return err
	}
	defer stmt.Close()
	errs, totals := make([]error, c.count), make([]int64, c.count)
	var wg sync.WaitGroup
	for n := range c.count {
		wg.Go(func() { totals[n], errs[n] = barePoolTask(ctx, stmt, n*c.each, c.each) })
	}
	wg.Wait()
	fmt.Fprintln(out, "took", time.Since(start))
	var total, want int64
	for n := range c.count {
		if errs[n] != nil {
			return errs[n]
		}
		total += totals[n]
	}
	for i := range c.count * c.each {
		want += int64(i % accounts * 10)
	}
	if total != want {
		return fmt.Errorf("the sum is %d, want %d", total, want)
	}
	return nil
}

func barePoolTask(ctx context.Context, stmt *sql.Stmt, first, n int) (total int64, err error) {
	for i := first; i < first+n; i++ {
		var id, balance int64
		var name string
		if err := stmt.QueryRowContext(ctx, i%accounts).Scan(&id, &balance, &name); err != nil {
			return total, err
		}
		total += balance
	}
	return total, nil
}
