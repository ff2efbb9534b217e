package workload

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/history"
	"rig/runtime/history/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// script is a database that answers as fail says; rows are empty.
type script struct {
	fail   func(sql string) (event.Outcome, error) // nil: all is well
	open   func(n int) error                       // nil: always
	opened atomic.Int32
	closed atomic.Int32
	mu     sync.Mutex
	said   []string // guarded by mu
	pause  time.Duration
}

type scripted struct {
	s    *script
	last event.Outcome
	lost bool
}

func (s *script) connect(context.Context) (Conn, error) {
	n := int(s.opened.Add(1))
	if s.open != nil {
		if err := s.open(n); err != nil {
			s.opened.Add(-1)
			return nil, err
		}
	}
	return &scripted{s: s}, nil
}

func (c *scripted) Exec(sql string, _ ...driver.Value) (int64, error) {
	c.s.mu.Lock()
	c.s.said = append(c.s.said, sql)
	c.s.mu.Unlock()
	if c.s.pause > 0 {
		time.Sleep(c.s.pause)
	}
	if c.s.fail != nil {
		if how, err := c.s.fail(sql); err != nil {
			c.last = how
			c.lost = fault.IsKind(err, fault.ConnectionLost)
			return 0, err
		}
	}
	return 1, nil
}

func (c *scripted) Query(sql string, _ ...driver.Value) ([][]driver.Value, error) {
	_, err := c.Exec(sql)
	return nil, err
}

func (c *scripted) Numbers(sql string) ([]int64, error) { _, err := c.Exec(sql); return nil, err }

func (c *scripted) Work() func(bool) (event.Outcome, error) {
	c.last = event.OK
	return func(bool) (event.Outcome, error) { return c.last, nil }
}

func (c *scripted) Lost() bool { return c.lost }
func (c *scripted) Close()     { c.s.closed.Add(1) }

func options(s *script, kind string) Options {
	return Options{
		Kind: kind, Table: "t", Seed: 7, Sessions: 4, Count: 200, Keys: 3, MaxOps: 4, MaxWrites: 10, Balance: 100,
		Open: s.connect, Recorder: record.New(record.Options{Now: func() int64 { return 0 }}),
	}
}

// TestSeed: the operations follow from the seed.
func TestSeed(t *testing.T) {
	for name, make := range kinds {
		list := func(seed uint64) string {
			o := Options{Kind: name, Table: "t", Keys: 3, MaxOps: 4, MaxWrites: 10, Balance: 100, Reads: true}
			k, r := make(&o), rand.New(rand.NewPCG(seed, 1))
			var b strings.Builder
			for range 300 {
				op := k.next(r)
				fmt.Fprintln(&b, op.f, op.value.String())
			}
			return b.String()
		}
		if first, again := list(1), list(1); first != again {
			t.Errorf("%s: the same seed gives other operations", name)
		}
		if name != "set" && list(1) == list(2) { // a set's elements are counted
			t.Errorf("%s: another seed gives the same operations", name)
		}
	}
}

// TestWritesAreUnique: no value is written twice to a key, whatever becomes of it, and keys make place for others.
func TestWritesAreUnique(t *testing.T) {
	for _, name := range []string{"list_append", "register", "long_fork"} {
		o := options(nil, name)
		k, r := kinds[name](&o), rand.New(rand.NewPCG(1, 1))
		seen, keys := map[string]bool{}, map[int64]bool{}
		for range 2000 {
			for _, m := range k.next(r).value.Items {
				keys[m.Items[1].Int] = true
				if w, _ := m.Items[0].Word(); w == "r" {
					continue
				}
				text := fmt.Sprint(m.Items[1].Int, " ", m.Items[2].Int)
				if seen[text] {
					t.Fatalf("%s: %s is written twice", name, text)
				}
				seen[text] = true
			}
		}
		if len(keys) < 50 {
			t.Errorf("%s: only %d keys", name, len(keys))
		}
	}
}

// TestEveryKind runs to its count, with every operation written down and every session closed.
func TestEveryKind(t *testing.T) {
	for name := range kinds {
		s := &script{}
		o := options(s, name)
		var told atomic.Int32
		o.Tell = func(_ record.Counts, over bool) {
			if over {
				told.Add(1)
			}
		}
		if err := Run(context.Background(), o); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if n := o.Recorder.Counts().All(); n < 200 || n > 310 {
			t.Errorf("%s: %d operations", name, n)
		}
		if told.Load() != 1 || s.opened.Load() != s.closed.Load() {
			t.Errorf("%s: told %d times, %d sessions opened, %d closed", name, told.Load(), s.opened.Load(), s.closed.Load())
		}
	}
	if err := Run(context.Background(), Options{Kind: "nothing"}); err == nil {
		t.Error("a workload that does not exist ran")
	}
}

// TestUnknownOutcome: an operation of which nobody knows is written down as such, its session is replaced, and the next one
// is of a new process.
func TestUnknownOutcome(t *testing.T) {
	var n atomic.Int32
	s := &script{fail: func(sql string) (event.Outcome, error) {
		if sql == "COMMIT" && n.Add(1)%10 == 0 {
			return event.Unknown, fault.New(fault.ConnectionLost, "", "the reply was lost")
		}
		return event.OK, nil
	}}
	o := options(s, "list_append")
	if err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	c := o.Recorder.Counts()
	if c.Unknown != 20 || c.OK != 180 || c.Failed != 0 {
		t.Errorf("%+v", c)
	}
	if got := s.opened.Load(); got < 21 || got > 26 || got != s.closed.Load() {
		t.Errorf("%d sessions opened, %d closed", got, s.closed.Load())
	}
	if o.Recorder.Reasons()["connection_lost"] != 20 {
		t.Errorf("%v", o.Recorder.Reasons())
	}
	h, err := o.Recorder.History()
	if err != nil {
		t.Fatal(err)
	}
	ended := map[int64]bool{}
	for i := range h.Ops {
		op := &h.Ops[i]
		if ended[op.Process] {
			t.Fatalf("process %d goes on after an unknown operation", op.Process)
		}
		ended[op.Process] = op.Type == history.Info
	}
}

