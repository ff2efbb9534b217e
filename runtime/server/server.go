// Package server makes the database server that a run needs exist.
//
// [Start] takes a [Spec] and gives a [Server] that answers: the embedded engine in this process, a throw-away mariadbd, mysqld, dolt or
// tidb-server started for this run alone, or a server at an address, which is only looked at. [Server.Capabilities] tells
// what it can do. A throw-away server has its own folder, settings for speed rather than durability, a unix socket (tidb
// and dolt: a port on loopback), and dies with this process even on SIGKILL: the parent-death signal belongs to the thread
// that forked, so that thread waits for the server's end. What a kind of server needs to know is in one file of its name.
package server

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// The kinds of servers.
const (
	Embedded = "embedded"
	MariaDB  = "mariadb"
	MySQL    = "mysql"
	Dolt     = "dolt"
	TiDB     = "tidb"
	DSN      = "dsn"  // a server that is there already
	Mock     = "mock" // one in this process that answers from rules; the Spec says how to reach and end it
)

// Kinds lists what a target may be by name; a target may also be an address, which is of kind [DSN].
func Kinds() []string { return []string{Embedded, MariaDB, MySQL, Dolt, TiDB} }

// The bounds that apply where a Spec leaves them zero.
const (
	DefaultStartTimeout   = time.Minute
	DefaultConnectTimeout = 10 * time.Second
)

// Spec says what server is wanted.
type Spec struct {
	Name    string // as the user named it, for events
	Kind    string
	Address Address // of DSN and Mock: where the server is
	End     func()  // of Mock: ends the server

	// Of throw-away servers:
	Binary       string            // the executable; "" looks on PATH and in the usual folders
	Options      map[string]string // the server's options that replace rig's; a value of "" makes a bare flag
	TCP          bool              // also listen on a free port of 127.0.0.1
	CacheDir     string            // of templates; "" is rig/templates in the user's cache folder
	TempDir      string            // parent of data folders; "" is the system's
	StartTimeout time.Duration     // 0 is a minute

	ConnectTimeout time.Duration // of looking at a DSN: dialling, handshake and log-in together; 0 is ten seconds
}

func (s Spec) withDefaults() Spec {
	if s.Name == "" {
		s.Name = s.Kind
	}
	if s.StartTimeout <= 0 {
		s.StartTimeout = DefaultStartTimeout
	}
	if s.ConnectTimeout <= 0 {
		s.ConnectTimeout = DefaultConnectTimeout
	}
	return s
}

// Server is a server that answers. Its methods may be called from any goroutine.
type Server struct {
	spec    Spec
	bus     *event.Bus
	caps    *Capabilities
	typ     string
	version string
	address Address
	tcp     string
	back    backend // nil for a server at an address

	mu      sync.Mutex
	stopped bool // guarded by mu, which also keeps Kill, Pause, Resume, Restart and Stop apart
}

// backend is what a kind of server does; a server at an address has none.
type backend interface {
	stop() error
}

// mocked is the backend of Mock.
type mocked func()

func (m mocked) stop() error {
	m()
	return nil
}

// controlled is a backend that is a process of its own.
type controlled interface {
	backend
	kill() error
	pause() error
	resume() error
	restart(ctx context.Context) error
	exited() <-chan struct{}
}

// Start makes the server exist and asks it what it is. Its life is on the bus, which may be nil. Errors are *fault.Error
// for a server that cannot be reached or a wrong Spec, and *StartError for one that could not be made. The caller must call
// Stop.
func Start(ctx context.Context, s Spec, bus *event.Bus) (*Server, error) {
	srv := &Server{spec: s.withDefaults(), bus: bus, address: s.Address}
	start := time.Now()
	srv.emit("starting", 0, nil)
	if err := srv.start(ctx); err != nil {
		srv.emit("failed", time.Since(start), err)
		return nil, err
	}
	srv.emit("ready", time.Since(start), nil)
	return srv, nil
}

func (s *Server) start(ctx context.Context) error {
	switch s.spec.Kind {
	case Embedded:
		sweep(s.spec.TempDir)
		return s.startEmbedded(ctx)
	case DSN:
		what, err := probe(ctx, s.address, s.spec.ConnectTimeout)
		if err != nil {
			return s.connectError(err)
		}
		s.learn(what.kind, what)
		return nil
	case Mock:
		what, err := probe(ctx, s.address, s.spec.ConnectTimeout)
		if err != nil {
			s.spec.End()
			return s.connectError(err)
		}
		s.back = mocked(s.spec.End)
		s.learn(Mock, what)
		return nil
	case MariaDB, MySQL, Dolt, TiDB:
		sweep(s.spec.TempDir)
		return s.startProcess(ctx)
	}
	return unknownKind(s.spec.Kind)
}

