package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/term"

	"go.starlark.net/starlark"

	"rig/builtins"
	"rig/builtins/expect"
	"rig/builtins/lab"
	"rig/builtins/test"
	"rig/runtime/clock"
	"rig/runtime/config"
	"rig/runtime/event"
	"rig/runtime/report"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// execCmd runs scenarios. Flags that are settings keep their text: package config reads it, and knows where it came from.
type execCmd struct {
	globals
	Paths []string `arg:"" name:"path" help:"Files, folders (every .star file below) or globs."`

	Target           string   `short:"t" group:"target" placeholder:"TARGET" help:"embedded (the default), mariadb, mysql, dolt, tidb, a mysql:// URL, a DSN, mock:FILE for a mock server with the rules of a file, or a name from rig.toml."`
	OneDatabase      string   `group:"target" placeholder:"NAME" help:"Run inside this database, one test at a time, where the user may not create any."`
	AllowDatabase    []string `group:"target" placeholder:"NAME" help:"Let scripts use a database that rig did not make." sep:"none"`
	ConnectTimeout   string   `group:"bounds" placeholder:"10s" help:"Bound on connecting, log-in included."`
	StatementTimeout string   `group:"bounds" placeholder:"30s" help:"Bound on one statement."`
	TestTimeout      string   `group:"bounds" placeholder:"5m" help:"Bound on one test."`
	CleanupTimeout   string   `group:"bounds" placeholder:"10s" help:"Bound on cleaning up after one test. After an interrupt all cleanups share one second."`
	MaxRows          string   `group:"bounds" placeholder:"10000" help:"Rows that one query may keep."`
	MaxBytes         string   `group:"bounds" placeholder:"16MiB" help:"Bytes that one query may keep."`

	Match           string   `name:"run" group:"selection" placeholder:"REGEX" help:"Only tests whose id (file.star::test_x) matches."`
	Tag             []string `group:"selection" placeholder:"TAG" help:"Only tests with one of these tags; !tag leaves those out." sep:"none"`
	LastFailed      bool     `group:"selection" help:"Only the tests that failed in the last run."`
	Shard           string   `group:"selection" placeholder:"I/N" help:"Only the I-th of N parts of the tests."`
	List            bool     `group:"selection" help:"List the tests instead of running them."`
	JSON            bool     `name:"json" group:"selection" help:"With --list: as JSON."`
	Jobs            string   `short:"j" group:"running" placeholder:"N" help:"Tests at a time; 0, the default, is one for each processor, at most 8."`
	Repeat          int      `group:"running" placeholder:"N" help:"Run each test N times."`
	UntilFail       bool     `group:"running" help:"Run again and again until a test fails."`
	Shuffle         bool     `group:"running" help:"Run in another order, drawn by the seed."`
	Seed            string   `group:"running" placeholder:"N" help:"Seed of all random numbers; the report tells a run's."`
	Retries         string   `group:"running" placeholder:"N" help:"Try a failed test again up to N times; one that passes then is flaky."`
	Flaky           string   `group:"running" placeholder:"report|fail" help:"What a flaky test is; fail gives exit code 7."`
	MaxFail         string   `group:"running" placeholder:"N" help:"Start no more tests after N failures."`
	Strict          bool     `group:"running" help:"What a test leaves behind fails the run, with exit code 8."`
	AllowAllSkipped bool     `group:"running" help:"Exit with 0 also when every test was skipped."`

	Report        []string `group:"reports" placeholder:"FORMAT[=PATH]" help:"A further report: junit, tap, jsonl, github, gotest-json. May be given several times." sep:"none"`
	RunsDir       string   `group:"reports" placeholder:"DIR" help:"Folder of the journals, .rig/runs."`
	Metrics       []string `group:"reports" placeholder:"prometheus=TO" help:"Metrics for Prometheus: :PORT serves them on 127.0.0.1 during the run, FILE is written at its end. May be given several times." sep:"none"`
	Summary       bool     `group:"reports" help:"End with the timings of statements and spans."`
	LogLevel      string   `group:"reports" placeholder:"LEVELS" help:"Log lines to show, such as info,session=debug; rig help logs explains."`
	LogFormat     string   `group:"reports" placeholder:"FORM" help:"Form of log lines: auto, text, or json, which goes to stderr."`
	UpdateGoldens bool     `group:"reports" help:"Write the files of expect.golden anew."`
	watchFlags
	Verbose int  `short:"v" group:"reports" type:"counter" help:"Show more: -v what rig does, -vv every statement."`
	Quiet   bool `short:"q" group:"reports" help:"Show failures and the summary only."`
}

