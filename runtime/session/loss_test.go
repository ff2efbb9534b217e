package session_test

import (
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/session"
)

// behind opens a session that goes through a proxy, and gives the fault that hits its next reply.
func behind(w *world, p *proxy, b breakage) (*session.Session, *armed) {
	w.Helper()
	f := newFault(b, false)
	p.fault.Store(f)
	s := w.open()
	p.fault.Store(nil)
	return s, f
}

// Who loses the reply of what may have happened cannot know; everybody else knows.
func TestLostReplies(t *testing.T) {
	t.Parallel()
	srv := needMariadb(t)
	var p *proxy
	w := on(t, srv, func(c *session.Config) {
		p = newTCPProxy(t, *c)
		c.Dial = p.dial()
	})
	maker := on(t, srv, nil).open()
	w.exec(maker, "CREATE DATABASE IF NOT EXISTS lost")
	defer w.exec(maker, "DROP DATABASE lost")
	w.exec(maker, "CREATE TABLE lost.t (i INT)")
	for _, tt := range []struct {
		name   string
		before []string
		sql    string
		args   []driver.Value
		lost   bool
		did    bool // it happened on the server
	}{
		{"COMMIT", []string{"BEGIN", "INSERT INTO lost.t VALUES (1)"}, "COMMIT", nil, true, true},
		{"INSERT in autocommit", nil, "INSERT INTO lost.t VALUES (1)", nil, true, true},
		{"INSERT by interpolation", nil, "INSERT INTO lost.t VALUES (?)", []driver.Value{int64(1)}, true, true},
		{"INSERT in a transaction", []string{"BEGIN"}, "INSERT INTO lost.t VALUES (1)", nil, false, false},
		{"INSERT without autocommit", []string{"SET autocommit = 0"}, "INSERT INTO lost.t VALUES (1)", nil, false, false},
		{"ROLLBACK", []string{"BEGIN", "INSERT INTO lost.t VALUES (1)"}, "ROLLBACK", nil, false, false},
		{"SELECT", nil, "SELECT * FROM lost.t", nil, false, false},
		{"SELECT in a transaction", []string{"BEGIN"}, "SELECT * FROM lost.t", nil, false, false},
		{"DDL", nil, "ALTER TABLE lost.t COMMENT 'x'", nil, true, false},
		{"BEGIN", nil, "BEGIN", nil, false, false},
		{"CALL", []string{"CREATE OR REPLACE PROCEDURE lost.p() INSERT INTO lost.t VALUES (1)"}, "CALL lost.p()", nil, true, true},
	} {
		for _, b := range []breakage{{cut: true}, {reset: true}, {from: 3, cut: true}} {
			w.exec(maker, "TRUNCATE lost.t")
			s, f := behind(w, p, b)
			work, err := s.Work()
			if err != nil {
				t.Fatal(err)
			}
			for _, sql := range tt.before {
				w.exec(s, sql)
			}
			f.armed.Store(true)
			start := time.Now()
			_, err = s.Exec(at(5), tt.sql, tt.args)
			within(t, start, time.Second)
			e := fails(t, err, fault.ConnectionLost)
			outcome := event.Failed
			if tt.lost {
				outcome = event.Unknown
			}
			if got, err := work.Outcome(true); got != outcome || err != nil {
				t.Errorf("%s: the work is %s, %v", tt.name, got, err)
			}
			if e.ReplyLost != tt.lost || (e.Category == fault.UnknownCategory) != tt.lost {
				t.Errorf("%s: reply lost %v, category %s", tt.name, e.ReplyLost, e.Category)
			}
			if got := w.log.statement(t, tt.sql); got.Outcome != outcome || got.Error == nil || got.Error.Category != string(e.Category) {
				t.Errorf("%s: event %+v", tt.name, got)
			}
			if n := w.one(maker, "SELECT COUNT(*) FROM lost.t"); (n == int64(1)) != tt.did {
				t.Errorf("%s: %v rows on the server", tt.name, n)
			}
			_, err = s.Exec(at(6), "DO 1", nil)
			fails(t, err, fault.SessionClosed, "lost")
		}
	}
}

