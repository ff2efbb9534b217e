package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/script"
)

// userFile splits "file.star:name"; ok is false for what is no script.
func userFile(arg string) (file, name string, ok bool) {
	if strings.HasSuffix(arg, ".star") {
		return arg, "", true
	}
	i := strings.LastIndex(arg, ".star:")
	if i < 0 {
		return "", "", false
	}
	return arg[:i+len(".star")], strings.TrimPrefix(arg[i+len(".star:"):], ":"), true // as tests are named, too: file.star::test_x
}

// docUserFile prints the doc strings of a script: of the file and its functions, or of one function. Nothing of it runs.
// What begins with _ is the file's own business, and shown by its name only.
func docUserFile(w io.Writer, path, name string) error {
	src, err := os.ReadFile(path)
	if err != nil {
		return usage("%v", err)
	}
	f, err := script.Parse(path, string(src))
	if err != nil {
		return &exitError{exitLoad, err}
	}
	if name == "" {
		fmt.Fprintf(w, "# %s\n", path)
		if doc := script.DocOf(f.Stmts); doc != "" {
			fmt.Fprintf(w, "\n%s\n", doc)
		}
	}
	var names []string
	for _, s := range f.Stmts {
		d, ok := s.(*syntax.DefStmt)
		if !ok {
			continue
		}
		names = append(names, d.Name.Name)
		if name == "" && !strings.HasPrefix(d.Name.Name, "_") || d.Name.Name == name {
			docUserFunc(w, string(src), d)
		}
		if d.Name.Name == name {
			return nil
		}
	}
	if name != "" {
		return usage("%s has no function %q%s", path, name, didYouMean(name, names))
	}
	return nil
}

func docUserFunc(w io.Writer, src string, d *syntax.DefStmt) {
	fmt.Fprintf(w, "\n### `%s`\n", script.Signature(src, d))
	if doc := script.DocOf(d.Body); doc != "" {
		fmt.Fprintf(w, "\n%s\n", unindent(doc))
	}
}

// unindent takes from each further line of a doc string the blanks that all of them begin with.
func unindent(doc string) string {
	lines := strings.Split(doc, "\n")
	least := -1
	for _, l := range lines[1:] {
		if n := len(l) - len(strings.TrimLeft(l, " \t")); strings.TrimSpace(l) != "" && (least < 0 || n < least) {
			least = n
		}
	}
	for i, l := range lines {
		if i > 0 && least > 0 {
			lines[i] = l[min(least, len(l)):]
		}
	}
	return strings.Join(lines, "\n")
}
