package main

import (
	"bytes"
	"compress/gzip"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spanpb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

const nested = `
def inner(conn, i):
    return conn.query("SELECT ?", i).scalar()
def outer(t):
    log.span("inner", inner, t.db, 1)
    expect.all_ok(task.map(lambda s: s.query("SELECT 'in a task'"), t.sessions(1)))
    t.run("sub", lambda t: t.db.query("SELECT 'in a subtest' AS x"))
def test_a(t):
    log.span("outer", outer, t)
    t.db.query("SELECT 'outside' AS y")
`

// runOn runs a scenario on the embedded engine in a folder of its own.
func runOn(t *testing.T, script string, flags ...string) (code int, out, errs string) {
	t.Helper()
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.star", []byte(script), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	code = run(append([]string{"exec", "a.star"}, flags...), streams{strings.NewReader(""), &o, &e})
	return code, o.String(), e.String()
}

// TestRunIsATrace: the run, its test, the spans, tasks' and subtests' statements nest as the script did.
func TestRunIsATrace(t *testing.T) {
	var mu sync.Mutex
	spans := map[string]*spanpb.Span{} // by id
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		body := io.Reader(q.Body)
		if q.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(q.Body)
			if err != nil {
				t.Error(err)
				return
			}
			body = z
		}
		b, err := io.ReadAll(body)
		var x tracepb.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(b, &x)
		}
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, r := range x.ResourceSpans {
			for _, s := range r.ScopeSpans {
				for _, span := range s.Spans {
					spans[string(span.SpanId)] = span
				}
			}
		}
	}))
	defer receiver.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", receiver.URL+"/v1/traces")
	if code, out, errs := runOn(t, nested); code != 0 {
		t.Fatalf("exit %d\n%s%s", code, out, errs)
	}
	mu.Lock()
	defer mu.Unlock()
	var paths []string
	for _, s := range spans {
		path := ""
		for at := s; at != nil; at = spans[string(at.ParentSpanId)] {
			path = " > " + at.Name + path
			if len(at.ParentSpanId) > 0 && spans[string(at.ParentSpanId)] == nil {
				t.Errorf("the parent of %s is not in the trace", at.Name)
			}
		}
		paths = append(paths, strings.TrimPrefix(path, " > "))
	}
	slices.Sort(paths)
	test := "rig exec > a.star::test_a"
	want := []string{
		"rig exec", test, test + " > SELECT", test + " > outer", test + " > outer > SELECT", test + " > outer > a.star::test_a/sub",
		test + " > outer > a.star::test_a/sub > SELECT", test + " > outer > inner", test + " > outer > inner > SELECT",
	}
	// What rig itself does for the test hangs on the run.
	got := slices.DeleteFunc(paths, func(p string) bool { return p == "rig exec > CREATE" || p == "rig exec > DROP" })
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestMetricsPortInUse: the run goes on, and says that it is incomplete.
func TestMetricsPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	code, out, errs := runOn(t, nested, "--metrics", "prometheus=:"+port)
	if code != exitReport || !strings.Contains(errs, "address already in use") || !strings.Contains(out, "1 passed") {
		t.Errorf("exit %d\n%s%s", code, out, errs)
	}
}
