package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
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
