package debug

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/event"
	"rig/runtime/script"
)

// Mode says how far a thread goes.
type Mode int

// The ways to go on.
const (
	Continue Mode = iota
	StepIn        // to the next statement, also of what a built-in calls or a task runs
	StepOver      // to the next statement of this function or of its callers
	StepOut       // to the next statement of its callers
)

// State of a thread.
type State int

// The states.
const (
	Running State = iota
	Standing
	Gone
)

// Thread is a script thread under the debugger.
type Thread struct {
	ID   int
	Name string

	d      *Debugger
	script *script.Thread
	parent *Thread
	resume chan struct{} // holds one token when the thread may go on
	shadow []frame       // owned by the thread: its frames at their last statements, while post-mortem is on

	// look is held by who looks at the frames of a thread that stands, and by the thread when it goes on.
	look sync.Mutex

	// Guarded by d.mu.
	state  State
	mode   Mode
	depth  int    // of the frame that a step began in
	moved  uint64 // statements so far
	bornAt uint64 // parent's moved when this thread was seen first
	why    Stop   // of the last stop, or of the one that mode leads to
	frames []frame
	doing  []doing
}

// doing is a built-in that runs.
type doing struct {
	name, sql string
	since     time.Time
}

// Doing is the built-in that a running thread is in, "" when it runs script.
type Doing struct {
	Name, SQL string
	For       time.Duration
}

// Script is the thread that is followed.
func (x *Thread) Script() *script.Thread { return x.script }

// State of the thread.
func (x *Thread) State() State {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	return x.state
}

// Why is the reason of the last stop.
func (x *Thread) Why() Stop {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	return x.why
}

// Doing tells what the thread waits in.
func (x *Thread) Doing() Doing {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	if len(x.doing) == 0 {
		return Doing{}
	}
	b := x.doing[len(x.doing)-1]
	return Doing{b.name, b.sql, time.Since(b.since)}
}

func (x *Thread) begin(name, sql string) {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	x.doing = append(x.doing, doing{name, sql, time.Now()})
}

func (x *Thread) end(string) {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	if n := len(x.doing); n > 0 {
		x.doing = x.doing[:n-1]
	}
}

// Pause asks the thread to stop at its next statement; one that stands stays where it is.
func (x *Thread) Pause() {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	if x.state == Running {
		x.mode, x.why = StepIn, Stop{Reason: ReasonPause, Text: "paused"}
	}
}

// NotStandingError is a command for a thread that does not stand.
type NotStandingError struct {
	Thread string
	State  State
}

func (e *NotStandingError) Error() string {
	if e.State == Gone {
		return fmt.Sprintf("thread %s has ended", e.Thread)
	}
	return fmt.Sprintf("thread %s is running: pause it, or wait until it stops", e.Thread)
}

// Resume lets the thread go on.
func (x *Thread) Resume(m Mode) error {
	x.d.mu.Lock()
	if x.state != Standing {
		s := x.state
		x.d.mu.Unlock()
		return &NotStandingError{x.Name, s}
	}
	x.mode, x.why, x.state = m, Stop{}, Running
	x.d.forget(x)
	x.d.mu.Unlock()
	select {
	case x.resume <- struct{}{}:
	default:
	}
	return nil
}

// stop holds a thread until it is told to go on, its context ends or the debugger is closed.
func (d *Debugger) stop(x *Thread, th *starlark.Thread, why Stop) {
	frames, depth := framesOf(th)
	d.hold(x, frames, depth, why)
}

func (d *Debugger) hold(x *Thread, frames []frame, depth int, why Stop) {
	select { // a token of a stop that ended otherwise
	case <-x.resume:
	default:
	}
	d.mu.Lock()
	if d.over() {
		d.mu.Unlock()
		return
	}
	x.mode, x.state, x.why, x.frames, x.depth = Continue, Standing, why, frames, depth
	d.mu.Unlock()
	release := d.o.Clock.Hold()
	defer release()
	d.notify(Event{What: Stopped, Thread: x, Stop: why})
	select {
	case <-x.resume:
	case <-x.script.Context().Done():
	case <-d.closed:
	}
	x.look.Lock() // nobody looks any more
	d.mu.Lock()
	x.state, x.frames = Running, nil
	d.forget(x)
	d.mu.Unlock()
	x.look.Unlock()
	d.notify(Event{What: Continued, Thread: x})
	endedMeanwhile(x.script)
}

// endedMeanwhile stops a thread whose context has ended before it runs anything more: the interpreter is told of the end from
// another goroutine, which may be late. It must be called on the thread's own.
func endedMeanwhile(t *script.Thread) bool {
	ctx := t.Context()
	if ctx.Err() == nil {
		return false
	}
	t.Abort(context.Cause(ctx))
	return true
}

// Where is the script's line at which the thread stands, zero when it runs.
func (x *Thread) Where() event.Pos {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	for i := range x.frames {
		if !x.frames[i].Builtin {
			return x.frames[i].Pos
		}
	}
	return event.Pos{}
}
