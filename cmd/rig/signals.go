package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"rig/runtime/event"
)

// errInterrupted is why tests end after the first signal.
var errInterrupted = errors.New("the run was interrupted")

// signalWatch ends a run: the first signal cleanly, the second at once.
type signalWatch struct {
	cancel context.CancelCauseFunc
	ch     chan os.Signal
	done   chan struct{}
	last   func() // what must happen even at once: ending the servers
	wg     sync.WaitGroup

	mu    sync.Mutex
	got   int       // guarded by mu
	first time.Time // guarded by mu
}

// together is how close two SIGTERM may be and still count as one: timeout(1) signals its child and then its group.
const together = 100 * time.Millisecond

// atOnce bounds what happens between the second signal and the end.
const atOnce = 300 * time.Millisecond

// watchSignals gives the context of the run.
func (x *execution) watchSignals() (context.Context, *signalWatch) {
	ctx, cancel := context.WithCancelCause(context.Background())
	w := &signalWatch{cancel: cancel, ch: make(chan os.Signal, 4), done: make(chan struct{})}
	signal.Notify(w.ch, os.Interrupt, syscall.SIGTERM, syscall.SIGUSR1)
	w.wg.Go(func() {
		for {
			select {
			case <-w.done:
				return
			case s := <-w.ch:
				if s == syscall.SIGUSR1 {
					x.tellPending()
					continue
				}
				x.signalled(w, s)
			}
		}
	})
	return ctx, w
}

func (x *execution) signalled(w *signalWatch, s os.Signal) {
	if s == os.Interrupt && x.follow.interrupt != nil && x.follow.interrupt() {
		return
	}
	if s == os.Interrupt && x.follow.talk != nil && x.follow.talk.Interrupt() {
		return
	}
	w.mu.Lock()
	if s == syscall.SIGTERM && w.got == 1 && time.Since(w.first) < together {
		w.mu.Unlock()
		return
	}
	w.got++
	n := w.got
	if n == 1 {
		w.first = time.Now()
	}
	w.mu.Unlock()
	name, code := "SIGINT", 130
	if s == syscall.SIGTERM {
		name, code = "SIGTERM", 143
	}
	x.bus.Emit(event.Event{Data: &event.Signal{Name: name, Count: n}})
	if n == 1 {
		fmt.Fprintln(x.s.err, "\nrig: stopping: statements are killed and cleanups run; once more ends at once")
		w.cancel(errInterrupted)
		return
	}
	// The journal has everything that was emitted; databases that are left are in it for rig clean.
	ended := make(chan struct{})
	go func() {
		x.bus.Flush()
		w.last()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(atOnce):
	}
	if x.follow.restore != nil {
		x.follow.restore() // a prompt may have the terminal
	}
	x.keys.restore()
	fmt.Fprintf(x.s.err, "rig: ended at once; what is left on a server: rig clean %s\n", x.journal)
	exitNow(code)
}

// exitNow is main's: nothing else ends the process.
var exitNow = os.Exit

// interrupt ends the run as the first signal does.
func (w *signalWatch) interrupt(cause error) {
	w.mu.Lock()
	w.got++
	w.mu.Unlock()
	w.cancel(cause)
}

func (w *signalWatch) interrupted() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.got > 0
}

func (w *signalWatch) stop() {
	signal.Stop(w.ch)
	close(w.done)
	w.wg.Wait()
	w.cancel(nil)
}
