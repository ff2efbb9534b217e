package dap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/google/go-dap"

	"rig/runtime/debug"
)

// errNoRun is the answer to what needs a run.
var errNoRun = errors.New("nothing is debugged yet: launch or attach first")

func (s *server) handle(m dap.RequestMessage, raw []byte) (any, error) {
	switch r := m.(type) {
	case *dap.InitializeRequest:
		return s.initialize(raw), nil
	case *dap.LaunchRequest:
		return done{}, s.launch(r.Arguments)
	case *dap.AttachRequest:
		return done{}, s.attach(r.Arguments)
	case *dap.DisconnectRequest:
		return s.disconnect(r)
	}
	s.mu.Lock()
	run := s.run
	s.mu.Unlock()
	if run == nil {
		if _, known := m.(*dap.ThreadsRequest); known {
			return dap.ThreadsResponseBody{Threads: []dap.Thread{}}, nil
		}
		return nil, errNoRun
	}
	return s.inRun(run, m)
}

// inRun answers what needs a run.
func (s *server) inRun(run *Debuggee, m dap.RequestMessage) (any, error) {
	d := run.Debugger
	switch r := m.(type) {
	case *dap.ConfigurationDoneRequest:
		return done{}, nil
	case *dap.SetBreakpointsRequest:
		return s.setBreakpoints(d, r.Arguments), nil
	case *dap.SetFunctionBreakpointsRequest:
		return s.setFunctions(d, r.Arguments.Breakpoints), nil
	case *dap.SetExceptionBreakpointsRequest:
		return s.setErrors(d, r.Arguments)
	case *dap.ThreadsRequest:
		return threads(d), nil
	case *dap.StackTraceRequest:
		return s.stack(d, r.Arguments)
	case *dap.ScopesRequest:
		return scopes(d, r.Arguments.FrameId)
	case *dap.VariablesRequest:
		return variables(d, r.Arguments)
	case *dap.EvaluateRequest:
		s.aside(&r.Request, func() (any, error) { return evaluate(context.Background(), d, r.Arguments) })
		return nil, errLater
	case *dap.SourceRequest:
		return s.source(run, r.Arguments.SourceReference)
	case *dap.ExceptionInfoRequest:
		return exceptionInfo(d, r.Arguments.ThreadId)
	case *dap.TerminateRequest:
		run.Stop()
		d.Close()
		return done{}, nil
	}
	return s.move(d, m)
}

// move answers what makes threads go on or stand.
func (s *server) move(d *debug.Debugger, m dap.RequestMessage) (any, error) {
	switch r := m.(type) {
	case *dap.NextRequest:
		return s.resume(d, m.GetRequest(), r.Arguments.ThreadId, debug.StepOver, done{})
	case *dap.StepInRequest:
		return s.resume(d, m.GetRequest(), r.Arguments.ThreadId, debug.StepIn, done{})
	case *dap.StepOutRequest:
		return s.resume(d, m.GetRequest(), r.Arguments.ThreadId, debug.StepOut, done{})
	case *dap.ContinueRequest:
		return s.resume(d, m.GetRequest(), r.Arguments.ThreadId, debug.Continue, dap.ContinueResponseBody{})
	case *dap.PauseRequest:
		if x := d.Thread(r.Arguments.ThreadId); x != nil {
			x.Pause()
		} else {
			d.PauseAll()
		}
		return done{}, nil
	}
	return nil, fmt.Errorf("rig does not know the request %s", m.GetRequest().Command)
}

// resume answers before the thread goes on: what it does next must not overtake the answer.
func (s *server) resume(d *debug.Debugger, r *dap.Request, id int, m debug.Mode, body any) (any, error) {
	x := d.Thread(id)
	if x == nil {
		return nil, fmt.Errorf("there is no thread %d", id)
	}
	if st := x.State(); st != debug.Standing {
		return nil, &debug.NotStandingError{Thread: x.Name, State: st}
	}
	s.ok(r, body)
	_ = x.Resume(m) // it stood a moment ago; when its run ends meanwhile, the client hears of that
	return nil, errLater
}

// aside answers a request that may take a while.
func (s *server) aside(r *dap.Request, f func() (any, error)) {
	s.asides.Go(func() {
		body, err := f()
		if err != nil {
			s.fail(r, err)
			return
		}
		s.ok(r, body)
	})
}

func (s *server) initialize(raw []byte) dap.Capabilities {
	var m struct {
		Arguments struct {
			LinesStartAt1 *bool `json:"linesStartAt1"`
		} `json:"arguments"`
	}
	if json.Unmarshal(raw, &m) == nil && m.Arguments.LinesStartAt1 != nil && !*m.Arguments.LinesStartAt1 {
		s.lineBase = -1
	}
	return dap.Capabilities{
		SupportsConfigurationDoneRequest: true, SupportsFunctionBreakpoints: true, SupportsConditionalBreakpoints: true,
		SupportsEvaluateForHovers: true, SupportsExceptionInfoRequest: true, SupportTerminateDebuggee: true, SupportsTerminateRequest: true,
		SupportsExceptionFilterOptions: true, SupportsSingleThreadExecutionRequests: true, SupportsDelayedStackTraceLoading: true,
		ExceptionBreakpointFilters: []dap.ExceptionBreakpointsFilter{
			{Filter: "failed", Label: "Failed tests", Description: "Where a test has failed, with the values that were there.", Default: true},
			{Filter: "deadlock", Label: "Deadlocks"},
			{Filter: "any", Label: "Every error of a built-in", Description: "Also those that the script handles."},
			{Filter: "class", Label: "Errors of a class", SupportsCondition: true, ConditionDescription: "a kind, a name or a code: duplicate_key, ER_LOCK_WAIT_TIMEOUT, 1205"},
		},
	}
}

