package lab

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/runtime/event"
	"rig/runtime/schedule"
	"rig/runtime/script"
)

var shrinkFunc = &spec.Func{
	Name: "shrink", Returns: "schedule",
	Doc: "Reduces a schedule that fails to the fewest sessions and steps that still fail, and writes it as a scenario file that runs. What fails is an outcome for which fails(outcome) is true; without fails, one that is not serializable (where the schedule had oracle =), else one with errors, of the same kinds. It returns the result of the small one.",
	Params: []spec.Param{
		{Name: "r", Type: "schedule", Doc: "What interleave returned."},
		{Name: "fails", Type: "callable", Optional: true, KwOnly: true, Doc: "Called with an outcome; whether it is the failure."},
		{Name: "file", Type: "str", Optional: true, KwOnly: true, Doc: "Where to write the scenario, from the script's folder; <test>_shrunk.star without it."},
	},
	Example: `
t.requires("row_locks")
t.db.exec("CREATE TABLE n (i INT PRIMARY KEY, v INT)")
t.db.insert("n", ["i", "v"], [(1, 0), (2, 0)])
r = interleave(t, {
    "a": ["BEGIN", "SELECT 1", "UPDATE n SET v = 1 WHERE i = 1", "UPDATE n SET v = 1 WHERE i = 2", "COMMIT"],
    "b": ["BEGIN", "UPDATE n SET v = 2 WHERE i = 2", "UPDATE n SET v = 2 WHERE i = 1", "SELECT 2", "COMMIT"],
    "c": ["SELECT * FROM n"],
}, order = "a1 b1 c1 a2 a3 b2 a4 b3 a5 b4 b5")
small = shrink(r, file = "deadlock_shrunk.star")
expect.eq(len(small.steps), 6)
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		s := &shrinker{c: c, r: c.Arg("r").(*Result)}
		return s.run()
	},
}

// shrinkTimeout bounds a step of an attempt: one that hangs is none.
const shrinkTimeout = 2 * time.Second

// shrinker is one call of shrink.
type shrinker struct {
	c     *spec.Call
	r     *Result
	kind  string // of the errors of the failure, where that is what fails
	tries int
}

// cut is a part of the plan that is left: which steps of each session, in an order.
type cut []int

func (s *shrinker) run() (starlark.Value, error) {
	o, err := s.failure()
	if err != nil {
		return nil, err
	}
	left := cut(slices.Clone(o.o.Example.Order))
	small, err := s.attempt(left)
	if err != nil {
		return nil, err
	}
	if small == nil {
		return nil, s.c.Errorf("r", "the failure is not there when its order is run again: %s", s.r.plan.Text(o.o.Example))
	}
	if left, small, err = s.reduce(left, small); err != nil {
		return nil, err
	}
	return small, s.write(small, left)
}

// failure finds the outcome that is to be kept.
func (s *shrinker) failure() (*Outcome, error) {
	for _, o := range s.r.outcomes {
		v := &Outcome{s.r, o}
		if !s.c.Has("fails") && !s.r.x.c.Has("oracle") && o.Example.Kind() == "ok" {
			continue
		}
		s.kind = o.Example.Kind()
		ok, err := s.fails(v)
		if err != nil || ok {
			return v, err
		}
	}
	return nil, s.c.Errorf("r", "no outcome of the schedule fails")
}

func (s *shrinker) fails(o *Outcome) (bool, error) {
	switch {
	case s.c.Has("fails"):
		v, err := starlark.Call(s.c.Thread, s.c.Callable("fails"), starlark.Tuple{o}, nil)
		return err == nil && bool(v.Truth()), err
	case s.r.x.c.Has("oracle"):
		return o.o.Anomaly != "", nil
	}
	return o.o.Example.Kind() == s.kind, nil
}

// reduce leaves out sessions, then steps, until nothing more can go.
func (s *shrinker) reduce(left cut, small *Result) (cut, *Result, error) {
	for {
		shorter, r, err := s.shorter(left)
		if err != nil || r == nil {
			return left, small, err
		}
		left, small = shorter, r
	}
}

// shorter finds one thing that can be left out; nil when there is none.
func (s *shrinker) shorter(left cut) (cut, *Result, error) {
	var tries []cut
	for session := range s.r.plan.Sessions {
		tries = append(tries, slices.DeleteFunc(slices.Clone(left), func(n int) bool { return s.r.plan.SessionOf(n) == session }))
	}
	for i := range left {
		tries = append(tries, slices.Delete(slices.Clone(left), i, i+1))
	}
	for _, t := range tries {
		if len(t) == 0 || len(t) == len(left) {
			continue
		}
		r, err := s.attempt(t)
		if err != nil || r != nil {
			return t, r, err
		}
	}
	return nil, nil, nil
}

// attempt runs what is left; nil when it does not fail as it should.
func (s *shrinker) attempt(left cut) (*Result, error) {
	if err := s.c.Script().Context().Err(); err != nil {
		return nil, err
	}
	s.tries++
	x, places, err := s.r.x.part(left)
	if err != nil {
		return nil, err
	}
	x.timeout = min(x.timeout, shrinkTimeout)
	x.plan.Timeout, x.plan.Impatient = x.timeout, true
	r, err := x.runOrders(choose(schedule.Given([][]schedule.Place{places}), 1))
	if err != nil {
		return nil, s.c.Script().Context().Err() // an order that cannot happen, or a mistake, is no failure of that kind
	}
	for _, o := range r.outcomes {
		ok, err := s.fails(&Outcome{r, o})
		if err != nil || !ok {
			return nil, err
		}
	}
	return r, nil
}

// part makes an experiment of some of the steps.
func (x *experiment) part(left cut) (*experiment, []schedule.Place, error) {
	y := &experiment{
		c: x.c, t: x.t, pos: x.pos, name: x.name + " (shrinking)", target: x.target, isolation: x.isolation, setup: x.setup, teardown: x.teardown,
		timeout: x.timeout, lockWait: x.lockWait, functions: map[string]starlark.Callable{}, results: map[int]*schedule.Run{}, restore: x.before,
	}
	for i, a := range x.actors {
		b := actor{name: a.name, isolation: a.isolation, setup: a.setup, teardown: a.teardown}
		for k, st := range a.steps {
			if n := x.plan.Number(i, k); slices.Contains(left, n) {
				kept := *st
				kept.want = schedule.Want{}
				b.steps = append(b.steps, &kept)
			}
		}
		if b.steps != nil {
			y.actors = append(y.actors, b)
		}
	}
	var err error
	if y.plan, err = y.planOf(); err != nil {
		return nil, nil, err
	}
	// Steps are numbered anew: the plan has them in their old order.
	sorted := slices.Sorted(slices.Values(left))
	places := make([]schedule.Place, len(left))
	for i, n := range left {
		places[i].Step = slices.Index(sorted, n)
	}
	return y, places, y.findFunctions()
}

// write makes a scenario file of the small schedule.
func (s *shrinker) write(small *Result, left cut) error {
	text, err := s.scenario(small)
	if err != nil {
		return err
	}
	pos := script.CallerPos(s.c.Thread)
	path := s.c.Str("file")
	if path == "" {
		path = strings.TrimPrefix(s.r.x.t.Name(), "test_") + "_shrunk.star"
	}
	root, err := os.OpenRoot(filepath.Dir(pos.File))
	if err != nil {
		return s.c.Errorf("file", "%v", err)
	}
	defer root.Close()
	if err := root.WriteFile(filepath.FromSlash(path), []byte(text), 0o644); err != nil {
		return s.c.Errorf("file", "%v", err)
	}
	s.r.x.t.Emit(pos, &event.Log{Level: "info", Module: "lab", Message: fmt.Sprintf("shrank %d steps to %d in %d attempts: %s", s.r.plan.Len(), len(left), s.tries, filepath.Join(filepath.Dir(pos.File), path))})
	return nil
}

// scenario is the text of the file. It fails as long as the schedule does.
func (s *shrinker) scenario(small *Result) (string, error) {
	x := small.x
	if x.setup.fn != nil || x.teardown.fn != nil || len(x.functions) > 0 {
		return "", errors.New("a schedule with functions cannot be written as a file: their text is not known")
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\"\"\"Shrunk from %s: %s.\"\"\"\n\ndef test_shrunk(t):\n", s.r.x.t.ID(), s.what(small))
	if x.target == "" {
		for _, line := range x.before.Script() {
			fmt.Fprintf(&b, "    %s\n", line)
		}
	}
	b.WriteString("    r = interleave(t,\n        sessions = {\n")
	for _, a := range x.actors {
		fmt.Fprintf(&b, "            %s: %s,\n", starlark.String(a.name), a.literal())
	}
	order := small.plan.Text(small.first())
	fmt.Fprintf(&b, "        },\n        order = %s,\n", starlark.String(order))
	s.options(&b, x)
	b.WriteString("    )\n    print(r)\n")
	switch {
	case s.r.x.c.Has("oracle"):
		b.WriteString("    expect.eq(r.anomalies, [])\n")
	case s.c.Has("fails"):
		fmt.Fprintf(&b, "    # What was wrong: %s\n    expect.ne(str(r), %s)\n", strings.ReplaceAll(small.plan.Describe(small.outcomes)[0], "\n", " "), starlark.String(small.String()))
	default:
		b.WriteString("    expect.eq(r.outcomes[0].kind, \"ok\")\n")
	}
	return b.String(), nil
}

func (s *shrinker) what(small *Result) string {
	o := small.outcomes[0]
	if o.Anomaly != "" {
		return o.Anomaly
	}
	return o.Example.Kind()
}

func (s *shrinker) options(b *strings.Builder, x *experiment) {
	for _, o := range []struct{ name, value string }{{"isolation", x.isolation}, {"oracle", s.r.x.c.Str("oracle")}, {"target", x.target}} {
		if o.value != "" {
			fmt.Fprintf(b, "        %s = %s,\n", o.name, starlark.String(o.value))
		}
	}
	for _, o := range []struct {
		name string
		sql  []string
	}{{"setup", x.setup.sql}, {"teardown", x.teardown.sql}} {
		if o.sql != nil {
			fmt.Fprintf(b, "        %s = %s,\n", o.name, list(o.sql, text))
		}
	}
	if x.lockWait > 0 {
		fmt.Fprintf(b, "        lock_wait = %q,\n", x.lockWait.String())
	}
}

// literal writes a session as a script has it.
func (a *actor) literal() string {
	var steps []string
	for _, s := range a.steps {
		if s.name == "" {
			steps = append(steps, s.do.String())
		} else {
			steps = append(steps, fmt.Sprintf("step(%s, name = %s)", s.do, starlark.String(s.name)))
		}
	}
	out := "[" + strings.Join(steps, ", ") + "]"
	if a.isolation == "" && a.setup == nil && a.teardown == nil {
		return out
	}
	d := "{\"steps\": " + out
	if a.isolation != "" {
		d += ", \"isolation\": " + starlark.String(a.isolation).String()
	}
	if a.setup != nil {
		d += ", \"setup\": " + list(a.setup, text).String()
	}
	if a.teardown != nil {
		d += ", \"teardown\": " + list(a.teardown, text).String()
	}
	return d + "}"
}
