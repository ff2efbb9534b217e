package prompt

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rig/runtime/debug"
	"rig/runtime/fault"
	"rig/runtime/script"
)

// command is one that a person may give: by its name, or by so much of it that no other fits; short names come first.
type command struct {
	name, args, doc string
	again           bool // an empty line repeats it
	run             func(t *Talk, args string) error
}

// commands in the order of help. Where a beginning fits several, the first wins.
func commands() []command {
	return []command{
		{"break", "[WHERE]", "stop at LINE, FILE:LINE or FUNCTION, all three also with if CONDITION; on ERROR (deadlock, 1213, any); state NAME; sql PATTERN. Without WHERE: list", false, (*Talk).cmdBreak},
		{"next", "", "go to the next statement of this function", true, func(t *Talk, _ string) error { return t.step(debug.StepOver) }},
		{"step", "", "go to the next statement, also in what it calls", true, func(t *Talk, _ string) error { return t.step(debug.StepIn) }},
		{"out", "", "go on until this function has returned", true, func(t *Talk, _ string) error { return t.step(debug.StepOut) }},
		{"continue", "[all]", "go on to the next breakpoint: this thread, or all", true, (*Talk).cmdContinue},
		{"where", "", "show the stack", false, (*Talk).cmdWhere},
		{"up", "", "look at the caller", false, func(t *Talk, _ string) error { return t.move(1) }},
		{"down", "", "look at the callee", false, func(t *Talk, _ string) error { return t.move(-1) }},
		{"print", "EXPRESSION", "evaluate in the frame that is looked at", false, (*Talk).cmdPrint},
		{"locals", "", "show the variables of the frame, also those it captured", false, (*Talk).cmdLocals},
		{"list", "[LINE]", "show the source around the line", false, (*Talk).cmdList},
		{"threads", "", "show the threads and what each does", false, (*Talk).cmdThreads},
		{"thread", "ID", "look at another thread", false, (*Talk).cmdThread},
		{"sessions", "", "show the sessions of the test and what each does", false, (*Talk).cmdSessions},
		{"sql", "[SESSION:] STATEMENT", "run a statement on a session of the test", false, (*Talk).cmdSQL},
		{"wait", "[N]", "wait until a thread stands, or N do", false, (*Talk).cmdWait},
		{"pause", "", "stop every running thread at its next statement", false, (*Talk).cmdPause},
		{"delete", "N", "remove a breakpoint; all removes all", false, (*Talk).cmdDelete},
		{"help", "", "list the commands", false, (*Talk).cmdHelp},
		{"quit", "", "end the run; cleanups run", false, func(t *Talk, _ string) error { t.end(); return nil }},
	}
}

func find(word string) (command, error) {
	all := commands()
	aliases := map[string]string{"bt": "where", "finish": "out", "exit": "quit", "?": "help", "clear": "delete", "info": "locals"}
	if full, ok := aliases[word]; ok {
		word = full
	}
	var names []string
	for _, c := range all {
		if c.name == word {
			return c, nil
		}
		names = append(names, c.name)
	}
	for _, c := range all {
		if strings.HasPrefix(c.name, word) {
			return c, nil
		}
	}
	if near := fault.Suggest(word, names); near != "" {
		return command{}, fmt.Errorf("there is no command %q; did you mean %s?", word, near)
	}
	return command{}, fmt.Errorf("there is no command %q; help lists them, print evaluates", word)
}

