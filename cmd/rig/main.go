// Command rig runs Starlark scenarios against databases that speak the MySQL protocol.
//
// This package is the command line: the grammar, one file per command, signals, the wiring of the runtime's parts. What goes where:
// results, listings and log lines to stdout; problems of rig itself to stderr with the prefix "rig: "; with --log-format json
// the log lines go to stderr, too. Only main ends the process.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"golang.org/x/term"

	"rig/runtime/event"
	"rig/runtime/report"
	"rig/runtime/script"
)

// version is set by the linker.
var version = "dev"

func main() {
	// A script may recurse as deep as its guards allow; each of its levels costs several of ours.
	debug.SetMaxStack(2 << 30)
	collectSeldom()
	os.Exit(run(os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr}))
}

// streams are the process's.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// The exit codes that commands give themselves; package report has the list.
const (
	exitFound       = 1
	exitUsage       = 2
	exitLoad        = 3
	exitNothing     = 4
	exitEnvironment = 5
	exitReport      = 9
	exitInternal    = 70
)

// exitError ends a command with a code; a message of nil was printed already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

func usage(format string, args ...any) error {
	return &exitError{exitUsage, fmt.Errorf(format, args...)}
}

// cli is the grammar.
type cli struct {
	Exec    execCmd    `cmd:"" help:"Run scenarios."`
	Watch   watchCmd   `cmd:"" help:"Run scenarios, and again whenever they change."`
	Debug   debugCmd   `cmd:"" help:"Run scenarios step by step."`
	Dap     dapCmd     `cmd:"" help:"Serve the Debug Adapter Protocol to an editor."`
	Repl    replCmd    `cmd:"" help:"Talk to a server: scripts and SQL run as they are typed."`
	Init    initCmd    `cmd:"" help:"Begin a project: rig.toml, a first scenario, a CI workflow."`
	New     newCmd     `cmd:"" help:"Write a scenario to begin with: isolation, deadlock, failover, load or ddl."`
	Report  reportCmd  `cmd:"" help:"Make reports from a journal."`
	Doctor  doctorCmd  `cmd:"" help:"Look at a server for what stands in the way of tests."`
	Check   checkCmd   `cmd:"" help:"Check a recorded history: which isolation levels it rules out."`
	Matrix  matrixCmd  `cmd:"" help:"Show what a server does with anomalies at each isolation level."`
	Import  importCmd  `cmd:"" help:"Make a scenario of a test of isolationtester, mysqltest, Hermitage or Troc, or of a transcript."`
	Clean   cleanCmd   `cmd:"" help:"Remove what a killed run left on a server."`
	Graph   graphCmd   `cmd:"" help:"Draw the state machines of a file."`
	Config  configCmd  `cmd:"" help:"Show every setting with where it comes from, or write a rig.toml."`
	Lsp     lspCmd     `cmd:"" help:"Serve the Language Server Protocol to an editor."`
	Lint    lintCmd    `cmd:"" help:"Find what is probably wrong in scripts, without running them."`
	Fmt     fmtCmd     `cmd:"" help:"Lay out scripts in one style."`
	Doc     docCmd     `cmd:"" help:"Show the reference of the script language."`
	Help    helpCmd    `cmd:"" help:"Explain a topic: exit-codes, capabilities, errors, guards, logs."`
	Version versionCmd `cmd:"" help:"Print the version."`

	Completion completionCmd `cmd:"" help:"Print the completion of a shell: bash, zsh or fish."`
	Words      wordsCmd      `cmd:"" name:"complete-words" hidden:"" help:"What may follow the words, for completion."`
}

// globals are the flags of every command that reads settings.
type globals struct {
	Config  []string `help:"A configuration file (TOML or JSON); may be given several times, the first wins. rig.toml is found by itself." placeholder:"FILE" sep:"none"`
	Profile string   `help:"Settings of [profiles.NAME] before those of the files." placeholder:"NAME"`
	Color   string   `help:"Colours: auto, always or never. NO_COLOR is heard." placeholder:"WHEN"`
}

type versionCmd struct{}

func (versionCmd) Run(s streams) error {
	fmt.Fprintln(s.out, "rig", version)
	return nil
}

// attachment says what is attached to a run of exec instead of what its flags say; nil is nothing.
type attachment struct{ prepare func(*execution) error }

