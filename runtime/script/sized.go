package script

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"
)

// shadows are the names that take the place of the interpreter's: helpers of the rewritten operators, and universals that
// would allocate or recurse without a bound.
func shadows() starlark.StringDict {
	all := starlark.StringDict{}
	for name, f := range map[string]func(x, y starlark.Value) (starlark.Value, error){
		helperMul: multiply, helperAdd: add, helperMod: format, helperShift: shift, helperExtend: extend,
	} {
		all[name] = starlark.NewBuiltin(name, func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			v, err := f(args[0], args[1])
			charge(th, v)
			return v, err
		})
	}
	all[helperIndexed] = starlark.NewBuiltin(helperIndexed, indexed)
	all[helperField] = starlark.NewBuiltin(helperField, field)
	all[helperSplat] = starlark.NewBuiltin(helperSplat, splat)
	all[helperMethod] = starlark.NewBuiltin(helperMethod, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		return sizedMethod(args[0]), nil
	})
	for _, name := range []string{"list", "tuple", "set", "dict", "enumerate", "zip", "reversed", "min", "max", "any", "all", "bytes"} {
		all[name] = checked(name, shortArgs(maxLen))
	}
	all["sorted"] = checked("sorted", shortArgs(maxSort))
	for _, name := range []string{"str", "repr", "print", "hash", "fail", "getattr", "int", "float"} {
		all[name] = checked(name, boundedArgs)
	}
	return all
}

// checked wraps a universal with a check of its arguments.
func checked(name string, check func(name string, args starlark.Tuple) error) starlark.Value {
	orig := starlark.Universe[name].(*starlark.Builtin)
	return starlark.NewBuiltin(name, func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := check(name, args); err != nil {
			return nil, err
		}
		v, err := orig.CallInternal(th, args, kwargs)
		if b, ok := v.(*starlark.Builtin); ok && name == "getattr" {
			return sizedMethod(b), err
		}
		return v, err
	})
}

// shortArgs refuses iterables that are too long before anything walks them.
func shortArgs(limit int) func(string, starlark.Tuple) error {
	return func(name string, args starlark.Tuple) error {
		for _, a := range args {
			if n := starlark.Len(a); n > limit {
				if _, isText := a.(starlark.String); isText {
					continue
				}
				return tooLong(name, n)
			}
		}
		return nil
	}
}

func boundedArgs(name string, args starlark.Tuple) error {
	for _, a := range args {
		if s, ok := a.(starlark.String); ok {
			if len(s) > maxBits && (name == "int" || name == "float") {
				return &guardError{guard: "number", msg: fmt.Sprintf("%s: %d digits are too many", name, len(s))}
			}
			continue
		}
		if bad := bounded(a); bad != nil {
			return bad
		}
	}
	return nil
}

func multiply(x, y starlark.Value) (starlark.Value, error) {
	if a, ok := x.(starlark.Int); ok {
		if b, ok := y.(starlark.Int); ok {
			if bits := bitLen(a) + bitLen(b); bits > maxBits {
				return nil, tooManyBits(bits)
			}
			return a.Mul(b), nil
		}
		x, y = y, x // the sequence first
	}
	if n, ok := y.(starlark.Int); ok {
		if err := repeated(x, n); err != nil {
			return nil, err
		}
	}
	return starlark.Binary(syntax.STAR, x, y)
}

func repeated(x starlark.Value, n starlark.Int) error {
	var size, limit int
	switch x := x.(type) {
	case starlark.String:
		size, limit = len(x), maxText
	case starlark.Bytes:
		size, limit = len(x), maxText
	case *starlark.List, starlark.Tuple:
		size, limit = starlark.Len(x), maxLen
	default:
		return nil
	}
	times, ok := n.Int64()
	if size == 0 || n.Sign() <= 0 || ok && times <= int64(limit/size) {
		return nil
	}
	if limit == maxText {
		return tooMuchText("*")
	}
	return &guardError{guard: "length", msg: fmt.Sprintf("*: the result would have more than %d elements", maxLen), hint: "make less at once; rows of a large result come from conn.stream"}
}

// bitLen is the size of an integer in bits; small ones cost nothing.
func bitLen(i starlark.Int) int {
	if _, ok := i.Int64(); ok {
		return 64
	}
	return i.BigInt().BitLen()
}

