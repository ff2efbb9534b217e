// Package lsp serves the Language Server Protocol for scenarios over a pair of streams.
//
// [Serve] answers one editor until it says exit or goes away. Every document is read anew when it changes, whole or half typed
// (package source), so that answers never speak of an older text; a file of a thousand lines is read and judged in a few
// milliseconds. Nothing of a scenario runs here but by the command rig.run, which [Options] decide about; tables and columns of a
// server are asked for beside the conversation, and no answer waits for them.
package lsp

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/creachadair/jrpc2"
	"github.com/creachadair/jrpc2/handler"

	"rig/runtime/catalog"
	"rig/runtime/schema"
	"rig/runtime/source"
)

// Options of a server.
type Options struct {
	Catalog *catalog.Catalog
	Library fs.FS                    // "@rig//x.star"
	Root    func(path string) string // the project that a file is part of
	Version string
	// Run runs a test and gives what to tell; nil when the server runs nothing.
	Run func(ctx context.Context, path, test string) (report string, passed bool)
	// Columns asks the server that a project is configured for; nothing when there is none. It is called beside the
	// conversation, one call at a time for each project. nil asks nobody.
	Columns func(ctx context.Context, root string) ([]schema.Column, error)
}

// server is one conversation.
type server struct {
	opts Options
	rpc  *jrpc2.Server
	ctx  context.Context // ends with the conversation
	done context.CancelFunc
	runs sync.WaitGroup // commands that still run

	mu       sync.Mutex
	folders  []string                     // guarded by mu, that the editor has open
	docs     map[string]*document         // guarded by mu, by URI
	spaces   map[string]*source.Workspace // guarded by mu, by root
	servers  map[string]*served           // guarded by mu, by root
	shutdown bool                         // guarded by mu
}

// document is a text as the editor has it.
type document struct {
	uri, path string
	version   int
	text      string
}

// errNoShutdown is the end of a conversation that the client left without its last request.
var errNoShutdown = errors.New("the client went away without saying shutdown")

// Serve answers requests from r on w until the client says exit or closes r. The end of ctx ends what runs, not the reading. The error says what was wrong with the stream.
func Serve(ctx context.Context, r io.Reader, w io.WriteCloser, o Options) error {
	s := &server{opts: o, docs: map[string]*document{}, spaces: map[string]*source.Workspace{}, servers: map[string]*served{}}
	s.ctx, s.done = context.WithCancel(ctx)
	defer s.runs.Wait()
	defer s.done()
	in := bounded(r, w)
	methods := s.methods()
	for name, fn := range methods {
		methods[name] = s.guarded(name, fn)
	}
	lasting := func() context.Context { return context.WithoutCancel(ctx) } // a request of a dead context is dropped, and the end with it
	methods[endMethod] = handler.New(func(context.Context) error { in.ended(); return nil })
	s.rpc = jrpc2.NewServer(methods, &jrpc2.ServerOptions{AllowPush: true, Concurrency: 1, DisableBuiltin: true, NewContext: lasting})
	s.rpc.Start(in)
	err := s.rpc.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.shutdown, ctx.Err() != nil:
		return nil
	case err == nil || errors.Is(err, io.EOF):
		return errNoShutdown
	}
	return fmt.Errorf("read the editor's requests: %w", err)
}

// guarded turns a panic of a request, which is a mistake of the server's, into an error of that request alone.
func (s *server) guarded(name string, fn jrpc2.Handler) jrpc2.Handler {
	return func(ctx context.Context, r *jrpc2.Request) (result any, err error) {
		defer func() {
			if x := recover(); x != nil {
				err = jrpc2.Errorf(jrpc2.InternalError, "rig lsp has a bug in %s: %v", name, x)
				_ = s.rpc.Notify(ctx, "window/logMessage", messageParams{1, fmt.Sprintf("%v\n%s", err, debug.Stack())}) // the editor may be gone
			}
		}()
		return fn(ctx, r)
	}
}

