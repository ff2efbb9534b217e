package lab

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/schedule"
)

// actor is a session of the plan as the script describes it.
type actor struct {
	name            string
	isolation       string
	steps           []*Step
	setup, teardown []string
}

var actorName = regexp.MustCompile(`^[A-Za-z_][A-Za-z_0-9]{0,30}$`)

// The most that a plan may have.
const (
	mostSessions = 64
	mostSteps    = 255
)

// readActors reads sessions =.
func readActors(c *spec.Call) ([]actor, error) {
	dict, ok := c.Arg("sessions").(starlark.IterableMapping)
	if !ok {
		return nil, c.Errorf("sessions", "want a dict of session name -> steps")
	}
	var out []actor
	for _, kv := range dict.Items() {
		n, ok := starlark.AsString(kv[0])
		if !ok || !actorName.MatchString(n) {
			return nil, c.Errorf("sessions", "a session's name is a word of letters, digits and _, got %s", kv[0])
		}
		a := actor{name: n}
		if err := a.read(c, kv[1]); err != nil {
			return nil, err
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		return nil, c.Errorf("sessions", "there are no sessions")
	}
	if len(out) > mostSessions {
		return nil, c.Errorf("sessions", "there are %d sessions, more than %d", len(out), mostSessions)
	}
	return out, nil
}

func (a *actor) read(c *spec.Call, v starlark.Value) error {
	steps := v
	if d, ok := v.(*starlark.Dict); ok {
		var err error
		if steps, err = a.options(c, d); err != nil {
			return err
		}
	}
	if s, ok := starlark.AsString(steps); ok {
		return c.Errorf("sessions", "session %s: want a list of steps, got the str %q", a.name, clip(s))
	}
	list, ok := steps.(starlark.Iterable)
	if !ok || steps == nil {
		return c.Errorf("sessions", "session %s: want a list of steps, got %s", a.name, steps.Type())
	}
	it := list.Iterate()
	defer it.Done()
	var x starlark.Value
	for i := 1; it.Next(&x); i++ {
		s, err := asStep(x)
		if err != nil {
			return c.Errorf("sessions", "session %s, step %d: %v", a.name, i, err)
		}
		a.steps = append(a.steps, s)
	}
	if len(a.steps) == 0 {
		return c.Errorf("sessions", "session %s has no steps", a.name)
	}
	return nil
}

func asStep(v starlark.Value) (*Step, error) {
	switch v := v.(type) {
	case *Step:
		return v, nil
	case starlark.String:
		if strings.TrimSpace(string(v)) == "" {
			return nil, errors.New("the statement is empty")
		}
		return &Step{do: v}, nil
	case starlark.Callable:
		return &Step{do: v}, nil
	}
	return nil, fmt.Errorf("want SQL, fn(conn) or step(...), got %s", v.Type())
}

// options reads a session that is a dict, and gives its steps.
func (a *actor) options(c *spec.Call, d *starlark.Dict) (starlark.Value, error) {
	var steps starlark.Value
	for _, kv := range d.Items() {
		key, _ := starlark.AsString(kv[0])
		var err error
		switch key {
		case "steps":
			steps = kv[1]
		case "isolation":
			a.isolation, _ = starlark.AsString(kv[1])
		case "setup":
			a.setup, err = statements(kv[1])
		case "teardown":
			a.teardown, err = statements(kv[1])
		default:
			return nil, c.Errorf("sessions", "session %s: unknown key %s; there are steps, isolation, setup, teardown", a.name, kv[0])
		}
		if err != nil {
			return nil, c.Errorf("sessions", "session %s, %s: %v", a.name, key, err)
		}
	}
	if steps == nil {
		return nil, c.Errorf("sessions", "session %s: its dict lacks \"steps\"", a.name)
	}
	return steps, nil
}

// statements reads SQL or a list of SQL.
func statements(v starlark.Value) ([]string, error) {
	if s, ok := starlark.AsString(v); ok {
		return schedule.SplitStatements(s), nil
	}
	list, ok := v.(starlark.Iterable)
	if !ok {
		return nil, fmt.Errorf("want SQL or a list of SQL, got %s", v.Type())
	}
	it := list.Iterate()
	defer it.Done()
	var out []string
	var x starlark.Value
	for it.Next(&x) {
		s, ok := starlark.AsString(x)
		if !ok {
			return nil, fmt.Errorf("want SQL, got %s", x.Type())
		}
		out = append(out, s)
	}
	return out, nil
}

func clip(s string) string {
	if s = strings.Join(strings.Fields(s), " "); len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}

// planOf makes the engine's plan.
func (x *experiment) planOf() (*schedule.Plan, error) {
	p := &schedule.Plan{Name: x.name, Timeout: x.timeout, MayTimeOut: x.lockWait > 0}
	n := 0
	for _, a := range x.actors {
		s := schedule.Session{Name: a.name}
		for _, st := range a.steps {
			_, isFunc := st.do.(starlark.Callable)
			s.Steps = append(s.Steps, schedule.Step{
				Name: st.name, SQL: shown(st.do), Func: isFunc, Want: st.want, Timeout: st.timeout, Repeat: x.repeatOf(st),
			})
			p.MayTimeOut = p.MayTimeOut || !isFunc && schedule.EndsByItself(shown(st.do))
			n++
		}
		for _, sql := range a.setup {
			p.MayTimeOut = p.MayTimeOut || schedule.EndsByItself(sql)
		}
		p.Sessions = append(p.Sessions, s)
	}
	if n > mostSteps {
		return nil, x.c.Errorf("sessions", "there are %d steps, more than %d", n, mostSteps)
	}
	if err := p.Seal(); err != nil {
		return nil, x.orderError("sessions", err)
	}
	return p, nil
}

// orderError gives an error of the engine the form of a wrong argument.
func (x *experiment) orderError(param string, err error) error {
	e := &spec.ArgError{Call: x.c.Name(), Param: param, Problem: err.Error()}
	var o *schedule.OrderError
	if errors.As(err, &o) {
		e.Hint = o.Hint
	}
	return e
}
