package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rig/builtins/spec"
	"rig/runtime/lint"
	"rig/runtime/source"
)

// TestLintWhileTyping: the samples of the rules, cut off at many places as an editor has them, never break a rule, and each finding
// says something.
func TestLintWhileTyping(t *testing.T) {
	samples, err := filepath.Glob(filepath.Join(lintSamples, "*.bad.star"))
	if err != nil || len(samples) < len(lint.Rules()) {
		t.Fatal(len(samples), err)
	}
	catalog := spec.Catalog(modules())
	for _, path := range samples {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for at := 0; at < len(b); at += 5 {
			for _, f := range lint.Check(source.Read("x.star", string(b[:at]), catalog)) {
				if f.Code == "" || strings.TrimSpace(f.Msg) == "" || f.Pos.Line < 1 {
					t.Errorf("%s cut at %d: %+v", path, at, f)
				}
			}
		}
	}
}
