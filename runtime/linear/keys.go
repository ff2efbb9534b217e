package linear

import (
	"github.com/anishathalye/porcupine"

	"rig/runtime/history"
)

// independent says that the operations are on many registers, each checked by itself, as Jepsen's independent keys are:
// every value is a key with the value proper, and that of a cas is a pair. One register whose values are pairs looks the
// same; it is then checked less strictly, but there is no false alarm.
func independent(model string, h *history.History) bool {
	if model != "register" && model != "cas-register" {
		return false
	}
	for i := range h.Ops {
		o := &h.Ops[i]
		v := input(o)
		if !v.Sequence() || len(v.Items) != 2 {
			return false
		}
		if pair := &v.Items[1]; h.F(o) == "cas" && (!pair.Sequence() || len(pair.Items) != 2) {
			return false
		}
	}
	return len(h.Ops) > 0
}

// keyedCall is registerCall of an operation with a key.
func keyedCall(h *history.History, i int) (*call, error) {
	o := h.Ops[i]
	key := input(&o).Items[0].String()
	o.In, o.Out = proper(o.In), proper(o.Out)
	c, err := registerCall(h, i, &o)
	if err == nil {
		c.acts[0].key = key
	}
	return c, err
}

// proper is the value without its key.
func proper(v *history.Value) *history.Value {
	if v == nil || !v.Sequence() || len(v.Items) != 2 {
		return v
	}
	return &v.Items[1]
}

// byKey parts events into those of each register, in the order of their first ones.
func byKey(events []porcupine.Event) [][]porcupine.Event {
	place := map[string]int{}
	var parts [][]porcupine.Event
	for _, e := range events {
		key := e.Value.(*call).acts[0].key
		n, ok := place[key]
		if !ok {
			n = len(parts)
			place[key] = n
			parts = append(parts, nil)
		}
		parts[n] = append(parts[n], e)
	}
	return parts
}
