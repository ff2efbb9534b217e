package lsp

import (
	"fmt"
	"strings"

	"rig/runtime/catalog"
	"rig/runtime/source"
)

// hover tells what stands at a place; nil where nothing is known.
func (v *view) hover() *hover {
	x := v.find()
	if x.id == nil {
		return nil
	}
	text := v.about(x)
	if text == "" {
		return nil
	}
	r := spanOf(v.file, x.id)
	return &hover{markdown(text), &r}
}

func (v *view) about(x found) string {
	switch {
	case x.call != nil:
		return v.aboutArgument(x)
	case x.dot != nil:
		t := v.file.Infer(x.dot.X)
		if f := v.declared(v.file.Infer(x.dot)); f != nil {
			return aboutFunc(f)
		}
		return v.aboutMember(t, x.id.Name)
	}
	own := v.file.VarOf(x.id)
	var t source.Type
	if own != nil {
		t = v.file.TypeOf(own)
	} else {
		t = v.file.Global(x.id.Name)
	}
	switch f := v.declared(t); {
	case f != nil:
		return aboutFunc(f)
	case t.Module != nil:
		return "module `" + t.Module.Name + "`\n\n" + t.Module.Doc
	case own != nil && t.Name != "":
		return fmt.Sprintf("%s `%s`: %s\n\n%s", own.Kind, own.Name, t, v.typeDoc(t))
	case own != nil:
		return fmt.Sprintf("%s `%s`", own.Kind, own.Name)
	}
	return ""
}

func (v *view) typeDoc(t source.Type) string {
	if typ := v.file.Catalog.Type(t.Name); typ != nil {
		return typ.Doc
	}
	return ""
}

func (v *view) aboutMember(t source.Type, name string) string {
	var m catalog.Member
	switch typ := v.file.Catalog.Type(t.Name); {
	case t.Module != nil:
		m, _ = t.Module.Member(name)
	case typ != nil:
		m, _ = typ.Member(name)
	}
	if m.Value == nil {
		return ""
	}
	return fmt.Sprintf("`%s`: %s\n\n%s", m.Value.Name, m.Value.Type, m.Value.Doc)
}

func (v *view) aboutArgument(x found) string {
	f := v.declared(v.file.Infer(x.call.Fn))
	if f == nil {
		return ""
	}
	for i := range f.Params {
		if p := &f.Params[i]; p.Name == x.id.Name {
			return fmt.Sprintf("argument `%s` of `%s`: %s\n\n%s", p.Text(), f.Qualified(), p.Type, p.Doc)
		}
	}
	return ""
}

// aboutFunc is a function's page: signature, doc, parameters, example.
func aboutFunc(f *catalog.Func) string {
	var b strings.Builder
	fmt.Fprintf(&b, "```python\n%s -> %s\n```\n%s\n", f.Signature(), f.Returns, f.Doc)
	for _, p := range f.Params {
		if p.Doc != "" {
			fmt.Fprintf(&b, "\n- `%s` (%s): %s", p.Name, p.Type, p.Doc)
		}
	}
	if e := strings.TrimSpace(f.Example); e != "" {
		fmt.Fprintf(&b, "\n\n```python\n%s\n```", e)
	}
	return b.String()
}

// callSite is the call whose parentheses a place is in, as the text has it: the tree may not have it yet.
type callSite struct {
	fn         string // the text before the parenthesis
	at         int    // the parenthesis
	positional int    // how many arguments stand before the place
	given      []string
	keyword    string // the argument at the place, when it is named
	first      string // what the first argument says, when it is a str and stands before the place
}

// maxLookBack bounds how far before a place its call may begin.
const maxLookBack = 8 << 10

