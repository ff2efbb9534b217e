package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"rig/runtime/clock"
	"rig/runtime/fault"
)

// Bounds of a run where its options say nothing, and the time that exit and the handler of failed have after its context
// ended.
const (
	DefaultMaxTransitions = 1000
	DefaultTimeout        = 60 * time.Second
	ExitGrace             = 5 * time.Second
)

// pathShown is the number of states that a LoopError names.
const pathShown = 20

// Options bound and name a run. Zero values take the defaults. Member is the coordinator's name for this run, "" alone.
// Observe is told of every transition, in order, in the goroutine of the run.
type Options struct {
	MaxTransitions int
	Timeout        time.Duration
	Member         string
	Observe        func(Transition)
}

// Transition is one finished visit: State ran for Duration and named Next. Next is failed where Err is set, and "" where
// nothing follows. Visit counts the visits of State from 1.
type Transition struct {
	State, Next string
	Visit       int
	Duration    time.Duration
	Err         error
}

// Result is how a run ended. State is completed, or failed (named by a step, or after a step's error), or the state at
// which the run was stopped by its context, its timeout or its number of transitions. It is completed only where Err is
// nil. Durations are totals per state.
type Result struct {
	State     string
	Path      []Transition
	Duration  time.Duration
	Err       error
	Visits    map[string]int
	Durations map[string]time.Duration
}

// run is one run of a machine; it belongs to one goroutine.
type run struct {
	m      *Machine
	o      Options
	res    *Result
	local  func() any
	locals map[string]any
	prev   string
}

// Run runs the machine to its end. local makes the Visit.Local of each state when it is first visited; it may be nil. The
// result is never nil; the error is its Err: a *[StateError] or a *[LoopError], joined with what failed after it.
func (m *Machine) Run(ctx context.Context, o Options, local func() any) (*Result, error) {
	begin := time.Now()
	r := &run{
		m: m, o: o, local: local, locals: map[string]any{},
		res: &Result{State: m.start, Visits: map[string]int{}, Durations: map[string]time.Duration{}},
	}
	if err := r.defaults(); err != nil {
		r.res.Err = err
		return r.res, err
	}
	ctx, cancel := clock.WithTimeout(ctx, r.o.Timeout, &TimeoutError{Machine: m.name, After: r.o.Timeout})
	defer cancel()
	r.res.Err = r.toEnd(ctx)
	r.res.Duration = time.Since(begin)
	return r.res, r.res.Err
}

func (r *run) defaults() error {
	if r.o.MaxTransitions < 0 || r.o.Timeout < 0 {
		return fault.New(fault.BadArgument, "machine.run", fmt.Sprintf("machine %q: max_transitions %d, timeout %v: neither may be negative", r.m.name, r.o.MaxTransitions, r.o.Timeout))
	}
	if r.o.MaxTransitions == 0 {
		r.o.MaxTransitions = DefaultMaxTransitions
	}
	if r.o.Timeout == 0 {
		r.o.Timeout = DefaultTimeout
	}
	return nil
}

// toEnd visits states until a terminal one has run, and the handler of failed after an error.
func (r *run) toEnd(ctx context.Context) error {
	for {
		s := r.m.states[r.res.State]
		if err := r.mayEnter(ctx, s); err != nil {
			if s.terminal { // it stopped on the way there
				r.res.State = cmp.Or(r.prev, Failed)
			}
			return join(err, r.afterError(ctx))
		}
		if s.terminal {
			return r.end(ctx, s)
		}
		next, err := r.visit(ctx, s)
		switch {
		case err != nil && ctx.Err() != nil: // stopped: the state stays what it was
			return join(err, r.afterError(ctx))
		case err != nil:
			r.res.State = Failed
			return join(err, r.afterError(ctx))
		}
		r.res.State = next
	}
}

// mayEnter tells why s cannot be entered: the run was stopped, or went on for too long. Failed may always be entered.
func (r *run) mayEnter(ctx context.Context, s *state) error {
	switch {
	case s.Name == Failed:
		return nil
	case ctx.Err() != nil:
		return &StateError{Machine: r.m.name, State: s.Name, Visit: r.res.Visits[s.Name] + 1, Phase: "enter", Err: context.Cause(ctx), Pos: s.Pos}
	case !s.terminal && len(r.res.Path) >= r.o.MaxTransitions:
		e := &LoopError{Machine: r.m.name, Max: r.o.MaxTransitions, Visits: map[string]int{}}
		for name, n := range r.res.Visits {
			e.Visits[name] = n
		}
		for _, t := range r.res.Path[max(0, len(r.res.Path)-pathShown+1):] {
			e.Path = append(e.Path, t.State)
		}
		e.Path = append(e.Path, s.Name)
		return e
	}
	return nil
}

