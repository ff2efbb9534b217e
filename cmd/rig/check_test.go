package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rig/runtime/verdict"
)

// updatePage writes what the commands print into docs/histories.md.
var updatePage = flag.Bool("update-histories", false, "write the answers of the commands into docs/histories.md")

var console = regexp.MustCompile("(?ms)^```console\n(.*?)^```")

// TestHistoriesPage: each command of the page prints what stands below it; an exit code that is not 0 stands at its end.
func TestHistoriesPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/histories.md")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir("../..")
	commands := 0
	fresh := console.ReplaceAllFunc(page, func(block []byte) []byte {
		var out strings.Builder
		out.WriteString("```console\n")
		for line := range strings.SplitSeq(string(block), "\n") {
			if command, ok := strings.CutPrefix(line, "$ rig "); ok {
				commands++
				fmt.Fprintf(&out, "$ rig %s\n%s", command, runCheck(t, command))
			}
		}
		out.WriteString("```")
		return []byte(out.String())
	})
	if commands < 9 {
		t.Errorf("only %d commands on the page", commands)
	}
	if bytes.Equal(fresh, page) {
		return
	}
	if *updatePage {
		if err := os.WriteFile("docs/histories.md", fresh, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, want := strings.Split(string(page), "\n"), strings.Split(string(fresh), "\n")
	for i := range want {
		if i >= len(have) || have[i] != want[i] {
			t.Errorf("docs/histories.md:%d is stale (go test ./cmd/rig -run HistoriesPage -update-histories):\nwant %s", i+1, want[i])
			return
		}
	}
	t.Error("docs/histories.md has more than the commands print")
}

var words = regexp.MustCompile(`"([^"]*)"|(\S+)`)

func runCheck(t *testing.T, command string) string {
	t.Helper()
	var args []string
	for _, m := range words.FindAllStringSubmatch(command, -1) {
		args = append(args, m[1]+m[2])
	}
	var out bytes.Buffer
	code := run(args, streams{strings.NewReader(""), &out, &out})
	if code != 0 {
		fmt.Fprintf(&out, "[exit %d]\n", code)
	}
	return out.String()
}

// TestSampleHistories: each sample has its verdict.
func TestSampleHistories(t *testing.T) {
	want := map[string]struct {
		code int
		text string
	}{
		"bank.edn":            {1, "wrong-total, once"},
		"broken.edn":          {2, "broken.edn:2:43 (byte 104)"},
		"calls.txt":           {1, "ruled out: cursor-stability, update-atomic\n"},
		"counter.json":        {1, "read 4, but from 5 to 5 was possible"},
		"dirty_read.json":     {1, "ruled out: read-committed\n"},
		"etcd.log":            {1, "after an order of 3 of 4 operations"},
		"fractured_read.json": {1, "ruled out: consistent-view, repeatable-read\n"},
		"long_fork.edn":       {1, "each saw a write that the other did not"},
		"lost_update.edn":     {1, "ruled out: cursor-stability, update-atomic\n"},
		"mutex.json":          {0, "valid: the operations could have happened one at a time"},
		"serial.edn":          {0, "valid: nothing contradicts strict-serializable"},
		"set.edn":             {1, "added 2, and T4"},
		"set_full.edn":        {0, "stale: 1"},
		"stale_read.edn":      {1, "ruled out: strong-snapshot-isolation\n"},
		"two_clerks.jsonl":    {1, "T3 (line 10, process 1) read [1]"},
		"write_skew.edn":      {1, "strongest that remain: strong-snapshot-isolation, update-serializable\n"},
	}
	files, err := filepath.Glob("../../testdata/histories/*")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(want) {
		t.Errorf("%d samples, %d verdicts", len(files), len(want))
	}
	for _, path := range files {
		w, ok := want[filepath.Base(path)]
		if !ok {
			t.Errorf("%s has no verdict", path)
			continue
		}
		var out bytes.Buffer
		if code := run([]string{"check", path}, streams{strings.NewReader(""), &out, &out}); code != w.code || !strings.Contains(out.String(), w.text) {
			t.Errorf("%s: exit %d, want %d with %q:\n%s", path, code, w.code, w.text, out.String())
		}
	}
}

const readBackScript = `
def told(t, name, v):
    v.history.export(name + ".edn")
    v.history.export(name + ".json")
    print("TOLD", name, v.model, v.level or "-", v.outcome, json.encode(v.anomalies).replace(" ", ""), v.operations)

def test_all(t):
    options = {"count": 300, "duration": "10s", "sessions": 8}
    told(t, "list_append", history.list_append(t, name = "list_append", keys = 3, **options))
    told(t, "register", history.register(t, name = "register", keys = 3, level = "snapshot-isolation", **options))
    told(t, "bank", history.bank(t, name = "bank", **options))
    told(t, "set", history.set(t, name = "set", **options))
    told(t, "set_full", history.set(t, name = "set_full", reads = True, **options))
    told(t, "counter", history.counter(t, name = "counter", read_first = True, **options))
    told(t, "long_fork", history.long_fork(t, name = "long_fork", **options))
    told(t, "cas_register", history.cas_register(t, name = "cas_register", **options))
`

// TestHistoriesReadBack: the journal and the exported files of each generator get the verdict that the run got.
func TestHistoriesReadBack(t *testing.T) {
	for _, target := range []string{"embedded", "mariadb"} {
		t.Run(target, func(t *testing.T) {
			if target == "mariadb" {
				needMariadb(t)
			}
			t.Chdir(t.TempDir())
			if err := os.WriteFile("all.star", []byte(readBackScript), 0o600); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if code := run([]string{"exec", "-t", target, "--report", "jsonl=run.jsonl", "all.star"}, streams{strings.NewReader(""), &out, &out}); code != 0 {
				t.Fatalf("exit %d\n%s", code, out.String())
			}
			told := regexp.MustCompile(`TOLD (\w+) (\S+) (\S+) (\w+) (\S+) (\d+)`).FindAllStringSubmatch(out.String(), -1)
			if len(told) != 8 {
				t.Fatalf("%d verdicts in\n%s", len(told), out.String())
			}
			for _, m := range told {
				for _, args := range [][]string{{m[1] + ".edn"}, {m[1] + ".json"}, {"--history", m[1], "run.jsonl"}} {
					if got, want := verdictOf(t, m, args), strings.Join(m[2:], " "); got != want {
						t.Errorf("%s: %v gives %s, want %s", m[1], args, got, want)
					}
				}
			}
		})
	}
}

// verdictOf checks a file as the run that made it did, and gives what the script printed of its verdict.
func verdictOf(t *testing.T, told, args []string) string {
	t.Helper()
	if len(args) == 1 { // a journal knows these itself
		args = append(args, "--model", told[2])
		if told[3] != "-" {
			args = append(args, "--level", told[3])
		}
		switch told[1] {
		case "register":
			args = append(args, "--assume", "wfr")
		case "bank":
			args = append(args, "--total", "800")
		}
	}
	var out, errs bytes.Buffer
	run(append([]string{"check", "--json"}, args...), streams{strings.NewReader(""), &out, &errs})
	var v verdict.Verdict
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatalf("%v: %v\n%s%s", args, err, out.String(), errs.String())
	}
	level := "-"
	if v.Elle != nil {
		level = v.Elle.Level
	}
	names, err := json.Marshal(v.Anomalies())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(v.Model, " ", level, " ", v.Valid, " ", string(names), " ", v.Operations)
}
