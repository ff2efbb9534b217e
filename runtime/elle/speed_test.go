package elle

import (
	"context"
	"os"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"rig/runtime/history/simstore"
)

// TestSoakMillion measures what the limits are stated for. RIG_HISTORY is another number of transactions.
func TestSoakMillion(t *testing.T) {
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak runs it")
	}
	n := 1_000_000
	if text := os.Getenv("RIG_HISTORY"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	for _, level := range []simstore.Level{simstore.Serial, simstore.Snapshot, simstore.ReadCommitted} {
		begin := time.Now()
		h := simulate(t, simstore.Config{Level: level, Seed: 1, Transactions: n, Processes: 20, Keys: 10, MaxOps: 4, MaxWrites: 100})
		built := time.Since(begin)
		begin, cpu := time.Now(), cpuTime(t)
		v := check(t, h, Options{Model: ListAppend})
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		t.Logf("level %d: %d transactions made and packed in %v, checked in %v (CPU %v), %d MiB from the system; %s %q, %v, notes %q", level, v.Transactions, built, time.Since(begin), cpuTime(t)-cpu, m.Sys>>20, v.Valid, v.Types, v.Edges, v.Notes)
	}
}

// TestHugeComponent: a component of many transactions is no reason to search without end.
func TestHugeComponent(t *testing.T) { hugeComponent(t, 5000) }

func TestSoakHugeComponent(t *testing.T) {
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak runs it")
	}
	hugeComponent(t, 100_000)
}

func hugeComponent(t *testing.T, n int) {
	t.Helper()
	begin, cpu := time.Now(), cpuTime(t)
	h, err := simstore.Ring(n)
	if err != nil {
		t.Fatal(err)
	}
	v := check(t, h, Options{Model: ListAppend})
	t.Logf("%d transactions in %v (CPU %v): %s %q, notes %q", n, time.Since(begin), cpuTime(t)-cpu, v.Valid, v.Types, v.Notes)
	if v.Valid != No {
		t.Errorf("%s", v.Valid)
	}
}

// TestTimeIsUp: without time the verdict is that nothing is known, or that a cycle exists.
func TestTimeIsUp(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	v, err := Check(ctx, build(t, "0 ok ax1ay1\n1 ok ax2ay2\n2 ok rx12ry21", false), Options{Model: ListAppend})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"read-uncommitted-cycle-exists"}; !slices.Equal(v.Types, want) || v.Valid != No || !slices.Equal(v.Not, []string{"read-uncommitted"}) {
		t.Errorf("%s %q, not %q", v.Valid, v.Types, v.Not)
	}
	v, err = Check(ctx, build(t, "0 ok ax1\n1 ok rx1", false), Options{Model: ListAppend})
	if err != nil || v.Valid != Unknown || len(v.Types) != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
