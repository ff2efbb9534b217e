package schedule

import (
	"fmt"
	"strconv"
	"strings"

	"rig/runtime/fault"
)

// Place is a step in an order, with what this order expects of it besides the step's own Want.
type Place struct {
	Step int
	Want Want
}

// OrderError is an order that does not fit the plan. Hint may be "".
type OrderError struct{ Problem, Hint string }

func (e *OrderError) Error() string { return e.Problem }

func (p *Plan) unknownStep(name string) error {
	e := &OrderError{Problem: fmt.Sprintf("there is no step %q", name)}
	if near := fault.Suggest(name, p.names()); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	for _, s := range p.Sessions {
		if strings.HasPrefix(name, s.Name) {
			if _, err := strconv.Atoi(name[len(s.Name):]); err == nil {
				e.Problem = fmt.Sprintf("there is no step %q: session %s has %s", name, s.Name, counted(len(s.Steps), "step"))
				return e
			}
		}
	}
	if e.Hint == "" {
		e.Hint = "there are " + strings.Join(p.names(), " ")
	}
	if session := strings.TrimRight(name, "0123456789"); session != name && session != "" {
		var sessions []string
		for _, s := range p.Sessions {
			sessions = append(sessions, s.Name)
		}
		e.Problem = fmt.Sprintf("there is no session %q, and no step %q", session, name)
		e.Hint = "the sessions are " + strings.Join(sessions, ", ")
	}
	return e
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// ParseOrder reads "a1 b1(*) a2 b2(a2, 1213)". It must have every step once, and those of a session in their order.
func (p *Plan) ParseOrder(text string) ([]Place, error) {
	var out []Place
	next := make([]int, len(p.Sessions))
	rest := strings.TrimSpace(text)
	for rest != "" {
		name, mark, after, err := cutToken(rest)
		if err != nil {
			return nil, err
		}
		rest = strings.TrimSpace(after)
		pl, err := p.place(name, mark)
		if err != nil {
			return nil, err
		}
		if err := p.inTurn(pl.Step, next); err != nil {
			return nil, err
		}
		out = append(out, pl)
	}
	if len(out) == 0 {
		return nil, &OrderError{Problem: "the order is empty"}
	}
	for i, s := range p.Sessions {
		if next[i] < len(s.Steps) {
			return nil, &OrderError{Problem: fmt.Sprintf("the order lacks step %s", s.Steps[next[i]].Name), Hint: "an order has every step once"}
		}
	}
	return out, nil
}

// inTurn counts the step and refuses one that is not its session's next.
func (p *Plan) inTurn(step int, next []int) error {
	at := p.flat[step]
	name := p.Step(step).Name
	switch {
	case at.Step < next[at.Session]:
		return &OrderError{Problem: fmt.Sprintf("step %s is in the order twice", name)}
	case at.Step > next[at.Session]:
		before := p.Sessions[at.Session].Steps[next[at.Session]].Name
		return &OrderError{Problem: fmt.Sprintf("step %s comes before %s, which session %s runs first", name, before, p.Sessions[at.Session].Name), Hint: "a session's steps keep their order, and each is there once: " + before + " stands later, or is missing"}
	}
	next[at.Session]++
	return nil
}

// cutToken takes a name with its markers from the front.
func cutToken(s string) (name, mark, rest string, err error) {
	end := strings.IndexAny(s, " \t\n,(")
	if end < 0 {
		return s, "", "", nil
	}
	name, rest = s[:end], strings.TrimLeft(s[end:], " \t\n,")
	if !strings.HasPrefix(s[end:], "(") {
		return name, "", rest, nil
	}
	mark, rest, ok := strings.Cut(s[end+1:], ")")
	if !ok {
		return "", "", "", &OrderError{Problem: fmt.Sprintf("the marker of step %s has no closing bracket", name)}
	}
	return name, mark, strings.TrimLeft(rest, " \t\n,"), nil
}

// place reads one step of an order with its markers.
func (p *Plan) place(name, marks string) (Place, error) {
	n := p.find(name)
	if n < 0 {
		return Place{}, p.unknownStep(name)
	}
	pl := Place{Step: n}
	for m := range strings.SplitSeq(marks, ",") {
		m = strings.TrimSpace(m)
		switch {
		case m == "":
		case m == "*":
			pl.Want.Waits = Yes
		case m == "!":
			pl.Want.Waits = No
		case p.find(m) >= 0:
			if err := p.checkAfterOf(n, m); err != nil {
				return Place{}, err
			}
			pl.Want.After = append(pl.Want.After, m)
		case isError(m):
			pl.Want.Error = m
		default:
			return Place{}, &OrderError{
				Problem: fmt.Sprintf("step %s has the marker %q", name, m),
				Hint:    "a marker is * (must wait), ! (must not), a step (returns only after it), or an error's code or kind",
			}
		}
	}
	return pl, nil
}

func isError(s string) bool {
	if n, err := strconv.Atoi(s); err == nil {
		return n > 0
	}
	for _, k := range fault.Kinds() {
		if string(k.Kind) == s {
			return true
		}
	}
	return s == "error"
}

// merge adds what an order expects to what the step does.
func (w Want) merge(o Want) Want {
	if o.Waits != Any {
		w.Waits = o.Waits
	}
	if o.Error != "" {
		w.Error = o.Error
	}
	w.After = append(w.After[:len(w.After):len(w.After)], o.After...)
	return w
}

// text writes an order without its markers.
func (p *Plan) text(order []int) string {
	names := make([]string, len(order))
	for i, n := range order {
		names[i] = p.Step(n).Name
	}
	return strings.Join(names, " ")
}
