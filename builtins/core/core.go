// Package core declares the functions that need no module name: try_, fail, check, sleep, the exact types.
//
// [Module] is the list. Starlark's own time, json, math and struct are in [Libraries].
package core

import (
	"context"
	"fmt"
	"time"

	"go.starlark.net/lib/json"
	"go.starlark.net/lib/math"
	starlarktime "go.starlark.net/lib/time"
	"go.starlark.net/starlark"
	"go.starlark.net/starlarkstruct"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/clock"
	"rig/runtime/event"
	"rig/runtime/scenario"
	"rig/runtime/script"
)

// Libraries are the modules that Starlark hosts share.
func Libraries() starlark.StringDict {
	return starlark.StringDict{
		"json":   script.BoundedModule(json.Module, "encode", "indent"),
		"math":   math.Module,
		"time":   starlarktime.Module,
		"struct": starlark.NewBuiltin("struct", starlarkstruct.Make),
	}
}

// Module lists the functions.
func Module() *spec.Module {
	return &spec.Module{
		Doc:   "Functions without a module name.",
		Funcs: []*spec.Func{tryFunc, failFunc, checkFunc, sleepFunc, helpFunc(), breakpointFunc, decimalFunc, dateFunc, datetimeFunc, clockFunc},
		Types: value.Types(),
	}
}

var tryFunc = &spec.Func{
	Name: "try_", Returns: "outcome",
	Doc: "Calls fn(*args, **kwargs) and returns how it ended instead of raising. It catches errors of the database and of sessions, and fail(); a failed expectation, a skip, the end of the test and mistakes in the script pass through it.",
	Params: []spec.Param{
		{Name: "fn", Type: "callable", Doc: "What to call."},
		{Name: "args", Type: "any", Variadic: true, Doc: "Its arguments."},
		{Name: "kwargs", Type: "any", Keywords: true, Doc: "Its keyword arguments."},
	},
	Example: `
r = try_(t.db.exec, "INSERT INTO nowhere VALUES (?)", 1)
if not r:
    expect.eq(r.error.kind, "unknown_table")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		v, err := starlark.Call(c.Thread, c.Callable("fn"), c.Rest, c.Extra)
		if err != nil && !value.Catchable(c.Script(), err) {
			return nil, err
		}
		return value.NewOutcome(v, err), nil
	},
}

var failFunc = &spec.Func{
	Name: "fail", LoadTime: true,
	Doc: "Ends the test with an error; try_ catches it.",
	Params: []spec.Param{
		{Name: "message", Type: "any", Variadic: true, Doc: "What went wrong; several values are joined by blanks."},
	},
	Example: `
r = try_(fail, "no luck")
expect.eq(r.error.message, "no luck")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		return nil, &scenario.FailError{Msg: join(c.Rest)}
	},
}

func join(args starlark.Tuple) string {
	s := ""
	for i, a := range args {
		if i > 0 {
			s += " "
		}
		if text, ok := starlark.AsString(a); ok {
			s += text
		} else {
			s += a.String()
		}
	}
	return s
}

var checkFunc = &spec.Func{
	Name: "check",
	Doc:  "Fails the test when the condition is not true. The report shows the condition's source and the values in it.",
	Params: []spec.Param{
		{Name: "cond", Type: "any", Doc: "The condition."},
		{Name: "msg", Type: "str", Default: starlark.String(""), Doc: "What it means."},
	},
	Example: `
total = 3
check(total > 2, "there are too few")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		ok := bool(c.Arg("cond").Truth())
		var e *event.Error
		if !ok {
			source, values := script.Introspect(c.Thread)
			e = &event.Error{Kind: "expectation", Op: "check", Message: c.Str("msg"), Pos: script.CallerPos(c.Thread)}
			if source != "" {
				if e.Message != "" {
					e.Message += ": "
				}
				e.Message += "not true: " + source
			}
			if e.Message == "" {
				e.Message = "the condition is not true"
			}
			for _, v := range values {
				e.Detail += fmt.Sprintf("%s = %s\n", v.Key, v.Value)
			}
		}
		if t, err := scenario.FromThread(c.Thread); err == nil {
			t.Expectation(e)
		}
		if e != nil {
			return nil, &scenario.ExpectationError{E: e}
		}
		return starlark.None, nil
	},
}

// maxSleep bounds sleep.
const maxSleep = 10 * time.Minute

var sleepFunc = &spec.Func{
	Name: "sleep",
	Doc:  "Waits. It ends early when the test does. To wait for a condition use expect.eventually: a sleep is either too short or too long.",
	Params: []spec.Param{
		{Name: "duration", Type: "duration", Doc: "How long, at most 10m."},
	},
	Example: `
sleep("1ms")
`,
	Waits: func(c *spec.Call) string { return fmt.Sprintf("sleeps for %s", c.Duration("duration")) },
	Impl: func(c *spec.Call) (starlark.Value, error) {
		d := c.Duration("duration")
		if d > maxSleep {
			return nil, c.Errorf("duration", "at most %s, got %s", maxSleep, d)
		}
		ctx := c.Script().Context()
		over, free := clock.After(ctx, d)
		defer free()
		select {
		case <-over:
			return starlark.None, nil
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	},
}

var decimalFunc = &spec.Func{
	Name: "decimal", Returns: "decimal", LoadTime: true,
	Doc: "Makes an exact decimal number.",
	Params: []spec.Param{
		{Name: "value", Type: "str|int|decimal|float", Doc: "Its text, like \"19.90\", or an int. A float is refused: it is not exact."},
	},
	Example: `
expect.eq(decimal("0.10") + decimal("0.20"), decimal("0.30"))
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		v, err := value.NewDecimal(c.Arg("value"))
		if err != nil {
			return nil, c.Errorf("value", "%v", err)
		}
		return v, nil
	},
}

func temporal(name, kind, doc, example string) *spec.Func {
	return &spec.Func{
		Name: name, Returns: name, LoadTime: true, Doc: doc, Example: example,
		Params: []spec.Param{{Name: "text", Type: "str", Doc: "As the server writes it."}},
		Impl: func(c *spec.Call) (starlark.Value, error) {
			v, err := value.ParseTemporal(kind, c.Str("text"))
			if err != nil {
				return nil, c.Errorf("text", "%v", err)
			}
			return v, nil
		},
	}
}

var (
	dateFunc = temporal("date", value.KindDate, "Makes a DATE.", `
expect.true(date("2026-01-31") < date("2026-02-01"))
`)
	datetimeFunc = temporal("datetime", value.KindDateTime, "Makes a DATETIME, without a zone.", `
expect.eq(datetime("2026-01-31 12:30:00").hour, 12)
`)
	clockFunc = temporal("clock", value.KindClock, "Makes a TIME: -838:59:59 to 838:59:59.", `
expect.true(clock("-00:00:01") < clock("00:00:00"))
`)
)
