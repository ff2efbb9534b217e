package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bmatcuk/doublestar/v4"
	"go.starlark.net/starlark"
	"go.uber.org/goleak"

	"rig/builtins"
	"rig/builtins/spec"
	"rig/builtins/test"
	"rig/runtime/config"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// TestReferenceIsFresh: docs/reference.md is made from the declarations.
func TestReferenceIsFresh(t *testing.T) {
	var b strings.Builder
	writeReference(&b, modules())
	have, err := os.ReadFile("../../docs/reference.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Error("docs/reference.md is stale: run make gen")
	}
	b.Reset()
	writeStubs(&b, spec.Catalog(modules()))
	if have, err = os.ReadFile("../../docs/rig.pyi"); err != nil {
		t.Fatal(err)
	}
	if string(have) != b.String() {
		t.Error("docs/rig.pyi is stale: run make gen")
	}
}

// TestDeclarations: every built-in is documented, with types that exist and an example.
func TestDeclarations(t *testing.T) {
	types := map[string]bool{}
	for _, n := range spec.TypeNames() {
		types[n] = true
	}
	for _, m := range modules() {
		for _, typ := range m.Types {
			types[typ.Name] = true
		}
	}
	for _, extra := range []string{"struct", "time.time", "time.duration", "test", "set", "policy", "breaker", "handler", "date", "clock", "tuple", "mock_any"} {
		types[extra] = true
	}
	seen := map[string]bool{}
	check := func(owner string, f *spec.Func, needsExample bool) {
		name := qualify(owner, f.Name)
		if seen[name] {
			t.Errorf("%s is declared twice", name)
		}
		seen[name] = true
		if f.Doc == "" || !strings.HasSuffix(strings.TrimSpace(f.Doc), ".") {
			t.Errorf("%s: the doc is no sentence: %q", name, f.Doc)
		}
		if needsExample && strings.TrimSpace(f.Example) == "" {
			t.Errorf("%s has no example", name)
		}
		if f.Impl == nil && f.Raw == nil {
			t.Errorf("%s has no implementation", name)
		}
		for _, p := range f.Params {
			if p.Doc == "" {
				t.Errorf("%s: parameter %s has no doc", name, p.Name)
			}
			if !slices.Contains([]string{"", "isolation", "consistency", "anomaly level", "capability"}, p.Form) || p.Name == "isolation" && p.Form != "isolation" {
				t.Errorf("%s: parameter %s has the form %q, which no rule of lint knows", name, p.Name, p.Form)
			}
			for typ := range strings.SplitSeq(p.Type, "|") {
				if !types[typ] {
					t.Errorf("%s: parameter %s has the unknown type %q", name, p.Name, typ)
				}
			}
		}
		for typ := range strings.SplitSeq(f.Returns+"|"+f.Elem, "|") {
			if typ != "" && !types[typ] {
				t.Errorf("%s returns the unknown type %q", name, typ)
			}
		}
	}
	done := map[*spec.Type]bool{}
	for _, m := range modules() {
		if m.Doc == "" {
			t.Errorf("module %q has no doc", m.Name)
		}
		for _, c := range m.Constants {
			if c.Doc == "" || c.Type == "" {
				t.Errorf("%s.%s has no doc or no type", m.Name, c.Name)
			}
		}
		for _, f := range m.Funcs {
			check(m.Name, f, true)
		}
		for _, typ := range m.Types {
			if done[typ] {
				continue
			}
			done[typ] = true
			if typ.Doc == "" {
				t.Errorf("type %s has no doc", typ.Name)
			}
			for _, a := range typ.Attrs {
				if a.Doc == "" || a.Get == nil {
					t.Errorf("%s.%s has no doc or no value", typ.Name, a.Name)
				}
			}
			for _, f := range typ.Methods {
				check(typ.Name, f, false)
			}
		}
	}
	if len(seen) < 80 {
		t.Errorf("only %d built-ins are declared", len(seen))
	}
}

// sample is a piece of Starlark that is shown somewhere.
type sample struct{ where, code string }

// inTest makes a file of statements that run inside a test.
func (s sample) inTest() string {
	return "def test_sample(t):\n    " + strings.ReplaceAll(strings.TrimSpace(s.code), "\n", "\n    ") + "\n    pass\n"
}

func exampleSamples() []sample {
	var out []sample
	done := map[*spec.Type]bool{}
	for _, m := range modules() {
		for _, f := range m.Funcs {
			out = append(out, sample{qualify(m.Name, f.Name), f.Example})
		}
		for _, typ := range m.Types {
			if done[typ] {
				continue
			}
			done[typ] = true
			out = append(out, sample{"type " + typ.Name, typ.Example})
			for _, f := range typ.Methods {
				out = append(out, sample{typ.Name + "." + f.Name, f.Example})
			}
		}
	}
	return out
}

