package elle

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// The lattice of consistency models and what each forbids, as the checker Elle publishes it (elle.consistency-model, after
// Adya, Bailis, Cerone, Daudjee and others); its names are kept. Item anomalies only: nothing here reads predicates.

// implied says which anomalies an anomaly also is.
var implied = map[string][]string{
	"G0":                         {"G1c", "G0-process"},
	"G0-process":                 {"G1c-process", "G0-realtime"},
	"G0-realtime":                {"G1c-realtime"},
	"G1a":                        {"G1"},
	"G1b":                        {"G1"},
	"G1c":                        {"G1", "G1c-process"},
	"G1c-process":                {"G1c-realtime", "G1-process"},
	"G1c-realtime":               {"G1-realtime"},
	"G1":                         {"G1-process"},
	"G1-process":                 {"G1-realtime"},
	"G-single-item":              {"G-single", "G-single-item-process", "G-nonadjacent-item"},
	"G-single-item-process":      {"G-single-process", "G-single-item-realtime", "G-nonadjacent-item-process"},
	"G-single-item-realtime":     {"G-single-realtime", "G-nonadjacent-item-realtime"},
	"G-single":                   {"G-nonadjacent", "GSIb", "G-single-process"},
	"G-single-process":           {"G-nonadjacent-process", "G-single-realtime"},
	"G-single-realtime":          {"G-nonadjacent-realtime"},
	"G-nonadjacent-item":         {"G-nonadjacent", "G2-item", "G-nonadjacent-item-process"},
	"G-nonadjacent-item-process": {"G-nonadjacent-process", "G2-item-process", "G-nonadjacent-item-realtime"},
	"G-nonadjacent-item-realtime": {
		"G2-item-realtime", "G-nonadjacent-realtime",
	},
	"G-nonadjacent":          {"G2", "G-nonadjacent-process"},
	"G-nonadjacent-process":  {"G2-process", "G-nonadjacent-realtime"},
	"G-nonadjacent-realtime": {"G2-realtime"},
	"G2":                     {"G2-process"},
	"G2-item":                {"G2", "G2-item-process"},
	"G2-item-process":        {"G2-process", "G2-item-realtime"},
	"G2-item-realtime":       {"G2-realtime"},
	"G2-process":             {"G2-realtime"},
	"GSIa":                   {"GSI"},
	"GSIb":                   {"GSI"},
	"incompatible-order":     {"G1a"},
	"future-read":            {"G1c"},
	"dirty-update":           {"G1a"},
	"lost-update":            {"write-skew", "G2-item"},
	"write-skew":             {"G2"},
	// Elle stops with an assertion where a list has an element that nobody appended; here it is an anomaly with the rank of
	// the aborted read, which it is if the write was lost from the history.
	"garbage-read": {"G1a"},
}

// weaker says which models hold wherever a model does.
var weaker = map[string][]string{
	"causal-cerone":                     {"read-atomic"},
	"consistent-view":                   {"cursor-stability", "monotonic-view"},
	"cursor-stability":                  {"read-committed"},
	"forward-consistent-view":           {"consistent-view"},
	"read-committed":                    {"read-uncommitted"},
	"update-serializable":               {"forward-consistent-view"},
	"monotonic-atomic-view":             {"read-committed"},
	"monotonic-view":                    {"read-committed"},
	"monotonic-snapshot-read":           {"read-committed"},
	"parallel-snapshot-isolation":       {"causal-cerone", "update-atomic"},
	"prefix":                            {"causal-cerone"},
	"read-atomic":                       {"monotonic-atomic-view"},
	"repeatable-read":                   {"cursor-stability", "monotonic-atomic-view"},
	"update-atomic":                     {"read-atomic"},
	"serializable":                      {"repeatable-read", "update-serializable", "snapshot-isolation", "view-serializable"},
	"session-serializable":              {"1SR"},
	"snapshot-isolation":                {"forward-consistent-view", "monotonic-atomic-view", "monotonic-snapshot-read", "parallel-snapshot-isolation", "prefix"},
	"strict-serializable":               {"serializable", "linearizable", "strong-snapshot-isolation", "strong-session-serializable", "session-serializable"},
	"strong-session-read-uncommitted":   {"read-uncommitted"},
	"strong-session-read-committed":     {"read-committed", "strong-session-read-uncommitted"},
	"strong-read-uncommitted":           {"strong-session-read-uncommitted"},
	"strong-read-committed":             {"strong-session-read-committed", "strong-read-uncommitted"},
	"strong-session-serializable":       {"serializable", "strong-session-snapshot-isolation"},
	"strong-session-snapshot-isolation": {"snapshot-isolation", "strong-session-read-committed"},
	"strong-snapshot-isolation":         {"strong-session-snapshot-isolation", "strong-read-committed"},
	"linearizable":                      {"sequential"},
	"sequential":                        {"causal"},
	"causal":                            {"writes-follow-reads", "PRAM"},
	"PRAM":                              {"monotonic-reads", "monotonic-writes", "read-your-writes"},
}

