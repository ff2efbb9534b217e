package mock

import (
	"bytes"
	"net"
	"testing"
	"time"
)

// FuzzLex: SQL of any bytes is taken apart within its length, and what is written of it reads the same again.
func FuzzLex(f *testing.F) {
	for _, s := range []string{"SELECT ? FROM `t` WHERE a = 'it''s' -- x\n AND b = _utf8mb4 x'41' /* y */ ;", "1e", "'\\", "_a _a 0x", "/*", "`", "5--3"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		tokens := lex(sql)
		if len(tokens) > len(sql) {
			t.Fatalf("%d tokens of %d bytes", len(tokens), len(sql))
		}
		once := text(tokens)
		args, rest, ok := follow(tokens, tokens)
		if ok && (len(rest) > 0 || len(args) != places(tokens)) {
			t.Fatalf("%q does not follow itself", once)
		}
		if n := places(fill(tokens, make([]Value, 3))); n != max(places(tokens)-3, 0) {
			t.Fatalf("%d places stay", n)
		}
	})
}

// FuzzExecute: the arguments of a COM_STMT_EXECUTE are read or refused, whatever the bytes.
func FuzzExecute(f *testing.F) {
	f.Add([]byte("\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x08\x00\xfd\x00\x05\x00\x00\x00\x00\x00\x00\x00\x01a"), 2)
	f.Add([]byte("\x01\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01\x0c\x00\x0b\xe8\x07\x02\x1d\x0c\x00\x00\x00\x00\x00\x00"), 1)
	f.Fuzz(func(t *testing.T, payload []byte, params int) {
		if params < 0 || params > 1000 {
			return
		}
		s := &stmt{params: params}
		args, err := execute(payload, s)
		if err == nil && len(args) != params {
			t.Fatalf("%d arguments, want %d", len(args), params)
		}
	})
}

// FuzzConnection: a client that sends anything gets an answer or is hung up on, and the server's goroutine ends.
func FuzzConnection(f *testing.F) {
	login := "\x01\x00\x00\x01\x00"
	f.Add([]byte(login + "\x09\x00\x00\x00\x03SELECT 1"))
	f.Add([]byte(login + "\x02\x00\x00\x00\x16?" + "\x0a\x00\x00\x00\x17\x01\x00\x00\x00\x00\x01\x00\x00\x00"))
	f.Add([]byte(login + "\x24\x00\x00\x00\x03LOAD DATA LOCAL INFILE 'x' INTO TABLE"))
	f.Fuzz(func(t *testing.T, sent []byte) {
		srv, err := New([]Rule{{How: Regexp, Query: "SELECT|LOAD", Times: Any, Answers: rows("n", []Value{{Int, "1"}})}})
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Close()
		c, err := srv.Dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
			t.Fatal(err)
		}
		go func() { // ends with its write, which the deadline bounds
			_, _ = c.Write(sent)
			_ = c.(*net.UnixConn).CloseWrite()
		}()
		var got bytes.Buffer
		if _, err := got.ReadFrom(c); err != nil && isTimeout(err) {
			t.Fatalf("the server neither answered nor hung up: %v", err)
		}
	})
}

func isTimeout(err error) bool {
	n, ok := err.(net.Error)
	return ok && n.Timeout()
}
