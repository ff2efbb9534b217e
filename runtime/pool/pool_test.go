package pool

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/event"
	"rig/runtime/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a connection without a server.
type fake struct {
	n        int
	dead     bool
	dirty    bool // Recycle fails
	asked    int
	recycled int
	closed   atomic.Bool
	users    atomic.Int32
}

func (f *fake) Check(ask bool) error {
	if ask {
		f.asked++
	}
	if f.dead {
		return errors.New("dead")
	}
	return nil
}

func (f *fake) Recycle() error {
	f.recycled++
	if f.dirty {
		return errors.New("cannot be recycled")
	}
	return nil
}

func (f *fake) Close() error {
	if f.closed.Swap(true) {
		panic("closed twice")
	}
	return nil
}

// source opens fakes and remembers them.
type source struct {
	mu   sync.Mutex
	made []*fake
	fail error
	slow time.Duration
}

func (s *source) open(ctx context.Context, n int) (*fake, error) {
	if s.slow > 0 {
		time.Sleep(s.slow)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fail != nil {
		return nil, s.fail
	}
	f := &fake{n: n}
	s.made = append(s.made, f)
	return f, nil
}

func (s *source) live() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, f := range s.made {
		if !f.closed.Load() {
			n++
		}
	}
	return n
}

func at(line int32) event.Pos { return event.Pos{File: "p.star", Line: line} }

func who(name string, line int32) Holder { return Holder{Name: name, Pos: at(line)} }

// try makes a pool with a time-out of 5s on fakes.
func try(t *testing.T, size int, change func(*Options[*fake])) (*Pool[*fake], *source) {
	t.Helper()
	s := &source{}
	o := Options[*fake]{Name: "pool", Size: size, AcquireTimeout: 5 * time.Second, Open: s.open, Pos: at(1), Doing: func(f *fake) string {
		return fmt.Sprintf("running statement %d", f.n)
	}}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p, s
}

func acquire(t *testing.T, p *Pool[*fake], name string, line int32) *Lease[*fake] {
	t.Helper()
	l, err := p.Acquire(t.Context(), who(name, line))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func release(t *testing.T, p *Pool[*fake], l *Lease[*fake]) {
	t.Helper()
	if err := p.Release(l, at(99)); err != nil {
		t.Fatal(err)
	}
}

func fails(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if !fault.IsKind(err, kind) {
		t.Fatalf("got %v, want an error of kind %s", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
}

func TestSizeIsChecked(t *testing.T) {
	for _, size := range []int{-1, 0, MaxSize + 1} {
		_, err := New(Options[*fake]{Size: size})
		fails(t, err, fault.BadArgument, fmt.Sprint(size))
	}
}

func TestReuse(t *testing.T) {
	p, s := try(t, 3, nil)
	a, b := acquire(t, p, "a", 2), acquire(t, p, "b", 3)
	release(t, p, a)
	release(t, p, b)
	if c := acquire(t, p, "c", 4); c.Conn != b.Conn || c.Conn.recycled != 1 {
		t.Errorf("got connection %d, recycled %d times; want the one released last", c.Conn.n, c.Conn.recycled)
	} else {
		release(t, p, c)
	}
	got, want := p.Stats(), Stats{Size: 3, Open: 2, Idle: 2, Acquired: 3, Created: 2}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if left := p.Close(at(5)); len(left) > 0 || s.live() > 0 {
		t.Errorf("%d held, %d open after Close", len(left), s.live())
	}
	if got := p.Stats(); got.Open != 0 || got.Closed != 2 {
		t.Errorf("%+v", got)
	}
}

func TestExhaustionNamesTheHolders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := try(t, 2, nil)
		a := acquire(t, p, "task work#1", 10)
		time.Sleep(time.Second)
		b := acquire(t, p, "task work#2", 20)
		start := time.Now()
		_, err := p.Acquire(t.Context(), who("late", 30))
		if d := time.Since(start); d != 5*time.Second {
			t.Errorf("it took %s", d)
		}
		fails(t, err, fault.Timeout, "within 5s", "2 of 2 are in use", "task work#1 took one at p.star:10, 6s ago, running statement 1; task work#2 took one at p.star:20, 5s ago, running statement 2")
		if s := p.Stats(); s.Timeouts != 1 || s.Waits != 1 || s.WaitTime != 5*time.Second || s.Waiting != 0 {
			t.Errorf("%+v", s)
		}
		release(t, p, a)
		release(t, p, b)
		p.Close(at(40))
	})
}

