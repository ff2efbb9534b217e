package session

import (
	"database/sql/driver"
	"errors"

	"github.com/go-sql-driver/mysql"
	"github.com/hashicorp/golang-lru/v2/simplelru"

	"rig/runtime/event"
)

// cacheSize bounds the statements known to a session: prepared ones count against the server's max_prepared_stmt_count,
// which all clients share.
const cacheSize = 64

// prepared is what is used of the driver's statement: the calls without a context.
type prepared interface {
	Query(args []driver.Value) (driver.Rows, error)
	Exec(args []driver.Value) (driver.Result, error)
	NumInput() int
	Close() error
}

// entry is a statement with placeholders that the session has run.
type entry struct {
	sql      string
	class    class
	stmt     prepared // nil until its second use
	textOnly bool     // the server cannot prepare it
	layout   *layout
}

// cache keeps the last statements of a session. A statement that leaves it is closed on the server.
type cache struct {
	lru  *simplelru.LRU[string, *entry]
	last *entry
}

func newCache() *cache {
	lru, err := simplelru.NewLRU(cacheSize, func(_ string, e *entry) {
		if e.stmt != nil {
			_ = e.stmt.Close() // a farewell without an answer
		}
	})
	if err != nil {
		panic(err) // the size is a constant above zero
	}
	return &cache{lru: lru}
}

// get finds the statement and tells whether it was there before.
func (c *cache) get(sql string) (e *entry, known bool) {
	if c.last != nil && c.last.sql == sql {
		return c.last, true
	}
	if e, ok := c.lru.Get(sql); ok {
		c.last = e
		return e, true
	}
	e = &entry{sql: sql, class: classify(sql)}
	c.lru.Add(sql, e)
	c.last = e
	return e, false
}

// errCannotPrepare is ER_UNSUPPORTED_PS.
const errCannotPrepare = 1295

// plan decides how a statement with arguments goes to the server: text is the SQL with the values in it, or "" where the
// entry's prepared statement runs.
func (s *Session) plan(st *statement, args []driver.Value) (e *entry, text string, err error) {
	literal, err := checkArgs(args)
	if err != nil {
		return nil, "", err
	}
	e, known := s.cache.get(st.sql)
	st.class = e.class
	s.note(st)
	if known && !literal && !e.textOnly {
		if err := s.prepareEntry(e); err != nil {
			s.wire.reset() // the statement itself was not sent
			return nil, "", err
		}
		s.wire.reset()
		if e.stmt != nil {
			if n := e.stmt.NumInput(); n != len(args) {
				return nil, "", wrongCount(n, len(args))
			}
			return e, "", nil
		}
	}
	if err := s.freshMode(); err != nil {
		s.wire.reset()
		return nil, "", err
	}
	text, err = interpolate(st.sql, args, s.noBackslash)
	return e, text, err
}

func (s *Session) prepareEntry(e *entry) error {
	if e.stmt != nil {
		return nil
	}
	stmt, err := s.conn.Prepare(e.sql)
	var me *mysql.MySQLError
	switch {
	case err == nil:
		e.stmt = stmt.(prepared)
	case errors.As(err, &me) && (me.Number == errCannotPrepare || me.Number == errTooManyPrepared):
		e.textOnly = true
	default:
		return err
	}
	return nil
}

// errTooManyPrepared is ER_MAX_PREPARED_STMT_COUNT_REACHED: the text protocol does as well.
const errTooManyPrepared = 1461

// classify looks at a statement that is not in the cache.
func (s *Session) classify(sql string) class {
	c := classify(sql)
	if c.uses || c.setsMode || c.locks || c.tables || c.state {
		s.noteClass(c)
	}
	return c
}

func (s *Session) note(st *statement) { s.noteClass(st.class) }

// noteClass remembers what outlives the statement.
func (s *Session) noteClass(c class) {
	if c.setsMode {
		s.staleMode = true
	}
	if !c.state { // which locks and tables are too
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = true
	if c.locks && s.usesLocks.IsZero() {
		s.usesLocks = s.position()
	}
	if c.tables && s.tableLocks.IsZero() {
		s.tableLocks = s.position()
	}
}

// position must hold mu.
func (s *Session) position() event.Pos {
	p := s.cur.call.Pos
	if p.IsZero() {
		p.File = s.name
	}
	return p
}

// freshMode reads sql_mode again after a statement that may have changed it: it decides where strings end.
func (s *Session) freshMode() error {
	if !s.staleMode {
		return nil
	}
	rows, err := s.plain("SELECT @@sql_mode")
	if err != nil {
		return err
	}
	s.noBackslash = containsFold(rows.At(0, 0).Text, "no_backslash_escapes")
	s.staleMode = false
	return nil
}
