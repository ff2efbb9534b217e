package prompt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.starlark.net/starlark"
	"go.uber.org/goleak"

	"rig/runtime/debug"
	"rig/runtime/event"
	"rig/runtime/script"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWhere(t *testing.T) {
	talk := New(Options{Debugger: debug.New(debug.Options{}), File: "a.star"})
	for text, want := range map[string]debug.Point{
		"12":                      {Kind: debug.OnLine, File: "a.star", Line: 12},
		"lib/b.star:7":            {Kind: debug.OnLine, File: "lib/b.star", Line: 7},
		"@rig//x.star:7":          {Kind: debug.OnLine, File: "@rig//x.star", Line: 7},
		"book":                    {Kind: debug.OnFunction, Name: "book"},
		"a.star::book":            {Kind: debug.OnFunction, Name: "a.star::book"},
		"12 if x > 1 if y else 2": {Kind: debug.OnLine, File: "a.star", Line: 12, Cond: "x > 1 if y else 2"},
		"on deadlock":             {Kind: debug.OnError, Name: "deadlock"},
		"on error":                {Kind: debug.OnError, Name: "any"},
		"on error 1213":           {Kind: debug.OnError, Name: "1213"},
		"state loading if n":      {Kind: debug.OnState, Name: "loading", Cond: "n"},
		"sql UPDATE .* t":         {Kind: debug.OnSQL, Name: "UPDATE .* t"},
	} {
		if got, err := talk.where(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", text, got, err, want)
		}
	}
	for text, want := range map[string]string{"on": "break on what?", "sql": "break sql what?", "0": "count from 1", "a b": "no place", "a.star:0": "count from 1"} {
		if _, err := talk.where(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

func TestFind(t *testing.T) {
	for word, want := range map[string]string{
		"b": "break", "n": "next", "s": "step", "o": "out", "c": "continue", "w": "where", "wai": "wait", "u": "up", "d": "down", "p": "print", "l": "locals",
		"list": "list", "t": "threads", "thread": "thread", "q": "quit", "bt": "where", "?": "help", "sq": "sql", "ses": "sessions", "finish": "out",
	} {
		if c, err := find(word); err != nil || c.name != want {
			t.Errorf("%s is %s, %v; want %s", word, c.name, err, want)
		}
	}
	for _, c := range commands() {
		if got, err := find(c.name); err != nil || got.name != c.name {
			t.Errorf("%s is %s", c.name, got.name)
		}
	}
	for word, want := range map[string]string{"contineu": "did you mean continue?", "xyz": "help lists them"} {
		if _, err := find(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// buffer is what was printed.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// talkOver runs a script's main under a conversation of plain lines, and gives what was printed.
func talkOver(t *testing.T, src, typed string, change func(*Options)) (string, error) {
	t.Helper()
	return talkWith(t, src, typed, change, new(*Talk))
}

// talkWith is talkOver for who speaks to the conversation itself.
func talkWith(t *testing.T, src, typed string, change func(*Options), made **Talk) (string, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.star")
	if err := os.WriteFile(path, []byte(src), 0o644); err != nil {
		t.Fatal(err)
	}
	out := &buffer{}
	var talk *Talk
	d := debug.New(debug.Options{Notify: func(e debug.Event) { talk.Notify(e) }})
	h := script.NewHost(script.Options{Watch: []script.Watch{d}, Probes: script.AllProbes, Print: func(_ *script.Thread, _ event.Pos, text string) { _, _ = out.Write([]byte(text + "\n")) }})
	begin := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := Options{Debugger: d, In: NewLines(strings.NewReader(typed), nil), Out: out, Plain: true, Patience: 200 * time.Millisecond, File: path, Source: h.Source, Begin: func() { close(begin) }, Stop: cancel}
	if change != nil {
		change(&o)
	}
	talk = New(o)
	*made = talk
	ended := make(chan struct{})
	go func() { defer close(ended); talk.Run() }()
	<-begin
	m, err := h.Load(ctx, path)
	if err == nil {
		_, err = h.Thread(ctx, "main", nil).Call(m.Globals["main"].(starlark.Callable), nil, nil)
	}
	d.Close()
	talk.Over()
	<-ended
	return strings.ReplaceAll(out.String(), path, "x.star"), err
}

func TestConversation(t *testing.T) {
	src := "def main():\n    x = 1\n    y = [x, 2]\n    print(y)\n"
	out, err := talkOver(t, src, "print x\nlist 99\nlist\nbreak 3\ndelete x\nwait 0\nthread 9x\ncontinue\nprint\nprint x\nlocals\nlist\nthreads\nthread 77\nsessions\nsql SELECT 1\nsql\ndown\nup\nnext\nlocals\n# a comment\n\nbreak\ndelete all\nbreak\ncontinue\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"(rig) print x\nnothing runs yet", "(rig) list 99\nx.star has no line 99", ">    1 | def main():", "breakpoint 1 at x.star:3:5\n", "which breakpoint?",
		"wait for how many threads?", "which thread?", "stands at x.star:3:5 (breakpoint 1)", "(rig) print\nprint what?", "(rig) print x\n1\n", "  x = 1\n",
		"stands at x.star:3:5\n", "there is no thread 77", "the test has no session yet", "there is no database here", "this is the innermost frame",
		"this is the outermost frame", "stands at x.star:4:5 (step)", "  y = [1, 2]\n", "breakpoint 1 at x.star:3:5, met 1 times", "1 removed", "there are no breakpoints",
		"(rig) continue\n[1, 2]\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestTheEndOfTheCommandsLetsTheRunGoOn(t *testing.T) {
	out, err := talkOver(t, "def main():\n    print('a')\n    print('b')\n", "break 2\nbreak 3\ncontinue\n", nil)
	if err != nil || !strings.HasSuffix(out, "a\nb\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestClosingTheInputEndsTheRunWhereItStands(t *testing.T) {
	out, err := talkOver(t, "def main():\n    print('a')\n    print('b')\n", "break 3\ncontinue\n", func(o *Options) { o.Plain = false })
	if !errors.Is(err, context.Canceled) || !strings.Contains(out, "a\n") || strings.Contains(out, "\nb\n") {
		t.Errorf("%v\n%s", err, out)
	}
}

// The first interrupt of an evaluation is the evaluation's, a second one the run's, and the next evaluation is not disturbed.
func TestInterruptCancelsAnEvaluation(t *testing.T) {
	var talk *Talk
	var taken []bool
	query := func(ctx context.Context, _ *debug.Thread, _, sql string) (string, error) {
		if sql == "quick" {
			return "done", context.Cause(ctx)
		}
		taken = append(taken, talk.Interrupt(), talk.Interrupt())
		return "", context.Cause(ctx)
	}
	out, err := talkWith(t, "def main():\n    x = 1\n", "break 2\ncontinue\nsql slow\nsql quick\ncontinue\n", func(o *Options) { o.Query = query }, &talk)
	if err != nil || !slices.Equal(taken, []bool{true, false}) {
		t.Errorf("%v, taken %v", err, taken)
	}
	if !strings.Contains(out, "cancelled by Ctrl-C\n(rig) sql quick\ndone\n") || strings.Contains(out, "pausing") {
		t.Error(out)
	}
}

func TestQuitEndsTheRun(t *testing.T) {
	_, err := talkOver(t, "def main():\n    print('a')\n    while True:\n        pass\n", "step\nquit\n", nil)
	if err == nil || !strings.Contains(err.Error(), "cancel") {
		t.Errorf("%v", err)
	}
}

func TestAnEmptyLineRepeats(t *testing.T) {
	out, err := talkOver(t, "def main():\n    x = 1\n    x = 2\n    x = 3\n", "break 2\nc\nn\n\np x\n\nc\n", func(o *Options) { o.Plain = false })
	if err != nil {
		t.Fatal(err)
	}
	// The second n; p is repeated by nothing.
	if !strings.Contains(out, "x.star:4:5 (step)") || strings.Count(out, "\n2\n") != 1 {
		t.Errorf("%s", out)
	}
}

func TestInterrupt(t *testing.T) {
	out := &buffer{}
	talk := New(Options{Debugger: debug.New(debug.Options{}), Out: out, In: NewLines(strings.NewReader(""), nil)})
	if !talk.Interrupt() || talk.Interrupt() {
		t.Error("the first pauses, and the second is the run's")
	}
	talk.asking = true
	if !talk.Interrupt() || !strings.Contains(out.String(), "quit ends the run") {
		t.Errorf("at the prompt: %s", out)
	}
	talk.Over()
	if talk.Interrupt() {
		t.Error("a run that is over has its own")
	}
}

func TestLines(t *testing.T) {
	var echo strings.Builder
	l := NewLines(strings.NewReader("a\r\nb"), &echo)
	for _, want := range []string{"a", "b"} {
		if got, err := l.ReadLine("> "); err != nil || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if _, err := l.ReadLine("> "); err != io.EOF {
		t.Errorf("the end is %v", err)
	}
	if echo.String() != "> > > " {
		t.Errorf("prompts %q", echo.String())
	}
}
