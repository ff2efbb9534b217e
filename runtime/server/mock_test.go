package server

import (
	"context"
	"errors"
	"net"
	"testing"

	"rig/runtime/fault"
	"rig/runtime/mock"
)

// TestMock: a mock server claims every capability, because rules answer whatever is asked; nothing controls it, and Stop
// ends it once.
func TestMock(t *testing.T) {
	m, err := mock.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	ended := 0
	s, err := Start(context.Background(), Spec{Kind: Mock, Address: Address{Network: "unix", Addr: "mock", Dial: m.Dialer(0)}, End: func() { ended++; m.Close() }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Type() != Mock || s.Version() != "8.0.0" || !s.ThrowAway() {
		t.Errorf("%s %s, throw-away %v", s.Type(), s.Version(), s.ThrowAway())
	}
	for requirement, want := range map[string]bool{"row_locks": true, "load_data": true, "savepoints": true, "sequences": true, "server_control": false, "mock": true, "!mock": false, "mysql": false} {
		if ok, why, err := s.Capabilities().Check(requirement); err != nil || ok != want {
			t.Errorf("%s: %v %q %v", requirement, ok, why, err)
		}
	}
	if err := s.Kill(); !fault.IsKind(err, fault.Unsupported) {
		t.Errorf("kill: %v", err)
	}
	if err := errors.Join(s.Stop(), s.Stop()); err != nil || ended != 1 {
		t.Errorf("stop: %v, ended %d times", err, ended)
	}
}

// TestMockThatFails: a mock server that cannot be looked at is ended.
func TestMockThatFails(t *testing.T) {
	ended := false
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("nobody there") }
	_, err := Start(context.Background(), Spec{Kind: Mock, Address: Address{Network: "unix", Addr: "mock", Dial: dial}, End: func() { ended = true }}, nil)
	if err == nil || !ended {
		t.Errorf("%v, ended %v", err, ended)
	}
}
