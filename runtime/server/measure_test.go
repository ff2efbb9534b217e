package server

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// trial is two connections in one new database with a table t (id, v; rows 1 and 5).
type trial struct {
	t    *testing.T
	db   *sql.DB
	a, b client
}

// measures are the capabilities, each as a question that a server answers by what it does.
var measures = map[string]func(trial) bool{
	"transactions": func(x trial) bool {
		x.a.exec("BEGIN", "INSERT INTO t VALUES (2, 2)", "ROLLBACK", "BEGIN", "INSERT INTO t VALUES (3, 3)", "COMMIT")
		return x.b.get("SELECT id FROM t ORDER BY id") == "1,3,5"
	},
	"isolation": func(x trial) bool { return x.nothingLost() },
	"read_uncommitted": func(x trial) bool {
		x.level("READ UNCOMMITTED")
		x.b.exec("BEGIN")
		x.a.exec("BEGIN", "INSERT INTO t VALUES (2, 2)")
		return x.b.get("SELECT COUNT(*) FROM t") == "3"
	},
	"read_committed": func(x trial) bool {
		x.level("READ COMMITTED")
		return x.reread() == "2 3"
	},
	"repeatable_read": func(x trial) bool {
		x.level("REPEATABLE READ")
		return x.reread() == "2 2" && x.nothingLost()
	},
	"serializable": func(x trial) bool {
		x.level("SERIALIZABLE")
		x.b.exec("BEGIN")
		x.b.get("SELECT * FROM t")
		return code(x.atOnce(x.a, "UPDATE t SET v = 9 WHERE id = 1")) == 1205
	},
	"snapshot": func(x trial) bool {
		x.b.exec("START TRANSACTION WITH CONSISTENT SNAPSHOT")
		x.a.exec("INSERT INTO t VALUES (2, 2)")
		return x.b.get("SELECT COUNT(*) FROM t") == "2"
	},
	"savepoints": func(x trial) bool {
		x.a.exec("BEGIN")
		if x.a.try("SAVEPOINT s") != nil {
			return false
		}
		x.a.exec("INSERT INTO t VALUES (2, 2)", "ROLLBACK TO s", "COMMIT")
		return x.a.get("SELECT COUNT(*) FROM t") == "2"
	},
	"row_locks": func(x trial) bool {
		x.a.exec("BEGIN", "UPDATE t SET v = 2 WHERE id = 1")
		return code(x.atOnce(x.b, "UPDATE t SET v = 3 WHERE id = 1")) == 1205
	},
	"gap_locks": func(x trial) bool {
		x.a.exec("BEGIN")
		x.a.get("SELECT * FROM t WHERE id BETWEEN 2 AND 4 FOR UPDATE")
		return code(x.atOnce(x.b, "INSERT INTO t VALUES (3, 3)")) == 1205
	},
	"deadlock_detection": func(x trial) bool {
		x.a.exec("BEGIN", "UPDATE t SET v = 2 WHERE id = 1")
		x.b.exec("BEGIN", "UPDATE t SET v = 2 WHERE id = 5")
		first := make(chan error, 1)
		go func() { first <- x.a.try("UPDATE t SET v = 3 WHERE id = 5") }()
		second := x.b.try("UPDATE t SET v = 3 WHERE id = 1")
		if code(second) == 1213 {
			x.b.exec("ROLLBACK")
		}
		return code(<-first) == 1213 || code(second) == 1213
	},
	"skip_locked": func(x trial) bool {
		x.a.exec("BEGIN", "UPDATE t SET v = 2 WHERE id = 1")
		x.b.exec("BEGIN")
		got, err := x.b.ask("SELECT id FROM t FOR UPDATE SKIP LOCKED")
		return err == nil && got == "5"
	},
	"nowait": func(x trial) bool {
		x.a.exec("BEGIN", "UPDATE t SET v = 2 WHERE id = 1")
		x.b.exec("BEGIN")
		_, err := x.b.ask("SELECT id FROM t FOR UPDATE NOWAIT")
		return code(err) == 1205 || code(err) == 3572
	},
	"user_locks": func(x trial) bool {
		return x.a.get("SELECT GET_LOCK('x', 0)") == "1" && x.b.get("SELECT GET_LOCK('x', 0.01)") == "0" &&
			x.a.get("SELECT RELEASE_LOCK('x')") == "1" && x.b.get("SELECT GET_LOCK('x', 0)") == "1"
	},
	"foreign_keys": func(x trial) bool {
		x.a.exec("CREATE TABLE f (id INT PRIMARY KEY, t INT, FOREIGN KEY (t) REFERENCES t (id))")
		return x.a.try("INSERT INTO f VALUES (1, 99)") != nil && x.a.try("INSERT INTO f VALUES (1, 1)") == nil
	},
	"check_constraints": func(x trial) bool {
		x.a.exec("CREATE TABLE k (v INT CHECK (v > 0))")
		return x.a.try("INSERT INTO k VALUES (0)") != nil && x.a.try("INSERT INTO k VALUES (1)") == nil
	},
	"cte": func(x trial) bool {
		return x.says("WITH RECURSIVE n AS (SELECT 1 i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT SUM(i) FROM n", "6")
	},
	"window_functions": func(x trial) bool {
		return x.says("SELECT id, ROW_NUMBER() OVER (ORDER BY id DESC) FROM t ORDER BY id", "1 2,5 1")
	},
	"json": func(x trial) bool {
		x.a.exec("CREATE TABLE j (v JSON)", `INSERT INTO j VALUES ('{"a": 1}')`)
		return x.says("SELECT JSON_EXTRACT(v, '$.a') FROM j", "1")
	},
	"returning": func(x trial) bool { return x.says("INSERT INTO t VALUES (7, 8) RETURNING v", "8") },
	"sequences": func(x trial) bool {
		return x.a.try("CREATE SEQUENCE s") == nil && x.says("SELECT NEXT VALUE FOR s", "1")
	},
	"sequence_tables": func(x trial) bool { return x.says("SELECT * FROM seq_1_to_3", "1,2,3") },
	"stored_procedures": func(x trial) bool {
		x.a.exec("CREATE PROCEDURE pr() INSERT INTO t VALUES (7, 7)", "CALL pr()")
		return x.says("SELECT COUNT(*) FROM t", "3")
	},
	"triggers": func(x trial) bool {
		x.a.exec("CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET NEW.v = 42", "INSERT INTO t VALUES (7, 7)")
		return x.says("SELECT v FROM t WHERE id = 7", "42")
	},
	"load_data": func(x trial) bool {
		return x.load("8\t8\n9\t9\n", "t", "") == nil && x.says("SELECT COUNT(*) FROM t", "4")
	},
	"quoted_load": func(x trial) bool {
		x.a.exec("CREATE TABLE q (s VARCHAR(20))", "CREATE TABLE n (s VARCHAR(20))")
		return x.load("\"a\nb\"\n", "q", `FIELDS OPTIONALLY ENCLOSED BY '"'`) == nil && x.load("NULL\n", "n", "") == nil &&
			x.says("SELECT COUNT(*), MAX(LENGTH(s)) FROM q", "1 3") && x.says("SELECT COUNT(s) FROM n", "1")
	},
	"generated_columns": func(x trial) bool {
		x.a.exec("CREATE TABLE g (a INT, v INT AS (a * 2) VIRTUAL, s INT AS (a + 1) STORED, KEY (v))", "INSERT INTO g (a) VALUES (5)", "UPDATE g SET a = 7")
		return x.says("SELECT v, s FROM g WHERE v = 14", "14 8")
	},
	"fulltext": func(x trial) bool {
		x.a.exec("CREATE TABLE ft (id INT PRIMARY KEY, w TEXT, FULLTEXT KEY (w))", "INSERT INTO ft VALUES (1, 'quick brown fox'), (2, 'lazy dog')")
		return x.says("SELECT id FROM ft WHERE MATCH (w) AGAINST ('fox')", "1")
	},
	"partitions": func(x trial) bool {
		x.a.exec("CREATE TABLE p (y INT) PARTITION BY RANGE (y) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN (20))", "INSERT INTO p VALUES (5), (15)")
		return x.says("SELECT y FROM p PARTITION (p1)", "15") && x.a.try("INSERT INTO p VALUES (20)") != nil
	},
	"temporary_tables": func(x trial) bool {
		return x.a.try("CREATE TEMPORARY TABLE tt (i INT)") == nil && x.a.try("INSERT INTO tt VALUES (1)") == nil && code(x.b.try("INSERT INTO tt VALUES (1)")) == 1146
	},
	"metadata_locks": func(x trial) bool {
		x.a.exec("BEGIN")
		x.a.get("SELECT * FROM t")
		x.b.exec("SET SESSION lock_wait_timeout = 1")
		return code(x.b.try("ALTER TABLE t ADD COLUMN w INT")) == 1205
	},
	"instant_ddl": func(x trial) bool {
		return x.a.try("ALTER TABLE t ADD COLUMN w INT, ALGORITHM=INSTANT") == nil && x.a.try("ALTER TABLE t MODIFY COLUMN v VARCHAR(9), ALGORITHM=INSTANT") != nil
	},
	"read_only_transactions": func(x trial) bool {
		x.a.exec("START TRANSACTION READ ONLY")
		return code(x.a.try("INSERT INTO t VALUES (7, 7)")) == 1792
	},
	"xa": func(x trial) bool {
		if x.a.try("XA START 'x'") != nil {
			return false
		}
		x.a.exec("INSERT INTO t VALUES (7, 7)", "XA END 'x'", "XA PREPARE 'x'", "XA COMMIT 'x'")
		return x.says("SELECT COUNT(*) FROM t", "3")
	},
	"error_codes": func(x trial) bool {
		return code(x.a.try("ALTER TABLE t ADD COLUMN v INT")) == 1060 && code(x.a.try("DROP TABLE nowhere")) == 1051 && code(x.a.try("INSERT INTO t VALUES (99999999999, 1)")) == 1264
	},
	"large_tables": func(x trial) bool {
		began, row := time.Now(), 100
		for ; row < 20100 && time.Since(began) < 3*time.Second; row += 1000 {
			var values []string
			for i := range 1000 {
				values = append(values, fmt.Sprintf("(%d, %d)", row+i, i))
			}
			x.a.exec("INSERT INTO t VALUES " + strings.Join(values, ", "))
		}
		return row == 20100 && time.Since(began) < 3*time.Second
	},
	"kill": func(x trial) bool {
		id := x.a.get("SELECT CONNECTION_ID()")
		for _, query := range []string{"SELECT SLEEP(20), id FROM t", "SELECT GET_LOCK('k', 20), id FROM t WHERE id = 1"} {
			x.b.get("SELECT GET_LOCK('k', 0)")
			done := make(chan error, 1)
			go func() {
				_, err := x.a.ask(query)
				done <- err
			}()
			eventually(x.t, "the statement", func() bool { return strings.Contains(x.b.get("SHOW FULL PROCESSLIST"), query) })
			x.b.exec("KILL QUERY " + id)
			select {
			case err := <-done:
				if err != nil && code(err) != 1317 {
					x.t.Errorf("a killed statement gives %v", err)
				}
			case <-time.After(10 * time.Second):
				return false
			}
		}
		x.b.exec("KILL " + id)
		_, err := x.a.ask("SELECT 1")
		return err != nil
	},
}

