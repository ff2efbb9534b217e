package history

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
)

// shown is a history as text, one operation a line.
func shown(h *History) string {
	var b strings.Builder
	for i := range h.Ops {
		o := &h.Ops[i]
		fmt.Fprintf(&b, "%d %s %s", o.Process, o.Type, h.F(o))
		for _, m := range h.Mops(o) {
			fmt.Fprintf(&b, " | %s", h.MopText(m))
		}
		if o.In != nil {
			fmt.Fprintf(&b, " in %s", o.In)
		}
		if o.Out != nil {
			fmt.Fprintf(&b, " out %s", o.Out)
		}
		fmt.Fprintf(&b, " (%d-%d, line %d)\n", o.Invoked, o.Completed, o.Line)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	cases := []struct{ name, text, format, want string }{
		{
			"edn, one map a line", "{:type :invoke, :f :txn, :value [[:append :x 1] [:r :y nil]], :process 0, :time 10, :index 0}\n{:type :ok :f :txn :value [[:append :x 1] [:r :y [1 2]]] :process 0 :time 20 :extra {:a #{1}}}", "edn",
			"0 ok txn | appended 1 to :x | read [1 2] of :y (0-1, line 2)\n",
		},
		{"edn, a list with comments, tags and discarded values", "; comment\n(#jepsen.history.Op{:process 3, :type :info, :f :w, :value #_ 7 \\a, :error [\"x\\n\" 1.5e3 -2N 1/2x]}\n #_{:process 9})\n", "edn", ""},
		{"edn of records", "[#jepsen.history.Op{:process 3, :type :ok, :f :read, :value #{1 2}}]", "edn", "3 ok read out #{1 2} (-1-0, line 1)\n"},
		{"completions alone", "{:process 0 :type :ok :value [[:w 1 2]]}\n{:process 0 :type :ok :value [[:r 1 2]]}", "edn", "0 ok  | wrote 2 to 1 (-1-0, line 1)\n0 ok  | read 2 of 1 (-1-1, line 2)\n"},
		{"the nemesis is no client", "{:process :nemesis :type :info :f :kill}\n{:process 1 :type :invoke :f :read}\n{:process 1, :type :fail :f :read :error :x}", "edn", "1 fail read in nil out nil (0-1, line 3)\n"},
		{"without completion", "{:process 1 :type :invoke :f :txn :value [[:append 1 1]]}", "edn", "1 info txn | appended 1 to 1 (0--1, line 1)\n"},
		{"json", "[{\"process\":0,\"type\":\"invoke\",\"value\":[[\"append\",1,1],[\"r\",2,null]]},\n {\"process\":0,\"type\":\"ok\",\"value\":[[\"append\",1,1],[\"r\",2,[\"a\",\"\\u00e4\"]]],\"f\":\"txn\"}]", "json", "0 ok txn | appended 1 to 1 | read [\"a\" \"ä\"] of 2 (0-1, line 2)\n"},
		{"json lines", "{\"process\":0,\"type\":\"ok\",\"f\":\"read\",\"value\":{\"0\":10,\"1\":-5}}\n{\"process\":null,\"type\":\"ok\",\"f\":\"add\",\"value\":true}\n", "json", "0 ok read out {0 10 1 -5} (-1-0, line 1)\n-1 ok add out true (-1-1, line 2)\n"},
		{"etcd log", "INFO  jepsen.util - 2\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:invoke\t:cas\t[3 1]\nINFO  jepsen.util - 2\t:ok\t:read\t0\nINFO  jepsen.util - :nemesis\t:info\t:start\tnil\nINFO  jepsen.util - 0\t:info\t:cas\t:timed-out\n", "etcd log", "2 ok read in nil out 0 (0-2, line 3)\n0 info cas in [3 1] out nil (1-3, line 5)\n"},
		{"calls", "w(1,5,0,1)\nr(2, 0, 0, 1)\n\nr(1,5,7,2)\r\n", "calls", "0 ok txn | wrote 5 to 1 | read nothing of 2 (-1-0, line 1)\n7 ok txn | read 5 of 1 (-1-1, line 4)\n"},
		{"nothing", "", "edn", ""},
		{"an empty list", " [ ] ", "edn", ""},
		{"a byte order mark", "\ufeff[{\"process\":1,\"type\":\"ok\",\"value\":3}]", "json", "1 ok  out 3 (-1-0, line 1)\n"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h, format, err := Read("f", strings.NewReader(c.text))
			if strings.Contains(c.text, "1/2x") {
				if err == nil || !strings.Contains(err.Error(), `"1/2x" is no number`) {
					t.Errorf("error %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if string(format) != c.format {
				t.Errorf("format %q, want %q", format, c.format)
			}
			if got := shown(h); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

// TestPacked: a read is a prefix of the longest one, or its own.
func TestPacked(t *testing.T) {
	h, _, err := Read("f", strings.NewReader(`{:process 0 :type :ok :value [[:r :x [1 2]]]}
{:process 0 :type :ok :value [[:r :x [1 2 3 :a]]]}
{:process 0 :type :ok :value [[:r :x [1]]]}
{:process 0 :type :ok :value [[:r :x [1 3]]]}
{:process 0 :type :ok :value [[:r :x []]]}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"[1 2]", "[1 2 3 :a]", "[1]", "[1 3]", "[]"}
	for i := range h.Ops {
		m := h.Mops(&h.Ops[i])[0]
		if got := h.ListText(h.List(m)); got != want[i] || (m.Act == ReadOwn) != (i == 3) {
			t.Errorf("%d: %s, act %d", i, got, m.Act)
		}
	}
	if got := h.ListText(h.Trunk(0)); got != "[1 2 3 :a]" {
		t.Errorf("trunk %s", got)
	}
}

func TestReadErrors(t *testing.T) {
	cases := []struct{ text, want string }{
		{"{:process 0 :type :ok :value [[:r :x [1 2}", "f:1:42 (byte 41): \"}\" where \"]\" or a value belongs"},
		{"{:process 0 :type :ok}\n{:process 1 :type", "f:2:18 (byte 40): the file ends within a value: \"}\" is missing"},
		{"{:process 0 :type :ok :f}", "f:1:26 (byte 25): a map with a key but no value: :f"},
		{"[{:process 0 :type :ok}", "f:1:24 (byte 23): the file ends within the list of operations: \"]\" is missing"},
		{"[{:process 0 :type :ok}] {:process 1}", "f:1:26 (byte 25): the list of operations ended before this"},
		{"{:process 0 :type :done}", "f:1:1 (byte 0): the type of an operation is invoke, ok, fail or info, not :done"},
		{"{:process 0}", "f:1:1 (byte 0): an operation without :type"},
		{"{:process 0 :type :ok} 7", "f:1:24 (byte 23): an operation is a map, this is 7"},
		{"{:process 0 :type :invoke}\n{:process 0 :type :invoke}", "f:2:1 (byte 27): process 0 begins an operation, but the one of line 1 has not ended"},
		{"{:process 0 :type :ok :value [[:append :x 1]]}\n{:process 1 :type :ok :value [[:append :x 1]]}", "f:2:1 (byte 47): 1 is written to key :x a second time, first on line 1: only unique values can be told apart"},
		{"{:process 1 :type :invoke :value [[:append :x 1]]}\n{:process 2 :type :ok :value [[:append :x 1]]}", "f:1:1 (byte 0): 1 is written to key :x a second time, first on line 2: only unique values can be told apart"},
		{"{\"process\" 1}", "f:1:12 (byte 11): a colon belongs after the key process"},
		{"{\"process\": yes}", "f:1:13 (byte 12): \"yes\" is no JSON"},
		{"{\"process\": 1-2}", "f:1:13 (byte 12): \"1-2\" is no number"},
		{"{\"process\": \"a\\x\"}", "f:1:16 (byte 15): no escape begins with 'x'"},
		{"{\"process\": \"a\\u00g1\"}", "four hexadecimal digits"},
		{"{\"process\": \"a", "f:1:15 (byte 14): the file ends within the string that begins on line 1"},
		{"{:process 0 :type :ok :value " + strings.Repeat("[", 100), "more than 64 values within each other"},
		{"hello", "f:1:1 (byte 0): not a history: neither EDN nor JSON, no log of Jepsen's etcd test, no r(k,v,session,txn)"},
		{"w(1,2,3,4)\nx(1,2,3,4)", "f:2:1 (byte 11): want r(key,value,session,transaction) or w(...), not x(1,2,3,4)"},
		{"w(1,2,3,99999999999999999999)", "f:1:1 (byte 0): 99999999999999999999 is too large a number"},
		{"w(1,2,3,4)\nw(1,2,3,5)", "f:2:1 (byte 11): 2 is written to key 1 a second time"},
		{"INFO  jepsen.util - 2\t:invoke\t:read\tnil\nhello", "f:2:1 (byte 40): no line of a log of operations: hello"},
		{"INFO  jepsen.util - 2\t:ok\t:cas\t[1", "the value of the operation: [1"},
		{"{:process 0 :type :ok :value \x01}", "is no EDN"},
	}
	for _, c := range cases {
		_, _, err := Read("f", strings.NewReader(c.text))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q:\n got %v\nwant %s", c.text, err, c.want)
			continue
		}
		var e *Error
		if !errors.As(err, &e) {
			t.Errorf("%q: %T", c.text, err)
		}
	}
}

type brokenReader struct{ left int }

func (b *brokenReader) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, errors.New("the disk is gone")
	}
	n := copy(p, strings.Repeat(" ", min(b.left, len(p))))
	b.left -= n
	return n, nil
}

func TestReadFailure(t *testing.T) {
	for _, left := range []int{0, 10, 1 << 20} {
		if _, _, err := Read("f", &brokenReader{left}); err == nil || !strings.Contains(err.Error(), "the disk is gone") {
			t.Errorf("%d: %v", left, err)
		}
	}
}

// endless repeats a text without end, up to a size.
type endless struct {
	text []byte
	left int64
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n < len(p) && e.left > 0 {
		c := copy(p[n:], e.text[e.at:])
		n += c
		e.left -= int64(c)
		e.at = (e.at + c) % len(e.text)
	}
	return n, nil
}

// TestMemoryIsBounded: what is skipped takes no memory, and one operation cannot take it all.
func TestMemoryIsBounded(t *testing.T) {
	begin := heap()
	if _, _, err := Read("f", &endless{text: []byte("{:process :nemesis :type :info :value [\"some text\" 1 2 3 4 5 6 7 8 9]}\n"), left: 71 * 200_000}); err != nil {
		t.Fatal(err)
	}
	if grown := int64(heap()) - int64(begin); grown > 4<<20 {
		t.Errorf("14 MB that say nothing left %d MiB", grown>>20)
	}
	_, _, err := Read("f", io.MultiReader(strings.NewReader("{:process 1 :type :ok :value ["), &endless{text: []byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa "), left: 1 << 30}))
	if err == nil || !strings.Contains(err.Error(), "an operation of more than 64 MiB") {
		t.Errorf("%v", err)
	}
	_, _, err = Read("f", io.MultiReader(strings.NewReader(`{"process": "`), &endless{text: []byte("a"), left: 1 << 30}))
	if err == nil || !strings.Contains(err.Error(), "a string of more than 1 MiB") {
		t.Errorf("%v", err)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func fuzz(f *testing.F, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, _, err := Read("f", bytes.NewReader(b))
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Pos.Line < 1 || e.Pos.Column < 1 || e.Pos.Byte < 0 || e.Pos.Byte > int64(len(b)) {
				t.Errorf("%v", err)
			}
			return
		}
		_ = shown(h)
	})
}

func FuzzEDN(f *testing.F) {
	fuzz(f, "{:process 0 :type :ok :value [[:r :x [1 2]] [:append :x 3]]}", "[{:type :invoke, :process 1 :value #{1 nil \\a \"b\\n\" 1.5 #inst \"x\"}}]", "(#a.b{:process 1}) ; x", "{:process 0 :type :ok #_ 1}")
}

func FuzzJSON(f *testing.F) {
	fuzz(f, `[{"process":0,"type":"ok","value":[["r",1,[1,2]],["w","x",null]]}]`, `{"process":0,"type":"invoke","value":{"a":-1.5e3,"b":"\u00e4"}}`)
}

func FuzzEtcdLog(f *testing.F) {
	fuzz(f, "INFO  jepsen.util - 2\t:invoke\t:cas\t[1 2]\nINFO  jepsen.util - 2\t:info\t:cas\t:timed-out\n")
}

func FuzzCalls(f *testing.F) { fuzz(f, "w(1,2,3,4)\nr(1,2,3,5)\nr(9,0,0,0)\n") }

// BenchmarkEDN reads transactions with lists of a hundred elements.
func BenchmarkEDN(b *testing.B) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "{:type :ok, :f :txn, :value [[:r %d [", i%10)
		for j := range 100 {
			fmt.Fprintf(&text, "%d ", j)
		}
		fmt.Fprintf(&text, "]] [:append %d %d]], :process %d, :time %d}\n", i%10, 1000+i, i%20, i*1000)
	}
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, _, err := Read("f", strings.NewReader(text.String())); err != nil {
			b.Fatal(err)
		}
	}
}
