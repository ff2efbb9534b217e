// Package linear decides whether a history of single operations could have happened one at a time.
//
// Check takes the name of a model: register and cas-register (read, write, cas), multi-register (transactions of reads and
// writes of several keys) and mutex (acquire, release). The search is porcupine's (Athalye, after Wing and Gong, Lowe); it
// may take long, so it has a bound. Result.HTML draws it. An operation of unknown outcome may have happened at any later time, or not.
package linear

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"

	"rig/runtime/history"
)

// Valid is the outcome of a check.
type Valid string

// The outcomes. Unknown is a search that took too long.
const (
	Yes     Valid = "valid"
	No      Valid = "invalid"
	Unknown Valid = "unknown"
)

// Models are the names of the models.
func Models() []string { return []string{"register", "cas-register", "multi-register", "mutex"} }

// Result is what a search found.
type Result struct {
	Valid Valid `json:"valid"`
	// Operations is how many were looked at: all but those that failed.
	Operations int `json:"operations"`
	// Stuck are the operations of which the longest order that was found could take none next; of an invalid history.
	Stuck []string `json:"stuck,omitempty"`
	// Longest is how many operations that order has, Of how many there are: on its key where each has a register of its own.
	Longest int `json:"longest,omitempty"`
	Of      int `json:"of,omitempty"`

	model porcupine.Model
	info  porcupine.LinearizationInfo
}

// HTML writes a page that shows the operations and the orders that were found.
func (r *Result) HTML(w io.Writer) error { return porcupine.Visualize(r.model, r.info, w) }

// Check searches for an order, at most for some time; 0 is without bound.
func Check(model string, h *history.History, timeout time.Duration) (*Result, error) {
	read, ok := map[string]func(*history.History, int) (*call, error){
		"register": singleCall, "cas-register": singleCall, "multi-register": multiCall, "mutex": mutexCall,
	}[model]
	if !ok {
		return nil, fmt.Errorf("there is no model %q", model)
	}
	apart := independent(model, h)
	if apart {
		read = keyedCall
	}
	events, calls, err := eventsOf(h, read)
	if err != nil {
		return nil, err
	}
	r := &Result{Operations: len(calls), Valid: Yes}
	r.model = specification(model)
	if apart {
		r.model.PartitionEvent = byKey
	}
	var result porcupine.CheckResult
	result, r.info = porcupine.CheckEventsVerbose(r.model, events, timeout)
	switch result {
	case porcupine.Illegal:
		r.Valid = No
		r.explain(h, events)
	case porcupine.Unknown:
		r.Valid = Unknown
	}
	return r, nil
}

// explain tells how far the longest order came; of several registers, in the first whose operations have none.
func (r *Result) explain(h *history.History, events []porcupine.Event) {
	parts := [][]porcupine.Event{events}
	if r.model.PartitionEvent != nil {
		parts = r.model.PartitionEvent(events)
	}
	for i, orders := range r.info.PartialLinearizations() {
		calls := callsOf(parts[i])
		var longest []int
		for _, order := range orders {
			if len(order) > len(longest) {
				longest = order
			}
		}
		if len(longest) < len(calls) {
			r.stuck(h, calls, longest)
			return
		}
	}
}

// callsOf gives the calls of events in the order in which they begin, which is how porcupine numbers them.
func callsOf(events []porcupine.Event) []*call {
	var calls []*call
	for _, e := range events {
		if e.Kind == porcupine.CallEvent {
			calls = append(calls, e.Value.(*call))
		}
	}
	return calls
}

// stuck finds what may come next after an order: what began before anything that is left had ended.
func (r *Result) stuck(h *history.History, calls []*call, order []int) {
	r.Longest, r.Of = len(order), len(calls)
	done := map[int]bool{}
	for _, id := range order {
		done[id] = true
	}
	ends := int32(-1)
	for id, c := range calls {
		if end := h.Ops[c.op].Completed; !done[id] && c.known && (ends < 0 || end < ends) {
			ends = end
		}
	}
	for id, c := range calls {
		if o := &h.Ops[c.op]; !done[id] && begun(o) <= ends && len(r.Stuck) < 10 {
			r.Stuck = append(r.Stuck, fmt.Sprintf("%s (%s) %s", history.Name(c.op), o.Where(), c))
		}
	}
}

// call is an operation as the models take it: what it does, and what it saw.
type call struct {
	op    int
	known bool // its outcome
	acts  []act
}

// act is what a call does to a key.
type act struct {
	verb     string // read, write, cas, acquire, release
	key      string
	from, to string // cas has both; a read that knows what it saw, and a write, have to
	any      bool   // a read that does not know
}

func (c *call) String() string {
	var parts []string
	for _, a := range c.acts {
		text := a.verb
		if a.key != "" {
			text += " " + a.key
		}
		switch {
		case a.any:
			text += " ?"
		case a.verb == "cas":
			text += " " + a.from + " -> " + a.to
		case a.verb != "acquire" && a.verb != "release":
			text += " " + a.to
		}
		parts = append(parts, text)
	}
	if !c.known {
		return strings.Join(parts, ", ") + " (unknown)"
	}
	return strings.Join(parts, ", ")
}

func begun(o *history.Op) int32 {
	if o.Invoked >= 0 {
		return o.Invoked
	}
	return o.Completed
}

// eventsOf gives what porcupine looks at: calls and returns in the order of the history. What failed did not happen. What
// is unknown returns at the very end, if at all.
func eventsOf(h *history.History, read func(*history.History, int) (*call, error)) ([]porcupine.Event, []*call, error) {
	type placed struct {
		at    int64
		event porcupine.Event
	}
	var list []placed
	var calls []*call
	for i := range h.Ops {
		o := &h.Ops[i]
		if o.Type == history.Fail {
			continue
		}
		c, err := read(h, i)
		if err != nil {
			return nil, nil, err
		}
		c.op, c.known = i, o.Type == history.OK
		id := len(calls)
		calls = append(calls, c)
		ends := 2 * int64(h.Events+i+1)
		if c.known {
			ends = 2*int64(o.Completed) + 1
		}
		client := int(o.Process)
		if client < 0 {
			client = 0
		}
		list = append(list,
			placed{2 * int64(begun(o)), porcupine.Event{ClientId: client, Kind: porcupine.CallEvent, Value: c, Id: id}},
			placed{ends, porcupine.Event{ClientId: client, Kind: porcupine.ReturnEvent, Value: c, Id: id}})
	}
	slices.SortStableFunc(list, func(a, b placed) int { return int(a.at - b.at) })
	// Porcupine numbers the calls in the order in which they begin, whatever their own numbers: these are the same.
	events := make([]porcupine.Event, len(list))
	begun := make([]*call, 0, len(calls))
	number := make([]int, len(calls))
	for i, p := range list {
		if p.event.Kind == porcupine.CallEvent {
			number[p.event.Id] = len(begun)
			begun = append(begun, calls[p.event.Id])
		}
		p.event.Id = number[p.event.Id]
		events[i] = p.event
	}
	return events, begun, nil
}
