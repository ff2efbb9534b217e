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

	"rig/runtime/history"
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

// TestHiddenCycle: one cycle with a single anti-dependency, as long as the whole, among thousands of shorter cycles with two
// adjacent ones. Elle's test of this workload gives up and says that a cycle exists; here it is found.
func TestHiddenCycle(t *testing.T) {
	const n, noise = 1000, 10
	var b history.Builder
	word := func(w string) history.Value { return history.Value{Kind: history.Keyword, Text: w} }
	num := func(n int) history.Value { return history.Value{Kind: history.Int, Int: int64(n)} }
	list := func(v ...history.Value) history.Value { return history.Value{Kind: history.List, Items: v} }
	numbers := func(n int) history.Value {
		v := list()
		for i := range n {
			v.Items = append(v.Items, num(i))
		}
		return v
	}
	next := 0
	add := func(mops ...history.Value) {
		next++
		e := history.Event{Process: int64(next), Type: history.OK, F: "txn", Time: -1, Value: list(mops...)}
		if err := b.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		second := list(word("append"), num(i), num(0))
		if i == 0 {
			second = list(word("append"), word(":anti"), word(":first"))
		} else if i == n-1 {
			second = list(word("r"), word(":anti"), list())
		}
		add(list(word("append"), word(":ring"), num(i)), second)
	}
	add(list(word("r"), word(":ring"), numbers(n)))
	for i := 1; i < n-1; i++ {
		anti := list(word(":anti"), num(i))
		for j := 1; j < noise; j++ {
			switch j {
			case noise - 2:
				add(list(word("r"), num(i), numbers(noise-2)), list(word("r"), anti, list()))
			case noise - 1:
				add(list(word("append"), anti, num(0)), list(word("r"), word(":ring"), list()))
			default:
				add(list(word("append"), num(i), num(j)))
			}
		}
	}
	h, err := b.History()
	if err != nil {
		t.Fatal(err)
	}
	v := check(t, h, Options{Model: ListAppend, Level: "snapshot-isolation"})
	if v.Valid != No || !slices.Equal(v.Types, []string{"G-single-item"}) || len(v.Notes) != 1 {
		t.Errorf("%s %q, notes %q", v.Valid, v.Types, v.Notes)
	}
	for _, a := range v.Anomalies {
		if len(a.Cycle) != n {
			t.Errorf("%s has %d edges", a.Name, len(a.Cycle))
		}
	}
}
