package mock

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// conn is one connection. Its goroutine ends with it.
type conn struct {
	net.Conn
	srv    *Server
	id     uint64
	spared bool // no rule about handshakes
	in     io.Reader

	once      sync.Once
	quit      chan struct{} // closed by end
	interrupt chan struct{} // KILL QUERY
	busy      atomic.Bool   // a statement is being answered

	stmts    map[uint32]*stmt // used by the connection's goroutine only
	lastStmt uint32
}

// stmt is a prepared statement.
type stmt struct {
	tokens []token
	params int
	types  []byte
	long   map[uint16][]byte
}

// maxStatements bounds what one connection prepares.
const maxStatements = 10_000

// end closes the connection. Any goroutine may call it.
func (c *conn) end() {
	c.once.Do(func() {
		close(c.quit)
		c.Conn.Close()
	})
}

// errHangUp ends a connection as a rule wants.
var errHangUp = errors.New("hang up")

func (c *conn) serve() {
	defer c.srv.forget(c)
	defer c.end()
	c.in = c.Conn
	if c.greet() != nil {
		return
	}
	for {
		p, seq, err := readPacket(c.in)
		if err != nil || len(p) == 0 {
			return
		}
		select { // an interruption that came too late for the statement before
		case <-c.interrupt:
		default:
		}
		c.busy.Store(true)
		err = c.command(p[0], p[1:], &writer{next: seq})
		c.busy.Store(false)
		if err != nil {
			return
		}
	}
}

// The client's capabilities that are offered, from include/mysql_com.h.
const capabilities = 1<<0 | 1<<1 | 1<<2 | // LONG_PASSWORD, FOUND_ROWS, LONG_FLAG
	1<<3 | 1<<7 | 1<<9 | 1<<13 | 1<<15 | // CONNECT_WITH_DB, LOCAL_FILES, PROTOCOL_41, TRANSACTIONS, SECURE_CONNECTION
	1<<16 | 1<<17 | 1<<18 | 1<<19 | 1<<20 // MULTI_STATEMENTS, MULTI_RESULTS, PS_MULTI_RESULTS, PLUGIN_AUTH, CONNECT_ATTRS

// greet is the handshake. Whoever comes is let in.
func (c *conn) greet() error {
	a := Answer{}
	if !c.spared {
		a = c.srv.handshake()
	}
	if !c.pause(a.Delay) {
		return errHangUp
	}
	w := &writer{}
	if a.Err != nil {
		w.err(a.Err)
		_ = c.send(w, 0, a.Drop) // it ends either way
		return errHangUp
	}
	p := append([]byte{10}, Version...)
	p = append(p, 0)
	p = binary.LittleEndian.AppendUint32(p, uint32(c.id))
	p = append(p, "12345678\x00"...) // half of what a password would be mixed with; none is looked at
	p = append(p, byte(capabilities&0xff), byte(capabilities>>8&0xff), 45, statusAutocommit, 0, byte(capabilities>>16&0xff), byte(capabilities>>24), 21)
	p = append(p, make([]byte, 10)...)
	p = append(p, "901234567890\x00mysql_native_password\x00"...)
	w.packet(p)
	if a.Drop != AfterReply {
		if err := c.send(w, 0, a.Drop); err != nil {
			return err
		}
	} else if err := c.send(w, 0, Stays); err != nil {
		return err
	}
	_, seq, err := readPacket(c.in)
	if err != nil {
		return err
	}
	w = &writer{next: seq}
	w.ok(Result{}, statusAutocommit)
	return c.send(w, 0, a.Drop)
}

// pause waits; false when the connection ends or is interrupted meanwhile.
func (c *conn) pause(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.interrupt:
	case <-c.quit:
	}
	return false
}

// noProtocol is what garbage looks like: a packet, so that it is read to its end, with a sequence number that no client waits
// for and somebody else's words.
const noProtocol = "\x1a\x00\x00\xeeHTTP/1.1 400 Bad Request\r\n"

// send writes a reply, and breaks it as drop says. firstRow is where its first row ends.
func (c *conn) send(w *writer, firstRow int, drop Drop) error {
	b, hangUp := w.buf, true
	switch drop {
	case BeforeReply:
		b = nil
	case MidPacket:
		b = b[:(4+w.ends[0])/2]
	case MidRows:
		if firstRow == 0 {
			firstRow = len(b) / 2
		}
		b = b[:firstRow]
	case Garbage:
		b = []byte(noProtocol)
	case Stays:
		hangUp = false
	}
	if _, err := c.Write(b); err != nil {
		return err
	}
	if hangUp {
		return errHangUp
	}
	return nil
}

// The commands, from include/my_command.h.
const (
	comQuit        = 1
	comInitDB      = 2
	comQuery       = 3
	comPing        = 14
	comPrepare     = 22
	comExecute     = 23
	comLongData    = 24
	comClose       = 25
	comStmtReset   = 26
	comSetOption   = 27
	comResetConn   = 31
	errUnknownCom  = 1047
	errUnknownStmt = 1243
	errInterrupted = 1317
	errTooMany     = 1461
	errMalformed   = 1835
)

