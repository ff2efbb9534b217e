package metric

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"rig/runtime/event"
)

func TestDigest(t *testing.T) {
	for _, x := range []struct{ sql, want string }{
		{"SELECT balance FROM account WHERE id = ?", "SELECT balance FROM account WHERE id = ?"},
		{"select  *\n from t where a=1 and b = 'x''y' -- why\n and c=\"q\\\"\";", "SELECT * FROM t WHERE a = ? AND b = ? AND c = ?"},
		{"SELECT * FROM t WHERE id IN (1, 2,3)", "SELECT * FROM t WHERE id IN (...)"},
		{"SELECT * FROM t WHERE id IN (?)", "SELECT * FROM t WHERE id IN (...)"},
		{"SELECT * FROM t WHERE (a,b) IN ((1,2),(3,NULL))", "SELECT * FROM t WHERE (a, b) IN (...)"},
		{"SELECT * FROM t WHERE id IN (SELECT 1)", "SELECT * FROM t WHERE id IN (SELECT ?)"},
		{"INSERT INTO t VALUES (1, 'a', NULL), (-2,'b',DEFAULT) , (3, 'c', TRUE)", "INSERT INTO t VALUES (...)"},
		{"INSERT INTO t (id, n) VALUES (?, ?) ON DUPLICATE KEY UPDATE n = 5", "INSERT INTO t(id, n) VALUES (...) ON DUPLICATE KEY UPDATE n = ?"},
		{"INSERT INTO t VALUES (1, NOW())", "INSERT INTO t VALUES (?, NOW())"},
		{"UPDATE t SET n = n - 1, m=-1 WHERE a > -5 AND b<>- 3", "UPDATE t SET n = n - ?, m = ? WHERE a > ? AND b <> ?"},
		{"SELECT 1.5, .5, 1e-5, 0xFF, x'ff', b'01', 5-3, n'x'", "SELECT ?, ?, ?, ?, ?, ?, ? - ?, ?"},
		{"SELECT _utf8mb4 x'41' , _binary'a' 'b'", "SELECT ?, ?"},
		{"SELECT t1.c2, `a b`.`c` FROM `t1` AS x, 2nd", "SELECT t1.c2, `a b`.`c` FROM `t1` AS x, 2nd"},
		{"SELECT /*+ hint */ COUNT(*) /*!50000 + 1 */ # end", "SELECT COUNT(*) + ?"},
		{"SET @x := 5, @@session.sql_mode = ''", "SET @x := ?, @@SESSION.sql_mode = ?"},
		{"CREATE DATABASE `rig_20260101-ab_12`", "CREATE DATABASE rig_?"},
		{"SELECT a FROM t LIMIT 5,10", "SELECT a FROM t LIMIT ?, ?"},
		{"SELECT 'not closed", "SELECT ?"},
		{"INSERT INTO t VALUES (1,2),(3,", "INSERT INTO t VALUES (...)"},
		{"", ""},
		{";", ""},
		{"-- only this", ""},
	} {
		if got := Digest(x.sql); got != x.want {
			t.Errorf("%s\n got %s\nwant %s", x.sql, got, x.want)
		}
	}
	long := Digest("SELECT " + strings.Repeat("columné, ", 200) + "x")
	if len(long) > maxDigest+3 || !strings.HasSuffix(long, "...") || strings.ContainsRune(long, '\ufffd') {
		t.Errorf("%d bytes: %s", len(long), long)
	}
}

func FuzzDigest(f *testing.F) {
	f.Add("SELECT a FROM t WHERE b IN (1, 'x') /* c */ -- d")
	f.Add("INSERT INTO t VALUES (-1, x'ff'), (?, `a")
	f.Fuzz(func(t *testing.T, sql string) {
		d := Digest(sql)
		if len(d) > maxDigest+3 {
			t.Errorf("%d bytes", len(d))
		}
	})
}

func TestDigestIsTheSameForOtherValues(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	value := func() string {
		return []string{"?", "5", "-3", "0.25", "'it''s'", `'a\'b'`, "x'ff'", "1e-9", "\"q\""}[rnd.IntN(9)]
	}
	blank := func() string { return []string{" ", "\n\t", " /* c */ ", "  -- c\n"}[rnd.IntN(4)] }
	want := ""
	for range 2000 {
		var list []string
		for range 1 + rnd.IntN(5) {
			list = append(list, value())
		}
		sql := "select" + blank() + "a" + blank() + "from t where b=" + value() + blank() + "and c in(" + strings.Join(list, ",") + ")" + blank() + "limit" + blank() + "7"
		got := Digest(sql)
		if want == "" {
			want = got
		}
		if got != want {
			t.Fatalf("%q\n got %s\nwant %s", sql, got, want)
		}
	}
}

