package lint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"rig/runtime/anomaly"
	"rig/runtime/catalog"
	"rig/runtime/elle"
	"rig/runtime/fault"
	"rig/runtime/server"
	"rig/runtime/session"
	"rig/runtime/source"
)

// testParameters looks for tests and hooks that rig could not call. Hooks count in files with tests: elsewhere the name may be anything's.
func (c *checker) testParameters() {
	tests := c.hasTests()
	for _, s := range c.Tree.Stmts {
		d, ok := s.(*syntax.DefStmt)
		if !ok || !source.IsTest(d.Name.Name) && !(tests && source.IsCalled(d.Name.Name)) {
			continue
		}
		if ids, _ := source.Params(d.Params); len(ids) != 1 {
			c.add("test-parameters", d.Name, true, fmt.Sprintf("%s takes %d arguments; rig calls it with one, the test", d.Name.Name, len(ids)), fmt.Sprintf("def %s(t)", d.Name.Name))
		}
	}
}

func (c *checker) hasTests() bool {
	return slices.ContainsFunc(c.Vars, func(v *source.Var) bool {
		return v.Owner == nil && v.Kind == source.Function && source.IsTest(v.Name)
	})
}

// unknownCapabilities looks at the requires of a file, and at what built-ins are told to look for.
func (c *checker) unknownCapabilities() {
	if v := c.Lookup("requires"); v != nil && c.hasTests() {
		for _, d := range v.Defs {
			c.capabilities(d.Value)
		}
	}
	c.forms("capability", c.capabilities)
}

func (c *checker) capabilities(e syntax.Expr) {
	c.texts(e, func(at syntax.Expr, text string) {
		err := server.Means(text)
		var known *fault.Error
		if errors.As(err, &known) { // its hint lists them all: too long beside a line
			near, _, found := strings.Cut(known.Hint, "? ")
			if found {
				near += "? "
			} else {
				near = ""
			}
			known.Hint = near + "rig help capabilities lists them"
		}
		c.refused("unknown-capability", at, err)
	})
}

// levels says for each form that is one how a level is read.
var levels = map[string]func(text string) error{
	"isolation":     func(text string) error { _, err := session.Isolation(text); return err },
	"anomaly level": anomaly.Level,
	"consistency":   consistency,
}

func consistency(text string) error {
	_, err := elle.Level(text)
	if near := fault.Suggest(text, elle.Levels()); err != nil && near != "" {
		return fault.New(fault.BadArgument, "", fmt.Sprintf("there is no level %q", text)).WithHint(fmt.Sprintf("did you mean %q?", near))
	}
	return err
}

// badIsolation looks for levels that do not exist.
func (c *checker) badIsolation() {
	for form, read := range levels {
		c.forms(form, func(e syntax.Expr) {
			c.texts(e, func(at syntax.Expr, text string) {
				if text != "" { // as if it were not given
					c.refused("bad-isolation", at, read(text))
				}
			})
		})
	}
}

// forms calls fn for the arguments of parameters whose texts are declared to have a form.
func (c *checker) forms(form string, fn func(e syntax.Expr)) {
	c.invocations(func(i *invocation) {
		for _, s := range i.slots {
			if s.param.Form == form && !i.typ.Guess {
				fn(s.value)
			}
		}
	})
}

// texts calls fn for the text that an expression is, or for each in a list; at is where it stands in the argument.
func (c *checker) texts(e syntax.Expr, fn func(at syntax.Expr, text string)) {
	switch x := c.settled(e).(type) {
	case *syntax.ParenExpr:
		c.texts(x.X, fn)
	case *syntax.Literal:
		if s, ok := x.Value.(string); ok && x.Token == syntax.STRING {
			fn(e, s)
		}
	case *syntax.ListExpr:
		for _, y := range x.List {
			c.texts(y, fn)
		}
	case *syntax.TupleExpr:
		for _, y := range x.List {
			c.texts(y, fn)
		}
	}
}

// refused notes what an engine says of a text.
func (c *checker) refused(code string, at syntax.Expr, err error) {
	if err == nil {
		return
	}
	msg, hint := err.Error(), ""
	var e *fault.Error
	if errors.As(err, &e) {
		msg, hint = e.Message, e.Hint
	}
	c.add(code, at, true, msg, hint)
}

