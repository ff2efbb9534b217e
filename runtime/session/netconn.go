package session

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/fault"
)

// wire is the network connection under the driver. It knows what the driver's errors do not tell: whether a request went
// out whole, and what really ended the connection.
type wire struct {
	net.Conn
	x      exchange
	sent   bool                  // a write succeeded since begin; owned by who uses the session
	failed atomic.Pointer[error] // the first error that ended the connection
}

func (w *wire) Read(b []byte) (int, error) {
	n, err, ok := w.x.read(b)
	if !ok {
		n, err = w.Conn.Read(b)
	}
	if err != nil {
		w.note(err)
	}
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	n, err := w.write(b)
	if err != nil {
		w.note(err)
	} else {
		w.sent = true
	}
	return n, err
}

// write sends a request and waits for its reply where that can be one step.
func (w *wire) write(b []byte) (n int, err error) {
	if !w.x.takes(b) {
		w.x.undescribed = false
		return w.Conn.Write(b)
	}
	n, err = w.x.send(b)
	if err == nil && n < len(b) {
		m, err := w.Conn.Write(b[n:])
		return n + m, err
	}
	return n, err
}

func (w *wire) note(err error) { w.failed.CompareAndSwap(nil, &err) }

// cause is what ended the connection, nil while it lives.
func (w *wire) cause() error {
	if p := w.failed.Load(); p != nil {
		return *p
	}
	return nil
}

// cut makes every read and write under way fail, and every later one.
func (w *wire) cut() { _ = w.Conn.SetDeadline(time.Unix(1, 0)) }

// SyscallConn gives the driver the way to see that the other side is gone.
func (w *wire) SyscallConn() (syscall.RawConn, error) {
	if c, ok := w.Conn.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, errors.ErrUnsupported
}

// keepAlive is how often an idle connection over TCP is probed.
const keepAlive = 30 * time.Second

// dial connects and sets the deadline under which handshake and log-in must be done: the driver bounds only dialling.
func (c Config) dial(ctx context.Context, deadline time.Time) (*wire, error) {
	dial := c.Dial
	if dial == nil {
		dial = (&net.Dialer{KeepAlive: keepAlive}).DialContext
	}
	conn, err := dial(ctx, c.Network, c.Address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(deadline); err != nil {
		conn.Close()
		return nil, err
	}
	w := &wire{Conn: conn}
	w.x.prepare(conn, c.TLS != nil)
	return w, nil
}

// explain puts the network's error in front of the driver's, which says only "invalid connection". A server's own words stay.
func (w *wire) explain(err error) error {
	cause := w.cause()
	if err == nil || cause == nil || fault.Classify(err).Code != 0 {
		return err
	}
	return fmt.Errorf("%w (%v)", cause, err) // not wrapped: the driver's word would decide the kind
}

// broken reports whether the connection is of no more use after err.
func (w *wire) broken(err error) bool {
	if w.cause() != nil {
		return true
	}
	for _, e := range brokenErrors {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// brokenErrors are the driver's own after which it has closed the connection, or does not know where a packet begins. It
// is never written to.
var brokenErrors = [...]error{
	driver.ErrBadConn, mysql.ErrInvalidConn, mysql.ErrMalformPkt, mysql.ErrPktSync, mysql.ErrPktSyncMul, mysql.ErrBusyBuffer,
}

// guard is deferred around the driver's work: it trusts what a server says, and garbled bytes can make it panic. The
// connection is of no more use then.
func guard(w *wire, err *error) {
	if p := recover(); p != nil {
		w.note(fault.New(fault.Protocol, "", fmt.Sprintf("the server sent bytes that are no MySQL protocol (%v)", p)))
		*err = mysql.ErrMalformPkt
	}
}

// reset forgets what was sent, before a new request.
func (w *wire) reset() { w.sent = false }

// hungUp looks, without waiting, whether the other side has closed the connection or says something that nobody asked for.
// What cannot be looked at counts as alive.
func (w *wire) hungUp() bool {
	if w.cause() != nil {
		return true
	}
	raw, err := w.SyscallConn()
	if err != nil {
		return false
	}
	var up bool
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		up = errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR)
		return true
	})
	return err != nil || !up
}
