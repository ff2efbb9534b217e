package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNeovim: a real client of the protocol, with the settings of docs/editors.md.
func TestNeovim(t *testing.T) {
	nvim, err := exec.LookPath("nvim")
	if err != nil {
		t.Skip("SKIPPED, NOT TESTED: no nvim on this machine (apt-get install neovim)")
	}
	docs, err := os.ReadFile("../../docs/editors.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(docs), "0.7 to 0.10, in `init.lua`:\n\n```lua\n")
	settings, _, closed := strings.Cut(rest, "```\n")
	if !ok || !closed {
		t.Fatal("docs/editors.md has no settings for Neovim 0.7 to 0.10")
	}
	check, err := filepath.Abs("testdata/nvim/check.lua")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"init.lua":  settings,
		"lib.star":  "def create(conn):\n    conn.exec(\"CREATE TABLE account (id INT, balance INT)\")\n",
		"a.star":    "load(\"./lib.star\", \"create\")\n\ndef test_x(t):\n    create(t.db)\n    t.db.query(\"SELECT * FROM account a\")\n\nx = [1,2]\n",
		"rig.toml":  "",
		"other.txt": "",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute) // it waits 10s for an answer at most
	defer cancel()
	cmd := exec.CommandContext(ctx, nvim, "--headless", "-n", "-i", "NONE", "-u", "init.lua", "-c", "luafile "+check)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got, err := os.ReadFile(filepath.Join(dir, "told"))
	if err != nil {
		t.Fatal(err)
	}
	want := `filetype: starlark
ready: true
diagnostic: 3 no-expectation
completion: id balance a SELECT FROM
omnifunc: v:lua.vim.lsp.omnifunc
definition: lib.star:1
references: 3
lenses: 2
formatted: x = [1, 2]
`
	for w := range strings.SplitSeq(strings.TrimSpace(want), "\n") {
		if !strings.Contains(string(got), w) {
			t.Fatalf("no %q in\n%s", w, got)
		}
	}
}
