package scenario

import (
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/server"
)

// advise adds a hint where what a test met has a likely reason outside its own lines.
func (t *Test) advise(e *event.Error) {
	o := t.outermost()
	switch {
	case e.Hint != "" || o.target == nil:
	case e.Kind == string(fault.UnknownTable) && o.fixture != nil && o.fixture.function("setup_all") != nil:
		e.Hint = "each test has a database of its own, and so has setup_all: make tables in setup(t)"
	case e.Kind == "expectation" && o.sessionCount() > 1 && o.target.Server.Type() == server.Embedded:
		e.Hint = `several sessions on the embedded engine, which has no isolation and no row locks: --target mariadb has, requires = ["row_locks"] skips the file elsewhere`
	}
}

// sessionCount counts the test's sessions.
func (t *Test) sessionCount() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.sessions)
}
