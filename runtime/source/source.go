// Package source reads the text of a scenario for tools that do not run it.
//
// [Read] gives a [File]: its tree, its variables with every use, what expressions are worth. A text that is half typed is read in
// pieces, see [Chunks]: what is broken in one function costs that function's statement and nothing else. What the
// package says of types is modest: [File.Infer] follows declarations, single assignments and calls, and says whether it is sure.
package source

import (
	"errors"
	"slices"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/catalog"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/script"
)

// File is a source that was read.
type File struct {
	Name    string
	Text    string
	Tree    *syntax.File
	Catalog *catalog.Catalog
	Errors  []*script.Error // of parsing, at most one for each piece; then of resolving
	Whole   bool            // the text parses as it is

	Vars   []*Var
	Defs   []*syntax.DefStmt // every function, the nested ones too
	vars   map[*syntax.Ident]*Var
	of     map[*syntax.Ident]*Var // by every identifier that stands for it
	lines  []int                  // where each line begins, in bytes
	mended map[int32]bool

	// Loaded finds a file that a load statement names; nil when nobody looks.
	Loaded func(module string) *File

	types map[*Var]Type
	near  map[*Def]Type
	busy  map[*Var]bool
	calls map[*syntax.DefStmt][]site

	lambdas map[*syntax.LambdaExpr]site // that built-ins are handed
}

// Read parses and resolves a text. It always gives a file, of what could be read.
func Read(name, text string, c *catalog.Catalog) *File {
	f := &File{Name: name, Text: text, Catalog: c, vars: map[*syntax.Ident]*Var{}, of: map[*syntax.Ident]*Var{}, mended: map[int32]bool{}, types: map[*Var]Type{}, busy: map[*Var]bool{}}
	f.lines = lineStarts(text)
	tree, err := script.Parse(name, text)
	if err == nil {
		f.Tree, f.Whole = tree, true
	} else {
		f.pieces(name, text, err)
	}
	f.resolve()
	f.collect()
	return f
}

func lineStarts(text string) []int {
	out := []int{0}
	for i := range len(text) {
		if text[i] == '\n' {
			out = append(out, i+1)
		}
	}
	return out
}

// Offset gives a position in bytes, the end of the text for one behind it.
func (f *File) Offset(p syntax.Position) int {
	if int(p.Line) < 1 || int(p.Line) > len(f.lines) {
		return len(f.Text)
	}
	at := f.lines[p.Line-1]
	for col := int32(1); col < p.Col && at < len(f.Text) && f.Text[at] != '\n'; col++ {
		at++
		for at < len(f.Text) && f.Text[at]&0xC0 == 0x80 {
			at++
		}
	}
	return at
}

// Slice gives the source of a node as it stands.
func (f *File) Slice(n syntax.Node) string {
	start, end := n.Span()
	from, to := f.Offset(start), f.Offset(end)
	if to < from {
		return ""
	}
	return f.Text[from:to]
}

// resolve binds the identifiers; what it complains of joins the errors.
func (f *File) resolve() {
	known := map[string]bool{}
	for _, n := range f.Catalog.Predeclared() {
		known[n] = true
	}
	err := resolve.File(f.Tree, func(n string) bool { return known[n] }, starlark.Universe.Has)
	var list resolve.ErrorList
	if errors.As(err, &list) {
		for _, e := range list {
			f.Errors = append(f.Errors, f.explain(e))
		}
	}
	if d := script.Duplicate(f.Tree); d != nil {
		f.Errors = append(f.Errors, d)
	}
}

func (f *File) explain(e resolve.Error) *script.Error {
	out := &script.Error{Pos: Pos(e.Pos), Msg: e.Msg}
	name, ok := strings.CutPrefix(e.Msg, "undefined: ")
	if !ok {
		return out
	}
	name, _, _ = strings.Cut(name, " ")
	out.Msg = "undefined: " + name
	names := append(f.Globals(), f.Catalog.Predeclared()...)
	switch near := fault.Suggest(name, names); {
	case near != "":
		out.Hint = "did you mean \"" + near + "\"?"
	case name == "t":
		out.Hint = "t is the argument of a test: def test_x(t)"
	default:
		out.Hint = script.Habit(name)
	}
	return out
}

// Globals lists the names that the file defines at its top level, in their order.
func (f *File) Globals() []string {
	var out []string
	for _, v := range f.Vars {
		if v.Owner == nil && v.Kind != Comprehended {
			out = append(out, v.Name)
		}
	}
	return out
}

// Mended reports a line that was put right to be read: what stands there is not what was written.
func (f *File) Mended(line int32) bool { return f.mended[line] }

// Pos turns a position of the parser into one of events.
func Pos(p syntax.Position) event.Pos {
	return event.Pos{File: p.Filename(), Line: p.Line, Col: p.Col}
}

// Params lists the identifiers of a function's parameters; star says of each whether it is *args or **kwargs.
func Params(params []syntax.Expr) (ids []*syntax.Ident, star []bool) {
	for _, p := range params {
		switch p := p.(type) {
		case *syntax.Ident:
			ids, star = append(ids, p), append(star, false)
		case *syntax.BinaryExpr:
			ids, star = append(ids, p.X.(*syntax.Ident)), append(star, false)
		case *syntax.UnaryExpr:
			if id, ok := p.X.(*syntax.Ident); ok {
				ids, star = append(ids, id), append(star, true)
			}
		}
	}
	return ids, star
}

// Hooks are the functions that rig calls with a test, beside those named test_*.
var Hooks = []string{"setup", "teardown", "setup_all", "teardown_all"}

// IsTest reports whether rig runs a top-level function of that name as a test.
func IsTest(name string) bool { return strings.HasPrefix(name, "test_") }

// IsCalled reports whether rig itself calls a top-level function of that name.
func IsCalled(name string) bool { return IsTest(name) || slices.Contains(Hooks, name) }
