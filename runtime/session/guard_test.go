package session

import (
	"errors"
	"net"
	"strings"
	"testing"

	"rig/runtime/fault"
)

// The driver's panic on garbled bytes is an error that ends the connection.
func TestGuard(t *testing.T) {
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	w := &wire{Conn: a}
	read := func(garbled []byte, n int) (err error) {
		defer guard(w, &err)
		_ = garbled[n]
		return nil
	}
	if err := read([]byte{1}, 0); err != nil || w.broken(err) {
		t.Fatal(err)
	}
	err := read(nil, 5)
	if err == nil || !w.broken(err) {
		t.Fatal(err)
	}
	if err := w.explain(err); !fault.IsKind(err, fault.Protocol) || !strings.Contains(err.Error(), "no MySQL protocol") {
		t.Error(err)
	}
}

func TestExplainKeepsTheServersWords(t *testing.T) {
	a, b := net.Pipe()
	b.Close()
	defer a.Close()
	w := &wire{Conn: a}
	if err := w.explain(errors.New("x")); err.Error() != "x" {
		t.Error(err)
	}
	if _, err := w.Read(make([]byte, 1)); err == nil {
		t.Fatal("the pipe is open")
	}
	if err := w.explain(fault.New(fault.Deadlock, "", "x")); !fault.IsKind(err, fault.ConnectionLost) {
		t.Error(err)
	}
	if w.explain(nil) != nil {
		t.Error("no error was explained")
	}
}
