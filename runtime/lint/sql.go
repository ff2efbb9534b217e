package lint

import (
	"regexp"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/source"
)

// takesSQL are the methods whose first argument is SQL with ? for values.
var takesSQL = map[string]bool{"query": true, "exec": true, "stream": true, "prepare": true, "start": true}

// sqlFromData looks for values that are written into SQL. Names of tables and columns cannot be ?, so only the places of values
// count, and only in statements that take ?.
func (c *checker) sqlFromData() {
	c.each(func(n syntax.Node) {
		call, ok := n.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return
		}
		dot, ok := call.Fn.(*syntax.DotExpr)
		if !ok || !takesSQL[dot.Name.Name] {
			return
		}
		if t := c.Infer(dot.X); t.Name != "session" && t.Name != "mock_connection" {
			return
		}
		sql := c.settled(call.Args[0])
		if at := c.dataIn(sql); at != nil {
			c.add("sql-from-data", call.Args[0], false, "a value is written into the SQL: "+c.Slice(at), "put ? there and pass it: conn."+dot.Name.Name+"(\"... = ?\", "+c.Slice(at)+")")
		}
	})
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

// dataIn gives the first expression that fills the place of a value, nil when there is none.
func (c *checker) dataIn(sql syntax.Expr) syntax.Expr {
	switch e := sql.(type) {
	case *syntax.ParenExpr:
		return c.dataIn(e.X)
	case *syntax.BinaryExpr:
		if e.Op == syntax.PERCENT {
			return c.filled(text(e.X), percent, elementsOf(e.Y))
		}
		if e.Op == syntax.PLUS {
			return c.joined(e)
		}
	case *syntax.CallExpr:
		if dot, ok := e.Fn.(*syntax.DotExpr); ok && dot.Name.Name == "format" {
			return c.filled(text(dot.X), braces, e.Args)
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

// filled looks at the places of a format and at what fills them.
func (c *checker) filled(format string, place *regexp.Regexp, args []syntax.Expr) syntax.Expr {
	if !takesPlaceholders(format) {
		return nil
	}
	for i, at := range place.FindAllStringIndex(format, -1) {
		if i < len(args) && valuePlace(format[:at[0]]) && !c.constant(args[i]) {
			return args[i]
		}
	}
	return nil
}

// joined looks at the parts of a sum, each with the text before it.
func (c *checker) joined(e *syntax.BinaryExpr) syntax.Expr {
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
	before := ""
	for _, p := range parts {
		lit := text(p)
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
