package repl

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/reeflective/readline"
	"github.com/reeflective/readline/inputrc"

	"github.com/jedib0t/go-pretty/v6/text"
)

// Candidate is a word that may stand at the cursor.
type Candidate struct{ Word, Doc, Group string }

// EditorOptions of a line editor.
type EditorOptions struct {
	Out     io.Writer
	History *History
	Color   bool
	Width   func() int                               // of the terminal; 0 is unknown
	Height  func() int                               // of the terminal, in rows
	Done    func(text string, more func() bool) bool // tells whether Enter runs a text
	Arrived func() bool                              // reports whether keys have arrived that were not read yet
	// Complete gives the words that may replace the last part of the text, which it names, too.
	Complete func(text string) (part string, words []Candidate)
}

// Editor edits inputs of several lines in the process's terminal. What is written through it while a person types goes above the input.
type Editor struct {
	o     EditorOptions
	shell *readline.Shell

	mu      sync.Mutex
	reading bool   // guarded by mu
	prompt  string // guarded by mu
}

// NewEditor makes an editor. Keys are bound as the person's inputrc says, also vi mode.
func NewEditor(o EditorOptions) *Editor {
	e := &Editor{o: o}
	e.shell = readline.NewShell(inputrc.WithApp("rig"))
	e.shell.Prompt.Primary(func() string { return e.room() + e.current() })
	e.shell.AcceptMultiline = func(line []rune) bool { return o.Done(string(line), e.more) }
	e.shell.Completer = e.complete
	_ = e.shell.Config.Set("autocomplete", true) // these are known to the library
	_ = e.shell.Config.Set("multiline-column", false)
	_ = e.shell.Config.Set("enable-bracketed-paste", true)
	_ = e.shell.Config.Set("completion-ignore-case", true)
	_ = e.shell.Config.Set("cursor-position-probe", false) // its answer is read among the keys, and keys get lost
	linesFirst(e.shell.Config)
	e.shell.History.Delete()
	e.shell.History.Add("rig", o.History)
	e.shell.SyntaxHighlighter = e.highlight
	return e
}

// linesFirst lets the arrows go through the lines of an input before they leave it for the history, where the person's inputrc has
// not bound them.
func linesFirst(c *inputrc.Config) {
	arrows := map[string]inputrc.Bind{}
	for _, before := range []string{`\M-[`, `\M-O`} {
		arrows[inputrc.Unescape(before+"A")] = inputrc.Bind{Action: "up-line-or-history"}
		arrows[inputrc.Unescape(before+"B")] = inputrc.Bind{Action: "down-line-or-history"}
	}
	for _, keymap := range []string{"emacs", "emacs-standard"} {
		for key, line := range arrows {
			if now := c.Binds[keymap][key].Action; now == "previous-history" || now == "next-history" {
				c.Binds[keymap][key] = line
			}
		}
	}
}

// more reports whether keys follow the one that is handled: lines are pasted.
func (e *Editor) more() bool { return !e.shell.Keys.Empty() || e.o.Arrived() }

func (e *Editor) highlight(line []rune) string {
	typed, width := string(line), 0
	if e.o.Width != nil {
		width = e.o.Width()
	}
	shown := typed
	if e.o.Color {
		shown = Highlight(typed)
	}
	return continued(typed, shown, e.current(), width)
}

// clearRest clears a terminal's row from the cursor on.
const clearRest = "\x1b[K"

// continued puts the continuation prompt before the lines after the first. The library indents them by the width of the prompt and has
// marks of its own, but counts wrapped rows as lines: a line that is wider than the terminal would be written over. Nor does it
// clear what such a line leaves when it becomes shorter, which must not happen where the cursor stands on the terminal's edge.
func continued(typed, shown, prompt string, width int) string {
	indent := text.StringWidth(prompt)
	mark := "\n\r" + strings.Repeat(" ", max(0, indent-len(Continuation))) + Continuation
	plain := strings.Split(typed, "\n")
	lines := strings.Split(shown, "\n")
	for i := range lines[:len(lines)-1] {
		if width > 0 && (indent+text.StringWidth(plain[i]))%width != 0 {
			lines[i] += clearRest
		}
	}
	return strings.Join(lines, mark)
}

// room scrolls a full screen until the input and a row below it fit, and comes back. The library clears that row by going down and up
// again, and on the last row it only goes up: each key would move the input over what stands above it. It is told where it is by
// a question to the terminal otherwise, which must not be asked (cursor-position-probe).
func (e *Editor) room() string {
	rows, width := 0, 0 // the row below takes the place of the first one, on which the cursor is
	if e.o.Width != nil {
		width = e.o.Width()
	}
	if line := e.shell.Line(); line != nil {
		indent := text.StringWidth(e.current())
		for l := range strings.SplitSeq(string(*line), "\n") {
			rows++
			if width > 0 {
				rows += (indent + text.StringWidth(l)) / width
			}
		}
	}
	if e.o.Height != nil {
		if height := e.o.Height(); height > 1 {
			rows = min(rows, height-1)
		}
	}
	return strings.Repeat("\v", rows) + fmt.Sprintf("\x1b[%dA", rows)
}

func (e *Editor) current() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.prompt
}

