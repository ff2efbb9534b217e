package script

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/event"
)

// Thread runs script functions, one at a time.
type Thread struct {
	host    *Host
	th      *starlark.Thread
	ctx     context.Context
	name    string
	scope   any
	span    event.ID // of the work that runs now; 0 outside spans
	module  string   // the file that loads
	load    bool
	made    int         // bytes of text since the heap was looked at
	guard   *guardError // set by a guard that stopped the thread
	aborted error       // set by Abort
	parent  *Thread     // that made it; nil for the first
	steps   uint64      // bound on its steps; 0 is none
	aside   bool        // it evaluates an expression of a debugger
}

// local is the key under which a starlark thread knows its Thread.
const local = "rig"

func (h *Host) newThread(ctx context.Context, name string, scope any) *Thread {
	t := &Thread{host: h, ctx: ctx, name: name, scope: scope}
	t.th = &starlark.Thread{Name: name, Print: t.print, OnMaxSteps: t.look}
	t.th.SetMaxExecutionSteps(lookEvery)
	t.th.SetLocal(local, t)
	if len(h.opts.Watch) > 0 {
		t.th.Load = mark
	}
	return t
}

// From gives the Thread of a starlark thread, nil for one that is not ours.
func From(th *starlark.Thread) *Thread {
	t, _ := th.Local(local).(*Thread)
	return t
}

// Child makes a thread that runs beside or inside t, with its scope.
func (t *Thread) Child(name string, ctx context.Context) *Thread {
	c := t.host.newThread(ctx, name, t.scope)
	c.span, c.parent, c.aside = t.span, t, t.aside
	return c
}

// Context ends when what the thread runs must end.
func (t *Thread) Context() context.Context { return t.ctx }

// Name of the thread: a test's id, a task.
func (t *Thread) Name() string { return t.name }

// Host of the thread.
func (t *Thread) Host() *Host { return t.host }

// Scope is what the thread runs in: a test.
func (t *Thread) Scope() any { return t.scope }

// SetScope changes it; before the first call only.
func (t *Thread) SetScope(scope any) { t.scope = scope }

// Span is the id of the span that encloses what the thread does now, 0 outside spans.
func (t *Thread) Span() event.ID { return t.span }

// Within makes what the thread does part of a span until the returned function is called; 0 is none.
func (t *Thread) Within(span event.ID) (leave func()) {
	outer := t.span
	t.span = span
	return func() { t.span = outer }
}

// Loading reports whether the thread runs a file's top level.
func (t *Thread) Loading() bool { return t.load }

// Module is the path of the file that loads.
func (t *Thread) Module() string { return t.module }

func (t *Thread) print(th *starlark.Thread, msg string) {
	if t.host.opts.Print != nil {
		t.host.opts.Print(t, CallerPos(th), msg)
	}
}

// Call runs fn until it returns or the thread's context ends. Its error is an *Error with position, stack and excerpt.
func (t *Thread) Call(fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	if err := context.Cause(t.ctx); err != nil {
		return nil, err
	}
	if len(t.host.opts.Watch) > 0 && t.th.CallStackDepth() == 0 {
		defer func() { t.ended(err) }()
	}
	if t.ctx.Done() != nil {
		stop := context.AfterFunc(t.ctx, func() { t.th.Cancel(context.Cause(t.ctx).Error()) })
		defer stop()
	}
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, t.explain(&PanicError{Value: p})
		}
	}()
	v, err = starlark.Call(t.th, fn, args, kwargs)
	if err != nil {
		return nil, atDefinition(t.explain(err), fn)
	}
	return v, nil
}

// atDefinition moves the error of a function whose arguments did not fit, where no script called it, from its first statement,
// which never ran, to its parameters.
func atDefinition(err error, fn starlark.Callable) error {
	e, ok := err.(*Error)
	if ok && len(e.Stack) == 1 && mismatch(e.Msg, fn.Name()) {
		e.Pos = PosOf(fn)
		e.Stack[0].Pos = e.Pos
		e.Excerpt = e.host.excerpt(e.Pos)
	}
	return err
}

// leftBehind is how long a thread may go on after its context has ended.
const leftBehind = 1500 * time.Millisecond

// CallBounded is Call for the outermost call of a test: it returns soon after the context has ended, also when a single
// operation of the script (comparing two huge values) never looks up. Its goroutine is then left behind.
func (t *Thread) CallBounded(fn starlark.Callable, args starlark.Tuple) error {
	ended := make(chan error, 1)
	go func() { // ends with the script; where that never ends, with the process
		_, err := t.Call(fn, args, nil)
		ended <- err
	}()
	select {
	case err := <-ended:
		return err
	case <-t.ctx.Done():
	}
	timer := time.NewTimer(leftBehind)
	defer timer.Stop()
	select {
	case err := <-ended:
		return err
	case <-timer.C:
	}
	cause := context.Cause(t.ctx)
	e := &Error{Pos: PosOf(fn), Msg: fmt.Sprintf("%v, and one operation of %s does not end: its thread is left behind", cause, fn.Name()), Guard: "timeout", Cause: cause, host: t.host}
	e.Hint = "comparing or hashing values that hold each other many times takes for ever"
	return t.host.placed(e)
}

