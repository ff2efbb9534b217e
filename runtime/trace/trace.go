// Package trace tells each statement of scripts, with the variables that changed.
//
// A [Tracer] follows a script host. It tells a statement before it runs, together with what the statement before it in the same
// function changed; what a function's last statement changed is gone with the function.
package trace

import (
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"rig/runtime/event"
	"rig/runtime/script"
)

// Tracer follows the threads of a host.
type Tracer struct {
	script.NoWatch
	// Tell takes a statement; it is called on the thread's goroutine.
	Tell func(t *script.Thread, pos event.Pos, s *event.Trace)

	threads sync.Map // *script.Thread -> *thread
}

// thread is owned by the thread that it is of.
type thread struct{ frames []frame }

// frame is what a function's variables were at its last statement.
type frame struct {
	fn   *starlark.Function
	seen map[string]string
}

var _ script.Watch = (*Tracer)(nil)

// maxValue bounds the text of a value.
const maxValue = 200

// Statement tells one.
func (r *Tracer) Statement(t *script.Thread, th *starlark.Thread, s *script.Site) {
	if t.Aside() {
		return
	}
	fr := th.DebugFrame(1)
	fn, ok := fr.Callable().(*starlark.Function)
	if !ok {
		return
	}
	v, _ := r.threads.LoadOrStore(t, &thread{})
	f := v.(*thread).at(th.CallStackDepth()-1, fn, s.First)
	d := &event.Trace{Thread: t.Name(), Func: s.Func, Source: sourceAt(t.Host(), s), Depth: depthOf(th), Changes: f.changes(fr)}
	r.Tell(t, s.Pos, d)
}

// Ended forgets the thread.
func (r *Tracer) Ended(t *script.Thread, _ error) { r.threads.Delete(t) }

// at finds the frame of a function that is at a depth; a function that begins has a new one.
func (x *thread) at(depth int, fn *starlark.Function, first bool) *frame {
	for len(x.frames) < depth {
		x.frames = append(x.frames, frame{})
	}
	x.frames = x.frames[:depth]
	f := &x.frames[depth-1]
	if first || f.fn != fn {
		*f = frame{fn: fn, seen: map[string]string{}}
	}
	return f
}

// changes notes the variables of a frame and gives those that changed. Arguments count as changed when the function begins.
func (f *frame) changes(fr starlark.DebugFrame) []event.Field {
	var out []event.Field
	for i := range fr.NumLocals() {
		b, v := fr.Local(i)
		if v = script.Uncell(v); v == nil {
			continue
		}
		text := script.Text(v, maxValue)
		if old, known := f.seen[b.Name]; known && old == text {
			continue
		}
		f.seen[b.Name] = text
		out = append(out, event.Field{Key: b.Name, Value: text})
	}
	return out
}

// depthOf counts the script's own levels.
func depthOf(th *starlark.Thread) int {
	n := 0
	for i := range th.CallStackDepth() {
		if _, ok := th.DebugFrame(i).Callable().(*starlark.Function); ok {
			n++
		}
	}
	return n
}

// sourceAt is the first line of a statement.
func sourceAt(h *script.Host, s *script.Site) string {
	text, ok := h.Source(s.Pos.File)
	if !ok {
		return ""
	}
	for n := int32(1); n < s.Pos.Line; n++ {
		i := strings.IndexByte(text, '\n')
		if i < 0 {
			return ""
		}
		text = text[i+1:]
	}
	line, _, _ := strings.Cut(text, "\n")
	return strings.TrimSpace(line)
}
