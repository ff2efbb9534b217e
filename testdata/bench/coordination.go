package main

import (
	"context"
	"fmt"
	"strconv"
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
	guardedCalls = 300_000
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

// guarded takes what a policy and a breaker add to a call that succeeds: in the engine, and through a script. It is CPU time,
// which says the same on a busy machine.
func (b *bench) guarded(ctx context.Context) error {
	script, err := b.write("guarded.star", guardedScript)
	if err != nil {
		return err
	}
	engine := func(how string) (cost, error) {
		return b.child(ctx, "guarded", "-kind", how, "-count", strconv.Itoa(guardedCalls))
	}
	scripted := func(how string) (cost, error) {
		return b.exec(ctx, script, "--calls", strconv.Itoa(guardedCalls), "--how", how)
	}
	for _, v := range []struct {
		name string
		run  func(how string) (cost, error)
	}{{"engine", engine}, {"script, with the built-in's call", scripted}} {
		for _, how := range []string{"policy", "breaker", "both"} {
			var each []time.Duration
			for range b.rounds {
				bare, err := v.run("bare")
				if err != nil {
					return err
				}
				c, err := v.run(how)
				if err != nil {
					return err
				}
				each = append(each, (c.cpu-bare.cpu)/guardedCalls)
			}
			d := median(each)
			b.judge(fmt.Sprintf("%s adds to a successful call: CPU, %s", how, v.name), guardedLimit.String(), d.String(), float64(d)/float64(guardedLimit), 1)
		}
	}
	return nil
}

// guardCalls makes so many calls, bare or guarded.
func guardCalls(ctx context.Context, how string, n int) error {
	ctx, cancel := context.WithTimeout(ctx, time.Hour) // a test's context has a deadline
	defer cancel()
	p := resilience.Policy{MaxAttempts: 5, BaseDelay: time.Second, MaxDelay: 30 * time.Second, Jitter: true, On: []string{"transient"}}
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
	}[how]
	if call == nil {
		return fmt.Errorf("there is no call %q", how)
	}
	for range n {
		if err := call(); err != nil {
			return err
		}
	}
	if done != n {
		return fmt.Errorf("%d calls of %d were made", done, n)
	}
	return nil
}
