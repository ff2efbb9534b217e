package server

import (
	"context"
	"errors"
	"io"
	"maps"
	"net"
	"path/filepath"
	"sync"
	"time"

	sqle "github.com/dolthub/go-mysql-server"
	"github.com/dolthub/go-mysql-server/memory"
	gms "github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/analyzer"
	"github.com/dolthub/go-mysql-server/sql/mysql_db"
	"github.com/dolthub/vitess/go/vt/log"
	"github.com/sirupsen/logrus"
)

// embedded is go-mysql-server's in-memory engine in this process, behind a private unix socket, so that everything but the
// engine is as with a real server. SET GLOBAL reaches every embedded server of the process: the engine keeps its variables
// in one place.
type embedded struct {
	server *gms.Server
	conns  *listener
	folder *folder
	ended  chan struct{} // closed when the accept loop has returned
}

func startEmbedded(s Spec) (backend, Address, error) {
	prepareEngine()
	dir, err := makeFolder(s.TempDir)
	if err != nil {
		return nil, Address{}, startError(s, err, "")
	}
	e, address, err := serve(dir)
	if err != nil {
		return nil, Address{}, startError(s, errors.Join(err, dir.remove()), "")
	}
	return e, address, nil
}

func serve(dir *folder) (*embedded, Address, error) {
	path := filepath.Join(dir.path, "s.sock")
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, Address{}, err
	}
	conns := &listener{Listener: l, open: map[net.Conn]struct{}{}}
	databases := &databases{DbProvider: memory.NewDBProvider()}
	engine := sqle.New(analyzer.NewDefault(databases), &sqle.Config{IncludeRootAccount: true})
	engine.Analyzer.Catalog.MySQLDb.SetPersister(&mysql_db.NoopPersister{})
	databases.locks = engine.LS
	cfg := gms.Config{Listener: conns, Protocol: "unix", Address: path}
	h := newHandler(conns)
	srv, err := gms.NewServerWithHandler(cfg, engine, sql.NewContext, h.newSession(databases.DbProvider), nil, h.wrap)
	if err != nil {
		l.Close()
		return nil, Address{}, err
	}
	e := &embedded{server: srv, conns: conns, folder: dir, ended: make(chan struct{})}
	go func() { // stop ends it
		defer close(e.ended)
		_ = srv.Start() // it ends by Close only, and gives no error
	}()
	return e, Address{Network: "unix", Addr: path, User: "root"}, nil
}

// prepareEngine does once what the engine keeps in variables of its packages. It logs to stderr, through logrus and through
// log functions that vitess offers for replacement: both would tear the terminal. local_infile is off there.
var prepareEngine = sync.OnceFunc(func() {
	logrus.SetLevel(logrus.PanicLevel)
	logrus.SetOutput(io.Discard)
	quiet, quietf := func(...any) {}, func(string, ...any) {}
	log.Info, log.Warning, log.Error = quiet, quiet, quiet
	log.Infof, log.Warningf, log.Errorf = quietf, quietf, quietf
	_ = sql.SystemVariables.AssignValues(map[string]any{"local_infile": int8(1)}) // load_data is probed
})

// stop ends every connection and waits, within a bound, until their goroutines are gone.
func (e *embedded) stop() error {
	err := e.server.Close()
	<-e.ended
	if ended := e.server.Engine.Close(); !errors.Is(ended, context.Canceled) { // which it always gives
		err = errors.Join(err, ended)
	}
	if !e.conns.closeAll(quitWithin) {
		err = errors.Join(err, errors.New("the embedded engine still runs a statement"))
	}
	return errors.Join(err, e.folder.remove())
}

// listener knows the connections that it has accepted: the engine's server closes none at its end.
type listener struct {
	net.Listener
	running sync.WaitGroup // one for each connection that has a goroutine

	mu   sync.Mutex
	open map[net.Conn]struct{} // guarded by mu
}

func (l *listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.running.Add(1)
	l.mu.Lock()
	l.open[c] = struct{}{}
	l.mu.Unlock()
	return c, nil
}

func (l *listener) forget(c net.Conn) {
	l.mu.Lock()
	delete(l.open, c)
	l.mu.Unlock()
	l.running.Done()
}

// closeAll closes what is open and reports whether every connection's goroutine ended within the bound.
func (l *listener) closeAll(bound time.Duration) bool {
	l.mu.Lock()
	open := maps.Clone(l.open)
	l.mu.Unlock()
	for c := range open {
		c.Close()
	}
	gone := make(chan struct{})
	go func() { // ends with the last connection's goroutine
		l.running.Wait()
		close(gone)
	}()
	timer := time.NewTimer(bound)
	defer timer.Stop()
	select {
	case <-gone:
		return true
	case <-timer.C:
		return false
	}
}
