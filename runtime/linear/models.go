package linear

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"rig/runtime/history"
)

// unset is the state of a register that was not written.
const unset = "nil"

// specification is a model for porcupine. A state is a text: a value, or the keys and values of several registers.
func specification(model string) porcupine.Model {
	m := porcupine.Model{
		Init: func() any { return unset },
		Step: func(state, _, output any) (bool, any) {
			c := output.(*call)
			return registerStep(state.(string), c)
		},
		DescribeOperation: func(_, output any) string { return output.(*call).String() },
		DescribeState:     func(state any) string { return fmt.Sprint(state) },
	}
	switch model {
	case "mutex":
		m.Init = func() any { return "free" }
		m.Step = func(state, _, output any) (bool, any) { return mutexStep(state.(string), output.(*call)) }
	case "multi-register":
		m.Init = func() any { return "" }
		m.Step = func(state, _, output any) (bool, any) { return multiStep(state.(string), output.(*call)) }
	}
	return m
}

func registerStep(state string, c *call) (bool, any) {
	switch a := c.acts[0]; a.verb {
	case "write":
		return true, a.to
	case "cas":
		if state == a.from {
			return true, a.to
		}
		return !c.known, state // one that is unknown may have failed
	default:
		return a.any || state == a.to, state
	}
}

// mutexStep takes and gives the lock. What is unknown may also do nothing: as it returns last it is then put last.
func mutexStep(state string, c *call) (bool, any) {
	if c.acts[0].verb == "acquire" {
		if state == "free" {
			return true, "held"
		}
		return !c.known, state
	}
	if state == "held" {
		return true, "free"
	}
	return !c.known, state
}

// multiStep does all acts of a transaction at once. Keys that were not written have no value in the state.
func multiStep(state string, c *call) (bool, any) {
	values := map[string]string{}
	if state != "" {
		for pair := range strings.SplitSeq(state, "\n") {
			k, v, _ := strings.Cut(pair, "=")
			values[k] = v
		}
	}
	for _, a := range c.acts {
		is, ok := values[a.key]
		if !ok {
			is = unset
		}
		switch {
		case a.verb == "write":
			values[a.key] = a.to
		case !a.any && is != a.to:
			return false, state
		}
	}
	var pairs []string
	for _, k := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, k+"="+values[k])
	}
	return true, strings.Join(pairs, "\n")
}

func wrong(h *history.History, i int, want string) error {
	o := &h.Ops[i]
	text := h.F(o)
	if o.Out != nil {
		text += " " + o.Out.String()
	}
	return fmt.Errorf("%s (%s) is %q: want %s", history.Name(i), o.Where(), strings.TrimSpace(text), want)
}

// input is what an operation was asked to do.
func input(o *history.Op) *history.Value {
	if o.In != nil && o.In.Kind != history.NilValue {
		return o.In
	}
	if o.Out != nil {
		return o.Out
	}
	return &history.Value{}
}

func singleCall(h *history.History, i int) (*call, error) { return registerCall(h, i, &h.Ops[i]) }

// registerCall reads operation i from o, which is it, or is it without its key.
func registerCall(h *history.History, i int, o *history.Op) (*call, error) {
	switch h.F(o) {
	case "read":
		a := act{verb: "read", any: o.Type != history.OK}
		if o.Out != nil {
			a.to = o.Out.String()
		}
		return &call{acts: []act{a}}, nil
	case "write":
		return &call{acts: []act{{verb: "write", to: input(o).String()}}}, nil
	case "cas":
		v := input(o)
		if !v.Sequence() || len(v.Items) != 2 {
			return nil, wrong(h, i, "cas with the old and the new value")
		}
		return &call{acts: []act{{verb: "cas", from: v.Items[0].String(), to: v.Items[1].String()}}}, nil
	}
	return nil, wrong(h, i, "read, write or cas")
}

func mutexCall(h *history.History, i int) (*call, error) {
	f := h.F(&h.Ops[i])
	if f != "acquire" && f != "release" {
		return nil, wrong(h, i, "acquire or release")
	}
	return &call{acts: []act{{verb: f}}}, nil
}

func multiCall(h *history.History, i int) (*call, error) {
	o := &h.Ops[i]
	mops := h.Mops(o)
	if len(mops) == 0 {
		return nil, wrong(h, i, "a transaction of reads and writes")
	}
	c := &call{}
	for _, m := range mops {
		a := act{verb: "read", key: h.KeyText(m.Key), to: h.ElemText(m.Elem)}
		switch m.Act {
		case history.Write:
			a.verb = "write"
		case history.ReadNil:
			a.to, a.any = unset, o.Type != history.OK
		case history.ReadOne:
		default:
			return nil, wrong(h, i, "reads and writes of registers")
		}
		c.acts = append(c.acts, a)
	}
	return c, nil
}
