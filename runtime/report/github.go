package report

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"rig/runtime/event"
)

// maxAnnotation bounds the text of an annotation, in bytes; GitHub cuts what is longer than about 64 KiB and shows a few
// lines.
const maxAnnotation = 4 << 10

// github writes workflow commands: an error for what fails the run, a warning for leaks and flaky tests. A test that failed only
// because of its subtests has no annotation of its own beside theirs.
type github struct {
	story
	earlier map[string]*event.Error // the first failure of tests that are tried again
}

func newGitHub() *github { return &github{story: newStory(), earlier: map[string]*event.Error{}} }

func (g *github) take(w *output, e *event.Event) {
	g.see(e)
	switch d := e.Data.(type) {
	case *event.FileLoad:
		if d.Error != nil {
			annotate(w, "error", at(d.Error.Pos, d.File), d.File+" does not load", describe(d.Error))
		}
	case *event.TestEnd:
		g.end(w, e.Test, d)
		g.ended(e.Test)
	case *event.Leak:
		annotate(w, "warning", e.Pos, "leak in "+e.Test, d.What+": "+d.Detail)
	case *event.RunEnd:
		if d.Error != nil {
			annotate(w, "error", d.Error.Pos, "the run could not go on", describe(d.Error))
		}
	}
}

// finish names the tests that were cut off with the stream.
func (g *github) finish(w *output) {
	for _, id := range slices.Sorted(maps.Keys(g.running)) {
		if file, _ := splitID(id); !g.isSubtest(id) {
			annotate(w, "error", event.Pos{File: file}, id, "did not finish")
		}
	}
}

func (g *github) end(w *output, id string, d *event.TestEnd) {
	cause := firstError(d.Errors)
	file, _ := splitID(id)
	if !d.Final {
		if g.earlier[id] == nil {
			g.earlier[id] = copyError(cause)
		}
		return
	}
	first := g.earlier[id]
	delete(g.earlier, id)
	switch {
	case d.Outcome == event.Failed && cause == nil:
		annotate(w, "error", event.Pos{File: file}, id, "failed")
	case d.Outcome == event.Failed:
		for _, e := range d.Errors {
			if e != nil && e.Kind != "subtests" {
				annotate(w, "error", at(e.Pos, file), id, describe(e))
			}
		}
	case d.Outcome == event.Unknown:
		if cause == nil {
			cause = &event.Error{Message: "a reply was lost"}
		}
		annotate(w, "error", at(cause.Pos, file), id, "the verdict is unknown: "+describe(cause))
	case d.Flaky:
		annotate(w, "warning", at(placeOf(first), file), id, "flaky: passed on attempt "+strconv.Itoa(d.Attempt)+"; first "+summary(first, "it failed"))
	}
}

func placeOf(e *event.Error) event.Pos {
	if e == nil {
		return event.Pos{}
	}
	return e.Pos
}

// at is a place, or the file where the place is not known.
func at(p event.Pos, file string) event.Pos {
	if p.IsZero() {
		return event.Pos{File: file}
	}
	return p
}

// describe is an error as an annotation shows it.
func describe(e *event.Error) string {
	parts := []string{clean(message(e))}
	if e.SQL != "" {
		parts = append(parts, clean(clip(e.SQL, maxShownSQL)))
	}
	if s := serverError(e); s != "" {
		parts = append(parts, s)
	}
	if e.Detail != "" {
		parts = append(parts, clean(e.Detail))
	}
	if e.Hint != "" {
		parts = append(parts, "hint: "+oneLine(e.Hint))
	}
	return strings.Join(parts, "\n")
}

// annotate writes one workflow command. Escapes are those of actions/toolkit (packages/core/src/command.ts).
func annotate(w *output, level string, p event.Pos, title, text string) {
	var props []string
	add := func(key, value string) { props = append(props, key+"="+githubProperty.Replace(clean(value))) }
	if p.File != "" {
		add("file", p.File)
	}
	if p.Line > 0 {
		add("line", strconv.Itoa(int(p.Line)))
	}
	if p.Col > 0 {
		add("col", strconv.Itoa(int(p.Col)))
	}
	add("title", title)
	w.str("::", level, " ", strings.Join(props, ","), "::", githubData.Replace(clip(clean(text), maxAnnotation)), "\n")
}

// The replacers are never changed.
var (
	githubData     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)
