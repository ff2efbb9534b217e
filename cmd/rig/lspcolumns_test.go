package main

import (
	"context"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// labels asks for completion at the end of a text until the answer is whole.
func (e *editor) labels(name, text string) []string {
	e.t.Helper()
	e.open(name, text)
	for begun := time.Now(); ; {
		m := e.call("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": e.uri(name)}, "position": place(text, len(text))})
		if m.Error != nil {
			e.t.Fatal(m.Error.Message)
		}
		var list struct {
			IsIncomplete bool
			Items        []struct{ Label, Detail string }
		}
		if err := json.Unmarshal(m.Result, &list); err != nil {
			e.t.Fatal(err)
		}
		if list.IsIncomplete && time.Since(begun) < time.Minute {
			continue
		}
		var out []string
		for _, i := range list.Items {
			out = append(out, strings.TrimSpace(i.Label+" "+i.Detail))
		}
		return out
	}
}

// logged lists what the editor was told for its log.
func (e *editor) logged() []string {
	var out []string
	for _, m := range e.told {
		if m.Method == "window/logMessage" {
			out = append(out, string(m.Params))
		}
	}
	return out
}

func project(t *testing.T, toml string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rig.toml"), []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestLSPColumnsOfTarget: tables and columns of the server that rig.toml names; those of the database that it names, else of all that
// are no run's.
func TestLSPColumnsOfTarget(t *testing.T) {
	needMariadb(t)
	address, err := shared.url("root")
	if err != nil {
		t.Fatal(err)
	}
	for _, sql := range []string{
		"CREATE DATABASE lsp_shop", "CREATE TABLE lsp_shop.customer (cid INT, full_name TEXT)",
		"CREATE DATABASE lsp_more", "CREATE TABLE lsp_more.parcel (weight INT)",
		"CREATE DATABASE rig_lsp", "CREATE TABLE rig_lsp.of_a_run (x INT)",
	} {
		if _, err := shared.query(sql); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, name := range []string{"lsp_shop", "lsp_more", "rig_lsp"} {
			_, _ = shared.query("DROP DATABASE " + name)
		}
	})
	const tables, columns = "def f(conn):\n    conn.query(\"SELECT * FROM ", "def f(conn):\n    conn.query(\"SELECT 1 FROM customer c WHERE c."
	for _, x := range []struct {
		target, text string
		want         []string
		not          string
	}{
		{strings.Replace(address, "@/", "@/lsp_shop", 1), tables, []string{"customer lsp_shop"}, "parcel lsp_more"},
		{strings.Replace(address, "@/", "@/lsp_shop", 1), columns, []string{"cid int", "full_name text"}, "weight int"},
		{address, tables, []string{"customer lsp_shop", "parcel lsp_more"}, "of_a_run rig_lsp"},
	} {
		e, cmd, errs := startLSP(t, project(t, "target = \"own\"\n[targets.own]\nurl = \""+x.target+"\"\n"))
		e.initialize()
		got := e.labels("a.star", x.text)
		for _, w := range x.want {
			if !slices.Contains(got, w) {
				t.Errorf("%s: no %q in %q, %q", x.target, w, got, e.logged())
			}
		}
		if slices.Contains(got, x.not) || slices.Contains(got, "user mysql") {
			t.Errorf("%s: %q in %q", x.target, x.not, got)
		}
		e.leave(cmd, errs)
	}
}

// TestLSPColumnsFail: without an answer of the target completion goes on, and the editor's log has the reason once, without secrets.
func TestLSPColumnsFail(t *testing.T) {
	const text = "def f(conn):\n    conn.exec(\"CREATE TABLE own (a INT)\")\n    conn.query(\"SELECT * FROM "
	cases := []struct{ name, toml, want string }{
		{"down", "target = \"mysql://me:s3cr3t@127.0.0.1:1/\"\n", "no tables and columns of the target"},
		{"broken settings", "target = [\n", "rig.toml"},
		{"no such target", "target = \"stagin\"\n[targets.staging]\nurl = \"mysql://me@127.0.0.1:1/\"\n", "staging"},
	}
	if mariadbPath() != "" {
		address, err := shared.url("lsp_locked")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := shared.query("CREATE USER lsp_locked@localhost IDENTIFIED BY 's3cr3t'"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = shared.query("DROP USER lsp_locked@localhost") })
		cases = append(cases, struct{ name, toml, want string }{"password needed", "target = \"" + address + "\"\n", "Access denied"})
	}
	for _, x := range cases {
		t.Run(x.name, func(t *testing.T) {
			e, cmd, errs := startLSP(t, project(t, x.toml))
			e.initialize()
			for range 2 {
				if got := e.labels("a.star", text); !slices.Contains(got, "own") {
					t.Errorf("the file's own table is not in %q", got)
				}
			}
			log := e.logged()
			if len(log) != 1 || !strings.Contains(log[0], x.want) || strings.Contains(log[0], "s3cr3t") {
				t.Errorf("told %q, want %q", log, x.want)
			}
			e.leave(cmd, errs)
		})
	}
}

// TestLSPColumnsStartNothing: a target that rig would have to make exist is none for an editor.
func TestLSPColumnsStartNothing(t *testing.T) {
	for _, toml := range []string{
		"", "target = \"embedded\"\n",
		"target = \"own\"\n[targets.own]\nkind = \"mariadb\"\nbinary = \"/nonexistent/mariadbd\"\n", // starting it would be an error
		"target = \"mock:nothing.star\"\n",
	} {
		got, err := (&lspCmd{}).columns(t.Context(), project(t, toml))
		if got != nil || err != nil {
			t.Errorf("%q: %v, %v", toml, got, err)
		}
	}
}

// TestLSPColumnsFlags: --target and --profile choose as they do for a run, RIG_TARGET is heard, --offline asks nobody.
func TestLSPColumnsFlags(t *testing.T) {
	dir := project(t, "[profiles.ci]\ntarget = \"mysql://me@127.0.0.1:1/profile\"\n")
	const want = "127.0.0.1:1"
	for _, c := range []*lspCmd{{Target: "mysql://me@127.0.0.1:1/flag"}, {globals: globals{Profile: "ci"}}} {
		if _, err := c.columns(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	t.Setenv("RIG_TARGET", "mysql://me@127.0.0.1:1/")
	if _, err := (&lspCmd{}).columns(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
		t.Error(err)
	}
}

// TestLSPColumnsBounded: a server that accepts and says nothing is left when the editor leaves.
func TestLSPColumnsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	accepted := make(chan net.Conn, 1)
	go func() {
		if c, err := l.Accept(); err == nil { // it ends with the listener
			accepted <- c
		}
	}()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	dir := project(t, "connect-timeout = \"10m\"\n")
	go func() {
		_, err := (&lspCmd{Target: "mysql://me@/?socket=" + path}).columns(ctx, dir)
		done <- err
	}()
	c := <-accepted
	defer c.Close()
	cancel()
	if err := <-done; err == nil {
		t.Error("no error")
	}
}
