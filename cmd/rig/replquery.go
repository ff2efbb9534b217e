package main

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/fault"
	"rig/runtime/repl"
	"rig/runtime/session"
)

// query runs SQL of a person.
func (k *conversation) query(name, sql string) (repl.Answer, error) {
	s, err := pickSession(k.test, name)
	if err != nil {
		return repl.Answer{}, err
	}
	call := session.Call{Op: "sql", Holder: k.test.ID(), Pos: event.Pos{File: "the prompt"}}
	stop := k.watching(s)
	told, err := s.Run(call, sql)
	stop()
	if fault.IsKind(err, fault.ConnectionLost) || fault.IsKind(err, fault.SessionClosed) {
		err = k.lost(s, err)
	}
	a := repl.Answer{Changed: told.Changed, Counts: told.Counts}
	for _, r := range told.Results {
		a.Results = append(a.Results, tableOf(value.NewRows(r)))
	}
	return a, err
}

// lost says how the conversation goes on without a session.
func (k *conversation) lost(s *session.Session, err error) error {
	var f *fault.Error
	if name := k.variable(s.Name()); name != "" && errors.As(err, &f) {
		with := *f
		with.Hint = fmt.Sprintf("an open transaction is rolled back; %s.reset() connects again", name)
		return &with
	}
	return err
}

// firstWord is how long a statement at the prompt runs before a line says what it does.
const firstWord = time.Second

// watching tells a person what a statement does that does not end: after a second, and whenever its time has doubled. stop ends it.
func (k *conversation) watching(s *session.Session) (stop func()) {
	if k.plain {
		return func() {}
	}
	done := make(chan struct{})
	var told sync.WaitGroup
	told.Go(func() { // stop ends it
		start := time.Now()
		for at := firstWord; ; at *= 2 {
			select {
			case <-done:
				return
			case <-time.After(at - time.Since(start)):
				k.tellRunning(s)
			}
		}
	})
	return func() {
		close(done)
		told.Wait()
	}
}

func (k *conversation) tellRunning(s *session.Session) {
	a, busy := s.Activity()
	if !busy {
		return
	}
	does := sessionsAmong([]*session.Session{s}, k.test.Sessions())[0].State
	sql := strings.Join(strings.Fields(a.SQL), " ")
	if r := []rune(sql); len(r) > 50 {
		sql = string(r[:47]) + "..."
	}
	fmt.Fprintf(k.out, "... %.1fs: %s on %s %s (Ctrl-C cancels)\n", time.Since(a.Since).Seconds(), sql, s.Name(), does)
}
