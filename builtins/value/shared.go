package value

import (
	"fmt"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/coord"
	"rig/runtime/script"
)

// Shared is a map that tasks, or the members of a coordinator, change together.
type Shared struct{ s *coord.Shared }

var _ starlark.HasAttrs = (*Shared)(nil)

// NewShared wraps one whose values are all script values.
func NewShared(s *coord.Shared) *Shared { return &Shared{s} }

// Shared is what is wrapped.
func (s *Shared) Shared() *coord.Shared { return s.s }

func (s *Shared) String() string { return "<shared>" }

// Type is "shared".
func (s *Shared) Type() string          { return "shared" }
func (s *Shared) Freeze()               {} // it is safe for concurrent use, and what is in it is frozen
func (s *Shared) Truth() starlark.Bool  { return true }
func (s *Shared) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: shared") }

// Attr finds a member.
func (s *Shared) Attr(name string) (starlark.Value, error) { return sharedType.Attr(s, name) }

// AttrNames lists the members.
func (s *Shared) AttrNames() []string { return sharedType.AttrNames() }

var keyParam = spec.Param{Name: "key", Type: "str", Doc: "The key."}

func shared(c *spec.Call) *coord.Shared { return c.Recv.(*Shared).s }

var sharedType = (&spec.Type{
	Name: "shared", Doc: "A map that tasks change together.",
	Example: `
s = task.shared()
s.set("x", 1)
expect.true(s.compare_and_set("x", 1, 2))
expect.eq(s.append("log", "a"), 1)
expect.eq(s.update("x", lambda old: old * 10), 20)
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
		{Name: "update", Returns: "any", Doc: "Replaces a value by fn(old) and returns the new one; old is None for a missing key. Nobody else changes the map meanwhile: fn must not use it, wait or query.", Params: []spec.Param{keyParam, {Name: "fn", Type: "callable", Doc: "Makes the new value of the old one."}}, Impl: func(c *spec.Call) (starlark.Value, error) {
			begun := script.Wait(c.Thread, func() string { return fmt.Sprintf("waits to update %q, which another updates", c.Str("key")) })
			defer begun()
			v, err := shared(c).Update(c.Str("key"), func(old any, had bool) (any, error) {
				begun()
				var now starlark.Value = starlark.None
				if had {
					now = old.(starlark.Value)
				}
				v, err := starlark.Call(c.Thread, c.Callable("fn"), starlark.Tuple{now}, nil)
				if err == nil {
					err = c.Script().Host().Share(v)
				}
				return v, err
			})
			if err != nil {
				return nil, err
			}
			return v.(starlark.Value), nil
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
