// Package repl is the conversation with a session: what is typed runs at once.
//
// [New] makes a [Loop] over a [script.Workspace]; [Loop.Run] reads inputs until the person leaves. An input is a script, SQL for the
// current session, or a command that begins with a colon. What an engine knows comes through the functions of [Options]; lines
// come from a [prompt.Reader]: an [Editor] in a terminal, plain lines elsewhere, so that a file of inputs is a test.
package repl

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/prompt"
	"rig/runtime/script"
)

// Reader gives lines. ErrInterrupt takes back what was typed; io.EOF ends the conversation.
type Reader = prompt.Reader

// ErrInterrupt is Ctrl-C at the prompt.
var ErrInterrupt = errors.New("interrupted")

// Rows is a result as text.
type Rows struct {
	Head  []string
	Cells [][]string
	Total int                          // rows there are; Cells may be fewer
	Whole func(row, column int) string // a value that Cells abbreviates; nil where it does not
}

// Answer is what a statement gave: rows, or the number that it changed.
type Answer struct {
	Rows    *Rows
	Changed int64
}

// Command is one that the wiring adds.
type Command struct {
	Name, Args, Doc string
	Run             func(ctx context.Context, args string) (text string, err error)
}

// Options of a conversation.
type Options struct {
	In        Reader
	Out       io.Writer
	Plain     bool // inputs come from no person
	Whole     bool // the reader gives whole inputs, with their line ends
	Width     func() int
	Workspace *script.Workspace
	Thread    func(ctx context.Context) *script.Thread // for one input
	Flush     func()                                   // shows what was printed until now

	Table    func(v starlark.Value) *Rows // of a value that is one; nil of others
	Query    func(session, sql string) (Answer, error)
	Sessions func() []prompt.Session
	Variable func(session string) string // the name under which scripts have a session, "" without one
	Cancel   func()                      // ends the statements that run, on the server
	Describe func(err error) string
	File     string   // that was loaded, for :save
	Defined  []string // names of the file
	Commands []Command
}

// entry is an input as :save needs it.
type entry struct {
	text    string
	sql     bool
	session string // the variable, of SQL
	reads   bool
	failed  string // the error, "" without one
	valued  bool   // a script that is one expression with a value
}

// Loop is one conversation.
type Loop struct {
	o       Options
	current string // the session's name
	entries []entry
	timing  bool
	inputs  int // scripts
	begun   int // all
	failed  int
	quit    bool
	next    string // a plain line that was read too far
	has     bool

	mu   sync.Mutex
	stop context.CancelCauseFunc // guarded by mu: ends the input that runs; nil at the prompt
}

// New makes a conversation.
func New(o Options) *Loop { return &Loop{o: o, current: "db"} }

// SetFile tells of another file, or of the same after an edit.
func (l *Loop) SetFile(file string, names []string) { l.o.File, l.o.Defined = file, names }

// Failed counts the inputs that failed.
func (l *Loop) Failed() int { return l.failed }

// Inputs counts those that have begun.
func (l *Loop) Inputs() int { return l.begun }

// Current is the name of the session that SQL runs on.
func (l *Loop) Current() string { return l.current }

var errStopped = errors.New("interrupted by Ctrl-C")

// Interrupt is Ctrl-C while an input runs: the input ends, and its statements on the server. At the prompt
// of a person it says how to leave. It reports whether it was taken.
func (l *Loop) Interrupt() bool {
	l.mu.Lock()
	stop := l.stop
	l.mu.Unlock()
	if stop == nil {
		if !l.o.Plain {
			fmt.Fprintf(l.o.Out, "\n(:quit leaves)\n%s", l.prompt())
		}
		return !l.o.Plain
	}
	stop(errStopped)
	l.o.Cancel()
	return true
}

// Run talks until the person leaves or ctx ends.
func (l *Loop) Run(ctx context.Context) {
	for !l.quit && ctx.Err() == nil {
		text, err := l.read()
		switch {
		case errors.Is(err, ErrInterrupt):
			continue
		case err != nil && strings.TrimSpace(text) == "":
			return
		}
		l.input(ctx, text)
		if err != nil {
			return
		}
	}
}

// read gives one input.
func (l *Loop) read() (string, error) {
	if l.o.Whole {
		return l.o.In.ReadLine(l.prompt())
	}
	text := ""
	for {
		line, err := l.line(text == "")
		if err != nil {
			if text != "" && l.o.Plain {
				l.has = false
				return text, nil // the end comes with the next line
			}
			return text, err
		}
		if text != "" && !unfinished(text) && ended(line) {
			l.next, l.has = line, true
			return text, nil
		}
		l.echo(text == "", line)
		text += line + "\n"
		if More(text) {
			continue
		}
		return strings.TrimRight(text, "\n"), nil
	}
}

// ended reports whether a line is no part of the block before it: a file of inputs needs no empty lines between blocks.
func ended(line string) bool {
	if line == "" || strings.ContainsAny(line[:1], " \t)]}#") {
		return false
	}
	word := line
	if i := strings.IndexAny(line, " :("); i >= 0 {
		word = line[:i]
	}
	return word != "else" && word != "elif"
}

