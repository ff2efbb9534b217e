package value

import (
	"errors"
	"fmt"
	"sync/atomic"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Error is an error that a script looks at instead of being ended by it.
type Error struct {
	e   *event.Error
	err error
}

var _ starlark.HasAttrs = (*Error)(nil)

// NewError wraps an error for scripts.
func NewError(err error) *Error { return &Error{script.Describe(err), err} }

// Unwrap gives Go's error.
func (e *Error) Unwrap() error { return e.err }

// Report gives the form for reports.
func (e *Error) Report() *event.Error { return e.e }

func (e *Error) String() string {
	s := e.e.Message
	if e.e.Op != "" {
		s = e.e.Op + ": " + s
	}
	if e.e.Code != 0 {
		name := e.e.Name
		if name == "" { // a number that the table of errors does not have
			name = "error"
		}
		s += fmt.Sprintf(" (%s %d, SQLSTATE %s)", name, e.e.Code, e.e.SQLState)
	}
	return s
}

// Type is "error".
func (e *Error) Type() string          { return "error" }
func (e *Error) Freeze()               {}
func (e *Error) Truth() starlark.Bool  { return true }
func (e *Error) Hash() (uint32, error) { return starlark.String(e.String()).Hash() }

// Attr finds an attribute.
func (e *Error) Attr(name string) (starlark.Value, error) {
	return errorType.Attr(e, name)
}

// AttrNames lists the attributes.
func (e *Error) AttrNames() []string { return errorType.AttrNames() }

func errorText(name, doc string, get func(*event.Error) string) spec.Attr {
	return spec.Attr{Name: name, Type: "str", Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) {
		return starlark.String(get(v.(*Error).e)), nil
	}}
}

var errorType = (&spec.Type{
	Name: "error",
	Doc:  "What went wrong in a call that try_ or a task caught.",
	Example: `
r = try_(t.db.query, "SELECT * FROM nowhere")
expect.eq(r.error.kind, "unknown_table")
`,
	Attrs: []spec.Attr{
		{Name: "code", Type: "int", Doc: "The server's error number, 0 where no server spoke.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.MakeInt(v.(*Error).e.Code), nil
		}},
		errorText("sqlstate", "Five characters, \"\" where no server spoke.", func(e *event.Error) string { return e.SQLState }),
		errorText("name", "The server's name of the error: \"ER_DUP_ENTRY\".", func(e *event.Error) string { return e.Name }),
		errorText("kind", "What it was, whatever the server: \"duplicate_key\", \"deadlock\".", func(e *event.Error) string { return e.Kind }),
		errorText("category", "\"transient\", \"permanent\" or \"unknown\".", func(e *event.Error) string { return e.Category }),
		errorText("message", "The server's words.", func(e *event.Error) string { return e.Message }),
		errorText("sql", "The statement.", func(e *event.Error) string { return e.SQL }),
		errorText("session", "The session's name.", func(e *event.Error) string { return e.Session }),
		errorText("detail", "Further lines, or \"\": what failed after it, the attempts of a retry.", func(e *event.Error) string { return e.Detail }),
		errorText("hint", "One line of advice, or \"\".", func(e *event.Error) string { return e.Hint }),
	},
}).Seal()

// Outcome is how a call ended: with a value or with an error. It is true when the call succeeded.
type Outcome struct {
	value  starlark.Value
	err    *Error
	looked atomic.Bool // somebody asked how the call ended
}

// Ending is a value that tells how something ended; Err is nil where that was well.
type Ending interface{ Err() *Error }

// Looked reports whether somebody asked how the call ended.
func (o *Outcome) Looked() bool { return o.looked.Load() }

var _ starlark.HasAttrs = (*Outcome)(nil)

// NewOutcome tells how a call ended.
func NewOutcome(v starlark.Value, err error) *Outcome {
	if err != nil {
		return &Outcome{value: starlark.None, err: NewError(err)}
	}
	return &Outcome{value: v}
}

// OK reports whether the call succeeded.
func (o *Outcome) OK() bool {
	o.looked.Store(true)
	return o.err == nil
}

// Err gives the error, nil when the call succeeded.
func (o *Outcome) Err() *Error {
	o.looked.Store(true)
	return o.err
}

// String does not count as looking: what is printed judges nothing.
func (o *Outcome) String() string {
	if o.err != nil {
		return "<failed: " + o.err.String() + ">"
	}
	return "<ok: " + o.value.String() + ">"
}

// Type is "outcome".
func (o *Outcome) Type() string          { return "outcome" }
func (o *Outcome) Freeze()               { o.value.Freeze() }
func (o *Outcome) Truth() starlark.Bool  { return starlark.Bool(o.OK()) }
func (o *Outcome) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: outcome") }

// Attr finds an attribute. Taking the value is no look at how the call ended: a failed one's is None.
func (o *Outcome) Attr(name string) (starlark.Value, error) {
	if name != "value" {
		o.looked.Store(true)
	}
	return outcomeType.Attr(o, name)
}

// AttrNames lists the attributes.
func (o *Outcome) AttrNames() []string { return outcomeType.AttrNames() }

var outcomeType = (&spec.Type{
	Name: "outcome",
	Doc:  "How a call ended. It is true when the call succeeded: if not r: print(r.error).",
	Example: `
r = try_(t.db.query, "SELECT 1")
expect.true(r.ok)
expect.eq(r.value.scalar(), 1)
`,
	Attrs: []spec.Attr{
		{Name: "ok", Type: "bool", Doc: "Whether it succeeded.", Get: func(v starlark.Value) (starlark.Value, error) {
			return starlark.Bool(v.(*Outcome).OK()), nil
		}},
		{Name: "value", Type: "any", Doc: "What it returned; None when it failed.", Get: func(v starlark.Value) (starlark.Value, error) {
			return v.(*Outcome).value, nil
		}},
		{Name: "error", Type: "error|None", Doc: "What went wrong; None when it succeeded.", Get: func(v starlark.Value) (starlark.Value, error) {
			if e := v.(*Outcome).err; e != nil {
				return e, nil
			}
			return starlark.None, nil
		}},
	},
}).Seal()

// Catchable reports whether try_ may turn err into a value: errors of databases and sessions, and fail(). A failed
// expectation, a skip, the end of the test and a mistake in the script are not for catching.
func Catchable(th *script.Thread, err error) bool {
	if th != nil && th.Context().Err() != nil {
		return false
	}
	var exp *scenario.ExpectationError
	var skip *scenario.SkipError
	if errors.As(err, &exp) || errors.As(err, &skip) {
		return false
	}
	var fail *scenario.FailError
	if errors.As(err, &fail) {
		return true
	}
	var f *fault.Error
	return errors.As(err, &f)
}
