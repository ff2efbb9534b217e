package mock

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/fault"
	"rig/runtime/session"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func text1(s string) Value { return Value{Text, s} }

func rows(names string, values ...[]Value) []Answer {
	r := Result{Rows: values}
	for name := range strings.FieldsSeq(names) {
		r.Columns = append(r.Columns, Column{Name: name})
	}
	return []Answer{{Results: []Result{r}}}
}

// serve makes a server with a session on it: the real driver and the real session code.
func serve(t *testing.T, rules ...Rule) (*Server, *session.Session) {
	t.Helper()
	srv, err := New(rules)
	if err != nil {
		t.Fatal(err)
	}
	hub := session.NewHub(session.Config{Target: "mock", Network: "unix", Address: "mock", Dial: srv.Dialer(1), Flavor: "mock", StatementTimeout: 5 * time.Second})
	s, err := hub.Open(context.Background(), session.Options{Name: "s"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		hub.Close()
		srv.Close()
	})
	return srv, s
}

var call = session.Call{Op: "conn.query", Holder: "test"}

func query(t *testing.T, s *session.Session, sql string, args ...driver.Value) *session.Rows {
	t.Helper()
	r, err := s.Query(call, sql, args)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return r
}

// TestBothProtocols: the first run of a statement with arguments is text, the second prepared; a rule sees no difference, and
// every kind of value comes the same way.
func TestBothProtocols(t *testing.T) {
	values := []Value{{Int, "-5"}, {Uint, "18446744073709551615"}, {Float, "1.5"}, {Decimal, "9.50"}, {Text, "it's"}, {Bytes, "\x00\xff"}, {Date, "2024-02-29"}, {DateTime, "2024-02-29 12:30:01.000250"}, {Clock, "-30:00:01"}, {}}
	srv, s := serve(t, Rule{How: Exact, Query: "select * from t where a = ? and b IN (?, ?)", Args: []Arg{{Value: Value{Int, "-3"}}, {Any: true}, {Value: text1(`a'b\c`)}}, Times: Any, Answers: rows("i u f d s b day at clock n", values)})
	for range 3 {
		r := query(t, s, "SELECT *  FROM `t` WHERE a = ? AND b IN (?,?)", int64(-3), nil, `a'b\c`)
		if r.Len() != 1 {
			t.Fatalf("%d rows", r.Len())
		}
		for i, want := range []string{"-5", "18446744073709551615", "1.5", "9.50", "it's", "\x00\xff", "2024-02-29", "2024-02-29 12:30:01.000250", "-30:00:01.000000", "<nil>"} {
			if got := cellText(r, i); got != want && got+".000000" != want {
				t.Errorf("cell %d is %q, want %q", i, got, want)
			}
		}
	}
	asked := srv.Asked()
	const same = "SELECT * FROM `t` WHERE a = -3 AND b IN (NULL, 'a'b\\c')"
	if len(asked) != 3 || asked[0].SQL != asked[2].SQL || asked[0].SQL != strings.Replace(same, "a'b", "a''b", 1) {
		t.Errorf("asked %+v", asked)
	}
	if got := asked[2].Args; len(got) != 3 || !got[0].equal(Value{Int, "-3"}) || got[1].Kind != Null || got[2].Text != `a'b\c` {
		t.Errorf("args %v", got)
	}
}

func cellText(r *session.Rows, i int) string {
	switch v := r.Cell(0, i).(type) {
	case []byte:
		return string(v)
	default:
		return fmt.Sprint(v)
	}
}

func TestAnswersInTurn(t *testing.T) {
	deadlock := Answer{Err: &Error{Code: 1213}}
	srv, s := serve(t,
		Rule{How: Prefix, Query: "UPDATE account SET", Times: Any, Answers: []Answer{deadlock, deadlock, {Results: []Result{{Affected: 3, LastInsertID: 7}}}}},
		Rule{How: Regexp, Query: `(?i)^select count\(\*\)`, Times: 1, Answers: rows("n", []Value{{Int, "1"}})},
		Rule{How: Regexp, Query: `(?i)^select count\(\*\)`, Times: Any, Answers: rows("n", []Value{{Int, "2"}})},
	)
	for i := range 4 {
		r, err := s.Exec(call, "UPDATE account SET x = 1", nil)
		switch {
		case i < 2 && !fault.IsKind(err, fault.Deadlock):
			t.Errorf("answer %d: %v", i, err)
		case i >= 2 && (err != nil || r.RowsAffected != 3 || r.LastInsertID != 7):
			t.Errorf("answer %d: %v %+v", i, err, r)
		}
	}
	for _, want := range []string{"1", "2", "2"} {
		if got := cellText(query(t, s, "SELECT COUNT(*) FROM x"), 0); got != want {
			t.Errorf("count %s, want %s", got, want)
		}
	}
	if bad := srv.Verify(true); bad != nil {
		t.Errorf("verify: %q", bad)
	}
	if got := srv.Uses(); got[0] != 4 || got[1] != 1 || got[2] != 2 {
		t.Errorf("uses %v", got)
	}
}

