package lab

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/value"
	"rig/runtime/scenario"
	"rig/runtime/schedule"
	"rig/runtime/session"
)

// lane is a database with the plan's sessions, in which one order runs at a time.
type lane struct {
	x        *experiment
	number   int
	database string
	drop     func() error // nil for the test's own database
	control  *session.Session
	face     *value.Session // of control
	store    store
	actors   []*conn
	base     *schedule.Fixture // what the test had made, before setup
	ready    *schedule.Fixture // after setup, where it need not run again
	again    bool              // setup and teardown run with each order
	several  bool              // more than one order is to run
	used     bool              // an order has run
}

// lanesMost is the most that are used where nothing is asked for: waiting for the server's word is what takes time, and more
// than this the server would share its processors among.
const lanesMost = 4

// lanesEach is how many orders make another lane worth its making: a database, its tables and sessions take about as long.
const lanesEach = 25

// laneCount chooses how many lanes there are for a number of orders.
func (x *experiment) laneCount(orders int) int {
	n := min(lanesMost, 1+orders/lanesEach)
	if x.c.Has("parallel") {
		n = int(x.c.Int("parallel"))
	}
	if x.alone() {
		return 1
	}
	return max(1, min(n, orders, 16))
}

// alone reports whether the plan ties the lanes together: by functions, which may use anything of the test, by its database's name, or
// by user locks, which are the whole server's.
func (x *experiment) alone() bool {
	if len(x.functions) > 0 || x.setup.fn != nil || x.teardown.fn != nil || x.t.OneDatabase() || x.target == "" && x.t.TargetInfo().Type == "embedded" {
		return true
	}
	database := ""
	if x.target == "" {
		database, _ = x.t.Database()
	}
	for _, sql := range x.allSQL() {
		if database != "" && strings.Contains(sql, database) || strings.Contains(strings.ToUpper(sql), "_LOCK(") || schedule.ServerWide(sql) {
			return true
		}
	}
	return false
}

func (x *experiment) allSQL() []string {
	out := append(append([]string{}, x.setup.sql...), x.teardown.sql...)
	for _, a := range x.actors {
		out = append(append(out, a.setup...), a.teardown...)
		for _, s := range a.steps {
			out = append(out, shown(s.do))
		}
	}
	return out
}

// open makes the lanes. The first is in the test's own database, the others in copies of it.
func (x *experiment) open(n int, several bool) error {
	first := &lane{x: x}
	x.lanes = []*lane{first}
	like, err := x.ownTables()
	if err != nil {
		return err
	}
	if err := first.open(like); err != nil {
		if like != nil {
			return fmt.Errorf("make the test's tables on %s: %w", x.target, err)
		}
		return err
	}
	if first.base.Complex && n > 1 {
		n = 1
	}
	for i := 1; i < n; i++ {
		l := &lane{x: x, number: i}
		x.lanes = append(x.lanes, l)
		if err := l.open(first.base); err != nil {
			return err
		}
	}
	for _, l := range x.lanes {
		if err := l.prepare(several); err != nil {
			return err
		}
	}
	return nil
}

// ownTables are those that the test made in its own database, for a schedule on another target; nil on its own.
func (x *experiment) ownTables() (*schedule.Fixture, error) {
	if x.target == "" {
		return nil, nil
	}
	db, err := x.t.DB()
	if err != nil {
		return nil, err
	}
	return schedule.TakeFixture(store{x, db})
}

// open opens the lane's sessions. like is what its new database is to have; nil is the test's own.
func (l *lane) open(like *schedule.Fixture) error {
	var err error
	if like == nil && l.x.target == "" {
		l.database, err = l.x.t.Database()
	} else {
		l.database, l.drop, err = l.x.t.Scratch(l.x.target)
	}
	if err != nil {
		return err
	}
	if l.control, err = l.connect("setup", "", nil); err != nil {
		return err
	}
	l.face, l.store = value.NewSession(l.control), store{l.x, l.control}
	if err := l.fill(like); err != nil {
		return err
	}
	for i, a := range l.x.actors {
		c := &conn{x: l.x, actor: i}
		l.actors = append(l.actors, c)
		if err := l.openActor(c, a); err != nil {
			return err
		}
	}
	return nil
}

// fill makes the tables that the lane begins with.
func (l *lane) fill(like *schedule.Fixture) (err error) {
	l.base = like
	switch {
	case like != nil:
		return like.Rebuild(l.store)
	case l.x.restore != nil && !l.x.restore.Complex:
		err = l.x.restore.Rebuild(l.store)
	case l.x.restore != nil:
		err = l.x.restore.Restore(l.store)
	}
	if err == nil {
		l.base, err = schedule.TakeFixture(l.store)
	}
	l.x.before = l.base
	return err
}

func (l *lane) openActor(c *conn, a actor) error {
	isolation := a.isolation
	if isolation == "" {
		isolation = l.x.isolation
	}
	s, err := l.connect(a.name, isolation, nil)
	if err != nil {
		return err
	}
	c.s, c.face = s, value.NewSession(s)
	return l.bound(s)
}

// connect opens a session in the lane's database.
func (l *lane) connect(name, isolation string, autocommit *bool) (*session.Session, error) {
	if l.number > 0 {
		name = fmt.Sprintf("%s/%d", name, l.number+1)
	}
	s, err := l.x.t.Connect(scenario.ConnectOptions{Name: name, Target: l.x.target, Database: l.database, Isolation: isolation, Autocommit: autocommit, Pos: l.x.pos})
	if err != nil {
		return nil, err
	}
	if name == "setup" || strings.HasPrefix(name, "setup/") {
		_, err = s.Exec(l.x.own(), "SET foreign_key_checks = 0", nil)
	}
	return s, err
}

