package repl

import (
	"regexp"
	"strings"

	"rig/runtime/script"
)

// after is what is known of what follows a text.
type after uint8

const (
	pending after = iota // more has arrived, or will
	paused               // a person has pressed Enter, and nothing more has arrived
	ended                // there is nothing more
)

// cutter cuts what was typed, pasted or piped into inputs. A semicolon ends SQL; without one it ends with its line only where the next
// line cannot belong to it, or a person waits for it to run.
type cutter struct {
	delimiter string // ";" unless DELIMITER says another
	known     func(name string) bool
	typed     bool // by a person: what hits every row of a table needs its semicolon
}

// delimiting fits the mysql client's command of that name.
var delimiting = regexp.MustCompile(`^\s*(?i:delimiter)\s+(\S+)\s*$`)

// take cuts the first input off a text, whose lines are whole. Without one, more must come.
func (c *cutter) take(text string, then after) (input, rest string, ok bool) {
	for strings.Contains(text, "\n") && strings.TrimSpace(text[:strings.IndexByte(text, '\n')]) == "" {
		text = text[strings.IndexByte(text, '\n')+1:]
	}
	if strings.TrimSpace(text) == "" {
		return "", "", false
	}
	line, _, _ := strings.Cut(text, "\n")
	end := 0
	switch {
	case strings.HasPrefix(strings.TrimSpace(line), ":"), strings.HasPrefix(line, "#"), delimiting.MatchString(line):
		end, ok = lineEnd(text, 0), true
	case beginsSQL(line, c.known) || otherStatement(text):
		end, ok = c.sql(text, then)
	default:
		end, ok = c.script(text, then)
	}
	if !ok {
		return "", text, false
	}
	return strings.TrimRight(text[:end], " \t\n"), text[end:], true
}

// lineEnd is behind the line in which a place is.
func lineEnd(text string, at int) int {
	if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n + 1
	}
	return len(text)
}

// otherStatement reports whether a text that is no script begins with a statement whose verb is unknown: a line ends with a semicolon.
func otherStatement(text string) bool {
	line, rest, _ := strings.Cut(text, "\n")
	if script.Parses(line+"\n") || script.Open(line+"\n") {
		return false
	}
	for next := line; ; next, rest, _ = strings.Cut(rest, "\n") {
		if t := strings.TrimSpace(next); strings.HasSuffix(t, ";") || strings.HasSuffix(t, `\G`) {
			return true
		}
		if rest == "" {
			return false
		}
	}
}

// sql finds where an input of SQL ends: at the end of a line.
func (c *cutter) sql(text string, then after) (end int, ok bool) {
	s := newScanner(text, c.delimiter)
	for {
		p := s.statement()
		if !p.ended {
			return c.unended(text, p.from, then)
		}
		if end, ok := c.unended(text[:s.at], p.from, pending); ok && end < p.to {
			return end, true // the semicolon is another statement's
		}
		stop := lineEnd(text, s.at)
		if left := text[s.at:stop]; len(Statements(left, c.delimiter)) == 0 && !opensComment(left) {
			return stop, true
		}
	}
}

// opensComment reports whether a comment begins that goes over lines.
func opensComment(line string) bool {
	return strings.Contains(line, "/*") && !strings.Contains(line, "*/")
}

// unended finds the line with which a statement ends that has no semicolon.
func (c *cutter) unended(text string, from int, then after) (end int, ok bool) {
	for end = lineEnd(text, from); ; end = lineEnd(text, end) {
		line, known := nextLine(text[end:])
		switch {
		case onlyComments(text[from:end]):
			return end, true
		case known:
			if p, needs := c.needs(text[from:end]); !needs && !p.follows(line, c.known) {
				return end, true
			}
		case then == ended:
			return len(text), true
		case then == paused:
			_, needs := c.needs(text[from:end])
			return len(text), !needs
		default:
			return len(text), false
		}
	}
}

// onlyComments reports whether a text has nothing else, and the last has ended.
func onlyComments(sql string) bool {
	if t := strings.TrimSpace(sql); !strings.HasPrefix(t, "--") && !strings.HasPrefix(t, "/*") {
		return false
	}
	p := newScanner(sql, "").statement()
	return len(p.tokens) == 0 && !p.open && !p.ended
}

// nextLine is the first that has more than blanks.
func nextLine(text string) (line string, known bool) {
	for next := range strings.Lines(text) {
		if strings.TrimSpace(next) != "" {
			return strings.TrimRight(next, "\r\n"), true
		}
	}
	return "", false
}

// needs reports whether a statement without its semicolon must go on.
func (c *cutter) needs(sql string) (p piece, needs bool) {
	t := strings.TrimRight(sql, " \t\r\n")
	if strings.HasSuffix(t, ",") || strings.HasSuffix(t, "(") || strings.HasSuffix(t, `\`) || c.delimiter != ";" {
		return p, true // wherever it stands
	}
	p = newScanner(sql, c.delimiter).statement()
	return p, p.unfinished() || c.typed && p.hitsAll()
}

// script finds where an input of a script ends. An empty line ends a block, unless what follows it is indented.
func (c *cutter) script(text string, then after) (end int, ok bool) {
	for end = lineEnd(text, 0); ; end = lineEnd(text, end) {
		line, known := nextLine(text[end:])
		if known && strings.TrimLeft(line, " \t") != line {
			continue
		}
		src := strings.TrimRight(text[:end], " \t\n") + "\n"
		if !script.Open(src) {
			return end, true
		}
		block := !script.Open(src + "\n")
		switch {
		case known:
			if block && startsAnew(line) {
				return end, true
			}
		case then == ended:
			return len(text), true
		case then == paused:
			return len(text), block && emptyLast.MatchString(text)
		default:
			return len(text), false
		}
	}
}

// emptyLast fits a text whose last line is empty.
var emptyLast = regexp.MustCompile(`\n[ \t]*\n$`)

// startsAnew reports whether a line is no part of the block before it: a file of inputs needs no empty lines between blocks.
func startsAnew(line string) bool {
	if line == "" || strings.ContainsAny(line[:1], " \t)]}#") {
		return false
	}
	word := line
	if i := strings.IndexAny(line, " :("); i >= 0 {
		word = line[:i]
	}
	return word != "else" && word != "elif"
}