// run is the whole program but for the end of the process.
func run(args []string, s streams) (code int) { return runAttached(args, s, attachment{}) }

func runAttached(args []string, s streams, a attachment) (code int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(s.err, "rig: internal error: %v\n%s", p, debug.Stack())
			code = exitInternal
		}
	}()
	params := &paramFlags{}
	var c cli
	ended := -1
	k, err := kong.New(&c,
		kong.Name("rig"), kong.Description("A scriptable test rig for databases that speak the MySQL protocol.\n\nrig exec test.star runs the tests of a file on the embedded engine; --target mariadb on a throw-away server."),
		kong.Writers(s.out, s.err), kong.Exit(func(n int) { ended = n }), kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.Help(func(o kong.HelpOptions, ctx *kong.Context) error {
			if err := kong.DefaultHelpPrinter(o, ctx); err != nil {
				return err
			}
			params.print(s.out)
			return nil
		}),
	)
	if err != nil {
		panic(err) // the grammar is wrong
	}
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case len(args) == 1 && (args[0] == "--version" || args[0] == "-V"):
		args = []string{"version"}
	}
	if args, err = params.take(k.Model, args); err != nil {
		return fail(s, err)
	}
	ctx, err := k.Parse(args)
	if ended >= 0 {
		return ended
	}
	if err != nil {
		return fail(s, &exitError{exitUsage, misstep(args, suggestFlag(k.Model, args, params, err))})
	}
	if err := ctx.Run(s, params, k.Model, a); err != nil {
		return fail(s, err)
	}
	return 0
}

// fail prints an error and gives its exit code.
func fail(s streams, err error) int {
	var e *exitError
	if !errors.As(err, &e) {
		e = &exitError{exitUsage, err}
	}
	if e.err != nil {
		printError(s.err, e.err)
	}
	return e.code
}

// reported is an error with a form for reports: its detail and hint are printed too.
type reported interface{ Report() *event.Error }

func printError(w io.Writer, err error) {
	text, hint := err.Error(), ""
	var r reported
	var s *script.Error
	if errors.As(err, &s) {
		d := script.Describe(err)
		text, hint = scriptText(d), d.Hint
	} else if errors.As(err, &r) {
		hint = r.Report().Hint
	}
	fmt.Fprintln(w, "rig:", text)
	if hint != "" && !strings.Contains(text, hint) {
		fmt.Fprintln(w, "hint:", hint)
	}
}

// scriptText is an error of a script in one line: its place, the built-in, what happened.
func scriptText(e *event.Error) string {
	text := e.Message
	if e.Op != "" && !strings.HasPrefix(text, e.Op+":") {
		text = e.Op + ": " + text
	}
	if !e.Pos.IsZero() {
		text = e.Pos.String() + ": " + text
	}
	return text
}

// terminal reports whether a stream is one.
func terminal(w any) (fd int, ok bool) {
	f, isFile := w.(*os.File)
	if !isFile {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// colored decides on colours for a stream.
func colored(when string, w io.Writer) bool {
	switch when {
	case "always":
		return true
	case "never":
		return false
	}
	_, tty := terminal(w)
	return tty && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb"
}

// helpCmd explains a topic.
type helpCmd struct {
	Topic string `arg:"" optional:"" help:"exit-codes, capabilities, errors, guards or logs."`
}

func (h helpCmd) Run(s streams) error {
	topics := map[string]func(io.Writer){
		"exit-codes": helpExitCodes, "capabilities": helpCapabilities, "errors": helpErrors, "guards": helpGuards, "logs": helpLogs,
	}
	f := topics[h.Topic]
	if f == nil {
		var names []string
		for n := range topics {
			names = append(names, n)
		}
		slices.Sort(names)
		if h.Topic == "" {
			return usage("help needs a topic: %s; rig --help lists the commands", strings.Join(names, ", "))
		}
		return usage("there is no topic %q%s", h.Topic, didYouMean(h.Topic, names))
	}
	f(s.out)
	return nil
}

func helpExitCodes(w io.Writer) {
	for _, c := range report.ExitCodes() {
		fmt.Fprintf(w, "%4d  %s\n", c.Code, c.Meaning)
	}
	fmt.Fprintln(w, "\nWhere several apply, the first of 70, 130/143, 2, 3, 5, 1, 10, 9, 8, 7, 6, 4 wins.")
}
