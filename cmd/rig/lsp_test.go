package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/txtar"

	"rig/builtins/spec"
	"rig/runtime/lsp"
	"rig/runtime/schema"
	"rig/stdlib"
)

var updateLSP = flag.Bool("update-lsp", false, "write the answers in testdata/lsp again")

// editor is the other end of rig lsp: it speaks over the process's real pipes.
type editor struct {
	t    testing.TB
	dir  string
	in   io.WriteCloser
	out  *bufio.Reader
	id   int
	told []message // what came without being asked for
	docs map[string]string
}

type message struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}

// startLSP starts the real command.
func startLSP(t testing.TB, dir string) (*editor, *exec.Cmd, *bytes.Buffer) {
	t.Helper()
	var errs bytes.Buffer
	in, out, cmd := piped(t, dir, &errs, "lsp")
	return &editor{t: t, dir: dir, in: in, out: bufio.NewReader(out), docs: map[string]string{}}, cmd, &errs
}

// piped starts the real command with pipes to its input and from its output.
func piped(t testing.TB, dir string, errs io.Writer, args ...string) (io.WriteCloser, io.Reader, *exec.Cmd) {
	t.Helper()
	cmd := exec.Command("rig", args...)
	cmd.Dir, cmd.Stderr = dir, errs
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // it has ended, unless the test failed
	return in, out, cmd
}

func (e *editor) raw(body string) {
	if _, err := fmt.Fprintf(e.in, "Content-Length: %d\r\n\r\n%s", len(body), body); err != nil {
		e.t.Fatal(err)
	}
}

func (e *editor) recv() message {
	size := 0
	for {
		line, err := e.out.ReadString('\n')
		if err != nil {
			e.t.Fatalf("the server is gone: %v", err)
		}
		if line = strings.TrimSpace(line); line == "" {
			break
		}
		if v, ok := strings.CutPrefix(line, "Content-Length: "); ok {
			size, _ = strconv.Atoi(v)
		}
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(e.out, body); err != nil {
		e.t.Fatal(err)
	}
	var m message
	if err := json.Unmarshal(body, &m); err != nil {
		e.t.Fatalf("%v in %s", err, body)
	}
	return m
}

func (e *editor) notify(method string, params any) {
	b, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "method": method, "params": params})
	if err != nil {
		e.t.Fatal(err)
	}
	e.raw(string(b))
}

// call asks and waits for the answer.
func (e *editor) call(method string, params any) message {
	e.id++
	ask := map[string]any{"jsonrpc": "2.0", "id": e.id, "method": method}
	if params != nil {
		ask["params"] = params
	}
	b, err := json.Marshal(ask)
	if err != nil {
		e.t.Fatal(err)
	}
	e.raw(string(b))
	for {
		m := e.recv()
		if string(m.ID) == strconv.Itoa(e.id) {
			return m
		}
		e.told = append(e.told, m)
	}
}

func (e *editor) initialize() {
	if m := e.call("initialize", map[string]any{"processId": nil, "rootUri": "file://" + e.dir, "capabilities": map[string]any{}}); m.Error != nil {
		e.t.Fatal(m.Error.Message)
	}
	e.notify("initialized", map[string]any{})
}

func (e *editor) uri(name string) string { return "file://" + filepath.Join(e.dir, name) }

// open hands over a document and gives what the server has to say about it.
func (e *editor) open(name, text string) json.RawMessage {
	e.docs[name] = text
	e.notify("textDocument/didOpen", map[string]any{"textDocument": map[string]any{"uri": e.uri(name), "languageId": "starlark", "version": 1, "text": text}})
	return e.diagnostics()
}

func (e *editor) diagnostics() json.RawMessage {
	for {
		m := e.recv()
		if m.Method == "textDocument/publishDiagnostics" {
			return m.Params
		}
		e.told = append(e.told, m)
	}
}

// next waits for something that is told without being asked for.
func (e *editor) next(method string) message {
	for {
		for i, m := range e.told {
			if m.Method == method {
				e.told = slices.Delete(e.told, i, i+1)
				return m
			}
		}
		e.told = append(e.told, e.recv())
	}
}

func place(text string, at int) map[string]any {
	line := strings.Count(text[:at], "\n")
	units := 0
	for _, r := range text[strings.LastIndexByte(text[:at], '\n')+1 : at] {
		units++
		if r > 0xFFFF {
			units++
		}
	}
	return map[string]any{"line": line, "character": units}
}