// bound sets the server's bound for waits where one is asked for.
func (l *lane) bound(s *session.Session) error {
	if l.x.lockWait == 0 {
		return nil
	}
	seconds := max(1, int(l.x.lockWait.Round(time.Second)/time.Second))
	_, err := s.Exec(l.x.own(), fmt.Sprintf("SET innodb_lock_wait_timeout = %d, lock_wait_timeout = %d", seconds, seconds), nil)
	return err
}

// prepare runs setup where once is enough.
func (l *lane) prepare(several bool) error {
	l.several, l.again = several, several && l.everyTime()
	if l.again {
		return nil // begin plays it
	}
	if err := l.play(l.x.setup); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	var err error
	if several {
		l.ready, err = schedule.TakeFixture(l.store)
	}
	return err
}

// everyTime reports whether DELETE and INSERT do not bring back what was there. For verdicts they never do: deleted records stay in
// the indexes until they are purged, and are locked like others.
func (l *lane) everyTime() bool {
	x := l.x
	if x.stops || len(x.functions) > 0 || x.setup.fn != nil || x.teardown.fn != nil {
		return true
	}
	for _, sql := range x.teardown.sql {
		if !schedule.Drops(sql) {
			return true
		}
	}
	for _, a := range x.actors {
		for _, s := range a.steps {
			if schedule.DDL(shown(s.do)) {
				return true
			}
		}
	}
	return false
}

// play runs setup or teardown on the lane's own session.
func (l *lane) play(s program) error {
	if s.fn != nil {
		_, err := starlark.Call(l.x.c.Thread, s.fn, starlark.Tuple{l.face}, nil)
		return err
	}
	for _, sql := range s.sql {
		if _, err := l.control.Exec(l.x.call(l.x.c.Name()), sql, nil); err != nil {
			return err
		}
	}
	return nil
}

// begin brings the database to where an order begins, and runs the sessions' own setup.
func (l *lane) begin() error {
	if err := l.restore(); err != nil {
		return fmt.Errorf("before an order: %w", err)
	}
	l.used = true
	for i, c := range l.actors {
		c.failed, c.undone = "", false
		for _, sql := range l.x.actors[i].setup {
			if _, err := c.s.Exec(l.x.call("setup of "+l.x.actors[i].name), sql, nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *lane) restore() error {
	switch {
	case l.again:
		if l.used {
			if err := l.rebuild(); err != nil {
				return err
			}
		}
		if err := l.play(l.x.setup); err != nil || l.ready != nil {
			return err
		}
		var err error
		l.ready, err = schedule.TakeFixture(l.store)
		return err
	case l.used:
		return l.ready.Restore(l.store)
	}
	return nil
}

// known is what the tables are, as far as it was looked at.
func (l *lane) known() *schedule.Fixture {
	if l.ready != nil {
		return l.ready
	}
	return l.base
}

// rebuild makes the tables again that the test had. Views, triggers and routines cannot be made again: then the rows alone are put
// back.
func (l *lane) rebuild() error {
	if l.base.Complex {
		return l.base.Restore(l.store)
	}
	return l.base.Rebuild(l.store)
}

// end gives the sessions back as they were, and tears down.
func (l *lane) end() error {
	for i, c := range l.actors {
		for _, sql := range l.x.actors[i].teardown {
			if _, err := c.s.Exec(l.x.call("teardown of "+l.x.actors[i].name), sql, nil); err != nil {
				return err
			}
		}
		if err := l.recycle(c); err != nil {
			return err
		}
	}
	if l.again {
		if err := l.play(l.x.teardown); err != nil {
			return fmt.Errorf("teardown: %w", err)
		}
	}
	return nil
}

// recycle makes a session fit for the next order; one that was lost gets a new connection.
func (l *lane) recycle(c *conn) error {
	before := c.s.Thread()
	err := c.s.Recycle(l.x.own())
	if c.s.Closed() {
		err = c.s.Reset(l.x.own())
	}
	if err == nil && c.s.Thread() != before {
		err = l.bound(c.s)
	}
	return err
}

// close ends the lanes: their sessions are closed, the copies of the database dropped.
func (x *experiment) close() error {
	var all []error
	for _, l := range x.lanes {
		all = append(all, l.close())
	}
	return errors.Join(all...)
}

func (l *lane) close() error {
	var all []error
	for _, c := range l.actors {
		if c.s != nil {
			all = append(all, c.s.Close())
		}
	}
	if l.control == nil {
		return errors.Join(all...)
	}
	if l.drop == nil && l.used && !l.control.Closed() {
		all = append(all, l.leave())
	}
	all = append(all, l.control.Close())
	if l.drop != nil {
		all = append(all, l.drop())
	}
	return errors.Join(all...)
}

// leave tears down, and after several orders gives the test's tables back what they had before.
func (l *lane) leave() error {
	if !l.again {
		if err := l.play(l.x.teardown); err != nil {
			return fmt.Errorf("teardown: %w", err)
		}
	}
	switch {
	case l.again:
		return l.rebuild()
	case l.several:
		return l.base.Restore(l.store)
	}
	return nil
}

// conns are the sessions in the order of the plan.
func (l *lane) conns() []schedule.Conn {
	out := make([]schedule.Conn, len(l.actors))
	for i, c := range l.actors {
		out[i] = c
	}
	return out
}
