package scenario

import (
	"context"

	"rig/runtime/session"
)

// Root is the test itself, of a subtest the outermost: what it opens and counts is one for all of them.
func (t *Test) Root() *Test { return t.outermost() }

// RunID names the run, as in the names of its databases.
func (t *Test) RunID() string { return t.run.ID }

// Drops reports whether the database is the test's own and goes when the clean-up ends that now runs: not after a subtest, and not
// in a run inside one database.
func (t *Test) Drops(database string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.parent == nil && database != "" && database == t.database && t.run.OneDatabase == ""
}

// SessionConfig is how sessions of the test's target are opened, for servers of the test's own that are to have the same bounds.
func (t *Test) SessionConfig() session.Config { return t.target.Hub.Config() }

// SessionOptions are those of a session that belongs to the test.
func (t *Test) SessionOptions(name string) session.Options {
	return session.Options{Name: t.outermost().sessionName(name), Test: t.id, Parent: t.event}
}

// Adopt makes a session from elsewhere the test's own: it is interrupted, looked at for leaks, and closed with the test's others.
// release is called after it was closed.
func (t *Test) Adopt(s *session.Session, release func()) {
	o := t.outermost()
	o.mu.Lock()
	o.sessions = append(o.sessions, s)
	o.releases = append(o.releases, release)
	o.mu.Unlock()
	if ctx := t.Context(); ctx.Err() != nil { // the test ended meanwhile: nobody else would interrupt this one
		s.Interrupt(context.Cause(ctx))
	}
}

// release gives back what came with adopted sessions, which are closed.
func (t *Test) release() {
	t.mu.Lock()
	all := t.releases
	t.releases = nil
	t.mu.Unlock()
	for _, f := range all {
		f()
	}
}
