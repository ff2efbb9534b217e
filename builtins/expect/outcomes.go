package expect

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/fault"
)

var outcomesFunc = &spec.Func{
	Name: "outcomes", Doc: "Expects the outcomes of a schedule to be these, and no others. A key is a label of one's own; its value a dict of step -> what it gave (rows; the only value; an error's kind or code; \"ok\"; \"waits\"), with \"final\" -> a dict of table -> rows, \"anomaly\" -> its name (\"\" for none), \"kind\", \"count\" -> the number of orders, \"optional\": True for one that need not be there. A value that is an int counts the outcomes of that kind: {\"ok\": 12, \"deadlock\": 8}.",
	Params: []spec.Param{
		{Name: "got", Type: "schedule", Doc: "What interleave returned."},
		{Name: "want", Type: "dict", Doc: "The outcomes."},
		msgParam,
	},
	Example: `
t.db.exec("CREATE TABLE n (i INT PRIMARY KEY)")
r = interleave(t, {"a": ["INSERT INTO n VALUES (1)"], "b": ["SELECT COUNT(*) FROM n"]})
expect.outcomes(r, {"a first": {"b1": [1]}, "b first": {"b1": [0], "final": {"n": [1]}, "count": 1}})
expect.outcomes(r, {"ok": 2})
`,
	Impl: func(c *spec.Call) (starlark.Value, error) {
		got, ok := c.Arg("got").(value.Outcomes)
		if !ok {
			return nil, c.Errorf("got", "want what interleave returned, got %s", c.Arg("got").Type())
		}
		wants, err := readWanted(c, got.Outcomes())
		if err != nil {
			return nil, err
		}
		if wants == nil {
			return countKinds(c, got.Outcomes())
		}
		return matchOutcomes(c, got.Outcomes(), wants)
	},
}

// wantedOutcome is one entry of the dict.
type wantedOutcome struct {
	label    string
	parts    []starlark.Tuple // what identifies it
	count    int              // -1 is any
	optional bool
	seen     int
}

