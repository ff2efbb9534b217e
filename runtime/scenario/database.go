package scenario

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/script"
	"rig/runtime/session"
)

// databasePrefix begins every name that rig gives on a server, so that a grant on `rig\_%` is enough.
const databasePrefix = "rig_"

// LockName is the user lock that a run holds on a shared server while it lives; rig clean spares the names of such runs.
func LockName(run string) string { return databasePrefix + "run_" + run }

// admins are the sessions by which a run makes and drops databases, one target each; a few in turn, so that tests do not queue.
type admins struct {
	mu   sync.Mutex
	idle map[*Target][]*session.Session // guarded by mu
	all  []*session.Session             // guarded by mu
}

// with lends an admin session of the target to f.
func (a *admins) with(ctx context.Context, target *Target, f func(*session.Session) error) error {
	s, err := a.take(ctx, target)
	if err != nil {
		return err
	}
	err = f(s)
	a.mu.Lock()
	defer a.mu.Unlock()
	if !s.Closed() {
		a.idle[target] = append(a.idle[target], s)
	}
	return err
}

func (a *admins) take(ctx context.Context, target *Target) (*session.Session, error) {
	a.mu.Lock()
	if list := a.idle[target]; len(list) > 0 {
		s := list[len(list)-1]
		a.idle[target] = list[:len(list)-1]
		a.mu.Unlock()
		return s, nil
	}
	n := len(a.all) + 1
	a.mu.Unlock()
	s, err := target.Hub.Open(ctx, session.Options{Name: fmt.Sprintf("rig-admin%d", n)})
	if err != nil {
		return nil, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.all = append(a.all, s)
	return s, nil
}

func (a *admins) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.all {
		s.Close()
	}
}

// forget drops the sessions of a target that is gone.
func (a *admins) forget(target *Target) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, s := range a.idle[target] {
		s.Close()
	}
	delete(a.idle, target)
}

func adminCall(op string) session.Call { return session.Call{Op: op, Holder: "rig"} }

// createDatabase makes the next database of the run for t, or names the one that all tests share.
func (r *run) createDatabase(t *Test) (string, error) {
	if r.OneDatabase != "" {
		return r.OneDatabase, nil
	}
	name := fmt.Sprintf("%s%s_%d", databasePrefix, r.ID, r.nextDatabase.Add(1))
	// Announced before it is made: a run that dies in between must leave no name unknown to the ledger.
	r.emitDatabase(t, name, "create", nil)
	err := r.admins.with(t.Context(), t.target, func(s *session.Session) error {
		_, err := s.Exec(adminCall("create database"), "CREATE DATABASE `"+name+"`", nil)
		return err
	})
	if err != nil {
		r.emitDatabase(t, name, "drop", nil)
		return "", databaseError(name, err)
	}
	return name, nil
}

// dropDatabase removes t's database; one that stays is in the ledger.
func (r *run) dropDatabase(ctx context.Context, t *Test) error {
	t.mu.Lock()
	name := t.database
	t.database = ""
	t.mu.Unlock()
	if name == "" || r.OneDatabase != "" {
		return nil
	}
	if t.item.OwnServer { // it goes with its server, whatever state the test left that in
		r.emitDatabase(t, name, "drop", nil)
		return nil
	}
	err := r.admins.with(ctx, t.target, func(s *session.Session) error {
		_, err := s.Exec(adminCall("drop database"), "DROP DATABASE IF EXISTS `"+name+"`", nil)
		return err
	})
	if err != nil {
		r.emitDatabase(t, name, "drop", err)
		return fmt.Errorf("drop database %s: %w", name, err)
	}
	r.emitDatabase(t, name, "drop", nil)
	return nil
}

func (r *run) emitDatabase(t *Test, name, action string, err error) {
	d := &event.Database{Target: t.target.Name, What: "database", Name: name, Action: action}
	if err != nil {
		d.Error = script.Describe(err)
	}
	t.Emit(event.Pos{}, d)
}

