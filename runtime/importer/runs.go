package importer

import (
	"strings"

	"rig/runtime/fault"
)

// run is one call of interleave: orders over the same steps.
type run struct {
	orders   []order
	sessions []runSession
}

type runSession struct {
	*session
	id    string // its name as interleave takes it: letters, digits and _, at most 31
	steps []runStep
}

type runStep struct {
	*step
	as string // its name in the order
}

// runs groups the orders of a test by the steps that each session runs. An order of the source may leave steps out, turn them
// round or have one twice; interleave wants each step of a session once and in its place.
func (t *test) runs(ids map[string]string) []run {
	if len(t.orders) == 0 {
		return []run{t.whole(ids)}
	}
	var out []run
	at := map[string]int{}
	for _, o := range t.orders {
		r, key := t.runOf(o, ids)
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, r)
			out[i].orders = nil
		}
		out[i].orders = append(out[i].orders, r.orders[0])
	}
	return out
}

// whole is the run of all steps.
func (t *test) whole(ids map[string]string) run {
	var r run
	for _, s := range t.sessions {
		rs := runSession{session: s, id: sessionIDs(t)[s]}
		for _, st := range s.steps {
			rs.steps = append(rs.steps, runStep{st, ids[st.name]})
		}
		r.sessions = append(r.sessions, rs)
	}
	return r
}

// runOf is the run of one order, with a key that says which steps it has.
func (t *test) runOf(o order, ids map[string]string) (run, string) {
	named := order{line: o.line}
	steps := map[*session][]runStep{}
	taken, used := map[string]bool{}, map[string]bool{}
	for _, id := range ids {
		taken[id] = true
	}
	for _, u := range o.uses {
		s, st := t.stepNamed(u.step)
		as := ids[u.step]
		if used[u.step] {
			as = unused(as, taken) // a second use of the step is a step of its own
		}
		used[u.step] = true
		steps[s] = append(steps[s], runStep{st, as})
		u.step = as
		if len(st.sql) > 0 {
			u.sql = st.sql[len(st.sql)-1].sql
		}
		named.uses = append(named.uses, u)
	}
	r := run{orders: []order{named}}
	var key strings.Builder
	for _, s := range t.sessions {
		if len(steps[s]) == 0 {
			continue
		}
		r.sessions = append(r.sessions, runSession{s, sessionIDs(t)[s], steps[s]})
		for _, st := range steps[s] {
			key.WriteString(st.as + " ")
		}
		key.WriteString("; ")
	}
	return r, key.String()
}

func sessionIDs(t *test) map[*session]string {
	out, taken := map[*session]string{}, map[string]bool{}
	for _, s := range t.sessions {
		name := identifier(s.name)
		if len(name) > 25 {
			name = strings.TrimRight(name[:25], "_")
		}
		out[s] = unused(name, taken)
	}
	return out
}

// stepIDs gives each step a name that can stand in an order: letters, digits and _, and not the name of an error.
func stepIDs(t *test) map[string]string {
	out, taken := map[string]string{}, map[string]bool{}
	for _, k := range fault.Kinds() {
		taken[string(k.Kind)] = true
	}
	for _, name := range t.stepNames() {
		out[name] = unused(identifier(name), taken)
	}
	return out
}
