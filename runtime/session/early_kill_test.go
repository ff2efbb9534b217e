package session_test

import (
	"bytes"
	"context"
	"net"
	"sync"
	"testing"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/session"
)

// heldConn keeps a marked statement back until a KILL QUERY was answered.
type heldConn struct {
	net.Conn
	g    *gate
	kill bool // a KILL QUERY went out here, its reply was not read yet
}

type gate struct {
	reached chan struct{} // closed when the marked statement wants to go out
	open    chan struct{} // closed when it may
	once    sync.Once
}

func (c *heldConn) Write(b []byte) (int, error) {
	switch {
	case bytes.Contains(b, []byte("/* held */")):
		close(c.g.reached)
		<-c.g.open
	case bytes.Contains(b, []byte("KILL QUERY")):
		c.kill = true
	}
	return c.Conn.Write(b)
}

func (c *heldConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.kill {
		c.kill = false
		c.g.once.Do(func() { close(c.g.open) })
	}
	return n, err
}

// TestKillBeforeTheStatement: a KILL QUERY that reaches the server before the statement does nothing to it.
func TestKillBeforeTheStatement(t *testing.T) {
	g := &gate{reached: make(chan struct{}), open: make(chan struct{})}
	w := on(t, needMariadb(t), func(c *session.Config) {
		c.Dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
			return &heldConn{Conn: conn, g: g}, err
		}
	})
	a := w.open()
	p, err := a.Start(at(7), "SELECT SLEEP(30) /* held */", nil)
	if err != nil {
		t.Fatal(err)
	}
	<-g.reached
	if err := a.Cancel("early"); err != nil {
		t.Fatal(err)
	}
	_, _, err = p.Wait(0)
	fails(t, err, fault.Cancelled, "early")
	if n := w.one(a, "SELECT 5"); n != int64(5) {
		t.Error(n)
	}
	for _, e := range w.log.all() {
		if k, ok := e.Data.(*event.Kill); ok && (k.Connection || !k.Verified) {
			t.Errorf("the connection had to go: %+v", k)
		}
	}
}
