// Package coord lets concurrent members of a run wait for each other.
//
// A [Group] is a set of named members with barriers, events, messages and [Shared] values between them; it tells every
// waiting member when a member failed, and when all of them wait and none can be released. [Barrier], [Signal],
// [Channel] and [Counter] are the same things free-standing, without names and without that knowledge. [Tasks] runs
// functions concurrently, and [Crew] the members of a group.
//
// Every wait takes a context and a timeout (0 means [DefaultWait]) and ends with an error that says what was waited
// for. A value that has arrived wins over a context or a timeout that ended in the same moment.
package coord

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"rig/runtime/fault"
)

// DefaultWait bounds a wait whose timeout is 0.
const DefaultWait = 30 * time.Second

// Forever is a timeout for waits that only their context bounds.
const Forever time.Duration = 1<<63 - 1

// MailboxSize is the number of messages that may wait for one member.
const MailboxSize = 1024

// Group is a set of members that wait for each other. A member is one thread of control: it waits for one thing at a
// time, and while it waits it does nothing else. A member that was added and has not left counts as live, whether it has
// begun or not. All methods may be called from any goroutine.
type Group struct {
	mu       sync.Mutex
	members  map[string]*member   // guarded by mu, like all below
	order    []string             // of joining
	barriers map[string][]*waiter // who waits at each, this generation
	events   map[string][]emission
	shared   *Shared
}

type member struct {
	name    string
	left    bool
	err     error // why it left
	mailbox []message
	wait    *waiter         // what it waits for; nil while it works
	told    map[string]bool // failed members that a wait of this one has ended for
}

type emission struct {
	from  string
	value any
}

type message struct {
	from  string
	value any
}

// waiter is one wait of one member. It ends once, under the group's lock.
type waiter struct {
	member  *member
	what    string // "barrier \"loaded\""
	from    string // the one member that can release it, "" any
	take    func() (any, bool)
	barrier string
	event   string
	parties int
	ended   chan struct{}
	value   any
	err     error
}

func (w *waiter) end(v any, err error) {
	w.value, w.err = v, err
	w.member.wait = nil
	close(w.ended)
}

// NewGroup makes a group with members; [Group.Add] adds more.
func NewGroup(names ...string) *Group {
	g := &Group{members: map[string]*member{}, barriers: map[string][]*waiter{}, events: map[string][]emission{}, shared: NewShared()}
	for _, n := range names {
		g.Add(n)
	}
	return g
}

// Add makes name a live member, also one that left before. Adding a live member changes nothing.
func (g *Group) Add(name string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if m := g.members[name]; m != nil && !m.left {
		return
	} else if m == nil {
		g.order = append(g.order, name)
	}
	g.members[name] = &member{name: name, told: map[string]bool{}}
	for _, m := range g.members {
		delete(m.told, name)
	}
}

// Leave tells that a member ended. With an error it ends, with a *[MemberFailedError], the waits of the others that it
// could have released: those for it, for anybody, and at barriers. A member that does not wait at that moment is told by
// its next such wait, unless that can be satisfied at once; each is told once, and later waits go on without the one that
// failed. Waits for a member that left, failed or not, always end. Leaving twice changes nothing.
func (g *Group) Leave(name string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	m := g.members[name]
	if m == nil || m.left {
		return
	}
	m.left, m.err = true, err
	if m.wait != nil {
		g.abandon(m.wait, fmt.Errorf("waiting for %s: member %q has left", m.wait.what, name))
	}
	for _, o := range g.order {
		if w := g.members[o].wait; w != nil {
			if e := g.lost(w); e != nil {
				g.abandon(w, e)
			}
		}
	}
	for name := range g.barriers {
		g.pass(name)
	}
	g.deadlock()
}

// Live lists the live members in the order of joining.
func (g *Group) Live() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.live()
}

func (g *Group) live() []string {
	var out []string
	for _, n := range g.order {
		if !g.members[n].left {
			out = append(out, n)
		}
	}
	return out
}

// Shared gives the values that the members share.
func (g *Group) Shared() *Shared { return g.shared }

// Barrier waits until as many members wait at the barrier as parties says, 0 meaning all live members, and then releases
// them together. The name can be used again for the next generation.
func (g *Group) Barrier(ctx context.Context, member, name string, parties int, timeout time.Duration) error {
	if parties < 0 {
		return badArgument("barrier", fmt.Sprintf("barrier %q: parties is %d; it must be 0 (all live members) or more", name, parties))
	}
	w := &waiter{what: fmt.Sprintf("barrier %q", name), barrier: name, parties: parties}
	_, err := g.await(ctx, member, w, timeout)
	return err
}

// Emit tells all members of an event. It stays: a member that waits for it later sees it, with the newest value.
func (g *Group) Emit(member, event string, value any) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.find("emit", member); err != nil {
		return err
	}
	g.events[event] = append(slices.DeleteFunc(g.events[event], func(e emission) bool { return e.from == member }), emission{member, value})
	g.offer()
	return nil
}

// WaitFor waits until the event was emitted by from, or where that is "" by any other member, and gives the newest value.
func (g *Group) WaitFor(ctx context.Context, member, event, from string, timeout time.Duration) (any, error) {
	w := &waiter{what: fmt.Sprintf("event %q%s", event, fromText(from)), from: from, event: event}
	w.take = func() (any, bool) {
		all := g.events[event]
		for i := len(all) - 1; i >= 0; i-- {
			if all[i].from == from || from == "" && all[i].from != member {
				return all[i].value, true
			}
		}
		return nil, false
	}
	return g.await(ctx, member, w, timeout)
}

// Send puts a message into a member's mailbox. More than [MailboxSize] unread messages are an error.
func (g *Group) Send(from, to string, v any) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, err := g.find("send", from); err != nil {
		return err
	}
	m, err := g.find("send", to)
	switch {
	case err != nil:
		return err
	case m.left:
		return &MemberFailedError{What: "sending to " + to, Member: to, Err: cause(m)}
	case len(m.mailbox) >= MailboxSize:
		return fault.New(fault.LimitExceeded, "send", fmt.Sprintf("the mailbox of member %q holds %d messages that it has not received", to, MailboxSize))
	}
	m.mailbox = append(m.mailbox, message{from, v})
	g.offer()
	return nil
}

// Receive takes the oldest message from the member's mailbox, where from is not "" the oldest from that member, and waits
// for one when there is none.
func (g *Group) Receive(ctx context.Context, member, from string, timeout time.Duration) (any, error) {
	w := &waiter{what: "a message" + fromText(from), from: from}
	w.take = func() (any, bool) {
		m := w.member
		i := slices.IndexFunc(m.mailbox, func(msg message) bool { return from == "" || msg.from == from })
		if i < 0 {
			return nil, false
		}
		v := m.mailbox[i].value
		m.mailbox = slices.Delete(m.mailbox, i, i+1)
		return v, true
	}
	return g.await(ctx, member, w, timeout)
}

func fromText(from string) string {
	if from == "" {
		return ""
	}
	return fmt.Sprintf(" from %q", from)
}

// find gives a member by name, with mu held.
func (g *Group) find(op, name string) (*member, error) {
	if m := g.members[name]; m != nil {
		return m, nil
	}
	err := fault.New(fault.BadArgument, op, fmt.Sprintf("%q is no member", name))
	if s := fault.Suggest(name, g.order); s != "" {
		return nil, err.WithHint(fmt.Sprintf("did you mean %q?", s))
	}
	return nil, err.WithHint("the members are " + strings.Join(g.order, ", "))
}

func badArgument(op, message string) error { return fault.New(fault.BadArgument, op, message) }
