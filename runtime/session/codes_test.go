package session_test

import (
	"errors"
	"fmt"
	"testing"

	"rig/runtime/fault"
	"rig/runtime/session"
)

// provocations are statements that a real MariaDB refuses, with the number that it gives.
var provocations = []struct {
	code int
	sql  string
}{
	{1007, "CREATE DATABASE mysql"},
	{1008, "DROP DATABASE rig_never_was"},
	{1044, "CREATE TABLE information_schema.x (id INT)"},
	{1048, "INSERT INTO p VALUES (NULL, 'x', 1)"},
	{1049, "USE rig_never_was"},
	{1050, "CREATE TABLE p (id INT)"},
	{1051, "DROP TABLE nowhere"},
	{1052, "SELECT id FROM p a JOIN p b"},
	{1054, "SELECT nothing FROM p"},
	{1055, "SELECT name, id FROM p GROUP BY n"},
	{1059, "CREATE TABLE x (c1234567890123456789012345678901234567890123456789012345678901234567890 INT)"},
	{1060, "ALTER TABLE p ADD COLUMN name INT"},
	{1061, "ALTER TABLE p ADD KEY by_n (n)"},
	{1062, "INSERT INTO p VALUES (1, 'again', 1)"},
	{1064, "SELEC 1"},
	{1065, ""},
	{1066, "SELECT 1 FROM p, p"},
	{1067, "CREATE TABLE bad_default (id INT DEFAULT 'x')"},
	{1068, "ALTER TABLE p ADD PRIMARY KEY (n)"},
	{1071, "CREATE TABLE long_key (a VARCHAR(4000), PRIMARY KEY (a(4000))) CHARACTER SET utf8mb4"},
	{1072, "ALTER TABLE p ADD KEY k (nothing)"},
	{1074, "CREATE TABLE long_char (a CHAR(300))"},
	{1091, "ALTER TABLE p DROP COLUMN nothing"},
	{1094, "KILL 4000000000"},
	{1103, "CREATE TABLE t1234567890123456789012345678901234567890123456789012345678901234567890 (id INT)"},
	{1109, "DELETE nowhere FROM p"},
	{1110, "INSERT INTO p (id, id) VALUES (9, 9)"},
	{1111, "SELECT 1 FROM p WHERE count(*) > 1"},
	{1115, "SET NAMES nothing"},
	{1136, "INSERT INTO p VALUES (1)"},
	{1139, "SELECT 'a' RLIKE '('"},
	{1141, "SHOW GRANTS FOR rig_nobody@localhost"},
	{1146, "SELECT 1 FROM nowhere"},
	{1172, "SELECT id INTO @x FROM p"},
	{1176, "SELECT 1 FROM p FORCE INDEX (nothing)"},
	{1193, "SET rig_nothing = 1"},
	{1221, "SELECT SQL_CACHE SQL_NO_CACHE 1"},
	{1222, "SELECT 1 UNION SELECT 1, 2"},
	{1231, "SET sql_mode = 'NOTHING'"},
	{1229, "SET SESSION max_connections = 1"},
	{1238, "SET GLOBAL version = 'x'"},
	{1241, "SELECT (SELECT 1, 2)"},
	{1242, "SELECT (SELECT id FROM p)"},
	{1264, "INSERT INTO p VALUES (99999999999, 'x', 1)"},
	{1265, "INSERT INTO e VALUES ('c')"},
	{1273, "SELECT 'a' COLLATE nothing"},
	{1286, "CREATE TABLE odd_engine (id INT) ENGINE = nothing"},
	{1288, "UPDATE v SET c = 1"},
	{1290, "SELECT 'x' INTO OUTFILE '/nowhere/x'"},
	{1292, "INSERT INTO d VALUES ('2024-99-99')"},
	{1298, "SET time_zone = 'Nowhere/Else'"},
	{1304, "CREATE PROCEDURE raise() SELECT 1"},
	{1305, "CALL nothing()"},
	{1305, "ROLLBACK TO nothing"},
	{1318, "CALL raise(1)"},
	{1347, "SHOW CREATE VIEW p"},
	{1359, "CREATE TRIGGER trig BEFORE INSERT ON e FOR EACH ROW SET @x = 1"},
	{1360, "DROP TRIGGER nothing"},
	{1364, "INSERT INTO p (id) VALUES (9)"},
	{1365, "INSERT INTO p VALUES (9, 'x', 1 / 0)"},
	{1366, "INSERT INTO p VALUES ('x', 'x', 1)"},
	{1369, "INSERT INTO checked VALUES (99, 'x', 99)"},
	{1396, "DROP USER rig_nobody@localhost"},
	{1397, "XA COMMIT 'nothing'"},
	{1399, "XA PREPARE 'nothing'"},
	{1406, "INSERT INTO p VALUES (9, 'much too long for it', 1)"},
	{1411, "INSERT INTO d VALUES (STR_TO_DATE('x', '%Y'))"},
	{1416, "INSERT INTO g VALUES ('x')"},
	{1442, "INSERT INTO selfish VALUES (1)"},
	{1451, "DELETE FROM p WHERE id = 1"},
	{1452, "INSERT INTO c VALUES (1, 99)"},
	{1526, "INSERT INTO parts VALUES (99)"},
	{1568, "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE"},
	{1644, "CALL raise()"},
	{1690, "SELECT 18446744073709551615 + 1"},
	{1701, "TRUNCATE p"},
	{1748, "INSERT INTO parts PARTITION (low) VALUES (15)"},
	{1792, "INSERT INTO p VALUES (9, 'x', 1)"},
	{1845, "ALTER TABLE p ADD FULLTEXT (name), ALGORITHM = INSTANT"},
	{1846, "ALTER TABLE p MODIFY n BIGINT, ALGORITHM = INPLACE"},
	{1906, "INSERT INTO gen VALUES (1, 5)"},
	{1969, "SET STATEMENT max_statement_time = 0.01 FOR SELECT SLEEP(5)"},
	{4025, "INSERT INTO k VALUES (-1)"},
	{4085, "CREATE SEQUENCE s2 START 1 MAXVALUE 1"},
	{4084, "SELECT NEXT VALUE FOR s"},
	{4091, "SELECT NEXT VALUE FOR nowhere_s"},
	{4092, "DROP VIEW p"},
	{4135, "ALTER TABLE ver ADD SYSTEM VERSIONING"},
	{4166, "LOAD DATA LOCAL INFILE '/nowhere' INTO TABLE p"},
}