func TestUnmatched(t *testing.T) {
	srv, s := serve(t,
		Rule{How: Exact, Query: "SELECT name FROM users WHERE id = ?", Args: []Arg{{Value: Value{Int, "1"}}}, Times: Any, Where: "rules.star:3:5"},
		Rule{How: Exact, Query: "DELETE FROM users", Times: 1},
		Rule{How: Prefix, Query: "INSERT INTO log", Times: 2},
		Rule{How: Regexp, Query: "^CALL sweep", Times: Any},
	)
	query(t, s, "DELETE FROM users")
	for sql, want := range map[string]string{
		"SELECT name FROM users WHERE id = 2":         `no mock rule answers "SELECT name FROM users WHERE id = 2"; the nearest is rule 1 (rules.star:3:5): query "SELECT name FROM users WHERE id = ?", which wants other arguments than 2`,
		"SELECT nane FROM users WHERE id = 1":         `wants "name" where "nane" stands`,
		"SELECT name FROM users":                      `rule 1 (rules.star:3:5): query "SELECT name FROM users WHERE id = ?", which goes on with "WHERE"`,
		"SELECT name FROM users WHERE id = 1 LIMIT 1": `which ends before "LIMIT"`,
		"SELECT name FROM users WHERE id = id":        `wants a value where "id" stands`,
		"DELETE FROM users":                           `rule 2: query "DELETE FROM users", which has answered 1 statement, as often as its times says`,
		"CALL sweeep(1)":                              `rule 4: regexp "^CALL sweep", which does not match`,
		"TRUNCATE nothing":                            `no mock rule answers "TRUNCATE nothing" (`,
	} {
		_, err := s.Query(call, sql, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", sql, err, want)
		}
		if c := fault.Classify(err); c.Code != errSignal || c.SQLState != "45000" || c.Category != fault.Permanent {
			t.Errorf("%s: %+v", sql, c)
		}
	}
	bad := strings.Join(srv.Verify(false), "\n")
	for _, want := range []string{`rule 3: prefix "INSERT INTO log" answered 0 of 2 times`, `no rule answered "TRUNCATE nothing"`} {
		if !strings.Contains(bad, want) {
			t.Errorf("verify: %s\nwant %q", bad, want)
		}
	}
	if strings.Contains(bad, "never asked") || !strings.Contains(strings.Join(srv.Verify(true), "\n"), `rule 4: regexp "^CALL sweep" was never asked`) {
		t.Errorf("verify all: %s", bad)
	}
}

// TestDrops: what a session makes of each end of a connection. A commit without a reply is unknown, a SELECT is not.
func TestDrops(t *testing.T) {
	for _, drop := range Drops() {
		t.Run(drop, func(t *testing.T) {
			srv, s := serve(t,
				Rule{How: Exact, Query: "COMMIT", Times: 1, Answers: []Answer{{Drop: Drop(drop)}}},
				Rule{How: Prefix, Query: "SELECT n", Times: Any, Answers: []Answer{{Drop: Drop(drop), Results: rows("n", []Value{{Int, "1"}}, []Value{{Int, "2"}})[0].Results}}},
			)
			if err := s.Begin(call, session.TxOptions{}); err != nil {
				t.Fatal(err)
			}
			err := s.Commit(call)
			f, _ := err.(*fault.Error)
			if drop == string(AfterReply) {
				if err != nil {
					t.Fatalf("a commit that was answered failed: %v", err)
				}
			} else if f == nil || !f.ReplyLost || f.Category != fault.UnknownCategory {
				t.Fatalf("commit: %v %+v", err, f)
			}
			if drop != string(AfterReply) && !s.Closed() {
				t.Error("the session still lives")
			}
			if err := s.Reset(call); err != nil {
				t.Fatalf("reset: %v", err)
			}
			_, err = s.Query(call, "SELECT n FROM t", nil)
			f, _ = err.(*fault.Error)
			if drop == string(AfterReply) {
				if err != nil {
					t.Errorf("select: %v", err)
				}
				return
			}
			want := fault.ConnectionLost
			if drop == string(Garbage) {
				want = fault.Protocol
			}
			if f == nil || f.ReplyLost || f.Kind != want {
				t.Errorf("select: %v", err)
			}
			if bad := srv.Verify(true); bad != nil {
				t.Errorf("verify: %q", bad)
			}
		})
	}
}

