package source

import (
	"errors"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/script"
)

// Chunk is a piece of a text: a statement at its top level with what belongs to it.
type Chunk struct {
	Line int // of its first line, from 1
	Text string
}

// Chunks cuts a text at the lines that begin a statement of the top level. It looks at lines and quotes only, so that it
// works on text that does not parse; a def or load at the margin ends a string of three quotes that was never closed.
func Chunks(text string) []Chunk {
	var out []Chunk
	var b strings.Builder
	begun, quote := 1, ""
	for i, line := range strings.SplitAfter(text, "\n") {
		if begins(line, quote) && b.Len() > 0 {
			out = append(out, Chunk{begun, b.String()})
			b.Reset()
			begun, quote = i+1, ""
		}
		b.WriteString(line)
		quote = quoteAfter(line, quote)
	}
	return append(out, Chunk{begun, b.String()})
}

// begins reports whether a line starts a statement at the margin.
func begins(line, quote string) bool {
	if quote != "" {
		return strings.HasPrefix(line, "def ") || strings.HasPrefix(line, "load(")
	}
	if line == "" || strings.ContainsRune(" \t\r\n#)]},", rune(line[0])) {
		return false
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return false // blanks that are none of the language, such as a form feed
	}
	word := strings.TrimRight(words[0], ":")
	return word != "else" && word != "elif"
}

// quoteAfter follows strings of three quotes: it gives the quotes that are open behind the line.
func quoteAfter(line, quote string) string {
	for i := 0; i < len(line); i++ {
		if quote != "" {
			if line[i] == '\\' {
				i++
			} else if strings.HasPrefix(line[i:], quote) {
				i += len(quote) - 1
				quote = ""
			}
			continue
		}
		switch c := line[i]; {
		case c == '#':
			return ""
		case c == '"' || c == '\'':
			q := string(c)
			if strings.HasPrefix(line[i:], q+q+q) {
				quote, i = q+q+q, i+2
			} else {
				i = closing(line, i)
			}
		}
	}
	return quote
}

// closing finds the end of a string of one line, the line's end where it has none.
func closing(line string, i int) int {
	for j := i + 1; j < len(line); j++ {
		switch line[j] {
		case '\\':
			j++
		case line[i]:
			return j
		}
	}
	return len(line)
}

// pieces reads a text that does not parse as a whole. A piece that does not parse either is mended, and gives its first error.
func (f *File) pieces(name, text string, whole error) {
	out := &syntax.File{Path: name, Options: script.Dialect()}
	var errs []*script.Error
	for _, c := range Chunks(text) {
		part, err := parseChunk(name, c)
		if err != nil {
			errs = append(errs, chunkError(name, c, err))
			part = f.mend(name, c, err)
		}
		if part != nil {
			out.Stmts = append(out.Stmts, part.Stmts...)
		}
	}
	if e := new(script.Error); len(errs) == 0 && errors.As(whole, &e) { // such as text that is not UTF-8
		errs = append(errs, e)
	}
	f.Tree, f.Errors = out, errs
}

func parseChunk(name string, c Chunk) (*syntax.File, error) {
	return script.Dialect().Parse(name, syntax.FilePortion{Content: []byte(c.Text), FirstLine: int32(c.Line), FirstCol: 1}, syntax.RetainComments)
}

// chunkError puts the error of a piece into rig's words: those that a load would use for the text up to it.
func chunkError(name string, c Chunk, err error) *script.Error {
	_, again := script.Parse(name, strings.Repeat("\n", c.Line-1)+c.Text)
	var e *script.Error
	if errors.As(again, &e) {
		return e
	}
	return &script.Error{Msg: err.Error()}
}

// maxMends bounds the lines that are mended in one piece.
const maxMends = 12

// mend parses a broken piece: the line at fault is put right where there is a way, else it is left out. nil when nothing helps.
func (f *File) mend(name string, c Chunk, err error) *syntax.File {
	lines := strings.SplitAfter(c.Text, "\n")
	for range maxMends {
		at := faulty(lines, c, err)
		if at < 0 {
			return nil
		}
		f.mended[int32(c.Line+at)] = true
		whole, mended, next := mendLine(name, c, lines, at)
		if whole != nil {
			return whole
		}
		lines, err = mended, next
	}
	return nil
}