// before are statements that one provocation needs in its session, and what takes them back.
var before = map[int][2][]string{
	1568: {{"BEGIN", "SELECT 1 FROM p"}, {"ROLLBACK"}},
	1792: {{"START TRANSACTION READ ONLY"}, {"ROLLBACK"}},
	1055: {{"SET sql_mode = 'ONLY_FULL_GROUP_BY'"}, {"SET sql_mode = DEFAULT"}},
	1365: {{"SET sql_mode = 'STRICT_ALL_TABLES,ERROR_FOR_DIVISION_BY_ZERO'"}, {"SET sql_mode = DEFAULT"}},
	1305: {{"BEGIN"}, {"ROLLBACK"}},
	4166: {{"SET GLOBAL local_infile = 0"}, {"SET GLOBAL local_infile = 1"}},
}

// TestCodesOfMariaDB provokes errors on a real server and compares what it sends with the table.
func TestCodesOfMariaDB(t *testing.T) {
	w := onMariadb(t)
	s := w.open()
	for _, sql := range []string{
		"CREATE TABLE p (id INT PRIMARY KEY, name VARCHAR(10) NOT NULL, n INT, KEY by_n (n))", "INSERT INTO p VALUES (1, 'a', 1), (2, 'b', 2)",
		"CREATE TABLE c (id INT PRIMARY KEY, p INT, FOREIGN KEY (p) REFERENCES p (id))", "INSERT INTO c VALUES (5, 1)",
		"CREATE TABLE e (x ENUM('a', 'b'))", "CREATE TABLE d (x DATETIME)", "CREATE TABLE g (x POINT)", "CREATE TABLE k (x INT CHECK (x > 0))",
		"CREATE TABLE gen (a INT, b INT AS (a + 1))", "CREATE TABLE ver (a INT) WITH SYSTEM VERSIONING",
		"CREATE TABLE parts (a INT) PARTITION BY RANGE (a) (PARTITION low VALUES LESS THAN (10), PARTITION mid VALUES LESS THAN (20))",
		"CREATE VIEW v AS SELECT count(*) AS c FROM p", "CREATE VIEW checked AS SELECT * FROM p WHERE n < 10 WITH CHECK OPTION",
		"CREATE SEQUENCE s START 1 MAXVALUE 2 CACHE 1", "DO NEXT VALUE FOR s", "DO NEXT VALUE FOR s",
		"CREATE TRIGGER trig BEFORE INSERT ON e FOR EACH ROW SET @x = 1",
		"CREATE TABLE selfish (a INT)", "CREATE TRIGGER narrow AFTER INSERT ON selfish FOR EACH ROW DELETE FROM selfish",
		"CREATE PROCEDURE raise() SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'on purpose'",
	} {
		w.exec(s, sql)
	}
	checked := 0
	for _, x := range provocations {
		t.Run(fmt.Sprint(x.code), func(t *testing.T) {
			for _, sql := range before[x.code][0] {
				w.exec(s, sql)
			}
			_, err := s.Query(session.Call{Pos: at(1).Pos, Holder: "main", Op: "conn.query"}, x.sql, nil)
			for _, sql := range before[x.code][1] {
				w.exec(s, sql)
			}
			var f *fault.Error
			if !errors.As(err, &f) {
				t.Fatalf("%s: no error: %v", x.sql, err)
			}
			want, known := fault.LookupOn("mariadb", x.code)
			if !known {
				t.Fatalf("%d is not in the table; the server says: %v", x.code, err)
			}
			state := want.SQLState
			if x.code == 1644 {
				state = "45000" // of the SIGNAL
			}
			if f.Code != x.code || f.SQLState != state || f.Kind != want.Kind || f.Category != want.Category || f.Name != want.Name {
				t.Errorf("%s\ngave %d %s %s %s %s: %s\nwant %d %s %s %s %s", x.sql, f.Code, f.Name, f.SQLState, f.Kind, f.Category, f.Message,
					x.code, want.Name, state, want.Kind, want.Category)
			}
			checked++
		})
	}
	if checked < 70 {
		t.Errorf("only %d codes were compared", checked)
	}
}
