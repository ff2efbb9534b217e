package importer

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// test is one test: sessions with named steps, and the orders in which the steps run.
type test struct {
	name     string // of the function, without test_
	doc      string
	line     int
	setup    []statement
	teardown []statement
	sessions []*session
	orders   []order // none stands for every permutation
	index    map[string]located
	notes    []Note // what is not translated and belongs to no step
	remarks  []Note // what a person wrote, kept as comments
}

// session is one connection.
type session struct {
	name      string
	isolation string // "" is the server's default
	setup     []statement
	teardown  []statement
	steps     []*step
}

// statement is one SQL statement, without its semicolon.
type statement struct {
	sql  string
	line int
	note string // why it will not run, "" where nothing is known
}

// step is what a session does at once: one statement, several, or none.
type step struct {
	name string
	sql  []statement
	line int
	// said is what the source says of the step's outcome and rig does not check.
	said string
}

// order is one schedule.
type order struct {
	uses []use
	line int
}

// use is one step in one order.
type use struct {
	step  string
	marks []mark
	seen  *seen  // what must be seen; nil says nothing
	sql   string // the step's last statement, when the checks are written
	line  int
	col   int
}

// mark is a condition on a use.
type mark struct {
	what markKind
	step string
	n    int
}

type markKind int

// The marks of the sources.
const (
	reportedWaiting markKind = iota // counts as waiting once sent, whether it waits or not: isolationtester's (*)
	mustWait                        // the source says that it waits
	completesAfter                  // completes only after a step
	notices                         // completes only after n notices of a step: PostgreSQL's
)

// seen is what a use must give.
type seen struct {
	rows [][]string // as a client prints them; NULL is "NULL"
	none bool       // no row
	// unaffected says that no row is changed.
	unaffected bool
	text       bool // the types of the cells are not known: compare what is printed
	error      int  // the server's number
}

// maxPermutations bounds what is counted: more than that nobody runs.
var maxPermutations = big.NewInt(1 << 40)

// permutations counts the orders of a test.
func (t *test) permutations() (int, error) {
	if len(t.orders) > 0 {
		return len(t.orders), nil
	}
	// The multinomial coefficient: the orders of all steps that keep each session's own.
	n, total := big.NewInt(1), int64(0)
	for _, s := range t.sessions {
		total += int64(len(s.steps))
		if total > 10000 {
			return 0, errors.New("there are too many steps to run every permutation of them")
		}
		n.Mul(n, new(big.Int).Binomial(total, int64(len(s.steps))))
	}
	if n.Cmp(maxPermutations) > 0 {
		return 0, fmt.Errorf("there are %s permutations: name the orders that matter", n)
	}
	return int(n.Int64()), nil
}

// everyOrder calls f with every permutation in the order of isolationtester (always the first session that has steps left),
// until f says stop.
func (t *test) everyOrder(f func(names []string) bool) {
	piles, names := make([]int, len(t.sessions)), []string{}
	var pick func() bool
	pick = func() bool {
		done := true
		for i, s := range t.sessions {
			if piles[i] == len(s.steps) {
				continue
			}
			done = false
			names = append(names, s.steps[piles[i]].name)
			piles[i]++
			more := pick()
			piles[i]--
			names = names[:len(names)-1]
			if !more {
				return false
			}
		}
		return !done || f(names)
	}
	pick()
}

// located is a step with its session.
type located struct {
	session *session
	step    *step
}

// addStep gives a session its next step.
func (t *test) addStep(s *session, st *step) {
	if t.index == nil {
		t.index = map[string]located{}
	}
	t.index[st.name] = located{s, st}
	s.steps = append(s.steps, st)
}

// stepNamed finds a step with its session.
func (t *test) stepNamed(name string) (*session, *step) {
	l := t.index[name]
	return l.session, l.step
}

func (t *test) stepNames() []string {
	var out []string
	for _, s := range t.sessions {
		for _, p := range s.steps {
			out = append(out, p.name)
		}
	}
	return out
}

// session finds a session by name, and makes it where it is new.
func (t *test) session(name string) *session {
	for _, s := range t.sessions {
		if s.name == name {
			return s
		}
	}
	s := &session{name: name}
	t.sessions = append(t.sessions, s)
	return s
}

// allNotes are the test's notes with those of its statements and marks.
func (t *test) allNotes() []Note {
	out := t.notes
	add := func(list []statement) {
		for _, s := range list {
			if s.note != "" {
				out = append(out, Note{s.line, 1, s.note + ": " + oneLine(s.sql)})
			}
		}
	}
	add(t.setup)
	add(t.teardown)
	for _, s := range t.sessions {
		add(s.setup)
		add(s.teardown)
		for _, p := range s.steps {
			add(p.sql)
			if p.said != "" {
				out = append(out, Note{p.line, 1, "not checked: " + p.said})
			}
		}
	}
	return out
}

// oneLine is the beginning of a statement for a message.
func oneLine(sql string) string {
	s := strings.Join(strings.Fields(sql), " ")
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return s
}
