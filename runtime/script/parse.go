package script

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// compiled is a source that can run.
type compiled struct {
	file        *syntax.File
	prog        *starlark.Program
	predeclared starlark.StringDict
}

// compile parses and resolves a source. The file's tree is rewritten for the guards and the probes.
func (h *Host) compile(name, src string) (*compiled, error) {
	if !utf8.ValidString(src) {
		return nil, &Error{Pos: event.Pos{File: name, Line: badLine(src)}, Msg: "the file is not UTF-8 text", Hint: "save it as UTF-8", Guard: "encoding"}
	}
	h.remember(name, src)
	f, err := fileOptions().Parse(name, src, 0)
	if err != nil {
		return nil, h.parseError(err, src)
	}
	if depth := nesting(f); depth > maxNesting {
		return nil, &Error{Pos: event.Pos{File: name}, Msg: fmt.Sprintf("the file nests expressions %d deep, more than %d", depth, maxNesting), Guard: "depth"}
	}
	names, sites := h.probe(f, src)
	rewrite(f)
	if err := duplicates(f); err != nil {
		return nil, h.placed(err)
	}
	prog, err := starlark.FileProgram(f, h.known)
	if err != nil {
		return nil, h.resolveError(err, f)
	}
	h.noteRaces(f)
	if sites != nil {
		for _, w := range h.opts.Watch {
			w.Loaded(name, sites)
		}
	}
	return &compiled{f, prog, h.globals(names)}, nil
}

func (h *Host) known(name string) bool {
	_, ok := h.predeclared[name]
	return ok || isHelper(name)
}

func (h *Host) remember(name, src string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sources[name] = src
}

func (h *Host) placed(e *Error) *Error {
	e.Excerpt, e.host = h.excerpt(e.Pos), h
	return e
}

func badLine(src string) int32 {
	for i, r := range src {
		if r == utf8.RuneError {
			if _, n := utf8.DecodeRuneInString(src[i:]); n == 1 {
				return int32(1 + strings.Count(src[:i], "\n"))
			}
		}
	}
	return 0
}

// maxNesting bounds the depth of a file's tree: the resolver and the compiler recurse over it.
const maxNesting = 5000

// nesting measures the depth of a tree.
func nesting(f *syntax.File) int {
	depth, most := 0, 0
	syntax.Walk(f, func(n syntax.Node) bool {
		if n == nil {
			depth--
			return false
		}
		depth++
		most = max(most, depth)
		return true
	})
	return most
}

func (h *Host) parseError(err error, src string) error {
	err = explainParse(err, src)
	var e *Error
	if errors.As(err, &e) {
		return h.placed(e)
	}
	return err
}

// explainParse puts an error of the parser into rig's words, with a hint.
func explainParse(err error, src string) error {
	var se syntax.Error
	if !errors.As(err, &se) {
		return err
	}
	e := &Error{Pos: posOf(se.Pos), Msg: "syntax error: " + plainTokens(se.Msg)}
	if strings.HasPrefix(se.Msg, "got newline") && e.Pos.Line > 1 && e.Pos.Col == 1 {
		// The scanner stands behind the line's end already.
		e.Pos.Line--
		e.Pos.Col = int32(utf8.RuneCountInString(lineAt(src, int(e.Pos.Line)))) + 1
	}
	line := lineAt(src, int(e.Pos.Line))
	e.Hint = habit(line, lineAt(src, int(e.Pos.Line)-1), se.Msg)
	if e.Hint == "" {
		e.Hint = structure(strings.TrimSpace(line), src, se.Msg, int(e.Pos.Line))
	}
	e.reserved(line)
	return e
}

func plainTokens(msg string) string {
	return strings.NewReplacer("got illegal token", "found something that is no token", "got outdent", "the block ended", "got indent", "unexpected indentation", "got newline", "the line ended").Replace(msg)
}

func lineAt(src string, n int) string {
	lines := strings.Split(src, "\n")
	if n < 1 || n > len(lines) {
		return ""
	}
	return lines[n-1]
}

// habits of other languages, by the first word of the line.
var firstWords = []struct{ word, hint string }{
	{"try", "Starlark has no try: r = try_(conn.exec, \"...\") gives the error as a value, expect.error(fn, ...) expects one"},
	{"except", "Starlark has no except: r = try_(fn, ...), then look at r.error"},
	{"finally", "Starlark has no finally: t.cleanup(fn, ...) always runs"},
	{"raise", "Starlark has no raise: fail(\"message\")"},
	{"import", "Starlark has no import: load(\"./lib.star\", \"name\"); time, json, math and rig's modules are there already"},
	{"from", "Starlark has no import: load(\"./lib.star\", \"name\")"},
	{"with", "Starlark has no with: conn.transaction(fn, ...) ends a transaction, t.cleanup(fn, ...) closes things"},
	{"class", "Starlark has no class: use struct(name = ...), or a function that returns one"},
	{"assert", "Starlark has no assert: check(cond, \"message\") or expect.eq(got, want)"},
	{"global", "Starlark has no global: pass values, or use task.shared({})"},
	{"nonlocal", "Starlark has no nonlocal: pass values, or use a dict"},
	{"yield", "Starlark has no generators: build a list"},
	{"async", "Starlark has no async: task.spawn(fn, ...) runs a function concurrently"},
	{"await", "Starlark has no await: task.wait()"},
	{"del", "Starlark has no del: d.pop(key)"},
	{"switch", "Starlark has no switch: use if and elif, or a dict of functions"},
	{"match", "Starlark has no match: use if and elif, or a dict of functions"},
	{"function", "functions begin with def: def name(args):"},
	{"func", "functions begin with def: def name(args):"},
	{"var", "names are assigned without a word before them: x = 1"},
	{"let", "names are assigned without a word before them: x = 1"},
	{"const", "names are assigned without a word before them: X = 1"},
	{"print", "print is a function: print(x)"},
}

