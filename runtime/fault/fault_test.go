package fault

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

func TestTable(t *testing.T) {
	all := Table()
	if len(all) < 120 {
		t.Fatalf("%d entries, want at least 120", len(all))
	}
	kinds := map[Kind]bool{}
	for _, k := range Kinds() {
		if kinds[k.Kind] {
			t.Errorf("kind %s is listed twice", k.Kind)
		}
		kinds[k.Kind] = true
	}
	names, last := map[string]int{}, 0
	for _, e := range all {
		if e.Code <= last {
			t.Errorf("%d %s does not follow %d: the table ascends and has no code twice", e.Code, e.Name, last)
		}
		last = e.Code
		checkEntry(t, e)
		if other := names[e.Name]; other != 0 && other < forked && e.Code < forked {
			t.Errorf("%s is %d and %d", e.Name, other, e.Code)
		}
		names[e.Name] = e.Code
	}
	for _, code := range []int{1205, 1213, 1040, 1053, 1062, 1158, 1159, 1160, 1161, 1290, 1792, 2006, 2013, 3024, 3572, 8002, 8022, 8028, 9001, 9002, 9003, 9004, 9005, 9006, 9007} {
		if _, ok := Lookup(code); !ok {
			t.Errorf("%d is not in the table", code)
		}
	}
}

func kindsByName() map[Kind]Category {
	m := map[Kind]Category{}
	for _, k := range Kinds() {
		m[k.Kind] = k.Category
	}
	return m
}

// checkEntry: a line is whole, and its category is its kind's unless its note says why not.
func checkEntry(t *testing.T, e Entry) {
	t.Helper()
	usual, known := kindsByName()[e.Kind]
	if !known || e.Name == "" || len(e.SQLState) != 5 || e.Source == "" || e.Servers == "" {
		t.Errorf("incomplete entry %+v", e)
	}
	switch e.Category {
	case Transient, Permanent, UnknownCategory:
	default:
		t.Errorf("%d has category %q", e.Code, e.Category)
	}
	// Kinds that say by themselves whether another try can help; the rest depend on what the server was doing.
	switch e.Kind {
	case Deadlock, LockWaitTimeout, LockNowait, DuplicateKey, ForeignKey, NotNull, CheckViolation, DataTooLong, OutOfRange, Truncated,
		Syntax, InvalidStatement, UnknownTable, UnknownColumn, UnknownDatabase, UnknownObject, TableExists, ObjectExists, AccessDenied,
		TooManyConnections, PacketTooLarge, Interrupted, StatementTimeout, SchemaChanged, ConnectionRefused, ConnectionLost, ServerShutdown, TLS:
		if e.Category != usual {
			t.Errorf("%d %s is %s, and its kind %s is %s", e.Code, e.Name, e.Category, e.Kind, usual)
		}
	default:
		if e.Category != usual && e.Note == "" {
			t.Errorf("%d %s is %s, its kind %s usually %s, and no note says why", e.Code, e.Name, e.Category, e.Kind, usual)
		}
	}
}

func TestVariants(t *testing.T) {
	seen, last := map[string]bool{}, 0
	for _, v := range Variants() {
		key := fmt.Sprint(v.Flavor, v.Code)
		if seen[key] {
			t.Errorf("%s is there twice", key)
		}
		seen[key] = true
		if v.Code < last {
			t.Errorf("%d does not follow %d", v.Code, last)
		}
		last = v.Code
		checkEntry(t, v.Entry)
		general, ok := Lookup(v.Code)
		if ok && general.Name == v.Name && general.SQLState == v.SQLState && general.Kind == v.Kind && general.Category == v.Category {
			t.Errorf("%s says what the table says", key)
		}
		if !ok {
			t.Errorf("%s has no line in the table", key)
		}
	}
}

func TestClassifyOn(t *testing.T) {
	for _, x := range []struct {
		flavor string
		code   int
		state  string
		kind   Kind
		cat    Category
		name   string
	}{
		{"", 1020, "HY000", Serialization, Transient, "ER_CHECKREAD"},
		{"mariadb", 1020, "HY000", Serialization, Transient, "ER_CHECKREAD"},
		{"mysql", 1020, "HY000", Serialization, UnknownCategory, "ER_CHECKREAD"},
		{"mariadb", 4166, "HY000", Unsupported, Permanent, "ER_LOAD_INFILE_CAPABILITY_DISABLED"},
		{"mysql", 4166, "HY000", Other, UnknownCategory, ""},
		{"mysql", 4031, "HY000", ConnectionLost, Transient, "ER_CLIENT_INTERACTION_TIMEOUT"},
		{"mariadb", 4031, "HY000", UnknownObject, Permanent, "ER_REFERENCED_TRG_DOES_NOT_EXIST"},
		{"mariadb", 3572, "HY000", Other, UnknownCategory, ""},
		{"tidb", 3572, "HY000", LockNowait, Transient, "ER_LOCK_NOWAIT"},
		{"tidb", 4135, "HY000", OutOfRange, Permanent, "ErrSequenceRunOut"},
		{"mariadb", 4135, "HY000", InvalidStatement, Permanent, "ER_VERS_ALREADY_VERSIONED"},
		{"mysql", 4025, "HY000", OutOfRange, Permanent, "ER_INNODB_AUTOEXTEND_SIZE_OUT_OF_RANGE"},
		{"mariadb", 4025, "23000", CheckViolation, Permanent, "ER_CONSTRAINT_FAILED"},
		{"dolt", 1213, "40001", Serialization, Transient, "ER_LOCK_DEADLOCK"},
		{"mysql", 1213, "40001", Deadlock, Transient, "ER_LOCK_DEADLOCK"},
		{"mysql", 4999, "23000", DuplicateKey, Permanent, ""},
		{"mariadb", 2013, "HY000", ConnectionLost, Transient, "CR_SERVER_LOST"},
	} {
		if c := ClassifyCodeOn(x.flavor, x.code, x.state); c.Kind != x.kind || c.Category != x.cat || c.Name != x.name {
			t.Errorf("%d on %q: %s %s %q, want %s %s %q", x.code, x.flavor, c.Kind, c.Category, c.Name, x.kind, x.cat, x.name)
		}
	}
	lost := Wrap("conn.exec", "", "", &mysql.MySQLError{Number: 4031}).LoseReply()
	if lost.On("mariadb"); lost.Kind != UnknownObject || lost.Category != UnknownCategory {
		t.Errorf("got %s %s: a lost reply stays unknown", lost.Kind, lost.Category)
	}
	own := New(StatementTimeout, "conn.query", "bound")
	own.Code = 1317
	if own.On("mariadb"); own.Kind != StatementTimeout {
		t.Errorf("rig's own kind became %s", own.Kind)
	}
}

