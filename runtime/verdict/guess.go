package verdict

import (
	"rig/runtime/elle"
	"rig/runtime/history"
)

// Guess tells the model from the operations; "" if several would do.
func Guess(h *history.History) string {
	fs := map[string]bool{}
	appends, lists, mops := false, false, false
	mapped, numbers, sequences := false, false, 0
	for i := range h.Ops {
		o := &h.Ops[i]
		fs[h.F(o)] = true
		for _, m := range h.Mops(o) {
			mops = true
			appends = appends || m.Act == history.Append
			lists = lists || m.Act == history.ReadList || m.Act == history.ReadOwn
		}
		if h.F(o) == "read" && o.Type == history.OK && o.Out != nil {
			mapped = mapped || o.Out.Kind == history.Map
			numbers = numbers || o.Out.Kind == history.Int
			if o.Out.Sequence() {
				sequences++
			}
		}
	}
	switch {
	case appends || lists:
		return string(elle.ListAppend)
	case mops && (fs["read"] || fs["write"]):
		return "long-fork"
	case mops:
		return string(elle.RWRegister)
	case fs["acquire"] || fs["release"]:
		return "mutex"
	case fs["transfer"] || mapped:
		return "bank"
	case fs["cas"] || fs["write"]:
		return "cas-register"
	case fs["add"] && numbers:
		return "counter"
	case fs["add"] && sequences == 1:
		return "set"
	case fs["add"] && sequences > 1:
		return "set-full"
	}
	return ""
}
