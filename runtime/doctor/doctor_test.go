package doctor

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"rig/runtime/fault"
)

// fake is a server that answers from lists: errors by the beginning of the statement, the rest with nothing.
type fake struct {
	vars, status [][]string
	errs         map[string]error
	asked        []string
}

func (f *fake) Ask(sql string) ([][]string, error) {
	f.asked = append(f.asked, sql)
	for begin, err := range f.errs {
		if strings.HasPrefix(sql, begin) {
			return nil, err
		}
	}
	switch {
	case sql == "SELECT CURRENT_USER()":
		return [][]string{{"o'neil@work@10.%"}}, nil
	case sql == "SHOW VARIABLES":
		return f.vars, nil
	case sql == "SHOW GLOBAL STATUS":
		return f.status, nil
	case strings.HasPrefix(sql, "SELECT GET_LOCK"):
		return [][]string{{"1"}}, nil
	}
	return nil, nil
}

func denied(code int) error {
	e := fault.New(fault.AccessDenied, "", "no")
	e.Code = code
	return e
}

const user = `'o''neil@work'@'10.%'`

// healthy are settings that nothing is wrong with.
func healthy() [][]string {
	return [][]string{
		{"max_connections", "500"},
		{"max_allowed_packet", "67108864"},
		{"max_prepared_stmt_count", "16382"},
		{"transaction_isolation", "REPEATABLE-READ"},
		{"sql_mode", "STRICT_TRANS_TABLES"},
		{"autocommit", "ON"},
		{"local_infile", "ON"},
		{"read_only", "OFF"},
	}
}

func with(change ...[]string) [][]string {
	out := healthy()
	for _, c := range change {
		i := slices.IndexFunc(out, func(v []string) bool { return v[0] == c[0] })
		if i < 0 {
			out = append(out, c)
		} else {
			out[i] = c
		}
	}
	return out
}

func TestHealthy(t *testing.T) {
	f := &fake{vars: healthy()}
	found, err := Examine(f, Options{Flavor: "mariadb", Scratch: "rig_x"})
	if err != nil || Worst(found) != OK {
		t.Errorf("%v: %+v", err, found)
	}
	for _, want := range []string{"CREATE DATABASE `rig_x`", "INSERT INTO `rig_x`.probe (id, n) VALUES (1, 1)", "DROP DATABASE `rig_x`", "DO RELEASE_LOCK('rig_x')"} {
		if !slices.Contains(f.asked, want) {
			t.Errorf("%q was not asked", want)
		}
	}
}