// methods is the table of what the server understands.
func (s *server) methods() handler.Map {
	nothing := handler.New(func(context.Context) error { return nil })
	return handler.Map{
		"initialize":  handler.New(s.initialize),
		"initialized": nothing,
		"shutdown": handler.New(func(context.Context) (any, error) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.shutdown = true
			return nil, nil
		}),
		"exit":                             handler.New(func(context.Context) error { s.done(); return nil }),
		"$/cancelRequest":                  handler.New(s.cancel),
		"$/setTrace":                       nothing,
		"workspace/didChangeConfiguration": nothing,
		"workspace/didChangeWatchedFiles":  handler.New(s.filesChanged),
		"textDocument/didOpen":             handler.New(s.didOpen),
		"textDocument/didChange":           handler.New(s.didChange),
		"textDocument/didSave":             nothing,
		"textDocument/didClose":            handler.New(s.didClose),
		"textDocument/completion":          handler.New(at(s, (*view).complete)),
		"textDocument/hover":               handler.New(at(s, (*view).hover)),
		"textDocument/signatureHelp":       handler.New(at(s, (*view).signatureHelp)),
		"textDocument/definition":          handler.New(at(s, (*view).definition)),
		"textDocument/documentHighlight":   handler.New(at(s, (*view).highlights)),
		"textDocument/prepareRename":       handler.New(at(s, (*view).prepareRename)),
		"textDocument/references":          handler.New(s.references),
		"textDocument/rename":              handler.New(s.rename),
		"textDocument/documentSymbol":      handler.New(of(s, (*view).symbols)),
		"textDocument/codeLens":            handler.New(of(s, (*view).lenses)),
		"textDocument/formatting":          handler.New(of(s, (*view).format)),
		"workspace/executeCommand":         handler.New(s.execute),
	}
}

func (s *server) initialize(_ context.Context, p initializeParams) initializeResult {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range append(p.WorkspaceFolders, documentID{p.RootURI}) {
		if path := pathOf(f.URI); filepath.IsAbs(path) {
			s.folders = append(s.folders, filepath.Clean(path))
		}
	}
	capabilities := map[string]any{
		"textDocumentSync":           map[string]any{"openClose": true, "change": 2, "save": true},
		"completionProvider":         map[string]any{"triggerCharacters": []string{".", "\"", "/", "("}},
		"hoverProvider":              true,
		"signatureHelpProvider":      map[string]any{"triggerCharacters": []string{"(", ","}},
		"definitionProvider":         true,
		"referencesProvider":         true,
		"documentHighlightProvider":  true,
		"renameProvider":             map[string]any{"prepareProvider": true},
		"documentSymbolProvider":     true,
		"documentFormattingProvider": true,
		"codeLensProvider":           map[string]any{},
	}
	if s.opts.Run != nil {
		capabilities["executeCommandProvider"] = map[string]any{"commands": []string{"rig.run", "rig.debug"}}
	}
	return initializeResult{capabilities, map[string]string{"name": "rig", "version": s.opts.Version}}
}

func (s *server) cancel(_ context.Context, p struct {
	ID any `json:"id"`
},
) error {
	s.rpc.CancelRequest(fmt.Sprint(p.ID))
	return nil
}

// view is a document as one request sees it.
type view struct {
	*document
	file  *source.File
	space *source.Workspace
	at    int // the place that the request is about, in bytes

	server  *server
	waiting bool // columns are being asked for: the answer may be fuller soon
}

var errUnknownDocument = jrpc2.Errorf(jrpc2.InvalidParams, "the document is not open")

// look finds a document and reads it, unless it is read already. The caller holds mu.
func (s *server) look(uri string) (*view, error) {
	d := s.docs[uri]
	if d == nil {
		return nil, errUnknownDocument
	}
	space := s.space(d.path)
	f := space.File(d.path)
	if f == nil {
		return nil, errUnknownDocument
	}
	return &view{document: d, file: f, space: space, server: s}, nil
}

func (s *server) space(path string) *source.Workspace {
	root := s.opts.Root(path)
	w := s.spaces[root]
	if w == nil {
		w = &source.Workspace{Root: root, Library: s.opts.Library, Catalog: s.opts.Catalog, Open: s.open}
		s.spaces[root] = w
	}
	return w
}

