package server

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/dolthub/go-mysql-server/memory"
	gms "github.com/dolthub/go-mysql-server/server"
	"github.com/dolthub/go-mysql-server/sql"
	"github.com/dolthub/go-mysql-server/sql/plan"
	"github.com/dolthub/vitess/go/mysql"
	"github.com/dolthub/vitess/go/sqltypes"
	querypb "github.com/dolthub/vitess/go/vt/proto/query"
)

// handler stands before the engine's and lets one statement at a time into it. The engine (of 2026-03-06) is not made for
// more: its information_schema races, and the end of each statement, even of a SELECT, writes back every table that the
// statement used as it was at its beginning, so that 10 sessions with 50 single-row INSERTs into one table kept about half
// of them. A statement leaves its turn while it sleeps, waits for a user lock, or sends rows.
//
// Of transactions the handler can mend less: COMMIT still writes back whole tables. But one that has only read writes
// nothing back, and the first write of one takes the tables as they are then.
type handler struct {
	*gms.Handler
	conns *listener
	gate  chan struct{} // holds a token while a statement has its turn

	mu       sync.Mutex
	sessions map[uint32]*visitor // guarded by mu; by connection id
}

// visitor is one connection's session. It is used by its connection's goroutine only.
type visitor struct {
	session *memory.Session
	wrote   bool // in the open transaction
}

func newHandler(conns *listener) *handler {
	return &handler{conns: conns, gate: make(chan struct{}, 1), sessions: map[uint32]*visitor{}}
}

// wrap puts h before the engine's handler.
func (h *handler) wrap(engine mysql.Handler) (mysql.Handler, error) {
	inner, ok := engine.(*gms.Handler)
	if !ok {
		return nil, fmt.Errorf("the engine's handler is a %T", engine)
	}
	h.Handler = inner
	return h, nil
}

// newSession gives each connection a session over the databases.
func (h *handler) newSession(p *memory.DbProvider) gms.SessionBuilder {
	build := memory.NewSessionBuilder(p)
	return func(ctx context.Context, c *mysql.Conn, addr string) (sql.Session, error) {
		s, err := build(ctx, c, addr)
		if err != nil {
			return nil, err
		}
		m, ok := s.(*memory.Session)
		if !ok {
			return nil, fmt.Errorf("the engine's session is a %T", s)
		}
		m.SetGlobals(memory.GlobalsMap{}) // without a map SET PERSIST panics
		h.mu.Lock()
		defer h.mu.Unlock()
		h.sessions[c.ConnectionID] = &visitor{session: m}
		return m, nil
	}
}

// ConnectionClosed is called once for each accepted connection, as the last thing but one.
func (h *handler) ConnectionClosed(c *mysql.Conn) {
	defer h.conns.forget(c.Conn)
	h.Handler.ConnectionClosed(c)
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.sessions, c.ConnectionID)
}

// turn is one statement's stay in the engine. Several of its goroutines may be away at once; the gate is free as long as one is.
type turn struct {
	gate chan struct{}

	mu   sync.Mutex
	away int // guarded by mu
}

type turnKey struct{}

// turnOf finds the statement's turn in its context, nil outside a statement.
func turnOf(ctx context.Context) *turn {
	t, _ := ctx.Value(turnKey{}).(*turn)
	return t
}

// leave lets others into the engine until back is called.
func (t *turn) leave() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away++; t.away == 1 {
		<-t.gate
	}
}

func (t *turn) back() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.away--; t.away == 0 {
		t.gate <- struct{}{}
	}
}

// enter waits for a turn.
func (h *handler) enter(ctx context.Context) (context.Context, *turn) {
	h.gate <- struct{}{}
	t := &turn{gate: h.gate}
	return context.WithValue(ctx, turnKey{}, t), t
}

func (h *handler) visitor(c *mysql.Conn) *visitor {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sessions[c.ConnectionID]
}

// ComQuery runs one statement.
func (h *handler) ComQuery(ctx context.Context, c *mysql.Conn, query string, callback mysql.ResultSpoolFn) error {
	_, err := h.statement(ctx, c, query, func(ctx context.Context, t *turn) (string, error) {
		return "", h.Handler.ComQuery(ctx, c, query, outside(t, callback))
	})
	return err
}

// ComMultiQuery runs the first statement of several and gives the others.
func (h *handler) ComMultiQuery(ctx context.Context, c *mysql.Conn, query string, callback mysql.ResultSpoolFn) (string, error) {
	return h.statement(ctx, c, query, func(ctx context.Context, t *turn) (string, error) {
		return h.Handler.ComMultiQuery(ctx, c, query, outside(t, callback))
	})
}

// ComStmtExecute runs a prepared statement.
func (h *handler) ComStmtExecute(ctx context.Context, c *mysql.Conn, prepare *mysql.PrepareData, callback func(*sqltypes.Result) error) error {
	_, err := h.statement(ctx, c, prepare.PrepareStmt, func(ctx context.Context, t *turn) (string, error) {
		return "", h.Handler.ComStmtExecute(ctx, c, prepare, func(r *sqltypes.Result) error {
			return outside(t, func(r *sqltypes.Result, _ bool) error { return callback(r) })(r, false)
		})
	})
	return err
}

