package lsp

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/catalog"
	"rig/runtime/source"
)

// complete lists what may stand at a place: members behind a dot, paths and names in load, states in the strings that name
// them, else parameters of the call at hand with all names that are visible.
func (v *view) complete() completionList {
	line := v.text[strings.LastIndexByte(v.text[:v.at], '\n')+1 : v.at]
	if inComment(line) {
		return completionList{Items: []completionItem{}}
	}
	word := wordStart(v.text, v.at)
	var items []completionItem
	switch in, str := v.stringAt(); {
	case str && strings.HasPrefix(strings.TrimSpace(line), "load("):
		items = v.loadItems(line, v.text[in.begin:v.at])
	case str:
		items = v.textItems(in, line)
	case word > 0 && v.text[word-1] == '.':
		items = v.members(v.receiver(word - 1))
	default:
		items = append(v.argumentItems(), v.names()...)
	}
	if items == nil {
		items = []completionItem{}
	}
	return completionList{Items: items, IsIncomplete: v.waiting}
}

// inComment reports whether the end of a line's beginning is within a comment.
func inComment(line string) bool {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '"', '\'':
			i = stringEnd(line, i, len(line))
		case '#':
			return true
		}
	}
	return false
}

// within is the string that a place is in, from the first byte that it says to behind the last.
type within struct{ begin, end int }

// stringAt finds the string that is open at the place, also one of several lines.
func (v *view) stringAt() (within, bool) {
	for i := v.statementBegin(); i < v.at; i++ {
		switch c := v.text[i]; c {
		case '#':
			for i < v.at && v.text[i] != '\n' {
				i++
			}
		case '"', '\'':
			end := stringEnd(v.text, i, len(v.text))
			quote := v.text[i : i+1]
			if strings.HasPrefix(v.text[i:], strings.Repeat(quote, 3)) {
				quote = strings.Repeat(quote, 3)
			}
			in := within{i + len(quote), end}
			if strings.HasSuffix(v.text[in.begin:min(end+1, len(v.text))], quote) {
				in.end = end + 1 - len(quote)
			}
			if in.begin <= v.at && v.at <= in.end {
				return in, true
			}
			i = end
		}
	}
	return within{}, false
}

// textItems lists what may stand in a string: SQL, the names of tables and columns, of states.
func (v *view) textItems(in within, line string) []completionItem {
	if items, ok := v.sqlItems(in); ok {
		return items
	}
	return v.stateItems(line)
}

// receiver says what stands before a dot.
func (v *view) receiver(dot int) source.Type {
	var t source.Type
	syntax.Walk(v.file.Tree, func(n syntax.Node) bool {
		if d, ok := n.(*syntax.DotExpr); ok && v.file.Offset(d.Dot) == dot {
			t = v.file.Infer(d.X)
		}
		return !t.Known()
	})
	if t.Known() {
		return t
	}
	return v.file.InferText(expressionBefore(v.text, dot), dot)
}

// expressionBefore gives the chain of names, calls and indexes that ends at a place.
func expressionBefore(text string, end int) string {
	at := end
	for at > 0 {
		switch c := text[at-1]; {
		case wordByte(c) || c == '.':
			at--
		case c == ')' || c == ']' || c == '"':
			open := opening(text, at-1)
			if open < 0 {
				return text[at:end]
			}
			at = open
		default:
			return text[at:end]
		}
	}
	return text[at:end]
}

