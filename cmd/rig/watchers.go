package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"rig/runtime/cover"
	"rig/runtime/event"
	"rig/runtime/profile"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/trace"
)

// watchFlags attach to a run who looks over its shoulder.
type watchFlags struct {
	Pdb         bool     `group:"watching" help:"Stop where a test has failed, and look around."`
	Trace       bool     `group:"watching" help:"Show each statement of the scripts with the variables that changed."`
	Cover       string   `group:"watching" placeholder:"PATH" help:"Write which statements and branches of the scripts ran: .html, .info (LCOV) or text; - is stdout."`
	CoverFormat string   `group:"watching" placeholder:"FORMAT" help:"text, html or lcov, where the ending of --cover does not say."`
	Pending     bool     `group:"watching" help:"On a terminal, the key t tells what every running test does and who waits for whom. SIGUSR1 does so always, without this flag."`
	Pprof       []string `group:"watching" placeholder:"KIND=PATH" help:"Write where time goes, for go tool pprof: script=PATH is the scripts' own, wall=PATH also waiting for the server. May be given twice." sep:"none"`
}

// check refuses values that do not fit before anything runs.
func (w *watchFlags) check() error {
	if w.CoverFormat != "" && !slices.Contains(cover.Formats(), w.CoverFormat) {
		return usage("--cover-format: there is no format %q%s; there are %s", w.CoverFormat, didYouMean(w.CoverFormat, cover.Formats()), strings.Join(cover.Formats(), ", "))
	}
	if w.CoverFormat != "" && w.Cover == "" {
		return usage("--cover-format belongs to --cover PATH")
	}
	for _, spec := range w.Pprof {
		kind, path, ok := strings.Cut(spec, "=")
		if !ok || path == "" || !slices.Contains(profile.Kinds(), kind) {
			return usage("--pprof: want script=PATH or wall=PATH, got %q", spec)
		}
	}
	return nil
}

// watchers attaches what the flags ask for, and a debugger where a file calls breakpoint() and a person is there.
func (x *execution) watchers() error {
	if x.cmd.Pdb {
		x.converse(script.AllProbes, false)
		x.follow.debugger.PostMortem(true)
		return nil
	}
	_, in := terminal(x.s.in)
	_, out := terminal(x.s.out)
	files, err := expand(x.cmd.Paths)
	if err == nil && in && out && os.Getenv("CI") == "" && callsBreakpoint(files) {
		x.converse(script.MarkedProbes, false)
	}
	return nil
}

// counters attaches those that only look on.
func (x *execution) counters() error {
	w, f := &x.cmd.watchFlags, &x.follow
	if err := w.check(); err != nil {
		return err
	}
	f.count = w.Cover != ""
	if w.Trace {
		f.watch, f.probes = append(f.watch, &trace.Tracer{Tell: x.traced}), script.AllProbes
	}
	if len(w.Pprof) > 0 {
		f.profiler = profile.New()
		f.watch, f.probes = append(f.watch, f.profiler), script.AllProbes
	}
	return nil
}

func (x *execution) traced(t *script.Thread, pos event.Pos, d *event.Trace) {
	e := event.Event{Pos: pos, Data: d}
	if st, ok := t.Scope().(*scenario.Test); ok && st != nil {
		e.Test, e.Parent = st.ID(), st.EventID()
	}
	x.bus.Emit(e)
}

// written writes coverage and profiles when the run has ended. One that cannot be written makes the run incomplete.
func (x *execution) written() {
	w := &x.cmd.watchFlags
	if w.Cover == "" && len(w.Pprof) == 0 {
		return
	}
	x.bus.Flush() // what is written to stdout comes after the tests
	if w.Cover != "" {
		format := w.CoverFormat
		if format == "" {
			format = cover.FormatOf(w.Cover)
		}
		var files []cover.File
		for _, f := range x.host.Coverage() {
			if !strings.HasPrefix(f.Path, "@rig//") {
				files = append(files, f)
			}
		}
		x.put("coverage", w.Cover, func(to io.Writer) error { return cover.Write(to, format, files) })
	}
	for _, spec := range w.Pprof {
		kind, path, _ := strings.Cut(spec, "=")
		x.put("profile", path, func(to io.Writer) error { return x.follow.profiler.Write(to, kind) })
	}
}

// put writes a file, or to stdout.
func (x *execution) put(what, path string, write func(io.Writer) error) {
	if path == "-" {
		if err := write(x.s.out); err != nil {
			x.incomplete(what, err)
		}
		return
	}
	f, err := os.Create(path)
	if err != nil {
		x.incomplete(what, err)
		return
	}
	if err := errors.Join(write(f), f.Close()); err != nil {
		x.incomplete(fmt.Sprintf("%s %s", what, path), err)
	}
}

func asSkip(err error) (*scenario.SkipError, bool) {
	var skip *scenario.SkipError
	return skip, errors.As(err, &skip)
}
