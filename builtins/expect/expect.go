// Package expect declares the module expect: what must hold.
//
// [Module] is the list. An expectation that does not hold ends the test; nothing in the script catches it.
package expect

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/clock"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Module lists the expectations.
func Module(g Goldens) *spec.Module {
	return &spec.Module{
		Name: "expect", Doc: "Expectations: one that does not hold ends the test with a report of what was there instead.",
		Funcs: []*spec.Func{
			eqFunc, neFunc,
			ordered("lt", syntax.LT, "less than"), ordered("le", syntax.LE, "at most"),
			ordered("gt", syntax.GT, "greater than"), ordered("ge", syntax.GE, "at least"),
			trueFunc, containsFunc, matchesFunc, rowsFunc, errorFunc, allOKFunc, eventuallyFunc, goldenFunc(g), outcomesFunc,
		},
	}
}

var (
	gotParam  = spec.Param{Name: "got", Type: "any", Doc: "What is there."}
	wantParam = spec.Param{Name: "want", Type: "any", Doc: "What should be there."}
	msgParam  = spec.Param{Name: "msg", Type: "str", Default: starlark.String(""), Doc: "What it means, for the report."}
)

// verdict counts the expectation and fails the test where it did not hold.
func verdict(c *spec.Call, ok bool, message, detail string) (starlark.Value, error) {
	var e *event.Error
	if !ok {
		if msg := msgOf(c); msg != "" {
			message = msg + ": " + message
		}
		e = &event.Error{Kind: "expectation", Op: c.Name(), Message: message, Detail: detail, Pos: script.CallerPos(c.Thread)}
	}
	if t, err := scenario.FromThread(c.Thread); err == nil {
		t.Expectation(e)
	}
	if e != nil {
		return nil, &scenario.ExpectationError{E: e}
	}
	return starlark.None, nil
}

func msgOf(c *spec.Call) string {
	if !c.Declares("msg") {
		return ""
	}
	return c.Str("msg")
}

// full prints a value, within bounds.
func full(v starlark.Value) string {
	if err := script.Printable(v); err != nil {
		return "<" + v.Type() + " too large to print>"
	}
	return v.String()
}

// maxShown is how much of a value a message shows, in bytes.
const maxShown = 2000

// show prints a value for a message.
func show(v starlark.Value) string { return shorten(full(v)) }

func shorten(s string) string {
	if len(s) > maxShown {
		return strings.ToValidUTF8(s[:maxShown], "") + fmt.Sprintf("... (%d bytes)", len(s))
	}
	return s
}

// clash describes two unequal values: on one line when they are short, else below each other.
func clash(got, want starlark.Value) (message, detail string) {
	g, w := full(got), full(want)
	if got.Type() != want.Type() {
		g, w = got.Type()+" "+g, want.Type()+" "+w
	}
	if len(g)+len(w) < 80 && !strings.Contains(g+w, "\n") {
		return fmt.Sprintf("got %s, want %s", g, w), ""
	}
	where := firstItem(got, want)
	if where == "" {
		where = firstDifference(g, w)
	}
	return "got is not what is wanted", " got: " + indent(shorten(g)) + "\nwant: " + indent(shorten(w)) + where
}

func indent(s string) string { return strings.ReplaceAll(s, "\n", "\n      ") }

// firstItem tells which element of two lists differs first.
func firstItem(got, want starlark.Value) string {
	a, ok1 := got.(starlark.Indexable)
	b, ok2 := want.(starlark.Indexable)
	if !ok1 || !ok2 || got.Type() != want.Type() {
		return ""
	}
	if _, isText := got.(starlark.String); isText {
		return ""
	}
	for i := range min(a.Len(), b.Len()) {
		if same, err := value.Equal(a.Index(i), b.Index(i)); err != nil || !same {
			return fmt.Sprintf("\nthey differ from [%d]: %.200s, want %.200s", i, full(a.Index(i)), full(b.Index(i)))
		}
	}
	return fmt.Sprintf("\nthere are %d elements, want %d", a.Len(), b.Len())
}

func firstDifference(g, w string) string {
	n := 0
	for n < len(g) && n < len(w) && g[n] == w[n] {
		n++
	}
	if n < 20 || strings.Contains(g[:n], "\n") {
		return ""
	}
	return fmt.Sprintf("\nthey differ from character %d of what is printed: %.30q, want %.30q", n+1, g[n:], w[n:])
}

