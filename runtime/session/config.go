package session

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/clock"
	"rig/runtime/event"
)

// The bounds that apply where Config leaves them zero.
const (
	DefaultConnectTimeout   = 10 * time.Second
	DefaultStatementTimeout = 30 * time.Second
	DefaultMaxRows          = 10_000
	DefaultMaxBytes         = 16 << 20
)

// Config says how the sessions of one server are opened and bounded. Its password shows in no format.
type Config struct {
	Target  string // the server's name in events
	Network string // "tcp" or "unix"
	Address string // host:port, or the path of a socket
	// Dial replaces the system's dialler; nil is the system's.
	Dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	User     string
	Password string
	Database string // the default database of sessions that name none; may be ""
	// TLS is used as it is; nil means none. Whether a server may be reached without is decided by who makes the Config.
	TLS *tls.Config

	ConnectTimeout   time.Duration // bounds dialling, handshake, log-in and Init together; 0 is DefaultConnectTimeout
	StatementTimeout time.Duration // of calls that name none; 0 is DefaultStatementTimeout, negative is none
	MaxRows          int           // that Query keeps; 0 is DefaultMaxRows, negative is no bound
	MaxBytes         int           // that Query keeps, text and binary cells only; 0 is DefaultMaxBytes, negative is no bound

	Flavor string   // embedded, mariadb, mysql, tidb, dolt or mock
	Init   []string // statements that every session runs first
	Bus    *event.Bus
	Clock  *clock.Clock // its holds do not count for StatementTimeout; nil is none
}

// String names the server and the user, never the password.
func (c Config) String() string {
	return fmt.Sprintf("%s %s@%s(%s)/%s", c.Target, c.User, c.Network, c.Address, c.Database)
}

// GoString is String.
func (c Config) GoString() string { return c.String() }

// Format writes String whatever the verb.
func (c Config) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue gives String.
func (c Config) LogValue() slog.Value { return slog.StringValue(c.String()) }

func (c Config) withDefaults() Config {
	if c.Network == "" {
		c.Network = "tcp"
	}
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = DefaultConnectTimeout
	}
	c.StatementTimeout = orDefault(c.StatementTimeout, DefaultStatementTimeout)
	c.MaxRows = orDefault(c.MaxRows, DefaultMaxRows)
	c.MaxBytes = orDefault(c.MaxBytes, DefaultMaxBytes)
	return c
}

func orDefault[T int | time.Duration](v, def T) T {
	if v == 0 {
		return def
	}
	return v
}

// driverConfig is the driver's form of c. dial is the only way to the network; packet is the server's
// max_allowed_packet in bytes, 0 makes the driver ask.
func (c Config) driverConfig(database string, packet int, dial func(context.Context, string, string) (net.Conn, error)) *mysql.Config {
	d := mysql.NewConfig()
	d.User, d.Passwd, d.DBName = c.User, c.Password, database
	d.Net, d.Addr = c.Network, c.Address
	d.TLS = c.TLS
	d.MaxAllowedPacket = packet
	d.DialFunc = dial
	d.Logger = &mysql.NopLogger{}
	d.ConnectionAttributes = "program_name:rig"
	// A password in clear text is for a wire that nobody reads.
	d.AllowCleartextPasswords = c.TLS != nil
	d.CheckConnLiveness = false
	return d
}
