package script

import (
	"fmt"

	"go.starlark.net/starlark"
)

// bounded refuses a value that is too deep or too large to be printed, hashed or encoded.
func bounded(v starlark.Value) *guardError {
	_, bad := measure(v)
	return bad
}

// measure walks a value without recursion and estimates how much text it prints as, in bytes. Parts count as often as they
// are reached, because printing, hashing and encoding follow them as often.
func measure(v starlark.Value) (int, *guardError) {
	type item struct {
		v     starlark.Value
		depth int
	}
	var few [16]item
	stack := append(few[:0], item{v, 0})
	nodes, size := 0, 0
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch {
		case x.depth > maxDepth:
			return 0, &guardError{guard: "depth", msg: fmt.Sprintf("the value nests more than %d deep", maxDepth)}
		case nodes > maxNodes:
			return 0, &guardError{guard: "length", msg: fmt.Sprintf("the value has more than %d parts", maxNodes)}
		case size > maxText:
			return 0, tooMuchText("the value").(*guardError)
		}
		children(x.v, func(c starlark.Value) {
			nodes++
			size += 4
			switch c := c.(type) {
			case starlark.String:
				size += len(c)
			case starlark.Bytes:
				size += 4 * len(c)
			default:
				if !leaf(c) && nodes <= maxNodes {
					stack = append(stack, item{c, x.depth + 1})
				}
			}
		})
	}
	return size, nil
}

func leaf(v starlark.Value) bool {
	switch v.(type) {
	case *starlark.List, starlark.Tuple, *starlark.Dict, *starlark.Set:
		return false
	case structLike:
		return false
	}
	return true
}

// children calls f with each value that v holds directly.
func children(v starlark.Value, f func(starlark.Value)) {
	switch v := v.(type) {
	case *starlark.List:
		for i := range v.Len() {
			f(v.Index(i))
		}
	case starlark.Tuple:
		for _, x := range v {
			f(x)
		}
	case *starlark.Dict:
		for k, x := range v.Entries() {
			f(k)
			f(x)
		}
	case *starlark.Set:
		for x := range v.Elements() {
			f(x)
		}
	case structLike:
		for _, name := range v.AttrNames() {
			if x, err := v.Attr(name); err == nil && x != nil {
				f(x)
			}
		}
	}
}

// structLike is starlarkstruct's value: its attributes are its content.
type structLike interface {
	starlark.HasAttrs
	Constructor() starlark.Value
}

// freezable refuses what the interpreter cannot freeze: functions that hold themselves through their closure, values too
// deep, and tuples so shared that freezing them would not end.
func freezable(v starlark.Value) *guardError {
	w := freezer{active: map[*starlark.Function]bool{}, done: map[any]bool{}}
	return w.walk(v, 0)
}

// freezer recurses, to a bounded depth.
type freezer struct {
	active map[*starlark.Function]bool
	done   map[any]bool
	nodes  int
}

func (w *freezer) walk(v starlark.Value, depth int) *guardError {
	if w.nodes++; w.nodes > maxNodes {
		return &guardError{guard: "length", msg: fmt.Sprintf("has more than %d parts", maxNodes)}
	}
	if depth > maxDepth {
		return &guardError{guard: "depth", msg: fmt.Sprintf("nests more than %d deep", maxDepth)}
	}
	switch v := v.(type) {
	case *starlark.Function:
		return w.function(v, depth)
	case *starlark.List, *starlark.Dict, *starlark.Set:
		if w.done[v] {
			return nil
		}
		w.done[v] = true
	case *starlark.Builtin:
		if r := v.Receiver(); r != nil {
			return w.walk(r, depth+1)
		}
		return nil
	}
	var bad *guardError
	children(v, func(c starlark.Value) {
		if bad == nil {
			bad = w.walk(c, depth+1)
		}
	})
	return bad
}

func (w *freezer) function(fn *starlark.Function, depth int) *guardError {
	if w.active[fn] {
		return &guardError{
			guard: "closure", msg: fmt.Sprintf("holds the function %s (%s), which refers to itself through its closure", fn.Name(), fn.Position()),
			hint: "define a recursive function at the top level of the file",
		}
	}
	if w.done[fn] {
		return nil
	}
	w.active[fn] = true
	defer func() {
		delete(w.active, fn)
		w.done[fn] = true
	}()
	for i := range fn.NumFreeVars() {
		if _, v := fn.FreeVar(i); v != nil {
			if bad := w.walk(v, depth+1); bad != nil {
				return bad
			}
		}
	}
	for i := range fn.NumParams() {
		if d := fn.ParamDefault(i); d != nil {
			if bad := w.walk(d, depth+1); bad != nil {
				return bad
			}
		}
	}
	return nil
}