// PanicError is a panic in rig's own code that a script ran into.
type PanicError struct {
	Value any
	Stack []byte // Go's, when it was taken where the panic was
}

func (e *PanicError) Error() string { return fmt.Sprintf("internal error: %v", e.Value) }

// Report gives the form for reports.
func (e *PanicError) Report() *event.Error {
	return &event.Error{Kind: "panic", Message: e.Error(), Detail: string(e.Stack), Hint: "this is a bug in rig, not in the script: please report it"}
}

// CallerPos is the script line from which the running built-in was called.
func CallerPos(th *starlark.Thread) event.Pos {
	for i := 1; i < th.CallStackDepth(); i++ {
		if fr := th.DebugFrame(i); isScript(fr.Callable()) {
			return posOf(fr.Position())
		}
	}
	return event.Pos{}
}

func isScript(c starlark.Callable) bool {
	_, ok := c.(*starlark.Function)
	return ok
}

// PosOf is where a function is defined; zero for built-ins.
func PosOf(fn starlark.Callable) event.Pos {
	if f, ok := fn.(*starlark.Function); ok {
		return posOf(f.Position())
	}
	return event.Pos{}
}

func posOf(p syntax.Position) event.Pos {
	return event.Pos{File: p.Filename(), Line: p.Line, Col: p.Col}
}

// stopCause tells why the thread was stopped, nil when it was not.
func (t *Thread) stopCause() error {
	if t.guard != nil {
		return t.guard
	}
	if t.aborted != nil {
		return t.aborted
	}
	if t.ctx.Err() != nil {
		return context.Cause(t.ctx)
	}
	return nil
}

// explain gives an error of the interpreter its position, stack, excerpt and what it really was.
func (t *Thread) explain(err error) error {
	var done *Error
	if errors.As(err, &done) && done.Stack != nil {
		var outer *starlark.EvalError
		if !errors.As(err, &outer) {
			return err
		}
	}
	e := &Error{Cause: err, host: t.host}
	var eval *starlark.EvalError
	if errors.As(err, &eval) {
		e.Stack = callersOfMismatch(frames(eval.CallStack), eval.Msg)
		if len(e.Stack) > 0 {
			e.Pos = e.Stack[0].Pos
		}
		e.Msg = eval.Msg
		e.Op = opOf(eval.CallStack)
		if cause := eval.Unwrap(); cause != nil {
			e.Cause = cause
		}
	} else {
		e.Msg = err.Error()
	}
	if done != nil && done.Stack != nil {
		e.continues(done)
	}
	// A cancelled thread stops with the interpreter's words; a built-in that noticed the end first has its own.
	if cause := t.stopCause(); cause != nil && (isCancel(e.Msg) || e.Cause == err) {
		e.Cause, e.Msg = cause, cause.Error()
	}
	var g *guardError
	if errors.As(e.Cause, &g) {
		e.Guard, e.Hint = g.guard, g.hint
	}
	e.Excerpt = t.host.excerpt(e.Pos)
	if before, what, found := strings.Cut(e.Msg, ": load \""); found && strings.HasPrefix(before, "cannot load ") {
		e.Msg = "load \"" + what // it names the file itself
	}
	if m := attrGuess.FindStringSubmatch(e.Msg); m != nil && e.Hint == "" {
		e.Msg, e.Hint = strings.TrimSuffix(e.Msg, m[0]), fmt.Sprintf("did you mean %q?", m[1])
	}
	if e.Hint == "" {
		e.Hint = runtimeHint(e.Msg)
	}
	return e
}

// continues puts in front what another thread did that this one waited for: the fault lies there.
func (e *Error) continues(inner *Error) {
	around, _, found := strings.Cut(e.Msg, inner.Error())
	if !found {
		around = ""
	}
	e.Pos, e.Op, e.Msg, e.Hint = inner.Pos, inner.Op, around+inner.Msg, inner.Hint
	e.Stack = slices.Concat(inner.Stack, e.Stack)
}

// attrGuess is the interpreter's guess at a misspelt attribute, once or, after one of our own, twice.
var attrGuess = regexp.MustCompile(`(?: \(did you mean \.(\w+)\?\))+$`)

// callersOfMismatch leaves out the function whose arguments did not fit: it never began, the fault is in the line that calls it.
func callersOfMismatch(stack []event.Frame, msg string) []event.Frame {
	if len(stack) > 1 && mismatch(msg, stack[0].Func) {
		return stack[1:]
	}
	return stack
}

// mismatch recognises the interpreter's words about arguments that do not fit the function.
func mismatch(msg, function string) bool {
	rest, ok := strings.CutPrefix(msg, "function "+function+" ")
	return ok && (strings.HasPrefix(rest, "missing ") || strings.HasPrefix(rest, "accepts ") || strings.HasPrefix(rest, "got "))
}

// Aborted is what Abort was given, nil without one. It is for the thread's own goroutine.
func (t *Thread) Aborted() error { return t.aborted }

// Abort ends what the thread runs with an error that no script catches. It is for callbacks that cannot return one.
func (t *Thread) Abort(err error) {
	if t.aborted == nil {
		t.aborted = err
	}
	t.th.Cancel(err.Error())
}
