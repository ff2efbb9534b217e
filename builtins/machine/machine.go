// Package machine declares the module machine: state machines whose states are functions of the script.
package machine

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	engine "rig/runtime/machine"
	"rig/runtime/script"
)

// Module lists the functions.
func Module() *spec.Module {
	m := &spec.Module{
		Name: "machine", Doc: "State machines whose states are functions. The common states run in Go before a machine's own, and each can be replaced by a state of its name: " + strings.Join(engine.Common(), ", ") + ".",
		Funcs: []*spec.Func{newFunc, handlerFunc},
		Types: []*spec.Type{machineType, contextType, resultType},
	}
	for _, name := range append(engine.Common(), engine.Completed, engine.Failed) {
		m.Constants = append(m.Constants, spec.Constant{Name: name, Type: "str", Doc: "The state's name.", Value: starlark.String(name)})
	}
	return m
}

// handler is the steps of one state.
type handler struct {
	enter, execute, exit starlark.Callable
	to                   []string
}

func (h *handler) String() string        { return "<handler>" }
func (h *handler) Type() string          { return "handler" }
func (h *handler) Truth() starlark.Bool  { return true }
func (h *handler) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: handler") }

// Freeze reaches the functions: a machine is shared by all threads.
func (h *handler) Freeze() {
	for _, f := range []starlark.Callable{h.enter, h.execute, h.exit} {
		if f != nil {
			f.Freeze()
		}
	}
}

var handlerFunc = &spec.Func{
	Name: "handler", Returns: "handler", LoadTime: true,
	Doc: "Makes a state of several steps. enter may name another state, which is then visited instead; execute names the next state; exit always runs, also when execute failed.",
	Params: []spec.Param{
		{Name: "execute", Type: "callable", Optional: true, Doc: "execute(ctx) returns the next state's name."},
		{Name: "enter", Type: "callable", Optional: true, KwOnly: true, Doc: "enter(ctx) runs first; a name that it returns redirects."},
		{Name: "exit", Type: "callable", Optional: true, KwOnly: true, Doc: "exit(ctx) runs last."},
		{Name: "to", Type: "list", Optional: true, KwOnly: true, Doc: "The states that execute may name, where its returns are computed."},
	},
	Example: `
def work(ctx):
    return machine.completed
flow = machine.new("small", states = {"work": machine.handler(execute = work, exit = lambda ctx: print("bye"))}, start = "work")
expect.eq(flow.run(t).state, "completed")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		h := &handler{enter: c.Callable("enter"), execute: c.Callable("execute"), exit: c.Callable("exit")}
		if h.execute == nil && h.enter == nil {
			return nil, &spec.ArgError{Call: c.Name(), Problem: "missing argument execute", Hint: "execute(ctx) names the next state"}
		}
		var err error
		h.to, err = c.Texts("to")
		return h, err
	},
}

// Machine is a state machine of a script.
type Machine struct {
	name      string
	m         *engine.Machine
	handlers  map[string]*handler
	functions []starlark.Value // everything to freeze and to share
}

var _ starlark.HasAttrs = (*Machine)(nil)

// Graph is the machine's picture, for rig graph.
func (m *Machine) Graph() engine.Graph { return m.m.Graph() }

// Warnings of the machine's definition.
func (m *Machine) Warnings() []engine.Problem { return m.m.Warnings() }

func (m *Machine) String() string        { return "<machine " + m.name + ">" }
func (m *Machine) Type() string          { return "machine" }
func (m *Machine) Truth() starlark.Bool  { return true }
func (m *Machine) Hash() (uint32, error) { return starlark.String(m.name).Hash() }

// Freeze reaches the handlers.
func (m *Machine) Freeze() {
	for _, f := range m.functions {
		f.Freeze()
	}
}

// Attr finds a member.
func (m *Machine) Attr(name string) (starlark.Value, error) {
	return machineType.Attr(m, name)
}

// AttrNames lists the members.
func (m *Machine) AttrNames() []string { return machineType.AttrNames() }

var newFunc = &spec.Func{
	Name: "new", Returns: "machine", LoadTime: true,
	Doc: "Makes a state machine and checks it: unknown, unreachable and dead-end states are errors before anything runs. A state is a function fn(ctx) that returns the next state's name, or a machine.handler.",
	Params: []spec.Param{
		{Name: "name", Type: "str", Doc: "How reports call it."},
		{Name: "states", Type: "dict", Optional: true, Doc: "The states by name; those named like common states replace them."},
		{Name: "after_common", Type: "str", Optional: true, KwOnly: true, Doc: "The state after the common ones; the first of states without it."},
		{Name: "start", Type: "str", Optional: true, KwOnly: true, Doc: "The first state. With it the common states do not run."},
	},
	Example: `
def fill(ctx):
    ctx.conn.exec("CREATE TABLE loaded (id INT)")
    ctx.data["table"] = "loaded"
    return "verify"
def verify(ctx):
    ctx.conn.query("SELECT * FROM " + ctx.data["table"])
    return machine.completed
flow = machine.new("loader", states = {"fill": fill, "verify": verify})
result = flow.run(t)
expect.eq(result.path[-2:], ["fill", "verify"])
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		m := &Machine{name: c.Str("name"), handlers: map[string]*handler{}}
		d := engine.Definition{Name: m.name, Start: c.Str("start"), AfterCommon: c.Str("after_common"), Common: commonStates()}
		if c.Has("states") {
			for _, kv := range c.Arg("states").(starlark.IterableMapping).Items() {
				s, err := m.state(c, kv[0], kv[1])
				if err != nil {
					return nil, err
				}
				d.States = append(d.States, s)
			}
		}
		var err error
		if m.m, err = engine.New(d); err != nil {
			return nil, err
		}
		return m, nil
	},
}

