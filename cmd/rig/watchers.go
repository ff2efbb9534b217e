package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
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
	if w.Cover != "" {
		x.tryPath("coverage", w.Cover)
	}
	for _, spec := range w.Pprof {
		_, path, _ := strings.Cut(spec, "=")
		x.tryPath("profile", path)
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

// tryPath tells before the run that a file cannot be written: at the end of a long run it would be late. As with the other reports the
// tests run all the same. What is there stays as it is.
func (x *execution) tryPath(what, path string) {
	if path == "-" {
		return
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		err = fmt.Errorf("%s is a folder", path)
	case err == nil && info.Mode().IsRegular():
		var f *os.File
		if f, err = os.OpenFile(path, os.O_WRONLY, 0); err == nil {
			err = f.Close()
		}
	case err == nil: // a pipe or a device waits for its reader, or is open to all
	case errors.Is(err, fs.ErrNotExist):
		var f *os.File
		if f, err = os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
			err = errors.Join(f.Close(), os.Remove(path))
		}
	}
	if err != nil {
		x.lost = append(x.lost, path)
		x.incomplete(what, err)
	}
}

// put writes a file, or to stdout.
func (x *execution) put(what, path string, write func(io.Writer) error) {
	if slices.Contains(x.lost, path) { // which was told
		return
	}
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
