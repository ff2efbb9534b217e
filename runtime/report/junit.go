package report

import (
	"encoding/xml"
	"strconv"
	"strings"
	"time"

	"rig/runtime/event"
)

// junit is the XML that CI servers read. Elements and attributes follow Jenkins' schema; flakyFailure and rerunFailure
// are those of Maven Surefire's surefire-test-report.xsd: a test that passed at last has a flakyFailure for each failed
// attempt, one that never passed has its first failure as failure and the others as rerunFailure.
type junit struct {
	cases cases
	run   event.RunStart
	on    *event.Target
	last  time.Duration
	extra []junitCase // errors that belong to no test
}

func newJUnit() *junit { return &junit{cases: newCases()} }

type junitReport struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Suites []*junitSuite `xml:"testsuite"`
}

type junitCounts struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Timestamp  string          `xml:"timestamp,attr,omitempty"`
	Properties []junitProperty `xml:"properties>property,omitempty"`
	Cases      []junitCase     `xml:"testcase"`

	began   time.Duration
	elapsed time.Duration
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	ClassName string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Time      string        `xml:"time,attr"`
	File      string        `xml:"file,attr,omitempty"`
	Line      int32         `xml:"line,attr,omitempty"`
	Skipped   *junitProblem `xml:"skipped"`
	Failure   *junitProblem `xml:"failure"`
	Error     *junitProblem `xml:"error"`
	Rerun     []junitRerun  `xml:"rerunFailure"`
	Flaky     []junitRerun  `xml:"flakyFailure"`
	Output    *junitText    `xml:"system-out"`
}

type junitProblem struct {
	Message string `xml:"message,attr,omitempty"`
	Type    string `xml:"type,attr,omitempty"`
	Body    string `xml:",innerxml"` // from xmlBody
}

type junitText struct {
	Text string `xml:",innerxml"` // from xmlBody
}

// xmlBody is text inside an element. encoding/xml would write line ends as references, which nobody can read.
func xmlBody(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes all
	return xmlReadable.Replace(b.String())
}

// xmlReadable is never changed.
var xmlReadable = strings.NewReplacer("&#xA;", "\n", "&#x9;", "\t", "&#34;", `"`, "&#39;", "'")

type junitRerun struct {
	Message string    `xml:"message,attr,omitempty"`
	Type    string    `xml:"type,attr"`
	Time    string    `xml:"time,attr,omitempty"`
	Trace   junitText `xml:"stackTrace"`
}

func (j *junit) take(_ *output, e *event.Event) {
	j.last = max(j.last, e.At)
	j.cases.take(e)
	switch d := e.Data.(type) {
	case *event.RunStart:
		j.run = *d
	case *event.Target:
		if j.on == nil && d.State == "ready" {
			on := *d
			j.on = &on
		}
	case *event.FileLoad:
		if d.Error != nil {
			j.problem(d.File, "load", d.Error)
		}
	case *event.RunEnd:
		j.last = max(j.last, d.Duration)
		if d.Error != nil {
			j.problem("rig", "run", d.Error)
		}
	}
}

// problem keeps an error that belongs to no test as a case of its own: readers know nothing else that is red.
func (j *junit) problem(file, name string, e *event.Error) {
	j.extra = append(j.extra, junitCase{
		ClassName: clean(file), Name: name, Time: seconds(0), File: clean(e.Pos.File), Line: e.Pos.Line,
		Error: &junitProblem{Message: summary(e, "no message"), Type: kindOf(e), Body: xmlBody(failure([]*event.Error{e}, nil, noColour))},
	})
}

