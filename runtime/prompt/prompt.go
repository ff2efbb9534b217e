// Package prompt is the debugger's conversation in a terminal.
//
// [New] makes a [Talk] over a [debug.Debugger]; [Talk.Notify] hears its events and [Talk.Run] reads commands, prints what they
// ask for, and waits while threads run. Commands come from a [Reader]: a terminal with line editing ([NewTerminal]), or plain
// lines, so that a file of commands is a test.
package prompt

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"rig/runtime/debug"
)

// Reader gives the lines of a person. io.EOF ends the conversation.
type Reader interface {
	ReadLine(prompt string) (string, error)
}

// Session is what the command sessions shows of one.
type Session struct {
	Name, Server string // the server's thread id
	State        string // idle, runs, closed, or whom it waits for
	Open         string // its transaction's age and the line that opened it, "" without one
	XA           string // a distributed transaction's identifier and how far it is
	Statement    string // that runs: whose it is, its age, and the text
}

// Options of a conversation. Functions that are nil are not there to be asked.
type Options struct {
	Debugger *debug.Debugger
	In       Reader
	Out      io.Writer
	// Plain says that commands come from no person: nothing is printed but answers, and commands for a thread wait until it stands.
	Plain bool
	// Patience is how long the prompt stays away for a thread that does not come to its next stop; default 1s, 10s with Plain.
	Patience time.Duration
	Width    func() int // of the terminal; 0 is unknown
	File     string     // that break means where it names none, before anything runs
	Source   func(file string) (string, bool)

	Begin    func()                          // starts the run; nil where it runs already
	Sessions func(x *debug.Thread) []Session // of the test in which a thread runs
	// Query runs SQL until ctx ends; session "" is the usual one.
	Query func(ctx context.Context, x *debug.Thread, session, sql string) (string, error)
	Waits func(x *debug.Thread) bool // a statement of the thread waits for a lock
	Stop  func()                     // ends the run
}

// Talk is one conversation.
type Talk struct {
	o Options

	mu      sync.Mutex
	heard   sync.Cond      // on mu: something happened
	queue   []debug.Event  // guarded by mu: stops that were not announced
	changes int            // guarded by mu: counts stops and ends of threads
	asking  bool           // guarded by mu: the person has the prompt
	over    bool           // guarded by mu: the run has ended
	begun   bool           // guarded by mu
	quit    bool           // guarded by mu
	told    bool           // guarded by mu: about the clocks
	asked   int            // guarded by mu: interrupts since the last stop
	cancel  func(error)    // guarded by mu: ends the evaluation that runs; nil where none does, or it was told to end
	cur     *debug.Thread  // guarded by mu
	level   int            // guarded by mu: the frame that is looked at
	dead    map[int]string // guarded by mu: threads that have ended, by id

	last string // the last step, which an empty line repeats
}

// New makes a conversation.
func New(o Options) *Talk {
	if o.Patience == 0 {
		o.Patience = patience
		if o.Plain {
			o.Patience = patiencePlain
		}
	}
	t := &Talk{o: o, begun: o.Begin == nil, dead: map[int]string{}}
	t.heard.L = &t.mu
	return t
}

// Notify hears the debugger's events.
func (t *Talk) Notify(e debug.Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch e.What {
	case debug.Stopped:
		t.changes++
		t.asked = 0
		t.queue = append(t.queue, e)
		if t.asking && !t.o.Plain {
			t.announce()
		}
	case debug.Ended:
		t.changes++
		t.dead[e.Thread.ID] = e.Thread.Name
	default:
		return
	}
	t.heard.Broadcast()
}

// Over tells that the run has ended.
func (t *Talk) Over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.over = true
	t.heard.Broadcast()
}

// Interrupt is Ctrl-C. It reports whether the conversation takes it: it cancels an evaluation, while threads run it pauses them, and at
// the prompt it does nothing but say how to leave. When a pause or the end of an evaluation has not come about, the second is the run's.
func (t *Talk) Interrupt() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over || t.quit || !t.begun && !t.asking:
		return false
	case t.asking:
		fmt.Fprint(t.o.Out, "\n(quit ends the run)\n", promptText)
		return true
	case t.cancel != nil:
		t.cancel(errCancelled)
		t.cancel = nil
		t.asked++
		fmt.Fprintln(t.o.Out, "\ncancelling; Ctrl-C once more ends the run")
		return true
	case t.asked > 0:
		return false
	}
	t.asked++
	t.o.Debugger.PauseAll()
	fmt.Fprintln(t.o.Out, "\npausing at the next statement; Ctrl-C once more ends the run")
	return true
}

const promptText = "(rig) "

// Run talks until the run ends, the person quits, or the commands do. It reports whether the person ended the run.
func (t *Talk) Run() (quit bool) {
	if t.o.Begin != nil && !t.o.Plain {
		t.say("nothing runs yet: set breakpoints, then continue; help lists the commands")
	}
	if !t.begun || t.next() {
		t.commands()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.quit
}

// next waits until a thread stands, and reports false when the run ends before.
func (t *Talk) next() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for !t.over && len(t.queue) == 0 {
		t.heard.Wait()
	}
	t.announce()
	return !t.over
}

func (t *Talk) commands() {
	for {
		t.mu.Lock()
		if t.o.Plain {
			t.announce()
		}
		if t.over {
			t.mu.Unlock()
			return
		}
		t.asking = true
		t.mu.Unlock()
		line, err := t.o.In.ReadLine(promptText)
		t.mu.Lock()
		t.asking = false
		t.mu.Unlock()
		if err != nil {
			t.leave(err)
			return
		}
		if t.o.Plain {
			t.say("%s%s", promptText, line) // so that what is printed reads as a conversation
		}
		if !t.do(line) {
			return
		}
	}
}

