package retry

import (
	"context"
	"errors"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/resilience"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// breaker is a circuit breaker of a script.
type breaker struct {
	b    *resilience.Breaker
	name string        // "" where it has none
	call *spec.Builtin // bound once
}

func (b *breaker) String() string        { return "<breaker " + b.b.State() + ">" }
func (b *breaker) Type() string          { return "breaker" }
func (b *breaker) Freeze()               {} // it is safe for concurrent use
func (b *breaker) Truth() starlark.Bool  { return true }
func (b *breaker) Hash() (uint32, error) { return 0, errors.New("unhashable type: breaker") }

// Attr finds a member.
func (b *breaker) Attr(name string) (starlark.Value, error) {
	if name == "call" {
		return b.call, nil
	}
	return breakerType.Attr(b, name)
}

// AttrNames lists the members.
func (b *breaker) AttrNames() []string { return breakerType.AttrNames() }

var breakerType = (&spec.Type{
	Name: "breaker", Doc: "Refuses calls for a while after too many failures in a row, with an error of kind breaker_open. It ends with the test that made it.",
	Example: `
b = retry.breaker(failure_threshold = 1, recovery_timeout = "1m")
expect.error(b.call, "down", fail, "no")
expect.eq(b.state, "open")
expect.error(b.call, "down", lambda: 1, kind = "breaker_open")
`,
	Attrs: []spec.Attr{{Name: "state", Type: "str", Doc: "closed, open or half_open.", Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.String(v.(*breaker).b.State()), nil
	}}},
	Methods: []*spec.Func{
		{
			Name: "call", Returns: "any", Doc: "Calls fn(*args), or refuses.", Params: callParams,
			Impl: slow((*breaker).run), Fast: fast((*breaker).run),
		},
		{
			Name: "close", Doc: "Ends the breaker for good: every later call, of any task, is refused with an error that names this line.",
			Impl: func(c *spec.Call) (starlark.Value, error) {
				c.Recv.(*breaker).b.Close(script.CallerPos(c.Thread).String())
				return starlark.None, nil
			},
		},
	},
}).Seal()

// run calls fn, or refuses.
func (b *breaker) run(th *starlark.Thread, name string, fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (out starlark.Value, err error) {
	err = b.b.Call(label(b.name, name), func() (err error) {
		out, err = starlark.Call(th, fn, args, kwargs)
		return err
	})
	return out, err
}

var breakerFunc = &spec.Func{
	Name: "breaker", Returns: "breaker",
	Doc: "Makes a circuit breaker. Tasks may share it; what it counts ends with the test.",
	Params: []spec.Param{
		{Name: "failure_threshold", Type: "int", Default: starlark.MakeInt(5), KwOnly: true, Doc: "Failures in a row that open it."},
		{Name: "recovery_timeout", Type: "duration", Default: starlark.String("60s"), KwOnly: true, Doc: "After which calls may try again."},
		{Name: "success_threshold", Type: "int", Default: starlark.MakeInt(2), KwOnly: true, Doc: "Successes in a row that close it; so many calls may try at a time."},
		nameParam,
	},
	Example: `
b = retry.breaker(failure_threshold = 3)
expect.eq(b.call("fine", lambda: 1), 1)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		pos := script.CallerPos(c.Thread)
		name := c.Str("name")
		o := resilience.BreakerOptions{
			Name:             name,
			FailureThreshold: int(c.Int("failure_threshold")), RecoveryTimeout: c.Duration("recovery_timeout"), SuccessThreshold: int(c.Int("success_threshold")),
		}
		if err := o.Validate(); err != nil {
			return nil, &spec.ArgError{Call: c.Name(), Problem: err.Error()}
		}
		if o.Name == "" {
			o.Name = pos.String()
		}
		t, err := scenario.FromThread(c.Thread)
		if err != nil {
			return nil, err
		}
		o.Observe = func(from, to string) { t.Emit(pos, &event.Breaker{Name: o.Name, From: from, To: to}) }
		b := &breaker{b: resilience.NewBreaker(o), name: name}
		b.call = breakerType.Bind(b, "call")
		t.Cleanup("breaker", func(context.Context) error {
			b.b.Close("the test " + t.ID() + " that made it has ended")
			return nil
		})
		return b, nil
	},
}
