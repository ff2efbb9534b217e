package lab

import (
	"fmt"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/schedule"
)

// part is what the small values of a result have in common.
type part struct{}

func (part) Freeze()               {}
func (part) Truth() starlark.Bool  { return true }
func (part) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable type: part of a schedule") }

// Outcome is what several orders gave alike.
type Outcome struct {
	r *Result
	o *schedule.Outcome
}

func (o *Outcome) String() string {
	return fmt.Sprintf("<outcome %s: %d orders>", o.o.Label, o.o.Count)
}

// Type is "schedule_outcome".
func (o *Outcome) Type() string { return "schedule_outcome" }

// Freeze does nothing: an outcome does not change.
func (o *Outcome) Freeze() {}

// Truth is true.
func (o *Outcome) Truth() starlark.Bool { return true }

// Hash is none.
func (o *Outcome) Hash() (uint32, error) { return part{}.Hash() }

// Attr finds a member.
func (o *Outcome) Attr(name string) (starlark.Value, error) { return outcomeType.Attr(o, name) }

// AttrNames lists the members.
func (o *Outcome) AttrNames() []string { return outcomeType.AttrNames() }

func ofOutcome(name, typ, doc string, get func(o *Outcome) starlark.Value) spec.Attr {
	return spec.Attr{Name: name, Type: typ, Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) { return get(v.(*Outcome)), nil }}
}

// byStep makes a dict of those steps for which get gives something.
func (o *Outcome) byStep(get func(*schedule.StepRun) starlark.Value) starlark.Value {
	d := starlark.NewDict(8)
	for _, s := range o.o.Example.Steps {
		if v := get(s); v != nil {
			_ = d.SetKey(starlark.String(o.r.plan.Step(s.Step).Name), v) // a str is hashable
		}
	}
	return d
}

var outcomeType = (&spec.Type{
	Live: true, Name: "schedule_outcome", Var: "outcome",
	Doc: "What several orders of a schedule gave alike: the same rows, errors, waits and tables. The values are those of the example.",
	Example: `
r = interleave(t, {"a": ["SELECT 1"], "b": ["SELECT 2"]})
o = r.outcomes[0]
expect.eq((o.label, o.count, o.order, o.kind, o.rows), ("A", 2, "a1 b1", "ok", {"a1": [(1,)], "b1": [(2,)]}))
`,
	Attrs: []spec.Attr{
		ofOutcome("label", "str", "A, B, ..., the most frequent first.", func(o *Outcome) starlark.Value { return text(o.o.Label) }),
		ofOutcome("count", "int", "How many orders gave it.", func(o *Outcome) starlark.Value { return starlark.MakeInt(o.o.Count) }),
		ofOutcome("order", "str", "One of them.", func(o *Outcome) starlark.Value { return text(o.r.plan.Text(o.o.Example)) }),
		ofOutcome("orders", "list", "All of them.", func(o *Outcome) starlark.Value {
			return list(o.o.Runs, func(r *schedule.Run) starlark.Value { return text(o.r.plan.Text(r)) })
		}),
		ofOutcome("kind", "str", "\"ok\", or the kinds of errors that steps ended with: \"deadlock\".", func(o *Outcome) starlark.Value { return text(o.o.Example.Kind()) }),
		ofOutcome("rows", "dict", "Step -> its rows as tuples, of those that gave rows.", func(o *Outcome) starlark.Value {
			return o.byStep(func(s *schedule.StepRun) starlark.Value {
				if !s.Result.HasRows {
					return nil
				}
				return rowsOf(s)
			})
		}),
		ofOutcome("errors", "dict", "Step -> the kind of its error, of those that failed.", func(o *Outcome) starlark.Value {
			return o.byStep(func(s *schedule.StepRun) starlark.Value {
				if s.Result.Err == nil {
					return nil
				}
				return text(s.Result.Err.Kind)
			})
		}),
		ofOutcome("waits", "dict", "Step -> the sessions that it waited for, of those that waited.", func(o *Outcome) starlark.Value {
			return o.byStep(func(s *schedule.StepRun) starlark.Value {
				if !s.Waited {
					return nil
				}
				return list(s.Blockers, text)
			})
		}),
		ofOutcome("final", "dict", "Table -> its rows in the end, as tuples, sorted.", func(o *Outcome) starlark.Value {
			d := starlark.NewDict(4)
			for _, t := range o.o.Example.Final {
				_ = d.SetKey(starlark.String(t.Name), tuplesOf(t)) // a str is hashable
			}
			return d
		}),
		ofOutcome("anomaly", "str", "What no serial order gives; \"\" without one, or without oracle =.", func(o *Outcome) starlark.Value { return text(o.o.Anomaly) }),
		ofOutcome("transcript", "str", "The example in lanes.", func(o *Outcome) starlark.Value { return text(o.r.plan.Transcript(o.o.Example)) }),
	},
}).Seal()

