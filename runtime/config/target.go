package config

import (
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
)

// mask stands in place of a secret.
const mask = "***"

// The kinds of targets.
const (
	kindEmbedded = "embedded"
	kindDSN      = "dsn"
	kindMock     = "mock"
)

// kinds lists what a target can be, in the order of the documentation.
func kinds() []string { return []string{kindEmbedded, "mariadb", "mysql", "dolt", "tidb", kindDSN} }

// mockPrefix stands before the path of a file of mock rules.
const mockPrefix = "mock:"

// Target is a server as the settings describe it. Kind is embedded, mariadb, mysql, dolt, tidb (servers that rig makes),
// dsn (one that exists: only then Network, "tcp" or "unix", and what follows it are set), or mock, whose Address is a file of rules. Options, Binary and TCP are
// for the servers that rig starts. Params has charset, collation and time_zone, checked to be plain words. No format
// prints the password.
type Target struct {
	Name, Kind                                 string
	Network, Address, User, Password, Database string
	HasPassword                                bool // also of an empty password that was given
	PasswordFile                               string
	TLS                                        TLS
	Options                                    map[string]string
	Binary                                     string
	TCP                                        bool
	Params                                     map[string]string
	Origin                                     Origin
}

// Safe is the target as text without its password: "mysql://user@host:3306/db", or the kind of a server that rig makes.
func (t Target) Safe() string {
	if t.Kind != kindDSN {
		return t.Kind
	}
	s := "mysql://"
	if t.User != "" || t.Network == "unix" {
		s += escape(t.User) + "@"
	}
	if t.Network != "unix" {
		return s + t.Address + "/" + escape(t.Database)
	}
	return s + "/" + escape(t.Database) + "?socket=" + strings.ReplaceAll(escape(t.Address), "%2F", "/")
}

// escape writes s for any part of a URL.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// String gives the name with Safe.
func (t Target) String() string {
	if t.Name == "" || t.Name == t.Kind {
		return t.Safe()
	}
	return t.Name + " (" + t.Safe() + ")"
}

// GoString is String.
func (t Target) GoString() string { return t.String() }

// Format writes String whatever the verb.
func (t Target) Format(f fmt.State, _ rune) { fmt.Fprint(f, t.String()) }

// LogValue gives String.
func (t Target) LogValue() slog.Value { return slog.StringValue(t.String()) }

// MarshalText gives String, to JSON too.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// host is the address without its port; "" for a socket.
func (t Target) host() string {
	if t.Network == "unix" {
		return ""
	}
	i := strings.LastIndexByte(t.Address, ':')
	if i < 0 {
		return t.Address
	}
	return strings.Trim(t.Address[:i], "[]")
}

// local reports whether the bytes stay on this machine: a unix socket, 127.0.0.0/8, ::1 or the name localhost.
func (t Target) local() bool {
	if t.Network == "unix" {
		return true
	}
	host := t.host()
	if strings.EqualFold(strings.TrimSuffix(host, "."), "localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}
