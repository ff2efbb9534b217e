package script

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// Error is an error with its place in a script: of loading, or of a call.
type Error struct {
	Pos     event.Pos
	Stack   []event.Frame // innermost first; empty for errors of parsing
	Op      string        // the built-in that failed: "conn.query"
	Msg     string
	Hint    string
	Excerpt string
	Guard   string // which guard stopped the script, "" for an error of its own
	Cause   error

	host *Host
}

// Error gives "file.star:12:5: message".
func (e *Error) Error() string {
	if e.Pos.IsZero() {
		return e.Msg
	}
	return e.Pos.String() + ": " + e.Msg
}

// Unwrap gives what a built-in returned, or what ended the thread.
func (e *Error) Unwrap() error { return e.Cause }

// Reported is an error that knows its form for reports.
type Reported interface {
	error
	Report() *event.Error
}

// Describe gives any error the form for reports.
func Describe(err error) *event.Error {
	if err == nil {
		return nil
	}
	out := describeCause(err)
	var e *Error
	if errors.As(err, &e) {
		if out.Pos.IsZero() {
			out.Pos = e.Pos
		}
		out.Stack = e.Stack
		if out.Excerpt == "" {
			out.Excerpt = e.excerptAt(out.Pos)
		}
		if out.Op == "" {
			out.Op = e.Op
		}
		if out.Hint == "" {
			out.Hint = e.Hint
		}
		if e.Guard != "" {
			out.Kind, out.Name = "guard", e.Guard
		}
		// What was wrapped around the script's error tells where it happened: "teardown: ...".
		if outer, _, found := strings.Cut(err.Error(), anchor(err, e)); found && outer != "" {
			out.Message = outer + out.Message
		}
	}
	return out
}

// anchor is the text around which others have wrapped theirs: that of an error that knows its report and holds e, else e's.
func anchor(err error, e *Error) string {
	var r Reported
	if errors.As(err, &r) && strings.Contains(r.Error(), e.Error()) {
		return r.Error()
	}
	return e.Error()
}

// excerptAt shows the lines that the report is about: a cause may know a better place than the call that failed.
func (e *Error) excerptAt(p event.Pos) string {
	if p == e.Pos || e.host == nil {
		return e.Excerpt
	}
	return e.host.excerpt(p)
}

func describeCause(err error) *event.Error {
	var r Reported
	if errors.As(err, &r) {
		c := *r.Report()
		return &c
	}
	var f *fault.Error
	if errors.As(err, &f) {
		out := &event.Error{
			Kind: string(f.Kind), Category: string(f.Category), Code: f.Code, SQLState: f.SQLState, Name: f.Name,
			Op: f.Op, Message: f.Message, SQL: f.SQL, Session: f.Session, Hint: f.Hint,
		}
		if out.Message == "" {
			out.Message = f.Error()
		}
		if f.ReplyLost {
			out.Message += "; the reply was lost, so it may have happened"
		}
		return out
	}
	var e *Error
	if errors.As(err, &e) {
		return &event.Error{Kind: "script", Message: e.Msg}
	}
	c := fault.Classify(err)
	if c.Kind == fault.Other {
		return &event.Error{Kind: "error", Message: err.Error()}
	}
	return &event.Error{Kind: string(c.Kind), Category: string(c.Category), Code: c.Code, SQLState: c.SQLState, Name: c.Name, Message: err.Error()}
}

// frames gives the script's own levels, innermost first.
func frames(stack starlark.CallStack) []event.Frame {
	var out []event.Frame
	for i := len(stack) - 1; i >= 0; i-- {
		f := stack[i]
		if f.Pos.Line == 0 || strings.HasPrefix(f.Pos.Filename(), "<") && !strings.HasPrefix(f.Pos.Filename(), inputPrefix) {
			continue
		}
		out = append(out, event.Frame{Func: f.Name, Pos: posOf(f.Pos)})
	}
	return fold(out)
}

