package linear

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rig/runtime/history"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// read makes a history of lines "process type f value".
func read(t *testing.T, text string) *history.History {
	t.Helper()
	var edn strings.Builder
	for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
		f := strings.SplitN(strings.TrimSpace(line), " ", 4)
		if len(f) < 4 {
			f = append(f, "nil")
		}
		fmt.Fprintf(&edn, "{:process %s :type :%s :f :%s :value %s}\n", f[0], f[1], f[2], f[3])
	}
	h, _, err := history.Read("h", strings.NewReader(edn.String()))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestCheck(t *testing.T) {
	cases := []struct {
		model, name, history string
		valid                Valid
		stuck                string
	}{
		{"register", "written, then read", "0 ok read\n0 ok write 1\n1 ok read 1", Yes, ""},
		{"register", "a stale read", "0 ok write 1\n0 ok write 2\n1 ok read 1", No, "T3 (line 3, process 1) read 1"},
		{"register", "a read while the write is under way", "0 invoke write 1\n1 ok read 1\n1 ok read\n0 ok write 1", No, "T2 (line 3, process 1) read nil"},
		{"register", "either is right while the write is under way", "0 invoke write 1\n1 ok read\n1 ok read 1\n0 ok write 1", Yes, ""},
		{"register", "a write of unknown outcome may come late", "0 invoke write 1\n0 info write 1\n1 ok read\n1 ok read 1", Yes, ""},
		{"register", "a write without end may come late", "0 invoke write 1\n1 ok read\n1 ok read 1", Yes, ""},
		{"register", "a failed write did not happen", "0 fail write 1\n1 ok read 1", No, "read 1"},
		{"register", "a read of unknown outcome says nothing", "0 invoke read\n0 info read 7\n1 ok read", Yes, ""},
		{"cas-register", "compare and set", "0 ok write 1\n1 ok cas [1 2]\n1 ok read 2", Yes, ""},
		{"cas-register", "of another value", "0 ok write 1\n1 ok cas [3 2]", No, "cas 3 -> 2"},
		{"cas-register", "unknown and impossible", "0 ok write 1\n1 info cas [3 2]\n2 ok read 1", Yes, ""},
		{"register", "each key by itself", "0 ok write [1 5]\n1 ok read [2 nil]\n1 ok read [1 5]", Yes, ""},
		{"register", "a stale read of one of many keys", "0 ok write [1 5]\n0 ok write [2 6]\n0 ok write [2 7]\n1 ok read [2 6]\n0 ok read [1 5]", No, "T4 (line 4, process 1) read 2 6"},
		{"cas-register", "compare and set of a key", "0 ok write [:x 1]\n1 ok cas [:x [1 2]]\n2 ok cas [:y [nil 2]]\n1 ok read [:x 2]", Yes, ""},
		{"cas-register", "of another key's value", "0 ok write [:x 1]\n1 ok cas [:y [1 2]]", No, "cas :y 1 -> 2"},
		{"multi-register", "all at once", "0 ok txn [[:w :x 1] [:w :y 1]]\n1 ok txn [[:r :x 1] [:r :y 1]]", Yes, ""},
		{"multi-register", "half of it", "0 ok txn [[:w :x 1] [:w :y 1]]\n1 ok txn [[:r :x 1] [:r :y nil]]", No, "read :x 1, read :y nil"},
		{"mutex", "one after the other", "0 ok acquire\n0 ok release\n1 ok acquire", Yes, ""},
		{"mutex", "two at once", "0 ok acquire\n1 ok acquire", No, "T2 (line 2, process 1) acquire"},
		{"mutex", "it may have been released", "0 ok acquire\n0 invoke release\n0 info release\n1 ok acquire", Yes, ""},
		{"mutex", "released by nobody", "0 ok release", No, "release"},
	}
	for _, c := range cases {
		t.Run(c.model+", "+c.name, func(t *testing.T) {
			r, err := Check(c.model, read(t, c.history), 0)
			if err != nil {
				t.Fatal(err)
			}
			if stuck := strings.Join(r.Stuck, "\n"); r.Valid != c.valid || !strings.Contains(stuck, c.stuck) || (c.stuck == "") != (stuck == "") {
				t.Errorf("%s, stuck at %q", r.Valid, stuck)
			}
			var page bytes.Buffer
			if err := r.HTML(&page); err != nil || !strings.Contains(page.String(), "<html") {
				t.Errorf("%v, %d bytes", err, page.Len())
			}
		})
	}
}

