package fault

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Local is an error that no server sends: the driver, the network or rig itself makes it.
type Local struct {
	Name     string
	Kind     Kind
	Category Category
	Source   string
	Note     string
}

// Locals lists what [Classify] knows besides the servers' errors: the driver's own, contexts, TLS, the network's, lost
// replies. The caller owns the result.
func Locals() []Local {
	var out []Local
	for _, d := range driverErrors {
		out = append(out, d.Local)
	}
	for _, s := range systemErrors {
		out = append(out, s.Local)
	}
	return append(out,
		Local{"*net.DNSError", HostUnknown, Permanent, fromNet, "transient where the resolver says that it is temporary or too late"},
		Local{"time-out of a dial", Timeout, Transient, fromNet, "nothing was sent"},
		Local{"time-out of a read or write", Timeout, UnknownCategory, fromNet, ""},
		Local{"another *net.OpError", ConnectionLost, UnknownCategory, fromNet, ""},
		Local{"tls: ..., x509: ...", TLS, Permanent, "Go crypto/tls, crypto/x509", "alerts, certificates, names that do not match"},
		Local{"lost reply", ConnectionLost, UnknownCategory, "rig", "a write or COMMIT was sent and the connection ended before the reply: it may have happened"},
	)
}

// Where the lines come from.
const (
	fromDriver = "go-sql-driver/mysql errors.go"
	fromNet    = "Go package net"
	fromErrno  = "errno(3)"
	fromGo     = "Go standard library"
)

// driverErrors is in the order of search; it is never written to. ErrBadConn is only given before anything was sent.
var driverErrors = [...]struct {
	err error
	Local
}{
	{driver.ErrBadConn, Local{"driver.ErrBadConn", ConnectionLost, Transient, "Go package database/sql/driver", "nothing was sent"}},
	{mysql.ErrInvalidConn, Local{"ErrInvalidConn", ConnectionLost, Transient, fromDriver, "unknown where a write or COMMIT lost its reply"}},
	{mysql.ErrPktTooLarge, Local{"ErrPktTooLarge", PacketTooLarge, Permanent, fromDriver, "max_allowed_packet"}},
	{mysql.ErrMalformPkt, Local{"ErrMalformPkt", Protocol, UnknownCategory, fromDriver, ""}},
	{mysql.ErrPktSync, Local{"ErrPktSync", Protocol, UnknownCategory, fromDriver, ""}},
	{mysql.ErrPktSyncMul, Local{"ErrPktSyncMul", Protocol, UnknownCategory, fromDriver, ""}},
	{mysql.ErrBusyBuffer, Local{"ErrBusyBuffer", SessionBusy, Permanent, fromDriver, ""}},
	{mysql.ErrNoTLS, Local{"ErrNoTLS", TLS, Permanent, fromDriver, "the server has no TLS"}},
	{mysql.ErrCleartextPassword, Local{"ErrCleartextPassword", AccessDenied, Permanent, fromDriver, "the server wants the password in clear text on a wire that is not safe"}},
	{mysql.ErrNativePassword, Local{"ErrNativePassword", AccessDenied, Permanent, fromDriver, ""}},
	{mysql.ErrOldPassword, Local{"ErrOldPassword", AccessDenied, Permanent, fromDriver, ""}},
	{mysql.ErrUnknownPlugin, Local{"ErrUnknownPlugin", AccessDenied, Permanent, fromDriver, ""}},
	{mysql.ErrOldProtocol, Local{"ErrOldProtocol", Unsupported, Permanent, fromDriver, ""}},
	{context.Canceled, Local{"context.Canceled", Cancelled, Permanent, fromGo, "rig stopped the call"}},
	{context.DeadlineExceeded, Local{"context.DeadlineExceeded", Timeout, UnknownCategory, fromGo, "a bound of rig"}},
	{io.EOF, Local{"io.EOF", ConnectionLost, Transient, fromGo, ""}},
	{io.ErrUnexpectedEOF, Local{"io.ErrUnexpectedEOF", ConnectionLost, Transient, fromGo, ""}},
	{net.ErrClosed, Local{"net.ErrClosed", ConnectionLost, Transient, fromNet, ""}},
	{io.ErrClosedPipe, Local{"io.ErrClosedPipe", ConnectionLost, Transient, fromGo, ""}},
}

// systemErrors is never written to. Those marked fileToo are as often the errors of plain files: they count only where
// package net reports them.
var systemErrors = [...]struct {
	errno   syscall.Errno
	fileToo bool
	Local
}{
	{syscall.ECONNREFUSED, false, Local{"ECONNREFUSED", ConnectionRefused, Transient, fromErrno, ""}},
	{syscall.ENOENT, true, Local{"ENOENT", ConnectionRefused, Transient, fromErrno, "a unix socket that is not there, or not yet"}},
	{syscall.ECONNRESET, false, Local{"ECONNRESET", ConnectionLost, Transient, fromErrno, ""}},
	{syscall.ECONNABORTED, false, Local{"ECONNABORTED", ConnectionLost, Transient, fromErrno, ""}},
	{syscall.EPIPE, false, Local{"EPIPE", ConnectionLost, Transient, fromErrno, ""}},
	{syscall.ETIMEDOUT, false, Local{"ETIMEDOUT", Timeout, UnknownCategory, fromErrno, ""}},
	{syscall.EHOSTUNREACH, false, Local{"EHOSTUNREACH", HostUnreachable, Transient, fromErrno, ""}},
	{syscall.ENETUNREACH, false, Local{"ENETUNREACH", HostUnreachable, Transient, fromErrno, ""}},
	{syscall.EHOSTDOWN, false, Local{"EHOSTDOWN", HostUnreachable, Transient, fromErrno, ""}},
	{syscall.EADDRNOTAVAIL, false, Local{"EADDRNOTAVAIL", HostUnreachable, Transient, fromErrno, "also: the client's own ports are used up"}},
	{syscall.EMFILE, false, Local{"EMFILE", ResourceExhausted, UnknownCategory, fromErrno, "open files of rig"}},
	{syscall.ENFILE, false, Local{"ENFILE", ResourceExhausted, UnknownCategory, fromErrno, "open files of the machine"}},
	{syscall.EACCES, true, Local{"EACCES", AccessDenied, Permanent, fromErrno, "a unix socket of another user"}},
}

// classifyNamed knows the errors that are values: the driver's, contexts, ends of streams. The last are for after TLS and the network.
func classifyNamed(err error, streams bool) (Kind, Category, bool) {
	for _, d := range driverErrors {
		ends := d.Kind == ConnectionLost && d.Source != fromDriver && d.err != driver.ErrBadConn
		if ends == streams && errors.Is(err, d.err) {
			return d.Kind, d.Category, true
		}
	}
	return "", "", false
}
