package debug

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"rig/runtime/clock"
	"rig/runtime/script"
)

// Variable is a name with its value as text. Ref is the key for [Debugger.Parts], 0 where the value has none; Parts is their number.
type Variable struct {
	Name, Type, Value string
	Ref               int
	Parts             int
}

// ref is a value that a person may expand while its thread stands.
type ref struct {
	x *Thread
	v starlark.Value
}

// Scope is a group of variables.
type Scope struct {
	Name      string
	Variables []Variable
}

// maxText bounds the text of one value, and maxParts how many parts of it are listed.
const (
	maxText  = 300
	maxParts = 500
)

// Text of a value in one line.
func Text(v starlark.Value) string { return script.Text(v, maxText) }

func oneLine(s string, limit int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-3]) + "..."
	}
	return s
}

// Scopes gives the variables of a frame: its locals, what it captured, and the file's own names.
func (x *Thread) Scopes(n int) ([]Scope, error) {
	x.look.Lock()
	defer x.look.Unlock()
	f, err := x.frame(n)
	if err != nil || f.Builtin {
		return nil, err
	}
	out := []Scope{{"Locals", x.variables(f.locals)}}
	if len(f.captured) > 0 {
		out = append(out, Scope{"Captured", x.variables(f.captured)})
	}
	if f.fn != nil {
		out = append(out, Scope{"Globals", x.variables(globals(f.fn))})
	}
	return out, nil
}

func globals(fn *starlark.Function) []named {
	var out []named
	all := fn.Globals()
	for _, name := range all.Keys() {
		out = append(out, named{name, all[name]})
	}
	return out
}

func (x *Thread) frame(n int) (*frame, error) {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	if x.state != Standing {
		return nil, &NotStandingError{x.Name, x.state}
	}
	if n < 0 || n >= len(x.frames) {
		return nil, fmt.Errorf("there is no frame %d: the stack has %d", n, len(x.frames))
	}
	return &x.frames[n], nil
}

func (x *Thread) variables(list []named) []Variable {
	out := make([]Variable, 0, len(list))
	for _, n := range list {
		out = append(out, x.variable(n.name, n.v))
	}
	return out
}

func (x *Thread) variable(name string, v starlark.Value) Variable {
	out := Variable{Name: name, Type: v.Type(), Value: Text(v), Parts: count(v)}
	if out.Parts > 0 {
		x.d.mu.Lock()
		x.d.refs = append(x.d.refs, ref{x, v})
		out.Ref = len(x.d.refs)
		x.d.mu.Unlock()
	}
	return out
}

// forget drops what was given out of a thread's values. It must hold mu.
func (d *Debugger) forget(x *Thread) {
	for i := range d.refs {
		if d.refs[i].x == x {
			d.refs[i] = ref{}
		}
	}
	if !slices.ContainsFunc(d.refs, func(r ref) bool { return r.x != nil }) {
		d.refs = d.refs[:0:0]
	}
}

// Parts lists the parts of a value.
func (d *Debugger) Parts(key int) ([]Variable, error) {
	d.mu.Lock()
	var r ref
	if key > 0 && key <= len(d.refs) {
		r = d.refs[key-1]
	}
	d.mu.Unlock()
	if r.x == nil {
		return nil, fmt.Errorf("the value is gone: its thread has gone on")
	}
	r.x.look.Lock()
	defer r.x.look.Unlock()
	return r.x.variables(parts(r.v)), nil
}

// row is a row of a result: its names are columns, and reading one has no effect.
type row interface {
	starlark.Mapping
	starlark.Sequence
	AttrNames() []string
}

func count(v starlark.Value) int {
	switch v := v.(type) {
	case *starlarkstruct.Struct:
		return len(v.AttrNames())
	case starlark.String, starlark.Bytes:
		return 0
	case starlark.Indexable, *starlark.Dict, *starlark.Set:
		return max(starlark.Len(v), 0)
	case row:
		return v.Len()
	}
	return 0
}

