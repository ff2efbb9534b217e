package spec

import (
	"fmt"
	"runtime/debug"
	"slices"

	"go.starlark.net/starlark"

	"rig/runtime/fault"
	"rig/runtime/script"
)

// Builtin is the callable made from a Func. It carries its declaration, so that help() finds it.
type Builtin struct {
	fn    *Func
	owner string // "conn", "task"; empty for a predeclared function
	recv  starlark.Value
	live  bool // of a type whose values exist only while a test runs
}

var (
	_ starlark.Callable = (*Builtin)(nil)
	_ starlark.HasAttrs = (*moduleValue)(nil)
)

// Decl gives the declaration.
func (b *Builtin) Decl() *Func { return b.fn }

// Receiver gives the object of a bound method, nil for a function.
func (b *Builtin) Receiver() starlark.Value { return b.recv }

// Name is the qualified name.
func (b *Builtin) Name() string {
	if b.owner == "" {
		return b.fn.Name
	}
	return b.owner + "." + b.fn.Name
}

func (b *Builtin) String() string       { return fmt.Sprintf("<built-in %s>", b.Name()) }
func (b *Builtin) Type() string         { return "builtin_function_or_method" }
func (b *Builtin) Truth() starlark.Bool { return true }

// Freeze reaches the receiver: a bound method shares what it is bound to.
func (b *Builtin) Freeze() {
	if b.recv != nil {
		b.recv.Freeze()
	}
}

// Hash is that of the name.
func (b *Builtin) Hash() (uint32, error) { return starlark.String(b.Name()).Hash() }

// CallInternal checks the arguments and runs the implementation. A panic in it is an error of the script's call.
func (b *Builtin) CallInternal(th *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if !script.Watched(th) {
		return b.call(th, args, kwargs)
	}
	after := script.Follow(th, b.Name(), b.fn.sql(args, kwargs))
	if t := script.From(th); t != nil && t.Aborted() != nil { // it stood before the call when its run was told to end
		after(t.Aborted())
		return nil, t.Aborted()
	}
	v, err := b.call(th, args, kwargs)
	after(err)
	return v, err
}

// sql is the statement among the arguments, "" where the built-in takes none.
func (f *Func) sql(args starlark.Tuple, kwargs []starlark.Tuple) string {
	for i := range f.Params {
		if f.Params[i].Name != "sql" {
			continue
		}
		if i < len(args) {
			s, _ := starlark.AsString(args[i])
			return s
		}
		for _, kv := range kwargs {
			if kv[0] == starlark.String("sql") {
				s, _ := starlark.AsString(kv[1])
				return s
			}
		}
	}
	return ""
}

func (b *Builtin) call(th *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (v starlark.Value, err error) {
	defer func() {
		if p := recover(); p != nil {
			v, err = nil, &script.PanicError{Value: p, Stack: debug.Stack()}
		}
	}()
	if !b.fn.LoadTime && !b.live {
		if t := script.From(th); t != nil && t.Loading() {
			return nil, fmt.Errorf("%s cannot be called while the file loads: put it into a test or a function", b.Name())
		}
	}
	if b.fn.Raw != nil {
		return b.fn.Raw(th, b.recv, args, kwargs)
	}
	if b.fn.Fast != nil {
		if v, ok, err := b.fn.Fast(th, b.recv, args, kwargs); ok {
			return v, err
		}
	}
	c := &Call{Thread: th, Recv: b.recv, b: b}
	if err := b.fn.bind(c, args, kwargs); err != nil {
		return nil, err
	}
	if b.fn.Waits != nil {
		defer script.Wait(th, func() string { return b.fn.Waits(c) })()
	}
	v, err = b.fn.Impl(c)
	if v == nil && err == nil {
		v = starlark.None
	}
	return v, err
}

// moduleValue is a module as scripts see it.
type moduleValue struct {
	decl    *Module
	members starlark.StringDict
	names   []string
}

func newModuleValue(m *Module) *moduleValue {
	v := &moduleValue{decl: m, members: starlark.StringDict{}}
	for _, f := range m.Funcs {
		v.members[f.Name] = &Builtin{fn: f, owner: m.Name}
		v.names = append(v.names, f.Name)
	}
	for _, c := range m.Constants {
		v.members[c.Name] = c.Value
		v.names = append(v.names, c.Name)
	}
	v.members.Freeze()
	return v
}

// Decl gives the declaration.
func (m *moduleValue) Decl() *Module         { return m.decl }
func (m *moduleValue) String() string        { return fmt.Sprintf("<module %s>", m.decl.Name) }
func (m *moduleValue) Type() string          { return "module" }
func (m *moduleValue) Freeze()               {}
func (m *moduleValue) Truth() starlark.Bool  { return true }
func (m *moduleValue) Hash() (uint32, error) { return starlark.String(m.decl.Name).Hash() }
func (m *moduleValue) AttrNames() []string   { return m.names }

// Attr finds a member; a misspelt one is answered with the nearest.
func (m *moduleValue) Attr(name string) (starlark.Value, error) {
	if v, ok := m.members[name]; ok {
		return v, nil
	}
	return nil, NoAttr("module "+m.decl.Name, name, m.names)
}

// synonyms are names that other test tools and drivers have for what rig calls otherwise.
var synonyms = map[string]string{
	"equal": "eq", "equals": "eq", "assert_equal": "eq", "not_equal": "ne", "less": "lt", "greater": "gt", "is_true": "true",
	"raises": "error", "throws": "error", "fails": "error", "wait_until": "eventually", "includes": "contains",
	"execute": "exec", "cursor": "query", "fetchone": "one", "fetchall": "tuples", "disconnect": "close",
}

func nearest(name string, names []string) string {
	if s := synonyms[name]; slices.Contains(names, s) {
		return s
	}
	return fault.Suggest(name, names)
}

// NoAttr is the error of an attribute that does not exist, with the nearest that does.
func NoAttr(owner, name string, names []string) error {
	msg := fmt.Sprintf("%s has no attribute %q", owner, name)
	if s := nearest(name, names); s != "" {
		msg += fmt.Sprintf(" (did you mean .%s?)", s) // as the interpreter has it; package script makes a hint of it
	}
	return starlark.NoSuchAttrError(msg)
}
