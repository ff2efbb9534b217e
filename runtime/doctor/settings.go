package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// number gives a variable or counter as one; false where the server has none of that name.
func number(of map[string]string, name string) (int64, bool) {
	n, err := strconv.ParseInt(of[name], 10, 64)
	return n, err == nil
}

// on reports whether a switch is on; known is false where the server has none of that name.
func (e *examination) on(name string) (is, known bool) {
	switch strings.ToUpper(e.vars[name]) {
	case "ON", "1":
		return true, true
	case "OFF", "0":
		return false, true
	}
	return false, false
}

// The least that tests are comfortable with: a session or two for each of some tens of tests, the text of a batch of 1000
// rows, 64 statements prepared on each session.
const (
	fewConnections = 50
	smallPacket    = 4 << 20
	fewStatements  = 64 * fewConnections
)

// The embedded engine shows variables of a real server and heeds few of them: those are not told.
const embedded = "embedded"

// abilities tells what tests must do without.
func (e *examination) abilities() error {
	if len(e.Lacks) == 0 {
		return nil
	}
	fix := ""
	if e.Flavor == embedded {
		fix = `rig doctor --target mariadb has them; requires = ["row_locks"] skips a test elsewhere`
	}
	e.add(Note, "lacks", fix, "%s", strings.Join(e.Lacks, ", "))
	return nil
}

func (e *examination) limits() error {
	if e.Flavor == embedded {
		return nil
	}
	if most, ok := number(e.vars, "max_connections"); ok {
		used, _ := number(e.status, "threads_connected")
		if most > 0 && most-used < fewConnections { // TiDB's 0 is no limit
			e.add(Warning, "max_connections", "SET GLOBAL max_connections = 500", "%d connections at most, %d in use: tests with many sessions will be refused with error 1040", most, used)
		} else {
			e.add(OK, "max_connections", "", "%s connections at most, %d in use", orNone(most), used)
		}
	}
	if most, ok := number(e.vars, "max_user_connections"); ok && most > 0 && most < fewConnections {
		e.add(Warning, "max_user_connections", "ALTER USER "+e.user+" WITH MAX_USER_CONNECTIONS 500", "the user may have %d connections at most", most)
	}
	if size, ok := number(e.vars, "max_allowed_packet"); ok {
		if size < smallPacket {
			e.add(Warning, "max_allowed_packet", fmt.Sprintf("SET GLOBAL max_allowed_packet = %d", 64<<20), "statements and rows have %s at most: bulk inserts become many small ones", bytes(size))
		} else {
			e.add(OK, "max_allowed_packet", "", "statements and rows have %s at most", bytes(size))
		}
	}
	if most, ok := number(e.vars, "max_prepared_stmt_count"); ok {
		used, _ := number(e.status, "prepared_stmt_count")
		switch {
		case most < 0: // TiDB: no limit
			e.add(OK, "max_prepared_stmt_count", "", "no limit on prepared statements")
		case most-used < fewStatements:
			e.add(Warning, "max_prepared_stmt_count", "SET GLOBAL max_prepared_stmt_count = 16382", "%d prepared statements at most on the whole server, %d in use: rig keeps up to 64 on each session", most, used)
		default:
			e.add(OK, "max_prepared_stmt_count", "", "%d prepared statements at most, %d in use", most, used)
		}
	}
	return nil
}

func orNone(n int64) string {
	if n == 0 {
		return "any number of"
	}
	return strconv.FormatInt(n, 10)
}

