package main

import (
	"context"
	"net"
	"testing"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/session"
)

// replayConn answers every execution of a prepared statement with the server's reply to the first one, from memory: what is
// left is the work of the client, without the kernel's and the scheduler's.
type replayConn struct {
	net.Conn
	reply  []byte // to an execution
	taking bool   // an execution was sent, its reply is being read
	due    bool   // the reply is to be given from memory
}

// comStmtExecute is the protocol's command.
const comStmtExecute = 0x17

func (c *replayConn) Write(b []byte) (int, error) {
	execute := len(b) > 4 && b[4] == comStmtExecute
	if execute && len(c.reply) > 0 {
		c.taking, c.due = false, true
		return len(b), nil
	}
	c.taking = execute
	return c.Conn.Write(b)
}

func (c *replayConn) Read(b []byte) (int, error) {
	if c.due {
		c.due = false
		return copy(b, c.reply), nil
	}
	n, err := c.Conn.Read(b)
	if c.taking {
		c.reply = append(c.reply, b[:n]...)
	}
	return n, err
}

func dialReplay(ctx context.Context, network, address string) (net.Conn, error) {
	c, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return &replayConn{Conn: c}, err
}

// BenchmarkReplayScript is the client's side of a point query through a script.
func BenchmarkReplayScript(b *testing.B) {
	st := newStage(b)
	cfg := st.hub.Config()
	cfg.Dial = dialReplay
	st.hub = session.NewHub(cfg)
	b.Cleanup(func() { _ = st.hub.Close() })
	defer meter(b)()
	st.call(b, "s1", "point", b.N)
}

// BenchmarkReplayBare is the same through the bare driver.
func BenchmarkReplayBare(b *testing.B) {
	st := newStage(b)
	cfg := mysql.NewConfig()
	cfg.Net, cfg.Addr, cfg.User, cfg.DBName, cfg.DialFunc = "unix", st.server.Address().Addr, "root", "bench", dialReplay
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := connector.Connect(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	defer meter(b)()
	if _, err := barePoints(b.Context(), conn, b.N); err != nil {
		b.Fatal(err)
	}
}