// exactQuantile is the definition: the value of nearest rank.
func exactQuantile(sorted []float64, q float64) float64 {
	for i, v := range sorted {
		if float64(i+1) >= q*float64(len(sorted))-1e-9 {
			return v
		}
	}
	return sorted[len(sorted)-1]
}

// TestQuantiles compares with the definition: exactly for few values, within a thousandth (or the unit) for many.
func TestQuantiles(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	shapes := map[string]func() float64{
		"uniform":     rnd.Float64,
		"exponential": func() float64 { return rnd.ExpFloat64() / 1000 },
		"heavy tail":  func() float64 { return 1e-4 / math.Pow(1-rnd.Float64(), 2) },
		"normal":      func() float64 { return rnd.NormFloat64() * 100 },
		"two peaks":   func() float64 { return []float64{0.001, 50}[rnd.IntN(2)] },
		"whole":       func() float64 { return float64(rnd.IntN(20) - 10) },
		"constant":    func() float64 { return 0.0123456 },
	}
	for name, draw := range shapes {
		for _, n := range []int{1, 2, 3, 10, 14, 100, 1000, exactUpTo, exactUpTo + 1, 5000, 20000} {
			for _, scale := range []float64{nano, micro} {
				t.Run(fmt.Sprint(name, n, scale), func(t *testing.T) { compareQuantiles(t, draw, n, scale) })
			}
		}
	}
}

func compareQuantiles(t *testing.T, draw func() float64, n int, scale float64) {
	d := &Distribution{scale: scale}
	var all []float64
	sum := 0.0
	for range n {
		v := draw()
		all = append(all, v)
		sum += v
		d.Observe(v)
	}
	slices.Sort(all)
	if d.Count != int64(n) || d.Min != all[0] || d.Max != all[n-1] || math.Abs(d.Mean()-sum/float64(n)) > 1e-9*math.Abs(sum) {
		t.Errorf("count %d, min %v, max %v, mean %v", d.Count, d.Min, d.Max, d.Mean())
	}
	for _, q := range []float64{0, 0.001, 0.1, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1} {
		got, want := d.Quantile(q), exactQuantile(all, q)
		bound := 0.0
		if n >= exactUpTo {
			bound = math.Abs(want)/1000 + 1/scale
		}
		if math.Abs(got-want) > bound {
			t.Errorf("%d values, q %v: got %v, want %v (within %v)", n, q, got, want, bound)
		}
	}
}

func TestDistributionIsEmpty(t *testing.T) {
	var d Distribution
	if d.Quantile(0.5) != 0 || d.Mean() != 0 {
		t.Error("an empty distribution has values")
	}
}

// TestMemoryIsBounded: many values of a wide range cost no more than one histogram.
func TestMemoryIsBounded(t *testing.T) {
	d := &Distribution{scale: nano}
	for i := range 200_000 {
		d.Observe(float64(i%1000) * 1e-6)
	}
	d.Observe(1e12) // beyond what is told apart
	if d.Quantile(1) != 1e12 || d.pos.ByteSize() > 1<<20 || d.exact != nil {
		t.Errorf("max %v, %d bytes", d.Quantile(1), d.pos.ByteSize())
	}
}

func fold(s *Set, all ...event.Data) {
	for _, d := range all {
		s.Take(&event.Event{Data: d})
	}
}

func text(s *Set) string {
	var b strings.Builder
	s.Each(func(x *Series) {
		fmt.Fprintf(&b, "%s %s %v %v n=%d err=%d", x.Type, x.Name, x.Labels, x.Value, x.Count, x.Errors())
		if x.Distribution != nil {
			fmt.Fprintf(&b, " p50=%v", x.Distribution.Quantile(0.5))
		}
		b.WriteByte('\n')
	})
	return b.String()
}

