package telemetry

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdkresource "go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"rig/runtime/event"
	"rig/runtime/metric"
)

// tracer makes one trace of a run: the run, its tests, their spans and statements. A span's id comes from its event's, so that a
// statement knows its parent although that one ends, and is told, later.
type tracer struct {
	sdk     trace.Tracer
	ids     *ids
	start   time.Time               // of the run, on the wall clock
	root    trace.Span              // nil before the run's start
	tests   map[event.ID]trace.Span // that run
	system  string                  // the kind of the target, as OpenTelemetry calls databases
	unnamed uint64                  // counts spans without an event id
}

func newTracer(res *sdkresource.Resource, q sdktrace.SpanProcessor) *tracer {
	ids := &ids{}
	p := sdktrace.NewTracerProvider(sdktrace.WithResource(res), sdktrace.WithSpanProcessor(q), sdktrace.WithIDGenerator(ids))
	return &tracer{sdk: p.Tracer("rig"), ids: ids, tests: map[event.ID]trace.Span{}, system: "mysql"}
}

// ids is the SDK's generator: the trace's id comes from the run's, a span's from the number that the context brings.
type ids struct {
	trace trace.TraceID
	base  uint64
}

// number is the key of a span's number in a context.
type number struct{}

func (g *ids) of(run string) {
	sum := sha256.Sum256([]byte(run))
	copy(g.trace[:], sum[:16])
	g.base = binary.BigEndian.Uint64(sum[16:24])
}

func (g *ids) span(n uint64) (id trace.SpanID) {
	if n += g.base; n == 0 { // zero means no span
		n = 1 << 63
	}
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

// NewIDs gives those of the run.
func (g *ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	return g.trace, g.NewSpanID(ctx, g.trace)
}

// NewSpanID gives that of the number in the context.
func (g *ids) NewSpanID(ctx context.Context, _ trace.TraceID) trace.SpanID {
	n, _ := ctx.Value(number{}).(uint64)
	return g.span(n)
}

// unnamedFrom is beyond every event's id.
const unnamedFrom = 1 << 48

func (t *tracer) take(e *event.Event) {
	switch d := e.Data.(type) {
	case *event.RunStart:
		t.begin(d)
	case *event.Target:
		if d.State == "ready" && d.Type == "mariadb" {
			t.system = "mariadb"
		}
	case *event.TestStart:
		t.testStart(e, d)
	case *event.TestEnd:
		t.testEnd(e, d)
	case *event.Span:
		s := t.open(e, uint64(e.ID), e.At-d.Duration, d.Name)
		t.end(s, e.At, d.Outcome, d.Error)
	case *event.Statement:
		t.statement(e, d)
	case *event.RunEnd:
		t.runEnd(e, d)
	}
}

func (t *tracer) begin(d *event.RunStart) {
	if t.root != nil {
		return
	}
	t.start = d.StartedAt
	t.ids.of(d.Run)
	_, t.root = t.sdk.Start(context.Background(), "rig exec", trace.WithTimestamp(t.start), trace.WithAttributes(
		attribute.String("rig.run", d.Run), attribute.String("rig.version", d.Rig), attribute.String("rig.target", d.Target), attribute.Int64("rig.seed", d.Seed),
	))
}

// open starts a span at a time of the run, under the parent of its event.
func (t *tracer) open(e *event.Event, id uint64, at time.Duration, name string, o ...trace.SpanStartOption) trace.Span {
	if t.root == nil {
		return trace.SpanFromContext(context.Background()) // it records nothing
	}
	parent := t.root.SpanContext()
	if e.Parent != 0 {
		parent = parent.WithSpanID(t.ids.span(uint64(e.Parent)))
	}
	if id == 0 {
		t.unnamed++
		id = unnamedFrom + t.unnamed
	}
	ctx := context.WithValue(trace.ContextWithSpanContext(context.Background(), parent), number{}, id)
	o = append(o, trace.WithTimestamp(t.start.Add(at)), trace.WithAttributes(placeOf(e)...))
	_, s := t.sdk.Start(ctx, name, o...)
	return s
}

func placeOf(e *event.Event) []attribute.KeyValue {
	var out []attribute.KeyValue
	if !e.Pos.IsZero() {
		out = append(out, attribute.String("code.file.path", e.Pos.File), attribute.Int("code.line.number", int(e.Pos.Line)))
	}
	if e.Test != "" {
		out = append(out, attribute.String("test.case.name", e.Test))
	}
	if e.Session != "" {
		out = append(out, attribute.String("rig.session", e.Session))
	}
	return out
}

func (t *tracer) testStart(e *event.Event, d *event.TestStart) {
	s := t.open(e, uint64(e.ID), e.At, e.Test)
	s.SetAttributes(attribute.Int("rig.attempt", d.Attempt), attribute.Int64("rig.seed", d.Seed))
	t.tests[e.ID] = s
}

func (t *tracer) testEnd(e *event.Event, d *event.TestEnd) {
	x, ok := t.tests[e.ID]
	if !ok {
		return
	}
	delete(t.tests, e.ID)
	x.SetAttributes(attribute.String("rig.outcome", d.Outcome.String()))
	var cause *event.Error
	if len(d.Errors) > 0 {
		cause = d.Errors[0]
	}
	t.end(x, e.At, d.Outcome, cause)
}

func (t *tracer) statement(e *event.Event, d *event.Statement) {
	text := metric.Digest(d.SQL)
	operation, _, _ := strings.Cut(text, " ")
	s := t.open(e, uint64(e.ID), e.At-d.Duration, operation, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		attribute.String("db.system.name", t.system), attribute.String("db.operation.name", operation), attribute.String("db.query.text", text),
		attribute.Int64("db.response.returned_rows", d.Rows),
	))
	t.end(s, e.At, d.Outcome, d.Error)
}

// end ends a span with its outcome; an unknown one is no success.
func (t *tracer) end(s trace.Span, at time.Duration, o event.Outcome, e *event.Error) {
	if o == event.Failed || o == event.Unknown {
		message := o.String()
		if e != nil {
			message = e.Message
			s.SetAttributes(attribute.String("error.type", e.Kind))
			if e.Code != 0 {
				s.SetAttributes(attribute.Int("db.response.status_code", e.Code))
			}
		}
		s.SetStatus(codes.Error, message)
	}
	s.End(trace.WithTimestamp(t.start.Add(at)))
}

func (t *tracer) runEnd(e *event.Event, d *event.RunEnd) {
	if t.root == nil {
		return
	}
	t.root.SetAttributes(attribute.Int("rig.exit", d.Exit), attribute.Int("rig.passed", d.Passed), attribute.Int("rig.failed", d.Failed), attribute.Int("rig.skipped", d.Skipped))
	o := event.OK
	if d.Exit != 0 {
		o = event.Failed
	}
	t.end(t.root, e.At, o, d.Error)
}

// finish ends what a stream that broke off left open; ending twice does nothing.
func (t *tracer) finish() {
	for _, x := range t.tests {
		x.End()
	}
	if t.root != nil {
		t.root.End()
	}
}