// The statement was not sent when its preparation failed: nothing is unknown.
func TestLostReplyOfPreparing(t *testing.T) {
	var p *proxy
	w := on(t, needMariadb(t), func(c *session.Config) {
		p = newProxy(t, *c)
		c.Dial = p.dial()
	})
	s, f := behind(w, p, breakage{cut: true})
	w.exec(s, "CREATE TABLE t (i INT)")
	w.exec(s, "INSERT INTO t VALUES (?)", int64(1))
	f.armed.Store(true)
	_, err := s.Exec(at(5), "INSERT INTO t VALUES (?)", []driver.Value{int64(2)})
	if e := fails(t, err, fault.ConnectionLost); e.ReplyLost {
		t.Error("the reply counts as lost")
	}
}

func TestResetInTheMiddleOfAResult(t *testing.T) {
	var p *proxy
	w := on(t, needMariadb(t), func(c *session.Config) {
		p = newTCPProxy(t, *c)
		c.Dial = p.dial()
		c.MaxRows = -1
	})
	for _, b := range []breakage{{from: 200000, reset: true}, {from: 200000, cut: true}} {
		s, f := behind(w, p, b)
		f.armed.Store(true)
		_, err := s.Query(at(2), "SELECT seq FROM seq_1_to_1000000", nil)
		if e := fails(t, err, fault.ConnectionLost); e.ReplyLost {
			t.Error("the reply of a SELECT counts as lost")
		}
		s, f = behind(w, p, b)
		f.armed.Store(true)
		x, err := s.Stream(at(3), "SELECT seq FROM seq_1_to_1000000", nil)
		rows := 0
		for err == nil {
			if _, err = x.Next(); err == nil {
				rows++
			}
		}
		fails(t, err, fault.ConnectionLost)
		if rows < 1000 || !s.Closed() {
			t.Errorf("%d rows, closed %v", rows, s.Closed())
		}
	}
}

// A result that ends anywhere is an error, not a shorter result, and costs only its own session.
func TestTruncatedResults(t *testing.T) {
	var p *proxy
	w := on(t, needMariadb(t), func(c *session.Config) {
		p = newProxy(t, *c)
		c.Dial = p.dial()
	})
	const sql = "SELECT seq, 'text' AS x, NULL AS n FROM seq_1_to_5"
	s, f := behind(w, p, breakage{from: 1 << 30})
	f.armed.Store(true)
	w.query(s, sql)
	size := int(f.passed.Load())
	if size < 100 {
		t.Fatalf("the result has %d bytes", size)
	}
	for n := 0; n < size; n += 7 {
		s, f := behind(w, p, breakage{from: n, cut: true})
		f.armed.Store(true)
		_, err := s.Query(at(2), sql, nil)
		if err == nil {
			t.Fatalf("%d of %d bytes are a result", n, size)
		}
		fails(t, err, fault.ConnectionLost)
		if !s.Closed() {
			t.Errorf("after %d bytes the session lives", n)
		}
	}
}

func TestTruncatedHandshakes(t *testing.T) {
	t.Parallel()
	var p *proxy
	w := on(t, needMariadb(t), func(c *session.Config) {
		p = newProxy(t, *c)
		c.ConnectTimeout = 400 * time.Millisecond
	})
	f := newFault(breakage{from: 1 << 30}, true)
	p.fault.Store(f)
	c := w.cfg
	c.Network, c.Address = "unix", p.listener.Addr().String()
	hub := session.NewHub(c)
	if _, err := hub.Open(t.Context(), session.Options{Name: "s"}); err != nil {
		t.Fatal(err)
	}
	hub.Close()
	size := int(f.passed.Load()) / 2 // the hub opened two
	for n := 0; n < size; n += 7 {
		p.fault.Store(newFault(breakage{from: n, cut: true}, true))
		refused(t, c, time.Second, fault.ConnectionLost)
	}
	for _, n := range []int{0, 3, 40, size - 12} {
		p.fault.Store(newFault(breakage{from: n, silence: true}, true))
		f := refused(t, c, 1500*time.Millisecond, fault.Timeout)
		if !strings.Contains(f.Hint, "400ms") {
			t.Errorf("after %d bytes: hint %q", n, f.Hint)
		}
	}
}