func TestSetFolds(t *testing.T) {
	s := NewSet(Options{Statements: true, Spans: true})
	label := []event.Field{{Key: "bank", Value: "a"}}
	fold(s,
		&event.Metric{Type: "counter", Name: "booked", Value: 2}, &event.Metric{Type: "counter", Name: "booked", Value: 3},
		&event.Metric{Type: "counter", Name: "booked", Value: 1, Labels: label},
		&event.Metric{Type: "gauge", Name: "depth", Value: 5}, &event.Metric{Type: "gauge", Name: "depth", Value: -2, Delta: true},
		&event.Metric{Type: "timer", Name: "load", Value: 0.5, Outcome: event.Failed}, &event.Metric{Type: "trend", Name: "rows", Value: -7},
		&event.Statement{SQL: "SELECT 1", Duration: time.Second}, &event.Statement{SQL: "select  2", Duration: time.Second, Outcome: event.Unknown},
		&event.Span{Name: "phase", Duration: time.Millisecond},
	)
	want := `counter booked [] 5 n=2 err=0
counter booked [{bank a}] 1 n=1 err=0
gauge depth [] 3 n=2 err=0
span phase [] 0 n=1 err=0 p50=0.001
statement SELECT ? [] 0 n=2 err=1 p50=1
timer load [] 0 n=1 err=1 p50=0.5
trend rows [] 0 n=1 err=0 p50=-7
`
	if got := text(s); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestSetFoldsOnlyWhatIsAsked(t *testing.T) {
	s := NewSet(Options{})
	fold(s, &event.Statement{SQL: "SELECT 1"}, &event.Span{Name: "x"}, &event.Log{})
	if !s.Empty() {
		t.Error(text(s))
	}
}

func TestDigestsAreBounded(t *testing.T) {
	s := NewSet(Options{Statements: true})
	for i := range 3 * maxDigests {
		fold(s, &event.Statement{SQL: fmt.Sprintf("SELECT c FROM t%d", i)})
	}
	n, other := 0, int64(0)
	s.Each(func(x *Series) {
		n++
		if x.Name == OtherDigests {
			other = x.Count
		}
	})
	if n != maxDigests+1 || other != 2*maxDigests {
		t.Errorf("%d series, %d others", n, other)
	}
}

func TestRegistry(t *testing.T) {
	at := event.Pos{File: "a.star", Line: 3, Col: 1}
	fields := func(kv ...string) (out []event.Field) {
		for i := 0; i < len(kv); i += 2 {
			out = append(out, event.Field{Key: kv[i], Value: kv[i+1]})
		}
		return out
	}
	for _, x := range []struct {
		typ, name string
		labels    []event.Field
		want      string // "" is accepted
	}{
		{"counter", "jobs", nil, ""},
		{"counter", "jobs", fields("q", "a"), ""},
		{"gauge", "jobs", nil, `"jobs" is a counter already at a.star:3:1: a name has one type`},
		{"counter", "jobs_count", nil, ""},
		{"trend", "jobs_", nil, ""},
		{"timer", "wait", nil, ""},
		{"counter", "wait_sum", nil, `"wait_sum" clashes with the timer "wait" at a.star:3:1: both would export "wait_sum"`},
		{"counter", "load_count", nil, ""},
		{"trend", "load", nil, `"load" clashes with the counter "load_count" at a.star:3:1: both would export "load_count"`},
		{"counter", "", nil, "is no metric name"},
		{"counter", "a-b", nil, `"a-b" is no metric name`},
		{"counter", "1a", nil, "no digit first"},
		{"counter", "é", nil, "is no metric name"},
		{"counter", "rig_x", nil, "rig's own"},
		{"counter", strings.Repeat("a", 201), nil, "at most 200 characters, this one 201"},
		{"counter", "l", fields("a b", "x"), `"a b" is no label name`},
		{"counter", "l", fields("__name__", "x"), "reserved by Prometheus"},
		{"trend", "l", fields("quantile", "x"), "reserved by Prometheus"},
		{"counter", "l", fields("a", "x", "a", "y"), "given twice"},
		{"counter", "l", fields("a", strings.Repeat("x", 201)), "at most 200 characters"},
	} {
		checkError(t, x.name, registryWith(at).Declare(x.typ, x.name, x.labels, event.Pos{}), x.want)
	}
	r := &Registry{}
	for i := range maxSeries {
		if err := r.Declare("counter", "n", fields("i", fmt.Sprint(i)), at); err != nil {
			t.Fatal(err)
		}
	}
	checkError(t, "n", r.Declare("counter", "n", fields("i", "x"), at), "10000 series already: a label of n takes too many values")
	checkError(t, "n", r.Declare("counter", "n", fields("i", "1"), at), "")
}

// registryWith has a counter jobs and load_count, and a timer wait.
func registryWith(at event.Pos) *Registry {
	r := &Registry{}
	for name, typ := range map[string]string{"jobs": "counter", "load_count": "counter", "wait": "timer"} {
		if err := r.Declare(typ, name, nil, at); err != nil {
			panic(err)
		}
	}
	return r
}

func checkError(t *testing.T, what string, err error, want string) {
	t.Helper()
	if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
		t.Errorf("%s: got %v, want %q", what, err, want)
	}
}

func BenchmarkDigest(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Digest("SELECT id, balance FROM account WHERE id IN (?, ?) AND owner = 'x' ORDER BY id FOR UPDATE")
	}
}

func BenchmarkStatement(b *testing.B) {
	s := NewSet(Options{Statements: true})
	e := &event.Event{Data: &event.Statement{SQL: "SELECT balance FROM account WHERE id = ?", Duration: 50 * time.Microsecond}}
	b.ReportAllocs()
	for b.Loop() {
		s.Take(e)
	}
}
