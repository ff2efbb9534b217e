package session

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/wait"
)

// Hub opens the sessions of one server and watches over them.
type Hub struct {
	cfg Config

	mu       sync.Mutex
	sessions map[*Session]struct{} // guarded by mu
	watching bool                  // guarded by mu: the watchdog runs
	closed   bool                  // guarded by mu
	watchers sync.WaitGroup

	side  side
	watch side // asks who waits for whom; it is not the one that kills, which must not queue

	chooseWaits sync.Mutex
	waits       atomic.Pointer[wait.Watcher] // how waits are noticed; set once, under chooseWaits

	protection atomic.Pointer[protection] // nil where every database may be used

	facts atomic.Pointer[facts] // what the first session learnt of the server

	layouts layouts
	epoch   time.Time // what now counts from
}

// now is time.Now with one reading of the system's clocks instead of two, for what happens with every statement.
func (h *Hub) now() time.Time { return h.epoch.Add(time.Since(h.epoch)) }

// facts are the same for every session of a server.
type facts struct {
	version string
	packet  int // max_allowed_packet in bytes
	mariadb bool
}

// tick is how often the watchdog looks at running statements; time-outs are exact to about this.
const tick = 20 * time.Millisecond

// runningAfter is the age from which a statement is announced as running.
const runningAfter = 250 * time.Millisecond

// NewHub makes a hub; nothing is dialled before Open.
func NewHub(c Config) *Hub {
	h := &Hub{cfg: c.withDefaults(), sessions: map[*Session]struct{}{}, epoch: time.Now()}
	h.side.hub, h.watch.hub = h, h
	return h
}

// Config gives the hub's configuration with its defaults.
func (h *Hub) Config() Config { return h.cfg }

// Format writes the configuration's String whatever the verb: it has a password.
func (h *Hub) Format(f fmt.State, verb rune) { h.cfg.Format(f, verb) }

// Options of one session. Isolation is a level's SQL name, "" the server's default; Autocommit nil likewise.
type Options struct {
	Name       string
	Database   string
	Isolation  string
	Autocommit *bool
	Quiet      bool      // statements are no events: who uses the session tells what it did
	Test       string    // for events
	Parent     event.ID  // for events
	Pos        event.Pos // the line that opened it
}

// Open connects, logs in and prepares a session within Config.ConnectTimeout. Errors are *fault.Error with Op "connect".
func (h *Hub) Open(ctx context.Context, o Options) (*Session, error) {
	start := time.Now()
	s := &Session{hub: h, opts: o, name: o.Name, database: o.Database, id: h.cfg.Bus.NextID()}
	s.cond.L = &s.mu
	err := h.side.open(ctx)
	if err == nil {
		err = s.connect(ctx)
	}
	d := s.openedEvent()
	d.Duration = time.Since(start)
	if err != nil {
		f := h.connectError(o, err)
		d.Error = report(f)
		s.emit(o.Pos, s.id, d)
		return nil, f
	}
	if !h.remember(s) {
		s.wire.Close()
		_ = s.conn.Close() // ends the driver's own goroutine
		return nil, errRunOver()
	}
	s.emit(o.Pos, s.id, d)
	return s, nil
}

// add must hold mu.
func (h *Hub) add(s *Session) {
	h.sessions[s] = struct{}{}
	if !h.watching {
		h.watching = true
		h.watchers.Go(h.watchAll)
	}
}

func errRunOver() *fault.Error { return fault.New(fault.SessionClosed, "connect", "the run is over") }

// remember takes a session in, also one whose connection was lost before; false when the hub is closed.
func (h *Hub) remember(s *Session) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	h.add(s)
	return true
}

func (s *Session) openedEvent() *event.SessionOpen {
	return &event.SessionOpen{Thread: s.Thread(), Target: s.hub.cfg.Target, Database: s.database, Isolation: s.opts.Isolation}
}

func (h *Hub) connectError(o Options, err error) *fault.Error {
	f := fault.Wrap("connect", o.Name, "", err).On(h.cfg.Flavor)
	f.Op = "connect"
	f.Message = fmt.Sprintf("%s: %s", h.cfg.place(), f.Message)
	if f.Hint == "" {
		c := h.cfg
		f.Hint = fault.ConnectHint(f, fault.Dest{Addr: c.Address, User: c.User, HasPassword: c.Password != "", TLS: c.TLS != nil, Bound: c.ConnectTimeout})
	}
	return f
}

// place names the server for people: target, user and address.
func (c Config) place() string {
	if c.Target != "" && c.Target != c.Address {
		return fmt.Sprintf("%s (%s)", c.Target, c.Address)
	}
	return c.Address
}

// Close ends every session that is still open, the side connection and the watchdog.
func (h *Hub) Close() error {
	h.mu.Lock()
	h.closed = true
	left := make([]*Session, 0, len(h.sessions))
	for s := range h.sessions {
		left = append(left, s)
	}
	h.mu.Unlock()
	for _, s := range left {
		s.Close()
	}
	h.side.close()
	h.watch.close()
	h.watchers.Wait()
	return nil
}

func (h *Hub) forget(s *Session) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, s)
}