func (j *junit) finish(w *output) {
	report := junitReport{Name: "rig"}
	suites := map[string]*junitSuite{}
	suite := func(file string, at time.Duration) *junitSuite {
		s := suites[file]
		if s == nil {
			s = &junitSuite{Name: file, Properties: j.properties(), began: at}
			suites[file] = s
			report.Suites = append(report.Suites, s)
		}
		return s
	}
	for _, c := range j.extra {
		suite(c.ClassName, 0).add(c, 0)
	}
	for _, t := range j.cases.all {
		file, _ := splitID(t.id)
		at := t.at
		if !t.started {
			at = j.last
		}
		s := suite(clean(file), at)
		s.began = min(s.began, at)
		elapsed := t.duration
		if j.cases.isSubtest(t.id) { // it is part of its test's time
			elapsed = 0
		}
		s.add(junitOf(t), elapsed)
	}
	for _, s := range report.Suites {
		s.Time = seconds(s.elapsed)
		if !j.run.StartedAt.IsZero() {
			s.Timestamp = j.run.StartedAt.Add(s.began).UTC().Format("2006-01-02T15:04:05")
		}
		report.plus(s.junitCounts)
	}
	report.Time = seconds(j.last)
	b, err := xml.MarshalIndent(report, "", "  ")
	w.fail(err)
	w.str(xml.Header, string(b), "\n")
}

func (j *junit) properties() []junitProperty {
	p := []junitProperty{{"run", clean(j.run.Run)}, {"seed", strconv.FormatInt(j.run.Seed, 10)}, {"rig", clean(j.run.Rig)}}
	if j.on != nil {
		p = append(p, junitProperty{"target", clean(j.on.Name)}, junitProperty{"server", clean(j.on.Type + " " + j.on.Version)})
	}
	return p
}

func (s *junitSuite) add(c junitCase, elapsed time.Duration) {
	s.Cases = append(s.Cases, c)
	s.elapsed += elapsed
	n := junitCounts{Tests: 1}
	switch {
	case c.Failure != nil:
		n.Failures = 1
	case c.Error != nil:
		n.Errors = 1
	case c.Skipped != nil:
		n.Skipped = 1
	}
	s.plus(n)
}

func (c *junitCounts) plus(o junitCounts) {
	c.Tests += o.Tests
	c.Failures += o.Failures
	c.Errors += o.Errors
	c.Skipped += o.Skipped
}

func junitOf(t *testCase) junitCase {
	file, name := splitID(t.id)
	c := junitCase{
		ClassName: clean(file), Name: clean(name), Time: seconds(t.duration), File: clean(file), Line: t.line,
	}
	if s := t.output(); s != "" {
		c.Output = &junitText{xmlBody(s)}
	}
	switch {
	case !t.started:
		c.Skipped = &junitProblem{Message: "not run"}
	case !t.ended:
		c.Error = &junitProblem{Message: "did not finish", Type: "unfinished", Body: "the stream of events ends while the test runs\n"}
	case t.outcome == event.Skipped:
		c.Skipped = &junitProblem{Message: t.reason}
	case t.outcome == event.Unknown:
		c.Error = &junitProblem{Message: summary(t.cause, "the verdict is unknown"), Type: "unknown", Body: xmlBody(t.why)}
	case t.outcome == event.Failed:
		c.failed(t)
	default:
		c.Flaky = reruns(t.earlier)
	}
	return c
}

// failed sets the first attempt's failure, and the later ones as reruns.
func (c *junitCase) failed(t *testCase) {
	all := append(t.earlier[:len(t.earlier):len(t.earlier)], attempt{t.cause, t.why, t.duration})
	first := &junitProblem{Message: summary(all[0].cause, "failed"), Type: kindOf(all[0].cause), Body: xmlBody(all[0].why)}
	if isFailure(all[0].cause) {
		c.Failure = first
	} else {
		c.Error = first
	}
	c.Rerun = reruns(all[1:])
}

func reruns(attempts []attempt) []junitRerun {
	var out []junitRerun
	for _, a := range attempts {
		out = append(out, junitRerun{Message: summary(a.cause, "failed"), Type: kindOf(a.cause), Time: seconds(a.duration), Trace: junitText{xmlBody(a.why)}})
	}
	return out
}

func kindOf(e *event.Error) string {
	if e == nil || e.Kind == "" {
		return "other"
	}
	return clean(e.Kind)
}

func seconds(d time.Duration) string { return strconv.FormatFloat(max(d, 0).Seconds(), 'f', 3, 64) }
