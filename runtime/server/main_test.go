package server

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	"go.uber.org/goleak"

	"rig/runtime/event"
)

// roleVariable makes the test binary play another program: see standin_test.go and orphan_test.go.
const roleVariable = "RIG_SERVER_TEST_ROLE"

// templates is the cache of all tests, so that MariaDB's data folder is initialised once. Set by TestMain only.
var templates string

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	dir, err := os.MkdirTemp("", "rig-templates-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	templates = dir
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// wantMariaDB skips loudly where there is no server, unless RIG_NEED_MARIADB says that there must be one.
func wantMariaDB(t testing.TB) {
	t.Helper()
	_, err := findBinary(Spec{Kind: MariaDB}, mariadbKind{})
	if err == nil {
		return
	}
	if os.Getenv("RIG_NEED_MARIADB") != "" {
		t.Fatalf("RIG_NEED_MARIADB is set: %v", err)
	}
	t.Skipf("SKIPPED, NOT TESTED: no mariadbd here: %v", err)
}

// begin starts a server that the test's end stops.
func begin(t testing.TB, s Spec) *Server {
	t.Helper()
	srv, err := Start(t.Context(), fill(t, s), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return srv
}

func fill(t testing.TB, s Spec) Spec {
	if s.TempDir == "" {
		s.TempDir = t.TempDir()
	}
	if s.CacheDir == "" {
		s.CacheDir = templates
	}
	return s
}

func open(t testing.TB, a Address) *sql.DB {
	t.Helper()
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.Passwd, cfg.DBName = a.Network, a.Addr, a.User, a.Password, a.Database
	cfg.Logger, cfg.Timeout, cfg.ReadTimeout = &mysql.NopLogger{}, 5*time.Second, 20*time.Second
	c, err := mysql.NewConnector(cfg)
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(c)
	t.Cleanup(func() { db.Close() })
	return db
}

// client is one connection, with short ways to ask it.
type client struct {
	t testing.TB
	*sql.Conn
}

func connect(t testing.TB, db *sql.DB) client {
	t.Helper()
	c, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return client{t, c}
}

func (c client) try(sql string) error {
	_, err := c.ExecContext(context.Background(), sql)
	return err
}

func (c client) exec(sql ...string) {
	c.t.Helper()
	for _, s := range sql {
		if err := c.try(s); err != nil {
			c.t.Fatalf("%s: %v", s, err)
		}
	}
}

// ask gives the rows as text: columns by a space, rows by a comma.
func (c client) ask(query string) (string, error) {
	rows, err := c.QueryContext(context.Background(), query)
	if err != nil {
		return "", err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return "", err
	}
	var out []string
	for rows.Next() {
		cells, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
		for i := range cells {
			to[i] = &cells[i]
		}
		if err := rows.Scan(to...); err != nil {
			return "", err
		}
		var words []string
		for _, cell := range cells {
			words = append(words, cell.String)
		}
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, ","), rows.Err()
}

func (c client) get(query string) string {
	c.t.Helper()
	s, err := c.ask(query)
	if err != nil {
		c.t.Fatalf("%s: %v", query, err)
	}
	return s
}

// code is the server's number of an error, 0 for none.
func code(err error) int {
	var e *mysql.MySQLError
	if errors.As(err, &e) {
		return int(e.Number)
	}
	return 0
}

// eventually polls for what another process does.
func eventually(t testing.TB, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s did not happen", what)
		case <-tick.C:
		}
	}
}

// alive reports whether a process runs; one that only waits for its parent to ask does not.
func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return !bytes.HasPrefix(rest, []byte("Z"))
}

// recorder keeps the Target events of a bus.
type recorder struct {
	mu     sync.Mutex
	events []event.Target // guarded by mu
}

func (r *recorder) Name() string { return "recorder" }

func (r *recorder) Event(e *event.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if d, ok := e.Data.(*event.Target); ok {
		r.events = append(r.events, *d)
	}
	return nil
}

func (r *recorder) Flush() error { return nil }
func (r *recorder) Close() error { return nil }

func (r *recorder) states() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, e := range r.events {
		out = append(out, e.State)
	}
	return strings.Join(out, " ")
}

func (r *recorder) last() event.Target {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.events[len(r.events)-1]
}

func record(t testing.TB) (*recorder, *event.Bus) {
	r := &recorder{}
	bus := event.NewBus(time.Now(), nil, r)
	t.Cleanup(func() { bus.Close() })
	return r, bus
}
