package main

import (
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// floors is the floor plan: a package imports only from lower floors, and packages of one floor do not import each other.
// The longest matching prefix counts.
var floors = []struct {
	prefix string
	floor  int
	why    string
}{
	{"rig/cmd/rig", 70, "the command line wires everything and is imported by nobody"},
	{"rig/builtins", 60, "the list of script modules"},
	{"rig/stdlib", 60, "the embedded library is data"},
	{"rig/scripts/anomalies", 60, "the gallery of anomalies is data"},
	{"rig/builtins/", 50, "script faces of the engines; they never import each other"},
	{"rig/builtins/value", 45, "faces that several modules share"},
	{"rig/builtins/spec", 40, "declarations, below everything that declares"},
	{"rig/runtime/scenario", 30, "the conductor knows scripts and engines, but no built-in"},
	{"rig/runtime/lint", 30, "rules about scripts, told what built-ins there are as data of runtime/catalog"},
	{"rig/runtime/lsp", 35, "answers editors with what lint, format and source say"},
	{"rig/runtime/source", 25, "reads scripts for tools with the parser of runtime/script; lint and the language server stand on it"},
	{"rig/runtime/trace", 30, "it follows the Starlark host"},
	{"rig/runtime/profile", 30, "it follows the Starlark host"},
	{"rig/runtime/debug", 30, "the debugger follows the Starlark host"},
	{"rig/runtime/prompt", 35, "a face of the debugger"},
	{"rig/runtime/repl", 36, "a conversation, over the debugger's readers"},
	{"rig/runtime/dap", 35, "a face of the debugger"},
	{"rig/runtime/format", 30, "works on the trees of runtime/script and knows no built-in"},
	{"rig/runtime/script", 20, "the Starlark host knows no database"},
	{"rig/runtime/report", 20, "sinks fold the stream and know nothing else"},
	{"rig/runtime/telemetry", 20, "exporters are sinks, and fold numbers with runtime/metric"},
	{"rig/runtime/", 10, "engines in plain Go, each usable alone"},
	{"rig/runtime/verdict", 15, "chooses the checker of a model, above the checkers"},
	{"rig/runtime/history", 5, "what clients saw: the vocabulary of the checkers, which are engines above it"},
	{"rig/runtime/history/record", 6, "makes a history of what happens, below whoever makes it happen"},
	{"rig/runtime/history/simstore", 6, "makes histories for the tests of the checkers and the bench"},
	{"rig/runtime/wait", 5, "how a server says that a session waits: sessions and schedules share it"},
	{"rig/runtime/event", 0, "vocabulary"},
	{"rig/runtime/fault", 0, "vocabulary"},
	{"rig/runtime/clock", 2, "bounds that stand still while a debugger holds a script"},
}

// doors says behind which packages a third-party module stays.
var doors = []struct {
	module string
	rooms  []string
	why    string
}{
	{"go.starlark.net", []string{"rig/runtime/script", "rig/runtime/repl", "rig/runtime/debug", "rig/runtime/trace", "rig/runtime/profile", "rig/runtime/source", "rig/runtime/lint", "rig/runtime/format", "rig/runtime/lsp", "rig/runtime/scenario", "rig/builtins", "rig/cmd/rig"}, "engines are tested without an interpreter"},
	{"github.com/go-sql-driver/mysql", []string{"rig/runtime/session", "rig/runtime/server", "rig/runtime/fault"}, "one place speaks to the driver"},
	{"github.com/dolthub", []string{"rig/runtime/server"}, "the embedded engine is one kind of server"},
	{"github.com/alecthomas/kong", []string{"rig/cmd/rig"}, "the grammar is the command's"},
	{"github.com/lmittmann/tint", []string{"rig/cmd/rig"}, "only the command prints logs"},
	{"github.com/avast/retry-go", []string{"rig/runtime/resilience"}, "one retry mechanism"},
	{"github.com/HdrHistogram", []string{"rig/runtime/metric"}, "quantiles come from one place"},
	{"github.com/prometheus", []string{"rig/runtime/telemetry"}, "exporters are sinks in a room of their own"},
	{"go.opentelemetry.io", []string{"rig/runtime/telemetry"}, "exporters are sinks in a room of their own"},
	{"github.com/sony/gobreaker", []string{"rig/runtime/resilience"}, "one circuit breaker"},
	{"github.com/anishathalye/porcupine", []string{"rig/runtime/linear"}, "one search for linear orders"},
	{"github.com/brianvoe/gofakeit", []string{"rig/runtime/data"}, "what a seed gives is decided in one place"},
	{"github.com/google/pprof", []string{"rig/runtime/profile"}, "one writer of profiles"},
	{"github.com/google/go-dap", []string{"rig/runtime/dap"}, "one server of the protocol"},
	{"github.com/creachadair/jrpc2", []string{"rig/runtime/lsp"}, "one place speaks JSON-RPC"},
	{"github.com/bazelbuild/buildtools", []string{"rig/runtime/format"}, "its parser knows another language than the interpreter's: every use is checked there"},
	{"github.com/jedib0t/go-pretty", []string{"rig/runtime/repl"}, "tables for people come from one place"},
	{"github.com/reeflective/readline", []string{"rig/runtime/repl"}, "one line editor"},
	{"github.com/fsnotify/fsnotify", []string{"rig/runtime/notice"}, "one place hears of changed files"},
	{"github.com/pelletier/go-toml", []string{"rig/runtime/config"}, "one reader of settings"},
}

func floorOf(pkg string) (int, bool) {
	best, floor := -1, 0
	for _, f := range floors {
		if (pkg == f.prefix || strings.HasPrefix(pkg, f.prefix) && strings.HasSuffix(f.prefix, "/")) && len(f.prefix) > best {
			best, floor = len(f.prefix), f.floor
		}
	}
	return floor, best >= 0
}

// packages gives the imports and the package comment of every package that is shipped; tests are not looked at.
func packages(t *testing.T) (imports map[string][]string, docs map[string]string) {
	t.Helper()
	t.Chdir("../..")
	imports, docs = map[string][]string{}, map[string]string{}
	for _, root := range []string{"cmd", "runtime", "builtins", "stdlib", "scripts"} {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly|parser.ParseComments)
			if err != nil {
				return err
			}
			pkg := "rig/" + filepath.ToSlash(filepath.Dir(path))
			imports[pkg] = append(imports[pkg], "")
			for _, i := range f.Imports {
				imports[pkg] = append(imports[pkg], strings.Trim(i.Path.Value, `"`))
			}
			if f.Doc != nil {
				docs[pkg] += f.Doc.Text()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(imports) < 20 {
		t.Fatalf("only %d packages found", len(imports))
	}
	return imports, docs
}

func TestFloorPlan(t *testing.T) {
	all, _ := packages(t)
	for pkg, imports := range all {
		own, ok := floorOf(pkg)
		if !ok {
			t.Errorf("%s has no floor", pkg)
		}
		for _, i := range imports {
			if !strings.HasPrefix(i, "rig/") || i == pkg {
				continue
			}
			if floor, _ := floorOf(i); floor >= own {
				t.Errorf("%s (floor %d) imports %s (floor %d): imports go down", pkg, own, i, floor)
			}
		}
	}
}

func TestDoors(t *testing.T) {
	all, _ := packages(t)
	for pkg, imports := range all {
		for _, d := range doors {
			inside := slices.ContainsFunc(d.rooms, func(r string) bool { return pkg == r || strings.HasPrefix(pkg, r+"/") })
			for _, i := range imports {
				if !inside && (i == d.module || strings.HasPrefix(i, d.module+"/")) {
					t.Errorf("%s imports %s: %s", pkg, i, d.why)
				}
			}
		}
	}
}

func TestPackageComments(t *testing.T) {
	all, docs := packages(t)
	for pkg := range all {
		doc := docs[pkg]
		if doc == "" {
			t.Errorf("%s has no package comment", pkg)
			continue
		}
		first := doc
		if i := strings.IndexAny(first, ".:"); i > 0 {
			first = first[:i]
		}
		if slices.Contains(strings.Fields(first), "and") {
			t.Errorf("%s: the first sentence is one job and has no \"and\": %s", pkg, first)
		}
		if strings.Count(doc, "Package "+filepath.Base(pkg)+" ")+strings.Count(doc, "Command "+filepath.Base(pkg)+" ") != 1 {
			t.Errorf("%s: the comment names the package once: %q", pkg, first)
		}
	}
}

// TestModuleIsTidy: go.mod has what the tree imports, and nothing else.
func TestModuleIsTidy(t *testing.T) {
	t.Chdir("../..")
	cmd := exec.Command("go", "mod", "tidy", "-diff")
	cmd.Env = append(os.Environ(), "HOME="+homeOfGo)
	out, err := cmd.CombinedOutput()
	if err != nil && (strings.Contains(string(out), "dial tcp") || strings.Contains(string(out), "lookup ") || strings.Contains(string(out), "Forbidden")) {
		t.Skip("SKIPPED: the module proxy cannot be reached, which go mod tidy needs")
	}
	if err != nil {
		t.Errorf("go.mod is not tidy: %v\n%s", err, out)
	}
}

// TestProjectSpeaksOfItself: nothing names how or where it is developed.
func TestProjectSpeaksOfItself(t *testing.T) {
	t.Chdir("../..")
	out, err := exec.Command("git", "ls-files").Output()
	if err != nil {
		t.Skip("SKIPPED: not a git checkout")
	}
	for path := range strings.SplitSeq(strings.TrimSpace(string(out)), "\n") {
		if path == "cmd/rig/tree_test.go" || path == "go.sum" {
			continue
		}
		b, err := os.ReadFile(path)
		if err != nil {
			continue // removed, not committed yet
		}
		for _, word := range []string{"/work" + "/", "farm" + "-", "helper" + "-"} {
			if strings.Contains(string(b), word) {
				t.Errorf("%s contains %q", path, word)
			}
		}
	}
}

// homeOfGo is where Go keeps its caches; the tests of the command get a home of their own.
var homeOfGo = os.Getenv("HOME")

// runShell runs a command line as a person would.
func runShell(t *testing.T, dir, line string) string {
	t.Helper()
	cmd := exec.Command("sh", "-c", line)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "HOME="+homeOfGo)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Errorf("%s: %v\n%s", line, err, out)
	}
	return string(out)
}
