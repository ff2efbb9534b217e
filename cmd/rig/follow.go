package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"rig/builtins/value"
	"rig/runtime/clock"
	"rig/runtime/debug"
	"rig/runtime/machine"
	"rig/runtime/profile"
	"rig/runtime/prompt"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

// following is what looks over the shoulder of a run.
type following struct {
	watch  []script.Watch
	probes script.Probes
	count  bool

	profiler *profile.Profiler
	debugger *debug.Debugger
	clock    *clock.Clock
	talk     *prompt.Talk
	begin    chan struct{} // closed when the person lets the run begin; nil begins at once
	restore  func()        // of the terminal

	interrupt func() bool // takes Ctrl-C where it is not the run's; nil without a conversation
}

// attach makes the debugger. notify hears its events; nil is nobody.
func (x *execution) attach(notify func(debug.Event), probes script.Probes) *debug.Debugger {
	f := &x.follow
	f.clock = &clock.Clock{}
	reader := newHost(hostOptions{root: x.cfg.Root(), params: x.params}) // runs nothing: the run's own host comes later
	f.debugger = debug.New(debug.Options{
		Notify: notify, Quiet: isSkip, Clock: f.clock, Expired: cancelExpressions, Names: reader.Predeclared(), States: append(machine.Common(), machine.Completed, machine.Failed),
	})
	f.debugger.Learn(outlines(reader, x.cmd.Paths))
	f.watch = append(f.watch, f.debugger)
	f.probes = max(f.probes, probes)
	return f.debugger
}

// outlines reads what a run of the paths loads. whole is false where something of it could not be read, which the run tells.
func outlines(h *script.Host, paths []string) (all []*script.Outline, whole bool) {
	files, err := expand(paths)
	whole = err == nil && len(files) > 0
	for _, file := range files {
		list, complete := h.Outlines(file)
		all, whole = append(all, list...), whole && complete
	}
	return all, whole
}

// converse attaches a debugger with a conversation in the terminal, or over plain lines where there is none.
func (x *execution) converse(probes script.Probes, waits bool) {
	f := &x.follow
	d := x.attach(func(e debug.Event) {
		if e.What == debug.Stopped {
			x.bus.Flush() // what was reported before is read before
		}
		f.talk.Notify(e)
	}, probes)
	o := prompt.Options{
		Debugger: d, Out: x.s.out, Source: func(file string) (string, bool) { return x.host.Source(file) },
		Sessions: sessionsOf, Query: queryFrom, Waits: waitsForLock, Stop: func() { x.end(errInterrupted) },
	}
	if len(x.cmd.Paths) > 0 {
		o.File = x.cmd.Paths[0]
	}
	in, isTerminal := x.s.in.(*os.File)
	if isTerminal {
		_, isTerminal = terminal(in)
	}
	switch {
	case !isTerminal:
		o.In, o.Plain = prompt.NewLines(x.s.in, nil), true
	case os.Getenv("TERM") == "dumb":
		o.In = prompt.NewLines(in, x.s.out)
	default:
		t := prompt.NewTerminal(in, x.s.out)
		o.In, o.Out, o.Width = t, t, t.Width
		x.s.out, x.s.err = t, t // what is printed meanwhile goes above the line that is edited
		f.restore = t.Restore
	}
	o.Out = redacting{o.Out, x}
	if waits {
		f.begin = make(chan struct{})
		o.Begin = func() { close(f.begin) }
	}
	f.talk = prompt.New(o)
}

// redacting takes the run's secrets out of what a person is shown besides the stream of events. Each text comes in one write.
type redacting struct {
	w io.Writer
	x *execution
}

