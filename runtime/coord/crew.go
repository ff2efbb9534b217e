package coord

import (
	"context"
	"sync/atomic"
	"time"

	"rig/runtime/clock"
)

// Member is one of a crew: a name in its group with what it does. Run must end when its context does.
type Member struct {
	Name string
	Run  func(ctx context.Context) (any, error)
}

// Crew runs the members of a [Group], each in a goroutine of its own. Timeout bounds the run; 0 is no bound of its own. With
// Stop the first failure ends the others, whose contexts then have a *[MemberFailedError] as their cause; without, the
// others go on, but for waits that the failed one leaves without hope. Ended, which may be nil, is told of each member
// before the others learn of its end, in that member's goroutine.
type Crew struct {
	Name    string
	Stop    bool
	Timeout time.Duration
	Ended   func(MemberReport)
}

// MemberReport is how a member ended.
type MemberReport struct {
	Name     string
	Value    any
	Err      error
	Duration time.Duration
}

// Run runs the members and gives how each ended, in their order, when all have. All of them are live in the group from the
// start, so none waits past another that has not begun.
func (c Crew) Run(ctx context.Context, g *Group, members []Member) []MemberReport {
	set := NewTasks(ctx)
	defer set.Cancel(context.Canceled) // all have ended
	for _, m := range members {
		g.Add(m.Name)
	}
	if c.Timeout > 0 {
		free := clock.AfterFunc(ctx, c.Timeout, func() {
			set.Cancel(&TimeoutError{What: "the members of coordinator " + quote(c.Name), After: c.Timeout, Missing: g.Live()})
		})
		defer free()
	}
	var stopped atomic.Bool
	tasks := make([]*Task, len(members))
	for i, m := range members {
		tasks[i] = set.Start(Job{Name: m.Name, Run: m.Run, Ended: func(k *Task) {
			r := reportOf(k)
			if c.Ended != nil {
				c.Ended(r)
			}
			g.Leave(m.Name, r.Err)
			if r.Err != nil && c.Stop && stopped.CompareAndSwap(false, true) {
				set.Cancel(&MemberFailedError{What: "the run was stopped", Member: m.Name, Err: r.Err})
			}
		}})
	}
	out := make([]MemberReport, len(members))
	for i, k := range tasks {
		<-k.Done() // each ends with the context at the latest
		out[i] = reportOf(k)
	}
	return out
}

func reportOf(k *Task) MemberReport {
	v, took, err := k.Result()
	return MemberReport{Name: k.name, Value: v, Err: err, Duration: took}
}
