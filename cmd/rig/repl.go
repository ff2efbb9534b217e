package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/term"

	"go.starlark.net/starlark"

	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/prompt"
	"rig/runtime/repl"
	"rig/runtime/scenario"
	"rig/runtime/script"
	"rig/runtime/session"
)

// replCmd is a conversation with a server.
type replCmd struct {
	globals
	Path             string   `arg:"" optional:"" name:"file" help:"A file whose functions and values are there."`
	Target           string   `short:"t" placeholder:"TARGET" help:"As of rig exec: embedded (the default), mariadb, mysql, dolt, tidb, a mysql:// URL, a DSN, or a name from rig.toml."`
	OneDatabase      string   `placeholder:"NAME" help:"Work inside this database, where the user may not create any."`
	AllowDatabase    []string `placeholder:"NAME" help:"Let scripts use a database that rig did not make." sep:"none"`
	StatementTimeout string   `placeholder:"30s" help:"Bound on one statement."`
	MaxRows          string   `placeholder:"10000" help:"Rows that one query may keep."`
	Seed             string   `placeholder:"N" help:"Seed of all random numbers."`
}

// Help is shown below the flags.
func (replCmd) Help() string {
	return "db is a session in a database of its own, which goes at the end, and t is what tests get. Scripts, SQL and commands such as :sessions are " +
		"inputs; :help lists them. Where stdin is no terminal, inputs are read as plain lines: rig repl < inputs; the exit code is 1 then when one failed."
}

// Run talks.
func (c *replCmd) Run(s streams, flags *paramFlags) error {
	e := &execCmd{globals: c.globals, Target: c.Target, OneDatabase: c.OneDatabase, AllowDatabase: c.AllowDatabase, StatementTimeout: c.StatementTimeout, MaxRows: c.MaxRows, Seed: c.Seed, Jobs: "1"}
	if c.Path != "" {
		e.Paths = []string{c.Path}
	}
	k := &conversation{cmd: c}
	err := e.start(s, flags, k.prepare)
	var code *exitError
	switch {
	case k.loop == nil, errors.As(err, &code) && code.code != exitFound:
		return err
	case k.broken:
		return &exitError{code: exitLoad}
	case k.plain && k.loop.Failed() > 0:
		return &exitError{code: exitFound}
	case k.plain:
		return err
	}
	return nil
}

// conversation is the wiring of one.
type conversation struct {
	cmd    *replCmd
	x      *execution
	reg    *scenario.Registry
	loop   *repl.Loop
	space  *script.Workspace
	test   *scenario.Test
	sink   *replSink
	plain  bool
	broken bool     // the file did not load, and no person is there to mend it
	file   []string // names that the file has bound
	runs   int

	columns func() int // of the terminal; 0 is unknown
}

// prepare takes the place of the console and of the tests.
func (k *conversation) prepare(x *execution) error {
	k.x = x
	k.sink = &replSink{out: x.s.out, err: x.s.err}
	x.sink, x.converses = k.sink, k.converse
	return nil
}

// converse runs the conversation as the body of a test.
func (k *conversation) converse(ctx context.Context, reg *scenario.Registry) error {
	k.reg = reg
	body := starlark.NewBuiltin("repl", func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		t, err := scenario.FromThread(th)
		if err != nil {
			return nil, err
		}
		return starlark.None, k.talk(t, args[0])
	})
	err := scenario.Run(ctx, k.x.options(), []*scenario.Item{scenario.Interactive("repl", body)})
	k.x.targets.close()
	return err
}

func (k *conversation) talk(t *scenario.Test, v starlark.Value) error {
	k.test, k.space = t, k.x.host.Workspace()
	k.space.Bind("t", v)
	db, err := v.(starlark.HasAttrs).Attr("db")
	if err != nil {
		return err
	}
	k.space.Bind("db", db)
	o := repl.Options{
		Out: k.x.s.out, Workspace: k.space, Flush: k.x.bus.Flush, Table: tableOf, Query: k.query, Variable: k.variable,
		Sessions: k.sessions, Cancel: k.cancel, Describe: describeInput, Commands: k.commands(),
		Thread: func(ctx context.Context) *script.Thread { return k.x.host.Thread(ctx, t.ID(), t) },
	}
	restore := k.reader(&o)
	defer restore()
	o.Out = redacting{o.Out, k.x}
	if k.columns = o.Width; k.columns == nil {
		k.columns = func() int { return 0 }
	}
	k.loop = repl.New(o)
	k.x.follow.interrupt = k.loop.Interrupt
	if !k.plain {
		info := t.TargetInfo()
		fmt.Fprintf(o.Out, "rig on %s %s; :help lists the commands, Ctrl-D leaves\n", info.Type, info.Version)
	}
	if k.cmd.Path != "" {
		if _, err := k.load(t.Context(), ""); err != nil {
			k.x.bus.Flush()
			fmt.Fprintln(o.Out, describeInput(err))
			fmt.Fprintln(o.Out, "(:reload reads the file again)")
			if k.plain {
				k.broken = true
				return nil
			}
		}
	}
	k.loop.Run(t.Context())
	return nil
}

