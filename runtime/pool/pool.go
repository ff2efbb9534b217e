// Package pool lends connections to many users in turn.
//
// [New] makes a pool, [Pool.Acquire] lends a connection and [Pool.Release] takes it back. A pool opens connections as they
// are needed, up to its size; who finds all of them lent waits, the longest waiting first. The connection released last is
// lent first, so that those that are not needed grow old and are closed.
package pool

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"rig/runtime/clock"
	"rig/runtime/event"
	"rig/runtime/fault"
)

// Conn is what a pool lends.
type Conn interface {
	// Check tells whether the connection is of use: of no more than what this side knows, or with ask set by asking the
	// other side.
	Check(ask bool) error
	// Recycle makes it fit for its next holder. After an error it is closed.
	Recycle() error
	Close() error
}

// Options of a pool. MaxLifetime and MaxIdle of 0 are no limits; AcquireTimeout 0 fails at once when all are lent.
type Options[C Conn] struct {
	Name           string
	Size           int
	MaxLifetime    time.Duration // a connection older than this is closed rather than lent again
	MaxIdle        time.Duration // one that was idle for so long is closed
	AcquireTimeout time.Duration
	Open           func(ctx context.Context, n int) (C, error) // n counts from 1
	Doing          func(C) string                              // for the error that names the holders: what the connection runs
	Pos            event.Pos                                   // the line that made the pool
}

// CheckAfter is how long a connection may be idle before the server is asked whether it lives still: a question is a round
// trip, which would be as dear as the statement that follows. One used within this time is looked at without asking.
const CheckAfter = time.Second

// MaxSize bounds Options.Size; a server refuses far fewer.
const MaxSize = 10_000

// Holder is who acquires a connection.
type Holder struct {
	Name string // a task or a test
	Pos  event.Pos
}

// Lease is one loan of a connection.
type Lease[C Conn] struct {
	Conn C

	pool   *Pool[C]
	holder Holder
	since  time.Time
	made   time.Time // of the connection
	over   event.Pos // guarded by the pool's mu: the line that released it
	done   bool      // guarded by the pool's mu
}

// Pool lends connections. All its methods may be called at any time.
type Pool[C Conn] struct {
	o Options[C]

	mu      sync.Mutex
	idle    []rested[C]            // guarded by mu; the last was released last
	held    map[*Lease[C]]struct{} // guarded by mu
	open    int                    // guarded by mu: idle, lent and being opened
	queue   []*waiter[C]           // guarded by mu, the longest waiting first
	closed  bool                   // guarded by mu
	where   event.Pos              // guarded by mu: the line that closed it
	sweeper *time.Timer            // guarded by mu; nil when nothing will grow too old
	sweepAt time.Time              // guarded by mu: when it runs
	stats   Stats                  // guarded by mu, without the counts that are derived
	number  int                    // guarded by mu: connections opened so far, failures too

	sweeps sync.WaitGroup // sweeps that are due or under way
}

// rested is an idle connection.
type rested[C Conn] struct {
	conn  C
	made  time.Time
	since time.Time
}

// waiter gets a connection, or with none the right to open one, or an error.
type waiter[C Conn] struct {
	got chan grant[C] // of capacity 1; written once, by who takes the waiter off the queue
}

type grant[C Conn] struct {
	conn  rested[C]
	fresh bool // there is no connection: open one
	warm  bool // handed over by who used it until now: there is nothing to check
	err   error
}

// Stats of a pool. Open is Idle and InUse and those being opened.
type Stats struct {
	Size, Open, Idle, InUse   int
	Acquired, Waits, Timeouts int
	WaitTime                  time.Duration // of all waits together, those that failed too
	Created, Closed           int
	Waiting                   int
}

// New makes a pool; it opens nothing.
func New[C Conn](o Options[C]) (*Pool[C], error) {
	if o.Size < 1 || o.Size > MaxSize {
		return nil, fault.New(fault.BadArgument, "", fmt.Sprintf("a pool has 1 to %d connections, got %d", MaxSize, o.Size))
	}
	return &Pool[C]{o: o, held: map[*Lease[C]]struct{}{}}, nil
}

// Name of the pool.
func (p *Pool[C]) Name() string { return p.o.Name }

// Pos is the line that made the pool.
func (p *Pool[C]) Pos() event.Pos { return p.o.Pos }

// Acquire lends a connection. When all are lent it waits for one, up to AcquireTimeout.
func (p *Pool[C]) Acquire(ctx context.Context, h Holder) (*Lease[C], error) {
	g, err := p.take(ctx)
	if err != nil {
		return nil, err
	}
	for !g.fresh {
		if g.warm || p.usable(g.conn) {
			return p.lend(g.conn, h)
		}
		p.discard(g.conn.conn)
		g = p.another()
	}
	return p.make(ctx, h)
}

