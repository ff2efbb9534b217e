// Package errors declares the module errors: what an error means, whatever server it came from.
package errors

import (
	"fmt"
	"regexp"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/fault"
)

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Name: "errors", Doc: "What an error means, whatever server it came from. `rig doc errors` prints the table behind it.",
		Funcs: []*spec.Func{classifyFunc},
		Types: []*spec.Type{classType},
	}
}

// class is a classification that a script looks at.
type class struct {
	fault.Class
	servers, note, source string
}

func (c *class) String() string {
	s := fmt.Sprintf("%s, %s", c.Kind, c.Category)
	switch {
	case c.Code != 0 && c.Name != "":
		return fmt.Sprintf("%s (%s %d, SQLSTATE %s)", s, c.Name, c.Code, c.SQLState)
	case c.Code != 0:
		return fmt.Sprintf("%s (error %d, SQLSTATE %s)", s, c.Code, c.SQLState)
	case c.SQLState != "":
		return fmt.Sprintf("%s (SQLSTATE %s)", s, c.SQLState)
	}
	return s
}
func (c *class) Type() string          { return classType.Name }
func (c *class) Freeze()               {}
func (c *class) Truth() starlark.Bool  { return true }
func (c *class) Hash() (uint32, error) { return starlark.String(c.String()).Hash() }

// Attr finds an attribute.
func (c *class) Attr(name string) (starlark.Value, error) { return classType.Attr(c, name) }

// AttrNames lists the attributes.
func (c *class) AttrNames() []string { return classType.AttrNames() }

func text(name, doc string, get func(*class) string) spec.Attr {
	return spec.Attr{Name: name, Type: "str", Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.String(get(v.(*class))), nil
	}}
}

var classType = (&spec.Type{
	Name: "error_class", Doc: "What an error means.",
	Example: `
c = errors.classify(1213)
expect.eq(c.kind, "deadlock")
expect.eq(str(c), "deadlock, transient (ER_LOCK_DEADLOCK 1213, SQLSTATE 40001)")
`,
	Attrs: []spec.Attr{
		text("category", "\"transient\": the same call may succeed later; \"permanent\": it fails again; \"unknown\": neither is known, or the call may have happened.", func(c *class) string { return string(c.Category) }),
		text("kind", "What it is, whatever the server: `rig help errors` lists the kinds.", func(c *class) string { return string(c.Kind) }),
		{Name: "code", Type: "int", Doc: "The server's error number, 0 where no server spoke.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt(v.(*class).Code), nil
		}},
		text("name", "The server's name of it, \"\" where the table has none.", func(c *class) string { return c.Name }),
		text("sqlstate", "Five characters, \"\" where no server spoke.", func(c *class) string { return c.SQLState }),
		text("servers", "Which servers send it.", func(c *class) string { return c.servers }),
		text("note", "What is surprising about it, or \"\".", func(c *class) string { return c.note }),
		text("source", "Where the fact is written.", func(c *class) string { return c.source }),
	},
}).Seal()

var classifyFunc = &spec.Func{
	Name: "classify", Returns: "error_class",
	Doc: "Tells whether an error is transient, permanent or unknown, and of what kind it is. Numbers that mean different things on MySQL, MariaDB, TiDB and Dolt are told apart where server says which it is; an error of a session knows that by itself.",
	Params: []spec.Param{
		{Name: "e", Type: "error|outcome|int|str", Doc: "An error, an outcome that failed, a server's error number, its name (\"ER_LOCK_DEADLOCK\") or a SQLSTATE."},
		{Name: "server", Type: "str", Default: starlark.String(""), KwOnly: true, Doc: "For a number or name: mysql, mariadb, tidb, dolt or embedded."},
	},
	Example: `
r = try_(t.db.query, "SELECT * FROM nowhere")
expect.eq(errors.classify(r.error).category, "permanent")
expect.eq(errors.classify(1205).category, "transient")
expect.eq(errors.classify(4031, server = "mariadb").kind, "unknown_object")
expect.eq(errors.classify(4031, server = "mysql").kind, "connection_lost")
expect.eq(errors.classify("40001").kind, "serialization")
`,
	Impl: classify,
}

func flavors() []string { return []string{"mysql", "mariadb", "tidb", "dolt", "embedded"} }

func classify(c *spec.Call) (starlark.Value, error) {
	server := c.Str("server")
	if server != "" && !known(server) {
		return nil, c.Errorf("server", "there is no server %q%s", server, didYouMean(server, flavors()))
	}
	switch e := c.Arg("e").(type) {
	case *value.Error:
		return ofError(e), nil
	case *value.Outcome:
		if e.OK() {
			return nil, c.Errorf("e", "the outcome is no error: the call succeeded")
		}
		return ofError(e.Err()), nil
	case starlark.Int:
		n := c.Int("e")
		if n < 1 || n > 65535 {
			return nil, c.Errorf("e", "%d is no error number: they go from 1 to 65535", n)
		}
		return ofCode(server, int(n), ""), nil
	}
	return ofText(c, server)
}

func known(server string) bool {
	for _, f := range flavors() {
		if f == server {
			return true
		}
	}
	return false
}

// ofError keeps what the error knows: a lost reply makes it unknown, whatever the table says.
func ofError(e *value.Error) *class {
	r := e.Report()
	out := &class{Class: fault.Class{Kind: fault.Kind(r.Kind), Category: fault.Category(r.Category), Code: r.Code, SQLState: r.SQLState, Name: r.Name, Message: r.Message}}
	if out.Category == "" {
		out.Category = fault.UnknownCategory
	}
	for _, flavor := range append([]string{""}, flavors()...) { // the name tells whose number it was
		if entry, ok := fault.LookupOn(flavor, r.Code); ok && entry.Name == r.Name {
			out.servers, out.note, out.source = entry.Servers, entry.Note, entry.Source
			break
		}
	}
	return out
}

func ofCode(server string, code int, state string) *class {
	if e, ok := fault.LookupOn(server, code); ok {
		return ofEntry(e)
	}
	return &class{Class: fault.ClassifyCodeOn(server, code, state)}
}

func ofEntry(e fault.Entry) *class {
	return &class{
		Class:   fault.Class{Kind: e.Kind, Category: e.Category, Code: e.Code, SQLState: e.SQLState, Name: e.Name},
		servers: e.Servers, note: e.Note, source: e.Source,
	}
}

var stateForm = regexp.MustCompile(`^[0-9A-Z]{5}$`)

func ofText(c *spec.Call, server string) (starlark.Value, error) {
	word := c.Str("e")
	if stateForm.MatchString(word) {
		out := &class{Class: fault.ClassifyCodeOn(server, 0, word)}
		if s, ok := fault.LookupState(word); ok {
			out.note, out.source = s.Meaning, "SQL standard, SQLSTATE classes"
		}
		return out, nil
	}
	if e, ok := fault.LookupName(word); ok && server == "" {
		return ofEntry(e), nil
	} else if ok {
		return ofCode(server, e.Code, e.SQLState), nil
	}
	return nil, c.Errorf("e", "%q is no name of an error and no SQLSTATE%s", word, didYouMean(word, fault.Names()))
}

func didYouMean(word string, names []string) string {
	if near := fault.Suggest(word, names); near != "" {
		return fmt.Sprintf(", did you mean %q?", near)
	}
	return ""
}
