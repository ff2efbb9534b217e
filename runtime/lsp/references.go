package lsp

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/source"
)

// mention is a place of a variable.
type mention struct {
	id   *syntax.Ident
	def  bool
	load bool // in load("...", "name"): the name is a string there
}

// mentions lists the places of a variable in the order of the text; those of a parameter have the names of arguments for it.
func (v *view) mentions(own *source.Var) []mention {
	var out []mention
	for _, d := range own.Defs {
		s, loaded := d.Stmt.(*syntax.LoadStmt)
		if loaded {
			loaded = slices.Contains(s.From, d.At) // load("...", "name"), not name = "other"
		}
		out = append(out, mention{d.At, true, loaded})
	}
	for _, u := range own.Uses {
		if !slices.ContainsFunc(out, func(m mention) bool { return m.id == u }) { // x += 1 is both
			out = append(out, mention{id: u})
		}
	}
	if d, ok := own.Defs[0].Stmt.(*syntax.DefStmt); ok && own.Kind == source.Param {
		out = append(out, v.arguments(v.file, d, own.Name)...)
	}
	slices.SortFunc(out, func(a, b mention) int {
		return cmp.Compare(v.file.Offset(a.id.NamePos), v.file.Offset(b.id.NamePos))
	})
	return out
}

// same reports whether a type is a function of a file, which may have been read twice.
func same(t source.Type, f *source.File, d *syntax.DefStmt) bool {
	return t.Def != nil && t.In != nil && t.In.Name == f.Name && t.Def.Name.NamePos.Line == d.Name.NamePos.Line && t.Def.Name.Name == d.Name.Name
}

// arguments lists the places of the view's file that name a parameter of a function of a file in calls of it.
func (v *view) arguments(f *source.File, d *syntax.DefStmt, name string) []mention {
	var out []mention
	syntax.Walk(v.file.Tree, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		for _, a := range call.Args {
			b, ok := a.(*syntax.BinaryExpr)
			if !ok || b.Op != syntax.EQ {
				continue
			}
			if id := b.X.(*syntax.Ident); id.Name == name && same(v.file.Infer(call.Fn), f, d) {
				out = append(out, mention{id: id})
			}
		}
		return true
	})
	return out
}

func (s *server) references(_ context.Context, p referenceParams) ([]location, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := []location{}
	v, err := s.look(p.TextDocument.URI)
	if err != nil {
		return nil, err
	}
	v.at = offsetOf(v.text, p.Position)
	own := v.variable()
	if own == nil {
		return out, nil
	}
	add := func(in *view, list []mention) {
		for _, m := range list {
			if !m.def || m.load || p.Context.IncludeDeclaration {
				out = append(out, location{in.uri, spanOf(in.file, m.id)})
			}
		}
	}
	add(v, v.mentions(own))
	s.elsewhere(v, own, func(in *view, list []mention) bool {
		add(in, list)
		return true
	})
	return out, nil
}

// elsewhere calls yield with the places of a variable in each other file: of a name of the top level, by whatever names they load it; of
// a parameter of a function there, the names of arguments for it.
func (s *server) elsewhere(v *view, own *source.Var, yield func(in *view, list []mention) bool) {
	f, id := v.origin(v.file, own)
	def, isParam := own.Owner.(*syntax.DefStmt)
	isParam = isParam && own.Kind == source.Param
	word := id.Name
	switch {
	case isParam:
		if x := v.file.VarOf(def.Name); x == nil || x.Owner != nil {
			return
		}
		word = def.Name.Name
	case own.Owner != nil || own.Kind == source.Comprehended:
		return
	}
	if strings.HasPrefix(word, "_") {
		return // private to its file
	}
	s.each(v, f.Name, word, func(in *view) bool {
		var list []mention
		if isParam {
			list = in.arguments(v.file, def, own.Name)
		}
		for _, x := range in.file.Vars {
			if isParam || x.Owner != nil || x.Kind == source.Comprehended {
				continue
			}
			if g, decl := v.origin(in.file, x); g.Name == f.Name && g.Offset(decl.NamePos) == f.Offset(id.NamePos) {
				list = append(append(list, renamed(x)...), in.mentions(x)...)
			}
		}
		return len(list) == 0 || yield(in, list)
	})
}

// renamed gives the string of load("...", own = "name").
func renamed(x *source.Var) []mention {
	s, ok := x.Defs[0].Stmt.(*syntax.LoadStmt)
	if !ok {
		return nil
	}
	for i, to := range s.To {
		if to == x.Defs[0].At && s.From[i] != to {
			return []mention{{id: s.From[i], load: true}}
		}
	}
	return nil
}

// maxNamed bounds the files that a refusal names.
const maxNamed = 3

// dependents says which other files would break if a variable had another name, "" when there are none.
func (s *server) dependents(v *view, own *source.Var) string {
	if own.Kind == source.Loaded {
		return "" // the file gives it a name of its own
	}
	var names []string
	s.elsewhere(v, own, func(in *view, _ []mention) bool {
		name, err := filepath.Rel(filepath.Dir(v.path), in.path)
		if err != nil {
			name = in.path
		}
		names = append(names, name)
		return true
	})
	slices.Sort(names)
	switch n := len(names); {
	case n == 0:
		return ""
	case n > maxNamed:
		names = append(names[:maxNamed], fmt.Sprintf("%d more", n-maxNamed))
	}
	verb := "load"
	if own.Kind == source.Param {
		verb = "give"
	}
	if len(names) == 1 {
		verb += "s"
	}
	return strings.Join(names, ", ") + " " + verb + " " + strconv.Quote(own.Name)
}
