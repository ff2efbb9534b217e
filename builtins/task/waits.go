package task

import (
	"fmt"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/coord"
)

// object is the script face of something that tasks share; it is safe for concurrent use and so needs no freezing.
type object[T any] struct {
	typ *spec.Type
	v   T
}

func (o *object[T]) String() string        { return "<" + o.typ.Name + ">" }
func (o *object[T]) Type() string          { return o.typ.Name }
func (o *object[T]) Freeze()               {}
func (o *object[T]) Truth() starlark.Bool  { return true }
func (o *object[T]) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: %s", o.typ.Name) }

// Attr finds a member.
func (o *object[T]) Attr(name string) (starlark.Value, error) {
	return o.typ.Attr(o, name)
}

// AttrNames lists the members.
func (o *object[T]) AttrNames() []string { return o.typ.AttrNames() }

func of[T any](v starlark.Value) T { return v.(*object[T]).v }

var timeoutParam = spec.Param{Name: "timeout", Type: "duration", Optional: true, KwOnly: true, Doc: "How long to wait, 30s by default."}

var barrierFunc = &spec.Func{
	Name: "barrier", Returns: "barrier",
	Doc:    "Makes a barrier: wait() returns when n tasks wait. It can be used again.",
	Params: []spec.Param{{Name: "n", Type: "int", Doc: "How many tasks."}},
	Example: `
b = task.barrier(2)
def step(b):
    b.wait(timeout = "5s")
    return True
expect.all_ok(task.map(step, [b, b]))
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		if n := c.Int("n"); n < 1 || n > maxTasks {
			return nil, c.Errorf("n", "want 1 to %d, got %d", maxTasks, n)
		}
		return &object[*coord.Barrier]{barrierType, coord.NewBarrier(int(c.Int("n")))}, nil
	},
}

var barrierType = (&spec.Type{
	Name: "barrier", Doc: "A place where tasks wait for each other.",
	Example: `
task.barrier(1).wait()
`,
	Methods: []*spec.Func{{
		Name: "wait", Doc: "Waits until all have come.", Params: []spec.Param{timeoutParam},
		Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.None, of[*coord.Barrier](c.Recv).Wait(c.Script().Context(), c.Duration("timeout"))
		},
	}},
}).Seal()

var signalFunc = &spec.Func{
	Name: "signal", Returns: "signal", Doc: "Makes a signal: it is set once, and every wait before and after sees it.",
	Example: `
s = task.signal()
s.set()
s.wait()
`,
	Impl: func(*spec.Call) (starlark.Value, error) {
		return &object[*coord.Signal]{signalType, coord.NewSignal()}, nil
	},
}

var signalType = (&spec.Type{
	Name: "signal", Doc: "Something that happens once.",
	Example: `
s = task.signal()
expect.eq(s.is_set, False)
`,
	Attrs: []spec.Attr{{Name: "is_set", Type: "bool", Doc: "Whether it is set.", Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.Bool(of[*coord.Signal](v).IsSet()), nil
	}}},
	Methods: []*spec.Func{
		{Name: "set", Doc: "Sets it.", Impl: func(c *spec.Call) (starlark.Value, error) {
			of[*coord.Signal](c.Recv).Set()
			return starlark.None, nil
		}},
		{Name: "wait", Doc: "Waits until it is set.", Params: []spec.Param{timeoutParam}, Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.None, of[*coord.Signal](c.Recv).Wait(c.Script().Context(), c.Duration("timeout"))
		}},
	},
}).Seal()

// maxCapacity bounds a channel.
const maxCapacity = 1_000_000

var channelFunc = &spec.Func{
	Name: "channel", Returns: "channel",
	Doc:    "Makes a channel that carries values between tasks, in order.",
	Params: []spec.Param{{Name: "capacity", Type: "int", Default: starlark.MakeInt(0), Doc: "How many values it holds; with 0 every send waits for its receive."}},
	Example: `
ch = task.channel(1)
ch.send("hello")
expect.eq(ch.receive(), "hello")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		if n := c.Int("capacity"); n < 0 || n > maxCapacity {
			return nil, c.Errorf("capacity", "want 0 to %d, got %d", maxCapacity, n)
		}
		return &object[*coord.Channel]{channelType, coord.NewChannel(int(c.Int("capacity")))}, nil
	},
}