// opening finds where a bracket or a string that closes at a place was opened, within the line or the lines of its brackets.
func opening(text string, at int) int {
	if text[at] == '"' {
		for i := at - 1; i >= 0 && text[i] != '\n'; i-- {
			if text[i] == '"' && (i == 0 || text[i-1] != '\\') {
				return i
			}
		}
		return -1
	}
	depth := 0
	for i := at; i >= 0; i-- {
		switch text[i] {
		case '"':
			if i = opening(text, i); i < 0 {
				return -1
			}
		case ')', ']', '}':
			depth++
		case '(', '[', '{':
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return -1
}

// members lists what stands behind a dot of that type.
func (v *view) members(t source.Type) []completionItem {
	switch typ := v.file.Catalog.Type(t.Name); {
	case t.Module != nil:
		return memberItems(t.Module.Funcs, t.Module.Values)
	case typ != nil:
		items := memberItems(typ.Methods, typ.Attrs)
		if t.Name == "mock_connection" { // it has what sessions have
			session := v.file.Catalog.Type("session")
			items = append(items, memberItems(session.Methods, session.Attrs)...)
		}
		if typ.Open && t.Name == "row" {
			items = append(v.columnItems(v.results(t.SQL)), items...)
		}
		return items
	}
	return nil
}

func memberItems(funcs []*catalog.Func, values []*catalog.Value) []completionItem {
	var items []completionItem
	for _, f := range funcs {
		items = append(items, funcItem(f, itemMethod))
	}
	for _, a := range values {
		items = append(items, completionItem{Label: a.Name, Kind: itemField, Detail: a.Type, Documentation: markdown(a.Doc)})
	}
	return items
}

func funcItem(f *catalog.Func, kind int) completionItem {
	return completionItem{Label: f.Name, Kind: kind, Detail: f.Signature() + " -> " + f.Returns, Documentation: markdown(f.Doc)}
}

// argumentItems lists the parameters of the call at hand that are not given yet.
func (v *view) argumentItems() []completionItem {
	c, ok := v.callAt()
	if !ok {
		return nil
	}
	f := v.function(c.fn)
	if f == nil {
		return nil
	}
	var items []completionItem
	for i := range f.Params {
		p := &f.Params[i]
		if p.Variadic || p.Keywords || slices.Contains(c.given, p.Name) || !p.KwOnly && i < c.positional {
			continue
		}
		items = append(items, completionItem{Label: p.Name + " = ", Kind: itemProperty, Detail: p.Type, Documentation: markdown(p.Doc), SortText: "0" + p.Name})
	}
	return items
}

// keywords of the language that a statement or an expression may have.
var keywords = []string{"and", "break", "continue", "def", "elif", "else", "for", "if", "in", "lambda", "load", "not", "or", "pass", "return", "while"}

// names lists what is visible: what the file defines comes before what it is given.
func (v *view) names() []completionItem {
	var items []completionItem
	seen := map[string]bool{source.Hole: true}
	for _, x := range v.file.Visible(v.at) {
		if seen[x.Name] {
			continue
		}
		seen[x.Name] = true
		item := completionItem{Label: x.Name, Kind: itemVariable, Detail: v.file.TypeOf(x).String(), SortText: "1" + x.Name}
		if f := v.declared(v.file.TypeOf(x)); f != nil {
			item.Kind, item.Detail, item.Documentation = itemFunction, f.Signature(), markdown(f.Doc)
		}
		items = append(items, item)
	}
	for _, m := range v.file.Catalog.Modules {
		if m.Name != "" {
			items = append(items, completionItem{Label: m.Name, Kind: itemModule, Documentation: markdown(m.Doc), SortText: "2" + m.Name})
			continue
		}
		for _, f := range m.Funcs {
			if !seen[f.Name] {
				item := funcItem(f, itemFunction)
				item.SortText = "2" + f.Name
				items = append(items, item)
			}
		}
	}
	for _, k := range append([]string{"None", "True", "False"}, keywords...) {
		items = append(items, completionItem{Label: k, Kind: itemKeyword, SortText: "3" + k})
	}
	return items
}

// declared gives the declaration of a function, of rig or of a file; nil for what is none.
func (v *view) declared(t source.Type) *catalog.Func {
	switch {
	case t.Func != nil:
		return t.Func
	case t.Def != nil && t.In != nil:
		return source.Declared(t.In, t.Def)
	}
	return nil
}

// loadItems lists paths in the first string of a load, names of what is loaded in the others.
func (v *view) loadItems(line, open string) []completionItem {
	if first := strings.IndexByte(line, '"'); first >= 0 && strings.Count(line, "\"") > 1 {
		module, _, _ := strings.Cut(line[first+1:], "\"")
		return v.exported(module)
	}
	var items []completionItem
	for _, label := range v.paths(open) {
		items = append(items, completionItem{Label: label, Kind: itemFile})
	}
	return items
}

func (v *view) exported(module string) []completionItem {
	path, ok := v.space.Resolve(v.path, module)
	if !ok {
		return nil
	}
	f := v.space.File(path)
	if f == nil {
		return nil
	}
	var items []completionItem
	for _, name := range f.Globals() {
		if strings.HasPrefix(name, "_") {
			continue // private to its file
		}
		item := completionItem{Label: name, Kind: itemVariable}
		if d := v.declared(f.TypeOf(f.Lookup(name))); d != nil {
			item.Kind, item.Detail, item.Documentation = itemFunction, d.Signature(), markdown(d.Doc)
		}
		items = append(items, item)
	}
	return items
}

// maxPaths bounds what a folder is asked for.
const maxPaths = 500

// paths lists the scripts that a load may name, as it would name them.
func (v *view) paths(open string) []string {
	var out []string
	if v.space.Library != nil {
		names, _ := fs.Glob(v.space.Library, "*.star") // the pattern is right
		for _, name := range names {
			out = append(out, "@rig//"+name)
		}
	}
	prefix, dir := "./", filepath.Dir(v.path)
	if strings.HasPrefix(open, "//") {
		prefix, dir = "//", v.space.Root
	}
	if i := strings.LastIndexByte(open, '/'); i >= len(prefix) {
		dir, prefix = filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(open[:i], prefix))), open[:i+1]
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return out
	}
	for _, e := range entries[:min(len(entries), maxPaths)] {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			out = append(out, prefix+e.Name()+"/")
		case strings.HasSuffix(e.Name(), ".star") && filepath.Join(dir, e.Name()) != v.path:
			out = append(out, prefix+e.Name())
		}
	}
	return out
}

// stateItems lists states where a string names one: what a handler returns, and where a machine begins.
func (v *view) stateItems(line string) []completionItem {
	quote := strings.LastIndexAny(line, "\"'")
	if quote < 0 {
		return nil // a line of a longer string
	}
	trimmed := strings.TrimSpace(line[:quote])
	if !strings.HasPrefix(trimmed, "return") && !strings.HasSuffix(trimmed, "start =") && !strings.HasSuffix(trimmed, "after_common =") && !strings.Contains(trimmed, "to = [") {
		return nil
	}
	var items []completionItem
	for _, name := range v.states() {
		items = append(items, completionItem{Label: name, Kind: itemValue, Detail: "state"})
	}
	return items
}

// states lists the names that the file's machines give to their states.
func (v *view) states() []string {
	var out []string
	syntax.Walk(v.file.Tree, func(n syntax.Node) bool {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return true
		}
		if t := v.file.Infer(call.Fn); t.Func == nil || t.Func.Qualified() != "machine.new" {
			return true
		}
		syntax.Walk(call, func(x syntax.Node) bool {
			if e, ok := x.(*syntax.DictEntry); ok {
				if lit, ok := e.Key.(*syntax.Literal); ok && lit.Token == syntax.STRING {
					out = append(out, lit.Value.(string))
				}
				return false
			}
			return true
		})
		return true
	})
	if m := v.file.Catalog.Module("machine"); m != nil && len(out) > 0 {
		for _, k := range m.Values {
			out = append(out, k.Name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
