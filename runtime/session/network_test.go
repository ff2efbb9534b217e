package session_test

import (
	"context"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/server"
	"rig/runtime/session"
)

// refused opens a session that cannot be opened, within a bound, and gives its error.
func refused(t *testing.T, c session.Config, bound time.Duration, kind fault.Kind, words ...string) *fault.Error {
	t.Helper()
	hub := session.NewHub(c)
	defer hub.Close()
	start := time.Now()
	s, err := hub.Open(context.Background(), session.Options{Name: "alice"})
	if err == nil {
		s.Close()
		t.Fatalf("it opened, want %s", kind)
	}
	within(t, start, bound)
	f := fails(t, err, kind, append(words, c.Target, c.Address)...)
	if f.Op != "connect" || f.Session != "alice" {
		t.Errorf("op %q, session %q", f.Op, f.Session)
	}
	return f
}

func TestConnectErrors(t *testing.T) {
	w := onMariadb(t)
	nobody := filepath.Join(t.TempDir(), "none")
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	dead.Close()
	silent := newListener(t, func(c net.Conn) {})
	slammed := newListener(t, func(c net.Conn) { c.Close() })
	other := newListener(t, func(c net.Conn) { c.Write([]byte("HTTP/1.1 400 Bad Request\r\n\r\n")); c.Close() })
	maker := w.open()
	w.exec(maker, "CREATE OR REPLACE USER locked IDENTIFIED BY 'right'")
	defer w.exec(maker, "DROP USER locked")
	for _, tt := range []struct {
		name   string
		change func(*session.Config)
		kind   fault.Kind
		word   string
		hint   string
	}{
		{"no socket", func(c *session.Config) { c.Address = nobody }, fault.ConnectionRefused, "", "is the server running"},
		{"no port", func(c *session.Config) { c.Network, c.Address = "tcp", dead.Addr().String() }, fault.ConnectionRefused, "", "is the server running"},
		{"wrong password", func(c *session.Config) { c.User, c.Password = "locked", "wrong" }, fault.AccessDenied, "locked", "a password was sent: is it the right one?"},
		{"no such user", func(c *session.Config) { c.User = "nobody" }, fault.AccessDenied, "nobody", "no password was sent: set RIG_PASSWORD"},
		{"no such database", func(c *session.Config) { c.Database = "nowhere" }, fault.UnknownDatabase, "nowhere", ""},
		{"silent", func(c *session.Config) {
			c.Network, c.Address, c.ConnectTimeout = "tcp", silent, 300*time.Millisecond
		}, fault.Timeout, "", "nothing came back within 300ms"},
		{"hangs up", func(c *session.Config) { c.Network, c.Address = "tcp", slammed }, fault.ConnectionLost, "", ""},
		{"bad init", func(c *session.Config) { c.Init = []string{"SELEC 1"} }, fault.Syntax, "SELEC 1", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := w.cfg
			tt.change(&c)
			f := refused(t, c, 1500*time.Millisecond, tt.kind, tt.word)
			if !strings.Contains(f.Hint, tt.hint) {
				t.Errorf("hint %q, want %q", f.Hint, tt.hint)
			}
		})
	}
	c := w.cfg
	c.Network, c.Address = "tcp", other
	hub := session.NewHub(c)
	defer hub.Close()
	if _, err := hub.Open(context.Background(), session.Options{Name: "alice"}); err == nil || !strings.Contains(err.Error(), other) {
		t.Errorf("a server that speaks HTTP: %v", err)
	}
	opened := 0
	for _, e := range w.log.all() {
		if o, ok := e.Data.(*event.SessionOpen); ok && o.Error != nil {
			if opened++; o.Error.Message == "" || o.Error.Op != "connect" || e.Session != "alice" {
				t.Errorf("event %+v", o.Error)
			}
		}
	}
	if opened != 9 {
		t.Errorf("%d events of failed openings, want 9", opened)
	}
}