var eqFunc = &spec.Func{
	Name:   "eq",
	Doc:    "Expects two values to be equal. A decimal equals an int of its value, a date or time its text, a row a tuple or dict of its values.",
	Params: []spec.Param{gotParam, wantParam, msgParam},
	Example: `
expect.eq(1 + 1, 2)
expect.eq(t.db.query("SELECT 1 AS a, 'x' AS b").one(), (1, "x"))
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		got, want := c.Arg("got"), c.Arg("want")
		if isRows(got) && isList(want) {
			return compareRows(c, got.(*value.Rows), want, true)
		}
		ok, err := value.Equal(got, want)
		if err != nil || ok {
			if err != nil {
				return nil, err
			}
			return verdict(c, true, "", "")
		}
		message, detail := clash(got, want)
		return verdict(c, false, message, detail)
	},
}

func isRows(v starlark.Value) bool { _, ok := v.(*value.Rows); return ok }
func isList(v starlark.Value) bool {
	switch v.(type) {
	case *starlark.List, starlark.Tuple, *value.Rows:
		return true
	}
	return false
}

var neFunc = &spec.Func{
	Name: "ne", Doc: "Expects two values to differ.",
	Params: []spec.Param{gotParam, {Name: "unwanted", Type: "any", Doc: "What must not be there."}, msgParam},
	Example: `
expect.ne("a", "b")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		same, err := value.Equal(c.Arg("got"), c.Arg("unwanted"))
		if err != nil {
			return nil, err
		}
		return verdict(c, !same, "got "+show(c.Arg("got"))+", which is not wanted", "")
	},
}

func ordered(name string, op syntax.Token, words string) *spec.Func {
	return &spec.Func{
		Name: name, Doc: fmt.Sprintf("Expects got to be %s the bound.", words),
		Params: []spec.Param{gotParam, {Name: "bound", Type: "any", Doc: "The bound."}, msgParam},
		Example: fmt.Sprintf(`
expect.%s(%s)
`, name, map[string]string{"lt": "1, 2", "le": "2, 2", "gt": "3, 2", "ge": "2, 2"}[name]),
		Impl: func(c *spec.Call) (starlark.Value, error) {
			got, bound := c.Arg("got"), c.Arg("bound")
			ok, err := value.Order(op, got, bound)
			if err != nil {
				return nil, c.Errorf("bound", "%v", err)
			}
			return verdict(c, ok, fmt.Sprintf("got %s, want %s %s", show(got), words, show(bound)), "")
		},
	}
}

var trueFunc = &spec.Func{
	Name: "true", Doc: "Expects a value that counts as true. check(cond) also shows the values in the condition.",
	Params: []spec.Param{gotParam, msgParam},
	Example: `
expect.true([1])
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		got := c.Arg("got")
		if s, ok := got.(storied); ok {
			return verdict(c, bool(got.Truth()), s.Headline(), s.Story())
		}
		return verdict(c, bool(got.Truth()), "got "+show(got)+", want something true", "")
	},
}

// storied is a value that tells in a headline and in several lines why it does not count as true.
type storied interface {
	Headline() string
	Story() string
}

var containsFunc = &spec.Func{
	Name: "contains", Doc: "Expects a str to contain a str, a dict a key, a list (or rows) an element.",
	Params: []spec.Param{gotParam, {Name: "item", Type: "any", Doc: "What should be in it."}, msgParam},
	Example: `
expect.contains("haystack", "st")
expect.contains([1, 2], 2)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		got, item := c.Arg("got"), c.Arg("item")
		ok, err := contains(got, item)
		if err != nil {
			return nil, c.Errorf("got", "%v", err)
		}
		return verdict(c, ok, show(got)+" does not contain "+show(item), "")
	},
}

func contains(got, item starlark.Value) (bool, error) {
	switch got := got.(type) {
	case starlark.String, *starlark.Dict, *starlark.Set, starlark.Bytes:
		v, err := starlark.Binary(syntax.IN, item, got)
		return err == nil && bool(v.Truth()), err
	case starlark.Iterable:
		it := got.Iterate()
		defer it.Done()
		var x starlark.Value
		for it.Next(&x) {
			if same, err := value.Equal(x, item); same || err != nil {
				return same, err
			}
		}
		return false, nil
	}
	return false, fmt.Errorf("want str, dict, list or rows, got %s", got.Type())
}