func (s *server) launch(raw json.RawMessage) error {
	var l Launch
	if err := json.Unmarshal(raw, &l); err != nil {
		return fmt.Errorf("launch: %w", err)
	}
	switch {
	case s.o.Launch == nil:
		return errors.New("there is a run to attach to, and none to launch: use the request attach")
	case l.Program == "":
		return errors.New(`launch: "program" names no scenario file`)
	}
	return s.take(func(h Hooks) (*Debuggee, error) { return s.o.Launch(l, h) }, false, l.StopOnEntry)
}

func (s *server) attach(raw json.RawMessage) error {
	if s.o.Attach == nil {
		return errors.New("there is no run to attach to: launch one, or start rig dap with the scenario: rig dap --listen 127.0.0.1:PORT test.star")
	}
	var l Launch
	_ = json.Unmarshal(raw, &l) // everything in it is optional
	return s.take(s.o.Attach, true, l.StopOnEntry)
}

func (s *server) take(get func(Hooks) (*Debuggee, error), attached, entry bool) error {
	s.mu.Lock()
	again := s.run != nil
	s.mu.Unlock()
	if again {
		return errors.New("something is debugged already")
	}
	run, err := get(s.hooks())
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run, s.attached, s.entry = run, attached, entry
	return nil
}

// disconnect ends the conversation, and the run with it unless it was there before and is to go on.
func (s *server) disconnect(r *dap.DisconnectRequest) (any, error) {
	s.mu.Lock()
	keep := s.attached && (r.Arguments == nil || !r.Arguments.TerminateDebuggee)
	s.mu.Unlock()
	s.leave(!keep)
	s.bye = true
	return done{}, nil
}

// maxSource is more than a file may have that loads.
const maxSource = 2 << 20

func (s *server) setBreakpoints(d *debug.Debugger, a dap.SetBreakpointsArguments) any {
	path := a.Source.Path
	if path == "" {
		path = a.Source.Name
	}
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Size() < maxSource {
		if b, err := os.ReadFile(path); err == nil {
			_ = d.Know(path, string(b)) // a file that does not parse is told when it loads
		}
	}
	key := debug.Key(path)
	d.Clear(func(p debug.Point) bool { return p.Kind == debug.OnLine && p.File == key })
	asked := a.Breakpoints
	if asked == nil {
		for _, l := range a.Lines {
			asked = append(asked, dap.SourceBreakpoint{Line: l})
		}
	}
	out := []dap.Breakpoint{}
	for _, b := range asked {
		p, err := d.Set(debug.Point{Kind: debug.OnLine, File: path, Line: b.Line - s.lineBase, Cond: b.Condition})
		out = append(out, s.point(p, err, &a.Source))
	}
	return dap.SetBreakpointsResponseBody{Breakpoints: out}
}

func (s *server) point(p debug.Point, err error, src *dap.Source) dap.Breakpoint {
	if err != nil {
		return dap.Breakpoint{Message: err.Error()}
	}
	b := dap.Breakpoint{Id: p.ID, Verified: p.Problem == "", Message: p.Problem, Source: src}
	if p.At.Line > 0 {
		b.Line = int(p.At.Line) + s.lineBase
	}
	return b
}

// setFunctions also takes what the protocol has no request for: "sql PATTERN" and "state NAME".
func (s *server) setFunctions(d *debug.Debugger, list []dap.FunctionBreakpoint) any {
	d.Clear(func(p debug.Point) bool {
		return p.Kind == debug.OnFunction || p.Kind == debug.OnSQL || p.Kind == debug.OnState
	})
	out := []dap.Breakpoint{}
	for _, b := range list {
		p := debug.Point{Kind: debug.OnFunction, Name: strings.TrimSpace(b.Name), Cond: b.Condition}
		if word, rest, has := strings.Cut(p.Name, " "); has && (word == "sql" || word == "state") {
			p.Kind, p.Name = map[string]string{"sql": debug.OnSQL, "state": debug.OnState}[word], strings.TrimSpace(rest)
		}
		q, err := d.Set(p)
		out = append(out, s.point(q, err, nil))
	}
	return dap.SetFunctionBreakpointsResponseBody{Breakpoints: out}
}

func (s *server) setErrors(d *debug.Debugger, a dap.SetExceptionBreakpointsArguments) (any, error) {
	d.Clear(func(p debug.Point) bool { return p.Kind == debug.OnError })
	d.PostMortem(false)
	var all []dap.ExceptionFilterOptions
	for _, f := range a.Filters { // the answer has them in this order
		all = append(all, dap.ExceptionFilterOptions{FilterId: f})
	}
	out := []dap.Breakpoint{}
	for _, f := range append(all, a.FilterOptions...) {
		class := f.FilterId
		switch f.FilterId {
		case "failed":
			d.PostMortem(true)
			out = append(out, dap.Breakpoint{Verified: true})
			continue
		case "class":
			if class = strings.TrimSpace(f.Condition); class == "" {
				out = append(out, dap.Breakpoint{Message: "which class? a kind, a name or a code: duplicate_key, ER_LOCK_WAIT_TIMEOUT, 1205"})
				continue
			}
		case "any", "deadlock":
		default:
			return nil, fmt.Errorf("there is no exception filter %q", f.FilterId)
		}
		p, err := d.Set(debug.Point{Kind: debug.OnError, Name: class})
		out = append(out, s.point(p, err, nil))
	}
	return dap.SetExceptionBreakpointsResponseBody{Breakpoints: out}, nil
}