// reader chooses how inputs are read.
func (k *conversation) reader(o *repl.Options) (restore func()) {
	in, isTerminal := k.x.s.in.(*os.File)
	if isTerminal {
		_, isTerminal = terminal(in)
	}
	if !isTerminal {
		k.plain = true
		o.In, o.Plain = prompt.NewLines(k.x.s.in, nil), true
		return func() {}
	}
	fd, out := terminal(k.x.s.out)
	if os.Getenv("TERM") == "dumb" || !out {
		o.In, o.More = prompt.NewLines(in, k.x.s.out), arrived(in)
		return func() {}
	}
	state, err := term.GetState(int(in.Fd()))
	if err != nil {
		o.In, o.More = prompt.NewLines(in, k.x.s.out), arrived(in)
		return func() {}
	}
	dir := filepath.Join(k.x.cfg.Root(), ".rig")
	path := filepath.Join(dir, "repl_history")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		path = "" // inputs are kept for this conversation alone
	}
	w := newWords(k)
	size := func() (width, height int) {
		width, height, _ = term.GetSize(fd) // both are 0 with an error: unknown
		return width, height
	}
	o.Width = func() int { width, _ := size(); return width }
	e := repl.NewEditor(repl.EditorOptions{
		Out: k.x.s.out, Color: colored(k.x.cfg.String("color"), k.x.s.out), Width: o.Width, Complete: w.complete,
		Height:  func() int { _, height := size(); return height },
		Done:    func(text string, more func() bool) bool { return k.loop.Done(text, more) },
		Arrived: arrived(in),
		History: repl.OpenHistory(path, func(line string) bool { return k.x.bus.Redact(line) != line }),
	})
	o.In, o.Out, o.Whole = e, e, true
	k.x.bus.Flush() // the sink is not at work, and sees the change with the next event
	k.sink.out = e
	return func() { _ = term.Restore(int(in.Fd()), state) }
}

// load reads the file and binds its names; after an edit it replaces them.
func (k *conversation) load(ctx context.Context, _ string) (string, error) {
	if k.cmd.Path == "" {
		return "", errors.New("there is no file: rig repl FILE.star")
	}
	k.x.host.Forget()
	k.x.params.forget()
	m, err := k.x.host.Load(ctx, k.cmd.Path)
	if err != nil {
		return "", err
	}
	var names []string
	for _, name := range m.Globals.Keys() {
		if name == "db" || name == "t" {
			continue
		}
		k.space.Bind(name, m.Globals[name])
		names = append(names, name)
	}
	k.file = names
	k.loop.SetFile(k.cmd.Path, names)
	if len(names) == 0 {
		return k.cmd.Path + " has no names", nil
	}
	return k.cmd.Path + ": " + strings.Join(names, " "), nil
}

// shownRows bounds the lines of one table.
const shownRows = 1000

func tableOf(v starlark.Value) *repl.Rows {
	r, ok := v.(*value.Rows)
	if !ok {
		return nil
	}
	head, cells := value.Cells(r, shownRows)
	return &repl.Rows{Head: head, Cells: cells, Total: r.Len(), Whole: func(i, j int) string { return value.WholeCell(r, i, j) }}
}

// query runs SQL of a person.
func (k *conversation) query(name, sql string) (repl.Answer, error) {
	s, err := pickSession(k.test, name)
	if err != nil {
		return repl.Answer{}, err
	}
	call := session.Call{Op: "sql", Holder: k.test.ID(), Pos: event.Pos{File: "the prompt"}}
	told, err := s.Run(call, sql)
	a := repl.Answer{Changed: told.Changed, Counts: told.Counts}
	for _, r := range told.Results {
		a.Results = append(a.Results, tableOf(value.NewRows(r)))
	}
	return a, err
}

// sessions are those of the person.
func (k *conversation) sessions() []prompt.Session {
	return slices.DeleteFunc(sessionsOfTest(k.test), func(s prompt.Session) bool { return s.Name == observer })
}

// cancel ends on the server what the conversation waits for. Its own calls tell the outcome.
func (k *conversation) cancel() {
	for _, s := range k.test.Sessions() {
		if _, busy := s.Activity(); busy {
			_ = s.Cancel("interrupted by Ctrl-C")
		}
	}
}