var fence = regexp.MustCompile("(?ms)^```python\n(.*?)^```")

// docSamples are the fenced Starlark pieces of the README and of the hand-written docs.
func docSamples(t *testing.T) []sample {
	t.Helper()
	files, err := doublestar.FilepathGlob("../../docs/**/*.md")
	if err != nil {
		t.Fatal(err)
	}
	var out []sample
	for _, path := range append(files, "../../README.md") {
		if filepath.Base(path) == "reference.md" {
			continue // its samples are the declarations' examples
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for i, m := range fence.FindAllStringSubmatch(string(b), -1) {
			out = append(out, sample{fmt.Sprintf("%s #%d", filepath.Base(path), i+1), m[1]})
		}
	}
	return out
}

// verdicts folds the ends of tests.
type verdicts struct {
	passed, skipped int
	failed          []string
}

func (v *verdicts) Name() string { return "verdicts" }
func (v *verdicts) Event(e *event.Event) error {
	switch d := e.Data.(type) {
	case *event.TestEnd:
		switch d.Outcome {
		case event.OK:
			v.passed++
		case event.Skipped:
			v.skipped++
		default:
			v.failed = append(v.failed, fmt.Sprintf("%s: %s %s", e.Test, d.Errors[0].Message, d.Errors[0].Pos))
		}
	case *event.FileLoad:
		if d.Error != nil {
			v.failed = append(v.failed, fmt.Sprintf("%s: %s", d.File, d.Error.Message))
		}
	}
	return nil
}
func (v *verdicts) Flush() error { return nil }
func (v *verdicts) Close() error { return nil }

// runSamples runs each sample as a file of its own on one server.
func runSamples(t *testing.T, target string, samples []sample) *verdicts {
	t.Helper()
	dir := t.TempDir()
	var files []string
	for i, s := range samples {
		code := s.code
		if !strings.Contains(code, "def test_") {
			code = s.inTest()
		}
		path := filepath.Join(dir, fmt.Sprintf("%03d_%s.star", i, strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '_' {
				return r
			}
			return '_'
		}, strings.ToLower(s.where))))
		if err := os.WriteFile(path, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		files = append(files, path)
	}
	v := &verdicts{}
	bus := event.NewBus(time.Now(), nil, v)
	reg := scenario.NewRegistry()
	cfg, err := config.Load(config.Source{Dir: dir, Flags: map[string]string{"target": target}})
	if err != nil {
		t.Fatal(err)
	}
	params := newParamSet(cfg, nil)
	host := newHost(hostOptions{root: dir, registry: reg, params: params, builtins: builtins.Options{}, print: func(*script.Thread, event.Pos, string) {}})
	servers := newTargets(cfg, bus, "")
	plan := scenario.Discover(context.Background(), host, reg, bus, files)
	err = scenario.Run(context.Background(), scenario.Options{
		ID: newRunID(time.Now()), Bus: bus, Host: host, Targets: servers, Jobs: 2, TestTimeout: time.Minute,
		NewValue: func(x *scenario.Test) starlark.Value {
			file, _, _ := strings.Cut(x.ID(), "::")
			return test.Value(x, params.of(file, nil))
		},
	}, plan.Items)
	servers.close()
	bus.Close()
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestExamplesRun runs the example of every built-in and every sample of the docs.
func TestExamplesRun(t *testing.T) {
	samples := append(exampleSamples(), docSamples(t)...)
	for _, target := range []string{"embedded", "mariadb"} {
		t.Run(target, func(t *testing.T) {
			if target == "mariadb" {
				needMariadb(t)
			}
			defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
			v := runSamples(t, target, samples)
			for _, f := range v.failed {
				t.Error(f)
			}
			if v.passed < len(samples)*3/4 {
				t.Errorf("%d of %d samples passed, %d were skipped", v.passed, len(samples), v.skipped)
			}
		})
	}
}

// TestGallery runs every scenario of scripts/ and of its subfolders on both servers; on MariaDB none may be skipped.
func TestGallery(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, target := range []string{"embedded", "mariadb"} {
		t.Run(target, func(t *testing.T) {
			if target == "mariadb" {
				needMariadb(t)
			}
			var out, errs bytes.Buffer
			args := []string{"exec", "-t", target, "-j", "2", "--strict", filepath.Join(originalDir, "../../scripts")}
			if code := run(args, streams{strings.NewReader(""), &out, &errs}); code != 0 {
				t.Fatalf("exit %d\n%s%s", code, out.String(), errs.String())
			}
			if target == "mariadb" && strings.Contains(out.String(), "SKIP") {
				t.Errorf("skipped on MariaDB:\n%s", out.String())
			}
			for _, want := range []string{"quickstart.star::test_rows_are_there", "suites/txn/basics.star::test_commit_keeps"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("%s did not run:\n%s", want, out.String())
				}
			}
		})
	}
}

