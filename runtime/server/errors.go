package server

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"

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
	f.Hint = fault.ConnectHint(f, fault.Dest{Addr: a.Addr, User: a.User, Database: a.Database, HasPassword: a.Password != "", TLS: a.TLS != nil, Bound: s.spec.ConnectTimeout})
	return f
}