// variable is the name that scripts have for a session.
func (k *conversation) variable(name string) string {
	for _, n := range k.space.Own() {
		if s, ok := k.space.Value(n).(*value.Session); ok && s.Session().Name() == name && n != "_" {
			return n
		}
	}
	return ""
}

// toplevel is the interpreter's name for what stands outside of functions.
const toplevel = "<toplevel>"

// describeInput is an error as a person needs it who has just typed what caused it.
func describeInput(err error) string {
	e := script.Describe(err)
	text := e.Message
	if e.Op != "" && !strings.HasPrefix(text, e.Op+":") {
		text = e.Op + ": " + text
	}
	if !e.Pos.IsZero() && e.Pos.Line > 0 {
		text = e.Pos.String() + ": " + text
	}
	if e.Code != 0 {
		text += fmt.Sprintf(" (%d)", e.Code)
	}
	if e.Session != "" {
		text += ", session " + e.Session
	}
	text = "error: " + text
	for i, f := range e.Stack[min(1, len(e.Stack)):] {
		if i == 5 {
			text += fmt.Sprintf("\n  ... and %d more", len(e.Stack)-1-i)
			break
		}
		if f.Func == toplevel {
			text += fmt.Sprintf("\n  from %s", f.Pos)
			continue
		}
		text += fmt.Sprintf("\n  from %s at %s", f.Func, f.Pos)
	}
	if e.Hint != "" && !strings.Contains(text, e.Hint) {
		text += "\nhint: " + e.Hint
	}
	return text
}

// commands are those that need the run.
func (k *conversation) commands() []repl.Command {
	return []repl.Command{
		{Name: "reload", Doc: "read the file again after an edit", Run: k.load},
		{Name: "run", Args: "TEST", Doc: "run a test of the file, in a database of its own", Run: k.run},
		{Name: "machine", Args: "[NAME]", Doc: "draw a state machine", Run: k.machine},
		{Name: "locks", Doc: "which locks sessions hold and wait for", Run: k.locks},
		{Name: "trace", Doc: "show each statement with its time; again: no more", Run: func(context.Context, string) (string, error) {
			on := !k.sink.trace.Load()
			k.sink.trace.Store(on)
			return "statements are " + map[bool]string{true: "shown", false: "not shown"}[on], nil
		}},
	}
}

// run runs tests of the file as rig exec does, beside the conversation.
func (k *conversation) run(ctx context.Context, name string) (string, error) {
	if k.cmd.Path == "" {
		return "", errors.New("there is no file: rig repl FILE.star")
	}
	if _, err := k.load(ctx, ""); err != nil {
		return "", err
	}
	plan := scenario.Discover(ctx, k.x.host, k.reg, nil, []string{k.cmd.Path})
	if len(plan.Broken) > 0 {
		return "", plan.Broken[0]
	}
	var names []string
	var items []*scenario.Item
	for _, it := range plan.Items {
		names = append(names, it.Name)
		if it.Name == name {
			items = append(items, it)
		}
	}
	switch {
	case len(names) == 0:
		return "", fmt.Errorf("%s has no tests: functions whose names begin with test_", k.cmd.Path)
	case name == "":
		return "", fmt.Errorf("run which test? %s has %s", k.cmd.Path, strings.Join(names, ", "))
	case len(items) == 0:
		return "", fmt.Errorf("%s has no test %q%s; it has %s", k.cmd.Path, name, didYouMean(name, names), strings.Join(names, ", "))
	}
	for _, f := range plan.Files {
		k.x.files[f.Path] = true
	}
	k.runs++
	o := k.x.options()
	o.ID = fmt.Sprintf("%sr%d", k.x.id, k.runs)
	err := scenario.Run(ctx, o, items)
	k.x.bus.Flush()
	return "", err
}

// machine draws one of the machines that have a name.
func (k *conversation) machine(_ context.Context, name string) (string, error) {
	var names []string
	for _, n := range k.space.Own() {
		d, ok := k.space.Value(n).(drawn)
		if !ok || n == "_" {
			continue
		}
		g := d.Graph()
		if name == "" || name == n || name == g.Name {
			return g.Text(), nil
		}
		names = append(names, n)
	}
	if name == "" {
		return "", errors.New("there is no state machine; machine.new makes one")
	}
	slices.Sort(names)
	return "", fmt.Errorf("there is no machine %q%s; there are %s", name, didYouMean(name, names), strings.Join(names, ", "))
}

// observer is the session that completion asks.
const observer = "observer"

// observer gives it, opening it at the first use.
func (k *conversation) observer() (*session.Session, error) {
	for _, x := range k.test.Sessions() {
		if x.Name() == observer && !x.Closed() {
			return x, nil
		}
	}
	return k.test.Connect(scenario.ConnectOptions{Name: observer, Quiet: true})
}
