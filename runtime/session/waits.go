package session

import (
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/wait"
)

// Waits tells which sessions of the server wait for locks, on one connection for all of them. How is chosen at the first call.
func (h *Hub) Waits() (*wait.Watcher, error) {
	if w := h.waits.Load(); w != nil {
		return w, nil
	}
	h.chooseWaits.Lock()
	defer h.chooseWaits.Unlock()
	if w := h.waits.Load(); w != nil {
		return w, nil
	}
	w, err := wait.Choose(watchAsker{h}, h.cfg.Flavor)
	if err != nil {
		return nil, fault.Wrap("notice waits", "", "", err)
	}
	h.waits.Store(w)
	e := &event.Log{Level: "debug", Module: "wait", Message: fmt.Sprintf("waits on %s are noticed by: %s", h.cfg.place(), w.Way())}
	if w.Missing() != "" {
		e.Fields = []event.Field{{Key: "missing", Value: w.Missing()}}
	}
	h.cfg.Bus.Emit(event.Event{Data: e})
	return w, nil
}

// watchAsker lets the watcher speak.
type watchAsker struct{ h *Hub }

// Ask runs a query and gives its rows as texts.
func (a watchAsker) Ask(sql string) ([][]string, error) {
	rows, err := a.h.watch.ask(sql)
	if err != nil {
		return nil, err
	}
	out := make([][]string, rows.Len())
	for i := range out {
		out[i] = make([]string, len(rows.Columns()))
		for j := range out[i] {
			out[i][j] = cellText(rows.At(i, j).Value())
		}
	}
	return out, nil
}

func cellText(v driver.Value) string {
	switch v := v.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case string:
		return v
	}
	return fmt.Sprint(v)
}

// Waits asks the server whether the statement that runs waits for a lock, and for whom. Where the server does not tell, or
// nothing runs, it does not wait.
func (s *Session) Waits() wait.State {
	if _, busy := s.Activity(); !busy {
		return wait.State{}
	}
	w, err := s.hub.Waits()
	if err != nil {
		return wait.State{}
	}
	state, err := w.Look(s.Thread())
	if err != nil {
		return wait.State{}
	}
	return state
}

// Blocked waits until the server says that the statement waits for a lock (true), or until it has ended or within has
// passed (false). Where the server cannot be asked, a statement that still runs when within has passed, or that has been quiet for long,
// counts as blocked.
func (p *Pending) Blocked(within time.Duration) (bool, error) {
	if p.Done() {
		return false, nil
	}
	w, err := p.s.hub.Waits()
	if err != nil {
		return false, err
	}
	states, err := w.Settle([]wait.Subject{{Thread: p.s.Thread(), Ended: p.ended}}, within)
	var late *wait.BoundError
	if errors.As(err, &late) {
		return (w.Quiet() || w.Never()) && !p.Done(), nil
	}
	if err != nil {
		return false, fault.Wrap("pending.blocked", p.s.name, p.sql, err)
	}
	return states[0].Waits && !p.Done(), nil
}