var channelType = (&spec.Type{
	Name: "channel", Doc: "Carries values between tasks; they are frozen.",
	Example: `
ch = task.channel(2)
ch.send(1)
ch.close()
expect.eq([ch.receive(), ch.receive()], [1, None])
`,
	Methods: []*spec.Func{
		{Name: "send", Doc: "Gives a value to the channel.", Params: []spec.Param{{Name: "value", Type: "any", Doc: "The value."}, timeoutParam}, Impl: func(c *spec.Call) (starlark.Value, error) {
			if err := c.Script().Host().Share(c.Arg("value")); err != nil {
				return nil, err
			}
			return starlark.None, of[*coord.Channel](c.Recv).Send(c.Script().Context(), c.Arg("value"), c.Duration("timeout"))
		}},
		{Name: "receive", Returns: "any", Doc: "Takes the next value; None when the channel is closed and empty.", Params: []spec.Param{timeoutParam}, Impl: func(c *spec.Call) (starlark.Value, error) {
			v, ok, err := of[*coord.Channel](c.Recv).Receive(c.Script().Context(), c.Duration("timeout"))
			if err != nil || !ok {
				return starlark.None, err
			}
			return v.(starlark.Value), nil
		}},
		{Name: "close", Doc: "Ends the channel; what is in it can still be received.", Impl: func(c *spec.Call) (starlark.Value, error) {
			of[*coord.Channel](c.Recv).Close()
			return starlark.None, nil
		}},
	},
}).Seal()

var counterFunc = &spec.Func{
	Name: "counter", Returns: "counter", Doc: "Makes a counter that tasks change together.",
	Example: `
n = task.counter()
n.add(2)
expect.eq(n.value, 2)
`,
	Impl: func(*spec.Call) (starlark.Value, error) {
		return &object[*coord.Counter]{counterType, coord.NewCounter()}, nil
	},
}

var counterType = (&spec.Type{
	Name: "counter", Doc: "A number that tasks change together.",
	Example: `
n = task.counter()
expect.eq(n.add(1), 1)
n.wait(1)
`,
	Attrs: []spec.Attr{{Name: "value", Type: "int", Doc: "The number.", Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.MakeInt64(of[*coord.Counter](v).Value()), nil
	}}},
	Methods: []*spec.Func{
		{Name: "add", Returns: "int", Doc: "Changes it and returns the new number.", Params: []spec.Param{{Name: "delta", Type: "int", Default: starlark.MakeInt(1), Doc: "By how much."}}, Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.MakeInt64(of[*coord.Counter](c.Recv).Add(c.Int("delta"))), nil
		}},
		{Name: "wait", Doc: "Waits until the number is at least n.", Params: []spec.Param{{Name: "n", Type: "int", Doc: "The number."}, timeoutParam}, Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.None, of[*coord.Counter](c.Recv).Wait(c.Script().Context(), c.Int("n"), c.Duration("timeout"))
		}},
	},
}).Seal()

