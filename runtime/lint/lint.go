// Package lint finds what is probably wrong in a scenario without running it.
//
// [Check] gives the findings of a file; [Rules] lists what is looked for, each with a code by which a comment can excuse one line:
// "# rig: ignore=CODE why". A rule speaks where it is sure: what a name suggests but nothing shows is no finding.
package lint

import (
	"cmp"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/event"
	"rig/runtime/source"
)

// Finding is one thing that is probably wrong.
type Finding struct {
	Code  string
	Pos   event.Pos
	End   event.Pos // behind it; zero when only the place is known
	Error bool      // it would fail, or hang, when it runs; else it is a doubt
	Msg   string
	Hint  string
}

// Rule is one thing that is looked for.
type Rule struct {
	Code string
	Doc  string // one line
	run  func(*checker)
}

// Rules lists them in the order of the manual.
func Rules() []Rule {
	return []Rule{
		{"syntax", "The file does not parse, or breaks a rule of the language.", nil},
		{"undefined", "A name that nothing defines.", nil},
		{"unused", "A variable, a function or a loaded name that nobody uses.", (*checker).unused},
		{"unreachable", "A statement that no path comes to.", (*checker).unreachable},
		{"loop-capture", "A function for another task captures a variable that a loop, or a later statement, changes.", (*checker).loopCapture},
		{"at-load", "A call at the top level of what works only inside a test: task.spawn, a session, a run.", (*checker).atLoad},
		{"task-not-awaited", "A task that is started and never waited for: its errors are lost.", (*checker).notAwaited},
		{"open-transaction", "A transaction that a path leaves open.", (*checker).openTransactions},
		{"sql-from-data", "A value put into SQL by %, + or format where ? would do.", (*checker).sqlFromData},
		{"ignored-try", "The result of try_ is thrown away, and the error with it.", (*checker).ignoredTry},
		{"no-expectation", "A test that expects nothing: it passes whatever the server answers.", (*checker).noExpectation},
		{"unknown-attribute", "An attribute that the value does not have.", (*checker).unknownAttributes},
		{"bad-argument", "An argument that the function does not take, or one that it needs and does not get.", (*checker).badArguments},
		{"test-parameters", "A test or a hook that does not take one argument, the test.", (*checker).testParameters},
		{"not-callable", "The value of a call where the function itself is wanted: expect.error(conn.exec(sql)) for expect.error(conn.exec, sql).", (*checker).notCallable},
		{"sql-arguments", "A statement with more or fewer ? than arguments.", (*checker).sqlArguments},
		{"unknown-capability", "A requirement that names no capability and no server.", (*checker).unknownCapabilities},
		{"bad-duration", "A duration that cannot be read, or is negative.", (*checker).badDurations},
		{"bad-isolation", "An isolation level that does not exist.", (*checker).badIsolation},
		{"breakpoint", "A breakpoint() that was left in.", (*checker).breakpoints},
		{"unreached-state", "A state of a machine that no other state names.", (*checker).unreachedStates},
		{"bad-ignore", "A comment rig: ignore= without a reason, with an unknown code, or that excuses nothing.", nil},
	}
}

// checker collects the findings of one file.
type checker struct {
	*source.File
	found []Finding
	uses  map[*syntax.DefStmt]*uses // of the functions that were looked at
}

// Check gives the findings of a file in the order of their places.
func Check(f *source.File) []Finding {
	c := &checker{File: f, uses: map[*syntax.DefStmt]*uses{}}
	for _, e := range f.Errors {
		code := "syntax"
		if undefined := strings.HasPrefix(e.Msg, "undefined: "); undefined && (f.Mended(e.Pos.Line) || strings.Contains(e.Msg, source.Hole)) {
			continue
		}
		if strings.HasPrefix(e.Msg, "undefined: ") {
			code = "undefined"
		}
		c.found = append(c.found, Finding{Code: code, Pos: e.Pos, Error: true, Msg: e.Msg, Hint: e.Hint})
	}
	for _, r := range Rules() {
		if r.run != nil {
			r.run(c)
		}
	}
	c.found = c.excuse(c.found)
	slices.SortStableFunc(c.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Pos.Line, b.Pos.Line), cmp.Compare(a.Pos.Col, b.Pos.Col), cmp.Compare(a.Code, b.Code))
	})
	return slices.Compact(c.found)
}

// add notes a finding about a node.
func (c *checker) add(code string, n syntax.Node, fails bool, msg, hint string) {
	start, end := n.Span()
	if c.holed(n) || c.Mended(start.Line) || c.Mended(end.Line) {
		return
	}
	c.found = append(c.found, Finding{Code: code, Pos: source.Pos(start), End: source.Pos(end), Error: fails, Msg: msg, Hint: hint})
}

// holed reports whether something is still missing in a node of a half-typed file: nothing is said about that.
func (c *checker) holed(n syntax.Node) bool {
	if c.Whole {
		return false
	}
	found := false
	syntax.Walk(n, func(x syntax.Node) bool {
		if id, ok := x.(*syntax.Ident); ok && id.Name == source.Hole {
			found = true
		}
		return !found
	})
	return found
}

// excuse takes out what comments excuse, and judges the comments.
func (c *checker) excuse(found []Finding) []Finding {
	for _, x := range c.excuses() {
		n := len(found)
		found = slices.DeleteFunc(found, func(f Finding) bool {
			return f.Code == x.code && (f.Pos.Line == x.pos.Line || x.alone && f.Pos.Line == x.pos.Line+1)
		})
		switch {
		case !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.Code == x.code }):
			found = append(found, Finding{Code: "bad-ignore", Pos: x.pos, Msg: "there is no rule \"" + x.code + "\"", Hint: "rig lint --rules lists them"})
		case x.why == "":
			found = append(found, Finding{Code: "bad-ignore", Pos: x.pos, Msg: "ignore=" + x.code + " has no reason", Hint: "say why behind the code: # rig: ignore=" + x.code + " the server does it"})
		case len(found) == n && c.Whole:
			found = append(found, Finding{Code: "bad-ignore", Pos: x.pos, Msg: "ignore=" + x.code + " excuses nothing", Hint: "remove it"})
		}
	}
	return found
}

type excuse struct {
	pos       event.Pos
	code, why string
	alone     bool // the comment has a line of its own, and is about the next one
}

func (c *checker) excuses() []excuse {
	var out []excuse
	note := func(list []syntax.Comment, alone bool) {
		for _, x := range list {
			_, rest, ok := strings.Cut(x.Text, "rig: ignore=")
			if !ok {
				continue
			}
			code, why, _ := strings.Cut(rest, " ")
			out = append(out, excuse{source.Pos(x.Start), code, strings.TrimSpace(why), alone})
		}
	}
	syntax.Walk(c.Tree, func(n syntax.Node) bool {
		if n != nil && n.Comments() != nil {
			note(n.Comments().Before, true)
			note(n.Comments().Suffix, false)
			note(n.Comments().After, true)
		}
		return true
	})
	return out
}

// each calls fn for every node of the file.
func (c *checker) each(fn func(n syntax.Node)) {
	syntax.Walk(c.Tree, func(n syntax.Node) bool {
		if n != nil {
			fn(n)
		}
		return true
	})
}
