package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"rig/runtime/fault"
)

// expand turns folders and globs into files, in order and each once. A name that is no glob stays as it is: that it does not
// exist is told when it is loaded.
func expand(paths []string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	add := func(p string) {
		p = filepath.Clean(p)
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	for _, p := range paths {
		found, err := expandOne(p)
		if err != nil {
			return nil, err
		}
		for _, f := range found {
			add(f)
		}
	}
	return out, nil
}

// present refuses paths of files that are not there, for who would hear of it only when the files load.
func present(paths []string) error {
	files, err := expand(paths)
	if err != nil {
		return err
	}
	for _, f := range files {
		if _, err := os.Stat(f); errors.Is(err, fs.ErrNotExist) {
			return &exitError{exitLoad, fmt.Errorf("%s: no such file%s", f, meantFile(f))}
		}
	}
	return nil
}

// meantFile guesses which script beside a file that is not there was meant; the endings, which all have, make no two names alike.
func meantFile(name string) string {
	dir, base := filepath.Split(name)
	found, _ := filepath.Glob(dir + "*.star") // where the folder's name is no pattern there is no guess
	var stems []string
	for _, f := range found {
		stems = append(stems, strings.TrimSuffix(filepath.Base(f), ".star"))
	}
	near := fault.Suggest(strings.TrimSuffix(base, ".star"), stems)
	if near == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", dir+near+".star")
}

func expandOne(p string) ([]string, error) {
	if info, err := os.Stat(p); err == nil {
		if info.IsDir() {
			return starFiles(p)
		}
		return []string{p}, nil
	}
	if !strings.ContainsAny(p, "*?[{") {
		return []string{p}, nil
	}
	found, err := doublestar.FilepathGlob(p, doublestar.WithFilesOnly())
	if err != nil {
		return nil, usage("%s: %v", p, err)
	}
	found = slices.DeleteFunc(found, func(f string) bool { return filepath.Ext(f) != ".star" })
	if len(found) == 0 {
		return nil, usage("%s matches no .star file", p)
	}
	slices.Sort(found)
	return found, nil
}

// starFiles lists the scripts under a folder; hidden folders are left out.
func starFiles(dir string) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != dir && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		if !d.IsDir() && filepath.Ext(path) == ".star" {
			out = append(out, path)
		}
		return nil
	})
	if err != nil {
		return nil, usage("%v", err)
	}
	return out, nil
}
