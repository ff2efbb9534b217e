package metric

import (
	"strings"
	"sync"
)

// maxDigest bounds a digest's text, in bytes.
const maxDigest = 512

// Digest gives the text that statements share which differ only in their values: literals become ?, a list after IN and the
// rows of VALUES become (...), comments go, white space is made even and reserved words are in upper case. The names of
// databases that rig makes become rig_?. A string is read with backslash escapes, and "x" as a string: under other
// sql_modes a digest is still the same for the same text.
func Digest(sql string) string {
	d := digester{scan: scanner{sql: sql}, out: make([]byte, 0, min(len(sql), maxDigest)+8)}
	for d.step() && len(d.out) < maxDigest {
	}
	for len(d.out) > 0 && (d.out[len(d.out)-1] == ';' || d.out[len(d.out)-1] == ' ') {
		d.out = d.out[:len(d.out)-1]
	}
	if len(d.out) > maxDigest {
		n := maxDigest
		for n > 0 && d.out[n]&0xc0 == 0x80 { // whole characters only
			n--
		}
		return string(append(d.out[:n], "..."...))
	}
	return string(d.out)
}

// digester writes tokens in one form, whatever stood between them.
type digester struct {
	scan scanner
	out  []byte
	last token // written last
	list bool  // the word before was IN, VALUES or VALUE: a list may follow
}

// step takes a token; false at the end.
func (d *digester) step() bool {
	t := d.scan.next()
	switch t.kind {
	case tokEnd:
		return false
	case tokLiteral:
		if d.last.kind == tokLiteral { // 'a' 'b' is one string
			return true
		}
		d.write(t, "?")
	case tokWord:
		d.word(t)
		return true
	case tokName:
		d.write(t, shared(d.scan.text(t)))
	default:
		d.punct(t)
	}
	d.list = false
	return true
}

func (d *digester) word(t token) {
	text := d.scan.text(t)
	if text[0] == '_' && d.scan.introduces() {
		return
	}
	if up, ok := reserved(text); ok {
		t.kind = tokReserved
		d.write(t, up)
		d.list = up == "IN" || up == "VALUES" || up == "VALUE"
		return
	}
	d.write(t, shared(text))
	d.list = false
}

// punct writes what is neither a word nor a value.
func (d *digester) punct(t token) {
	text := d.scan.text(t)
	if text == "(" && d.list && d.scan.skipList() {
		d.write(t, "(...)")
		for d.scan.skipRow() {
		}
		d.last = token{kind: tokPunct, close: true}
		return
	}
	if (text == "-" || text == "+") && !d.last.operand() && d.scan.numberFollows() {
		return
	}
	d.write(t, text)
}

// write adds a token's text with the blank that belongs before it.
func (d *digester) write(t token, text string) {
	if len(d.out) > 0 && d.apart(t, text) {
		d.out = append(d.out, ' ')
	}
	d.out = append(d.out, text...)
	d.last = t
	d.last.open = text == "(" || text == "." || text == "@" || text == "@@"
	d.last.close = text == ")"
}

func (d *digester) apart(t token, text string) bool {
	switch {
	case d.last.open, text == ",", text == ")", text == ";", text == ".":
		return false
	case text == "(" || text == "(...)": // a call has none, a list has one
		return d.last.kind == tokReserved || d.last.kind == tokPunct
	case text == "@":
		return d.last.kind != tokLiteral
	}
	return true
}

// shared hides what differs between runs in the names of rig's databases.
func shared(name string) string {
	bare := name
	if bare[0] == '`' {
		bare = bare[1:]
	}
	if len(bare) < 5 || bare[:4] != "rig_" {
		return name
	}
	for i := 4; i < len(bare); i++ {
		if bare[i] >= '0' && bare[i] <= '9' {
			return "rig_?"
		}
	}
	return name
}

// reserved gives a reserved word in upper case.
func reserved(word string) (string, bool) {
	var up [longestReserved]byte
	if len(word) > len(up) {
		return "", false
	}
	for i := range len(word) {
		c := word[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		up[i] = c
	}
	w, ok := reservedIndex()[string(up[:len(word)])]
	return w, ok
}

// longestReserved is the length of STRAIGHT_JOIN.
const longestReserved = 13

// reservedWords are those that MySQL reserves and that stand in statements which tests run; names that only look like words
// keep their case.
const reservedWords = "ADD ALL ALTER ANALYZE AND AS ASC BEGIN BETWEEN BY CALL CASCADE CASE CHAIN CHECK COLUMN COMMIT CONSTRAINT CREATE CROSS " +
	"DATABASE DEFAULT DELETE DESC DESCRIBE DISTINCT DIV DO DROP DUPLICATE ELSE END EXCEPT EXECUTE EXISTS EXPLAIN FALSE FLUSH FOR FORCE FOREIGN FROM " +
	"FULL GLOBAL GRANT GROUP HAVING IF IGNORE IN INDEX INNER INSERT INTERSECT INTERVAL INTO IS ISOLATION JOIN KEY KILL LEFT LEVEL LIKE LIMIT LOAD " +
	"LOCAL LOCK LOCKED MOD MODE NATURAL NOT NOWAIT NULL OFFSET ON OR ORDER OUTER OVER PARTITION PREPARE PRIMARY READ RECURSIVE REFERENCES REGEXP RELEASE " +
	"RENAME REPLACE RETURNING REVOKE RIGHT ROLLBACK ROW SAVEPOINT SELECT SESSION SET SHARE SHOW SKIP START STRAIGHT_JOIN TABLE TABLES THEN TO TRANSACTION " +
	"TRIGGER TRUE TRUNCATE UNION UNIQUE UNLOCK UPDATE USE USING VALUE VALUES VIEW WHEN WHERE WINDOW WITH WORK WRITE XOR"

// reservedIndex has the words; nobody writes to it.
var reservedIndex = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for w := range strings.FieldsSeq(reservedWords) {
		m[w] = w
	}
	return m
})
