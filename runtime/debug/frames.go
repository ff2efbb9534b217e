package debug

import (
	"errors"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/event"
	"rig/runtime/script"
)

// Frame is a level of a thread's stack.
type Frame struct {
	Func    string
	Pos     event.Pos
	Builtin bool // of rig: it has no variables and no place in the script
}

// named is a variable. Its value is nil until it is assigned.
type named struct {
	name string
	v    starlark.Value
}

// frame is what a frame held when its thread stopped. Values that can change do so while the thread runs on.
type frame struct {
	Frame
	fn       *starlark.Function
	locals   []named
	captured []named
}

func pos(p syntax.Position) event.Pos {
	return event.Pos{File: p.Filename(), Line: p.Line, Col: p.Col}
}

// framesOf copies the stack, innermost first, and tells the depth of the innermost function. The probe itself is left out.
func framesOf(th *starlark.Thread) (out []frame, depth int) {
	n := th.CallStackDepth()
	for i := range n {
		fr := th.DebugFrame(i)
		fn, isScript := fr.Callable().(*starlark.Function)
		if isScript {
			out = append(out, frameOf(fr, fn))
			if depth == 0 {
				depth = n - i
			}
			continue
		}
		if name := fr.Callable().Name(); name != "@" && name != "breakpoint" && !strings.HasPrefix(name, "<") {
			out = append(out, frame{Frame: Frame{Func: name, Builtin: true}})
		}
	}
	return out, depth
}

func frameOf(fr starlark.DebugFrame, fn *starlark.Function) frame {
	f := frame{Frame: Frame{Func: fn.Name(), Pos: pos(fr.Position())}, fn: fn}
	for i := range fr.NumLocals() {
		b, v := fr.Local(i)
		if v = script.Uncell(v); v != nil {
			f.locals = append(f.locals, named{b.Name, v})
		}
	}
	for i := range fn.NumFreeVars() {
		if b, v := fn.FreeVar(i); v != nil {
			f.captured = append(f.captured, named{b.Name, v})
		}
	}
	return f
}

// remember keeps the frame whose statement begins, for the case that the thread fails in it: the interpreter has unwound its
// stack when the failure is known. Entry i is the frame of depth i+1; those of built-ins are empty.
func (x *Thread) remember(th *starlark.Thread, depth int) {
	for len(x.shadow) < depth {
		x.shadow = append(x.shadow, frame{})
	}
	x.shadow = x.shadow[:depth]
	for i := range depth - 1 {
		c := th.DebugFrame(depth - i).Callable()
		if fn, ok := c.(*starlark.Function); !ok || fn != x.shadow[i].fn {
			x.shadow[i] = frame{Frame: Frame{Func: c.Name(), Builtin: !ok}, fn: nil}
		}
	}
	fr := th.DebugFrame(1)
	if fn, ok := fr.Callable().(*starlark.Function); ok {
		x.shadow[depth-1] = frameOf(fr, fn)
	}
}

// post is a stack as it was when an error arose.
type post struct {
	frames []frame
	thread string
}

// failed stops a thread that has failed, with the frames that it had. What a task failed with is kept until a test fails with it.
func (d *Debugger) failed(x *Thread, err error) {
	cause := root(err)
	frames := x.fallen(err)
	d.mu.Lock()
	inner, again := d.dead[cause]
	if x.parent != nil {
		if !again {
			d.dead[cause] = post{frames, x.Name}
		}
		d.mu.Unlock()
		return
	}
	clear(d.dead)
	d.mu.Unlock()
	why := Stop{Reason: ReasonFailed, Error: script.Describe(err), Text: "failed"}
	if again {
		frames = append(inner.frames, frames...)
		why.Text = "failed in " + inner.thread
	}
	if len(frames) > 0 {
		d.hold(x, frames, 0, why)
	}
}

// fallen puts what was remembered under the stack that the error tells.
func (x *Thread) fallen(err error) []frame {
	var e *script.Error
	if !errors.As(err, &e) || len(e.Stack) == 0 {
		return nil
	}
	var out []frame
	at := len(x.shadow) - 1
	for _, s := range e.Stack {
		f := frame{Frame: Frame{Func: s.Func, Pos: s.Pos}}
		for i := at; i >= 0; i-- {
			k := &x.shadow[i]
			if k.fn != nil && k.Func == s.Func && k.Pos.File == s.Pos.File && k.Pos.Line <= s.Pos.Line {
				f.fn, f.locals, f.captured = k.fn, k.locals, k.captured
				at = i - 1
				break
			}
		}
		out = append(out, f)
	}
	return out
}

// root is the innermost cause of an error, of several the first.
func root(err error) error {
	for {
		next := errors.Unwrap(err)
		if many, ok := err.(interface{ Unwrap() []error }); ok && len(many.Unwrap()) > 0 {
			next = many.Unwrap()[0]
		}
		if next == nil {
			return err
		}
		err = next
	}
}

// passedThrough reports whether an error came from a script function that a built-in called: it was told where it arose.
func passedThrough(err error) bool {
	var inner *starlark.EvalError
	var e *script.Error
	return errors.As(err, &inner) || errors.As(err, &e)
}

// Frames of a thread that stands, innermost first.
func (x *Thread) Frames() ([]Frame, error) {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	if x.state != Standing {
		return nil, &NotStandingError{x.Name, x.state}
	}
	out := make([]Frame, len(x.frames))
	for i := range x.frames {
		out[i] = x.frames[i].Frame
	}
	return out, nil
}
