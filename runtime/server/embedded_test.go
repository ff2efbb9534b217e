package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"rig/runtime/fault"
)

func TestEmbedded(t *testing.T) {
	r, bus := record(t)
	s := fill(t, Spec{Kind: Embedded, Name: "e"})
	srv, err := Start(t.Context(), s, bus)
	if err != nil {
		t.Fatal(err)
	}
	if srv.Name() != "e" || srv.Kind() != Embedded || srv.Type() != Embedded || !srv.ThrowAway() || srv.TCP() != "" || srv.Exited() != nil {
		t.Errorf("name %s, kind %s, type %s, throw-away %v, tcp %q", srv.Name(), srv.Kind(), srv.Type(), srv.ThrowAway(), srv.TCP())
	}
	if srv.Version() != "8.0.31" || srv.Address().Network != "unix" {
		t.Errorf("version %s, network %s", srv.Version(), srv.Address().Network)
	}
	for _, control := range []func() error{srv.Kill, srv.Pause, srv.Resume, func() error { return srv.Restart(t.Context()) }} {
		var e *fault.Error
		if err := control(); !errors.As(err, &e) || e.Kind != fault.Unsupported || !strings.Contains(e.Hint, "--target mariadb") {
			t.Errorf("control gives %v", err)
		}
	}
	c := connect(t, open(t, srv.Address()))
	for range 2 {
		if err := srv.Stop(); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.try("SELECT 1"); err == nil {
		t.Error("the connection lives after Stop")
	}
	if left, _ := os.ReadDir(s.TempDir); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	bus.Flush()
	if got := r.states(); got != "starting ready stopped" {
		t.Errorf("events %q", got)
	}
	if r.last().Type != Embedded || !r.last().ThrowAway {
		t.Errorf("last event %+v", r.last())
	}
}

func TestEmbeddedOpensNoPort(t *testing.T) {
	before := listening(t)
	begin(t, Spec{Kind: Embedded, TCP: true})
	if after := listening(t); after != before {
		t.Errorf("this process listens on %d TCP sockets, before on %d", after, before)
	}
}

// listening counts this process's TCP sockets that listen.
func listening(t *testing.T) int {
	mine := map[string]bool{}
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skipf("SKIPPED, NOT TESTED: %v", err)
	}
	for _, fd := range fds {
		if to, err := os.Readlink("/proc/self/fd/" + fd.Name()); err == nil {
			mine[strings.TrimSuffix(strings.TrimPrefix(to, "socket:["), "]")] = true
		}
	}
	n := 0
	for _, table := range []string{"tcp", "tcp6"} {
		b, err := os.ReadFile("/proc/self/net/" + table)
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(b)) {
			if f := strings.Fields(line); len(f) > 9 && f[3] == "0A" && mine[f[9]] {
				n++
			}
		}
	}
	return n
}

