// Package cover says which statements of scripts ran.
//
// The script host counts into [File]s; [Write] makes a report of them: text, HTML or LCOV.
package cover

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// File is a source with its counts.
type File struct {
	Path       string
	Source     string
	Statements []Statement // in source order
	Branches   []Branch    // in source order
}

// Statement is one statement and how often it began. Col and Line count from 1.
type Statement struct {
	Line, Col int
	Last      int    // its last line; of a block's head, the head's
	Func      string // the function that it is in, "" at the top level
	First     bool   // of its function
	Count     uint64
}

// Branch is a condition and how often it came out either way.
type Branch struct {
	Line, Col int
	Kind      string // "if", "while", "x if c", "for if"
	True      uint64
	False     uint64
}

// Totals sums a file up.
type Totals struct{ Statements, Ran, Branches, Taken int }

// Totals of the file. Each condition is two branches.
func (f *File) Totals() Totals {
	t := Totals{Statements: len(f.Statements), Branches: 2 * len(f.Branches)}
	for _, s := range f.Statements {
		if s.Count > 0 {
			t.Ran++
		}
	}
	for _, b := range f.Branches {
		for _, n := range []uint64{b.True, b.False} {
			if n > 0 {
				t.Taken++
			}
		}
	}
	return t
}

func (t Totals) add(o Totals) Totals {
	return Totals{t.Statements + o.Statements, t.Ran + o.Ran, t.Branches + o.Branches, t.Taken + o.Taken}
}

// percent of a part, in words: a file without branches has no share of them.
func percent(part, all int) string {
	if all == 0 {
		return "-"
	}
	return fmt.Sprintf("%.1f%%", 100*float64(part)/float64(all))
}

// Formats lists the reports with the endings of files that choose them.
func Formats() []string { return []string{"text", "html", "lcov"} }

// FormatOf chooses a report by a file's name; text where the ending says nothing.
func FormatOf(path string) string {
	switch path = strings.ToLower(path); {
	case strings.HasSuffix(path, ".html"), strings.HasSuffix(path, ".htm"):
		return "html"
	case strings.HasSuffix(path, ".info"), strings.HasSuffix(path, ".lcov"):
		return "lcov"
	}
	return "text"
}

// Write makes a report of the files, in the order of their paths.
func Write(w io.Writer, format string, files []File) error {
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Path, b.Path) })
	switch format {
	case "text":
		return writeText(w, files)
	case "html":
		return writeHTML(w, files)
	case "lcov":
		return writeLCOV(w, files)
	}
	return fmt.Errorf("there is no coverage format %q: %s", format, strings.Join(Formats(), ", "))
}

// ranges folds the lines of statements that did not run: "3, 7-9".
func (f *File) missing() string {
	state := map[int]int{} // 1 ran, 2 did not
	last := 0
	for _, s := range f.Statements {
		for l := s.Line; l <= s.Last; l++ {
			if s.Count == 0 {
				state[l] = 2
			} else if state[l] == 0 {
				state[l] = 1
			}
			last = max(last, l)
		}
	}
	var out []string
	for l := 1; l <= last; l++ {
		if state[l] != 2 {
			continue
		}
		from := l
		// Lines without a statement between two that did not run belong to the gap.
		for next := l + 1; next <= last && state[next] != 1; next++ {
			if state[next] == 2 {
				l = next
			}
		}
		if from == l {
			out = append(out, fmt.Sprint(from))
		} else {
			out = append(out, fmt.Sprintf("%d-%d", from, l))
		}
	}
	return strings.Join(out, ", ")
}

// half lists the conditions that came out one way only.
func (f *File) half() string {
	var out []string
	for _, b := range f.Branches {
		switch {
		case b.True == 0 && b.False > 0:
			out = append(out, fmt.Sprintf("%d never true", b.Line))
		case b.False == 0 && b.True > 0:
			out = append(out, fmt.Sprintf("%d never false", b.Line))
		}
	}
	return strings.Join(out, ", ")
}
