package script

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/runtime/clock"
	"rig/runtime/event"
)

// loaded is a file's place in the cache.
type loaded struct {
	module *Module
	err    error
}

// source is a file that was named: where it is and how errors call it.
type source struct {
	key  string // canonical; "@rig//x.star" for the library
	show string // as positions name it
	root string // the folder that its loads cannot leave; "" in the library
	rel  string // within root or the library, with slashes
}

// Load loads a file that the user named, with what it loads. Each file runs once; later calls give the same module.
func (h *Host) Load(ctx context.Context, name string) (*Module, error) {
	src, err := h.named(name)
	if err != nil {
		return nil, err
	}
	h.loading.Lock()
	defer h.loading.Unlock()
	ctx, cancel := clock.WithTimeout(ctx, h.opts.LoadTimeout, &guardError{guard: "timeout", msg: fmt.Sprintf("the file did not load within %s", h.opts.LoadTimeout), hint: "work belongs into tests, not at the top level"})
	defer cancel()
	l := &loader{host: h, ctx: ctx}
	return l.load(src, event.Pos{})
}

// LoadText loads a source that is no file, such as a sample in a manual.
func (h *Host) LoadText(ctx context.Context, name, text string) (*Module, error) {
	h.loading.Lock()
	defer h.loading.Unlock()
	ctx, cancel := context.WithTimeout(ctx, h.opts.LoadTimeout)
	defer cancel()
	l := &loader{host: h, ctx: ctx}
	return l.run(source{key: name, show: name, root: h.opts.Root}, text)
}

// Reads lists the files that were read to load one, by their absolute paths: itself, and what it loads, whether that loaded or
// not. The library is not among them.
func (h *Host) Reads(abs string) []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := []string{abs}
	for i := 0; i < len(out); i++ {
		for _, key := range h.loads[out[i]] {
			if !strings.HasPrefix(key, "@") && !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	return out
}

// named finds a file that the user named: anywhere, but what it loads stays under the root, or beside it.
func (h *Host) named(name string) (source, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return source{}, fmt.Errorf("find %s: %w", name, err)
	}
	root := h.opts.Root
	rel, err := filepath.Rel(root, abs)
	if root == "" || err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		root, rel = filepath.Dir(abs), filepath.Base(abs)
	}
	return source{key: abs, show: filepath.ToSlash(filepath.Clean(name)), root: root, rel: filepath.ToSlash(rel)}, nil
}

// loader follows one chain of loads.
type loader struct {
	host  *Host
	ctx   context.Context
	chain []source
}

func (l *loader) load(src source, from event.Pos) (*Module, error) {
	if i := slices.IndexFunc(l.chain, func(s source) bool { return s.key == src.key }); i >= 0 {
		return nil, l.cycle(i, src, from)
	}
	h := l.host
	h.mu.Lock()
	c := h.modules[src.key]
	h.mu.Unlock()
	if c != nil {
		return c.module, c.err
	}
	c = &loaded{}
	c.module, c.err = l.fresh(src, from)
	h.mu.Lock()
	h.modules[src.key] = c
	h.mu.Unlock()
	return c.module, c.err
}

func (l *loader) cycle(i int, src source, from event.Pos) error {
	var names []string
	for _, s := range l.chain[i:] {
		names = append(names, s.show)
	}
	names = append(names, src.show)
	return l.host.placed(&Error{Pos: from, Msg: "load cycle: " + strings.Join(names, " -> "), Hint: "move what both need into a third file", Guard: "cycle"})
}

func (l *loader) fresh(src source, from event.Pos) (*Module, error) {
	text, err := l.host.read(src)
	if err != nil {
		var e *Error
		if errors.As(err, &e) {
			if e.Pos.IsZero() {
				e.Pos = from
			}
			return nil, l.host.placed(e)
		}
		return nil, l.host.placed(&Error{Pos: from, Msg: err.Error(), Cause: err})
	}
	l.chain = append(l.chain, src)
	defer func() { l.chain = l.chain[:len(l.chain)-1] }()
	return l.run(src, text)
}