func bytes(n int64) string {
	switch {
	case n >= 1<<20 && n%(1<<20) == 0:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 1<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d bytes", n)
}

// behaviour looks at what decides how statements mean.
func (e *examination) behaviour() error {
	if level := first(e.vars["transaction_isolation"], e.vars["tx_isolation"]); level != "" && e.Flavor != embedded {
		e.add(OK, "isolation", "", "sessions begin at %s", strings.ReplaceAll(level, "-", " "))
	}
	e.sqlMode()
	if is, known := e.on("autocommit"); known && !is {
		e.add(Warning, "autocommit", "SET GLOBAL autocommit = 1", "sessions begin inside a transaction: what a test writes stays open")
	}
	e.readOnly()
	if is, known := e.on("local_infile"); known && !is {
		e.add(Warning, "local_infile", "SET GLOBAL local_infile = 1", "conn.load_data is refused: local_infile is off")
	} else if known {
		e.add(OK, "local_infile", "", "conn.load_data may send files")
	}
	if is, known := e.on("innodb_deadlock_detect"); known && !is {
		e.add(Warning, "innodb_deadlock_detect", "SET GLOBAL innodb_deadlock_detect = 1", "deadlocks are not found: they end by lock_wait_timeout (1205), not by 1213")
	}
	if is, _ := e.on("innodb_snapshot_isolation"); is {
		e.add(Note, "innodb_snapshot_isolation", "", "a row changed since the snapshot ends the transaction with error 1020, kind serialization")
	}
	if is, _ := e.on("innodb_rollback_on_timeout"); is {
		e.add(Note, "innodb_rollback_on_timeout", "", "error 1205 ends the transaction here, not the statement alone")
	}
	return nil
}

// readOnly tells a server that takes no writes. Plain read_only lets some users pass: what they may do is tried elsewhere.
func (e *examination) readOnly() {
	if is, _ := e.on("innodb_read_only"); is {
		e.add(Problem, "innodb_read_only", "start the server without innodb_read_only", "the server takes no writes (innodb_read_only is on)")
		return
	}
	if is, _ := e.on("super_read_only"); is {
		e.add(Problem, "super_read_only", "connect to the primary, or SET GLOBAL super_read_only = 0, read_only = 0", "the server takes no writes (super_read_only is on)")
		return
	}
	if is, _ := e.on("read_only"); is {
		e.add(Warning, "read_only", "connect to the primary, or SET GLOBAL read_only = 0", "the server takes writes from administrators only (read_only is on)")
	}
}

func first(texts ...string) string {
	for _, s := range texts {
		if s != "" {
			return s
		}
	}
	return ""
}

func (e *examination) sqlMode() {
	mode, known := e.vars["sql_mode"]
	if !known {
		return
	}
	if !strings.Contains(mode, "STRICT_") && !strings.Contains(mode, "TRADITIONAL") {
		want := "STRICT_TRANS_TABLES"
		if mode != "" {
			want = mode + "," + want
		}
		e.add(Warning, "sql_mode", "SET GLOBAL sql_mode = '"+want+"'", "not strict: values that do not fit are changed with a warning and no error")
		return
	}
	e.add(OK, "sql_mode", "", "strict: %s", mode)
}

// speed notes what makes figures differ from another server's.
func (e *examination) speed() error {
	if e.Flavor == embedded {
		return nil
	}
	for _, name := range []string{"general_log", "log_slow_query", "slow_query_log", "innodb_print_all_deadlocks"} {
		if is, _ := e.on(name); is {
			e.add(Note, "speed", "", "%s is on: it costs time with each statement it writes", name)
		}
	}
	if n, ok := number(e.vars, "innodb_flush_log_at_trx_commit"); ok {
		what := map[int64]string{0: "written once a second: fast, and a crash loses the last second", 1: "synced at each commit: the disk bounds commits per second", 2: "written at each commit and synced once a second"}[n]
		e.add(Note, "speed", "", "the log is %s (innodb_flush_log_at_trx_commit = %d)", first(what, "kept in another way"), n)
	}
	if n, ok := number(e.vars, "sync_binlog"); ok && n == 1 {
		if is, _ := e.on("log_bin"); is {
			e.add(Note, "speed", "", "the binary log is synced at each commit (sync_binlog = 1)")
		}
	}
	if n, ok := number(e.vars, "innodb_buffer_pool_size"); ok {
		e.add(Note, "speed", "", "the buffer pool has %s (innodb_buffer_pool_size)", bytes(n))
	}
	if is, _ := e.on("performance_schema"); is {
		e.add(Note, "speed", "", "performance_schema is on: statements cost a little more, and who waits for whom can be asked")
	}
	return nil
}
