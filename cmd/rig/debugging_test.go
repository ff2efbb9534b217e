package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// consoleFence is a conversation of the docs: a command, then what is typed and shown.
var consoleFence = regexp.MustCompile("(?ms)^```console\n\\$ (rig [^\n]*)\n(.*?)^```")

// steady leaves out what differs from run to run: times, names of tasks, threads on the server and in the debugger, who the victim is.
func steady(text string) string {
	for _, x := range [][2]string{ // in this order
		{`\d+(\.\d+)?(ns|us|µs|ms|s)\b`, "TIME"},
		{`transfer#\w+`, "transfer#N"},
		{`late#\d+`, "late#N"},
		{`(db|holder|waiter) +#\d+ +`, "$1  #ID "},
		{`#\d+(\s+idle|>)`, "#ID$1"},
		{`(?m)^([> ]*)\[\d\] (transfer|thread)`, "$1[N] $2"},
		{`session s\d`, "session sN"},
		{`\(seed \d+\)`, "(seed N)"},
		{`mariadb \d[\d.]*`, "mariadb VERSION"},
		{`embedded \d[\d.]*`, "embedded VERSION"},
		{`(?m)[ ]+$`, ""},
	} {
		text = regexp.MustCompile(x[0]).ReplaceAllString(text, x[1])
	}
	return text
}

// TestDebuggingPage runs the conversations of docs/debugging.md and compares what is shown. Where two tasks run at once, the page shows
// one of the orders in which they can stop: each of its lines must be there.
func TestDebuggingPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	scenarios := fence.FindAllStringSubmatch(string(page), -1)
	talks := consoleFence.FindAllStringSubmatch(string(page), -1)
	if len(scenarios) != 4 || len(talks) != 5 {
		t.Fatalf("%d scenarios and %d conversations", len(scenarios), len(talks))
	}
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"account.star": scenarios[0][1], "two.star": scenarios[1][1], "cov.star": scenarios[2][1],
		"poor.star": strings.Replace(scenarios[0][1], "1, 2, 30)", "1, 2, 300)", 1),
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, talk := range talks {
		t.Run(filepath.Base(talk[1]), func(t *testing.T) {
			if strings.Contains(talk[1], "mariadb") {
				needMariadb(t)
			}
			playTalk(t, talk[1], talk[2])
		})
	}
}

func playTalk(t *testing.T, command, want string) {
	t.Helper()
	var typed strings.Builder
	for line := range strings.Lines(want) {
		if text, ok := strings.CutPrefix(line, "(rig) "); ok {
			typed.WriteString(text)
		}
	}
	var out, errs bytes.Buffer
	run(strings.Fields(command)[1:], streams{strings.NewReader(typed.String()), &out, &errs})
	if errs.Len() > 0 {
		t.Errorf("stderr: %s", errs.String())
	}
	got, page := steady(out.String()), steady(want)
	if !strings.Contains(command, "mariadb") {
		if !strings.HasPrefix(got, page) {
			t.Errorf("%s shows\n%s\nthe page has\n%s", command, got, page)
		}
		return
	}
	for line := range strings.Lines(page) {
		if !strings.Contains(got, line) {
			t.Errorf("%s does not show %q but\n%s", command, line, got)
		}
	}
}

// screenOf gives a screen that docs/debugging.md shows, by its first words.
func screenOf(t *testing.T, first string) string {
	t.Helper()
	page, err := os.ReadFile("../../docs/debugging.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, found := strings.Cut(string(page), "```text\n"+first)
	text, _, closed := strings.Cut(text, "```")
	if !found || !closed {
		t.Fatalf("docs/debugging.md shows no screen that begins with %q", first)
	}
	return first + text
}

// hasScreen compares lines that are shown with those of the page: each of the page's must be there, in their order, but for "...".
func hasScreen(t *testing.T, page, shown string) {
	t.Helper()
	rest := steady(shown)
	for line := range strings.Lines(steady(page)) {
		if line == "...\n" {
			continue
		}
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Fatalf("the page has %q, but it is not shown there:\n%s", line, shown)
		}
		rest = after
	}
}

// TestGalleryUnderProbes: the scenarios of scripts/ mean the same with every kind of probe in them.
func TestGalleryUnderProbes(t *testing.T) {
	t.Chdir(t.TempDir())
	count := regexp.MustCompile(`(?m)^\d+ tests: (\d+ passed, \d+ skipped)`)
	var results []string
	for _, flags := range [][]string{nil, {"--trace", "--cover", "c.info", "--pprof", "wall=w.pb"}} {
		var out, errs bytes.Buffer
		args := append([]string{"exec", "-j", "2", "--strict", filepath.Join(originalDir, "../../scripts")}, flags...)
		if code := run(args, streams{strings.NewReader(""), &out, &errs}); code != 0 {
			t.Fatalf("%v: exit %d\n%s", flags, code, errs.String())
		}
		m := count.FindStringSubmatch(out.String())
		if m == nil {
			t.Fatalf("%v: no counts", flags)
		}
		results = append(results, m[1])
	}
	if results[0] != results[1] {
		t.Errorf("without probes %s, with them %s", results[0], results[1])
	}
	if b, err := os.ReadFile("c.info"); err != nil || strings.Count(string(b), "end_of_record") < 20 {
		t.Errorf("the coverage has too few files: %v", err)
	}
}
