package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rig/runtime/server"
)

const quickstartLimit = 300 * time.Millisecond

// quickstart is the first thing that people run: a process from nothing to its end, on the embedded engine.
func (b *bench) quickstart(ctx context.Context) error {
	var walls []time.Duration
	var most int64
	for range 2 * b.rounds {
		c, err := b.exec(ctx, filepath.Join(b.root, "scripts", "quickstart.star"))
		if err != nil {
			return err
		}
		walls, most = append(walls, c.wall), max(most, c.rss)
	}
	wall := median(walls)
	b.judge("rig exec scripts/quickstart.star, cold, embedded", millis(quickstartLimit), millis(wall), float64(wall)/float64(quickstartLimit), 1)
	b.note("  its memory", "", fmt.Sprintf("%.0f MiB", mib(most)), 0)
	return nil
}

const (
	trivialTests = 1000
	trivialLimit = 10 * time.Second
	// flat is how much more memory ten times the tests may take.
	flat = 1.25
)

// trivial runs many tests that do nearly nothing: what is left is the price of a test.
func (b *bench) trivial(ctx context.Context) error {
	for _, v := range []struct{ name, body string }{
		{"one SELECT each", `t.db.query("SELECT 1").scalar()`},
		{"no database", `expect.eq(1 + 1, 2)`},
	} {
		few, err := b.trivialRun(ctx, trivialTests/10, v.body)
		if err != nil {
			return err
		}
		many, err := b.trivialRun(ctx, trivialTests, v.body)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%d trivial tests, %s, embedded, -j 4", trivialTests, v.name)
		b.judge(name, trivialLimit.String(), fmt.Sprintf("%.2f s", many.wall.Seconds()), float64(many.wall)/float64(trivialLimit), 1)
		b.judge("  memory beside that of a tenth of them", fmt.Sprintf("%.0f MiB", mib(few.rss)), fmt.Sprintf("%.0f MiB", mib(many.rss)), float64(many.rss)/float64(few.rss), flat)
	}
	return nil
}

func (b *bench) trivialRun(ctx context.Context, n int, body string) (cost, error) {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "def test_%04d(t):\n    %s\n\n", i, body)
	}
	script, err := b.write("trivial.star", text.String())
	if err != nil {
		return cost{}, err
	}
	return b.exec(ctx, script, "-j", "4", "-q")
}

const streamScript = `
rows = param("rows", default = 1000)

def test_stream(t):
    total = 0
    for row in t.connect(database = "bench").stream("SELECT seq AS n FROM seq_1_to_%d" % rows):
        total += row.n
    expect.eq(total, rows * (rows + 1) // 2)
`

const streamLimit = 100 << 10 // KiB

// stream reads a result that is larger than what rig may hold.
func (b *bench) stream(ctx context.Context) error {
	s, err := b.host(ctx)
	if err != nil {
		return err
	}
	defer s.Stop()
	script, err := b.write("stream.star", streamScript)
	if err != nil {
		return err
	}
	bare, err := b.child(ctx, "stream", "-socket", s.Address().Addr, "-count", strconv.Itoa(b.rows))
	if err != nil {
		return err
	}
	rig, err := b.exec(ctx, script, "--target", "mysql://root@/bench?socket="+s.Address().Addr, "--allow-database", "bench", "--rows", strconv.Itoa(b.rows))
	if err != nil {
		return err
	}
	b.judge(fmt.Sprintf("stream of %d rows: memory", b.rows), "100 MiB", fmt.Sprintf("%.0f MiB", mib(rig.rss)), float64(rig.rss)/streamLimit, 1)
	fast, slow := rate(b.rows, bare.wall), rate(b.rows, rig.wall)
	b.note("  rows per second", fmt.Sprintf("%.0f", fast), fmt.Sprintf("%.0f", slow), slow/fast)
	b.note("  CPU of a row", fmt.Sprintf("%.2f us", micros(bare.cpu, b.rows)), fmt.Sprintf("%.2f us", micros(rig.cpu, b.rows)), float64(rig.cpu)/float64(bare.cpu))
	return nil
}

// ready takes the time until a server answers, in a process of its own each. MariaDB's first start of all makes a template, and
// is not counted.
func (b *bench) ready(ctx context.Context) error {
	for _, v := range []struct {
		kind  string
		limit time.Duration
	}{{server.Embedded, 50 * time.Millisecond}, {server.MariaDB, 1500 * time.Millisecond}} {
		var all []time.Duration
		for range b.rounds + 1 {
			c, err := b.child(ctx, "ready", "-kind", v.kind)
			if err != nil {
				return err
			}
			d, err := time.ParseDuration(strings.TrimSpace(c.said))
			if err != nil {
				return err
			}
			all = append(all, d)
		}
		d := median(all[1:])
		b.judge("ready: "+v.kind+", from its second start on", millis(v.limit), millis(d), float64(d)/float64(v.limit), 1)
	}
	return nil
}

// startServer starts a server and prints how long that took.
func startServer(ctx context.Context, out io.Writer, kind string) error {
	start := time.Now()
	s, err := server.Start(ctx, server.Spec{Kind: kind}, nil)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, time.Since(start))
	return s.Stop()
}
