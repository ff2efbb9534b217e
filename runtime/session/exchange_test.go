package session

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// sockets gives both ends of a connection, the first as sessions use it.
func sockets(t *testing.T) (*wire, net.Conn) {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("unix", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Conn: c}
	w.x.prepare(c, false)
	t.Cleanup(func() { w.Close(); peer.Close() })
	return w, peer
}

func request(command byte, size int) []byte {
	b := make([]byte, 4+size)
	b[0], b[1], b[2], b[4] = byte(size), byte(size>>8), byte(size>>16), command
	return b
}

func TestExchange(t *testing.T) {
	w, peer := sockets(t)
	go func() { // ends with the one request
		b := make([]byte, 64)
		n, _ := peer.Read(b)
		_, _ = peer.Write(append([]byte("got "), b[:n]...))
	}()
	if n, err := w.Write(request(comQuery, 3)); n != 7 || err != nil || !w.sent {
		t.Fatalf("Write: %d, %v, sent %v", n, err, w.sent)
	}
	if string(w.x.got) != "got \x03\x00\x00\x00\x03\x00\x00" {
		t.Errorf("the reply was not awaited: %q", w.x.got)
	}
	b := make([]byte, 5)
	if n, err := w.Read(b); string(b[:n]) != "got \x03" || err != nil {
		t.Errorf("Read: %q, %v", b[:n], err)
	}
	if n, err := w.Read(b[:]); n != 5 || err != nil {
		t.Errorf("Read: %d, %v", n, err)
	}
}

func TestUndescribed(t *testing.T) {
	for reply, want := range map[string]bool{
		"\x02\x00\x00\x01\x03\x00\x05":                 true,  // three columns, no description
		"\x02\x00\x00\x01\x03\x01\x05":                 false, // it follows
		"\x01\x00\x00\x01\x03\x05\x00":                 false, // a server without the cache
		"\x02\x00\x00\x01\xfb\x00\x00":                 false, // wants a local file of one letter
		"\x07\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00": false, // no result
		"\x02\x00\x00\x01\x03":                         false, // cut
		"":                                             false,
	} {
		if got := undescribed([]byte(reply)); got != want {
			t.Errorf("%q: %v", reply, got)
		}
	}
}

func TestExchangeEnds(t *testing.T) {
	b := make([]byte, 8)
	t.Run("deadline", func(t *testing.T) {
		w, _ := sockets(t)
		_ = w.SetDeadline(time.Now().Add(10 * time.Millisecond))
		if _, err := w.Write(request(comExecute, 9)); err != nil || !w.sent {
			t.Fatalf("the request went out: %v, sent %v", err, w.sent)
		}
		if _, err := w.Read(b); !errors.Is(err, os.ErrDeadlineExceeded) || w.cause() == nil {
			t.Errorf("Read: %v", err)
		}
	})
	t.Run("deadline before", func(t *testing.T) {
		w, _ := sockets(t)
		w.cut()
		if _, err := w.Write(request(comQuery, 9)); !errors.Is(err, os.ErrDeadlineExceeded) || w.sent {
			t.Errorf("Write: %v, sent %v", err, w.sent)
		}
	})
	t.Run("closed by the other side", func(t *testing.T) {
		w, peer := sockets(t)
		go func() {
			_, _ = peer.Read(make([]byte, 64))
			peer.Close()
		}()
		if _, err := w.Write(request(comQuery, 9)); err != nil || !w.sent {
			t.Fatalf("Write: %v, sent %v", err, w.sent)
		}
		if _, err := w.Read(b); err != io.EOF {
			t.Errorf("Read: %v", err)
		}
	})
	t.Run("closed while it waits", func(t *testing.T) {
		w, peer := sockets(t)
		go func() {
			_, _ = peer.Read(make([]byte, 64))
			w.Conn.Close()
		}()
		if _, err := w.Write(request(comQuery, 9)); err != nil || !w.sent {
			t.Fatalf("Write: %v, sent %v", err, w.sent)
		}
		if _, err := w.Read(b); !errors.Is(err, net.ErrClosed) {
			t.Errorf("Read: %v", err)
		}
	})
}

// TestPlainRequests: what has no reply, or is a piece of a longer request, must not wait for one.
func TestPlainRequests(t *testing.T) {
	w, peer := sockets(t)
	go func() { _, _ = io.Copy(io.Discard, peer) }() // ends with the connection
	piece := request(comQuery, 100<<10)              // fits the socket
	second := request(comQuery, 8)
	second[3] = 1
	for name, b := range map[string][]byte{"statement's close": request(0x19, 5), "farewell": request(1, 1), "long": piece, "a second packet": second, "cut": request(comQuery, 8)[:9]} {
		if n, err := w.Write(b); n != len(b) || err != nil {
			t.Errorf("%s: %d, %v", name, n, err)
		}
	}
	var tls wire
	tls.x.prepare(w.Conn, true)
	if tls.x.takes(request(comQuery, 3)) {
		t.Error("under TLS the bytes are no requests")
	}
}