// ComPrepare prepares a statement. It must not leave a transaction: the tables would stay as they were then.
func (h *handler) ComPrepare(ctx context.Context, c *mysql.Conn, query string, prepare *mysql.PrepareData) ([]*querypb.Field, error) {
	var fields []*querypb.Field
	_, err := h.statement(ctx, c, "PREPARE", func(ctx context.Context, _ *turn) (string, error) {
		var err error
		fields, err = h.Handler.ComPrepare(ctx, c, query, prepare)
		return "", err
	})
	return fields, err
}

// outside sends rows while others may have their turn: a client need not read them before it sends its next statement.
func outside(t *turn, callback mysql.ResultSpoolFn) mysql.ResultSpoolFn {
	return func(r *sqltypes.Result, more bool) error {
		t.leave()
		defer t.back()
		return callback(r, more)
	}
}

func (h *handler) statement(ctx context.Context, c *mysql.Conn, query string, run func(context.Context, *turn) (string, error)) (string, error) {
	word := firstWord(query)
	if word == "KILL" { // it must reach a statement that has its turn
		return run(ctx, nil)
	}
	ctx, t := h.enter(ctx)
	defer func() { <-t.gate }()
	v := h.visitor(c)
	if v == nil { // cannot be: the session is built at log-in
		return run(ctx, t)
	}
	reads := isRead(word, query)
	after := v.before(ctx, word, reads)
	rest, err := run(ctx, t)
	after(c)
	return rest, mend(err)
}

// before readies the session for a statement and gives what is to be done after it.
func (v *visitor) before(ctx context.Context, word string, reads bool) (after func(*mysql.Conn)) {
	s := v.session
	autocommit, err := plan.IsSessionAutocommit(sql.NewContext(ctx, sql.WithSession(s)))
	if s.GetIgnoreAutoCommit() || err != nil || !autocommit {
		v.inTransaction(ctx, word, reads)
		return func(*mysql.Conn) {
			if s.GetTransaction() == nil { // after DDL too, where the engine forgets that autocommit counts again
				s.SetIgnoreAutoCommit(false)
			}
		}
	}
	v.wrote = false
	s.SetTransaction(nil)
	if !reads {
		return func(*mysql.Conn) {}
	}
	s.SetIgnoreAutoCommit(true) // so that the end of the statement writes nothing back
	return func(c *mysql.Conn) {
		s.SetIgnoreAutoCommit(false)
		s.SetTransaction(nil)
		c.StatusFlags &^= uint16(mysql.ServerInTransaction)
	}
}

func (v *visitor) inTransaction(ctx context.Context, word string, reads bool) {
	if reads || slices.Contains([]string{"SET", "USE", "PREPARE"}, word) {
		return
	}
	if !v.wrote {
		_ = v.session.Rollback(sql.NewContext(ctx, sql.WithSession(v.session)), nil) // it only forgets what was read
	}
	v.wrote = !slices.Contains([]string{"COMMIT", "ROLLBACK", "BEGIN", "START"}, word)
}

// mend gives errors the numbers that servers give them, where the engine has only 1105, and keeps its Go stacks to itself.
func mend(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if errors.Is(err, context.Canceled) || strings.Contains(text, context.Canceled.Error()) {
		return mysql.NewSQLError(mysql.ERQueryInterrupted, mysql.SSQueryInterrupted, "Query execution was interrupted")
	}
	if first, _, ok := strings.Cut(text, "\n"); ok && strings.Contains(first, "panic recovered: ") {
		_, first, _ = strings.Cut(first, "panic recovered: ")
		return mysql.NewSQLError(mysql.ERInternalError, "HY000", "the embedded engine failed: %s", first)
	}
	var e *mysql.SQLError
	if errors.As(err, &e) && e.Num != mysql.ERUnknownError {
		return err
	}
	for _, n := range numbered {
		if n.text.MatchString(text) {
			return mysql.NewSQLError(n.code, n.state, "%s", text)
		}
	}
	return err
}

// numbered are errors that the engine has no number for.
var numbered = []struct {
	text  *regexp.Regexp
	code  int
	state string
}{
	{regexp.MustCompile(`^syntax error`), mysql.ERParseError, "42000"},
	{regexp.MustCompile(`^table with name .* already exists`), mysql.ERTableExists, "42S01"},
	{regexp.MustCompile(`^column .* could not be found`), mysql.ERBadFieldError, mysql.SSBadFieldError},
	{regexp.MustCompile(`^Unknown system variable`), mysql.ERUnknownSystemVariable, "HY000"},
	{regexp.MustCompile(`^function: .* not found`), mysql.ERSPDoesNotExist, "42000"},
	{regexp.MustCompile(`not supported`), mysql.ERNotSupportedYet, "42000"},
}

// firstWord is a statement's first word in capitals.
func firstWord(query string) string {
	return strings.ToUpper(wordAfterComments.FindString(blank.ReplaceAllString(query, "")))
}

var (
	blank             = regexp.MustCompile(`^(?:[\s(;]+|/\*(?s:.*?)\*/|(?:--\s|#)[^\n]*(?:\n|$))+`)
	wordAfterComments = regexp.MustCompile(`^[A-Za-z]+`)
	changes           = regexp.MustCompile(`(?i)\b(?:insert|update|delete|replace)\b`)
)

func isRead(word, query string) bool {
	switch word {
	case "SELECT", "SHOW", "EXPLAIN", "DESCRIBE", "DESC", "TABLE", "VALUES", "DO", "CHECK":
		return true
	case "WITH":
		return !changes.MatchString(query)
	}
	return false
}
