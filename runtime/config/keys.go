package config

import (
	"strings"
	"sync"
)

// Key is one setting. Name is how files spell it; Flag is how the command line does ("--test-timeout"). Type is string,
// int, bool, duration or strings. Choices, where there are some, are the only texts allowed.
type Key struct {
	Name, Type, Default, Help string
	Choices                   []string
	Flag                      string

	least int64 // the least integer allowed
	sized bool  // an integer that may be written "16MiB"
}

// Env is the name of the environment variable that sets the key: "RIG_TEST_TIMEOUT".
func (k Key) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.Name, "-", "_"))
}

// The types of keys.
const (
	typeString   = "string"
	typeInt      = "int"
	typeBool     = "bool"
	typeDuration = "duration"
	typeStrings  = "strings"
)

// Keys lists every setting in the order of the documentation. The caller owns the result.
func Keys() []Key {
	keys := []Key{
		{Name: "target", Type: typeString, Default: "embedded", Help: "the server to test: a kind (embedded, mariadb, mysql, dolt, tidb), a mysql:// URL, a driver's DSN, mock:FILE with the rules of a mock server, or a name from [targets]"},
		{Name: "jobs", Type: typeInt, Default: "0", Help: "tests that run at a time; 0: one for each processor, at most 8"},
		{Name: "statement-timeout", Type: typeDuration, Default: "30s", Help: "bound on one statement"},
		{Name: "test-timeout", Type: typeDuration, Default: "5m", Help: "bound on one test"},
		{Name: "cleanup-timeout", Type: typeDuration, Default: "10s", Help: "bound on the cleaning up after one test"},
		{Name: "connect-timeout", Type: typeDuration, Default: "10s", Help: "bound on connecting, log-in included"},
		{Name: "seed", Type: typeInt, Help: "seed of the random numbers; none: a new one for each run"},
		{Name: "retries", Type: typeInt, Default: "0", Help: "further attempts of a failed test"},
		{Name: "max-fail", Type: typeInt, Default: "0", Help: "start no more tests after this many failures; 0: go on"},
		{Name: "max-rows", Type: typeInt, Default: "10000", Help: "rows that one query may keep", least: 1},
		{Name: "max-bytes", Type: typeInt, Default: "16MiB", Help: "bytes that one query may keep", least: 1, sized: true},
		{Name: "strict", Type: typeBool, Default: "false", Help: "what a test leaves behind fails the run"},
		{Name: "flaky", Type: typeString, Default: "report", Choices: []string{"report", "fail"}, Help: "what a test that passes only when repeated is"},
		{Name: "report", Type: typeStrings, Help: "further reports, such as junit=out.xml"},
		{Name: "one-database", Type: typeString, Help: "run one test at a time inside this database, where the user may not create any"},
		{Name: "allow-database", Type: typeStrings, Help: "databases, not made by rig, that tests may use"},
		{Name: "runs-dir", Type: typeString, Default: ".rig/runs", Help: "folder of the journals"},
		{Name: "color", Type: typeString, Default: "auto", Choices: []string{"auto", "always", "never"}, Help: "colours on the terminal"},
		{Name: "log-level", Type: typeString, Help: "log lines to show: a level for all modules, and of single ones: info,session=debug"},
		{Name: "log-format", Type: typeString, Default: "auto", Choices: []string{"auto", "text", "json"}, Help: "form of log lines; auto is tinted on a terminal"},
		{Name: "metrics", Type: typeStrings, Help: "metrics for Prometheus: prometheus=:PORT or prometheus=FILE"},
		{Name: "summary", Type: typeBool, Default: "false", Help: "end with the timings of statements and spans"},
		{Name: "tags", Type: typeStrings, Help: "run only tests with one of these tags; !tag leaves those out"},
	}
	for i := range keys {
		keys[i].Flag = "--" + keys[i].Name
		switch keys[i].Name {
		case "tags":
			keys[i].Flag = "--tag" // each use gives one
		case "seed":
			keys[i].least = minInt
		}
	}
	return keys
}

// keyIndex has the keys by name; nobody writes to it.
var keyIndex = sync.OnceValue(func() map[string]Key {
	m := map[string]Key{}
	for _, k := range Keys() {
		m[k.Name] = k
	}
	return m
})

func keyNamed(name string) (Key, bool) {
	k, ok := keyIndex()[name]
	return k, ok
}

func keyNames() []string {
	var names []string
	for _, k := range Keys() {
		names = append(names, k.Name)
	}
	return names
}