// state makes the engine's state of an entry of states.
func (m *Machine) state(c *spec.Call, key, v starlark.Value) (engine.State, error) {
	name, ok := starlark.AsString(key)
	if !ok || name == "" {
		return engine.State{}, c.Errorf("states", "a state's name is a str that is not empty, got %s", key)
	}
	h, ok := v.(*handler)
	if !ok {
		fn, isFn := v.(starlark.Callable)
		if !isFn {
			return engine.State{}, c.Errorf("states", "state %q: want a function or machine.handler(...), got %s", name, v.Type())
		}
		h = &handler{execute: fn}
	}
	m.handlers[name] = h
	s := engine.State{Name: name, Handler: h.bind()}
	s.To, s.Pos = h.to, script.CallerPos(c.Thread)
	host := c.Script().Host()
	for _, fn := range []starlark.Callable{h.execute, h.enter, h.exit} {
		if fn == nil {
			continue
		}
		m.functions = append(m.functions, fn)
		f, isFunction := fn.(*starlark.Function)
		if isFunction && s.Pos.Line == 0 || isFunction && fn == h.execute {
			s.Pos = script.PosOf(f)
		}
		if h.to != nil || fn == h.exit {
			continue
		}
		if !isFunction {
			s.Dynamic = true
			continue
		}
		names, computed := host.Returns(f)
		for _, n := range names {
			if !slices.Contains(s.To, n) {
				s.To = append(s.To, n)
			}
		}
		s.Dynamic = s.Dynamic || computed
	}
	if name == engine.Failed {
		s.To, s.Dynamic = nil, true // its return is not used
	}
	return s, nil
}

// bind makes the engine's steps call the script's.
func (h *handler) bind() engine.Handler {
	e := engine.Handler{Enter: step(h.enter), Execute: step(h.execute)}
	if h.exit != nil {
		e.Exit = func(v *engine.Visit) error {
			_, err := callStep(v, h.exit)
			return err
		}
	}
	return e
}

func step(fn starlark.Callable) engine.Step {
	if fn == nil {
		return nil
	}
	return func(v *engine.Visit) (string, error) { return callStep(v, fn) }
}

// callStep calls fn(ctx) and reads the state that it names.
func callStep(v *engine.Visit, fn starlark.Callable) (string, error) {
	x := at(v)
	x.stop.resume(v.Context)
	th := x.up.Child(x.up.Name(), v.Context)
	x.entered(th, v, true)
	out, err := th.Call(fn, starlark.Tuple{x}, nil)
	if err != nil {
		return "", err
	}
	if out == starlark.None {
		return "", nil
	}
	s, ok := starlark.AsString(out)
	if !ok {
		return "", fmt.Errorf("%s returned %s, want the name of a state", fn.Name(), out.Type())
	}
	return s, nil
}