func TestEtcdLog(t *testing.T) {
	log := func(end string) string {
		return "INFO  jepsen.util - 0\t:invoke\t:write\t3\nINFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 0\t:ok\t:write\t3\nINFO  jepsen.util - 1\t:ok\t:read\t3\n" +
			"INFO  jepsen.util - 2\t:invoke\t:cas\t[3 4]\nINFO  jepsen.util - 2\t:info\t:cas\t:timed-out\nINFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\t" + end + "\n"
	}
	for end, want := range map[string]Valid{"3": Yes, "4": Yes, "5": No, "nil": No} {
		h, format, err := history.Read("log", strings.NewReader(log(end)))
		if err != nil || format != history.EtcdLog {
			t.Fatal(format, err)
		}
		if r, err := Check("cas-register", h, 0); err != nil || r.Valid != want {
			t.Errorf("read %s: %+v, %v", end, r, err)
		}
	}
}

// TestSimulated: a register that takes each operation at one moment is linearizable; one read of a value that was never
// there makes it not so.
func TestSimulated(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 50 {
		var lines []string
		value := "nil"
		type pending struct{ f, v string }
		running := map[int]*pending{}
		for step := range 120 {
			p := r.IntN(5)
			if o := running[p]; o == nil {
				o = &pending{f: []string{"read", "write"}[r.IntN(2)], v: "nil"}
				if o.f == "write" {
					o.v = fmt.Sprint(step)
				}
				running[p] = o
				lines = append(lines, fmt.Sprintf("%d invoke %s %s", p, o.f, o.v))
				continue
			}
			o := running[p]
			if o.f == "write" {
				value = o.v
			} else {
				o.v = value
			}
			lines = append(lines, fmt.Sprintf("%d ok %s %s", p, o.f, o.v))
			delete(running, p)
		}
		if v, err := Check("register", read(t, strings.Join(lines, "\n")), 10*time.Second); err != nil || v.Valid != Yes {
			t.Fatalf("round %d: %+v, %v\n%s", round, v, err, strings.Join(lines, "\n"))
		}
		lines = append(lines, "9 ok read 1000")
		if v, err := Check("register", read(t, strings.Join(lines, "\n")), 10*time.Second); err != nil || v.Valid != No {
			t.Fatalf("round %d: %+v, %v", round, v, err)
		}
	}
}

func TestTimeout(t *testing.T) {
	// Writes of unknown outcome that may come at any time, and a read that none of their orders explains.
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("%d invoke cas [%d %d]", i, i%7, (i+1)%7))
	}
	lines = append(lines, "99 ok write 0")
	for i := range 12 {
		lines = append(lines, fmt.Sprintf("99 ok read %d", (i*3)%7))
	}
	lines = append(lines, "99 ok read 100")
	begin := time.Now()
	r, err := Check("cas-register", read(t, strings.Join(lines, "\n")), 200*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); r.Valid != Unknown || took > 20*time.Second {
		t.Errorf("%s after %v", r.Valid, took)
	}
}

func TestWrongModel(t *testing.T) {
	cases := []struct{ model, history, want string }{
		{"register", "0 ok add 1", `T1 (line 1, process 0) is "add 1": want read, write or cas`},
		{"cas-register", "0 ok cas 1", "want cas with the old and the new value"},
		{"mutex", "0 ok read 1", "want acquire or release"},
		{"multi-register", "0 ok read 1", "want a transaction of reads and writes"},
		{"multi-register", "0 ok txn [[:append 1 1]]", "want reads and writes of registers"},
		{"queue", "0 ok read 1", `there is no model "queue"`},
	}
	for _, c := range cases {
		if _, err := Check(c.model, read(t, c.history), 0); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s of %q: %v", c.model, c.history, err)
		}
	}
}
