// Package record writes a history down while it happens.
//
// New makes a Recorder, which any number of clients share; Client.Invoke begins an operation, Op.End tells how it ended. The
// events of all clients stand in one order, by one monotonic clock that is read under the lock that orders them. A client
// whose operation is of unknown outcome goes on as a new process: the old one may still be at work on the server.
package record

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"rig/runtime/event"
	"rig/runtime/history"
)

// The bounds of a history that is recorded, so that neither memory nor journal fills up.
const (
	DefaultLimit = 1_000_000 // operations
	maxValue     = 3 << 20   // bytes of one value as JSON; a line of a journal has at most 4 MiB
	maxBytes     = 256 << 20 // bytes of all values as JSON
)

// ErrFull is what Invoke gives when the history has as many operations as it may have.
var ErrFull = errors.New("the history is full")

// Options of a recorder.
type Options struct {
	Limit int          // operations; 0 is DefaultLimit
	Now   func() int64 // nanoseconds on a monotonic clock
	// Emit, if it is not nil, gets every event in order; value is its value as JSON. The lock of the recorder is held.
	Emit func(e *history.Event, value []byte)
}

// Counts is how many operations there were, by outcome.
type Counts struct{ OK, Failed, Unknown, Running int }

// All is how many there were.
func (c Counts) All() int { return c.OK + c.Failed + c.Unknown + c.Running }

// Recorder takes the operations of clients. Its methods and those of its clients may be called from any goroutine.
type Recorder struct {
	o Options

	mu        sync.Mutex
	builder   history.Builder  // guarded by mu
	written   map[write]string // guarded by mu: where each value was written to a key
	processes int64            // guarded by mu: how many there were
	counts    Counts           // guarded by mu
	bytes     int              // guarded by mu: of all values
	reasons   map[string]int   // guarded by mu: how often each was why an operation did not succeed
}

// write is a value and the key that it is written to, with their kinds.
type write struct{ key, value string }

// New makes a recorder of an empty history.
func New(o Options) *Recorder {
	if o.Limit <= 0 {
		o.Limit = DefaultLimit
	}
	return &Recorder{o: o, written: map[write]string{}, reasons: map[string]int{}}
}

// Client does one operation at a time.
type Client struct {
	r       *Recorder
	process int64 // guarded by r.mu; -1 when the next operation is to have a new one
	running *Op   // guarded by r.mu
}

// Client makes a client.
func (r *Recorder) Client() *Client { return &Client{r: r, process: -1} }

// Op is an operation that has begun.
type Op struct {
	client  *Client
	f       string
	process int64
	ended   bool // guarded by the recorder's mu
}

// Process is the number of the process that does the operation.
func (o *Op) Process() int64 { return o.process }

// DuplicateError tells that a value is written to a key for the second time: who reads it could not tell whose it is.
type DuplicateError struct{ Value, Key, Where string }

func (e *DuplicateError) Error() string {
	return fmt.Sprintf("%s is written to key %s a second time, first at %s: only values that differ can be told apart", e.Value, e.Key, e.Where)
}

// Invoke begins an operation. where is its place in a script, for the error of a second write of the same value.
func (c *Client) Invoke(f string, v history.Value, where string) (*Op, error) {
	json, err := encode(&v)
	if err != nil {
		return nil, err
	}
	r := c.r
	r.mu.Lock()
	defer r.mu.Unlock()
	if c.running != nil {
		return nil, fmt.Errorf("process %d is at another operation, %s, which has not ended", c.process, c.running.f)
	}
	if r.counts.All() >= r.o.Limit || r.bytes > maxBytes {
		return nil, fmt.Errorf("%w: it has %d operations and %d MiB of values", ErrFull, r.counts.All(), r.bytes>>20)
	}
	if err := r.unique(&v, where); err != nil {
		return nil, err
	}
	if c.process < 0 {
		c.process = r.processes
		r.processes++
	}
	o := &Op{client: c, f: f, process: c.process}
	if err := r.add(&history.Event{Process: o.process, Type: history.Invoke, F: f, Value: v}, json); err != nil {
		return nil, err
	}
	r.counts.Running++
	c.running = o
	return o, nil
}

// End tells how the operation ended. v is what it did and saw; of one that is not OK what it was asked to do counts. why tells
// what was wrong, if anything.
func (o *Op) End(outcome event.Outcome, v history.Value, why string) error {
	e := history.Event{Process: o.process, F: o.f, Error: why, Type: history.Info}
	switch outcome {
	case event.OK:
		e.Type, e.Value = history.OK, v
	case event.Failed:
		e.Type = history.Fail
	}
	json, err := encode(&e.Value)
	if err != nil {
		return err
	}
	c := o.client
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if o.ended {
		return fmt.Errorf("the operation %s of process %d has ended before", o.f, o.process)
	}
	if err := c.r.add(&e, json); err != nil {
		return err
	}
	if e.Type != history.OK {
		if why = short(why); len(c.r.reasons) == maxReasons && c.r.reasons[why] == 0 {
			why = "others"
		}
		c.r.reasons[why]++
	}
	o.ended, c.running = true, nil
	c.r.counts.Running--
	switch e.Type {
	case history.OK:
		c.r.counts.OK++
	case history.Fail:
		c.r.counts.Failed++
	default:
		c.r.counts.Unknown++
		c.process = -1
	}
	return nil
}

// add puts an event at the end. mu is held.
func (r *Recorder) add(e *history.Event, json []byte) error {
	e.Time = r.o.Now()
	if err := r.builder.Add(e); err != nil {
		return err
	}
	r.bytes += len(json)
	if r.o.Emit != nil {
		r.o.Emit(e, json)
	}
	return nil
}

// unique notes the writes of a transaction; one that was there before is an error, and then none is noted. mu is held.
func (r *Recorder) unique(v *history.Value, where string) error {
	var fresh []write
	for i := range v.Items {
		m := v.Items[i].Items
		if len(m) != 3 {
			continue
		}
		if w, ok := m[0].Word(); !ok || w != "w" && w != "append" {
			continue
		}
		w := write{fmt.Sprint(m[1].Kind, m[1].String()), fmt.Sprint(m[2].Kind, m[2].String())}
		before, again := r.written[w]
		for _, x := range fresh {
			if x == w {
				before, again = where, true
			}
		}
		if again {
			return &DuplicateError{m[2].String(), m[1].String(), before}
		}
		fresh = append(fresh, w)
	}
	for _, w := range fresh {
		r.written[w] = where
	}
	return nil
}

func encode(v *history.Value) ([]byte, error) {
	json := history.AppendJSON(nil, v)
	if len(json) > maxValue {
		return nil, fmt.Errorf("the value of an operation has %d MiB, more than %d", len(json)>>20, maxValue>>20)
	}
	return json, nil
}

// shortest is how much of a reason is counted, in bytes: what follows differs each time.
const shortest = 80

// short is a reason up to its first colon: the number and name of the server's error.
func short(why string) string {
	why, _, _ = strings.Cut(why, ":")
	if len(why) > shortest {
		why = strings.ToValidUTF8(why[:shortest], "") + "..."
	}
	return why
}

// maxReasons bounds what Reasons gives.
const maxReasons = 100

// Reasons tells how often each error was why an operation failed or is unknown, up to the error's first colon.
func (r *Recorder) Reasons() map[string]int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.reasons)
}

// Counts is how many operations there were so far.
func (r *Recorder) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.counts
}

// History is what was recorded so far; the recording goes on. What has not ended is of unknown outcome.
func (r *Recorder) History() (*history.History, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.builder.Snapshot()
}
