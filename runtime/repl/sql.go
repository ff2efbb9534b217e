package repl

import (
	"slices"
	"strings"

	"rig/runtime/schema"
	"rig/runtime/script"
)

// Statement is one of an input. Vertical is \G in place of the semicolon: a line for each column.
type Statement struct {
	SQL      string
	Vertical bool
}

// IsSQL decides what an input is: SQL begins with a verb, or ends with a semicolon and is no script. known tells names that
// have a value: where a verb is a word of scripts, too, it counts only without one.
func IsSQL(text string, known func(name string) bool) bool {
	t := strings.TrimSpace(text)
	if strings.HasPrefix(t, ":") || t == "" {
		return false
	}
	if verb(t, known) {
		return true
	}
	ends := strings.HasSuffix(t, ";") || strings.HasSuffix(t, `\G`)
	return ends && !script.Parses(t+"\n")
}

func verb(t string, known func(name string) bool) bool {
	end := strings.IndexFunc(t, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '_' || r >= '0' && r <= '9')
	})
	word, rest := t, ""
	if end >= 0 {
		word, rest = t[:end], t[end:]
	}
	if !schema.IsVerb(word) {
		return false
	}
	rest = strings.TrimRight(rest, "; \n\t")
	switch {
	case rest == "":
		return word == strings.ToUpper(word) || known == nil || !known(word)
	case rest[0] != ' ' && rest[0] != '\n' && rest[0] != '\t' && rest[0] != '*' && rest[0] != '`' && !(rest[0] == '(' && strings.EqualFold(word, "VALUES")):
		return false
	}
	next := strings.TrimLeft(rest, " \n\t")
	for _, op := range []string{"=", "+=", "-=", ".", "in ", "==", "and ", "or ", "if ", "["} {
		if strings.HasPrefix(next, op) {
			return false
		}
	}
	return true
}

// changes reports whether a statement is one whose number of rows is worth a word when it is none.
func changes(sql string) bool {
	word, _, _ := strings.Cut(strings.ToUpper(sql), " ")
	return slices.Contains([]string{"INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "LOAD"}, word)
}

// More reports whether an input goes on after what was typed until now.
func More(text string) bool {
	t := strings.TrimSpace(text)
	switch {
	case t == "" || strings.HasPrefix(t, ":"):
		return false
	case verb(t, nil):
		return openSQL(t)
	case !script.Parses(text) && strings.HasSuffix(t, ";"):
		return openSQL(t)
	}
	return script.Open(text)
}

// openSQL reports whether a quotation, a comment or a parenthesis has not ended.
func openSQL(text string) bool {
	s := scanner{text: text}
	for s.step() {
	}
	return s.quote != 0 || s.depth > 0 || strings.HasSuffix(text, `\`) && !strings.HasSuffix(text, `\\`)
}

// Statements splits SQL at its semicolons.
func Statements(text string) []Statement {
	var out []Statement
	add := func(sql string, vertical bool) {
		if sql = strings.TrimSpace(strings.ReplaceAll(sql, "\\\n", "\n")); sql != "" {
			out = append(out, Statement{sql, vertical})
		}
	}
	s, from := scanner{text: text}, 0
	for s.step() {
		if s.quote != 0 {
			continue
		}
		switch rest := text[s.at:]; {
		case rest[0] == ';':
			add(text[from:s.at], false)
			from = s.at + 1
		case strings.HasPrefix(rest, `\G`):
			add(text[from:s.at], true)
			from = s.at + 2
		}
	}
	add(strings.TrimLeft(text[min(from, len(text)):], "; "), false)
	return out
}

// scanner goes over SQL byte by byte and knows quotations and comments.
type scanner struct {
	text  string
	at    int // the byte that step has read
	next  int
	quote byte // that is open: ' " ` # (a comment to the line's end) or * (a comment); 0 is none
	depth int
}

func (s *scanner) step() bool {
	if s.next >= len(s.text) {
		if s.quote == '#' {
			s.quote = 0
		}
		return false
	}
	s.at = s.next
	s.next++
	c, rest := s.text[s.at], s.text[s.at:]
	if s.quote != 0 {
		s.inside(c, rest)
		return true
	}
	switch {
	case c == '\'' || c == '"' || c == '`':
		s.quote = c
	case c == '#' || strings.HasPrefix(rest, "-- "):
		s.quote = '#'
	case strings.HasPrefix(rest, "/*"):
		s.quote = '*'
		s.next++
	case c == '(':
		s.depth++
	case c == ')':
		s.depth--
	}
	return true
}

func (s *scanner) inside(c byte, rest string) {
	switch s.quote {
	case '#':
		if c == '\n' {
			s.quote = 0
		}
	case '*':
		if strings.HasPrefix(rest, "*/") {
			s.quote = 0
			s.next++
		}
	default:
		if c == '\\' && s.quote != '`' {
			s.next++
		} else if c == s.quote {
			s.quote = 0
		}
	}
}