func (c *conn) command(com byte, body []byte, w *writer) error {
	switch com {
	case comQuit:
		return io.EOF
	case comQuery:
		return c.query(string(body), w)
	case comInitDB:
		return c.statement(lex("USE `"+strings.ReplaceAll(string(body), "`", "``")+"`"), w, false)
	case comPrepare:
		return c.prepare(string(body), w)
	case comExecute:
		return c.execute(body, w)
	case comLongData:
		c.longData(body)
		return nil // which has no reply
	case comClose:
		delete(c.stmts, stmtID(body))
		return nil // likewise
	case comPing, comStmtReset, comResetConn:
		switch com {
		case comStmtReset:
			c.resetStmt(body)
		case comResetConn:
			clear(c.stmts)
		}
		w.ok(Result{}, statusAutocommit)
	case comSetOption:
		w.eof(statusAutocommit)
	default:
		w.err(&Error{errUnknownCom, "08S01", "the mock server does not know this command"})
	}
	return c.send(w, 0, Stays)
}

func stmtID(body []byte) uint32 {
	r := &reader{b: body}
	return uint32(r.uint(4))
}

func (c *conn) query(sql string, w *writer) error {
	tokens := lex(sql)
	if a, ok := c.own(tokens); ok {
		return c.send(w, w.answer(a, false), a.Drop)
	}
	return c.statement(tokens, w, false)
}

// statement answers by the rules.
func (c *conn) statement(tokens []token, w *writer, binaryRows bool) error {
	a := c.srv.find(c, tokens)
	if !c.pause(a.Delay) {
		w.err(&Error{errInterrupted, "70100", "Query execution was interrupted"})
		return c.send(w, 0, Stays)
	}
	if a.Err == nil && isLoad(tokens) && a.Drop != BeforeReply {
		loaded, err := c.load(w, tokens)
		if err != nil {
			return err
		}
		if len(a.Results) == 1 && a.Results[0].Affected == 0 {
			a.Results = []Result{{Affected: loaded}}
		}
	}
	return c.send(w, w.answer(a, binaryRows), a.Drop)
}

func isLoad(tokens []token) bool {
	return len(tokens) > 4 && tokens[0].text == "load" && tokens[1].text == "data" && tokens[2].text == "local" && tokens[3].text == "infile"
}

// load asks for the file of a LOAD DATA LOCAL, and counts its lines.
func (c *conn) load(w *writer, tokens []token) (lines uint64, err error) {
	w.packet(append([]byte{0xfb}, tokens[4].value.Text...))
	if _, err := c.Write(w.buf); err != nil {
		return 0, err
	}
	for {
		p, seq, err := readPacket(c.in)
		if err != nil {
			return 0, err
		}
		lines += uint64(bytes.Count(p, []byte{'\n'}))
		if len(p) == 0 {
			*w = writer{next: seq}
			return lines, nil
		}
	}
}

// prepare takes any statement: whether a rule answers it is known when it runs.
func (c *conn) prepare(sql string, w *writer) error {
	tokens := lex(sql)
	n := places(tokens)
	switch {
	case len(c.stmts) >= maxStatements:
		w.err(&Error{errTooMany, "42000", "too many prepared statements"})
		return c.send(w, 0, Stays)
	case n > 65535:
		w.err(&Error{1390, "HY000", "Prepared statement contains too many placeholders"})
		return c.send(w, 0, Stays)
	}
	c.lastStmt++
	c.stmts[c.lastStmt] = &stmt{tokens: tokens, params: n}
	p := binary.LittleEndian.AppendUint32([]byte{0}, c.lastStmt)
	w.packet(append(p, 0, 0, byte(n), byte(n>>8), 0, 0, 0))
	for range n {
		w.packet(column(Column{"?", Text}))
	}
	if n > 0 {
		w.eof(statusAutocommit)
	}
	return c.send(w, 0, Stays)
}

func (c *conn) execute(body []byte, w *writer) error {
	s := c.stmts[stmtID(body)]
	if s == nil {
		w.err(&Error{errUnknownStmt, "HY000", "unknown prepared statement"})
		return c.send(w, 0, Stays)
	}
	args, err := execute(body, s)
	s.long = nil
	if err != nil {
		w.err(&Error{errMalformed, "HY000", "Malformed communication packet"})
		return c.send(w, 0, Stays)
	}
	tokens := fill(s.tokens, args)
	if a, ok := c.own(tokens); ok {
		return c.send(w, w.answer(a, true), a.Drop)
	}
	return c.statement(tokens, w, true)
}

// resetStmt forgets what came by COM_STMT_SEND_LONG_DATA.
func (c *conn) resetStmt(body []byte) {
	if s := c.stmts[stmtID(body)]; s != nil {
		s.long = nil
	}
}

// longData keeps a piece of an argument that is sent on its own.
func (c *conn) longData(body []byte) {
	r := &reader{b: body}
	s, param := c.stmts[uint32(r.uint(4))], uint16(r.uint(2))
	if s == nil || r.bad || len(s.long[param])+len(r.b) > maxPacket {
		return // an error has no reply either: the execution is malformed then
	}
	if s.long == nil {
		s.long = map[uint16][]byte{}
	}
	s.long[param] = append(s.long[param], r.b...)
}