func TestExhaustionOfManyIsCut(t *testing.T) {
	p, _ := try(t, named+3, func(o *Options[*fake]) { o.AcquireTimeout = 0 })
	for i := range named + 3 {
		acquire(t, p, fmt.Sprint("task ", i), 7)
	}
	_, err := p.Acquire(t.Context(), who("late", 8))
	fails(t, err, fault.Timeout, "11 of 11 are in use", "and 3 more")
}

func TestWaitersInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := try(t, 1, nil)
		l := acquire(t, p, "first", 1)
		var order []int
		var mu sync.Mutex
		for i := range 3 {
			go func() {
				l := acquire(t, p, fmt.Sprint(i), 2)
				mu.Lock()
				order = append(order, i)
				mu.Unlock()
				time.Sleep(time.Second)
				release(t, p, l)
			}()
			synctest.Wait()
		}
		time.Sleep(time.Second)
		release(t, p, l)
		time.Sleep(4 * time.Second)
		synctest.Wait()
		if fmt.Sprint(order) != "[0 1 2]" {
			t.Errorf("served in the order %v", order)
		}
		if s := p.Stats(); s.Created != 1 || s.Waits != 3 || s.WaitTime != (1+2+3)*time.Second {
			t.Errorf("%+v", s)
		}
		p.Close(at(9))
	})
}

func TestHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := try(t, 2, nil)
		release(t, p, acquire(t, p, "a", 1))
		time.Sleep(CheckAfter / 2)
		release(t, p, acquire(t, p, "a", 1))
		if n := s.made[0].asked; n != 0 {
			t.Errorf("asked %d times although it was in use just now", n)
		}
		time.Sleep(CheckAfter + time.Millisecond)
		l := acquire(t, p, "a", 1)
		if n := l.Conn.asked; n != 1 {
			t.Errorf("asked %d times after a rest, want once", n)
		}
		l.Conn.dead = true
		b := acquire(t, p, "b", 1)
		release(t, p, b)
		release(t, p, l)
		if c := acquire(t, p, "a", 1); c.Conn != b.Conn {
			t.Error("the dead connection was lent")
		} else if d := acquire(t, p, "b", 1); d.Conn == l.Conn || d.Conn.n != 3 {
			t.Errorf("got connection %d, want a third", d.Conn.n)
		}
		if st := p.Stats(); !s.made[0].closed.Load() || st.Created != 3 || st.Closed != 1 || st.Open != 2 {
			t.Errorf("%+v", st)
		}
		p.Close(at(9))
	})
}

func TestWhatCannotBeRecycledIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := try(t, 1, nil)
		l := acquire(t, p, "a", 1)
		l.Conn.dirty = true
		got := make(chan int)
		go func() {
			b := acquire(t, p, "b", 2)
			release(t, p, b)
			got <- b.Conn.n
		}()
		synctest.Wait()
		release(t, p, l)
		if n := <-got; n != 2 || !s.made[0].closed.Load() {
			t.Errorf("the waiter got connection %d, want a new one", n)
		}
		p.Close(at(3))
	})
}

func TestAges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := try(t, 3, func(o *Options[*fake]) { o.MaxIdle, o.MaxLifetime = time.Minute, 3*time.Minute })
		a, b := acquire(t, p, "a", 1), acquire(t, p, "b", 1)
		release(t, p, a)
		time.Sleep(30 * time.Second)
		release(t, p, b)
		time.Sleep(31 * time.Second)
		synctest.Wait()
		if n := s.live(); n != 1 || !a.Conn.closed.Load() {
			t.Errorf("%d live a minute after the first became idle, want 1", n)
		}
		for range 4 { // it is never idle for a minute, but grows old
			time.Sleep(40 * time.Second)
			release(t, p, acquire(t, p, "b", 1))
		}
		if !b.Conn.closed.Load() {
			t.Error("a connection outlived its lifetime")
		}
		if st := p.Stats(); st.Created != 3 || st.Closed != 2 || st.Open != 1 {
			t.Errorf("%+v", st)
		}
		time.Sleep(time.Hour)
		if st := p.Stats(); st.Open != 0 || s.live() != 0 {
			t.Errorf("an hour later: %+v", st)
		}
		release(t, p, acquire(t, p, "c", 1))
		p.Close(at(2)) // with a sweep planned: goleak would find its timer's goroutine
	})
}