// TestSuitesAreDescribed: each file of scripts/suites and each test in it says in one line what it is about; no suite is small.
func TestSuitesAreDescribed(t *testing.T) {
	tests := regexp.MustCompile(`(?m)^def (test_\w+)\(t\):\n(.*)$`)
	for _, suite := range []string{"ddl", "txn", "scale", "import"} {
		files, err := filepath.Glob("../../scripts/suites/" + suite + "/*.star")
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for _, path := range files {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(b, []byte(`"""`)) {
				t.Errorf("%s does not begin with its description", path)
			}
			for _, m := range tests.FindAllStringSubmatch(string(b), -1) {
				count++
				if doc := strings.TrimSpace(m[2]); !strings.HasPrefix(doc, `"""`) || !strings.HasSuffix(doc, `."""`) {
					t.Errorf("%s: %s has no description of one line: %s", path, m[1], doc)
				}
			}
			if n := bytes.Count(b, []byte("\ndef test_")); n != len(tests.FindAll(b, -1)) {
				t.Errorf("%s: not all of %d tests were read", path, n)
			}
		}
		if count < 16 {
			t.Errorf("the suite %s has only %d tests", suite, count)
		}
	}
}

// TestHistoriesAreDescribed: each file of scripts/histories and each test in it says what it is about.
func TestHistoriesAreDescribed(t *testing.T) {
	tests := regexp.MustCompile(`(?m)^def test_\w+\(t\):\n    (.*)$`)
	files, err := filepath.Glob("../../scripts/histories/*.star")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.HasPrefix(b, []byte(`"""`)) {
			t.Errorf("%s does not begin with its description", path)
		}
		for _, m := range tests.FindAllSubmatch(b, -1) {
			count++
			if !bytes.HasPrefix(m[1], []byte(`"""`)) {
				t.Errorf("%s: a test without description: %s", path, m[0])
			}
		}
	}
	if count < 20 {
		t.Errorf("only %d tests", count)
	}
}

// originalDir is the package's folder.
var originalDir, _ = os.Getwd()

// TestREADMECommands runs each command of the README's shell blocks, word for word but for the two that this test is part of.
func TestREADMECommands(t *testing.T) {
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	shell := regexp.MustCompile("(?ms)^```sh\n(.*?)^```")
	var commands []string
	for _, m := range shell.FindAllStringSubmatch(string(b), -1) {
		commands = append(commands, strings.Split(strings.TrimSpace(m[1]), "\n")...)
	}
	if len(commands) < 3 {
		t.Fatalf("the README has %d commands", len(commands))
	}
	ran := 0
	for _, c := range commands {
		if c == "make test" {
			continue // this test is part of it
		}
		if strings.Contains(c, "mariadb") {
			needMariadb(t)
		}
		if here := "mysql://tester@127.0.0.1:3306/"; strings.Contains(c, here) { // the reader's server; here a server of the tests
			needMariadb(t)
			url, err := shared.url("root")
			if err != nil {
				t.Fatal(err)
			}
			c = strings.ReplaceAll(c, here, url)
		}
		ran++
		runShell(t, "../..", c)
	}
	if ran < 3 {
		t.Errorf("%d commands ran", ran)
	}
}

// TestREADMEPicture runs the README's first script: it fails as the picture shows, and passes with the change that the README
// names.
func TestREADMEPicture(t *testing.T) {
	needMariadb(t)
	b, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?ms)^```\n(def setup.*?)^```").FindSubmatch(b)
	if m == nil {
		t.Fatal("the README has no first script")
	}
	t.Chdir(t.TempDir())
	script := string(m[1])
	mended := strings.Replace(script, `SET balance = ? WHERE id = 1", balance - amount`, `SET balance = balance - ? WHERE id = 1", amount`, 1)
	for _, x := range []struct {
		script, want string
		code         int
	}{{script, "account.star:13:14: expect.eq: got 90, want 80", 1}, {mended, "1 test: 1 passed", 0}} {
		if err := os.WriteFile("account.star", []byte(x.script), 0o600); err != nil {
			t.Fatal(err)
		}
		var out, errs bytes.Buffer
		code := run([]string{"exec", "-t", "mariadb", "account.star"}, streams{strings.NewReader(""), &out, &errs})
		if code != x.code || !strings.Contains(out.String(), x.want) {
			t.Errorf("exit %d, want %d with %q\n%s%s", code, x.code, x.want, out.String(), errs.String())
		}
	}
}