// current is the thread that is looked at. Commands from a file wait for it to stand.
func (t *Talk) current() (*debug.Thread, int, error) {
	t.mu.Lock()
	x := t.cur
	begun := t.begun
	t.mu.Unlock()
	switch {
	case !begun:
		return nil, 0, errors.New("nothing runs yet: continue runs, step stops at the first statement")
	case x == nil:
		return nil, 0, errors.New("no thread stands")
	}
	if t.o.Plain {
		t.until(func() bool { return x.State() != debug.Running })
	}
	switch x.State() {
	case debug.Running:
		return nil, 0, &debug.NotStandingError{Thread: x.Name, State: debug.Running}
	case debug.Gone:
		return nil, 0, &debug.NotStandingError{Thread: x.Name, State: debug.Gone}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.o.Plain {
		t.announce()
		t.cur = x
	}
	if n, err := x.Frames(); err == nil && t.level >= len(n) {
		t.level = t.firstFrame(x)
	}
	return x, t.level, nil
}

// until waits, as long as there is patience, for something that the debugger tells.
func (t *Talk) until(met func() bool) bool {
	deadline := time.Now().Add(t.o.Patience)
	timer := time.AfterFunc(t.o.Patience, t.wake)
	defer timer.Stop()
	t.mu.Lock()
	defer t.mu.Unlock()
	for !met() && !t.over && time.Now().Before(deadline) {
		t.heard.Wait()
	}
	return met()
}

func (t *Talk) step(m debug.Mode) error {
	t.mu.Lock()
	begun := t.begun
	t.mu.Unlock()
	if !begun {
		t.o.Debugger.StopOnEntry(true)
		t.begin()
		t.await(nil)
		t.o.Debugger.StopOnEntry(false)
		return nil
	}
	x, _, err := t.current()
	if err != nil {
		return err
	}
	if err := x.Resume(m); err != nil {
		return err
	}
	t.await(x)
	return nil
}

func (t *Talk) cmdContinue(args string) error {
	t.mu.Lock()
	begun := t.begun
	t.mu.Unlock()
	if !begun {
		t.begin()
		t.await(nil)
		return nil
	}
	if args == "all" {
		for _, x := range t.o.Debugger.Threads() {
			_ = x.Resume(debug.Continue) // those that run do so already
		}
		t.await(nil)
		return nil
	}
	return t.step(debug.Continue)
}

func (t *Talk) move(by int) error {
	x, level, err := t.current()
	if err != nil {
		return err
	}
	frames, err := x.Frames()
	if err != nil {
		return err
	}
	next := level + by
	for next >= 0 && next < len(frames) && frames[next].Builtin {
		next += by
	}
	if next < 0 || next >= len(frames) {
		if by > 0 {
			return errors.New("this is the outermost frame")
		}
		return errors.New("this is the innermost frame")
	}
	t.mu.Lock()
	t.level = next
	t.mu.Unlock()
	f := frames[next]
	t.say("#%d %s at %s\n%s", next, f.Func, f.Pos, t.excerpt(f.Pos, 1))
	return nil
}

// errCancelled ends an evaluation that a person no longer waits for.
var errCancelled = errors.New("cancelled by Ctrl-C")

// evaluation gives the context of what a person asks for, which Ctrl-C ends. done must be called at its end.
func (t *Talk) evaluation() (ctx context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cancel = cancel
	return ctx, func() {
		cancel(nil)
		t.mu.Lock()
		defer t.mu.Unlock()
		t.cancel, t.asked = nil, 0
	}
}

func (t *Talk) cmdPrint(args string) error {
	x, level, err := t.current()
	if err != nil {
		return err
	}
	if args == "" {
		return errors.New("print what? print EXPRESSION")
	}
	ctx, done := t.evaluation()
	v, err := x.Value(ctx, level, args)
	done()
	if err != nil {
		return err
	}
	text := debug.Text(v)
	if v.Type() == "rows" && script.Printable(v) == nil {
		text = v.String()
	}
	t.say("%s", text)
	return nil
}

func (t *Talk) cmdThread(args string) error {
	id, err := strconv.Atoi(args)
	if err != nil {
		return fmt.Errorf("which thread? threads lists them by their ids")
	}
	find := func() *debug.Thread { return t.o.Debugger.Thread(id) }
	if t.o.Plain {
		t.until(func() bool { x := find(); return x != nil && x.State() == debug.Standing || t.dead[id] != "" })
	}
	x := find()
	if x == nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		if name := t.dead[id]; name != "" {
			return &debug.NotStandingError{Thread: name, State: debug.Gone}
		}
		return fmt.Errorf("there is no thread %d", id)
	}
	t.mu.Lock()
	t.announce()
	t.cur, t.level = x, t.firstFrame(x)
	t.mu.Unlock()
	t.say("%s", t.threadLine(x))
	if w := x.Where(); !w.IsZero() {
		t.say("%s", t.excerpt(w, 1))
	}
	return nil
}

func (t *Talk) cmdWait(args string) error {
	n := 1
	if args != "" {
		var err error
		if n, err = strconv.Atoi(args); err != nil || n < 1 {
			return fmt.Errorf("wait for how many threads? wait N")
		}
	}
	met := t.until(func() bool { return t.standing() >= n })
	t.mu.Lock()
	defer t.mu.Unlock()
	t.announce()
	if !met {
		return fmt.Errorf("%d of %d threads stand", t.standing(), n)
	}
	return nil
}

func (t *Talk) cmdPause(string) error {
	t.o.Debugger.PauseAll()
	t.await(nil)
	return nil
}

func (t *Talk) cmdSQL(args string) error {
	x, _, err := t.current()
	if err != nil {
		return err
	}
	if t.o.Query == nil {
		return errors.New("there is no database here")
	}
	session, sql := "", args
	if name, rest, ok := strings.Cut(args, ":"); ok && !strings.ContainsAny(name, " \t'\"(") {
		session, sql = name, strings.TrimSpace(rest)
	}
	if sql == "" {
		return errors.New("sql what? sql [SESSION:] STATEMENT")
	}
	ctx, done := t.evaluation()
	text, err := t.o.Query(ctx, x, session, sql)
	done()
	if err != nil {
		return err
	}
	t.say("%s", text)
	return nil
}

// problem is an error in the words of the debugger: without the place that an expression has.
func problem(err error) string {
	var e *script.Error
	if errors.As(err, &e) && (strings.HasPrefix(e.Pos.File, "<") || e.Pos.IsZero()) {
		d := script.Describe(err)
		text := strings.TrimPrefix(d.Message, "<expression>:1:1: ")
		if d.Op != "" {
			text = d.Op + ": " + text
		}
		if d.Hint != "" {
			text += " (" + d.Hint + ")"
		}
		return text
	}
	return err.Error()
}
