package lsp

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/creachadair/jrpc2"
	"go.starlark.net/syntax"

	"rig/runtime/format"
	"rig/runtime/script"
	"rig/runtime/source"
)

// definition gives the place where what stands at the view's place is defined, also in a file that is loaded; none for built-ins.
func (v *view) definition() []location {
	out := []location{}
	x := v.find()
	if x.load != nil && x.lit != nil && x.lit == x.load.Module {
		if path, ok := v.space.Resolve(v.path, x.load.ModuleName()); ok && !strings.HasPrefix(path, "@") {
			out = append(out, location{URI: uriOf(path)})
		}
		return out
	}
	if x.lit != nil {
		return append(out, v.stateDefinition(x.lit)...)
	}
	if x.id == nil || x.dot != nil {
		return out
	}
	if x.call != nil {
		return append(out, v.paramDefinition(x)...)
	}
	own := v.file.VarOf(x.id)
	if own == nil {
		return out
	}
	if f, id := v.origin(v.file, own); f != nil && !strings.HasPrefix(f.Name, "@") {
		out = append(out, location{uriOf(f.Name), spanOf(f, id)})
	}
	return out
}

// maxLoads bounds how far a name is followed from file to file.
const maxLoads = 16

// origin follows a loaded name to the file that defines it.
func (v *view) origin(f *source.File, own *source.Var) (*source.File, *syntax.Ident) {
	for range maxLoads {
		s, ok := own.Defs[0].Stmt.(*syntax.LoadStmt)
		if !ok || own.Kind != source.Loaded {
			break
		}
		other := f.Loaded(s.ModuleName())
		if other == nil {
			break
		}
		var next *source.Var
		for i, to := range s.To {
			if to == own.Defs[0].At {
				next = other.Lookup(s.From[i].Name)
			}
		}
		if next == nil {
			break
		}
		f, own = other, next
	}
	return f, own.Decl
}

// stateDefinition finds the state that a string names, where a machine has it.
func (v *view) stateDefinition(lit *syntax.Literal) []location {
	var out []location
	name, _ := lit.Value.(string)
	if !slices.Contains(v.states(), name) {
		return nil
	}
	syntax.Walk(v.file.Tree, func(n syntax.Node) bool {
		if e, ok := n.(*syntax.DictEntry); ok {
			if key, ok := e.Key.(*syntax.Literal); ok && key.Value == name && key != lit {
				out = append(out, location{v.uri, spanOf(v.file, key)})
			}
		}
		return true
	})
	return out
}

// paramDefinition finds the parameter that a named argument is for.
func (v *view) paramDefinition(x found) []location {
	t := v.file.Infer(x.call.Fn)
	if t.Def == nil || t.In == nil || strings.HasPrefix(t.In.Name, "@") {
		return nil
	}
	ids, _ := source.Params(t.Def.Params)
	for _, id := range ids {
		if id.Name == x.id.Name {
			return []location{{uriOf(t.In.Name), spanOf(t.In, id)}}
		}
	}
	return nil
}

// variable finds the variable at the view's place, also by the name of an argument for it.
func (v *view) variable() *source.Var {
	x := v.find()
	if x.id == nil || x.dot != nil {
		return nil
	}
	if x.call == nil {
		return v.file.VarOf(x.id)
	}
	t := v.file.Infer(x.call.Fn)
	if t.Def == nil || t.In != v.file {
		return nil
	}
	ids, _ := source.Params(t.Def.Params)
	for _, id := range ids {
		if id.Name == x.id.Name {
			return v.file.VarOf(id)
		}
	}
	return nil
}

func (v *view) highlights() []highlight {
	out := []highlight{}
	own := v.variable()
	if own == nil {
		return out
	}
	for _, m := range v.mentions(own) {
		kind := 2
		if m.def {
			kind = 3
		}
		out = append(out, highlight{spanOf(v.file, m.id), kind})
	}
	return out
}

// prepareRename gives the place of the name that would be changed; nil where there is none.
func (v *view) prepareRename() *span {
	if v.variable() == nil {
		return nil
	}
	r := spanOf(v.file, v.find().id)
	return &r
}

func refused(format string, args ...any) error {
	return jrpc2.Errorf(jrpc2.InvalidRequest, format, args...)
}

