package pool

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// Stats gives the counts at this moment.
func (p *Pool[C]) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.stats
	s.Size, s.Open, s.Idle, s.InUse, s.Waiting = p.o.Size, p.open, len(p.idle), len(p.held), len(p.queue)
	return s
}

// Closed reports whether Close was called.
func (p *Pool[C]) Closed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

// Held lists what is lent, the longest lent first.
func (p *Pool[C]) Held() []Held[C] {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.holders()
}

// holders must hold mu.
func (p *Pool[C]) holders() []Held[C] {
	out := make([]Held[C], 0, len(p.held))
	for l := range p.held {
		h := Held[C]{Lease: l, Holder: l.holder, Since: l.since}
		if p.o.Doing != nil {
			h.Doing = p.o.Doing(l.Conn)
		}
		out = append(out, h)
	}
	slices.SortFunc(out, func(a, b Held[C]) int { return a.Since.Compare(b.Since) })
	return out
}

// named is how many holders an error names.
const named = 8

// exhausted is the error of who waited in vain. It must hold mu.
func (p *Pool[C]) exhausted() *fault.Error {
	var b strings.Builder
	fmt.Fprintf(&b, "no connection of %s became free within %s: ", p.o.Name, p.o.AcquireTimeout)
	held := p.holders()
	fmt.Fprintf(&b, "%d of %d are in use", len(held), p.o.Size)
	if opening := p.open - len(held) - len(p.idle); opening > 0 {
		fmt.Fprintf(&b, " and %d are being opened or given back", opening)
	}
	for i, h := range held {
		if i == named {
			fmt.Fprintf(&b, "; and %d more", len(held)-named)
			break
		}
		fmt.Fprintf(&b, "; %s took one at %s, %s ago", h.Holder.Name, h.Holder.Pos, time.Since(h.Since).Round(time.Millisecond))
		if h.Doing != "" {
			b.WriteString(", " + h.Doing)
		}
	}
	e := fault.New(fault.Timeout, "", b.String())
	return e.WithHint("release each with pool.release(conn), or use pool.with_connection(fn), which always does; size = and acquire_timeout = are the pool's bounds")
}

// closedError must hold mu.
func (p *Pool[C]) closedError() *fault.Error {
	e := fault.New(fault.SessionClosed, "", fmt.Sprintf("%s was closed%s", p.o.Name, lineOf(p.where)))
	return e.WithHint("open another with t.pool(size)")
}

// foreign is the error of a connection that another pool lent.
func foreign(made event.Pos) *fault.Error {
	return fault.New(fault.BadArgument, "", "the connection belongs to another pool, made"+lineOf(made))
}

// twice is the error of a loan that has ended.
func twice(at event.Pos) *fault.Error {
	e := fault.New(fault.SessionClosed, "", "the connection was released already"+lineOf(at))
	return e.WithHint("release once what was acquired once")
}

func lineOf(p event.Pos) string {
	if p.IsZero() {
		return ""
	}
	return " at " + p.String()
}
