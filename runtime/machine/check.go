package machine

import (
	"fmt"
	"slices"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// check builds a machine of a definition and collects what is wrong with it.
type check struct {
	m                *Machine
	d                Definition
	errors, warnings []Problem
}

func (c *check) err(p Problem)  { c.errors = append(c.errors, p) }
func (c *check) warn(p Problem) { c.warnings = append(c.warnings, p) }

// build makes the states, links the common ones and finds the start.
func (c *check) build() {
	own := c.own()
	c.commonKeys()
	first := Completed
	for _, s := range own {
		if !s.common && !s.terminal {
			first = s.Name
			break
		}
	}
	after := c.d.AfterCommon
	if after == "" {
		after = first
	}
	chain := c.chain(after)
	c.m.order = append(c.m.order, chain...)
	for _, s := range own {
		if !s.common && !s.terminal {
			c.m.order = append(c.m.order, s.Name)
		}
	}
	c.terminals()
	switch {
	case c.d.Start != "":
		c.m.start = c.d.Start
	case len(chain) > 0:
		c.m.start = chain[0]
	default:
		c.m.start = after
	}
}

// own takes the definition's states and refuses a second one of a name.
func (c *check) own() []*state {
	var out []*state
	common := Common()
	for _, given := range c.d.States {
		name := given.Name
		if name == "" {
			c.err(Problem{Message: "a state has no name", Pos: given.Pos})
			continue
		}
		if prior, ok := c.m.states[name]; ok {
			c.err(Problem{State: name, Message: fmt.Sprintf("state %q is defined twice%s", name, firstAt(prior.Pos)), Pos: given.Pos})
			continue
		}
		s := &state{State: given, own: true, common: slices.Contains(common, name), terminal: name == Completed || name == Failed}
		c.m.states[name] = s
		out = append(out, s)
	}
	return out
}

func firstAt(p event.Pos) string {
	if p.IsZero() {
		return ""
	}
	return ", first at " + p.String()
}

// commonKeys refuses handlers in Common for states that are not common: they would never be used.
func (c *check) commonKeys() {
	known := append(Common(), Completed, Failed)
	var bad []string
	for name := range c.d.Common {
		if !slices.Contains(known, name) {
			bad = append(bad, name)
		}
	}
	slices.Sort(bad)
	for _, name := range bad {
		c.err(Problem{State: name, Message: fmt.Sprintf("%q is no common state", name), Hint: meant(name, known)})
	}
}

// chain gives the common states that exist in this machine, each linked to the one after it and the last to after.
func (c *check) chain(after string) []string {
	var chain []string
	for _, name := range Common() {
		if h, ok := c.d.Common[name]; ok && c.m.states[name] == nil {
			c.m.states[name] = &state{State: State{Name: name, Handler: h}, common: true}
		}
		if c.m.states[name] != nil {
			chain = append(chain, name)
		}
	}
	for i, name := range chain {
		c.m.states[name].then = after
		if i+1 < len(chain) {
			c.m.states[name].then = chain[i+1]
		}
	}
	return chain
}

func (c *check) terminals() {
	for _, name := range []string{Completed, Failed} {
		s := c.m.states[name]
		if s == nil {
			s = &state{State: State{Name: name, Handler: c.d.Common[name]}}
			c.m.states[name] = s
		}
		s.terminal = true
		c.m.order = append(c.m.order, name)
		if to := slices.DeleteFunc(slices.Clone(s.To), func(n string) bool { return n == "" }); len(to) > 0 {
			c.warn(Problem{State: name, Message: fmt.Sprintf("state %q ends the machine; the next state that it names (%s) is ignored", name, strings.Join(to, ", ")), Pos: s.Pos})
		}
	}
}

// names refuses every name of a state that does not exist.
func (c *check) names() {
	if c.d.Start != "" && c.m.states[c.d.Start] == nil {
		c.unknown("", "the machine starts with", c.d.Start, event.Pos{})
	}
	if c.d.AfterCommon != "" && c.m.states[c.d.AfterCommon] == nil {
		c.unknown("", "after the common states comes", c.d.AfterCommon, event.Pos{})
	}
	for _, name := range c.m.order {
		s := c.m.states[name]
		if s.terminal {
			continue
		}
		for _, to := range s.To {
			if to != "" && c.m.states[to] == nil {
				c.unknown(name, fmt.Sprintf("state %q names", name), to, s.Pos)
			}
		}
		if len(s.targets()) == 0 && !s.Dynamic {
			c.err(Problem{
				State: name, Message: fmt.Sprintf("state %q is a dead end: it names no next state", name), Pos: s.Pos,
				Hint: fmt.Sprintf("return the name of the next state from its execute, %q at the end", Completed),
			})
		}
	}
}

func (c *check) unknown(in, what, name string, pos event.Pos) {
	c.err(Problem{State: in, Message: fmt.Sprintf("%s %q, which is no state of this machine", what, name), Pos: pos, Hint: c.m.meant(name)})
}

// meant is the hint for a name that is no state: the one that was meant, or all.
func (m *Machine) meant(name string) string {
	if s := meant(name, m.order); s != "" {
		return s
	}
	return "the states are " + strings.Join(m.order, ", ")
}

func meant(name string, known []string) string {
	if s := fault.Suggest(name, known); s != "" {
		return fmt.Sprintf("did you mean %q?", s)
	}
	return ""
}

// paths refuses states that nobody reaches and states from which no end is reached. Where a handler computes names, the
// former cannot be known and is a warning; the latter is refused where no computed name lies ahead.
func (c *check) paths() {
	dynamic := false
	for _, s := range c.m.states {
		dynamic = dynamic || s.Dynamic && !s.terminal
	}
	tell := c.err
	if dynamic {
		tell = c.warn
	}
	reached := c.m.reach(c.m.start)
	for _, name := range c.m.order {
		if s := c.m.states[name]; s.own && !s.terminal && !reached[name] {
			tell(Problem{
				State: name, Message: fmt.Sprintf("state %q is never reached", name), Pos: s.Pos,
				Hint: "name it in another state's execute, or remove it",
			})
		}
	}
	if s := c.m.states[c.m.start]; !c.m.leads(s.Name, Completed) {
		c.err(Problem{State: s.Name, Message: fmt.Sprintf("no path leads from %q to %q", s.Name, Completed), Pos: s.Pos})
		return
	}
	c.traps(reached)
}

// traps refuses reached states that go round for ever.
func (c *check) traps(reached map[string]bool) {
	for _, name := range c.m.order {
		s := c.m.states[name]
		if reached[name] && !c.m.leads(name, Completed, Failed) {
			c.err(Problem{State: name, Message: fmt.Sprintf("no path leads from %q to %q or %q", name, Completed, Failed), Pos: s.Pos})
		}
	}
}

// leads reports whether a path from one state may come to one of the others: it does, or a computed name lies ahead.
func (m *Machine) leads(from string, to ...string) bool {
	for ahead := range m.reach(from) {
		if s := m.states[ahead]; slices.Contains(to, ahead) || s.Dynamic && !s.terminal {
			return true
		}
	}
	return false
}

// reach gives the states on known paths from one, itself included.
func (m *Machine) reach(from string) map[string]bool {
	seen := map[string]bool{from: true}
	for todo := []string{from}; len(todo) > 0; {
		s := m.states[todo[0]]
		todo = todo[1:]
		for _, to := range s.targets() {
			if !seen[to] {
				seen[to] = true
				todo = append(todo, to)
			}
		}
	}
	return seen
}
