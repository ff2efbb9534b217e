package lsp

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rig/runtime/catalog"
	"rig/runtime/schema"
)

// talk is a conversation in memory.
type talk struct {
	t    *testing.T
	in   io.WriteCloser
	out  *stream
	done chan error
	id   int
	log  []string
}

func begin(t *testing.T, columns func(context.Context, string) ([]schema.Column, error)) *talk {
	return beginAt(t, columns, filepath.Dir)
}

func beginAt(t *testing.T, columns func(context.Context, string) ([]schema.Column, error), root func(string) string) *talk {
	modules, types := catalog.Language()
	c := (&catalog.Catalog{Modules: modules, Types: types}).Index()
	in, toServer := io.Pipe()
	fromServer, out := io.Pipe()
	x := &talk{t: t, in: toServer, out: bounded(fromServer, nil), done: make(chan error, 1)}
	go func() { // it ends with exit
		x.done <- Serve(t.Context(), in, out, Options{Catalog: c, Root: root, Columns: columns})
		out.Close()
	}()
	x.call("initialize", `{}`)
	x.send(`{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///p/a.star","text":"x = [\"SELECT * FROM \"]"}}}`)
	return x
}

func (x *talk) send(body string) {
	if _, err := io.WriteString(x.in, frame(body)); err != nil {
		x.t.Fatal(err)
	}
}

func (x *talk) call(method, params string) string {
	x.id++
	id, _ := json.Marshal(x.id)
	x.send(`{"jsonrpc":"2.0","id":` + string(id) + `,"method":"` + method + `","params":` + params + `}`)
	for {
		body, err := x.out.message()
		if err != nil {
			x.t.Fatal(err)
		}
		var m struct {
			ID, Params, Result, Error json.RawMessage
			Method                    string
		}
		if err := json.Unmarshal(body, &m); err != nil {
			x.t.Fatal(err)
		}
		if m.Method == "window/logMessage" {
			x.log = append(x.log, string(m.Params))
		}
		if string(m.ID) == string(id) {
			return string(m.Result) + string(m.Error)
		}
	}
}

func (x *talk) complete() string {
	return x.call("textDocument/completion", `{"textDocument":{"uri":"file:///p/a.star"},"position":{"line":0,"character":20}}`)
}

func (x *talk) end() {
	x.call("shutdown", `null`)
	x.send(`{"jsonrpc":"2.0","method":"exit"}`)
	if err := <-x.done; err != nil {
		x.t.Error(err)
	}
	x.in.Close()
}

// TestColumnsAskedBeside: no answer waits for the server; what it told is in the next one, and is asked for again when it is old.
func TestColumnsAskedBeside(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release, asked := make(chan struct{}), 0
		x := begin(t, func(_ context.Context, root string) ([]schema.Column, error) {
			asked++
			if root != "/p" {
				t.Errorf("asked for %q", root)
			}
			<-release
			return []schema.Column{{Table: "of_target", Name: "a"}}, nil
		})
		for range 3 {
			if got := x.complete(); strings.Contains(got, "of_target") || !strings.Contains(got, `"isIncomplete":true`) {
				t.Errorf("before the answer: %s", got)
			}
		}
		close(release)
		synctest.Wait()
		for range 2 {
			if got := x.complete(); !strings.Contains(got, "of_target") || !strings.Contains(got, `"isIncomplete":false`) {
				t.Errorf("behind the answer: %s", got)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		time.Sleep(askAgain + time.Second)
		if got := x.complete(); !strings.Contains(got, "of_target") {
			t.Errorf("an old answer is better than none: %s", got)
		}
		synctest.Wait()
		if asked != 2 {
			t.Errorf("asked %d times", asked)
		}
		x.end()
	})
}

// TestColumnsFail: why there is no answer is told once, and again when it is another reason.
func TestColumnsFail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reasons := []error{errors.New("down"), errors.New("down"), nil, errors.New("down"), errors.New("denied")}
		x := begin(t, func(context.Context, string) (c []schema.Column, err error) {
			err, reasons = reasons[0], reasons[1:]
			return nil, err
		})
		for range len(reasons) {
			x.complete()
			time.Sleep(askAgain + time.Second)
		}
		x.end()
		if got := strings.Join(x.log, "\n"); strings.Count(got, "down") != 2 || strings.Count(got, "denied") != 1 {
			t.Errorf("told %s", got)
		}
	})
}

// TestColumnsBounded: a server that does not answer is left, when its time is over and when the conversation is.
func TestColumnsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wait := func(ctx context.Context, _ string) ([]schema.Column, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		x, begun := begin(t, wait), time.Now()
		x.complete()
		x.end()
		if time.Since(begun) != 0 {
			t.Errorf("the end waited %v", time.Since(begun))
		}
		x = begin(t, wait)
		x.complete()
		time.Sleep(askBound)
		x.complete()
		x.end()
		if len(x.log) != 1 || !strings.Contains(x.log[0], "deadline exceeded") {
			t.Errorf("told %q", x.log)
		}
	})
}

// TestPanic: a mistake in one answer costs that answer, and is told.
func TestPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := beginAt(t, nil, func(string) string { panic("a mistake") })
		if got := x.complete(); !strings.Contains(got, "rig lsp has a bug in textDocument/completion: a mistake") {
			t.Errorf("answered %s", got)
		}
		x.end()
		if len(x.log) != 2 || !strings.Contains(x.log[0], "didOpen") || !strings.Contains(x.log[1], "tables_test.go") {
			t.Errorf("told %q", x.log)
		}
	})
}
