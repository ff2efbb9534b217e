package main

import (
	"context"
	"database/sql/driver"
	"flag"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/go-sql-driver/mysql"
)

// childFlags say what this program does as a process that is measured.
type childFlags struct {
	role     string
	socket   string
	sessions int
	each     int
	count    int
	kind     string
}

func (c *childFlags) declare(fs *flag.FlagSet) {
	fs.StringVar(&c.role, "child", "", "of the processes that this program starts: what to do")
	fs.StringVar(&c.socket, "socket", "", "with -child: of the server")
	fs.IntVar(&c.sessions, "sessions", 1, "with -child: how many")
	fs.IntVar(&c.each, "each", 0, "with -child: statements of each session")
	fs.IntVar(&c.count, "count", 0, "with -child: of what is repeated")
	fs.StringVar(&c.kind, "kind", "", "with -child: of the server to start, or of the call")
}

func (c *childFlags) run(ctx context.Context, out io.Writer) error {
	switch c.role {
	case "point":
		return barePoint(ctx, c)
	case "stream":
		return bareStream(ctx, c.socket, c.count)
	case "pool":
		return barePool(ctx, out, c)
	case "events":
		return emitEvents(out, c.count)
	case "waits":
		return noticeWaits(ctx, out)
	case "ready":
		return startServer(ctx, out, c.kind)
	case "guarded":
		return guardCalls(ctx, c.kind, c.count)
	}
	if strings.HasPrefix(c.role, "history") {
		return historyChild(ctx, out, c)
	}
	return fmt.Errorf("there is no role %q", c.role)
}

// dial opens a connection of the driver as it comes.
func dial(ctx context.Context, socket, database string) (driver.Conn, error) {
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.DBName = "unix", socket, "root", database
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	return c.Connect(ctx)
}

// fill makes the table of accounts.
func fill(ctx context.Context, socket string) error {
	conn, err := dial(ctx, socket, "")
	if err != nil {
		return err
	}
	defer conn.Close()
	var rows []string
	for i := range accounts {
		rows = append(rows, fmt.Sprintf("(%d, %d, 'account number %d')", i, i*10, i))
	}
	for _, sql := range []string{
		"CREATE DATABASE bench",
		"CREATE TABLE bench.account (id INT PRIMARY KEY, balance INT, name VARCHAR(40))",
		"INSERT INTO bench.account VALUES " + strings.Join(rows, ","),
	} {
		if _, err := conn.(driver.ExecerContext).ExecContext(ctx, sql, nil); err != nil {
			return err
		}
	}
	return nil
}

// barePoint is the comparison's other side: one prepared statement for each connection, all columns read.
func barePoint(ctx context.Context, c *childFlags) error {
	conns := make([]driver.Conn, c.sessions)
	for i := range conns {
		conn, err := dial(ctx, c.socket, "bench")
		if err != nil {
			return err
		}
		defer conn.Close()
		conns[i] = conn
	}
	errs := make([]error, c.sessions)
	var wg sync.WaitGroup
	for i, conn := range conns {
		wg.Go(func() { _, errs[i] = barePoints(ctx, conn, c.each) })
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func barePoints(ctx context.Context, conn driver.Conn, n int) (total int64, err error) {
	stmt, err := conn.Prepare(pointSQL)
	if err != nil {
		return 0, err
	}
	defer stmt.Close()
	dest := make([]driver.Value, 3)
	for i := range n {
		rows, err := stmt.(driver.StmtQueryContext).QueryContext(ctx, []driver.NamedValue{{Ordinal: 1, Value: int64(i % accounts)}})
		if err != nil {
			return total, err
		}
		if err := rows.Next(dest); err != nil {
			return total, err
		}
		total += dest[1].(int64)
		if err := rows.Next(dest); err != io.EOF {
			return total, fmt.Errorf("want one row: %w", err)
		}
		if err := rows.Close(); err != nil {
			return total, err
		}
	}
	return total, nil
}

// streamSQL gives the numbers from 1 to n, made by the server.
func streamSQL(n int) string { return fmt.Sprintf("SELECT seq AS n FROM seq_1_to_%d", n) }

// bareStream sums the rows of the stream by the text protocol, which is rig's for statements without arguments.
func bareStream(ctx context.Context, socket string, n int) error {
	conn, err := dial(ctx, socket, "bench")
	if err != nil {
		return err
	}
	defer conn.Close()
	rows, err := conn.(driver.QueryerContext).QueryContext(ctx, streamSQL(n), nil)
	if err != nil {
		return err
	}
	defer rows.Close()
	dest := make([]driver.Value, 1)
	var total uint64
	for err = rows.Next(dest); err == nil; err = rows.Next(dest) {
		switch v := dest[0].(type) {
		case int64:
			total += uint64(v)
		case uint64:
			total += v
		default:
			return fmt.Errorf("the driver gave a %T", v)
		}
	}
	if want := uint64(n) * uint64(n+1) / 2; err == io.EOF && total != want {
		return fmt.Errorf("the sum is %d, want %d", total, want)
	}
	if err != io.EOF {
		return err
	}
	return nil
}
