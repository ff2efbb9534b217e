package session

import (
	"slices"
	"strings"

	"rig/runtime/event"
)

// Created is a table, view or database that a session made outside its own database.
type Created struct {
	What     string // "table", "view" or "database"
	Database string
	Name     string // "" of a database
	Pos      event.Pos
}

// maxCreated bounds what a session remembers.
const maxCreated = 100

// Created lists what the session made outside its own database and did not drop again, as far as its statements tell. A
// busy session is not asked.
func (s *Session) Created() []Created {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.busy {
		return nil
	}
	return slices.Clone(s.created)
}

// noteCreated follows CREATE and DROP of tables, views and databases. It must hold mu.
func (s *Session) noteCreated(st *statement) {
	verb, what, db, name := ddl(st.sql)
	if what == "" {
		return
	}
	own := s.opts.Database
	if what != "database" {
		if db == "" {
			db = s.database
		}
		if db == "" || strings.EqualFold(db, own) {
			return
		}
	}
	switch {
	case verb == "CREATE" && len(s.created) < maxCreated:
		s.created = append(s.created, Created{What: what, Database: db, Name: name, Pos: st.call.Pos})
	case verb == "DROP":
		kept := s.created[:0]
		for _, c := range s.created {
			gone := c.Database == db && (what == "database" || c.Name == name)
			if !gone {
				kept = append(kept, c)
			}
		}
		s.created = kept
	}
}

// ddl reads the beginning of CREATE or DROP {TABLE | VIEW | DATABASE}. what is "" for everything else, temporary tables too.
func ddl(sql string) (verb, what, db, name string) {
	l := lexer{sql: sql}
	verb = strings.ToUpper(l.name())
	if verb != "CREATE" && verb != "DROP" {
		return "", "", "", ""
	}
	for range 6 { // OR REPLACE, ALGORITHM = x and the like stand between
		switch strings.ToUpper(l.name()) {
		case "TEMPORARY":
			return "", "", "", ""
		case "TABLE":
			what = "table"
		case "VIEW":
			what = "view"
		case "DATABASE", "SCHEMA":
			what = "database"
		default:
			continue
		}
		break
	}
	if what == "" {
		return "", "", "", ""
	}
	name = l.name()
	for _, skip := range []string{"IF", "NOT", "EXISTS"} {
		if strings.EqualFold(name, skip) {
			name = l.name()
		}
	}
	if what == "database" {
		return verb, what, name, ""
	}
	if save := l; l.dot() {
		db, name = name, l.name()
	} else {
		l = save
	}
	return verb, what, db, name
}

// usedDatabase is the name after USE.
func usedDatabase(sql string) string {
	l := lexer{sql: sql}
	l.name()
	return l.name()
}

// name gives the next word or quoted name; marks between are passed over.
func (l *lexer) name() string {
	for {
		t, start, end := l.next()
		switch {
		case t == tokEnd:
			return ""
		case t == tokWord:
			return l.sql[start:end]
		case t == tokOther && end-start > 2 && (l.sql[start] == '`' || l.sql[start] == '"'):
			q := l.sql[start : start+1]
			for l.i < len(l.sql) && l.sql[l.i] == q[0] { // a doubled quote: two neighbours to the lexer
				_, _, end = l.next()
			}
			return strings.ReplaceAll(l.sql[start+1:end-1], q+q, q)
		}
	}
}

// dot takes a dot, if one comes next.
func (l *lexer) dot() bool {
	t, start, _ := l.next()
	return t == tokOther && l.sql[start] == '.'
}