// badDurations looks for durations that cannot be read.
func (c *checker) badDurations() {
	c.invocations(func(i *invocation) {
		for _, s := range i.slots {
			if s.param.Type != "duration" || i.typ.Guess {
				continue
			}
			if err := c.duration(s.value); err != nil {
				c.add("bad-duration", s.value, true, fmt.Sprintf("%s: argument %s: %v", i.typ.Func.Qualified(), s.param.Name, err), "")
			}
		}
	})
}

// duration judges what stands in the source; a number is seconds.
func (c *checker) duration(e syntax.Expr) error {
	switch x := c.settled(e).(type) {
	case *syntax.ParenExpr:
		return c.duration(x.X)
	case *syntax.Literal:
		if x.Token == syntax.STRING {
			_, err := catalog.Duration(text(x))
			return err
		}
	case *syntax.UnaryExpr:
		if n, ok := x.X.(*syntax.Literal); ok && x.Op == syntax.MINUS && strings.Trim(n.Raw, "0.") != "" {
			return fmt.Errorf("a duration cannot be negative, got -%s seconds", n.Raw)
		}
	}
	return nil
}

// notCallable looks for calls where the function itself is wanted: they run too soon, and once.
func (c *checker) notCallable() {
	c.invocations(func(i *invocation) {
		for n, s := range i.slots {
			if s.param.Type != "callable" || i.typ.Guess {
				continue
			}
			e := c.unwrapped(s.value)
			what := c.valueOf(e)
			if what == "" {
				continue
			}
			c.add("not-callable", s.value, true, fmt.Sprintf("%s: argument %s is %s, a function is wanted", i.typ.Func.Qualified(), s.param.Name, what), c.handing(i, n, e))
		}
	})
}

func (c *checker) unwrapped(e syntax.Expr) syntax.Expr {
	for {
		p, ok := e.(*syntax.ParenExpr)
		if !ok {
			return e
		}
		e = p.X
	}
}

// valueOf names a value that is surely no function, "" for any other.
func (c *checker) valueOf(e syntax.Expr) string {
	switch x := e.(type) {
	case *syntax.Literal:
		return "of type " + c.Infer(x).Name
	case *syntax.CallExpr:
		t := c.Infer(x)
		switch {
		case t.Guess:
		case t.Name != "" && !slices.Contains([]string{"callable", "function"}, t.Name):
			return "what " + c.Slice(x.Fn) + " gives (" + t.Name + ")"
		case !t.Known() && c.givesNothing(x):
			return "what " + c.Slice(x.Fn) + " gives (None)"
		}
	}
	return ""
}

// givesNothing reports a call of a function that has no return with a value.
func (c *checker) givesNothing(call *syntax.CallExpr) bool {
	t := c.Infer(call.Fn)
	if t.Def == nil || t.Guess {
		return false
	}
	nothing := true
	source.EachReturn(t.Def.Body, func(r *syntax.ReturnStmt) { nothing = nothing && r.Result == nil })
	return nothing
}

// handing shows how the function is handed on.
func (c *checker) handing(i *invocation, n int, e syntax.Expr) string {
	call, ok := e.(*syntax.CallExpr)
	if !ok {
		return "give a function, or lambda: ..."
	}
	params := i.typ.Func.Params
	at := slices.IndexFunc(params, func(p catalog.Param) bool { return p.Name == i.slots[n].param.Name })
	if at+1 >= len(params) || !params[at+1].Variadic {
		return "lambda: " + c.oneLine(call)
	}
	shown := []string{c.oneLine(call.Fn)}
	for _, a := range call.Args {
		shown = append(shown, c.oneLine(a))
	}
	return "the function first, then its arguments: " + strings.Join(shown, ", ")
}

func (c *checker) oneLine(n syntax.Node) string { return strings.Join(strings.Fields(c.Slice(n)), " ") }

// breakpoints looks for stops that were left in.
func (c *checker) breakpoints() {
	c.invocations(func(i *invocation) {
		if i.typ.Func.Qualified() == "breakpoint" {
			c.add("breakpoint", i.call, false, "breakpoint() is left in: in CI it is an error", "remove it; rig debug stops at a line without it")
		}
	})
}
