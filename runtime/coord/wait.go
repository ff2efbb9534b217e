package coord

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"rig/runtime/clock"
	"rig/runtime/fault"
)

// await registers a wait and stays until it ends.
func (g *Group) await(ctx context.Context, name string, w *waiter, timeout time.Duration) (any, error) {
	timeout, err := bound(timeout)
	if err != nil {
		return nil, fmt.Errorf("waiting for %s: %w", w.what, err)
	}
	if err := g.register(name, w); err != nil {
		return nil, err
	}
	late, free := clock.After(ctx, timeout)
	defer free()
	select {
	case <-w.ended:
	case <-ctx.Done():
		g.giveUp(w, func() error { return stopped(ctx, w.what) })
	case <-late:
		g.giveUp(w, func() error {
			return &TimeoutError{What: w.what, After: timeout, Missing: g.missing(w), Hint: g.meant(w)}
		})
	}
	return w.value, w.err
}

// register makes w the member's wait and ends it where that is possible at once.
func (g *Group) register(name string, w *waiter) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, err := g.find("wait", name)
	if err != nil {
		return err
	}
	w.member, w.ended = m, make(chan struct{})
	if err := g.fits(w); err != nil {
		return err
	}
	m.wait = w
	if w.take != nil {
		if v, ok := w.take(); ok {
			w.end(v, nil)
			return nil
		}
	}
	if err := g.lost(w); err != nil {
		w.end(nil, err)
		return nil
	}
	if w.barrier != "" {
		g.barriers[w.barrier] = append(g.barriers[w.barrier], w)
		g.pass(w.barrier)
	}
	g.deadlock()
	return nil
}

// fits refuses a wait for a member that does not exist, of one that has left or waits already, and at a barrier whose
// other members expect another number of parties.
func (g *Group) fits(w *waiter) error {
	if w.from != "" {
		if _, err := g.find("wait", w.from); err != nil {
			return err
		}
	}
	switch m := w.member; {
	case m.left:
		return badArgument("wait", fmt.Sprintf("member %q has left and cannot wait for %s", m.name, w.what))
	case m.wait != nil:
		return badArgument("wait", fmt.Sprintf("member %q already waits for %s; it cannot wait for %s too", m.name, m.wait.what, w.what))
	}
	for _, o := range g.barriers[w.barrier] {
		if o.parties != w.parties {
			return badArgument("barrier", fmt.Sprintf("%s: member %q expects %s, member %q %s", w.what, w.member.name, partiesText(w.parties), o.member.name, partiesText(o.parties)))
		}
	}
	return nil
}

func partiesText(n int) string {
	if n == 0 {
		return "all live members"
	}
	return fmt.Sprintf("%d parties", n)
}

// offer lets every waiting member take what it waits for; called when something was emitted or sent.
func (g *Group) offer() {
	for _, n := range g.order {
		w := g.members[n].wait
		if w == nil || w.take == nil {
			continue
		}
		if v, ok := w.take(); ok {
			w.end(v, nil)
		}
	}
}

// pass releases a barrier's members when enough are there.
func (g *Group) pass(name string) {
	here := g.barriers[name]
	if len(here) == 0 {
		return
	}
	need := here[0].parties
	if need == 0 {
		need = len(g.live())
	}
	if len(here) < need {
		return
	}
	delete(g.barriers, name)
	for _, w := range here {
		w.end(nil, nil)
	}
}

// lost gives the error of a wait that a member's end leaves without hope, or that must be told of a failure.
func (g *Group) lost(w *waiter) error {
	if w.from != "" {
		if m := g.members[w.from]; m.left {
			w.member.told[m.name] = true
			return &MemberFailedError{What: "waiting for " + w.what, Member: m.name, Err: cause(m)}
		}
		return nil
	}
	for _, n := range g.order {
		m := g.members[n]
		if m.left && m.err != nil && !w.member.told[n] {
			w.member.told[n] = true
			return &MemberFailedError{What: "waiting for " + w.what, Member: n, Err: m.err}
		}
	}
	return nil
}

func cause(m *member) error {
	if m.err != nil {
		return m.err
	}
	return ErrEnded
}

// abandon ends a wait with an error and takes it from its barrier.
func (g *Group) abandon(w *waiter, err error) {
	if w.barrier != "" {
		g.barriers[w.barrier] = slices.DeleteFunc(g.barriers[w.barrier], func(o *waiter) bool { return o == w })
	}
	w.end(nil, err)
}

// giveUp ends a wait for a reason of the waiting side, unless it has ended meanwhile.
func (g *Group) giveUp(w *waiter, why func() error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if w.member.wait == w {
		g.abandon(w, why())
	}
}

// Waiting tells what a member waits for and who could release it and has not; "" while it waits for nothing.
func (g *Group) Waiting(name string) (what string, missing []string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.members[name]
	if m == nil || m.wait == nil {
		return "", nil
	}
	return m.wait.what, g.missing(m.wait)
}

// missing lists the members that could have released w and did not.
func (g *Group) missing(w *waiter) []string {
	if w.from != "" {
		return []string{w.from}
	}
	return slices.DeleteFunc(g.live(), func(n string) bool {
		o := g.members[n].wait
		return n == w.member.name || w.barrier != "" && o != nil && o.barrier == w.barrier
	})
}

// meant is the hint for a wait for an event that nobody has emitted: one that was, with nearly that name.
func (g *Group) meant(w *waiter) string {
	if w.event == "" {
		return ""
	}
	emitted := slices.Sorted(maps.Keys(g.events))
	if near := fault.Suggest(w.event, emitted); near != "" && near != w.event {
		return fmt.Sprintf("nobody emitted %q; %q was emitted: is that the one meant?", w.event, near)
	}
	if len(g.events[w.event]) > 0 {
		return fmt.Sprintf("%q was emitted by %s only", w.event, quote(g.events[w.event][0].from))
	}
	return fmt.Sprintf("nobody emitted %q", w.event)
}

// deadlock ends all waits when every live member waits: what releases a wait is always done by a member that does not.
func (g *Group) deadlock() {
	var all []*waiter
	for _, n := range g.order {
		m := g.members[n]
		if m.left {
			continue
		}
		if m.wait == nil {
			return
		}
		all = append(all, m.wait)
	}
	if len(all) == 0 {
		return
	}
	e := &DeadlockError{}
	for _, w := range all {
		e.Waits = append(e.Waits, WaitInfo{Member: w.member.name, For: w.what})
		if e.Hint == "" {
			e.Hint = g.meant(w)
		}
	}
	for _, w := range all {
		g.abandon(w, e)
	}
}

// bound gives the timeout to use.
func bound(timeout time.Duration) (time.Duration, error) {
	if timeout < 0 {
		return 0, badArgument("", fmt.Sprintf("timeout is %v; it must not be negative", timeout))
	}
	if timeout == 0 {
		return DefaultWait, nil
	}
	return timeout, nil
}

func stopped(ctx context.Context, what string) error {
	return fmt.Errorf("waiting for %s: %w", what, context.Cause(ctx))
}

// until waits for ready, the context or the timeout. what is for errors.
func until(ctx context.Context, ready <-chan struct{}, timeout time.Duration, what string) error {
	timeout, err := bound(timeout)
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", what, err)
	}
	late, free := clock.After(ctx, timeout)
	defer free()
	select {
	case <-ready:
		return nil
	case <-ctx.Done():
		err = stopped(ctx, what)
	case <-late:
		err = &TimeoutError{What: what, After: timeout}
	}
	select {
	case <-ready:
		return nil
	default:
		return err
	}
}
