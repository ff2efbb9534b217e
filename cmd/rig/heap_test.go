package main

import (
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"testing"
)

func TestPercentFor(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 8 << 20: 200, 10 << 20: 140, 12 << 20: 100, 1 << 30: 100} {
		if got := percentFor(live); got != want {
			t.Errorf("%d MiB live: %d percent, want %d", live>>20, got, want)
		}
	}
}

// TestCollectSeldom looks in a process of its own: the pace is the whole process's.
func TestCollectSeldom(t *testing.T) {
	if os.Getenv("RIG_HEAP_CHILD") != "" {
		heapChild(t)
		return
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestCollectSeldom$", "-test.count=1")
	cmd.Env = append(os.Environ(), "RIG_HEAP_CHILD=1", "GOGC=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

var heldHeap []byte

func heapChild(t *testing.T) {
	collectSeldom()
	pace := func() int {
		p := debug.SetGCPercent(seldom)
		debug.SetGCPercent(p)
		return p
	}
	if got := pace(); got != seldom {
		t.Fatalf("a small heap: %d percent, want %d", got, seldom)
	}
	heldHeap = make([]byte, 3*roomy)
	for range 1000 { // the finalizer runs soon after a collection, on a goroutine of Go's
		runtime.GC()
		if pace() == regular {
			return
		}
		runtime.Gosched()
	}
	t.Fatalf("a heap of %d MiB: still %d percent", len(heldHeap)>>20, pace())
}
