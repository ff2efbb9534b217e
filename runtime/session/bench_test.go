package session_test

import (
	"context"
	"database/sql/driver"
	"io"
	"testing"

	"github.com/go-sql-driver/mysql"

	"rig/runtime/session"
)

const pointQuery = "SELECT id, s FROM bench WHERE id = ?"

func benchTable(b *testing.B) (*world, *session.Session) {
	b.Helper()
	w := onMariadb(b)
	a := w.open()
	w.exec(a, "CREATE TABLE bench (id INT PRIMARY KEY, s VARCHAR(100))")
	w.exec(a, "INSERT INTO bench SELECT seq, CONCAT('row ', seq) FROM seq_1_to_1000")
	return w, a
}

// BenchmarkQueryPrepared is a point query through a session, without events as under load.
func BenchmarkQueryPrepared(b *testing.B) {
	w, _ := benchTable(b)
	c := w.cfg
	c.Bus = nil
	hub := session.NewHub(c)
	defer hub.Close()
	s, err := hub.Open(context.Background(), session.Options{Name: "s"})
	if err != nil {
		b.Fatal(err)
	}
	call := at(1)
	args := []driver.Value{nil}
	n := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		n = n%1000 + 1
		args[0] = n
		r, err := s.Query(call, pointQuery, args)
		if err != nil || r.At(0, 0).Int() != n {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareDriver is the same by the driver's own statement on the same socket.
func BenchmarkBareDriver(b *testing.B) {
	w, _ := benchTable(b)
	d := mysql.NewConfig()
	d.User, d.Net, d.Addr, d.DBName = w.cfg.User, w.cfg.Network, w.cfg.Address, w.cfg.Database
	connector, err := mysql.NewConnector(d)
	if err != nil {
		b.Fatal(err)
	}
	conn, err := connector.Connect(context.Background())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	stmt, err := conn.Prepare(pointQuery)
	if err != nil {
		b.Fatal(err)
	}
	defer stmt.Close()
	// The call without a context, which sessions use as well.
	query := stmt.(interface {
		Query(args []driver.Value) (driver.Rows, error)
	}).Query
	args := []driver.Value{nil}
	dest := make([]driver.Value, 2)
	n := int64(0)
	b.ReportAllocs()
	for b.Loop() {
		n = n%1000 + 1
		args[0] = n
		rows, err := query(args)
		if err != nil {
			b.Fatal(err)
		}
		if err := rows.Next(dest); err != nil || dest[0] != n {
			b.Fatal(err, dest)
		}
		if err := rows.Next(dest); err != io.EOF {
			b.Fatal(err)
		}
		if err := rows.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
