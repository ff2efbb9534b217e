package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"rig/runtime/event"
)

// gotest writes the events of go test -json (cmd/test2json): a file is a package, a test a test, and an attempt that
// another one follows is output of its test. Packages end when the run does: their teardown_all comes late.
type gotest struct {
	story
	start    time.Time
	now      time.Duration
	packages []*gotestPackage
	byFile   map[string]*gotestPackage
	begun    map[string]bool // tests with a run event and no end, by id
	order    []string        // of begun, the oldest first; ended ones are skipped
}

type gotestPackage struct {
	name   string
	from   time.Duration
	last   time.Duration
	failed bool
	passed int
	ended  bool
}

type gotestEvent struct {
	Time    *time.Time `json:",omitempty"`
	Action  string
	Package string   `json:",omitempty"`
	Test    string   `json:",omitempty"`
	Elapsed *float64 `json:",omitempty"`
	Output  string   `json:",omitempty"`
}

func newGoTest() *gotest {
	return &gotest{story: newStory(), byFile: map[string]*gotestPackage{}, begun: map[string]bool{}}
}

func (g *gotest) take(w *output, e *event.Event) {
	g.now = max(g.now, e.At)
	g.see(e)
	switch d := e.Data.(type) {
	case *event.RunStart:
		g.start = d.StartedAt
	case *event.FileLoad:
		if d.Error != nil {
			p := g.pkg(w, d.File)
			p.failed = true
			g.say(w, p, "", failure([]*event.Error{d.Error}, nil, noColour))
		}
	case *event.TestStart:
		g.run(w, e.Test)
	case *event.Log:
		file, name := splitID(e.Test)
		if e.Test == "" {
			file, name = e.Pos.File, ""
		} else if !g.begun[e.Test] {
			name = ""
		}
		g.say(w, g.pkg(w, file), name, printed(e, d))
	case *event.Leak:
		file, name := splitID(e.Test)
		if !g.begun[e.Test] {
			name = ""
		}
		g.say(w, g.pkg(w, file), name, indent(oneLine("leak: "+e.Pos.String()+": "+d.What+": "+d.Detail), "    "))
	case *event.TestEnd:
		g.end(w, e.Test, d)
		g.ended(e.Test)
	case *event.RunEnd:
		g.runEnd(w, d)
	}
}

// pkg gives a file's package; its first event is its start.
func (g *gotest) pkg(w *output, file string) *gotestPackage {
	name := clean(strings.TrimSuffix(file, ".star"))
	if name == "" {
		name = "rig"
	}
	p := g.byFile[name]
	if p == nil {
		p = &gotestPackage{name: name, from: g.now, last: g.now}
		g.byFile[name] = p
		g.packages = append(g.packages, p)
		g.write(w, gotestEvent{Action: "start", Package: name})
	}
	p.last = g.now
	return p
}

func (g *gotest) run(w *output, id string) {
	if g.begun[id] {
		return // another attempt
	}
	g.begun[id] = true
	if len(g.order) > 2*len(g.begun)+64 {
		g.order = slices.DeleteFunc(g.order, func(id string) bool { return !g.begun[id] })
	}
	g.order = append(g.order, id)
	file, name := splitID(id)
	p := g.pkg(w, file)
	g.write(w, gotestEvent{Action: "run", Package: p.name, Test: clean(name)})
	g.say(w, p, name, "=== RUN   "+oneLine(name)+"\n")
}

func (g *gotest) end(w *output, id string, d *event.TestEnd) {
	if isFixture(id) && d.Outcome != event.Failed && !g.begun[id] {
		return
	}
	g.run(w, id)
	file, name := splitID(id)
	p := g.pkg(w, file)
	why := indent(g.why(id, d, noColour), "  ")
	if !d.Final {
		g.say(w, p, name, fmt.Sprintf("    attempt %d failed:\n", d.Attempt)+why)
		return
	}
	action := "pass"
	switch d.Outcome {
	case event.Failed, event.Unknown:
		action = "fail"
	case event.Skipped:
		action, why = "skip", "    "+reason(d)+"\n"
	}
	if d.Outcome == event.Unknown {
		why = "    the verdict is unknown\n" + why
	}
	g.say(w, p, name, fmt.Sprintf("--- %s: %s (%.2fs)\n", strings.ToUpper(action), oneLine(name), d.Duration.Seconds())+strings.TrimPrefix(why, "\n"))
	g.verdict(w, id, action, d.Duration)
}

// verdict ends a test.
func (g *gotest) verdict(w *output, id, action string, took time.Duration) {
	delete(g.begun, id)
	file, name := splitID(id)
	p := g.pkg(w, file)
	switch action {
	case "fail":
		p.failed = true
	case "pass":
		p.passed++
	}
	elapsed := took.Round(10 * time.Millisecond).Seconds()
	g.write(w, gotestEvent{Action: action, Package: p.name, Test: clean(name), Elapsed: &elapsed})
}

// say writes output events, one a line as go test does.
func (g *gotest) say(w *output, p *gotestPackage, test, text string) {
	for line := range strings.SplitAfterSeq(text, "\n") {
		if line != "" {
			g.write(w, gotestEvent{Action: "output", Package: p.name, Test: clean(test), Output: line})
		}
	}
}

func (g *gotest) write(w *output, e gotestEvent) {
	if !g.start.IsZero() {
		t := g.start.Add(g.now)
		e.Time = &t
	}
	b, err := json.Marshal(e)
	w.fail(err) // only a start time beyond the year 9999 can do that
	w.buf = append(append(w.buf, b...), '\n')
}

func (g *gotest) runEnd(w *output, d *event.RunEnd) {
	if d.Error != nil {
		p := g.pkg(w, "")
		p.failed = true
		g.say(w, p, "", failure([]*event.Error{d.Error}, nil, noColour))
	}
	g.finish(w)
}

// finish ends what is open: tests of a stream that broke off, then the packages.
func (g *gotest) finish(w *output) {
	for i := len(g.order) - 1; i >= 0; i-- { // subtests before their tests
		id := g.order[i]
		if !g.begun[id] {
			continue
		}
		file, name := splitID(id)
		g.say(w, g.pkg(w, file), name, "--- FAIL: "+oneLine(name)+" (0.00s)\n    did not finish\n")
		g.verdict(w, id, "fail", 0)
	}
	g.order = nil
	for _, p := range g.packages {
		if !p.ended {
			p.ended = true
			g.endPackage(w, p)
		}
	}
}

func (g *gotest) endPackage(w *output, p *gotestPackage) {
	action, word := "pass", "ok  "
	if p.failed {
		action, word = "fail", "FAIL"
	}
	elapsed := (p.last - p.from).Round(time.Millisecond).Seconds()
	g.say(w, p, "", strings.ToUpper(action)+"\n"+fmt.Sprintf("%s\t%s\t%.3fs\n", word, p.name, elapsed))
	g.write(w, gotestEvent{Action: action, Package: p.name, Elapsed: &elapsed})
}
