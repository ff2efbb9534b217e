package session_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/server"
	"rig/runtime/session"
)

// The servers of the whole binary; TestMain sets them.
var (
	mariadb   *server.Server // nil where there is none
	noMariadb error          // why
	embedded  *server.Server
)

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	mariadb, noMariadb = server.Start(ctx, server.Spec{Kind: server.MariaDB, TCP: true, Options: map[string]string{"secure-file-priv": os.TempDir()}}, nil)
	if noMariadb != nil && os.Getenv("RIG_NEED_MARIADB") != "" {
		fmt.Fprintln(os.Stderr, "RIG_NEED_MARIADB is set:", noMariadb)
		return 1
	}
	var err error
	if embedded, err = server.Start(ctx, server.Spec{Kind: server.Embedded}, nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := m.Run()
	if noMariadb == nil {
		mariadb.Stop()
	}
	embedded.Stop()
	if err := goleak.Find(goleak.IgnoreTopFunction("github.com/golang/glog.(*loggingT).flushDaemon")); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// needMariadb skips the test loudly where there is no server.
func needMariadb(t testing.TB) *server.Server {
	t.Helper()
	if noMariadb != nil {
		t.Skipf("NOT TESTED: no MariaDB (%v); RIG_NEED_MARIADB=1 makes this a failure", noMariadb)
	}
	return mariadb
}

// at is the place of a call in a script that does not exist.
func at(line int32) session.Call {
	return session.Call{Pos: event.Pos{File: "t.star", Line: line}, Holder: "main", Op: "conn.query"}
}

// world is a hub with a database of its own.
type world struct {
	testing.TB
	hub *session.Hub
	cfg session.Config
	log *recorder
	n   int
}

// recorder is a sink that keeps the events.
type recorder struct {
	bus *event.Bus

	mu     sync.Mutex
	events []event.Event
}

func (r *recorder) Name() string { return "recorder" }
func (r *recorder) Event(e *event.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	kept := *e
	if d, ok := e.Data.(*event.Statement); ok { // its memory is the bus's
		c := *d
		kept.Data = &c
	}
	r.events = append(r.events, kept)
	return nil
}
func (r *recorder) Flush() error { return nil }
func (r *recorder) Close() error { return nil }

// all gives what was emitted so far.
func (r *recorder) all() []event.Event {
	r.bus.Flush()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]event.Event(nil), r.events...)
}

// statement is the last event of a statement that begins with sql.
func (r *recorder) statement(t testing.TB, sql string) *event.Statement {
	t.Helper()
	all := r.all()
	for i := len(all) - 1; i >= 0; i-- {
		if s, ok := all[i].Data.(*event.Statement); ok && strings.HasPrefix(s.SQL, sql) {
			return s
		}
	}
	t.Fatalf("no event of a statement %q", sql)
	return nil
}

var databases atomic.Int64

// on makes a world on a server; change may alter the configuration.
func on(t testing.TB, s *server.Server, change func(*session.Config)) *world {
	t.Helper()
	a := s.Address()
	w := &world{TB: t, log: &recorder{}}
	w.log.bus = event.NewBus(time.Now(), nil, w.log)
	w.cfg = session.Config{Target: s.Name(), Network: a.Network, Address: a.Addr, User: a.User, Flavor: s.Type(), Bus: w.log.bus}
	if w.cfg.Target == "" {
		w.cfg.Target = s.Type()
	}
	maker := session.NewHub(w.cfg)
	m, err := maker.Open(t.Context(), session.Options{Name: "maker"})
	if err != nil {
		t.Fatal(err)
	}
	db := fmt.Sprintf("session_%d", databases.Add(1))
	w.exec(m, "CREATE DATABASE "+db)
	w.cfg.Database = db
	if change != nil {
		change(&w.cfg)
	}
	w.hub = session.NewHub(w.cfg)
	t.Cleanup(func() {
		w.hub.Close()
		if !m.Closed() {
			m.Exec(at(1), "DROP DATABASE "+db, nil)
		}
		maker.Close()
		w.log.bus.Close()
	})
	return w
}

func onMariadb(t testing.TB) *world { return on(t, needMariadb(t), nil) }

func (w *world) open() *session.Session { return w.openWith(session.Options{}) }

func (w *world) openWith(o session.Options) *session.Session {
	w.Helper()
	if w.n++; o.Name == "" {
		o.Name = fmt.Sprintf("s%d", w.n)
	}
	s, err := w.hub.Open(context.Background(), o)
	if err != nil {
		w.Fatal(err)
	}
	return s
}

func (w *world) exec(s *session.Session, sql string, args ...driver.Value) session.Result {
	w.Helper()
	r, err := s.Exec(at(1), sql, args)
	if err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
	return r
}

func (w *world) query(s *session.Session, sql string, args ...driver.Value) *session.Rows {
	w.Helper()
	r, err := s.Query(at(1), sql, args)
	if err != nil {
		w.Fatalf("%s: %v", sql, err)
	}
	return r
}

// one is the only cell of a query.
func (w *world) one(s *session.Session, sql string, args ...driver.Value) any {
	w.Helper()
	r := w.query(s, sql, args...)
	if r.Len() != 1 {
		w.Fatalf("%s: %d rows", sql, r.Len())
	}
	return r.Cell(0, 0)
}

// fails checks an error's kind and what its text has, and gives it.
func fails(t testing.TB, err error, kind fault.Kind, words ...string) *fault.Error {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %s", kind)
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		t.Fatalf("no *fault.Error but %T: %v", err, err)
	}
	if f.Kind != kind {
		t.Fatalf("kind %s, want %s: %v", f.Kind, kind, err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
	return f
}

// within fails the test when more than bound has passed since start.
func within(t testing.TB, start time.Time, bound time.Duration) {
	t.Helper()
	if d := time.Since(start); d > bound {
		t.Errorf("it took %s, more than %s", d, bound)
	}
}
