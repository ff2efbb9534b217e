// Package mock answers the MySQL protocol from rules.
//
// [New] takes the rules and gives a [Server]; [Server.Dial] gives connections to it, which never leave the process: a pair
// of unix sockets without a path. A statement is answered by the first rule that fits it and is not used up; [Server.Asked]
// tells what was asked, [Server.Verify] whether that is what the rules wanted. What rig itself asks of every server (who are
// you, SET time_zone, KILL) is answered without a rule and not told.
//
// The codec is our own (2026-11-25). That of vitess, which the embedded engine brings, parses the SQL of each COM_STMT_PREPARE to
// count the placeholders, so that it refuses statements that a rule would answer, and writes whole packets only: a reply that is
// lost, torn or no MySQL at all, which is what mocks are for, needs the bytes.
package mock

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// Version is what the server says of itself.
const Version = "8.0.0-rig-mock"

// Server answers connections. It is safe for concurrent use.
type Server struct {
	rules []*rule

	running sync.WaitGroup // one for each connection
	calls   atomic.Uint64  // the last connection id

	mu      sync.Mutex
	conns   map[uint64]*conn // guarded by mu
	closed  bool             // guarded by mu
	asked   []Asked          // guarded by mu: the first maxAsked, within maxBytes
	kept    int              // guarded by mu: bytes of SQL in asked
	unknown []string         // guarded by mu: the first maxUnknown statements that no rule answered
}

// What a server remembers is bounded.
const (
	maxAsked   = 10_000
	maxBytes   = 64 << 20 // of SQL
	maxUnknown = 100
)

// Asked is one statement that reached the server.
type Asked struct {
	SQL  string  // in one form for both protocols: values in place of ?, blanks and comments reduced
	Args []Value // what stood in place of the rule's ?
	Rule int     // the rule that answered, from 1; 0 is none, as for a COMMIT that needs none
	Conn uint64  // the connection's id
}

// New checks the rules. The error is a [*RuleError].
func New(rules []Rule) (*Server, error) {
	s := &Server{conns: map[uint64]*conn{}}
	for i, r := range rules {
		c, err := compile(r)
		if err != nil {
			err.Number = i + 1
			return nil, err
		}
		c.number = i + 1
		s.rules = append(s.rules, c)
	}
	return s, nil
}

// Dialer gives a function for Config.Dial. Of its connections the first spared meet no rule about handshakes: the ones that
// rig opens for itself.
func (s *Server) Dialer(spared int) func(ctx context.Context, network, addr string) (net.Conn, error) {
	var n atomic.Int64
	return func(context.Context, string, string) (net.Conn, error) { return s.dial(n.Add(1) <= int64(spared)) }
}

// Dial opens a connection.
func (s *Server) Dial() (net.Conn, error) { return s.dial(false) }

var errClosed = errors.New("the mock server is closed")

func (s *Server) dial(spared bool) (net.Conn, error) {
	ours, theirs, err := pair()
	if err != nil {
		return nil, fmt.Errorf("connect to the mock server: %w", err)
	}
	c := &conn{srv: s, Conn: ours, id: s.calls.Add(1), spared: spared, stmts: map[uint32]*stmt{}, quit: make(chan struct{}), interrupt: make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		ours.Close()
		theirs.Close()
		return nil, errClosed
	}
	s.conns[c.id] = c
	s.running.Go(c.serve) // ends with its connection, which Close ends
	return theirs, nil
}

// pair gives the two ends of a connection that has no address. They are sockets and not a net.Pipe, because the driver looks at
// a socket before each statement for whether the other side is gone.
func pair() (net.Conn, net.Conn, error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, err
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "mock")
		end, connErr := net.FileConn(f) // which duplicates it
		f.Close()
		ends[i], err = end, errors.Join(err, connErr)
	}
	if err == nil {
		return ends[0], ends[1], nil
	}
	for _, end := range ends {
		if end != nil {
			end.Close()
		}
	}
	return nil, nil, err
}

// Close ends every connection and waits until their goroutines are gone.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for _, c := range s.conns {
		c.end()
	}
	s.mu.Unlock()
	s.running.Wait()
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c.id)
}

// kill does KILL: it ends a connection, or interrupts what it waits for.
func (s *Server) kill(id uint64, connection bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conns[id]
	switch {
	case c == nil:
		return false
	case connection:
		c.end()
	case c.busy.Load():
		select {
		case c.interrupt <- struct{}{}:
		default: // it was interrupted already
		}
	}
	return true
}

// Asked gives what was asked so far, in order: of more than 10,000 statements, or 64 MiB of SQL, the first.
func (s *Server) Asked() []Asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// Uses gives how often each rule answered.
func (s *Server) Uses() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]int, len(s.rules))
	for i, r := range s.rules {
		out[i] = r.used
	}
	return out
}