// A byte that is wrong must not hang or kill the process. Where it ends the session depends on the byte.
func TestCorruptedBytes(t *testing.T) {
	t.Parallel()
	var p *proxy
	w := on(t, needMariadb(t), func(c *session.Config) {
		p = newProxy(t, *c)
		c.Dial = p.dial()
	})
	const sql = "SELECT seq, 'text' AS x, NULL AS n FROM seq_1_to_5"
	s, f := behind(w, p, breakage{from: 1 << 30})
	f.armed.Store(true)
	w.query(s, sql)
	size := int(f.passed.Load())
	var ended atomic.Int64
	var wg sync.WaitGroup
	for n := 0; n < size; n += 3 {
		s, f := behind(w, p, breakage{from: n, flip: []byte{0x80, 0x01}[n%2]})
		f.armed.Store(true)
		wg.Go(func() {
			c := at(2)
			c.Timeout = 30 * time.Millisecond
			start := time.Now()
			_, err := s.Query(c, sql, nil)
			within(t, start, 4*time.Second)
			if err != nil {
				ended.Add(1)
				var e *fault.Error
				if !errors.As(err, &e) || e.ReplyLost {
					t.Errorf("byte %d: %T %v", n, err, err)
				}
			}
			s.Close()
		})
	}
	wg.Wait()
	if int(ended.Load()) < size/12 {
		t.Errorf("only %d of %d changes were seen", ended.Load(), size/3)
	}
}

// A length that is too large makes the driver wait for bytes that never come: the statement's bound ends it.
func TestCorruptedLength(t *testing.T) {
	t.Parallel()
	var p *proxy
	w := on(t, needMariadb(t), func(c *session.Config) {
		p = newProxy(t, *c)
		c.Dial = p.dial()
	})
	for _, read := range []string{"query", "stream"} {
		s, f := behind(w, p, breakage{from: 2, flip: 0x40}) // the first packet's length grows by 4 MiB
		f.armed.Store(true)
		c := at(2)
		c.Timeout = 100 * time.Millisecond
		start := time.Now()
		var err error
		if read == "query" {
			_, err = s.Query(c, "SELECT 1", nil)
		} else {
			_, err = s.Stream(c, "SELECT 1", nil)
		}
		fails(t, err, fault.StatementTimeout, "100ms")
		within(t, start, 4*time.Second)
		if !s.Closed() {
			t.Error("the session lives")
		}
	}
}

// A server that falls silent costs the statement's bound and a little, also where the side connection is silent as well.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	var p *proxy
	w := on(t, needMariadb(t), func(c *session.Config) { p = newProxy(t, *c) })
	c := w.cfg
	c.Network, c.Address, c.ConnectTimeout = "unix", p.listener.Addr().String(), 500*time.Millisecond
	f := newFault(breakage{silence: true}, false)
	p.fault.Store(f)
	hub := session.NewHub(c)
	defer hub.Close()
	s, err := hub.Open(t.Context(), session.Options{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	f.armed.Store(true)
	call := at(2)
	call.Timeout = 100 * time.Millisecond
	start := time.Now()
	_, err = s.Exec(call, "INSERT INTO nowhere VALUES (1)", nil)
	if e := fails(t, err, fault.StatementTimeout); !e.ReplyLost || e.Category != fault.UnknownCategory {
		t.Errorf("reply lost %v, category %s", e.ReplyLost, e.Category)
	}
	within(t, start, 4*time.Second)
}

func TestHubIsClosed(t *testing.T) {
	w := onMariadb(t)
	a := w.open()
	other := on(t, mariadb, nil).open()
	b := w.open()
	p := w.started(b, other, "SELECT SLEEP(30) /* hub */", "hub")
	start := time.Now()
	if err := w.hub.Close(); err != nil {
		t.Fatal(err)
	}
	within(t, start, 2*time.Second)
	_, _, err := p.Wait(time.Second)
	fails(t, err, fault.Cancelled)
	if !w.ends(other, "hub") {
		t.Error("the server still runs it")
	}
	_, err = a.Exec(at(3), "DO 1", nil)
	fails(t, err, fault.SessionClosed)
	_, err = w.hub.Open(t.Context(), session.Options{Name: "late"})
	fails(t, err, fault.SessionClosed, "the run is over")
}
