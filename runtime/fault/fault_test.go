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
	last := 0
	for _, e := range all {
		if e.Code <= last {
			t.Errorf("%d %s does not follow %d", e.Code, e.Name, last)
		}
		last = e.Code
		if !kinds[e.Kind] || e.Name == "" || len(e.SQLState) != 5 || e.Source == "" || e.Servers == "" {
			t.Errorf("incomplete entry %+v", e)
		}
		switch e.Category {
		case Transient, Permanent, UnknownCategory:
		default:
			t.Errorf("%d has category %q", e.Code, e.Category)
		}
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
	names := []string{"query", "exec", "statement_timeout", "test-timeout"}
	for word, want := range map[string]string{
		"qurey": "query", "exce": "exec", "statement-timeuot": "statement_timeout", "tset-timeout": "test-timeout", "zebra": "", "": "", "query": "",
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
