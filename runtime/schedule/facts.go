package schedule

import (
	"fmt"
	"strings"

	"rig/runtime/event"
)

// event gives an entry the form of the stream, with the session that it is about.
func (p *Plan) event(e Entry) (session string, d event.Data) {
	step := p.Step(e.Step)
	session = p.Sessions[p.SessionOf(e.Step)].Name
	if e.What == Deadlock {
		return session, &event.Deadlock{Schedule: p.Name, Victim: session, Step: step.Name, Cycle: cycleLines(e.Cycle)}
	}
	s := &event.Step{Schedule: p.Name, Step: step.Name, Action: e.What, Blockers: e.Blockers, Weak: e.Weak, Rows: len(e.Result.Rows), Error: e.Result.Err}
	switch e.What {
	case Sent:
		s.SQL = step.SQL
	case Waits:
		s.Lock = e.Lock.String()
	case Proceeds:
		if e.After >= 0 {
			s.After = p.Step(e.After).Name
		}
	}
	return session, s
}

func cycleLines(cycle []Edge) []string {
	var out []string
	for _, e := range cycle {
		out = append(out, fmt.Sprintf("%s waits for %s: %s", e.Waiter, e.Holder, e.Lock))
	}
	return out
}

// waitsText is "waits for a: X on PRIMARY of account".
func waitsText(blockers []string, lock fmt.Stringer, weak bool) string {
	if weak {
		return "waits?"
	}
	s := "waits"
	if len(blockers) > 0 {
		s += " for " + strings.Join(blockers, ", ")
	}
	return s + ": " + lock.String()
}
