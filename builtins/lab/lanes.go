package lab

import (
	"errors"
	"fmt"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/schedule"
)

// Lanes is a transcript that was read.
type Lanes struct{ script *schedule.Script }

var _ starlark.HasAttrs = (*Lanes)(nil)

func (l *Lanes) String() string { return fmt.Sprintf("<lanes %s>", l.script.OrderText()) }

// Type is "lanes".
func (l *Lanes) Type() string { return "lanes" }

// Freeze does nothing: it does not change.
func (l *Lanes) Freeze() {}

// Truth is true.
func (l *Lanes) Truth() starlark.Bool { return true }

// Hash is none.
func (l *Lanes) Hash() (uint32, error) { return 0, errors.New("unhashable type: lanes") }

// Attr finds a member.
func (l *Lanes) Attr(name string) (starlark.Value, error) { return lanesType.Attr(l, name) }

// AttrNames lists the members.
func (l *Lanes) AttrNames() []string { return lanesType.AttrNames() }

var lanesType = (&spec.Type{
	Name: "lanes",
	Doc:  "A schedule read from a transcript; interleave runs it.",
	Example: `
s = lanes("a> BEGIN\n    b> SELECT 1\na> COMMIT")
expect.eq((s.order, s.sessions), ("a1 b1 a2", {"a": ["BEGIN", "COMMIT"], "b": ["SELECT 1"]}))
`,
	Attrs: []spec.Attr{
		{Name: "order", Type: "str", Doc: "The order of the lines.", Get: func(v starlark.Value) (starlark.Value, error) {
			return text(v.(*Lanes).script.OrderText()), nil
		}},
		{Name: "sessions", Type: "dict", Doc: "Session -> its statements.", Get: func(v starlark.Value) (starlark.Value, error) {
			d := starlark.NewDict(4)
			for _, s := range v.(*Lanes).script.Plan.Sessions {
				_ = d.SetKey(starlark.String(s.Name), list(s.Steps, func(x schedule.Step) starlark.Value { return text(x.SQL) })) // a str is hashable
			}
			return d, nil
		}},
	},
}).Seal()

var lanesFunc = &spec.Func{
	Name: "lanes", Returns: "lanes", LoadTime: true,
	Doc:    "Reads a transcript of several sessions, printed by rig or pasted from a bug report: lines \"name> statement\". Lines \"#! waits for a\", \"#! no wait\", \"#! error 1213\", \"#! deadlock\" and \"#! b2 proceeds after a3\" expect that of the step, \"#= 1, 100\" expects a row. Behind a semicolon, what is no such line is passed over: it is what a client printed.",
	Params: []spec.Param{{Name: "text", Type: "str", Doc: "The transcript."}},
	Example: `
t.requires("row_locks")
t.db.exec("CREATE TABLE account (id INT PRIMARY KEY, balance INT NOT NULL)")
t.db.insert("account", ["id", "balance"], [(1, 100)])
interleave(t, lanes("""
a> BEGIN;
a> UPDATE account SET balance = 90 WHERE id = 1;
                        b> UPDATE account SET balance = 80 WHERE id = 1;
                        #! waits for a
a> COMMIT;
                        #! b1 proceeds after a3
a> SELECT balance FROM account;
#= 80
"""))
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		s, err := schedule.ParseLanes(c.Str("text"))
		if err != nil {
			return nil, c.Errorf("text", "%v", err)
		}
		return &Lanes{s}, nil
	},
}

// actorsOf makes the sessions of a transcript.
func (l *Lanes) actorsOf() []actor {
	var out []actor
	p := l.script.Plan
	n := 0
	for _, s := range p.Sessions {
		a := actor{name: s.Name}
		for _, step := range s.Steps {
			st := &Step{do: starlark.String(step.SQL), want: step.Want}
			if !p.Default(n) {
				st.name = step.Name
			}
			a.steps = append(a.steps, st)
			n++
		}
		out = append(out, a)
	}
	return out
}
