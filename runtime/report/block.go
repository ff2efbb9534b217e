package report

import (
	"strconv"
	"strings"

	"rig/runtime/event"
)

// maxShownSQL bounds, in bytes, the SQL of an error as people see it; the journal has more.
const maxShownSQL = 1000

// style is what a piece of text is, for those reports that have colour.
type style int

const (
	plain style = iota
	good
	bad
	warn
	dim
	strong
)

// painter gives text its look; without colour it is the identity.
type painter func(style, string) string

func noColour(_ style, s string) string { return s }

// headline is an error in one line: "file.star:12:5: conn.query: message".
func headline(e *event.Error) string {
	return oneLine(place(e) + message(e))
}

func place(e *event.Error) string {
	if e.Pos.IsZero() || strings.HasPrefix(e.Message, e.Pos.String()+":") {
		return ""
	}
	return e.Pos.String() + ": "
}

// message is the error's message with the call it came from.
func message(e *event.Error) string {
	if e.Op == "" || strings.HasPrefix(e.Message, e.Op+":") {
		return e.Message
	}
	return e.Op + ": " + e.Message
}

// failure writes errors as a block of lines, all indented: the cause with everything that is known of it, then the sessions'
// last statements, then the errors that followed.
func failure(errs []*event.Error, sessions []*trail, paint painter) string {
	var b strings.Builder
	shown := 0
	for _, e := range errs {
		if e == nil {
			continue
		}
		if shown == 1 {
			b.WriteString("then:\n")
		}
		text := oneError(e, paint)
		if shown > 0 {
			text = indent(text, "  ")
		}
		b.WriteString(text)
		if shown == 0 {
			b.WriteString(lastStatements(sessions, paint))
		}
		shown++
	}
	if shown == 0 {
		b.WriteString(lastStatements(sessions, paint))
	}
	if b.Len() == 0 {
		return ""
	}
	return indent(b.String(), "  ")
}

// oneError writes all of one error.
func oneError(e *event.Error, paint painter) string {
	var b strings.Builder
	lines := strings.Split(clean(place(e)+message(e)), "\n")
	b.WriteString(paint(strong, lines[0]) + "\n")
	for _, line := range lines[1:] {
		b.WriteString(indent(line, "  "))
	}
	if e.Excerpt != "" {
		b.WriteString(indent(clean(e.Excerpt), "  "))
	}
	if len(e.Stack) > 1 {
		b.WriteString("stack:\n")
		for _, f := range e.Stack {
			b.WriteString("  " + oneLine(f.Pos.String()) + "  " + oneLine(f.Func) + "\n")
		}
	}
	b.WriteString(onServer(e))
	if e.Detail != "" {
		b.WriteString(indent(clean(e.Detail), "  "))
	}
	if e.Hint != "" {
		b.WriteString(paint(warn, "hint: ") + oneLine(e.Hint) + "\n")
	}
	return b.String()
}

// onServer writes session, SQL and the server's words for the error.
func onServer(e *event.Error) string {
	var b strings.Builder
	switch {
	case e.SQL != "":
		who := "sql: "
		if e.Session != "" {
			who = "session " + oneLine(e.Session) + ": "
		}
		sql := strings.Split(strings.TrimSpace(clean(clip(e.SQL, maxShownSQL))), "\n")
		b.WriteString(who + sql[0] + "\n")
		for _, line := range sql[1:] {
			b.WriteString("  " + line + "\n")
		}
	case e.Session != "":
		b.WriteString("session " + oneLine(e.Session) + "\n")
	}
	if s := serverError(e); s != "" {
		b.WriteString(s + "\n")
	}
	return b.String()
}

// serverError gives "server error 1062 ER_DUP_ENTRY, SQLSTATE 23000 (duplicate_key, permanent)", "" for other errors.
func serverError(e *event.Error) string {
	if e.Code == 0 && e.SQLState == "" {
		return ""
	}
	s := "server error"
	if e.Code != 0 {
		s += " " + strconv.Itoa(e.Code)
	}
	if e.Name != "" {
		s += " " + oneLine(e.Name)
	}
	if e.SQLState != "" {
		s += ", SQLSTATE " + oneLine(e.SQLState)
	}
	if e.Kind == "" {
		return s
	}
	s += " (" + oneLine(e.Kind)
	if e.Category != "" {
		s += ", " + oneLine(e.Category)
	}
	return s + ")"
}

// maxShownSessions bounds the sessions listed with an error that names none.
const maxShownSessions = 8

// lastStatements lists what the sessions did last.
func lastStatements(sessions []*trail, paint painter) string {
	var b strings.Builder
	if more := len(sessions) - maxShownSessions; more > 0 {
		sessions = sessions[more:]
		b.WriteString("last statements of " + count(int64(more), "more session") + " are in the journal\n")
	}
	for _, r := range sessions {
		ran := r.statements()
		if len(ran) == 0 {
			continue
		}
		who := "last statements"
		if r.session != "" {
			who += " of " + oneLine(r.session)
		}
		b.WriteString(who + ":\n")
		for _, s := range ran {
			b.WriteString("  " + paint(dim, s.text()) + "\n")
		}
	}
	return b.String()
}

// sessionOf is the session that the cause names.
func sessionOf(errs []*event.Error) string {
	if e := firstError(errs); e != nil {
		return e.Session
	}
	return ""
}

// firstError is the cause, nil when there is none.
func firstError(errs []*event.Error) *event.Error {
	for _, e := range errs {
		if e != nil {
			return e
		}
	}
	return nil
}
