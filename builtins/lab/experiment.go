package lab

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/fault"
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

	plan       *schedule.Plan
	lanesOrder []schedule.Place // of a transcript; nil without one
	waits      *wait.Watcher
	lanes      []*lane

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
	t, err := scenario.FromThread(c.Thread)
	if err != nil {
		return nil, err
	}
	x := &experiment{
		c: c, t: t, pos: script.CallerPos(c.Thread), name: c.Str("name"), target: c.Str("target"), isolation: c.Str("isolation"),
		timeout: c.Duration("timeout"), lockWait: c.Duration("lock_wait"),
		functions: map[string]starlark.Callable{}, results: map[int]*schedule.Run{},
	}
	if x.name == "" {
		x.name = t.Name()
	}
	if x.timeout == 0 {
		return nil, c.Errorf("timeout", "want more than nothing: a schedule has a bound")
	}
	if l, ok := c.Arg("sessions").(*Lanes); ok {
		x.actors, x.lanesOrder = l.actorsOf(), l.script.Order
	} else if x.actors, err = readActors(c); err != nil {
		return nil, err
	}
	if x.setup, err = readScript(c, "setup"); err != nil {
		return nil, err
	}
	if x.teardown, err = readScript(c, "teardown"); err != nil {
		return nil, err
	}
	if x.plan, err = x.planOf(); err != nil {
		return nil, err
	}
	return x, x.findFunctions()
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

// orders reads which orders to run. most is how many there may be, for the choice of lanes.
func (x *experiment) orders() (o schedule.Orders, most int, err error) {
	if !x.c.Has("order") && x.lanesOrder != nil && !x.c.Has("sample") {
		return schedule.Given([][]schedule.Place{x.lanesOrder}), 1, nil
	}
	if !x.c.Has("order") {
		return x.allOrders()
	}
	if x.c.Has("sample") {
		return nil, 0, x.c.Errorf("sample", "an order is given, and there is nothing to draw")
	}
	var texts []string
	if one, ok := starlark.AsString(x.c.Arg("order")); ok {
		texts = []string{one}
	} else if texts, err = x.c.Texts("order"); err != nil {
		return nil, 0, err
	}
	if len(texts) == 0 {
		return nil, 0, x.c.Errorf("order", "the list is empty; leave it out for every permutation")
	}
	var all [][]schedule.Place
	for _, text := range texts {
		p, err := x.plan.ParseOrder(text)
		if err != nil {
			return nil, 0, x.orderError("order", err)
		}
		all = append(all, p)
	}
	return schedule.Given(all), len(all), nil
}

func (x *experiment) allOrders() (schedule.Orders, int, error) {
	if n := x.c.Int("sample"); x.c.Has("sample") {
		if n < 1 || n > mostRuns {
			return nil, 0, x.c.Errorf("sample", "want 1 to %d orders, got %d", mostRuns, n)
		}
		return x.plan.Sample(int(n), uint64(x.t.Seed())), int(n), nil
	}
	limit := x.c.Int("limit")
	if limit < 1 || limit > mostRuns {
		return nil, 0, x.c.Errorf("limit", "want 1 to %d, got %d", mostRuns, limit)
	}
	total := x.plan.Total()
	if !total.IsInt64() || total.Int64() > limit {
		return nil, 0, &spec.ArgError{
			Call: x.c.Name(), Param: "order", Problem: fmt.Sprintf("there are %s orders of these steps, more than the limit of %d", schedule.Many(total), limit),
			Hint: "draw some: sample = 200; or raise limit =",
		}
	}
	return x.plan.Permutations(), int(total.Int64()), nil
}

// mostRuns is the most orders of one call.
const mostRuns = 100_000

// run prepares lanes, runs the orders in them, and gives the result.
func (x *experiment) run() (starlark.Value, error) {
	orders, most, err := x.orders()
	if err != nil {
		return nil, err
	}
	if x.waits, err = x.t.Waits(x.target); err != nil {
		return nil, err
	}
	x.tellWeak()
	err = x.open(x.laneCount(most), most > 1)
	if err == nil {
		err = x.work(orders)
	}
	if closed := x.close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return x.result(orders)
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
		r.Final, err = schedule.Final(l.store)
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

// mistakes are kinds of errors that no order of steps makes.
var mistakes = []fault.Kind{
	fault.Syntax, fault.InvalidStatement, fault.UnknownTable, fault.UnknownColumn, fault.UnknownDatabase, fault.AccessDenied, fault.Refused,
	fault.BadArgument, fault.ConnectionLost, fault.SessionClosed, fault.ServerShutdown, fault.Protocol, "script", "panic", "expectation", "skip",
}

// mistake is an error of a step that is none of the schedule's outcomes.
func (x *experiment) mistake(r *schedule.Run) error {
	for _, s := range r.Steps {
		e := s.Result.Err
		if e == nil || s.Want.Error != "" || !slices.Contains(mistakes, fault.Kind(e.Kind)) {
			continue
		}
		if (e.Kind == string(fault.UnknownTable) || e.Kind == string(fault.UnknownColumn)) && x.changesTables() {
			continue
		}
		if err, ok := s.Result.Value.(error); ok {
			return err
		}
		return &stepError{x.plan.Step(s.Step).Name, e}
	}
	return nil
}

// changesTables: with DDL among the steps it depends on the order whether a table is there.
func (x *experiment) changesTables() bool {
	for n := range x.plan.Len() {
		if s := x.plan.Step(n); s.Func || schedule.DDL(s.SQL) {
			return true
		}
	}
	return false
}

// stepError is a mistake in a step.
type stepError struct {
	step string
	e    *event.Error
}

func (e *stepError) Error() string { return fmt.Sprintf("step %s: %s", e.step, e.e.Message) }

// Report gives the form for reports.
func (e *stepError) Report() *event.Error {
	c := *e.e
	c.Message = e.Error()
	switch {
	case c.Kind == string(fault.ConnectionLost) || c.Kind == string(fault.SessionClosed):
		c.Message = fmt.Sprintf("step %s: the connection of session %s ended in the middle of the schedule: %s", e.step, c.Session, e.e.Message)
		c.Hint = "where that is meant, expect it: step(..., error = \"connection_lost\")"
	case c.Hint == "":
		c.Hint = "an error that the step is meant to have is expected with step(..., error = ...)"
	}
	return &c
}

// explain gives an error of the engine its transcript and a hint.
func (x *experiment) explain(r *schedule.Run, err error) error {
	e := &event.Error{Kind: "schedule", Op: x.c.Name(), Message: err.Error(), Detail: "so far:\n" + strings.TrimRight(x.plan.Transcript(r), "\n"), Pos: x.pos}
	var impossible *schedule.ImpossibleError
	var stuck *schedule.StuckError
	switch {
	case errors.As(err, &impossible):
		e.Hint = fmt.Sprintf("put %s behind the step that releases %s, or leave order = out: orders that cannot happen are then passed over", impossible.Step, impossible.Waiting)
	case errors.As(err, &stuck):
		e.Kind, e.SQL, e.Hint = string(fault.Timeout), stuck.SQL, "the bound is timeout ="
	default:
		return err
	}
	return &scheduleError{e, err}
}

// scheduleError is an order that came to no end.
type scheduleError struct {
	e     *event.Error
	cause error
}

func (e *scheduleError) Error() string { return e.e.Message + "\n" + e.e.Detail }
func (e *scheduleError) Unwrap() error { return e.cause }

// Report gives the form for reports.
func (e *scheduleError) Report() *event.Error { return e.e }
