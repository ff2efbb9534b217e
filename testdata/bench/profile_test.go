package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.starlark.net/starlark"

	"rig/builtins/spec"
	"rig/builtins/value"
	"rig/runtime/event"
	"rig/runtime/report"
	"rig/runtime/script"
	"rig/runtime/server"
	"rig/runtime/session"
)

// The benchmarks put rig's parts together in this process, for the profiler:
//
//	go test -tags gms_pure_go -run '^$' -bench Point -cpuprofile cpu.out ./testdata/bench

const loops = `
def point(conn, n):
    total = 0
    for i in range(n):
        total += conn.query("SELECT id, balance, name FROM account WHERE id = ?", i % 1000).one().balance
    return total

def read(conn, n):
    rows = conn.query("SELECT id, balance, name FROM account WHERE id = ?", 1)
    total = 0
    for i in range(n):
        total += rows.one().balance
    return total

def stream(conn, n):
    total = 0
    for row in conn.stream("SELECT seq AS n FROM seq_1_to_%d" % n):
        total += row.n
    return total
`

// stage is what a script runs on.
type stage struct {
	server *server.Server
	host   *script.Host
	hub    *session.Hub
	module *script.Module
}

func newStage(tb testing.TB) *stage {
	tb.Helper()
	b := &bench{}
	s, err := b.host(tb.Context())
	if err != nil {
		tb.Skip("no MariaDB: ", err)
	}
	tb.Cleanup(func() { _ = s.Stop() })
	journal, err := report.OpenJournal(tb.TempDir(), "run")
	if err != nil {
		tb.Fatal(err)
	}
	bus := event.NewBus(time.Now(), nil, journal, report.NewConsole(io.Discard, report.ConsoleOptions{}), report.NewTally(report.TallyOptions{}))
	tb.Cleanup(func() { bus.Close() })
	file := filepath.Join(tb.TempDir(), "loops.star")
	if err := os.WriteFile(file, []byte(loops), 0o600); err != nil {
		tb.Fatal(err)
	}
	st := &stage{server: s}
	st.host = script.NewHost(script.Options{Root: filepath.Dir(file), Predeclared: spec.Predeclared(nil)})
	if st.module, err = st.host.Load(tb.Context(), file); err != nil {
		tb.Fatal(err)
	}
	st.hub = session.NewHub(session.Config{Target: "mariadb", Network: "unix", Address: s.Address().Addr, User: "root", Database: "bench", Flavor: "mariadb", Bus: bus})
	tb.Cleanup(func() { _ = st.hub.Close() })
	return st
}

// call runs a function of the loops on a session of its own.
func (st *stage) call(tb testing.TB, name, fn string, n int) {
	s, err := st.hub.Open(tb.Context(), session.Options{Name: name, Test: "loops.star::test_" + fn})
	if err != nil {
		tb.Error(err)
		return
	}
	defer s.Close()
	ctx, cancel := context.WithCancel(tb.Context())
	defer cancel()
	th := st.host.Thread(ctx, name, nil)
	if _, err := th.Call(st.module.Globals[fn].(starlark.Callable), starlark.Tuple{value.NewSession(s), starlark.MakeInt(n)}, nil); err != nil {
		tb.Error(err)
	}
}

// meter begins to count; what it gives tells the CPU time of the process for each operation.
func meter(b *testing.B) (stop func()) {
	b.ReportAllocs()
	runtime.GC()
	before := cpuTime(b)
	b.ResetTimer()
	return func() { b.ReportMetric(float64(cpuTime(b)-before)/float64(b.N), "cpu-ns/op") }
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkPointScript(b *testing.B) {
	st := newStage(b)
	defer meter(b)()
	st.call(b, "s1", "point", b.N)
}

func BenchmarkPointScript8(b *testing.B) {
	st := newStage(b)
	defer meter(b)()
	beside(func() { st.call(b, "s", "point", b.N/8+1) })
}

func beside(f func()) {
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(f)
	}
	wg.Wait()
}

func BenchmarkPointBare8(b *testing.B) {
	st := newStage(b)
	defer meter(b)()
	beside(func() {
		if err := barePoint(b.Context(), &childFlags{socket: st.server.Address().Addr, sessions: 1, each: b.N/8 + 1}); err != nil {
			b.Error(err)
		}
	})
}

func BenchmarkPointBare(b *testing.B) {
	st := newStage(b)
	conn, err := dial(b.Context(), st.server.Address().Addr, "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	defer meter(b)()
	if _, err := barePoints(b.Context(), conn, b.N); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkReadScript is what a script does with a result, without the statement.
func BenchmarkReadScript(b *testing.B) {
	st := newStage(b)
	defer meter(b)()
	st.call(b, "s1", "read", b.N)
}

func BenchmarkStreamScript(b *testing.B) {
	st := newStage(b)
	defer meter(b)()
	st.call(b, "s1", "stream", b.N)
}