// load loads a text into a table.
func (x trial) load(text, table, format string) error {
	file := x.t.TempDir() + "/rows.txt"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		x.t.Fatal(err)
	}
	mysql.RegisterLocalFile(file)
	defer mysql.DeregisterLocalFile(file)
	return x.a.try("LOAD DATA LOCAL INFILE '" + file + "' INTO TABLE " + table + " " + format)
}

func (x trial) says(query, want string) bool {
	got, err := x.a.ask(query)
	return err == nil && got == want
}

func (x trial) level(name string) {
	for _, c := range []client{x.a, x.b} {
		c.exec("SET SESSION TRANSACTION ISOLATION LEVEL " + name)
	}
}

// reread counts rows twice in b's transaction, with a commit of another between, and gives both.
func (x trial) reread() string {
	x.b.exec("BEGIN")
	first := x.b.get("SELECT COUNT(*) FROM t")
	x.a.exec("INSERT INTO t VALUES (2, 2)")
	second := x.b.get("SELECT COUNT(*) FROM t")
	x.b.exec("COMMIT")
	return first + " " + second
}

// nothingLost reports whether two transactions that write different rows of a table both keep theirs.
func (x trial) nothingLost() bool {
	x.a.exec("BEGIN", "INSERT INTO t VALUES (20, 1)")
	x.b.exec("BEGIN", "INSERT INTO t VALUES (21, 1)", "COMMIT")
	x.a.exec("COMMIT")
	return x.b.get("SELECT COUNT(*) FROM t WHERE id >= 20") == "2"
}

