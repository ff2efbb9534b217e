package script

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/event"
)

// Workspace runs the inputs of a person one after the other: what one defines, the next ones see. Nothing in it is frozen, other
// than in files. A function keeps the names as they were when it was defined.
type Workspace struct {
	host  *Host
	names starlark.StringDict // what scripts see, with what was defined
}

// Workspace makes an empty one.
func (h *Host) Workspace() *Workspace {
	w := &Workspace{host: h, names: starlark.StringDict{}}
	for name, v := range h.predeclared {
		w.names[name] = v
	}
	return w
}

// Bind defines a name.
func (w *Workspace) Bind(name string, v starlark.Value) { w.names[name] = v }

// Value gives what a name means, nil for one that is not defined.
func (w *Workspace) Value(name string) starlark.Value {
	if v := w.names[name]; v != nil {
		return v
	}
	return starlark.Universe[name]
}

// Names lists everything that an input may mention.
func (w *Workspace) Names() []string {
	out := append(w.names.Keys(), starlark.Universe.Keys()...)
	out = slices.DeleteFunc(out, isHelper)
	slices.Sort(out)
	return slices.Compact(out)
}

// Own lists the names that are not every script's.
func (w *Workspace) Own() []string {
	return slices.DeleteFunc(w.names.Keys(), func(name string) bool {
		return w.host.predeclared[name] == w.names[name] || isHelper(name)
	})
}

// inputOptions are the dialect of inputs: load binds for those that follow.
func inputOptions() *syntax.FileOptions {
	o := fileOptions()
	o.LoadBindsGlobally = true
	return o
}

// inputPrefix begins the names of inputs.
const inputPrefix = "<input"

// InputName names the nth input, as positions show it.
func InputName(n int) string { return fmt.Sprintf("%s %d>", inputPrefix, n) }

// Run runs an input on a thread, and gives its value where it is one expression. It returns soon after the thread's context has
// ended.
func (w *Workspace) Run(t *Thread, name, src string) (starlark.Value, error) {
	w.host.remember(name, src)
	f, err := w.parse(name, src)
	if err != nil {
		return nil, err
	}
	w.noteRaces(name, src)
	t.th.Load = func(th *starlark.Thread, path string) (starlark.StringDict, error) { return w.load(t, path) }
	in := &input{w: w, file: f, names: maps.Clone(w.names)}
	err = t.CallBounded(in, nil)
	if !in.ended.Load() {
		return nil, err // it was left behind, and keeps its names
	}
	v := in.names[valueName]
	delete(in.names, valueName)
	w.names = in.names
	return v, err
}

// valueName is that of an input's value while it runs. No script can write it.
const valueName = "<value>"

// parse reads an input. One that is an expression becomes the assignment of its value: a function in it then has the names of its
// own, as those of every input do, and does not look into the workspace's while others change them.
func (w *Workspace) parse(name, src string) (*syntax.File, error) {
	f, err := inputOptions().Parse(name, src, 0)
	if err != nil {
		return nil, w.host.parseError(err, src)
	}
	if depth := nesting(f); depth > maxNesting {
		return nil, w.host.placed(&Error{Pos: event.Pos{File: name}, Msg: "the input nests expressions too deep", Guard: "depth"})
	}
	rewrite(f)
	if len(f.Stmts) != 1 {
		return f, nil
	}
	if s, ok := f.Stmts[0].(*syntax.ExprStmt); ok {
		at := syntax.Start(s.X)
		f.Stmts[0] = &syntax.AssignStmt{Op: syntax.EQ, OpPos: at, LHS: &syntax.Ident{Name: valueName, NamePos: at}, RHS: s.X}
	}
	return f, nil
}

// noteRaces looks for names that change under a function of the input while it runs. The interpreter resolves the tree that it
// runs by itself, so this is one of its own.
func (w *Workspace) noteRaces(name, src string) {
	f, err := w.parse(name, src)
	if err != nil || resolve.REPLChunk(f, w.names.Has, starlark.StringDict(nil).Has, starlark.Universe.Has) != nil {
		return // the run tells
	}
	w.host.noteRaces(f)
	w.host.noteGlobals(f)
}

