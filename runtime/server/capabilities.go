package server

import (
	"fmt"
	"slices"
	"strings"

	"rig/runtime/fault"
)

// capability is one line of the table: where it is, by server and least version ("" any). absent servers lack it.
type capability struct {
	name, doc string
	mariadb   string
	mysql     string
	tidb      string
	dolt      string
	embedded  string
}

const (
	no    = "-"
	every = ""
)

// table tells which server can do what. The embedded engine's column was measured on go-mysql-server of 2026-03-06; TiDB's
// and MySQL's are from their manuals.
var table = []capability{
	{"transactions", "BEGIN, COMMIT and ROLLBACK are understood", every, every, every, every, every},
	{"rollback", "ROLLBACK undoes what the transaction wrote", every, every, every, every, no},
	{"isolation", "transactions are isolated from each other", every, every, every, every, no},
	{"read_uncommitted", "isolation level READ UNCOMMITTED", every, every, no, no, no},
	{"read_committed", "isolation level READ COMMITTED", every, every, every, no, no},
	{"repeatable_read", "isolation level REPEATABLE READ", every, every, every, every, no},
	{"serializable", "isolation level SERIALIZABLE", every, every, no, no, no},
	{"row_locks", "a transaction waits for rows that another has written", every, every, every, no, no},
	{"gap_locks", "locks on the gaps between rows", every, every, no, no, no},
	{"deadlock_detection", "a deadlock is ended by error 1213", every, every, every, no, no},
	{"savepoints", "SAVEPOINT, ROLLBACK TO, RELEASE", every, every, "6.2", every, no},
	{"snapshot", "START TRANSACTION WITH CONSISTENT SNAPSHOT takes the view at once", every, every, every, every, no},
	{"foreign_keys", "foreign keys are enforced", every, every, "8.5", every, every},
	{"check_constraints", "CHECK is enforced", "10.2", "8.0.16", "7.2", every, every},
	{"cte", "WITH, also recursive", "10.2", "8.0", "5.1", every, every},
	{"window_functions", "OVER (...)", "10.2", "8.0", every, every, every},
	{"skip_locked", "SELECT ... FOR UPDATE SKIP LOCKED", "10.6", "8.0", no, no, no},
	{"nowait", "SELECT ... FOR UPDATE NOWAIT", "10.3", "8.0", every, no, no},
	{"returning", "INSERT ... RETURNING", "10.5", no, no, no, no},
	{"sequences", "CREATE SEQUENCE", "10.3", no, every, no, no},
	{"load_data", "LOAD DATA LOCAL; the server's local_infile is on", every, every, every, every, every},
	{"stored_procedures", "CREATE PROCEDURE and CALL", every, every, no, every, every},
	{"triggers", "CREATE TRIGGER", every, every, no, every, every},
	{"user_locks", "GET_LOCK and RELEASE_LOCK", every, every, "6.2", every, every},
	{"kill_query", "KILL QUERY ends a running statement", every, every, every, every, every},
	{"seq_tables", "the sequence engine's seq_1_to_N", every, no, no, no, no},
}

// Capabilities tells what a server can do.
type Capabilities struct {
	typ, version string
	have         map[string]bool
}

// Names lists every capability with its meaning.
func Names() [][2]string {
	var out [][2]string
	for _, c := range table {
		out = append(out, [2]string{c.name, c.doc})
	}
	return append(out, [2]string{"throw_away", "the server was started for this run alone"}, [2]string{"server_control", "the server can be killed, paused and restarted"})
}

func capabilitiesOf(typ string, f found, kind string) *Capabilities {
	version := f.version
	c := &Capabilities{typ: typ, version: version, have: map[string]bool{}}
	for _, row := range table {
		since := map[string]string{MariaDB: row.mariadb, MySQL: row.mysql, TiDB: row.tidb, Dolt: row.dolt, Embedded: row.embedded}[typ]
		c.have[row.name] = since != no && (since == every || compare(version, since) >= 0)
	}
	c.have["load_data"] = c.have["load_data"] && f.infile
	c.have["throw_away"] = kind != DSN
	c.have["server_control"] = kind != DSN && kind != Embedded
	return c
}

// Has reports whether the server has a capability; an unknown name is none.
func (c *Capabilities) Has(name string) bool { return c.have[name] }

// List gives the capabilities that the server has, in order.
func (c *Capabilities) List() []string {
	var out []string
	for n, ok := range c.have {
		if ok {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// Check tests a requirement: a capability, or a server with an optional version such as "mariadb>=10.6" or "!embedded". why
// says what is lacking. A name that means nothing is an error.
func (c *Capabilities) Check(requirement string) (ok bool, why string, err error) {
	r := strings.TrimSpace(requirement)
	not := strings.HasPrefix(r, "!")
	name, op, version := splitRequirement(strings.TrimPrefix(r, "!"))
	known, isName := c.have[name]
	switch {
	case isName && op == "":
		ok = known
		why = fmt.Sprintf("needs %s, which %s lacks", name, c.server())
		if not {
			why = fmt.Sprintf("needs a server without %s, this is %s", name, c.server())
		}
	case slices.Contains(Kinds(), name):
		ok = name == c.typ && (op == "" || compareOp(compare(c.version, version), op))
		why = fmt.Sprintf("needs %s, this is %s", r, c.server())
	default:
		return false, "", unknownRequirement(requirement, name)
	}
	if ok != not {
		return true, "", nil
	}
	return false, why, nil
}

func unknownRequirement(requirement, name string) error {
	names := Kinds()
	for _, n := range Names() {
		names = append(names, n[0])
	}
	e := fault.New(fault.BadArgument, "requires", fmt.Sprintf("%q is no capability and no server", requirement))
	if near := fault.Suggest(name, names); near != "" {
		return e.WithHint(fmt.Sprintf("did you mean %q?", near))
	}
	return e.WithHint("there are " + strings.Join(names, ", "))
}

func (c *Capabilities) server() string {
	if c.typ == Embedded {
		return "the embedded engine"
	}
	return c.typ + " " + c.version
}

func splitRequirement(r string) (name, op, version string) {
	for _, op := range []string{">=", "<=", "==", "!=", ">", "<"} {
		if name, version, ok := strings.Cut(r, op); ok {
			return strings.TrimSpace(name), op, strings.TrimSpace(version)
		}
	}
	return r, "", ""
}

func compareOp(c int, op string) bool {
	switch op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case "==":
		return c == 0
	case "!=":
		return c != 0
	case ">":
		return c > 0
	}
	return c < 0
}
