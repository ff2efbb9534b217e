package history

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/history"
	"rig/runtime/history/record"
	"rig/runtime/script"
	"rig/runtime/verdict"
)

// Verdict is what a history shows.
type Verdict struct {
	h       *History
	v       *verdict.Verdict
	counts  record.Counts
	reasons map[string]int
	took    time.Duration // of a generator; 0 of a check
	looked  atomic.Bool
}

var _ starlark.HasAttrs = (*Verdict)(nil)

// check checks what was recorded so far, puts the verdict on the stream, and has the test fail for a bad one that nobody
// looks at.
func (h *History) check(c *spec.Call, o verdict.Options) (*Verdict, error) {
	got, err := h.rec.History()
	if err != nil {
		return nil, fault.New(fault.BadArgument, c.Name(), err.Error())
	}
	o.Model, o.Assume, o.Total, o.Overdrawn = h.as.Model, h.as.Assume, h.as.Total, h.as.Overdrawn
	if o.Level == "" {
		o.Level = h.as.Level
	}
	found, err := verdict.Check(c.Script().Context(), got, o)
	if err != nil {
		return nil, fault.New(fault.BadArgument, c.Name(), err.Error())
	}
	if err := context.Cause(c.Script().Context()); err != nil {
		return nil, err
	}
	v := &Verdict{h: h, v: found, counts: h.rec.Counts(), reasons: h.rec.Reasons()}
	d := &event.Verdict{
		Name: h.as.Name, Model: h.as.Model, Level: v.level(), Valid: found.Valid, Operations: found.Operations, Anomalies: found.Anomalies(), Story: found.Story(),
	}
	pos := script.CallerPos(c.Thread)
	h.t.Bus().Emit(event.Event{Parent: h.id, Test: h.t.ID(), Pos: pos, Data: d})
	if found.Valid != verdict.Valid {
		value.Unseen{
			Call: c.Name(), Pos: pos, Looked: v.looked.Load, Hint: "expect.true(v) asks for a valid one; reading any of its attributes counts as looking",
			Message: func() string { return fmt.Sprintf("%s: %s, and nobody looked at the verdict", c.Name(), v.headline()) },
		}.Watch(h.t)
	}
	return v, nil
}

func (v *Verdict) level() string {
	if v.v.Elle == nil {
		return ""
	}
	return v.v.Elle.Level
}

// headline is the verdict in one line.
func (v *Verdict) headline() string {
	c := v.counts
	text := fmt.Sprintf("%s is %s", v.h.as.Name, v.v.Valid)
	if l := v.level(); l != "" {
		text += " as " + l
	}
	text += fmt.Sprintf(": %d operations, %d ok, %d failed, %d unknown", c.All(), c.OK, c.Failed, c.Unknown+c.Running)
	if bad := v.v.Anomalies(); len(bad) > 0 {
		text += "; " + strings.Join(bad, ", ")
	}
	return text
}

// Story is what expectations show of a verdict: the proof of what is wrong.
func (v *Verdict) Story() string { return v.v.Story() }

// Headline is what they show of it in one line.
func (v *Verdict) Headline() string { return v.headline() }

// String is the headline with the story.
func (v *Verdict) String() string { v.looked.Store(true); return v.headline() + "\n" + v.Story() }

// Type is "verdict".
func (v *Verdict) Type() string { return "verdict" }
func (v *Verdict) Freeze()      {}

// Truth is whether the history is valid; unknown is not.
func (v *Verdict) Truth() starlark.Bool {
	v.looked.Store(true)
	return starlark.Bool(v.v.Valid == verdict.Valid)
}

func (v *Verdict) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: verdict") }

// Attr finds a member.
func (v *Verdict) Attr(name string) (starlark.Value, error) { return verdictType.Attr(v, name) }

// AttrNames lists the members.
func (v *Verdict) AttrNames() []string { return verdictType.AttrNames() }

// told makes an attribute whose reading counts as looking at the verdict.
func told(name, typ, doc string, get func(v *Verdict) starlark.Value) spec.Attr {
	return spec.Attr{Name: name, Type: typ, Doc: doc, Get: func(x starlark.Value) (starlark.Value, error) {
		v := x.(*Verdict)
		v.looked.Store(true)
		return get(v), nil
	}}
}

func texts(list []string) starlark.Value {
	out := make([]starlark.Value, len(list))
	for i, s := range list {
		out[i] = starlark.String(s)
	}
	return starlark.NewList(out)
}

// countsOf gives counts in the order of their names.
func countsOf(counts map[string]int) starlark.Value {
	d := starlark.NewDict(len(counts))
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		_ = d.SetKey(starlark.String(name), starlark.MakeInt(counts[name])) // a new dict takes str keys
	}
	return d
}