// usable reports whether a connection that was idle may be lent.
func (p *Pool[C]) usable(r rested[C]) bool {
	if at := p.due(r); !at.IsZero() && !at.After(time.Now()) {
		return false
	}
	return r.conn.Check(time.Since(r.since) > CheckAfter) == nil
}

// take gives an idle connection, or the right to open one.
func (p *Pool[C]) take(ctx context.Context) (grant[C], error) {
	if ctx.Err() != nil {
		return grant[C]{}, context.Cause(ctx)
	}
	p.mu.Lock()
	if p.closed {
		defer p.mu.Unlock()
		return grant[C]{}, p.closedError()
	}
	if g, ok := p.next(); ok {
		p.mu.Unlock()
		return g, nil
	}
	w := &waiter[C]{got: make(chan grant[C], 1)}
	p.queue = append(p.queue, w)
	p.stats.Waits++
	p.mu.Unlock()
	return p.wait(ctx, w)
}

// next gives what there is without waiting. It must hold mu.
func (p *Pool[C]) next() (grant[C], bool) {
	if n := len(p.idle); n > 0 {
		r := p.idle[n-1]
		p.idle = p.idle[:n-1]
		return grant[C]{conn: r}, true
	}
	if p.open < p.o.Size {
		p.open++
		return grant[C]{fresh: true}, true
	}
	return grant[C]{}, false
}

// another replaces a connection that was of no more use, within its place: an idle one, else the right to open one.
func (p *Pool[C]) another() grant[C] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.idle); n > 0 {
		p.open--
		g, _ := p.next()
		return g
	}
	return grant[C]{fresh: true}
}

// wait stays in the queue until somebody gives, or the time is over.
func (p *Pool[C]) wait(ctx context.Context, w *waiter[C]) (grant[C], error) {
	start := time.Now()
	late, free := clock.After(ctx, p.o.AcquireTimeout)
	defer free()
	var failed error
	select {
	case g := <-w.got:
		p.waited(start)
		return g, g.err
	case <-ctx.Done():
		failed = context.Cause(ctx)
	case <-late:
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.WaitTime += time.Since(start)
	i := slices.Index(p.queue, w)
	if i < 0 { // somebody gave at the last moment
		g := <-w.got
		return g, g.err
	}
	p.queue = slices.Delete(p.queue, i, i+1)
	if failed == nil {
		p.stats.Timeouts++
		failed = p.exhausted()
	}
	return grant[C]{}, failed
}

func (p *Pool[C]) waited(start time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.WaitTime += time.Since(start)
}

// make opens a connection in a place that was taken for it.
func (p *Pool[C]) make(ctx context.Context, h Holder) (*Lease[C], error) {
	p.mu.Lock()
	p.number++
	n := p.number
	p.mu.Unlock()
	c, err := p.o.Open(ctx, n)
	if err != nil {
		p.mu.Lock()
		p.vacate()
		p.mu.Unlock()
		return nil, err
	}
	p.mu.Lock()
	p.stats.Created++
	p.mu.Unlock()
	return p.lend(rested[C]{conn: c, made: time.Now()}, h)
}

// lend notes the loan. A pool that was closed meanwhile lends nothing.
func (p *Pool[C]) lend(r rested[C], h Holder) (*Lease[C], error) {
	l := &Lease[C]{Conn: r.conn, pool: p, holder: h, since: time.Now(), made: r.made}
	p.mu.Lock()
	if !p.closed {
		p.held[l] = struct{}{}
		p.stats.Acquired++
		p.mu.Unlock()
		return l, nil
	}
	err := p.closedError()
	p.vacate()
	p.mu.Unlock()
	p.discard(r.conn)
	return nil, err
}

// discard closes a connection whose place is counted elsewhere.
func (p *Pool[C]) discard(c C) {
	_ = c.Close() // it is of no more use: what is wrong with it was told by its owner
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stats.Closed++
}

// vacate frees the place of a connection: the one who waits longest may open another. It must hold mu.
func (p *Pool[C]) vacate() {
	if len(p.queue) == 0 {
		p.open--
		return
	}
	p.grant(grant[C]{fresh: true})
}

// grant gives to the one who waits longest. It must hold mu, and somebody must wait.
func (p *Pool[C]) grant(g grant[C]) {
	w := p.queue[0]
	p.queue = p.queue[1:]
	w.got <- g
}