// foldFrom is the depth from which the middle of a stack is left out: a recursion repeats itself.
const foldFrom = 24

func fold(stack []event.Frame) []event.Frame {
	if len(stack) <= foldFrom {
		return stack
	}
	head, tail := stack[:foldFrom/3], stack[len(stack)-foldFrom/3:]
	out := append([]event.Frame{}, head...)
	out = append(out, event.Frame{Func: fmt.Sprintf("... %d more calls", len(stack)-len(head)-len(tail)), Pos: head[len(head)-1].Pos})
	return append(out, tail...)
}

// opOf is the built-in on top of the stack.
func opOf(stack starlark.CallStack) string {
	if len(stack) == 0 {
		return ""
	}
	f := stack[len(stack)-1]
	if f.Pos.Line != 0 || isHelper(f.Name) {
		return ""
	}
	return f.Name
}

func isCancel(msg string) bool { return strings.Contains(msg, "Starlark computation cancelled") }

// excerptLines is how many lines are shown before and after the failing one.
const excerptLines = 2

// excerpt shows the lines around a position, the line itself marked.
func (h *Host) excerpt(p event.Pos) string {
	text, ok := h.Source(p.File)
	if !ok || p.Line == 0 {
		return ""
	}
	lines := strings.Split(text, "\n")
	var b strings.Builder
	for n := max(1, int(p.Line)-excerptLines); n <= min(len(lines), int(p.Line)+excerptLines); n++ {
		mark := " "
		if n == int(p.Line) {
			mark = ">"
		}
		line := masked(strings.TrimRight(lines[n-1], "\r"))
		if len(line) > 160 {
			line = line[:157] + "..."
		}
		if line == "" && mark == " " && (n == int(p.Line)-excerptLines || n == int(p.Line)+excerptLines || n == len(lines)) {
			continue
		}
		fmt.Fprintf(&b, "%s %4d | %s\n", mark, n, line)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// passwordLiteral finds passwords that stand in a script: as an argument, as a value of a dict, in a URL.
var passwordLiteral = regexp.MustCompile(`(?i)(\b\w*(?:password|passwd|secret)["']?\s*[=:]\s*)(?:"[^"]*"?|'[^']*'?)|(://[^\s:@/"']*:)[^\s@"']+@`)

// masked hides them. The bus knows a password only once it was used, and an excerpt may be of the lines before.
func masked(line string) string {
	return passwordLiteral.ReplaceAllStringFunc(line, func(found string) string {
		m := passwordLiteral.FindStringSubmatch(found)
		if m[2] != "" {
			return m[2] + "***@"
		}
		return m[1] + `"***"`
	})
}

// Excerpt shows the lines around a position of a loaded file.
func (h *Host) Excerpt(p event.Pos) string { return h.excerpt(p) }

// runtimeHint explains messages of the interpreter that people from Python meet.
func runtimeHint(msg string) string {
	switch {
	case strings.Contains(msg, "unknown binary op: string + int"), strings.Contains(msg, "unknown binary op: int + string"):
		return "Starlark does not convert: use str(x), or \"%s\" % x"
	case strings.Contains(msg, "decimal") && strings.Contains(msg, "float") && strings.Contains(msg, "binary op"):
		return "decimals are exact and do not mix with floats: write decimal(\"0.10\")"
	case strings.Contains(msg, "frozen"):
		return "values are frozen when a file has loaded and when they cross between tasks: make a copy, or use task.shared"
	case strings.Contains(msg, "unknown conversion %"):
		return "formats have no widths and no precisions: there are %s, %r, %d, %x, %o, %c, %e, %f, %g"
	case strings.HasSuffix(msg, "int value is not iterable"):
		return "range(n) counts from 0 to n - 1: for i in range(n)"
	case strings.Contains(msg, "referenced before assignment"):
		return "a name that is assigned anywhere in a function is local to it"
	}
	return ""
}
