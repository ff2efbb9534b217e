package script

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"

	"rig/runtime/event"
)

// Dialect is the language of scenario files as the parser and the resolver take it. The caller owns the result.
func Dialect() *syntax.FileOptions { return fileOptions() }

// Parse reads a source for tools that look at its tree and run nothing: the tree is as it was written, with its comments.
// Errors are *Error, with the hints that a load gives.
func Parse(name, src string) (*syntax.File, error) {
	if !utf8.ValidString(src) {
		return nil, &Error{Pos: event.Pos{File: name, Line: badLine(src)}, Msg: "the file is not UTF-8 text", Hint: "save it as UTF-8", Guard: "encoding"}
	}
	f, err := fileOptions().Parse(name, src, syntax.RetainComments)
	if err != nil {
		return nil, explainParse(err, src)
	}
	if depth := nesting(f); depth > maxNesting {
		return nil, &Error{Pos: event.Pos{File: name}, Msg: fmt.Sprintf("the file nests expressions %d deep, more than %d", depth, maxNesting), Guard: "depth"}
	}
	return f, nil
}

// Duplicate reports a second top-level function of one name, which a load refuses; nil when there is none.
func Duplicate(f *syntax.File) *Error { return duplicates(f) }

// Habit gives the hint for a name that other languages have, "" when there is none.
func Habit(name string) string { return habit(strings.TrimSpace(name)+" ", "", "") }

// DocOf is the text at the head of a body or file, "" without one.
func DocOf(stmts []syntax.Stmt) string { return docOf(&syntax.File{Stmts: stmts}) }

// Signature writes the head of a function as it stands in the source: name(a, b = 1).
func Signature(src string, d *syntax.DefStmt) string {
	var parts []string
	for _, p := range d.Params {
		parts = append(parts, paramText(src, p))
	}
	return d.Name.Name + "(" + strings.Join(parts, ", ") + ")"
}

func paramText(src string, p syntax.Expr) string {
	switch p := p.(type) {
	case *syntax.BinaryExpr:
		return paramText(src, p.X) + " = " + SourceText(src, p.Y)
	case *syntax.UnaryExpr:
		if p.X == nil {
			return p.Op.String()
		}
		return p.Op.String() + paramText(src, p.X)
	}
	return SourceText(src, p)
}

// SourceText gives the source of a node, its blanks and line breaks as one blank each.
func SourceText(src string, n syntax.Node) string {
	start, end := n.Span()
	from, to := offset(src, start), offset(src, end)
	if from < 0 || to < from {
		return ""
	}
	return strings.Join(strings.Fields(src[from:to]), " ")
}

// Offset gives a position in bytes of the source, -1 outside of it.
func Offset(src string, p syntax.Position) int { return offset(src, p) }