// watchAll ends when the last session is gone; Open starts it again.
func (h *Hub) watchAll() {
	t := time.NewTicker(tick)
	defer t.Stop()
	var all []*Session
	for now := range t.C {
		h.mu.Lock()
		all = all[:0]
		for s := range h.sessions {
			all = append(all, s)
		}
		if len(all) == 0 {
			h.watching = false
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		for _, s := range all {
			s.watch(now)
		}
	}
}

// side is the connection over which statements of the sessions are killed. It is opened with the first session: at "too
// many connections" it no longer could be.
type side struct {
	hub *Hub

	mu     sync.Mutex
	conn   conn  // guarded by mu; nil before the first session and after a failure
	wire   *wire // guarded by mu
	closed bool  // guarded by mu: it is not opened again
}

// sideBound bounds one exchange on the side connection.
const sideBound = 2 * time.Second

func (d *side) open(ctx context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn != nil {
		return nil
	}
	if d.closed {
		return errRunOver()
	}
	c, w, err := d.hub.dial(ctx, "")
	if err != nil {
		return err
	}
	d.conn, d.wire = c, w
	if d.hub.facts.Load() != nil {
		return nil
	}
	if err := d.learn(); err != nil {
		err = w.explain(err)
		d.drop()
		return err
	}
	return nil
}

// learn reads what is the same for all sessions.
func (d *side) learn() error {
	rows, err := d.query("SELECT @@version, @@max_allowed_packet")
	if err != nil {
		return err
	}
	f := &facts{}
	f.version = rows.At(0, 0).Text
	if p := rows.At(0, 1); p.Kind == CellInt || p.Kind == CellUint {
		f.packet = int(p.bits)
	}
	f.mariadb = d.hub.cfg.Flavor == "mariadb" || containsFold(f.version, "mariadb")
	d.hub.facts.Store(f)
	return nil
}

// query must hold mu.
func (d *side) query(sql string) (out *Rows, err error) {
	defer guard(d.wire, &err)
	if err := d.wire.SetDeadline(time.Now().Add(sideBound)); err != nil {
		return nil, err
	}
	rows, err := d.conn.Query(sql, nil)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	r := rows.(described)
	var c collector
	return c.collect(r, layoutOf(r, nil), caps{DefaultMaxRows, DefaultMaxBytes})
}

// ask runs a query on the side connection, opening it again where it was lost.
func (d *side) ask(sql string) (*Rows, error) {
	ctx, cancel := context.WithTimeout(context.Background(), sideBound)
	defer cancel()
	if err := d.open(ctx); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.conn == nil {
		return nil, mysql.ErrInvalidConn
	}
	rows, err := d.query(sql)
	if err != nil && d.wire.broken(err) {
		err = d.wire.explain(err)
		d.drop()
	}
	return rows, err
}

// kill ends a statement or a connection on the server.
func (d *side) kill(thread uint64, connection bool) error {
	what := "KILL QUERY"
	if connection {
		what = "KILL"
	}
	_, err := d.ask(fmt.Sprintf("%s %d", what, thread))
	if fault.Classify(err).Code == errNoSuchThread {
		return nil
	}
	return err
}

// errNoSuchThread is ER_NO_SUCH_THREAD: what should be killed is gone.
const errNoSuchThread = 1094

func (d *side) drop() {
	d.wire.Close()
	_ = d.conn.Close() // ends the driver's own goroutine
	d.conn, d.wire = nil, nil
}

func (d *side) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
	if d.conn == nil {
		return
	}
	_ = d.wire.SetDeadline(time.Now().Add(sideBound))
	_ = d.conn.Close()
	d.conn = nil
}

// logIn is the driver's Connect; a panic of the driver closes what was dialled.
func logIn(c driver.Connector, dialled *atomic.Pointer[wire]) (_ driver.Conn, err error) {
	defer func() {
		if w := dialled.Load(); w != nil && recover() != nil {
			err = fault.New(fault.Protocol, "", "the server sent bytes that are no MySQL protocol")
		}
	}()
	return c.Connect(context.Background())
}

// dial opens and logs in one connection.
func (h *Hub) dial(ctx context.Context, database string) (conn, *wire, error) {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.ConnectTimeout)
	defer cancel()
	deadline, _ := ctx.Deadline()
	packet := 64 << 20
	if f := h.facts.Load(); f != nil && f.packet > 0 {
		packet = f.packet
	}
	var dialled atomic.Pointer[wire]
	d := h.cfg.driverConfig(database, packet, func(context.Context, string, string) (net.Conn, error) {
		w, err := h.cfg.dial(ctx, deadline)
		if err != nil {
			return nil, err
		}
		dialled.Store(w)
		if ctx.Err() != nil { // it passed before there was something to cut
			w.cut()
		}
		return w, nil
	})
	connector, err := mysql.NewConnector(d)
	if err != nil {
		return nil, nil, err
	}
	// The driver gets no context: it would watch it. What ends the log-in early is the deadline on the connection, or cut.
	stop := context.AfterFunc(ctx, func() {
		if w := dialled.Load(); w != nil {
			w.cut()
		}
	})
	c, err := logIn(connector, &dialled)
	stop()
	w := dialled.Load()
	if err == nil {
		err = w.SetDeadline(time.Time{})
	}
	if err == nil && ctx.Err() == nil {
		return c.(conn), w, nil
	}
	if w != nil {
		err = w.explain(err)
		w.Close()
	}
	if c != nil {
		_ = c.Close() // ends the driver's own goroutine
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		err = context.Cause(ctx)
	}
	if err == nil {
		err = ctx.Err()
	}
	return nil, nil, err
}
