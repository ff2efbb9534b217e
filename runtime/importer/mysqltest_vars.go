package importer

import (
	"regexp"
	"strings"
)

// variable is a variable of mysqltest in a text; \$ is a dollar.
var (
	variable  = regexp.MustCompile(`\\?\$([A-Za-z_][A-Za-z_0-9]*|[0-9])`)
	letForm   = regexp.MustCompile(`(?s)^\$?([A-Za-z_0-9]+)\s*=\s*(.*)$`)
	getValue  = regexp.MustCompile(`(?is)^query_get_value\s*\(\s*(.*?)\s*,\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)$`)
	compared  = regexp.MustCompile(`(?s)^\$([A-Za-z_0-9]+)\s*(==|!=|<=|>=|<|>)\s*(.*)$`)
	plainName = regexp.MustCompile(`^(!?)\s*\$([A-Za-z_0-9]+)$`)
)

// inTest finds what names the database test of mysqltest; a test of rig has one of its own.
var inTest = regexp.MustCompile("(?i)(\\b|`)test(`?\\.[`\\w*])|\\b((?:table_schema|constraint_schema|index_schema|db|trigger_schema|routine_schema|event_schema)`?\\s*=\\s*['\"])test['\"]")

// plain is the Starlark of SQL without variables.
func (g *mysqltest) plain(sql string) string {
	var parts []string
	at := 0
	for _, m := range inTest.FindAllStringSubmatchIndex(sql, -1) {
		from, to := m[7], m[1]-1 // table_schema = 'test'
		if m[2] >= 0 {
			from, to = m[3], m[4] // test.t1
		}
		parts = append(parts, quote(sql[at:from]), "t.database")
		at = to
	}
	if at < len(sql) || len(parts) == 0 {
		parts = append(parts, quote(sql[at:]))
	}
	if len(parts) > 1 && parts[0] == `""` {
		parts = parts[1:]
	}
	return strings.Join(parts, " + ")
}

// expand gives the Starlark of a text with variables.
func (g *mysqltest) expand(text string) string {
	var parts []string
	at := 0
	for _, m := range variable.FindAllStringSubmatchIndex(text, -1) {
		if text[m[0]] == '\\' {
			continue
		}
		if m[0] > at {
			parts = append(parts, g.plain(text[at:m[0]]))
		}
		parts = append(parts, g.read(text[m[2]:m[3]]))
		at = m[1]
	}
	if at < len(text) || len(parts) == 0 {
		parts = append(parts, g.plain(text[at:]))
	}
	return strings.Join(parts, " + ")
}

// read is a variable that is used; one that nobody has set yet is "".
func (g *mysqltest) read(name string) string {
	n := g.name("$"+name, strings.ToLower(name))
	if !g.first[name] {
		g.first[name] = true
		g.declared = append(g.declared, n)
	}
	return n
}

// write is a variable that is set. In a block that may not run it must exist before.
func (g *mysqltest) write(name string) string {
	if g.body.depth > 1 {
		return g.read(name)
	}
	g.first[name] = true
	return g.name("$"+name, strings.ToLower(name))
}

func (g *mysqltest) let(c command) {
	m := letForm.FindStringSubmatch(c.args)
	if m == nil {
		g.untranslated(c, "let %s", oneLine(c.args))
		return
	}
	value := strings.TrimSpace(m[2])
	expr := ""
	switch q := getValue.FindStringSubmatch(value); {
	case q != nil:
		g.helpers["cell"] = true
		expr = "cell(" + g.current + ".query(" + g.expand(unquotedSQL(q[1])) + "), " + quote(strings.Trim(q[2], `"' `)) + ", int(" + g.expand(q[3]) + "))"
	case len(value) > 1 && value[0] == '`' && value[len(value)-1] == '`':
		expr = g.queried(value)
	default:
		if len(value) > 1 && value[0] == '"' && value[len(value)-1] == '"' {
			value = value[1 : len(value)-1]
		}
		expr = g.expand(value)
	}
	g.body.line("%s = %s", g.write(m[1]), expr)
}

// unquotedSQL takes the quotes off the query of query_get_value.
func unquotedSQL(s string) string {
	if len(s) > 1 && (s[0] == '"' || s[0] == '\'') && s[len(s)-1] == s[0] {
		return s[1 : len(s)-1]
	}
	return s
}

// queried is the Starlark of `a query`.
func (g *mysqltest) queried(value string) string {
	g.helpers["value"] = true
	return "value(" + g.current + ".query(" + g.expand(strings.TrimSpace(strings.Trim(value, "`"))) + "))"
}

func (g *mysqltest) count(c command) {
	m := plainName.FindStringSubmatch(strings.TrimSpace(c.args))
	if m == nil {
		g.untranslated(c, "%s %s", c.name, oneLine(c.args))
		return
	}
	v, op := g.read(m[2]), "+"
	if c.name == "dec" {
		op = "-"
	}
	g.body.line("%s = str(int(%s) %s 1)", v, v, op)
}

// compound writes if and while.
func (g *mysqltest) compound(c command) {
	condition, ok := g.condition(strings.TrimSpace(c.args))
	if !ok {
		g.untranslated(c, "%s (%s) with its block", c.name, oneLine(c.args))
		return
	}
	before := g.current
	g.body.line("%s %s:", c.name, condition)
	g.body.depth++
	g.block(c.body, false)
	g.body.depth--
	if g.current != before {
		g.untranslated(c, "the block ends on another connection; what follows is taken to run on %s whether it ran or not", g.current)
	}
}

func (g *mysqltest) condition(text string) (string, bool) {
	if m := plainName.FindStringSubmatch(text); m != nil {
		g.helpers["holds"] = true
		return negated(m[1]) + "holds(" + g.read(m[2]) + ")", true
	}
	if m := compared.FindStringSubmatch(text); m != nil {
		right := strings.TrimSpace(strings.Trim(m[3], `"'`))
		left := g.read(m[1])
		if m[2] == "==" || m[2] == "!=" {
			return left + ".strip() " + m[2] + " " + g.expand(right), true
		}
		return "int(" + left + ") " + m[2] + " int(" + g.expand(right) + ")", true
	}
	bare := strings.TrimSpace(strings.TrimPrefix(text, "!"))
	if len(bare) > 1 && bare[0] == '`' && bare[len(bare)-1] == '`' {
		g.helpers["holds"] = true
		return negated(text[:1]) + "holds(" + g.queried(bare) + ")", true
	}
	if integer.MatchString(text) {
		return map[bool]string{true: "True", false: "False"}[text != "0"], true
	}
	return "", false
}

func negated(s string) string {
	if s == "!" {
		return "not "
	}
	return ""
}