var verdictType = (&spec.Type{
	Live: true,
	Name: "verdict", Var: "v",
	Doc: "What a history shows. It is true when nothing contradicts what must hold; printing it tells the proof of what does. A verdict that is not valid and that nobody looks at fails the test.",
	Example: `
v = history.counter(t, count = 50, sessions = 2, duration = "10s")
print(v)
expect.eq(v.operations, v.ok + v.failed + v.unknown)
expect.contains(["valid", "invalid"], v.outcome)
`,
	Attrs: []spec.Attr{
		told("valid", "bool", "Whether it was decided that nothing contradicts what must hold.", func(v *Verdict) starlark.Value { return v.Truth() }),
		told("outcome", "str", "\"valid\", \"invalid\" or \"unknown\": the time was up, or the history proves nothing.", func(v *Verdict) starlark.Value { return starlark.String(v.v.Valid) }),
		told("anomalies", "list", "The names of what is wrong, also of what the level allows.", func(v *Verdict) starlark.Value { return texts(v.v.Anomalies()) }),
		told("ruled_out", "list", "The isolation levels that the history contradicts; of list-append and rw-register.", func(v *Verdict) starlark.Value { return texts(v.v.RuledOut()) }),
		told("strongest", "list", "The strongest isolation levels that it does not contradict.", func(v *Verdict) starlark.Value { return texts(v.v.Strongest()) }),
		told("counts", "dict", "How often there was each anomaly, and what else the model counts.", func(v *Verdict) starlark.Value {
			return countsOf(v.v.Counts())
		}),
		told("story", "str", "One example of the anomalies, with what it contradicts.", func(v *Verdict) starlark.Value { return starlark.String(v.Story()) }),
		{Name: "model", Type: "str", Doc: "What the operations do.", Get: func(x starlark.Value) (starlark.Value, error) {
			return starlark.String(x.(*Verdict).v.Model), nil
		}},
		{Name: "level", Type: "str", Doc: "The isolation level that must hold; \"\" for models that have none.", Get: func(x starlark.Value) (starlark.Value, error) {
			return starlark.String(x.(*Verdict).level()), nil
		}},
		number("operations", "How many operations there were.", record.Counts.All),
		number("ok", "How many happened.", func(c record.Counts) int { return c.OK }),
		number("failed", "How many did nothing that lasts.", func(c record.Counts) int { return c.Failed }),
		number("unknown", "How many may have happened or not.", func(c record.Counts) int { return c.Unknown + c.Running }),
		{Name: "errors", Type: "dict", Doc: "How often each error was why an operation failed or is unknown: {\"1213 ER_LOCK_DEADLOCK\": 12}.", Get: func(x starlark.Value) (starlark.Value, error) {
			return countsOf(x.(*Verdict).reasons), nil
		}},
		{Name: "rate", Type: "float", Doc: "Operations in a second, of a generator; 0 of others.", Get: func(x starlark.Value) (starlark.Value, error) {
			v := x.(*Verdict)
			if v.took <= 0 {
				return starlark.Float(0), nil
			}
			return starlark.Float(float64(v.counts.All()) / v.took.Seconds()), nil
		}},
		{Name: "history", Type: "history", Doc: "The history itself, to export it or to go on with it.", Get: func(x starlark.Value) (starlark.Value, error) {
			return x.(*Verdict).h, nil
		}},
	},
}).Seal()

func number(name, doc string, get func(c record.Counts) int) spec.Attr {
	return spec.Attr{Name: name, Type: "int", Doc: doc, Get: func(x starlark.Value) (starlark.Value, error) {
		return starlark.MakeInt(get(x.(*Verdict).counts)), nil
	}}
}

var timeoutParam = spec.Param{Name: "timeout", Type: "duration", Default: starlark.String("1m"), KwOnly: true, Doc: "The bound of the check; what is not decided by then is unknown."}

var checkFunc = &spec.Func{
	Name: "check", Returns: "verdict",
	Doc:    "Checks what was recorded so far; the recording may go on. Operations that have not ended are of unknown outcome.",
	Params: []spec.Param{levelParam, timeoutParam},
	Impl: func(c *spec.Call) (starlark.Value, error) {
		h := c.Recv.(*History)
		l, err := level(c, h.as.Model)
		if err != nil {
			return nil, err
		}
		return h.check(c, verdict.Options{Level: l, Timeout: c.Duration("timeout")})
	},
}

var exportFunc = &spec.Func{
	Name: "export",
	Doc:  "Writes what was recorded so far as Jepsen has it, for rig check and other checkers. A file of that name is overwritten.",
	Params: []spec.Param{
		{Name: "path", Type: "str", Doc: "The file, beside the script or in a folder below: .json for JSON, .edn for EDN."},
	},
	Example: `
h = history.new("set")
h.export("empty.edn")
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		h, path := c.Recv.(*History), filepath.FromSlash(c.Str("path"))
		format := map[string]history.Format{".json": history.JSON, ".edn": history.EDN}[filepath.Ext(path)]
		if format == "" {
			return nil, c.Errorf("path", "want a name that ends in .edn or .json, got %q", path)
		}
		got, err := h.rec.History()
		if err == nil {
			err = write(filepath.Dir(script.CallerPos(c.Thread).File), path, format, got)
		}
		if err != nil {
			return nil, fault.New(fault.BadArgument, c.Name(), err.Error())
		}
		return starlark.None, nil
	},
}

// write writes a history into a folder, which it does not leave.
func write(folder, path string, format history.Format, h *history.History) error {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer root.Close()
	f, err := root.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(history.Export(f, format, h), f.Close())
}
