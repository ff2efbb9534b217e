package report

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rig/runtime/event"
)

func TestFormatGoldens(t *testing.T) {
	ext := map[string]string{"junit": ".xml", "tap": ".tap", "github": ".txt", "gotest-json": ".jsonl"}
	for name, s := range runs() {
		for format, e := range ext {
			t.Run(format+"_"+name, func(t *testing.T) { golden(t, format+"_"+name+e, report(t, format, s)) })
		}
	}
}

type xmlSuites struct {
	Tests    int `xml:"tests,attr"`
	Failures int `xml:"failures,attr"`
	Errors   int `xml:"errors,attr"`
	Skipped  int `xml:"skipped,attr"`
	Suites   []struct {
		Name     string `xml:"name,attr"`
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Cases    []struct {
			Class   string  `xml:"classname,attr"`
			Name    string  `xml:"name,attr"`
			Failure *xmlBad `xml:"failure"`
			Error   *xmlBad `xml:"error"`
			Skipped *xmlBad `xml:"skipped"`
			Flaky   *xmlBad `xml:"flakyFailure"`
			Out     string  `xml:"system-out"`
		} `xml:"testcase"`
	} `xml:"testsuite"`
}

type xmlBad struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr"`
	Text    string `xml:",chardata"`
}

func TestJUnitParses(t *testing.T) {
	for name, s := range runs() {
		var x xmlSuites
		if err := xml.Unmarshal([]byte(report(t, "junit", s)), &x); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var tests, bad, skipped int
		for _, suite := range x.Suites {
			var inSuite int
			for _, c := range suite.Cases {
				inSuite++
				switch {
				case c.Failure != nil || c.Error != nil:
					bad++
				case c.Skipped != nil:
					skipped++
				}
			}
			if inSuite != suite.Tests {
				t.Errorf("%s: suite %s says %d tests and has %d", name, suite.Name, suite.Tests, inSuite)
			}
			tests += inSuite
		}
		if x.Tests != tests || x.Failures+x.Errors != bad || x.Skipped != skipped {
			t.Errorf("%s: counts %+v, found %d tests, %d bad, %d skipped", name, x, tests, bad, skipped)
		}
	}
}

func TestJUnitVerdicts(t *testing.T) {
	got := map[string]string{}
	for _, s := range []*stream{failingRun(), flakyRun(), truncatedRun(), loadErrorRun(), targetErrorRun(), leakRun()} {
		var x xmlSuites
		if err := xml.Unmarshal([]byte(report(t, "junit", s)), &x); err != nil {
			t.Fatal(err)
		}
		for _, suite := range x.Suites {
			for _, c := range suite.Cases {
				for what, b := range map[string]*xmlBad{"failure": c.Failure, "error": c.Error, "skipped": c.Skipped, "flaky": c.Flaky} {
					if b != nil {
						got[c.Class+"::"+c.Name+" "+what] += b.Type + "|"
					}
				}
			}
		}
	}
	want := map[string]string{
		tInsert + " error":   "duplicate_key|unfinished|",
		tSub + " failure":    "subtests|",
		tSub + "/bad: 1":     "",
		tLost + " error":     "unknown|",
		tLate + " skipped":   "|",
		tSkip + " skipped":   "||",
		tOpen + " flaky":     "expectation|",
		tOpen + " skipped":   "|",
		"bad.star::load":     "",
		"rig::run error":     "connection_refused|",
		tInsert + "/a error": "unfinished|",
	}
	want["bad.star::load error"] = "script|"
	want[tSub+"/bad: 1 failure"] = "expectation|"
	want["bank.star::teardown_all error"] = "script|"
	for k, v := range want {
		if v != "" && got[k] != v {
			t.Errorf("%s: got %q, want %q", k, got[k], v)
		}
	}
	for k := range got {
		if want[k] == "" {
			t.Errorf("unexpected %s: %q", k, got[k])
		}
	}
}

func TestJUnitReplacesIllegalCharacters(t *testing.T) {
	s := begin(nil, tOpen).start(tOpen).print(tOpen, "a\x00b\xffc\ufffe]]>&<d").end(tOpen, event.TestEnd{})
	var x xmlSuites
	if err := xml.Unmarshal([]byte(report(t, "junit", s.runEnd(nil, 0))), &x); err != nil {
		t.Fatal(err)
	}
	if got, want := x.Suites[0].Cases[0].Out, "a\\x00b\\xffc\ufffd]]>&<d\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

var tapPoint = regexp.MustCompile(`^(not )?ok (\d+) - (.*)$`)

// TestTAPPlan reads the reports as a strict harness does: one plan, points numbered from 1 up to it.
func TestTAPPlan(t *testing.T) {
	for name, s := range runs() {
		text := report(t, "tap", s)
		lines := strings.Split(text, "\n")
		if lines[0] != "TAP version 14" {
			t.Errorf("%s: first line %q", name, lines[0])
		}
		plan, points, bail := -1, 0, false
		for _, line := range lines {
			if n, ok := strings.CutPrefix(line, "1.."); ok {
				n, _, _ = strings.Cut(n, " ")
				plan, _ = strconv.Atoi(n)
			}
			if m := tapPoint.FindStringSubmatch(line); m != nil {
				points++
				if m[2] != strconv.Itoa(points) {
					t.Errorf("%s: point %s is the %d.", name, m[2], points)
				}
			}
			bail = bail || strings.HasPrefix(line, "Bail out!")
		}
		beyond := strings.Count(text, "teardown_all\n")
		if !bail && plan != points-beyond {
			t.Errorf("%s: plan %d, points %d, beyond it %d", name, plan, points, beyond)
		}
		if bail != (name == "target_error") {
			t.Errorf("%s: bail out is %v", name, bail)
		}
	}
}

func TestGitHubEscapes(t *testing.T) {
	s := begin(nil, tOpen).start(tOpen)
	s.end(tOpen, event.TestEnd{Outcome: event.Failed, Errors: []*event.Error{{Kind: "fail", Message: "50%: a,b\n::error::x", Pos: event.Pos{File: "a,b:c%.star", Line: 1, Col: 2}}}})
	got := report(t, "github", s)
	want := "::error file=a%2Cb%3Ac%25.star,line=1,col=2,title=bank.star%3A%3Atest_open::50%25: a,b%0A::error::x\n"
	if got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// TestGoTestBalance checks that every test that runs has one verdict, and every package a start and an end.
func TestGoTestBalance(t *testing.T) {
	for name, s := range runs() {
		open, verdicts := map[string]int{}, 0
		in := bufio.NewScanner(strings.NewReader(report(t, "gotest-json", s)))
		for in.Scan() {
			var e struct{ Time, Action, Package, Test, Output string }
			if err := json.Unmarshal(in.Bytes(), &e); err != nil {
				t.Fatal(err)
			}
			key := e.Package + " " + e.Test
			switch e.Action {
			case "start", "run":
				open[key]++
			case "pass", "fail", "skip":
				open[key]--
				verdicts++
			case "output":
				if open[key] != 1 || !strings.HasSuffix(e.Output, "\n") {
					t.Errorf("%s: output of %q, which is not open, or without an end: %q", name, key, e.Output)
				}
			default:
				t.Errorf("%s: action %q", name, e.Action)
			}
		}
		for key, n := range open {
			if n != 0 {
				t.Errorf("%s: %q is open %d times", name, key, n)
			}
		}
		if verdicts == 0 {
			t.Errorf("%s: no verdict", name)
		}
	}
}

func TestJSONLIsTheJournal(t *testing.T) {
	if got, want := report(t, "jsonl", failingRun()), string(journalOf(failingRun())); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}