func tuplesOf(t schedule.Table) starlark.Value {
	return list(t.Values, func(v any) starlark.Value { return v.(starlark.Tuple) })
}

// StepRun is a step of a run.
type StepRun struct {
	r *Result
	s *schedule.StepRun
}

func (s *StepRun) String() string { return fmt.Sprintf("<step %s>", s.name()) }

// Type is "schedule_step".
func (s *StepRun) Type() string { return "schedule_step" }

// Freeze does nothing: it does not change.
func (s *StepRun) Freeze() {}

// Truth is true.
func (s *StepRun) Truth() starlark.Bool { return true }

// Hash is none.
func (s *StepRun) Hash() (uint32, error) { return part{}.Hash() }

// Attr finds a member.
func (s *StepRun) Attr(name string) (starlark.Value, error) { return stepRunType.Attr(s, name) }

// AttrNames lists the members.
func (s *StepRun) AttrNames() []string { return stepRunType.AttrNames() }

func (s *StepRun) name() string { return s.r.plan.Step(s.s.Step).Name }

func ofStep(name, typ, doc string, get func(s *StepRun) starlark.Value) spec.Attr {
	return spec.Attr{Name: name, Type: typ, Doc: doc, Get: func(v starlark.Value) (starlark.Value, error) { return get(v.(*StepRun)), nil }}
}

var stepRunType = (&spec.Type{
	Live: true, Name: "schedule_step", Var: "step",
	Doc: "A step of a schedule that was run.",
	Example: `
s = interleave(t, {"a": ["SELECT 1"]}, order = "a1").step("a1")
expect.eq((s.name, s.session, s.rows, s.error, s.waits), ("a1", "a", [(1,)], None, False))
`,
	Attrs: []spec.Attr{
		ofStep("name", "str", "\"a1\".", func(s *StepRun) starlark.Value { return text(s.name()) }),
		ofStep("session", "str", "\"a\".", func(s *StepRun) starlark.Value {
			return text(s.r.plan.Sessions[s.r.plan.SessionOf(s.s.Step)].Name)
		}),
		ofStep("sql", "str", "The statement, or the name of the function.", func(s *StepRun) starlark.Value { return text(s.r.plan.Step(s.s.Step).SQL) }),
		ofStep("rows", "any", "Its rows as tuples, or what the function returned; None without.", func(s *StepRun) starlark.Value { return rowsOf(s.s) }),
		ofStep("rows_affected", "int", "How many rows it changed.", func(s *StepRun) starlark.Value { return starlark.MakeInt64(s.s.Result.Affected) }),
		ofStep("error", "error|None", "What it failed with; None when it succeeded.", func(s *StepRun) starlark.Value {
			return errorValue(s.s.Result.Err)
		}),
		ofStep("waits", "bool", "Whether it waited for a lock.", func(s *StepRun) starlark.Value { return starlark.Bool(s.s.Waited) }),
		ofStep("weak", "bool", "That it waited is known only because it was quiet for long: the server does not tell.", func(s *StepRun) starlark.Value { return starlark.Bool(s.s.Weak) }),
		ofStep("blockers", "list", "The sessions that it waited for; \"another session\" is none of the schedule's.", func(s *StepRun) starlark.Value { return list(s.s.Blockers, text) }),
		ofStep("lock", "str|None", "The lock that it waited for: \"X on PRIMARY (1) of account\".", func(s *StepRun) starlark.Value {
			if len(s.s.Locks) == 0 {
				return starlark.None
			}
			return text(s.s.Locks[len(s.s.Locks)-1].String())
		}),
		ofStep("released_by", "str|None", "The step that let it proceed; None when it did not wait, or nothing did.", func(s *StepRun) starlark.Value {
			if s.s.ReleasedBy < 0 {
				return starlark.None
			}
			return text(s.r.plan.Step(s.s.ReleasedBy).Name)
		}),
		ofStep("implicit_commit", "bool", "It was DDL and committed its session's transaction.", func(s *StepRun) starlark.Value { return starlark.Bool(s.s.Implicit) }),
	},
}).Seal()

