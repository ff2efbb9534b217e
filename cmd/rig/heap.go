package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// A small heap is collected less often than Go does by itself: collecting one of 8 MiB for each new 8 MiB takes a
// twentieth of what a statement costs (measured 2026-11-28: 1.22 times the bare driver against 1.13). A heap beyond roomy
// keeps Go's own pace, so that large results and histories hold no more memory than before; with 40 MiB instead of 24 a run of
// many tests held 26 % more than a short one, for no measurable gain.
const (
	roomy   = 24 << 20 // bytes that a heap may grow to between collections, live ones counted in
	seldom  = 400      // percent of the live heap
	regular = 100      // Go's own
)

// collectSeldom sets the pace and has every collection set it again. A GOGC of the user's own stays.
func collectSeldom() {
	if os.Getenv("GOGC") != "" {
		return
	}
	debug.SetGCPercent(seldom)
	p := &pacer{percent: seldom, live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	p.again()
}

// pacer lives from collection to collection: its finalizer is how Go says that one has ended.
type pacer struct {
	percent int
	live    []metrics.Sample
}

func (p *pacer) again() { runtime.SetFinalizer(p, (*pacer).collected) }

func (p *pacer) collected() {
	metrics.Read(p.live)
	if want := percentFor(p.live[0].Value.Uint64()); want != p.percent {
		p.percent = want
		debug.SetGCPercent(want)
	}
	p.again()
}

// percentFor lets a heap of live bytes grow to roomy, within bounds.
func percentFor(live uint64) int {
	if live == 0 {
		return seldom
	}
	room := 100 * (float64(roomy)/float64(live) - 1)
	return int(min(max(room, regular), seldom))
}
