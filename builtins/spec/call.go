package spec

import (
	"fmt"
	"math"
	"strings"
	"time"

	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"

	"rig/runtime/catalog"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/script"
)

// Call is one call of a built-in with its arguments in the order of their declaration.
type Call struct {
	Thread *starlark.Thread
	Recv   starlark.Value // the object of a method, nil for a function
	Rest   starlark.Tuple // the arguments of a Variadic parameter
	Extra  []starlark.Tuple

	b    *Builtin
	args []starlark.Value // one for each declared parameter
}

// Name gives the qualified name, "conn.query".
func (c *Call) Name() string { return c.b.Name() }

// Arg gives an argument by its name: nil when it is absent. An undeclared name is a bug in rig and panics.
func (c *Call) Arg(name string) starlark.Value { return c.args[c.at(name)] }

// Has reports whether the argument was given (or has a default) and is not None.
func (c *Call) Has(name string) bool {
	v := c.args[c.at(name)]
	return v != nil && v != starlark.None
}

func (c *Call) at(name string) int {
	for i := range c.b.fn.Params {
		if c.b.fn.Params[i].Name == name {
			return i
		}
	}
	panic(fmt.Sprintf("built-in %s declares no parameter %q", c.Name(), name))
}

// Str gives a str argument, "" when absent or None.
func (c *Call) Str(name string) string {
	s, _ := starlark.AsString(c.Arg(name))
	return s
}

// Int gives an int argument, 0 when absent or None. Values beyond an int64 were refused before.
func (c *Call) Int(name string) int64 {
	if i, ok := c.Arg(name).(starlark.Int); ok {
		n, _ := i.Int64()
		return n
	}
	return 0
}

// Float gives a float or int argument.
func (c *Call) Float(name string) float64 {
	v := c.Arg(name)
	if v == nil {
		return 0
	}
	f, _ := starlark.AsFloat(v)
	return f
}

// Bool gives a bool argument, false when absent or None.
func (c *Call) Bool(name string) bool {
	b, _ := c.Arg(name).(starlark.Bool)
	return bool(b)
}

// Duration gives a duration argument, 0 when absent or None.
func (c *Call) Duration(name string) time.Duration {
	if !c.Has(name) {
		return 0
	}
	d, _ := AsDuration(c.Arg(name))
	return d
}

// Callable gives a function argument, nil when absent or None.
func (c *Call) Callable(name string) starlark.Callable {
	f, _ := c.Arg(name).(starlark.Callable)
	return f
}

// Script gives the running script thread.
func (c *Call) Script() *script.Thread { return script.From(c.Thread) }

// Errorf makes an error about an argument: "conn.query: argument sql: ...".
func (c *Call) Errorf(param, format string, args ...any) error {
	return &ArgError{Call: c.Name(), Param: param, Problem: fmt.Sprintf(format, args...)}
}

// ArgError is a call that does not fit its declaration.
type ArgError struct {
	Call    string
	Param   string // empty when the call as a whole is wrong
	Problem string
	Hint    string
}

func (e *ArgError) Error() string {
	s := e.Call + ": " + e.message()
	if e.Hint != "" {
		s += " (" + e.Hint + ")"
	}
	return s
}

func (e *ArgError) message() string {
	if e.Param == "" {
		return e.Problem
	}
	return "argument " + e.Param + ": " + e.Problem
}

// Report gives the form for reports.
func (e *ArgError) Report() *event.Error {
	return &event.Error{Kind: "script", Op: e.Call, Message: e.message(), Hint: e.Hint}
}

// AsDuration reads "200ms", "1m30s", a time.duration, or a number of seconds; negative and endless ones are refused.
func AsDuration(v starlark.Value) (time.Duration, error) {
	var d time.Duration
	switch v := v.(type) {
	case starlark.String:
		return catalog.Duration(string(v))
	case starlarktime.Duration:
		d = time.Duration(v)
	case starlark.Int, starlark.Float:
		f, _ := starlark.AsFloat(v)
		if math.IsNaN(f) || math.Abs(f) > 1e9 {
			return 0, fmt.Errorf("%s seconds is no usable duration", v)
		}
		d = time.Duration(f * float64(time.Second))
	default:
		return 0, fmt.Errorf("want a duration like \"200ms\", got %s", v.Type())
	}
	return catalog.NotNegative(d)
}

