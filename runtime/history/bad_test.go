package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"rig/runtime/event"
)

const whole = "{:type :invoke, :process 0, :f :txn, :value [[:r :x nil] [:append :y 1]], :time 5, :node \"n1\"}\n" +
	"{:type :ok, :process 0, :f :txn, :value [[:r :x [1 2]] [:append :y 1]], :time 9, :extra {:a #{1 2}}}\n"

// TestCutAtEachByte: a file that ends too early says so at its end, wherever that is.
func TestCutAtEachByte(t *testing.T) {
	cut := 0
	for n := range whole {
		_, _, err := Read("f", strings.NewReader(whole[:n]))
		depth := strings.Count(whole[:n], "{") - strings.Count(whole[:n], "}")
		if depth == 0 {
			if err != nil {
				t.Errorf("whole operations up to byte %d: %v", n, err)
			}
			continue
		}
		cut++
		var bad *Error
		if !errors.As(err, &bad) || bad.Pos.Byte != int64(n) || !strings.Contains(bad.Text, "ends within") {
			t.Errorf("cut at byte %d: %v", n, err)
		}
	}
	if cut < 150 {
		t.Errorf("only %d places", cut)
	}
}

// TestBrokenAtEachByte: a bracket too many is found where it stands, or soon behind it, as it may have ended an inner value.
// Where it cuts a word, the operation that does not make sense is named.
func TestBrokenAtEachByte(t *testing.T) {
	text := strings.Index(whole, `"n1"`)
	for n := range whole {
		for _, c := range []string{"}", ")"} {
			_, _, err := Read("f", strings.NewReader(whole[:n]+c+whole[n:]))
			if n > text && n < text+4 {
				if err != nil {
					t.Errorf("%s within a text: %v", c, err)
				}
				continue
			}
			var bad *Error
			if errors.As(err, &bad) && strings.HasPrefix(bad.Text, "the type of an operation is") && bad.Pos.Column == 1 {
				continue
			}
			if bad == nil || bad.Pos.Byte < int64(n)-1 || bad.Pos.Byte > int64(n)+12 {
				t.Errorf("%s at byte %d: %v", c, n, err)
			}
		}
	}
}

// TestMissingCompletion: an operation that did not end, and one that ended without a begin, are read for what they are.
func TestMissingCompletion(t *testing.T) {
	h, _, err := Read("f", strings.NewReader("{:type :invoke :process 0 :value [[:append :y 1]]}\n{:type :ok :process 1 :value [[:r :y [1]]]}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Ops) != 2 || h.Ops[0].Type != OK || h.Ops[0].Invoked != -1 || h.Ops[1].Type != Info || h.Ops[1].Completed != -1 {
		t.Errorf("%+v", h.Ops)
	}
}

// FuzzJournal: operations of a journal that was damaged are refused or read, and what was read can be written.
func FuzzJournal(f *testing.F) {
	f.Add(int64(0), "invoke", "txn", []byte(`[["append","x",1],["r",2,null]]`), "ok", []byte(`[["append","x",1],["r",2,[1,2]]]`))
	f.Add(int64(-1), "fail", "add", []byte(`{"a":1.5}`), "info", []byte(`nul`))
	f.Fuzz(func(t *testing.T, process int64, first, name string, value []byte, second string, other []byte) {
		var j Journal
		events := []event.Event{
			{Seq: 1, ID: 7, Data: &event.History{Name: name}},
			{Seq: 2, Parent: 7, Data: &event.Operation{Process: process, Type: first, F: name, Value: value}},
			{Seq: 3, Parent: 7, Data: &event.Operation{Process: process, Type: second, F: name, Value: other}},
		}
		for i := range events {
			if err := j.Event(&events[i]); err != nil {
				return
			}
		}
		all, err := j.Histories()
		if err != nil || len(all) != 1 {
			return
		}
		for _, format := range []Format{EDN, JSON} {
			if err := Export(io.Discard, format, all[0].History); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzExport: what is exported as EDN is read again, and is then written the same.
func FuzzExport(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("[#x.y{:process 1 :type :info :f \"a b\" :value #{1.5 \\c \"d\\n\" nil true}}]"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, _, err := Read("f", bytes.NewReader(text))
		if err != nil {
			return
		}
		var one, two bytes.Buffer
		if err := Export(&one, EDN, h); err != nil {
			t.Fatal(err)
		}
		again, _, err := Read("one", bytes.NewReader(one.Bytes()))
		if err != nil {
			t.Fatalf("%v\n%q\n%q", err, text, one.String())
		}
		if err := Export(&two, EDN, again); err != nil || one.String() != two.String() {
			t.Errorf("%v\n%q\n%q\n%q", err, text, one.String(), two.String())
		}
	})
}

// gigabyte gives a history of that size, operation by operation: lists of up to a hundred elements, as they are in real ones.
type gigabyte struct {
	left   int64
	n      int
	buffer []byte
}

func (g *gigabyte) Read(p []byte) (int, error) {
	if len(g.buffer) == 0 {
		g.buffer = fmt.Appendf(g.buffer, "{:type :ok, :process %d, :f :txn, :value [[:append %d %d] [:r %d [", g.n%20, g.n/100, g.n%100, g.n/100)
		for i := range g.n%100 + 1 {
			g.buffer = fmt.Appendf(g.buffer, "%d ", i)
		}
		g.buffer = append(g.buffer, "]]]}\n"...)
		g.n++
	}
	n := copy(p, g.buffer)
	g.buffer = g.buffer[n:]
	g.left -= int64(n)
	if g.left <= 0 && len(g.buffer) == 0 {
		return n, errEnd
	}
	return n, nil
}

var errEnd = errors.New("that was all")

// TestSoakGigabyte: a gigabyte of EDN takes less memory than its text has.
func TestSoakGigabyte(t *testing.T) {
	if os.Getenv("RIG_SOAK") == "" {
		t.Skip("SKIPPED: takes long; make soak")
	}
	g := &gigabyte{left: 1 << 30}
	begin := heap()
	var b Builder
	s := newScanner(g)
	for {
		s.space()
		if s.atEnd() {
			break
		}
		if err := addForm(s, &b); err != nil {
			t.Fatal(err)
		}
	}
	h, err := b.History()
	if err != nil || !errors.Is(s.readErr, errEnd) {
		t.Fatal(err, s.readErr)
	}
	grown := int64(heap()) - int64(begin)
	t.Logf("%d operations, %d MiB", len(h.Ops), grown>>20)
	if len(h.Ops) < 3_000_000 || grown > 1<<30 {
		t.Errorf("%d operations took %d MiB", len(h.Ops), grown>>20)
	}
	runtime.KeepAlive(h)
}