// forbids says which anomalies a model forbids over those that its weaker models forbid.
var forbids = map[string][]string{
	"causal-cerone":                     {"internal", "G1a"},
	"cursor-stability":                  {"G1", "G-cursor", "lost-update"},
	"monotonic-view":                    {"G1", "G-monotonic"},
	"monotonic-snapshot-read":           {"G1", "G-MSR"},
	"consistent-view":                   {"G1", "G-single"},
	"forward-consistent-view":           {"G1", "G-SIb"},
	"parallel-snapshot-isolation":       {"internal", "G1a"},
	"serializable":                      {"G1", "G2", "internal"},
	"read-committed":                    {"G1"},
	"read-uncommitted":                  {"G0", "duplicate-elements", "cyclic-versions"},
	"prefix":                            {"internal", "G1a"},
	"snapshot-isolation":                {"internal", "G1", "G-SI", "G-nonadjacent"},
	"read-atomic":                       {"internal", "G1a", "future-read"},
	"repeatable-read":                   {"G1", "G2-item", "lost-update"},
	"update-atomic":                     {"lost-update"},
	"strict-serializable":               {"G1", "G1c-realtime", "G2-realtime"},
	"strong-session-read-uncommitted":   {"G0-process"},
	"strong-session-read-committed":     {"G1c-process"},
	"strong-read-uncommitted":           {"G0-realtime"},
	"strong-read-committed":             {"G1c-realtime"},
	"strong-session-snapshot-isolation": {"internal", "G1-process", "G-nonadjacent-process"},
	"strong-snapshot-isolation":         {"internal", "G1-realtime", "G-nonadjacent-realtime"},
	"strong-session-serializable":       {"G1-process", "G2-process"},
	"update-serializable":               {"G1", "G-update"},
}

// cycleExists is the suffix of what stands for a cycle that is known to be there and was not found: read-committed-cycle-exists.
const cycleExists = "-cycle-exists"

// otherNames are further names of models.
var otherNames = map[string]string{
	"PL-1": "read-uncommitted", "PL-2": "read-committed", "PL-2+": "consistent-view", "PL-2L": "monotonic-view",
	"PL-2.99": "repeatable-read", "PL-3": "serializable", "PL-3U": "update-serializable", "PL-CS": "cursor-stability",
	"PL-FCV": "forward-consistent-view", "PL-MSR": "monotonic-snapshot-read", "PL-SI": "snapshot-isolation", "PL-SS": "strict-serializable",
	"conflict-serializable": "serializable", "strong-serializable": "strict-serializable",
}

// Levels are the names of the models that a history can be checked against.
func Levels() []string {
	var out []string
	for m := range allModels() {
		for w := range reach(weaker, []string{m}) {
			if forbids[w] != nil {
				out = append(out, m)
				break
			}
		}
	}
	slices.Sort(out)
	return out
}

// Level is the name of a model as the lattice has it: "Repeatable Read", "PL-2.99" and repeatable-read are the same.
func Level(name string) (string, error) {
	if other, ok := otherNames[strings.ToUpper(name)]; ok {
		return other, nil
	}
	plain := strings.ToLower(strings.NewReplacer(" ", "-", "_", "-").Replace(name))
	if other, ok := otherNames[plain]; ok {
		return other, nil
	}
	for _, model := range Levels() {
		if strings.EqualFold(model, plain) {
			return model, nil
		}
	}
	return "", fmt.Errorf("there is no level %q; the levels are %s", name, strings.Join(Levels(), ", "))
}

// reach is everything that a relation leads to from some names, themselves included.
func reach(relation map[string][]string, names []string) map[string]bool {
	seen := map[string]bool{}
	todo := slices.Clone(names)
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[n] {
			seen[n] = true
			todo = append(todo, relation[n]...)
		}
	}
	return seen
}

// allModels are the models of the lattice.
func allModels() map[string]bool {
	return reach(weaker, slices.Collect(maps.Keys(weaker)))
}

// RuledOut is which models cannot hold where some anomalies are: not has the weakest of them, alsoNot those that are stronger.
func RuledOut(anomalies []string) (not, alsoNot []string) {
	out := impossible(anomalies)
	for m := range out {
		weakest := true
		for w := range reach(weaker, weaker[m]) {
			weakest = weakest && !out[w]
		}
		if weakest {
			not = append(not, m)
		} else {
			alsoNot = append(alsoNot, m)
		}
	}
	slices.Sort(not)
	slices.Sort(alsoNot)
	return not, alsoNot
}

func impossible(anomalies []string) map[string]bool {
	found := reach(implied, anomalies)
	out := map[string]bool{}
	for m := range allModels() {
		for w := range reach(weaker, []string{m}) {
			out[m] = out[m] || found[w+cycleExists]
			for _, a := range forbids[w] {
				out[m] = out[m] || found[a]
			}
		}
		if !out[m] {
			delete(out, m)
		}
	}
	return out
}

// Remaining are the strongest models that some anomalies leave possible, of those that forbid anything.
func Remaining(anomalies []string) []string {
	out := impossible(anomalies)
	var left []string
	for m := range forbids {
		if !out[m] {
			left = append(left, m)
		}
	}
	strongest := slices.DeleteFunc(slices.Clone(left), func(m string) bool {
		return slices.ContainsFunc(left, func(s string) bool { return s != m && reach(weaker, []string{s})[m] })
	})
	slices.Sort(strongest)
	return strongest
}

// Violates says whether an anomaly cannot be where a level holds.
func Violates(level, anomaly string) bool { return impossible([]string{anomaly})[level] }
