package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-dap"
)

// client is an editor that talks to rig dap.
type client struct {
	t    *testing.T
	w    io.WriteCloser
	seq  int
	in   chan map[string]any
	pool []map[string]any // came, and was not expected yet
	vars map[string]any
}

func newClient(t *testing.T, r io.Reader, w io.WriteCloser, dir string) *client {
	c := &client{t: t, w: w, in: make(chan map[string]any, 10_000), vars: map[string]any{"$DIR": dir}}
	go func() { // ends with the connection
		defer close(c.in)
		b := bufio.NewReader(r)
		for {
			raw, err := dap.ReadBaseMessage(b)
			if err != nil {
				return
			}
			var m map[string]any
			if json.Unmarshal(raw, &m) != nil {
				m = map[string]any{"malformed": string(raw)}
			}
			c.in <- m
		}
	}()
	return c
}

// send writes a message; variables in it are filled in.
func (c *client) send(text string) {
	c.t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	c.seq++
	m = c.fill(m).(map[string]any)
	m["seq"] = c.seq
	m["type"] = "request"
	raw, err := json.Marshal(m)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := dap.WriteBaseMessage(c.w, raw); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
}

func (c *client) fill(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			v[k] = c.fill(x)
		}
	case []any:
		for i, x := range v {
			v[i] = c.fill(x)
		}
	case string:
		if x, ok := c.vars[v]; ok {
			return x
		}
		if dir, ok := c.vars["$DIR"].(string); ok {
			return strings.ReplaceAll(v, "$DIR", dir)
		}
	}
	return v
}

// fits compares what came with what a conversation expects: objects may have more, lists have as many or end with "...", a text
// that begins with ~ is a pattern, and a $name takes a value when it is met first.
func (c *client) fits(want, got any, vars map[string]any) bool {
	switch want := want.(type) {
	case map[string]any:
		have, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for k, x := range want {
			if !c.fits(x, have[k], vars) {
				return false
			}
		}
		return true
	case []any:
		have, ok := got.([]any)
		more := len(want) > 0 && want[len(want)-1] == "..."
		if more {
			want = want[:len(want)-1]
		}
		if !ok || len(have) < len(want) || !more && len(have) != len(want) {
			return false
		}
		for i, x := range want {
			if !c.fits(x, have[i], vars) {
				return false
			}
		}
		return true
	case string:
		return c.text(want, got, vars)
	}
	return want == got
}

func (c *client) text(want string, got any, vars map[string]any) bool {
	if pattern, ok := strings.CutPrefix(want, "~"); ok {
		s, isText := got.(string)
		return isText && regexp.MustCompile("(?s)"+pattern).MatchString(s)
	}
	if strings.HasPrefix(want, "$") && !strings.HasPrefix(want, "$DIR") {
		if known, ok := c.vars[want]; ok {
			return known == got
		}
		vars[want] = got
		return got != nil
	}
	return c.fill(want) == got
}

// expect waits for a message. Others that come meanwhile may be expected later.
func (c *client) expect(text string) map[string]any {
	c.t.Helper()
	var want map[string]any
	if err := json.Unmarshal([]byte(text), &want); err != nil {
		c.t.Fatalf("%s: %v", text, err)
	}
	deadline := time.After(60 * time.Second)
	for tried := 0; ; {
		for ; tried < len(c.pool); tried++ {
			vars := map[string]any{}
			if m := c.pool[tried]; c.fits(want, m, vars) {
				c.pool = slices.Delete(c.pool, tried, tried+1)
				for k, v := range vars {
					c.vars[k] = v
				}
				return m
			}
		}
		select {
		case m, ok := <-c.in:
			if !ok {
				c.t.Fatalf("the conversation ended without %s\n%s", text, c.left())
			}
			c.pool = append(c.pool, m)
		case <-deadline:
			c.t.Fatalf("there came no %s\n%s", text, c.left())
		}
	}
}

func (c *client) left() string {
	var b strings.Builder
	for _, m := range c.pool {
		raw, _ := json.Marshal(m)
		fmt.Fprintf(&b, "had: %s\n", raw)
	}
	return b.String()
}

// follow plays a recorded conversation: > is sent, < is expected, # is a comment.
func (c *client) follow(text string) {
	c.t.Helper()
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		switch {
		case line == "", strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, ">"):
			c.send(line[1:])
		case strings.HasPrefix(line, "<"):
			c.expect(line[1:])
		default:
			c.t.Fatalf("what is %q?", line)
		}
	}
}

// dapServer starts rig dap over pipes.
func dapServer(t *testing.T, dir string, args ...string) (*client, *exec.Cmd) {
	t.Helper()
	in, out, cmd := piped(t, dir, os.Stderr, append([]string{"dap"}, args...)...)
	return newClient(t, out, in, dir), cmd
}

