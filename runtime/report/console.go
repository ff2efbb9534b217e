package report

// What the console shows, and where.
//
// Everything goes to the one writer that NewConsole got. A permanent line is written once and never changed:
//
//	12 tests on mariadb 10.11.6 (seed 7)    one line for the run; the seed only when the order was shuffled
//	ok  file.star::test_x  12ms             each test when it has ended: ok, FAIL, SKIP with the reason, FLAKY, UNKNOWN;
//	                                        RETRY for an attempt that another one follows
//	  file.star:12:5: ...                   below FAIL and UNKNOWN, indented: message, excerpt, stack, SQL, the server's
//	                                        words, details, one hint, the last statements, then later errors
//	LEAK  file.star:3:1: ...                what a test left behind, with the line that opened it
//	ERROR  ...                              a script that does not load, a target that fails, a run that cannot go on
//	info file.star:3: message key=value     log lines of scripts; print() lines as they are. Both begin with the test's
//	                                        id when several tests run
//	... file.star::test_x running for 10s   without a live area: a test that takes long
//	count  errors  mean  p50 ...            tables of what scripts measured; with Summary of statements and spans, too
//	12 tests: 11 passed, 1 failed in 1.2s   the end: counts, seed when something failed, the journal's path, what to do next
//
// Subtests have lines of their own only when they did not pass. Quiet leaves out the run's line, ok lines, print(), log
// lines below warn, tests that take long, and numbers that nobody asked for with Summary. Verbose 1 adds debug lines, passed
// subtests, and what happens to targets, sessions, transactions' retries, tasks and machines; verbose 2 adds every statement. Levels
// change that for each source of lines.
//
// With Live the last lines of the terminal, at most eight, show what runs. They are redrawn at most every 100 ms, and
// erased in the same write that adds permanent lines. Only Live moves the cursor and only Color colours. Texts of scripts and servers
// go through clean: what could steer a terminal is shown, not sent. Secrets were replaced before events came here.

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"rig/runtime/event"
	"rig/runtime/metric"
)

// ConsoleOptions say how a console shows a run.
type ConsoleOptions struct {
	Color       bool
	Live        bool       // the writer is a terminal: show what runs in its last lines
	Debugged    bool       // a person holds the tests: that they take long is no news
	Width       func() int // columns of the terminal, asked before each drawing; nil, or 0 from it, is 80
	Verbose     int        // 0, 1 or 2
	Quiet       bool       // failures and the summary only; no live area
	JournalPath string     // shown when something failed
	Summary     bool       // show the timings of statements and spans at the end, too

	Levels Levels // which log lines are shown; where it says nothing, Verbose and Quiet do
	// Logs makes the handler of log lines; nil shows them in the console's own form. Its lines stand among the console's, or
	// go to LogTo, which then has what scripts print as well.
	Logs  func(io.Writer) slog.Handler
	LogTo io.Writer
}

// Console is the sink that people watch.
type Console struct {
	told  string // the message of a target that failed: the run's end need not say it again
	w     io.Writer
	o     ConsoleOptions
	paint painter
	base  slog.Level   // of modules that Levels does not name
	debug bool         // some module shows details
	logs  slog.Handler // nil for the console's own form

	mu       sync.Mutex // guards all below, and w
	story    story
	tally    *Tally      // for the counts while the run goes on
	numbers  *metric.Set // nil until there is something to fold
	started  time.Time   // of the run, on the wall clock
	out      []byte      // permanent text that is not written yet
	err      error       // the first of w; nothing is written after it
	head     head
	tests    []*shownTest      // that run, in the order of their start
	attempts map[string]string // what the first failed attempt of a test said
	fixtures int               // fixtures that failed
	broken   int               // reports that could not be written
	badFiles int
	said     string        // the message of the last ERROR line
	began    time.Time     // when the first event came
	last     time.Duration // the time of the last event, since the run began
	ended    bool
	area     area

	quit chan struct{} // closed by Close; nil when nothing ticks
	gone chan struct{} // closed when the ticking goroutine has returned
}

// NewConsole makes a console. Close must be called: it stops the goroutine that keeps ages up to date.
func NewConsole(w io.Writer, o ConsoleOptions) *Console {
	o.Live = o.Live && !o.Quiet
	c := &Console{w: w, o: o, paint: noColour, story: newStory(), tally: NewTally(TallyOptions{}), attempts: map[string]string{}}
	if o.Color {
		c.paint = colour
	}
	c.base = o.Levels.base(o.Verbose, o.Quiet)
	c.debug = c.detailed()
	if o.Logs != nil {
		to := o.LogTo
		if to == nil {
			to = permanent{c}
		}
		c.logs = o.Logs(to)
	}
	if o.Summary {
		c.numbers = metric.NewSet(metric.Options{Statements: true, Spans: true})
	}
	if o.Quiet {
		return c
	}
	every := time.Second
	if o.Live {
		every = redrawEvery
	}
	c.quit, c.gone = make(chan struct{}), make(chan struct{})
	go c.tick(every)
	return c
}

// colours of the styles, as SGR parameters; the terminal's own palette decides how they look.
var colours = [...]string{plain: "", good: "32", bad: "31;1", warn: "33", dim: "2", strong: "1"}