// DeadlockValue is a deadlock of a run.
type DeadlockValue struct {
	e      schedule.Entry
	victim string
}

func (d *DeadlockValue) String() string { return fmt.Sprintf("<deadlock, %s is the victim>", d.victim) }

// Type is "schedule_deadlock".
func (d *DeadlockValue) Type() string { return "schedule_deadlock" }

// Freeze does nothing: it does not change.
func (d *DeadlockValue) Freeze() {}

// Truth is true.
func (d *DeadlockValue) Truth() starlark.Bool { return true }

// Hash is none.
func (d *DeadlockValue) Hash() (uint32, error) { return part{}.Hash() }

// Attr finds a member.
func (d *DeadlockValue) Attr(name string) (starlark.Value, error) { return deadlockType.Attr(d, name) }

// AttrNames lists the members.
func (d *DeadlockValue) AttrNames() []string { return deadlockType.AttrNames() }

var deadlockType = (&spec.Type{
	Live: true, Name: "schedule_deadlock", Var: "deadlock",
	Doc: "A deadlock that the server resolved by ending a transaction.",
	Example: `
t.requires("row_locks")
t.db.exec("CREATE TABLE n (i INT PRIMARY KEY, v INT)")
t.db.insert("n", ["i", "v"], [(1, 0), (2, 0)])
r = interleave(t, {
    "a": ["BEGIN", "UPDATE n SET v = 1 WHERE i = 1", "UPDATE n SET v = 1 WHERE i = 2", "COMMIT"],
    "b": ["BEGIN", "UPDATE n SET v = 2 WHERE i = 2", "UPDATE n SET v = 2 WHERE i = 1", "COMMIT"],
}, order = "a1 b1 a2 b2 a3 b3 a4 b4")
expect.eq(len(r.deadlocks), 1)
expect.contains(["a", "b"], r.deadlocks[0].victim)
`,
	Attrs: []spec.Attr{
		{Name: "victim", Type: "str", Doc: "The session whose transaction was rolled back.", Get: func(v starlark.Value) (starlark.Value, error) {
			return text(v.(*DeadlockValue).victim), nil
		}},
		{Name: "cycle", Type: "list", Doc: "(waiter, holder, lock) for each wait, as the server tells; empty where it does not.", Get: func(v starlark.Value) (starlark.Value, error) {
			return list(v.(*DeadlockValue).e.Cycle, func(e schedule.Edge) starlark.Value {
				return starlark.Tuple{text(e.Waiter), text(e.Holder), text(e.Lock.String())}
			}), nil
		}},
	},
}).Seal()

func (r *Result) deadlocks() starlark.Value {
	var out []starlark.Value
	for _, e := range r.first().Log {
		if e.What == schedule.Deadlock {
			out = append(out, &DeadlockValue{e, r.plan.Sessions[r.plan.SessionOf(e.Step)].Name})
		}
	}
	return starlark.NewList(out)
}