var matchesFunc = &spec.Func{
	Name: "matches", Doc: "Expects a text to match a regular expression (Go's syntax) somewhere.",
	Params: []spec.Param{{Name: "got", Type: "str", Doc: "The text."}, {Name: "pattern", Type: "str", Doc: "The expression."}, msgParam},
	Example: `
expect.matches("10.11.14-MariaDB", "^[0-9]+[.]")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		re, err := regexp.Compile(c.Str("pattern"))
		if err != nil {
			return nil, c.Errorf("pattern", "%v", err)
		}
		return verdict(c, re.MatchString(c.Str("got")), fmt.Sprintf("got %q, want a match of %q", c.Str("got"), c.Str("pattern")), "")
	},
}

var rowsFunc = &spec.Func{
	Name: "rows", Doc: "Expects the rows of a result; a difference is shown as a table. Each wanted row is a tuple, a dict, or for one column the bare value.",
	Params: []spec.Param{
		{Name: "got", Type: "rows", Doc: "The result."},
		{Name: "want", Type: "list|rows", Doc: "The rows wanted."},
		{Name: "ordered", Type: "bool", Default: starlark.True, KwOnly: true, Doc: "False: in any order."},
		msgParam,
	},
	Example: `
rows = t.db.query("SELECT 1 AS id, 'ann' AS name UNION ALL SELECT 2, 'bob'")
expect.rows(rows, [(2, "bob"), (1, "ann")], ordered = False)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		return compareRows(c, c.Arg("got").(*value.Rows), c.Arg("want"), c.Bool("ordered"))
	},
}

var errorFunc = &spec.Func{
	Name: "error", Returns: "error", Doc: "Expects fn(*args) to fail, with what is given of code, kind, category, sqlstate and match, and returns the error.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to call."},
		{Name: "args", Type: "any", Variadic: true, Doc: "Its arguments."},
		{Name: "code", Type: "int", Optional: true, KwOnly: true, Doc: "The server's error number."},
		{Name: "kind", Type: "str", Optional: true, KwOnly: true, Doc: "The kind: \"duplicate_key\"."},
		{Name: "category", Type: "str", Optional: true, KwOnly: true, Doc: "\"transient\", \"permanent\" or \"unknown\"."},
		{Name: "sqlstate", Type: "str", Optional: true, KwOnly: true, Doc: "Five characters."},
		{Name: "match", Type: "str", Optional: true, KwOnly: true, Doc: "A regular expression for the message."},
	},
	Example: `
t.db.exec("CREATE TABLE n (i INT PRIMARY KEY)")
t.db.exec("INSERT INTO n VALUES (1)")
expect.error(t.db.exec, "INSERT INTO n VALUES (1)", kind = "duplicate_key", code = 1062)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		if err := knownNames(c); err != nil {
			return nil, err
		}
		v, err := starlark.Call(c.Thread, c.Callable("fn"), c.Rest, nil)
		if err == nil {
			detail := ""
			if v != starlark.None {
				detail = "it returned:\n" + show(v)
			}
			return verdict(c, false, fmt.Sprintf("%s succeeded, want an error%s", c.Callable("fn").Name(), wanted(c)), detail)
		}
		if !value.Catchable(c.Script(), err) {
			return nil, err
		}
		e := value.NewError(err)
		problem, err := mismatch(c, e.Report())
		if err != nil {
			return nil, err
		}
		if _, err := verdict(c, problem == "", "the error has "+problem, e.String()); err != nil {
			return nil, err
		}
		return e, nil
	},
}

// knownNames refuses a kind or category that no error has.
func knownNames(c *spec.Call) error {
	kinds := []string{"fail", "error"} // of fail(), and of what no table knows
	for _, k := range fault.Kinds() {
		kinds = append(kinds, string(k.Kind))
	}
	categories := []string{string(fault.Transient), string(fault.Permanent), string(fault.UnknownCategory)}
	for name, known := range map[string][]string{"kind": kinds, "category": categories} {
		if !c.Has(name) || slices.Contains(known, c.Str(name)) {
			continue
		}
		if near := fault.Suggest(c.Str(name), known); near != "" {
			return c.Errorf(name, "no error has the %s %q, did you mean %q?", name, c.Str(name), near)
		}
		return c.Errorf(name, "no error has the %s %q; rig help errors lists them", name, c.Str(name))
	}
	return nil
}

func wanted(c *spec.Call) string {
	for _, name := range []string{"kind", "code", "category", "sqlstate", "match"} {
		if c.Has(name) {
			return fmt.Sprintf(" of %s %s", name, c.Arg(name))
		}
	}
	return ""
}

func mismatch(c *spec.Call, e *event.Error) (string, error) {
	if c.Has("code") && c.Int("code") != int64(e.Code) {
		return fmt.Sprintf("code %d, want %d", e.Code, c.Int("code")), nil
	}
	for _, x := range []struct{ name, got string }{{"kind", e.Kind}, {"category", e.Category}, {"sqlstate", e.SQLState}} {
		if c.Has(x.name) && c.Str(x.name) != x.got {
			return fmt.Sprintf("%s %q, want %q", x.name, x.got, c.Str(x.name)), nil
		}
	}
	if c.Has("match") {
		re, err := regexp.Compile(c.Str("match"))
		if err != nil {
			return "", c.Errorf("match", "%v", err)
		}
		if !re.MatchString(e.Message) {
			return fmt.Sprintf("the message %q, want a match of %q", e.Message, c.Str("match")), nil
		}
	}
	return "", nil
}

var allOKFunc = &spec.Func{
	Name: "all_ok", Doc: "Expects every outcome of task.map, task.parallel, task.operations or try_, or every member of a coordinator's report, to be a success.",
	Params: []spec.Param{{Name: "outcomes", Type: "iterable", Doc: "A list of them."}, msgParam},
	Example: `
