package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"rig/runtime/resilience"
)

const crewScript = `
MEMBERS, BARRIERS = 200, 10

def meeting(ctx):
    for _ in range(BARRIERS):
        ctx.barrier("step", timeout = "60s")
        ctx.shared.add("arrivals")
    return machine.completed

flow = machine.new("meets", states = {"meeting": meeting}, after_common = "meeting")

def test_crew(t):
    crew = coordinator("crew")
    for i in range(MEMBERS):
        crew.add("m%d" % i, flow)
    expect.all_ok(crew.run(t, timeout = "60s"))
`

// crewLimit is for the whole process, from its start to its end.
const crewLimit = 5 * time.Second

// crew is a coordinator whose many members, each on a session of its own, meet again and again.
func (b *bench) crew(ctx context.Context) error {
	script, err := b.write("crew.star", crewScript)
	if err != nil {
		return err
	}
	var walls []time.Duration
	for range b.rounds {
		c, err := b.exec(ctx, script)
		if err != nil {
			return err
		}
		walls = append(walls, c.wall)
	}
	wall := median(walls)
	b.judge("coordinator: 200 members at 10 barriers, embedded", crewLimit.String(), fmt.Sprintf("%.2f s", wall.Seconds()), float64(wall)/float64(crewLimit), 1)
	return nil
}

const (
	guardedCalls = 1_000_000
	guardedLimit = time.Microsecond
)

const guardedScript = `
calls = param("calls", default = 1)
how = param("how", default = "bare", choices = ["bare", "policy", "breaker", "both"])

def work():
    return 1

def test_calls(t):
    p, b = retry.policy(), retry.breaker()
    if how == "bare":
        for _ in range(calls):
            work()
    elif how == "policy":
        for _ in range(calls):
            p.call("work", work)
    elif how == "breaker":
        for _ in range(calls):
            b.call("work", work)
    else:
        for _ in range(calls):
            p.call("work", b.call, "work", work)
`

// guarded takes what a policy and a breaker add to a call that succeeds: in the engine, and through a script.
func (b *bench) guarded(ctx context.Context) error {
	for _, how := range []string{"policy", "breaker", "both"} {
		var all []time.Duration
		for range b.rounds {
			c, err := b.child(ctx, "guarded", "-kind", how, "-count", strconv.Itoa(guardedCalls))
			if err != nil {
				return err
			}
			d, err := time.ParseDuration(strings.TrimSpace(c.said))
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		b.judgeCall(how+" adds to a call, engine", median(all))
	}
	script, err := b.write("guarded.star", guardedScript)
	if err != nil {
		return err
	}
	for _, how := range []string{"policy", "breaker", "both"} {
		var all []time.Duration
		for range b.rounds {
			d, err := b.guardedRun(ctx, script, how)
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		b.judgeCall("  "+how+", through a script, one more call of a built-in included", median(all))
	}
	return nil
}

func (b *bench) judgeCall(name string, d time.Duration) {
	each := d / guardedCalls
	b.judge(name, guardedLimit.String(), each.String(), float64(d)/guardedCalls/float64(guardedLimit), 1)
}

// guardedRun gives what so many guarded calls take longer than bare ones.
func (b *bench) guardedRun(ctx context.Context, script, how string) (time.Duration, error) {
	var walls [2]time.Duration
	for i, h := range []string{"bare", how} {
		c, err := b.exec(ctx, script, "--calls", strconv.Itoa(guardedCalls), "--how", h)
		if err != nil {
			return 0, err
		}
		walls[i] = c.wall
	}
	return walls[1] - walls[0], nil
}

// guardCalls prints what so many guarded calls take longer than bare ones.
func guardCalls(ctx context.Context, out io.Writer, how string, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour) // a test's context has a deadline
	defer cancel()
	p := resilience.Policy{MaxAttempts: 5, BaseDelay: time.Second, MaxDelay: 30 * time.Second, Jitter: true}
	b := resilience.NewBreaker(resilience.BreakerOptions{FailureThreshold: 5, RecoveryTimeout: time.Minute, SuccessThreshold: 2})
	done := 0
	work := func() error { done++; return nil }
	byPolicy := func(f func() error) error {
		return p.Do(ctx, "work", nil, func(int) error { return f() }, nil)
	}
	call := map[string]func() error{
		"bare":    work,
		"policy":  func() error { return byPolicy(work) },
		"breaker": func() error { return b.Call("work", work) },
		"both":    func() error { return byPolicy(func() error { return b.Call("work", work) }) },
	}
	var took [2]time.Duration
	for i, h := range []string{"bare", how} {
		f := call[h]
		if f == nil {
			return fmt.Errorf("there is no call %q", h)
		}
		start := time.Now()
		for range n {
			if err := f(); err != nil {
				return err
			}
		}
		took[i] = time.Since(start)
	}
	if done != 2*n {
		return fmt.Errorf("%d calls of %d were made", done, 2*n)
	}
	fmt.Fprintln(out, took[1]-took[0])
	return nil
}
