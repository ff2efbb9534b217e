package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// tree writes files below a new folder and gives the folder.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func load(t *testing.T, s Source) *Config {
	t.Helper()
	c, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestDefaults(t *testing.T) {
	dir := t.TempDir()
	c := load(t, Source{Dir: dir})
	if c.Root() != dir {
		t.Errorf("root %s, want %s", c.Root(), dir)
	}
	for _, k := range Keys() {
		v := c.Get(k.Name)
		if v.Text != k.Default || v.Origin.String() != "default" || v.Origin.Layer != "default" {
			t.Errorf("%s = %q from %q, want the default %q", k.Name, v.Text, v.Origin, k.Default)
		}
		if k.Default == "" {
			continue
		}
		if _, p := k.value([]string{k.Default}, Origin{}); p != nil {
			t.Errorf("the default of %s is refused: %v", k.Name, p)
		}
	}
	if got := c.Duration("statement-timeout"); got != 30*time.Second {
		t.Errorf("statement-timeout %v", got)
	}
	if got := c.Int("max-bytes"); got != 16<<20 {
		t.Errorf("max-bytes %d", got)
	}
	if c.Bool("strict") || c.List("tags") != nil || c.Int("seed") != 0 || c.String("target") != "embedded" {
		t.Error("a default is wrong")
	}
}

// TestLayers takes one layer after the other away, the strongest first.
func TestLayers(t *testing.T) {
	const profiles = "\n[profiles.ci]\ntest-timeout = \"3m\"\nreport = \"profile\"\n[profiles.ci.params]\ntest_rows = 3\n"
	dir := tree(t, map[string]string{
		"rig.toml":     "# c\ntest-timeout = \"6m\"\nreport = [\"near\", \"a,b\"]\nparams.test_rows = 6" + profiles,
		"one.toml":     "  test-timeout = \"4m\"\nreport = \"one\"\nparams.test-rows = 4\n",
		"two.json":     "{\"test-timeout\": 300,\n\"report\": [\"two\"], \"params\": {\"test_rows\": 5}}",
		"sub/x.star":   "",
		"sub/rig.d/rc": "",
	})
	one, two := filepath.Join(dir, "one.toml"), filepath.Join(dir, "two.json")
	flags := map[string]string{"test-timeout": "1m", "report": "flag\x00a,b"}
	env := []string{"RIG_TEST_TIMEOUT=2m", "RIG_REPORT=env, junit:out.xml", "RIG_PARAM_TEST_ROWS=2", "RIG_TEST_TIMEOUT=9m"}
	tests := []struct {
		name            string
		source          Source
		timeout         time.Duration
		origin, layer   string
		report          []string
		rows, rowOrigin string
	}{
		{
			"flag",
			Source{Dir: dir, Files: []string{one, two}, Profile: "ci", Env: env, Flags: flags},
			time.Minute, "--test-timeout", "flag",
			[]string{"flag", "a,b"},
			"2", "RIG_PARAM_TEST_ROWS",
		},
		{
			"env",
			Source{Dir: dir, Files: []string{one, two}, Profile: "ci", Env: env},
			2 * time.Minute, "RIG_TEST_TIMEOUT", "env",
			[]string{"env", "junit:out.xml"},
			"2", "RIG_PARAM_TEST_ROWS",
		},
		{
			"profile",
			Source{Dir: dir, Files: []string{one, two}, Profile: "ci"},
			3 * time.Minute, "rig.toml:6:1", "profile",
			[]string{"profile"},
			"3", "rig.toml:9:1",
		},
		{
			"first file",
			Source{Dir: dir, Files: []string{one, two}},
			4 * time.Minute, one + ":1:3", "file",
			[]string{"one"},
			"4", one + ":3:8",
		},
		{
			"second file, integer of seconds",
			Source{Dir: dir, Files: []string{two, one}},
			5 * time.Minute, two + ":1:2", "file",
			[]string{"two"},
			"5", two + ":2:31",
		},
		{
			"nearest file",
			Source{Dir: dir, Env: []string{"RIG_TEST_TIMEOUT="}},
			6 * time.Minute, "rig.toml:2:1", "file",
			[]string{"near", "a,b"},
			"6", "rig.toml:4:8",
		},
		{
			"file above",
			Source{Dir: filepath.Join(dir, "sub", "rig.d")},
			6 * time.Minute, "../../rig.toml:2:1", "file",
			[]string{"near", "a,b"},
			"6", "../../rig.toml:4:8",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := load(t, tt.source)
			v := c.Get("test-timeout")
			if got := c.Duration("test-timeout"); got != tt.timeout || v.Origin.String() != tt.origin || v.Origin.Layer != tt.layer {
				t.Errorf("test-timeout = %v from %+v, want %v from %s", got, v.Origin, tt.timeout, tt.origin)
			}
			if got := c.List("report"); !slices.Equal(got, tt.report) {
				t.Errorf("report = %q, want %q", got, tt.report)
			}
			p, ok := c.Param("test_rows")
			if !ok || p.Text != tt.rows || p.Origin.String() != tt.rowOrigin || p.Name != "test_rows" {
				t.Errorf("test_rows = %v, %t, want %s from %s", p, ok, tt.rows, tt.rowOrigin)
			}
			if c.Root() != dir {
				t.Errorf("root %s, want %s", c.Root(), dir)
			}
		})
	}
}

