// Package doctor examines a server for what stands in the way of tests.
//
// [Examine] asks over a connection that is there already and gives [Finding]s, each with the statement that mends it. What it
// tries on the server is a database of its own, or a table in the one that the tests are to use, and is removed again.
package doctor

import (
	"fmt"
	"strings"

	"rig/runtime/fault"
)

// Asker runs a statement and gives its rows as texts; NULL is "NULL".
type Asker interface {
	Ask(sql string) ([][]string, error)
}

// Level says how much a finding matters.
type Level string

// The levels.
const (
	OK      Level = "ok"
	Note    Level = "note"    // good to know
	Warning Level = "warning" // some tests will not do what they seem to
	Problem Level = "problem" // rig cannot work
)

// Finding is one thing about a server. Fix is a statement, or a sentence where no statement does it; "" where nothing needs
// mending.
type Finding struct {
	Level Level  `json:"level"`
	Topic string `json:"topic"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"`
}

// Options of an examination. Flavor is mysql, mariadb, tidb, dolt or embedded. Scratch is a name that nothing has, for what
// is tried: of a database, or of a table where Database names the one that tests are to run in.
type Options struct {
	Flavor   string
	Scratch  string
	Database string
	Lacks    []string // abilities that tests may require and this server has not
}

// Examine looks at everything. The error is that of a connection that ended meanwhile.
func Examine(a Asker, o Options) ([]Finding, error) {
	e := &examination{Asker: a, Options: o, vars: map[string]string{}, status: map[string]string{}}
	for _, step := range []func() error{e.identity, e.read, e.abilities, e.limits, e.behaviour, e.speed, e.databases, e.waits, e.locks} {
		if err := step(); err != nil {
			return e.found, err
		}
	}
	return e.found, nil
}

// Worst is the highest level of the findings.
func Worst(found []Finding) Level {
	rank := map[Level]int{OK: 0, Note: 1, Warning: 2, Problem: 3}
	worst := OK
	for _, f := range found {
		if rank[f.Level] > rank[worst] {
			worst = f.Level
		}
	}
	return worst
}

// examination is one run.
type examination struct {
	Asker
	Options
	user   string // as GRANT wants it: 'tester'@'%'
	vars   map[string]string
	status map[string]string
	found  []Finding
}

func (e *examination) add(l Level, topic, fix, format string, args ...any) {
	e.found = append(e.found, Finding{Level: l, Topic: topic, Text: fmt.Sprintf(format, args...), Fix: fix})
}

// gone passes on errors after which there is no use in asking on; others are the server's answer.
func gone(err error) error {
	if fault.IsKind(err, fault.ConnectionLost, fault.ServerShutdown, fault.Cancelled, fault.SessionClosed, fault.Timeout) {
		return err
	}
	return nil
}

// identity finds the account that the server took the user for: its grants count, not those of the name that logged in.
func (e *examination) identity() error {
	rows, err := e.Ask("SELECT CURRENT_USER()")
	if err != nil || len(rows) == 0 {
		e.user = "CURRENT_USER()"
		return gone(err)
	}
	e.user = account(rows[0][0])
	return nil
}

// account writes user@host as statements do. The user may have an @, the host has none.
func account(s string) string {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return quote(s)
	}
	return quote(s[:i]) + "@" + quote(s[i+1:])
}

func quote(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", "''").Replace(s) + "'"
}

// read learns the variables and counters.
func (e *examination) read() error {
	for sql, into := range map[string]map[string]string{"SHOW VARIABLES": e.vars, "SHOW GLOBAL STATUS": e.status} {
		rows, err := e.Ask(sql)
		if err := gone(err); err != nil {
			return err
		}
		for _, r := range rows {
			if len(r) > 1 {
				into[strings.ToLower(r[0])] = r[1]
			}
		}
	}
	if len(e.vars) == 0 {
		e.add(Note, "variables", "", "the server does not show its variables: limits and settings were not looked at")
	}
	return nil
}
