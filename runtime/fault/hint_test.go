package fault

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

func TestConnectHint(t *testing.T) {
	d := Dest{Addr: "db:3306", User: "u", Bound: 3 * time.Second}
	secret, safe, named := d, d, d
	secret.HasPassword, safe.TLS, named.Database = true, true, "shop"
	kind := func(k Kind) *Error { return New(k, "connect", "x") }
	code := func(n uint16) *Error { return Wrap("connect", "", "", &mysql.MySQLError{Number: n}) }
	for _, x := range []struct {
		err  *Error
		to   Dest
		want string
	}{
		{kind(ConnectionRefused), d, "does it listen on db:3306?"},
		{kind(HostUnknown), d, "the host's name"},
		{kind(HostUnreachable), d, "firewall"},
		{code(1044), d, "or it does not exist; check the name"},
		{code(1044), named, "or it does not exist; leave the database out of the target"},
		{kind(UnknownDatabase), d, "check the name"},
		{kind(UnknownDatabase), named, "leave the database out of the target"},
		{code(1045), d, `as user "u"; no password was sent`},
		{code(1045), secret, "is it the right one?"},
		{code(1040), d, "max_connections"},
		{kind(Timeout), d, "within 3s"},
		{kind(ConnectionLost), d, "hung up"},
		{kind(Protocol), d, "does a MySQL server listen"},
		{Wrap("connect", "", "", mysql.ErrNoTLS), safe, "the server has no TLS"},
		{kind(TLS), d, "the server wants TLS"},
		{kind(TLS), safe, "tls=skip-verify"},
		{code(1049), d, "check the name"},
		{code(1049), named, "leave the database out"},
	} {
		if got := ConnectHint(x.err, x.to); !strings.Contains(got, x.want) {
			t.Errorf("%v: hint %q, want %q in it", x.err, got, x.want)
		}
	}
	if got := ConnectHint(Wrap("", "", "", errors.New("odd")), d); got != "" {
		t.Errorf("a hint about nothing: %q", got)
	}
}
