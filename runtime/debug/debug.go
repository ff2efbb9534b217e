// Package debug stops the threads of scripts where a person wants to look at them.
//
// [New] makes a Debugger, which follows a script host ([script.Options.Watch]). Each thread is stopped and stepped on its own:
// the others run on, so that two transactions can be interleaved by hand. [Debugger.Set] tells where to stop, [Options.Notify]
// hears of stops, [Thread.Resume] goes on, and [Thread.Frames] and [Thread.Evaluate] look at a thread that stands.
// While a thread stands, the bounds of rig stand still with it ([clock.Clock]); those of the server go on.
package debug

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/clock"
	"rig/runtime/event"
	"rig/runtime/script"
)

// Options of a debugger.
type Options struct {
	// Notify hears of each event, on the goroutine of the thread it is about. Without it breakpoint() is an error.
	Notify func(Event)
	// Quiet says which errors end a test without being its failure, such as a skip; nil is none.
	Quiet func(error) bool
	Clock *clock.Clock // stands still while a thread does; nil is none
	// Names are those that every script sees, and States those of machines that no script writes out; nil is not known.
	Names, States []string
	// Expired ends what an expression waits for that did not end in its time; nil does nothing.
	Expired func(*script.Thread)
	// EvalBound is how long an expression may take; default 3s.
	EvalBound time.Duration
}

// Debugger follows the threads of one host.
type Debugger struct {
	o       Options
	threads sync.Map // *script.Thread -> *Thread
	closed  chan struct{}
	close   sync.Once
	arms    atomic.Int32 // how many breakpoints on SQL, errors and states there are: without one nothing is looked up
	mortem  atomic.Bool  // stop where a test has failed

	mu     sync.Mutex
	files  map[string]file           // guarded by mu, by absolute path
	whole  bool                      // guarded by mu: files has all that the run loads
	points []*point                  // guarded by mu, in the order of their ids
	at     map[*script.Site][]*point // guarded by mu
	next   int                       // guarded by mu: id of the next breakpoint
	live   []*Thread                 // guarded by mu, in the order of their ids
	born   int                       // guarded by mu
	entry  bool                      // guarded by mu: stop at the first statement of the next test
	carry  *script.Thread            // guarded by mu: its last call ended in a step, which goes on in its next
	dead   map[error]post            // guarded by mu: where errors of tasks arose, until a test fails with them
	refs   []ref                     // guarded by mu: what Variable.Ref means
}

// New makes a debugger.
func New(o Options) *Debugger {
	if o.EvalBound == 0 {
		o.EvalBound = 3 * time.Second
	}
	if o.Clock == nil {
		o.Clock = &clock.Clock{}
	}
	return &Debugger{o: o, closed: make(chan struct{}), files: map[string]file{}, at: map[*script.Site][]*point{}, dead: map[error]post{}}
}

var _ script.Watch = (*Debugger)(nil)

// What an event tells.
const (
	Started   = "started"
	Stopped   = "stopped"
	Continued = "continued"
	Ended     = "ended"
)

// Event is something that happened to a thread.
type Event struct {
	What   string
	Thread *Thread
	Stop   Stop // of Stopped
}

// The reasons of stops.
const (
	ReasonStep       = "step"
	ReasonPause      = "pause"
	ReasonEntry      = "entry"
	ReasonBreakpoint = "breakpoint"
	ReasonFunction   = "function breakpoint"
	ReasonError      = "exception"
	ReasonState      = "state"
	ReasonSQL        = "sql"
	ReasonCall       = "breakpoint()"
	ReasonFailed     = "failed"
)

// Stop says why a thread stands.
type Stop struct {
	Reason string
	Text   string       // what it is in words
	Points []int        // the ids of the breakpoints that were met
	Error  *event.Error // of ReasonError and ReasonFailed
}

// Close ends the following: every thread runs on, and none stops again.
func (d *Debugger) Close() { d.close.Do(func() { close(d.closed) }) }

func (d *Debugger) over() bool {
	select {
	case <-d.closed:
		return true
	default:
		return false
	}
}

// PostMortem says whether to stop where a test has failed.
func (d *Debugger) PostMortem(on bool) { d.mortem.Store(on) }

// StopOnEntry says whether to stop at the first statement of the next test.
func (d *Debugger) StopOnEntry(on bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.entry = on
}

// Threads lists those that have not ended.
func (d *Debugger) Threads() []*Thread {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.live)
}

// Thread finds one by its id, nil when it has ended.
func (d *Debugger) Thread(id int) *Thread {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, x := range d.live {
		if x.ID == id {
			return x
		}
	}
	return nil
}

// PauseAll asks every running thread to stop at its next statement.
func (d *Debugger) PauseAll() {
	for _, x := range d.Threads() {
		x.Pause()
	}
}

func (d *Debugger) notify(e Event) {
	if d.o.Notify != nil {
		d.o.Notify(e)
	}
}

// of finds the debugger's side of a thread, and makes it when the thread is seen first.
func (d *Debugger) of(t *script.Thread) *Thread {
	if x, ok := d.threads.Load(t); ok {
		return x.(*Thread)
	}
	x := &Thread{d: d, Name: t.Name(), script: t, resume: make(chan struct{}, 1)}
	if p, ok := d.threads.Load(t.Parent()); ok && t.Parent() != nil {
		x.parent = p.(*Thread)
	}
	d.mu.Lock()
	d.born++
	x.ID = d.born
	d.live = append(d.live, x)
	if p := x.parent; p != nil {
		x.bornAt = p.moved
		if p.mode == StepIn { // into what the statement starts
			x.mode = StepIn
		}
	} else if d.entry && !t.Loading() {
		d.entry = false
		x.mode, x.why = StepIn, Stop{Reason: ReasonEntry, Text: "at the first statement"}
	} else if d.carry == t && t != nil {
		x.mode = StepIn
	}
	d.carry = nil
	d.mu.Unlock()
	d.threads.Store(t, x)
	d.notify(Event{What: Started, Thread: x})
	return x
}