// unfinished reports whether a text cannot run yet, other than a block that could go on.
func unfinished(text string) bool { return More(text + "\n") }

func (l *Loop) line(first bool) (string, error) {
	if l.has {
		l.has = false
		return l.next, nil
	}
	p := l.prompt()
	if !first {
		p = Continuation
	}
	return l.o.In.ReadLine(p)
}

// echo makes what is printed for a file of inputs read as a conversation.
func (l *Loop) echo(first bool, line string) {
	switch {
	case !l.o.Plain || strings.TrimSpace(line) == "":
	case first:
		l.say("%s%s", l.prompt(), line)
	default:
		l.say("%s%s", Continuation, line)
	}
}

// Continuation stands before the lines of an input after its first.
const Continuation = "...> "

func (l *Loop) prompt() string {
	if l.current == "db" {
		return "rig> "
	}
	return "rig " + l.current + "> "
}

// Prompt is what stands before the next input.
func (l *Loop) Prompt() string { return l.prompt() }

// input runs one.
func (l *Loop) input(ctx context.Context, text string) {
	text = strings.TrimRight(text, " \t\n")
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || strings.HasPrefix(trimmed, "#") && !strings.Contains(trimmed, "\n") {
		return
	}
	l.begun++
	ctx, stop := context.WithCancelCause(ctx)
	l.mu.Lock()
	l.stop = stop
	l.mu.Unlock()
	start := time.Now()
	err := l.run(ctx, text, trimmed)
	l.mu.Lock()
	l.stop = nil
	l.mu.Unlock()
	if l.o.Flush != nil {
		l.o.Flush()
	}
	if err != nil {
		l.failed++
		l.say("%s", l.o.Describe(err))
	}
	if l.timing {
		l.say("(%s)", time.Since(start).Round(10*time.Microsecond))
	}
	// The context stays open: what the input began may go on, such as a pending statement.
	context.AfterFunc(ctx, func() { stop(nil) })
}

func (l *Loop) run(ctx context.Context, text, trimmed string) error {
	switch {
	case strings.HasPrefix(trimmed, ":"):
		return l.command(ctx, trimmed[1:])
	case l.isSQL(text):
		for _, s := range Statements(trimmed) {
			if err := l.sql(s); err != nil {
				return err
			}
		}
		return nil
	}
	return l.script(ctx, text)
}

func (l *Loop) isSQL(text string) bool {
	return IsSQL(text, func(name string) bool { return l.o.Workspace.Value(name) != nil })
}

func (l *Loop) script(ctx context.Context, text string) error {
	l.inputs++
	v, err := l.o.Workspace.Run(l.o.Thread(ctx), script.InputName(l.inputs), text+"\n")
	e := entry{text: text}
	if err != nil {
		e.failed = l.o.Describe(err)
		l.entries = append(l.entries, e)
		return err
	}
	e.valued = v != nil && v != starlark.None
	l.entries = append(l.entries, e)
	if !e.valued {
		return nil
	}
	l.o.Workspace.Bind("_", v)
	if _, isText := v.(starlark.String); isText && helps.MatchString(text) {
		return nil // it has printed its value
	}
	if l.o.Flush != nil {
		l.o.Flush()
	}
	l.say("%s", l.show(v))
	return nil
}

// helps fits the inputs that ask for help.
var helps = regexp.MustCompile(`^\s*help\s*\(`)

// maxShown bounds what is printed of one value, in runes.
const maxShown = 8000

// show gives a value as a person reads it: rows as a table, anything else as it would be written in a script.
func (l *Loop) show(v starlark.Value) string {
	if rows := l.o.Table(v); rows != nil {
		return Table(rows, l.width())
	}
	if script.Printable(v) != nil {
		return script.Text(v, maxShown)
	}
	s := v.String()
	if r := []rune(s); len(r) > maxShown {
		return string(r[:maxShown]) + fmt.Sprintf("\n... %d more characters", len(r)-maxShown)
	}
	return s
}

func (l *Loop) width() int {
	if l.o.Width == nil {
		return 0
	}
	return l.o.Width()
}

func (l *Loop) sql(s Statement) error {
	e := entry{text: s.SQL, sql: true, session: l.o.Variable(l.current)}
	a, err := l.o.Query(l.current, s.SQL)
	e.reads = a.Rows != nil
	if err != nil {
		e.failed = l.o.Describe(err)
	}
	l.entries = append(l.entries, e)
	if err != nil {
		return err
	}
	if l.o.Flush != nil {
		l.o.Flush()
	}
	switch {
	case a.Rows == nil && a.Changed == 0 && !changes(s.SQL):
		l.say("ok")
	case a.Rows == nil:
		l.say("%s", count(a.Changed, "row", "changed"))
	case s.Vertical:
		l.say("%s", vertical(a.Rows, true))
	default:
		l.say("%s", Table(a.Rows, l.width()))
	}
	return nil
}

func (l *Loop) say(format string, args ...any) {
	fmt.Fprintln(l.o.Out, strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}
