package telemetry

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	commonpb "go.opentelemetry.io/proto/otlp/common/v1"
	spanpb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"rig/runtime/event"
)

// receiver is a little OTLP/HTTP receiver on loopback.
type receiver struct {
	*httptest.Server
	mu       sync.Mutex
	spans    []*spanpb.Span
	service  string
	metrics  map[string]string // printed, by name
	requests int
	status   int   // what to answer; 0 is 200
	reject   int64 // spans to reject of each request
}

func newReceiver(t *testing.T) *receiver {
	r := &receiver{metrics: map[string]string{}}
	r.Server = httptest.NewServer(r)
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests++
	if r.status != 0 {
		w.WriteHeader(r.status)
		return
	}
	body := io.Reader(q.Body)
	if q.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(q.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		body = z
	}
	b, err := io.ReadAll(body)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	switch q.URL.Path {
	case "/v1/traces":
		r.takeTraces(w, b)
	case "/v1/metrics":
		r.takeMetrics(w, b)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (r *receiver) takeTraces(w http.ResponseWriter, b []byte) {
	var q tracepb.ExportTraceServiceRequest
	if proto.Unmarshal(b, &q) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, rs := range q.ResourceSpans {
		r.service = attr(rs.Resource.Attributes, "service.name")
		for _, ss := range rs.ScopeSpans {
			r.spans = append(r.spans, ss.Spans...)
		}
	}
	var a tracepb.ExportTraceServiceResponse
	if r.reject > 0 {
		a.PartialSuccess = &tracepb.ExportTracePartialSuccess{RejectedSpans: r.reject, ErrorMessage: "too many"}
	}
	out, _ := proto.Marshal(&a)
	_, _ = w.Write(out)
}

func (r *receiver) takeMetrics(w http.ResponseWriter, b []byte) {
	var q metricspb.ExportMetricsServiceRequest
	if proto.Unmarshal(b, &q) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, rm := range q.ResourceMetrics {
		for _, sm := range rm.ScopeMetrics {
			for _, m := range sm.Metrics {
				s := ""
				for _, p := range slices.Concat(m.GetSum().GetDataPoints(), m.GetGauge().GetDataPoints()) {
					s += fmt.Sprintf("%v%v;", p.GetAsDouble()+float64(p.GetAsInt()), labels(p.Attributes))
				}
				for _, p := range m.GetHistogram().GetDataPoints() {
					s += fmt.Sprintf("n=%d sum=%v%v;", p.Count, p.GetSum(), labels(p.Attributes))
				}
				r.metrics[m.Name] = s
			}
		}
	}
	out, _ := proto.Marshal(&metricspb.ExportMetricsServiceResponse{})
	_, _ = w.Write(out)
}

func labels(all []*commonpb.KeyValue) []string {
	out := []string{}
	for _, kv := range all {
		out = append(out, kv.Key+"="+kv.Value.GetStringValue())
	}
	return out
}

func attr(all []*commonpb.KeyValue, key string) string {
	for _, kv := range all {
		if kv.Key == key {
			return kv.Value.GetStringValue() + strings.TrimPrefix(fmt.Sprint(kv.Value.GetIntValue()), "0")
		}
	}
	return ""
}

// environ sets the process's variables, which the SDK reads, and gives them as FromEnv wants them.
func environ(t *testing.T, kv ...string) func(string) string {
	vars := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		t.Setenv(kv[i], kv[i+1])
		vars[kv[i]] = kv[i+1]
	}
	return func(name string) string { return vars[name] }
}

func TestOTLP(t *testing.T) {
	r := newReceiver(t)
	s, err := FromEnv(environ(t, "OTEL_EXPORTER_OTLP_ENDPOINT", r.URL, "OTEL_SERVICE_NAME", "nightly"))
	if err != nil || s == nil {
		t.Fatal(s, err)
	}
	if f := play(s); f != nil {
		t.Fatal(f)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.service != "nightly" {
		t.Errorf("service %q", r.service)
	}
	byName := map[string]*spanpb.Span{}
	for _, s := range r.spans {
		byName[s.Name] = s
	}
	if len(r.spans) != 5 {
		t.Fatalf("%d spans: %v", len(r.spans), byName)
	}
	for _, x := range []struct{ name, parent, from, to string }{
		{"rig exec", "", "0s", "60ms"},
		{"a.star::test_x", "rig exec", "10ms", "50ms"},
		{"load", "a.star::test_x", "15ms", "35ms"},
		{"SELECT", "load", "20ms", "30ms"},
		{"DELETE", "a.star::test_x", "35ms", "40ms"},
	} {
		checkSpan(t, byName, x.name, x.parent, x.from, x.to)
	}
	for key, want := range map[string]string{
		"db.query.text": "SELECT a FROM t WHERE id = ?", "db.system.name": "mariadb", "code.file.path": "a.star", "code.line.number": "7", "rig.session": "db",
	} {
		if got := attr(byName["SELECT"].Attributes, key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	bad := byName["DELETE"]
	if bad.Status.GetCode() != spanpb.Status_STATUS_CODE_ERROR || bad.Status.GetMessage() != "Deadlock found" || attr(bad.Attributes, "error.type") != "deadlock" || attr(bad.Attributes, "db.response.status_code") != "1213" {
		t.Errorf("the failed statement: %v", bad)
	}
	for name, want := range map[string]string{
		"booked_total": "2[bank=a];", "depth": "3[];", "load_seconds": "n=1 sum=0.25[];", "rows": "n=1 sum=12[];", "rig.tests": "1[rig.outcome=ok];",
		"rig.span.duration": "n=1 sum=0.02[rig.outcome=ok rig.span=load];",
	} {
		if got := r.metrics[name]; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	if got := r.metrics["db.client.operation.duration"]; !strings.Contains(got, "n=1 sum=0.01[db.operation.name=SELECT db.query.text=SELECT a FROM t WHERE id = ? rig.outcome=ok]") {
		t.Error(got)
	}
}

func checkSpan(t *testing.T, all map[string]*spanpb.Span, name, parent, from, to string) {
	t.Helper()
	s := all[name]
	if s == nil {
		t.Errorf("no span %s", name)
		return
	}
	want := ""
	if parent != "" {
		want = string(all[parent].SpanId)
	}
	if string(s.ParentSpanId) != want || string(s.TraceId) != string(all["rig exec"].TraceId) {
		t.Errorf("%s: parent %x, want %x", name, s.ParentSpanId, want)
	}
	at := func(ns uint64) string { return time.Unix(0, int64(ns)).Sub(startedAt).String() }
	if at(s.StartTimeUnixNano) != from || at(s.EndTimeUnixNano) != to {
		t.Errorf("%s: %s to %s, want %s to %s", name, at(s.StartTimeUnixNano), at(s.EndTimeUnixNano), from, to)
	}
}

// TestOTLPSendsEverything: more spans than one request holds, none is dropped.
func TestOTLPSendsEverything(t *testing.T) {
	r := newReceiver(t)
	s, err := FromEnv(environ(t, "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", r.URL+"/v1/traces"))
	if err != nil {
		t.Fatal(err)
	}
	b := event.NewBus(startedAt, nil, s)
	b.Emit(event.Event{Data: &event.RunStart{Run: "r", StartedAt: startedAt}})
	const n = 10*batch + 7
	for range n {
		b.Emit(event.Event{Data: &event.Statement{SQL: "SELECT 1"}})
	}
	if f := b.Close(); f != nil {
		t.Fatal(f)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := map[string]bool{}
	for _, s := range r.spans {
		ids[string(s.SpanId)] = true
	}
	if len(r.spans) != n+1 || len(ids) != n+1 || len(r.metrics) != 0 {
		t.Errorf("%d spans with %d ids, %d metrics", len(r.spans), len(ids), len(r.metrics))
	}
}

func TestSamplerIsHeard(t *testing.T) {
	r := newReceiver(t)
	s, err := FromEnv(environ(t, "OTEL_EXPORTER_OTLP_ENDPOINT", r.URL, "OTEL_TRACES_SAMPLER", "always_off", "OTEL_METRICS_EXPORTER", "none"))
	if err != nil {
		t.Fatal(err)
	}
	if f := play(s); f != nil {
		t.Fatal(f)
	}
	if r.requests != 0 {
		t.Errorf("%d requests", r.requests)
	}
}

// TestReceiverFails: whatever the receiver does, the run is told once and ends within the bound.
func TestReceiverFails(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	refusing := newReceiver(t)
	refusing.status = http.StatusForbidden
	busy := newReceiver(t)
	busy.status = http.StatusServiceUnavailable
	rejecting := newReceiver(t)
	rejecting.reject = 3
	gone := newReceiver(t)
	gone.Close()
	for name, x := range map[string]struct{ url, want string }{
		"silent": {"http://" + silent.Addr().String(), "no answer within 5s"}, "refusing": {refusing.URL, "403"}, "busy": {busy.URL, "max retry time elapsed"},
		"rejecting": {rejecting.URL, "too many"}, "gone": {gone.URL, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := FromEnv(environ(t, "OTEL_EXPORTER_OTLP_ENDPOINT", x.url))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			f := play(s)
			if len(f) != 1 || !strings.Contains(f[0].Err.Error(), x.want) || !strings.Contains(f[0].Sink, "OpenTelemetry export to http://127.0.0.1:") {
				t.Errorf("got %v, want %q", f, x.want)
			}
			if d := time.Since(start); d > closeBound+5*time.Second { // the machine may be busy
				t.Errorf("the end took %s", d)
			}
		})
	}
}

// TestStoppedRunEndsSoon: who pressed Ctrl-C does not wait for a receiver that is silent.
func TestStoppedRunEndsSoon(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s, err := FromEnv(environ(t, "OTEL_EXPORTER_OTLP_ENDPOINT", "http://"+silent.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	b := event.NewBus(startedAt, nil, s)
	for _, e := range run() {
		b.Emit(e)
	}
	b.Emit(event.Event{Data: &event.Signal{Name: "SIGINT", Count: 1}})
	f := b.Close()
	if len(f) != 1 || !strings.Contains(f[0].Err.Error(), "no answer within 1s") {
		t.Errorf("got %v", f)
	}
}

func TestFromEnv(t *testing.T) {
	for _, x := range []struct {
		vars []string
		want string // of the error; "off" for no sink
	}{
		{nil, "off"},
		{[]string{"OTEL_SERVICE_NAME", "x"}, "off"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", "OTEL_SDK_DISABLED", "true"}, "off"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", "OTEL_TRACES_EXPORTER", "none", "OTEL_METRICS_EXPORTER", "none"}, "off"},
		{[]string{"OTEL_TRACES_EXPORTER", "zipkin"}, "OTEL_TRACES_EXPORTER=zipkin: rig exports by otlp"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"}, "OTEL_EXPORTER_OTLP_PROTOCOL=grpc: rig speaks http/protobuf"},
		{[]string{"OTEL_EXPORTER_OTLP_ENDPOINT", "127.0.0.1:4318"}, "OTEL_EXPORTER_OTLP_ENDPOINT is no http or https URL"},
		{[]string{"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "ftp://127.0.0.1/"}, "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT is no http or https URL"},
	} {
		s, err := FromEnv(environ(t, x.vars...))
		got := "off"
		if err != nil {
			got = err.Error()
		}
		if s != nil || !strings.Contains(got, x.want) {
			t.Errorf("%v: got %v %s, want %s", x.vars, s, got, x.want)
		}
	}
}
