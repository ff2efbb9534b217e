package server

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/fault"
)

// probe logs in, asks who is there, and leaves. bound covers all of it: the driver's own time-out would cover only dialling.
func probe(ctx context.Context, a Address, bound time.Duration) (found, error) {
	ctx, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	w := &wire{ctx: ctx, to: a}
	defer w.release()
	c, err := w.login()
	if err != nil {
		return found{}, w.explain(err)
	}
	defer c.Close()
	version, comment, err := pair(c, "SELECT @@version, @@version_comment")
	if err != nil {
		return found{}, w.explain(err)
	}
	f := identify(version, comment)
	// What is asked from here on may be refused without harm.
	infile, _, err := pair(c, "SELECT @@GLOBAL.local_infile, ''")
	f.infile = err == nil && (infile == "1" || infile == "ON")
	if f.kind == Dolt {
		if own, _, err := pair(c, "SELECT dolt_version(), ''"); err == nil {
			f.version = numbers(own)
		}
	}
	return f, nil
}

// queryer is what is used of the driver's connection.
type queryer interface {
	Query(sql string, args []driver.Value) (driver.Rows, error)
	Close() error
}

// wire is one connection under the driver: it ends with its context, and remembers what the network said, where the driver
// says only "invalid connection".
type wire struct {
	net.Conn
	ctx  context.Context
	to   Address
	stop func() bool // ends the watch on ctx

	mu  sync.Mutex
	err error // guarded by mu: the first that ended the connection, or kept it from being made
}

func (w *wire) login() (queryer, error) {
	a := w.to
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.DBName, cfg.TLS = a.User, a.Password, a.Database, a.TLS
	cfg.Net, cfg.Addr, cfg.Logger = a.Network, a.Addr, &mysql.NopLogger{}
	cfg.ConnectionAttributes = "program_name:rig"
	// A password in clear text is for a wire that nobody reads.
	cfg.AllowCleartextPasswords = a.TLS != nil
	cfg.DialFunc = func(context.Context, string, string) (net.Conn, error) { return w.dial() }
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return nil, err
	}
	// The driver would hand a context that can end to a goroutine for each statement: the deadline does it here.
	c, err := connector.Connect(context.Background())
	if err != nil {
		return nil, err
	}
	return c.(queryer), nil
}

func (w *wire) dial() (net.Conn, error) {
	dial := w.to.Dial
	if dial == nil {
		dial = (&net.Dialer{}).DialContext
	}
	conn, err := dial(w.ctx, w.to.Network, w.to.Addr)
	if err != nil {
		w.note(err)
		return nil, err
	}
	w.Conn = conn
	w.stop = context.AfterFunc(w.ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) }) // a closed one needs none
	return w, nil
}

func (w *wire) release() {
	if w.stop != nil {
		w.stop()
	}
}

func (w *wire) Read(b []byte) (int, error) {
	n, err := w.Conn.Read(b)
	w.note(err)
	return n, err
}

func (w *wire) Write(b []byte) (int, error) {
	n, err := w.Conn.Write(b)
	w.note(err)
	return n, err
}

func (w *wire) note(err error) {
	if err == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = err
	}
}

// explain says why the connection ended, where the driver's error does not know.
func (w *wire) explain(err error) error {
	w.mu.Lock()
	ended := w.err
	w.mu.Unlock()
	switch {
	case fault.Classify(err).Code != 0: // the server has said it
		return err
	case errors.Is(w.ctx.Err(), context.Canceled):
		return context.Cause(w.ctx)
	case ended != nil && errors.Is(err, mysql.ErrInvalidConn):
		return ended
	case ended != nil && !errors.Is(err, ended):
		return fmt.Errorf("%w (%v)", ended, err)
	}
	return err
}

// pair reads the two columns of the first row.
func pair(c queryer, sql string) (string, string, error) {
	rows, err := c.Query(sql, nil)
	if err != nil {
		return "", "", err
	}
	defer rows.Close()
	dest := make([]driver.Value, len(rows.Columns()))
	if len(dest) != 2 {
		return "", "", fmt.Errorf("the server gave %d columns for %s", len(dest), sql)
	}
	if err := rows.Next(dest); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the server gave no row for " + sql)
		}
		return "", "", err
	}
	return text(dest[0]), text(dest[1]), nil
}

func text(v driver.Value) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}
