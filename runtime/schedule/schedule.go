// Package schedule runs the steps of several sessions in a given order.
//
// A [Plan] has the sessions with their steps. [Engine.Run] sends the steps of one order, one after another; after each it waits
// until every statement under way has ended or waits for a lock, as package wait tells, so that the same order gives the
// same [Run]. A session whose step waits can send no further one: an order in which it should is impossible. Which orders to
// run is decided by an [Orders]: those given, every permutation, or a sample; [Group] tells runs apart by what they gave.
package schedule

import (
	"fmt"
	"time"

	"rig/runtime/event"
)

// Plan is what several sessions do.
type Plan struct {
	Name     string
	Sessions []Session
	Timeout  time.Duration // of steps that name none
	// MayTimeOut says that a wait may end by itself: with an error, after the server's bound for lock waits.
	MayTimeOut bool
	// Impatient says that a run in which steps wait, and no step is left that could let them go, need not be waited for.
	Impatient bool

	flat []At // steps by their number
}

// At is a place in the plan.
type At struct{ Session, Step int }

// Session is one of them.
type Session struct {
	Name  string
	Steps []Step
}

// Step is one statement, or one call of a function.
type Step struct {
	Name    string
	SQL     string // of a function: how it is shown
	Func    bool
	Want    Want
	Timeout time.Duration // 0 is the plan's
	Repeat  func(Result) (done bool, err error)
}

// Want is what is expected of a step; the zero value expects nothing.
type Want struct {
	Waits    Answer
	For      []string // sessions that it must wait for
	Error    string   // "", "any", a code or a kind
	After    []string // steps before which it must not return
	Rows     [][]string
	HasRows  bool
	Proceeds string // the step after which it must proceed
}

// Answer is yes, no, or not asked.
type Answer int8

// The answers.
const (
	Any Answer = iota
	Yes
	No
)

// Result is what a step gave.
type Result struct {
	Columns  []string
	Rows     [][]string
	HasRows  bool
	Affected int64
	Err      *event.Error
	Note     string // what transcripts say besides
	Value    any    // for the caller
}

// Conn is a session of the plan on a server.
type Conn interface {
	Thread() uint64
	// Start sends a step; an error means that nothing was sent.
	Start(step Step) (Running, error)
}

// Running is a step under way.
type Running interface {
	Ended() <-chan struct{}
	Result() Result // after its end
	Cancel(why string)
}

// Seal numbers the steps and checks the names. It must be called before the plan is used.
func (p *Plan) Seal() error {
	if len(p.Sessions) == 0 {
		return fmt.Errorf("there are no sessions")
	}
	names := map[string]bool{}
	p.flat = nil
	for i := range p.Sessions {
		s := &p.Sessions[i]
		if len(s.Steps) == 0 {
			return fmt.Errorf("session %s has no steps", s.Name)
		}
		for k := range s.Steps {
			if s.Steps[k].Name == "" {
				s.Steps[k].Name = fmt.Sprintf("%s%d", s.Name, k+1)
			}
			if n := s.Steps[k].Name; names[n] {
				return fmt.Errorf("two steps are named %s", n)
			}
			names[s.Steps[k].Name] = true
			p.flat = append(p.flat, At{i, k})
		}
	}
	return p.checkAfter()
}

// checkAfter refuses markers that name no step, or the step's own session's later ones.
func (p *Plan) checkAfter() error {
	for n := range p.flat {
		s := p.Step(n)
		for _, name := range s.Want.After {
			if err := p.checkAfterOf(n, name); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Plan) checkAfterOf(n int, name string) error {
	m := p.find(name)
	if m < 0 {
		return p.unknownStep(name)
	}
	if p.flat[m].Session == p.flat[n].Session && p.flat[m].Step >= p.flat[n].Step {
		return fmt.Errorf("step %s should return only after %s, which the same session runs later: it would wait for itself", p.Step(n).Name, name)
	}
	return nil
}

// Expects reports whether anything is expected of the steps.
func (p *Plan) Expects() bool {
	for n := range p.flat {
		if w := p.Step(n).Want; w.Waits != Any || w.Error != "" || w.After != nil || w.For != nil || w.HasRows || w.Proceeds != "" {
			return true
		}
	}
	return false
}

// Unknown is the error of a step that does not exist.
func (p *Plan) Unknown(name string) error { return p.unknownStep(name) }

// Len is the number of steps.
func (p *Plan) Len() int { return len(p.flat) }

// Step gives a step by its number, which counts through the sessions.
func (p *Plan) Step(n int) *Step {
	at := p.flat[n]
	return &p.Sessions[at.Session].Steps[at.Step]
}

// SessionOf gives the number of a step's session.
func (p *Plan) SessionOf(n int) int { return p.flat[n].Session }

func (p *Plan) find(name string) int {
	for n := range p.flat {
		if p.Step(n).Name == name {
			return n
		}
	}
	return -1
}

func (p *Plan) names() []string {
	var out []string
	for n := range p.flat {
		out = append(out, p.Step(n).Name)
	}
	return out
}
