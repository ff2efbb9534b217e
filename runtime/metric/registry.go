package metric

import (
	"fmt"
	"strings"
	"sync"

	"rig/runtime/event"
)

// maxSeries bounds the series of a run: a label that takes ever new values would eat the memory of whoever folds them.
const maxSeries = 10_000

// maxName bounds names and values of labels, in bytes.
const maxName = 200

// Registry keeps what the names of a run's metrics mean. The zero value is empty; it is safe for concurrent use.
type Registry struct {
	mu     sync.Mutex
	names  map[string]declared // guarded by mu
	series map[string]bool     // guarded by mu
}

type declared struct {
	typ string
	as  string // the name that the script gave; another one where this is a part of its export
	pos event.Pos
}

// Declare notes a metric with its labels, sorted by key. It refuses names and labels that Prometheus has no place for, a name
// that means another type already, and more than ten thousand series.
func (r *Registry) Declare(typ, name string, labels []event.Field, pos event.Pos) error {
	if err := checkName(name); err != nil {
		return err
	}
	for i, l := range labels {
		if err := checkLabel(l, i > 0 && labels[i-1].Key == l.Key); err != nil {
			return err
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.names == nil {
		r.names, r.series = map[string]declared{}, map[string]bool{}
	}
	for _, n := range exported(typ, name) {
		if old, ok := r.names[n]; ok && (old.as != name || old.typ != typ) {
			return clash(n, name, old)
		}
	}
	key := fmt.Sprint(name, labels)
	if !r.series[key] && len(r.series) >= maxSeries {
		return fmt.Errorf("the run has %d series already: a label of %s takes too many values", maxSeries, name)
	}
	r.series[key] = true
	for _, n := range exported(typ, name) {
		if _, ok := r.names[n]; !ok {
			r.names[n] = declared{typ, name, pos}
		}
	}
	return nil
}

func clash(n, name string, old declared) error {
	where := ""
	if !old.pos.IsZero() {
		where = " at " + old.pos.String()
	}
	if n == old.as && n == name {
		return fmt.Errorf("%q is a %s already%s: a name has one type", name, old.typ, where)
	}
	return fmt.Errorf("%q clashes with the %s %q%s: both would export %q", name, old.typ, old.as, where, n)
}

// exported are the names that a metric takes in Prometheus's text.
func exported(typ, name string) []string {
	if typ == event.MetricTimer || typ == event.MetricTrend {
		return []string{name, name + "_sum", name + "_count"}
	}
	return []string{name}
}

func checkName(name string) error {
	switch {
	case !identifier(name):
		return fmt.Errorf("%q is no metric name: letters, digits and underscores, no digit first", name)
	case len(name) > maxName:
		return fmt.Errorf("a metric name has at most %d characters, this one %d", maxName, len(name))
	case strings.HasPrefix(name, "rig_"):
		return fmt.Errorf("%q: names that begin with rig_ are rig's own", name)
	}
	return nil
}

func checkLabel(l event.Field, again bool) error {
	switch {
	case !identifier(l.Key):
		return fmt.Errorf("%q is no label name: letters, digits and underscores, no digit first", l.Key)
	case strings.HasPrefix(l.Key, "__") || l.Key == "quantile" || l.Key == "le":
		return fmt.Errorf("the label %q is reserved by Prometheus", l.Key)
	case again:
		return fmt.Errorf("the label %q is given twice", l.Key)
	case len(l.Key) > maxName || len(l.Value) > maxName:
		return fmt.Errorf("the label %s has at most %d characters", clip(l.Key), maxName)
	}
	return nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}

func identifier(s string) bool {
	if s == "" || digit(s[0]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c == '_' || digit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}
