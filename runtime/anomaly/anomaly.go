// Package anomaly keeps what a server does with anomalies as a table of verdicts.
//
// A [Fold] is a sink: it makes a [Table] of the verdicts on the stream. [Shipped] gives the tables that come with rig, [Load] one
// that was saved; [Compare] tells where two differ. A table is written as text, Markdown, JSON or HTML.
package anomaly

import (
	"fmt"
	"slices"
	"strings"

	"rig/runtime/fault"
)

// Verdict says what a server did with an anomaly.
type Verdict string

// The verdicts.
const (
	Allowed   Verdict = "allowed"
	Prevented Verdict = "prevented" // nothing waited and nothing failed
	Waits     Verdict = "waits"     // prevented, a step had to wait
	Error     Verdict = "error"     // prevented, a step failed
	// Held is for tables of documentation: prevented, in a way that it does not tell.
	Held Verdict = "held"
)

// known reports whether a table may have the verdict.
func (v Verdict) known() bool {
	return slices.Contains([]Verdict{Allowed, Prevented, Waits, Error, Held}, v)
}

// Agrees reports whether what was found is what a table wants.
func (v Verdict) Agrees(want Verdict) bool {
	return v == want || (want == Held && v != Allowed) || (v == Held && want != Allowed)
}

// Column is a way to run: an isolation level, with settings of the sessions.
type Column struct {
	Name     string
	Level    string // "" is the server's own way, where it has no level
	Settings []string
}

// NoLevel is the column of a server without isolation levels.
const NoLevel = "no levels"

// Snapshot is what follows a level's name where MariaDB checks snapshots.
const Snapshot = " + snapshot isolation"

// levels of the standard, the weakest first.
var levels = []string{"READ UNCOMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"}

// Columns gives the ways in which a server runs. has tells its capabilities; detects whether it has innodb_snapshot_isolation, which
// makes two columns of REPEATABLE READ.
func Columns(has func(capability string) bool, detects bool) []Column {
	var out []Column
	for _, l := range levels {
		if !has(strings.ReplaceAll(strings.ToLower(l), " ", "_")) {
			continue
		}
		c := Column{Name: l, Level: l}
		if l == "REPEATABLE READ" && detects {
			c.Settings = []string{"SET SESSION innodb_snapshot_isolation = OFF"}
			out = append(out, c)
			c = Column{Name: l + Snapshot, Level: l, Settings: []string{"SET SESSION innodb_snapshot_isolation = ON"}}
		}
		out = append(out, c)
	}
	if out == nil {
		out = []Column{{Name: NoLevel}}
	}
	return out
}

// Choose keeps the columns that were asked for; none asked for keeps all. A level stands for all of its columns.
func Choose(all []Column, asked []string) ([]Column, error) {
	if len(asked) == 0 {
		return all, nil
	}
	var out []Column
	for _, a := range asked {
		n := len(out)
		for _, c := range all {
			if strings.EqualFold(c.Name, a) || strings.EqualFold(c.Level, a) {
				out = append(out, c)
			}
		}
		if len(out) == n {
			return nil, unknownLevel(all, a)
		}
	}
	return out, nil
}

func unknownLevel(all []Column, asked string) error {
	var names []string
	for _, c := range all {
		names = append(names, c.Name)
	}
	e := fault.New(fault.BadArgument, "", fmt.Sprintf("the target has no isolation level %q", asked))
	if near := fault.Suggest(strings.ToUpper(asked), names); near != "" {
		return e.WithHint(fmt.Sprintf("did you mean %q?", near))
	}
	return e.WithHint("it has " + strings.Join(names, ", "))
}

// Forbids reports whether the definition of a column's level forbids an anomaly that is forbidden from a level on.
func Forbids(column, from string) bool {
	column, _, _ = strings.Cut(column, Snapshot)
	at, of := slices.Index(levels, column), slices.Index(levels, from)
	return at >= 0 && of >= 0 && at >= of
}

// Level gives an isolation level's name as it is, or an error.
func Level(name string) error {
	if slices.Contains(levels, name) {
		return nil
	}
	return fmt.Errorf("%q is no isolation level: %s", name, strings.Join(levels, ", "))
}
