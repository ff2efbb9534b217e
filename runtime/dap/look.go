package dap

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/go-dap"

	"rig/runtime/debug"
)

// Frames and scopes are known to the client by numbers that say what they are of, so that there is no table to keep: a frame is
// its thread's id and its level, and a scope is a frame and its place. Values have the debugger's own.
const (
	levels    = 1 << 12 // more than calls may nest
	perFrame  = 4
	scopeBase = 1 << 29
)

func frameID(thread, level int) int { return thread*levels + level }

func ofFrame(d *debug.Debugger, id int) (*debug.Thread, int, error) {
	x := d.Thread(id / levels)
	if x == nil || id <= 0 {
		return nil, 0, fmt.Errorf("there is no frame %d: its thread has ended", id)
	}
	return x, id % levels, nil
}

func threads(d *debug.Debugger) any {
	out := []dap.Thread{}
	for _, x := range d.Threads() {
		name := x.Name
		if b := x.Doing(); b.Name != "" && x.State() == debug.Running {
			name += " (" + b.Name + ")"
		}
		out = append(out, dap.Thread{Id: x.ID, Name: name})
	}
	return dap.ThreadsResponseBody{Threads: out}
}

func (s *server) stack(d *debug.Debugger, a dap.StackTraceArguments) (any, error) {
	x := d.Thread(a.ThreadId)
	if x == nil {
		return nil, fmt.Errorf("there is no thread %d", a.ThreadId)
	}
	frames, err := x.Frames()
	if err != nil {
		return nil, err
	}
	out := []dap.StackFrame{}
	from := min(max(a.StartFrame, 0), len(frames))
	to := len(frames)
	if a.Levels > 0 {
		to = min(to, from+a.Levels)
	}
	for i := from; i < to; i++ {
		f := frames[i]
		y := dap.StackFrame{Id: frameID(x.ID, i), Name: f.Func}
		if f.Builtin {
			y.PresentationHint = "subtle"
		} else {
			y.Source, y.Line, y.Column = s.sourceOf(f.Pos.File), int(f.Pos.Line)+s.lineBase, int(f.Pos.Col)
		}
		out = append(out, y)
	}
	return dap.StackTraceResponseBody{StackFrames: out, TotalFrames: len(frames)}, nil
}

// sourceOf names a source: by its path, or by a reference for rig's library, which is on no disk.
func (s *server) sourceOf(file string) *dap.Source {
	if !strings.HasPrefix(file, "@") {
		return &dap.Source{Name: filepath.Base(file), Path: debug.Key(file)}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, name := range s.sources {
		if name == file {
			return &dap.Source{Name: file, SourceReference: i + 1}
		}
	}
	s.sources = append(s.sources, file)
	return &dap.Source{Name: file, SourceReference: len(s.sources)}
}

func (s *server) source(run *Debuggee, ref int) (any, error) {
	s.mu.Lock()
	name := ""
	if ref > 0 && ref <= len(s.sources) {
		name = s.sources[ref-1]
	}
	s.mu.Unlock()
	if run.Source != nil && name != "" {
		if text, ok := run.Source(name); ok {
			return dap.SourceResponseBody{Content: text}, nil
		}
	}
	return nil, fmt.Errorf("there is no source %d", ref)
}

func scopes(d *debug.Debugger, frame int) (any, error) {
	x, level, err := ofFrame(d, frame)
	if err != nil {
		return nil, err
	}
	list, err := x.Scopes(level)
	if err != nil {
		return nil, err
	}
	out := []dap.Scope{}
	for i, sc := range list {
		y := dap.Scope{Name: sc.Name, VariablesReference: scopeBase + frame*perFrame + i, NamedVariables: len(sc.Variables)}
		if sc.Name == "Locals" {
			y.PresentationHint = "locals"
		}
		out = append(out, y)
	}
	return dap.ScopesResponseBody{Scopes: out}, nil
}

func variables(d *debug.Debugger, a dap.VariablesArguments) (any, error) {
	list, err := listOf(d, a.VariablesReference)
	if err != nil {
		return nil, err
	}
	from := min(max(a.Start, 0), len(list))
	to := len(list)
	if a.Count > 0 {
		to = min(to, from+a.Count)
	}
	out := []dap.Variable{}
	for _, v := range list[from:to] {
		out = append(out, variable(v))
	}
	return dap.VariablesResponseBody{Variables: out}, nil
}

func listOf(d *debug.Debugger, ref int) ([]debug.Variable, error) {
	if ref < scopeBase {
		return d.Parts(ref)
	}
	n := ref - scopeBase
	x, level, err := ofFrame(d, n/perFrame)
	if err != nil {
		return nil, err
	}
	list, err := x.Scopes(level)
	if err != nil {
		return nil, err
	}
	if n%perFrame >= len(list) {
		return nil, fmt.Errorf("there is no scope %d", ref)
	}
	return list[n%perFrame].Variables, nil
}

func variable(v debug.Variable) dap.Variable {
	y := dap.Variable{Name: v.Name, Value: v.Value, Type: v.Type, VariablesReference: v.Ref}
	if v.Type == "list" || v.Type == "tuple" || v.Type == "rows" {
		y.IndexedVariables = v.Parts
	} else {
		y.NamedVariables = v.Parts
	}
	return y
}

func evaluate(ctx context.Context, d *debug.Debugger, a dap.EvaluateArguments) (any, error) {
	if a.FrameId == 0 {
		return nil, fmt.Errorf("an expression needs a frame: pause a thread and choose one")
	}
	x, level, err := ofFrame(d, a.FrameId)
	if err != nil {
		return nil, err
	}
	v, err := x.Evaluate(ctx, level, a.Expression)
	if err != nil {
		return nil, err
	}
	y := variable(v)
	return dap.EvaluateResponseBody{Result: y.Value, Type: y.Type, VariablesReference: y.VariablesReference, NamedVariables: y.NamedVariables, IndexedVariables: y.IndexedVariables}, nil
}

func exceptionInfo(d *debug.Debugger, thread int) (any, error) {
	x := d.Thread(thread)
	if x == nil {
		return nil, fmt.Errorf("there is no thread %d", thread)
	}
	why := x.Why()
	if why.Error == nil {
		return nil, fmt.Errorf("thread %s stands for no error", x.Name)
	}
	mode := dap.ExceptionBreakMode("always")
	if why.Reason == debug.ReasonFailed {
		mode = "unhandled"
	}
	return dap.ExceptionInfoResponseBody{
		ExceptionId: why.Error.Kind, Description: why.Error.Message, BreakMode: mode,
		Details: &dap.ExceptionDetails{Message: why.Error.Message, TypeName: why.Error.Name},
	}, nil
}