// atOnce runs a statement that does not wait for locks.
func (x trial) atOnce(c client, sql string) error {
	if err := c.try("SET SESSION innodb_lock_wait_timeout = 0"); err != nil {
		c.exec("SET SESSION innodb_lock_wait_timeout = 1")
	}
	return c.try(sql)
}

// TestTableIsMeasured asks the servers themselves whether the table is right about them.
func TestTableIsMeasured(t *testing.T) {
	for _, kind := range []string{Embedded, MariaDB} {
		t.Run(kind, func(t *testing.T) {
			if kind == MariaDB {
				wantMariaDB(t)
			}
			srv := begin(t, Spec{Kind: kind})
			for i, c := range table() {
				measure, ok := measures[c.name]
				if c.name == "rollback" {
					continue // another name
				}
				if !ok {
					t.Errorf("%s is not measured", c.name)
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					if got, want := measure(newTrial(t, srv, i)), srv.Capabilities().Has(c.name); got != want {
						t.Errorf("the table says %v, %s does %v", want, kind, got)
					}
				})
			}
		})
	}
}

func newTrial(t *testing.T, srv *Server, i int) trial {
	name := fmt.Sprintf("measure%d", i)
	admin := connect(t, open(t, srv.Address()))
	admin.exec("CREATE DATABASE " + name)
	t.Cleanup(func() {
		if _, err := admin.ExecContext(context.Background(), "DROP DATABASE "+name); err != nil {
			t.Error(err)
		}
	})
	a := srv.Address()
	a.Database = name
	db := open(t, a)
	x := trial{t, db, connect(t, db), connect(t, db)}
	x.a.exec("CREATE TABLE t (id INT PRIMARY KEY, v INT)", "INSERT INTO t VALUES (1, 1), (5, 5)")
	return x
}
