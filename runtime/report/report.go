// Package report folds the event stream into what people read.
//
// [OpenJournal] keeps every event of a run, [NewConsole] shows it on a terminal, [Open] makes a report file of a named
// format, [NewTally] finds the exit code. [Replay] gives a journal to the same sinks again, so every report can be made
// later. Sinks trust nothing of a text's content: what scripts and servers say cannot steer a terminal, break an XML
// document or start a line of its own in a line format.
package report

import (
	"fmt"
	"io"
	"strings"

	"rig/runtime/event"
	"rig/runtime/fault"
)

// Format is a kind of report that [Open] can make.
type Format struct {
	Name string
	Doc  string // one line
}

// Formats lists what [Open] knows, in the order of the documentation. The caller owns the result.
func Formats() []Format {
	return []Format{
		{"console", "the lines of a terminal without colour"},
		{"junit", "JUnit XML, flaky tests as Maven Surefire writes them; complete only when the run has ended"},
		{"tap", "TAP version 14, subtests indented under their full names"},
		{"jsonl", "the events, one JSON object a line, as in the journal"},
		{"github", "annotations of a GitHub workflow: errors, and warnings for leaks and flaky tests"},
		{"gotest-json", "the events of go test -json, for tools that read those"},
	}
}

// FormatError tells that a report was asked for by a name that is none.
type FormatError struct{ Name string }

func (e *FormatError) Error() string {
	msg := fmt.Sprintf("open report: there is no format %q", e.Name)
	if near := fault.Suggest(e.Name, formatNames()); near != "" {
		msg += fmt.Sprintf("; did you mean %q?", near)
	}
	return msg + " (formats: " + strings.Join(formatNames(), ", ") + ")"
}

// Report gives the form for reports.
func (e *FormatError) Report() *event.Error {
	hint := "formats: " + strings.Join(formatNames(), ", ")
	if near := fault.Suggest(e.Name, formatNames()); near != "" {
		hint = fmt.Sprintf("did you mean %q? %s", near, hint)
	}
	return &event.Error{Kind: string(fault.BadArgument), Message: fmt.Sprintf("there is no report format %q", e.Name), Hint: hint}
}

func formatNames() []string {
	var names []string
	for _, f := range Formats() {
		names = append(names, f.Name)
	}
	return names
}

// Open makes the sink for FORMAT or FORMAT=PATH. Without a path, or with "-", it writes to stdout and does not close it.
// A path that cannot be written is an error here where that can be known; later errors name the path.
func Open(spec string, stdout io.Writer) (event.Sink, error) {
	name, path, hasPath := strings.Cut(spec, "=")
	fold := newFold(name)
	if fold == nil && name != "console" {
		return nil, &FormatError{Name: name}
	}
	if hasPath && path == "" {
		return nil, fmt.Errorf("open report %s: no path after %q; leave the = out, or use -, to write to standard output", name, spec)
	}
	out := &output{path: "standard output", w: stdout}
	if hasPath && path != "-" {
		var err error
		if out, err = openOutput(path, name == "junit"); err != nil {
			return nil, fmt.Errorf("open report %s: %w", name, err)
		}
	}
	if fold == nil {
		return &fileConsole{Console: NewConsole(out, ConsoleOptions{}), out: out}, nil
	}
	return &sink{name: "report " + name + " on " + out.path, out: out, fold: fold}, nil
}

// fold is one format: it appends text for events, and errors of writing are not its business.
type fold interface {
	take(w *output, e *event.Event)
	// finish ends the report, also that of a stream that broke off.
	finish(w *output)
}

func newFold(name string) fold {
	switch name {
	case "junit":
		return newJUnit()
	case "tap":
		return newTAP()
	case "jsonl":
		return jsonl{}
	case "github":
		return newGitHub()
	case "gotest-json":
		return newGoTest()
	}
	return nil
}

// sink is a fold with its destination.
type sink struct {
	name string
	out  *output
	fold fold
}

func (s *sink) Name() string { return s.name }

func (s *sink) Event(e *event.Event) error {
	s.fold.take(s.out, e)
	return s.out.spill()
}

func (s *sink) Flush() error { return s.out.flush() }

func (s *sink) Close() error {
	if s.out.err == nil {
		s.fold.finish(s.out)
	}
	return s.out.close()
}

// fileConsole is the console on a report's destination.
type fileConsole struct {
	*Console
	out *output
}

func (s *fileConsole) Name() string { return "report console on " + s.out.path }

func (s *fileConsole) Flush() error {
	if err := s.Console.Flush(); err != nil {
		return err
	}
	s.mu.Lock() // the console's ticking goroutine writes to out, too
	defer s.mu.Unlock()
	return s.out.flush()
}

func (s *fileConsole) Close() error {
	err := s.Console.Close()
	if cerr := s.out.close(); err == nil {
		err = cerr
	}
	return err
}

// jsonl writes the journal's lines.
type jsonl struct{}

func (jsonl) take(w *output, e *event.Event) {
	w.buf = append(event.AppendJSON(w.buf, e), '\n')
}

func (jsonl) finish(*output) {}
