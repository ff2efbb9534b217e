package importer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
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
