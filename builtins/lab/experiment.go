package lab

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/schedule"
	"rig/runtime/script"
	"rig/runtime/wait"
)

// experiment is one call of interleave.
type experiment struct {
	c         *spec.Call
	t         *scenario.Test
	pos       event.Pos
	name      string
	target    string
	actors    []actor
	isolation string
	setup     program
	teardown  program
	timeout   time.Duration
	lockWait  time.Duration
	functions map[string]starlark.Callable // by the step's name
	stops     bool                         // a session whose step failed rolls back and sends no further one

	plan       *schedule.Plan
	lanesOrder []schedule.Place // of a transcript; nil without one
	waits      *wait.Watcher
	lanes      []*lane
	before     *schedule.Fixture // what the test's database had when the call began
	several    bool              // the tables are given back also after one order
	restore    *schedule.Fixture // what it is to have, where that is not what is there; nil otherwise

	mu      sync.Mutex
	results map[int]*schedule.Run // guarded by mu: by their place
	runs    int                   // guarded by mu: how many were begun
	failed  error                 // guarded by mu: the first error ends the others
}

// program is what setup = and teardown = give: statements, or a function.
type program struct {
	sql []string
	fn  starlark.Callable
}

func readScript(c *spec.Call, name string) (program, error) {
	if !c.Has(name) {
		return program{}, nil
	}
	if fn := c.Callable(name); fn != nil {
		return program{fn: fn}, nil
	}
	sql, err := statements(c.Arg(name))
	if err != nil {
		return program{}, c.Errorf(name, "%v", err)
	}
	return program{sql: sql}, nil
}

func newExperiment(c *spec.Call) (*experiment, error) {
	return newExperimentOn(c, c.Str("target"), c.Str("isolation"))
}

// newExperimentOn reads a call for a target and a level.
func newExperimentOn(c *spec.Call, target, isolation string) (*experiment, error) {
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	x := bare(c, t)
	x.target, x.isolation, x.lockWait = target, isolation, c.Duration("lock_wait")
	return x, x.read()
}

// bare is an experiment without sessions.
func bare(c *spec.Call, t *scenario.Test) *experiment {
	return &experiment{
		c: c, t: t, pos: script.CallerPos(c.Thread), name: c.Str("name"), timeout: c.Duration("timeout"),
		functions: map[string]starlark.Callable{}, results: map[int]*schedule.Run{},
	}
}

// read reads what the sessions do.
func (x *experiment) read() (err error) {
	c, t := x.c, x.t
	if x.name == "" {
		x.name = t.Name()
	}
	if x.timeout == 0 {
		return c.Errorf("timeout", "want more than nothing: a schedule has a bound")
	}
	if l, ok := c.Arg("sessions").(*Lanes); ok {
		x.actors, x.lanesOrder = l.actorsOf(), l.script.Order
	} else if x.actors, err = readActors(c); err != nil {
		return err
	}
	if x.setup, err = readScript(c, "setup"); err != nil {
		return err
	}
	if x.teardown, err = readScript(c, "teardown"); err != nil {
		return err
	}
	if x.plan, err = x.planOf(); err != nil {
		return err
	}
	return x.findFunctions()
}

// findFunctions collects the steps that are functions, which run on threads of their own.
func (x *experiment) findFunctions() error {
	for i, a := range x.actors {
		for k, s := range a.steps {
			fn, ok := s.do.(starlark.Callable)
			if !ok {
				continue
			}
			if err := x.c.Script().Host().Share(fn); err != nil {
				return err
			}
			x.functions[x.plan.Sessions[i].Steps[k].Name] = fn
		}
	}
	return nil
}

// chosen are the orders of a call. most is how many there may be, for the choice of lanes; make is called when the lanes are open.
type chosen struct {
	most int
	make func() schedule.Orders
}

func choose(o schedule.Orders, most int) chosen {
	return chosen{most, func() schedule.Orders { return o }}
}

// orders reads which orders to run.
func (x *experiment) orders() (chosen, error) {
	if both := x.c.Has("sample") && x.c.Has("explore"); both {
		return chosen{}, x.c.Errorf("sample", "give either sample or explore")
	}
	drawn := x.c.Has("sample") || x.c.Has("explore")
	if !x.c.Has("order") && x.lanesOrder != nil && !drawn {
		return choose(schedule.Given([][]schedule.Place{x.lanesOrder}), 1), nil
	}
	if !x.c.Has("order") {
		return x.allOrders()
	}
	if drawn {
		return chosen{}, x.c.Errorf("order", "an order is given: there is nothing to sample or explore")
	}
	all, err := x.givenOrders()
	return choose(schedule.Given(all), len(all)), err
}

// givenOrders are those of order =, or of a transcript; nil without.
func (x *experiment) givenOrders() ([][]schedule.Place, error) {
	if !x.c.Has("order") {
		if x.lanesOrder != nil && !x.c.Has("sample") && !x.c.Has("explore") {
			return [][]schedule.Place{x.lanesOrder}, nil
		}
		return nil, nil
	}
	var texts []string
	var err error
	if one, ok := starlark.AsString(x.c.Arg("order")); ok {
		texts = []string{one}
	} else if texts, err = x.c.Texts("order"); err != nil {
		return nil, err
	}
	if len(texts) == 0 {
		return nil, x.c.Errorf("order", "the list is empty; leave it out for every permutation")
	}
	var all [][]schedule.Place
	for _, text := range texts {
		p, err := x.plan.ParseOrder(text)
		if err != nil {
			return nil, x.orderError("order", err)
		}
		all = append(all, p)
	}
	return all, nil
}

