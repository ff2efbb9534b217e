package main

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"rig/runtime/session"
)

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
