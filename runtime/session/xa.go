package session

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"rig/runtime/fault"
)

// xaVerb is what a statement does to a distributed transaction.
type xaVerb int8

const (
	xaStart xaVerb = iota + 1
	xaEnd
	xaPrepare
	xaDone // XA COMMIT and XA ROLLBACK
)

// xaPhase is how far the session's distributed transaction is; "" is none.
type xaPhase string

const (
	xaActive   xaPhase = "active"
	xaEnded    xaPhase = "ended"
	xaPrepared xaPhase = "prepared"
)

// classifyXA looks at the word after XA.
func classifyXA(verb string) class {
	switch {
	case isWord(verb, "RECOVER"):
		return class{reads: true, asks: true}
	case isWord(verb, "START"), isWord(verb, "BEGIN"):
		return class{opaque: true, xa: xaStart}
	case isWord(verb, "END"):
		return class{opaque: true, xa: xaEnd}
	case isWord(verb, "PREPARE"):
		return class{opaque: true, xa: xaPrepare}
	case isWord(verb, "COMMIT"), isWord(verb, "ROLLBACK"):
		return class{opaque: true, xa: xaDone}
	}
	return class{opaque: true}
}

// xid gives the identifier in a statement as it was written; what follows it (ONE PHASE, JOIN) is of no use here.
func xid(sql string) string {
	l := lexer{sql: sql}
	l.words()
	rest := strings.TrimSpace(sql[l.i:])
	rest = strings.TrimRight(rest, "; \t\r\n")
	words := strings.Fields(rest)
	for n := len(words); n > 1 && strings.IndexFunc(words[n-1], func(r rune) bool { return !unicode.IsLetter(r) }) < 0; n-- {
		words = words[:n-1]
	}
	return strings.Join(words, " ")
}

// followXA keeps track of a statement that succeeded. It must hold mu.
func (s *Session) followXA(st *statement) {
	switch st.class.xa {
	case xaStart:
		s.tx = transaction{open: true, pos: st.call.Pos, begun: time.Now(), xa: xaActive, xid: xid(st.sql)}
	case xaEnd:
		s.tx.xa = xaEnded
	case xaPrepare:
		// MySQL takes a prepared branch from its session, MariaDB does not: whoever needs to know asks.
		s.tx.xa, s.tx.unsure = xaPrepared, true
		s.branch = branch{xid(st.sql), st.call.Pos}
	case xaDone:
		s.tx = transaction{}
		if s.branch.xid == xid(st.sql) {
			s.branch = branch{}
		}
	}
}

// Prepared is the branch of a distributed transaction that the session has prepared and not ended: it outlives the session, with its
// locks. ok is false without one.
func (s *Session) Prepared() (b Held, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.branch.xid == "" {
		return Held{}, false
	}
	return Held{"transaction", "a prepared XA transaction " + clip(s.branch.xid) + "; XA COMMIT or XA ROLLBACK ends it", s.branch.pos}, true
}

// RollbackPrepared ends the branch that s has left prepared, on another session where s is closed. was is false where there is none any
// more: somebody else has ended it.
func (s *Session) RollbackPrepared(c Call, on *Session) (was bool, err error) {
	s.mu.Lock()
	id := s.branch.xid
	s.mu.Unlock()
	if id == "" {
		return false, nil
	}
	if !s.Closed() {
		on = s
	} else if err := s.awaitGone(c, on); err != nil {
		return false, err
	}
	_, err = on.Exec(c, "XA ROLLBACK "+id, nil)
	if errors.Is(err, &fault.Error{Class: fault.Class{Code: errNoXA}}) {
		return false, nil
	}
	return err == nil, err
}

// goneWithin bounds how long a server may take to see that a connection was closed.
const goneWithin = 2 * time.Second

// awaitGone waits until the server has let go of the thread of a session that is closed: until then its branch is nobody else's.
func (s *Session) awaitGone(c Call, on *Session) error {
	sql := fmt.Sprintf("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = %d", s.Thread())
	for end := time.Now().Add(goneWithin); ; time.Sleep(5 * time.Millisecond) {
		rows, err := on.quiet(c, sql)
		if err != nil {
			return err
		}
		if rows.At(0, 0).bits == 0 || time.Now().After(end) {
			return nil
		}
	}
}

// errNoXA is ER_XAER_NOTA: there is no such branch.
const errNoXA = 1397