// run executes the top level of a source and freezes what it defined.
func (l *loader) run(src source, text string) (*Module, error) {
	h := l.host
	c, err := h.compile(src.show, text)
	if err != nil {
		return nil, err
	}
	f := c.file
	t := h.newThread(l.ctx, "load "+src.show, nil)
	t.load, t.module = true, src.show
	t.th.Load = func(th *starlark.Thread, name string) (starlark.StringDict, error) {
		next, err := l.resolve(src, name)
		if err != nil {
			return nil, err
		}
		h.mu.Lock()
		h.loads[src.key] = append(h.loads[src.key], next.key) // also where it does not load
		h.mu.Unlock()
		m, err := l.load(next, loadCaller(th))
		if err != nil {
			return nil, err
		}
		return m.Globals, nil
	}
	stop := context.AfterFunc(l.ctx, func() { t.th.Cancel(context.Cause(l.ctx).Error()) })
	defer stop()
	globals, err := initProgram(t, c.prog, c.predeclared)
	t.ended(err)
	if err != nil {
		return nil, t.loadError(err)
	}
	m := &Module{Path: src.show, Doc: docOf(f), Globals: globals, Funcs: functions(f, globals), file: f}
	for name, v := range globals {
		if err := freezable(v); err != nil {
			e := &Error{Pos: globalPos(f, name), Msg: fmt.Sprintf("global %s %s", name, err.msg), Hint: err.hint, Guard: err.guard}
			return nil, h.placed(e)
		}
	}
	globals.Freeze()
	t.load = false
	return m, nil
}

// initProgram runs the program; a panic of a built-in is an error.
func initProgram(t *Thread, prog *starlark.Program, predeclared starlark.StringDict) (g starlark.StringDict, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &PanicError{Value: p}
		}
	}()
	return prog.Init(t.th, predeclared)
}

// loadError keeps the error of a nested load as it is: its position is where the fault lies.
func (t *Thread) loadError(err error) error {
	var inner *Error
	if errors.As(err, &inner) && inner.host != nil {
		return inner
	}
	return t.explain(err)
}

// loadCaller is the line of the load statement that runs.
func loadCaller(th *starlark.Thread) event.Pos {
	if th.CallStackDepth() == 0 {
		return event.Pos{}
	}
	return posOf(th.CallFrame(0).Pos)
}

// globals are what a file sees: what all do, with the probes of its own.
func (h *Host) globals(probes starlark.StringDict) starlark.StringDict {
	if len(probes) == 0 {
		return h.predeclared
	}
	all := starlark.StringDict{}
	for _, from := range []starlark.StringDict{h.predeclared, probes} {
		for name, v := range from {
			all[name] = v
		}
	}
	return all
}

// resolve finds what a load statement names.
func (l *loader) resolve(from source, name string) (source, error) {
	switch {
	case strings.HasPrefix(name, "@rig//"):
		rel := path.Clean(strings.TrimPrefix(name, "@rig//"))
		if !fs.ValidPath(rel) {
			return source{}, fmt.Errorf("load %q: no such file in rig's library", name)
		}
		return source{key: "@rig//" + rel, show: "@rig//" + rel, rel: rel}, nil
	case strings.HasPrefix(name, "@"):
		return source{}, fmt.Errorf("load %q: the only library is @rig", name)
	case strings.Contains(name, "://"):
		return source{}, fmt.Errorf("load %q: nothing is loaded over the network", name)
	case from.root == "":
		return source{}, fmt.Errorf("load %q: rig's library loads only @rig// files", name)
	case strings.HasPrefix(name, "//"):
		return l.within(from, strings.TrimPrefix(name, "//"), name)
	case strings.HasPrefix(name, "./"), strings.HasPrefix(name, "../"):
		return l.within(from, path.Join(path.Dir(from.rel), name), name)
	}
	return source{}, fmt.Errorf("load %q: write \"./%s\" (beside this file), \"//%s\" (from the project's root) or \"@rig//...\"", name, name, name)
}

func (l *loader) within(from source, rel, name string) (source, error) {
	rel = path.Clean(rel)
	if rel == ".." || strings.HasPrefix(rel, "../") || path.IsAbs(rel) {
		return source{}, &guardError{guard: "root", msg: fmt.Sprintf("load %q leaves the project's root", name), hint: "files outside the folder of rig.toml cannot be loaded"}
	}
	abs := filepath.Join(from.root, filepath.FromSlash(rel))
	// Named as the loading file was: relative to where the user stands.
	show := rel
	if dir := strings.TrimSuffix(from.show, from.rel); dir != from.show {
		show = dir + rel
	} else if r, err := relativeTo(from, abs); err == nil {
		show = r
	}
	return source{key: abs, show: filepath.ToSlash(show), root: from.root, rel: rel}, nil
}

func relativeTo(from source, abs string) (string, error) {
	dir, err := filepath.Abs(filepath.Dir(filepath.FromSlash(from.show)))
	if err != nil {
		return "", err
	}
	r, err := filepath.Rel(dir, abs)
	if err != nil {
		return "", err
	}
	return filepath.Join(filepath.Dir(filepath.FromSlash(from.show)), r), nil
}