// settings gives the flags that were given, by the names of their settings.
func (c *execCmd) settings() map[string]string {
	out := map[string]string{}
	for name, text := range map[string]string{
		"target": c.Target, "one-database": c.OneDatabase, "connect-timeout": c.ConnectTimeout, "statement-timeout": c.StatementTimeout,
		"test-timeout": c.TestTimeout, "cleanup-timeout": c.CleanupTimeout, "max-rows": c.MaxRows, "max-bytes": c.MaxBytes, "jobs": c.Jobs,
		"seed": c.Seed, "retries": c.Retries, "flaky": c.Flaky, "max-fail": c.MaxFail, "runs-dir": c.RunsDir, "color": c.Color,
		"allow-database": strings.Join(c.AllowDatabase, "\x00"), "report": strings.Join(c.Report, "\x00"), "tags": strings.Join(c.Tag, "\x00"),
		"metrics": strings.Join(c.Metrics, "\x00"), "log-level": c.LogLevel, "log-format": c.LogFormat,
	} {
		if text != "" {
			out[name] = text
		}
	}
	if c.Strict {
		out["strict"] = "true"
	}
	if c.Summary {
		out["summary"] = "true"
	}
	return out
}

// load reads the settings of every layer.
func (g *globals) load(s streams, flags map[string]string) (*config.Config, error) {
	dir, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	cfg, err := config.Load(config.Source{Dir: dir, Files: g.Config, Profile: g.Profile, Env: os.Environ(), Flags: flags})
	if err != nil {
		return nil, &exitError{exitUsage, err}
	}
	for _, w := range cfg.Warnings() {
		fmt.Fprintln(s.err, "rig: warning:", w)
	}
	return cfg, nil
}

// execution is one run of exec.
type execution struct {
	cmd    *execCmd
	cfg    *config.Config
	s      streams
	params *paramSet
	start  time.Time
	id     string
	seed   int64

	bus     *event.Bus
	tally   *report.Tally
	levels  report.Levels
	broken  []string // reports that could not be opened
	lost    []string // paths that cannot be written, as was told
	journal string
	host    *script.Host
	targets *targets
	files   map[string]bool
	misused bool // a value given to a parameter does not fit
	follow  following
	sinks   []event.Sink // further ones
	lab     lab.Options
	ends    ending
	running scenario.Running
	runs    atomic.Pointer[script.Host] // the host, for who asks from another goroutine
	asked   atomic.Int32                // how often it was asked what is pending, since all were answered
	keys    *keyboard                   // of who watches; nil without one

	sink      event.Sink                                              // in place of the console; nil is the console
	converses func(ctx context.Context, reg *scenario.Registry) error // in place of the tests of the files; nil runs those
}

// Run runs the scenarios.
func (c *execCmd) Run(s streams, flags *paramFlags, a attachment) error {
	if a.prepare != nil {
		return c.start(s, flags, a.prepare)
	}
	return c.start(s, flags, (*execution).watchers)
}

// start runs the scenarios with what prepare attaches to the run.
func (c *execCmd) start(s streams, flags *paramFlags, prepare func(*execution) error) error {
	cfg, err := c.load(s, c.settings())
	if err != nil {
		return err
	}
	if _, err := cfg.Target(""); err != nil {
		return &exitError{exitUsage, err}
	}
	levels, err := logLevels(cfg)
	if err != nil {
		return err
	}
	sel, err := c.selection(cfg)
	if err != nil {
		return err
	}
	if err := c.takeIDs(&sel); err != nil {
		return err
	}
	files, err := expand(c.Paths)
	if err != nil {
		return err
	}
	x := &execution{cmd: c, cfg: cfg, s: s, start: time.Now(), params: newParamSet(cfg, flags.values), files: map[string]bool{}, levels: levels}
	x.id = newRunID(x.start)
	if x.seed, err = c.seedOf(cfg); err != nil {
		return err
	}
	if c.List {
		return x.list(files, sel)
	}
	if err := x.counters(); err != nil {
		return err
	}
	if err := prepare(x); err != nil {
		return err
	}
	if err := x.open(flags); err != nil {
		return err
	}
	return x.run(files, sel)
}

func runsDir(cfg *config.Config) string {
	dir := cfg.String("runs-dir")
	if filepath.IsAbs(dir) || cfg.Get("runs-dir").Origin.Layer == "flag" {
		return dir
	}
	return filepath.Join(cfg.Root(), dir)
}

