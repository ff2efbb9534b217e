package session

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// exchange sends a request and reads the first bytes of its reply in one go, with one passage through the layers of net
// instead of two. A server on the same machine has often answered by the time the write returns, because it ran in between;
// hence the read is tried before the wait (measured 2026-11-28: 1.20 times the bare driver's CPU with 32 sessions, 1.40 when
// the wait came first). Its fields are owned by who uses the session.
type exchange struct {
	raw  syscall.RawConn // nil where requests go the plain way
	step func(fd uintptr) bool
	out  []byte // the request
	sent bool
	n    int   // bytes of it that went out
	err  error // of writing

	buf     []byte // what came of the reply
	got     []byte // the part of buf that is not taken yet
	readErr error  // comes after got

	undescribed bool // the reply begins a result without a description of its columns: MariaDB leaves it out when it is known
}

// exchangeBuffer is the size of the driver's own buffer: it never asks for less.
const exchangeBuffer = 4096

// prepare makes exchanges possible where the connection is a socket of this process; under TLS the bytes are no requests.
func (x *exchange) prepare(c net.Conn, tls bool) {
	if tls {
		return
	}
	switch c := c.(type) {
	case *net.UnixConn:
		x.raw, _ = c.SyscallConn()
	case *net.TCPConn:
		x.raw, _ = c.SyscallConn()
	}
	x.buf, x.step = make([]byte, exchangeBuffer), x.run
}

// The requests whose reply is awaited at once.
const (
	comQuery   = 0x03
	comPrepare = 0x16
	comExecute = 0x17
)

// exchangeMost is the longest request that goes this way: longer ones may be pieces of one, and seldom fit the socket.
const exchangeMost = 64 << 10

// takes reports whether b is one whole request that the server answers.
func (x *exchange) takes(b []byte) bool {
	if x.raw == nil || len(b) < 5 || len(b) > exchangeMost || b[3] != 0 || int(b[0])|int(b[1])<<8|int(b[2])<<16 != len(b)-4 {
		return false
	}
	return b[4] == comExecute || b[4] == comQuery || b[4] == comPrepare
}

// send writes the request and keeps the first bytes of the reply, or the error of waiting for them, for read.
func (x *exchange) send(b []byte) (int, error) {
	x.out, x.sent, x.n, x.err, x.undescribed = b, false, 0, nil, false
	err := x.raw.Read(x.step)
	x.out = nil
	switch {
	case !x.sent: // the connection is closed, or its deadline has passed
		return 0, asOp(err, "write")
	case x.err != nil:
		return max(x.n, 0), &net.OpError{Op: "write", Err: x.err}
	case err != nil:
		x.readErr = asOp(err, "read")
	}
	return x.n, nil
}

// run is called before the wait and whenever the connection can be read; it reports whether the exchange is over.
func (x *exchange) run(fd uintptr) bool {
	if !x.sent {
		x.sent = true
		x.n, x.err = retried(syscall.Write, fd, x.out)
		if errors.Is(x.err, syscall.EAGAIN) {
			x.n, x.err = 0, nil
		}
		if x.err != nil || x.n < len(x.out) {
			return true // the rest goes the plain way
		}
	}
	n, err := retried(syscall.Read, fd, x.buf)
	switch {
	case errors.Is(err, syscall.EAGAIN):
		return false
	case err != nil:
		x.readErr = &net.OpError{Op: "read", Err: err}
	case n == 0:
		x.readErr = io.EOF
	default:
		x.got = x.buf[:n]
		x.undescribed = x.out[4] == comExecute && undescribed(x.got)
	}
	return true
}

// undescribed reads the first packet of a reply to an execution: the count of columns, and with MariaDB's cache of metadata a
// byte that says whether their description follows. No other reply is two bytes long.
func undescribed(b []byte) bool {
	const most = 250 // columns whose count is one byte
	return len(b) >= 6 && b[0] == 2 && b[1] == 0 && b[2] == 0 && b[4] >= 1 && b[4] <= most && b[5] == 0
}

// read gives what send has kept; ok is false when there is nothing.
func (x *exchange) read(b []byte) (n int, err error, ok bool) {
	if len(x.got) > 0 {
		n = copy(b, x.got)
		x.got = x.got[n:]
		return n, nil, true
	}
	if err = x.readErr; err != nil {
		x.readErr = nil
		return 0, err, true
	}
	return 0, nil, false
}

func retried(call func(int, []byte) (int, error), fd uintptr, b []byte) (int, error) {
	for {
		n, err := call(int(fd), b)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// asOp names the operation as the plain way does.
func asOp(err error, op string) error {
	var e *net.OpError
	if errors.As(err, &e) {
		named := *e
		named.Op = op
		return &named
	}
	return err
}
