package fault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"strings"
	"sync"

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
	for _, rule := range []func(error) (Kind, Category, bool){classifyDriver, classifyTLS, classifyNet} {
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
func ClassifyCode(code int, sqlState string) Class { return ClassifyCodeOn("", code, sqlState) }

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

// classifyDriver knows the errors that go-sql-driver makes itself, and those of contexts: cancellation is kept apart from a
// passed deadline, since only the latter may be worth a second try.
func classifyDriver(err error) (Kind, Category, bool) { return classifyNamed(err, false) }

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
			return n.Kind, n.Category, true
		}
	}
	if k, c, ok := classifyTimeout(err); ok {
		return k, c, true
	}
	if k, c, ok := classifyNamed(err, true); ok {
		return k, c, true
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