// TestFindings: each thing wrong is told with its level and the statement that mends it.
func TestFindings(t *testing.T) {
	all := "GRANT ALL PRIVILEGES ON `rig\\_%`.* TO " + user
	for _, x := range []struct {
		name  string
		f     fake
		o     Options
		level Level
		topic string
		text  string
		fix   string
	}{
		{"connections", fake{vars: with([]string{"max_connections", "100"}), status: [][]string{{"Threads_connected", "80"}}}, Options{}, Warning, "max_connections", "100 connections at most, 80 in use", "SET GLOBAL max_connections = 500"},
		{"lacking", fake{}, Options{Flavor: "embedded", Lacks: []string{"row_locks", "xa"}}, Note, "lacks", "row_locks, xa", "--target mariadb"},
		{"lacking elsewhere", fake{}, Options{Flavor: "dolt", Lacks: []string{"row_locks", "xa"}}, Note, "lacks", "row_locks, xa", ""},
		{"no limit", fake{vars: with([]string{"max_connections", "0"})}, Options{}, OK, "max_connections", "any number of", ""},
		{"user's connections", fake{vars: with([]string{"max_user_connections", "5"})}, Options{}, Warning, "max_user_connections", "5 connections", "ALTER USER " + user + " WITH MAX_USER_CONNECTIONS 500"},
		{"packet", fake{vars: with([]string{"max_allowed_packet", "1048576"})}, Options{}, Warning, "max_allowed_packet", "1 MiB at most", "SET GLOBAL max_allowed_packet = 67108864"},
		{"prepared", fake{vars: with([]string{"max_prepared_stmt_count", "100"})}, Options{}, Warning, "max_prepared_stmt_count", "100 prepared", "SET GLOBAL max_prepared_stmt_count = 16382"},
		{"prepared on TiDB", fake{vars: with([]string{"max_prepared_stmt_count", "-1"})}, Options{Flavor: "tidb"}, OK, "max_prepared_stmt_count", "no limit", ""},
		{"lax", fake{vars: with([]string{"sql_mode", "ANSI_QUOTES"})}, Options{}, Warning, "sql_mode", "not strict", "SET GLOBAL sql_mode = 'ANSI_QUOTES,STRICT_TRANS_TABLES'"},
		{"no mode", fake{vars: with([]string{"sql_mode", ""})}, Options{}, Warning, "sql_mode", "not strict", "SET GLOBAL sql_mode = 'STRICT_TRANS_TABLES'"},
		{"autocommit", fake{vars: with([]string{"autocommit", "OFF"})}, Options{}, Warning, "autocommit", "inside a transaction", "SET GLOBAL autocommit = 1"},
		{"read only", fake{vars: with([]string{"read_only", "ON"})}, Options{}, Warning, "read_only", "administrators only", "SET GLOBAL read_only = 0"},
		{"super read only", fake{vars: with([]string{"super_read_only", "ON"})}, Options{}, Problem, "super_read_only", "takes no writes", "super_read_only = 0"},
		{"engine read only", fake{vars: with([]string{"innodb_read_only", "ON"})}, Options{}, Problem, "innodb_read_only", "takes no writes", "without innodb_read_only"},
		{"no files", fake{vars: with([]string{"local_infile", "OFF"})}, Options{}, Warning, "local_infile", "is refused", "SET GLOBAL local_infile = 1"},
		{"no detection", fake{vars: with([]string{"innodb_deadlock_detect", "OFF"})}, Options{}, Warning, "innodb_deadlock_detect", "1205", "SET GLOBAL innodb_deadlock_detect = 1"},
		{"snapshot", fake{vars: with([]string{"innodb_snapshot_isolation", "ON"})}, Options{}, Note, "innodb_snapshot_isolation", "1020", ""},
		{"log", fake{vars: with([]string{"general_log", "ON"})}, Options{}, Note, "speed", "general_log is on", ""},
		{"old isolation", fake{vars: [][]string{{"tx_isolation", "READ-COMMITTED"}}}, Options{}, OK, "isolation", "READ COMMITTED", ""},
		{"no variables", fake{errs: map[string]error{"SHOW": denied(1142)}}, Options{}, Note, "variables", "does not show", ""},
		{"no databases", fake{errs: map[string]error{"CREATE DATABASE": denied(1044)}}, Options{}, Problem, "databases", "may not create databases", all},
		{"no drop", fake{errs: map[string]error{"DROP DATABASE": denied(1044)}}, Options{Scratch: "rig_x"}, Problem, "databases", "rig_x is left there", "GRANT DROP ON `rig\\_%`.* TO " + user},
		{"some tables", fake{errs: map[string]error{"CREATE INDEX": denied(1142), "UPDATE": denied(1142)}}, Options{}, Problem, "databases", "lacks UPDATE, INDEX", "GRANT UPDATE, INDEX ON `rig\\_%`.* TO " + user},
		{"no tables", fake{errs: map[string]error{"CREATE TABLE": denied(1142), "INSERT": denied(1142)}}, Options{Database: "the_one"}, Problem, "databases", "lacks CREATE in", "GRANT CREATE ON `the\\_one`.* TO " + user},
		{"left", fake{errs: map[string]error{"DROP TABLE": denied(1142)}}, Options{Database: "d", Scratch: "x"}, Problem, "databases", "`d`.`x` is left there", "GRANT DROP ON `d`.* TO " + user},
		{"full disk", fake{errs: map[string]error{"CREATE DATABASE": fault.New(fault.ResourceExhausted, "", "disk full")}}, Options{}, Problem, "databases", "disk full", ""},
		{"no process", fake{errs: map[string]error{"SHOW ENGINE INNODB STATUS": denied(1227), "SELECT rt.PROCESSLIST_ID": denied(1142)}}, Options{Flavor: "mysql"}, Warning, "lock waits", "lacks PROCESS", "GRANT PROCESS ON *.* TO " + user},
		{"no locks", fake{errs: map[string]error{"SELECT GET_LOCK": errors.New("unknown function")}}, Options{}, Warning, "user locks", "GET_LOCK", ""},
	} {
		t.Run(x.name, func(t *testing.T) {
			if x.f.vars == nil {
				x.f.vars = healthy()
			}
			found, err := Examine(&x.f, x.o)
			if err != nil {
				t.Fatal(err)
			}
			ok := slices.ContainsFunc(found, func(f Finding) bool {
				return f.Level == x.level && f.Topic == x.topic && strings.Contains(f.Text, x.text) && strings.Contains(f.Fix, x.fix) && (x.fix != "" || f.Fix == "")
			})
			if !ok {
				t.Errorf("want %s %s %q fix %q among\n%+v", x.level, x.topic, x.text, x.fix, found)
			}
			if x.level == Problem && Worst(found) != Problem {
				t.Errorf("worst is %s", Worst(found))
			}
		})
	}
}

// TestLost: a connection that ends is an error at every step, and what was found before stays.
func TestLost(t *testing.T) {
	for _, at := range []string{"SELECT CURRENT", "SHOW VARIABLES", "SHOW GLOBAL", "CREATE DATABASE", "INSERT", "DROP DATABASE", "SHOW ENGINE", "SELECT GET_LOCK", "DO RELEASE"} {
		f := &fake{vars: healthy(), errs: map[string]error{at: io.ErrUnexpectedEOF}}
		found, err := Examine(f, Options{Flavor: "mariadb", Scratch: "rig_x"})
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%s: %v", at, err)
		}
		if at == "DO RELEASE" && len(found) < 7 {
			t.Errorf("what was found is lost: %+v", found)
		}
	}
}
