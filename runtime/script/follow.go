package script

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/event"
)

// Watch follows what threads do: a debugger, a tracer, a profiler. Its methods run on the thread's goroutine, which waits for
// them; the frames of th may be looked at until they return.
type Watch interface {
	// Loaded tells of a file with probes before its top level runs.
	Loaded(file string, sites []Site)
	// Statement tells of a statement that is about to run.
	Statement(t *Thread, th *starlark.Thread, s *Site)
	// Before and After enclose the call of a built-in; sql is its statement, "" where it takes none.
	Before(t *Thread, th *starlark.Thread, name, sql string)
	After(t *Thread, th *starlark.Thread, name string, err error)
	// State tells that a state machine comes to a state.
	State(t *Thread, th *starlark.Thread, e StateEntry)
	// Breakpoint is a call of breakpoint().
	Breakpoint(t *Thread, th *starlark.Thread) error
	// Ended tells that the thread's outermost call has returned, with the error that nothing in it caught.
	Ended(t *Thread, err error)
}

// NoWatch follows nothing. It is for embedding in a Watch that follows a part.
type NoWatch struct{}

// Loaded does nothing, as the others.
func (NoWatch) Loaded(string, []Site)                            {}
func (NoWatch) Statement(*Thread, *starlark.Thread, *Site)       {}
func (NoWatch) Before(*Thread, *starlark.Thread, string, string) {}
func (NoWatch) After(*Thread, *starlark.Thread, string, error)   {}
func (NoWatch) State(*Thread, *starlark.Thread, StateEntry)      {}
func (NoWatch) Breakpoint(*Thread, *starlark.Thread) error       { return &NoDebuggerError{} }
func (NoWatch) Ended(*Thread, error)                             {}

// Watched reports whether anybody follows the thread. It is for the hot paths: it asks no map. Threads that run no top level
// have no use for Load, so that it can be the mark; where a top level runs, the answer may be true without need.
func Watched(th *starlark.Thread) bool { return th.Load != nil }

// mark is the Load of watched threads.
func mark(*starlark.Thread, string) (starlark.StringDict, error) {
	return nil, fmt.Errorf("load is for the top level of a file")
}

// Follow tells the watchers that a built-in begins; the result is called when it has ended. It may be called on any thread.
func Follow(th *starlark.Thread, name, sql string) (after func(err error)) {
	t := From(th)
	if t == nil || len(t.host.opts.Watch) == 0 {
		return func(error) {}
	}
	for _, w := range t.host.opts.Watch {
		w.Before(t, th, name, sql)
	}
	return func(err error) {
		for _, w := range t.host.opts.Watch {
			w.After(t, th, name, err)
		}
	}
}

// StateEntry is a state that a machine comes to. Scripted says that a function of the script runs there next.
type StateEntry struct {
	Machine, State string
	Scripted       bool
}

// EnterState tells the watchers that a state machine, which the thread runs, comes to a state.
func (t *Thread) EnterState(e StateEntry) {
	for _, w := range t.host.opts.Watch {
		w.State(t, t.th, e)
	}
}

// NoDebuggerError is a breakpoint() that nobody listens to.
type NoDebuggerError struct{}

func (*NoDebuggerError) Error() string { return "no debugger is attached" }

// Report gives the form for reports.
func (e *NoDebuggerError) Report() *event.Error {
	return &event.Error{Kind: "script", Op: "breakpoint", Message: e.Error(), Hint: "run it with rig debug, on a terminal or in an editor, or remove the call"}
}

// Breakpoint stops the thread in the debugger that is attached.
func Breakpoint(th *starlark.Thread) error {
	t := From(th)
	if t == nil {
		return &NoDebuggerError{}
	}
	for _, w := range t.host.opts.Watch {
		if err := w.Breakpoint(t, th); err == nil {
			return nil
		}
	}
	return &NoDebuggerError{}
}

func (t *Thread) ended(err error) {
	for _, w := range t.host.opts.Watch {
		w.Ended(t, err)
	}
}

// Parent is the thread that made this one, nil for the first.
func (t *Thread) Parent() *Thread { return t.parent }

// Steps is how many steps of the interpreter the thread has run.
func (t *Thread) Steps() uint64 { return t.th.ExecutionSteps() }

// Uncell gives what a captured variable holds: frames show the cell that closures share instead of its value. Nil has no value yet.
//
// The interpreter has no accessor for the cell of a local; reading it is safe while the thread stands, since variables that
// other threads could change are refused where they would be shared.
func Uncell(v starlark.Value) starlark.Value {
	if v == nil || v.Type() != "cell" {
		return v
	}
	p := reflect.ValueOf(v)
	if p.Kind() != reflect.Pointer || p.Elem().Kind() != reflect.Struct || p.Elem().NumField() != 1 {
		return nil
	}
	f := p.Elem().Field(0)
	inner, _ := reflect.NewAt(f.Type(), f.Addr().UnsafePointer()).Elem().Interface().(starlark.Value)
	return inner
}

// Expression is the name of the threads that evaluate for a debugger.
const Expression = "the debugger"

// EvalOptions bound an expression that a person gives to a debugger.
type EvalOptions struct {
	Names starlark.StringDict // what it may mention besides what every script sees
	Scope any
	Steps uint64 // of the interpreter; 0 is a million
}

// Eval evaluates an expression on a thread of its own, within ctx and a number of steps.
func (h *Host) Eval(ctx context.Context, src string, o EvalOptions) (v starlark.Value, err error) {
	x, err := fileOptions().ParseExpr("<expression>", src, 0)
	if err != nil {
		return nil, h.parseError(err, src)
	}
	env := starlark.StringDict{}
	for _, from := range []starlark.StringDict{h.predeclared, o.Names} {
		for name, v := range from {
			env[name] = v
		}
	}
	x = (&rewriter{sums: map[*syntax.AssignStmt]bool{}}).rewriteExpr(x)
	t := h.newThread(ctx, Expression, o.Scope)
	t.aside = true
	if t.steps = o.Steps; t.steps == 0 {
		t.steps = 1_000_000
	}
	return t.Call(&expression{x: x, env: env}, nil, nil)
}

// Aside reports whether the thread evaluates an expression of a debugger: nothing stops it there.
func (t *Thread) Aside() bool { return t.aside }

// expression is what Eval calls, so that bounds and panics are those of every call.
type expression struct {
	x   syntax.Expr
	env starlark.StringDict
}

func (e *expression) String() string        { return "<expression>" }
func (e *expression) Name() string          { return "<expression>" }
func (e *expression) Type() string          { return "function" }
func (e *expression) Freeze()               {}
func (e *expression) Truth() starlark.Bool  { return true }
func (e *expression) Hash() (uint32, error) { return 0, nil }

func (e *expression) CallInternal(th *starlark.Thread, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	return starlark.EvalExprOptions(fileOptions(), th, e.x, e.env)
}

// Text gives a value as one line of at most limit runes.
func Text(v starlark.Value, limit int) string {
	if bad := bounded(v); bad != nil {
		return "<" + v.Type() + ": " + bad.Error() + ">"
	}
	s := strings.Join(strings.Fields(v.String()), " ")
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-3]) + "..."
	}
	return s
}

// CheckExpression tells why a text is no expression.
func CheckExpression(src string) error {
	_, err := fileOptions().ParseExpr("<expression>", src, 0)
	var se syntax.Error
	if errors.As(err, &se) {
		return fmt.Errorf("%s: %s", src, plainTokens(se.Msg))
	}
	return err
}