// faulty gives the index of the line that an error is about: the last one with text, up to where the parser stopped.
func faulty(lines []string, c Chunk, err error) int {
	var se syntax.Error
	if !errors.As(err, &se) {
		return -1
	}
	at := min(int(se.Pos.Line)-c.Line, len(lines)-1)
	if open := unclosed(lines[:at+1]); open >= 0 && open < at {
		return open
	}
	if se.Pos.Col <= 1 || strings.HasPrefix(se.Msg, "got newline") || strings.HasPrefix(se.Msg, "got outdent") || strings.HasPrefix(se.Msg, "got end of file") {
		for at > 0 && (strings.TrimSpace(lines[at]) == "" || se.Pos.Col <= 1 && at == int(se.Pos.Line)-c.Line) {
			at--
		}
	}
	return at
}

// unclosed gives the index of the line whose bracket is still open behind the lines, -1 when there is none.
func unclosed(lines []string) int {
	var stack []int
	quote := ""
	for n, line := range lines {
		if quote == "" {
			opened, closed := brackets(line)
			stack = stack[:max(0, len(stack)-closed)]
			for range opened {
				stack = append(stack, n)
			}
		}
		quote = quoteAfter(line, quote)
	}
	if len(stack) == 0 {
		return -1
	}
	return stack[len(stack)-1]
}

// brackets counts the brackets that a line opens and leaves open, and those that it closes for lines before it.
func brackets(line string) (opened, closed int) {
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '#':
			return opened, closed
		case '"', '\'':
			i = closing(line, i)
		case '(', '[', '{':
			opened++
		case ')', ']', '}':
			if opened > 0 {
				opened--
			} else {
				closed++
			}
		}
	}
	return opened, closed
}

// mendLine tries the ways to put one line right. Of those that do not, the one with which the parser comes furthest is kept.
func mendLine(name string, c Chunk, lines []string, at int) (f *syntax.File, best []string, bestErr error) {
	furthest := -1
	for _, candidate := range mends(lines, at) {
		text := strings.Join(candidate, "")
		f, err := parseChunk(name, Chunk{c.Line, text})
		if err == nil {
			return f, nil, nil
		}
		var se syntax.Error
		if errors.As(err, &se) && int(se.Pos.Line) > furthest {
			furthest, best, bestErr = int(se.Pos.Line), candidate, err
		}
	}
	return nil, best, bestErr
}

// mends lists what a line may become, the least change first. Positions of what stays do not move.
func mends(lines []string, at int) [][]string {
	line := strings.TrimRight(lines[at], " \t\r\n")
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	with := func(text string) []string {
		out := append([]string{}, lines...)
		out[at] = text + "\n"
		return out
	}
	var out [][]string
	closed := line + closers(line)
	for _, tail := range []string{"", Hole, " " + Hole, Hole + ")", ":", ": pass", Hole + ": pass", "(): pass", " " + Hole + " in " + Hole + ": pass"} {
		out = append(out, with(line+tail+closers(line+tail)))
		if strings.HasSuffix(tail, "pass") {
			out = append(out, with(line+closers(line)+tail))
		}
	}
	if i := strings.LastIndexAny(closed, ".,="); i > 0 && closed[i:] != closed { // the last piece is half typed
		out = append(out, with(closed[:i]+closers(closed[:i])))
	}
	out = append(out, with(indent+"pass"))
	if strings.HasSuffix(strings.TrimSpace(strings.Join(lines[:at], "")), ":") || at == 0 {
		out = append(out, with(indent+"if "+Hole+":"))
	}
	return append(out, with(""))
}

// Hole is the name that stands where something is still missing.
const Hole = "_missing_"

// closers gives the quotes and brackets that a line leaves open, in the order that closes them.
func closers(line string) string {
	var stack []byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; c {
		case '#':
			return reversed(stack)
		case '"', '\'':
			end := closing(line, i)
			if end >= len(line) {
				return string(c) + reversed(stack)
			}
			i = end
		case '(':
			stack = append(stack, ')')
		case '[':
			stack = append(stack, ']')
		case '{':
			stack = append(stack, '}')
		case ')', ']', '}':
			if len(stack) > 0 {
				stack = stack[:len(stack)-1]
			}
		}
	}
	return reversed(stack)
}

func reversed(b []byte) string {
	var out strings.Builder
	for i := len(b) - 1; i >= 0; i-- {
		out.WriteByte(b[i])
	}
	return out.String()
}
