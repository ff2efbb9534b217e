package lab

import (
	"strings"

	"rig/builtins/spec"
	"rig/runtime/schedule"
)

// serialMost is the most serial orders that an outcome is compared with.
const serialMost = 2000

// compare runs the transactions of each outcome one after another, in every order, and names the outcomes that none of these
// gives.
func (x *experiment) compare(r *Result) error {
	if kept := x.lanes[0].known().Lasting; len(kept) > 0 {
		return &spec.ArgError{
			Call: x.c.Name(), Param: "oracle", Problem: strings.Join(kept, ", ") + " keeps what earlier orders did, so that orders cannot be compared",
			Hint: "sequences and tables WITH SYSTEM VERSIONING do not go back to what they were; leave oracle away, or use a plain table",
		}
	}
	serial := map[string][]*schedule.Run{}
	for _, o := range r.outcomes {
		units := x.plan.Units(o.Example)
		key := schedule.UnitsKey(units)
		if _, known := serial[key]; !known {
			runs, err := x.serial(units)
			if err != nil {
				return err
			}
			serial[key] = runs
		}
		o.Anomaly = x.plan.Compare(o.Example, units, serial[key], x.dirty()).Anomaly
	}
	return nil
}

// serial runs the units one after another, in every order.
func (x *experiment) serial(units []schedule.Unit) ([]*schedule.Run, error) {
	orders, ok := schedule.SerialOrders(units, serialMost)
	if !ok {
		return nil, &spec.ArgError{Call: x.c.Name(), Param: "oracle", Problem: "there are too many transactions to run one after another in every order", Hint: "use fewer sessions, or put statements into transactions"}
	}
	kept := x.results
	x.results = map[int]*schedule.Run{}
	defer func() { x.results = kept }()
	if err := x.work(schedule.Given(orders)); err != nil {
		return nil, err
	}
	var out []*schedule.Run
	for i := range orders {
		if run := x.results[i]; run != nil {
			out = append(out, run)
		}
	}
	return out, nil
}

// dirty reports whether a session may see what others have not committed.
func (x *experiment) dirty() bool {
	uncommitted := func(s string) bool {
		return strings.Contains(strings.ToUpper(strings.ReplaceAll(s, "-", " ")), "READ UNCOMMITTED")
	}
	for _, a := range x.actors {
		if uncommitted(a.isolation) || a.isolation == "" && uncommitted(x.isolation) {
			return true
		}
	}
	for _, sql := range x.allSQL() {
		if uncommitted(sql) {
			return true
		}
	}
	return false
}
