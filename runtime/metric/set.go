// Package metric folds the stream of events into numbers.
//
// [Set] is the fold: counters, gauges, timers and trends of scripts, and the timings of statements by their [Digest] and of
// spans by their names. [Registry] keeps the names of one run's metrics, so that a name means one thing. Quantiles come from
// a [Distribution].
package metric

import (
	"cmp"
	"slices"
	"strings"
	"sync"

	"rig/runtime/event"
)

// maxDigests bounds the digests that have numbers of their own; the rest shares one series, so that a run of statements
// which are all different costs bounded memory.
const maxDigests = 500

// OtherDigests names what statements beyond the bound count as.
const OtherDigests = "(other statements)"

// maxKnown bounds the texts whose digest is remembered, and maxKnownText the length of such a text in bytes.
const (
	maxKnown     = 4096
	maxKnownText = 1024
)

// Series is one metric with one set of labels, one digest or one name of spans. Type is one of event's types of metrics, or
// "statement" or "span". Value is that of counters and gauges; Distribution, in seconds but for trends, that of the others,
// nil for counters and gauges.
type Series struct {
	Type         string
	Name         string
	Labels       []event.Field
	Value        float64
	Count        int64
	Outcomes     [4]int64 // by event.Outcome
	Distribution *Distribution
}

// Errors counts what failed and what has an unknown outcome.
func (s *Series) Errors() int64 { return s.Outcomes[event.Failed] + s.Outcomes[event.Unknown] }

// The types of series that scripts do not declare.
const (
	Statement = "statement"
	Span      = "span"
)

// Options say what a Set folds beside the metrics of scripts.
type Options struct {
	Statements bool
	Spans      bool
}

// Set is safe for use by several goroutines: one folds, others read.
type Set struct {
	o Options

	mu      sync.Mutex
	known   map[string]*Series // guarded by mu, by the text of a statement
	byKey   map[string]*Series // guarded by mu
	digests int                // guarded by mu
	key     []byte             // guarded by mu: scratch
}

// NewSet makes an empty one.
func NewSet(o Options) *Set {
	return &Set{o: o, known: map[string]*Series{}, byKey: map[string]*Series{}}
}

// Take folds an event.
func (s *Set) Take(e *event.Event) {
	switch d := e.Data.(type) {
	case *event.Metric:
		s.measure(d)
	case *event.Statement:
		if s.o.Statements && !strings.HasPrefix(e.Session, ownSession) {
			s.statement(d)
		}
	case *event.Span:
		if s.o.Spans {
			s.span(d)
		}
	}
}

func (s *Set) measure(d *event.Metric) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.series(d.Type, d.Name, d.Labels)
	x.Count++
	x.Outcomes[d.Outcome&3]++
	switch {
	case x.Distribution != nil:
		x.Distribution.Observe(d.Value)
	case d.Type == event.MetricGauge && !d.Delta:
		x.Value = d.Value
	default:
		x.Value += d.Value
	}
}

// ownSession begins the names of rig's own sessions: what they do is not the scenario's.
const ownSession = "rig-"

func (s *Set) statement(d *event.Statement) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x := s.known[d.SQL]
	if x == nil {
		x = s.digest(d.SQL)
		if len(s.known) < maxKnown && len(d.SQL) <= maxKnownText {
			s.known[d.SQL] = x
		}
	}
	x.observe(d.Duration.Seconds(), d.Outcome)
}

func (s *Set) span(d *event.Span) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.series(Span, d.Name, nil).observe(d.Duration.Seconds(), d.Outcome)
}

func (x *Series) observe(seconds float64, o event.Outcome) {
	x.Count++
	x.Outcomes[o&3]++
	x.Distribution.Observe(seconds)
}

// digest must hold mu.
func (s *Set) digest(sql string) *Series {
	text := Digest(sql)
	if x := s.byKey[string(s.keyOf(Statement, text, nil))]; x != nil {
		return x
	}
	if s.digests >= maxDigests {
		text = OtherDigests
	}
	s.digests++
	return s.series(Statement, text, nil)
}

// series must hold mu.
func (s *Set) series(typ, name string, labels []event.Field) *Series {
	key := s.keyOf(typ, name, labels)
	if x := s.byKey[string(key)]; x != nil {
		return x
	}
	x := &Series{Type: typ, Name: name, Labels: slices.Clone(labels)}
	switch typ {
	case event.MetricTrend:
		x.Distribution = &Distribution{scale: micro}
	case event.MetricTimer, Statement, Span:
		x.Distribution = &Distribution{scale: nano}
	}
	s.byKey[string(key)] = x
	return x
}

// keyOf must hold mu; the result is valid until the next call.
func (s *Set) keyOf(typ, name string, labels []event.Field) []byte {
	b := append(append(append(s.key[:0], typ...), 0), name...)
	for _, l := range labels {
		b = append(append(append(append(b, 0), l.Key...), 1), l.Value...)
	}
	s.key = b
	return b
}

// Empty reports whether nothing was folded.
func (s *Set) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.byKey) == 0
}

// Each calls f for every series, by type, name and labels. f must not keep the series, nor use the set.
func (s *Set) Each(f func(*Series)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*Series, 0, len(s.byKey))
	for _, x := range s.byKey {
		all = append(all, x)
	}
	slices.SortFunc(all, func(a, b *Series) int {
		return cmp.Or(strings.Compare(a.Type, b.Type), strings.Compare(a.Name, b.Name), slices.CompareFunc(a.Labels, b.Labels, func(x, y event.Field) int {
			return cmp.Or(strings.Compare(x.Key, y.Key), strings.Compare(x.Value, y.Value))
		}))
	})
	for _, x := range all {
		f(x)
	}
}