// Statement is told before each statement.
func (d *Debugger) Statement(t *script.Thread, th *starlark.Thread, s *script.Site) {
	if t.Aside() || endedMeanwhile(t) || d.over() {
		return
	}
	x := d.of(t)
	depth := th.CallStackDepth() - 1 // without the probe
	if d.mortem.Load() {
		x.remember(th, depth)
	}
	why, conds := d.due(x, depth, s)
	if why == nil && conds == nil {
		return
	}
	if conds != nil {
		switch met := d.met(x, th, conds); {
		case met != nil && why != nil && why.Reason != ReasonStep:
			why.Points = append(why.Points, met.Points...)
		case met != nil:
			why = met
		}
	}
	if why != nil {
		d.stop(x, th, *why)
	}
}

// due says whether a thread is to stop here: because it was told to, or for the breakpoints that it gives, which may have
// conditions.
func (d *Debugger) due(x *Thread, depth int, s *script.Site) (*Stop, []*point) {
	d.mu.Lock()
	defer d.mu.Unlock()
	x.moved++
	var why *Stop
	switch {
	case x.mode == StepIn, x.mode == StepOver && depth <= x.depth, x.mode == StepOut && depth < x.depth:
		w := x.why
		if w.Reason == "" {
			w = Stop{Reason: ReasonStep}
		}
		why = &w
	}
	points := d.at[s]
	if s.First && s.Func != "" {
		for _, p := range d.points {
			if p.Kind == OnFunction && p.function(s) {
				points = append(slices.Clone(points), p)
			}
		}
	}
	return why, points
}

// Before is told of the call of a built-in.
func (d *Debugger) Before(t *script.Thread, th *starlark.Thread, name, sql string) {
	if t.Aside() || d.over() {
		return
	}
	x, ok := d.threads.Load(t)
	if !ok {
		return
	}
	x.(*Thread).begin(name, sql)
	if sql == "" || d.arms.Load() == 0 {
		return
	}
	d.hit(x.(*Thread), th, func(p *point) bool { return p.Kind == OnSQL && p.pattern.MatchString(sql) }, Stop{Reason: ReasonSQL, Text: "before " + name + ": " + oneLine(sql, 120)})
}

// After is told of its end.
func (d *Debugger) After(t *script.Thread, th *starlark.Thread, name string, err error) {
	if t.Aside() || d.over() {
		return
	}
	x, ok := d.threads.Load(t)
	if !ok {
		return
	}
	x.(*Thread).end(name)
	if err == nil || d.arms.Load() == 0 || passedThrough(err) {
		return
	}
	e := script.Describe(err)
	d.hit(x.(*Thread), th, func(p *point) bool { return p.Kind == OnError && p.class(e) }, Stop{Reason: ReasonError, Text: name + " raises " + cmp.Or(e.Kind, e.Name), Error: e})
}

// State is told that a machine comes to a state. Where the script has a function for it, that is where to stop.
func (d *Debugger) State(t *script.Thread, th *starlark.Thread, s script.StateEntry) {
	if t.Aside() || d.over() || d.arms.Load() == 0 {
		return
	}
	x := d.of(t)
	d.mu.Lock()
	var ids []int
	for _, p := range d.points {
		if p.Kind == OnState && (p.Name == s.State || p.Name == s.Machine+"."+s.State) {
			p.Hits++
			ids = append(ids, p.ID)
		}
	}
	d.mu.Unlock()
	if ids == nil {
		return
	}
	why := Stop{Reason: ReasonState, Text: fmt.Sprintf("machine %s enters %s", s.Machine, s.State), Points: ids}
	if !s.Scripted {
		d.stop(x, th, why)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	x.mode, x.why = StepIn, why
}

// Breakpoint is a call of breakpoint().
func (d *Debugger) Breakpoint(t *script.Thread, th *starlark.Thread) error {
	if d.o.Notify == nil {
		return &script.NoDebuggerError{}
	}
	if t.Aside() || d.over() {
		return nil
	}
	d.stop(d.of(t), th, Stop{Reason: ReasonCall, Text: "breakpoint()"})
	return nil
}

// Ended is told that a thread has returned from its outermost call.
func (d *Debugger) Ended(t *script.Thread, err error) {
	v, ok := d.threads.Load(t)
	if !ok || t.Aside() {
		return
	}
	x := v.(*Thread)
	if err != nil && d.mortem.Load() && !d.over() && (d.o.Quiet == nil || !d.o.Quiet(err)) {
		d.failed(x, err)
	}
	d.threads.Delete(t)
	d.mu.Lock()
	d.live = slices.DeleteFunc(d.live, func(y *Thread) bool { return y == x })
	d.forget(x)
	// A step that leaves the thread goes on in the one that waits for it, unless that has moved on meanwhile.
	if p := x.parent; x.mode != Continue && p != nil && p.moved == x.bornAt && p.state == Running && p.mode == Continue {
		p.mode, p.why = StepIn, Stop{}
	}
	if x.mode != Continue && x.parent == nil {
		d.carry = t
	}
	x.state = Gone
	d.mu.Unlock()
	d.notify(Event{What: Ended, Thread: x})
}
