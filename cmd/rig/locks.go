package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"rig/runtime/fault"
	"rig/runtime/repl"
	"rig/runtime/session"
	"rig/runtime/wait"
)

// shownKeys bounds the records of one lock that are named.
const shownKeys = 5

// locks tells which session holds which lock and waits for which, as far as the server tells.
func (k *conversation) locks(context.Context, string) (string, error) {
	w, err := k.test.Waits("")
	if err != nil {
		return "", err
	}
	holds, err := w.Locks()
	var no *wait.NotToldError
	if errors.As(err, &no) {
		return "", notTold(k.test.TargetInfo().Type, no)
	}
	if err != nil {
		return "", fault.Wrap(":locks", "", "", err)
	}
	sessions := k.test.Sessions()
	text := lockTable(holds, sessions, k.columns())
	for _, x := range sessions {
		if w := x.Waits(); w.Waits {
			text += fmt.Sprintf("\n%s waits for %s", x.Name(), blockers(sessions, w.Blockers))
		}
	}
	if fix := w.Fix(fixUser); fix != "" {
		text += "\nhint: " + w.Missing() + "; " + fix
	}
	return text, nil
}

// fixUser stands for the user in statements that mend what is missing: who that is, the person knows.
const fixUser = "USER"

func notTold(kind string, no *wait.NotToldError) error {
	e := fault.New(fault.Unsupported, "", kind+": "+no.Why)
	e.Hint = strings.ReplaceAll(no.Fix, "%s", fixUser)
	return e
}

// lockTable has a line for each lock. Threads of others are shown by their numbers.
func lockTable(holds []wait.Hold, sessions []*session.Session, width int) string {
	if len(holds) == 0 {
		return "no session holds a lock or waits for one"
	}
	names := map[uint64]string{}
	for _, s := range sessions {
		if !s.Closed() {
			names[s.Thread()] = s.Name()
		}
	}
	r := &repl.Rows{Head: []string{"session", "", "lock", "records"}, Total: len(holds)}
	for _, h := range holds {
		name := names[h.Thread]
		if name == "" {
			name = fmt.Sprintf("thread #%d", h.Thread)
		}
		r.Cells = append(r.Cells, []string{name, h.Does(), h.What(), h.Shown(shownKeys)})
	}
	return strings.TrimRight(repl.Table(r, width), "\n")
}
