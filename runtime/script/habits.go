package script

import (
	"fmt"
	"regexp"
	"strings"
)

// pythonNames are functions that people from Python miss, with what stands in their place.
var pythonNames = map[string]string{
	"sum":        "Starlark has no sum: total = 0, then for x in values: total += x; or SELECT SUM(...)",
	"open":       "Starlark has no open: data.csv(path) reads a file beside the script, conn.load_data(table, path) loads one",
	"round":      "Starlark has no round: math.round(x)",
	"pow":        "Starlark has no pow: math.pow(x, y)",
	"isinstance": `Starlark has no isinstance: type(x) == "int"`,
	"map":        "Starlark has no map: [f(x) for x in values]; task.map(f, values) runs them concurrently",
	"filter":     "Starlark has no filter: [x for x in values if f(x)]",
	"callable":   `Starlark has no callable: type(x) == "function"`,
	"input":      "a scenario asks nobody: name = param(\"name\", default = ...) makes a flag",
	"iter":       "Starlark has no iterators: use a list, or a counter",
	"next":       "Starlark has no iterators: use a list, or a counter",
	"Exception":  "Starlark has no exceptions: r = try_(fn, ...) gives an error as a value, fail(\"message\") raises one",
}

// opensBlock are the words whose line ends with a colon.
var opensBlock = regexp.MustCompile(`^(def|if|elif|else|for|while)\b`)

const noTypes = "Starlark has no type annotations: write the name alone"

// structure gives a hint for what the parser missed or met where it stands; code is the line, without its indent.
func structure(code, src, msg string, line int) string {
	switch block := opensBlock.FindString(code); {
	case strings.HasPrefix(msg, "unexpected input character '@'"):
		return "Starlark has no decorators: test(test_x, tags = [...]) below a test annotates it"
	case block == "def" && (strings.HasPrefix(msg, "got ':', want ')'") || strings.HasPrefix(msg, "got ':', want ','") || strings.HasPrefix(msg, "got '-', want ':'")):
		return noTypes
	case block == "" && strings.HasPrefix(msg, "got ':', want newline"):
		return noTypes
	case block != "" && block != "def" && strings.HasPrefix(msg, "got '=', want ':'"):
		return "compare with =="
	}
	if open, at := unclosed(src); at > 0 && at <= line {
		return fmt.Sprintf("the %q of line %d is not closed", open, at)
	}
	if strings.Contains(msg, "want ':'") {
		if opensBlock.MatchString(code) {
			return "the line that opens a block ends with a colon"
		}
		return "the entries of a dict are key: value"
	}
	return ""
}

// unclosed finds the last bracket that nothing closes, and its line; 0 where each has its partner.
func unclosed(src string) (open string, line int) {
	type bracket struct {
		open string
		line int
	}
	var stack []bracket
	at := 1
	for i := 0; i < len(src); {
		n := 1
		switch c := src[i]; c {
		case '#':
			n = len(src[i:])
			if end := strings.IndexByte(src[i:], '\n'); end >= 0 {
				n = end
			}
		case '"', '\'':
			n = quoted(src[i:])
		case '(', '[', '{':
			stack = append(stack, bracket{string(c), at})
		case ')', ']', '}':
			if len(stack) > 0 && strings.Contains("() [] {}", stack[len(stack)-1].open+string(c)) {
				stack = stack[:len(stack)-1]
			}
		}
		at += strings.Count(src[i:i+n], "\n")
		i += n
	}
	if len(stack) == 0 {
		return "", 0
	}
	last := stack[len(stack)-1]
	return last.open, last.line
}

// quoted measures the text literal that s begins with; one that does not end on its line ends there, unless it has three quotes.
func quoted(s string) int {
	q := s[:1]
	if strings.HasPrefix(s, q+q+q) {
		q = s[:3]
	}
	for i := len(q); i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case strings.HasPrefix(s[i:], q):
			return i + len(q)
		case s[i] == '\n' && len(q) == 1:
			return i
		}
	}
	return len(s)
}

// reserved tells that a word of the language stands where a name belongs: the parser names the place after it.
func (e *Error) reserved(line string) {
	i := strings.Index(line, "load")
	if !strings.HasSuffix(e.Msg, "not an identifier") || i < 0 || int(e.Pos.Col) <= i {
		return
	}
	e.Msg, e.Pos.Col = "syntax error: load is a word of the language", int32(len([]rune(line[:i])))+1
	e.Hint = "give it another name"
	if strings.HasPrefix(strings.TrimSpace(line), "def ") {
		e.Hint = "give the function another name"
	}
}
