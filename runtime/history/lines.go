package history

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// lineReader makes events of lines.
type lineReader interface {
	line(text string, pos Position, b *Builder) error
	end(b *Builder) error
}

// readLines reads a file line by line; empty ones are left out.
func readLines(r *bufio.Reader, lr lineReader) (*History, error) {
	var b Builder
	var at int64
	for n := 1; ; n++ {
		text, err := r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		pos := Position{Line: n, Column: 1, Byte: at}
		if trimmed := strings.TrimSpace(text); trimmed != "" {
			if bad := lr.line(trimmed, pos, &b); bad != nil {
				return nil, &Error{Pos: pos, Text: bad.Error()}
			}
		}
		at += int64(len(text))
		if err != nil {
			break
		}
	}
	if err := lr.end(&b); err != nil {
		return nil, err
	}
	return b.History()
}

// etcdLine is a line of a log of Jepsen's etcd test: "INFO  jepsen.util - 3	:invoke	:cas	[1 4]".
var etcdLine = regexp.MustCompile(`^INFO\s+jepsen\.util\s+-\s+(\S+)\s+:(\w+)\s+:(\S+)\s*(.*)$`)

// etcdReader reads logs of operations on one register.
type etcdReader struct{}

func (*etcdReader) line(text string, pos Position, b *Builder) error {
	m := etcdLine.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("no line of a log of operations: %s", shortened(text))
	}
	process, err := strconv.ParseInt(m[1], 10, 64)
	if err != nil {
		return nil // :nemesis
	}
	e := Event{Process: process, F: m[3], Time: -1, Pos: pos}
	if e.Type, err = typeOf(m[2], m[2]); err != nil {
		return err
	}
	if m[4] != "" && !strings.HasPrefix(m[4], ":timed-out") {
		s := newScanner(strings.NewReader(m[4]))
		if e.Value, err = s.form(); err != nil {
			return fmt.Errorf("the value of the operation: %s", shortened(m[4]))
		}
	}
	return b.Add(&e)
}

func (*etcdReader) end(*Builder) error { return nil }

// callLine is a line of the text form that checkers of transactions exchange: an act on a key, with session and transaction.
var callLine = regexp.MustCompile(`^([rw])\(\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*,\s*(-?\d+)\s*\)$`)

// callReader gathers the calls of each transaction, which stand together within their session. The transactions of a
// session are in the order of the file; nothing is said of real time. A value that nobody writes is the initial one if it is 0.
type callReader struct {
	txns  []*called
	byID  map[[2]int64]*called
	tells map[[2]int64]bool // key and value of each write
}

type called struct {
	session int64
	pos     Position
	calls   []call
}

type call struct {
	write    bool
	key, val int64
}

func (c *callReader) line(text string, pos Position, _ *Builder) error {
	m := callLine.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("want r(key,value,session,transaction) or w(...), not %s", shortened(text))
	}
	if c.byID == nil {
		c.byID, c.tells = map[[2]int64]*called{}, map[[2]int64]bool{}
	}
	var n [4]int64
	for i := range n {
		var err error
		if n[i], err = strconv.ParseInt(m[i+2], 10, 64); err != nil {
			return fmt.Errorf("%s is too large a number", m[i+2])
		}
	}
	id := [2]int64{n[2], n[3]}
	t := c.byID[id]
	if t == nil {
		t = &called{session: n[2], pos: pos}
		c.byID[id] = t
		c.txns = append(c.txns, t)
	}
	write := m[1] == "w"
	if write {
		c.tells[[2]int64{n[0], n[1]}] = true
	}
	t.calls = append(t.calls, call{write, n[0], n[1]})
	return nil
}

func (c *callReader) end(b *Builder) error {
	for _, t := range c.txns {
		e := Event{Process: t.session, Type: OK, F: "txn", Time: -1, Pos: t.pos, Value: Value{Kind: List}}
		for _, k := range t.calls {
			word, val := "r", Value{Kind: Int, Int: k.val}
			if k.write {
				word = "w"
			} else if k.val == 0 && !c.tells[[2]int64{k.key, 0}] {
				val = Value{}
			}
			e.Value.Items = append(e.Value.Items, Value{Kind: List, Items: []Value{{Kind: Keyword, Text: word}, {Kind: Int, Int: k.key}, val}})
		}
		if err := b.Add(&e); err != nil {
			return &Error{Pos: t.pos, Text: err.Error()}
		}
	}
	return nil
}