func tooManyBits(bits int) error {
	return &guardError{guard: "number", msg: fmt.Sprintf("the integer would have %d bits, more than %d", bits, maxBits)}
}

func add(x, y starlark.Value) (starlark.Value, error) {
	switch a := x.(type) {
	case starlark.Int:
		if b, ok := y.(starlark.Int); ok {
			return a.Add(b), nil
		}
	case starlark.String:
		if b, ok := y.(starlark.String); ok {
			if len(a)+len(b) > maxText {
				return nil, tooMuchText("+")
			}
			return a + b, nil
		}
	case starlark.Bytes:
		if starlark.Len(x)+max(starlark.Len(y), 0) > maxText {
			return nil, tooMuchText("+")
		}
	case *starlark.List, starlark.Tuple:
		if n := starlark.Len(x) + max(starlark.Len(y), 0); n > maxLen {
			return nil, tooLong("+", n)
		}
	}
	return starlark.Binary(syntax.PLUS, x, y)
}

func shift(x, y starlark.Value) (starlark.Value, error) {
	if a, ok := x.(starlark.Int); ok {
		if bits := bitLen(a) + 512; bits > maxBits {
			return nil, tooManyBits(bits)
		}
	}
	return starlark.Binary(syntax.LTLT, x, y)
}

// format is %: of numbers a remainder, of text a format.
func format(x, y starlark.Value) (starlark.Value, error) {
	if s, ok := x.(starlark.String); ok {
		if err := printable("%", strings.Count(string(s), "%"), len(s), y); err != nil {
			return nil, err
		}
	}
	return starlark.Binary(syntax.PERCENT, x, y)
}

// printable bounds a format that may print its largest argument places times.
func printable(op string, places, size int, v starlark.Value) error {
	n, bad := extent(v)
	if bad != nil {
		return bad
	}
	if places > 0 && n > (maxText-min(size, maxText))/places {
		return tooMuchText(op)
	}
	return nil
}

// extent estimates how much text the largest part of v prints as, in bytes. v is a tuple of arguments, or one.
func extent(v starlark.Value) (int, *guardError) {
	args, ok := v.(starlark.Tuple)
	if !ok {
		args = starlark.Tuple{v}
	}
	most := 0
	for _, a := range args {
		n := 32
		switch a := a.(type) {
		case starlark.String:
			n = len(a)
		case starlark.Int, starlark.Float, starlark.Bool, starlark.NoneType:
		default:
			size, bad := measure(a)
			if bad != nil {
				return 0, bad
			}
			n = size
		}
		most = max(most, n)
	}
	return most, nil
}

func extend(x, y starlark.Value) (starlark.Value, error) {
	list, ok := x.(*starlark.List)
	if !ok {
		return add(x, y)
	}
	if _, ok := y.(starlark.Iterable); !ok {
		return add(x, y)
	}
	if n := list.Len() + max(starlark.Len(y), 0); n > maxLen {
		return nil, tooLong("+=", n)
	}
	m, err := list.Attr("extend")
	if err != nil {
		return nil, err
	}
	if _, err := m.(*starlark.Builtin).CallInternal(nil, starlark.Tuple{y}, nil); err != nil {
		return nil, err
	}
	return list, nil
}

// combine applies the helper of an augmented assignment.
func combine(op string, old, v starlark.Value) (starlark.Value, error) {
	switch op {
	case helperExtend:
		return extend(old, v)
	case helperMul:
		return multiply(old, v)
	case helperMod:
		return format(old, v)
	}
	return shift(old, v)
}

// indexed is x[i] op= v.
func indexed(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	x, i, op, v := args[0], args[1], string(args[2].(starlark.String)), args[3]
	old, err := getIndex(x, i)
	if err != nil {
		return nil, err
	}
	sum, err := combine(op, old, v)
	if err != nil {
		return nil, err
	}
	return starlark.None, setIndex(x, i, sum)
}

func getIndex(x, i starlark.Value) (starlark.Value, error) {
	switch x := x.(type) {
	case starlark.Mapping:
		v, found, err := x.Get(i)
		if err == nil && !found {
			err = fmt.Errorf("key %v not in %s", i, x.Type())
		}
		return v, err
	case starlark.Indexable:
		n, err := indexOf(x, i)
		if err != nil {
			return nil, err
		}
		return x.Index(n), nil
	}
	return nil, fmt.Errorf("unhandled index operation %s[%s]", x.Type(), i.Type())
}

