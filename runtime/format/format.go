// Package format lays out the source of scenarios in one style.
//
// [Source] formats a text with the formatter of Bazel's buildtools. That one knows neither `while` nor bytes literals: both are
// hidden behind stand-ins that it does know, and put back afterwards. Nothing is taken on trust: the result must parse to the same tree
// with the same comments, and be a fixed point, else the text stays as it was and the error says why.
package format

import (
	"fmt"
	"slices"
	"strings"

	"github.com/bazelbuild/buildtools/build"
	"github.com/rogpeppe/go-internal/diff"
	"go.starlark.net/syntax"

	"rig/runtime/event"
	"rig/runtime/script"
)

// Source formats a text. Errors are *script.Error; name is what their positions say.
func Source(name, src string) (string, error) {
	before, err := script.Parse(name, src)
	if err != nil {
		return "", err
	}
	text, same, err := plain(name, src, before)
	if err != nil {
		return "", err
	}
	if what := differs(before, same); what != "" {
		return "", refused(name, "tabs or carriage returns written in another way would change "+what)
	}
	out, err := once(name, text, same)
	if err != nil {
		return "", err
	}
	after, err := script.Parse(name, out)
	if err != nil {
		return "", refused(name, "the formatted text would not parse: "+err.Error())
	}
	if what := differs(before, after); what != "" {
		return "", refused(name, "formatting would change "+what)
	}
	again, err := once(name, out, after)
	if err != nil || again != out {
		return "", refused(name, "formatting does not come to rest")
	}
	return out, nil
}

// plain gives the text with the ends of lines and the blanks that the formatter knows, and its tree.
func plain(name, src string, f *syntax.File) (string, *syntax.File, error) {
	text := strings.ReplaceAll(src, "\r\n", "\n")
	if text != src {
		var err error
		if f, err = script.Parse(name, text); err != nil {
			return "", nil, err
		}
	}
	spaced := untab(text, f)
	if spaced == text {
		return text, f, nil
	}
	f, err := script.Parse(name, spaced)
	return spaced, f, err
}

func refused(name, msg string) error {
	return &script.Error{Pos: event.Pos{File: name}, Msg: msg, Hint: "the file stays as it is; please report it with the file", Guard: "format"}
}

// once formats a text whose tree is f. The formatter was made for files of another kind: a panic in it is an error of the file.
func once(name, text string, f *syntax.File) (out string, err error) {
	defer func() {
		if p := recover(); p != nil {
			out, err = "", refused(name, fmt.Sprintf("the formatter broke down: %v", p))
		}
	}()
	m := newMask(text)
	masked := m.hide(f)
	tree, err := build.ParseDefault(name, []byte(masked))
	if err != nil {
		return "", unknown(name, err)
	}
	shown, ok := m.show(string(build.FormatWithoutRewriting(tree)))
	if !ok {
		return "", refused(name, "a stand-in for a loop or a literal was lost")
	}
	return shown, nil
}

// unknown is the error of a construct that the interpreter takes and the formatter does not.
func unknown(name string, err error) error {
	e := &script.Error{Pos: event.Pos{File: name}, Msg: "the formatter does not know this construct: " + err.Error(), Hint: "the file runs as it is; write the construct in another way to have it formatted", Guard: "format"}
	if pe, ok := err.(build.ParseError); ok {
		e.Pos.Line, e.Pos.Col = int32(pe.Pos.Line), int32(pe.Pos.LineRune)
		e.Msg = "the formatter does not know this construct: " + pe.Message
	}
	return e
}

// Diff shows what formatting changes, as diff -u does; empty when it changes nothing.
func Diff(name, before, after string) string {
	return string(diff.Diff(name, []byte(before), name+" (formatted)", []byte(after)))
}

// differs compares two trees with their comments; it names the first difference.
func differs(a, b *syntax.File) string {
	if x, y := dump(a), dump(b); x != y {
		return "the tree " + firstDifference(x, y)
	}
	if x, y := comments(a), comments(b); !slices.Equal(x, y) {
		return "the comments"
	}
	return ""
}

func firstDifference(x, y string) string {
	i := 0
	for i < len(x) && i < len(y) && x[i] == y[i] {
		i++
	}
	return fmt.Sprintf("(%.60q becomes %.60q)", x[max(0, i-20):], y[max(0, i-20):])
}

// comments lists the texts of all comments, sorted: the formatter may move one to the node that it belongs to.
func comments(f *syntax.File) []string {
	var out []string
	syntax.Walk(f, func(n syntax.Node) bool {
		if n == nil || n.Comments() == nil {
			return true
		}
		c := n.Comments()
		for _, list := range [][]syntax.Comment{c.Before, c.Suffix, c.After} {
			for _, x := range list {
				out = append(out, strings.TrimSpace(strings.TrimPrefix(x.Text, "#")))
			}
		}
		return true
	})
	slices.Sort(out)
	return out
}