func TestEmbeddedSessionsTogether(t *testing.T) {
	srv := begin(t, Spec{Kind: Embedded})
	db := open(t, srv.Address())
	admin := connect(t, db)
	admin.exec("CREATE DATABASE shr", "CREATE TABLE shr.t (id INT PRIMARY KEY, v INT)")
	const sessions, rows = 10, 10
	var wg sync.WaitGroup
	for i := range sessions {
		c := connect(t, db)
		wg.Go(func() {
			if err := busy(c, i, rows); err != nil {
				t.Errorf("session %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if got := admin.get("SELECT COUNT(*) FROM shr.t"); got != fmt.Sprint(sessions*rows) {
		t.Errorf("%s rows of %d are there", got, sessions*rows)
	}
}

// busy does in a database of its own what tests do, and inserts into a table of all.
func busy(c client, i, rows int) error {
	own := fmt.Sprintf("own%d", i)
	script := []string{"CREATE DATABASE " + own, "USE " + own}
	for j := range rows {
		table := fmt.Sprintf("t%d", j)
		script = append(script,
			"CREATE TABLE "+table+" (id INT AUTO_INCREMENT PRIMARY KEY, v INT, KEY (v))",
			"INSERT INTO "+table+" (v) VALUES (1), (2), (3)",
			"BEGIN", "DELETE FROM "+table+" WHERE v = 2", "COMMIT",
			"SELECT * FROM "+table, "SELECT * FROM shr.t", "SHOW TABLES", "SELECT * FROM information_schema.tables",
			fmt.Sprintf("INSERT INTO shr.t VALUES (%d, 1)", i*rows+j),
			"DROP TABLE "+table)
	}
	for _, sql := range append(script, "DROP DATABASE "+own) {
		if err := c.try(sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}

func TestReadingTransactionWritesNothingBack(t *testing.T) {
	x := newTrial(t, begin(t, Spec{Kind: Embedded}), 0)
	x.b.exec("BEGIN")
	x.b.get("SELECT * FROM t")
	x.a.exec("INSERT INTO t VALUES (2, 2)")
	x.b.exec("COMMIT")
	if got := x.a.get("SELECT COUNT(*) FROM t"); got != "3" {
		t.Errorf("%s rows of 3 after a transaction that only read", got)
	}
	// The first write takes the table as it is then.
	x.b.exec("BEGIN")
	x.b.get("SELECT * FROM t")
	x.a.exec("INSERT INTO t VALUES (3, 3)")
	x.b.exec("INSERT INTO t VALUES (4, 4)", "COMMIT")
	if got := x.a.get("SELECT COUNT(*) FROM t"); got != "5" {
		t.Errorf("%s rows of 5 after a transaction that wrote late", got)
	}
}

func TestDDLEndsATransaction(t *testing.T) {
	x := newTrial(t, begin(t, Spec{Kind: Embedded}), 0)
	x.a.exec("BEGIN", "INSERT INTO t VALUES (2, 2)", "CREATE TABLE other (id INT)", "INSERT INTO t VALUES (3, 3)")
	if got := x.b.get("SELECT COUNT(*) FROM t"); got != "4" {
		t.Errorf("%s rows of 4", got)
	}
}

func TestPreparedStatementSeesWhatCameLater(t *testing.T) {
	x := newTrial(t, begin(t, Spec{Kind: Embedded}), 0)
	stmt, err := x.a.PrepareContext(context.Background(), "INSERT INTO t VALUES (?, 1)")
	if err != nil {
		t.Fatal(err)
	}
	defer stmt.Close()
	x.b.exec("INSERT INTO t VALUES (2, 2)")
	if _, err := stmt.Exec(3); err != nil {
		t.Fatal(err)
	}
	if got := x.b.get("SELECT id FROM t ORDER BY id"); got != "1,2,3,5" {
		t.Errorf("rows %s", got)
	}
}

// TestOpenResultLeavesTheEngineFree: a script may send statements while it reads another's rows.
func TestOpenResultLeavesTheEngineFree(t *testing.T) {
	x := newTrial(t, begin(t, Spec{Kind: Embedded}), 0)
	x.a.exec("CREATE TABLE big (id INT PRIMARY KEY, v TEXT)")
	row := strings.Repeat("x", 20_000)
	for i := range 100 {
		x.a.exec(fmt.Sprintf("INSERT INTO big VALUES (%d, '%s')", i, row))
	}
	for i, query := range []string{"SELECT a.v FROM big a, big b", "WITH w AS (SELECT v FROM big) SELECT a.v FROM w a, big b"} {
		c := connect(t, x.db)
		rows, err := c.QueryContext(context.Background(), query) // 200 MB: more than sockets hold
		if err != nil {
			t.Fatal(err)
		}
		if !rows.Next() {
			t.Fatal(rows.Err())
		}
		x.b.exec(fmt.Sprintf("INSERT INTO t VALUES (%d, 2)", 10+i))
		id := x.b.get("SELECT ID FROM information_schema.processlist WHERE INFO LIKE '%FROM big%' AND INFO NOT LIKE '%processlist%'")
		x.b.exec("KILL QUERY " + id)
		for rows.Next() { // until it is killed
		}
		if rows.Err() == nil {
			t.Error("the result ends as if it had not been killed")
		}
		rows.Close()
		if got, want := x.b.get("SELECT COUNT(*) FROM t"), fmt.Sprint(3+i); got != want {
			t.Errorf("%s rows of %s: the end of a SELECT has undone an INSERT", got, want)
		}
	}
}

// TestEndOfSelectWritesNothingBack: the engine would put t back as it was when the SELECT began.
func TestEndOfSelectWritesNothingBack(t *testing.T) {
	x := newTrial(t, begin(t, Spec{Kind: Embedded}), 0)
	x.a.exec("CREATE TABLE big (id INT PRIMARY KEY, v TEXT)")
	for i := range 100 {
		x.a.exec(fmt.Sprintf("INSERT INTO big VALUES (%d, '%s')", i, strings.Repeat("x", 20_000)))
	}
	rows, err := x.a.QueryContext(context.Background(), "SELECT big.v FROM big, t") // 4 MB: more than sockets hold
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	x.b.exec("INSERT INTO t VALUES (2, 2)")
	n := 0
	for rows.Next() {
		n++
	}
	if rows.Err() != nil || n != 200 {
		t.Errorf("%d rows, %v", n, rows.Err())
	}
	if got := x.b.get("SELECT COUNT(*) FROM t"); got != "3" {
		t.Errorf("%s rows of 3: the end of a SELECT has undone an INSERT", got)
	}
}

func TestEmbeddedErrorsHaveNumbers(t *testing.T) {
	c := connect(t, open(t, begin(t, Spec{Kind: Embedded}).Address()))
	c.exec("CREATE DATABASE d", "CREATE TABLE d.t (id INT PRIMARY KEY)", "INSERT INTO d.t VALUES (1)")
	for sql, kind := range map[string]fault.Kind{
		"SELEC 1":                      fault.Syntax,
		"SELECT * FROM d.nowhere":      fault.UnknownTable,
		"INSERT INTO d.t VALUES (1)":   fault.DuplicateKey,
		"CREATE TABLE d.t (id INT)":    fault.TableExists,
		"SELECT nothing FROM d.t":      fault.UnknownColumn,
		"USE nowhere":                  fault.UnknownDatabase,
		"CREATE SEQUENCE s":            fault.Syntax,
		"INSERT INTO d.t VALUES (''')": fault.Syntax,
	} {
		if err := c.try(sql); !fault.IsKind(err, kind) {
			t.Errorf("%s: %v, want %s", sql, err, kind)
		}
	}
	c.exec("BEGIN")
	if err := c.try("SAVEPOINT s"); !fault.IsKind(err, fault.Unsupported) {
		t.Errorf("SAVEPOINT: %v", err)
	}
}

func TestEmbeddedUsers(t *testing.T) {
	srv := begin(t, Spec{Kind: Embedded})
	admin := connect(t, open(t, srv.Address()))
	admin.exec("CREATE DATABASE d", "CREATE DATABASE hidden", "CREATE USER u@localhost IDENTIFIED BY 'right'", "GRANT ALL ON d.* TO u@localhost")
	a := srv.Address()
	a.User, a.Password = "u", "wrong"
	if err := open(t, a).Ping(); !fault.IsKind(err, fault.AccessDenied) {
		t.Errorf("a wrong password gives %v", err)
	}
	a.Password = "right"
	c := connect(t, open(t, a))
	c.exec("CREATE TABLE d.t (id INT)")
	if err := c.try("CREATE TABLE hidden.t (id INT)"); err == nil {
		t.Error("a grant is not needed")
	}
}

func TestEmbeddedIsSilent(t *testing.T) {
	var said []byte
	stderr := os.Stderr
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	os.Stderr = w
	defer func() { os.Stderr = stderr }()
	done := make(chan struct{})
	go func() {
		defer close(done)
		said, _ = io.ReadAll(r)
	}()
	srv := begin(t, Spec{Kind: Embedded})
	conn, err := net.Dial("unix", srv.Address().Addr)
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "this is no log-in")
	conn.Close()
	_ = connect(t, open(t, srv.Address())).try("SELEC")
	if err := srv.Stop(); err != nil {
		t.Error(err)
	}
	w.Close()
	<-done
	if len(said) > 0 {
		t.Errorf("stderr: %s", said)
	}
}

func TestLongTempDirGetsAShortSocket(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	srv := begin(t, Spec{Kind: Embedded, TempDir: long})
	if n := len(srv.Address().Addr); n > maxSocket {
		t.Errorf("the socket's path has %d bytes", n)
	}
	if left, _ := os.ReadDir(long); len(left) != 0 {
		t.Errorf("left in the folder that is not used: %v", left)
	}
}

func TestFirstWord(t *testing.T) {
	for query, want := range map[string]string{
		"select 1": "SELECT", "  \n(SELECT 1)": "SELECT", "/* a\n b */ -- c\n# d\n insert into t": "INSERT", "": "", "KILL 3": "KILL", ";;show": "SHOW", "--1": "",
	} {
		if got := firstWord(query); got != want {
			t.Errorf("firstWord(%q) is %q, want %q", query, got, want)
		}
	}
	if isRead("WITH", "WITH x AS (SELECT 1) UPDATE t SET v = 1") || !isRead("WITH", "WITH x AS (SELECT 1) SELECT * FROM x") || isRead("INSERT", "") {
		t.Error("isRead is wrong")
	}
}

func BenchmarkEmbeddedStart(b *testing.B) {
	s := fill(b, Spec{Kind: Embedded})
	for b.Loop() {
		srv, err := Start(b.Context(), s, nil)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := srv.Stop(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkEmbeddedQuery(b *testing.B) {
	srv := begin(b, Spec{Kind: Embedded})
	c := connect(b, open(b, srv.Address()))
	for b.Loop() {
		c.get("SELECT 1")
	}
}