func parts(v starlark.Value) []named {
	var out []named
	switch v := v.(type) {
	case *starlarkstruct.Struct:
		for _, name := range v.AttrNames() {
			if x, err := v.Attr(name); err == nil {
				out = append(out, named{name, x})
			}
		}
	case *starlark.Dict:
		for k, x := range v.Entries() {
			if len(out) == maxParts {
				break
			}
			out = append(out, named{"[" + oneLine(Text(k), 60) + "]", x})
		}
	case *starlark.Set:
		for x := range v.Elements() {
			if len(out) == maxParts {
				break
			}
			out = append(out, named{fmt.Sprintf("[%d]", len(out)), x})
		}
	case starlark.Indexable:
		for i := range min(v.Len(), maxParts) {
			out = append(out, named{fmt.Sprintf("[%d]", i), v.Index(i)})
		}
	case row:
		for _, name := range v.AttrNames() {
			if x, ok, err := v.Get(starlark.String(name)); ok && err == nil {
				out = append(out, named{name, x})
			}
		}
	}
	return out
}

// EvalTimeoutError is an expression that did not end in its time.
type EvalTimeoutError struct{ Bound time.Duration }

func (e *EvalTimeoutError) Error() string {
	return fmt.Sprintf("the expression did not end within %s", e.Bound)
}

// Evaluate gives an expression's value in a frame. It sees what the frame sees, and may call everything that the script may. The end
// of ctx ends it.
func (x *Thread) Evaluate(ctx context.Context, n int, src string) (Variable, error) {
	v, err := x.Value(ctx, n, src)
	if err != nil {
		return Variable{}, err
	}
	x.look.Lock()
	defer x.look.Unlock()
	if _, err := x.frame(n); err != nil {
		return Variable{}, err
	}
	return x.variable(src, v), nil
}

// Value is Evaluate for who wants the value itself.
func (x *Thread) Value(ctx context.Context, n int, src string) (starlark.Value, error) {
	x.look.Lock()
	defer x.look.Unlock()
	f, err := x.frame(n)
	if err != nil {
		return nil, err
	}
	if f.Builtin {
		return nil, fmt.Errorf("frame %d is the built-in %s, which has no names: go up", n, f.Func)
	}
	return x.d.eval(ctx, x, f, src)
}

// eval runs the expression aside, until asked ends at the latest. An operation that never looks up is left behind then.
func (d *Debugger) eval(asked context.Context, x *Thread, f *frame, src string) (starlark.Value, error) {
	// The clock of rig stands still now: this bound is the machine's.
	ctx, cancel := context.WithTimeoutCause(clock.With(x.script.Context(), nil), d.o.EvalBound, &EvalTimeoutError{d.o.EvalBound})
	defer cancel()
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	defer context.AfterFunc(asked, func() { end(context.Cause(asked)) })()
	type result struct {
		v   starlark.Value
		err error
	}
	done := make(chan result, 1)
	go func() { // ends with the expression, which ends with ctx unless one operation of it does not
		v, err := x.script.Host().Eval(ctx, src, script.EvalOptions{Names: f.names(), Scope: x.script.Scope(), Steps: 50_000_000})
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		return r.v, r.err
	case <-ctx.Done():
	}
	if d.o.Expired != nil {
		d.o.Expired(x.script)
	}
	timer := time.NewTimer(leftBehind)
	defer timer.Stop()
	select {
	case r := <-done:
		if r.err == nil {
			return r.v, nil
		}
	case <-timer.C:
	}
	return nil, context.Cause(ctx)
}

// names are what an expression in the frame sees; the inner ones hide the outer.
func (f *frame) names() starlark.StringDict {
	names := starlark.StringDict{}
	if f.fn != nil {
		for name, v := range f.fn.Globals() {
			names[name] = v
		}
	}
	for _, list := range [][]named{f.captured, f.locals} {
		for _, n := range list {
			names[n.name] = n.v
		}
	}
	return names
}

// leftBehind is how long an expression may go on after its time is over.
const leftBehind = 2 * time.Second
