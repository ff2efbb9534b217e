// Package retry declares the module retry: policies for calls that may fail, breakers for those that keep failing.
package retry

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/resilience"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "retry", Doc: "Calls that may fail: policies that try again, breakers that stop trying.",
		Funcs: []*spec.Func{policyFunc, breakerFunc},
		Types: []*spec.Type{policyType, breakerType},
	}
}

// policy is a retry policy of a script.
type policy struct {
	p    resilience.Policy
	name string
	call *spec.Builtin // bound once
}

var _ value.Policied = (*policy)(nil)

// Policy is what it says.
func (p *policy) Policy() resilience.Policy { return p.p }

func (p *policy) String() string {
	return fmt.Sprintf("<policy %d attempts, %s to %s>", p.p.MaxAttempts, p.p.BaseDelay, p.p.MaxDelay)
}
func (p *policy) Type() string          { return "policy" }
func (p *policy) Freeze()               {}
func (p *policy) Truth() starlark.Bool  { return true }
func (p *policy) Hash() (uint32, error) { return 0, errors.New("unhashable type: policy") }

// Attr finds a member.
func (p *policy) Attr(name string) (starlark.Value, error) {
	if name == "call" {
		return p.call, nil
	}
	return policyType.Attr(p, name)
}

// AttrNames lists the members.
func (p *policy) AttrNames() []string { return policyType.AttrNames() }

// label is how reports call a call: by its own name, after that of the policy or breaker where it has one.
func label(owner, call string) string {
	if owner == "" || owner == call {
		return call
	}
	return owner + "/" + call
}

var nameParam = spec.Param{Name: "name", Type: "str", Optional: true, KwOnly: true, Doc: "How reports call it, before the name of the call."}

var callParams = []spec.Param{
	{Name: "name", Type: "str", Doc: "How reports call it."},
	{Name: "fn", Type: "callable", Doc: "What to call."},
	{Name: "args", Type: "any", Variadic: true, Doc: "Its arguments."},
	{Name: "kwargs", Type: "any", Keywords: true, Doc: "Its keyword arguments."},
}

var policyType = (&spec.Type{
	Name: "policy", Doc: "Says how often a call is tried, and when.",
	Example: `
p = retry.policy(max_attempts = 3, base_delay = "1ms")
expect.eq(p.call("answer", lambda: 42), 42)
`,
	Methods: []*spec.Func{{
		Name: "call", Returns: "any", Doc: "Calls fn(*args) again while it fails with errors that the policy retries. Each attempt is in the journal with its cause and its delay.", Params: callParams,
		Impl: slow((*policy).run), Fast: fast((*policy).run),
	}},
}).Seal()

// run calls fn by the policy.
func (p *policy) run(th *starlark.Thread, name string, fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (out starlark.Value, err error) {
	err = value.Retry(th, label(p.name, name), p.p, func(int) (err error) {
		out, err = starlark.Call(th, fn, args, kwargs)
		return err
	})
	return out, err
}

// runner is a method that calls a function of the script.
type runner[T any] func(recv T, th *starlark.Thread, name string, fn starlark.Callable, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

func slow[T any](run runner[T]) spec.Impl {
	return func(c *spec.Call) (starlark.Value, error) {
		return run(c.Recv.(T), c.Thread, c.Str("name"), c.Callable("fn"), c.Rest, c.Extra)
	}
}

// fast is for calls as nearly all are: name and fn by place, nothing by name. What they guard may take a microsecond.
func fast[T any](run runner[T]) func(*starlark.Thread, starlark.Value, starlark.Tuple, []starlark.Tuple) (starlark.Value, bool, error) {
	return func(th *starlark.Thread, recv starlark.Value, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, bool, error) {
		if len(args) < 2 || len(kwargs) > 0 {
			return nil, false, nil
		}
		name, isText := args[0].(starlark.String)
		fn, isFn := args[1].(starlark.Callable)
		if !isText || !isFn {
			return nil, false, nil
		}
		v, err := run(recv.(T), th, string(name), fn, args[2:], nil)
		return v, true, err
	}
}

var policyFunc = &spec.Func{
	Name: "policy", Returns: "policy", LoadTime: true,
	Doc: "Makes a retry policy: the delay doubles with each attempt, up to max_delay; with jitter it is drawn between zero and that.",
	Params: []spec.Param{
		{Name: "max_attempts", Type: "int", Default: starlark.MakeInt(5), KwOnly: true, Doc: "Calls in all."},
		{Name: "base_delay", Type: "duration", Default: starlark.String("1s"), KwOnly: true, Doc: "After the first failure."},
		{Name: "max_delay", Type: "duration", Default: starlark.String("30s"), KwOnly: true, Doc: "At most."},
		{Name: "jitter", Type: "bool", Default: starlark.True, KwOnly: true, Doc: "Draw the delay."},
		{Name: "on", Type: "any", Default: starlark.String("transient"), KwOnly: true, Doc: "A category or kind of error, or a list of them."},
		nameParam,
	},
	Example: `
p = retry.policy(max_attempts = 2, base_delay = "1ms", on = ["transient"])
r = try_(p.call, "doomed", t.db.query, "SELECT nonsense FROM nowhere")
expect.eq(r.error.kind, "unknown_table")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		on, err := value.RetryOn(c, "on")
		if err != nil {
			return nil, err
		}
		p := resilience.Policy{MaxAttempts: int(c.Int("max_attempts")), BaseDelay: c.Duration("base_delay"), MaxDelay: c.Duration("max_delay"), Jitter: c.Bool("jitter"), On: on}
		if err := p.Validate(); err != nil {
			return nil, &spec.ArgError{Call: c.Name(), Problem: err.Error()}
		}
		out := &policy{p: p, name: c.Str("name")}
		out.call = policyType.Bind(out, "call")
		return out, nil
	},
}
