package main

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"time"

	"rig/runtime/server"
	"rig/runtime/session"
	"rig/runtime/wait"
)

// schedulesScript times every order of six steps and of ten. In each, the last step of b waits where it meets a's lock, so that
// every order can happen.
const schedulesScript = `
def setup(t):
    t.db.exec("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
    t.db.insert("account", ["id", "balance"], [(1, 100), (2, 100)])

def timed(t, name, a, b, want):
    sessions = {"a": ["BEGIN", "UPDATE account SET balance = 90 WHERE id = 1"] + ["SELECT 1"] * a + ["COMMIT"],
                "b": ["SELECT balance FROM account"] * b + ["UPDATE account SET balance = 80 WHERE id = 1"]}
    start = time.now()
    r = interleave(t, sessions)
    took = time.now() - start
    expect.eq((r.run, r.pruned), (want, 0))
    waited = [o.count for o in r.outcomes if "b%d" % (b + 1) in o.waits]
    expect.ge(len(waited), 1)
    print(name, "took", int(took / time.microsecond), "us")

def test_20(t):
    timed(t, "20", 0, 2, 20)

def test_210(t):
    timed(t, "210", 1, 5, 210)
`

const (
	limit20   = 400 * time.Millisecond
	limit210  = 3 * time.Second
	waitCount = 2000
	waitLimit = 3 * time.Millisecond // of the median
)

// schedules takes how long every order of some steps takes, resetting included, and how soon a wait is known.
func (b *bench) schedules(ctx context.Context) error {
	script, err := b.write("schedules.star", schedulesScript)
	if err != nil {
		return err
	}
	took := map[string][]time.Duration{}
	form := regexp.MustCompile(`(\d+) took (\d+) us`)
	for range b.rounds {
		c, err := b.exec(ctx, script, "--target", "mariadb", "-j", "1")
		if err != nil {
			return err
		}
		for _, m := range form.FindAllStringSubmatch(c.said, -1) {
			d, err := time.ParseDuration(m[2] + "us")
			if err != nil {
				return err
			}
			took[m[1]] = append(took[m[1]], d)
		}
	}
	for _, x := range []struct {
		name  string
		limit time.Duration
	}{{"20", limit20}, {"210", limit210}} {
		if took[x.name] == nil {
			return fmt.Errorf("the script tells no time for %s orders", x.name)
		}
		d := median(took[x.name])
		b.judge("schedules: all "+x.name+" orders with waits, MariaDB", x.limit.String(), millis(d), float64(d)/float64(x.limit), 1)
	}
	c, err := b.child(ctx, "waits")
	if err != nil {
		return err
	}
	var mid, high, most time.Duration
	if _, err := fmt.Sscanf(c.said, "%d %d %d", &mid, &high, &most); err != nil {
		return fmt.Errorf("what the child said: %w", err)
	}
	b.judge(fmt.Sprintf("from sending to \"waits\", median of %d", waitCount), waitLimit.String(), fmt.Sprintf("%.2f ms", float64(mid)/1e6), float64(mid)/float64(waitLimit), 1)
	b.note("from sending to \"waits\", 99th percentile and most", "", fmt.Sprintf("%.2f ms, %.2f ms", float64(high)/1e6, float64(most)/1e6), 0)
	return nil
}

// noticeWaits has one session wait for another again and again, and says how soon that was known.
func noticeWaits(ctx context.Context, out io.Writer) error {
	s, err := server.Start(ctx, server.Spec{Kind: server.MariaDB}, nil)
	if err != nil {
		return err
	}
	defer s.Stop()
	if err := fill(ctx, s.Address().Addr); err != nil {
		return err
	}
	a := s.Address()
	hub := session.NewHub(session.Config{Network: a.Network, Address: a.Addr, User: a.User, Database: "bench", Flavor: s.Type()})
	defer hub.Close()
	var both [2]*session.Session
	for i := range both {
		if both[i], err = hub.Open(ctx, session.Options{Name: fmt.Sprint(i)}); err != nil {
			return err
		}
	}
	w, err := hub.Waits()
	if err != nil {
		return err
	}
	var took []time.Duration
	for range waitCount {
		d, err := noticeOne(w, both[0], both[1])
		if err != nil {
			return err
		}
		took = append(took, d)
	}
	slices.Sort(took)
	fmt.Fprintf(out, "%d %d %d\n", took[len(took)/2], took[len(took)*99/100], took[len(took)-1])
	return nil
}

func noticeOne(w *wait.Watcher, a, b *session.Session) (time.Duration, error) {
	call := session.Call{Op: "bench", Holder: "bench"}
	const lock = "UPDATE account SET balance = balance + 1 WHERE id = 1"
	for _, sql := range []string{"BEGIN", lock} {
		if _, err := a.Exec(call, sql, nil); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	p, err := b.Start(call, lock, nil)
	if err != nil {
		return 0, err
	}
	states, err := w.Settle([]wait.Subject{{Thread: b.Thread(), Ended: p.Ended()}}, time.Minute)
	took := time.Since(start)
	if err != nil {
		return 0, err
	}
	if !states[0].Waits {
		return 0, fmt.Errorf("it does not wait: %+v", states[0])
	}
	if _, err := a.Exec(call, "COMMIT", nil); err != nil {
		return 0, err
	}
	_, _, err = p.Wait(time.Minute)
	return took, err
}