func (s *Server) startEmbedded(ctx context.Context) error {
	back, address, err := startEmbedded(s.spec)
	if err != nil {
		return err
	}
	what, err := probe(ctx, address, s.spec.StartTimeout)
	if err != nil {
		_ = back.stop() // the first error is the one to tell
		return startError(s.spec, err, "")
	}
	s.back, s.address = back, address
	s.learn(Embedded, what)
	return nil
}

func (s *Server) startProcess(ctx context.Context) error {
	p, what, err := startProcess(ctx, s.spec)
	if err != nil {
		return err
	}
	s.back, s.address, s.tcp = p, p.kind.address(p), p.tcpAddress()
	s.learn(s.spec.Kind, what)
	// From here on it is news when the process ends by itself.
	p.watch(func(err error) { s.emit("failed", 0, err) })
	return nil
}

func (s *Server) learn(typ string, what found) {
	s.typ, s.version = typ, what.version
	s.caps = capabilitiesOf(typ, what, s.spec.Kind)
}

func unknownKind(kind string) error {
	e := fault.New(fault.BadArgument, "target", fmt.Sprintf("there is no kind of server %q", kind))
	if near := fault.Suggest(kind, Kinds()); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return e
}

func (s *Server) emit(state string, d time.Duration, err error) {
	e := &event.Target{Name: s.spec.Name, Type: s.typ, Version: s.version, Address: s.address.String(), State: state, Duration: d, ThrowAway: s.ThrowAway()}
	if e.Type == "" {
		e.Type = s.spec.Kind
	}
	if err != nil {
		e.Error = describe(err)
	}
	if s.caps != nil && state == "ready" {
		e.Capabilities = s.caps.List()
	}
	s.bus.Emit(event.Event{Data: e})
}

// Name as the user named the target.
func (s *Server) Name() string { return s.spec.Name }

// Kind as it was asked for.
func (s *Server) Kind() string { return s.spec.Kind }

// Type is what the server is: embedded, mariadb, mysql, dolt or tidb.
func (s *Server) Type() string { return s.typ }

// Version is "10.11.14"; of dolt and tidb their own, not that of the MySQL they resemble.
func (s *Server) Version() string { return s.version }

// Address is the way to it.
func (s *Server) Address() Address { return s.address }

// TCP is the "127.0.0.1:port" on which a throw-away server listens too, "" when it has none.
func (s *Server) TCP() string { return s.tcp }

// Capabilities of the server.
func (s *Server) Capabilities() *Capabilities { return s.caps }

// ThrowAway reports whether the server was started for this run alone.
func (s *Server) ThrowAway() bool { return s.spec.Kind != DSN }

// String is the name and the address, never a password.
func (s *Server) String() string { return s.spec.Name + " " + s.address.String() }

// Format writes String whatever the verb.
func (s *Server) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// Stop ends a throw-away server, if need be by force after two seconds, and removes its folder. Further calls do nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return nil
	}
	s.stopped = true
	if s.back == nil {
		return nil
	}
	start := time.Now()
	err := s.back.stop()
	if err != nil {
		err = fmt.Errorf("stop %s: %w", s.spec.Name, err)
	}
	s.emit("stopped", time.Since(start), err)
	return err
}

func (s *Server) control(op string, f func(controlled) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.back.(controlled)
	if !ok {
		return s.cannotControl(op)
	}
	if s.stopped {
		return fault.New(fault.ServerShutdown, "server."+op, "target "+s.spec.Name+" was stopped")
	}
	return f(c)
}

func (s *Server) cannotControl(op string) error {
	what := "the embedded engine runs inside rig"
	switch s.spec.Kind {
	case DSN:
		what = "rig did not start " + s.spec.Name
	case Mock:
		what = "a mock server has no process"
	}
	e := fault.New(fault.Unsupported, "server."+op, what+", so it cannot be controlled")
	return e.WithHint("use a throw-away server: --target mariadb, mysql, tidb or dolt")
}

// Kill ends the server at once, as a crash would; Restart brings it back with its data.
func (s *Server) Kill() error { return s.control("kill", controlled.kill) }

// Pause stops the server's process without ending it (SIGSTOP).
func (s *Server) Pause() error { return s.control("pause", controlled.pause) }

// Resume lets a paused server go on.
func (s *Server) Resume() error { return s.control("resume", controlled.resume) }

// Restart ends the server, unless it has ended, and starts it again on the same folder and address.
func (s *Server) Restart(ctx context.Context) error {
	start := time.Now()
	return s.control("restart", func(c controlled) error {
		s.emit("starting", 0, nil)
		if err := c.restart(ctx); err != nil {
			s.emit("failed", time.Since(start), err)
			return err
		}
		s.emit("ready", time.Since(start), nil)
		return nil
	})
}

// Exited is closed when a throw-away server's process ends though nobody asked it to; Kill, Restart and Stop do not close
// it. After a Restart it is another channel. It is nil for servers that are no processes of their own.
func (s *Server) Exited() <-chan struct{} {
	if c, ok := s.back.(controlled); ok {
		return c.exited()
	}
	return nil
}
