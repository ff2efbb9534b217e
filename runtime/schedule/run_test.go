package schedule

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/event"
	"rig/runtime/wait"
)

// lockServer is a server of named locks: "lock x" takes one until the session's "commit", "work 5ms" takes time, "fail kind"
// fails. It answers the watcher as a mock does: not at all, so that quiet time tells.
type lockServer struct {
	mu     sync.Mutex
	holder map[string]int
	freed  *sync.Cond
}

func newLockServer() *lockServer {
	s := &lockServer{holder: map[string]int{}}
	s.freed = sync.NewCond(&s.mu)
	return s
}

// Ask is the watcher's; the flavor mock asks nothing.
func (s *lockServer) Ask(string) ([][]string, error) { return nil, errors.New("not asked") }

type lockConn struct {
	s  *lockServer
	id int
}

func (c *lockConn) Thread() uint64 { return uint64(c.id) }

type lockStep struct {
	ended    chan struct{}
	result   Result
	canceled chan struct{}
	once     sync.Once
}

func (r *lockStep) Ended() <-chan struct{} { return r.ended }
func (r *lockStep) Result() Result         { return r.result }
func (r *lockStep) Cancel(string)          { r.once.Do(func() { close(r.canceled) }) }

func (c *lockConn) Start(step Step) (Running, error) {
	r := &lockStep{ended: make(chan struct{}), canceled: make(chan struct{})}
	what, arg, _ := strings.Cut(step.SQL, " ")
	go func() {
		defer close(r.ended)
		switch what {
		case "lock":
			c.lock(arg, r)
		case "commit":
			c.free()
		case "work":
			d, _ := time.ParseDuration(arg)
			select {
			case <-time.After(d):
			case <-r.canceled:
			}
		case "fail":
			r.result.Err = &event.Error{Kind: arg, Code: 1}
		case "read":
			r.result = Result{HasRows: true, Rows: [][]string{{arg}}}
		}
	}()
	return r, nil
}

func (c *lockConn) lock(name string, r *lockStep) {
	stop := context.AfterFunc(canceled(r), func() { c.s.mu.Lock(); defer c.s.mu.Unlock(); c.s.freed.Broadcast() })
	defer stop()
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for c.s.holder[name] != 0 && c.s.holder[name] != c.id {
		select {
		case <-r.canceled:
			r.result.Err = &event.Error{Kind: "interrupted", Code: 1317}
			return
		default:
		}
		c.s.freed.Wait()
	}
	c.s.holder[name] = c.id
}

func canceled(r *lockStep) context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		select {
		case <-r.canceled:
		case <-r.ended:
		}
		cancel()
	}()
	return ctx
}

func (c *lockConn) free() {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	for name, id := range c.s.holder {
		if id == c.id {
			delete(c.s.holder, name)
		}
	}
	c.s.freed.Broadcast()
}

// runOrder runs one order of a plan on a lock server.
func runOrder(t *testing.T, p *Plan, order string) (*Run, error) {
	t.Helper()
	if p.Timeout == 0 {
		p.Timeout = 5 * time.Second
	}
	s := newLockServer()
	w, err := wait.Choose(s, "mock")
	if err != nil {
		t.Fatal(err)
	}
	var conns []Conn
	for i := range p.Sessions {
		conns = append(conns, &lockConn{s, i + 1})
	}
	places, err := p.ParseOrder(order)
	if err != nil {
		t.Fatal(err)
	}
	next, _, _ := Given([][]Place{places}).Take()
	return (&Engine{Plan: p, Waits: w}).Run(context.Background(), conns, next)
}

