package importer

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"rig/runtime/fault"
)

// writeTests gives the text of a scenario file with tests for interleave.
func writeTests(kind, file string, tests []test) string {
	c := &code{}
	head := "Imported from " + file + " (" + kind + ")."
	if n := countNotes(tests); n > 0 {
		head += fmt.Sprintf("\n\nNot translated: %d, each at its place in a comment.", n)
	}
	c.doc(head)
	c.line("")
	c.line(`requires = ["row_locks"]`)
	w := &writer{code: c, shared: sharedSetup(tests), written: map[*step]bool{}}
	if w.needsShown(tests) {
		w.helperShown()
	}
	if w.shared {
		c.line("\n\ndef setup(t):")
		c.depth++
		w.prepare(tests[0].setup)
		c.depth--
	}
	taken := map[string]bool{}
	for i := range tests {
		taken[tests[i].name] = true
	}
	for i := range tests {
		w.test(&tests[i], taken)
	}
	return c.String()
}

func countNotes(tests []test) int {
	n := 0
	for i := range tests {
		n += len(tests[i].allNotes())
	}
	return n
}

// sharedSetup says that all tests prepare the same.
func sharedSetup(tests []test) bool {
	for _, t := range tests {
		if len(t.setup) == 0 || len(t.setup) != len(tests[0].setup) || !simpleSetup(&t) {
			return false
		}
		for i := range t.setup {
			if t.setup[i].sql != tests[0].setup[i].sql {
				return false
			}
		}
	}
	return true
}

var (
	makesRows  = regexp.MustCompile(`(?i)^\s*(CREATE\s+(TABLE|INDEX|UNIQUE)|INSERT|REPLACE|DROP\s+TABLE|ALTER\s+TABLE|UPDATE|DELETE|TRUNCATE)\b`)
	dropsTable = regexp.MustCompile(`(?i)^\s*(DROP\s+TABLE|DELETE|TRUNCATE)\b`)
)

// simpleSetup says that a test's setup only makes tables with rows, and its teardown only removes them. Then it runs once: between
// two orders rig gives every table its rows back, and the database is dropped behind the test.
func simpleSetup(t *test) bool {
	for _, s := range t.setup {
		if !makesRows.MatchString(s.sql) {
			return false
		}
	}
	for _, s := range t.teardown {
		if !dropsTable.MatchString(s.sql) {
			return false
		}
	}
	return true
}

// writer writes tests.
type writer struct {
	*code
	shared  bool           // the setup is the file's
	written map[*step]bool // the steps that are functions
}

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

func (w *writer) test(t *test, taken map[string]bool) {
	names := stepIDs(t)
	for i, r := range t.runs(names) {
		name := t.name
		if i > 0 {
			name = unused(t.name, taken)
		}
		w.functions(t, r, names)
		w.line("\n\ndef test_%s(t):", name)
		w.depth++
		if t.doc != "" {
			w.doc(t.doc)
		}
		if i == 0 {
			w.notes("not translated: ", t.notes)
			w.notes("", t.remarks)
		}
		w.run(t, r, name, names)
		w.depth--
	}
}

