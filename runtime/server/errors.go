package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// StartError is a server that could not be made: no executable, no folder, or a server that did not come up.
type StartError struct {
	Kind  string // of the server
	Msg   string
	Log   string // the server's own last words, several lines, or ""
	Hint  string // one line, or ""
	Cause error  // or nil
}

func (e *StartError) Error() string {
	s := "start " + e.Kind + ": " + e.Msg
	if e.Log != "" {
		s += "\n" + e.Log
	}
	return s
}

// Unwrap gives the cause.
func (e *StartError) Unwrap() error { return e.Cause }

// Report gives the form for reports; its kind is "environment".
func (e *StartError) Report() *event.Error {
	return &event.Error{Kind: "environment", Op: "start " + e.Kind, Message: e.Msg, Detail: e.Log, Hint: e.Hint}
}

// startError makes a StartError of what went wrong on the way; one that is there already is kept, and so is a cancellation.
func startError(s Spec, err error, hint string) error {
	var is *StartError
	if errors.As(err, &is) || errors.Is(err, context.Canceled) {
		return err
	}
	return &StartError{Kind: s.Kind, Msg: err.Error(), Hint: hint, Cause: err}
}

// describe gives an error's form for events. A StartError may stand beside what went wrong with the clean-up.
func describe(err error) *event.Error {
	var r interface{ Report() *event.Error }
	if errors.As(err, &r) {
		return r.Report()
	}
	f := fault.Wrap("", "", "", err)
	return &event.Error{Kind: string(f.Kind), Category: string(f.Category), Code: f.Code, SQLState: f.SQLState, Name: f.Name, Op: f.Op, Message: f.Message, Hint: f.Hint}
}

// connectError names the server and says what can be done. The driver's and the servers' messages have no password in them.
func (s *Server) connectError(err error) error {
	f := fault.Wrap("connect", "", "", err)
	f.Op = "connect"
	a := s.address
	place := a.Addr
	if s.spec.Name != "" && !strings.Contains(s.spec.Name, a.Addr) {
		place = s.spec.Name + " (" + a.Addr + ")"
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		f.Message = "no address is known for the host " + dns.Name
	}
	var errno syscall.Errno
	if errors.As(err, &errno) {
		f.Message = errno.Error() // without the words of the dialler around it
	}
	f.Message = place + ": " + f.Message
	f.Hint = s.connectHint(f)
	return f
}

func (s *Server) connectHint(f *fault.Error) string {
	a := s.address
	switch f.Kind {
	case fault.ConnectionRefused:
		return "is the server running, and does it listen on " + a.Addr + "?"
	case fault.HostUnknown:
		return "check the host's name in the target"
	case fault.HostUnreachable:
		return "is the address right, and does a firewall let it pass?"
	case fault.AccessDenied:
		if f.Code == 1044 { // ER_DBACCESS_DENIED_ERROR
			return "the user may not use this database, or it does not exist; leave it out: each test gets its own"
		}
		used := "no password was sent: set RIG_PASSWORD, or put one in the URL"
		if a.Password != "" {
			used = "a password was sent: is it the right one?"
		}
		return fmt.Sprintf("as user %q; %s", a.User, used)
	case fault.Timeout:
		return fmt.Sprintf("nothing came back within %s: does a MySQL server listen there? (--connect-timeout)", s.spec.ConnectTimeout)
	case fault.ConnectionLost:
		return "the server hung up during log-in: its log may say why"
	case fault.Protocol:
		return "does a MySQL server listen on " + a.Addr + "?"
	case fault.TLS:
		return tlsHint(f, a)
	case fault.UnknownDatabase:
		return "leave the database out of the target: each test gets its own"
	}
	return ""
}

func tlsHint(f *fault.Error, a Address) string {
	switch {
	case errors.Is(f, mysql.ErrNoTLS):
		return "the server has no TLS: tls=off in the target's URL does without, where nobody else can read the wire"
	case a.TLS == nil:
		return "the server wants TLS: tls=verify in the target's URL"
	}
	return "tls=skip-verify in the target's URL trusts any certificate"
}
