package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// keeper is a sink that keeps copies.
type keeper struct {
	name    string
	failAt  int
	panicAt int

	mu     sync.Mutex
	events []Event
	closed int
}

func (k *keeper) Name() string { return k.name }
func (k *keeper) Event(e *Event) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	kept := *e
	if d, ok := e.Data.(*Statement); ok { // its memory is the bus's
		c := *d
		kept.Data = &c
	}
	k.events = append(k.events, kept)
	if len(k.events) == k.failAt {
		return errors.New("disk full")
	}
	if len(k.events) == k.panicAt {
		panic("bug")
	}
	return nil
}
func (k *keeper) Flush() error { return nil }
func (k *keeper) Close() error { k.closed++; return nil }

func TestBusKeepsOrder(t *testing.T) {
	k := &keeper{name: "k"}
	b := NewBus(time.Now(), nil, k)
	var wg sync.WaitGroup
	const writers, each = 8, 500
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				b.Emit(Event{Test: fmt.Sprint(w), Data: &Log{Message: fmt.Sprint(i)}})
			}
		})
	}
	wg.Wait()
	if f := b.Close(); f != nil {
		t.Fatal(f)
	}
	if len(k.events) != writers*each {
		t.Fatalf("%d events, want %d", len(k.events), writers*each)
	}
	next := map[string]int{}
	for i, e := range k.events {
		if e.Seq != uint64(i+1) {
			t.Fatalf("event %d has number %d", i, e.Seq)
		}
		if want := fmt.Sprint(next[e.Test]); e.Data.(*Log).Message != want {
			t.Fatalf("writer %s: got message %s, want %s", e.Test, e.Data.(*Log).Message, want)
		}
		next[e.Test]++
	}
	if k.closed != 1 {
		t.Errorf("closed %d times", k.closed)
	}
}

// TestBusStatements: payloads whose memory serves again reach the sinks whole, in order with the other events, over many batches.
func TestBusStatements(t *testing.T) {
	k := &keeper{}
	b := NewBus(time.Now(), nil, k)
	const n = 20_000
	d := Statement{Args: 1}
	for i := range n {
		if i == n-5 {
			b.Secret("hunter22")
		}
		d.Rows, d.SQL = int64(i), "SELECT 'hunter22'"
		b.EmitStatement(&Event{Session: "a"}, &d)
		if i%1000 == 0 {
			b.Emit(Event{Data: &Log{Message: fmt.Sprint(i)}})
		}
	}
	d.Rows = -1 // the caller's own again
	b.Close()
	b.EmitStatement(&Event{}, &d) // after the end: nothing
	if want := n + n/1000; len(k.events) != want {
		t.Fatalf("%d events, want %d", len(k.events), want)
	}
	next := 0
	for i, e := range k.events {
		switch d := e.Data.(type) {
		case *Statement:
			if want := i >= len(k.events)-5; d.Rows != int64(next) || (d.SQL == "SELECT '***'") != want || e.Session != "a" || e.At == 0 || e.Seq != uint64(i+1) {
				t.Fatalf("event %d: %+v of %+v", i, d, e)
			}
			next++
		case *Log:
			if d.Message != fmt.Sprint(next-1) {
				t.Fatalf("message %s after statement %d", d.Message, next-1)
			}
		}
	}
	var none *Bus
	none.EmitStatement(&Event{}, &d)
}