// TestDapConversations plays every conversation of testdata/dap. The files beside it are its scenarios.
func TestDapConversations(t *testing.T) {
	recorded, err := filepath.Glob("testdata/dap/*.txt")
	if err != nil || len(recorded) < 4 {
		t.Fatalf("%d conversations (%v)", len(recorded), err)
	}
	for _, path := range recorded {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(text), "mariadb") {
				needMariadb(t)
			}
			dir := dapFolder(t)
			c, cmd := dapServer(t, dir)
			c.follow(string(text))
			c.w.Close()
			if err := cmd.Wait(); err != nil {
				t.Errorf("rig dap ends with %v", err)
			}
		})
	}
}

// dapFolder copies the scenarios of the conversations.
func dapFolder(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/dap/*.star")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scenarios (%v)", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const toABreakpoint = `
> {"command": "initialize", "arguments": {"adapterID": "rig", "linesStartAt1": true}}
< {"command": "initialize", "success": true}
> {"command": "launch", "arguments": {"program": "$DIR/account.star"}}
< {"event": "initialized"}
> {"command": "setBreakpoints", "arguments": {"source": {"path": "$DIR/account.star"}, "breakpoints": [{"line": 13}]}}
< {"command": "setBreakpoints", "success": true}
> {"command": "configurationDone"}
< {"event": "stopped", "body": {"reason": "breakpoint", "threadId": "$t"}}
`

// TestDapClientThatLeaves: a client that hangs up ends the run cleanly, and so does one that is killed while a thread stands.
func TestDapClientThatLeaves(t *testing.T) {
	dir := dapFolder(t)
	c, cmd := dapServer(t, dir)
	c.follow(toABreakpoint)
	c.w.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("rig dap ends with %v", err)
	}
	if b := journalOf(t, dir); !strings.Contains(b, `"kind":"run.end"`) || !strings.Contains(b, `"interrupted":true`) {
		t.Error("the run did not end cleanly")
	}
}

// TestDapAttach: over a socket of this machine, to a run that waits; one that leaves without ending it lets it go on.
func TestDapAttach(t *testing.T) {
	dir := dapFolder(t)
	addr, cmd, lines := dapListener(t, dir, "account.star", "--run", "booking")
	conn := dial(t, addr)
	c := newClient(t, conn, conn, dir)
	c.follow(`
> {"command": "initialize", "arguments": {"adapterID": "rig"}}
< {"command": "initialize", "success": true}
> {"command": "launch", "arguments": {"program": "x.star"}}
< {"command": "launch", "success": false, "message": "~to attach to"}
> {"command": "attach", "arguments": {"stopOnEntry": true}}
< {"event": "initialized"}
> {"command": "configurationDone"}
< {"event": "stopped", "body": {"reason": "entry", "threadId": "$t"}}
> {"command": "disconnect", "arguments": {}}
< {"command": "disconnect", "success": true}
`)
	_, _ = io.Copy(io.Discard, lines)
	if err := cmd.Wait(); err != nil {
		t.Errorf("rig dap ends with %v", err)
	}
	if !strings.Contains(journalOf(t, dir), `"passed":1`) {
		t.Error("the run did not go on to its end")
	}
}

// dapListener starts rig dap on a socket of this machine and gives its address, and what comes on stderr after it.
func dapListener(t *testing.T, dir string, args ...string) (addr string, cmd *exec.Cmd, errs *bufio.Reader) {
	t.Helper()
	cmd = exec.Command("rig", append([]string{"dap", "--listen", "127.0.0.1:0"}, args...)...)
	cmd.Dir = dir
	pipe, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	errs = bufio.NewReader(pipe)
	line, err := errs.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line[strings.LastIndex(line, " ")+1:]), cmd, errs
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// journalOf is the text of the one journal in a folder.
func journalOf(t *testing.T, dir string) string {
	t.Helper()
	journals, _ := filepath.Glob(filepath.Join(dir, ".rig/runs/*/run.jsonl"))
	if len(journals) != 1 {
		t.Fatalf("%d journals", len(journals))
	}
	b, err := os.ReadFile(journals[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestDapAttachedClientThatHangsUp: whoever leaves without attaching leaves the run waiting; an attached client that hangs up while a
// thread stands ends it cleanly.
func TestDapAttachedClientThatHangsUp(t *testing.T) {
	t.Parallel()
	dir := dapFolder(t)
	addr, cmd, errs := dapListener(t, dir, "account.star", "--run", "booking")
	stray := dial(t, addr)
	if _, err := io.WriteString(stray, "GET / HTTP/1.1\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if line, err := errs.ReadString('\n'); err != nil || !strings.Contains(line, "rig dap: ") {
		t.Errorf("a client that does not speak the protocol: %q, %v", line, err)
	}
	stray.Close()
	dial(t, addr).Close()
	conn := dial(t, addr)
	newClient(t, conn, conn, dir).follow(`
> {"command": "initialize", "arguments": {"adapterID": "rig"}}
> {"command": "attach", "arguments": {"stopOnEntry": true}}
< {"event": "initialized"}
> {"command": "configurationDone"}
< {"event": "stopped", "body": {"reason": "entry", "threadId": "$t"}}
`)
	conn.Close()
	_, _ = io.Copy(io.Discard, errs)
	if err := cmd.Wait(); err != nil {
		t.Errorf("rig dap ends with %v", err)
	}
	if b := journalOf(t, dir); !strings.Contains(b, `"kind":"run.end"`) || !strings.Contains(b, `"interrupted":true`) {
		t.Error("the run did not end cleanly")
	}
}

// TestDapNextClient: after a client that hung up, the next one launches a run of its own.
func TestDapNextClient(t *testing.T) {
	t.Parallel()
	dir := dapFolder(t)
	addr, _, _ := dapListener(t, dir)
	conn := dial(t, addr)
	newClient(t, conn, conn, dir).follow(toABreakpoint)
	conn.Close()
	conn = dial(t, addr)
	newClient(t, conn, conn, dir).follow(toABreakpoint + `
> {"command": "disconnect", "arguments": {"terminateDebuggee": true}}
< {"command": "disconnect", "success": true}
`)
	conn.Close()
}

// TestDapTargetGoesAway: the server is killed while a thread stands. Expressions tell the loss, and the run ends with it.
func TestDapTargetGoesAway(t *testing.T) {
	needMariadb(t)
	t.Parallel()
	dir := dapFolder(t)
	c, cmd := dapServer(t, dir)
	c.follow(strings.Replace(toABreakpoint, `account.star"}}
< {"event": "initialized"}`, `account.star", "target": "mariadb", "args": ["--run", "booking"]}}
< {"event": "initialized"}`, 1) + `
> {"command": "stackTrace", "arguments": {"threadId": "$t"}}
< {"command": "stackTrace", "body": {"stackFrames": [{"id": "$f", "line": 13}]}}
> {"command": "evaluate", "arguments": {"expression": "t.db.query(\"SELECT @@pid_file\").scalar()", "frameId": "$f"}}
< {"command": "evaluate", "success": true, "body": {"result": "$pid"}}
`)
	killServer(t, strings.Trim(c.vars["$pid"].(string), `"`))
	c.follow(`
> {"command": "evaluate", "arguments": {"expression": "t.db.query(\"SELECT 1\")", "frameId": "$f"}}
< {"command": "evaluate", "success": false, "message": "~conn.query: .*(lost|gone|closed|EOF|broken|reset)"}
> {"command": "evaluate", "arguments": {"expression": "before[\"total\"]", "frameId": "$f"}}
< {"command": "evaluate", "success": true, "body": {"result": "100"}}
> {"command": "setExceptionBreakpoints", "arguments": {"filters": []}}
> {"command": "continue", "arguments": {"threadId": "$t"}}
< {"event": "output", "body": {"output": "~0 passed, 1 failed"}}
< {"event": "exited"}
< {"event": "terminated"}
> {"command": "disconnect", "arguments": {}}
< {"command": "disconnect", "success": true}
`)
	c.w.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("rig dap ends with %v", err)
	}
}

// killServer ends the process that a pid file names.
func killServer(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var id int
	if _, err := fmt.Sscan(string(b), &id); err != nil || id <= 1 {
		t.Fatalf("%q is no process: %v", b, err)
	}
	if err := syscall.Kill(id, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

func TestDapListensOnLoopbackOnly(t *testing.T) {
	for addr, want := range map[string]string{
		"0.0.0.0:0": "not a loopback address", "192.0.2.1:1": "not a loopback address", "example.org:1": "not a loopback address", "4711": "want HOST:PORT",
	} {
		if l, err := listenLoopback(addr); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", addr, err)
			if l != nil {
				l.Close()
			}
		}
	}
	for _, addr := range []string{":0", "localhost:0", "[::1]:0"} {
		l, err := listenLoopback(addr)
		if err != nil && addr == "[::1]:0" {
			continue // a machine without IPv6
		}
		if err != nil {
			t.Fatal(err)
		}
		if !l.Addr().(*net.TCPAddr).IP.IsLoopback() {
			t.Errorf("%s listens on %s", addr, l.Addr())
		}
		l.Close()
	}
}

// TestDapTerm: rig that is told to end ends the run of its client cleanly.
func TestDapTerm(t *testing.T) {
	dir := dapFolder(t)
	c, cmd := dapServer(t, dir)
	c.follow(toABreakpoint)
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	c.expect(`{"event": "exited", "body": {"exitCode": 143}}`)
	c.expect(`{"event": "terminated"}`)
	c.w.Close()
	_ = cmd.Wait()
}
