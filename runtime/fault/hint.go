package fault

import (
	"errors"
	"fmt"
	"time"

	"github.com/go-sql-driver/mysql"
)

// Dest is where a connection was to lead, as far as its advice needs.
type Dest struct {
	Addr, User  string
	Database    string // that the target names; "" where it names none, or a session asked for one of its own
	HasPassword bool
	TLS         bool
	Bound       time.Duration // on connecting, log-in included
}

// ConnectHint is one line on what to do about a connection that could not be made, "" where nothing is known.
func ConnectHint(e *Error, d Dest) string {
	switch e.Kind {
	case ConnectionRefused:
		return "is the server running, and does it listen on " + d.Addr + "?"
	case HostUnknown:
		return "check the host's name in the target"
	case HostUnreachable:
		return "is the address right, and does a firewall let it pass?"
	case AccessDenied:
		return accessHint(e, d)
	case TooManyConnections:
		return "the server's max_connections is reached: fewer sessions, or a higher limit"
	case Timeout:
		return fmt.Sprintf("nothing came back within %s: does a MySQL server listen there? (--connect-timeout)", d.Bound)
	case ConnectionLost:
		return "the server hung up during log-in: its log may say why"
	case Protocol:
		return "does a MySQL server listen on " + d.Addr + "?"
	case TLS:
		return tlsHint(e, d)
	case UnknownDatabase:
		return databaseHint(d)
	}
	return ""
}

// noDatabaseRight is ER_DBACCESS_DENIED_ERROR, which a database that does not exist gives too.
const noDatabaseRight = 1044

func accessHint(e *Error, d Dest) string {
	switch {
	case e.Code == noDatabaseRight:
		return "the user may not use this database, or it does not exist; " + databaseHint(d)
	case d.HasPassword:
		return fmt.Sprintf("as user %q; a password was sent: is it the right one?", d.User)
	}
	return fmt.Sprintf("as user %q; no password was sent: set RIG_PASSWORD, or put one in the URL", d.User)
}

func databaseHint(d Dest) string {
	if d.Database == "" {
		return "check the name: a session is opened in a database that exists"
	}
	return "leave the database out of the target: each test gets its own"
}

func tlsHint(e *Error, d Dest) string {
	switch {
	case errors.Is(e, mysql.ErrNoTLS):
		return "the server has no TLS: tls=off in the target's URL does without, where nobody else can read the wire"
	case !d.TLS:
		return "the server wants TLS: tls=verify in the target's URL"
	}
	return "tls=skip-verify in the target's URL trusts any certificate"
}
