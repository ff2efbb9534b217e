package telemetry

import (
	"context"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	api "go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"rig/runtime/event"
	"rig/runtime/metric"
)

// durations are the bounds of histograms of seconds: from a tenth of a millisecond, three for each power of ten.
func durations() []float64 {
	return []float64{0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60}
}

// meter records a run's numbers with the SDK's instruments.
type meter struct {
	sdk        api.Meter
	statements api.Float64Histogram
	spans      api.Float64Histogram
	tests      api.Int64Counter
	counters   map[string]api.Float64Counter
	gauges     map[string]api.Float64Gauge
	histograms map[string]api.Float64Histogram
	levels     map[gaugeKey]float64 // of gauges that scripts change by steps
}

type gaugeKey struct {
	name   string
	labels attribute.Distinct
}

func newMeter(p *sdkmetric.MeterProvider) (*meter, error) {
	m := &meter{
		sdk: p.Meter("rig"), counters: map[string]api.Float64Counter{}, gauges: map[string]api.Float64Gauge{},
		histograms: map[string]api.Float64Histogram{}, levels: map[gaugeKey]float64{},
	}
	bounds := api.WithExplicitBucketBoundaries(durations()...)
	var err error
	if m.statements, err = m.sdk.Float64Histogram("db.client.operation.duration", api.WithUnit("s"), api.WithDescription("Time that statements took, by their text without values."), bounds); err != nil {
		return nil, err
	}
	if m.spans, err = m.sdk.Float64Histogram("rig.span.duration", api.WithUnit("s"), api.WithDescription("Time that spans of the scenario took."), bounds); err != nil {
		return nil, err
	}
	m.tests, err = m.sdk.Int64Counter("rig.tests", api.WithDescription("Tests and subtests that ended."))
	return m, err
}

// take records; the only errors are names that the SDK refuses.
func (m *meter) take(e *event.Event) error {
	ctx := context.Background()
	switch d := e.Data.(type) {
	case *event.Statement:
		text := metric.Digest(d.SQL)
		operation, _, _ := strings.Cut(text, " ")
		m.statements.Record(ctx, d.Duration.Seconds(), api.WithAttributes(
			attribute.String("db.operation.name", operation), attribute.String("db.query.text", text), attribute.String("rig.outcome", d.Outcome.String()),
		))
	case *event.Span:
		m.spans.Record(ctx, d.Duration.Seconds(), api.WithAttributes(attribute.String("rig.span", d.Name), attribute.String("rig.outcome", d.Outcome.String())))
	case *event.TestEnd:
		if d.Final {
			m.tests.Add(ctx, 1, api.WithAttributes(attribute.String("rig.outcome", d.Outcome.String())))
		}
	case *event.Metric:
		return m.measure(ctx, d)
	}
	return nil
}

func (m *meter) measure(ctx context.Context, d *event.Metric) error {
	attrs := make([]attribute.KeyValue, len(d.Labels))
	for i, l := range d.Labels {
		attrs[i] = attribute.String(l.Key, l.Value)
	}
	set := attribute.NewSet(attrs...)
	with := api.WithAttributeSet(set)
	switch d.Type {
	case event.MetricCounter:
		c, err := once(m.counters, d.Name, func() (api.Float64Counter, error) { return m.sdk.Float64Counter(d.Name) })
		if err == nil {
			c.Add(ctx, d.Value, with)
		}
		return err
	case event.MetricGauge:
		g, err := once(m.gauges, d.Name, func() (api.Float64Gauge, error) { return m.sdk.Float64Gauge(d.Name) })
		if err == nil {
			g.Record(ctx, m.level(gaugeKey{d.Name, set.Equivalent()}, d), with)
		}
		return err
	}
	h, err := once(m.histograms, d.Name, func() (api.Float64Histogram, error) {
		if d.Type == event.MetricTimer {
			return m.sdk.Float64Histogram(d.Name, api.WithUnit("s"), api.WithExplicitBucketBoundaries(durations()...))
		}
		return m.sdk.Float64Histogram(d.Name)
	})
	if err == nil {
		h.Record(ctx, d.Value, with)
	}
	return err
}

func (m *meter) level(k gaugeKey, d *event.Metric) float64 {
	v := d.Value
	if d.Delta {
		v += m.levels[k]
	}
	m.levels[k] = v
	return v
}

// once makes an instrument at its first use.
func once[T any](known map[string]T, name string, build func() (T, error)) (T, error) {
	if x, ok := known[name]; ok {
		return x, nil
	}
	x, err := build()
	if err == nil {
		known[name] = x
	}
	return x, err
}
