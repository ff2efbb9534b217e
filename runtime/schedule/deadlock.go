package schedule

import (
	"slices"

	"rig/runtime/wait"
)

func (r *runner) deadlocks(ended []*active) {
	for _, a := range ended {
		if a.Result.Err == nil || a.Result.Err.Kind != "deadlock" {
			continue
		}
		r.note(Entry{What: Deadlock, Step: a.Step, Cycle: r.cycle(a)})
	}
}

// cycle asks the server for the deadlock in which a was the victim. Where another deadlock has taken its place, what was seen of the
// waits gives the cycle, without the last lock.
func (r *runner) cycle(a *active) []Edge {
	if d, err := r.Waits.Deadlock(); err == nil && d != nil {
		if out := r.edges(d, a); out != nil {
			return out
		}
	}
	return r.seenCycle(a)
}

// edges names the sessions of a deadlock; nil when it is not a's.
func (r *runner) edges(d *wait.Deadlock, a *active) []Edge {
	var out []Edge
	for _, e := range d.Cycle {
		w, h := r.blockers([]uint64{e.Thread})[0], r.blockers([]uint64{e.Holder})[0]
		if w == foreign || h == foreign {
			return nil
		}
		out = append(out, Edge{w, h, e.Lock})
	}
	at := slices.IndexFunc(out, func(e Edge) bool { return e.Waiter == r.sessionName(a.Step) })
	if at < 0 {
		return nil
	}
	return slices.Concat(out[at:], out[:at]) // the victim first
}

// seenCycle follows the waits that lead to the victim.
func (r *runner) seenCycle(a *active) []Edge {
	victim := r.sessionName(a.Step)
	var out []Edge
	for at := victim; ; {
		i := slices.IndexFunc(r.run.Steps, func(s *StepRun) bool {
			return s.Waited && slices.Contains(s.Blockers, at) && r.sessionName(s.Step) != at
		})
		if i < 0 || len(out) > len(r.conns) {
			break
		}
		s := r.run.Steps[i]
		out = append(out, Edge{r.sessionName(s.Step), at, s.lock()})
		if at = r.sessionName(s.Step); at == victim {
			break
		}
	}
	if len(out) == 0 {
		return nil
	}
	if last := out[len(out)-1].Waiter; last != victim {
		out = append(out, Edge{victim, last, wait.Lock{}})
	}
	slices.Reverse(out)
	return out
}
