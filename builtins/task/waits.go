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

func waits(text string) func(*spec.Call) string { return func(*spec.Call) string { return text } }

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
		Waits: func(c *spec.Call) string {
			here, n := of[*coord.Barrier](c.Recv).Here()
			return fmt.Sprintf("waits at a barrier, to which %d of %d came", here, n)
		},
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
		{Name: "wait", Doc: "Waits until it is set.", Params: []spec.Param{timeoutParam}, Waits: waits("waits for a signal"), Impl: func(c *spec.Call) (starlark.Value, error) {
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
		{Name: "send", Doc: "Gives a value to the channel.", Params: []spec.Param{{Name: "value", Type: "any", Doc: "The value."}, timeoutParam}, Waits: waits("waits until a channel takes a value"), Impl: func(c *spec.Call) (starlark.Value, error) {
			if err := c.Script().Host().Share(c.Arg("value")); err != nil {
				return nil, err
			}
			return starlark.None, of[*coord.Channel](c.Recv).Send(c.Script().Context(), c.Arg("value"), c.Duration("timeout"))
		}},
		{Name: "receive", Returns: "any", Doc: "Takes the next value; None when the channel is closed and empty.", Params: []spec.Param{timeoutParam}, Waits: waits("waits for a value of a channel"), Impl: func(c *spec.Call) (starlark.Value, error) {
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
		{Name: "wait", Doc: "Waits until the number is at least n.", Params: []spec.Param{{Name: "n", Type: "int", Doc: "The number."}, timeoutParam}, Waits: func(c *spec.Call) string {
			return fmt.Sprintf("waits for a counter to reach %d (it is %d)", c.Int("n"), of[*coord.Counter](c.Recv).Value())
		}, Impl: func(c *spec.Call) (starlark.Value, error) {
			return starlark.None, of[*coord.Counter](c.Recv).Wait(c.Script().Context(), c.Int("n"), c.Duration("timeout"))
		}},
	},
}).Seal()
