package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"rig/runtime/dap"
)

const extensionDir = "../../editors/vscode"

// manifest is what the tests look at of package.json.
type manifest struct {
	Main         string
	Dependencies map[string]string
	Contributes  struct {
		Languages     []struct{ ID, Configuration string }
		Grammars      []struct{ Language, ScopeName, Path string }
		Configuration struct {
			Properties map[string]struct{ Default any }
		}
		Commands  []struct{ Command string }
		Debuggers []struct {
			Type                    string
			Languages               []string
			ConfigurationAttributes map[string]struct {
				Required   []string
				Properties map[string]any
			}
			InitialConfigurations []map[string]any
		}
	}
}

func readJSON(t *testing.T, name string, into any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(extensionDir, name))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

// TestVSCodeManifest: what package.json names exists, and it says of settings, commands and launches what the code and rig have.
func TestVSCodeManifest(t *testing.T) {
	var m manifest
	readJSON(t, "package.json", &m)
	code, err := os.ReadFile(filepath.Join(extensionDir, m.Main))
	if err != nil {
		t.Fatal(err)
	}
	var lock struct {
		Packages map[string]struct{ Version string }
	}
	readJSON(t, "package-lock.json", &lock)
	for name, version := range m.Dependencies {
		if got := lock.Packages["node_modules/"+name].Version; got != version {
			t.Errorf("%s: the lock file has %q, package.json %q", name, got, version)
		}
	}
	for _, l := range m.Contributes.Languages {
		var any map[string]any
		readJSON(t, l.Configuration, &any)
	}
	for _, g := range m.Contributes.Grammars {
		var grammar struct{ ScopeName string }
		readJSON(t, g.Path, &grammar)
		if grammar.ScopeName != g.ScopeName || g.Language != m.Contributes.Languages[0].ID {
			t.Errorf("the grammar is of %s, not of %+v", grammar.ScopeName, g)
		}
	}
	sameNames(t, "settings", names(code, `setting\("(\w+)"\)`, "rig."), keys(m.Contributes.Configuration.Properties))
	var commands []string
	for _, c := range m.Contributes.Commands {
		commands = append(commands, c.Command)
	}
	sameNames(t, "commands", names(code, `registerCommand\("([\w.]+)"`, ""), commands)
	d := m.Contributes.Debuggers[0]
	sameNames(t, "debuggers", names(code, `registerDebugAdapterDescriptorFactory\("(\w+)"`, ""), []string{d.Type})
	sameNames(t, "arguments of launch", launchNames(), keys(d.ConfigurationAttributes["launch"].Properties))
	for name := range d.InitialConfigurations[0] {
		_, known := d.ConfigurationAttributes["launch"].Properties[name]
		if !known && !slices.Contains([]string{"type", "request", "name"}, name) {
			t.Errorf("the first configuration has %q", name)
		}
	}
}

// launchNames are the arguments that rig dap takes, without the one that VS Code sets itself.
func launchNames() []string {
	var out []string
	l := reflect.TypeFor[dap.Launch]()
	for i := range l.NumField() {
		if name := l.Field(i).Tag.Get("json"); name != "noDebug" {
			out = append(out, name)
		}
	}
	return out
}

func names(code []byte, pattern, prefix string) []string {
	var out []string
	for _, m := range regexp.MustCompile(pattern).FindAllSubmatch(code, -1) {
		out = append(out, prefix+string(m[1]))
	}
	return out
}

func keys[V any](m map[string]V) []string {
	var out []string
	for k := range m {
		out = append(out, k)
	}
	return out
}

func sameNames(t *testing.T, what string, a, b []string) {
	t.Helper()
	for _, list := range []*[]string{&a, &b} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	if !slices.Equal(a, b) || len(a) == 0 {
		t.Errorf("%s: the code has %q, package.json %q", what, a, b)
	}
}

// extended runs the extension in node with a VS Code that only writes down what it is told.
func extended(t *testing.T, settings string) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no node on this machine (apt-get install nodejs)")
	}
	out, err := exec.Command(node, "testdata/vscode/fake.js", filepath.Join(extensionDir, "extension.js"), settings).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

func told(t *testing.T, got string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(got, w+"\n") {
			t.Errorf("no %s in\n%s", w, got)
		}
	}
}

// TestVSCodeExtension: what the extension asks of VS Code. VS Code itself is not there.
func TestVSCodeExtension(t *testing.T) {
	got := extended(t, `{"path": "~/bin/rig", "target": "staging", "offline": true, "folder": "/p"}`)
	rig := filepath.Join(os.Getenv("HOME"), "bin/rig")
	told(t, got,
		`["server",{"command":"`+rig+`","args":["lsp","--target","staging","--offline"]},[{"language":"starlark","scheme":"file"}]]`,
		`["task",{"command":"`+rig+`","args":["exec","/p/a b.star::test_x"],"options":{"cwd":"/p"}},{"type":"rig","test":"test_x"}]`,
		`["debug",{"type":"rig","request":"launch","name":"test_x","program":"/p/a b.star::test_x"}]`,
		`["forwarded","other",[1]]`,
		`["descriptor",{"command":"`+rig+`","args":["dap"]}]`,
		`["resolved",{"type":"rig","request":"launch","name":"this file","program":"${file}","cwd":"/p"}]`,
		`["resolved",{"type":"rig","program":"b.star"}]`,
		`["subscriptions",3]`,
	)
	if strings.Count(got, `["started"]`) != 2 || strings.Count(got, `["stopped"]`) != 2 || strings.Contains(got, `["error"`) {
		t.Errorf("started, restarted, left:\n%s", got)
	}
	// The command line that it makes is one that rig has.
	if help, err := exec.Command("rig", "lsp", "--target", "staging", "--offline", "--help").CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, help)
	}
}

// TestVSCodeWithoutRig: an executable that is not there is told with what to do.
func TestVSCodeWithoutRig(t *testing.T) {
	got := extended(t, `{"broken": true}`)
	told(t, got,
		`["error","rig: rig lsp does not start: spawn ENOENT. The setting rig.path names the executable."]`,
		`["task",{"command":"rig","args":["exec","/p/a b.star::test_x"],"options":{"cwd":"/p"}},{"type":"rig","test":"test_x"}]`,
	)
	if strings.Contains(got, `["stopped"]`) {
		t.Errorf("what never ran was stopped:\n%s", got)
	}
}