func log(p *Plan, r *Run) string {
	var out []string
	for _, e := range r.Log {
		s := p.Step(e.Step).Name + " " + e.What
		if e.Weak {
			s += "?"
		}
		if e.What == Proceeds && e.After >= 0 {
			s += " after " + p.Step(e.After).Name
		}
		if e.Result.Err != nil {
			s += " " + e.Result.Err.Kind
		}
		if e.What != Sent {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

func TestRun(t *testing.T) {
	for _, x := range []struct{ name, order, want string }{
		{"a step that is quiet waits, weakly", "a1 b1 a2", "a1 returns, b1 waits?, a2 returns, b1 proceeds after a2"},
		{"none waits", "a1 a2 b1", "a1 returns, a2 returns, b1 returns"},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := planOf(t, []string{"lock x", "commit"}, []string{"lock x"})
			r, err := runOrder(t, p, x.order)
			if err != nil || log(p, r) != x.want {
				t.Errorf("%s: %v: %s, want %s", x.name, err, log(p, r), x.want)
			}
		})
	}
}

// TestRunTakesItsTime: a step that works is waited for; only what is quiet for long counts as waiting.
func TestRunTakesItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, []string{"work 100ms", "read 1"}, []string{"read 2"})
		r, err := runOrder(t, p, "a1 b1 a2")
		if err != nil || log(p, r) != "a1 returns, b1 returns, a2 returns" {
			t.Errorf("%v: %s", err, log(p, r))
		}
	})
}

func TestImpossible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, []string{"lock x", "commit"}, []string{"lock x", "read 1"})
		r, err := runOrder(t, p, "a1 b1 b2 a2")
		var e *ImpossibleError
		if !errors.As(err, &e) || e.Step != "b2" || e.Waiting != "b1" || len(r.Order) != 2 {
			t.Errorf("%v, sent %v", err, r.Order)
		}
	})
}

func TestStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, []string{"lock x"}, []string{"lock x"})
		start := time.Now()
		_, err := runOrder(t, p, "a1 b1")
		var e *StuckError
		if !errors.As(err, &e) || e.Step != "b1" || !e.Waits || !e.Over {
			t.Errorf("%v", err)
		}
		if took := time.Since(start); took < 5*time.Second || took > 6*time.Second {
			t.Errorf("after %s", took)
		}
		p.Impatient = true
		start = time.Now()
		if _, err = runOrder(t, p, "a1 b1"); !errors.As(err, &e) || time.Since(start) > time.Second {
			t.Errorf("impatient: %v after %s", err, time.Since(start))
		}
	})
}

// TestLetGoTogether: two steps that one commit lets go are told in the order in which they were sent, and a marker puts one
// behind the other.
func TestLetGoTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, []string{"lock x", "lock y", "commit"}, []string{"lock x"}, []string{"lock y"})
		r, err := runOrder(t, p, "a1 a2 b1 c1 a3")
		want := "a1 returns, a2 returns, b1 waits?, c1 waits?, a3 returns, b1 proceeds after a3, c1 proceeds after a3"
		if err != nil || log(p, r) != want {
			t.Errorf("%v: %s, want %s", err, log(p, r), want)
		}
		r, err = runOrder(t, p, "a1 a2 b1(c1) c1 a3")
		want = "a1 returns, a2 returns, b1 waits?, c1 waits?, a3 returns, c1 proceeds after a3, b1 proceeds after a3"
		if err != nil || log(p, r) != want || r.Problems != nil {
			t.Errorf("%v: %s, want %s; %v", err, log(p, r), want, r.Problems)
		}
	})
}

func TestRepeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, []string{"read 1"})
		n := 0
		p.Sessions[0].Steps[0].Repeat = func(r Result) (bool, error) { n++; return n == 3, nil }
		r, err := runOrder(t, p, "a1")
		if err != nil || n != 3 || log(p, r) != "a1 returns" {
			t.Errorf("%v, %d times: %s", err, n, log(p, r))
		}
		p.Sessions[0].Steps[0].Repeat = func(Result) (bool, error) { return false, nil }
		var e *StuckError
		if _, err = runOrder(t, p, "a1"); !errors.As(err, &e) || !strings.Contains(e.Step, "repeat_until") {
			t.Errorf("%v", err)
		}
	})
}

func TestGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := planOf(t, []string{"lock x", "commit"}, []string{"lock x"})
		var runs []*Run
		for _, order := range []string{"a1 b1 a2", "a1 a2 b1", "b1 a1 a2"} {
			r, err := runOrder(t, p, order)
			if order == "b1 a1 a2" { // b never lets go
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			runs = append(runs, r, r)
		}
		var got []string
		out := p.Group(runs)
		for i, o := range out {
			got = append(got, fmt.Sprintf("%s %d %s", o.Label, o.Count, p.Describe(out)[i]))
		}
		if s := strings.Join(got, ", "); s != "A 2 b1 waits for a lock, B 2 all steps succeed, none waits" {
			t.Error(s)
		}
	})
}