func TestBusDetachesFailingSinks(t *testing.T) {
	good, bad, mad := &keeper{name: "good"}, &keeper{name: "bad", failAt: 2}, &keeper{name: "mad", panicAt: 1}
	var told []string
	b := NewBus(time.Now(), func(s string, err error) { told = append(told, s+": "+err.Error()) }, bad, mad, good)
	for range 5 {
		b.Emit(Event{Data: &Log{}})
	}
	failures := b.Close()
	if len(failures) != 2 || failures[0].Sink != "bad" || failures[1].Sink != "mad" {
		t.Fatalf("failures %v", failures)
	}
	if want := []string{"bad: disk full", "mad: panic: bug"}; !reflect.DeepEqual(told, want) {
		t.Errorf("told %v, want %v", told, want)
	}
	detached := 0
	for _, e := range good.events {
		if _, ok := e.Data.(*SinkDetached); ok {
			detached++
		}
	}
	if len(good.events) != 7 || detached != 2 {
		t.Errorf("the good sink got %d events, %d of them detachments", len(good.events), detached)
	}
}

func TestBusHidesSecrets(t *testing.T) {
	k := &keeper{}
	b := NewBus(time.Now(), nil, k)
	b.Secret("s3cr'et/pw")
	b.Secret("ab")
	b.Emit(Event{Data: &Statement{SQL: "SET PASSWORD = 's3cr''et/pw'"}})
	b.Emit(Event{Data: &Span{Name: "s3cr'et/pw", Error: &Error{Message: "s3cr'et/pw"}}})
	b.Emit(Event{Data: &Metric{Labels: []Field{{"k", "s3cr'et/pw"}}}})
	b.Emit(Event{Data: &Log{Message: "mysql://u:s3cr%27et%2Fpw@h ab abc", Fields: []Field{{"k", "s3cr'et/pw"}}}})
	b.Emit(Event{Data: &TestEnd{Errors: []*Error{{Message: "no s3cr'et/pw", SQL: "s3cr'et/pw", Detail: "s3cr'et/pw"}}}})
	b.Close()
	for _, e := range k.events {
		j := string(AppendJSON(nil, &e))
		if strings.Contains(j, "s3cr") {
			t.Errorf("a secret shows: %s", j)
		}
		if strings.Contains(j, " ab ") || !strings.Contains(j, "***") {
			t.Errorf("not masked: %s", j)
		}
	}
	if m := k.events[3].Data.(*Log).Message; !strings.HasSuffix(m, "*** abc") {
		t.Errorf("a short secret is masked as a word only, got %q", m)
	}
}

func TestFlushWaitsForDelivery(t *testing.T) {
	k := &keeper{}
	b := NewBus(time.Now(), nil, k)
	defer b.Close()
	for i := range 100 {
		b.Emit(Event{Data: &Log{}})
		b.Flush()
		k.mu.Lock()
		n := len(k.events)
		k.mu.Unlock()
		if n != i+1 {
			t.Fatalf("after flush %d there are %d events", i+1, n)
		}
	}
}

