package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"rig/runtime/clock"
	"rig/runtime/config"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/server"
	"rig/runtime/session"
)

// targets makes servers exist at their first use and ends them with the run. It is the scenario.Targets of a run.
type targets struct {
	cfg   *config.Config
	bus   *event.Bus
	run   string // the run's id; "" takes no lock
	ask   func(user, host string) (string, bool)
	clock *clock.Clock // of a debugger; nil is none

	host *script.Host // reads the rules of mock servers

	mu   sync.Mutex
	byID map[string]*slot // guarded by mu
	all  []*scenario.Target
}

// slot is a target that somebody makes; the others wait for it.
type slot struct {
	once   sync.Once
	target *scenario.Target
	err    error
}

func newTargets(cfg *config.Config, bus *event.Bus, run string) *targets {
	return &targets{cfg: cfg, bus: bus, run: run, byID: map[string]*slot{}}
}

// Target gives the server of a name, starting it at the first use; "" is the run's own.
func (t *targets) Target(ctx context.Context, name string) (*scenario.Target, error) {
	if name == "" {
		name = t.cfg.String("target")
	}
	return t.slot("name:"+name, func() (*scenario.Target, error) {
		c, err := t.cfg.Target(name)
		if err != nil {
			return nil, &exitError{exitUsage, err}
		}
		return t.start(ctx, c)
	})
}

func (t *targets) slot(key string, start func() (*scenario.Target, error)) (*scenario.Target, error) {
	t.mu.Lock()
	s := t.byID[key]
	if s == nil {
		s = &slot{}
		t.byID[key] = s
	}
	t.mu.Unlock()
	s.once.Do(func() { s.target, s.err = start() })
	return s.target, s.err
}

// Own starts a server for one test alone.
func (t *targets) Own(ctx context.Context) (*scenario.Target, func(), error) {
	c, err := t.cfg.Target(t.cfg.String("target"))
	if err != nil {
		return nil, nil, err
	}
	if c.Kind == server.DSN || c.Kind == server.Embedded || c.Kind == server.Mock {
		return nil, nil, &scenario.SkipError{Why: "needs a throw-away server of its own; " + c.Safe() + " is none that rig can start"}
	}
	target, err := t.start(ctx, crashSafe(c))
	if err != nil {
		return nil, nil, err
	}
	return target, func() { t.end(target) }, nil
}

// crashSafe lets a server keep what was committed when it is killed: a test that has it to itself may do that. The log goes
// to the system at each commit, which survives the process though not the machine. What the target says itself stays.
func crashSafe(c config.Target) config.Target {
	const option = "innodb_flush_log_at_trx_commit"
	if c.Kind != server.MariaDB && c.Kind != server.MySQL {
		return c
	}
	for name := range c.Options {
		if strings.TrimLeft(strings.ReplaceAll(name, "-", "_"), "_") == option {
			return c
		}
	}
	options := map[string]string{option: "2"}
	maps.Copy(options, c.Options)
	c.Options = options
	return c
}

// Address is a server elsewhere: the run's own target with what the options say instead.
func (t *targets) Address(ctx context.Context, o scenario.ConnectOptions) (*scenario.Target, error) {
	base := o.Target
	if base == "" {
		base = t.cfg.String("target")
	}
	c, err := t.cfg.Target(base)
	if err != nil {
		return nil, err
	}
	if c.Kind == server.Mock { // it stands for every server, and lets every user in
		return t.Target(ctx, base)
	}
	if c.Kind != server.DSN {
		first, err := t.Target(ctx, base)
		if err != nil {
			return nil, err
		}
		a := first.Server.Address()
		c.Kind, c.Network, c.Address, c.User, c.Password = server.DSN, a.Network, a.Addr, a.User, a.Password
	}
	if o.Host != "" || o.Port != 0 {
		host, port, err := net.SplitHostPort(c.Address)
		if err != nil || c.Network != "tcp" {
			host, port = "127.0.0.1", "3306"
		}
		if o.Host != "" {
			host = o.Host
		}
		if o.Port != 0 {
			port = strconv.Itoa(o.Port)
		}
		c.Network, c.Address = "tcp", net.JoinHostPort(host, port)
	}
	if o.User != "" {
		c.User = o.User
	}
	if o.Password != "" {
		c.Password, c.HasPassword = o.Password, true
	}
	c.Name = c.Safe()
	return t.slot("address:"+c.Safe()+"\x00"+c.Password, func() (*scenario.Target, error) {
		// In silence: that it refuses a user may be what the test is about. The test's own error tells it.
		return t.startOn(ctx, c, nil)
	})
}

// start makes a server exist, with a hub for its sessions.
func (t *targets) start(ctx context.Context, c config.Target) (*scenario.Target, error) {
	return t.startOn(ctx, c, t.bus)
}

// startOn is start; bus hears of the server's life.
func (t *targets) startOn(ctx context.Context, c config.Target, bus *event.Bus) (*scenario.Target, error) {
	tls, err := c.TLSConfig()
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	t.bus.Secret(c.Password)
	spec := server.Spec{
		Name: nameOf(c), Kind: c.Kind, Binary: c.Binary, Options: c.Options, TCP: c.TCP, ConnectTimeout: t.cfg.Duration("connect-timeout"),
		Address: server.Address{Network: c.Network, Addr: c.Address, User: c.User, Password: c.Password, Database: c.Database, TLS: tls},
	}
	if c.Kind == server.Mock {
		if err := t.mock(ctx, c, &spec); err != nil {
			return nil, err
		}
	}
	if t.ask != nil && bus != nil && c.Kind == server.DSN && !c.HasPassword {
		t.askFor(ctx, &spec)
	}
	s, err := server.Start(ctx, spec, bus)
	if err != nil {
		return nil, err
	}
	target := &scenario.Target{Name: spec.Name, Server: s, Hub: session.NewHub(t.sessions(c, s))}
	if err := errors.Join(t.hold(ctx, target), t.protect(ctx, target)); err != nil {
		t.stop(target)
		return nil, err
	}
	if bus != nil && c.Kind != server.Mock {
		_, _ = target.Hub.Waits() // for -v; whoever needs it asks again and has the error
	}
	t.mu.Lock()
	t.all = append(t.all, target)
	t.mu.Unlock()
	return target, nil
}

