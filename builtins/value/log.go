package value

import (
	"errors"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// LogParams are the parameters of every function that writes a line into the report.
func LogParams() []spec.Param {
	return []spec.Param{
		{Name: "message", Type: "any", Doc: "The line; what is no str is printed as print does."},
		{Name: "fields", Keywords: true, Type: "any", Doc: "Named values that belong to it."},
	}
}

// LogLine makes the event of a call with LogParams.
func LogLine(c *spec.Call, level, module string) *event.Log {
	d := &event.Log{Level: level, Module: module, Message: Text(c.Arg("message"))}
	for _, kv := range c.Extra {
		d.Fields = append(d.Fields, event.Field{Key: Text(kv[0]), Value: Text(kv[1])})
	}
	return d
}

// OutcomeOf tells how a call of a script ended.
func OutcomeOf(err error) event.Outcome {
	var skip *scenario.SkipError
	var f *fault.Error
	switch {
	case err == nil:
		return event.OK
	case errors.As(err, &skip):
		return event.Skipped
	case errors.As(err, &f) && f.ReplyLost:
		return event.Unknown
	}
	return event.Failed
}

// Text prints a value as print does; one that is too deep or too large is only named.
func Text(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	if script.Printable(v) != nil {
		return "<" + v.Type() + " too large to print>"
	}
	return v.String()
}