// TestFailure: an operation that failed is rolled back and written down, and its session goes on.
func TestFailure(t *testing.T) {
	s := &script{fail: func(sql string) (event.Outcome, error) {
		if strings.HasPrefix(sql, "INSERT") {
			return event.Failed, fault.Wrap("", "", "", &fault.Error{Class: fault.Class{Kind: fault.Deadlock, Code: 1213, Name: "ER_LOCK_DEADLOCK", Message: "Deadlock found"}})
		}
		return event.OK, nil
	}}
	o := options(s, "list_append")
	if err := Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	c := o.Recorder.Counts()
	if c.Failed == 0 || c.Unknown != 0 || o.Recorder.Reasons()["1213 ER_LOCK_DEADLOCK"] != c.Failed {
		t.Errorf("%+v, %v", c, o.Recorder.Reasons())
	}
	rolledBack := 0
	for _, sql := range s.said {
		if sql == "ROLLBACK" {
			rolledBack++
		}
	}
	if rolledBack != c.Failed || s.opened.Load() != 5 {
		t.Errorf("%d rolled back of %d, %d sessions", rolledBack, c.Failed, s.opened.Load())
	}
}

// TestHopeless: what the database cannot do ends the run with its error.
func TestHopeless(t *testing.T) {
	for _, kind := range []fault.Kind{fault.UnknownTable, fault.AccessDenied, fault.Syntax} {
		s := &script{fail: func(sql string) (event.Outcome, error) {
			if strings.HasPrefix(sql, "INSERT") {
				return event.Failed, fault.New(kind, "", "no")
			}
			return event.OK, nil
		}}
		if err := Run(context.Background(), options(s, "set")); !fault.IsKind(err, kind) {
			t.Errorf("%s: %v", kind, err)
		}
		if s.opened.Load() != s.closed.Load() {
			t.Errorf("%s: %d sessions opened, %d closed", kind, s.opened.Load(), s.closed.Load())
		}
	}
}

// TestServerIsDown: sessions come back when the server does; one that stays away ends the run.
func TestServerIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		down := func() bool { d := time.Since(begin); return d > time.Second && d < 5*time.Second }
		s := &script{pause: time.Millisecond}
		s.fail = func(string) (event.Outcome, error) {
			if down() {
				return event.Failed, fault.New(fault.ConnectionLost, "", "gone")
			}
			return event.OK, nil
		}
		s.open = func(int) error {
			if down() {
				return fault.New(fault.ConnectionRefused, "", "nobody listens")
			}
			return nil
		}
		o := options(s, "list_append")
		o.Count, o.Duration = 0, 10*time.Second
		if err := Run(t.Context(), o); err != nil {
			t.Error(err)
		}
		if c := o.Recorder.Counts(); c.Failed != 4 || c.OK < 1000 {
			t.Errorf("%+v", c)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		s := &script{open: func(n int) error {
			if n > 1 {
				return fault.New(fault.ConnectionRefused, "", "nobody listens")
			}
			return nil
		}}
		if err := Run(t.Context(), options(s, "set")); !fault.IsKind(err, fault.ConnectionRefused) {
			t.Errorf("%v", err)
		}
	})
}

// TestFaultsFromTheBegin: what hits the making of the table ends nothing.
func TestFaultsFromTheBegin(t *testing.T) {
	for name := range kinds {
		var n atomic.Int32
		s := &script{fail: func(string) (event.Outcome, error) {
			if n.Add(1) <= 3 {
				return event.Unknown, fault.New(fault.ConnectionLost, "", "killed")
			}
			return event.OK, nil
		}}
		o := options(s, name)
		if err := Run(context.Background(), o); err != nil || o.Recorder.Counts().Unknown != 0 {
			t.Errorf("%s: %v, %+v", name, err, o.Recorder.Counts())
		}
	}
}

// TestStop: the end of the test ends the run, with its cause.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancelCause(t.Context())
		over := errors.New("the test is over")
		time.AfterFunc(time.Second, func() { stop(over) })
		s := &script{pause: time.Millisecond}
		o := options(s, "register")
		o.Count, o.Duration = 0, time.Hour
		if err := Run(ctx, o); !errors.Is(err, over) {
			t.Errorf("%v", err)
		}
	})
}

// TestFull: a history that has all the operations it may have ends the run without an error.
func TestFull(t *testing.T) {
	s := &script{}
	o := options(s, "list_append")
	o.Recorder = record.New(record.Options{Now: func() int64 { return 0 }, Limit: 50})
	if err := Run(context.Background(), o); err != nil || o.Recorder.Counts().All() != 50 {
		t.Errorf("%v, %+v", err, o.Recorder.Counts())
	}
}

// TestBroken: rows that are none of what was written are an error of the operation, not of rig.
func TestBroken(t *testing.T) {
	if _, err := parseList([][]driver.Value{{[]byte("1,x")}}); err == nil || !strings.Contains(err.Error(), `"x"`) {
		t.Errorf("%v", err)
	}
	if _, err := parseRegister([][]driver.Value{{"5"}}); err == nil {
		t.Error("a text was taken for a number")
	}
	if v, err := parseRegister([][]driver.Value{{nil}}); err != nil || v.Kind != history.NilValue {
		t.Errorf("%v, %v", v, err)
	}
}
