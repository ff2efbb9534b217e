package data

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestName(t *testing.T) {
	a, err := Name("user", "run1", 7)
	if err != nil || a != "user_run1_7" {
		t.Errorf("%q, %v", a, err)
	}
	long, err := Name(strings.Repeat("é", 57), "run1", 7)
	if err != nil || utf8.RuneCountInString(long) != MaxName {
		t.Errorf("%q, %v", long, err)
	}
	if _, err = Name(strings.Repeat("é", 58), "run1", 7); err == nil || !strings.Contains(err.Error(), "want at most 57 characters, got 58") {
		t.Error(err)
	}
}

func TestLedgerDeletesTheYoungestFirst(t *testing.T) {
	var l Ledger[string]
	for i := range 3 {
		l.Add("parent", i)
	}
	l.Add("child", 10)
	l.Add("parent", 3)
	l.Add("child", 11)
	l.Add("child", 12)
	want := []Batch[string]{{"child", []any{10, 11}}, {"child", []any{12}}, {"parent", []any{0, 1}}, {"parent", []any{2, 3}}}
	if got := l.Groups(2); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	want = []Batch[string]{{"child", []any{12}}, {"child", []any{11}}, {"parent", []any{3}}, {"child", []any{10}}, {"parent", []any{2}}, {"parent", []any{1}}, {"parent", []any{0}}}
	if got := l.Singly(); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if l.Len() != 7 {
		t.Errorf("%d rows", l.Len())
	}
}

// everything makes one of each kind.
func everything(f *Faker) []string {
	var out []string
	for _, k := range Texts() {
		out = append(out, k.Name+"="+k.Make(f))
	}
	lo := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return append(out, fmt.Sprint(f.Int(-5, 5), f.Bool(), f.Float(1, 2)), f.Decimal(-3, 3, 4), f.Time(lo, lo.AddDate(1, 0, 0)).String())
}

func TestTheSameSeedGivesTheSame(t *testing.T) {
	a, b := everything(NewFaker(42, "test", "row")), everything(NewFaker(42, "test", "row"))
	if !reflect.DeepEqual(a, b) {
		t.Errorf("%q\n%q", a, b)
	}
	for _, s := range a {
		if strings.HasSuffix(s, "=") || !utf8.ValidString(s) {
			t.Errorf("%q", s)
		}
	}
	for _, other := range []*Faker{NewFaker(43, "test", "row"), NewFaker(42, "test", "row2"), NewFaker(42, "testr", "ow")} {
		if reflect.DeepEqual(a, everything(other)) {
			t.Error("another seed or name gives the same")
		}
	}
}

