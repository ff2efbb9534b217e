// Package workload runs random operations on a database so that a checker can judge what their clients saw.
//
// Run makes a table, lets several sessions do the operations of one kind, and writes each down in a recorder. Kinds lists the
// kinds, each with a file. What the operations are follows from the seed alone: the n-th is the same in every run; which
// session does it, and when, is the database's and the scheduler's. How an operation ended is told by the session, from the
// protocol; a session of which that is not known, or that is lost, is replaced by a new one.
package workload

import (
	"cmp"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/history"
	"rig/runtime/history/record"
)

// Conn is a session, which one goroutine uses.
type Conn interface {
	// Exec gives the number of rows that changed.
	Exec(sql string, args ...driver.Value) (int64, error)
	Query(sql string, args ...driver.Value) ([][]driver.Value, error)
	// Numbers reads a column of any length.
	Numbers(sql string) ([]int64, error)
	// Work begins a piece of work; what it returns tells how the work ended, given that its caller met an error or not.
	Work() func(failed bool) (event.Outcome, error)
	Lost() bool
	Close()
}

// Options of a run. Duration and Count bound it; one of them must be there.
type Options struct {
	Kind     string
	Table    string // a name of which nothing exists yet
	Seed     uint64
	Sessions int
	Count    int
	Duration time.Duration

	Keys      int   // that are in use at a time; bank: accounts, long_fork: of a group
	MaxOps    int   // of a transaction, which has at least one
	MaxWrites int   // to a key, which then makes place for a new one
	Balance   int64 // bank: of each account at the start
	Reads     bool  // set: read now and then, not only at the end
	ReadFirst bool  // counter: add by reading and writing, not in one statement

	Open     func(ctx context.Context) (Conn, error)
	Recorder *record.Recorder
	Tell     func(c record.Counts, over bool) // how far it is, a few times a second; may be nil
}

// operation is one that is about to begin.
type operation struct {
	f     string
	value history.Value
	// do does it, and gives what it did and saw.
	do func(c Conn) (history.Value, error)
}

// kind makes the operations of a workload. next is called by one goroutine at a time.
type kind interface {
	// create makes the table, whether or not a part of it was made before.
	create(c Conn) error
	next(r *rand.Rand) operation
	// last is done when all others have ended; nil is none.
	last() *operation
}

// kinds are the workloads by name.
var kinds = map[string]func(o *Options) kind{
	"list_append": newLists, "register": newRegisters, "bank": newBank, "set": newSet, "counter": newCounter,
	"long_fork": newLongFork, "cas_register": newCAS,
}

// Model is the model by which the history of a workload is checked.
func Model(o Options) string {
	if o.Kind == "set" && o.Reads {
		return "set-full"
	}
	return map[string]string{
		"list_append": "list-append", "register": "rw-register", "bank": "bank", "set": "set", "counter": "counter",
		"long_fork": "long-fork", "cas_register": "cas-register",
	}[o.Kind]
}

