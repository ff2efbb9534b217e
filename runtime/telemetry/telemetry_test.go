package telemetry

import (
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/event"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var startedAt = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)

// run is a run of one test: a span with a statement in it, one that fails beside it, and measurements.
func run() []event.Event {
	const test = "a.star::test_x"
	at := func(ms int) time.Duration { return time.Duration(ms) * time.Millisecond }
	pos := event.Pos{File: "a.star", Line: 7, Col: 3}
	return []event.Event{
		{Data: &event.RunStart{Run: "r1", Rig: "dev", StartedAt: startedAt, Target: "mariadb", Seed: 7}},
		{At: at(1), Data: &event.Target{Name: "mariadb", Type: "mariadb", State: "ready"}},
		{At: at(10), ID: 5, Test: test, Data: &event.TestStart{Attempt: 1, Seed: 3}},
		{At: at(30), Parent: 9, Test: test, Session: "db", Pos: pos, Data: &event.Statement{SQL: "SELECT a FROM t WHERE id = 42", Rows: 1, Duration: at(10)}},
		{At: at(35), ID: 9, Parent: 5, Test: test, Pos: pos, Data: &event.Span{Name: "load", Duration: at(20)}},
		{At: at(40), Parent: 5, Test: test, Session: "db", Data: &event.Statement{SQL: "DELETE FROM t", Duration: at(5), Outcome: event.Failed, Error: &event.Error{Kind: "deadlock", Code: 1213, Message: "Deadlock found"}}},
		{At: at(41), Parent: 5, Test: test, Data: &event.Metric{Name: "booked_total", Type: event.MetricCounter, Value: 2, Labels: []event.Field{{Key: "bank", Value: "a"}}}},
		{At: at(42), Parent: 5, Test: test, Data: &event.Metric{Name: "depth", Type: event.MetricGauge, Value: 5}},
		{At: at(42), Parent: 5, Test: test, Data: &event.Metric{Name: "depth", Type: event.MetricGauge, Value: -2, Delta: true}},
		{At: at(43), Parent: 5, Test: test, Data: &event.Metric{Name: "load_seconds", Type: event.MetricTimer, Value: 0.25}},
		{At: at(44), Parent: 5, Test: test, Data: &event.Metric{Name: "rows", Type: event.MetricTrend, Value: 12}},
		{At: at(50), ID: 5, Test: test, Data: &event.TestEnd{Outcome: event.OK, Final: true, Attempt: 1, Duration: at(40)}},
		{At: at(60), Data: &event.RunEnd{Passed: 1, Duration: at(60)}},
	}
}

// play gives a run to a sink through a bus and tells what failed.
func play(s event.Sink) []event.Failure {
	b := event.NewBus(startedAt, nil, s)
	for _, e := range run() {
		b.Emit(e)
	}
	return b.Close()
}

const page = `booked_total{bank="a"} 2
depth 3
load_seconds{quantile="0.5"} 0.25
load_seconds_count 1
rig_run_info{run="r1",seed="7",target="mariadb"} 1
rig_span_duration_seconds_count{span="load"} 1
rig_statement_duration_seconds{statement="SELECT a FROM t WHERE id = ?",quantile="0.99"} 0.01
rig_statements_total{outcome="failed",statement="DELETE FROM t"} 1
rig_tests_total{outcome="ok"} 1
rows_sum 12`

func hasPage(t *testing.T, text string) {
	t.Helper()
	for line := range strings.SplitSeq(page, "\n") {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			t.Errorf("no line %q in\n%s", line, text)
		}
	}
}

func TestPrometheusFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.prom")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open("prometheus=" + path)
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "old" {
		t.Error("the file changed before the run's end")
	}
	if f := play(s); f != nil {
		t.Fatal(f)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hasPage(t, string(b))
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("%d files are left (%v)", len(left), err)
	}
}

func TestPrometheusPage(t *testing.T) {
	s, err := Open("prometheus=:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := s.(*server).Addr()
	if host, _, _ := net.SplitHostPort(addr); host != "127.0.0.1" {
		t.Errorf("a port alone is served on %s", host)
	}
	b := event.NewBus(startedAt, nil, s)
	for _, e := range run() {
		b.Emit(e)
	}
	b.Flush()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	res, err := client.Get("http://" + addr + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("status %d, %v\n%s", res.StatusCode, err, text)
	}
	hasPage(t, string(text))
	if f := b.Close(); f != nil {
		t.Fatal(f)
	}
	if _, err := client.Get("http://" + addr + "/metrics"); err == nil {
		t.Error("the page outlives the run")
	}
}

func TestOpenRefuses(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		spec, want string
		wrong      bool // the text, rather than the world
	}{
		{"prometheus", "needs a port or a file", true},
		{"prometheus=", "needs a port or a file", true},
		{"prometheus=9100", "a port is written prometheus=:9100", true},
		{"promethus=:1", `did you mean "prometheus"?`, true},
		{"statsd=:1", `there is no exporter "statsd"`, true},
		{"prometheus=" + l.Addr().String(), "address already in use", false},
		{"prometheus=:99999", "invalid port", false},
		{"prometheus=" + dir, "is no regular file", false},
		{"prometheus=" + dir + "/none/x.prom", "no such file or directory", false},
		{"prometheus=" + plain + "/x.prom", "not a directory", false},
	} {
		s, err := Open(x.spec)
		if s != nil || err == nil || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: got %v, want %q", x.spec, err, x.want)
			continue
		}
		if _, wrong := err.(*SpecError); wrong != x.wrong {
			t.Errorf("%s: %T", x.spec, err)
		}
	}
}

// TestPrometheusFileGone: the folder goes while the run goes on.
func TestPrometheusFileGone(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "sub")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	s, err := Open("prometheus=" + filepath.Join(dir, "x.prom"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	f := play(s)
	if len(f) != 1 || !strings.Contains(f[0].Err.Error(), "no such file or directory") {
		t.Errorf("got %v", f)
	}
}

// TestNoRunLeavesTheFile: a command that ends before its run overwrites nothing.
func TestNoRunLeavesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.prom")
	if err := os.WriteFile(path, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Open("prometheus=" + path)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "old" {
		t.Errorf("the file is %q", b)
	}
}