// open gives the editor's text of a file. The caller holds mu.
func (s *server) open(path string) (string, bool) {
	for _, d := range s.docs {
		if d.path == path {
			return d.text, true
		}
	}
	return "", false
}

// at makes the handler of a request about a place.
func at[R any](s *server, fn func(*view) R) func(context.Context, positionParams) (R, error) {
	return func(_ context.Context, p positionParams) (R, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		var zero R
		v, err := s.look(p.TextDocument.URI)
		if err != nil {
			return zero, err
		}
		v.at = offsetOf(v.text, p.Position)
		return fn(v), nil
	}
}

// of makes the handler of a request about a document.
func of[R any](s *server, fn func(*view) (R, error)) func(context.Context, documentParams) (R, error) {
	return func(_ context.Context, p documentParams) (R, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		v, err := s.look(p.TextDocument.URI)
		if err != nil {
			var zero R
			return zero, err
		}
		return fn(v)
	}
}

func (s *server) didOpen(ctx context.Context, p openParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs[p.TextDocument.URI] = &document{uri: p.TextDocument.URI, path: pathOf(p.TextDocument.URI), version: p.TextDocument.Version, text: p.TextDocument.Text}
	return s.changed(ctx, p.TextDocument.URI)
}

func (s *server) didChange(ctx context.Context, p changeParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.docs[p.TextDocument.URI]
	if d == nil {
		return errUnknownDocument
	}
	for _, c := range p.ContentChanges {
		if c.Range == nil {
			d.text = c.Text
			continue
		}
		from, to := offsetOf(d.text, c.Range.Start), offsetOf(d.text, c.Range.End)
		d.text = d.text[:min(from, to)] + c.Text + d.text[max(from, to):]
	}
	d.version = p.TextDocument.Version
	return s.changed(ctx, d.uri)
}

func (s *server) didClose(ctx context.Context, p documentParams) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.docs, p.TextDocument.URI)
	s.forget()
	return s.rpc.Notify(ctx, "textDocument/publishDiagnostics", diagnosticsParams{URI: p.TextDocument.URI, Diagnostics: []diagnostic{}})
}

func (s *server) filesChanged(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget()
	return nil
}

func (s *server) forget() {
	for _, w := range s.spaces {
		w.Forget()
	}
}

// changed drops what was read and publishes what is wrong with the document now. Others that load it are judged when they
// change, or are asked about.
func (s *server) changed(ctx context.Context, uri string) error {
	s.forget()
	v, err := s.look(uri)
	if err != nil {
		return err
	}
	return s.rpc.Notify(ctx, "textDocument/publishDiagnostics", diagnosticsParams{uri, v.version, v.diagnostics()})
}

// pathOf gives the path of a file: URI; a document that is no file keeps its URI as its name.
func pathOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" {
		return uri
	}
	return filepath.FromSlash(u.Path)
}

func uriOf(path string) string {
	if strings.Contains(path, "://") {
		return path
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

// execute runs a test for a code lens, beside the conversation; its end is told by messages.
func (s *server) execute(_ context.Context, p executeParams) (any, error) {
	if s.opts.Run == nil || !slices.Contains([]string{"rig.run", "rig.debug"}, p.Command) || len(p.Arguments) != 2 {
		return nil, jrpc2.Errorf(jrpc2.InvalidParams, "want rig.run or rig.debug with a file and a test")
	}
	path, test := pathOf(p.Arguments[0]), p.Arguments[1]
	if p.Command == "rig.debug" {
		return nil, s.tell(3, fmt.Sprintf("To step through %s: rig debug %s --run '^%s$', or let the editor start rig dap.", test, path, test))
	}
	s.runs.Go(func() { // it ends with the conversation: Run gets its context
		report, passed := s.opts.Run(s.ctx, path, test)
		kind := 3
		if !passed {
			kind = 1
		}
		_ = s.tell(kind, report) // the editor may be gone
	})
	return nil, nil
}

func (s *server) tell(kind int, text string) error {
	return s.rpc.Notify(s.ctx, "window/showMessage", messageParams{kind, text})
}
