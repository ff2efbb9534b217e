package fault

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"syscall"

	"github.com/go-sql-driver/mysql"
)

// Classify tells what kind of error err is. The innermost knowledge wins: an *Error or a server's error anywhere in the
// chain, then the driver's own errors, contexts, TLS, the network. The zero Class is returned for nil.
func Classify(err error) Class {
	if err == nil {
		return Class{}
	}
	var own *Error
	if errors.As(err, &own) {
		return own.class()
	}
	var server *mysql.MySQLError
	if errors.As(err, &server) {
		return classifyServer(server)
	}
	for _, rule := range []func(error) (Kind, Category, bool){classifyDriver, classifyContext, classifyTLS, classifyNet} {
		if k, c, ok := rule(err); ok {
			return Class{Kind: k, Category: c, Message: err.Error()}
		}
	}
	return Class{Kind: Other, Category: UnknownCategory, Message: err.Error()}
}

// class is the error's own, with the category that a lost reply has.
func (e *Error) class() Class {
	c := e.Class
	if c.Kind == "" {
		c.Kind = Other
	}
	if c.Category == "" {
		c.Category = categoryOf(c.Kind)
	}
	if e.ReplyLost {
		c.Category = UnknownCategory
	}
	if c.Message == "" && e.Cause != nil {
		c.Message = e.Cause.Error()
	}
	return c
}

func classifyServer(e *mysql.MySQLError) Class {
	c := ClassifyCode(int(e.Number), stateOf(e))
	c.Message = e.Message
	return c
}

func stateOf(e *mysql.MySQLError) string {
	if e.SQLState == [5]byte{} {
		return ""
	}
	return string(e.SQLState[:])
}

// ClassifyCode classifies a server's error number, and by its SQLSTATE (may be "") where the number is not in the table.
func ClassifyCode(code int, sqlState string) Class {
	if e, ok := byCode()[code]; ok {
		if sqlState == "" {
			sqlState = e.SQLState
		}
		return Class{Kind: e.Kind, Category: e.Category, Code: code, SQLState: sqlState, Name: e.Name}
	}
	c := Class{Kind: Other, Category: UnknownCategory, Code: code, SQLState: sqlState}
	if len(sqlState) != 5 {
		return c
	}
	for _, s := range States() {
		if strings.HasPrefix(sqlState, s.Prefix) {
			c.Kind, c.Category = s.Kind, s.Category
			break
		}
	}
	return c
}

// byCode indexes the table once; nobody writes to it.
var byCode = sync.OnceValue(func() map[int]Entry {
	m := make(map[int]Entry, len(Table()))
	for _, e := range Table() {
		m[e.Code] = e
	}
	return m
})

// Lookup finds a code's entry.
func Lookup(code int) (Entry, bool) {
	e, ok := byCode()[code]
	return e, ok
}

// classifyDriver knows the errors that go-sql-driver makes itself. ErrBadConn is only given before anything was sent.
func classifyDriver(err error) (Kind, Category, bool) {
	switch {
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn):
		return ConnectionLost, Transient, true
	case errors.Is(err, mysql.ErrPktTooLarge):
		return PacketTooLarge, Permanent, true
	case errors.Is(err, mysql.ErrMalformPkt), errors.Is(err, mysql.ErrPktSync), errors.Is(err, mysql.ErrPktSyncMul):
		return Protocol, UnknownCategory, true
	case errors.Is(err, mysql.ErrBusyBuffer):
		return SessionBusy, Permanent, true
	case errors.Is(err, mysql.ErrNoTLS):
		return TLS, Permanent, true
	case errors.Is(err, mysql.ErrCleartextPassword), errors.Is(err, mysql.ErrNativePassword), errors.Is(err, mysql.ErrOldPassword), errors.Is(err, mysql.ErrUnknownPlugin):
		return AccessDenied, Permanent, true
	case errors.Is(err, mysql.ErrOldProtocol):
		return Unsupported, Permanent, true
	}
	return "", "", false
}

// classifyContext keeps cancellation apart from a passed deadline: only the latter may be worth a second try.
func classifyContext(err error) (Kind, Category, bool) {
	switch {
	case errors.Is(err, context.Canceled):
		return Cancelled, Permanent, true
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout, UnknownCategory, true
	}
	return "", "", false
}

func classifyTLS(err error) (Kind, Category, bool) {
	if isTLS(err) {
		return TLS, Permanent, true
	}
	return "", "", false
}

func isTLS(err error) bool {
	var (
		record  tls.RecordHeaderError
		alert   tls.AlertError
		verify  *tls.CertificateVerificationError
		unknown x509.UnknownAuthorityError
		host    x509.HostnameError
		invalid x509.CertificateInvalidError
	)
	if errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &verify) ||
		errors.As(err, &unknown) || errors.As(err, &host) || errors.As(err, &invalid) {
		return true
	}
	// crypto/tls makes most of its errors from plain text with this prefix.
	return strings.Contains(err.Error(), "tls: ")
}

// classifyNet knows the system's and package net's errors. A dial that failed sent nothing, so it may be tried again.
func classifyNet(err error) (Kind, Category, bool) {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		if dns.IsTimeout || dns.IsTemporary {
			return HostUnknown, Transient, true
		}
		return HostUnknown, Permanent, true
	}
	var op *net.OpError
	onNet := errors.As(err, &op)
	for _, n := range systemErrors {
		if errors.Is(err, n.errno) && (onNet || !n.fileToo) {
			return n.kind, n.category, true
		}
	}
	if k, c, ok := classifyTimeout(err); ok {
		return k, c, true
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed), errors.Is(err, io.ErrClosedPipe):
		return ConnectionLost, Transient, true
	}
	if onNet {
		return ConnectionLost, UnknownCategory, true
	}
	return "", "", false
}

func classifyTimeout(err error) (Kind, Category, bool) {
	var timeout net.Error
	if !errors.Is(err, os.ErrDeadlineExceeded) && (!errors.As(err, &timeout) || !timeout.Timeout()) {
		return "", "", false
	}
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "dial" {
		return Timeout, Transient, true
	}
	return Timeout, UnknownCategory, true
}

// systemErrors is never written to. Those marked fileToo are as often the errors of plain files: they count only where
// package net reports them.
var systemErrors = [...]struct {
	errno    syscall.Errno
	kind     Kind
	category Category
	fileToo  bool
}{
	{syscall.ECONNREFUSED, ConnectionRefused, Transient, false},
	{syscall.ENOENT, ConnectionRefused, Transient, true}, // a unix socket that is not there (yet)
	{syscall.ECONNRESET, ConnectionLost, Transient, false},
	{syscall.ECONNABORTED, ConnectionLost, Transient, false},
	{syscall.EPIPE, ConnectionLost, Transient, false},
	{syscall.ETIMEDOUT, Timeout, UnknownCategory, false},
	{syscall.EHOSTUNREACH, HostUnreachable, Transient, false},
	{syscall.ENETUNREACH, HostUnreachable, Transient, false},
	{syscall.EHOSTDOWN, HostUnreachable, Transient, false},
	{syscall.EADDRNOTAVAIL, HostUnreachable, Transient, false}, // also: the client's own ports are used up
	{syscall.EMFILE, ResourceExhausted, UnknownCategory, false},
	{syscall.ENFILE, ResourceExhausted, UnknownCategory, false},
	{syscall.EACCES, AccessDenied, Permanent, true}, // a unix socket of another user
}
