package source

import (
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"strings"

	"rig/runtime/catalog"
)

// Workspace reads files that load each other. Nothing in it is safe for concurrent use.
type Workspace struct {
	Root    string // where "//x.star" is
	Library fs.FS  // "@rig//x.star"
	Catalog *catalog.Catalog
	// Open gives a text that an editor has, in place of the one on disk; nil when there is no editor.
	Open func(path string) (text string, ok bool)

	files  map[string]*File
	before map[string]*File // as they were read before the last change: a text that is the same need not be parsed again
}

// maxFile bounds what is read of a file, as a load does.
const maxFile = 1 << 20

// File reads a file, or gives it as it was read before. nil when there is no such file.
func (w *Workspace) File(name string) *File {
	if f, ok := w.files[name]; ok {
		return f
	}
	text, ok := w.Text(name)
	if !ok {
		return nil
	}
	if f := w.before[name]; f != nil && f.Text == text {
		f.types, f.near, f.calls, f.lambdas = map[*Var]Type{}, nil, nil, nil // what it loads may be another
		w.keep(name, f)
		return f
	}
	return w.Put(name, text)
}

func (w *Workspace) keep(name string, f *File) {
	if w.files == nil {
		w.files = map[string]*File{}
	}
	w.files[name] = f
}

// Put reads a text as the file of that name.
func (w *Workspace) Put(name, text string) *File {
	f := Read(name, text, w.Catalog)
	f.Loaded = func(module string) *File {
		if p, ok := w.Resolve(name, module); ok {
			return w.File(p)
		}
		return nil
	}
	w.keep(name, f)
	return f
}

// Forget drops what is known of every file: one of them has changed, and the others' types with it.
func (w *Workspace) Forget() {
	if w.before == nil {
		w.before = map[string]*File{}
	}
	maps.Copy(w.before, w.files)
	w.files = nil
}

// Text gives what a file says, as an editor has it or as it is on disk; false when there is no such file.
func (w *Workspace) Text(name string) (string, bool) {
	if rel, ok := strings.CutPrefix(name, libraryPrefix); ok {
		if w.Library == nil {
			return "", false
		}
		b, err := fs.ReadFile(w.Library, rel)
		return string(b), err == nil
	}
	if w.Open != nil {
		if text, ok := w.Open(name); ok {
			return text, true
		}
	}
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || info.Size() > maxFile {
		return "", false
	}
	b, err := os.ReadFile(name)
	return string(b), err == nil
}

const libraryPrefix = "@rig//"

// Resolve gives the path of what a load statement in a file names; the library's files keep their names.
func (w *Workspace) Resolve(from, module string) (string, bool) {
	switch {
	case strings.HasPrefix(module, libraryPrefix):
		return libraryPrefix + path.Clean(strings.TrimPrefix(module, libraryPrefix)), true
	case strings.HasPrefix(from, libraryPrefix):
		return "", false
	case strings.HasPrefix(module, "//"):
		return filepath.Join(w.Root, filepath.FromSlash(module[2:])), true
	case strings.HasPrefix(module, "./"), strings.HasPrefix(module, "../"):
		return filepath.Join(filepath.Dir(from), filepath.FromSlash(module)), true
	}
	return "", false
}
