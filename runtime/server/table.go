package server

// capability is one line of the table: which servers have it, since which version.
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
	every = "" // every version that rig may meet
)

// table tells which server can do what. The columns of MariaDB (10.11) and of the embedded engine (go-mysql-server of
// 2026-03-06) are measured: a test asks both. Versions, and the columns of MySQL, TiDB and Dolt, are from their manuals.
//
// The embedded engine undoes with ROLLBACK and hides what is not committed, but COMMIT writes back whole tables, so that
// what others committed meanwhile is lost: it has transactions and no isolation level. It parses FOR UPDATE and locks
// nothing.
func table() []capability {
	return []capability{
		{"transactions", "COMMIT keeps and ROLLBACK undoes what a transaction wrote", every, every, every, every, every},
		{"rollback", "the same, by another name", every, every, every, every, every},
		{"isolation", "nothing is lost when two transactions write different rows of one table", every, every, every, every, no},
		{"read_uncommitted", "isolation level READ UNCOMMITTED", every, every, no, no, no},
		{"read_committed", "isolation level READ COMMITTED", every, every, every, no, no},
		{"repeatable_read", "isolation level REPEATABLE READ", every, every, every, every, no},
		{"serializable", "isolation level SERIALIZABLE", every, every, no, no, no},
		{"snapshot", "START TRANSACTION WITH CONSISTENT SNAPSHOT takes its view at once", every, every, every, every, no},
		{"savepoints", "SAVEPOINT, ROLLBACK TO, RELEASE", every, every, "6.2", every, no},
		{"row_locks", "a transaction waits for rows that another has written", every, every, every, no, no},
		{"gap_locks", "locks on the gaps between rows", every, every, no, no, no},
		{"deadlock_detection", "a deadlock is ended by error 1213", every, every, every, no, no},
		{"skip_locked", "SELECT ... FOR UPDATE SKIP LOCKED", "10.6", "8.0", no, no, no},
		{"nowait", "SELECT ... FOR UPDATE NOWAIT", "10.3", "8.0", every, no, no},
		{"user_locks", "GET_LOCK and RELEASE_LOCK", every, every, "6.2", every, every},
		{"foreign_keys", "foreign keys are enforced", every, every, "8.5", every, every},
		{"check_constraints", "CHECK is enforced", "10.2", "8.0.16", "7.2", every, every},
		{"cte", "WITH, also recursive", "10.2", "8.0", "5.1", every, every},
		{"window_functions", "OVER (...)", "10.2", "8.0", every, every, every},
		{"json", "JSON columns and functions", "10.2", "5.7", every, every, every},
		{"returning", "INSERT ... RETURNING", "10.5", no, no, no, every},
		{"sequences", "CREATE SEQUENCE", "10.3", no, every, no, no},
		{"sequence_tables", "tables seq_1_to_N that nobody has made", every, no, no, no, no},
		{"stored_procedures", "CREATE PROCEDURE and CALL", every, every, no, every, every},
		{"triggers", "CREATE TRIGGER", every, every, no, every, every},
		{"load_data", "LOAD DATA LOCAL; also asked of the server, whose local_infile must be on", every, every, every, every, every},
		{"quoted_load", "LOAD DATA keeps a line break inside quotes, and a text that is the word NULL", every, every, every, no, no},
		{"generated_columns", "columns computed from others, VIRTUAL and STORED, also indexed", "10.2", "5.7", every, every, every},
		{"fulltext", "FULLTEXT indexes and MATCH ... AGAINST", every, every, no, every, every},
		{"partitions", "PARTITION BY puts each row where it belongs and refuses one that belongs nowhere", every, every, every, no, no},
		{"temporary_tables", "CREATE TEMPORARY TABLE, seen by its session alone", every, every, "5.3", every, no},
		{"metadata_locks", "DDL waits for transactions that have used the table", every, every, "6.5", no, no},
		{"instant_ddl", "ALGORITHM=INSTANT adds a column, and is refused where it cannot serve", "10.3", "8.0.12", every, no, no},
		{"read_only_transactions", "a READ ONLY transaction refuses to write, by error 1792", every, every, no, every, no},
		{"xa", "XA START, PREPARE, COMMIT", every, every, no, no, no},
		{"error_codes", "what DDL and data refuse carries the number of its own from the manual, not 1105", every, every, every, no, no},
		{"large_tables", "20,000 rows are written in three seconds", every, every, every, every, no},
		{"kill", "KILL QUERY ends a running statement, KILL a connection", every, every, every, every, every},
	}
}

// Two capabilities belong to how the server was had, whatever it is.
const (
	throwAway     = "throw_away"
	serverControl = "server_control"
)

// Names lists every capability with its meaning, in the order of the documentation.
func Names() [][2]string {
	var out [][2]string
	for _, c := range table() {
		out = append(out, [2]string{c.name, c.doc})
	}
	return append(out,
		[2]string{throwAway, "the server was started for this run alone"},
		[2]string{serverControl, "the server can be killed, paused and restarted"})
}

// since gives the version from which a type of server has the capability, or no.
func (c capability) since(typ string) string {
	switch typ {
	case MariaDB:
		return c.mariadb
	case MySQL:
		return c.mysql
	case TiDB:
		return c.tidb
	case Dolt:
		return c.dolt
	case Embedded:
		return c.embedded
	}
	return no
}