// askFor asks for the password of a server that refuses the user without one. It looks in silence: what is told to the run
// comes after.
func (t *targets) askFor(ctx context.Context, spec *server.Spec) {
	s, err := server.Start(ctx, *spec, nil)
	if err == nil {
		_ = s.Stop() // nothing was started
		return
	}
	if !fault.IsKind(err, fault.AccessDenied) {
		return
	}
	if password, ok := t.ask(spec.Address.User, spec.Address.Addr); ok {
		t.bus.Secret(password)
		spec.Address.Password = password
	}
}

func nameOf(c config.Target) string {
	if c.Name == "" || c.Name == server.DSN {
		return c.Safe()
	}
	return c.Name
}

// sessions says how sessions of a server are opened.
func (t *targets) sessions(c config.Target, s *server.Server) session.Config {
	a := s.Address()
	out := session.Config{
		Target: nameOf(c), Network: a.Network, Address: a.Addr, Dial: a.Dial, User: a.User, Password: a.Password, TLS: a.TLS,
		ConnectTimeout: t.cfg.Duration("connect-timeout"), StatementTimeout: t.cfg.Duration("statement-timeout"),
		MaxRows: t.cfg.Int("max-rows"), MaxBytes: t.cfg.Int("max-bytes"), Flavor: s.Type(), Bus: t.bus, Clock: t.clock,
	}
	if set := c.Params["charset"]; set != "" {
		names := "SET NAMES " + set
		if collation := c.Params["collation"]; collation != "" {
			names += " COLLATE " + collation
		}
		out.Init = append(out.Init, names)
	}
	if zone := c.Params["time_zone"]; zone != "" {
		out.Init = append(out.Init, "SET time_zone = '"+zone+"'")
	}
	return out
}

// hold takes the run's lock on a server that others use: rig clean spares the databases of runs that hold theirs.
func (t *targets) hold(ctx context.Context, target *scenario.Target) error {
	if target.Server.ThrowAway() || t.run == "" || !target.Server.Capabilities().Has("user_locks") {
		return nil
	}
	s, err := target.Hub.Open(ctx, session.Options{Name: "rig-lock"})
	if err != nil {
		return err
	}
	_, err = s.Query(session.Call{Op: "hold the run's lock", Holder: "rig"}, "SELECT GET_LOCK('"+scenario.LockName(t.run)+"', 0)", nil)
	return err
}

// protect keeps scripts out of the databases of a server that is not throw-away.
func (t *targets) protect(ctx context.Context, target *scenario.Target) error {
	if target.Server.ThrowAway() || t.run == "" {
		return nil
	}
	s, err := target.Hub.Open(ctx, session.Options{Name: "rig-look"})
	if err != nil {
		return err
	}
	defer s.Close()
	rows, err := s.Query(session.Call{Op: "list databases", Holder: "rig"}, "SHOW DATABASES", nil)
	if err != nil {
		return err
	}
	var names []string
	for i := range rows.Len() {
		names = append(names, rows.At(i, 0).Text)
	}
	target.Hub.Protect(names, func(db string) bool {
		return scenario.Usable(db, t.cfg.String("one-database"), t.cfg.List("allow-database"))
	})
	return nil
}

func (t *targets) stop(target *scenario.Target) {
	_ = target.Hub.Close()
	_ = target.Server.Stop() // what is left is swept by the next run
}

func (t *targets) end(target *scenario.Target) {
	t.stop(target)
	t.mu.Lock()
	defer t.mu.Unlock()
	for i, x := range t.all {
		if x == target {
			t.all = append(t.all[:i], t.all[i+1:]...)
			break
		}
	}
}

// close ends every server that the run started.
func (t *targets) close() {
	t.mu.Lock()
	all := t.all
	t.all = nil
	t.mu.Unlock()
	var wg sync.WaitGroup
	for _, x := range all {
		wg.Go(func() { t.stop(x) })
	}
	wg.Wait()
}

// askPassword prompts on a terminal, without an echo.
func askPassword(in io.Reader, out io.Writer) func(user, host string) (string, bool) {
	fd, ok := terminal(in)
	if !ok {
		return nil
	}
	return func(user, host string) (string, bool) {
		fmt.Fprintf(out, "Password of %s at %s: ", user, host)
		b, err := term.ReadPassword(fd)
		fmt.Fprintln(out)
		return string(b), err == nil
	}
}

// newRunID gives a name that sorts by time and may stand in the name of a database.
func newRunID(now time.Time) string {
	return fmt.Sprintf("%s%03d%s", now.UTC().Format("20060102t150405"), now.Nanosecond()/1e6, strconv.FormatInt(int64(os.Getpid()), 36))
}

// environment reports whether an error is the world's rather than the user's.
func environment(err error) bool {
	var start *server.StartError
	var f *fault.Error
	return errors.As(err, &start) || errors.As(err, &f)
}
