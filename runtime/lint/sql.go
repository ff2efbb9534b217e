package lint

import (
	"regexp"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/source"
)

// takesSQL are the methods whose first argument is SQL with ? for values.
var takesSQL = map[string]bool{"query": true, "exec": true, "stream": true, "prepare": true, "start": true}

// sent is a statement with the method of a session that sends it.
type sent struct {
	method *syntax.DotExpr
	sql    syntax.Expr
	before []syntax.Expr // the arguments before it, where the method is handed on
}

// sentBy lists the statements of a call: conn.exec("..."), and where the method is handed on with its arguments, as in
// try_(conn.exec, "...").
func sentBy(call *syntax.CallExpr) []sent {
	var out []sent
	if dot, ok := call.Fn.(*syntax.DotExpr); ok && takesSQL[dot.Name.Name] && len(call.Args) > 0 {
		out = append(out, sent{dot, call.Args[0], nil})
	}
	for i, a := range call.Args {
		if dot, ok := a.(*syntax.DotExpr); ok && takesSQL[dot.Name.Name] && i+1 < len(call.Args) {
			out = append(out, sent{dot, call.Args[i+1], call.Args[:i+1]})
		}
	}
	return out
}

// sqlFromData looks for values that are written into SQL. Names of tables and columns cannot be ?, so only the places of values
// count, and only in statements that take ?.
func (c *checker) sqlFromData() {
	c.each(func(n syntax.Node) {
		call, ok := n.(*syntax.CallExpr)
		if !ok {
			return
		}
		for _, s := range sentBy(call) {
			if t := c.Infer(s.method.X); t.Name != "session" && t.Name != "mock_connection" {
				continue
			}
			if at := c.dataIn(s.sql); at != nil {
				c.add("sql-from-data", s.sql, false, "a value is written into the SQL: "+c.Slice(at), "put ? there and pass it: "+c.passed(call, s, at))
			}
		}
	})
}

// passed is how the call is written with a ?.
func (c *checker) passed(call *syntax.CallExpr, s sent, value syntax.Expr) string {
	if str, ok := value.(*syntax.CallExpr); ok && len(str.Args) == 1 {
		if id, ok := str.Fn.(*syntax.Ident); ok && id.Name == "str" {
			value = str.Args[0]
		}
	}
	args := ""
	for _, a := range s.before {
		args += c.Slice(a) + ", "
	}
	return c.Slice(call.Fn) + "(" + args + "\"... = ?\", " + c.Slice(value) + ")"
}

// settled follows a variable that is assigned once.
func (c *checker) settled(e syntax.Expr) syntax.Expr {
	for range 4 {
		id, ok := e.(*syntax.Ident)
		if !ok {
			return e
		}
		v := c.VarOf(id)
		if v == nil || v.Kind != source.Assigned || len(v.Defs) != 1 || len(v.Defs[0].Path) > 0 || v.Defs[0].Aug {
			return e
		}
		e = v.Defs[0].Value
	}
	return e
}

// built looks at each place that gives a variable a text, or adds to it.
func (c *checker) built(id *syntax.Ident, deep int) syntax.Expr {
	v := c.VarOf(id)
	if v == nil || v.Kind != source.Assigned || deep == 0 {
		return nil
	}
	before := ""
	for _, d := range v.Defs {
		switch {
		case len(d.Path) > 0 || d.Loop || d.Value == nil:
		case d.Aug:
			if at := c.joined(before, d.Value); at != nil {
				return at
			}
			before += shape(d.Value)
		default:
			if at := c.dataAt(d.Value, deep-1); at != nil {
				return at
			}
			before = shape(d.Value)
		}
	}
	return nil
}

// shape is the text that an expression gives, as far as it stands there.
func shape(e syntax.Expr) string {
	switch x := e.(type) {
	case *syntax.ParenExpr:
		return shape(x.X)
	case *syntax.BinaryExpr:
		if x.Op == syntax.PLUS {
			return shape(x.X) + shape(x.Y)
		}
		if x.Op == syntax.PERCENT {
			return shape(x.X)
		}
	case *syntax.Literal:
		return text(x)
	}
	return "x"
}

// dataIn gives the first expression that fills the place of a value, nil when there is none.
func (c *checker) dataIn(sql syntax.Expr) syntax.Expr { return c.dataAt(sql, 4) }

// dataAt follows variables to a depth.
func (c *checker) dataAt(sql syntax.Expr, deep int) syntax.Expr {
	switch e := sql.(type) {
	case *syntax.ParenExpr:
		return c.dataAt(e.X, deep)
	case *syntax.Ident:
		return c.built(e, deep)
	case *syntax.CondExpr:
		if at := c.dataAt(e.True, deep); at != nil {
			return at
		}
		return c.dataAt(e.False, deep)
	case *syntax.BinaryExpr:
		if e.Op == syntax.PERCENT {
			return c.filled("", e.X, percent, elementsOf(e.Y))
		}
		if e.Op == syntax.PLUS {
			return c.joined("", e)
		}
	case *syntax.CallExpr:
		if dot, ok := e.Fn.(*syntax.DotExpr); ok && dot.Name.Name == "format" {
			return c.filled("", dot.X, braces, e.Args)
		}
	}
	return nil
}