func (x *experiment) allOrders() (chosen, error) {
	for _, name := range []string{"sample", "explore", "limit"} {
		if n := x.c.Int(name); x.c.Has(name) && (n < 1 || n > mostRuns) {
			return chosen{}, x.c.Errorf(name, "want 1 to %d orders, got %d", mostRuns, n)
		}
	}
	seed := uint64(x.t.Seed())
	if n := int(x.c.Int("sample")); n > 0 {
		return choose(x.plan.Sample(n, seed), n), nil
	}
	if n := int(x.c.Int("explore")); n > 0 {
		return chosen{n, func() schedule.Orders { return x.plan.Explore(n, seed, x.lanes[0].known().Linked()) }}, nil
	}
	total := x.plan.Total()
	if limit := x.c.Int("limit"); !total.IsInt64() || total.Int64() > limit {
		return chosen{}, &spec.ArgError{
			Call: x.c.Name(), Param: "order", Problem: fmt.Sprintf("there are %s orders of these steps, more than the limit of %d", schedule.Many(total), limit),
			Hint: "draw some: sample = 200; or the most telling ones: explore = 200; or raise limit =",
		}
	}
	return choose(x.plan.Permutations(), int(total.Int64())), nil
}

// mostRuns is the most orders of one call.
const mostRuns = 100_000

// run prepares lanes, runs the orders in them, and gives the result.
func (x *experiment) run() (*Result, error) {
	which, err := x.orders()
	if err != nil {
		return nil, err
	}
	return x.runOrders(which)
}

func (x *experiment) runOrders(which chosen) (r *Result, err error) {
	if o := x.c.Str("oracle"); o != "" && o != "serial" {
		return nil, x.c.Errorf("oracle", "there is \"serial\", got %q", o)
	}
	if x.waits, err = x.t.Waits(x.target); err != nil {
		return nil, err
	}
	x.tellWeak()
	err = x.open(x.laneCount(which.most), x.several || which.most > 1 || x.c.Has("oracle"))
	if err == nil {
		r, err = x.experiment(which.make())
	}
	if closed := x.close(); err == nil {
		err = closed
	}
	return r, err
}

// experiment runs the orders, and the serial ones where they are to be compared.
func (x *experiment) experiment(orders schedule.Orders) (*Result, error) {
	if err := x.work(orders); err != nil {
		return nil, err
	}
	r := x.result(orders)
	if x.c.Has("oracle") {
		if err := x.compare(r); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// tellWeak says once in a call how little the server tells.
func (x *experiment) tellWeak() {
	switch {
	case x.waits.Never():
	case x.waits.Quiet():
		x.tell("warn", "the server does not tell which session waits: a step that is quiet for long counts as waiting (\"waits?\")")
	case !x.waits.PerThread():
		x.tell("warn", "the server does not tell which session waits for a row: schedules on it run one at a time")
	}
}

func (x *experiment) tell(level, message string) {
	l := &event.Log{Level: level, Module: "wait", Message: message}
	if m := x.waits.Missing(); m != "" {
		l.Fields = []event.Field{{Key: "missing", Value: m}}
	}
	x.emit("", l)
}

// work runs orders in all lanes at once until none is left.
func (x *experiment) work(orders schedule.Orders) error {
	var wg sync.WaitGroup
	for _, l := range x.lanes {
		wg.Go(func() {
			for x.failure() == nil {
				next, place, ok := orders.Take()
				if !ok {
					return
				}
				if err := x.one(l, next, place); err != nil {
					x.fail(err)
				}
			}
		})
	}
	wg.Wait()
	return x.failure()
}

func (x *experiment) failure() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.failed
}

func (x *experiment) fail(err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.failed == nil {
		x.failed = err
	}
}

// one runs one order in a lane.
func (x *experiment) one(l *lane, next schedule.Next, place int) error {
	if err := l.begin(); err != nil {
		return err
	}
	x.mu.Lock()
	x.runs++
	number := x.runs
	x.mu.Unlock()
	engine := &schedule.Engine{Plan: x.plan, Waits: x.waits, Emit: x.emit}
	r, err := engine.Run(x.c.Script().Context(), l.conns(), next)
	abandoned := errors.Is(err, schedule.ErrAbandoned)
	if err == nil {
		err = x.mistake(r)
	}
	if err == nil {
		r.Final, err = l.known().Final(l.store)
	}
	if !abandoned {
		x.ended(number, r, err)
	}
	if err != nil && !abandoned {
		return x.explain(r, err)
	}
	if err := l.end(); err != nil {
		return err
	}
	if abandoned {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.results[place] = r
	return nil
}

func (x *experiment) ended(number int, r *schedule.Run, err error) {
	d := &event.Schedule{Name: x.name, Run: number, Order: x.plan.Text(r), Outcome: r.Kind(), Duration: r.Duration}
	if err != nil {
		d.Error = script.Describe(err)
	}
	x.emit("", d)
}
