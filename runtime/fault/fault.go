// Package fault is the vocabulary of errors: what kind each is, whatever server or driver it came from.
//
// [Classify] tells kind, category, code and SQLSTATE of any error; [Wrap] makes an [Error] of one, with what was being
// done, on which session, by which SQL. [Table] is the knowledge behind it, with the source of each line. An error code
// that the table does not know is classified by the class of its SQLSTATE.
package fault

import (
	"errors"
	"strconv"
	"strings"
)

// Class is the classification of an error. Code, SQLState (five characters) and Name ("ER_DUP_ENTRY") are zero where the
// error is not a server's.
type Class struct {
	Kind     Kind
	Category Category
	Code     int
	SQLState string
	Name     string
	Message  string
}

// Error is a failed operation on a database or a session. Op is the call as its user knows it ("conn.query").
type Error struct {
	Op      string
	SQL     string
	Session string
	Class
	ReplyLost bool   // a write or commit was sent and its reply was lost: it may have happened
	Hint      string // one line, or ""
	Cause     error
}

// Error gives "op: message (ER_NAME 1234, SQLSTATE 12345)" without the SQL, which reports show on a line of its own.
func (e *Error) Error() string {
	var b strings.Builder
	if e.Op != "" {
		b.WriteString(e.Op)
		b.WriteString(": ")
	}
	if e.Message != "" {
		b.WriteString(e.Message)
	} else {
		b.WriteString(strings.ReplaceAll(string(e.Kind), "_", " "))
	}
	b.WriteString(e.codes())
	if e.ReplyLost {
		b.WriteString("; the reply was lost, so it may have happened")
	}
	return b.String()
}

// codes gives " (ER_NAME 1234, SQLSTATE 12345)", or nothing where no server spoke.
func (c Class) codes() string {
	var parts []string
	switch {
	case c.Code != 0 && c.Name != "":
		parts = append(parts, c.Name+" "+strconv.Itoa(c.Code))
	case c.Code != 0:
		parts = append(parts, "error "+strconv.Itoa(c.Code))
	}
	if c.SQLState != "" {
		parts = append(parts, "SQLSTATE "+c.SQLState)
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is(err, &fault.Error{Class: fault.Class{Kind: k}}) ask for a kind, and for a code where that is set.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	if !ok || t.Message != "" || t.Op != "" {
		return false
	}
	return (t.Kind == "" || t.Kind == e.Kind) && (t.Code == 0 || t.Code == e.Code)
}

// WithHint sets the hint and returns e, for use in a return statement.
func (e *Error) WithHint(hint string) *Error {
	e.Hint = hint
	return e
}

// LoseReply marks e as a write or commit whose reply was lost, which makes its category unknown, and returns it.
func (e *Error) LoseReply() *Error {
	e.ReplyLost = true
	e.Category = UnknownCategory
	return e
}

// New makes an error of rig's own, with the category that the kind usually has.
func New(kind Kind, op, message string) *Error {
	return &Error{Op: op, Class: Class{Kind: kind, Category: categoryOf(kind), Message: message}}
}

// Wrap classifies err and keeps it as the cause; nil stays nil. What an *Error in the chain already knows (SQL, session,
// hint, a lost reply) is kept where the arguments are empty. The result is a pointer: check err before, or the pointer
// itself, when it becomes an error; a nil *Error in an error is not nil.
func Wrap(op, session, sql string, err error) *Error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, Session: session, SQL: sql, Class: Classify(err), Cause: err}
	var inner *Error
	if !errors.As(err, &inner) {
		return e
	}
	e.Hint, e.ReplyLost = inner.Hint, inner.ReplyLost
	if e.Op == "" {
		e.Op = inner.Op
	}
	if e.SQL == "" {
		e.SQL = inner.SQL
	}
	if e.Session == "" {
		e.Session = inner.Session
	}
	return e
}

// IsKind reports whether err is of one of the kinds.
func IsKind(err error, kinds ...Kind) bool {
	if err == nil {
		return false
	}
	got := Classify(err).Kind
	for _, k := range kinds {
		if k == got {
			return true
		}
	}
	return false
}

// Retryable reports whether trying again can help: true for transient errors only.
func Retryable(err error) bool {
	return err != nil && Classify(err).Category == Transient
}