var (
	percent = regexp.MustCompile(`%[a-z]`)
	braces  = regexp.MustCompile(`\{\w*\}`)
)

func text(e syntax.Expr) string {
	if lit, ok := e.(*syntax.Literal); ok {
		s, _ := lit.Value.(string)
		return s
	}
	return ""
}

func elementsOf(e syntax.Expr) []syntax.Expr {
	switch x := e.(type) {
	case *syntax.ParenExpr:
		return elementsOf(x.X)
	case *syntax.TupleExpr:
		return x.List
	}
	return []syntax.Expr{e}
}

// filled looks at the places of a format, which stands behind a text, and at what fills them.
func (c *checker) filled(before string, in syntax.Expr, place *regexp.Regexp, args []syntax.Expr) syntax.Expr {
	end := text(c.settled(in))
	if end == "" {
		return nil
	}
	if !takesPlaceholders(before + end) {
		return nil
	}
	for i, at := range place.FindAllStringIndex(end, -1) {
		if i < len(args) && valuePlace(before+end[:at[0]]) && !c.constant(args[i]) {
			return args[i]
		}
	}
	return nil
}

// joined looks at the parts of a sum, each with the text before it.
func (c *checker) joined(before string, e syntax.Expr) syntax.Expr {
	var parts []syntax.Expr
	var flatten func(x syntax.Expr)
	flatten = func(x syntax.Expr) {
		if b, ok := x.(*syntax.BinaryExpr); ok && b.Op == syntax.PLUS {
			flatten(b.X)
			flatten(b.Y)
			return
		}
		parts = append(parts, x)
	}
	flatten(e)
	for _, p := range parts {
		if b, ok := p.(*syntax.BinaryExpr); ok && b.Op == syntax.PERCENT {
			if at := c.filled(before, b.X, percent, elementsOf(b.Y)); at != nil {
				return at
			}
			before += shape(p)
			continue
		}
		lit := text(c.settled(p))
		if lit == "" && before != "" && takesPlaceholders(before) && valuePlace(before) && !c.constant(p) {
			return p
		}
		before += lit
		if lit == "" {
			before += "x"
		}
	}
	return nil
}

// takesPlaceholders reports statements that may have ?: definitions, SET and SHOW take none.
func takesPlaceholders(sql string) bool {
	words := strings.Fields(strings.ToUpper(sql))
	if len(words) == 0 {
		return false
	}
	switch words[0] {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "REPLACE", "WITH", "CALL":
		return true
	}
	return false
}

// beforeValues are the words that a value follows.
var beforeValues = map[string]bool{"LIKE": true, "LIMIT": true, "OFFSET": true, "BETWEEN": true, "AND": true, "OR": true, "REGEXP": true, "THEN": true, "ELSE": true, "WHEN": true, "NOT": true, "DIV": true}

// valuePlace reports whether what follows a text is the place of a value, not of a name: behind an operator, a quote, in VALUES (...).
func valuePlace(before string) bool {
	trimmed := strings.TrimRight(before, " \n\t")
	if trimmed == "" {
		return false
	}
	switch trimmed[len(trimmed)-1] {
	case '=', '<', '>', '\'', '"', '+', '/', '%':
		return true
	case '(', ',':
		upper := strings.ToUpper(trimmed)
		values, in := strings.LastIndex(upper, "VALUES"), strings.LastIndex(upper, " IN (")
		return max(values, in) >= 0 && max(values, in) > strings.LastIndex(upper, "SELECT")
	}
	words := strings.Fields(strings.ToUpper(trimmed))
	return beforeValues[words[len(words)-1]]
}

// constant reports an expression whose value stands in the source, or that is no data: a number of marks, a list of them.
func (c *checker) constant(e syntax.Expr) bool {
	switch x := c.settled(e).(type) {
	case *syntax.Literal:
		return true
	case *syntax.ParenExpr:
		return c.constant(x.X)
	case *syntax.UnaryExpr:
		return c.constant(x.X)
	case *syntax.BinaryExpr:
		return c.constant(x.X) && c.constant(x.Y) || text(x.X) != "" && strings.Trim(text(x.X), "?, ()") == ""
	case *syntax.CallExpr: // ", ".join(["?"] * n)
		dot, ok := x.Fn.(*syntax.DotExpr)
		return ok && dot.Name.Name == "join" && strings.Contains(c.Slice(x), "\"?\"")
	}
	return false
}
