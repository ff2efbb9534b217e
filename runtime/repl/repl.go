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
	Results []*Rows
	Changed int64
	Counts  bool // the number is worth a word when it is 0
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
	Plain     bool        // inputs come from no person
	Whole     bool        // the reader gives whole inputs, with their line ends
	More      func() bool // more lines have arrived: a paste, on a terminal that cannot edit
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
	cut     cutter
	text    string // that was read and is no input yet
	several bool   // inputs came at once
	end     error  // of a file of inputs

	mu   sync.Mutex
	stop context.CancelCauseFunc // guarded by mu: ends the input that runs; nil at the prompt
}

// New makes a conversation.
func New(o Options) *Loop {
	l := &Loop{o: o, current: "db"}
	l.cut = cutter{delimiter: ";", typed: !o.Plain, known: func(name string) bool { return l.o.Workspace.Value(name) != nil }}
	return l
}

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
	for {
		then := l.after()
		if input, rest, ok := l.cut.take(l.text, then); ok {
			l.several = l.several || l.o.Whole && strings.TrimSpace(rest) != ""
			l.text = rest
			if l.o.Plain || l.several {
				l.echo(input)
			}
			return input, nil
		}
		if l.several = false; l.end != nil {
			return "", l.end
		}
		p := l.prompt()
		if strings.TrimSpace(l.text) != "" && !l.o.Whole {
			p = Continuation
		}
		line, err := l.o.In.ReadLine(p)
		switch {
		case errors.Is(err, ErrInterrupt):
			l.text = ""
			return "", err
		case err != nil && l.o.Plain:
			l.end = err
		case err != nil:
			return "", err // what a person has not ended does not run
		default:
			l.text += line + "\n"
		}
	}
}

// after tells what follows the lines that were read.
func (l *Loop) after() after {
	switch {
	case l.end != nil || l.o.Whole:
		return ended
	case l.o.Plain || l.text != "" && l.o.More != nil && l.o.More():
		return pending
	}
	return paused
}

// Done reports whether a text that a person edits can run: it ends an input, whatever follows where more has arrived.
func (l *Loop) Done(text string, more func() bool) bool {
	c := l.cut
	for text += "\n"; strings.TrimSpace(text) != ""; {
		_, rest, ok := c.take(text, pending)
		if !ok {
			if _, rest, ok = c.take(text, paused); !ok || more() {
				return false
			}
		}
		text = rest
	}
	return true
}

// echo makes what is printed for a file of inputs, or for several that were pasted, read as a conversation.
func (l *Loop) echo(input string) {
	p := l.prompt()
	for line := range strings.Lines(input) {
		if strings.TrimSpace(line) != "" {
			l.say("%s%s", p, line)
		}
		p = Continuation
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
	if errors.Is(context.Cause(ctx), errStopped) && !l.o.Plain {
		l.text = "" // the rest of what was pasted goes with it
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
	case delimiting.MatchString(trimmed):
		l.cut.delimiter = delimiting.FindStringSubmatch(trimmed)[1]
		return nil
	case l.isSQL(text):
		for _, s := range Statements(trimmed, l.cut.delimiter) {
			if err := l.sql(s); err != nil {
				return err
			}
		}
		return nil
	}
	return l.script(ctx, text)
}

func (l *Loop) isSQL(text string) bool {
	return IsSQL(text, l.cut.known) || l.cut.delimiter != ";" && strings.HasSuffix(text, l.cut.delimiter)
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
	e.reads = len(a.Results) > 0
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
	for _, r := range a.Results {
		if s.Vertical {
			l.say("%s", vertical(r, true))
		} else {
			l.say("%s", Table(r, l.width()))
		}
	}
	switch {
	case len(a.Results) > 0:
	case a.Counts || a.Changed > 0:
		l.say("%s", count(a.Changed, "row", "changed"))
	default:
		l.say("ok")
	}
	return nil
}

func (l *Loop) say(format string, args ...any) {
	fmt.Fprintln(l.o.Out, strings.TrimRight(fmt.Sprintf(format, args...), "\n"))
}