func TestParams(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": `
[params]
count = 0x1_0
ratio = 1_0.5
on = true
list = ["a", 2, false]
testRows = 1
[profiles.ci.params]
only-ci = "x"
`})
	c := load(t, Source{Dir: dir, Profile: "ci", Env: []string{"RIG_PARAM_EMPTY=", "RIG_PARAM_TESTROWS=7", "RIG_PARAM_=1"}})
	want := []string{"count", "empty", "list", "on", "only_ci", "ratio", "testRows"}
	if got := c.ParamNames(); !slices.Equal(got, want) {
		t.Errorf("names %q, want %q", got, want)
	}
	for name, text := range map[string]string{"count": "16", "ratio": "10.5", "on": "true", "list": "a, 2, false", "empty": "", "testRows": "7"} {
		if v, ok := c.Param(name); !ok || v.Text != text {
			t.Errorf("%s = %q, %t, want %q", name, v.Text, ok, text)
		}
	}
	if v, _ := c.Param("list"); !slices.Equal(v.List, []string{"a", "2", "false"}) {
		t.Errorf("list = %q", v.List)
	}
	if _, ok := c.Param("other"); ok {
		t.Error("a parameter that nobody sets is there")
	}
	if _, ok := load(t, Source{Dir: dir}).Param("only_ci"); ok {
		t.Error("the parameter of a profile that was not chosen is there")
	}
}

// TestLoadErrors has something wrong in one layer after the other.
func TestLoadErrors(t *testing.T) {
	dir := tree(t, map[string]string{
		"rig.toml": "jobs = 1\n[profiles.nightly]\n[profiles.ci]\n", "bad.toml": "jbos = 1\n", "broken.toml": "jobs = \n",
		"large.toml": "#" + strings.Repeat("x", maxFile), "latin.toml": "jobs = 1\ntags = \"gr\xfc\xdf\"\n",
	})
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	at := func(name string) []string { return []string{filepath.Join(dir, name)} }
	tests := []struct {
		name   string
		source Source
		want   []string
	}{
		{"no file", Source{Files: at("none.toml")}, []string{"none.toml: read the configuration: no such file"}},
		{"folder", Source{Files: []string{dir}}, []string{"it is a folder, not a configuration file\nname the file in it"}},
		{"pipe", Source{Files: []string{pipe}}, []string{"pipe: it is not a regular file"}},
		{"large", Source{Files: at("large.toml")}, []string{"large.toml: the file is larger than 1 MiB"}},
		{"not UTF-8", Source{Files: at("latin.toml")}, []string{"latin.toml:2:11: the file is not UTF-8"}},
		{"two files", Source{Files: append(at("bad.toml"), at("broken.toml")...)}, []string{"bad.toml:1:1: unknown key \"jbos\"", "broken.toml:1:8: expected a value"}},
		{"profile", Source{Profile: "nightli"}, []string{"--profile: there is no profile \"nightli\"\ndid you mean \"nightly\"?"}},
		{"profile far off", Source{Profile: "zzz"}, []string{"the profiles are ci, nightly"}},
		{"flag", Source{Flags: map[string]string{"jobs": "x", "color": ""}}, []string{"--jobs: jobs takes an integer, not \"x\"", "--color: color is empty"}},
		{"unknown flag", Source{Flags: map[string]string{"jbos": "1"}}, []string{"--jbos: there is no setting of this name\ndid you mean \"jobs\"?"}},
		{"env", Source{Env: []string{"RIG_STRICT=maybe", "RIG_TEST_TIMEOUT=5x"}}, []string{"RIG_STRICT: strict must be true or false, not \"maybe\"", "RIG_TEST_TIMEOUT: test-timeout has a bad duration \"5x\""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.source.Dir = dir
			c, err := Load(tt.source)
			var e *Error
			if !errors.As(err, &e) || c != nil {
				t.Fatalf("got %v, %v", c, err)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error is\n%v\nwant in it\n%s", err, want)
				}
			}
			if len(e.Problems) != len(tt.want) {
				t.Errorf("%d problems, want %d", len(e.Problems), len(tt.want))
			}
			if r := e.Report(); r.Message == "" || r.Kind != "bad_argument" {
				t.Errorf("report %+v", r)
			}
		})
	}
}

func TestNoProfiles(t *testing.T) {
	_, err := Load(Source{Dir: t.TempDir(), Profile: "ci"})
	if err == nil || !strings.Contains(err.Error(), "write [profiles.ci] into rig.toml") {
		t.Errorf("got %v", err)
	}
}

func TestReport(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": "tset-timeout = 1\n"})
	_, err := Load(Source{Dir: dir})
	var e *Error
	if !errors.As(err, &e) {
		t.Fatal(err)
	}
	r := e.Report()
	if r.Message != `unknown key "tset-timeout"` || r.Hint != `did you mean "test-timeout"?` || r.Pos.String() != "rig.toml:1:1" || !strings.Contains(r.Excerpt, "^^^^^^^^^^^^") {
		t.Errorf("report %+v", r)
	}
	var p *Problem
	if !errors.As(err, &p) || p.Pos.Line != 1 {
		t.Errorf("the problem is not in the chain of %v", err)
	}
}

func TestFileIsReadOnce(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": "jbos = 1\n"})
	_, err := Load(Source{Dir: dir, Files: []string{filepath.Join(dir, ".", "rig.toml")}})
	var e *Error
	if !errors.As(err, &e) || len(e.Problems) != 1 {
		t.Errorf("got %v", err)
	}
}

func TestByteOrderMark(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": "\ufeffjobs = 3\n"})
	if c := load(t, Source{Dir: dir}); c.Int("jobs") != 3 || c.Get("jobs").Origin.Where != "rig.toml:1:1" {
		t.Errorf("got %v", c.Get("jobs"))
	}
}

func TestUnknownNamePanics(t *testing.T) {
	c := load(t, Source{Dir: t.TempDir()})
	for name, call := range map[string]func(){
		"unknown":   func() { c.Get("tset-timeout") },
		"wrong one": func() { c.Int("target") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

func TestAll(t *testing.T) {
	dir := tree(t, map[string]string{"rig.toml": "[params]\nrows = 1\n[targets.b]\nkind = \"mariadb\"\n[targets.a]\nhost = \"db\"\n"})
	var names []string
	for _, v := range load(t, Source{Dir: dir}).All() {
		names = append(names, v.Name)
	}
	want := append(keyNames(), "params.rows", "targets.a", "targets.b")
	if !slices.Equal(names, want) {
		t.Errorf("names %q, want %q", names, want)
	}
}

// TestLargeFile is about time: a file of the largest size, with a problem in every line, is read in seconds.
func TestLargeFile(t *testing.T) {
	var toml, json strings.Builder
	toml.WriteString("[params]\n")
	json.WriteString(`{"params": {"x": 1`)
	for i := 0; json.Len() < maxFile-100; i++ {
		fmt.Fprintf(&toml, "key-%d = {}\n", i)
		fmt.Fprintf(&json, `,"key-%d":{}`, i)
	}
	json.WriteString("}}")
	start := time.Now()
	for name, data := range map[string]string{"a.toml": toml.String(), "a.json": json.String()} {
		f := &file{name: name, json: strings.HasSuffix(name, "json")}
		f.parse([]byte(data))
		if !slices.ContainsFunc(f.problems, func(p *Problem) bool { return strings.Contains(p.Message, "more than 10000 keys") }) {
			t.Errorf("%s: the keys are not bounded", name)
		}
	}
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}
