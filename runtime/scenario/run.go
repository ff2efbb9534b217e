package scenario

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"rig/runtime/event"
	"rig/runtime/script"
	"rig/runtime/session"
)

// Options of a run. Times that are 0 take their defaults.
type Options struct {
	ID       string // of the run, part of every name on a server
	Bus      *event.Bus
	Host     *script.Host
	Targets  Targets
	NewValue func(*Test) starlark.Value // makes the script's t

	Seed           int64
	Jobs           int           // tests at a time, at least 1
	TestTimeout    time.Duration // default 5m
	CleanupTimeout time.Duration // for teardown, cleanups and the database of one test; default 10s
	Retries        int           // further attempts of a failed test
	MaxFail        int           // stop starting tests after so many failures; 0 never
	Repeat         int           // each test so many times; 0 is 1
	UntilFail      bool          // repeat the whole plan until a test fails
	Shuffle        bool          // by the seed

	Running *Running // told which tests run; nil is told nothing

	OneDatabase    string   // run inside this database, one test at a time
	AllowDatabases []string // databases that scripts may use although rig did not make them
}

// stopBudget bounds all cleanups together once the run was told to stop.
const stopBudget = time.Second

type run struct {
	Options
	admins       admins
	databases    sync.Mutex // guards the making of databases of one test
	nextDatabase atomic.Int64
	failures     atomic.Int64
	exclusive    sync.RWMutex // held for writing by a test that must run alone
	ids          sync.Map     // ids of subtests that exist
	ctx          context.Context

	stopOnce sync.Once
	stopAt   time.Time // when the cleanups of a stopped run must have ended; read after stopping() is true
}

// Run executes the items. It returns the reason when the run itself could not go on (the target cannot be reached); the
// verdict on tests is on the bus. Cancelling ctx stops it: no new test, statements killed, cleanups within a second.
func Run(ctx context.Context, o Options, items []*Item) error {
	r := &run{Options: withDefaults(o), ctx: ctx}
	r.admins.idle = map[*Target][]*session.Session{}
	defer r.admins.close()
	if err := r.findOneDatabase(ctx); err != nil {
		return err
	}
	items = r.arrange(items)
	for round := 1; ; round++ {
		if err := r.round(ctx, items); err != nil {
			return err
		}
		if !r.UntilFail || r.failures.Load() > 0 || ctx.Err() != nil || len(items) == 0 {
			return nil
		}
		items = nextRound(items, round+1)
	}
}

func withDefaults(o Options) Options {
	if o.TestTimeout == 0 {
		o.TestTimeout = 5 * time.Minute
	}
	if o.CleanupTimeout == 0 {
		o.CleanupTimeout = 10 * time.Second
	}
	o.Jobs = max(o.Jobs, 1)
	if o.OneDatabase != "" {
		o.Jobs = 1
	}
	return o
}

// arrange repeats and shuffles the items.
func (r *run) arrange(items []*Item) []*Item {
	var out []*Item
	for _, it := range items {
		for n := 1; n <= max(r.Repeat, 1); n++ {
			c := *it
			if r.Repeat > 1 {
				c.ID = fmt.Sprintf("%s#%d", it.ID, n)
			}
			out = append(out, &c)
		}
	}
	if r.Shuffle {
		rnd := rand.New(rand.NewPCG(uint64(r.Seed), 1))
		rnd.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	}
	return out
}

// nextRound renames the items of a plan that runs again.
func nextRound(items []*Item, round int) []*Item {
	out := make([]*Item, len(items))
	for i, it := range items {
		c := *it
		base, _, _ := cutRound(it.ID)
		c.ID = fmt.Sprintf("%s#%d", base, round)
		out[i] = &c
	}
	return out
}

func cutRound(id string) (base, round string, ok bool) {
	for i := len(id) - 1; i > 0; i-- {
		if id[i] == '#' {
			return id[:i], id[i+1:], true
		}
		if id[i] < '0' || id[i] > '9' {
			break
		}
	}
	return id, "", false
}

