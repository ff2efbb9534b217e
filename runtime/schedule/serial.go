package schedule

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rig/runtime/wait"
)

// Unit is what runs as a whole in a serial order: a transaction, or a statement outside of one.
type Unit struct {
	Session int
	Steps   []int
}

// endsTransaction are errors after which the server has rolled back the whole transaction.
var endsTransaction = []string{"deadlock", "serialization"}

// lockErrors are errors of a statement that others' locks make; in a serial order it would not have had them.
var lockErrors = []string{"lock_wait_timeout", "lock_nowait"}

// Units takes a run apart into transactions. What the server rolled back is left out, and so are statements that failed because of others'
// locks: nothing of them is left to compare.
func (p *Plan) Units(r *Run) []Unit {
	byStep := make([]*StepRun, p.Len())
	for _, s := range r.Steps {
		byStep[s.Step] = s
	}
	var out []Unit
	first := 0
	for i, s := range p.Sessions {
		out = append(out, sessionUnits(i, s, first, byStep)...)
		first += len(s.Steps)
	}
	return out
}

func sessionUnits(session int, s Session, first int, runs []*StepRun) []Unit {
	var out []Unit
	var open []int // steps of the transaction
	inside := false
	for k, step := range s.Steps {
		n := first + k
		run := runs[n]
		if run == nil {
			continue
		}
		c := classify(step.SQL)
		kind := ""
		if run.Result.Err != nil {
			kind = run.Result.Err.Kind
		}
		switch {
		case slices.Contains(endsTransaction, kind):
			open, inside = nil, false
		case slices.Contains(lockErrors, kind):
		case !inside && c.ends: // of a transaction that is gone
		case !inside && !c.begins:
			out = append(out, Unit{session, []int{n}})
		default:
			inside = true
			open = append(open, n)
			if c.ends || c.ddl {
				out = append(out, Unit{session, open})
				open, inside = nil, false
			}
		}
	}
	if open != nil {
		out = append(out, Unit{session, open})
	}
	return out
}

// UnitsKey tells lists of units apart.
func UnitsKey(units []Unit) string { return fmt.Sprint(units) }

// SerialOrders gives every order in which the units may run one after another; false when there are more than most.
func SerialOrders(units []Unit, most int) ([][]Place, bool) {
	bySession := map[int][]Unit{}
	var sessions []int
	for _, u := range units {
		if bySession[u.Session] == nil {
			sessions = append(sessions, u.Session)
		}
		bySession[u.Session] = append(bySession[u.Session], u)
	}
	var out [][]Place
	var walk func(next map[int]int, sofar []Place) bool
	walk = func(next map[int]int, sofar []Place) bool {
		any := false
		for _, s := range sessions {
			k := next[s]
			if k == len(bySession[s]) {
				continue
			}
			any = true
			more := slices.Clone(sofar)
			for _, n := range bySession[s][k].Steps {
				more = append(more, Place{Step: n})
			}
			next[s]++
			ok := walk(next, more)
			next[s]--
			if !ok {
				return false
			}
		}
		if !any {
			out = append(out, sofar)
		}
		return len(out) <= most
	}
	ok := walk(map[int]int{}, nil)
	return out, ok
}

// Verdict compares a run with the serial ones of its units.
type Verdict struct {
	Serial  string // the serial order that gives the same, "" for none
	Anomaly string // "" when there is one
}

// Compare looks for a serial run that read the same and left the same.
func (p *Plan) Compare(r *Run, units []Unit, serial []*Run, dirty bool) Verdict {
	final := false
	for _, s := range serial {
		reads := p.sameReads(r, s)
		left := sameFinal(r.Final, s.Final)
		if reads && left {
			return Verdict{Serial: p.text(s.Order)}
		}
		final = final || left
	}
	return Verdict{Anomaly: p.anomaly(r, units, serial, final, dirty)}
}

// sameReads compares the steps that the serial run has.
func (p *Plan) sameReads(r, serial *Run) bool {
	for _, s := range serial.Steps {
		if !p.sameStep(r.of(s.Step), s) {
			return false
		}
	}
	return true
}

func (p *Plan) sameStep(a, b *StepRun) bool {
	if a == nil || b == nil {
		return a == b
	}
	if (a.Result.Err == nil) != (b.Result.Err == nil) || a.Result.Err != nil && a.Result.Err.Kind != b.Result.Err.Kind {
		return false
	}
	if !a.Result.HasRows {
		return true // how many rows a write matched is seen in what it left
	}
	x, y := a.Result.Rows, b.Result.Rows
	if !strings.Contains(strings.ToUpper(p.Step(a.Step).SQL), "ORDER BY") {
		x, y = sortedRows(x), sortedRows(y)
	}
	return sameRows(x, y)
}