// TestSeedIsForever: what a seed gives does not depend on the process; a new version of the library may change it, and then
// this line does.
func TestSeedIsForever(t *testing.T) {
	f := NewFaker(1, "t")
	got := []string{f.f.FirstName(), f.email(), f.f.Word(), f.f.City(), f.Decimal(0, 100, 2)}
	want := []string{"Janice", "alva.moore132@example.com", "umbrella", "Louisville/Jefferson", "98.49"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestBounds(t *testing.T) {
	f := NewFaker(7)
	seen := map[int64]bool{}
	for range 500 {
		n := f.Int(-1, 1)
		if n < -1 || n > 1 {
			t.Fatal(n)
		}
		seen[n] = true
		d := f.Decimal(-1, 1, 1)
		if len(strings.TrimPrefix(d, "-")) != 3 || d > "1.0" && d[0] != '-' {
			t.Fatal(d)
		}
		if x := f.Float(2, 3); x < 2 || x >= 3 {
			t.Fatal(x)
		}
	}
	if len(seen) != 3 {
		t.Errorf("%v", seen)
	}
	if f.Int(5, 5) != 5 || f.Decimal(5, 5, 0) != "5" {
		t.Error("one number is no choice")
	}
	f.Int(-1<<63, 1<<63-1) // the whole range
}

func TestReadCSV(t *testing.T) {
	for _, x := range []struct {
		in      string
		o       CSVOptions
		columns []string
		rows    [][]string
		lines   []int
	}{
		{"id,name\n1,a\n2,\"b, \"\"c\"\"\nd\"\n\n3,e\r\n", CSVOptions{Header: true}, []string{"id", "name"}, [][]string{{"1", "a"}, {"2", "b, \"c\"\nd"}, {"3", "e"}}, []int{2, 3, 6}},
		{"\ufeffid, name\n1, a\n", CSVOptions{Header: true, Columns: []string{"id", "name"}}, []string{"id", "name"}, [][]string{{"1", " a"}}, []int{2}},
		{"1,a\n", CSVOptions{Columns: []string{"id", "name"}}, []string{"id", "name"}, [][]string{{"1", "a"}}, []int{1}},
		{"1,a\n", CSVOptions{}, nil, [][]string{{"1", "a"}}, []int{1}},
		{"", CSVOptions{}, nil, nil, nil},
		{"id\n", CSVOptions{Header: true}, []string{"id"}, nil, nil},
	} {
		got, err := ReadCSV("f.csv", strings.NewReader(x.in), x.o)
		if err != nil {
			t.Errorf("%q: %v", x.in, err)
			continue
		}
		if !reflect.DeepEqual(got.Columns, x.columns) || !reflect.DeepEqual(got.Rows, x.rows) || !reflect.DeepEqual(got.Lines, x.lines) {
			t.Errorf("%q: %+v", x.in, got)
		}
	}
}

func TestBadCSV(t *testing.T) {
	two := []string{"id", "name"}
	for _, x := range []struct {
		in   string
		o    CSVOptions
		want string
	}{
		{"", CSVOptions{Header: true}, "f.csv: it is empty, and its first line should name the columns"},
		{"id,name\n1,a\n\n2\n", CSVOptions{Header: true}, "f.csv:4: 1 value, want 2 (id, name)"},
		{"id,name\n1,a,b\n", CSVOptions{Header: true}, "f.csv:2: 3 values, want 2 (id, name)"},
		{"1,a\n1\n", CSVOptions{}, "f.csv:2: 1 value, want 2 as in the first row"},
		{"1,a,b\n", CSVOptions{Columns: two}, "f.csv:1: 3 values, want 2 (id, name)"},
		{"id,nmae\n", CSVOptions{Header: true, Columns: two}, `f.csv:1: the header has 2 columns (id, nmae), want 2 (id, name); is "nmae" meant to be "name"?`},
		{"id\n", CSVOptions{Header: true, Columns: two}, "f.csv:1: the header has 1 column (id), want 2 (id, name)"},
		{"id,id\n", CSVOptions{Header: true}, `f.csv:1: the header has the column "id" twice`},
		{"id,\n", CSVOptions{Header: true}, "f.csv:1: column 2 of the header has no name"},
		{"1\n", CSVOptions{Columns: []string{"a", "a"}}, `f.csv: the columns that are wanted have "a" twice`},
		{"id\n\"open\n", CSVOptions{Header: true}, `f.csv:2: extraneous or missing " in quoted-field`},
		{"id\na\"b\n", CSVOptions{Header: true}, `f.csv:2: bare " in non-quoted-field`},
	} {
		_, err := ReadCSV("f.csv", strings.NewReader(x.in), x.o)
		if err == nil || err.Error() != x.want {
			t.Errorf("%q: %v, want %s", x.in, err, x.want)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestHugeCSV(t *testing.T) {
	if _, err := ReadCSV("f.csv", endless{}, CSVOptions{}); err == nil || !strings.Contains(err.Error(), "f.csv: it has more than 64 MiB") {
		t.Error(err)
	}
	many := strings.NewReader(strings.Repeat("1\n", maxCSVRows+1))
	if _, err := ReadCSV("f.csv", many, CSVOptions{}); err == nil || !strings.Contains(err.Error(), "f.csv:1000001: more than 1000000 rows") {
		t.Error(err)
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("id,name\n1,a\n2,\"b\"\n"), true)
	f.Add([]byte("\xef\xbb\xbfa\r\n\"\n"), false)
	f.Add([]byte("a,a\n\n,"), true)
	f.Fuzz(func(t *testing.T, in []byte, header bool) {
		got, err := ReadCSV("f.csv", strings.NewReader(string(in)), CSVOptions{Header: header})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.csv") {
				t.Errorf("%v", err)
			}
			return
		}
		if len(got.Rows) != len(got.Lines) {
			t.Errorf("%d rows, %d lines", len(got.Rows), len(got.Lines))
		}
		for i, row := range got.Rows {
			if len(row) == 0 || len(row) != len(got.Rows[0]) || header && len(row) != len(got.Columns) {
				t.Errorf("row %d of %+v", i, got)
			}
			if i > 0 && got.Lines[i] <= got.Lines[i-1] {
				t.Errorf("lines %v", got.Lines)
			}
		}
	})
}