// rename changes a name in its file. It refuses a name that means something else there, one that other files load, and a text that
// does not parse: a place of the name may be in what could not be read.
func (s *server) rename(_ context.Context, p renameParams) (*workspaceEdit, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, err := s.look(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	v.at = offsetOf(v.text, p.Position)
	own := v.variable()
	switch {
	case own == nil:
		return nil, refused("no variable, function or parameter of this file stands here")
	case !v.file.Whole:
		return nil, refused("the file does not parse: %s", v.file.Errors[0].Msg)
	}
	if err := v.mayBecome(own, p.NewName); err != nil {
		return nil, err
	}
	if files := s.dependents(v, own); len(files) > 0 {
		return nil, refused("%s, and rename changes this file alone: rename it by hand", files)
	}
	var edits []textEdit
	for _, m := range v.mentions(own) {
		e := textEdit{spanOf(v.file, m.id), p.NewName}
		if m.load {
			e.Range.Start.Character-- // the quotes
			e.Range.End.Character++
			e.NewText = fmt.Sprintf("%s = %q", p.NewName, own.Name)
		}
		edits = append(edits, e)
	}
	return &workspaceEdit{map[string][]textEdit{v.uri: edits}}, nil
}

// mayBecome says why a variable cannot have a name.
func (v *view) mayBecome(own *source.Var, name string) error {
	if e, err := script.Dialect().ParseExpr("name", name, 0); err != nil {
		return refused("%q is no name", name)
	} else if _, ok := e.(*syntax.Ident); !ok {
		return refused("%q is no name", name)
	}
	if slices.Contains(v.file.Catalog.Predeclared(), name) {
		return refused("%q is built in", name)
	}
	for _, other := range v.file.Vars {
		if other.Name == name && other != own && (other.Owner == nil || own.Owner == nil || other.Owner == own.Owner || overlap(v.file, other, own)) {
			return refused("%q is another %s already (line %d)", name, other.Kind, other.Decl.NamePos.Line)
		}
	}
	return nil
}

// overlap reports whether one of two variables is visible in the function of the other.
func overlap(f *source.File, a, b *source.Var) bool {
	as, _ := a.Owner.Span()
	bs, _ := b.Owner.Span()
	return slices.Contains(f.Visible(f.Offset(as)), b) || slices.Contains(f.Visible(f.Offset(bs)), a)
}

// symbols lists the functions and variables of the file; nested functions below theirs.
func (v *view) symbols() ([]symbol, error) {
	out := v.symbolsOf(v.file.Tree.Stmts)
	for _, x := range v.file.Vars {
		if x.Owner == nil && x.Kind == source.Assigned && x.Name != source.Hole {
			r := spanOf(v.file, x.Decl)
			out = append(out, symbol{Name: x.Name, Detail: v.file.TypeOf(x).String(), Kind: symbolVariable, Range: r, SelectionRange: r})
		}
	}
	slices.SortStableFunc(out, func(a, b symbol) int { return cmp.Compare(a.Range.Start.Line, b.Range.Start.Line) })
	return out, nil
}

func (v *view) symbolsOf(list []syntax.Stmt) []symbol {
	out := []symbol{}
	for _, s := range list {
		if d, ok := s.(*syntax.DefStmt); ok && d.Name.Name != source.Hole {
			first, _, _ := strings.Cut(script.DocOf(d.Body), "\n")
			out = append(out, symbol{Name: d.Name.Name, Detail: first, Kind: symbolFunction, Range: spanOf(v.file, d), SelectionRange: spanOf(v.file, d.Name), Children: v.symbolsOf(d.Body)})
		}
	}
	return out
}

// lenses puts "run | debug" above each test.
func (v *view) lenses() ([]codeLens, error) {
	out := []codeLens{}
	for _, s := range v.file.Tree.Stmts {
		d, ok := s.(*syntax.DefStmt)
		if !ok || !source.IsTest(d.Name.Name) {
			continue
		}
		r := spanOf(v.file, d.Name)
		for _, title := range []string{"run", "debug"} {
			out = append(out, codeLens{r, command{title, "rig." + title, []any{v.uri, d.Name.Name}}})
		}
	}
	return out, nil
}

// format gives the edits that lay out the document; a text that cannot be is an error that says why.
func (v *view) format() ([]textEdit, error) {
	out, err := format.Source(v.path, v.text)
	if err != nil {
		return nil, refused("%v", err)
	}
	if out == v.text {
		return []textEdit{}, nil
	}
	return []textEdit{{span{End: positionOf(v.text, len(v.text))}, out}}, nil
}
