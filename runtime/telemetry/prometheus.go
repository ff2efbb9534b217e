package telemetry

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"rig/runtime/event"
	"rig/runtime/metric"
)

// collector gives Prometheus's client the run's numbers as they are when it asks.
type collector struct {
	set *metric.Set

	mu    sync.Mutex
	tests [4]int            // guarded by mu, by outcome
	run   prometheus.Labels // guarded by mu; nil before the run's start
}

func newCollector() *collector {
	return &collector{set: metric.NewSet(metric.Options{Statements: true, Spans: true})}
}

func (c *collector) take(e *event.Event) {
	switch d := e.Data.(type) {
	case *event.RunStart:
		c.mu.Lock()
		defer c.mu.Unlock()
		c.run = prometheus.Labels{"run": d.Run, "target": d.Target, "seed": strconv.FormatInt(d.Seed, 10)}
	case *event.TestEnd:
		if d.Final {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.tests[d.Outcome&3]++
		}
	default:
		c.set.Take(e)
	}
}

// Describe says nothing: the names come from scripts.
func (c *collector) Describe(chan<- *prometheus.Desc) {}

// Collect gives every series.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	c.mu.Lock()
	run, tests := c.run, c.tests
	c.mu.Unlock()
	if run != nil {
		out <- prometheus.MustNewConstMetric(prometheus.NewDesc("rig_run_info", "The run of rig.", nil, run), prometheus.GaugeValue, 1)
	}
	for o, n := range tests {
		if n > 0 {
			labels := prometheus.Labels{"outcome": event.Outcome(o).String()}
			out <- prometheus.MustNewConstMetric(prometheus.NewDesc("rig_tests_total", "Tests and subtests that ended.", nil, labels), prometheus.CounterValue, float64(n))
		}
	}
	c.set.Each(func(s *metric.Series) { collect(out, s) })
}

// collect turns a series into the client's metrics.
func collect(out chan<- prometheus.Metric, s *metric.Series) {
	labels := prometheus.Labels{}
	for _, l := range s.Labels {
		labels[l.Key] = l.Value
	}
	name, help := s.Name, "A "+s.Type+" of the scenario."
	switch s.Type {
	case metric.Statement:
		name, help = "rig_statement_duration_seconds", "Time that statements took, by their text without values."
		labels["statement"] = s.Name
		outcomes(out, "rig_statements_total", "Statements that ended.", labels, s)
	case metric.Span:
		name, help = "rig_span_duration_seconds", "Time that spans of the scenario took."
		labels["span"] = s.Name
		outcomes(out, "rig_spans_total", "Spans that ended.", labels, s)
	}
	desc := prometheus.NewDesc(name, help, nil, labels)
	switch d := s.Distribution; {
	case d != nil:
		quantiles := map[float64]float64{}
		for _, q := range []float64{0.5, 0.9, 0.99, 1} {
			quantiles[q] = d.Quantile(q)
		}
		give(out, desc, func() (prometheus.Metric, error) {
			return prometheus.NewConstSummary(desc, uint64(d.Count), d.Sum, quantiles)
		})
	case s.Type == event.MetricCounter:
		give(out, desc, func() (prometheus.Metric, error) {
			return prometheus.NewConstMetric(desc, prometheus.CounterValue, s.Value)
		})
	default:
		give(out, desc, func() (prometheus.Metric, error) {
			return prometheus.NewConstMetric(desc, prometheus.GaugeValue, s.Value)
		})
	}
}

// give sends a metric, or why there is none, which fails the whole page rather than leaving a number out unseen.
func give(out chan<- prometheus.Metric, desc *prometheus.Desc, build func() (prometheus.Metric, error)) {
	m, err := build()
	if err != nil {
		m = prometheus.NewInvalidMetric(desc, err)
	}
	out <- m
}

func outcomes(out chan<- prometheus.Metric, name, help string, labels prometheus.Labels, s *metric.Series) {
	for o, n := range s.Outcomes {
		if n == 0 {
			continue
		}
		all := prometheus.Labels{"outcome": event.Outcome(o).String()}
		for k, v := range labels {
			all[k] = v
		}
		desc := prometheus.NewDesc(name, help, nil, all)
		give(out, desc, func() (prometheus.Metric, error) {
			return prometheus.NewConstMetric(desc, prometheus.CounterValue, float64(n))
		})
	}
}

func (c *collector) registry() (*prometheus.Registry, error) {
	r := prometheus.NewRegistry()
	return r, r.Register(c)
}

// server is the page of a run.
type server struct {
	*collector
	addr   string
	srv    *http.Server
	served chan error // gets Serve's error when it has returned
	err    error
}

func serve(addr string) (event.Sink, error) {
	c := newCollector()
	reg, err := c.registry()
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	s := &server{collector: c, addr: l.Addr().String(), served: make(chan error, 1), srv: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second}}
	go func() { s.served <- s.srv.Serve(l) }() // ends with Close
	return s, nil
}

// Addr is where the page is, for those who asked for any port.
func (s *server) Addr() string { return s.addr }

func (s *server) Name() string { return "metrics on http://" + s.addr + "/metrics" }

func (s *server) Event(e *event.Event) error {
	s.take(e)
	return nil
}

// Flush notices that the page is gone.
func (s *server) Flush() error {
	select {
	case s.err = <-s.served:
		s.served <- s.err
		return fmt.Errorf("serve metrics: %w", s.err)
	default:
		return nil
	}
}

// Close ends the page at once: who reads it then reads the file, or the journal.
func (s *server) Close() error {
	err := s.srv.Close()
	if serr := <-s.served; !errors.Is(serr, http.ErrServerClosed) && err == nil {
		err = serr
	}
	if err != nil {
		return fmt.Errorf("serve metrics: %w", err)
	}
	return nil
}

// file writes the numbers when the run has ended.
type file struct {
	*collector
	path string
}

// toFile tries the folder now: at the end of a long run it would be too late.
func toFile(path string) (event.Sink, error) {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("write metrics: %s is no regular file", path)
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".rig-metrics-*")
	if err != nil {
		return nil, fmt.Errorf("write metrics to %s: %w", path, bare(err))
	}
	err = errors.Join(probe.Close(), os.Remove(probe.Name()))
	if err != nil {
		return nil, fmt.Errorf("write metrics to %s: %w", path, bare(err))
	}
	return &file{newCollector(), path}, nil
}

// bare drops the name of a temporary file from an error.
func bare(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func (f *file) Name() string { return "metrics in " + f.path }

func (f *file) Event(e *event.Event) error {
	f.take(e)
	return nil
}

func (f *file) Flush() error { return nil }

// Close writes the file under another name and renames it, so that nobody reads half of it.
func (f *file) Close() error {
	if f.run == nil { // there was no run: what an earlier one wrote stays
		return nil
	}
	reg, err := f.registry()
	if err == nil {
		err = prometheus.WriteToTextfile(f.path, reg)
	}
	if err != nil {
		return fmt.Errorf("write metrics to %s: %w", f.path, bare(err))
	}
	return nil
}
