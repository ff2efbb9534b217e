package invariant

import (
	"rig/runtime/history"
)

// counter: numbers are added to a counter, which is read. Wrong is a read of less than the sum of the additions that had
// ended when it began, or of more than that of the additions that had begun when it ended; negative ones count the other
// way round. An addition of unknown outcome may have happened or not.
func counter(h *history.History, _ Options) (*Verdict, error) {
	v := newVerdict()
	events := make([]int, 2*h.Events) // by event: the operation that began, or ended, plus one
	for i := range h.Ops {
		op := &h.Ops[i]
		if f := h.F(op); f != "add" && f != "read" {
			return nil, wrong(h, i, "add or read")
		}
		if op.Type != history.Fail && (h.F(op) == "add" || op.Type == history.OK) && value(op).Kind != history.Int {
			return nil, wrong(h, i, "a number")
		}
		if begun(op) >= 0 {
			events[2*begun(op)] = i + 1
		}
		if op.Completed >= 0 {
			events[2*op.Completed+1] = i + 1
		}
	}
	var lower, upper int64
	least := map[int]int64{}
	for at, n := range events {
		if n == 0 {
			continue
		}
		op, ended := &h.Ops[n-1], at%2 == 1
		switch {
		case h.F(op) == "add" && op.Type != history.Fail:
			d := value(op).Int
			if !ended && d > 0 || ended && d < 0 && op.Type == history.OK {
				upper += d
			}
			if !ended && d < 0 || ended && d > 0 && op.Type == history.OK {
				lower += d
			}
		case h.F(op) == "read" && op.Type == history.OK && !ended:
			least[n-1] = lower
		case h.F(op) == "read" && op.Type == history.OK:
			v.Counts["reads"]++
			if got := value(op).Int; got < least[n-1] || got > upper {
				v.fault("out-of-range", "%s read %d, but from %d to %d was possible", who(h, n-1), got, least[n-1], upper)
			}
		}
	}
	if v.Counts["reads"] == 0 {
		v.Valid = Unknown
		v.Notes = append(v.Notes, "the counter was never read")
	}
	return v, nil
}
