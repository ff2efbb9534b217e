package scenario

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/server"
	"rig/runtime/session"
)

// ConnectOptions say what t.connect was asked for. The zero value gives a session on the run's target in the test's own
// database.
type ConnectOptions struct {
	Name       string
	Target     string
	Database   string
	Isolation  string
	Autocommit *bool
	Host       string
	Port       int
	User       string
	Password   string
	Quiet      bool // its statements are no events
	Pos        event.Pos
}

func (o ConnectOptions) elsewhere() bool {
	return o.Host != "" || o.Port != 0 || o.User != "" || o.Password != ""
}

// TargetInfo is what scripts may know of a target.
type TargetInfo struct {
	Name, Type, Version string
	ThrowAway           bool
	target              *Target
}

// Check tests a requirement such as "mariadb>=10.6"; why says what is lacking. An unknown name is an error.
func (i TargetInfo) Check(requirement string) (ok bool, why string, err error) {
	return i.target.Server.Capabilities().Check(requirement)
}

// Target gives what scripts may know of the test's server.
func (t *Test) TargetInfo() TargetInfo {
	s := t.target.Server
	return TargetInfo{Name: t.target.Name, Type: s.Type(), Version: s.Version(), ThrowAway: s.ThrowAway(), target: t.target}
}

// Destination tells where Connect with the same options would go: the target, and the database, "" for none. It makes the
// test's own database where that is the one.
func (t *Test) Destination(c ConnectOptions) (TargetInfo, string, error) {
	o := t.outermost()
	target, err := o.targetFor(t.Context(), c)
	if err != nil {
		return TargetInfo{}, "", err
	}
	db, err := o.databaseFor(target, c)
	s := target.Server
	return TargetInfo{Name: target.Name, Type: s.Type(), Version: s.Version(), ThrowAway: s.ThrowAway(), target: target}, db, err
}

// DB is the test's default session, in a database of the test's own; both are made at the first call.
func (t *Test) DB() (*session.Session, error) {
	o := t.outermost()
	o.mu.Lock()
	db := o.db
	o.mu.Unlock()
	if db != nil {
		return db, nil
	}
	s, err := o.Connect(ConnectOptions{Name: "db"})
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.db == nil {
		o.db = s
	}
	return o.db, nil
}

// Database is the name of the test's own database, made at the first call.
func (t *Test) Database() (string, error) {
	o := t.outermost()
	o.run.databases.Lock() // one at a time: two tasks of one test may ask at once
	defer o.run.databases.Unlock()
	o.mu.Lock()
	name := o.database
	o.mu.Unlock()
	if name != "" {
		return name, nil
	}
	name, err := o.run.createDatabase(o)
	if err != nil {
		return "", err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.database = name
	return name, nil
}

// Connect opens a session that belongs to the test and is closed at its end.
func (t *Test) Connect(c ConnectOptions) (*session.Session, error) {
	o := t.outermost()
	ctx := t.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	target, err := o.targetFor(ctx, c)
	if err != nil {
		return nil, err
	}
	db, err := o.databaseFor(target, c)
	if err != nil {
		return nil, err
	}
	s, err := target.Hub.Open(ctx, session.Options{
		Name: o.sessionName(c.Name), Database: db, Isolation: c.Isolation, Autocommit: c.Autocommit, Quiet: c.Quiet,
		Test: t.id, Parent: t.event, Pos: c.Pos,
	})
	if err != nil {
		return nil, err
	}
	o.mu.Lock()
	o.sessions = append(o.sessions, s)
	o.mu.Unlock()
	if ctx.Err() != nil { // the test ended meanwhile: nobody else would interrupt this one
		s.Interrupt(context.Cause(ctx))
	}
	return s, nil
}

func (t *Test) targetFor(ctx context.Context, c ConnectOptions) (*Target, error) {
	switch {
	case c.elsewhere():
		return t.run.Targets.Address(ctx, c)
	case c.Target != "":
		return t.run.Targets.Target(ctx, c.Target)
	}
	return t.target, nil
}

// databaseFor chooses the database of a new session: the test's own on the test's target, elsewhere what was named.
func (t *Test) databaseFor(target *Target, c ConnectOptions) (string, error) {
	if c.Database != "" {
		return c.Database, t.run.allowed(target, c.Database)
	}
	if target != t.target {
		return "", nil
	}
	return t.Database()
}

// Allowed refuses a database that rig did not make, on a server that is not throw-away, unless the user allowed it.
func (t *Test) Allowed(database string) error { return t.run.allowed(t.target, database) }

func (r *run) allowed(target *Target, database string) error {
	if target.Server.ThrowAway() || Usable(database, r.OneDatabase, r.AllowDatabases) {
		return nil
	}
	e := fault.New(fault.Refused, "", fmt.Sprintf("rig does not touch database %q on %s: it did not create it", database, target.Name))
	return e.WithHint("allow it by name: --allow-database " + database)
}

// Usable reports whether scripts may use a database of a server that is not throw-away: rig's own, those that the user
// named, and the server's descriptions of itself.
func Usable(database, one string, named []string) bool {
	for _, schema := range []string{"information_schema", "performance_schema"} {
		if strings.EqualFold(database, schema) {
			return true
		}
	}
	return strings.HasPrefix(database, databasePrefix) || database == one || slices.Contains(named, database)
}

// sessionName gives the name asked for, or the next of s1, s2, ...
func (t *Test) sessionName(asked string) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if asked != "" {
		return asked
	}
	t.opened++
	return fmt.Sprintf("s%d", t.opened)
}

// Sessions lists those that the test has opened, for who looks at it from outside.
func (t *Test) Sessions() []*session.Session {
	o := t.outermost()
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.sessions)
}

func (t *Test) eachSession(f func(*session.Session)) {
	t.mu.Lock()
	all := slices.Clone(t.sessions)
	t.mu.Unlock()
	for _, s := range all {
		f(s)
	}
}

// Address of the target's server: host:port, or the path of a socket.
func (i TargetInfo) Address() string { return i.target.Hub.Config().Address }

// User that sessions log in as.
func (i TargetInfo) User() string { return i.target.Hub.Config().User }

// Server is the test's server, for tests that have one of their own: others would take it from each other.
func (t *Test) Server() (*server.Server, error) {
	o := t.outermost()
	if !o.item.OwnServer {
		e := fault.New(fault.BadArgument, "t.server", "this test shares its server with others")
		return nil, e.WithHint(`annotate it: test(` + o.item.Name + `, server = "own")`)
	}
	return o.target.Server, nil
}
