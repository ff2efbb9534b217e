package event

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Sink folds the stream. All its methods are called from one goroutine; it must not keep an event after Event returns
// (copy what it needs). An error detaches it: it gets no further events, only Close.
type Sink interface {
	// Name as a person knows it: "journal .rig/runs/x/run.jsonl".
	Name() string
	// Event takes the next fact, in order.
	Event(*Event) error
	// Flush makes everything taken so far durable; it is called when the stream pauses and after urgent events.
	Flush() error
	// Close ends the report. It is called once, also after an error.
	Close() error
}

// maxPending bounds the events that wait for the sinks; an emitter that would exceed it waits.
const maxPending = 1 << 14

// flushEvery bounds how long an event may stay undelivered.
const flushEvery = 10 * time.Millisecond

// wakeAt is the backlog at which delivery starts before flushEvery has passed.
const wakeAt = 1 << 10

// Bus numbers, stamps, redacts and delivers events. Emit may be called from any goroutine.
type Bus struct {
	start  time.Time
	ids    atomic.Uint64
	detach func(sink string, err error)

	mu      sync.Mutex
	room    sync.Cond   // waits for pending to shrink, and for delivered to grow
	pending []Event     // guarded by mu
	ran     []Statement // guarded by mu: payloads of pending
	seq     uint64      // guarded by mu
	done    uint64      // guarded by mu: every event up to this one was delivered and flushed
	closed  bool        // guarded by mu
	redact  *redactor   // guarded by mu; replaced, never changed

	wake  chan struct{} // holds one token when delivery should not wait for the timer
	ended chan struct{} // closed when the delivery goroutine has returned

	sinks    []*attached // owned by the delivery goroutine
	failures []Failure   // owned by the delivery goroutine until ended is closed
}

type attached struct {
	Sink
	dead bool
}

// Failure tells which sink could not be written and why.
type Failure struct {
	Sink string
	Err  error
}

// NewBus starts delivery to the sinks, in the order given; the first should be the journal. detach is told once of each
// sink that fails, from the delivery goroutine; it may be nil. Close ends delivery.
func NewBus(start time.Time, detach func(sink string, err error), sinks ...Sink) *Bus {
	b := &Bus{start: start, detach: detach, redact: &redactor{}, wake: make(chan struct{}, 1), ended: make(chan struct{})}
	b.room.L = &b.mu
	for _, s := range sinks {
		b.sinks = append(b.sinks, &attached{Sink: s})
	}
	go b.deliver()
	return b
}

// NextID gives a number that no other thing of this run has.
func (b *Bus) NextID() ID {
	if b == nil {
		return 0
	}
	return ID(b.ids.Add(1))
}

// Since gives the time since the run began.
func (b *Bus) Since() time.Duration {
	if b == nil {
		return 0
	}
	return time.Since(b.start)
}

// Secret makes every later event show *** in place of s, in the spellings that SQL, Go and URLs give it. Secrets shorter than
// four bytes are replaced only where they stand as a word of their own.
func (b *Bus) Secret(s string) {
	if b == nil || s == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.redact = b.redact.with(s)
}

// Redact passes text through the bus's secrets, for the few words that a process prints before or after a run.
func (b *Bus) Redact(s string) string {
	if b == nil {
		return s
	}
	b.mu.Lock()
	r := b.redact
	b.mu.Unlock()
	return r.text(s)
}

// At gives the time of an event that happened at t, for emitters that have read the clock anyhow.
func (b *Bus) At(t time.Time) time.Duration { return t.Sub(b.start) }

// Emit puts an event on the stream; Seq is set here, and At where it is zero. On a nil or closed Bus it does nothing. When the sinks are
// far behind it waits for them, so that memory stays bounded.
func (b *Bus) Emit(e Event) {
	if b == nil {
		return
	}
	if e.At == 0 {
		e.At = time.Since(b.start)
	}
	b.mu.Lock()
	if b.enter() {
		b.put(&e)
	}
	b.mu.Unlock()
}

// EmitStatement is Emit with a payload that stays the caller's: it is copied into memory that serves again once the sinks have
// seen it. Statements are nearly all of a long run's events.
func (b *Bus) EmitStatement(e *Event, d *Statement) {
	if b == nil {
		return
	}
	if e.At == 0 {
		e.At = time.Since(b.start)
	}
	b.mu.Lock()
	if b.enter() {
		b.ran = append(b.ran, *d)
		e.Data = &b.ran[len(b.ran)-1]
		b.put(e)
	}
	b.mu.Unlock()
}