// open makes the sinks and the bus. A report that cannot be opened does not stop the run, but the run is incomplete.
func (x *execution) open(flags *paramFlags) error {
	exporters, err := x.telemetry()
	if err != nil {
		return err
	}
	dir := runsDir(x.cfg)
	var sinks []event.Sink
	journal, err := report.OpenJournal(dir, x.id)
	if err != nil {
		x.incomplete("journal", err)
	} else {
		x.journal = journal.Path()
		sinks = append(sinks, journal)
		_ = report.Prune(dir, 20, 14*24*time.Hour, x.start) // old runs that stay harm nobody
	}
	screen := x.sink
	if screen == nil {
		screen = x.console()
	}
	sinks = append(append(append(sinks, screen), exporters...), x.sinks...)
	if err := distinct(x.cfg.List("report")); err != nil {
		for _, s := range sinks {
			_ = s.Close() // nothing was written yet
		}
		return err
	}
	for _, spec := range x.cfg.List("report") {
		sink, err := report.Open(spec, x.s.out)
		var format *report.FormatError
		switch {
		case errors.As(err, &format):
			for _, s := range sinks {
				_ = s.Close() // nothing was written yet
			}
			return &exitError{exitUsage, err}
		case err != nil:
			x.incomplete("report "+spec, err)
		default:
			sinks = append(sinks, sink)
		}
	}
	x.tally = report.NewTally(report.TallyOptions{Strict: x.cfg.Bool("strict"), FlakyFails: x.cfg.String("flaky") == "fail", AllowAllSkipped: x.cmd.AllowAllSkipped})
	sinks = append(sinks, x.tally)
	x.bus = event.NewBus(x.start, x.detached, sinks...)
	x.params.bus = x.bus
	x.bus.Secret(os.Getenv("RIG_PASSWORD"))
	for _, text := range flags.secrets() {
		x.bus.Secret(text) // before the run tells its arguments
	}
	return nil
}

func (x *execution) incomplete(what string, err error) {
	x.broken = append(x.broken, what)
	fmt.Fprintf(x.s.err, "rig: %s: %v\n", what, err)
}

// detached is told by the bus of a report that can no longer be written.
func (x *execution) detached(sink string, err error) {
	fmt.Fprintf(x.s.err, "rig: %s is incomplete: %v\n", sink, err)
}

func (x *execution) console() event.Sink {
	// A report on stdout has it for itself: the console moves to stderr.
	out := x.s.out
	for _, spec := range x.cfg.List("report") {
		if _, path, has := strings.Cut(spec, "="); !has || path == "-" {
			out = x.s.err
		}
	}
	fd, tty := terminal(out)
	color := colored(x.cfg.String("color"), out)
	handler, to := logs(x.cfg.String("log-format"), color, tty, x.s.err)
	if _, same := terminal(to); same && to != nil {
		tty = false // lines of another writer on the terminal would break the live area
	}
	return report.NewConsole(out, report.ConsoleOptions{
		Color: color, Debugged: x.follow.debugger != nil, Live: tty && !x.cmd.Quiet && x.follow.debugger == nil && os.Getenv("TERM") != "dumb",
		Width: func() int {
			w, _, err := term.GetSize(fd)
			if err != nil {
				return 0
			}
			return w
		},
		Verbose: x.cmd.Verbose, Quiet: x.cmd.Quiet, JournalPath: x.journal, Summary: x.cfg.Bool("summary"), Levels: x.levels, Logs: handler, LogTo: to,
	})
}

// hostOf makes the script host of the run.
func (x *execution) hostOf(reg *scenario.Registry) *script.Host {
	return newHost(hostOptions{
		root: x.cfg.Root(), registry: reg, params: x.params, print: x.print, follow: x.follow,
		builtins: builtins.Options{Goldens: expect.Goldens{Update: x.cmd.UpdateGoldens, CI: os.Getenv("CI") != ""}, Lab: x.lab},
	})
}

func (x *execution) print(t *script.Thread, pos event.Pos, text string) {
	e := event.Event{Pos: pos, Data: &event.Log{Level: "print", Message: text}}
	if st, ok := t.Scope().(*scenario.Test); ok && st != nil {
		e.Test, e.Parent = st.ID(), st.EventID()
	}
	x.bus.Emit(e)
}