// newListener gives the address of a server that does what it is told to each connection, which is closed at the test's end.
func newListener(t *testing.T, accept func(net.Conn)) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		var all []net.Conn
		for {
			c, err := l.Accept()
			if err != nil {
				break
			}
			all = append(all, c)
			accept(c)
		}
		for _, c := range all {
			c.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-ended
	})
	return l.Addr().String()
}

func TestConnectIsCancelled(t *testing.T) {
	silent := newListener(t, func(net.Conn) {})
	hub := session.NewHub(session.Config{Target: "t", Address: silent})
	defer hub.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	start := time.Now()
	_, err := hub.Open(ctx, session.Options{Name: "alice"})
	fails(t, err, fault.Cancelled)
	within(t, start, time.Second)
}

func TestTooManyConnections(t *testing.T) {
	w := onMariadb(t)
	maker := w.open()
	before := w.one(maker, "SELECT @@global.max_connections")
	w.exec(maker, "SET GLOBAL max_connections = 10") // the least that the server takes
	defer w.exec(maker, "SET GLOBAL max_connections = ?", before)
	w.exec(maker, "CREATE OR REPLACE USER plain") // root has a connection in reserve
	defer w.exec(maker, "DROP USER plain")
	w.exec(maker, "GRANT ALL ON *.* TO plain")
	w.exec(maker, "REVOKE SUPER, CONNECTION ADMIN ON *.* FROM plain")
	c := w.cfg
	c.User = "plain"
	hub := session.NewHub(c)
	defer hub.Close()
	for range 20 {
		s, err := hub.Open(t.Context(), session.Options{Name: "alice"})
		if err == nil {
			defer s.Close()
			continue
		}
		if f := fails(t, err, fault.TooManyConnections, c.Address); f.Code != 1040 || !strings.Contains(f.Hint, "max_connections") {
			t.Errorf("%+v", f)
		}
		break
	}
	if _, err := hub.Open(t.Context(), session.Options{Name: "bob"}); err == nil {
		t.Fatal("20 sessions fit into 10 connections")
	}
}

func TestServerIsKilled(t *testing.T) {
	t.Parallel()
	needMariadb(t)
	srv, err := server.Start(t.Context(), server.Spec{Kind: server.MariaDB}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Stop()
	a := srv.Address()
	hub := session.NewHub(session.Config{Target: "victim", Network: a.Network, Address: a.Addr, User: a.User})
	defer hub.Close()
	var pending []*session.Pending
	for _, sql := range []string{"SELECT SLEEP(30)", "CREATE TABLE mysql.x AS SELECT SLEEP(30)"} {
		s, err := hub.Open(t.Context(), session.Options{Name: "alice"})
		if err != nil {
			t.Fatal(err)
		}
		p, err := s.Start(at(3), sql, nil)
		if err != nil {
			t.Fatal(err)
		}
		pending = append(pending, p)
	}
	idle, err := hub.Open(t.Context(), session.Options{Name: "bob"})
	if err != nil {
		t.Fatal(err)
	}
	for {
		r, err := idle.Query(at(4), "SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%SLEEP(30)' AND id <> CONNECTION_ID()", nil)
		if err != nil {
			t.Fatal(err)
		}
		if r.Cell(0, 0) == int64(2) {
			break
		}
	}
	start := time.Now()
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	for i, p := range pending {
		_, _, err := p.Wait(5 * time.Second)
		f := fails(t, err, fault.ConnectionLost)
		if f.ReplyLost != (i == 1) || (f.Category == fault.UnknownCategory) != (i == 1) {
			t.Errorf("%s: reply lost %v, category %s", p.SQL(), f.ReplyLost, f.Category)
		}
	}
	_, err = idle.Exec(at(4), "INSERT INTO mysql.x VALUES (1)", nil)
	fails(t, err, fault.ConnectionLost)
	_, err = hub.Open(t.Context(), session.Options{Name: "late"})
	fails(t, err, fault.ConnectionRefused, "victim")
	within(t, start, 2*time.Second)
	if err := srv.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := idle.Reset(at(5)); err != nil {
		t.Fatal(err)
	}
	if _, err := idle.Exec(at(6), "DO 1", nil); err != nil {
		t.Error(err)
	}
}
