package repl

import (
	"regexp"
	"slices"
	"strings"

	"rig/runtime/script"
)

// first is the word that a statement begins with.
func (p *piece) first() string {
	for _, t := range p.tokens {
		if t != "(" {
			return t
		}
	}
	return ""
}

func (p *piece) has(words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(p.tokens, w) })
}

// defines reports whether it makes something that has a body.
func (p *piece) defines() bool {
	return (p.first() == "CREATE" || p.first() == "ALTER") && p.has("PROCEDURE", "FUNCTION", "TRIGGER", "EVENT", "PACKAGE")
}

// goOn are words and marks that no statement ends with.
var goOn = strings.Fields(`SELECT FROM WHERE AND OR NOT XOR SET VALUES INTO BY ON AS JOIN LEFT RIGHT INNER CROSS OUTER NATURAL STRAIGHT_JOIN UNION EXCEPT
	INTERSECT DISTINCT IN LIKE BETWEEN HAVING ORDER GROUP LIMIT OFFSET THEN ELSE WHEN INSERT DELETE REPLACE DROP ALTER CREATE EXPLAIN RETURNING USING
	, = < > + - * / % | & ^ ! : .`)

// unfinished reports whether a statement without its semicolon lacks something, so that it must go on.
func (p *piece) unfinished() bool {
	if p.open || p.body > 0 {
		return true
	}
	n := len(p.tokens)
	if n == 0 {
		return false
	}
	last, before := p.tokens[n-1], ""
	if n > 1 {
		before = p.tokens[n-2]
	}
	if last == "*" && p.has("RETURNING") {
		return false
	}
	if slices.Contains(goOn, last) && before != "=" || last == "ALL" && slices.Contains([]string{"UNION", "EXCEPT", "INTERSECT"}, before) {
		return true
	}
	switch p.first() {
	case "INSERT", "REPLACE":
		return !p.has("VALUES", "VALUE", "SELECT", "SET", "TABLE", "WITH")
	case "UPDATE":
		return !p.has("SET")
	case "WITH":
		return !p.has("SELECT", "UPDATE", "DELETE", "INSERT", "VALUES", "TABLE")
	case "ALTER":
		return !p.whole && n <= 3 || p.defines() && !p.whole
	case "CREATE":
		if p.has("TABLE") && !p.defines() {
			return !p.has("(", "LIKE", "SELECT")
		}
		return p.defines() && !p.whole
	}
	return false
}

// hitsAll reports whether a statement changes every row of a table: a line that limits it may be missing.
func (p *piece) hitsAll() bool {
	switch p.first() {
	case "UPDATE", "DELETE":
		return !p.has("WHERE")
	case "WITH":
		return p.has("UPDATE", "DELETE") && !p.has("WHERE")
	}
	return false
}

// tableOption fits lines that go on with the definition of a table.
var tableOption = regexp.MustCompile(`^(?i:engine|comment|default|charset|character|collate|auto_increment|row_format|partition|with)\b`)

// clause fits lines that go on with a statement; what follows the word tells it from a name of a script.
var clause = regexp.MustCompile(`^(?i:where|from|and|or|xor|order|group|having|limit|offset|union|except|intersect|join|left|right|inner|outer|cross|natural|` +
	`straight_join|on|using|as|into|returning|window|partition|then|else|when|end|in|like|between|is|add|modify|change|` +
	`for\s+(?:update|share|system_time|each)|lock\s+in|begin\s+not)(\s*$|\s*\(|\s*;|\s+[^=+.\-\s]|\s+-\d|\s*[` + "`" + `'"@])`)

// follows reports whether a line goes on with a statement that could end before it. In doubt it does: the server refuses what
// is too long, and runs what is too short.
func (p *piece) follows(line string, known func(string) bool) bool {
	if strings.TrimLeft(line, " \t") != line {
		return true
	}
	switch {
	case strings.HasPrefix(line, ":"), delimiting.MatchString(line):
		return false
	case clause.MatchString(line):
		return true
	case (p.first() == "CREATE" || p.first() == "ALTER") && tableOption.MatchString(line):
		return true
	case strings.HasPrefix(line, "#"), strings.HasPrefix(line, "--"):
		return true
	case strings.HasPrefix(line, "/*"):
		_, code, ended := strings.Cut(line, "*/")
		code = strings.TrimSpace(code)
		return !ended || code == "" || p.follows(code, known)
	case beginsSQL(line, known):
		return false
	}
	return !script.Parses(line+"\n") && !script.Open(line+"\n") || strings.HasPrefix(line, "(") && p.has("VALUES", "VALUE")
}