func sortedRows(rows [][]string) [][]string {
	out := slices.Clone(rows)
	slices.SortFunc(out, slices.Compare)
	return out
}

func sameFinal(a, b []Table) bool {
	return slices.EqualFunc(a, b, func(x, y Table) bool {
		return x.Name == y.Name && sameRows(sortedRows(without(x)), sortedRows(without(y)))
	})
}

// without leaves out an AUTO_INCREMENT column: a transaction that was rolled back uses up a number, in any order.
func without(t Table) [][]string {
	if t.Counter < 1 {
		return t.Rows
	}
	out := make([][]string, len(t.Rows))
	for i, r := range t.Rows {
		out[i] = slices.Delete(slices.Clone(r), t.Counter-1, t.Counter)
	}
	return out
}

// of gives a step of the run, nil when it was not sent.
func (r *Run) of(step int) *StepRun {
	for _, s := range r.Steps {
		if s.Step == step {
			return s
		}
	}
	return nil
}

// The names of what is not serializable, as Berenson et al. and Adya have them.
const (
	DirtyRead     = "dirty read (G1)"
	FuzzyRead     = "non-repeatable read (P2)"
	Phantom       = "phantom (P3)"
	ReadSkew      = "read skew (G-single)"
	LostUpdate    = "lost update (P4)"
	WriteSkew     = "write skew (G2-item)"
	PredicateSkew = "write skew on a predicate (G2)"
	Unnamed       = "not serializable"
)

// anomaly names what happened by its usual shape: what was read twice, what two transactions wrote, what they read of each
// other's. A mixture gets the name of its first part.
func (p *Plan) anomaly(r *Run, units []Unit, serial []*Run, finalFits, dirty bool) string {
	if dirty && p.readDirty(r, serial) {
		return DirtyRead
	}
	for _, u := range units {
		if name := p.readTwice(r, u); name != "" {
			return name
		}
	}
	for i, u := range units {
		for _, v := range units[i+1:] {
			if name := p.overlap(r, u, v, finalFits); name != "" {
				return name
			}
		}
	}
	if finalFits && p.someReadWhatOthersWrote(r, units) {
		return ReadSkew
	}
	return Unnamed
}

func (p *Plan) someReadWhatOthersWrote(r *Run, units []Unit) bool {
	for i, u := range units {
		for j, v := range units {
			if i != j && u.Session != v.Session && meet(p.touchOf(r, u).reads, p.touchOf(r, v).writes) {
				return true
			}
		}
	}
	return false
}

// readTwice finds a statement that one transaction ran twice with different rows, and wrote nothing of these tables between.
func (p *Plan) readTwice(r *Run, u Unit) string {
	for i, n := range u.Steps {
		a := r.of(n)
		c := classify(p.Step(n).SQL)
		if a == nil || !a.Result.HasRows {
			continue
		}
		for _, m := range u.Steps[i+1:] {
			b := r.of(m)
			if d := classify(p.Step(m).SQL); !d.reads && !b.Result.HasRows && meet(c.tables, d.tables) {
				break
			}
			if b == nil || p.Step(m).SQL != p.Step(n).SQL || sameRows(sortedRows(a.Result.Rows), sortedRows(b.Result.Rows)) {
				continue
			}
			if len(a.Result.Rows) != len(b.Result.Rows) || strings.Contains(strings.ToUpper(p.Step(n).SQL), "COUNT(") {
				return Phantom
			}
			return FuzzyRead
		}
	}
	return ""
}

// readDirty finds a read that no serial order gives, of a table that another transaction had written and not committed.
func (p *Plan) readDirty(r *Run, serial []*Run) bool {
	for at, s := range r.Steps {
		c := classify(p.Step(s.Step).SQL)
		if !c.reads || !s.Result.HasRows || slices.ContainsFunc(serial, func(x *Run) bool { return x.of(s.Step) == nil || p.sameStep(x.of(s.Step), s) }) {
			continue
		}
		if p.uncommitted(r.Steps[:at], p.SessionOf(s.Step), c.tables) {
			return true
		}
	}
	return false
}