// read gives the text of a source within its bounds.
func (h *Host) read(src source) (string, error) {
	if src.root == "" {
		return h.readLibrary(src)
	}
	root, err := os.OpenRoot(src.root)
	if err != nil {
		return "", fileError(src, err)
	}
	defer root.Close()
	name := filepath.FromSlash(src.rel)
	info, err := root.Stat(name)
	if err != nil {
		return "", fileError(src, err)
	}
	if err := h.regular(src, info); err != nil {
		return "", err
	}
	f, err := root.Open(name)
	if err != nil {
		return "", fileError(src, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return "", &Error{Msg: src.show + " is not a regular file", Guard: "file"}
	}
	text, err := io.ReadAll(io.LimitReader(f, int64(h.opts.MaxSource)+1))
	if err != nil {
		return "", fileError(src, err)
	}
	if len(text) > h.opts.MaxSource {
		return "", h.tooLarge(src, int64(len(text)))
	}
	return string(text), nil
}

func (h *Host) regular(src source, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return &Error{Msg: src.show + " is a folder, not a script", Hint: "give its files by name, or the folder on the command line", Guard: "file"}
	case !info.Mode().IsRegular():
		return &Error{Msg: src.show + " is not a regular file", Guard: "file"}
	case info.Size() > int64(h.opts.MaxSource):
		return h.tooLarge(src, info.Size())
	}
	return nil
}

func (h *Host) tooLarge(src source, size int64) error {
	return &Error{Msg: fmt.Sprintf("%s has %d bytes, more than %d", src.show, size, h.opts.MaxSource), Hint: "keep data out of scripts: load it with conn.load_data or make it in a loop", Guard: "size"}
}

func (h *Host) readLibrary(src source) (string, error) {
	if h.opts.Library == nil {
		return "", fmt.Errorf("%s: there is no library", src.show)
	}
	b, err := fs.ReadFile(h.opts.Library, src.rel)
	if err != nil {
		return "", &Error{Msg: fmt.Sprintf("%s: no such file in rig's library", src.show), Cause: err}
	}
	return string(b), nil
}

func fileError(src source, err error) error {
	e := &Error{Cause: err, Guard: "file"}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Msg, e.Guard = src.show+": no such file", ""
	case errors.Is(err, fs.ErrPermission):
		e.Msg, e.Guard = src.show+": no permission to read it", ""
	case strings.Contains(err.Error(), "escapes"):
		e.Msg, e.Hint, e.Guard = src.show+" leaves the project's root (by a link)", "files outside the folder of rig.toml cannot be loaded", "root"
	default:
		e.Msg = fmt.Sprintf("%s: %v", src.show, err)
	}
	return e
}

func docOf(f *syntax.File) string {
	if len(f.Stmts) == 0 {
		return ""
	}
	if x, ok := f.Stmts[0].(*syntax.ExprStmt); ok {
		if lit, ok := x.X.(*syntax.Literal); ok && lit.Token == syntax.STRING {
			return strings.TrimSpace(lit.Value.(string))
		}
	}
	return ""
}

// functions lists those that the file itself defines at its top level: loaded ones are not discovered.
func functions(f *syntax.File, globals starlark.StringDict) []Func {
	var out []Func
	for _, s := range f.Stmts {
		d, ok := s.(*syntax.DefStmt)
		if !ok {
			continue
		}
		fn, ok := globals[d.Name.Name].(*starlark.Function)
		if !ok || fn.Position() != d.Def && fn.Position() != d.Name.NamePos {
			continue
		}
		x := Func{Name: d.Name.Name, Doc: fn.Doc(), Pos: posOf(d.Name.NamePos), Fn: fn}
		for i := range fn.NumParams() {
			name, _ := fn.Param(i)
			x.Params = append(x.Params, name)
		}
		out = append(out, x)
	}
	return out
}

// Where is the place at which a global first appears; without one, the file.
func (m *Module) Where(name string) event.Pos { return globalPos(m.file, name) }

func globalPos(f *syntax.File, name string) event.Pos {
	pos := event.Pos{File: f.Path}
	syntax.Walk(f, func(n syntax.Node) bool {
		if id, ok := n.(*syntax.Ident); ok && id.Name == name && pos.Line == 0 {
			pos = posOf(id.NamePos)
		}
		return pos.Line == 0
	})
	return pos
}