expect.all_ok([try_(t.db.query, "SELECT 1")])
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		it := starlark.Iterate(c.Arg("outcomes"))
		defer it.Done()
		var x starlark.Value
		var lines []string
		n := 0
		for ; it.Next(&x); n++ {
			o, ok := x.(value.Ending)
			if !ok {
				return nil, c.Errorf("outcomes", "want outcomes, got %s at [%d]", x.Type(), n)
			}
			if e := o.Err(); e != nil {
				where := ""
				if pos := e.Report().Pos; !pos.IsZero() {
					where = pos.String() + ": " // inside the task: the line of the expectation is told anyhow
				}
				lines = append(lines, fmt.Sprintf("[%s] %s%s", labelOf(o, n), where, e))
			}
		}
		return verdict(c, lines == nil, fmt.Sprintf("%d of %d failed", len(lines), n), strings.Join(lines, "\n"))
	},
}

// labelOf names an ending: by its own name, else by its place.
func labelOf(o value.Ending, n int) string {
	if named, ok := o.(interface{ Name() string }); ok {
		return named.Name()
	}
	return strconv.Itoa(n)
}

var eventuallyFunc = &spec.Func{
	Name: "eventually", Returns: "any", Doc: "Calls fn() until it returns something true, and returns that. Errors of the database count as not yet.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to call."},
		{Name: "within", Type: "duration", Default: starlark.String("5s"), KwOnly: true, Doc: "How long to try."},
		{Name: "every", Type: "duration", Default: starlark.String("20ms"), KwOnly: true, Doc: "How often."},
		msgParam,
	},
	Example: `
n = task.counter()
def third():
    return n.add(1) >= 3
expect.eventually(third, within = "5s", every = "1ms")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		ctx := c.Script().Context()
		begun := clock.Now(ctx)
		remains := func() time.Duration { return c.Duration("within") - begun.Elapsed() }
		var last starlark.Value = starlark.None
		for {
			v, err := starlark.Call(c.Thread, c.Callable("fn"), nil, nil)
			if err != nil && !value.Catchable(c.Script(), err) {
				return nil, err
			}
			if err == nil && bool(v.Truth()) {
				_, err := verdict(c, true, "", "")
				return v, err
			}
			if err != nil {
				last = value.NewError(err)
			} else {
				last = v
			}
			left := remains()
			if left <= 0 {
				return verdict(c, false, fmt.Sprintf("not true within %s; the last answer was %s", c.Duration("within"), show(last)), "")
			}
			pause := min(c.Duration("every"), left) // and once more at the very end
			over := script.Wait(c.Thread, func() string {
				return fmt.Sprintf("waits for %s to be true, %s left; the last answer was %s", c.Callable("fn").Name(), remains().Round(100*time.Millisecond), show(last))
			})
			next, free := clock.After(ctx, pause)
			select {
			case <-next:
			case <-ctx.Done():
			}
			free()
			over()
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
		}
	},
}

var errNoTest = errors.New("expect.golden needs a test")