// TestLSPConversations holds the recorded conversations of testdata/lsp against the real command. A document marks its places
// with <1>, <2>; a line of the conversation is a request, the document, a place, and what else it needs.
func TestLSPConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/lsp/*.txtar")
	if err != nil || len(files) < 4 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got := converse(t, a)
			i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "want" })
			if *updateLSP {
				a.Files[i].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(a.Files[i].Data); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

type marked struct {
	text  string
	marks map[string]int
}

func unmark(text string) marked {
	m := marked{marks: map[string]int{}}
	for {
		i := strings.Index(text, "<")
		if i < 0 || i+2 >= len(text) {
			break
		}
		if text[i+2] == '>' && text[i+1] >= '0' && text[i+1] <= '9' {
			m.text += text[:i]
			m.marks[text[i+1:i+2]] = len(m.text)
			text = text[i+3:]
			continue
		}
		m.text += text[:i+1]
		text = text[i+1:]
	}
	m.text += text
	return m
}

func converse(t *testing.T, a *txtar.Archive) string {
	dir := t.TempDir()
	docs := map[string]marked{}
	var lines []string
	for _, f := range a.Files {
		switch f.Name {
		case "conversation":
			lines = strings.Split(strings.TrimSpace(string(f.Data)), "\n")
		case "want":
		default:
			docs[f.Name] = unmark(string(f.Data))
			path := filepath.Join(dir, f.Name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(docs[f.Name].text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	e, cmd, errs := startLSP(t, dir)
	e.initialize()
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "> %s\n%s\n", line, strings.ReplaceAll(e.step(strings.Fields(line), docs), dir, ""))
	}
	e.leave(cmd, errs)
	return b.String()
}

// leave ends a conversation as the protocol has it.
func (e *editor) leave(cmd *exec.Cmd, errs *bytes.Buffer) {
	e.call("shutdown", nil)
	e.notify("exit", nil)
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		e.t.Errorf("after exit: %v\n%s", err, errs)
	}
}

func (e *editor) step(words []string, docs map[string]marked) string {
	doc := docs[words[1]]
	id := map[string]any{"uri": e.uri(words[1])}
	params := map[string]any{"textDocument": id}
	if len(words) > 2 {
		if at, ok := doc.marks[words[2]]; ok {
			params["position"] = place(doc.text, at)
		}
	}
	switch words[0] {
	case "open":
		return shown("diagnostics", e.open(words[1], doc.text))
	case "replace": // replace FILE FROM TO TEXT
		text := strings.ReplaceAll(strings.Join(words[4:], " "), "_", " ")
		change := map[string]any{"range": map[string]any{"start": place(doc.text, doc.marks[words[2]]), "end": place(doc.text, doc.marks[words[3]])}, "text": text}
		id["version"] = 2
		e.notify("textDocument/didChange", map[string]any{"textDocument": id, "contentChanges": []any{change}})
		return shown("diagnostics", e.diagnostics())
	case "rename":
		params["newName"] = words[3]
	case "references":
		params["context"] = map[string]any{"includeDeclaration": true}
	case "run":
		m := e.call("workspace/executeCommand", map[string]any{"command": "rig." + words[3], "arguments": []any{e.uri(words[1]), words[2]}})
		if m.Error != nil {
			return "error: " + m.Error.Message
		}
		return shown("message", e.next("window/showMessage").Params)
	}
	m := e.call("textDocument/"+words[0], params)
	if m.Error != nil {
		return "error: " + m.Error.Message
	}
	return shown(words[0], m.Result)
}

// shown is an answer as the recordings keep it: the parts that a person looks at.
func shown(what string, raw json.RawMessage) string {
	var x struct {
		Items       []struct{ Label, Detail string }
		Diagnostics []struct {
			Range         any
			Severity      int
			Code, Message string
		}
		Contents        struct{ Value string }
		Signatures      []struct{ Label string }
		ActiveParameter int
		Type            int
		Message         string
	}
	_ = json.Unmarshal(raw, &x) // answers that are lists are shown as they are
	var out []string
	switch what {
	case "completion":
		for _, i := range x.Items {
			out = append(out, i.Label)
		}
		if len(out) > 12 { // the first ones: a new built-in changes no recording
			out = append(out[:12], "...")
		}
		return strings.Join(out, " | ")
	case "diagnostics":
		for _, d := range x.Diagnostics {
			r, _ := json.Marshal(d.Range)
			out = append(out, fmt.Sprintf("%s %d %s: %s", r, d.Severity, d.Code, strings.ReplaceAll(d.Message, "\n", " // ")))
		}
		return strings.Join(append(out, fmt.Sprintf("(%d)", len(x.Diagnostics))), "\n")
	case "hover":
		lines := strings.Split(x.Contents.Value, "\n")
		return strings.Join(lines[:min(len(lines), 4)], "\n")
	case "signatureHelp":
		if len(x.Signatures) == 0 {
			return "null"
		}
		return fmt.Sprintf("%s, at %d", x.Signatures[0].Label, x.ActiveParameter)
	case "message":
		for line := range strings.SplitSeq(x.Message, "\n") {
			if count, _, ok := strings.Cut(line, " in "); ok && strings.HasPrefix(line, "1 test: ") {
				return fmt.Sprintf("%d: %s", x.Type, count)
			}
		}
		return fmt.Sprintf("%d: %s", x.Type, x.Message)
	}
	return string(raw)
}

// TestLSPMalformed: what is no request is answered as the specification has it, and the conversation goes on.
func TestLSPMalformed(t *testing.T) {
	e, cmd, errs := startLSP(t, t.TempDir())
	e.initialize()
	e.raw("{\"jsonrpc\": \"2.0\", nonsense")
	if m := e.recv(); m.Error == nil || m.Error.Code != -32700 {
		t.Errorf("no JSON: got %+v", m)
	}
	for _, x := range []struct {
		method string
		params any
		code   int
	}{
		{"textDocument/nothing", map[string]any{}, -32601},
		{"initialize", map[string]any{"rootUri": 5}, -32602},
		{"initialize", map[string]any{"workspaceFolders": "all"}, -32602},
		{"textDocument/references", map[string]any{"context": 7}, -32602},
		{"textDocument/hover", []int{1}, -32602},
		{"textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": "file:///closed.star"}, "position": map[string]any{"line": 0, "character": 0}}, -32602},
		{"textDocument/hover", map[string]any{"textDocument": 1}, -32602},
		{"workspace/executeCommand", map[string]any{"command": "rm", "arguments": []string{"-rf", "/"}}, -32602},
	} {
		if m := e.call(x.method, x.params); m.Error == nil || m.Error.Code != x.code {
			t.Errorf("%s %v: got %+v, want %d", x.method, x.params, m.Error, x.code)
		}
	}
	odd := map[string]any{"rootUri": nil, "workspaceFolders": []any{map[string]any{"uri": "%zz"}, map[string]any{"uri": "untitled:a"}, map[string]any{}}}
	if m := e.call("initialize", odd); m.Error != nil {
		t.Errorf("folders that are none: %+v", m.Error)
	}
	e.open("a.star", "x = 1\n")
	for _, at := range []map[string]any{{"line": 99999, "character": 99999}, {"line": -1, "character": -7}} {
		if m := e.call("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": e.uri("a.star")}, "position": at}); m.Error != nil {
			t.Errorf("a place outside: %+v", m.Error)
		}
	}
	e.leave(cmd, errs)
}

// TestLSPClientGoes: a client that goes away, in the middle of a message or between two, ends the process.
func TestLSPClientGoes(t *testing.T) {
	for _, x := range []struct{ sent, want string }{
		{"", "without saying shutdown"},
		{"Content-Length: 50\r\n\r\n{\"jsonrpc\"", "a message of 50 bytes is cut"},
		{"Content-Length: 99999999999\r\n\r\n", "want a Content-Length up to 16777216"},
		{"Content-Length: -3\r\n\r\n", "want a Content-Length up to"},
		{"GET / HTTP/1.1\r\n\r\n", "want Content-Length, got \"GET / HTTP/1.1\""},
		{strings.Repeat("x", 10_000), "the head of a message does not end"},
	} {
		e, cmd, errs := startLSP(t, t.TempDir())
		e.initialize()
		if _, err := io.WriteString(e.in, x.sent); err != nil {
			t.Fatal(err)
		}
		e.in.Close()
		_, _ = io.Copy(io.Discard, e.out) // until it ends
		_ = cmd.Wait()
		if code := cmd.ProcessState.ExitCode(); code != 1 || !strings.Contains(errs.String(), x.want) {
			t.Errorf("%.20q: exit %d, %s, want %q", x.sent, code, errs, x.want)
		}
	}
}

// thousandLines is a file of the size that answers are measured on: scenarios of the gallery behind each other.
func thousandLines(t testing.TB) string {
	var b strings.Builder
	for n := 0; strings.Count(b.String(), "\n") < 1000; n++ {
		for _, name := range []string{"guide/coordination", "suites/txn/isolation", "guide/mock_unit_test"} {
			text, err := os.ReadFile("../../scripts/" + name + ".star")
			if err != nil {
				t.Fatal(err)
			}
			// Each copy has names of its own.
			b.WriteString(strings.NewReplacer("def test_", fmt.Sprintf("def test_%d_", n), "def ", "def ").Replace(string(text)))
		}
	}
	return strings.Join(strings.Split(b.String(), "\n")[:1000], "\n")
}

// BenchmarkLSP measures each answer on a file of a thousand lines, over pipes; p50-ms and p95-ms are of the
// time from the change of the text to the answer.
func BenchmarkLSP(b *testing.B) {
	text := thousandLines(b)
	half := strings.Replace(text, "    crew.add(\"a\", one(\"machine_a\", a))\n", "    crew.add(\"a\", one(\"machine_a\", a))\n    crew.\n", 1)
	if half == text {
		b.Fatal("nothing is half typed")
	}
	half = strings.Replace(half, "    crew.\n", "    crew.\n    t.db.query(\"SELECT a. FROM table_7 a\")\n", 1)
	name := place(half, strings.Index(half, "    crew.\n")+len("    cr"))
	member, column, top := place(half, strings.Index(half, "    crew.\n")+len("    crew.")), place(half, strings.Index(half, "SELECT a. FROM")+len("SELECT a.")), place(half, strings.Index(half, "def ")+len("def "))
	for _, x := range []struct {
		name, method string
		at           map[string]any
		enough       int // bytes of a right answer
	}{
		{"change", "", member, 0},
		{"completion", "completion", member, 100},
		{"columns", "completion", column, 0}, // of a target that has 5,000
		{"hover", "hover", member, 0},
		{"signatureHelp", "signatureHelp", member, 0},
		{"definition", "definition", name, 100},
		{"references", "references", name, 100},
		{"references over files", "references", top, 20000}, // a hundred of them
		{"documentSymbol", "documentSymbol", member, 1000},
		{"codeLens", "codeLens", member, 1000},
	} {
		b.Run(x.name, func(b *testing.B) {
			e, stop := pipedLSP(b)
			defer stop()
			e.open("a.star", text)
			var took []time.Duration
			for b.Loop() {
				begun := time.Now()
				// Each answer is to a text that was just changed, as when a person types.
				e.notify("textDocument/didChange", map[string]any{"textDocument": map[string]any{"uri": e.uri("a.star"), "version": 2}, "contentChanges": []any{map[string]any{"text": half}}})
				if x.method != "" {
					m := e.call("textDocument/"+x.method, map[string]any{"textDocument": map[string]any{"uri": e.uri("a.star")}, "position": x.at, "context": map[string]any{"includeDeclaration": true}})
					if m.Error != nil || x.enough > len(m.Result) {
						b.Fatalf("%s: %+v, %d bytes", x.name, m.Error, len(m.Result))
					}
					e.told = nil
				} else {
					e.diagnostics()
				}
				took = append(took, time.Since(begun))
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "p95-ms")
		})
	}
}

// pipedLSP serves within this process, over pipes of the operating system.
func pipedLSP(t testing.TB) (*editor, func()) {
	toServer, fromEditor, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	toEditor, fromServer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	var columns []schema.Column
	for i := range 5000 {
		columns = append(columns, schema.Column{Database: "shop", Table: fmt.Sprint("table_", i/10), Name: fmt.Sprint("column_", i), Type: "int"})
	}
	go func() {
		done <- lsp.Serve(t.Context(), toServer, fromServer, lsp.Options{
			Catalog: spec.Catalog(modules()), Library: stdlib.FS, Root: filepath.Dir,
			Columns: func(context.Context, string) ([]schema.Column, error) { return columns, nil },
		})
	}()
	dir := t.TempDir()
	for i := range 100 {
		text := "load(\"./a.star\", \"one\")\n\ndef test_x(t):\n    one(\"x\", None)\n" + strings.Repeat("    expect.eq(1, 1)\n", 200)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%d.star", i)), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	e := &editor{t: t, dir: dir, in: fromEditor, out: bufio.NewReader(toEditor), docs: map[string]string{}}
	e.initialize()
	return e, func() {
		e.call("shutdown", nil)
		e.notify("exit", nil)
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, f := range []*os.File{toServer, fromEditor, toEditor, fromServer} {
			f.Close()
		}
	}
}
