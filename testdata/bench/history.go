package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"rig/runtime/elle"
	"rig/runtime/history"
	"rig/runtime/history/simstore"
)

const (
	historySize    = 1_000_000 // transactions
	historyLimit   = 10.0      // seconds to check them
	historyMemory  = 2 << 20   // KiB, reading included
	componentSize  = 100_000   // transactions of one strongly connected component
	componentLimit = 10.0      // seconds
)

// historyStores are what the contended list-append workload runs on: one without anomalies, one with write skew everywhere.
var historyStores = []struct {
	name  string
	level simstore.Level
}{{"serial", simstore.Serial}, {"snapshot isolation", simstore.Snapshot}}

// history takes the price of checking: 10 live keys, 1 to 4 operations, 20 processes, lists of up to 100 elements. Each
// history is read from EDN, which is told apart.
func (b *bench) history(ctx context.Context) error {
	for i, s := range historyStores {
		first := 0.0
		for n := historySize / 8; n <= historySize; n *= 2 {
			path := filepath.Join(b.dir, "history.edn")
			if _, err := b.child(ctx, "history-make", "-count", strconv.Itoa(n), "-each", strconv.Itoa(i), "-socket", path); err != nil {
				return err
			}
			c, err := b.child(ctx, "history-check", "-socket", path)
			if err != nil {
				return err
			}
			took, err := b.historyLine(fmt.Sprintf("history of %d, %s", n, s.name), c, n == historySize)
			if err != nil {
				return err
			}
			if n == historySize/8 {
				first = took
			} else if n == historySize {
				most := 8 * math.Log(historySize) / math.Log(historySize/8)
				b.judge("  growth from an eighth of it", fmt.Sprintf("n log n: %.1f times", most), fmt.Sprintf("%.1f times", took/first), took/first/most, 1.3)
			}
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	c, err := b.child(ctx, "history-ring", "-count", strconv.Itoa(componentSize))
	if err != nil {
		return err
	}
	var cpu, wall float64
	var verdict string
	if _, err := fmt.Sscanf(c.said, "%g %g %s", &cpu, &wall, &verdict); err != nil {
		return fmt.Errorf("%q: %w", c.said, err)
	}
	b.judge(fmt.Sprintf("component of %d transactions: CPU", componentSize), fmt.Sprintf("%.0f s", componentLimit), fmt.Sprintf("%.2f s, %s", cpu, verdict), cpu/componentLimit, 1)
	return nil
}

// historyLine adds what a child said, and gives the seconds of the check.
func (b *bench) historyLine(name string, c cost, judged bool) (float64, error) {
	var readCPU, read, checkCPU, check float64
	var bytes int64
	var verdict string
	if _, err := fmt.Sscanf(c.said, "%g %g %g %g %d %s", &readCPU, &read, &checkCPU, &check, &bytes, &verdict); err != nil {
		return 0, fmt.Errorf("%q: %w", c.said, err)
	}
	said := fmt.Sprintf("%.2f s (%.2f s on the clock), %s", checkCPU, check, verdict)
	if judged {
		b.judge(name+": check, CPU", fmt.Sprintf("%.0f s", historyLimit), said, checkCPU/historyLimit, 1)
		b.judge("  memory at its peak, reading included", "2 GiB", fmt.Sprintf("%d MiB", c.rss>>10), float64(c.rss)/historyMemory, 1)
	} else {
		b.note(name+": check, CPU", "", said, 0)
	}
	b.note(fmt.Sprintf("  reading %d MB of EDN, CPU", bytes/1_000_000), "", fmt.Sprintf("%.2f s (%.2f s on the clock)", readCPU, read), 0)
	return checkCPU, nil
}

// clock is time of the processor, and of the wall.
type clock struct {
	cpu  time.Duration
	wall time.Time
}

func readClock() clock {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the call is always there on the systems that rig is for
	}
	return clock{time.Duration(u.Utime.Nano() + u.Stime.Nano()), time.Now()}
}

func (c clock) since() (cpu, wall float64) {
	now := readClock()
	return (now.cpu - c.cpu).Seconds(), now.wall.Sub(c.wall).Seconds()
}

func historyChild(ctx context.Context, out io.Writer, c *childFlags) error {
	switch c.role {
	case "history-make":
		return makeHistory(c.socket, c.count, historyStores[c.each].level)
	case "history-check":
		return checkHistory(ctx, out, c.socket)
	case "history-record":
		each, err := recordHistory(c.socket, c.count)
		fmt.Fprintln(out, each)
		return err
	case "history-ring":
		h, err := simstore.Ring(c.count)
		if err != nil {
			return err
		}
		begin := readClock()
		v, err := elle.Check(ctx, h, elle.Options{Model: elle.ListAppend})
		if err != nil {
			return err
		}
		cpu, wall := begin.since()
		fmt.Fprintln(out, cpu, wall, found(v))
		return nil
	}
	return fmt.Errorf("there is no role %q", c.role)
}

func found(v *elle.Verdict) string {
	return strings.Join(append([]string{string(v.Valid)}, v.Types...), ",")
}

// makeHistory writes a history as Jepsen does.
func makeHistory(path string, n int, level simstore.Level) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 1<<20)
	index := 0
	err = simstore.Run(simstore.Config{Level: level, Seed: 1, Transactions: n, Processes: 20, Keys: 10, MaxOps: 4, MaxWrites: 100}, func(e *history.Event) error {
		fmt.Fprintf(w, "{:type :%s, :f :txn, :value [", e.Type)
		for i, m := range e.Value.Items {
			if i > 0 {
				w.WriteByte(' ')
			}
			fmt.Fprintf(w, "[:%s %d ", m.Items[0].Text, m.Items[1].Int)
			w.WriteString(m.Items[2].String())
			w.WriteByte(']')
		}
		_, err := fmt.Fprintf(w, "], :process %d, :time %d, :index %d}\n", e.Process, e.Time, index)
		index++
		return err
	})
	if err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

func checkHistory(ctx context.Context, out io.Writer, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	begin := readClock()
	h, _, err := history.Read(path, f)
	if err != nil {
		return err
	}
	readCPU, read := begin.since()
	begin = readClock()
	v, err := elle.Check(ctx, h, elle.Options{Model: elle.ListAppend})
	if err != nil {
		return err
	}
	cpu, wall := begin.since()
	fmt.Fprintln(out, readCPU, read, cpu, wall, info.Size(), found(v))
	return nil
}