func (w *writer) notes(kind string, list []Note) {
	for _, n := range list {
		w.comment("line %d: %s%s", n.Line, kind, n.What)
	}
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

// functions writes the steps that are more or less than one statement.
func (w *writer) functions(t *test, r run, names map[string]string) {
	for _, s := range r.sessions {
		for _, st := range s.steps {
			if len(st.sql) == 1 || st.as != names[st.step.name] || w.written[st.step] {
				continue
			}
			w.written[st.step] = true
			w.line("\n\ndef %s(conn):", stepFunction(t, st.step, names))
			w.depth++
			for i, q := range st.sql {
				w.statementNote(q)
				switch {
				case i == len(st.sql)-1 && givesRows(q.sql):
					w.line("return conn.query(%s)", quote(q.sql))
				case givesRows(q.sql):
					w.line("conn.query(%s)", quote(q.sql))
				default:
					w.line("conn.exec(%s)", quote(q.sql))
				}
			}
			if len(st.sql) == 0 {
				w.line("pass  # the step is empty")
			}
			w.depth--
		}
	}
}

func stepFunction(t *test, st *step, names map[string]string) string {
	return "step_" + t.name + "_" + names[st.name]
}

func (w *writer) statementNote(s statement) {
	if s.note != "" {
		w.comment("not translated: %s", s.note)
	}
}

// prepare writes the statements that make the tables.
func (w *writer) prepare(list []statement) {
	for _, s := range list {
		w.statementNote(s)
		w.line("t.db.exec(%s)", quote(s.sql))
	}
}

func (w *writer) run(t *test, r run, name string, names map[string]string) {
	simple := simpleSetup(t)
	if simple && !w.shared {
		w.prepare(t.setup)
	}
	w.line("r = interleave(t,")
	w.depth++
	w.line("sessions = {")
	w.depth++
	for _, s := range r.sessions {
		w.session(t, s, names)
	}
	w.depth--
	w.line("},")
	w.orders(t, r, names)
	if !simple {
		w.list("setup = [", t.setup, "],")
		w.list("teardown = [", t.teardown, "],")
	}
	w.depth--
	w.line(")")
	if w.checks(r) == 0 {
		w.line("expect.golden(%s, r)", quote(name))
	}
}

// list writes statements, one a line; nothing without any.
func (w *writer) list(open string, list []statement, end string) {
	if len(list) == 0 {
		return
	}
	w.line("%s", open)
	w.depth++
	for _, s := range list {
		w.statementNote(s)
		w.line("%s,", quote(s.sql))
	}
	w.depth--
	w.line("%s", end)
}

func (w *writer) session(t *test, s runSession, names map[string]string) {
	if s.isolation == "" && len(s.setup) == 0 && len(s.teardown) == 0 {
		w.line("%s: [", quote(s.id))
		w.steps(t, s, names)
		w.line("],")
		return
	}
	w.line("%s: {", quote(s.id))
	w.depth++
	if s.isolation != "" {
		w.line(`"isolation": %s,`, quote(s.isolation))
	}
	w.list(`"setup": [`, s.setup, "],")
	w.line(`"steps": [`)
	w.steps(t, s, names)
	w.line("],")
	w.list(`"teardown": [`, s.teardown, "],")
	w.depth--
	w.line("},")
}

func (w *writer) steps(t *test, s runSession, names map[string]string) {
	w.depth++
	defer func() { w.depth-- }()
	for i, st := range s.steps {
		if st.said != "" {
			w.comment("not checked: %s", st.said)
		}
		what := stepFunction(t, st.step, names)
		if len(st.sql) == 1 {
			w.statementNote(st.sql[0])
			what = quote(st.sql[0].sql)
		}
		if len(st.sql) == 1 && st.as == s.id+strconv.Itoa(i+1) { // interleave calls it so without being told
			w.line("%s,", what)
			continue
		}
		w.line("step(%s, name = %s),", what, quote(st.as))
	}
}

// manyPermutations is where running all of them is no longer what anybody wants at once; a sample then.
const (
	interleaveLimit  = 1000
	manyPermutations = 20000
	sampled          = 1000
)

func (w *writer) orders(t *test, r run, names map[string]string) {
	if len(r.orders) == 0 {
		n, _ := t.permutations() // counted before
		switch {
		case n > manyPermutations:
			w.comment("all %d permutations are too many for one test: a sample", n)
			w.line("sample = %d,", sampled)
		case n > interleaveLimit:
			w.line("limit = %d,", n)
		default:
			w.comment("every permutation: %d", n)
		}
		return
	}
	texts := make([]string, len(r.orders))
	for i, o := range r.orders {
		texts[i] = w.order(o, names)
	}
	if len(texts) == 1 {
		w.orderNotes(r.orders[0])
		w.line("order = %s,", quote(texts[0]))
		return
	}
	w.line("order = [")
	w.depth++
	for i, text := range texts {
		w.orderNotes(r.orders[i])
		w.line("%s,", quote(text))
	}
	w.depth--
	w.line("],")
}

// orderNotes says which markers have no counterpart.
func (w *writer) orderNotes(o order) {
	for _, u := range o.uses {
		for _, m := range u.marks {
			if m.what == notices {
				w.comment("not translated: %s(%s notices %d): MySQL has no notices", u.step, m.step, m.n)
			}
		}
	}
}

func (w *writer) order(o order, names map[string]string) string {
	words := make([]string, len(o.uses))
	for i, u := range o.uses {
		words[i] = u.step
		var marks []string
		for _, m := range u.marks {
			switch m.what {
			case reportedWaiting, mustWait:
				marks = append(marks, "*")
			case completesAfter:
				marks = append(marks, names[m.step])
			}
		}
		if u.seen != nil && u.seen.error != 0 {
			marks = append(marks, strconv.Itoa(u.seen.error))
		}
		if len(marks) > 0 {
			words[i] += "(" + strings.Join(marks, ", ") + ")"
		}
	}
	return strings.Join(words, " ")
}

// checks writes what must have been seen, and counts it with the markers that rig checks.
func (w *writer) checks(r run) int {
	if len(r.orders) != 1 {
		return 0
	}
	n := 0
	for _, u := range r.orders[0].uses {
		if u.seen == nil {
			continue
		}
		n++
		got := fmt.Sprintf("r.step(%s).rows", quote(u.step))
		switch {
		case u.seen.error != 0:
		case u.seen.unaffected:
			w.line("expect.eq(r.step(%s).rows_affected, 0)", quote(u.step))
		case u.seen.none:
			w.line("expect.eq(len(%s), 0)", got)
		default:
			w.rowsAre(u, got)
		}
	}
	return n
}

var ordersBy = regexp.MustCompile(`(?i)\border\s+by\b`)

// rowsAre compares rows, in any order where the statement names none.
func (w *writer) rowsAre(u use, got string) {
	want := u.seen.rows
	typed := !u.seen.text && !hasNull(want) // None has no place in an order
	if u.seen.text {
		got = "shown(" + got + ")"
	}
	text := typedRows
	if u.seen.text {
		text = textRows
	}
	if (typed || u.seen.text) && !ordersBy.MatchString(u.sql) {
		got, want = "sorted("+got+")", sortedRows(want, typed)
	}
	w.line("expect.eq(%s, %s)", got, text(want))
}

func hasNull(rows [][]string) bool {
	for _, r := range rows {
		for _, cell := range r {
			if strings.EqualFold(cell, "NULL") {
				return true
			}
		}
	}
	return false
}

// sortedRows puts rows in the order of Starlark's sorted.
func sortedRows(rows [][]string, typed bool) [][]string {
	out := slices.Clone(rows)
	slices.SortStableFunc(out, func(a, b []string) int {
		for i := range min(len(a), len(b)) {
			if typed && integer.MatchString(a[i]) && integer.MatchString(b[i]) {
				x, _ := strconv.ParseInt(a[i], 10, 64)
				y, _ := strconv.ParseInt(b[i], 10, 64)
				if c := cmp.Compare(x, y); c != 0 {
					return c
				}
				continue
			}
			if c := cmp.Compare(a[i], b[i]); c != 0 {
				return c
			}
		}
		return cmp.Compare(len(a), len(b))
	})
	return out
}

func (w *writer) needsShown(tests []test) bool {
	for _, t := range tests {
		for _, o := range t.orders {
			for _, u := range o.uses {
				if u.seen != nil && u.seen.text {
					return true
				}
			}
		}
	}
	return false
}

func (w *writer) helperShown() {
	w.line("\n\ndef shown(rows):")
	w.depth++
	w.doc("The rows as a client prints them.")
	w.line(`return [tuple(["NULL" if v == None else str(v).strip() for v in row]) for row in rows]`)
	w.depth--
}

func textRows(rows [][]string) string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = tuple(r, quote)
	}
	return "[" + strings.Join(out, ", ") + "]"
}

var integer = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,17})$`)

// typedRows are rows of numbers, NULL and strings.
func typedRows(rows [][]string) string {
	out := make([]string, len(rows))
	for i, r := range rows {
		out[i] = tuple(r, func(s string) string {
			switch {
			case integer.MatchString(s):
				return s
			case strings.EqualFold(s, "NULL"):
				return "None"
			}
			return quote(s)
		})
	}
	return "[" + strings.Join(out, ", ") + "]"
}

func tuple(cells []string, f func(string) string) string {
	out := make([]string, len(cells))
	for i, c := range cells {
		out[i] = f(c)
	}
	if len(out) == 1 {
		return "(" + out[0] + ",)"
	}
	return "(" + strings.Join(out, ", ") + ")"
}