var sharedFunc = &spec.Func{
	Name: "shared", Returns: "shared",
	Doc:    "Makes a map that tasks change together. Values in it are frozen; keys are str.",
	Params: []spec.Param{{Name: "values", Type: "dict", Optional: true, Doc: "What is in it at first."}},
	Example: `
s = task.shared({"done": 0})
s.add("done", 2)
expect.eq(s.get("done"), 2)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		s := &object[*coord.Shared]{sharedType, coord.NewShared()}
		if !c.Has("values") {
			return s, nil
		}
		for _, kv := range c.Arg("values").(starlark.IterableMapping).Items() {
			key, ok := starlark.AsString(kv[0])
			if !ok {
				return nil, c.Errorf("values", "keys are str, got %s", kv[0].Type())
			}
			if err := c.Script().Host().Share(kv[1]); err != nil {
				return nil, err
			}
			s.v.Set(key, kv[1])
		}
		return s, nil
	},
}

var keyParam = spec.Param{Name: "key", Type: "str", Doc: "The key."}

func shared(c *spec.Call) *coord.Shared { return of[*coord.Shared](c.Recv) }

var sharedType = (&spec.Type{
	Name: "shared", Doc: "A map that tasks change together.",
	Example: `
s = task.shared()
s.set("x", 1)
expect.true(s.compare_and_set("x", 1, 2))
expect.eq(s.append("log", "a"), 1)
`,
	Methods: []*spec.Func{
		{Name: "get", Returns: "any", Doc: "The value of a key.", Params: []spec.Param{keyParam, {Name: "default", Type: "any", Default: starlark.None, Doc: "Where the key is missing."}}, Impl: func(c *spec.Call) (starlark.Value, error) {
			if v, ok := shared(c).Get(c.Str("key")); ok {
				return v.(starlark.Value), nil
			}
			return c.Arg("default"), nil
		}},
		{Name: "set", Doc: "Stores a value.", Params: []spec.Param{keyParam, {Name: "value", Type: "any", Doc: "The value."}}, Impl: func(c *spec.Call) (starlark.Value, error) {
			if err := c.Script().Host().Share(c.Arg("value")); err != nil {
				return nil, err
			}
			shared(c).Set(c.Str("key"), c.Arg("value"))
			return starlark.None, nil
		}},
		{Name: "add", Returns: "int", Doc: "Adds to an int and returns the sum; a missing key counts as 0.", Params: []spec.Param{keyParam, {Name: "delta", Type: "int", Default: starlark.MakeInt(1), Doc: "By how much."}}, Impl: func(c *spec.Call) (starlark.Value, error) {
			v, err := shared(c).Update(c.Str("key"), func(old any, had bool) (any, error) {
				if !had {
					return starlark.MakeInt64(c.Int("delta")), nil
				}
				n, ok := old.(starlark.Int)
				if !ok {
					return nil, c.Errorf("key", "%q holds %s, not int", c.Str("key"), old.(starlark.Value).Type())
				}
				return n.Add(starlark.MakeInt64(c.Int("delta"))), nil
			})
			if err != nil {
				return nil, err
			}
			return v.(starlark.Value), nil
		}},
		{Name: "append", Returns: "int", Doc: "Appends to a list and returns its length; a missing key is an empty list.", Params: []spec.Param{keyParam, {Name: "value", Type: "any", Doc: "The value."}}, Impl: func(c *spec.Call) (starlark.Value, error) {
			if err := c.Script().Host().Share(c.Arg("value")); err != nil {
				return nil, err
			}
			v, err := shared(c).Update(c.Str("key"), func(old any, had bool) (any, error) {
				var items []starlark.Value
				if list, ok := old.(*starlark.List); ok {
					for i := range list.Len() {
						items = append(items, list.Index(i))
					}
				} else if had {
					return nil, c.Errorf("key", "%q holds %s, not a list", c.Str("key"), old.(starlark.Value).Type())
				}
				list := starlark.NewList(append(items, c.Arg("value")))
				list.Freeze()
				return list, nil
			})
			if err != nil {
				return nil, err
			}
			return starlark.MakeInt(v.(*starlark.List).Len()), nil
		}},
		{Name: "compare_and_set", Returns: "bool", Doc: "Stores a value if the key still holds old, and tells whether it did.", Params: []spec.Param{keyParam, {Name: "old", Type: "any", Doc: "What is expected; None for a missing key."}, {Name: "value", Type: "any", Doc: "The value."}}, Impl: func(c *spec.Call) (starlark.Value, error) {
			if err := c.Script().Host().Share(c.Arg("value")); err != nil {
				return nil, err
			}
			done := false
			_, err := shared(c).Update(c.Str("key"), func(old any, had bool) (any, error) {
				var now starlark.Value = starlark.None
				if had {
					now = old.(starlark.Value)
				}
				same, err := starlark.Equal(now, c.Arg("old"))
				if err != nil {
					return nil, err
				}
				if done = same; same {
					return c.Arg("value"), nil
				}
				return now, nil
			})
			return starlark.Bool(done), err
		}},
		{Name: "keys", Returns: "list", Doc: "The keys in order.", Impl: func(c *spec.Call) (starlark.Value, error) {
			var out []starlark.Value
			for _, k := range shared(c).Keys() {
				out = append(out, starlark.String(k))
			}
			return starlark.NewList(out), nil
		}},
	},
}).Seal()