func TestJSONRoundTrip(t *testing.T) {
	for _, d := range []Data{
		&RunStart{Run: "r", StartedAt: time.Unix(1, 0).UTC(), Params: []Field{{"a", "b"}}},
		&Statement{SQL: "SELECT '\x01\n\"é\\' /* \u2028 */", Rows: 3, Affected: 2, Duration: 5, Args: 1, Prepared: true, Length: 9000, Digest: "ab"},
		&Statement{SQL: "x", Outcome: Unknown, Error: &Error{Kind: "deadlock", Code: 1213, Pos: Pos{"a.star", 3, 4}}},
		&TestEnd{Outcome: Failed, Errors: []*Error{{Message: "m", Stack: []Frame{{"f", Pos{"a", 1, 2}}}}}},
		&Target{Name: "t", Capabilities: []string{"x"}},
		&Leak{What: "lock"},
		&Span{Name: "load", Duration: 7, Outcome: Failed, Error: &Error{Kind: "deadlock", Message: "m"}},
		&Metric{Name: "booked_total", Type: MetricCounter, Value: 0.1, Labels: []Field{{"bank", "a"}}},
		&Metric{Name: "depth", Type: MetricGauge, Value: -1e-9, Delta: true, Outcome: Unknown},
	} {
		in := Event{Seq: 7, At: 3 * time.Second, ID: 4, Parent: 5, Test: "a.star::t", Session: "s1", Pos: Pos{"dir/a.star", 12, 5}, Data: d}
		line := AppendJSON(nil, &in)
		if !json.Valid(line) {
			t.Fatalf("not JSON: %s", line)
		}
		out, err := Decode(line)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(in, out) {
			t.Errorf("got  %+v\nwant %+v", out.Data, in.Data)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	var unknown *UnknownKindError
	if _, err := Decode([]byte(`{"v":1,"kind":"comet","data":{}}`)); !errors.As(err, &unknown) || unknown.Kind != "comet" {
		t.Errorf("got %v", err)
	}
	for _, bad := range []string{``, `{`, `{"v":9,"kind":"log","data":{}}`, `{"v":1,"kind":"log","data":[]}`} {
		if _, err := Decode([]byte(bad)); err == nil {
			t.Errorf("%q was decoded", bad)
		}
	}
}

// TestMemberSurvives: a member's step comes back from the journal as it was, without the secrets of its error.
func TestMemberSurvives(t *testing.T) {
	k := &keeper{}
	b := NewBus(time.Now(), nil, k)
	b.Secret("s3cret")
	d := &Member{Coordinator: "failover", Member: "primary", Action: "barrier", What: "loaded", Duration: time.Second, Error: &Error{Kind: "timeout", Message: "no s3cret"}}
	b.Emit(Event{Data: d})
	b.Close()
	got, err := Decode(AppendJSON(nil, &k.events[0]))
	if err != nil {
		t.Fatal(err)
	}
	want := *d
	want.Error = &Error{Kind: "timeout", Message: "no ***"}
	if !reflect.DeepEqual(got.Data, &want) || d.Error.Message != "no s3cret" {
		t.Errorf("got %+v, want %+v", got.Data, &want)
	}
}

func TestEveryKindHasABlank(t *testing.T) {
	for _, k := range []Kind{
		KindRunStart, KindPlan, KindRunEnd, KindTarget, KindFileLoad, KindTestStart, KindTestEnd, KindSessionOpen, KindSessionClose, KindStatement,
		KindStatementRunning, KindKill, KindDatabase, KindTransition, KindTask, KindRetry, KindBreaker, KindProgress, KindExpect, KindLog, KindLeak, KindSignal, KindSinkDetached,
		KindSpan, KindMetric, KindMember, KindTrace, KindHistory, KindOperation, KindVerdict,
	} {
		if d := blank(k); d == nil || d.Kind() != k {
			t.Errorf("blank(%s) = %v", k, d)
		}
	}
}

// TestOperationIsRedacted: within the values of an operation only texts are masked, so that they stay JSON.
func TestOperationIsRedacted(t *testing.T) {
	k := &keeper{}
	b := NewBus(time.Now(), nil, k)
	b.Secret("1234")
	b.Secret("sec\"ret")
	d := &Operation{Process: 1, Type: "ok", F: "txn", Value: json.RawMessage(`[["append","x",1234],["r","a sec\"ret \\",null]]`), Error: "at 1234"}
	b.Emit(Event{Data: d})
	b.Emit(Event{Data: &Operation{Value: json.RawMessage(`[["r","x",[1,2]]]`)}})
	b.Close()
	got := k.events[0].Data.(*Operation)
	if want := `[["append","x",1234],["r","a *** \\",null]]`; string(got.Value) != want || got.Error != "at ***" {
		t.Errorf("got %s, %s; want %s", got.Value, got.Error, want)
	}
	if got := k.events[1].Data.(*Operation); string(got.Value) != `[["r","x",[1,2]]]` {
		t.Errorf("got %s", got.Value)
	}
}

// TestOperationIsWritten: the line that is made by hand is the one that encoding/json reads.
func TestOperationIsWritten(t *testing.T) {
	for _, d := range []*Operation{
		{Process: -3, Type: "fail", F: "a\"b", Value: json.RawMessage(`{"x":[1,null]}`), Error: "line\n"},
		{Process: 1, Type: "invoke", F: "read"},
	} {
		got, err := Decode(AppendJSON(nil, &Event{Seq: 1, At: 5, Parent: 7, Data: d}))
		if err != nil || !reflect.DeepEqual(got.Data, d) || got.Parent != 7 {
			t.Errorf("got %+v, %v, want %+v", got.Data, err, d)
		}
	}
}

// FuzzRedactJSON: what was JSON stays JSON, and has no secret in its texts.
func FuzzRedactJSON(f *testing.F) {
	f.Add([]byte(`[["append","x",1234],["r","a sec\u0072et \\",null],{"k":"\\"}]`))
	mask := strings.NewReplacer("secret", "***").Replace
	f.Fuzz(func(t *testing.T, text []byte) {
		if !json.Valid(text) {
			return
		}
		got := redactJSON(text, mask)
		if !json.Valid(got) || strings.Contains(string(got), "secret") {
			t.Errorf("%s became %s", text, got)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"v":1,"seq":1,"at":5,"kind":"log","pos":"a.star:1:2","data":{"level":"info","message":"x"}}`))
	f.Fuzz(func(t *testing.T, line []byte) {
		e, err := Decode(line)
		if err != nil {
			return
		}
		again, err := Decode(AppendJSON(nil, &e))
		if err != nil {
			t.Fatalf("what was decoded cannot be decoded again: %v", err)
		}
		if again.Kind() != e.Kind() || again.Seq != e.Seq {
			t.Errorf("got %+v, want %+v", again, e)
		}
	})
}

// BenchmarkEmit is the cost of one statement event on the emitter's side and in delivery together.
func BenchmarkEmit(b *testing.B) {
	bus := NewBus(time.Now(), nil, &counter{})
	defer bus.Close()
	d := &Statement{SQL: "SELECT balance FROM account WHERE id = ?", Args: 1, Rows: 1}
	b.ReportAllocs()
	for b.Loop() {
		bus.Emit(Event{Test: "a.star::test", Session: "s1", Data: d})
	}
	bus.Flush()
}

type counter struct{ n int }

func (c *counter) Name() string       { return "counter" }
func (c *counter) Event(*Event) error { c.n++; return nil }
func (c *counter) Flush() error       { return nil }
func (c *counter) Close() error       { return nil }

// TestEncoderWritesTheSame: what an Encoder remembers of one statement never gets into the line of another.
func TestEncoderWritesTheSame(t *testing.T) {
	var c Encoder
	rnd := rand.New(rand.NewPCG(1, 2))
	pick := func(list ...string) string { return list[rnd.IntN(len(list))] }
	for i := range 20_000 {
		e := Event{
			Seq: uint64(i), At: time.Duration(rnd.Int64N(1e9)), ID: ID(rnd.IntN(8) / 7), Parent: ID(rnd.IntN(2)),
			Test: pick("a.star::test_x", "b.star::test_y"), Session: pick("s1", "s2", "1s", "", "was1", "has1", "a\"b"),
			Pos:  Pos{File: pick("a.star", "b\n.star", ""), Line: int32(rnd.IntN(3)), Col: int32(rnd.IntN(2))},
			Data: &Statement{SQL: pick("SELECT 1", "SELECT 2", "SELECT '\x00'"), Args: rnd.IntN(2), Prepared: rnd.IntN(2) == 0, Rows: rnd.Int64N(2), Duration: 5, Outcome: Outcome(rnd.IntN(4))},
		}
		if rnd.IntN(10) == 0 {
			e.Data = &Statement{SQL: "SELECT 1", Error: &Error{Kind: "x"}}
		}
		if got, want := string(c.Append(nil, &e)), string(AppendJSON(nil, &e)); got != want {
			t.Fatalf("event %d:\n got %s\nwant %s", i, got, want)
		}
	}
}
