package lsp

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
)

// The bounds of a search through the files of a project, for an answer to come while its reader waits.
const (
	maxScripts = 1000
	maxEntries = 10_000 // of folders
)

// each calls fn with every other script of the project that has a word and loads something, and with the one at origin, until fn says false. The project is the
// folder that the editor has open, else that of the nearest rig.toml. The caller holds mu.
func (s *server) each(v *view, origin, word string, fn func(in *view) bool) {
	root := s.top(v)
	paths, whole := scripts(root)
	for _, d := range s.docs {
		if !slices.Contains(paths, d.path) {
			paths = append(paths, d.path)
		}
	}
	slices.Sort(paths)
	if !whole {
		_ = s.rpc.Notify(s.ctx, "window/logMessage", messageParams{2, fmt.Sprintf("%s has many files: not all of them were searched for %s", root, word)}) // the editor may be gone
	}
	for _, path := range paths {
		if path == v.path {
			continue
		}
		space := s.space(path)
		text, ok := space.Text(path)
		if !ok || !strings.Contains(text, word) || path != origin && !strings.Contains(text, "load(") {
			continue
		}
		in := &view{document: &document{uri: uriOf(path), path: path, text: text}, file: space.File(path), space: space, server: s}
		if in.file != nil && !fn(in) {
			return
		}
	}
}

// top is the folder whose files may load the view's.
func (s *server) top(v *view) string {
	best := v.space.Root
	for _, f := range s.folders {
		if rel, err := filepath.Rel(f, best); err == nil && filepath.IsLocal(rel) {
			best = f
		}
	}
	return best
}

// scripts lists the scripts under a folder, without those of hidden folders; whole is false when there are more.
func scripts(root string) (paths []string, whole bool) {
	seen := 0
	whole = true
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error { // what cannot be read has nothing to say
		seen++
		switch {
		case seen > maxEntries, len(paths) == maxScripts:
			whole = false
			return fs.SkipAll
		case err != nil:
			return nil
		case d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules"):
			return fs.SkipDir
		case d.Type().IsRegular() && filepath.Ext(path) == ".star":
			paths = append(paths, path)
		}
		return nil
	})
	return paths, whole
}