func TestLifetimeEndsWhileLent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := try(t, 1, func(o *Options[*fake]) { o.MaxLifetime = time.Minute })
		l := acquire(t, p, "a", 1)
		time.Sleep(2 * time.Minute)
		release(t, p, l)
		if l.Conn.recycled != 0 || s.live() != 0 {
			t.Errorf("recycled %d times, %d live; want it closed", l.Conn.recycled, s.live())
		}
		p.Close(at(2))
	})
}

func TestMisuse(t *testing.T) {
	p, _ := try(t, 2, nil)
	q, _ := try(t, 1, func(o *Options[*fake]) { o.Pos = at(2) })
	l := acquire(t, p, "a", 3)
	fails(t, q.Release(l, at(4)), fault.BadArgument, "another pool", "p.star:1")
	release(t, p, l)
	fails(t, p.Release(l, at(5)), fault.SessionClosed, "released already at p.star:99")
	fails(t, p.Drop(l, at(5)), fault.SessionClosed, "released already")

	l = acquire(t, p, "a", 6)
	if left := p.Close(at(7)); len(left) != 1 || left[0].Holder != who("a", 6) || left[0].Lease != l {
		t.Errorf("%+v", left)
	}
	_, err := p.Acquire(t.Context(), who("b", 8))
	fails(t, err, fault.SessionClosed, "pool was closed at p.star:7")
	release(t, p, l)
	if !l.Conn.closed.Load() || p.Stats().Open != 0 {
		t.Errorf("a connection released to a closed pool stays open: %+v", p.Stats())
	}
	if left := p.Close(at(9)); len(left) != 0 {
		t.Errorf("%+v", left)
	}
	q.Close(at(9))
}

func TestWaitersEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, _ := try(t, 1, nil)
		l := acquire(t, p, "a", 1)
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, 2)
		go func() { _, err := p.Acquire(ctx, who("b", 2)); errs <- err }()
		synctest.Wait()
		stop := errors.New("the test has ended")
		cancel(stop)
		if err := <-errs; !errors.Is(err, stop) {
			t.Errorf("got %v, want the cause", err)
		}
		if _, err := p.Acquire(ctx, who("b", 2)); !errors.Is(err, stop) {
			t.Errorf("got %v, want the cause", err)
		}
		go func() { _, err := p.Acquire(t.Context(), who("c", 3)); errs <- err }()
		synctest.Wait()
		p.Close(at(4))
		fails(t, <-errs, fault.SessionClosed, "closed at p.star:4")
		release(t, p, l)
	})
}

// A place whose connection could not be opened goes to the next in the queue.
func TestOpenFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := try(t, 1, nil)
		s.slow, s.fail = time.Second, errors.New("refused")
		errs := make(chan error, 2)
		for range 2 {
			go func() { _, err := p.Acquire(t.Context(), who("a", 1)); errs <- err }()
		}
		for range 2 {
			if err := <-errs; !errors.Is(err, s.fail) {
				t.Errorf("got %v", err)
			}
		}
		if st := p.Stats(); st.Open != 0 || st.Created != 0 {
			t.Errorf("%+v", st)
		}
		s.fail = nil
		release(t, p, acquire(t, p, "b", 2))
		p.Close(at(3))
	})
}

func TestClosedWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, s := try(t, 1, nil)
		s.slow = time.Second
		errs := make(chan error)
		go func() { _, err := p.Acquire(t.Context(), who("a", 1)); errs <- err }()
		synctest.Wait()
		p.Close(at(2))
		fails(t, <-errs, fault.SessionClosed)
		if s.live() != 0 || p.Stats().Open != 0 {
			t.Errorf("%d live, %+v", s.live(), p.Stats())
		}
	})
}

// TestMany: no connection has two holders at once, and none is lost.
func TestMany(t *testing.T) {
	p, s := try(t, 4, func(o *Options[*fake]) { o.MaxIdle = time.Millisecond })
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			for k := range 20 {
				l, err := p.Acquire(t.Context(), who("w", int32(i)))
				if err != nil {
					t.Error(err)
					return
				}
				if l.Conn.users.Add(1) != 1 {
					t.Error("two holders at once")
				}
				l.Conn.users.Add(-1)
				if (i+k)%50 == 0 {
					err = p.Drop(l, at(1))
				} else {
					err = p.Release(l, at(1))
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	st := p.Stats()
	if st.InUse != 0 || st.Acquired != 4000 || st.Open != st.Idle || st.Open > 4 {
		t.Errorf("%+v", st)
	}
	p.Close(at(2))
	if st := p.Stats(); s.live() != 0 || st.Created != st.Closed || st.Created != len(s.made) || st.Created < 4 {
		t.Errorf("%d live, %+v", s.live(), st)
	}
}