func indexOf(x starlark.Indexable, i starlark.Value) (int, error) {
	n, err := starlark.AsInt32(i)
	if err != nil {
		return 0, fmt.Errorf("%s index: %w", x.Type(), err)
	}
	if n < 0 {
		n += x.Len()
	}
	if n < 0 || n >= x.Len() {
		return 0, fmt.Errorf("%s index %v out of range [%d:%d]", x.Type(), i, -x.Len(), x.Len()-1)
	}
	return n, nil
}

func setIndex(x, i, v starlark.Value) error {
	switch x := x.(type) {
	case starlark.HasSetKey:
		return x.SetKey(i, v)
	case starlark.HasSetIndex:
		n, err := indexOf(x, i)
		if err != nil {
			return err
		}
		return x.SetIndex(n, v)
	}
	return fmt.Errorf("%s value does not support item assignment", x.Type())
}

// field is x.name op= v.
func field(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	name, op := string(args[1].(starlark.String)), string(args[2].(starlark.String))
	x, ok := args[0].(starlark.HasSetField)
	if !ok {
		return nil, fmt.Errorf("can't assign to .%s field of %s", name, args[0].Type())
	}
	old, err := x.Attr(name)
	if err != nil {
		return nil, err
	}
	if old == nil {
		return nil, fmt.Errorf("%s has no .%s field", x.Type(), name)
	}
	sum, err := combine(op, old, args[3])
	if err != nil {
		return nil, err
	}
	return starlark.None, x.SetField(name, sum)
}

// maxArgs bounds f(*x).
const maxArgs = 100_000

func splat(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	if n := starlark.Len(args[0]); n > maxArgs {
		return nil, &guardError{guard: "length", msg: fmt.Sprintf("a call cannot take %d arguments", n)}
	}
	return args[0], nil
}

// sizedMethod wraps a bound method of a core value that may allocate without a bound.
func sizedMethod(v starlark.Value) starlark.Value {
	b, ok := v.(*starlark.Builtin)
	if !ok || b.Receiver() == nil {
		return v
	}
	check := methodCheck(b)
	if check == nil {
		return v
	}
	return starlark.NewBuiltin(b.Name(), func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if err := check(args); err != nil {
			return nil, err
		}
		v, err := b.CallInternal(th, args, kwargs)
		charge(th, v)
		return v, err
	})
}

func methodCheck(b *starlark.Builtin) func(args starlark.Tuple) error {
	if s, ok := b.Receiver().(starlark.String); ok {
		return textCheck(b.Name(), string(s))
	}
	switch b.Receiver().(type) {
	case *starlark.List, *starlark.Dict, *starlark.Set:
		return func(args starlark.Tuple) error { return shortArgs(maxLen)(b.Name(), args) }
	}
	return nil
}

func textCheck(name, s string) func(args starlark.Tuple) error {
	switch name {
	case "join":
		return func(args starlark.Tuple) error { return joinCheck(s, args) }
	case "replace":
		return func(args starlark.Tuple) error { return replaceCheck(s, args) }
	case "format":
		return func(args starlark.Tuple) error {
			return printable("format", strings.Count(s, "{"), len(s), args)
		}
	}
	return nil
}

func joinCheck(sep string, args starlark.Tuple) error {
	if len(args) != 1 {
		return nil // the method says so
	}
	n := starlark.Len(args[0])
	if n > maxLen {
		return tooLong("join", n)
	}
	seq, ok := args[0].(starlark.Sequence)
	if !ok {
		return nil
	}
	size := 0
	it := seq.Iterate()
	defer it.Done()
	var v starlark.Value
	for it.Next(&v) {
		if t, ok := v.(starlark.String); ok {
			if size += len(t) + len(sep); size > maxText {
				return tooMuchText("join")
			}
		}
	}
	return nil
}

func replaceCheck(s string, args starlark.Tuple) error {
	if len(args) < 2 {
		return nil
	}
	old, ok1 := starlark.AsString(args[0])
	by, ok2 := starlark.AsString(args[1])
	if !ok1 || !ok2 || len(by) <= len(old) {
		return nil
	}
	if strings.Count(s, old) > (maxText-min(len(s), maxText))/(len(by)-len(old)) {
		return tooMuchText("replace")
	}
	return nil
}
