package lint

import (
	"fmt"

	"go.starlark.net/syntax"

	"rig/runtime/session"
)

// sqlArguments compares the ? of a statement that stands in the source with the arguments that it gets.
func (c *checker) sqlArguments() {
	c.invocations(func(i *invocation) {
		params := i.typ.Func.Params
		if i.open || i.typ.Func.Owner == "" {
			return
		}
		switch {
		case len(params) > 1 && params[0].Name == "sql" && params[1].Variadic:
			sql, args := i.given("sql"), len(i.given(params[1].Name))
			if len(sql) == 1 && (args > 0 || !c.mocked(i.fn)) {
				c.placeholders(i, sql[0], args)
			}
		case len(params) > 0 && params[0].Variadic:
			if sql := c.preparedSQL(i.fn); sql != nil {
				c.placeholders(i, sql, len(i.given(params[0].Name)))
			}
		}
	})
}

// mocked reports a method of a connection whose rules may answer a ? that stands for nothing.
func (c *checker) mocked(fn syntax.Expr) bool {
	dot, ok := fn.(*syntax.DotExpr)
	return ok && c.Infer(dot.X).Name == "mock_connection"
}

// preparedSQL is the SQL of the statement whose method is called, nil where it is not in sight.
func (c *checker) preparedSQL(fn syntax.Expr) syntax.Expr {
	dot, ok := fn.(*syntax.DotExpr)
	if !ok || c.Infer(dot.X).Name != "stmt" {
		return nil
	}
	made, ok := c.settled(dot.X).(*syntax.CallExpr)
	if !ok {
		return nil
	}
	prepare := &invocation{call: made, fn: made.Fn, typ: c.Infer(made.Fn)}
	if prepare.typ.Func == nil {
		return nil
	}
	prepare.bind(made.Args)
	if sql := prepare.given("sql"); len(sql) == 1 {
		return sql[0]
	}
	return nil
}

func (c *checker) placeholders(i *invocation, sql syntax.Expr, args int) {
	text, whole := c.wholeText(sql, 8)
	places, sure := session.Placeholders(text)
	if !whole || !sure || places == args || args == 0 && c.expected(i) {
		return
	}
	c.add("sql-arguments", sql, true, fmt.Sprintf("%s: the statement has %s but %s", i.typ.Func.Qualified(), plural(places, "placeholder"), gets(args)), "one argument for each ?")
}

// expected reports a statement whose error is wanted and named: that the server refuses a bare ? may be the test.
func (c *checker) expected(i *invocation) bool {
	t := c.Infer(i.call.Fn)
	return t.Func != nil && t.Func.Qualified() == "expect.error" && len(argumentsOf(i.call).keywords) > 0
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func gets(n int) string {
	if n == 1 {
		return "1 argument is given"
	}
	return fmt.Sprintf("%d arguments are given", n)
}

// wholeText is the text that an expression is; whole is false where a part of it is not in the source.
func (c *checker) wholeText(e syntax.Expr, depth int) (text string, whole bool) {
	if depth == 0 {
		return "", false
	}
	switch x := c.settled(e).(type) {
	case *syntax.Literal:
		s, ok := x.Value.(string)
		return s, ok && x.Token == syntax.STRING
	case *syntax.ParenExpr:
		return c.wholeText(x.X, depth-1)
	case *syntax.BinaryExpr:
		if x.Op != syntax.PLUS {
			return "", false
		}
		a, first := c.wholeText(x.X, depth-1)
		b, second := c.wholeText(x.Y, depth-1)
		return a + b, first && second
	}
	return "", false
}