// bind puts the arguments of a call into the order of the declaration.
func (f *Func) bind(c *Call, args starlark.Tuple, kwargs []starlark.Tuple) error {
	if n := len(f.Params); n > 0 {
		c.args = make([]starlark.Value, n)
	}
	if err := f.positional(c, args); err != nil {
		return err
	}
	for _, kv := range kwargs {
		if err := f.keyword(c, kv); err != nil {
			return err
		}
	}
	for i := range f.Params {
		p := &f.Params[i]
		if c.args[i] == nil {
			if p.required() {
				return &ArgError{Call: c.Name(), Problem: "missing argument " + p.Name, Hint: f.Signature(c.Name())}
			}
			c.args[i] = p.Default
			continue
		}
		if err := accept(p, c.args[i]); err != nil {
			return &ArgError{Call: c.Name(), Param: p.Name, Problem: err.Error()}
		}
	}
	return nil
}

func (f *Func) positional(c *Call, args starlark.Tuple) error {
	n := 0
	for i := range f.Params {
		p := &f.Params[i]
		if p.Variadic {
			c.Rest = args[n:]
			return nil
		}
		if p.KwOnly || p.Keywords || n == len(args) {
			break
		}
		c.args[i] = args[n]
		n++
	}
	if n < len(args) {
		return &ArgError{Call: c.Name(), Problem: fmt.Sprintf("takes %s, got %d", f.takes(), len(args)), Hint: f.Signature(c.Name())}
	}
	return nil
}

func (f *Func) takes() string {
	n := 0
	for i := range f.Params {
		if p := &f.Params[i]; !p.KwOnly && !p.Keywords {
			n++
		}
	}
	if n == 1 {
		return "at most 1 positional argument"
	}
	return fmt.Sprintf("at most %d positional arguments", n)
}

func (f *Func) keyword(c *Call, kv starlark.Tuple) error {
	key := string(kv[0].(starlark.String))
	var names []string
	extra := false
	for i := range f.Params {
		p := &f.Params[i]
		if p.Keywords {
			extra = true
		}
		if p.Variadic || p.Keywords {
			continue
		}
		if p.Name == key {
			if c.args[i] != nil {
				return &ArgError{Call: c.Name(), Param: key, Problem: "given twice"}
			}
			c.args[i] = kv[1]
			return nil
		}
		names = append(names, p.Name)
	}
	if extra {
		c.Extra = append(c.Extra, kv)
		return nil
	}
	e := &ArgError{Call: c.Name(), Problem: fmt.Sprintf("unknown keyword argument %q", key), Hint: f.Signature(c.Name())}
	if s := fault.Suggest(key, names); s != "" {
		e.Problem += fmt.Sprintf(", did you mean %q?", s)
	}
	return e
}

// Signature writes the call as the manual does: name(sql, *args, timeout = None).
func (f *Func) Signature(name string) string {
	var parts []string
	star := false
	for i := range f.Params {
		p := &f.Params[i]
		switch {
		case p.Variadic:
			parts, star = append(parts, "*"+p.Name), true
		case p.Keywords:
			parts = append(parts, "**"+p.Name)
		default:
			if p.KwOnly && !star {
				parts, star = append(parts, "*"), true
			}
			parts = append(parts, p.text())
		}
	}
	return name + "(" + strings.Join(parts, ", ") + ")"
}

func (p *Param) text() string {
	switch {
	case p.Default != nil:
		return p.Name + " = " + p.Default.String()
	case p.Optional:
		return p.Name + " = None"
	}
	return p.Name
}

// Declares reports whether the built-in has a parameter of that name.
func (c *Call) Declares(name string) bool {
	for i := range c.b.fn.Params {
		if c.b.fn.Params[i].Name == name {
			return true
		}
	}
	return false
}

// List gives the elements of an iterable argument; nil when it is absent or None.
func (c *Call) List(name string) []starlark.Value {
	if !c.Has(name) {
		return nil
	}
	it := starlark.Iterate(c.Arg(name))
	if it == nil { // declared as "any": the caller looks
		return nil
	}
	defer it.Done()
	var out []starlark.Value
	var v starlark.Value
	for len(out) < maxElements && it.Next(&v) {
		out = append(out, v)
	}
	return out
}

// Texts gives the elements of an argument that lists str; nil when it is absent or None.
func (c *Call) Texts(name string) ([]string, error) {
	var out []string
	for _, v := range c.List(name) {
		s, ok := starlark.AsString(v)
		if !ok {
			return nil, c.Errorf(name, "want a list of str, got %s in it", v.Type())
		}
		out = append(out, s)
	}
	return out, nil
}