// callAt finds the innermost call around the place.
func (v *view) callAt() (callSite, bool) {
	open := v.openParen()
	if open <= 0 || !wordByte(v.text[open-1]) {
		return callSite{}, false
	}
	c := callSite{fn: expressionBefore(v.text, open), at: open}
	if line := v.text[strings.LastIndexByte(v.text[:open], '\n')+1 : open]; strings.HasPrefix(strings.TrimSpace(line), "def ") {
		return callSite{}, false
	}
	args := splitArgs(v.text[open+1 : v.at])
	if len(args) > 1 {
		c.first = unquoted(args[0])
	}
	for i, a := range args {
		name, _, named := strings.Cut(a, "=")
		named = named && isWord(strings.TrimSpace(name)) && !strings.HasPrefix(a[len(name):], "==")
		switch {
		case named && i == len(args)-1:
			c.keyword = strings.TrimSpace(name)
		case named:
			c.given = append(c.given, strings.TrimSpace(name))
		case i < len(args)-1:
			c.positional++
		}
	}
	return c, true
}

// statementBegin is a place before the view's place where no string and no parenthesis is open, as a rule.
func (v *view) statementBegin() int {
	begin := max(0, v.at-maxLookBack)
	if i := strings.LastIndex(v.text[begin:v.at], "\ndef "); i >= 0 {
		begin += i
	}
	return begin
}

func isWord(s string) bool {
	for i := range len(s) {
		if !wordByte(s[i]) {
			return false
		}
	}
	return s != ""
}

// openParen finds the parenthesis that is open at the place, -1 when there is none. It reads forward from the statement's
// beginning, so that strings and comments are seen as such.
func (v *view) openParen() int {
	var stack []int
	for i := v.statementBegin(); i < v.at; i++ {
		switch v.text[i] {
		case '#':
			for i < v.at && v.text[i] != '\n' {
				i++
			}
		case '"', '\'':
			i = stringEnd(v.text, i, v.at)
		case '(', '[', '{':
			stack = append(stack, i)
		case ')', ']', '}':
			stack = stack[:max(0, len(stack)-1)]
		}
	}
	for i := len(stack) - 1; i >= 0; i-- {
		if v.text[stack[i]] == '(' {
			return stack[i]
		}
	}
	return -1
}

// stringEnd gives the last byte of a string that begins at a place, or the limit.
func stringEnd(text string, at, limit int) int {
	quote := text[at : at+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(text[at:], triple) {
		if end := strings.Index(text[at+3:], triple); end >= 0 {
			return min(at+3+end+2, limit)
		}
		return limit
	}
	for i := at + 1; i < limit; i++ {
		switch text[i] {
		case '\\':
			i++
		case '\n':
			return i
		case quote[0]:
			return i
		}
	}
	return limit
}

// splitArgs cuts the text behind a parenthesis at the commas of its own level.
func splitArgs(text string) []string {
	var out []string
	begun, depth := 0, 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '"', '\'':
			i = stringEnd(text, i, len(text))
		case '(', '[', '{':
			depth++
		case ')', ']', '}':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, text[begun:i])
				begun = i + 1
			}
		}
	}
	return append(out, text[begun:])
}

// function finds what a text calls.
func (v *view) function(text string) *catalog.Func {
	return v.declared(v.file.InferText(text, v.at))
}

// signatureHelp shows the call at hand with the parameter that comes next; nil outside of calls.
func (v *view) signatureHelp() *signatureHelp {
	c, ok := v.callAt()
	if !ok {
		return nil
	}
	f := v.function(c.fn)
	if f == nil {
		return nil
	}
	labels, at := f.Labels()
	s := signature{Label: f.Signature(), Documentation: markdown(catalog.Summary(f.Doc)), Parameters: make([]signatureArg, len(labels))}
	for i, l := range labels {
		s.Parameters[i].Label = l
	}
	active := len(labels) // none
	for i := range f.Params {
		p := &f.Params[i]
		if p.Doc != "" {
			s.Parameters[at[i]].Documentation = markdown(p.Doc)
		}
		byPlace := c.keyword == "" && !p.KwOnly && !p.Keywords && (i == c.positional || p.Variadic && i < c.positional)
		if p.Name == c.keyword || byPlace {
			active = at[i]
		}
	}
	return &signatureHelp{Signatures: []signature{s}, ActiveParameter: active}
}