// readWanted reads the dict; nil when it counts kinds.
func readWanted(c *spec.Call, got []value.OutcomeView) ([]*wantedOutcome, error) {
	var out []*wantedOutcome
	ints := 0
	items := c.Arg("want").(starlark.IterableMapping).Items()
	if len(items) == 0 {
		return nil, c.Errorf("want", "the dict is empty: a check that cannot tell anything")
	}
	for _, kv := range items {
		label, ok := starlark.AsString(kv[0])
		if !ok {
			return nil, c.Errorf("want", "a key is a label, got %s", kv[0].Type())
		}
		if _, isInt := kv[1].(starlark.Int); isInt {
			ints++
			continue
		}
		d, ok := kv[1].(*starlark.Dict)
		if !ok {
			return nil, c.Errorf("want", "%q: want a dict of step -> what it gave, or a count, got %s", label, kv[1].Type())
		}
		w := &wantedOutcome{label: label, count: -1}
		if err := w.read(c, d, got); err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	if ints > 0 && out != nil {
		return nil, c.Errorf("want", "counts of kinds and descriptions cannot be mixed: use \"count\" in the dicts")
	}
	return out, nil
}

func (w *wantedOutcome) read(c *spec.Call, d *starlark.Dict, got []value.OutcomeView) error {
	for _, kv := range d.Items() {
		key, _ := starlark.AsString(kv[0])
		switch key {
		case "count":
			n, err := starlark.AsInt32(kv[1])
			if err != nil {
				return c.Errorf("want", "%q: count is an int", w.label)
			}
			w.count = n
		case "optional":
			w.optional = bool(kv[1].Truth())
		case "final", "anomaly", "kind":
			w.parts = append(w.parts, kv)
		default:
			if err := knownStep(c, key, got); err != nil {
				return err
			}
			w.parts = append(w.parts, kv)
		}
	}
	if w.parts == nil {
		return c.Errorf("want", "%q: nothing identifies the outcome", w.label)
	}
	return nil
}

func knownStep(c *spec.Call, name string, got []value.OutcomeView) error {
	if len(got) == 0 {
		return nil
	}
	names := slices.Sorted(maps.Keys(got[0].Steps)) // all outcomes are of the same steps
	if len(names) == 0 || slices.Contains(names, name) {
		return nil
	}
	if near := fault.Suggest(name, names); near != "" {
		return c.Errorf("want", "there is no step %q, did you mean %q?", name, near)
	}
	return c.Errorf("want", "there is no step %q; there are %s, and final, anomaly, kind, count, optional", name, strings.Join(names, " "))
}

// countKinds compares how many orders ended in each kind.
func countKinds(c *spec.Call, got []value.OutcomeView) (starlark.Value, error) {
	have := map[string]int{}
	for _, o := range got {
		have[o.Kind] += o.Count
	}
	var lines []string
	for _, kv := range c.Arg("want").(starlark.IterableMapping).Items() {
		kind, _ := starlark.AsString(kv[0])
		n, err := starlark.AsInt32(kv[1])
		if err != nil {
			return nil, c.Errorf("want", "%q: %v", kind, err)
		}
		if have[kind] != n {
			lines = append(lines, fmt.Sprintf("%s: %d orders, want %d", kind, have[kind], n))
		}
		delete(have, kind)
	}
	for kind, n := range have {
		lines = append(lines, fmt.Sprintf("%s: %d orders, want none", kind, n))
	}
	slices.Sort(lines)
	return verdict(c, lines == nil, "the orders ended otherwise", strings.Join(lines, "\n"))
}

// matchOutcomes finds for each outcome the entry that it fits.
func matchOutcomes(c *spec.Call, got []value.OutcomeView, wants []*wantedOutcome) (starlark.Value, error) {
	var lines []string
	for _, o := range got {
		fits := false
		for _, w := range wants {
			ok, err := w.fits(o)
			if err != nil {
				return nil, err
			}
			if ok {
				fits = true
				w.seen += o.Count
				break
			}
		}
		if !fits {
			lines = append(lines, fmt.Sprintf("outcome %s of %d orders (%s) fits none: %s", o.Label, o.Count, o.Order, o.What))
		}
	}
	for _, w := range wants {
		switch {
		case w.seen == 0 && !w.optional && w.count != 0:
			lines = append(lines, fmt.Sprintf("%q: no order gave it", w.label))
		case w.seen > 0 && w.count >= 0 && w.seen != w.count:
			lines = append(lines, fmt.Sprintf("%q: %d orders gave it, want %d", w.label, w.seen, w.count))
		}
	}
	return verdict(c, lines == nil, "the outcomes are not those wanted", strings.Join(lines, "\n"))
}

func (w *wantedOutcome) fits(o value.OutcomeView) (bool, error) {
	for _, kv := range w.parts {
		key, _ := starlark.AsString(kv[0])
		ok, err := partFits(o, key, kv[1])
		if err != nil || !ok {
			return false, err
		}
	}
	return true, nil
}

func partFits(o value.OutcomeView, key string, want starlark.Value) (bool, error) {
	switch key {
	case "kind":
		return value.Equal(starlark.String(o.Kind), want)
	case "anomaly":
		return value.Equal(starlark.String(o.Anomaly), want)
	case "final":
		tables, ok := want.(*starlark.Dict)
		if !ok {
			return false, fmt.Errorf("\"final\" is a dict of table -> rows, got %s", want.Type())
		}
		for _, kv := range tables.Items() {
			name, _ := starlark.AsString(kv[0])
			left, ok := o.Final[name]
			if !ok {
				return false, nil
			}
			if same, err := rowsFit(left, kv[1]); err != nil || !same {
				return false, err
			}
		}
		return true, nil
	}
	return stepFits(o.Steps[key], want)
}

func stepFits(s value.StepView, want starlark.Value) (bool, error) {
	if word, ok := starlark.AsString(want); ok {
		switch word {
		case "ok":
			return s.Error == nil, nil
		case "waits":
			return s.Waited, nil
		}
		if s.Error != nil {
			return s.Error.Report().Kind == word, nil
		}
	}
	if s.Error != nil {
		return value.Equal(starlark.MakeInt(s.Error.Report().Code), want)
	}
	return rowsFit(s.Rows, want)
}

// rowsFit compares rows; a row of one value may be written bare, and so may the only value.
func rowsFit(got, want starlark.Value) (bool, error) {
	rows, ok := got.(*starlark.List)
	if !ok {
		return value.Equal(got, want)
	}
	wanted, ok := want.(*starlark.List)
	if !ok {
		if only, ok := onlyValue(rows); ok {
			return value.Equal(only, want)
		}
		return false, nil
	}
	if rows.Len() != wanted.Len() {
		return false, nil
	}
	for i := range rows.Len() {
		g, w := rows.Index(i), wanted.Index(i)
		if t, ok := g.(starlark.Tuple); ok && len(t) == 1 {
			if _, isTuple := w.(starlark.Tuple); !isTuple {
				g = t[0]
			}
		}
		if same, err := value.Equal(g, w); err != nil || !same {
			return false, err
		}
	}
	return true, nil
}

func onlyValue(rows *starlark.List) (starlark.Value, bool) {
	if rows.Len() != 1 {
		return nil, false
	}
	t, ok := rows.Index(0).(starlark.Tuple)
	if !ok || len(t) != 1 {
		return nil, false
	}
	return t[0], true
}