// uncommitted reports whether another session had written one of the tables and not ended its transaction.
func (p *Plan) uncommitted(before []*StepRun, session int, tables []string) bool {
	open := map[int]bool{}
	for _, s := range before {
		other := p.SessionOf(s.Step)
		c := classify(p.Step(s.Step).SQL)
		switch {
		case other == session:
		case c.ends || c.begins:
			open[other] = false
		case !c.reads && meet(c.tables, tables):
			open[other] = true
		}
	}
	for _, o := range open {
		if o {
			return true
		}
	}
	return false
}

// touch is what a unit read and wrote.
type touch struct {
	reads, writes []string
	where         []string // of what it overwrote: table and condition
	read          []string // of what it read: table and condition
	inserts       bool
	from, to      int // its first and last place in the run
}

func (p *Plan) touchOf(r *Run, u Unit) touch {
	t := touch{from: len(r.Order), to: -1}
	for _, n := range u.Steps {
		at := slices.Index(r.Order, n)
		t.from, t.to = min(t.from, at), max(t.to, at)
		c := classify(p.Step(n).SQL)
		switch {
		case c.begins || c.ends:
		case c.reads || r.of(n).Result.HasRows:
			t.reads = union(t.reads, c.tables)
			t.read = append(t.read, conditionOf(c.tables, p.Step(n).SQL))
		default:
			t.writes = union(t.writes, c.tables)
			up := strings.ToUpper(strings.TrimSpace(p.Step(n).SQL))
			t.inserts = t.inserts || strings.HasPrefix(up, "INSERT") || strings.HasPrefix(up, "DELETE")
			if !strings.HasPrefix(up, "INSERT") { // which overwrites nothing
				t.where = append(t.where, conditionOf(c.tables, p.Step(n).SQL))
			}
		}
	}
	return t
}

// lockingEnd is what makes a read a locking one, behind its condition.
var lockingEnd = regexp.MustCompile(`(?i)\s+(FOR\s+(UPDATE|SHARE)|LOCK\s+IN\s+SHARE\s+MODE).*$`)

// conditionOf is what tells which rows a statement is about: its tables and its condition.
func conditionOf(tables []string, sql string) string {
	up := lockingEnd.ReplaceAllString(strings.ToUpper(strings.Join(strings.Fields(sql), " ")), "")
	_, where, _ := strings.Cut(up, " WHERE ")
	return strings.Join(tables, ",") + ":" + where
}

// readsWhatItOverwrites reports whether a transaction read rows by the condition by which it wrote them, or all rows.
func (t touch) readsWhatItOverwrites() bool {
	return slices.ContainsFunc(t.where, func(written string) bool {
		tables, _, _ := strings.Cut(written, ":")
		return slices.Contains(t.read, written) || slices.Contains(t.read, tables+":")
	})
}

// readsByPredicate reports whether a read asked which rows there are, and not for the values of rows that it named.
func (t touch) readsByPredicate() bool {
	return slices.ContainsFunc(t.read, func(condition string) bool { return !strings.Contains(condition, "=") })
}

// overlap names what two transactions that overlapped did to each other.
func (p *Plan) overlap(r *Run, u, v Unit, finalFits bool) string {
	a, b := p.touchOf(r, u), p.touchOf(r, v)
	if u.Session == v.Session || a.to < b.from || b.to < a.from {
		return ""
	}
	switch {
	case len(a.where) > 0 && len(b.where) > 0 && meet(a.writes, b.writes) && (meet(a.where, b.where) || p.waitedForRow(r, u, v)) && (a.readsWhatItOverwrites() || b.readsWhatItOverwrites()):
		return LostUpdate
	case meet(a.reads, b.writes) && meet(b.reads, a.writes):
		if a.inserts || b.inserts || a.readsByPredicate() || b.readsByPredicate() {
			return PredicateSkew
		}
		return WriteSkew
	case finalFits && (meet(a.reads, b.writes) || meet(b.reads, a.writes)):
		return ReadSkew
	}
	return ""
}

// waitedForRow reports whether one unit waited for a row that the other had locked.
func (p *Plan) waitedForRow(r *Run, u, v Unit) bool {
	for _, pair := range [][2]Unit{{u, v}, {v, u}} {
		for _, n := range pair[0].Steps {
			s := r.of(n)
			if s.Waited && slices.Contains(s.Blockers, p.Sessions[pair[1].Session].Name) && slices.ContainsFunc(s.Locks, func(l wait.Lock) bool { return l.Kind == "record" }) {
				return true
			}
		}
	}
	return false
}
