package record

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"rig/runtime/event"
	"rig/runtime/history"
)

func num(n int64) history.Value { return history.Value{Kind: history.Int, Int: n} }

func list(items ...history.Value) history.Value {
	return history.Value{Kind: history.List, Items: items}
}

func mop(word string, key, val history.Value) history.Value {
	return list(list(history.Value{Kind: history.Keyword, Text: ":" + word}, key, val))
}

// ticking is a clock that goes on by one at each look.
func ticking() func() int64 {
	now := int64(0)
	return func() int64 { now++; return now }
}

// TestProcesses: what is unknown retires its process, what failed does not; what has not ended is unknown.
func TestProcesses(t *testing.T) {
	var log strings.Builder
	r := New(Options{Now: ticking(), Emit: func(e *history.Event, value []byte) {
		fmt.Fprintf(&log, "%d %d %s %s %s %s\n", e.Time, e.Process, e.Type, e.F, value, e.Error)
	}})
	a, b := r.Client(), r.Client()
	do := func(c *Client, outcome event.Outcome, why string) {
		t.Helper()
		o, err := c.Invoke("add", num(5), "")
		if err != nil {
			t.Fatal(err)
		}
		if err := o.End(outcome, num(6), why); err != nil {
			t.Fatal(err)
		}
		if err := o.End(outcome, num(6), why); err == nil || !strings.Contains(err.Error(), "has ended before") {
			t.Errorf("ended twice: %v", err)
		}
	}
	do(a, event.OK, "")
	do(b, event.Failed, "no")
	do(b, event.Unknown, "lost")
	do(b, event.OK, "")
	do(a, event.OK, "")
	if _, err := a.Invoke("read", history.Value{}, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Invoke("read", history.Value{}, ""); err == nil || !strings.Contains(err.Error(), "has not ended") {
		t.Errorf("two at once: %v", err)
	}
	want := `1 0 invoke add 5 
2 0 ok add 6 
3 1 invoke add 5 
4 1 fail add null no
5 1 invoke add 5 
6 1 info add null lost
7 2 invoke add 5 
8 2 ok add 6 
9 0 invoke add 5 
10 0 ok add 6 
11 0 invoke read null 
`
	if log.String() != want {
		t.Errorf("got\n%swant\n%s", log.String(), want)
	}
	h, err := r.History()
	if err != nil || len(h.Ops) != 6 || h.Ops[5].Type != history.Info || h.Errors[2] != "lost" {
		t.Errorf("%+v, %v", h, err)
	}
	if got, want := r.Counts(), (Counts{OK: 3, Failed: 1, Unknown: 1, Running: 1}); got != want {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

// TestDuplicates: a second write of a value to a key is refused with the place of the first, also of one that failed.
func TestDuplicates(t *testing.T) {
	r := New(Options{Now: ticking()})
	c := r.Client()
	x := history.Value{Kind: history.Text, Text: "x"}
	o, err := c.Invoke("txn", mop("append", x, num(1)), "a.star:3:5")
	if err != nil {
		t.Fatal(err)
	}
	if err := o.End(event.Failed, history.Value{}, "no"); err != nil {
		t.Fatal(err)
	}
	_, err = c.Invoke("txn", mop("append", x, num(1)), "a.star:9:5")
	var again *DuplicateError
	if !errors.As(err, &again) || again.Where != "a.star:3:5" || !strings.Contains(err.Error(), "1 is written to key x a second time, first at a.star:3:5") {
		t.Errorf("%v", err)
	}
	two := list(mop("w", x, num(7)).Items[0], mop("w", x, num(7)).Items[0])
	if _, err = c.Invoke("txn", two, "a.star:10:5"); !errors.As(err, &again) || again.Where != "a.star:10:5" {
		t.Errorf("within one transaction: %v", err)
	}
	for _, v := range []history.Value{mop("append", num(1), num(1)), mop("w", x, history.Value{Kind: history.Text, Text: "1"}), mop("r", x, num(1)), mop("w", x, num(7))} {
		o, err := c.Invoke("txn", v, "a.star:11:5")
		if err != nil {
			t.Fatalf("%s: %v", v.String(), err)
		}
		if err := o.End(event.OK, v, ""); err != nil {
			t.Fatal(err)
		}
	}
}

// TestBounds: neither operations nor their values are without bound.
func TestBounds(t *testing.T) {
	r := New(Options{Now: ticking(), Limit: 2})
	for range 2 {
		if _, err := r.Client().Invoke("add", num(1), ""); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := r.Client().Invoke("add", num(1), ""); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	big := history.Value{Kind: history.Text, Text: strings.Repeat("x", maxValue)}
	if _, err := New(Options{Now: ticking()}).Client().Invoke("add", big, ""); err == nil || !strings.Contains(err.Error(), "3 MiB, more than 3") {
		t.Errorf("%v", err)
	}
}

// TestManyClients: the events of clients that run at once are in the order of their times, and each process does one
// operation at a time, which the builder checks.
func TestManyClients(t *testing.T) {
	last := int64(0)
	r := New(Options{Now: ticking(), Emit: func(e *history.Event, _ []byte) {
		if e.Time != last+1 {
			t.Errorf("time %d after %d", e.Time, last)
		}
		last = e.Time
	}})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			c := r.Client()
			for i := range 200 {
				o, err := c.Invoke("add", num(int64(i)), "")
				if err != nil {
					t.Error(err)
					return
				}
				if err := o.End([]event.Outcome{event.OK, event.Failed, event.Unknown}[i%3], num(1), ""); err != nil {
					t.Error(err)
				}
				if i%50 == 0 {
					if _, err := r.History(); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if h, err := r.History(); err != nil || len(h.Ops) != 1600 || h.Events != 3200 {
		t.Errorf("%v", err)
	}
}
