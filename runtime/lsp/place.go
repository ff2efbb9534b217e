package lsp

import (
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"rig/runtime/event"
	"rig/runtime/lint"
	"rig/runtime/source"
)

// offsetOf gives a place in bytes; one outside of the text is moved into it.
func offsetOf(text string, p position) int {
	at := 0
	for range p.Line {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	for units := 0; units < p.Character && at < len(text) && text[at] != '\n'; {
		r, n := utf8.DecodeRuneInString(text[at:])
		units++
		if r > 0xFFFF {
			units++
		}
		at += n
	}
	return at
}

// positionOf is the way back.
func positionOf(text string, offset int) position {
	offset = min(offset, len(text))
	before := text[:offset]
	line := strings.Count(before, "\n")
	units := 0
	for _, r := range before[strings.LastIndexByte(before, '\n')+1:] {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	return position{line, units}
}

// spanOf is the place of a node, in the file that it is of.
func spanOf(f *source.File, n syntax.Node) span {
	start, end := n.Span()
	return span{positionOf(f.Text, f.Offset(start)), positionOf(f.Text, f.Offset(end))}
}

func posOf(f *source.File, p event.Pos) position {
	return positionOf(f.Text, f.Offset(syntax.MakePosition(&f.Name, p.Line, p.Col)))
}

// diagnostics judges the document.
func (v *view) diagnostics() []diagnostic {
	out := []diagnostic{}
	for _, x := range lint.Check(v.file) {
		d := diagnostic{Severity: 2, Code: x.Code, Source: "rig", Message: x.Msg}
		if x.Error {
			d.Severity = 1
		}
		if x.Hint != "" {
			d.Message += "\n" + x.Hint
		}
		if x.Code == "unused" || x.Code == "unreachable" {
			d.Tags = []int{1}
		}
		d.Range.Start = posOf(v.file, x.Pos)
		if d.Range.End = posOf(v.file, x.End); x.End.Line == 0 {
			d.Range.End = positionOf(v.text, wordEnd(v.text, offsetOf(v.text, d.Range.Start)))
		}
		out = append(out, d)
	}
	return out
}

// wordEnd is the end of the word at a place; of a place that is no word, the next character.
func wordEnd(text string, at int) int {
	end := at
	for end < len(text) && wordByte(text[end]) {
		end++
	}
	if end == at && at < len(text) && text[at] != '\n' {
		_, n := utf8.DecodeRuneInString(text[at:])
		return at + n
	}
	return end
}

func wordStart(text string, at int) int {
	for at > 0 && wordByte(text[at-1]) {
		at--
	}
	return at
}

func wordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// found is what stands at a place of the tree: the identifier, and what it is part of.
type found struct {
	id   *syntax.Ident
	dot  *syntax.DotExpr  // id is its name
	call *syntax.CallExpr // id is the name of an argument of it
	load *syntax.LoadStmt // the place is within it
	lit  *syntax.Literal  // the place is within a str
}

// find looks for what stands at the view's place.
func (v *view) find() found {
	var out found
	syntax.Walk(v.file.Tree, func(n syntax.Node) bool {
		if n == nil {
			return true
		}
		if _, ok := n.(*syntax.File); ok {
			return true
		}
		if !v.covers(n) {
			return false
		}
		switch n := n.(type) {
		case *syntax.Ident:
			out.id = n
		case *syntax.Literal:
			if n.Token == syntax.STRING {
				out.lit = n
			}
		case *syntax.LoadStmt:
			out.load = n
		case *syntax.DotExpr:
			if v.covers(n.Name) {
				out.id, out.dot = n.Name, n
				return false
			}
		case *syntax.CallExpr:
			for _, a := range n.Args {
				if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ && v.covers(b.X) {
					out.id, out.call = b.X.(*syntax.Ident), n
					return false
				}
			}
		}
		return true
	})
	return out
}

func (v *view) covers(n syntax.Node) bool {
	start, end := n.Span()
	return v.file.Offset(start) <= v.at && v.at <= v.file.Offset(end)
}
