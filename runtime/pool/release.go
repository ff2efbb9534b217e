package pool

import (
	"time"

	"rig/runtime/event"
)

// Release takes a connection back from the line at. What its holder changed is undone before it is lent again; where that
// fails, or where it has grown too old, it is closed and another will take its place. Of a closed pool it is closed.
func (p *Pool[C]) Release(l *Lease[C], at event.Pos) error {
	if err := p.finish(l, at); err != nil {
		return err
	}
	if p.tooOld(l.made) || l.Conn.Recycle() != nil {
		p.drop(l.Conn)
		return nil
	}
	r := rested[C]{conn: l.Conn, made: l.made, since: time.Now()}
	p.mu.Lock()
	switch {
	case p.closed:
		p.open--
		p.mu.Unlock()
		p.discard(l.Conn)
		return nil
	case len(p.queue) > 0:
		p.grant(grant[C]{conn: r, warm: true})
	default:
		p.idle = append(p.idle, r)
		p.plan(r)
	}
	p.mu.Unlock()
	return nil
}

// Drop takes a connection back and closes it, whatever it does.
func (p *Pool[C]) Drop(l *Lease[C], at event.Pos) error {
	if err := p.finish(l, at); err != nil {
		return err
	}
	p.drop(l.Conn)
	return nil
}

// Of reports whether the pool lent the connection.
func (p *Pool[C]) Of(l *Lease[C]) bool { return l.pool == p }

// Pool is the one that lent the connection.
func (l *Lease[C]) Pool() *Pool[C] { return l.pool }

// finish ends a loan; one that has ended is an error.
func (p *Pool[C]) finish(l *Lease[C], at event.Pos) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.pool != p {
		return foreign(l.pool.o.Pos)
	}
	if l.done {
		return twice(l.over)
	}
	l.done, l.over = true, at
	delete(p.held, l)
	return nil
}

// drop closes a connection and frees its place.
func (p *Pool[C]) drop(c C) {
	p.discard(c)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.vacate()
}

func (p *Pool[C]) tooOld(made time.Time) bool {
	return p.o.MaxLifetime > 0 && time.Since(made) >= p.o.MaxLifetime
}

// due is when an idle connection must be closed; zero is never.
func (p *Pool[C]) due(r rested[C]) time.Time {
	var at time.Time
	if p.o.MaxIdle > 0 {
		at = r.since.Add(p.o.MaxIdle)
	}
	if p.o.MaxLifetime > 0 {
		if end := r.made.Add(p.o.MaxLifetime); at.IsZero() || end.Before(at) {
			at = end
		}
	}
	return at
}

// plan makes the sweeper run when the connection has grown too old, unless it runs before anyhow. It must hold mu.
func (p *Pool[C]) plan(r rested[C]) {
	at := p.due(r)
	if p.closed || at.IsZero() || p.sweeper != nil && !at.Before(p.sweepAt) {
		return
	}
	p.stopSweeper()
	p.sweeps.Add(1)
	p.sweeper, p.sweepAt = time.AfterFunc(time.Until(at), p.sweep), at // Close stops it, or waits for its end
}

// stopSweeper must hold mu.
func (p *Pool[C]) stopSweeper() {
	if p.sweeper != nil && p.sweeper.Stop() {
		p.sweeps.Done()
	}
	p.sweeper = nil
}

// sweep closes the idle connections that have grown too old.
func (p *Pool[C]) sweep() {
	defer p.sweeps.Done()
	now := time.Now()
	var old []C
	p.mu.Lock()
	p.stopSweeper() // this one, unless another was planned since
	kept := p.idle[:0]
	for _, r := range p.idle {
		if at := p.due(r); !at.IsZero() && !at.After(now) {
			old = append(old, r.conn)
			p.vacate()
			continue
		}
		kept = append(kept, r)
	}
	clear(p.idle[len(kept):])
	p.idle = kept
	p.replan()
	p.mu.Unlock()
	for _, c := range old {
		p.discard(c)
	}
}

// replan plans the next sweep for what grows old first. It must hold mu.
func (p *Pool[C]) replan() {
	if len(p.idle) == 0 {
		return
	}
	first := p.idle[0]
	for _, r := range p.idle[1:] {
		if p.due(r).Before(p.due(first)) {
			first = r
		}
	}
	p.plan(first)
}

// Held is a connection that is lent.
type Held[C Conn] struct {
	Lease  *Lease[C]
	Holder Holder
	Since  time.Time
	Doing  string
}

// Close refuses every later Acquire and those that wait, and closes what is idle. What is lent is closed when it is released;
// it is returned, the longest lent first. Closing again changes nothing.
func (p *Pool[C]) Close(at event.Pos) []Held[C] {
	p.mu.Lock()
	idle := p.idle
	if !p.closed {
		p.closed, p.where = true, at
		for len(p.queue) > 0 {
			p.grant(grant[C]{err: p.closedError()})
		}
		p.idle = nil
		p.open -= len(idle)
	} else {
		idle = nil
	}
	p.stopSweeper()
	p.mu.Unlock()
	for _, r := range idle {
		p.discard(r.conn)
	}
	p.sweeps.Wait()
	return p.Held()
}