// TestLocals: every line of what no server sends is whole, and is what Classify says.
func TestLocals(t *testing.T) {
	kinds := kindsByName()
	seen := map[string]bool{}
	for _, l := range Locals() {
		if _, ok := kinds[l.Kind]; !ok || l.Name == "" || l.Source == "" || l.Category == "" || seen[l.Name] {
			t.Errorf("incomplete, or there twice: %+v", l)
		}
		seen[l.Name] = true
	}
	for _, d := range driverErrors {
		if c := Classify(fmt.Errorf("wrapped: %w", d.err)); c.Kind != d.Kind || c.Category != d.Category {
			t.Errorf("%s: %s %s, want %s %s", d.Name, c.Kind, c.Category, d.Kind, d.Category)
		}
	}
	for _, s := range systemErrors {
		err := error(&net.OpError{Op: "read", Err: s.errno})
		if c := Classify(err); c.Kind != s.Kind || c.Category != s.Category {
			t.Errorf("%s: %s %s, want %s %s", s.Name, c.Kind, c.Category, s.Kind, s.Category)
		}
		if c := Classify(s.errno); s.fileToo && c.Kind != Other {
			t.Errorf("%s of a plain file is %s", s.Name, c.Kind)
		}
	}
	if len(seen) < 30 {
		t.Errorf("%d lines", len(seen))
	}
}

func TestClassify(t *testing.T) {
	server := func(code uint16) error { return &mysql.MySQLError{Number: code, Message: "words"} }
	for _, tt := range []struct {
		err      error
		kind     Kind
		category Category
	}{
		{server(1213), Deadlock, Transient},
		{server(1205), LockWaitTimeout, Transient},
		{server(1062), DuplicateKey, Permanent},
		{server(1064), Syntax, Permanent},
		{server(1146), UnknownTable, Permanent},
		{server(1045), AccessDenied, Permanent},
		{server(1040), TooManyConnections, Transient},
		{server(1317), Interrupted, UnknownCategory},
		{server(9007), Serialization, Transient},
		{fmt.Errorf("wrapped: %w", server(1213)), Deadlock, Transient},
		{&mysql.MySQLError{Number: 65000, SQLState: [5]byte{'2', '3', '0', '0', '0'}}, DuplicateKey, Permanent},
		{mysql.ErrInvalidConn, ConnectionLost, Transient},
		{context.Canceled, Cancelled, Permanent},
		{context.DeadlineExceeded, Timeout, UnknownCategory},
		{&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}, ConnectionRefused, Transient},
		{io.ErrUnexpectedEOF, ConnectionLost, Transient},
		{errors.New("never seen"), Other, UnknownCategory},
		{New(BreakerOpen, "x", "y"), BreakerOpen, Transient},
		{New(DuplicateKey, "x", "y").LoseReply(), DuplicateKey, UnknownCategory},
	} {
		if c := Classify(tt.err); c.Kind != tt.kind || c.Category != tt.category {
			t.Errorf("%v: got %s %s, want %s %s", tt.err, c.Kind, c.Category, tt.kind, tt.category)
		}
	}
}

func TestWrapKeepsWhatIsKnown(t *testing.T) {
	inner := New(Deadlock, "conn.exec", "cycle").WithHint("again").LoseReply()
	inner.SQL = "UPDATE"
	e := Wrap("outer", "s1", "", fmt.Errorf("in between: %w", inner))
	if e.SQL != "UPDATE" || e.Hint != "again" || !e.ReplyLost || e.Kind != Deadlock || e.Session != "s1" || e.Op != "outer" {
		t.Errorf("got %+v", e)
	}
	if Wrap("op", "", "", nil) != nil {
		t.Error("Wrap of nil is not nil")
	}
}

func TestSuggest(t *testing.T) {
	names := []string{"query", "exec", "statement_timeout", "test-timeout", "max_attempts"}
	for word, want := range map[string]string{
		"qurey": "query", "exce": "exec", "statement-timeuot": "statement_timeout", "tset-timeout": "test-timeout", "zebra": "", "": "", "query": "",
		"attempts": "max_attempts", "timeout": "", "my_query": "query", "empts": "",
	} {
		if got := Suggest(word, names); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
}

func FuzzSuggest(f *testing.F) {
	f.Add("abc", "abd")
	f.Fuzz(func(t *testing.T, word, name string) {
		if got := Suggest(word, []string{name}); got != "" && got != name {
			t.Errorf("suggested %q, which is no candidate", got)
		}
	})
}
