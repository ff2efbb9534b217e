package telemetry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"rig/runtime/event"
)

// closeBound bounds what the end of a run waits for the receiver; stopBound does when the run was told to stop.
const (
	closeBound = 5 * time.Second
	stopBound  = time.Second
)

// batch is how many spans go in one request, and maxWaiting how many may wait for a slow receiver.
const (
	batch      = 512
	maxWaiting = 1 << 16
)

// metricsEvery is how often metrics are sent while a run goes on.
const metricsEvery = 15 * time.Second

// otlp sends a run's traces and metrics. Its own goroutine talks to the receiver, so that a slow one holds no report up.
type otlp struct {
	to      string
	tracer  *tracer // nil where traces are not asked for
	meter   *meter  // nil where metrics are not asked for
	spans   sdktrace.SpanExporter
	numbers sdkmetric.Exporter
	reader  *sdkmetric.ManualReader

	bound  time.Duration // of Close
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // holds one token when a batch is ready
	quit   chan struct{} // closed by Close
	done   chan struct{} // closed when the goroutine has returned

	mu      sync.Mutex
	waiting []sdktrace.ReadOnlySpan // guarded by mu
	err     error                   // guarded by mu: the first; nothing is sent after it
}

func newOTLP(asked []string, to string) (event.Sink, error) {
	o := &otlp{to: to, bound: closeBound, wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{})}
	o.ctx, o.cancel = context.WithCancel(context.Background())
	// What the variables say wins over what rig says of itself.
	res, err := resource.New(o.ctx, resource.WithTelemetrySDK(), resource.WithAttributes(attribute.String("service.name", "rig")), resource.WithFromEnv())
	if err != nil {
		o.cancel()
		return nil, fmt.Errorf("export to %s: %w", to, err)
	}
	if slices.Contains(asked, traces) {
		err = o.openTraces(res)
	}
	if err == nil && slices.Contains(asked, metrics) {
		err = o.openMetrics(res)
	}
	if err != nil {
		o.cancel()
		return nil, fmt.Errorf("export to %s: %w", to, err)
	}
	// A receiver that rejects a part tells the SDK's global handler only.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(o.fail))
	go o.send() // ends with Close
	return o, nil
}

func (o *otlp) openTraces(res *resource.Resource) (err error) {
	o.spans, err = otlptracehttp.New(o.ctx, otlptracehttp.WithRetry(otlptracehttp.RetryConfig{
		Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: 3 * time.Second,
	}))
	if err == nil {
		o.tracer = newTracer(res, (*queue)(o))
	}
	return err
}

func (o *otlp) openMetrics(res *resource.Resource) (err error) {
	o.numbers, err = otlpmetrichttp.New(o.ctx, otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{
		Enabled: true, InitialInterval: 100 * time.Millisecond, MaxInterval: time.Second, MaxElapsedTime: 3 * time.Second,
	}))
	if err != nil {
		return err
	}
	o.reader = sdkmetric.NewManualReader(sdkmetric.WithTemporalitySelector(o.numbers.Temporality), sdkmetric.WithAggregationSelector(o.numbers.Aggregation))
	o.meter, err = newMeter(sdkmetric.NewMeterProvider(sdkmetric.WithResource(res), sdkmetric.WithReader(o.reader)))
	return err
}

func (o *otlp) Name() string { return "OpenTelemetry export to " + o.to }

func (o *otlp) Event(e *event.Event) error {
	if _, stop := e.Data.(*event.Signal); stop {
		o.bound = stopBound
	}
	if o.tracer != nil {
		o.tracer.take(e)
	}
	if o.meter != nil {
		return o.meter.take(e)
	}
	return nil
}

// Flush notices that the receiver failed.
func (o *otlp) Flush() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.err
}

// Close sends what is left, for a bounded time.
func (o *otlp) Close() error {
	if o.tracer != nil {
		o.tracer.finish()
	}
	bound := time.AfterFunc(o.bound, o.cancel)
	defer bound.Stop()
	close(o.quit)
	<-o.done
	o.shutdown()
	o.cancel()
	return o.Flush()
}

// shutdown lets go of connections; everything was sent before.
func (o *otlp) shutdown() {
	if o.spans != nil {
		_ = o.spans.Shutdown(o.ctx)
	}
	if o.numbers != nil {
		_ = o.numbers.Shutdown(o.ctx)
	}
}

// fail keeps the first error.
func (o *otlp) fail(err error) {
	if err == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		if errors.Is(err, context.Canceled) {
			err = fmt.Errorf("no answer within %s of the run's end", o.bound)
		}
		o.err = err
	}
}

// send is the goroutine that talks to the receiver.
func (o *otlp) send() {
	defer close(o.done)
	tick := time.NewTicker(metricsEvery)
	defer tick.Stop()
	for {
		select {
		case <-o.wake:
			o.sendSpans()
		case <-tick.C:
			o.sendSpans()
			o.sendNumbers()
		case <-o.quit:
			o.sendSpans()
			o.sendNumbers()
			return
		}
	}
}

// sendSpans sends all that waits, a batch at a time.
func (o *otlp) sendSpans() {
	for {
		o.mu.Lock()
		n := min(len(o.waiting), batch)
		part := o.waiting[:n:n]
		o.waiting = o.waiting[n:]
		failed := o.err != nil
		o.mu.Unlock()
		if n == 0 || failed {
			return
		}
		o.fail(o.spans.ExportSpans(o.ctx, part))
	}
}

func (o *otlp) sendNumbers() {
	if o.reader == nil || o.Flush() != nil {
		return
	}
	var all metricdata.ResourceMetrics
	if err := o.reader.Collect(o.ctx, &all); err != nil {
		o.fail(err)
		return
	}
	if len(all.ScopeMetrics) > 0 {
		o.fail(o.numbers.Export(o.ctx, &all))
	}
}

// queue takes ended spans from the SDK. The SDK's own batches would drop spans in silence, or hold up who ends one.
type queue otlp

// OnStart has nothing to do.
func (q *queue) OnStart(context.Context, sdktrace.ReadWriteSpan) {}

// OnEnd keeps the span until it is sent.
func (q *queue) OnEnd(s sdktrace.ReadOnlySpan) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.err != nil || !s.SpanContext().IsSampled():
		return
	case len(q.waiting) >= maxWaiting:
		q.err = fmt.Errorf("the receiver is too slow: %d spans wait", maxWaiting)
		q.waiting = nil
		return
	}
	q.waiting = append(q.waiting, s)
	if len(q.waiting) >= batch {
		select {
		case q.wake <- struct{}{}:
		default:
		}
	}
}

// Shutdown has nothing to do.
func (q *queue) Shutdown(context.Context) error { return nil }

// ForceFlush has nothing to do.
func (q *queue) ForceFlush(context.Context) error { return nil }