// TestMidRows: the row before the break arrives.
func TestMidRows(t *testing.T) {
	_, s := serve(t, Rule{How: Prefix, Query: "SELECT", Times: Any, Answers: []Answer{{Drop: MidRows, Results: rows("n", []Value{{Int, "1"}}, []Value{{Int, "2"}})[0].Results}}})
	x, err := s.Stream(call, "SELECT n FROM t", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	if r, err := x.Next(); err != nil || cellText(r, 0) != "1" {
		t.Fatalf("first row: %v", err)
	}
	if _, err := x.Next(); !fault.IsKind(err, fault.ConnectionLost) {
		t.Errorf("second row: %v", err)
	}
}

func TestHandshakes(t *testing.T) {
	for drop, want := range map[Drop]fault.Kind{BeforeReply: fault.ConnectionLost, MidPacket: fault.ConnectionLost, Garbage: fault.Protocol, AfterReply: fault.ConnectionLost} {
		srv, err := New([]Rule{{How: Handshake, Times: 1, Answers: []Answer{{Drop: drop}}}})
		if err != nil {
			t.Fatal(err)
		}
		hub := session.NewHub(session.Config{Network: "unix", Address: "mock", Dial: srv.Dialer(1), Flavor: "mock", ConnectTimeout: 5 * time.Second})
		_, err = hub.Open(context.Background(), session.Options{Name: "s"})
		if !fault.IsKind(err, want) {
			t.Errorf("%s: %v is %s, want %s", drop, err, fault.Classify(err).Kind, want)
		}
		s, err := hub.Open(context.Background(), session.Options{Name: "s"})
		if err != nil {
			t.Fatalf("%s: the rule is used up, and yet: %v", drop, err)
		}
		s.Close()
		hub.Close()
		srv.Close()
	}
	srv, err := New([]Rule{{How: Handshake, Times: Any, Answers: []Answer{{Err: &Error{Code: 1040}}}}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	hub := session.NewHub(session.Config{Network: "unix", Address: "mock", Dial: srv.Dialer(1), Flavor: "mock"})
	defer hub.Close()
	if _, err := hub.Open(context.Background(), session.Options{}); !fault.IsKind(err, fault.TooManyConnections) {
		t.Errorf("refused: %v", err)
	}
}

// TestDelayIsKilled: a time-out of the session ends the statement on the server, and the session lives on.
func TestDelayIsKilled(t *testing.T) {
	_, s := serve(t, Rule{How: Prefix, Query: "SELECT SLEEP", Times: Any, Answers: []Answer{{Delay: time.Minute}}})
	c := call
	c.Timeout = 60 * time.Millisecond
	start := time.Now()
	_, err := s.Query(c, "SELECT SLEEP(60)", nil)
	if !fault.IsKind(err, fault.StatementTimeout) || time.Since(start) > 3*time.Second {
		t.Fatalf("%v after %s", err, time.Since(start))
	}
	if err := s.Ping(call); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestDelay(t *testing.T) {
	_, s := serve(t, Rule{How: Prefix, Query: "SELECT", Times: Any, Answers: []Answer{{Delay: 80 * time.Millisecond}}})
	start := time.Now()
	query(t, s, "SELECT 1")
	if d := time.Since(start); d < 80*time.Millisecond {
		t.Errorf("the answer came after %s", d)
	}
}

func TestCommands(t *testing.T) {
	srv, s := serve(t,
		Rule{How: Exact, Query: "CALL report()", Times: Any, Answers: []Answer{{Results: append(rows("a", []Value{text1("x")})[0].Results, rows("b", []Value{{Int, "2"}})[0].Results...)}}},
		Rule{How: Prefix, Query: "SELECT ?", Times: Any, Answers: rows("n", []Value{{Int, "1"}})},
		Rule{How: Prefix, Query: "LOAD DATA LOCAL INFILE ?", Times: 1},
		Rule{How: Prefix, Query: "INSERT INTO t", Times: 1, Answers: []Answer{{Results: []Result{{Affected: 2}}}}},
	)
	all, err := s.QueryAll(call, "CALL report()", false)
	if err != nil || len(all) != 2 || cellText(all[0], 0) != "x" || cellText(all[1], 0) != "2" {
		t.Errorf("results: %v %v", all, err)
	}
	p, err := s.Prepare(call, "SELECT ?")
	if err != nil {
		t.Fatal(err)
	}
	if r, err := p.Query(call, []driver.Value{int64(1)}); err != nil || r.Len() != 1 {
		t.Errorf("prepared: %v", err)
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	n := 0
	r, err := s.LoadData(call, session.LoadSpec{Table: "t", Columns: []string{"id"}, Next: func(i int) ([]driver.Value, error) {
		if n = i; i == 3 {
			return nil, nil
		}
		return []driver.Value{int64(i)}, nil
	}})
	if err != nil || r.RowsAffected != 3 || n != 3 {
		t.Errorf("load: %v, %d rows of %d", err, r.RowsAffected, n)
	}
	for _, sql := range []string{"BEGIN", "SAVEPOINT a", "COMMIT", "USE other", "SET @a = 1", "CREATE DATABASE rig_x_1", "DROP DATABASE rig_x_1"} {
		query(t, s, sql)
	}
	if err := s.Use(call, "third"); err != nil {
		t.Error(err)
	}
	if got := len(srv.Asked()); got != 11 || srv.Asked()[3].SQL != "BEGIN" || srv.Asked()[3].Rule != 0 {
		t.Errorf("%d statements were told: %+v", got, srv.Asked())
	}
	if bad := strings.Join(srv.Verify(true), "; "); bad != `rule 4: prefix "INSERT INTO t" answered 0 of 1 time` {
		t.Errorf("verify: %s", bad)
	}
}

func TestClosedServer(t *testing.T) {
	srv, _ := New(nil)
	srv.Close()
	if c, err := srv.Dial(); err == nil {
		c.Close()
		t.Error("a closed server was dialled")
	}
}