// Run runs the workload to its end. Errors of single operations are in the history; an error here means that it makes no
// sense to go on: the database refuses what the workload is made of, or cannot be reached.
func Run(ctx context.Context, o Options) error {
	make := kinds[o.Kind]
	if make == nil {
		return fmt.Errorf("there is no workload %q", o.Kind)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &runner{o: &o, kind: make(&o), rand: rand.New(rand.NewPCG(o.Seed, 0x68697374)), stop: stop}
	if err := r.prepare(ctx); err != nil {
		return err
	}
	r.until = time.Now().Add(o.Duration)
	var wg sync.WaitGroup
	for range o.Sessions {
		wg.Go(func() { r.work(ctx, o.Recorder.Client()) })
	}
	wg.Wait()
	err := context.Cause(ctx)
	if err == nil {
		err = r.finish(ctx)
	}
	if o.Tell != nil {
		o.Tell(o.Recorder.Counts(), true)
	}
	if errors.Is(err, record.ErrFull) {
		return nil
	}
	return err
}

// runner is a run that is under way.
type runner struct {
	o     *Options
	kind  kind
	stop  context.CancelCauseFunc
	until time.Time

	mu    sync.Mutex
	rand  *rand.Rand // guarded by mu
	begun int        // guarded by mu: operations
	told  time.Time  // guarded by mu: when Tell was called last
}

// tellEvery is how often Tell is called.
const tellEvery = 250 * time.Millisecond

// next gives the next operation; false when there is none.
func (r *runner) next() (operation, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.o.Count > 0 && r.begun >= r.o.Count || r.o.Duration > 0 && now.After(r.until) {
		return operation{}, false
	}
	if r.o.Tell != nil && now.Sub(r.told) >= tellEvery {
		r.told = now
		r.o.Tell(r.o.Recorder.Counts(), false)
	}
	r.begun++
	return r.kind.next(r.rand), true
}

// work does operations until there are none, on one session after the other.
func (r *runner) work(ctx context.Context, client *record.Client) {
	var c Conn
	defer func() {
		if c != nil {
			c.Close()
		}
	}()
	for ctx.Err() == nil {
		if c == nil {
			var err error
			if c, err = r.connect(ctx); err != nil {
				r.stop(err)
				return
			}
			if c == nil {
				return
			}
		}
		op, more := r.next()
		if !more {
			return
		}
		keep, err := r.one(client, c, op)
		if err != nil {
			r.stop(err)
			return
		}
		if !keep {
			c.Close()
			c = nil
		}
	}
}

// one does an operation and writes it down. keep says that the session may be used again.
func (r *runner) one(client *record.Client, c Conn, op operation) (keep bool, err error) {
	outcome := c.Work()
	o, err := client.Invoke(op.f, op.value, "")
	if err != nil {
		return false, err
	}
	v, failure := op.do(c)
	ended, err := outcome(failure != nil)
	why := ""
	if failure != nil {
		why = reason(failure)
	}
	if err := errors.Join(err, o.End(ended, v, why)); err != nil {
		return false, err
	}
	if hopeless(failure) {
		return false, failure
	}
	return !c.Lost() && ended != event.Unknown, nil
}

// reason is an error as the history has it: the server's own words.
func reason(err error) string {
	c := fault.Classify(err)
	switch {
	case c.Code != 0:
		return fmt.Sprintf("%d %s: %s", c.Code, c.Name, c.Message)
	case c.Kind != fault.Other:
		return fmt.Sprintf("%s: %s", c.Kind, c.Message)
	}
	return err.Error()
}

// hopeless tells the errors that come back whenever the statement does: the database cannot do what the workload is made of.
func hopeless(err error) bool {
	return err != nil && fault.IsKind(err, fault.Syntax, fault.InvalidStatement, fault.UnknownTable, fault.UnknownColumn, fault.UnknownDatabase,
		fault.AccessDenied, fault.Unsupported, fault.BadArgument, fault.Refused, fault.DataTooLong, fault.OutOfRange, fault.ReadOnly)
}

// The bounds of connecting again.
const (
	leastPause = 5 * time.Millisecond
	mostPause  = 250 * time.Millisecond
	giveUp     = 30 * time.Second
)

// passing tells the errors of a server that is down for a while, or at which somebody kills sessions and statements.
func passing(err error) bool {
	return fault.IsKind(err, fault.ConnectionRefused, fault.ConnectionLost, fault.ServerShutdown, fault.ServerBusy, fault.TooManyConnections,
		fault.HostUnreachable, fault.Timeout, fault.Interrupted, fault.SessionClosed)
}

// prepare makes the table. Faults may have begun already, so it is done again where they hit it.
func (r *runner) prepare(ctx context.Context) error {
	r.until = time.Now().Add(giveUp)
	for {
		c, err := r.connect(ctx)
		if err != nil {
			return err
		}
		if c == nil {
			return cmp.Or(context.Cause(ctx), errNoTable)
		}
		err = r.kind.create(c)
		c.Close()
		if err == nil || !passing(err) || time.Now().After(r.until) {
			return err
		}
	}
}

// errNoTable is what a server gets that is never up for long enough.
var errNoTable = errors.New("the table of the workload could not be made: the server was down, or sessions were killed, all the time")

// connect opens a session, also while the server is down for a while; nil without an error when the run is over meanwhile.
func (r *runner) connect(ctx context.Context) (Conn, error) {
	begin, pause := time.Now(), leastPause
	for {
		c, err := r.o.Open(ctx)
		switch {
		case err == nil:
			return c, nil
		case ctx.Err() != nil, r.o.Duration > 0 && time.Now().After(r.until):
			return nil, nil
		case time.Since(begin) > giveUp || !passing(err):
			return nil, err
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
		}
		pause = min(2*pause, mostPause)
	}
}

// finish does the last operation, again until it is known.
func (r *runner) finish(ctx context.Context) error {
	op := r.kind.last()
	if op == nil {
		return nil
	}
	r.until = time.Now().Add(giveUp) // whatever was said of the workload itself
	client := r.o.Recorder.Client()
	for range 100 {
		c, err := r.connect(ctx)
		if err != nil || c == nil {
			return err
		}
		before := r.o.Recorder.Counts().OK
		_, err = r.one(client, c, *op)
		c.Close()
		if err != nil || r.o.Recorder.Counts().OK > before {
			return err
		}
	}
	return nil // it was never read: the checker says so
}

// transaction does body within a transaction, which is rolled back after an error.
func transaction(c Conn, body func() error) error {
	if _, err := c.Exec("START TRANSACTION"); err != nil {
		return err
	}
	err := body()
	if err == nil {
		_, err = c.Exec("COMMIT")
	}
	if err != nil && !c.Lost() {
		_, _ = c.Exec("ROLLBACK") // the session knows whether it was heard
	}
	return err
}

// number gives the only value of a result, which is a number; ok is false where there is no row or no value.
func number(rows [][]driver.Value) (n int64, ok bool, err error) {
	if len(rows) == 0 || len(rows[0]) == 0 || rows[0][0] == nil {
		return 0, false, nil
	}
	n, err = integer(rows[0][0])
	return n, err == nil, err
}

func integer(v driver.Value) (int64, error) {
	switch v := v.(type) {
	case int64:
		return v, nil
	case uint64:
		return int64(v), nil
	}
	return 0, fmt.Errorf("the database gave %v (%T) where a number was written", v, v)
}

func num(n int64) history.Value { return history.Value{Kind: history.Int, Int: n} }

func word(w string) history.Value { return history.Value{Kind: history.Keyword, Text: ":" + w} }

func list(items ...history.Value) history.Value {
	return history.Value{Kind: history.List, Items: items}
}

func mapping(items ...history.Value) history.Value {
	return history.Value{Kind: history.Map, Items: items}
}