// run loads, selects and runs, and ends the stream.
func (x *execution) run(files []string, sel scenario.Selection) error {
	ctx, signals := x.watchSignals()
	defer signals.stop()
	x.ends.takes(signals.interrupt)
	if x.follow.clock != nil {
		ctx = clock.With(ctx, x.follow.clock)
	}
	x.hold(ctx)
	defer x.readKeys()()
	defer x.follow.release()
	reg := scenario.NewRegistry()
	x.host = x.hostOf(reg)
	x.runs.Store(x.host)
	x.targets = newTargets(x.cfg, x.bus, x.id)
	x.targets.host, x.targets.clock = x.host, x.follow.clock
	x.targets.ask = x.keys.yielding(askPassword(x.s.in, x.s.err))
	signals.last = x.targets.close
	x.announce()
	if x.converses != nil {
		return x.finish(x.converses(ctx, reg), signals.interrupted())
	}
	x.own("run", event.Field{Key: "id", Value: x.id}, event.Field{Key: "seed", Value: strconv.FormatInt(x.seed, 10)}, event.Field{Key: "journal", Value: x.journal})
	plan := scenario.Discover(ctx, x.host, reg, x.bus, files)
	for _, f := range plan.Files {
		x.files[f.Path] = true
	}
	for _, f := range x.params.shown() {
		x.own("param", f)
	}
	for _, w := range x.params.misspelt() {
		fmt.Fprintln(x.s.err, "rig: warning:", w)
	}
	items := plan.Select(sel)
	if len(items) == 0 && len(plan.Broken) == 0 {
		fmt.Fprintln(x.s.err, "rig:", nothing(files, plan, sel))
	}
	o := x.options()
	x.bus.Emit(event.Event{Data: &event.Plan{Tests: scenario.IDs(o, items)}})
	var runErr error
	if err := x.params.unknown(); err != nil && len(plan.Broken) == 0 {
		runErr = &exitError{exitUsage, err}
	} else if len(items) > 0 && ctx.Err() == nil {
		runErr = scenario.Run(ctx, o, items)
	}
	x.follow.release()
	x.targets.close()
	x.written()
	x.misused = misused(plan.Broken)
	return x.finish(runErr, signals.interrupted())
}

func (x *execution) options() scenario.Options {
	jobs := x.cfg.Int("jobs")
	if jobs <= 0 {
		jobs = min(runtime.NumCPU(), 8)
	}
	return scenario.Options{
		ID: x.id, Bus: x.bus, Host: x.host, Targets: x.targets, Running: &x.running,
		NewValue: func(t *scenario.Test) starlark.Value {
			file, _, _ := strings.Cut(t.ID(), "::")
			return test.Value(t, x.params.of(file, x.files))
		},
		Seed: x.seed, Jobs: jobs, TestTimeout: x.cfg.Duration("test-timeout"), CleanupTimeout: x.cfg.Duration("cleanup-timeout"),
		Retries: x.cfg.Int("retries"), MaxFail: x.cfg.Int("max-fail"), Repeat: x.cmd.Repeat, UntilFail: x.cmd.UntilFail, Shuffle: x.cmd.Shuffle,
		OneDatabase: x.cfg.String("one-database"), AllowDatabases: x.cfg.List("allow-database"),
	}
}

// announce opens the stream.
func (x *execution) announce() {
	dir, _ := os.Getwd() // without one there is nothing to tell
	target := x.cfg.String("target")
	if c, err := x.cfg.Target(target); err == nil {
		x.bus.Secret(c.Password)
		target = nameOf(c)
	}
	x.bus.Emit(event.Event{Data: &event.RunStart{Run: x.id, Rig: version, StartedAt: x.start.UTC(), Target: target, Seed: x.seed, Dir: dir, Args: x.args()}})
}

// args are the command's, with addresses shown without their passwords.
func (x *execution) args() []string {
	var out []string
	for _, a := range os.Args[1:] {
		if t, err := x.cfg.Target(a); err == nil && strings.ContainsAny(a, "@") {
			a = t.Safe()
		}
		out = append(out, a)
	}
	return out
}

// finish ends the stream and gives the exit code.
func (x *execution) finish(runErr error, interrupted bool) error {
	x.bus.Flush()
	code := 0
	var told *event.Error
	if runErr != nil && !interrupted {
		told = script.Describe(runErr)
		code = exitInternal
		var e *exitError
		switch {
		case errors.As(runErr, &e):
			code = e.code
			told = script.Describe(e.err)
		case environment(runErr):
			code = exitEnvironment
		}
	}
	if len(x.broken) > 0 {
		code = report.Worst(code, exitReport)
	}
	if x.misused {
		code = report.Worst(code, exitUsage)
	}
	end := x.tally.End(time.Since(x.start), told, code, interrupted)
	x.bus.Emit(event.Event{Data: end})
	code = end.Exit
	if failures := x.bus.Close(); len(failures) > 0 {
		code = report.Worst(code, exitReport)
	}
	if code == 0 {
		return nil
	}
	return &exitError{code: code}
}
