package config

import (
	"fmt"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// maxProblems is how many problems of one file are reported.
const maxProblems = 10

// Problem is one thing wrong with a setting. Where is the place as the user knows it: "rig.toml:3:1", "RIG_JOBS",
// "--jobs". Pos and Excerpt are set for files only. No field holds a secret.
type Problem struct {
	Where   string
	Pos     event.Pos
	Message string
	Excerpt string // the file's line with carets under what is meant
	Hint    string // one line, or ""
}

// Error gives place, message, excerpt and hint on lines of their own.
func (p *Problem) Error() string {
	var b strings.Builder
	if p.Where != "" {
		b.WriteString(p.Where + ": ")
	}
	b.WriteString(p.Message)
	if p.Excerpt != "" {
		b.WriteString("\n" + p.Excerpt)
	}
	if p.Hint != "" {
		b.WriteString("\n" + p.Hint)
	}
	return b.String()
}

// Report gives the form for reports.
func (p *Problem) Report() *event.Error {
	message := p.Message
	if p.Where != "" && p.Pos.IsZero() {
		message = p.Where + ": " + message
	}
	return &event.Error{
		Kind: string(fault.BadArgument), Category: string(fault.Permanent), Op: "config",
		Message: message, Hint: p.Hint, Pos: p.Pos, Excerpt: p.Excerpt,
	}
}

// Error is everything that is wrong with the settings of a run: of each file at most ten problems, More counts the rest.
type Error struct {
	Problems []*Problem
	More     int
}

// Error gives the problems one after the other.
func (e *Error) Error() string {
	var parts []string
	for _, p := range e.Problems {
		parts = append(parts, p.Error())
	}
	if e.More > 0 {
		parts = append(parts, fmt.Sprintf("further problems: %d", e.More))
	}
	return strings.Join(parts, "\n")
}

// Unwrap gives the problems.
func (e *Error) Unwrap() []error {
	var all []error
	for _, p := range e.Problems {
		all = append(all, p)
	}
	return all
}

// Report gives the form for reports: the problem itself where there is one, else a count with all of them as detail.
func (e *Error) Report() *event.Error {
	if len(e.Problems) == 1 && e.More == 0 {
		return e.Problems[0].Report()
	}
	return &event.Error{
		Kind: string(fault.BadArgument), Category: string(fault.Permanent), Op: "config",
		Message: fmt.Sprintf("the configuration has %d problems", len(e.Problems)+e.More),
		Detail:  e.Error(), Pos: e.Problems[0].Pos,
	}
}

// didYouMean is a hint, or "" when no candidate is near.
func didYouMean(word string, candidates []string) string {
	if s := fault.Suggest(word, candidates); s != "" {
		return fmt.Sprintf("did you mean %q?", s)
	}
	return ""
}

// oneOf lists choices as a sentence does: "a, b or c".
func oneOf(choices []string) string {
	if len(choices) < 2 {
		return strings.Join(choices, "")
	}
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// clip bounds a text that goes into a message.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
