package doctor

import (
	"strings"

	"rig/runtime/fault"
	"rig/runtime/wait"
)

// attempt is a statement that needs a privilege.
type attempt struct{ privilege, sql string }

// attempts are made in this order in the scratch database; %s is the scratch table.
var attempts = []attempt{
	{"CREATE", "CREATE TABLE %s (id INT PRIMARY KEY, n INT)"},
	{"INSERT", "INSERT INTO %s (id, n) VALUES (1, 1)"},
	{"SELECT", "SELECT id FROM %s"},
	{"UPDATE", "UPDATE %s SET n = 2"},
	{"DELETE", "DELETE FROM %s"},
	{"INDEX", "CREATE INDEX by_n ON %s (n)"},
	{"ALTER", "ALTER TABLE %s ADD COLUMN m INT"},
	{"DROP", "DROP TABLE %s"},
}

// quoteName writes a name as statements do.
func quoteName(s string) string { return "`" + strings.ReplaceAll(s, "`", "``") + "`" }

// grantOn is the pattern that rig's own databases are granted by, or the one database.
func (e *examination) grantOn() string {
	if e.Database != "" {
		return strings.NewReplacer("_", `\_`, "%", `\%`).Replace(quoteName(e.Database)) + ".*"
	}
	return "`rig\\_%`.*"
}

// databases tries what each test does: a database of its own, tables in it, and their end.
func (e *examination) databases() error {
	if e.Flavor == "embedded" {
		e.add(OK, "databases", "", "the embedded engine has no privileges: everything is allowed")
		return nil
	}
	if e.Database != "" {
		return e.tables(quoteName(e.Database) + "." + quoteName(e.Scratch))
	}
	if _, err := e.Ask("CREATE DATABASE " + quoteName(e.Scratch)); err != nil {
		if !fault.IsKind(err, fault.AccessDenied) {
			e.add(Problem, "databases", "", "a database could not be created: %v", err)
			return gone(err)
		}
		e.add(Problem, "databases", "GRANT ALL PRIVILEGES ON "+e.grantOn()+" TO "+e.user,
			"%s may not create databases named rig_..., of which each test gets one (or run inside one database: --one-database NAME)", e.user)
		return nil
	}
	if err := e.tables(quoteName(e.Scratch) + ".probe"); err != nil {
		return err
	}
	if _, err := e.Ask("DROP DATABASE " + quoteName(e.Scratch)); err != nil {
		e.add(Problem, "databases", "GRANT DROP ON "+e.grantOn()+" TO "+e.user, "%s may not drop what it created: the database %s is left there", e.user, e.Scratch)
		return gone(err)
	}
	return nil
}

// tables makes the attempts. After one that failed those that need it fail too, and are not told.
func (e *examination) tables(table string) error {
	var missing []string
	for _, a := range attempts {
		_, err := e.Ask(strings.ReplaceAll(a.sql, "%s", table))
		switch {
		case err == nil:
			continue
		case !fault.IsKind(err, fault.AccessDenied):
			e.add(Problem, "tables", "", "%s: %v", a.sql[:strings.IndexByte(a.sql, ' ')], err)
			return gone(err)
		}
		missing = append(missing, a.privilege)
		if a.privilege == "CREATE" {
			break
		}
	}
	if missing == nil {
		e.add(OK, "databases", "", "%s may create, fill and drop what tests need in %s", e.user, e.grantOn())
		return nil
	}
	fix := "GRANT " + strings.Join(missing, ", ") + " ON " + e.grantOn() + " TO " + e.user
	left := ""
	if e.Database != "" && missing[len(missing)-1] == "DROP" {
		left = ": the table " + table + " is left there"
	}
	e.add(Problem, "databases", fix, "%s lacks %s in %s%s", e.user, strings.Join(missing, ", "), e.grantOn(), left)
	return nil
}

// waits finds out how the server tells who waits for a lock.
func (e *examination) waits() error {
	w, err := wait.Choose(e.Asker, e.Flavor)
	switch {
	case err != nil:
		e.add(Note, "lock waits", "", "who waits for a lock cannot be asked: %v", err)
		return gone(err)
	case w.Missing() == "":
		e.add(OK, "lock waits", "", "noticed by: %s", w.Way())
	case w.PerThread():
		e.add(Note, "lock waits", w.Fix(e.user), "noticed by: %s; %s", w.Way(), w.Missing())
	default:
		e.add(Warning, "lock waits", w.Fix(e.user), "noticed by: %s; %s", w.Way(), strings.Replace(w.Missing(), "the user", e.user, 1))
	}
	return nil
}

// locks tries the lock that keeps rig clean away from runs that are alive.
func (e *examination) locks() error {
	rows, err := e.Ask("SELECT GET_LOCK(" + quote(e.Scratch) + ", 0)")
	if err != nil || len(rows) == 0 || rows[0][0] != "1" {
		e.add(Warning, "user locks", "", "GET_LOCK does not work: rig clean --all-mine cannot tell runs that are alive")
		return gone(err)
	}
	_, err = e.Ask("DO RELEASE_LOCK(" + quote(e.Scratch) + ")")
	return gone(err)
}