// ReadLine edits one input.
func (e *Editor) ReadLine(prompt string) (string, error) {
	e.state(true, prompt)
	text, err := e.shell.Readline()
	e.state(false, prompt)
	switch {
	case errors.Is(err, readline.ErrInterrupt):
		return "", ErrInterrupt
	case err != nil:
		return "", err
	}
	return text, nil
}

func (e *Editor) state(reading bool, prompt string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.reading, e.prompt = reading, prompt
}

// Write shows text above the input that is edited.
func (e *Editor) Write(p []byte) (int, error) {
	e.mu.Lock()
	reading := e.reading
	e.mu.Unlock()
	if !reading {
		return e.o.Out.Write(p)
	}
	text := strings.ReplaceAll(strings.TrimRight(string(p), "\n"), "\n", "\r\n")
	if _, err := e.shell.Printf("%s\r", text); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (e *Editor) complete(line []rune, cursor int) readline.Completions {
	text := string(line[:min(cursor, len(line))])
	part, words := e.o.Complete(text)
	lead := ""
	if part == "" {
		// The editor takes an empty part for none, and completes everything since the last space.
		lead = text[strings.LastIndexAny(text, " \n\t")+1:]
	}
	if most := e.choices(); most > 0 && len(words) > most {
		words = words[:most] // the others come as the word grows
	}
	var list []readline.Completion
	for _, w := range words {
		list = append(list, readline.Completion{Value: lead + w.Word, Display: w.Word, Description: w.Doc, Tag: w.Group})
	}
	c := readline.CompleteRaw(list)
	c.PREFIX = lead + part
	return c
}

// choices is how many words fit below the input, with the names of their groups: a list that is higher than the screen would move the
// input out of it, and the library loses its place. 0 is no bound.
func (e *Editor) choices() int {
	if e.o.Height == nil || e.o.Height() == 0 {
		return 0
	}
	const groupsAndEdges = 5
	return max(1, e.o.Height()-strings.Count(e.room(), "\v")-groupsAndEdges)
}

var marks = regexp.MustCompile(`("""(?s:.*?)(?:"""|$)|"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?)|(#.*)|\b(def|return|for|while|in|if|elif|else|and|or|not|lambda|load|pass|break|continue|True|False|None)\b|\b(?i:(select|from|where|insert|into|update|delete|create|table|drop|alter|begin|commit|rollback|set|show|values|order|by|group|limit|join|on|as|and|or|not|null|for|index|primary|key))\b`)

// Highlight colours an input: words of the language, strings and comments.
func Highlight(text string) string {
	sql := IsSQL(text, nil)
	return marks.ReplaceAllStringFunc(text, func(s string) string {
		m := marks.FindStringSubmatch(s)
		switch {
		case m == nil:
			return s
		case m[1] != "":
			return "\x1b[32m" + s + "\x1b[0m"
		case m[2] != "" && !sql:
			return "\x1b[2m" + s + "\x1b[0m"
		case m[3] != "", m[4] != "" && sql:
			return "\x1b[34m" + s + "\x1b[0m"
		}
		return s
	})
}

// maxHistory bounds the inputs that are kept.
const maxHistory = 2000

// History keeps inputs in a file of the project. What holds a secret is not kept, not even for this conversation.
type History struct {
	path   string
	secret func(line string) bool

	mu    sync.Mutex
	lines []string // guarded by mu
}

// OpenHistory reads the file where there is one. path "" keeps inputs for this conversation alone.
func OpenHistory(path string, secret func(line string) bool) *History {
	h := &History{path: path, secret: secret}
	if b, err := os.ReadFile(path); err == nil {
		for line := range strings.Lines(string(b)) {
			if text := unfold.Replace(strings.TrimRight(line, "\n")); text != "" {
				h.lines = append(h.lines, text)
			}
		}
	}
	h.lines = h.lines[max(0, len(h.lines)-maxHistory):]
	return h
}

// An input of several lines is one line of the file.
var (
	folded = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	unfold = strings.NewReplacer(`\\`, `\`, `\n`, "\n")
)

var secrets = regexp.MustCompile(`(?i)identified\s+(by|with)|password|passwd|secret|token|://[^/\s:@]*:[^/\s@]+@`)

// Secret reports whether a text looks as if it held a secret.
func Secret(text string) bool { return secrets.MatchString(text) }

// Write keeps an input.
func (h *History) Write(line string) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	line = strings.TrimRight(line, "\n ")
	if line == "" || Secret(line) || h.secret != nil && h.secret(line) || len(h.lines) > 0 && h.lines[len(h.lines)-1] == line {
		return len(h.lines), nil
	}
	h.lines = append(h.lines, line)
	if h.path == "" {
		return len(h.lines), nil
	}
	return len(h.lines), h.save()
}

// save writes the whole file: it is small, and stays within its bound. It must hold mu.
func (h *History) save() error {
	var b strings.Builder
	for _, line := range h.lines[max(0, len(h.lines)-maxHistory):] {
		b.WriteString(folded.Replace(line) + "\n")
	}
	tmp := h.path + ".new"
	if err := os.WriteFile(tmp, []byte(b.String()), 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, h.path)
}

// GetLine gives the input at a place.
func (h *History) GetLine(at int) (string, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at < 0 || at >= len(h.lines) {
		return "", fmt.Errorf("there is no input %d", at)
	}
	return h.lines[at], nil
}

// Len is the number of inputs.
func (h *History) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.lines)
}

// Dump gives all of them.
func (h *History) Dump() any {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.lines)
}
