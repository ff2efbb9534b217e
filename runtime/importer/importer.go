// Package importer turns test cases of other tools into scenarios.
//
// Import reads one file of a kind that Kinds lists and gives the text of a .star file. Each kind has a parser of its own; all
// but mysqltest make the same small tree (tree.go: tests of sessions with steps, orders, and what must be seen), from which
// write.go makes a call of interleave. A mysqltest file is a program, so it becomes straight code with sessions and pending
// statements. What could not be translated is never dropped in silence: it stands as a comment in the text, and in the list of
// notes.
package importer

import (
	"bytes"
	"fmt"
	"path"
	"sort"
	"strings"
	"unicode/utf8"
)

// Kind is a kind of file that can be imported.
type Kind struct {
	Name  string
	Reads string // what it is, in one line
	parse func(*reader) ([]test, error)
	// foreign says that the SQL is another server's.
	foreign bool
}

// Kinds lists what Import reads. The caller owns the result.
func Kinds() []Kind {
	return []Kind{
		{"isolationtester", "specifications of PostgreSQL's isolationtester (.spec)", parseSpec, true},
		{"mysqltest", "tests of MySQL's and MariaDB's mysqltest (.test), with the recorded .result beside it", nil, false},
		{"hermitage", "Markdown with cases in the manner of Hermitage", parseHermitage, false},
		{"troc", "cases of Troc: a table, two transactions, a submitted order", parseTroc, false},
		{"session", "a transcript with a prompt for each connection", parseTranscript, false},
	}
}

// Source is a file to import.
type Source struct {
	Name string // as it is shown in errors
	Text []byte
	// Beside reads another file by its path relative to this one, for recorded results; nil says that there is none.
	Beside func(path string) ([]byte, error)
}

// Note is something that was not translated.
type Note struct {
	Line, Col int
	What      string
}

// Scenario is what became of a file.
type Scenario struct {
	Text         string
	Tests        int
	Permutations int // how many orders the tests run all in all; mysqltest has none
	Notes        []Note
}

// Error is a place that a parser does not understand.
type Error struct {
	File      string
	Line, Col int // from 1; columns are characters
	Msg       string
}

func (e *Error) Error() string { return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Col, e.Msg) }

// Bounds. A scenario file may have 1 MiB (runtime/script); a source is read as a whole.
const (
	MaxSource = 64 << 20 // bytes of a source
	maxScript = 1 << 20
)

// Import reads a file of a kind. An unknown kind is a mistake of the caller, who has Kinds.
func Import(kind string, src Source) (*Scenario, error) {
	r, err := newReader(src)
	if err != nil {
		return nil, err
	}
	out := &Scenario{}
	for _, k := range Kinds() {
		if k.Name != kind {
			continue
		}
		if k.parse == nil {
			err = importMysqltest(r, out)
		} else {
			err = importTests(k, r, out)
		}
		if err != nil {
			return nil, err
		}
		if len(out.Text) > maxScript {
			return nil, tooLong(src.Name, len(out.Text))
		}
		sort.SliceStable(out.Notes, func(i, j int) bool { return out.Notes[i].Line < out.Notes[j].Line })
		return out, nil
	}
	return nil, fmt.Errorf("there is no kind %q", kind)
}

func tooLong(name string, n int) error {
	return fmt.Errorf("%s: the scenario would have at least %d bytes, and a scenario file may have %d: import it in pieces", name, n, maxScript)
}

// sqlBytes is how long the statements of tests are.
func sqlBytes(tests []test) int {
	n := 0
	for _, t := range tests {
		for _, s := range t.sessions {
			for _, st := range s.steps {
				for _, q := range st.sql {
					n += len(q.sql)
				}
			}
		}
	}
	return n
}

func importTests(k Kind, r *reader, out *Scenario) error {
	tests, err := k.parse(r)
	if err != nil {
		return err
	}
	if len(tests) == 0 {
		return r.errorAt(len(r.text), "no test was found: want %s", k.Reads)
	}
	if n := sqlBytes(tests); n > maxScript { // before it is all written
		return tooLong(r.name, n)
	}
	if k.foreign {
		for i := range tests {
			dialect(&tests[i])
		}
	}
	uniqueNames(tests)
	tests[0].notes = append(r.notes, tests[0].notes...)
	for i := range tests {
		n, err := tests[i].permutations()
		if err != nil {
			return fmt.Errorf("%s:%d: %w", r.name, tests[i].line, err)
		}
		out.Permutations += n
		if len(tests[i].orders) == 0 && n > manyPermutations {
			tests[i].notes = append(tests[i].notes, Note{tests[i].line, 1, fmt.Sprintf("all %d permutations are too many for one test, so a sample of %d runs", n, sampled)})
		}
		out.Notes = append(out.Notes, tests[i].allNotes()...)
	}
	out.Tests = len(tests)
	out.Text = writeTests(k.Name, r.name, tests)
	return nil
}

// reader is a source with places for errors.
type reader struct {
	name   string
	text   string
	lines  []int  // where each line begins
	notes  []Note // of the file as a whole
	beside func(string) ([]byte, error)
}

func newReader(src Source) (*reader, error) {
	if len(src.Text) > MaxSource {
		return nil, fmt.Errorf("%s has more than the %d bytes that are read", src.Name, MaxSource)
	}
	text := bytes.TrimPrefix(src.Text, []byte("\xef\xbb\xbf"))
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return nil, fmt.Errorf("%s: byte %d is zero: this is not a text file", src.Name, i)
	}
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, &Error{src.Name, 1, 1, "the file is empty"}
	}
	r := &reader{name: src.Name, text: strings.ReplaceAll(string(text), "\r\n", "\n"), beside: src.Beside}
	foreign := -1
	if !utf8.ValidString(r.text) { // a scenario file is UTF-8
		valid := strings.ToValidUTF8(r.text, "?")
		for foreign = 0; r.text[foreign] == valid[foreign]; foreign++ {
		}
		r.text = valid
	}
	r.lines = []int{0}
	for i := 0; i < len(r.text); i++ {
		if r.text[i] == '\n' {
			r.lines = append(r.lines, i+1)
		}
	}
	if foreign >= 0 {
		r.notes = append(r.notes, r.note(foreign, "here and maybe further on are bytes that are not UTF-8; each became ?"))
	}
	return r, nil
}

// base is the file's name without folder and ending.
func (r *reader) base() string {
	b := path.Base(strings.ReplaceAll(r.name, `\`, "/"))
	return strings.TrimSuffix(b, path.Ext(b))
}

// place gives line and column of a byte.
func (r *reader) place(at int) (line, col int) {
	line = sort.Search(len(r.lines), func(i int) bool { return r.lines[i] > at })
	return line, 1 + utf8.RuneCountInString(r.text[r.lines[line-1]:at])
}

func (r *reader) errorAt(at int, format string, args ...any) error {
	line, col := r.place(at)
	return &Error{r.name, line, col, fmt.Sprintf(format, args...)}
}

func (r *reader) note(at int, format string, args ...any) Note {
	line, col := r.place(at)
	return Note{line, col, fmt.Sprintf(format, args...)}
}

// eachLine calls f with every line and the byte where it begins.
func (r *reader) eachLine(f func(at int, line string) error) error {
	for i, at := range r.lines {
		end := len(r.text)
		if i+1 < len(r.lines) {
			end = r.lines[i+1] - 1
		} else if at == len(r.text) {
			break // behind the last newline
		}
		if err := f(at, r.text[at:end]); err != nil {
			return err
		}
	}
	return nil
}