// databaseError adds the way out when the user may not create databases.
func databaseError(name string, err error) error {
	c := fault.Classify(err)
	if c.Kind != fault.AccessDenied {
		return fmt.Errorf("create the test's database %s: %w", name, err)
	}
	return &GrantError{Name: name, Cause: err}
}

// GrantError tells that the user may not create the test's database, with the grant that would do.
type GrantError struct {
	Name  string
	Cause error
}

func (e *GrantError) Error() string {
	return fmt.Sprintf("create the test's database %s: %v", e.Name, e.Cause)
}

func (e *GrantError) Unwrap() error { return e.Cause }

// Report gives the form for reports.
func (e *GrantError) Report() *event.Error {
	c := fault.Classify(e.Cause)
	message := e.Error()
	var f *fault.Error
	if errors.As(e.Cause, &f) && f.Message != "" {
		message = fmt.Sprintf("create the test's database %s: %s", e.Name, f.Message) // code and state stand beside it
	}
	return &event.Error{
		Kind: string(c.Kind), Category: string(c.Category), Code: c.Code, SQLState: c.SQLState, Name: c.Name,
		Message: message,
		Hint:    "this is enough: GRANT ALL PRIVILEGES ON `rig\\_%`.* TO the user; or run inside one database: --one-database NAME",
	}
}

// findOneDatabase refuses a run inside a database that is not there: each of its tests would fail with it. A server that does
// not answer the question, such as a mock, is asked no further.
func (r *run) findOneDatabase(ctx context.Context) error {
	if r.OneDatabase == "" {
		return nil
	}
	target, err := r.Targets.Target(ctx, "")
	if err != nil {
		return err
	}
	return r.admins.with(ctx, target, func(s *session.Session) error {
		rows, err := s.Query(adminCall("find the database"), "SELECT schema_name FROM information_schema.schemata WHERE schema_name = '"+strings.ReplaceAll(r.OneDatabase, "'", "''")+"'", nil)
		if err != nil || rows.Len() > 0 {
			return nil
		}
		e := fault.New(fault.UnknownDatabase, "", fmt.Sprintf("there is no database %q on %s, or none that the user may use", r.OneDatabase, target.Name))
		return e.WithHint("--one-database names a database that exists already: create it, or check the name")
	})
}

// tablesOf lists the tables and views of a database, for runs inside one database.
func tablesOf(s *session.Session, database string) (map[string]string, error) {
	rows, err := s.Query(adminCall("list tables"), "SELECT table_name, table_type FROM information_schema.tables WHERE table_schema = '"+strings.ReplaceAll(database, "'", "''")+"'", nil)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	for i := range rows.Len() {
		name, _ := rows.Cell(i, 0).(string)
		kind, _ := rows.Cell(i, 1).(string)
		out[name] = kind
	}
	return out, nil
}

// sweepOneDatabase drops what the test made in the database that all tests share.
func (r *run) sweepOneDatabase(ctx context.Context, t *Test, before map[string]string) error {
	return r.admins.with(ctx, t.target, func(s *session.Session) error {
		now, err := tablesOf(s, r.OneDatabase)
		if err != nil {
			return err
		}
		var drops []string
		for name, kind := range now {
			if _, had := before[name]; had {
				continue
			}
			what := "TABLE"
			if kind == "VIEW" {
				what = "VIEW"
			}
			drops = append(drops, fmt.Sprintf("DROP %s IF EXISTS %s.%s", what, quoteName(r.OneDatabase), quoteName(name)))
		}
		if len(drops) == 0 {
			return nil
		}
		if _, err := s.Exec(adminCall("drop tables"), "SET foreign_key_checks = 0", nil); err != nil {
			return err
		}
		for _, d := range drops {
			if _, err := s.Exec(adminCall("drop tables"), d, nil); err != nil {
				return err
			}
		}
		return nil
	})
}

func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }
