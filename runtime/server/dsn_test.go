package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"rig/runtime/fault"
)

const secret = "hunter2-is-no-password"

// refusal asserts what a server that cannot be reached gives, and that nothing shows the password.
func refusal(t *testing.T, s Spec, kind fault.Kind, message, hint string) {
	t.Helper()
	s.Kind = DSN
	r, bus := record(t)
	_, err := Start(t.Context(), s, bus)
	var e *fault.Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	if e.Kind != kind || e.Op != "connect" || !strings.Contains(e.Message, message) || !strings.Contains(e.Hint, hint) || strings.Contains(e.Hint, "\n") {
		t.Errorf("kind %s, op %s\nmessage %q\nhint %q", e.Kind, e.Op, e.Message, e.Hint)
	}
	if !strings.Contains(e.Message, s.Address.Addr) {
		t.Errorf("the address is not in %q", e.Message)
	}
	bus.Flush()
	if got := r.states(); got != "starting failed" {
		t.Errorf("events %q", got)
	}
	for _, text := range []string{err.Error(), e.Hint, fmt.Sprintf("%+v", r.last()), fmt.Sprintf("%+v", *r.last().Error), fmt.Sprintf("%+v %#v", s, s)} {
		if strings.Contains(text, secret) {
			t.Errorf("the password is in %s", text)
		}
	}
}

func listen(t *testing.T, serve func(net.Conn)) Address {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serve(c)
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	return Address{Network: "tcp", Addr: l.Addr().String(), User: "u", Password: secret}
}

func TestUnreachable(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		port, err := freePort()
		if err != nil {
			t.Fatal(err)
		}
		a := Address{Network: "tcp", Addr: loopback(port), User: "u", Password: secret}
		refusal(t, Spec{Name: "staging", Address: a}, fault.ConnectionRefused, "staging (127.0.0.1:", "does it listen on "+a.Addr+"?")
	})
	t.Run("no socket", func(t *testing.T) {
		a := Address{Network: "unix", Addr: t.TempDir() + "/none.sock", User: "u"}
		refusal(t, Spec{Address: a}, fault.ConnectionRefused, "no such file", "is the server running")
	})
	t.Run("no TLS", func(t *testing.T) {
		a := begin(t, Spec{Kind: Embedded}).Address()
		a.TLS = &tls.Config{ServerName: "db"}
		refusal(t, Spec{Address: a}, fault.TLS, "TLS", "tls=off")
	})
	t.Run("no MySQL", func(t *testing.T) {
		a := listen(t, func(c net.Conn) {
			fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n")
			c.Close()
		})
		_, err := Start(t.Context(), Spec{Kind: DSN, Address: a}, nil)
		var e *fault.Error
		if !errors.As(err, &e) || e.Hint == "" {
			t.Errorf("got %v", err)
		}
	})
	t.Run("hangs up", func(t *testing.T) {
		a := listen(t, func(c net.Conn) { c.Close() })
		refusal(t, Spec{Address: a}, fault.ConnectionLost, a.Addr, "hung up")
	})
}

func TestSilentServer(t *testing.T) {
	a := listen(t, func(c net.Conn) { t.Cleanup(func() { c.Close() }) })
	const bound = 150 * time.Millisecond
	start := time.Now()
	refusal(t, Spec{Address: a, ConnectTimeout: bound}, fault.Timeout, a.Addr, "nothing came back within 150ms")
	if took := time.Since(start); took < bound || took > 20*bound {
		t.Errorf("took %s, the bound is %s", took, bound)
	}
}

func TestDSNOnMariaDB(t *testing.T) {
	wantMariaDB(t)
	target := begin(t, Spec{Kind: MariaDB, Options: map[string]string{"local_infile": "0"}})
	admin := connect(t, open(t, target.Address()))
	admin.exec("CREATE USER u@localhost IDENTIFIED BY '" + secret + "'")
	a := target.Address()

	r, bus := record(t)
	a.User, a.Password = "u", secret
	srv, err := Start(t.Context(), Spec{Kind: DSN, Name: "staging", Address: a}, bus)
	if err != nil {
		t.Fatal(err)
	}
	if srv.Type() != MariaDB || srv.Kind() != DSN || srv.Version() != target.Version() || srv.ThrowAway() || srv.Exited() != nil {
		t.Errorf("type %s, kind %s, version %s", srv.Type(), srv.Kind(), srv.Version())
	}
	for _, name := range []string{throwAway, serverControl, "load_data"} {
		if srv.Capabilities().Has(name) {
			t.Errorf("it has %s", name)
		}
	}
	if _, why, _ := srv.Capabilities().Check("load_data"); !strings.Contains(why, "local_infile is off") {
		t.Errorf("why %q", why)
	}
	if err := srv.Kill(); !fault.IsKind(err, fault.Unsupported) || !strings.Contains(err.Error(), "did not start staging") {
		t.Errorf("Kill gives %v", err)
	}
	if err := srv.Stop(); err != nil {
		t.Error(err)
	}
	bus.Flush()
	if text := fmt.Sprintf("%v %+v %#v %v", srv, srv, srv, r.last()); strings.Contains(text, secret) {
		t.Errorf("the password is in %s", text)
	}
	if got := connect(t, open(t, target.Address())).get("SELECT 1"); got != "1" {
		t.Error("Stop has ended a server that is not ours")
	}

	a.Password = secret + "x"
	refusal(t, Spec{Address: a}, fault.AccessDenied, "Access denied", `as user "u"; a password was sent`)
	a.Password = ""
	refusal(t, Spec{Address: a}, fault.AccessDenied, "Access denied", "no password was sent")
	a = target.Address()
	a.Database = "nowhere"
	refusal(t, Spec{Address: a}, fault.UnknownDatabase, "nowhere", "leave the database out")
	admin.exec("CREATE USER s@localhost REQUIRE SSL")
	a = target.Address()
	a.User = "s"
	refusal(t, Spec{Address: a}, fault.AccessDenied, "Access denied", `as user "s"`)
}