// end runs a terminal state's handler, if it has one.
func (r *run) end(ctx context.Context, s *state) error {
	if s.Name == Failed {
		return r.afterError(ctx)
	}
	if !s.runs() {
		r.res.Visits[s.Name]++
		return nil
	}
	_, err := r.visit(ctx, s)
	if err == nil {
		return nil
	}
	r.res.State = Failed
	return join(err, r.afterError(ctx))
}

// afterError runs the handler of failed, once in a run, with a context that is still usable.
func (r *run) afterError(ctx context.Context) error {
	s := r.m.states[Failed]
	if !s.runs() {
		if r.res.State == Failed {
			r.res.Visits[Failed]++
		}
		return nil
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	_, err := r.visit(ctx, s)
	return err
}

// visit runs the steps of a state and records the transition.
func (r *run) visit(ctx context.Context, s *state) (string, error) {
	begin := time.Now()
	r.res.Visits[s.Name]++
	if _, ok := r.locals[s.Name]; !ok && r.local != nil {
		r.locals[s.Name] = r.local()
	}
	v := &Visit{
		Context: ctx, Machine: r.m.name, Member: r.o.Member, State: s.Name, Previous: r.prev,
		Visits: r.res.Visits[s.Name], Step: len(r.res.Path) + 1, Local: r.locals[s.Name],
	}
	next, err := r.steps(s, v)
	err = join(err, r.exit(ctx, s, v))
	if err != nil {
		next = ""
		if s.Name != Failed && ctx.Err() == nil {
			next = Failed
		}
	}
	t := Transition{State: s.Name, Next: next, Visit: v.Visits, Duration: time.Since(begin), Err: err}
	r.prev = s.Name
	r.res.Path = append(r.res.Path, t)
	r.res.Durations[s.Name] += t.Duration
	if r.o.Observe != nil {
		r.o.Observe(t)
	}
	return next, err
}

// steps runs enter and, unless that redirects, execute; it gives the name of the next state, "" after a terminal one.
func (r *run) steps(s *state, v *Visit) (string, error) {
	next, err := r.step(s, v, "enter", s.Handler.Enter)
	if err != nil {
		return "", err
	}
	phase := "enter"
	if next == "" || s.terminal {
		phase = "execute"
		if next, err = r.step(s, v, phase, s.Handler.Execute); err != nil {
			return "", err
		}
	}
	switch {
	case s.terminal:
		return "", nil
	case next == "" && s.then != "":
		return s.then, nil
	case r.m.states[next] != nil:
		return next, nil
	}
	return "", r.stateError(s, v, phase, r.badName(next))
}

func (r *run) badName(next string) error {
	if next == "" {
		return &nameError{message: "named no next state", hint: fmt.Sprintf("return the name of the next state, %q at the end", Completed)}
	}
	return &nameError{message: fmt.Sprintf("named %q, which is no state of this machine", next), hint: r.m.meant(next)}
}

func (r *run) exit(ctx context.Context, s *state, v *Visit) error {
	if s.Handler.Exit == nil {
		return nil
	}
	ctx, cancel := outlive(ctx)
	defer cancel()
	v.Context = ctx
	_, err := r.step(s, v, "exit", func(v *Visit) (string, error) { return "", s.Handler.Exit(v) })
	return err
}

// step calls f, if there is one. Where the context ended meanwhile, the reason of that is the cause.
func (r *run) step(s *state, v *Visit, phase string, f Step) (string, error) {
	if f == nil {
		return "", nil
	}
	next, err := call(f, v)
	if err == nil {
		return next, nil
	}
	ctx := v.Context
	if ended := context.Cause(ctx); ended != nil && !errors.Is(err, ended) {
		if errors.Is(err, ctx.Err()) {
			err = ended
		} else {
			err = fmt.Errorf("%w; the step ended with: %w", ended, err)
		}
	}
	return "", r.stateError(s, v, phase, err)
}

func (r *run) stateError(s *state, v *Visit, phase string, err error) error {
	return &StateError{Machine: r.m.name, State: s.Name, Visit: v.Visits, Phase: phase, Err: err, Pos: s.Pos}
}

func call(f Step, v *Visit) (next string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p, Stack: string(debug.Stack())}
		}
	}()
	return f(v)
}

// outlive gives a context that ends ExitGrace after ctx does, at once counted where ctx ended before.
func outlive(ctx context.Context) (context.Context, context.CancelFunc) {
	free := context.WithoutCancel(ctx)
	if ctx.Err() != nil {
		return context.WithTimeout(free, ExitGrace)
	}
	stopDeadline := context.CancelFunc(func() {})
	if d, ok := ctx.Deadline(); ok {
		free, stopDeadline = context.WithDeadline(free, d.Add(ExitGrace))
	}
	out, cancel := context.WithCancel(free)
	// Ended by both stop and the timer; a timer set after stop cancels what is cancelled already.
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(ExitGrace, cancel) })
	return out, func() { stop(); cancel(); stopDeadline() }
}