func colour(s style, text string) string {
	if colours[s] == "" || text == "" {
		return text
	}
	return "\x1b[" + colours[s] + "m" + text + "\x1b[0m"
}

// Name for messages.
func (c *Console) Name() string { return "console" }

// Event shows a fact, or keeps what a later one needs.
func (c *Console) Event(e *event.Event) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if c.began.IsZero() {
		c.began = time.Now()
	}
	c.last = max(c.last, e.At)
	c.story.see(e)
	c.take(e)
	_ = c.tally.Event(e) // counting cannot fail
	if len(c.out) >= spillAt {
		c.write()
	}
	return c.err
}

// take shows what is always shown; the rest is in detail.
func (c *Console) take(e *event.Event) {
	switch d := e.Data.(type) {
	case *event.RunStart:
		c.head.start(d)
		c.started = d.StartedAt
	case *event.Plan:
		c.head.plan(d)
		c.printHead(false)
	case *event.Target:
		c.target(d)
	case *event.FileLoad:
		c.fileLoad(d)
	case *event.TestStart:
		c.printHead(true)
		c.testStart(e, d)
	case *event.TestEnd:
		c.testEnd(e.Test, d)
		c.story.ended(e.Test)
	case *event.Statement, *event.StatementRunning:
		c.statement(e)
	case *event.Progress:
		c.watched(e, d)
	case *event.Metric:
		c.measure(e)
	case *event.Log:
		c.log(e, d)
	case *event.Trace:
		c.trace(e, d)
	case *event.Leak:
		c.leak(e, d)
	case *event.Signal:
		c.line(c.paint(warn, "stopping on "+oneLine(d.Name)))
	case *event.SinkDetached:
		c.broken++
	case *event.RunEnd:
		c.runEnd(d)
	}
	if c.o.Summary {
		c.summarise(e)
	}
	if c.debug {
		c.detail(e)
	}
}

// line adds a permanent line.
func (c *Console) line(parts ...string) {
	for _, p := range parts {
		c.out = append(c.out, p...)
	}
	c.out = append(c.out, '\n')
}

// Flush writes what is due. On a terminal that is at most ten times a second.
func (c *Console) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.o.Live || c.ended || time.Since(c.area.at) >= redrawEvery {
		c.write()
	}
	return c.err
}

// Close writes what is left, and a summary where the stream broke off before its end.
func (c *Console) Close() error {
	if c.quit != nil {
		close(c.quit)
		<-c.gone
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended && !c.began.IsZero() {
		c.brokeOff()
	}
	c.ended = true
	c.write()
	return c.err
}

// tick keeps ages up to date; Close stops it.
func (c *Console) tick(every time.Duration) {
	defer close(c.gone)
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-c.quit:
			return
		case <-t.C:
			c.mu.Lock()
			c.longRunning()
			c.write()
			c.mu.Unlock()
		}
	}
}

// write sends permanent text and, with Live, a new live area, in one write.
func (c *Console) write() {
	if c.err != nil {
		return
	}
	text := c.out
	if c.o.Live {
		text = c.frame()
	}
	if len(text) > 0 {
		if _, err := c.w.Write(text); err != nil {
			c.err = fmt.Errorf("write console: %w", err)
		}
	}
	c.out = c.out[:0]
}

// fileLoad shows a script that does not load.
func (c *Console) fileLoad(d *event.FileLoad) {
	if d.Error == nil {
		return
	}
	c.badFiles++
	c.problem(d.File+" does not load", d.Error)
}

func (c *Console) target(d *event.Target) {
	c.head.target(d)
	switch {
	case d.State == "failed" && d.Error != nil:
		c.told = d.Error.Message
		c.problem("target "+d.Name+" failed", d.Error)
	case d.State == "failed":
		c.problem("target "+d.Name+" failed", &event.Error{})
	case d.State == "ready":
		c.printHead(false)
	}
}

// problem shows an error that belongs to no test. What was said just before is not said in full again.
func (c *Console) problem(what string, e *event.Error) {
	c.line(c.paint(bad, "ERROR"), "  ", oneLine(what))
	if e.Message != "" && e.Message == c.said {
		e = &event.Error{Message: e.Message, Hint: e.Hint}
	}
	c.said = e.Message
	if e.Message != "" || e.Detail != "" {
		c.out = append(c.out, failure([]*event.Error{e}, nil, c.paint)...)
	}
}

func (c *Console) leak(e *event.Event, d *event.Leak) {
	at := ""
	if !e.Pos.IsZero() {
		at = oneLine(e.Pos.String()) + ": "
	}
	who := ""
	if e.Test != "" {
		who = c.paint(dim, "  ("+oneLine(e.Test)+")")
	}
	c.line(c.paint(warn, "LEAK"), "  ", at, oneLine(d.What), ": ", oneLine(d.Detail), who)
}

// find gives the running test of an id, nil for others.
func (c *Console) find(id string) *shownTest {
	i := slices.IndexFunc(c.tests, func(t *shownTest) bool { return t.id == id })
	if i < 0 {
		return nil
	}
	return c.tests[i]
}