func (r redacting) Write(p []byte) (int, error) {
	if _, err := io.WriteString(r.w, r.x.bus.Redact(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// ending is why a run is told to end from within, as the first signal tells it from outside.
type ending struct {
	mu        sync.Mutex
	cause     error       // guarded by mu: of who asked first
	interrupt func(error) // guarded by mu: ends the run; nil until it begins
}

// end ends the run as the first signal does; it may be called before the run has begun. When it returns, the run's context has
// ended, so that no test takes what the end does to it for a failure.
func (x *execution) end(cause error) {
	e := &x.ends
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.cause != nil { // asked already
		return
	}
	e.cause = cause
	if e.interrupt != nil {
		e.interrupt(cause)
	}
}

// takes makes a run that begins hear of its end, also of one that was asked for before.
func (e *ending) takes(interrupt func(error)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.interrupt = interrupt
	if e.cause != nil {
		interrupt(e.cause)
	}
}

// hold runs the conversation beside the run, and waits until the run may begin.
func (x *execution) hold(ctx context.Context) {
	f := &x.follow
	if f.talk != nil {
		go f.talk.Run() // ends with the run, or waits for a line that nobody will type any more
	}
	if f.begin == nil {
		return
	}
	select {
	case <-f.begin:
	case <-ctx.Done():
	}
}

// release ends the following.
func (f *following) release() {
	if f.debugger != nil {
		f.debugger.Close()
	}
	if f.talk != nil {
		f.talk.Over()
	}
	if f.restore != nil {
		f.restore()
	}
}

// callsBreakpoint reports whether one of the files does. It is a look at the text: what is found need not be a call.
func callsBreakpoint(files []string) bool {
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && strings.Contains(string(b), "breakpoint(") {
			return true
		}
	}
	return false
}

func isSkip(err error) bool {
	_, skip := asSkip(err)
	return skip
}

// testOf is the test in which a thread runs, nil while a file loads.
func testOf(t *script.Thread) *scenario.Test {
	x, _ := t.Scope().(*scenario.Test)
	return x
}

// sessionsOf tells what the sessions of a thread's test do.
func sessionsOf(x *debug.Thread) []prompt.Session { return sessionsOfTest(testOf(x.Script())) }

func sessionsOfTest(t *scenario.Test) []prompt.Session {
	if t == nil {
		return nil
	}
	return sessionsAmong(t.Sessions(), t.Sessions())
}

// sessionsAmong tells what sessions do; those that they wait for are named where they are among the known.
func sessionsAmong(all, known []*session.Session) []prompt.Session {
	var out []prompt.Session
	for _, s := range all {
		p := prompt.Session{Name: s.Name(), Server: strconv.FormatUint(s.Thread(), 10), State: "idle"}
		if tx, open := s.Tracked(); open {
			p.XA, p.Open = tx.XA, "since "+tx.Pos.String()
			if !tx.Begun.IsZero() {
				p.Open = "for " + age(tx.Begun) + " " + p.Open
			}
		}
		a, busy := s.Activity()
		switch {
		case s.Closed():
			p.State, p.Open, p.XA = "closed", "", ""
		case busy:
			p.State = "runs"
			p.Statement = fmt.Sprintf("%s for %s: %s", a.Holder, age(a.Since), strings.Join(strings.Fields(a.SQL), " "))
			if w := s.Waits(); w.Waits {
				p.State = "waits for " + blockers(known, w.Blockers)
			}
		}
		out = append(out, p)
	}
	return out
}

func age(since time.Time) string {
	d, unit := time.Since(since), 100*time.Millisecond
	if d < time.Second {
		unit = 10 * time.Millisecond
	}
	return d.Round(unit).String()
}

// blockers names those who hold a lock: sessions of the test by name, others by their threads.
func blockers(all []*session.Session, threads []uint64) string {
	var names []string
	for _, id := range threads {
		name := fmt.Sprintf("thread #%d", id)
		for _, s := range all {
			if s.Thread() == id && !s.Closed() {
				name = s.Name()
			}
		}
		names = append(names, name)
	}
	if len(names) == 0 {
		return "a lock"
	}
	return "a lock of " + strings.Join(names, ", ")
}

// waitsForLock reports whether a statement of the thread waits for a lock.
func waitsForLock(x *debug.Thread) bool {
	t := testOf(x.Script())
	if t == nil || x.Doing().SQL == "" {
		return false
	}
	for _, s := range t.Sessions() {
		if a, busy := s.Activity(); busy && a.Holder == x.Name && s.Waits().Waits {
			return true
		}
	}
	return false
}

// cancelExpressions kills the statements that an expression of a debugger runs.
func cancelExpressions(th *script.Thread) {
	t := testOf(th)
	if t == nil {
		return
	}
	for _, s := range t.Sessions() {
		if a, busy := s.Activity(); busy && a.Holder == script.Expression {
			_ = s.Cancel("the debugger's time for it is over") // the statement's own call tells the outcome
		}
	}
}

// queryBound is how long a statement of the command sql may take: the clock of the sessions stands still then.
const queryBound = 10 * time.Second

// queryFrom runs a statement of a person on a session of the thread's test.
func queryFrom(ctx context.Context, x *debug.Thread, name, sql string) (string, error) {
	t := testOf(x.Script())
	if t == nil {
		return "", fmt.Errorf("no test runs, so there is no session")
	}
	s, err := pickSession(t, name)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, queryBound, fmt.Errorf("the statement did not end within %s", queryBound))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		_ = s.Cancel(context.Cause(ctx).Error()) // its own call tells the outcome
	})()
	call := session.Call{Op: "sql", Holder: script.Expression, Timeout: -1}
	told, err := s.Run(call, sql)
	switch {
	case err != nil:
		return "", err
	case len(told.Results) > 0:
		var tables []string
		for _, r := range told.Results {
			tables = append(tables, strings.TrimRight(value.Table(value.NewRows(r), 50), "\n"))
		}
		return strings.Join(tables, "\n"), nil
	case told.Counts || told.Changed > 0:
		return s.Name() + ": " + changed(told.Changed), nil
	}
	return s.Name() + ": ok", nil
}

func changed(n int64) string {
	if n == 1 {
		return "1 row changed"
	}
	return fmt.Sprintf("%d rows changed", n)
}

// pickSession finds the session of a name; the usual one is db, or the only one.
func pickSession(t *scenario.Test, name string) (*session.Session, error) {
	all := t.Sessions()
	var names []string
	var ended *session.Session // its own error says why
	for _, s := range all {
		if s.Closed() {
			if s.Name() == name {
				ended = s
			}
			continue
		}
		names = append(names, s.Name())
		if s.Name() == name || name == "" && (s.Name() == "db" || len(all) == 1) {
			return s, nil
		}
	}
	switch {
	case ended != nil:
		return ended, nil
	case len(names) == 0 || name == "" && len(names) > 1:
		if len(names) == 0 {
			return t.DB()
		}
		return nil, fmt.Errorf("on which session? sql NAME: STATEMENT; there are %s", strings.Join(names, ", "))
	}
	return nil, fmt.Errorf("there is no session %q (there are %s)%s", name, strings.Join(names, ", "), didYouMean(name, names))
}
