package config

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"rig/runtime/event"
)

// maxFile is the largest configuration file, in bytes.
const maxFile = 1 << 20

// maxKeys bounds the keys of a file and with them the time that looking for suggestions takes.
const maxKeys = 10_000

// fileName is the file that is looked for from the working folder upwards.
const fileName = "rig.toml"

// layer is what one table of settings gives.
type layer struct {
	settings map[string]Value
	params   map[string]Value // by their names in scripts
}

func newLayer() layer { return layer{settings: map[string]Value{}, params: map[string]Value{}} }

// file is one configuration file, read and checked.
type file struct {
	name  string // as the user knows it
	dir   string // its folder, absolute: what relative paths in it start from
	data  []byte
	lines []int // where each line begins
	json  bool
	keys  int
	cut   bool // the reading ended at a syntax error: what is missing may follow
	root  *node

	layer
	profiles map[string]layer
	targets  map[string]Target
	broken   map[string]bool // targets with a problem

	problems []*Problem
	more     int
	spots    []spot // where the problems are
	secrets  []span // what no excerpt may show
}

// spot is the place of a problem, for its excerpt.
type spot struct {
	problem *Problem
	at      span
	syntax  bool // the line did not parse, so that what is secret in it must be guessed
}

// readFile reads and checks a file. What is wrong with it is in its problems.
func readFile(path, name string) *file {
	f := &file{name: name, json: strings.EqualFold(filepath.Ext(path), ".json")}
	if abs, err := filepath.Abs(path); err == nil {
		f.dir = filepath.Dir(abs)
	}
	data, p := readBounded(path)
	if p == nil {
		p = otherFormat(path)
	}
	if p != nil {
		p.Where, p.Pos = name, event.Pos{File: name}
		f.problems = append(f.problems, p)
		return f
	}
	f.parse(data)
	return f
}

// parse reads and checks the file's content.
func (f *file) parse(data []byte) {
	f.layer, f.profiles = newLayer(), map[string]layer{}
	f.targets, f.broken = map[string]Target{}, map[string]bool{}
	f.data = bytes.Clone(bytes.TrimPrefix(data, []byte("\ufeff")))
	f.lines = lineStarts(f.data)
	f.root = &node{shape: shapeTable}
	if at := invalidUTF8(f.data); at >= 0 {
		f.problemBare(span{at, at + 1}, "the file is not UTF-8", "save it as UTF-8")
		return
	}
	if f.json {
		f.readJSON()
	} else {
		f.readTOML()
	}
	f.check()
	f.excerpts()
}

// readBounded reads a regular file of at most maxFile bytes.
func readBounded(path string) ([]byte, *Problem) {
	// Stat first: opening a pipe would wait for its writer.
	info, err := os.Stat(path)
	if err != nil {
		return nil, &Problem{Message: "read the configuration: " + cause(err)}
	}
	switch {
	case info.IsDir():
		return nil, &Problem{Message: "it is a folder, not a configuration file", Hint: "name the file in it"}
	case !info.Mode().IsRegular():
		return nil, &Problem{Message: "it is not a regular file"}
	}
	r, err := os.Open(path)
	if err != nil {
		return nil, &Problem{Message: "read the configuration: " + cause(err)}
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, &Problem{Message: "read the configuration: " + cause(err)}
	}
	if len(data) > maxFile {
		return nil, &Problem{Message: "the file is larger than 1 MiB"}
	}
	return data, nil
}

// otherFormat refuses a file whose name says that it is neither TOML nor JSON.
func otherFormat(path string) *Problem {
	ext := strings.ToLower(filepath.Ext(path))
	switch ext {
	case ".yaml", ".yml", ".ini", ".xml", ".cnf", ".env", ".properties", ".star", ".sql", ".jsonl":
		return &Problem{Message: "a configuration file is TOML or JSON, and this is named " + ext, Hint: "rig config init writes a rig.toml that shows every setting"}
	}
	return nil
}

// formatHint is for a file that is not what its name says.
func (f *file) formatHint() string {
	begin := bytes.TrimSpace(f.data)
	switch {
	case !f.json && bytes.HasPrefix(begin, []byte("{")):
		return "it looks like JSON, which is read from names that end in .json"
	case f.json && (bytes.HasPrefix(begin, []byte("[")) || bytes.HasPrefix(begin, []byte("#")) || bytes.Contains(f.firstLine(), []byte("="))):
		return "it looks like TOML, which is read from names that do not end in .json"
	case !f.json && (bytes.HasPrefix(begin, []byte("---")) || bytes.HasSuffix(f.firstLine(), []byte(":")) || bytes.Contains(f.firstLine(), []byte(": "))):
		return `it looks like YAML: in TOML a setting is written jobs = 2`
	}
	return ""
}

func (f *file) firstLine() []byte {
	line, _, _ := bytes.Cut(bytes.TrimSpace(f.data), []byte("\n"))
	return bytes.TrimSpace(line)
}

// cause is the error without the operation and path, which the problem's place says already.
func cause(err error) string {
	if p, ok := err.(*os.PathError); ok {
		return p.Err.Error()
	}
	return err.Error()
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}

// origin is the place of a key, with the layer that it belongs to.
func (f *file) origin(from string, at span) Origin {
	return Origin{Layer: from, Where: f.pos(at.start).String()}
}

// pos counts lines from 1 and columns in characters from 1.
func (f *file) pos(offset int) event.Pos {
	offset = min(offset, len(f.data))
	line := sort.SearchInts(f.lines, offset+1)
	start := f.lines[line-1]
	return event.Pos{File: f.name, Line: int32(line), Col: int32(utf8.RuneCount(f.data[start:offset]) + 1)}
}

// offset finds a line and column, both from 1, the column in bytes.
func (f *file) offset(line, column int) int {
	line = max(1, min(line, len(f.lines)))
	return max(0, min(f.lines[line-1]+column-1, len(f.data)))
}

// lineStarts gives the offsets at which lines begin; there is always one.
func lineStarts(data []byte) []int {
	starts := []int{0}
	for i, b := range data {
		if b == '\n' {
			starts = append(starts, i+1)
		}
	}
	return starts
}

// problem notes what is wrong at a place, to be shown with its line.
func (f *file) problem(at span, message, hint string) {
	if p := f.problemBare(at, message, hint); p != nil {
		f.spots = append(f.spots, spot{problem: p, at: at})
	}
}

// syntax notes a line that does not parse.
func (f *file) syntax(at span, message string) {
	hint := ""
	if len(f.problems) == 0 {
		hint = f.formatHint()
	}
	if p := f.problemBare(at, message, hint); p != nil {
		f.spots = append(f.spots, spot{problem: p, at: at, syntax: true})
	}
}

// problemBare notes it without the line; nil when there are enough already.
func (f *file) problemBare(at span, message, hint string) *Problem {
	if len(f.problems) >= maxProblems {
		f.more++
		return nil
	}
	pos := f.pos(at.start)
	p := &Problem{Where: pos.String(), Pos: pos, Message: message, Hint: hint}
	f.problems = append(f.problems, p)
	return p
}

// tooMany notes that the file has too many keys, once; the reading ends then.
func (f *file) tooMany() bool {
	if f.keys <= maxKeys {
		return false
	}
	if !f.cut {
		f.cut = true
		f.problemBare(span{}, "the file has more than "+strconv.Itoa(maxKeys)+" keys", "")
	}
	return true
}

// duplicate notes a key that was given before.
func (f *file) duplicate(at span, key string, first span) {
	f.problem(at, fmt.Sprintf("duplicate key %q", clip(key)), fmt.Sprintf("it is also in line %d", f.pos(first.start).Line))
}
