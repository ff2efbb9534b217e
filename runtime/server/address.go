package server

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
)

// Address is the way to a server. Its password shows in no format.
type Address struct {
	Network, Addr            string // "tcp" and host:port, or "unix" and the path of a socket
	User, Password, Database string
	TLS                      *tls.Config // nil is none
	// Dial replaces the system's dialler; nil is the system's.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// String is user@addr/database.
func (a Address) String() string {
	s := a.Addr
	if a.User != "" {
		s = a.User + "@" + s
	}
	if a.Database != "" {
		s += "/" + a.Database
	}
	return s
}

// GoString is String.
func (a Address) GoString() string { return a.String() }

// Format writes String whatever the verb.
func (a Address) Format(f fmt.State, _ rune) { fmt.Fprint(f, a.String()) }

// LogValue gives String.
func (a Address) LogValue() slog.Value { return slog.StringValue(a.String()) }
