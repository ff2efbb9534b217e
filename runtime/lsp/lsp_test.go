package lsp

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/catalog"
	"rig/runtime/source"
)

// Whole conversations are recorded in cmd/rig, with the real declarations.

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type sink struct{ io.Writer }

func (sink) Close() error { return nil }

func serve(ctx context.Context, in string) error {
	modules, types := catalog.Language()
	c := (&catalog.Catalog{Modules: modules, Types: types}).Index()
	return Serve(ctx, strings.NewReader(in), sink{io.Discard}, Options{Catalog: c, Root: filepath.Dir})
}

func frame(body string) string { return fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body) }

func TestPositions(t *testing.T) {
	text := "a\n€𝄞x\n\nlast"
	for offset, want := range map[int]position{0: {0, 0}, 1: {0, 1}, 2: {1, 0}, 5: {1, 1}, 9: {1, 3}, 10: {1, 4}, 11: {2, 0}, len(text): {3, 4}} {
		if got := positionOf(text, offset); got != want {
			t.Errorf("%d: got %v, want %v", offset, got, want)
		}
		if got := offsetOf(text, want); got != offset {
			t.Errorf("%v: got %d, want %d", want, got, offset)
		}
	}
	if got := offsetOf(text, position{7, 1}); got != len(text) {
		t.Errorf("behind the text: %d", got)
	}
	if got := offsetOf(text, position{1, 99}); got != 10 {
		t.Errorf("behind the line: %d", got)
	}
}

func TestExpressionBefore(t *testing.T) {
	for text, want := range map[string]string{
		"x = t.db":                 "t.db",
		"f(a, t.query(\"x\", [1])": "t.query(\"x\", [1])",
		"x + rows[0].one()":        "rows[0].one()",
		"return \"a b\"":           "\"a b\"",
		"a, (b)":                   "(b)",
		"x = )":                    "",
		"x = f(\"(\").g":           "f(\"(\").g",
		"":                         "",
	} {
		if got := expressionBefore(text, len(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzStream: no stream breaks the server or keeps it from its end.
func FuzzStream(f *testing.F) {
	f.Add([]byte(frame(`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{}}`)))
	f.Add([]byte(frame(`{"jsonrpc":"2.0","id":1,"method":"shutdown"}`) + frame(`{"jsonrpc":"2.0","method":"exit"}`)))
	f.Add([]byte(frame(`[{"jsonrpc":"2.0","id":1,"method":"textDocument/hover"},7]`)))
	f.Add([]byte("Content-Length: 5\r\n\r\n{}"))
	f.Add([]byte("Content-Length: 99999999999999999999\r\n\r\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_ = serve(ctx, string(in)) // an error is an answer, too
		if ctx.Err() != nil {
			t.Error("the stream has ended, and the server has not")
		}
	})
}

// FuzzRequests: every request about any place of any text is answered.
func FuzzRequests(f *testing.F) {
	f.Add("def f(t):\n    t.db.\n", 1, 9, "x")
	f.Add("load(\"./", 0, 8, "")
	f.Add("x = [y for y in \"a\".split(", 0, 26, "def")
	f.Add("def f(c):\n  c.query(\"\"\"SELECT x. FROM\n y x -- it's", 1, 22, "")
	f.Add("r = t.db.query(\"CREATE TABLE a (b INT)\" % 1).one()\nr.", 1, 2, "")
	f.Add("x = 1\nx = [x for x in {1: x}.items()]\nx[0].", 2, 5, "")
	f.Add("def a(b):\n  return b\n\na(b = 1", 3, 3, "c")
	f.Fuzz(func(t *testing.T, text string, line, column int, name string) {
		modules, types := catalog.Language()
		s := &server{opts: Options{Catalog: (&catalog.Catalog{Modules: modules, Types: types}).Index(), Root: func(string) string { return "/nowhere" }}, docs: map[string]*document{}, spaces: map[string]*source.Workspace{}, servers: map[string]*served{}}
		d := &document{uri: "file:///nowhere/a.star", path: "/nowhere/a.star", text: text}
		s.docs[d.uri] = d
		v, err := s.look(d.uri)
		if err != nil {
			t.Fatal(err)
		}
		v.at = offsetOf(text, position{line, column})
		lenses, _ := v.lenses()
		symbols, _ := v.symbols()
		edits, _ := v.format()
		var p renameParams
		p.TextDocument.URI, p.Position, p.NewName = d.uri, position{line, column}, name
		changes, _ := s.rename(t.Context(), p)
		var r referenceParams
		r.positionParams = p.positionParams
		places, _ := s.references(t.Context(), r)
		all := []any{v.diagnostics(), v.complete(), v.hover(), v.signatureHelp(), v.definition(), v.highlights(), v.prepareRename(), lenses, symbols, edits, changes, places}
		if _, err := json.Marshal(all); err != nil {
			t.Error(err)
		}
	})
}
