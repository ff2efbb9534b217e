package session

import (
	"fmt"
	"strings"

	"rig/runtime/fault"
)

// protection keeps scripts out of databases that rig did not make.
type protection struct {
	target  string
	foreign map[string]bool // lower case
	allowed func(database string) bool
}

// Protect makes every session of a test refuse statements that name one of the databases, or that make or drop a database,
// where allowed does not say yes. It reads the statements, so what a procedure does on the server it does not see.
func (h *Hub) Protect(databases []string, allowed func(database string) bool) {
	p := &protection{target: h.cfg.Target, foreign: map[string]bool{}, allowed: allowed}
	for _, d := range databases {
		p.foreign[strings.ToLower(d)] = true
	}
	h.protection.Store(p)
}

// protected refuses a statement of a test's session.
func (s *Session) protected(c *Call, sql string) *fault.Error {
	p := s.hub.protection.Load()
	if p == nil || s.opts.Test == "" || sql == s.passed {
		return nil
	}
	if db := p.touched(sql); db != "" {
		e := fault.New(fault.Refused, c.Op, fmt.Sprintf("rig does not touch database %q on %s: it did not create it", db, p.target))
		e.Session, e.SQL = s.name, sql
		return e.WithHint("allow it by name: --allow-database " + db)
	}
	s.passed = sql
	return nil
}

// touched gives the first database that the statement names and may not, "" when there is none.
func (p *protection) touched(sql string) string {
	if _, what, db, _ := ddl(sql); what == "database" && !p.allowed(db) {
		return db
	}
	if classify(sql).uses {
		if db := usedDatabase(sql); !p.allowed(db) {
			return db
		}
	}
	l := lexer{sql: sql}
	for {
		name := l.name()
		if name == "" {
			return ""
		}
		if save := l; l.dot() {
			if p.foreign[strings.ToLower(name)] && !p.allowed(name) {
				return name
			}
			l.name() // the table: a column after it is no database
		} else {
			l = save
		}
	}
}