// habit gives a hint for what people write who know other languages.
func habit(line, before, msg string) string {
	code := strings.TrimSpace(line)
	for _, candidate := range []string{code, strings.TrimSpace(before)} {
		word := candidate
		if i := strings.IndexFunc(candidate, func(r rune) bool { return !(r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') }); i >= 0 {
			word = candidate[:i]
		}
		for _, h := range firstWords {
			if word == h.word && !(h.word == "print" && strings.HasPrefix(candidate, "print(")) {
				return h.hint
			}
		}
	}
	switch {
	case strings.Contains(code, `f"`) || strings.Contains(code, `f'`):
		return "Starlark has no f-strings: \"%s rows\" % n, or \"{} rows\".format(n)"
	case strings.Contains(code, "**"):
		return "Starlark has no ** operator: multiply, or use math.pow(x, y)"
	case strings.Contains(code, " is "):
		return "Starlark has no is: compare with =="
	case strings.Contains(code, "&&"), strings.Contains(code, "||"):
		return "write and, or, not"
	case strings.Contains(code, "!") && !strings.Contains(code, "!="):
		return "write not x"
	case strings.Contains(code, "++"), strings.Contains(code, "--"):
		return "write x += 1"
	case strings.Contains(code, ":="):
		return "Starlark has no :=, assign on a line of its own"
	case strings.HasPrefix(code, "load") && strings.Contains(msg, "want '('"):
		return "load is a word of the language: give the variable another name"
	case strings.Contains(msg, "does not associate"):
		return "Starlark has no chained comparison: write a < b and b < c"
	case strings.Contains(msg, "want indent"):
		return "the block's lines are indented; an empty block is pass"
	}
	return ""
}

// resolveError explains names that are not defined; the first errors are enough.
func (h *Host) resolveError(err error, f *syntax.File) error {
	var list resolve.ErrorList
	if !errors.As(err, &list) || len(list) == 0 {
		return err
	}
	first := list[0]
	e := &Error{Pos: posOf(first.Pos), Msg: first.Msg}
	if name, ok := strings.CutPrefix(first.Msg, "undefined: "); ok {
		name, _, _ = strings.Cut(name, " ")
		e.Msg = "undefined: " + name
		if hint := pythonNames[name]; hint != "" {
			e.Hint = hint
		} else if near := fault.Suggest(name, h.visible(f)); near != "" {
			e.Hint = fmt.Sprintf("did you mean %q?", near)
		} else {
			e.Hint = habit(name+" ", "", "")
			if name == "t" {
				e.Hint = "t is the argument of a test: def test_x(t)"
			}
		}
	}
	if n := len(list) - 1; n > 0 {
		var more []string
		for _, x := range list[1:min(len(list), 4)] {
			more = append(more, fmt.Sprintf("%s: %s", posOf(x.Pos), x.Msg))
		}
		e.Msg += "\nalso " + strings.Join(more, "\nalso ")
	}
	return h.placed(e)
}

// visible lists the names that a file may use.
func (h *Host) visible(f *syntax.File) []string {
	names := map[string]bool{}
	for n := range h.predeclared {
		names[n] = true
	}
	for n := range starlark.Universe {
		names[n] = true
	}
	syntax.Walk(f, func(n syntax.Node) bool {
		if id, ok := n.(*syntax.Ident); ok && id.Binding != nil {
			if b, ok := id.Binding.(*resolve.Binding); ok && b.Scope != resolve.Undefined {
				names[id.Name] = true
			}
		}
		return true
	})
	out := make([]string, 0, len(names))
	for n := range names {
		if !isHelper(n) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}

// duplicates refuses two top-level functions of one name: the second would silently replace the first, and a test with it.
func duplicates(f *syntax.File) *Error {
	seen := map[string]syntax.Position{}
	for _, s := range f.Stmts {
		d, ok := s.(*syntax.DefStmt)
		if !ok {
			continue
		}
		if first, dup := seen[d.Name.Name]; dup {
			return &Error{Pos: posOf(d.Name.NamePos), Msg: fmt.Sprintf("%s is defined twice; the first is at %s", d.Name.Name, posOf(first)), Hint: "rename one of them"}
		}
		seen[d.Name.Name] = d.Name.NamePos
	}
	return nil
}