// IDs lists the ids under which the items will run, for the plan event.
func IDs(o Options, items []*Item) []string {
	r := &run{Options: withDefaults(o)}
	var out []string
	for _, it := range r.arrange(items) {
		out = append(out, it.ID)
	}
	return out
}

// round runs each item once.
func (r *run) round(ctx context.Context, items []*Item) error {
	target, err := r.Targets.Target(ctx, "")
	if err != nil {
		return err
	}
	fixtures := newFixtures(r, target, items)
	work := make(chan *Item)
	var wg sync.WaitGroup
	for range min(r.Jobs, max(len(items), 1)) {
		wg.Go(func() {
			for it := range work {
				r.runItem(ctx, fixtures.of(it), target, it)
			}
		})
	}
feed:
	for _, it := range items {
		if r.enough() {
			break
		}
		select {
		case work <- it:
		case <-ctx.Done():
			break feed
		}
	}
	close(work)
	wg.Wait()
	fixtures.finish(ctx)
	return nil
}

func (r *run) enough() bool {
	return r.ctx.Err() != nil || (r.MaxFail > 0 && r.failures.Load() >= int64(r.MaxFail)) || (r.UntilFail && r.failures.Load() > 0)
}

// runItem runs a test, again while it fails and attempts are left.
func (r *run) runItem(ctx context.Context, f *fixture, target *Target, it *Item) {
	defer f.leave(ctx)
	if r.enough() {
		return
	}
	if it.Exclusive {
		r.exclusive.Lock()
		defer r.exclusive.Unlock()
	} else {
		r.exclusive.RLock()
		defer r.exclusive.RUnlock()
	}
	for attempt := 1; ; attempt++ {
		last := attempt > r.Retries
		failed := r.attempt(ctx, f, target, it, attempt, last)
		if !failed {
			return
		}
		if last || ctx.Err() != nil {
			r.failures.Add(1)
			return
		}
	}
}

// attempt runs a test once and reports whether it failed.
func (r *run) attempt(ctx context.Context, f *fixture, target *Target, it *Item, attempt int, last bool) (failed bool) {
	t := &Test{
		run: r, item: it, id: it.ID, name: it.Name, seed: seedOf(r.Seed, seedName(it.ID)), event: r.Bus.NextID(),
		target: target, fixture: f,
	}
	t.emitOwn(0, it.Pos, &event.TestStart{Attempt: attempt, Seed: t.seed})
	start := time.Now()
	defer r.Running.begin(t, start)()
	v := r.conduct(ctx, t)
	end := t.end(&v, start)
	end.Attempt = attempt
	failed = end.Outcome == event.Failed
	end.Final = !failed || last || ctx.Err() != nil
	end.Flaky = !failed && end.Outcome == event.OK && attempt > 1
	t.emitOwn(0, event.Pos{}, end)
	return failed
}

// seedName makes each round of a repeated test draw other numbers, and the first the same as the test alone.
func seedName(id string) string {
	if base, round, ok := cutRound(id); ok && round == "1" {
		return base
	}
	return id
}

func seedOf(seed int64, name string) int64 {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d/%s", seed, name)
	return int64(h.Sum64() >> 1)
}

func (r *run) claim(id string) bool {
	_, taken := r.ids.LoadOrStore(id, true)
	return !taken
}

// TimeoutError ends a test that did not finish in its time.
type TimeoutError struct {
	What  string // "test" or "cleanup"
	Bound time.Duration
	From  string // what set the bound, where that is not the flag of its name
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the %s did not finish within %s", e.What, e.Bound)
}

// Report gives the form for reports.
func (e *TimeoutError) Report() *event.Error {
	from := e.From
	if from == "" {
		from = "--" + e.What + "-timeout"
	}
	return &event.Error{Kind: "timeout", Message: e.Error(), Hint: "the bound is " + from}
}