// load finds a file as a file beside the working folder would.
func (w *Workspace) load(t *Thread, path string) (starlark.StringDict, error) {
	l := &loader{host: w.host, ctx: t.ctx}
	here, err := w.host.named("input")
	if err != nil {
		return nil, err
	}
	w.host.loading.Lock()
	defer w.host.loading.Unlock()
	src, err := l.resolve(here, path)
	if err != nil {
		return nil, err
	}
	m, err := l.load(src, event.Pos{})
	if err != nil {
		return nil, err
	}
	return m.Globals, nil
}

// input is what Run calls, so that bounds and panics are those of every call.
type input struct {
	w     *Workspace
	file  *syntax.File
	names starlark.StringDict // a copy of the workspace's, with what the input defines
	ended atomic.Bool
}

func (*input) String() string        { return "<input>" }
func (*input) Name() string          { return "<input>" }
func (*input) Type() string          { return "function" }
func (*input) Freeze()               {}
func (*input) Truth() starlark.Bool  { return true }
func (*input) Hash() (uint32, error) { return 0, nil }

// CallInternal runs the input.
func (in *input) CallInternal(th *starlark.Thread, _ starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
	defer in.ended.Store(true)
	if err := starlark.ExecREPLChunk(in.file, th, in.names); err != nil {
		return nil, in.w.explain(err, in.file)
	}
	return starlark.None, nil
}

// explain gives names that are not defined the hints that files have.
func (w *Workspace) explain(err error, f *syntax.File) error {
	var eval *starlark.EvalError
	if errors.As(err, &eval) {
		return err
	}
	return w.host.resolveError(err, f)
}

// Open says whether a text goes on: it is the beginning of an input, or of a block that an empty line ends.
func Open(src string) bool {
	if strings.TrimSpace(src) == "" {
		return false
	}
	f, err := inputOptions().Parse("<input>", src, 0)
	if err != nil {
		var se syntax.Error
		if !errors.As(err, &se) {
			return false
		}
		return atEnd(se, src)
	}
	if n := len(f.Stmts); n > 0 && !strings.HasSuffix(src, "\n\n") {
		switch f.Stmts[n-1].(type) {
		case *syntax.DefStmt, *syntax.IfStmt, *syntax.ForStmt, *syntax.WhileStmt:
			return true
		}
	}
	return false
}

// atEnd reports whether the parser came to the end of a text that goes on.
func atEnd(e syntax.Error, src string) bool {
	switch {
	case strings.Contains(e.Msg, "want indent") && strings.HasSuffix(src, "\n\n"):
		return false
	case strings.Contains(e.Msg, "end of file"), strings.Contains(e.Msg, "unexpected EOF"):
		return true
	case strings.Contains(e.Msg, "want indent"), strings.Contains(e.Msg, "got outdent"):
		return int(e.Pos.Line) > strings.Count(strings.TrimRight(src, "\n"), "\n")+1
	}
	return false
}

// Parses reports whether a text is a script.
func Parses(src string) bool {
	_, err := inputOptions().Parse("<input>", src, 0)
	return err == nil
}

// Indent shifts the lines of an input, but not those that begin inside of a string.
func Indent(src, by string) string {
	inside := map[int]bool{}
	if f, err := inputOptions().Parse("<input>", src, 0); err == nil {
		syntax.Walk(f, func(n syntax.Node) bool {
			if lit, ok := n.(*syntax.Literal); ok {
				for i := range strings.Count(lit.Raw, "\n") {
					inside[int(lit.TokenPos.Line)+i+1] = true
				}
			}
			return true
		})
	}
	lines := strings.Split(src, "\n")
	for i, line := range lines {
		if line != "" && !inside[i+1] {
			lines[i] = by + line
		}
	}
	return strings.Join(lines, "\n")
}

// Mentions lists the names of a text that it does not bind itself.
func Mentions(src string) []string {
	f, err := inputOptions().Parse("<input>", src, 0)
	if err != nil {
		return nil
	}
	var out []string
	syntax.Walk(f, func(n syntax.Node) bool {
		if id, ok := n.(*syntax.Ident); ok {
			out = append(out, id.Name)
		}
		return true
	})
	slices.Sort(out)
	return slices.Compact(out)
}

// Loads reports whether a text has nothing but load statements.
func Loads(src string) bool {
	f, err := inputOptions().Parse("<input>", src, 0)
	if err != nil || len(f.Stmts) == 0 {
		return false
	}
	for _, s := range f.Stmts {
		if _, ok := s.(*syntax.LoadStmt); !ok {
			return false
		}
	}
	return true
}

// Forget lets files be loaded anew, as they are then.
func (h *Host) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	clear(h.modules)
}
