package script

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"
	"go.starlark.net/syntax"

	"rig/runtime/event"
)

// Printable reports why a value cannot be printed: it is too deep or too large.
func Printable(v starlark.Value) error {
	if bad := bounded(v); bad != nil {
		return bad
	}
	return nil
}

// BoundedModule copies a module with some of its functions checked: they recurse over their arguments.
func BoundedModule(m *starlarkstruct.Module, names ...string) *starlarkstruct.Module {
	members := starlark.StringDict{}
	for k, v := range m.Members {
		members[k] = v
	}
	for _, name := range names {
		orig := m.Members[name].(*starlark.Builtin)
		members[name] = starlark.NewBuiltin(orig.Name(), func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if err := boundedArgs(orig.Name(), args); err != nil {
				return nil, err
			}
			return orig.CallInternal(th, args, kwargs)
		})
	}
	return &starlarkstruct.Module{Name: m.Name, Members: members}
}

// Introspect gives the source of the first argument of the call that the script is in, with the values of the names and of the
// pure expressions in it: names, attributes of plain values, indexes, len(). It evaluates nothing that could have an effect.
func Introspect(th *starlark.Thread) (source string, values []event.Field) {
	t := From(th)
	fr, ok := callerFrame(th)
	if t == nil || !ok {
		return "", nil
	}
	pos := fr.Position()
	text, ok := t.host.Source(pos.Filename())
	if !ok {
		return "", nil
	}
	call := callAt(pos, text)
	if call == nil || len(call.Args) == 0 {
		return "", nil
	}
	arg := call.Args[0]
	in := inspector{frame: fr, text: text, seen: map[string]bool{}}
	in.collect(arg)
	return strings.Join(strings.Fields(cut(text, arg)), " "), in.values
}

func callerFrame(th *starlark.Thread) (starlark.DebugFrame, bool) {
	for i := 1; i < th.CallStackDepth(); i++ {
		if fr := th.DebugFrame(i); isScript(fr.Callable()) {
			return fr, true
		}
	}
	return nil, false
}

// callAt finds the call whose parenthesis is at a position.
func callAt(pos syntax.Position, text string) *syntax.CallExpr {
	f, err := fileOptions().Parse(pos.Filename(), text, 0)
	if err != nil {
		return nil
	}
	var found *syntax.CallExpr
	syntax.Walk(f, func(n syntax.Node) bool {
		if c, ok := n.(*syntax.CallExpr); ok && c.Lparen.Line == pos.Line && c.Lparen.Col == pos.Col {
			found = c
		}
		return found == nil
	})
	return found
}

// cut gives the text of an expression.
func cut(text string, e syntax.Expr) string {
	start, end := e.Span()
	from, to := offset(text, start), offset(text, end)
	if from < 0 || to < from {
		return ""
	}
	return text[from:to]
}

// offset of a position in bytes; columns count runes.
func offset(text string, p syntax.Position) int {
	at := 0
	for line := int32(1); line < p.Line; line++ {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	for col := int32(1); col < p.Col; col++ {
		if at >= len(text) {
			return -1
		}
		_, n := rune(text[at]), 1
		for at+n < len(text) && text[at+n]&0xC0 == 0x80 {
			n++
		}
		at += n
	}
	return at
}

// inspector looks up what an expression mentions.
type inspector struct {
	frame  starlark.DebugFrame
	text   string
	seen   map[string]bool
	values []event.Field
}

// maxInspected bounds the values that a failed check shows.
const maxInspected = 12

// collect notes the values of the parts of e, the outer ones first.
func (in *inspector) collect(e syntax.Expr) {
	switch x := e.(type) {
	case *syntax.ParenExpr:
		in.collect(x.X)
		return
	case *syntax.BinaryExpr:
		in.collect(x.X)
		in.collect(x.Y)
		return
	case *syntax.UnaryExpr:
		if x.X != nil {
			in.collect(x.X)
		}
		return
	case *syntax.Literal:
		return
	}
	if v := in.value(e); v != nil {
		in.note(cut(in.text, e), v)
	}
	switch x := e.(type) {
	case *syntax.DotExpr:
		if in.value(e) == nil {
			in.collect(x.X)
		}
	case *syntax.IndexExpr:
		in.collect(x.Y)
	case *syntax.CallExpr:
		for _, a := range x.Args {
			if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
				a = b.Y
			}
			in.collect(a)
		}
	case *syntax.TupleExpr:
		for _, a := range x.List {
			in.collect(a)
		}
	case *syntax.ListExpr:
		for _, a := range x.List {
			in.collect(a)
		}
	}
}

func (in *inspector) note(source string, v starlark.Value) {
	if source == "" || in.seen[source] || len(in.values) == maxInspected {
		return
	}
	switch v.(type) {
	case *starlark.Function, *starlark.Builtin:
		return
	}
	in.seen[source] = true
	text := "<" + v.Type() + ">"
	if bounded(v) == nil {
		text = v.String()
	}
	if len(text) > 300 {
		text = text[:297] + "..."
	}
	in.values = append(in.values, event.Field{Key: source, Value: text})
}

// value evaluates what has no effect; nil for everything else.
func (in *inspector) value(e syntax.Expr) starlark.Value {
	switch x := e.(type) {
	case *syntax.ParenExpr:
		return in.value(x.X)
	case *syntax.Literal:
		switch v := x.Value.(type) {
		case string:
			return starlark.String(v)
		case int64:
			return starlark.MakeInt64(v)
		}
	case *syntax.Ident:
		return in.name(x.Name)
	case *syntax.DotExpr:
		return in.attr(in.value(x.X), x.Name.Name)
	case *syntax.IndexExpr:
		a, i := in.value(x.X), in.value(x.Y)
		if a == nil || i == nil {
			return nil
		}
		if v, err := getIndex(a, i); err == nil {
			return v
		}
	case *syntax.CallExpr:
		if fn, ok := x.Fn.(*syntax.Ident); ok && fn.Name == "len" && len(x.Args) == 1 {
			if v := in.value(x.Args[0]); v != nil {
				if n := starlark.Len(v); n >= 0 {
					return starlark.MakeInt(n)
				}
			}
		}
	}
	return nil
}

// Pure is implemented by values whose attributes can be read without an effect.
type Pure interface{ PureAttrs() }

func (in *inspector) attr(x starlark.Value, name string) starlark.Value {
	switch x.(type) {
	case Pure, *starlarkstruct.Struct:
		v, err := x.(starlark.HasAttrs).Attr(name)
		if err == nil {
			return v
		}
	}
	return nil
}

func (in *inspector) name(name string) starlark.Value {
	for i := range in.frame.NumLocals() {
		b, v := in.frame.Local(i)
		if b.Name == name {
			return plain(v)
		}
	}
	fn, ok := in.frame.Callable().(*starlark.Function)
	if !ok {
		return nil
	}
	for i := range fn.NumFreeVars() {
		if b, v := fn.FreeVar(i); b.Name == name {
			return plain(v)
		}
	}
	return fn.Globals()[name]
}

// plain leaves out the cells of captured variables, which have no value of their own.
func plain(v starlark.Value) starlark.Value {
	if v == nil || strings.HasPrefix(fmt.Sprintf("%T", v), "*starlark.cell") {
		return nil
	}
	return v
}