// enter waits for room; false means that the bus is closed. It must hold mu, as put must.
func (b *Bus) enter() bool {
	for len(b.pending) >= maxPending && !b.closed {
		b.signal()
		b.room.Wait()
	}
	return !b.closed
}

func (b *Bus) put(e *Event) {
	if r := b.redact; r.active() {
		e.Data = e.Data.redact(r.text)
		e.Test, e.Session = r.text(e.Test), r.text(e.Session)
	}
	b.seq++
	e.Seq = b.seq
	b.pending = append(b.pending, *e)
	if n := len(b.pending); n == 1 || n == wakeAt || urgent(e.Data) {
		b.signalFor(n >= wakeAt || urgent(e.Data))
	}
}

// urgent tells which events must reach the sinks at once: an end, a failure, a signal.
func urgent(d Data) bool {
	switch d := d.(type) {
	case *TestEnd, *RunEnd, *Signal, *Expect, *Database:
		return true
	case *Statement:
		return d.Error != nil || d.Outcome == Unknown
	}
	return false
}

func (b *Bus) signalFor(now bool) {
	if now {
		b.signal()
		return
	}
	time.AfterFunc(flushEvery, b.signal)
}

func (b *Bus) signal() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// Flush returns when every event emitted before it has been delivered and the sinks are flushed.
func (b *Bus) Flush() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	want := b.seq
	for b.done < want && !b.closed {
		b.signal()
		b.room.Wait()
	}
}

// Close delivers what is left, closes the sinks in order and tells which failed, in the order of their failing. Events emitted later are
// dropped.
func (b *Bus) Close() []Failure {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	if !b.closed {
		b.closed = true
		b.signal()
	}
	b.mu.Unlock()
	<-b.ended
	return b.failures
}

// deliver is the only goroutine that touches the sinks; it ends when Close was called and nothing is pending.
func (b *Bus) deliver() {
	defer close(b.ended)
	var batch []Event
	var ran []Statement
	for {
		<-b.wake
		b.mu.Lock()
		batch, b.pending = b.pending, batch[:0]
		ran, b.ran = b.ran, ran[:0]
		closed := b.closed
		last := b.seq
		b.room.Broadcast()
		b.mu.Unlock()

		b.toSinks(batch)
		clear(batch) // let payloads go
		clear(ran)

		b.mu.Lock()
		b.done = last
		b.room.Broadcast()
		empty := len(b.pending) == 0
		b.mu.Unlock()
		if closed && empty {
			break
		}
		if closed {
			b.signal()
		}
	}
	for _, s := range b.sinks {
		if err := s.Close(); err != nil && !s.dead {
			b.fail(s, err)
		}
	}
}

// toSinks gives a batch to each sink in turn, so that guarding against its panics costs once per batch. What failed is told
// to the others after the batch, which keeps the order of events.
func (b *Bus) toSinks(batch []Event) {
	var failed []*attached
	var errs []error
	for _, s := range b.sinks {
		if s.dead {
			continue
		}
		if err := s.take(batch); err != nil {
			failed, errs = append(failed, s), append(errs, err)
		}
	}
	for i, s := range failed {
		b.fail(s, errs[i])
	}
}

// take gives a batch to the sink and flushes it. It turns the sink's panic into its failure: one broken report must not end
// the run.
func (s *attached) take(batch []Event) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	for i := range batch {
		if err := s.Event(&batch[i]); err != nil {
			return err
		}
	}
	return s.Flush()
}

// fail detaches a sink and tells the others.
func (b *Bus) fail(s *attached, err error) {
	if s.dead {
		return
	}
	s.dead = true
	b.failures = append(b.failures, Failure{Sink: s.Name(), Err: err})
	if b.detach != nil {
		b.detach(s.Name(), err)
	}
	b.mu.Lock()
	b.seq++
	e := Event{Seq: b.seq, At: time.Since(b.start), Data: &SinkDetached{Sink: s.Name(), Cause: err.Error()}}
	b.mu.Unlock()
	b.toSinks([]Event{e})
}