// leave ends the conversation: commands from a file are over and the run goes on; a person who closes the input wants out.
func (t *Talk) leave(err error) {
	if t.o.Plain && errors.Is(err, io.EOF) {
		t.begin()
		t.o.Debugger.Close()
		return
	}
	t.end()
}

func (t *Talk) end() {
	t.mu.Lock()
	t.quit = true
	t.mu.Unlock()
	if t.o.Stop != nil {
		t.o.Stop()
	}
	t.begin() // what has not begun must learn that it is over
	t.o.Debugger.Close()
}

func (t *Talk) begin() {
	t.mu.Lock()
	first := !t.begun
	t.begun = true
	t.mu.Unlock()
	if first {
		t.o.Begin()
	}
}

// do runs one command and reports whether the conversation goes on.
func (t *Talk) do(line string) bool {
	line = strings.TrimSpace(line)
	if line == "" {
		if t.o.Plain || t.last == "" {
			return true
		}
		line = t.last
	}
	if strings.HasPrefix(line, "#") {
		return true
	}
	word, rest, _ := strings.Cut(line, " ")
	c, err := find(word)
	if err != nil {
		t.say("%v", err)
		return true
	}
	t.last = ""
	if c.again {
		t.last = line
	}
	if err := c.run(t, strings.TrimSpace(rest)); err != nil {
		t.say("%s", problem(err))
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.quit && !t.over
}

func (t *Talk) say(format string, args ...any) {
	text := strings.TrimRight(fmt.Sprintf(format, args...), "\n")
	fmt.Fprintln(t.o.Out, text)
}

// announce prints the stops that nobody was told of, and looks at the last of them. It must hold mu.
func (t *Talk) announce() {
	for _, e := range t.queue {
		if e.Thread.State() != debug.Standing {
			continue
		}
		fmt.Fprint(t.o.Out, t.stopText(e))
		t.cur, t.level = e.Thread, t.firstFrame(e.Thread)
	}
	if len(t.queue) > 0 && !t.told {
		t.told = true
		fmt.Fprintln(t.o.Out, "(rig's own time-outs stand still while a thread does; the server's go on)")
	}
	t.queue = nil
}

// firstFrame is the innermost one of the script.
func (t *Talk) firstFrame(x *debug.Thread) int {
	frames, _ := x.Frames()
	for i, f := range frames {
		if !f.Builtin {
			return i
		}
	}
	return 0
}

// patience is how long the prompt stays away after a thread was told to go on, while another stands that could be the reason why
// it does not come to its next stop. Where the server says that it waits for a lock, the prompt comes back at once.
const (
	patience      = time.Second
	patiencePlain = 10 * time.Second
)

// await waits after x was told to go on: until a thread stands, or x has ended or does not get on.
func (t *Talk) await(x *debug.Thread) {
	t.mu.Lock()
	seen := t.changes
	t.mu.Unlock()
	deadline := time.Now().Add(t.o.Patience)
	tick := time.AfterFunc(50*time.Millisecond, t.wake)
	defer tick.Stop()
	for {
		t.mu.Lock()
		others := t.standing() > 0
		switch {
		case t.over, len(t.queue) > 0:
			t.announce()
			t.mu.Unlock()
			return
		case x != nil && x.State() == debug.Gone && t.changes != seen && others:
			t.moveOn(x)
			t.mu.Unlock()
			return
		}
		t.heard.Wait()
		t.mu.Unlock()
		if x == nil || !others || x.State() != debug.Running {
			tick.Reset(50 * time.Millisecond)
			continue
		}
		waits := t.o.Waits != nil && t.o.Waits(x)
		if waits || waitsForOthers(x) || time.Now().After(deadline) {
			t.stuck(x, waits)
			return
		}
		tick.Reset(50 * time.Millisecond)
	}
}

// waitsForOthers reports whether a thread is in a built-in that waits for other threads, and has been for a while.
func waitsForOthers(x *debug.Thread) bool {
	d := x.Doing()
	switch d.Name[strings.LastIndexByte(d.Name, '.')+1:] {
	case "wait", "wait_for", "barrier", "receive", "send", "next", "join", "map", "parallel":
		return d.For > 200*time.Millisecond
	}
	return false
}

func (t *Talk) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.heard.Broadcast()
}

// standing counts the threads that stand. It must hold mu.
func (t *Talk) standing() int {
	n := 0
	for _, x := range t.o.Debugger.Threads() {
		if x.State() == debug.Standing {
			n++
		}
	}
	return n
}

// moveOn looks at another thread after x has ended. It must hold mu.
func (t *Talk) moveOn(x *debug.Thread) {
	fmt.Fprintf(t.o.Out, "[%d] %s has ended\n", x.ID, x.Name)
	for _, y := range t.o.Debugger.Threads() {
		if y.State() == debug.Standing {
			t.cur, t.level = y, t.firstFrame(y)
			fmt.Fprintf(t.o.Out, "[%d] %s stands at %s\n", y.ID, y.Name, y.Where())
			return
		}
	}
}

func (t *Talk) stuck(x *debug.Thread, waits bool) {
	text := "runs on"
	if d := x.Doing(); d.Name != "" {
		text += " in " + d.Name
	}
	if waits {
		text += ", waiting for a lock"
	}
	t.say("[%d] %s %s", x.ID, x.Name, text)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, y := range t.o.Debugger.Threads() {
		if y.State() == debug.Standing {
			t.cur, t.level = y, t.firstFrame(y)
			fmt.Fprintf(t.o.Out, "[%d] %s stands at %s\n", y.ID, y.Name, y.Where())
			return
		}
	}
}
