package history

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestExport: what was written is read again as the same history, whatever it was read from.
func TestExport(t *testing.T) {
	files, err := filepath.Glob("../../testdata/histories/*")
	if err != nil || len(files) < 10 {
		t.Fatal(files, err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		h, _, err := Read(path, bytes.NewReader(b))
		if err != nil {
			continue // broken.edn
		}
		for _, f := range []Format{EDN, JSON} {
			var out bytes.Buffer
			if err := Export(&out, f, h); err != nil {
				t.Fatal(err)
			}
			again, got, err := Read("out", bytes.NewReader(out.Bytes()))
			if err != nil || got != f {
				t.Errorf("%s as %s: %s, %v\n%s", path, f, got, err, out.String())
				continue
			}
			if a, b := shape(t, h), shape(t, again); a != b {
				t.Errorf("%s as %s:\n%s\nwant\n%s", path, f, b, a)
			}
		}
	}
	if err := Export(nil, Calls, &History{}); err == nil {
		t.Error("calls were written")
	}
}

// shape is a history without the marks that JSON does not have.
func shape(t *testing.T, h *History) string {
	t.Helper()
	var out bytes.Buffer
	if err := Export(&out, JSON, h); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// TestExportText: what is written is what was read, but for what nobody needs.
func TestExportText(t *testing.T) {
	const text = `{:index 0, :type :invoke, :process 0, :f :txn, :value [[:w :x 1] [:r "y" nil] [:append 3 :a]], :time 5}
{:index 1, :type :invoke, :process 1, :f :transfer, :value {:from 0 :to 1}, :time 6}
{:index 2, :type :ok, :process 0, :f :txn, :value [[:w :x 1] [:r "y" 7] [:append 3 :a]], :time 7}
{:index 3, :type :fail, :process 1, :f :transfer, :value nil, :time 8}
{:index 4, :type :invoke, :process 2, :f :txn, :value [[:r 3 nil] [:r :z nil]], :time 9}
{:index 5, :type :ok, :process 2, :f :txn, :value [[:r 3 [:a "b" 1.5 -4]] [:r :z nil]], :time 10}
{:index 6, :type :invoke, :process 3, :f :read, :value #{1 2}}
`
	h, _, err := Read("f", strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := Export(&out, EDN, h); err != nil || out.String() != text {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestExportErrors: why an operation failed is written, and texts keep what a line cannot have as it is.
func TestExportErrors(t *testing.T) {
	var b Builder
	for _, e := range []Event{
		{Process: 1, Type: Invoke, F: "add", Time: 5, Value: Value{Kind: Text, Text: "a\"\n\x01é"}},
		{Process: 1, Type: Fail, F: "add", Time: 7, Error: "1213 \"deadlock\"\n"},
		{Process: 2, Type: Invoke, F: "txn", Time: 9, Value: list(list(word("append"), Value{Kind: Text, Text: "1"}, Value{Kind: Int, Int: 1}), list(word("r"), Value{Kind: Int, Int: 1}, Value{}))},
	} {
		if err := b.Add(&e); err != nil {
			t.Fatal(err)
		}
	}
	h, err := b.History()
	if err != nil {
		t.Fatal(err)
	}
	for f, want := range map[Format]string{
		EDN: `{:index 0, :type :invoke, :process 1, :f :add, :value "a\"\n\u0001é", :time 5}
{:index 1, :type :fail, :process 1, :f :add, :value nil, :time 7, :error "1213 \"deadlock\"\n"}
{:index 2, :type :invoke, :process 2, :f :txn, :value [[:append "1" 1] [:r 1 nil]], :time 9}
`,
		JSON: `{"index":0,"type":"invoke","process":1,"f":"add","value":"a\"\n\u0001é","time":5}
{"index":1,"type":"fail","process":1,"f":"add","value":null,"time":7,"error":"1213 \"deadlock\"\n"}
{"index":2,"type":"invoke","process":2,"f":"txn","value":[["append","1",1],["r",1,null]],"time":9}
`,
	} {
		var out bytes.Buffer
		if err := Export(&out, f, h); err != nil || out.String() != want {
			t.Errorf("%s: %v\n%s\nwant\n%s", f, err, out.String(), want)
		}
	}
}

func num(n int64) Value         { return Value{Kind: Int, Int: n} }
func list(items ...Value) Value { return Value{Kind: List, Items: items} }
func word(w string) Value       { return Value{Kind: Keyword, Text: ":" + w} }

// TestSnapshot: a history can be looked at while it grows; neither changes the other.
func TestSnapshot(t *testing.T) {
	var b Builder
	add := func(process int64, typ Type, v Value) {
		t.Helper()
		if err := b.Add(&Event{Process: process, Type: typ, F: "txn", Value: v, Time: -1}); err != nil {
			t.Fatal(err)
		}
	}
	one := Value{Kind: Int, Int: 1}
	add(0, Invoke, list(list(word("append"), one, one)))
	early, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	before := shape(t, early)
	add(0, OK, list(list(word("append"), one, one)))
	add(1, Invoke, list(list(word("r"), one, Value{})))
	add(1, OK, list(list(word("r"), one, list(one, num(2), num(3)))))
	add(2, Invoke, list(list(word("r"), one, list(one, num(2), num(3), num(9)))))
	late, err := b.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	if len(early.Ops) != 1 || early.Ops[0].Type != Info || shape(t, early) != before {
		t.Errorf("the first snapshot is %s, was %s", shape(t, early), before)
	}
	before = shape(t, late)
	add(2, OK, list(list(word("r"), one, list(one, num(2), num(3), num(4)))))
	end, err := b.History()
	if err != nil {
		t.Fatal(err)
	}
	if len(late.Ops) != 3 || late.Ops[2].Type != Info || shape(t, late) != before || late.ListText(late.Trunk(0)) != "[1 2 3 9]" {
		t.Errorf("the second is %s, was %s", shape(t, late), before)
	}
	if len(end.Ops) != 3 || end.ListText(end.Trunk(0)) != "[1 2 3 4]" {
		t.Errorf("the end is %s", shape(t, end))
	}
}
