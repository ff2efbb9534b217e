package report

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rig/runtime/event"
)

// trailLength is how many statements of a session are kept to be shown with a failure.
const trailLength = 5

// maxTrails bounds the sessions kept for a test; the one that was silent longest goes first.
const maxTrails = 64

// trails keeps the last statements of each session of the tests that run.
type trails struct {
	tests map[string][]*trail
	clock uint64
}

// trail is one session's last statements, a ring.
type trail struct {
	session string
	last    [trailLength]ran
	n       int // statements in all
	used    uint64
}

// ran is a statement as it is shown later.
type ran struct {
	sql      string
	duration time.Duration
	rows     int64
	affected int64
	outcome  event.Outcome
	code     string // the name of the error, "" without one
}

func newTrails() trails { return trails{tests: map[string][]*trail{}} }

// note keeps a statement.
func (t *trails) note(test, session string, d *event.Statement) {
	t.clock++
	r := t.session(test, session)
	r.used = t.clock
	s := &r.last[r.n%trailLength]
	*s = ran{sql: d.SQL, duration: d.Duration, rows: d.Rows, affected: d.Affected, outcome: d.Outcome}
	if d.Error != nil {
		s.code = d.Error.Name
	}
	r.n++
}

func (t *trails) session(test, session string) *trail {
	all := t.tests[test]
	for _, r := range all {
		if r.session == session {
			return r
		}
	}
	if len(all) >= maxTrails {
		oldest := 0
		for i, r := range all {
			if r.used < all[oldest].used {
				oldest = i
			}
		}
		all = slices.Delete(all, oldest, oldest+1)
	}
	r := &trail{session: session}
	t.tests[test] = append(all, r)
	return r
}

// forget drops what a test that has ended did.
func (t *trails) forget(test string) { delete(t.tests, test) }

// of gives the trails to show with an error of a test: that of the named session, which may be one of the file's
// setup_all, else those of all sessions of the test.
func (t *trails) of(test, session string) []*trail {
	file, _ := splitID(test)
	for _, owner := range []string{test, file + "::setup_all"} {
		for _, r := range t.tests[owner] {
			if session != "" && r.session == session {
				return []*trail{r}
			}
		}
	}
	return t.tests[test]
}

// statements lists what is kept, the oldest first.
func (r *trail) statements() []ran {
	if r.n <= trailLength {
		return r.last[:r.n]
	}
	at := r.n % trailLength
	return slices.Concat(r.last[at:], r.last[:at])
}

// text gives "1.2ms  3 rows  ok  SELECT ...".
func (s *ran) text() string {
	parts := []string{span(s.duration)}
	switch {
	case s.rows > 0:
		parts = append(parts, count(s.rows, "row"))
	case s.affected > 0:
		parts = append(parts, strconv.FormatInt(s.affected, 10)+" affected")
	default:
		parts = append(parts, "0 rows")
	}
	outcome := s.outcome.String()
	if s.code != "" {
		outcome += " " + oneLine(s.code)
	}
	return strings.Join(append(parts, outcome, oneLine(clip(s.sql, 200))), "  ")
}
